//! `cause_totals.csv`, read.

use std::io::Read;
use std::path::Path;

use hearth_serverless::causes::{Cause, ColdStartCause};
use hearth_serverless::experiment::Results;
use hearth_serverless::results::write_cause_totals;
use serde::Deserialize;

use crate::error::CommandError;

/// The name of the file.
pub const NAME: &str = "cause_totals.csv";

/// A row of the file.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Total {
    /// What it is about: `all`, `function`, `node` or `interval`.
    pub of: String,
    /// Of the function or node.
    pub name: Option<String>,
    /// The begin of the interval, in seconds.
    pub from: Option<f64>,
    /// `latency` or `cold_start`.
    pub kind: String,
    /// The word of the cause.
    pub cause: String,
    /// The policy whose answer that is, as its slot.
    pub policy: Option<String>,
    /// How many invocations have some of it.
    pub invocations: u64,
    /// All together.
    pub seconds: f64,
    /// How many invocations there are.
    pub of_invocations: u64,
}

impl Total {
    /// Whether it is a part of latencies, and not a cause of cold starts.
    pub fn is_of_latency(&self) -> bool {
        self.kind == "latency"
    }

    /// What to call its cause.
    pub fn title(&self) -> &str {
        let title = if self.is_of_latency() {
            Cause::named(&self.cause).map(Cause::title)
        } else {
            ColdStartCause::ALL.into_iter().find(|cause| cause.name() == self.cause).map(ColdStartCause::note)
        };
        title.unwrap_or(&self.cause)
    }

    /// What the row is about, as one is called of several.
    pub fn subject(&self) -> String {
        match (&self.name, self.from) {
            (Some(name), _) => name.clone(),
            (None, Some(from)) => format!("from {from} s"),
            (None, None) => String::new(),
        }
    }
}

/// Reads the rows.
fn read(text: impl Read, place: &str) -> Result<Vec<Total>, CommandError> {
    let rows = csv::Reader::from_reader(text).into_deserialize().collect::<Result<Vec<Total>, _>>();
    rows.map_err(|error| CommandError::Usage(format!("{place}: {error}")))
}

/// Those of a folder of results; `None` if the run was not explained.
///
/// # Errors
/// When the file cannot be read, or is not such a table.
pub fn of_folder(folder: &Path) -> Result<Option<Vec<Total>>, CommandError> {
    let path = folder.join(NAME);
    if !path.is_file() {
        return Ok(None);
    }
    let place = path.display().to_string();
    let file = std::fs::File::open(&path).map_err(|error| CommandError::Usage(format!("{place}: {error}")))?;
    read(file, &place).map(Some)
}

/// Those of results.
///
/// # Errors
/// Not for results that were explained.
pub fn of_results(results: &Results) -> Result<Vec<Total>, CommandError> {
    let mut text = Vec::new();
    write_cause_totals(results, &mut text).map_err(|error| CommandError::Usage(format!("{NAME}: {error}")))?;
    read(text.as_slice(), NAME)
}
