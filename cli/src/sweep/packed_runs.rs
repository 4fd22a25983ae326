//! The runs of a sweep, wherever it was run, for who has the folder alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::packed::scan::AllPacked;
use super::planned::PlannedSweep;
use super::{plan, store};
use crate::error::CommandError;

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
    let mut planned: Option<Vec<String>> = None;
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
        planned = Some(plan.runs().filter_map(|run| Some(run.key.get(..16)?.to_owned())).collect());
    }
    let entries = fs::read_dir(folder.join(store::RUNS)).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut in_folders: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    let packed = AllPacked::read(folder)?;
    let mut left: Vec<String> = packed.names().map(str::to_owned).collect();
    if let Some(planned) = &mut planned {
        planned.sort_unstable();
        [&mut in_folders, &mut left]
            .into_iter()
            .for_each(|names| names.retain(|name| planned.binary_search(name).is_ok()));
    }
    in_folders.sort_unstable();
    left.retain(|name| in_folders.binary_search(name).is_err());
    left.sort_unstable_by(|one, other| other.cmp(one));
    let runs = folder.join(store::RUNS);
    let folders = in_folders.iter().map(|name| runs.join(name)).collect();
    Ok((folders, PackedRuns { folder: runs, packed, left }))
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
