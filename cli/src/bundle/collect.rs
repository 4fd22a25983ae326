//! Finds what belongs into a bundle: runs that have ended, their scenarios, and all that these read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hearth_serverless::scenario::change_paths;
use hearth_serverless::workload::TraceFormat;
use serde_json::Value;

use super::contents::{self, Contents, LONGEST_PATH, PackedFile};
use super::this_platform;
use super::write::Source;
use crate::error::CommandError;
use crate::hash::{self, hash_of};
use crate::objects::inputs::{brought, brought_trace, told};
use crate::result_folder::manifest::{self, Manifest, Output, State};
use crate::sweep::packed_runs::{self, PackedRun};

/// The name of a scenario in a bundle that has no other.
pub const SCENARIO: &str = "scenario.json";

/// A library for another platform.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtherLibrary {
    platform: String,
    path: PathBuf,
}

impl std::str::FromStr for OtherLibrary {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected PLATFORM=FILE, as in linux-aarch64=arm/libmine.so, found {text:?}");
        let (platform, path) = text.split_once('=').ok_or_else(wrong)?;
        let is_platform =
            platform.contains('-') && platform.chars().all(|it| it.is_ascii_alphanumeric() || "-_".contains(it));
        (is_platform && !path.is_empty())
            .then(|| Self { platform: platform.to_owned(), path: path.into() })
            .ok_or_else(wrong)
    }
}

/// A run that has ended, as it lies in its folder, or would.
#[derive(Debug)]
pub struct Found {
    folder: PathBuf,
    manifest: Manifest,
    scenario: Vec<u8>,
}

/// The runs in a folder: of a run, or of a sweep.
///
/// # Errors
/// When there are none, or something cannot be read.
pub fn runs_in(folder: &Path) -> Result<Vec<Found>, CommandError> {
    let read = |folder: PathBuf| {
        let scenario = folder.join(SCENARIO);
        let unreadable =
            |error: std::io::Error| CommandError::Usage(format!("{} cannot be read: {error}", scenario.display()));
        let Some(manifest) = Manifest::read(&folder)? else { return Ok(None) };
        for Output { name, sha256 } in &manifest.files {
            let path = folder.join(name);
            if sha256.as_ref() != Some(&hash_of(&path)?) {
                return Err(changed(&path));
            }
        }
        let scenario = fs::read(&scenario).map_err(unreadable)?;
        Ok(Some(Found { manifest, scenario, folder }))
    };
    if let Some(run) = read(folder.to_owned())? {
        return Ok(vec![run]);
    }
    let (folders, mut packed) = packed_runs::of(folder)?;
    let mut runs = Vec::new();
    for name in folders {
        runs.extend(read(name)?);
    }
    while let Some(PackedRun { folder, mut files }) = packed.take_next()? {
        let taken = [manifest::NAME, SCENARIO].map(|name| files.remove(name).unwrap_or_default());
        let [manifest, scenario] = taken;
        runs.push(Found { manifest: Manifest::from_json(&folder.join(manifest::NAME), &manifest)?, scenario, folder });
    }
    let none = || CommandError::Usage(format!("{}: holds no run, and no sweep with runs", folder.display()));
    if runs.is_empty() { Err(none()) } else { Ok(runs) }
}

fn changed(path: &Path) -> CommandError {
    CommandError::Usage(format!(
        "{} is not what it was when the run ended: run again what is to be packed",
        path.display()
    ))
}

/// A bundle that is being filled.
#[derive(Debug, Default)]
struct Filled {
    files: Vec<PackedFile>,
    /// Of the files that are packed, in their order.
    sources: Vec<Source>,
    /// Where what scenarios name lies in the bundle, by where it is; with the hashes that are in it.
    places: BTreeMap<PathBuf, (String, BTreeSet<String>)>,
}

/// What scenarios read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Trace,
    Library,
    Other,
}

/// What a bundle is made of: its contents, and where what is packed comes from.
///
/// # Errors
/// When something that runs have read is not there any more, or not as it was.
pub fn fill(
    runs: Vec<Found>,
    without_traces: bool,
    others: &[OtherLibrary],
) -> Result<(Contents, Vec<Source>), CommandError> {
    let (mut scenarios, mut texts, mut packed) = (Vec::new(), Vec::new(), Vec::new());
    let mut filled = Filled::default();
    let count = runs.len();
    let hearth = runs.first().map(|run| run.manifest.hearth.clone()).unwrap_or_default();
    for (number, run) in runs.into_iter().enumerate() {
        let wrong = |problem: String| CommandError::Usage(format!("{}: {problem}", run.folder.display()));
        if run.manifest.state != State::Finished {
            return Err(wrong("the run did not come to its end".to_owned()));
        }
        if run.manifest.hearth != hearth {
            return Err(wrong(format!("is of hearth {}, and others of {hearth}", run.manifest.hearth)));
        }
        let mut scenario: Value =
            serde_json::from_slice(&run.scenario).map_err(|error| wrong(format!("{SCENARIO}: {error}")))?;
        filled.take_in(&run, &mut scenario, without_traces)?;
        let text = serde_json::to_string_pretty(&scenario).unwrap_or_default() + "\n";
        let name = if count == 1 { SCENARIO.to_owned() } else { format!("scenario-{}.json", number + 1) };
        let sha256 = hash::of_bytes(text.as_bytes())?;
        scenarios.push(PackedFile { size: text.len() as u64, ..file(name.clone(), sha256) });
        texts.push(Source::Text(text));
        let Manifest { sweep, options, files, .. } = run.manifest;
        let values = sweep.map(|run| {
            let settings: Vec<String> = run.settings.iter().map(|(name, value)| format!("{name}={value} ")).collect();
            format!("{}seed={}", settings.concat(), run.seed)
        });
        let results = files.into_iter().filter(|file| file.name != SCENARIO).collect();
        packed.push(contents::PackedRun { name: values.unwrap_or_default(), scenario: name, options, results });
    }
    others.iter().try_for_each(|other| filled.add_other(other))?;
    scenarios.extend(filled.files);
    texts.extend(filled.sources);
    Ok((Contents::new(&hearth, packed, scenarios), texts))
}

fn file(name: String, sha256: String) -> PackedFile {
    PackedFile { name, size: 0, sha256, left_out: None, platform: None, stands_for: None }
}

/// The name of a file in a bundle: its own, or its end if that is very long.
fn short_name(path: &Path, room: usize) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String = name.chars().map(|letter| if "\\/:\0".contains(letter) { '_' } else { letter }).collect();
    let begin = (0..=name.len()).find(|begin| name.is_char_boundary(*begin) && name.len() - begin <= room);
    name.get(begin.unwrap_or(0)..).unwrap_or_default().to_owned()
}

impl Filled {
    /// Takes in what a run reads, and changes the paths in its scenario to those in the bundle.
    fn take_in(&mut self, run: &Found, scenario: &mut Value, without_traces: bool) -> Result<(), CommandError> {
        let text_at = |pointer: &str| scenario.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let traces: Vec<String> =
            ["path", "functions_path"].iter().filter_map(|it| text_at(&format!("/workload/trace/{it}"))).collect();
        let format = scenario.pointer("/workload/trace/format").cloned();
        let format: Option<TraceFormat> = format.and_then(|format| serde_json::from_value(format).ok());
        // In object storage a trace may be a folder; its functions are a file.
        let brought = |path: &str| match format.filter(|_| traces.first().is_some_and(|first| first == path)) {
            Some(format) => brought_trace(Path::new(path), format),
            None => brought(Path::new(path)),
        };
        let mut libraries = Vec::new();
        libraries_in(scenario.get("policies").unwrap_or(&Value::Null), &mut libraries);
        let mut read = BTreeSet::new();
        let mut outcome = Ok(());
        change_paths(scenario, |path| {
            let kind = match () {
                () if libraries.contains(path) => Kind::Library,
                () if traces.contains(path) => Kind::Trace,
                () => Kind::Other,
            };
            let found = brought(path).map(|found| run.folder.join(found));
            match found.and_then(|found| self.place(&found, kind, &run.manifest, without_traces)) {
                Ok((place, hashes)) => {
                    *path = place;
                    read.extend(hashes);
                }
                Err(error) if outcome.is_ok() => outcome = Err(error),
                Err(_) => {}
            }
        });
        outcome?;
        match run.manifest.inputs.iter().find(|input| !read.contains(&input.sha256)) {
            Some(input) => Err(changed(&input.path)),
            None => Ok(()),
        }
    }

    /// Where a file, or a folder of files, lies in the bundle, and the hashes of what is read there; it is taken in if it is not there yet.
    fn place(
        &mut self,
        path: &Path,
        kind: Kind,
        manifest: &Manifest,
        without_traces: bool,
    ) -> Result<(String, BTreeSet<String>), CommandError> {
        let path = std::path::absolute(path)?;
        if let Some(known) = self.places.get(&path) {
            return Ok(known.clone());
        }
        let folder = format!("inputs/{}", self.places.len() + 1);
        let place = format!("{folder}/{}", short_name(&path, LONGEST_PATH / 2));
        let parts: Vec<(String, PathBuf)> = if path.is_dir() {
            let names = manifest.inputs.iter().filter_map(|input| input.path.file_name());
            let inside: BTreeSet<PathBuf> = names.map(|name| path.join(name)).filter(|file| file.is_file()).collect();
            let room = LONGEST_PATH.saturating_sub(place.len() + 1);
            inside.into_iter().map(|file| (format!("{place}/{}", short_name(&file, room)), file)).collect()
        } else {
            vec![(place.clone(), path.clone())]
        };
        let mut hashes = BTreeSet::new();
        for (name, path) in parts {
            let sha256 = hash_of(&path)?;
            if manifest.inputs.iter().all(|input| input.sha256 != sha256) {
                return Err(changed(&path));
            }
            hashes.insert(sha256.clone());
            let mut file = PackedFile { size: fs::metadata(&path)?.len(), ..file(name, sha256) };
            file.platform = (kind == Kind::Library).then(this_platform);
            if kind == Kind::Trace && without_traces {
                file.left_out = Some(told(&path));
            } else {
                self.sources.push(Source::File(path));
            }
            self.files.push(file);
        }
        self.places.insert(path, (place.clone(), hashes.clone()));
        Ok((place, hashes))
    }

    /// Takes in a library that is another one's on its platform.
    fn add_other(&mut self, other: &OtherLibrary) -> Result<(), CommandError> {
        let OtherLibrary { platform, path } = other;
        let wrong =
            |problem: String| CommandError::Usage(format!("--library {platform}={}: {problem}", path.display()));
        let libraries = self.files.iter().filter(|file| file.platform.is_some() && file.stands_for.is_none());
        let names: Vec<&str> = libraries.map(|file| file.name.as_str()).collect();
        let stem = |name: &Path| {
            let stem = name.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            stem.strip_prefix("lib").map(str::to_owned).unwrap_or(stem)
        };
        let name = match names.as_slice() {
            [] => return Err(wrong("no library is read".to_owned())),
            [only] => *only,
            several => {
                let same = several.iter().find(|name| stem(Path::new(name)) == stem(path));
                let known = || wrong(format!("stands for none of {}: give it the name of one", several.join(", ")));
                *same.ok_or_else(known)?
            }
        };
        let is_there = |file: &PackedFile| {
            file.platform.as_ref() == Some(platform) && (file.name == name || file.stands_for.as_deref() == Some(name))
        };
        if self.files.iter().any(is_there) {
            return Err(wrong(format!("{name} has one for {platform} already")));
        }
        let number = self.files.len() + 1;
        let (sha256, size) = (hash_of(path)?, fs::metadata(path)?.len());
        let stands_for = Some(name.to_owned());
        let name = format!("libraries/{number}/{}", short_name(path, LONGEST_PATH / 2));
        self.files.push(PackedFile { size, platform: Some(platform.clone()), stands_for, ..file(name, sha256) });
        self.sources.push(Source::File(path.clone()));
        Ok(())
    }
}

/// All that is called `library` somewhere in a value.
fn libraries_in(value: &Value, found: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::String(path) if name == "library" => found.push(path.clone()),
            other => libraries_in(other, found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_given_with_their_platforms() {
        let library = |text: &str| text.parse::<OtherLibrary>();
        let expected = OtherLibrary { platform: "linux-aarch64".to_owned(), path: "a/lib=x.so".into() };
        assert_eq!(library("linux-aarch64=a/lib=x.so"), Ok(expected));
        for wrong in ["a.so", "linux=a.so", "linux-x86_64=", "a b-c=x"] {
            assert!(library(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn long_names_keep_their_endings() {
        assert_eq!(short_name(Path::new("a/t.csv.gz"), 50), "t.csv.gz");
        assert_eq!(short_name(Path::new(&format!("{}.csv", "ä".repeat(40))), 9), "ää.csv");
        assert_eq!(short_name(Path::new("a:b.csv"), 50), "a_b.csv");
    }
}
