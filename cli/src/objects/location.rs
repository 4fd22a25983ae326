//! Where results lie: in a folder, or in object storage, of which a folder has a copy while a command is at work.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tempfile::TempDir;

use super::{Address, Objects, is_named};
use crate::error::CommandError;

/// What says of a folder what it is: written after all that it tells of.
const LAST: [&str; 3] = ["run.json", "sweep.json", "plan.json"];

/// The folder of the files of workers on a plan.
pub const PACKED: &str = "packed";

/// Where results lie.
#[derive(Clone, Debug)]
pub enum Location {
    /// In this folder.
    Folder(PathBuf),
    /// In object storage.
    Objects(Arc<LocalCopy>),
}

/// How much of what lies there is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needed {
    /// All but what runs have folders of their own for.
    All,
    /// What there is, and what the files say that tell what it is; others are empty in the copy.
    Names,
}

/// A folder with a copy of what lies in object storage; it is removed in the end, unless it is kept.
#[derive(Debug)]
pub struct LocalCopy {
    objects: Objects,
    name: PathBuf,
    folder: PathBuf,
    /// What removes the folder.
    removed: Mutex<Option<TempDir>>,
    known: Mutex<Known>,
}

/// What has been brought here, or handed back.
#[derive(Debug, Default)]
struct Known {
    /// Files of the copy that are as they are there, by name.
    same: BTreeMap<String, Stamp>,
    /// Files of workers that this process writes.
    own: BTreeSet<String>,
}

/// By what it is noticed that a file has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(file: &Path) -> io::Result<Self> {
        let about = fs::metadata(file)?;
        Ok(Self { length: about.len(), modified: about.modified().ok() })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the lock here is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Location {
    /// Of a folder, or a name in object storage; what is needed of that is brought here.
    ///
    /// # Errors
    /// When this build knows no object storage, or it cannot be read.
    pub fn open(path: &Path, needed: Needed) -> Result<Self, CommandError> {
        if !is_named(path) {
            return Ok(Self::Folder(path.to_owned()));
        }
        Self::bring(LocalCopy::of_name(path)?, needed)
    }

    /// Of a copy in which nothing is yet; what is needed is brought there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bring(copy: Arc<LocalCopy>, needed: Needed) -> Result<Self, CommandError> {
        copy.bring(needed).map_err(|error| copy.unreadable(&error))?;
        Ok(Self::Objects(copy))
    }

    /// The folder in which results are read and written.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder,
            Self::Objects(copy) => copy.folder(),
        }
    }

    /// What it is called.
    pub fn name(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder,
            Self::Objects(copy) => &copy.name,
        }
    }

    /// The copy, if it is one.
    pub fn copy(&self) -> Option<&Arc<LocalCopy>> {
        match self {
            Self::Folder(_) => None,
            Self::Objects(copy) => Some(copy),
        }
    }

    /// Brings here what workers have written since.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn look_around(&self) -> Result<(), CommandError> {
        self.copy().map_or(Ok(()), |copy| copy.look_around())
    }

    /// Hands back what is new in the folder, and removes there what was removed here.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn hand_back(&self) -> Result<(), CommandError> {
        self.copy().map_or(Ok(()), |copy| copy.hand_back())
    }

    /// The same, of what is not made again in a moment: if that cannot be done, the copy stays, and the error says where.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn hand_back_or_keep(&self) -> Result<(), CommandError> {
        self.copy().map_or(Ok(()), |copy| copy.hand_back().map_err(|error| copy.keep(error)))
    }

    /// An outcome whose error names what lies where, and not the copy.
    ///
    /// # Errors
    /// That of the outcome.
    pub fn named<T>(&self, outcome: Result<T, CommandError>) -> Result<T, CommandError> {
        let Some(copy) = self.copy() else { return outcome };
        let named = |path: PathBuf| match path.strip_prefix(copy.folder()) {
            Ok(inside) if inside.as_os_str().is_empty() => copy.name.clone(),
            Ok(inside) => copy.name.join(inside),
            Err(_) => path,
        };
        outcome.map_err(|error| match error {
            CommandError::OutputFolder { folder, problem } => {
                CommandError::OutputFolder { folder: named(folder), problem }
            }
            CommandError::Result { file, problem } => CommandError::Result { file: named(file), problem },
            CommandError::MissingRuns { missing, runs, folder } => {
                CommandError::MissingRuns { missing, runs, folder: named(folder) }
            }
            CommandError::Usage(said) => {
                let (here, there) = (copy.folder().display().to_string(), copy.name.display().to_string());
                CommandError::Usage(said.replace(&here, &there))
            }
            error => error,
        })
    }
}

impl LocalCopy {
    /// A copy of what is named so in object storage, in which nothing is yet.
    ///
    /// # Errors
    /// When this build knows no object storage, the name makes no sense, or there is no room for copies.
    pub fn of_name(path: &Path) -> Result<Arc<Self>, CommandError> {
        Self::of(Objects::open(&Address::parse(path)?)?).map(Arc::new)
    }

    /// A copy of these, in which nothing is yet.
    pub fn of(objects: Objects) -> Result<Self, CommandError> {
        let no_room =
            |error: io::Error| CommandError::Result { file: std::env::temp_dir(), problem: error.to_string() };
        let folder = tempfile::Builder::new().prefix("hearth-").tempdir().map_err(no_room)?;
        let name = objects.address().to_string().into();
        let (folder, removed) = (folder.path().to_owned(), Mutex::new(Some(folder)));
        Ok(Self { objects, name, folder, removed, known: Mutex::default() })
    }

    /// The folder of the copy.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Leaves the folder where it is, so that nothing in it is lost by an error of handing over; that says so.
    fn keep(&self, error: CommandError) -> CommandError {
        self.keep_saying(error, &format!("all of it is kept in {}", self.folder.display()))
    }

    /// The same for some files of workers: others in the copy may be older than what has come there since.
    pub fn keep_files(&self, files: &[PathBuf], error: CommandError) -> CommandError {
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        let place = self.name.join(PACKED);
        self.keep_saying(error, &format!("copy {} to {}/", files.join(" and "), place.display()))
    }

    fn keep_saying(&self, error: CommandError, cure: &str) -> CommandError {
        if let Some(folder) = lock(&self.removed).take() {
            let _ = folder.keep();
        }
        let kept = |problem: String| format!("{problem}: nothing is lost: {cure}");
        match error {
            CommandError::OutputFolder { folder, problem } => {
                CommandError::OutputFolder { folder, problem: kept(problem) }
            }
            CommandError::Result { file, problem } => CommandError::Result { file, problem: kept(problem) },
            error => {
                eprintln!("warning: {}", kept(format!("{} is not handed over", self.name.display())));
                error
            }
        }
    }

    /// What it is called.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// What it is a copy of.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    fn unreadable(&self, error: &io::Error) -> CommandError {
        CommandError::Usage(format!("{} cannot be read: {error}", self.name.display()))
    }

    fn unwritable(&self, name: &str, error: &io::Error) -> CommandError {
        CommandError::Result { file: self.name.join(name), problem: error.to_string() }
    }

    fn bring(&self, needed: Needed) -> io::Result<()> {
        for object in self.objects.list_top()? {
            let is_wanted = needed == Needed::All || LAST.contains(&object.name.as_str());
            self.bring_object(&object.name, is_wanted)?;
        }
        match needed {
            Needed::All => self.bring_packed(),
            Needed::Names => {
                self.objects.list(PACKED)?.iter().try_for_each(|object| self.bring_object(&object.name, false))
            }
        }
    }

    /// Brings an object here, or makes an empty file in its place.
    fn bring_object(&self, name: &str, is_wanted: bool) -> io::Result<()> {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().unwrap_or(self.folder()))?;
        let mut file = File::create(&path)?;
        if is_wanted {
            self.objects.copy(name, 0, &mut file)?;
            file.flush()?;
        }
        drop(file);
        lock(&self.known).same.insert(name.to_owned(), Stamp::of(&path)?);
        Ok(())
    }

    /// Brings here what other workers have written since: objects only grow.
    fn bring_packed(&self) -> io::Result<()> {
        for object in self.objects.list(PACKED)? {
            if lock(&self.known).own.contains(&object.name) || object.name.matches('/').count() != 1 {
                continue;
            }
            let path = self.folder().join(&object.name);
            let length = fs::metadata(&path).map_or(0, |about| about.len());
            if object.length > length {
                fs::create_dir_all(self.folder().join(PACKED))?;
                let mut file = OpenOptions::new().create(true).append(true).open(path)?;
                let copied = self.objects.copy(&object.name, length, &mut file);
                // What came of it so far stays: the next time goes on there.
                copied.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
            }
        }
        Ok(())
    }

    /// Brings here what other workers have written since.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn look_around(&self) -> Result<(), CommandError> {
        self.bring_packed().map_err(|error| self.unreadable(&error))
    }

    /// Hands over the first bytes of a file of this worker.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn hand_over(&self, file: &Path, length: u64) -> Result<(), CommandError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{}/{name}", PACKED);
        lock(&self.known).own.insert(name.clone());
        self.objects.upload(&name, file, length).map_err(|error| self.unwritable(&name, &error))
    }

    fn hand_back(&self) -> Result<(), CommandError> {
        let mut files = BTreeMap::new();
        names_below(self.folder(), "", &mut files).map_err(|error| self.unwritable("", &error))?;
        let mut names: Vec<&String> = files.keys().collect();
        let place = |name: &str| LAST.iter().position(|last| *last == name).map_or(0, |position| position + 1);
        names.sort_by_key(|name| place(name));
        for name in names {
            let path = self.folder().join(name);
            let before = lock(&self.known).same.get(name).copied();
            if before == files.get(name).copied() {
                continue;
            }
            let unwritable = |error: io::Error| self.unwritable(name, &error);
            let stamp = Stamp::of(&path).map_err(unwritable)?;
            if LAST.contains(&name.as_str()) && before.is_none() {
                // Somebody else may have had the same in mind.
                let bytes = fs::read(&path).map_err(unwritable)?;
                if !self.objects.create(name, &bytes).map_err(unwritable)? {
                    let problem = format!("somebody else has just written {name} there: name another place");
                    return Err(CommandError::OutputFolder { folder: self.name.clone(), problem });
                }
            } else {
                self.objects.upload(name, &path, stamp.length).map_err(unwritable)?;
            }
            lock(&self.known).same.insert(name.clone(), stamp);
        }
        let is_gone = |name: &String| !files.contains_key(name);
        let gone: Vec<String> = lock(&self.known).same.keys().filter(|name| is_gone(name)).cloned().collect();
        for name in gone.iter().filter(|name| !name.starts_with(PACKED)) {
            self.objects.remove(name).map_err(|error| self.unwritable(name, &error))?;
            lock(&self.known).same.remove(name);
        }
        Ok(())
    }
}

/// The files in a folder and those in it, but what workers write and what is hidden.
fn names_below(folder: &Path, before: &str, found: &mut BTreeMap<String, Stamp>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') || (before.is_empty() && name == PACKED) {
            continue;
        }
        let name = format!("{before}{name}");
        if entry.file_type()?.is_dir() {
            names_below(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.insert(name, Stamp::of(&entry.path())?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result_folder::{claim, manifest};
    use crate::sweep::plan;

    #[test]
    fn what_says_what_a_folder_is_comes_last() {
        assert_eq!(LAST, [manifest::NAME, claim::SWEEP, plan::NAME]);
    }

    #[test]
    fn a_folder_is_itself() {
        let location = Location::open(Path::new("results/a"), Needed::All).unwrap();
        assert_eq!((location.folder(), location.name()), (Path::new("results/a"), Path::new("results/a")));
        location.look_around().and_then(|()| location.hand_back()).unwrap();
    }

    #[test]
    fn what_is_new_is_handed_back_and_what_was_removed_goes() {
        let store = Arc::default();
        let [one, other] = [(); 2].map(|()| LocalCopy::of(Objects::in_memory(&store).unwrap()).unwrap());
        fs::create_dir(one.folder().join("runs")).unwrap();
        for (name, text) in
            [("results.csv", "a"), ("sweep.json", "b"), ("runs/a", "c"), (".hearth.lock", "d"), ("table.csv", "e")]
        {
            fs::write(one.folder().join(name), text).unwrap();
        }
        one.hand_back().unwrap();
        let mut written = one.objects.list_top().unwrap();
        written.extend(one.objects.list("runs").unwrap());
        written.sort_by_key(|object| object.modified);
        assert_eq!(written.last().map(|object| object.name.as_str()), Some("sweep.json"), "{written:?}");
        other.bring(Needed::All).unwrap();
        let read = |name: &str| fs::read_to_string(other.folder().join(name)).ok();
        assert_eq!(
            ["results.csv", "sweep.json", "runs/a", ".hearth.lock"].map(read).map(Option::unwrap_or_default),
            ["a", "b", "", ""]
        );
        fs::remove_file(other.folder().join("results.csv")).unwrap();
        fs::write(other.folder().join("sweep.json"), "more").unwrap();
        other.hand_back().unwrap();
        let names = |copy: &LocalCopy| {
            copy.objects.list_top().unwrap().into_iter().map(|it| (it.name, it.length)).collect::<Vec<_>>()
        };
        assert_eq!(names(&one), [("sweep.json".to_owned(), 4), ("table.csv".to_owned(), 1)]);
        // A name that tells what a folder is has one maker.
        let [third, fourth] = [(); 2].map(|()| LocalCopy::of(Objects::in_memory(&store).unwrap()).unwrap());
        for copy in [&third, &fourth] {
            fs::write(copy.folder().join("plan.json"), copy.folder().display().to_string()).unwrap();
        }
        third.hand_back().unwrap();
        let refused = fourth.hand_back().unwrap_err().to_string();
        assert!(refused.contains("somebody else has just written plan.json there"), "{refused}");
        // What is not handed over is not lost.
        let left = fourth.folder().to_owned();
        let refused = Location::Objects(Arc::new(fourth)).hand_back_or_keep().unwrap_err().to_string();
        assert!(refused.ends_with(&format!("all of it is kept in {}", left.display())), "{refused}");
        assert!(left.join("plan.json").is_file());
        fs::remove_dir_all(left).unwrap();
    }

    #[test]
    fn files_of_workers_are_brought_as_they_grow() {
        let store = Arc::default();
        let [worker, other] = [(); 2].map(|()| LocalCopy::of(Objects::in_memory(&store).unwrap()).unwrap());
        fs::create_dir(worker.folder().join(PACKED)).unwrap();
        let file = worker.folder().join(PACKED).join("a.tar.gz");
        for length in [3, 3, 7] {
            fs::write(&file, b"0123456789").unwrap();
            worker.hand_over(&file, length).unwrap();
            other.look_around().unwrap();
            let there = fs::read(other.folder().join(PACKED).join("a.tar.gz")).unwrap();
            assert_eq!(there, b"0123456789"[..length as usize]);
        }
        worker.look_around().unwrap();
        assert_eq!(fs::read(&file).unwrap().len(), 10, "its own is left alone");
        other.bring(Needed::Names).unwrap();
        assert_eq!(fs::metadata(other.folder().join(PACKED).join("a.tar.gz")).unwrap().len(), 0);
        let said = worker.keep_files(
            std::slice::from_ref(&file),
            worker.unwritable("packed/a.tar.gz", &io::ErrorKind::PermissionDenied.into()),
        );
        let cure = format!(": nothing is lost: copy {} to s3://bucket/some/prefix/packed/", file.display());
        assert!(said.to_string().ends_with(&cure), "{said}");
        let folder = worker.folder().to_owned();
        drop(worker);
        assert!(file.is_file());
        fs::remove_dir_all(folder).unwrap();
    }
}
