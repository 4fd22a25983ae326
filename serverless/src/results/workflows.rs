//! `workflows.csv`: one row a run of a workflow, in the order in which they ended.

use std::fmt;

use hearth_simcore::time::SimDuration;

use super::recorder::SinkError;
use super::table::{Column, OpenTable, TableTarget};
use crate::error::Error;
use crate::workflow::{PathTimes, WorkflowRecord};

/// A part of the time of a run that has completed.
fn time(record: &WorkflowRecord, part: fn(&PathTimes) -> SimDuration) -> Option<SimDuration> {
    record.makespan().map(|_| part(&record.times))
}

/// The columns of the table of runs of workflows.
pub(super) fn columns() -> Vec<Column<WorkflowRecord>> {
    type Of = Column<WorkflowRecord>;
    vec![
        Of::count("run", |run| Some(run.run)).required().note("its number"),
        Of::word("workflow", |run| Some(&run.name)).required(),
        Of::date("requested_at", |run| run.requested_at),
        Of::date("finished_at", |run| run.finished_at),
        Of::word("outcome", |run| Some(run.outcome.as_str()))
            .required()
            .note("`completed`, `failed` (a task did not complete; no further one was begun) or `unfinished`"),
        Of::text("failure", |run| run.failure.as_deref()).note("why it did not end well"),
        Of::length("makespan_s", |run| run.makespan()).note("request to end, if it completed"),
        Of::flag("within_deadline", |run| run.is_within_deadline()).note("if it has a deadline"),
        Of::count("tasks", |run| Some(run.tasks)).required().note("tasks that were requested"),
        Of::count("not_run", |run| Some(run.not_run)).required().note("tasks that were not"),
        Of::count("first_invocation", |run| run.requested_at.map(|_| run.first_invocation))
            .note("the invocations of a run are numbered from it on, task by task"),
        Of::length("waiting_s", |run| time(run, |times| times.waiting))
            .note("where the time of a completed run went along its critical path: in queues, at the head, for images"),
        Of::length("starting_s", |run| time(run, |times| times.starting)).note("containers started"),
        Of::length("transfer_s", |run| time(run, |times| times.transfer)).note("bodies waited for data"),
        Of::length("running_s", |run| time(run, |times| times.running))
            .note("bodies ran; the four add up to the makespan"),
        Of::names("critical_path", |run| &run.critical_path).note("the tasks on it, with ` > ` between"),
    ]
}

/// Takes runs that have ended.
pub(crate) enum WorkflowRuns {
    /// They are kept.
    Kept(Vec<WorkflowRecord>),
    /// They are written.
    Written(Box<OpenTable<WorkflowRecord>>),
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

fn unwritable(error: &SinkError) -> Error {
    Error::Result { what: "workflows", cause: error.to_string() }
}

impl WorkflowRuns {
    /// Begins a table.
    pub fn new(target: TableTarget) -> Result<Self, Error> {
        let table = OpenTable::new(columns(), target).map_err(|error| unwritable(&error))?;
        Ok(Self::Written(Box::new(table)))
    }

    /// A run has ended.
    pub fn add(&mut self, record: WorkflowRecord) -> Result<(), Error> {
        match self {
            Self::Kept(records) => {
                records.push(record);
                Ok(())
            }
            Self::Written(table) => table.row(&record).map_err(|error| unwritable(&error)),
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
            Self::Written(table) => table.finish().map_err(|error| unwritable(&error)),
        }
    }
}
