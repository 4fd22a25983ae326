//! What came of an experiment, and what it was.

use hearth_simcore::time::{SimDuration, SimTime};

use super::{Books, Story};
use crate::causes::{CauseTotals, ContainerEnd};
use crate::decisions::AnsweredInstead;
use crate::invocation::{InvocationRecord, Stall};
use crate::metrics::Metrics;
use crate::policy::{PolicyRecord, PolicySlot};
use crate::workflow::WorkflowRecord;

/// What results say of the scenario they are of.
#[derive(Clone, Debug)]
pub struct About {
    /// The scenario's name.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// Names of the functions, by number.
    pub functions: Vec<String>,
    /// Names of the nodes, by number.
    pub nodes: Vec<String>,
    /// The policy in each slot.
    pub policies: Vec<(PolicySlot, PolicyRecord)>,
}

/// What came of an experiment.
#[derive(Clone, Debug)]
pub struct Results {
    /// What it was.
    pub about: About,
    /// The counts.
    pub metrics: Metrics,
    /// What the latency of all invocations is made of, if that was explained.
    pub causes: Option<CauseTotals>,
    /// The stories that were asked for, of those invocations that were requested, by number.
    pub stories: Vec<Story>,
    /// Ends of containers that were sought, in the order of dates.
    pub found: Vec<ContainerEnd>,
    /// What has come of the call of a policy that was to be answered otherwise, if it was made.
    pub answered_instead: Option<AnsweredInstead>,
    /// Every invocation in the order of requests, if they were kept.
    pub records: Vec<InvocationRecord>,
    /// Events that the engine handled.
    pub events: u64,
    /// The date at the end.
    pub ended_at: SimTime,
    /// Runs of workflows in the order of their ends, if they were kept.
    pub workflows: Vec<WorkflowRecord>,
    /// What the simulation waited for, if it could not go on before all had ended.
    pub stall: Option<Stall>,
    /// Rows of a trace that were passed over because something was wrong with them.
    pub skipped_rows: u64,
    /// The interval of the time series, if one was written.
    pub time_series_interval: Option<SimDuration>,
}

impl Results {
    /// What had come of a simulation that cannot be asked any more.
    pub(crate) fn so_far(about: About, mut books: Books) -> Self {
        let (date, events) = (books.date, books.events);
        books.metrics.note_end(date);
        // Who runs and waits is not in the books, so the time series ends with the last whole interval.
        let (metrics, records) = books.finish(|_| None);
        let (records, workflows) = (records.unwrap_or_default(), books.take_workflow_records());
        let time_series_interval = books.series_interval;
        let (stall, causes, stories, found, skipped_rows) = (None, None, Vec::new(), Vec::new(), 0);
        Self {
            about,
            metrics,
            causes,
            stories,
            found,
            answered_instead: None,
            records,
            events,
            ended_at: date,
            workflows,
            stall,
            skipped_rows,
            time_series_interval,
        }
    }
}
