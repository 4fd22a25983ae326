//! Those on the kit's cluster that wait for a busy container of their function.

use super::ends::{Idle, Running};
use super::{Model, end_of};
use crate::{DelayedStart, End, Ending, NONE, RequestView, Start};

/// One that waits for a container of its function that is in use: on a node, or anywhere, until a date.
#[derive(Clone, Copy, Debug)]
pub(in crate::testkit) struct Wait {
    pub request: RequestView,
    pub node: u32,
    pub until: u64,
}

impl Model {
    /// A request leaves the queue to wait for a busy container.
    pub fn await_container(&mut self, wait: Wait) {
        self.leave(&wait.request);
        let position = self.awaiting.partition_point(|other| other.request.submitted_at <= wait.request.submitted_at);
        self.awaiting.insert(position, wait);
    }

    /// Whether a container of a function is in use on a node, or anywhere.
    pub fn is_busy(&self, function: u32, node: u32) -> bool {
        let nodes = (0..).zip(&self.nodes).filter(|(number, _)| node == NONE || *number == node);
        nodes.flat_map(|(_, node)| &node.running).any(|running| running.request.function == function)
    }

    /// Whether somebody of a function waits for its image on a node, or anywhere, where a container will be.
    pub fn is_bound(&self, function: u32, node: u32) -> bool {
        let nodes = (0..).zip(&self.nodes).filter(|(number, _)| node == NONE || *number == node);
        nodes.flat_map(|(_, node)| &node.bound).any(|request| request.function == function)
    }

    /// An attempt has ended and its container is idle: the first that waits for one takes it.
    pub fn hand_over(&mut self, end: &End) -> Option<DelayedStart> {
        let End { function, node, container, now, .. } = *end;
        // The other attempt at an invocation that has completed is about to be stopped.
        let stopped = (end.ending == Ending::Completed).then_some(end.invocation);
        let is_for = |wait: &Wait| {
            let is_there = wait.request.function == function && (wait.node == NONE || wait.node == node);
            is_there && Some(wait.request.invocation) != stopped
        };
        let position = self.awaiting.iter().position(is_for)?;
        let state = self.nodes.get_mut(node as usize)?;
        let idle = state.idle.iter().position(|idle| idle.container == container)?;
        let Idle { container, created, .. } = state.idle.remove(idle);
        let Wait { request, .. } = self.awaiting.remove(position);
        state.running.push(Running { request, container, start: Start::Warm, since: self.now, created });
        self.changed.insert(node);
        let RequestView { invocation, attempt, key, .. } = request;
        Some(DelayedStart { now, invocation, attempt, function, node, container, key, ..DelayedStart::default() })
    }

    /// A container of a function on a node has ended that was in use: who waits for one where there is none any more is in
    /// the queue again.
    pub fn give_up_waits(&mut self, function: u32, node: u32) -> Vec<End> {
        let places: Vec<u32> = [node, NONE].into_iter().filter(|place| !self.is_busy(function, *place)).collect();
        self.requeue(|wait| wait.request.function == function && places.contains(&wait.node))
    }

    /// Those whose date has come are in the queue again.
    pub fn end_waits(&mut self) -> Vec<End> {
        let now = self.now;
        let mut ends = self.requeue(|wait| wait.until <= now);
        ends.extend(self.stand_no_longer(|stand| stand.until <= now));
        ends
    }

    /// Those of these that wait for a container are in the queue again.
    pub(super) fn requeue(&mut self, is_over: impl Fn(&Wait) -> bool) -> Vec<End> {
        let over: Vec<Wait> = self.awaiting.extract_if(.., |wait| is_over(wait)).collect();
        let ends = over.iter().map(|wait| end_of(&wait.request, Ending::Requeued, self.now)).collect();
        self.queue.extend(over.iter().map(|wait| wait.request));
        if !over.is_empty() {
            self.sort_queue();
        }
        ends
    }
}
