//! `invocations.csv`, or `invocations.parquet`: one row an invocation.

use std::io::Write;

use super::held_table::HeldTable;
use super::recorder::{RecordSink, SinkError, unwritable};
use super::table::{Column, CsvTable};
use super::{About, Results, causes};
use crate::error::Error;
use crate::invocation::{InvocationRecord, Start};

/// The columns of the table of invocations of an experiment.
pub(super) fn columns(about: &About) -> Vec<Column<InvocationRecord>> {
    type Of = Column<InvocationRecord>;
    vec![
        Of::count("invocation", |record| Some(record.invocation)).required().note("its number"),
        Of::name_from(&about.functions, "function", |record| Some(record.function.number())).required(),
        Of::date("requested_at", |record| record.requested_at).note("the controller asked"),
        Of::date("submitted_at", |record| record.submitted_at).note("the head had processed the request"),
        Of::date("dispatched_at", |record| record.dispatched_at).note("it got a container and a core"),
        Of::date("started_at", |record| record.started_at).note("its body began"),
        Of::date("finished_at", |record| record.finished_at)
            .note("its body ended; start + limit if it timed out, the date of the rejection if it was rejected"),
        Of::name_from(&about.nodes, "node", |record| record.node),
        Of::word("start", |record| record.start.map(Start::as_str)).note("`cold` or `warm`"),
        Of::word("outcome", |record| Some(record.outcome.as_str())).required().note(
            "`completed`, `timed_out`, `failed`, `rejected`, `lost` (its node died) or `unfinished` (at the end of the simulation)",
        ),
        Of::text("failure", |record| record.failure.as_deref())
            .note("why it did not end well; of an unfinished one, what it waits for"),
    ]
}

/// Writes one row for each invocation: dates in seconds with nine decimals, an empty field where there is no date.
pub struct InvocationsCsv<W: Write> {
    table: CsvTable<InvocationRecord, W>,
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
        Ok(Self { table: CsvTable::new(columns(about), target)? })
    }

    /// Begins a table of what the latency of each invocation is made of, where an experiment is
    /// [explained](crate::experiment::Experiment::explained).
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn of_causes(about: &About, target: W) -> Result<Self, SinkError> {
        Ok(Self { table: CsvTable::new(causes::columns(about), target)? })
    }
}

impl<W: Write> RecordSink for InvocationsCsv<W> {
    fn write(&mut self, record: &InvocationRecord) -> Result<(), SinkError> {
        Ok(self.table.row(record)?)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(self.table.finish()?)
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

/// Gathers invocations in memory, and hands them on in tables of so many rows.
///
/// ```
/// # use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
/// use hearth_serverless::results::InvocationBatches;
/// # let scenario = Scenario::from_json(r#"{"format": "hearth-scenario/1",
/// #     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
/// #     "service": {"head": "all", "registry": "all", "nodes": ["all"]}, "functions": [{"name": "f"}],
/// #     "workload": {"invocations": [{"at": 1, "function": "f"}, {"at": 2, "function": "f"}, {"at": 3, "function": "f"}]}}"#)?;
/// # let catalog = Catalog::new(hearth_plugins::BUILT_IN);
/// let experiment = Experiment::prepare(&scenario, &catalog)?;
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let batches = InvocationBatches::new(experiment.about(), 2, move |table| Ok(sender.send(table.rows())?));
/// experiment.record_to(Box::new(batches), 1.0).run()?;
/// assert_eq!(receiver.iter().collect::<Vec<_>>(), [2, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct InvocationBatches<F> {
    columns: Vec<Column<InvocationRecord>>,
    held: HeldTable,
    most_rows: usize,
    hand_on: F,
}

impl<F> std::fmt::Debug for InvocationBatches<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvocationBatches").field("held", &self.held.rows()).finish_non_exhaustive()
    }
}

impl<F: FnMut(HeldTable) -> Result<(), SinkError>> InvocationBatches<F> {
    /// Begins with an experiment. The last table may have fewer rows, and none at all; it is handed on in any case.
    pub fn new(about: &About, most_rows: usize, hand_on: F) -> Self {
        let columns = columns(about);
        Self { held: HeldTable::of(&columns), columns, most_rows: most_rows.max(1), hand_on }
    }

    /// The same with tables of what the latency of each is made of, where an experiment is
    /// [explained](crate::experiment::Experiment::explained).
    pub fn of_causes(about: &About, most_rows: usize, hand_on: F) -> Self {
        let columns = causes::columns(about);
        Self { held: HeldTable::of(&columns), columns, most_rows: most_rows.max(1), hand_on }
    }
}

impl<F: FnMut(HeldTable) -> Result<(), SinkError>> RecordSink for InvocationBatches<F> {
    fn write(&mut self, record: &InvocationRecord) -> Result<(), SinkError> {
        self.held.row(self.columns.iter().map(|column| column.cell(record)))?;
        if self.held.rows() < self.most_rows { Ok(()) } else { (self.hand_on)(self.held.take()) }
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        (self.hand_on)(self.held.take())
    }
}
