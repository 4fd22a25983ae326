//! Folders for what is needed as long as a command runs.

use std::io;

use tempfile::TempDir;

use crate::error::CommandError;

/// An empty folder, which is removed when it is dropped.
///
/// # Errors
/// When none can be made.
pub fn folder() -> Result<TempDir, CommandError> {
    let unusable = |error: io::Error| CommandError::Result {
        file: std::env::temp_dir(),
        problem: format!("no folder can be made there: {error}: name another one by TMPDIR"),
    };
    tempfile::Builder::new().prefix("hearth-").tempdir().map_err(unusable)
}
