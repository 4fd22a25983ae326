//! The policies that are found.

use std::path::PathBuf;

use hearth_serverless::policy::{Catalog, Libraries};

/// The policies that are built in, those in these folders, and those in the folder `plugins` beside the program.
pub fn catalog_of(mut folders: Vec<PathBuf>) -> Catalog {
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("plugins")));
    folders.extend(beside.filter(|folder| folder.is_dir()));
    Catalog::new(hearth_plugins::BUILT_IN).with_libraries(Libraries::in_folders(folders))
}
