//! The policies that are found.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hearth_serverless::policy::{Catalog, Libraries};

use crate::isolation::inside;
use crate::program;

/// These folders, and the folder `plugins` beside the program.
pub fn folders_of(folders: Vec<PathBuf>) -> impl Iterator<Item = PathBuf> {
    let beside = program::beside("plugins");
    folders.into_iter().chain(beside.filter(|folder| folder.is_dir()))
}

/// The policies that are built in, those in these folders, and those in the folder `plugins` beside the program.
pub fn catalog_of(folders: Vec<PathBuf>) -> Catalog {
    catalog_with(folders, BTreeMap::new())
}

/// The same, with these libraries read from copies.
pub fn catalog_with(folders: Vec<PathBuf>, copies: BTreeMap<PathBuf, PathBuf>) -> Catalog {
    let libraries = Libraries::in_folders(folders_of(folders).collect()).without(inside::broken_libraries());
    let libraries = libraries.with_copies(copies);
    Catalog::new(hearth_plugins::BUILT_IN).with_libraries(libraries)
}
