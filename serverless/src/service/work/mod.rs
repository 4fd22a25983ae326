//! What is asked of a service: invocations and runs of workflows, as a workload has them or a controller.

mod arrivals;
mod run_times;
mod workflows;

use std::rc::Rc;

use crate::invocation::InvocationRecord;
use crate::workflow::{Callee, TaskOfRun, WorkflowRecord, Workflows};
use crate::workload::Workload;

use self::run_times::RunTimes;
pub use run_times::RunTimeWork;
pub(super) use workflows::task_end;

/// What is asked of the service, and what has come of it so far.
#[derive(Debug, Default)]
pub(crate) struct Work {
    workload: Workload,
    workflows: Workflows,
    /// Where requests of a source compute that says how long they run.
    run_times: Option<RunTimes>,
}

impl Work {
    /// What is requested when.
    pub fn workload(&self) -> &Workload {
        &self.workload
    }

    /// Sets what is requested when.
    pub fn set_workload(&mut self, workload: Workload) {
        self.workload = workload;
    }

    /// Whether there are workflows.
    pub fn has_workflows(&self) -> bool {
        self.workflows.len() > 0
    }

    /// Whether a run of a workflow has begun and not ended.
    #[inline]
    pub fn is_any_run_under_way(&self) -> bool {
        self.workflows.is_running()
    }

    /// Which task an invocation is, if it is part of a run that is under way.
    #[inline]
    pub fn task_of(&self, invocation: u64) -> Option<TaskOfRun> {
        if self.is_any_run_under_way() { self.workflows.task_of(invocation) } else { None }
    }

    /// What has not ended at the end: invocations that nobody has requested, with the reason, and runs.
    pub fn unfinished(&mut self) -> (Vec<InvocationRecord>, Vec<WorkflowRecord>) {
        let (mut unasked, mut runs) = (Vec::new(), self.workflows.unfinished());
        for position in self.workload.unasked() {
            match self.workload.callee(position) {
                Callee::Function(function) => {
                    let mut record = InvocationRecord::new(u64::from(position), function);
                    record.failure = Some(Rc::from(self.workload.why_unasked(position)));
                    unasked.push(record);
                }
                Callee::Workflow(workflow) => runs.push(self.workflows.unasked(workflow)),
            }
        }
        (unasked, runs)
    }
}
