//! `attempts.csv`: one row an attempt, in the order in which they ended.

use std::io::Write;

use hearth_simcore::time::SimTime;

use crate::error::Error;
use crate::experiment::About;
use crate::invocation::{InvocationRecord, Start};

/// Writes attempts while the simulation runs.
pub(crate) struct Attempts {
    writer: csv::Writer<Box<dyn Write + Send>>,
    functions: Vec<String>,
    nodes: Vec<String>,
}

impl std::fmt::Debug for Attempts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempts")
    }
}

fn unwritable(error: &csv::Error) -> Error {
    Error::Result { what: "attempts", cause: error.to_string() }
}

impl Attempts {
    /// Begins a table about an experiment.
    pub fn new(about: &About, target: Box<dyn Write + Send>) -> Result<Self, Error> {
        let mut writer = csv::Writer::from_writer(target);
        let columns =
            ["invocation", "attempt", "function", "submitted_at", "dispatched_at", "started_at", "finished_at"];
        let more = ["node", "start", "outcome", "failure"];
        writer.write_record(columns.into_iter().chain(more)).map_err(|error| unwritable(&error))?;
        Ok(Self { writer, functions: about.functions.clone(), nodes: about.nodes.clone() })
    }

    /// Writes an attempt that has ended so; the first is 1.
    pub fn write(&mut self, attempt: u32, record: &InvocationRecord, outcome: &str) -> Result<(), Error> {
        let date = |date: Option<SimTime>| date.map(|date| date.to_string()).unwrap_or_default();
        let (invocation, attempt) = (record.invocation.to_string(), attempt.to_string());
        let node = record.node.and_then(|node| self.nodes.get(node as usize));
        let fields = [
            invocation.as_str(),
            &attempt,
            self.functions.get(record.function.number() as usize).map_or("", String::as_str),
            &date(record.submitted_at),
            &date(record.dispatched_at),
            &date(record.started_at),
            &date(record.finished_at),
            node.map_or("", String::as_str),
            record.start.map_or("", Start::as_str),
            outcome,
            record.failure.as_deref().unwrap_or(""),
        ];
        self.writer.write_record(fields).map_err(|error| unwritable(&error))
    }

    /// Ends the table.
    pub fn finish(mut self) -> Result<(), Error> {
        self.writer.flush().map_err(|error| unwritable(&error.into()))
    }
}
