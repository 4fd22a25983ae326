//! `workflows.csv`: one row a run of a workflow, in the order in which they ended.

use std::fmt;
use std::io::Write;

use hearth_simcore::time::{SimDuration, SimTime};

use crate::error::Error;
use crate::workflow::{PathTimes, WorkflowRecord};

const COLUMNS: [&str; 16] = [
    "run",
    "workflow",
    "requested_at",
    "finished_at",
    "outcome",
    "failure",
    "makespan_s",
    "within_deadline",
    "tasks",
    "not_run",
    "first_invocation",
    "waiting_s",
    "starting_s",
    "transfer_s",
    "running_s",
    "critical_path",
];

/// Takes runs that have ended.
pub(crate) enum WorkflowRuns {
    /// They are kept.
    Kept(Vec<WorkflowRecord>),
    /// They are written.
    Written(Box<csv::Writer<Box<dyn Write + Send>>>),
}

impl Default for WorkflowRuns {
    fn default() -> Self {
        Self::Kept(Vec::new())
    }
}

impl fmt::Debug for WorkflowRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkflowRuns")
    }
}

fn unwritable(error: &csv::Error) -> Error {
    Error::Result { what: "workflows", cause: error.to_string() }
}

impl WorkflowRuns {
    /// Begins a table.
    pub fn new(target: Box<dyn Write + Send>) -> Result<Self, Error> {
        let mut writer = csv::Writer::from_writer(target);
        writer.write_record(COLUMNS).map_err(|error| unwritable(&error))?;
        Ok(Self::Written(Box::new(writer)))
    }

    /// A run has ended.
    pub fn add(&mut self, record: WorkflowRecord) -> Result<(), Error> {
        match self {
            Self::Kept(records) => {
                records.push(record);
                Ok(())
            }
            Self::Written(writer) => write(writer, &record).map_err(|error| unwritable(&error)),
        }
    }

    /// Those that were kept.
    pub fn take(&mut self) -> Vec<WorkflowRecord> {
        match self {
            Self::Kept(records) => std::mem::take(records),
            Self::Written(_) => Vec::new(),
        }
    }

    /// Ends the table.
    pub fn finish(&mut self) -> Result<(), Error> {
        match self {
            Self::Kept(_) => Ok(()),
            Self::Written(writer) => writer.flush().map_err(|error| unwritable(&error.into())),
        }
    }
}

fn write(writer: &mut csv::Writer<Box<dyn Write + Send>>, record: &WorkflowRecord) -> Result<(), csv::Error> {
    let date = |date: Option<SimTime>| date.map(|date| date.to_string()).unwrap_or_default();
    let makespan = record.makespan();
    let length = |length: SimDuration| makespan.map(|_| length.to_string()).unwrap_or_default();
    let PathTimes { waiting, starting, transfer, running } = record.times;
    writer.write_record([
        record.run.to_string().as_str(),
        &record.name,
        &date(record.requested_at),
        &date(record.finished_at),
        record.outcome.as_str(),
        record.failure.as_deref().unwrap_or(""),
        &makespan.map(|makespan| makespan.to_string()).unwrap_or_default(),
        &record.is_within_deadline().map(|is_within| is_within.to_string()).unwrap_or_default(),
        &record.tasks.to_string(),
        &record.not_run.to_string(),
        &record.requested_at.map(|_| record.first_invocation.to_string()).unwrap_or_default(),
        &length(waiting),
        &length(starting),
        &length(transfer),
        &length(running),
        &record.critical_path.join(" > "),
    ])
}
