//! Workflows, as policies that ask for it are told of them.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::{Records, Slice};

/// A task of a workflow.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct TaskView<'a> {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The function that it invokes.
    pub function: u32,
    /// How many instances of it there are, beside one another.
    pub instances: u32,
    /// The tasks that must have ended before it, by their places in the workflow.
    pub after: Slice<'a, u32>,
    /// The tasks that wait for it, in the same way.
    pub followers: Slice<'a, u32>,
}

impl Default for TaskView<'_> {
    /// One instance of function 0, which follows nobody and is followed by nobody.
    fn default() -> Self {
        let (after, followers) = (Slice::new(&[]), Slice::new(&[]));
        Self { size: size_of::<Self>() as u32, function: 0, instances: 1, after, followers }
    }
}

/// A workflow: tasks that follow one another. A request says of which workflow it is a task, and which one
/// ([`RequestView::workflow`](crate::RequestView::workflow), [`RequestView::task`](crate::RequestView::task)).
///
/// How many tasks must still be done, at the least, after each:
///
/// ```
/// use hearth_policy_api::{Slice, TaskView, WorkflowView};
///
/// fn depth(workflow: &WorkflowView<'_>, task: u32) -> u32 {
///     let followers = workflow.tasks.get(task as usize).map(|task| task.followers);
///     followers.iter().flat_map(|of| of.iter()).map(|next| 1 + depth(workflow, *next)).max().unwrap_or(0)
/// }
///
/// let tasks = [
///     TaskView { followers: Slice::new(&[1, 2]), ..TaskView::default() },
///     TaskView { after: Slice::new(&[0]), followers: Slice::new(&[2]), ..TaskView::default() },
///     TaskView { after: Slice::new(&[0, 1]), ..TaskView::default() },
/// ];
/// let workflow = WorkflowView { tasks: tasks.as_slice().into(), ..WorkflowView::default() };
/// assert_eq!([0, 1, 2].map(|task| depth(&workflow, task)), [2, 1, 0]);
/// ```
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct WorkflowView<'a> {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The number of the workflow.
    pub workflow: u32,
    /// How long a run may take, in ns; `u64::MAX` where that is not said.
    pub deadline: u64,
    /// Its tasks, by their places.
    pub tasks: Records<'a, TaskView<'a>>,
}

impl Default for WorkflowView<'_> {
    /// Workflow 0, which has no tasks and no deadline.
    fn default() -> Self {
        Self { size: size_of::<Self>() as u32, workflow: 0, deadline: u64::MAX, tasks: Records::new(&[]) }
    }
}
