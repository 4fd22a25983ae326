//! The runs of a sweep, wherever it was run, for who has the folder alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::packed::scan::AllPacked;
use super::planned::PlannedSweep;
use super::{plan, store};
use crate::error::CommandError;
use crate::result_folder::claim;

/// Runs that workers have packed, one after the other.
#[derive(Debug)]
pub struct PackedRuns {
    folder: PathBuf,
    packed: AllPacked,
    /// The names of those that are still to come, the last first.
    left: Vec<String>,
}

/// The folder that a run would have, and its files by name.
#[derive(Debug)]
pub struct PackedRun {
    /// The folder.
    pub folder: PathBuf,
    /// The files.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The folders of the runs of a sweep that have one, in the order of their names, and its other runs.
///
/// # Errors
/// When something cannot be read, or runs of a plan are missing.
pub fn of(folder: &Path) -> Result<(Vec<PathBuf>, PackedRuns), CommandError> {
    let mut of_sweep: Option<Vec<String>> = None;
    if folder.join(plan::NAME).is_file() {
        let plan = PlannedSweep::open(folder)?;
        let status = plan.status()?;
        let (missing, runs) = (status.open + status.running, status.runs);
        if missing > 0 {
            return Err(CommandError::MissingRuns { missing, runs, folder: folder.to_owned() });
        }
        if status.failed > 0 {
            eprintln!("warning: {} of {runs} runs have failed, and are not in the bundle", status.failed);
        }
        of_sweep = Some(plan.runs().filter_map(|run| Some(run.key.get(..16)?.to_owned())).collect());
    }
    let entries = fs::read_dir(folder.join(store::RUNS)).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut in_folders: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    let packed = AllPacked::read(folder)?;
    let mut left: Vec<String> = packed.names().map(str::to_owned).collect();
    in_folders.sort_unstable();
    left.sort_unstable_by(|one, other| other.cmp(one));
    if of_sweep.is_none() && folder.join(claim::SWEEP).is_file() {
        of_sweep = Some(runs_of(folder, &in_folders, &left)?);
    }
    if let Some(of_sweep) = &mut of_sweep {
        // What an earlier sweep has left in the folder is none of it.
        of_sweep.sort_unstable();
        [&mut in_folders, &mut left]
            .into_iter()
            .for_each(|names| names.retain(|name| of_sweep.binary_search(name).is_ok()));
    }
    left.retain(|name| in_folders.binary_search(name).is_err());
    let runs = folder.join(store::RUNS);
    let folders = in_folders.iter().map(|name| runs.join(name)).collect();
    Ok((folders, PackedRuns { folder: runs, packed, left }))
}

/// The names of the runs of a sweep without a plan, all of which are there.
fn runs_of(folder: &Path, in_folders: &[String], packed: &[String]) -> Result<Vec<String>, CommandError> {
    let path = folder.join(claim::SWEEP);
    let wrong = |problem: String| CommandError::Usage(format!("{}: {problem}", path.display()));
    let text = fs::read(&path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let about: Value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    let names =
        about["runs"].as_array().ok_or_else(|| wrong("is not what Hearth writes: it has no runs".to_owned()))?;
    let names: Vec<String> = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    let there: BTreeSet<&str> = in_folders.iter().chain(packed).map(String::as_str).collect();
    let is_there = |name: &&String| there.contains(name.as_str());
    let missing = names.len() - names.iter().filter(is_there).count();
    if missing > 0 {
        let cure = "go on with the same command and --resume, or leave out what fails";
        let missing = format!("{missing} of {} runs of the sweep are missing", names.len());
        return Err(CommandError::Usage(format!("{}: {missing}: {cure}", folder.display())));
    }
    Ok(names)
}

impl PackedRuns {
    /// The next run.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn take_next(&mut self) -> Result<Option<PackedRun>, CommandError> {
        let Some(name) = self.left.pop() else { return Ok(None) };
        let files = self.packed.files(&name)?.unwrap_or_default();
        Ok(Some(PackedRun { folder: self.folder.join(name), files }))
    }
}
