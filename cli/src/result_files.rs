//! The files that a run writes.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use hearth_serverless::experiment::Results;
use hearth_serverless::results::{Summary, write_invocations};

use crate::error::CommandError;

/// Where results go.
#[derive(Clone, Debug)]
pub struct ResultFiles {
    folder: PathBuf,
    summary: PathBuf,
    invocations: Option<PathBuf>,
}

impl ResultFiles {
    /// Files in a folder, with or without the table of invocations.
    pub fn new(folder: &Path, invocations: bool) -> Self {
        Self {
            folder: folder.to_owned(),
            summary: folder.join("summary.json"),
            invocations: invocations.then(|| folder.join("invocations.csv")),
        }
    }

    fn unusable(&self, problem: String) -> CommandError {
        CommandError::OutputFolder { folder: self.folder.clone(), problem }
    }

    /// Makes folder and files, before the simulation starts: who cannot write them hears of it at once.
    pub fn create(&self) -> Result<(), CommandError> {
        let folder = fs::create_dir_all(&self.folder);
        folder.map_err(|error| self.unusable(format!("the folder cannot be made: {error}")))?;
        for path in [Some(&self.summary), self.invocations.as_ref()].into_iter().flatten() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            fs::File::create(path)
                .map_err(|error| self.unusable(format!("{name} cannot be written there: {error}")))?;
        }
        Ok(())
    }

    /// Writes everything.
    pub fn write(&self, results: &Results, summary: &Summary) -> Result<(), CommandError> {
        if let Some(path) = &self.invocations {
            let file = fs::File::create(path);
            let written = file.map_err(Into::into).and_then(|file| write_invocations(results, BufWriter::new(file)));
            written.map_err(|error| CommandError::Result { file: path.clone(), problem: error.to_string() })?;
        }
        let written = fs::File::create(&self.summary).and_then(|mut file| writeln!(file, "{}", to_json(summary)));
        written.map_err(|error| CommandError::Result { file: self.summary.clone(), problem: error.to_string() })
    }
}

/// A summary as JSON.
pub fn to_json(summary: &Summary) -> String {
    // Numbers, text and maps with text as keys: there is nothing in a summary that JSON cannot hold.
    serde_json::to_string_pretty(summary).unwrap_or_default()
}
