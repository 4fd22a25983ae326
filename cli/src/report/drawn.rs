//! What is drawn into the folder of a run is the run's: it goes when the run is replaced.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::Folder;
use crate::error::CommandError;
use crate::result_folder::lock::FolderLock;
use crate::result_folder::manifest::{self, Manifest};

/// Files that are drawn into the folder of a run, which nobody else changes meanwhile; none elsewhere.
#[derive(Debug)]
pub struct DrawnFiles {
    of_run: Option<(PathBuf, FolderLock, Manifest)>,
}

impl DrawnFiles {
    /// Of files that are to be drawn.
    ///
    /// # Errors
    /// When one of them would replace a result, or somebody writes into the folder.
    pub fn of(path: &Path, folder: &Folder, files: &[PathBuf]) -> Result<Self, CommandError> {
        let names: Vec<String> = files.iter().filter_map(|file| name_in(path, file)).collect();
        if names.is_empty() || matches!(folder, Folder::Sweep(_)) {
            return Ok(Self { of_run: None });
        }
        let lock = FolderLock::take(path)?;
        let mut manifest = Manifest::read(path)?
            .ok_or_else(|| CommandError::Usage(format!("{}: the run there was removed meanwhile", path.display())))?;
        for name in names {
            if manifest.lists(&name) || name == manifest::NAME {
                return Err(CommandError::Usage(format!("--output: {name} is a result of the run: name another file")));
            }
            if !manifest.drawn.contains(&name) {
                manifest.drawn.push(name);
            }
        }
        Ok(Self { of_run: Some((path.to_owned(), lock, manifest)) })
    }

    /// They have been drawn.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub fn note(self) -> Result<(), CommandError> {
        self.of_run.map_or(Ok(()), |(folder, _lock, manifest)| manifest.write(&folder))
    }
}

/// The name of a file from a folder, if it is in it.
fn name_in(folder: &Path, file: &Path) -> Option<String> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (folder, parent) = (fs::canonicalize(folder).ok()?, fs::canonicalize(parent).ok()?);
    let inside = parent.strip_prefix(&folder).ok()?.join(file.file_name()?);
    inside.to_str().map(str::to_owned)
}
