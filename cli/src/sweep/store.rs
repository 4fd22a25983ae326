//! Where runs are kept: each in a folder of its own, there as soon as the run has ended and not before.
//!
//! A run is written into a folder whose name begins with a dot, and renamed when everything is on the disk. So whatever
//! ends the process, a folder without a dot holds a whole run. Its name is a hash of all that the run depends on, so a
//! sweep that is taken up again never takes a run for another, also when scenario, policies or grid have changed since.
//! Of a plan, workers keep their runs elsewhere ([`super::packed`]); what is unpacked comes here, by any number of processes at
//! once: each into folders of its own, and the first that is renamed stays.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{packed, plan};
use crate::error::CommandError;
use crate::result_folder::claim;
use crate::result_folder::lock::FolderLock;
use crate::result_folder::manifest::{Manifest, Options, State};

/// The folder of the runs.
pub const RUNS: &str = "runs";

/// The folder of a sweep.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// What it is called where that is not the same.
    name: Option<PathBuf>,
    /// Nobody else writes there meanwhile; of a plan, everybody writes there whose runs they are.
    _lock: Option<FolderLock>,
}

/// Whether a manifest is that of the run with this key, which came to its end and wrote all that is asked for.
pub fn has_ended(manifest: &Manifest, key: &str, options: &Options) -> bool {
    let is_it = manifest.sweep.as_ref().is_some_and(|record| record.key == key);
    let Options { invocations, time_series, .. } = &manifest.options;
    let has_all = (options.invocations.is_none() || options.invocations == *invocations)
        && (options.time_series.is_none() || options.time_series == *time_series);
    manifest.state == State::Finished && is_it && has_all
}

impl Store {
    /// Makes the folder, or takes it up again.
    ///
    /// # Errors
    /// When it cannot be made, holds runs already and `resume` is not set, or another process writes there.
    pub fn open(folder: &Path, resume: bool) -> Result<Self, CommandError> {
        if folder.join(plan::NAME).exists() {
            let problem = "holds a plan: go on with `hearth sweep work`, or name another folder".to_owned();
            return Err(CommandError::OutputFolder { folder: folder.to_owned(), problem });
        }
        let store = Self::make(folder, resume)?;
        store.make_room_for_runs()?;
        Ok(store)
    }

    /// Makes the folder for a plan, or takes one up again, with the runs that are there.
    ///
    /// # Errors
    /// When it cannot be made, holds a plan or runs already and `resume` is not set, or another process writes there.
    pub fn open_for_plan(folder: &Path, resume: bool) -> Result<Self, CommandError> {
        if folder.join(plan::NAME).exists() && !resume {
            let problem = "holds a plan already: replace it with --resume, or name another folder".to_owned();
            return Err(CommandError::OutputFolder { folder: folder.to_owned(), problem });
        }
        Self::make(folder, resume)
    }

    fn make(folder: &Path, resume: bool) -> Result<Self, CommandError> {
        let of_runs = [RUNS, packed::FOLDER].map(|name| folder.join(name));
        Ok(Self { folder: folder.to_owned(), name: None, _lock: Some(claim::for_sweep(folder, &of_runs, resume)?) })
    }

    /// The folder of a plan, in which others are at work, too.
    pub fn shared(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), name: None, _lock: None }
    }

    /// The folder of a plan, in which others may be at work, but nobody else writes tables.
    ///
    /// # Errors
    /// When another process does.
    pub fn for_tables(folder: &Path) -> Result<Self, CommandError> {
        Ok(Self { folder: folder.to_owned(), name: None, _lock: Some(FolderLock::take(folder)?) })
    }

    fn unusable(&self, problem: String) -> CommandError {
        CommandError::OutputFolder { folder: self.folder.clone(), problem }
    }

    /// Makes the folder of the runs, or removes from it what was being written when processes ended.
    ///
    /// # Errors
    /// When it cannot be made or emptied.
    pub fn make_room_for_runs(&self) -> Result<(), CommandError> {
        let runs = self.folder.join(RUNS);
        fs::create_dir_all(&runs).map_err(|error| self.unusable(format!("the folder cannot be made: {error}")))?;
        let unusable = |error: io::Error| self.unusable(error.to_string());
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

    /// The same, of which people are told by another name.
    pub fn called(self, name: &Path) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// What it is called.
    pub fn name(&self) -> &Path {
        self.name.as_deref().unwrap_or(&self.folder)
    }

    /// The folder of a run.
    pub fn run_folder(&self, key: &str) -> PathBuf {
        self.folder.join(RUNS).join(&key[..16])
    }

    /// Makes a folder into which a run is to be written.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn begin(&self, key: &str) -> Result<PathBuf, CommandError> {
        let runs = self.folder.join(RUNS);
        let name = format!(".{}", &key[..16]);
        // Others may be at the same run: whoever makes a folder of a name has it for itself.
        for number in 1_u64.. {
            let folder = runs.join(format!("{name}-{number}"));
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(folder),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(CommandError::Result { file: folder, problem: error.to_string() }),
            }
        }
        Err(self.unusable("there is no name left for a folder in it".to_owned()))
    }

    /// The manifest of a run that has ended; `None` also if it did not write a table or time series that is asked for.
    pub fn manifest(&self, key: &str, options: &Options) -> Option<Manifest> {
        let manifest = Manifest::read(&self.run_folder(key)).ok().flatten()?;
        has_ended(&manifest, key, options).then_some(manifest)
    }

    /// The summary of a run that has ended; `None` also if it did not write a table or time series that is asked for.
    pub fn finished(&self, key: &str, options: &Options) -> Option<Value> {
        self.manifest(key, options)?;
        serde_json::from_slice(&fs::read(self.run_folder(key).join("summary.json")).ok()?).ok()
    }

    /// A run has been written into the folder `from`: from now on it counts. If another process has finished the same run
    /// meanwhile, that one stays.
    ///
    /// # Errors
    /// When that cannot be put on the disk.
    pub fn finish(&self, key: &str, from: &Path, options: &Options) -> Result<(), CommandError> {
        let to = self.run_folder(key);
        let keep = || -> io::Result<()> {
            for entry in fs::read_dir(from)? {
                File::open(entry?.path())?.sync_all()?;
            }
            if self.manifest(key, options).is_some() {
                return fs::remove_dir_all(from);
            }
            // A folder is not replaced while something is in it: what came there first stays.
            while let Err(error) = fs::rename(from, &to) {
                if !to.exists() {
                    return Err(error);
                }
                if self.manifest(key, options).is_some() {
                    return fs::remove_dir_all(from);
                }
                // A run that lacks a table that is asked for now.
                let aside = from.with_extension("before");
                match fs::rename(&to, &aside) {
                    // Somebody else has just put it aside.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    moved => moved.and_then(|()| fs::remove_dir_all(&aside))?,
                }
            }
            File::open(self.folder.join(RUNS))?.sync_all()
        };
        keep().map_err(|error| CommandError::Result { file: to.clone(), problem: error.to_string() })
    }

    /// Writes a file beside the runs, the whole or nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), CommandError> {
        self.write_with(name, |file| Ok(file.write_all(content)?))
    }

    /// The same, by somebody who writes it bit by bit.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_with(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> Result<(), CommandError>,
    ) -> Result<(), CommandError> {
        let (path, temporary) = (self.folder.join(name), self.folder.join(format!(".{name}")));
        let unwritable = |error: io::Error| CommandError::Result { file: path.clone(), problem: error.to_string() };
        let mut file = BufWriter::new(File::create(&temporary).map_err(unwritable)?);
        write(&mut file)?;
        file.flush().and_then(|()| fs::rename(&temporary, &path)).map_err(unwritable)
    }

    /// Removes a file beside the runs that another sweep has written in this folder before.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), CommandError> {
        let path = self.folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
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
        let in_progress = store.begin(&key).unwrap();
        fs::write(in_progress.join("summary.json"), "{\"seed\": 3}").unwrap();
        let options = Options::default();
        let record = RunRecord { key: key.clone(), settings: BTreeMap::new(), seed: 3 };
        let mut manifest = Manifest::new(options.clone(), Some(record));
        manifest.state = State::Finished;
        manifest.write(&in_progress).unwrap();
        assert_eq!(store.finished(&key, &options), None);
        store.finish(&key, &in_progress, &options).unwrap();
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
