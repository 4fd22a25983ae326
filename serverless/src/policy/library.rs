//! Compiled policies in files: opened once each, and searched for in folders.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use hearth_policy_api::PolicyKind;
use hearth_policy_api::boundary::loader::{LoadError, PolicyLibrary, names_in};

use super::board::while_opening;

/// A file in a plugin folder that cannot be used.
#[derive(Clone, Debug)]
pub struct BrokenLibrary {
    /// The file, or the folder if that cannot be read.
    pub path: PathBuf,
    /// Why, as in "is not a shared library".
    pub problem: String,
}

/// What is in the plugin folders.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub libraries: Vec<Rc<PolicyLibrary>>,
    pub broken: Vec<BrokenLibrary>,
}

/// The libraries that policies come from. Those in folders are opened when somebody asks for a policy that is not built in.
///
/// Each library is opened once, so its policies share its static variables in all that is made with this, one run after the other. Another
/// one of these opens a copy of its own with other static variables: what must not depend on the runs before it is given a new
/// one, which costs the memory of its libraries for as long as the process lives.
#[derive(Clone, Debug, Default)]
pub struct Libraries {
    folders: Vec<PathBuf>,
    /// Those that are known not to be usable.
    broken: Vec<BrokenLibrary>,
    /// From where libraries are read instead, by path.
    copies: BTreeMap<PathBuf, PathBuf>,
    /// By path, so that a library that serves in several places is opened once.
    opened: Rc<RefCell<BTreeMap<PathBuf, Rc<PolicyLibrary>>>>,
    shelf: Rc<OnceCell<Shelf>>,
    /// What the files in the folders export, read without opening them.
    names: Rc<OnceCell<Vec<(PathBuf, PolicyKind, String)>>>,
}

impl Libraries {
    /// Libraries in these folders, the first of which to have a policy counts.
    pub fn in_folders(folders: Vec<PathBuf>) -> Self {
        Self { folders, ..Self::default() }
    }

    /// Without these, which are known not to be usable, in the folders.
    pub fn without(mut self, broken: Vec<BrokenLibrary>) -> Self {
        self.broken = broken;
        self
    }

    /// With these libraries, by path, read from copies that another process or another one of these has opened.
    pub fn with_copies(mut self, copies: BTreeMap<PathBuf, PathBuf>) -> Self {
        self.copies = copies;
        self
    }

    /// Where other processes find what has been opened, by path; only of what they can find.
    pub(super) fn copies(&self) -> BTreeMap<PathBuf, PathBuf> {
        let copy = |(path, library): (&PathBuf, &Rc<PolicyLibrary>)| Some((path.clone(), library.copy.clone()?));
        self.opened.borrow().iter().filter_map(copy).collect()
    }

    pub(super) fn open(&self, path: &Path) -> Result<Rc<PolicyLibrary>, LoadError> {
        if let Some(library) = self.opened.borrow().get(path) {
            return Ok(Rc::clone(library));
        }
        let copy = self.copies.get(path).map_or(path, PathBuf::as_path);
        let library = Rc::new(while_opening(path, || PolicyLibrary::open_copy(path, copy))?);
        self.opened.borrow_mut().insert(path.to_owned(), Rc::clone(&library));
        Ok(library)
    }

    /// Everything in the folders, files by name.
    pub(super) fn shelf(&self) -> &Shelf {
        self.shelf.get_or_init(|| {
            let mut shelf = Shelf::default();
            self.folders.iter().for_each(|folder| self.read_folder(folder, &mut shelf));
            shelf
        })
    }

    fn read_folder(&self, folder: &Path, shelf: &mut Shelf) {
        let paths = match libraries_in(folder) {
            Ok(paths) => paths,
            Err(error) => {
                let problem = format!("cannot be read: {error}");
                return shelf.broken.push(BrokenLibrary { path: folder.to_owned(), problem });
            }
        };
        for path in paths {
            if let Some(broken) = self.broken.iter().find(|broken| broken.path == path) {
                shelf.broken.push(broken.clone());
                continue;
            }
            match self.open(&path) {
                Ok(library) => shelf.libraries.push(library),
                Err(error) => shelf.broken.push(BrokenLibrary { path, problem: error.to_string() }),
            }
        }
    }

    /// The first library in the folders that has a policy of this kind and name, as far as files tell without being opened.
    pub(super) fn file_with(&self, kind: PolicyKind, name: &str) -> Option<&Path> {
        let names = self.names.get_or_init(|| {
            let paths = self.folders.iter().filter_map(|folder| libraries_in(folder).ok()).flatten();
            let named = |path: PathBuf| names_in(&path).into_iter().map(move |(kind, name)| (path.clone(), kind, name));
            paths.flat_map(named).collect()
        });
        let is_it = |(_, its_kind, its_name): &&(PathBuf, PolicyKind, String)| *its_kind == kind && its_name == name;
        names.iter().find(is_it).map(|(path, ..)| path.as_path())
    }
}

/// The libraries in a folder, by name.
fn libraries_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>())?;
    let mut paths: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| is_library(path)).collect();
    paths.sort();
    Ok(paths)
}

fn is_library(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(std::env::consts::DLL_EXTENSION))
}
