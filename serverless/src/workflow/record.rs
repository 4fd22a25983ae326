//! What came of runs of workflows.

use hearth_simcore::time::{SimDuration, SimTime};

use super::WorkflowId;

/// How a run of a workflow ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WorkflowOutcome {
    /// All that was to be done completed.
    Completed,
    /// A task did not, so that those after it were not begun.
    Failed,
    /// The simulation stopped before it ended.
    Unfinished,
}

impl WorkflowOutcome {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished",
        }
    }
}

/// Where the time of a run went along its critical path; the four add up to the makespan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PathTimes {
    /// From the end of one task (or the request of the run) to the dispatch of the next: the head, queues, images, and
    /// attempts that failed.
    pub waiting: SimDuration,
    /// Containers started.
    pub starting: SimDuration,
    /// Bodies waited for data of the tasks before them, or from the registry.
    pub transfer: SimDuration,
    /// Bodies ran.
    pub running: SimDuration,
}

/// What is known of one run of a workflow, as in a row of `workflows.csv`.
#[derive(Clone, PartialEq, Debug)]
pub struct WorkflowRecord {
    /// Its number, in the order of requests.
    pub run: u64,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The workflow's name.
    pub name: String,
    /// The number of the first invocation that is set aside for it.
    pub first_invocation: u64,
    /// When it was requested; `None` if it never was.
    pub requested_at: Option<SimTime>,
    /// When its last task ended; `None` if it has not.
    pub finished_at: Option<SimTime>,
    /// How it ended.
    pub outcome: WorkflowOutcome,
    /// Why, if it did not end well.
    pub failure: Option<String>,
    /// The workflow's deadline.
    pub deadline: Option<SimDuration>,
    /// Instances of tasks that were requested.
    pub tasks: u64,
    /// Instances that were not: their condition did not hold, or a task before them did not complete.
    pub not_run: u64,
    /// Along the critical path; nothing unless it completed.
    pub times: PathTimes,
    /// The chain of tasks of which each was the last that the next one waited for, up to the last one to end; empty unless
    /// it completed.
    pub critical_path: Vec<String>,
}

impl WorkflowRecord {
    /// From its request to its end, if it completed.
    pub fn makespan(&self) -> Option<SimDuration> {
        let finished = self.finished_at.filter(|_| self.outcome == WorkflowOutcome::Completed)?;
        Some(finished - self.requested_at?)
    }

    /// Whether it completed within its deadline; `None` if it has none.
    pub fn is_within_deadline(&self) -> Option<bool> {
        let deadline = self.deadline?;
        Some(self.makespan().is_some_and(|makespan| makespan <= deadline))
    }
}
