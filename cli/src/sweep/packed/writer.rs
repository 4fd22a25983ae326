//! Appends runs to the file of one worker.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::record::Record;
use super::{ENDING, FOLDER};
use crate::error::CommandError;
use crate::objects::location::LocalCopy;
use crate::result_folder::lock::host;

/// What a machine that loses its power may take with it.
pub const SYNCHRONISED_EVERY: Duration = Duration::from_secs(1);

/// A file that is handed over as a whole, again and again while it grows, is not longer by much.
const LONGEST_HANDED_OVER: u64 = 4 << 20;

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
    /// Makes a file that nobody has; `apart` keeps it apart from those in copies of the folder.
    fn make(folder: &Path, apart: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (host, process) = (host().unwrap_or_default(), std::process::id());
        let host: String = host.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
        for number in 1_u64.. {
            let path = folder.join(format!("{host}-{process}-{apart}{number}{ENDING}"));
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
    /// Where the plan lies in object storage, what its files are handed over to.
    beyond: Option<Beyond>,
}

/// The way of files into object storage.
#[derive(Debug)]
struct Beyond {
    copy: Arc<LocalCopy>,
    /// No other process has drawn it.
    apart: String,
    /// How much of each file is whole, and how much of it has been handed over.
    files: Mutex<Vec<Handed>>,
    /// One hands over at a time.
    turn: Mutex<()>,
}

/// How far a file has been handed over.
#[derive(Clone, Debug)]
struct Handed {
    path: PathBuf,
    length: u64,
    handed_over: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the locks here is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Beyond {
    fn new(copy: &Arc<LocalCopy>) -> Self {
        use std::hash::{BuildHasher, Hasher};
        // Processes in containers share names and numbers; the standard library draws these from the system.
        let drawn = std::collections::hash_map::RandomState::new().build_hasher().finish();
        Self {
            copy: Arc::clone(copy),
            apart: format!("{drawn:016x}-"),
            files: Mutex::default(),
            turn: Mutex::default(),
        }
    }

    /// So much of a file is whole runs.
    fn note(&self, path: &Path, length: u64) {
        let mut files = lock(&self.files);
        match files.iter_mut().find(|file| file.path == path) {
            Some(file) => file.length = length,
            None => files.push(Handed { path: path.to_owned(), length, handed_over: 0 }),
        }
    }

    /// Hands over what has not been yet. Nobody waits for that to append.
    fn hand_over(&self) -> Result<(), CommandError> {
        let _turn = lock(&self.turn);
        let files = lock(&self.files).clone();
        for Handed { path, length, .. } in files.into_iter().filter(|file| file.handed_over < file.length) {
            self.copy.hand_over(&path, length)?;
            lock(&self.files).iter_mut().filter(|file| file.path == path).for_each(|file| file.handed_over = length);
        }
        Ok(())
    }
}

impl Writer {
    /// Of a worker on the plan in a folder, which is that of a copy if the plan lies in object storage.
    pub fn new(plan: &Path, copy: Option<&Arc<LocalCopy>>) -> Self {
        Self { folder: plan.join(FOLDER), target: Mutex::new(None), beyond: copy.map(Beyond::new) }
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

    /// Appends a run: from now on it counts, also if this process is killed. In object storage it counts once it is synchronised.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&self, record: &mut Record) -> Result<(), CommandError> {
        let mut opened = self.locked();
        let mut target = match opened.take() {
            Some(target) => target,
            None => {
                let apart = self.beyond.as_ref().map_or("", |beyond| &beyond.apart);
                Target::make(&self.folder, apart).map_err(|error| self.unwritable(None, &error))?
            }
        };
        match target.append(record) {
            Ok(()) => {
                if let Some(beyond) = &self.beyond {
                    beyond.note(&target.path, target.length);
                }
                if self.beyond.is_none() || target.length < LONGEST_HANDED_OVER {
                    *opened = Some(target);
                }
                Ok(())
            }
            Err(error) => {
                // Part of it may stand there: nothing must follow it.
                let _ = target.file.set_len(target.length).and_then(|()| target.file.seek(SeekFrom::End(0)));
                Err(self.unwritable(Some(&target), &error))
            }
        }
    }

    /// The files of which something is whole and has not been handed over.
    pub fn left(&self) -> Vec<PathBuf> {
        let files = self.beyond.as_ref().map(|beyond| lock(&beyond.files).clone()).unwrap_or_default();
        files.into_iter().filter(|file| file.handed_over < file.length).map(|file| file.path).collect()
    }

    /// Sees that all that was appended is on the disk, and for other machines to see.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn synchronise(&self) -> Result<(), CommandError> {
        if let Some(beyond) = &self.beyond {
            return beyond.hand_over();
        }
        let mut opened = self.locked();
        let Some(target) = opened.as_mut() else { return Ok(()) };
        target.synchronise().map_err(|error| self.unwritable(opened.as_ref(), &error))
    }
}
