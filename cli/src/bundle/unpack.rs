//! Unpacks a bundle into an empty folder. It may come from anybody: what is not as its contents tell is refused, and nothing is
//! written that they do not tell, or elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use hearth_serverless::scenario::change_paths;

use super::contents::{Contents, NAME, PackedFile};
use crate::error::CommandError;
use crate::hash;

/// Deflate makes nothing more than so many times as long.
const MOST_TIMES: u64 = 1032;

/// What an empty archive has around it.
const SLACK: u64 = 1 << 16;

/// Contents beyond this are not Hearth's.
const LONGEST_CONTENTS: u64 = 1 << 28;

type Archive = tar::Archive<GzDecoder<BufReader<File>>>;

/// Unpacks a bundle into a folder, which is empty; gives what is there now.
///
/// # Errors
/// When it is broken, has more in it than there is room for, or something else than a bundle has.
pub fn unpack(bundle: &Path, folder: &Path) -> Result<Contents, CommandError> {
    unpacked(bundle, folder).map_err(|problem| CommandError::Usage(format!("{}: {problem}", bundle.display())))
}

fn broken(error: impl ToString) -> String {
    format!("is no whole bundle: {}", error.to_string())
}

fn open(bundle: &Path) -> Result<Archive, String> {
    let file = File::open(bundle).map_err(|error| format!("cannot be read: {error}"))?;
    Ok(tar::Archive::new(GzDecoder::new(BufReader::new(file))))
}

/// An entry, and its name, if it is a file and nothing else. Longer names, links and devices have other types.
fn file_in<R: Read>(entry: io::Result<tar::Entry<'_, R>>) -> Result<(String, u64, tar::Entry<'_, R>), String> {
    let entry = entry.map_err(broken)?;
    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    if entry.header().entry_type() != tar::EntryType::Regular {
        return Err(format!("is no bundle: {name:?} in it is no plain file"));
    }
    let size = entry.header().size().map_err(broken)?;
    Ok((name, size, entry))
}

fn contents<'a, R: Read + 'a>(entries: &mut tar::Entries<'a, R>, longest: u64) -> Result<Contents, String> {
    let first = entries.next().ok_or_else(|| broken("it is empty"))?;
    let (name, size, entry) = file_in(first)?;
    if name != NAME || size > longest.min(LONGEST_CONTENTS) {
        return Err(format!("is no bundle: it does not begin with {NAME}"));
    }
    let mut text = Vec::new();
    entry.take(size).read_to_end(&mut text).map_err(broken)?;
    Contents::from_json(&text)
}

fn unpacked(bundle: &Path, folder: &Path) -> Result<Contents, String> {
    let compressed = fs::metadata(bundle).map_err(|error| format!("cannot be read: {error}"))?.len();
    let longest = compressed.saturating_mul(MOST_TIMES).saturating_add(SLACK);
    let mut archive = open(bundle)?;
    let mut entries = archive.entries().map_err(broken)?.raw(true);
    let contents = contents(&mut entries, longest)?;
    check_size(&contents, longest, folder)?;
    let mut expected: BTreeMap<&str, &PackedFile> = contents.packed().map(|file| (file.name.as_str(), file)).collect();
    for entry in entries {
        let (name, size, entry) = file_in(entry)?;
        let file =
            expected.remove(name.as_str()).ok_or_else(|| format!("is no bundle: {name:?} is not among its {NAME}"))?;
        if size != file.size {
            return Err(broken(format!("{name} has {size} bytes, and not {}", file.size)));
        }
        write(file, entry, folder)?;
    }
    match expected.keys().next() {
        Some(name) => Err(broken(format!("{name} is missing"))),
        None => check_scenarios(&contents, folder).map(|()| contents),
    }
}

/// Sees that scenarios read nothing that is not in the bundle.
fn check_scenarios(contents: &Contents, folder: &Path) -> Result<(), String> {
    let names: BTreeSet<&str> = contents.files.iter().map(|file| file.name.as_str()).collect();
    let is_there = |path: &str| {
        let inside = format!("{path}/");
        names.contains(path) || names.range(inside.as_str()..).next().is_some_and(|next| next.starts_with(&inside))
    };
    for run in &contents.runs {
        let text =
            fs::read(folder.join(&run.scenario)).map_err(|error| broken(format!("{}: {error}", run.scenario)))?;
        let mut scenario =
            serde_json::from_slice(&text).map_err(|error| broken(format!("{}: {error}", run.scenario)))?;
        let mut elsewhere = None;
        change_paths(&mut scenario, |path| {
            elsewhere = elsewhere.take().or_else(|| (!is_there(path)).then(|| path.clone()))
        });
        if let Some(path) = elsewhere {
            return Err(format!("is no bundle: {} reads {path:?}, which is not in it", run.scenario));
        }
    }
    Ok(())
}

/// Sees that there is room for what is in it, before anything is written.
fn check_size(contents: &Contents, longest: u64, folder: &Path) -> Result<(), String> {
    let size = contents.packed().fold(0_u64, |sum, file| sum.saturating_add(file.size));
    if size > longest {
        return Err(format!("is no bundle: it tells of {size} bytes, and is too short for them"));
    }
    match fs4::available_space(folder) {
        Ok(room) if size > room => {
            let cure = "name a folder on another disk by TMPDIR";
            Err(format!("has {size} bytes in it, for which there is no room in {}: {cure}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn write(file: &PackedFile, mut content: impl Read, folder: &Path) -> Result<(), String> {
    let path = folder.join(&file.name);
    let unwritable = |error: io::Error| format!("cannot be unpacked: {}: {error}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(unwritable)?;
    let mut target = OpenOptions::new().write(true).create_new(true).open(&path).map_err(unwritable)?;
    io::copy(&mut content, &mut target).map_err(broken)?;
    let found = hash::of_file(&path).map_err(unwritable)?;
    if found != file.sha256 {
        return Err(broken(format!("{} has the SHA-256 {found}, and not {}", file.name, file.sha256)));
    }
    Ok(())
}
