//! `invocations.csv`: one row an invocation.

use std::io::Write;

use hearth_simcore::time::SimTime;

use super::recorder::{RecordSink, SinkError, unwritable};
use crate::error::Error;
use crate::experiment::{About, Results};
use crate::invocation::{InvocationRecord, Start};

/// The columns of `invocations.csv`.
const COLUMNS: [&str; 11] = [
    "invocation",
    "function",
    "requested_at",
    "submitted_at",
    "dispatched_at",
    "started_at",
    "finished_at",
    "node",
    "start",
    "outcome",
    "failure",
];

/// Writes one row for each invocation: dates in seconds with nine decimals, an empty field where there is no date.
pub struct InvocationsCsv<W: Write> {
    writer: csv::Writer<W>,
    functions: Vec<String>,
    nodes: Vec<String>,
}

impl<W: Write> std::fmt::Debug for InvocationsCsv<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InvocationsCsv")
    }
}

impl<W: Write> InvocationsCsv<W> {
    /// Begins a table about an experiment.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn new(about: &About, target: W) -> Result<Self, SinkError> {
        let mut writer = csv::Writer::from_writer(target);
        writer.write_record(COLUMNS)?;
        Ok(Self { writer, functions: about.functions.clone(), nodes: about.nodes.clone() })
    }
}

impl<W: Write> RecordSink for InvocationsCsv<W> {
    fn write(&mut self, record: &InvocationRecord) -> Result<(), SinkError> {
        let date = |date: Option<SimTime>| date.map(|date| date.to_string()).unwrap_or_default();
        let number = record.invocation.to_string();
        let node = record.node.and_then(|node| self.nodes.get(node as usize));
        self.writer.write_record([
            number.as_str(),
            self.functions.get(record.function.number() as usize).map_or("", String::as_str),
            &date(record.requested_at),
            &date(record.submitted_at),
            &date(record.dispatched_at),
            &date(record.started_at),
            &date(record.finished_at),
            node.map_or("", String::as_str),
            record.start.map_or("", Start::as_str),
            record.outcome.as_str(),
            record.failure.as_deref().unwrap_or(""),
        ])?;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(self.writer.flush()?)
    }
}

/// Writes the invocations that results hold, in the order of requests.
///
/// # Errors
/// When the target cannot be written.
pub fn write_invocations(results: &Results, target: impl Write) -> Result<(), Error> {
    let write = || {
        let mut table = InvocationsCsv::new(&results.about, target)?;
        results.records.iter().try_for_each(|record| table.write(record))?;
        table.finish()
    };
    write().map_err(|error: SinkError| unwritable(&error))
}
