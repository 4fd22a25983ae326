//! Where runs are kept: each in a folder of its own, there as soon as the run has ended and not before.
//!
//! A run is written into a folder whose name begins with a dot, and renamed when everything is on the disk. So whatever
//! ends the process, a folder without a dot holds a whole run. Its name is a hash of all that the run depends on, so a
//! sweep that is taken up again never takes a run for another, also when scenario, policies or grid have changed since.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::CommandError;
use crate::result_files::InvocationsTable;

/// The folder of the runs.
const RUNS: &str = "runs";

/// What a run was, as `run.json` says it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// The hash of all that it depends on.
    pub key: String,
    /// The value on each axis.
    pub settings: BTreeMap<String, String>,
    /// The seed.
    pub seed: u64,
    /// Which share of its invocations is written, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocations: Option<f64>,
}

/// The hash of all that a run depends on: SHA-256 in hexadecimal digits.
pub fn key_of(parts: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths keep parts apart.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// The hash of a file.
pub fn hash_of_file(path: &Path) -> Result<String, CommandError> {
    let unreadable = |error: std::io::Error| CommandError::Usage(format!("{} cannot be read: {error}", path.display()));
    let mut hash = Sha256::new();
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(unreadable)?);
    loop {
        let chunk = file.fill_buf().map_err(unreadable)?;
        if chunk.is_empty() {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(chunk);
        let length = chunk.len();
        file.consume(length);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The folder of a sweep.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Makes the folder, or takes it up again.
    ///
    /// # Errors
    /// When it cannot be made, or holds runs already and `resume` is not set.
    pub fn open(folder: &Path, resume: bool) -> Result<Self, CommandError> {
        let store = Self { folder: folder.to_owned() };
        let runs = folder.join(RUNS);
        let is_used = fs::read_dir(&runs).is_ok_and(|mut entries| entries.next().is_some());
        if is_used && !resume {
            let problem = "holds runs already: go on with --resume, or name another folder";
            return Err(store.unusable(problem.to_owned()));
        }
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
    pub fn folder_in_progress(&self, key: &str) -> PathBuf {
        self.folder.join(RUNS).join(format!(".{}", &key[..16]))
    }

    /// The summary of a run that has ended; `None` also if it did not write the invocations that are asked for.
    pub fn finished(&self, key: &str, invocations: Option<InvocationsTable>) -> Option<Value> {
        let folder = self.run_folder(key);
        let record: RunRecord = serde_json::from_slice(&fs::read(folder.join("run.json")).ok()?).ok()?;
        let summary = serde_json::from_slice(&fs::read(folder.join("summary.json")).ok()?).ok()?;
        let has_invocations = invocations.is_none_or(|InvocationsTable { format, share }| {
            let table = folder.join(format!("invocations.{}", format.extension()));
            record.invocations == Some(share) && table.is_file()
        });
        (record.key == key && has_invocations).then_some(summary)
    }

    /// A run has been written into its folder: from now on it counts.
    ///
    /// # Errors
    /// When that cannot be put on the disk.
    pub fn finish(&self, record: &RunRecord) -> Result<(), CommandError> {
        let (from, to) = (self.folder_in_progress(&record.key), self.run_folder(&record.key));
        let text = serde_json::to_string_pretty(record).unwrap_or_default();
        let keep = || -> std::io::Result<()> {
            fs::write(from.join("run.json"), text + "\n")?;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_counts_once_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), false).unwrap();
        let key = key_of(&["a".to_owned(), "b".to_owned()]);
        let in_progress = store.folder_in_progress(&key);
        fs::create_dir(&in_progress).unwrap();
        fs::write(in_progress.join("summary.json"), "{\"seed\": 3}").unwrap();
        assert_eq!(store.finished(&key, None), None);
        let record = RunRecord { key: key.clone(), settings: BTreeMap::new(), seed: 3, invocations: None };
        store.finish(&record).unwrap();
        assert_eq!(store.finished(&key, None).unwrap()["seed"], 3);
        assert!(Store::open(folder.path(), false).is_err());
        fs::create_dir(&in_progress).unwrap();
        let again = Store::open(folder.path(), true).unwrap();
        assert!(!in_progress.exists() && again.finished(&key, None).is_some());
    }

    #[test]
    fn parts_are_kept_apart() {
        let key = |parts: &[&str]| key_of(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_eq!(key(&["ab"]).len(), 64);
    }
}
