//! Where the files of a run are written: into a folder, or into memory until somebody takes them from there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::SpooledTempFile;

use crate::hash;

/// A file beyond this is held in a temporary file of the system instead, one without a name.
const MOST_IN_MEMORY: usize = 1 << 20;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the locks here is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file without a place on the disk.
#[derive(Clone, Debug)]
pub struct HeldFile(Arc<Mutex<SpooledTempFile>>);

impl HeldFile {
    /// An empty one.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(SpooledTempFile::new(MOST_IN_MEMORY))))
    }

    /// One with this in it.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn of(bytes: &[u8]) -> io::Result<Self> {
        let mut file = Self::new();
        file.write_all(bytes)?;
        Ok(file)
    }

    /// Passes its length and what is in it on.
    ///
    /// # Errors
    /// When it cannot be read, or `read` fails.
    pub fn read<T>(&self, read: impl FnOnce(u64, &mut dyn Read) -> io::Result<T>) -> io::Result<T> {
        let mut file = locked(&self.0);
        let length = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        read(length, &mut *file)
    }
}

impl Write for HeldFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        locked(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        locked(&self.0).flush()
    }
}

/// Where the files of a run are written.
#[derive(Clone, Debug)]
pub enum Place {
    /// Into this folder.
    Folder(PathBuf),
    /// Into memory, by name. The folder is what they are called by in messages.
    Memory(PathBuf, Arc<Mutex<BTreeMap<String, HeldFile>>>),
}

impl Place {
    /// Memory, for what would be in a folder.
    pub fn in_memory(folder: PathBuf) -> Self {
        Self::Memory(folder, Arc::default())
    }

    /// The folder, for messages.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Folder(folder) | Self::Memory(folder, _) => folder,
        }
    }

    /// Makes a file, in the place of one that there was.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(&self, name: &str) -> io::Result<Box<dyn Write + Send>> {
        match self {
            Self::Folder(folder) => Ok(Box::new(File::create(folder.join(name))?)),
            Self::Memory(_, files) => {
                let file = HeldFile::new();
                locked(files).insert(name.to_owned(), file.clone());
                Ok(Box::new(file))
            }
        }
    }

    /// The hash of a file that is there, in hexadecimal digits.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn hash(&self, name: &str) -> io::Result<String> {
        match self {
            Self::Folder(folder) => hash::of_file(&folder.join(name)),
            Self::Memory(_, files) => {
                let file = locked(files).get(name).cloned().ok_or(io::ErrorKind::NotFound)?;
                file.read(|_, reader| hash::of_bytes(reader))
            }
        }
    }

    /// Takes the files out of memory.
    pub fn take(&self) -> BTreeMap<String, HeldFile> {
        match self {
            Self::Folder(_) => BTreeMap::new(),
            Self::Memory(_, files) => std::mem::take(&mut *locked(files)),
        }
    }
}
