//! What makes a folder of results run again: a scenario whose paths hold wherever it lies, and the hashes of what it reads.

use std::path::{Path, PathBuf};

use hearth_serverless::experiment::About;
use hearth_serverless::scenario::{Scenario, change_paths};
use serde_json::Value;

use super::manifest::Input;
use crate::error::CommandError;
use crate::hash::hash_of;
use crate::objects::inputs::told;
use crate::objects::is_named;

/// A scenario whose relative paths start from `base`, as it stands in `folder`: paths to what is in the folder are
/// relative to it, so that they hold when it moves, all others are absolute. Policies that were found by name name their
/// library.
///
/// # Errors
/// When a path is not UTF-8 text, which JSON cannot hold.
pub fn from(folder: &Path, mut scenario: Value, base: &Path, about: &About) -> Result<Value, CommandError> {
    for (slot, record) in &about.policies {
        let Some(library) = record.library.as_ref().and_then(|library| library.to_str()) else { continue };
        let Some(library) = std::path::absolute(library).ok().and_then(|path| Some(path.to_str()?.to_owned())) else {
            continue;
        };
        let pointer = format!("/policies/{}", slot.path().replace('.', "/"));
        if let Some(section) = scenario.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            section.entry("use").or_insert_with(|| record.name.clone().into());
            section.entry("library").or_insert_with(|| library.into());
        }
    }
    let mut problem = None;
    change_paths(&mut scenario, |path| match placed(&base.join(&*path), folder) {
        // Names in object storage hold everywhere.
        _ if is_named(Path::new(path)) => {}
        Some(text) => *path = text,
        None => problem = Some(format!("a path that begins in {} is not UTF-8 text", base.display())),
    });
    problem.map_or(Ok(scenario), |problem| Err(CommandError::OutputFolder { folder: folder.to_owned(), problem }))
}

/// A path as it is told in `folder`: relative to it if it leads to something there, otherwise absolute; a copy of what lies in object
/// storage by its name there. `None` if it is not UTF-8 text.
pub fn placed(path: &Path, folder: &Path) -> Option<String> {
    let told = told(path);
    if is_named(&told) {
        return told.to_str().map(str::to_owned);
    }
    let inside = std::fs::canonicalize(path).ok().zip(std::fs::canonicalize(folder).ok());
    let inside = inside.and_then(|(path, folder)| path.strip_prefix(folder).ok().map(Path::to_owned));
    let path = match inside.filter(|inside| !inside.as_os_str().is_empty()) {
        Some(inside) => inside,
        None => std::path::absolute(path).ok()?,
    };
    path.to_str().map(str::to_owned)
}

/// Paths of all that a run reads beside its scenario.
///
/// # Errors
/// When a folder among it cannot be read.
pub fn paths_of(
    scenario: &Scenario,
    about: &About,
) -> Result<Vec<PathBuf>, hearth_serverless::scenario::ScenarioError> {
    let mut paths = scenario.files()?;
    paths.extend(about.policies.iter().filter_map(|(_, record)| record.library.clone()));
    let mut distinct: Vec<PathBuf> = Vec::new();
    for path in paths.into_iter().map(|path| std::path::absolute(&path).unwrap_or(path)) {
        if !distinct.contains(&path) {
            distinct.push(path);
        }
    }
    Ok(distinct)
}

/// The hashes of what a run reads; of libraries that of what has been opened, whatever has become of the file since.
///
/// # Errors
/// When a file cannot be read.
pub fn inputs(paths: Vec<PathBuf>, about: &About) -> Result<Vec<Input>, CommandError> {
    let opened = |path: &Path| {
        let is_it = |library: &PathBuf| std::path::absolute(library).is_ok_and(|library| library == path);
        let mut records = about.policies.iter().map(|(_, record)| record);
        records.find(|record| record.library.as_ref().is_some_and(is_it))?.library_sha256.clone()
    };
    paths
        .into_iter()
        .map(|path| Ok(Input { sha256: opened(&path).map_or_else(|| hash_of(&path), Ok)?, path: told(&path) }))
        .collect()
}
