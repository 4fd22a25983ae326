//! The part of the summary that is about runs of workflows.

use serde::{Deserialize, Serialize};

use super::DistributionSummary;
use crate::metrics::{Moved, WorkflowMetrics};

/// Where the time of completed runs went along their critical paths, in seconds of all together.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct PathSummary {
    /// In queues, at the head, for images, and in attempts that failed.
    pub waiting: f64,
    /// Containers started.
    pub starting: f64,
    /// Bodies waited for data.
    pub transfer: f64,
    /// Bodies ran.
    pub running: f64,
}

/// Runs of workflows in numbers.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkflowsSummary {
    /// How many there were.
    pub runs: u64,
    /// Runs all of whose tasks completed.
    pub completed: u64,
    /// Runs with a task that did not.
    pub failed: u64,
    /// Runs that the simulation did not see the end of.
    pub unfinished: u64,
    /// Of those that have a deadline, the share that completed within it; left out where none has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_deadline: Option<f64>,
    /// Request to end, of those that completed, in seconds.
    pub makespan: DistributionSummary,
    /// Where their time went.
    pub critical_path_s: PathSummary,
    /// Data that moved ahead of bodies.
    pub data: Moved,
}

impl WorkflowsSummary {
    pub(super) fn of(metrics: &WorkflowMetrics) -> Option<Self> {
        let [waiting, starting, transfer, running] = metrics.path_seconds();
        let share = metrics.within_deadline as f64 / metrics.with_deadline.max(1) as f64;
        (metrics.runs() > 0).then(|| Self {
            runs: metrics.runs(),
            completed: metrics.completed,
            failed: metrics.failed,
            unfinished: metrics.unfinished,
            within_deadline: (metrics.with_deadline > 0).then_some(share),
            makespan: (&metrics.makespan).into(),
            critical_path_s: PathSummary { waiting, starting, transfer, running },
            data: metrics.data,
        })
    }
}
