//! Those on the kit's cluster that stand in the queues of nodes.

use super::{Choice, Model, end_of};
use crate::{DelayedStart, End, Ending, NONE, RequestView};

/// One that stands in the queues of nodes, until a date.
#[derive(Clone, Debug)]
pub(in crate::testkit) struct Stand {
    pub request: RequestView,
    pub nodes: Vec<u32>,
    pub until: u64,
}

impl Model {
    /// A request leaves the queue for those of nodes.
    pub fn stand_at(&mut self, stand: Stand) {
        self.leave(&stand.request);
        self.note_queues(&stand.nodes);
        let position = self.standing.partition_point(|other| other.request.submitted_at <= stand.request.submitted_at);
        self.standing.insert(position, stand);
    }

    /// How many stand in the queue of a node.
    pub fn queued(&self, node: u32) -> u32 {
        self.standing.iter().filter(|stand| stand.nodes.contains(&node)).count() as u32
    }

    /// The position of the first in the queue of a node.
    pub fn first_at(&self, node: u32) -> Option<usize> {
        self.standing.iter().position(|stand| stand.nodes.contains(&node))
    }

    /// Whether somebody has a core of a node.
    pub fn is_used(&self, node: u32) -> bool {
        let node = &self.nodes[node as usize];
        !node.running.is_empty() || !node.bound.is_empty()
    }

    /// Whether a node has a core and room for the first in its queue.
    pub fn serves_next(&self, node: u32) -> bool {
        let first = self.first_at(node).and_then(|position| self.standing.get(position));
        first.is_some_and(|stand| self.has_place(node, &stand.request))
    }

    /// Whether a node would have room for a container if there were no others.
    pub fn could_hold(&self, node: u32, request: &RequestView) -> bool {
        let spec = &self.nodes[node as usize].spec;
        spec.ram >= request.ram_limit && spec.disk >= request.disk_limit
    }

    /// Gives a free core of a node to the first in its queue, if that can start.
    pub fn start_first_at(&mut self, node: u32) -> Option<DelayedStart> {
        let position = self.first_at(node)?;
        let Stand { request, .. } = *self.standing.get(position)?;
        if !self.has_place(node, &request) || !self.place(&request, (node, Choice::Any), true) {
            return None;
        }
        let stand = self.standing.remove(position);
        self.note_queues(&stand.nodes);
        let RequestView { invocation, attempt, function, key, .. } = request;
        let is_it = |other: &RequestView| (other.invocation, other.attempt) == (invocation, attempt);
        let running = self.nodes[node as usize].running.iter().find(|running| is_it(&running.request));
        let container = running.map_or(NONE, |running| running.container);
        Some(DelayedStart {
            now: self.now,
            invocation,
            attempt,
            function,
            node,
            container,
            key,
            ..DelayedStart::default()
        })
    }

    /// Those of these that stand in queues of nodes are in the queue again.
    pub fn stand_no_longer(&mut self, is_over: impl Fn(&Stand) -> bool) -> Vec<End> {
        let over: Vec<Stand> = self.standing.extract_if(.., |stand| is_over(stand)).collect();
        over.iter().for_each(|stand| self.note_queues(&stand.nodes));
        self.queue.extend(over.iter().map(|stand| stand.request));
        if !over.is_empty() {
            self.sort_queue();
        }
        over.iter().map(|stand| end_of(&stand.request, Ending::Requeued, self.now)).collect()
    }

    /// A node is down: nobody stands in its queue, and who stands in no other is in the queue again.
    pub(super) fn give_up_queue_of(&mut self, node: u32) -> Vec<End> {
        let ends = self.stand_no_longer(|stand| stand.nodes == [node]);
        self.standing.iter_mut().for_each(|stand| stand.nodes.retain(|other| *other != node));
        ends
    }

    /// All but so many are lost.
    pub fn lose_standing(&mut self, kept: usize) -> Vec<RequestView> {
        let kept = kept.min(self.standing.len());
        let lost = self.standing.split_off(kept);
        lost.iter().for_each(|stand| self.note_queues(&stand.nodes));
        lost.into_iter().map(|stand| stand.request).collect()
    }

    pub(super) fn note_queues(&mut self, nodes: &[u32]) {
        nodes.iter().for_each(|node| self.changed.insert(*node));
    }
}
