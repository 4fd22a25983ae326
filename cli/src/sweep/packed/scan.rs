//! What stands in the files of all workers, also while they append to them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use super::record::{self, Found};
use super::{ENDING, FOLDER};
use crate::error::CommandError;
use crate::result_folder::manifest;

/// Where a record begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    file: u32,
    at: u64,
}

#[derive(Debug)]
struct Scanned {
    path: PathBuf,
    /// Up to here all records are known.
    end: u64,
}

/// The files of workers, as far as they have been read.
#[derive(Debug)]
pub struct Scan {
    folder: PathBuf,
    files: Vec<Scanned>,
}

impl Scan {
    /// Of the plan in a folder; nothing is read yet.
    pub fn new(plan: &Path) -> Self {
        Self { folder: plan.join(FOLDER), files: Vec::new() }
    }

    /// Passes on what workers have appended since the last time, in the order of the names of their files.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn go_on(
        &mut self,
        mut note: impl FnMut(Place, Found) -> Result<(), CommandError>,
    ) -> Result<(), CommandError> {
        let unreadable =
            |path: &Path, error: io::Error| CommandError::Usage(format!("{}: cannot be read: {error}", path.display()));
        let mut new = match fs::read_dir(&self.folder) {
            Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|error| unreadable(&self.folder, error))?;
        let is_ours = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING));
        let known: std::collections::BTreeSet<&Path> = self.files.iter().map(|file| file.path.as_path()).collect();
        new.retain(|path| is_ours(path) && !known.contains(path.as_path()));
        new.sort();
        self.files.extend(new.into_iter().map(|path| Scanned { path, end: 0 }));
        for (number, scanned) in self.files.iter_mut().enumerate() {
            let path = &scanned.path;
            let unreadable = |error: io::Error| unreadable(path, error);
            let mut opened = Opened::new(path, scanned.end).map_err(unreadable)?;
            while let Some((at, found)) = opened.next().map_err(unreadable)? {
                scanned.end = at.saturating_add(found.head.length());
                note(Place { file: number as u32, at }, found)?;
            }
        }
        Ok(())
    }

    /// The file of a worker, and how much of it is known, which holds the record of this place.
    fn open(&self, place: Place) -> io::Result<(BufReader<File>, u64)> {
        let scanned = self.files.get(place.file as usize).ok_or(ErrorKind::NotFound)?;
        Ok((BufReader::new(File::open(&scanned.path)?), scanned.end))
    }

    fn damaged(&self, place: Place, error: &io::Error) -> CommandError {
        let path = self.files.get(place.file as usize).map_or(&self.folder, |scanned| &scanned.path);
        let cure = "remove the file, and do its runs again with `hearth sweep work`";
        CommandError::Usage(format!("{}: a run in it cannot be read any more ({error}): {cure}", path.display()))
    }

    /// What tables are made of, of the record of this place.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_first(&self, place: Place) -> Result<BTreeMap<String, Vec<u8>>, CommandError> {
        let read = || {
            let (mut file, end) = self.open(place)?;
            let found = record::find(&mut file, place.at, end)?;
            Ok(found.ok_or(ErrorKind::InvalidData)?.files)
        };
        read().map_err(|error| self.damaged(place, &error))
    }

    /// All files of the record of this place, by name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_all(&self, place: Place) -> Result<BTreeMap<String, Vec<u8>>, CommandError> {
        let read = || {
            let (mut file, end) = self.open(place)?;
            record::read_all(&mut file, place.at, end)
        };
        read().map_err(|error| self.damaged(place, &error))
    }
}

/// All runs that have been packed in a folder, for who has no plan.
#[derive(Debug)]
pub struct AllPacked {
    scan: Scan,
    /// By the names of their folders.
    places: BTreeMap<String, Place>,
}

impl AllPacked {
    /// Those in the folder of a plan; none if it has no plan.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn read(plan: &Path) -> Result<Self, CommandError> {
        let (mut scan, mut places) = (Scan::new(plan), BTreeMap::new());
        scan.go_on(|place, found| {
            if found.files.contains_key(manifest::NAME) {
                places.entry(found.name).or_insert(place);
            }
            Ok(())
        })?;
        Ok(Self { scan, places })
    }

    /// The names of the folders of all runs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// The files of a run, by the name of its folder.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn files(&self, name: &str) -> Result<Option<BTreeMap<String, Vec<u8>>>, CommandError> {
        self.places.get(name).map(|place| self.scan.read_all(*place)).transpose()
    }
}

/// A file whose records are read one after the other.
struct Opened {
    file: BufReader<File>,
    bytes: u64,
    at: u64,
    /// So much of it had been synchronised before its last record was written.
    safe: u64,
}

impl Opened {
    fn new(path: &Path, begin: u64) -> io::Result<Self> {
        // A file that is opened anew is seen as other machines have left it.
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut file = BufReader::new(file);
        let (mut at, mut safe) = (begin, 0);
        while let Some(head) = record::head(&mut file, at, bytes)? {
            safe = safe.max(head.safe);
            at = at.saturating_add(head.length());
        }
        Ok(Self { file, bytes, at: begin, safe })
    }

    /// The next record that is whole, and where it begins. What comes after one that is not was written later, and is not read.
    fn next(&mut self) -> io::Result<Option<(u64, Found)>> {
        let at = self.at;
        let Some(found) = record::find(&mut self.file, at, self.bytes)? else { return Ok(None) };
        let end = at.saturating_add(found.head.length());
        // What has been synchronised is whole; of what came last parts may be missing.
        if end > self.safe && !record::is_whole(&mut self.file, at, found.head)? {
            return Ok(None);
        }
        self.at = end;
        Ok(Some((at, found)))
    }
}
