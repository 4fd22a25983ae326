//! The workflow of which some requests are tasks, as policies are told of it.

use super::asked::answer;
use super::fault::Fault;
use super::log::Log;
use crate::boundary::Called;
use crate::{RequestView, Slice, TaskView, WorkflowView};

/// Tells of a chain of tasks, one of each function.
pub(super) fn tell(
    functions: u32,
    log: &mut Log,
    hear: impl FnOnce(&WorkflowView<'_>) -> Called<()>,
) -> Result<(), Fault> {
    let numbers: Vec<u32> = (0..functions).collect();
    let tasks: Vec<TaskView<'_>> = (0..functions as usize)
        .map(|task| TaskView {
            function: task as u32,
            after: Slice::new(task.checked_sub(1).and_then(|before| numbers.get(before..task)).unwrap_or_default()),
            followers: Slice::new(numbers.get(task + 1..task + 2).unwrap_or_default()),
            ..TaskView::default()
        })
        .collect();
    let workflow = WorkflowView { tasks: tasks.as_slice().into(), ..WorkflowView::default() };
    log.note(format!("on_workflow(workflow 0: {functions} tasks, one of each function, one after the other)"));
    answer("on_workflow", || hear(&workflow))
}

/// Whether a request is a task: every fifth invocation is.
pub(super) fn as_task(request: RequestView) -> RequestView {
    let RequestView { invocation, function, .. } = request;
    if invocation % 5 == 4 {
        RequestView { workflow: 0, run: invocation / 5, task: function, ..request }
    } else {
        request
    }
}
