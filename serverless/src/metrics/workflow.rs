//! What is counted of runs of workflows.

use hearth_simcore::time::SimDuration;

use super::{Moved, Precise};
use crate::workflow::{PathTimes, WorkflowOutcome, WorkflowRecord};

/// The counts of all runs.
#[derive(Clone, Debug, Default)]
pub struct WorkflowMetrics {
    /// Runs all of whose tasks completed.
    pub completed: u64,
    /// Runs with a task that did not.
    pub failed: u64,
    /// Runs that the simulation did not see the end of.
    pub unfinished: u64,
    /// Runs that completed within their deadline.
    pub within_deadline: u64,
    /// Runs that have a deadline.
    pub with_deadline: u64,
    /// Request to end, of those that completed.
    pub makespan: Precise,
    /// Data that moved between nodes, and from the registry, ahead of bodies.
    pub data: Moved,
    /// In nanoseconds: waiting, starting, transfer, running.
    path: [u128; 4],
}

impl WorkflowMetrics {
    /// How many runs there were.
    pub fn runs(&self) -> u64 {
        self.completed + self.failed + self.unfinished
    }

    /// Where the time of completed runs went along their critical paths, in seconds of all together: waiting, starting,
    /// transfer, running.
    pub fn path_seconds(&self) -> [f64; 4] {
        self.path.map(|nanos| nanos as f64 / 1e9)
    }

    pub(crate) fn record(&mut self, record: &WorkflowRecord) {
        match record.outcome {
            WorkflowOutcome::Completed => self.completed += 1,
            WorkflowOutcome::Failed => self.failed += 1,
            WorkflowOutcome::Unfinished => self.unfinished += 1,
        }
        if let Some(is_within) = record.is_within_deadline() {
            self.with_deadline += 1;
            self.within_deadline += u64::from(is_within);
        }
        let Some(makespan) = record.makespan() else { return };
        self.makespan.add(makespan);
        let PathTimes { waiting, starting, transfer, running } = record.times;
        for (sum, time) in self.path.iter_mut().zip([waiting, starting, transfer, running]) {
            *sum += u128::from(SimDuration::as_nanos(time));
        }
    }
}
