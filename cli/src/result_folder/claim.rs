//! Whose a folder is. A run or a sweep takes one that is empty of results, or, if it is told to, one whose results are a
//! run's by its manifest; what it does not know is left where it is.

use std::fs;
use std::path::{Path, PathBuf};

use super::lock::FolderLock;
use super::manifest::{self, Manifest};
use crate::error::CommandError;
use crate::noted::POLICY_LOG;

/// What a run writes, beside what has the name it was given.
pub const OF_A_RUN: [&str; 16] = [
    manifest::NAME,
    "scenario.json",
    "summary.json",
    "functions.csv",
    "distributions.csv",
    "timeseries.csv",
    "attempts.csv",
    "instances.csv",
    "nodes.csv",
    "workflows.csv",
    "invocations.csv",
    "invocations.parquet",
    "causes.csv",
    "causes.parquet",
    "cause_totals.csv",
    POLICY_LOG,
];

/// What says that a folder is a sweep's.
pub const SWEEP: &str = "sweep.json";

/// What a sweep writes beside its runs.
const OF_A_SWEEP: [&str; 4] = ["results.csv", "results.parquet", "comparison.csv", "comparison.parquet"];

fn unusable(folder: &Path, problem: impl Into<String>) -> CommandError {
    CommandError::OutputFolder { folder: folder.to_owned(), problem: problem.into() }
}

fn lock(folder: &Path) -> Result<FolderLock, CommandError> {
    let made = fs::create_dir_all(folder);
    made.map_err(|error| unusable(folder, format!("the folder cannot be made: {error}")))?;
    FolderLock::take(folder)
}

/// Takes a folder, which is made if need be, for a run that reads `inputs` and writes files of these names there beside the tables;
/// with `overwrite` the files of the run that is there are removed, and no other.
///
/// # Errors
/// When somebody writes there, it holds a run already, or something of unknown origin would have to be replaced.
pub fn for_run(folder: &Path, overwrite: bool, inputs: &[PathBuf], named: &[&str]) -> Result<FolderLock, CommandError> {
    let lock = lock(folder)?;
    if folder.join(SWEEP).exists() {
        return Err(unusable(folder, "holds a sweep: name another folder"));
    }
    let before = match Manifest::read(folder).map_err(|error| unusable(folder, error.to_string()))? {
        Some(_) if !overwrite => {
            let cure = "replace it with --overwrite, or name another folder";
            return Err(unusable(folder, format!("holds a run already: {cure}")));
        }
        before => before,
    };
    let owned: Vec<&str> = before.iter().flat_map(Manifest::all_files).chain([manifest::NAME]).collect();
    for name in OF_A_RUN.iter().chain(named).copied().filter(|name| !owned.contains(name)) {
        if folder.join(name).exists() {
            let cure = "move it away, or name another folder";
            return Err(unusable(folder, format!("holds {name}, which is not of a run that is there: {cure}")));
        }
    }
    // The scenario itself has been read to its end, and is written again.
    for name in owned.iter().filter(|name| **name != "scenario.json") {
        if inputs.iter().any(|input| is_same(input, &folder.join(name))) {
            return Err(unusable(folder, format!("holds {name}, which the scenario reads: name another folder")));
        }
    }
    owned.iter().filter(|name| **name != manifest::NAME).try_for_each(|name| remove(folder, name))?;
    Ok(lock)
}

/// Whether two paths lead to one file.
pub fn is_same(one: &Path, other: &Path) -> bool {
    fs::canonicalize(one).ok().zip(fs::canonicalize(other).ok()).is_some_and(|(one, other)| one == other)
}

fn remove(folder: &Path, name: &str) -> Result<(), CommandError> {
    let path = folder.join(name);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(unusable(folder, format!("{name} cannot be removed: {error}")));
        }
        _ => {}
    }
    // A folder of pictures goes with the last of them; one with something else stays.
    if let Some(parent) = path.parent().filter(|parent| *parent != folder) {
        let _ = fs::remove_dir(parent);
    }
    Ok(())
}

/// Takes a folder, which is made if need be, for a sweep, or takes it up again with `resume`. `runs` are the folders in which
/// runs of a sweep can be.
///
/// # Errors
/// When somebody writes there, it holds runs already, or something of unknown origin would have to be replaced.
pub fn for_sweep(folder: &Path, runs: &[PathBuf], resume: bool) -> Result<FolderLock, CommandError> {
    let lock = lock(folder)?;
    if folder.join(manifest::NAME).exists() {
        return Err(unusable(folder, "holds a run: name another folder"));
    }
    let is_used = runs.iter().any(|runs| fs::read_dir(runs).is_ok_and(|mut entries| entries.next().is_some()));
    if is_used && !resume {
        return Err(unusable(folder, "holds runs already: go on with --resume, or name another folder"));
    }
    let unknown = OF_A_SWEEP.iter().find(|name| folder.join(name).exists());
    if let Some(name) = unknown.filter(|_| !folder.join(SWEEP).exists()) {
        let cure = "move it away, or name another folder";
        return Err(unusable(folder, format!("holds {name}, which is not of a sweep that is there: {cure}")));
    }
    Ok(lock)
}
