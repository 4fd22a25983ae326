//! `attempts.csv`: one row an attempt, in the order in which they ended.

use super::About;
use super::streamed_table::StreamedTable;
use super::table::{Column, TableTarget};
use crate::error::Error;
use crate::invocation::{InvocationRecord, Start};

/// An attempt that has ended.
pub(super) struct Attempt {
    number: u32,
    record: InvocationRecord,
    outcome: String,
}

/// The columns of the table of attempts of an experiment.
pub(super) fn columns(about: &About) -> Vec<Column<Attempt>> {
    type Of = Column<Attempt>;
    vec![
        Of::count("invocation", |attempt| Some(attempt.record.invocation))
            .required()
            .note("the number of its invocation"),
        Of::count("attempt", |attempt| Some(attempt.number.into())).required().note("from 1 on"),
        Of::name_from(&about.functions, "function", |attempt| Some(attempt.record.function.number())).required(),
        Of::date("submitted_at", |attempt| attempt.record.submitted_at),
        Of::date("dispatched_at", |attempt| attempt.record.dispatched_at),
        Of::date("started_at", |attempt| attempt.record.started_at),
        Of::date("finished_at", |attempt| attempt.record.finished_at),
        Of::name_from(&about.nodes, "node", |attempt| attempt.record.node),
        Of::word("start", |attempt| attempt.record.start.map(Start::as_str)).note("`cold` or `warm`"),
        Of::word("outcome", |attempt| Some(&attempt.outcome))
            .required()
            .note("that of the attempt; `stopped` if another completed first"),
        Of::text("failure", |attempt| attempt.record.failure.as_deref()).note("why it did not end well"),
    ]
}

/// Writes attempts while the simulation runs.
#[derive(Debug)]
pub(crate) struct Attempts(StreamedTable<Attempt>);

impl Attempts {
    /// Begins a table about an experiment.
    pub fn new(about: &About, target: TableTarget) -> Result<Self, Error> {
        StreamedTable::new("attempts", columns(about), target).map(Self)
    }

    /// Writes an attempt that has ended so; the first is 1.
    pub fn write(&mut self, attempt: u32, record: &InvocationRecord, outcome: &str) -> Result<(), Error> {
        self.0.write(&Attempt { number: attempt, record: record.clone(), outcome: outcome.to_owned() })
    }

    /// Ends the table.
    pub fn finish(self) -> Result<(), Error> {
        self.0.finish()
    }
}
