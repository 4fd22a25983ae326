//! Where runs are kept: each in a folder of its own, there as soon as the run has ended and not before.
//!
//! A run is written into a folder whose name begins with a dot, and renamed when everything is on the disk. So whatever
//! ends the process, a folder without a dot holds a whole run. Its name is a hash of all that the run depends on, so a
//! sweep that is taken up again never takes a run for another, also when scenario, policies or grid have changed since.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::CommandError;
use crate::result_folder::claim;
use crate::result_folder::lock::FolderLock;
use crate::result_folder::manifest::{Manifest, Options, State};

/// The folder of the runs.
const RUNS: &str = "runs";

/// The folder of a sweep.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// Nobody else writes there meanwhile.
    _lock: FolderLock,
}

impl Store {
    /// Makes the folder, or takes it up again.
    ///
    /// # Errors
    /// When it cannot be made, holds runs already and `resume` is not set, or another process writes there.
    pub fn open(folder: &Path, resume: bool) -> Result<Self, CommandError> {
        let runs = folder.join(RUNS);
        let store = Self { folder: folder.to_owned(), _lock: claim::for_sweep(folder, &runs, resume)? };
        fs::create_dir_all(&runs).map_err(|error| store.unusable(format!("the folder cannot be made: {error}")))?;
        store.sweep_away_unfinished(&runs)?;
        Ok(store)
    }

    fn unusable(&self, problem: String) -> CommandError {
        CommandError::OutputFolder { folder: self.folder.clone(), problem }
    }

    /// What was being written when the process ended.
    fn sweep_away_unfinished(&self, runs: &Path) -> Result<(), CommandError> {
        let unusable = |error: std::io::Error| self.unusable(error.to_string());
        for entry in fs::read_dir(runs).map_err(unusable)? {
            let entry = entry.map_err(unusable)?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                fs::remove_dir_all(entry.path()).map_err(unusable)?;
            }
        }
        Ok(())
    }

    /// The folder of the whole.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn run_folder(&self, key: &str) -> PathBuf {
        self.folder.join(RUNS).join(&key[..16])
    }

    /// The folder into which a run is to be written.
    fn path_in_progress(&self, key: &str) -> PathBuf {
        self.folder.join(RUNS).join(format!(".{}", &key[..16]))
    }

    /// Makes the folder into which a run is to be written.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn folder_in_progress(&self, key: &str) -> Result<PathBuf, CommandError> {
        let folder = self.path_in_progress(key);
        let made = fs::create_dir_all(&folder);
        made.map_err(|error| CommandError::Result { file: folder.clone(), problem: error.to_string() })?;
        Ok(folder)
    }

    /// The summary of a run that has ended; `None` also if it did not write a table or time series that is asked for.
    pub fn finished(&self, key: &str, options: &Options) -> Option<Value> {
        let folder = self.run_folder(key);
        let manifest = Manifest::read(&folder).ok().flatten()?;
        let summary = serde_json::from_slice(&fs::read(folder.join("summary.json")).ok()?).ok()?;
        let is_it = manifest.sweep.is_some_and(|record| record.key == key);
        let Options { invocations, time_series, .. } = manifest.options;
        let has_all = (options.invocations.is_none() || options.invocations == invocations)
            && (options.time_series.is_none() || options.time_series == time_series);
        (manifest.state == State::Finished && is_it && has_all).then_some(summary)
    }

    /// A run has been written into its folder: from now on it counts.
    ///
    /// # Errors
    /// When that cannot be put on the disk.
    pub fn finish(&self, key: &str) -> Result<(), CommandError> {
        let (from, to) = (self.path_in_progress(key), self.run_folder(key));
        let keep = || -> std::io::Result<()> {
            for entry in fs::read_dir(&from)? {
                File::open(entry?.path())?.sync_all()?;
            }
            if to.exists() {
                fs::remove_dir_all(&to)?;
            }
            fs::rename(&from, &to)?;
            File::open(self.folder.join(RUNS))?.sync_all()
        };
        keep().map_err(|error| CommandError::Result { file: to.clone(), problem: error.to_string() })
    }

    /// Writes a file beside the runs, the whole or nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), CommandError> {
        let (path, temporary) = (self.folder.join(name), self.folder.join(format!(".{name}")));
        let written = fs::write(&temporary, content).and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|error| CommandError::Result { file: path, problem: error.to_string() })
    }

    /// Removes a file beside the runs that another sweep has written in this folder before.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), CommandError> {
        let path = self.folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(CommandError::Result { file: path, problem: error.to_string() })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::hash;
    use crate::output_choice::Intervals;
    use crate::result_folder::manifest::RunRecord;

    #[test]
    fn a_run_counts_once_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), false).unwrap();
        let key = hash::of_parts(&["a".to_owned(), "b".to_owned()]);
        let in_progress = store.folder_in_progress(&key).unwrap();
        fs::write(in_progress.join("summary.json"), "{\"seed\": 3}").unwrap();
        let options = Options { invocations: None, time_series: None, timeline: None, policy_timeout_s: 0.0 };
        let record = RunRecord { key: key.clone(), settings: BTreeMap::new(), seed: 3 };
        let mut manifest = Manifest::new(options.clone(), Some(record));
        manifest.state = State::Finished;
        manifest.write(&in_progress).unwrap();
        assert_eq!(store.finished(&key, &options), None);
        store.finish(&key).unwrap();
        assert_eq!(store.finished(&key, &options).unwrap()["seed"], 3);
        let with_series = Options { time_series: Some(Intervals::DEFAULT), ..options.clone() };
        assert_eq!(store.finished(&key, &with_series), None);
        assert!(Store::open(folder.path(), true).is_err(), "it is open");
        drop(store);
        assert!(Store::open(folder.path(), false).is_err(), "it holds runs");
        fs::create_dir(&in_progress).unwrap();
        let again = Store::open(folder.path(), true).unwrap();
        assert!(!in_progress.exists() && again.finished(&key, &options).is_some());
    }
}
