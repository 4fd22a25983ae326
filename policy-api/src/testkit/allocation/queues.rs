//! Answers that have somebody stand in the queues of nodes, and what comes of them.

use super::super::asked::answer;
use super::super::fault::{Claim, Fault, claimed};
use super::super::model::Stand;
use super::Play;
use crate::{Commitment, DelayedStart, RequestView};

impl Play<'_> {
    pub(super) fn check_queue(&mut self, nodes: &[u32], until: u64, request: &RequestView) -> Result<(), Fault> {
        if self.rules.commitment == Commitment::PerRound {
            return Err("has a request queue at nodes, though its answers do not bind".to_owned().into());
        }
        if nodes.is_empty() {
            return Err("has a request queue at nodes, and names none".to_owned().into());
        }
        for (position, node) in nodes.iter().enumerate() {
            if !self.model.is_up(*node) {
                return Err(format!("has a request queue at node {node}, which is not there or down").into());
            }
            if nodes.iter().take(position).any(|other| other == node) {
                return Err(format!("has a request queue at node {node} twice").into());
            }
            if !self.model.could_hold(*node, request) {
                let fault = format!("has a request queue at node {node}, which is too small for it");
                claimed(self.claims, Claim::RespectsCapacity, fault)?;
            }
        }
        let is_next = |node: &u32| self.model.has_place(*node, request) && self.model.first_at(*node).is_none();
        if !nodes.iter().any(is_next) {
            self.check_wait(request)?;
        }
        self.log.date("has a request queue until", until);
        self.has_placed = true;
        self.model.stand_at(Stand { request: *request, nodes: nodes.to_vec(), until });
        nodes.iter().try_for_each(|node| self.serve_queue_of(*node))
    }

    /// Cores that are free go to those that stand in the queues of their nodes.
    pub(super) fn serve_queues(&mut self) -> Result<(), Fault> {
        if self.model.standing.is_empty() {
            return Ok(());
        }
        (0..self.model.node_count() as u32).try_for_each(|node| self.serve_queue_of(node))
    }

    fn serve_queue_of(&mut self, node: u32) -> Result<(), Fault> {
        while let Some(start) = self.model.start_first_at(node) {
            let DelayedStart { invocation, attempt, .. } = start;
            self.log.note(format!("(attempt {attempt} at request {invocation} gets a core of node {node})"));
            if self.rules.observes_ends {
                answer("on_delayed_start", || self.policy.on_delayed_start(&start))?;
            }
        }
        Ok(())
    }

    /// Those that the policy has taken back are in the queue again.
    pub(super) fn take_back(&mut self) -> Result<(), Fault> {
        for key in self.alarms.taken_back() {
            let ends = self.model.stand_no_longer(|stand| stand.request.key == key);
            ends.iter().try_for_each(|end| self.tell(end))?;
        }
        Ok(())
    }

    /// Nothing else is left to happen: the next date comes at which somebody stands in no queue of a node any more, unless
    /// somebody runs, or the next round finds a core for somebody.
    pub(super) fn pass_time_at_nodes(&mut self) -> Result<(), Fault> {
        let next = self.model.standing.iter().min_by_key(|stand| stand.until);
        let Some(Stand { request, nodes, until }) = next else { return Ok(()) };
        if (0..self.model.node_count() as u32).any(|node| self.model.is_used(node) || self.model.serves_next(node)) {
            return Ok(());
        }
        if *until == u64::MAX {
            let fault = format!("request {} stands for ever in the queues of {nodes:?}", request.invocation);
            return claimed(self.claims, Claim::RespectsCapacity, fault);
        }
        self.model.now = self.model.now.max(*until);
        Ok(())
    }
}
