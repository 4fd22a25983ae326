//! Appends runs to the file of one worker.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::record::Record;
use super::{ENDING, FOLDER};
use crate::error::CommandError;
use crate::result_folder::lock::host;

/// What a machine that loses its power may take with it.
pub const SYNCHRONISED_EVERY: Duration = Duration::from_secs(1);

/// The file of a worker, which nobody else writes.
#[derive(Debug)]
struct Target {
    file: File,
    path: PathBuf,
    length: u64,
    /// So much of it is on the disk, whatever happens.
    safe: u64,
    synchronised: Instant,
}

impl Target {
    /// Makes a file that nobody has.
    fn make(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (host, process) = (host().unwrap_or_default(), std::process::id());
        let host: String = host.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
        for number in 1_u64.. {
            let path = folder.join(format!("{host}-{process}-{number}{ENDING}"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    File::open(folder)?.sync_all()?;
                    return Ok(Self { file, path, length: 0, safe: 0, synchronised: Instant::now() });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    fn synchronise(&mut self) -> io::Result<()> {
        if self.safe < self.length {
            self.file.sync_data()?;
            self.safe = self.length;
        }
        self.synchronised = Instant::now();
        Ok(())
    }

    fn append(&mut self, record: &mut Record) -> io::Result<()> {
        record.append_to(&mut self.file, self.safe)?;
        self.length += record.length();
        if self.synchronised.elapsed() >= SYNCHRONISED_EVERY { self.synchronise() } else { Ok(()) }
    }
}

/// Appends runs to a file that this process alone writes; it is made when there is something to append.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    target: Mutex<Option<Target>>,
}

impl Writer {
    /// Of a worker on the plan in a folder.
    pub fn new(plan: &Path) -> Self {
        Self { folder: plan.join(FOLDER), target: Mutex::new(None) }
    }

    fn locked(&self) -> MutexGuard<'_, Option<Target>> {
        self.target.lock().unwrap_or_else(|poisoned| {
            let mut target = poisoned.into_inner();
            // After a panic in between the file is as after a kill: no more is appended to it.
            *target = None;
            target
        })
    }

    fn unwritable(&self, target: Option<&Target>, error: &io::Error) -> CommandError {
        let file = target.map_or(&self.folder, |target| &target.path).clone();
        CommandError::Result { file, problem: error.to_string() }
    }

    /// Appends a run: from now on it counts, also if this process is killed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&self, record: &mut Record) -> Result<(), CommandError> {
        let mut opened = self.locked();
        let mut target = match opened.take() {
            Some(target) => target,
            None => Target::make(&self.folder).map_err(|error| self.unwritable(None, &error))?,
        };
        match target.append(record) {
            Ok(()) => {
                *opened = Some(target);
                Ok(())
            }
            Err(error) => {
                // Part of it may stand there: nothing must follow it.
                let _ = target.file.set_len(target.length).and_then(|()| target.file.seek(SeekFrom::End(0)));
                Err(self.unwritable(Some(&target), &error))
            }
        }
    }

    /// Sees that all that was appended is on the disk, and for other machines to see.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn synchronise(&self) -> Result<(), CommandError> {
        let mut opened = self.locked();
        let Some(target) = opened.as_mut() else { return Ok(()) };
        target.synchronise().map_err(|error| self.unwritable(opened.as_ref(), &error))
    }
}
