//! Answers that have somebody wait for a busy container, and what comes of them.

use super::super::asked::answer;
use super::super::fault::{Claim, Fault, claimed};
use super::super::model::Wait;
use super::Play;
use crate::{Commitment, DelayedStart, End, NONE, RequestView};

impl Play<'_> {
    pub(super) fn check_busy(&mut self, node: u32, until: u64, request: &RequestView) -> Result<(), Fault> {
        if self.rules.commitment == Commitment::PerRound {
            return Err("has a request wait for a busy container, though its answers do not bind".to_owned().into());
        }
        if node != NONE && !self.model.is_up(node) {
            return Err(
                format!("has a request wait for a busy container of node {node}, which is not there or down").into()
            );
        }
        if !self.model.is_busy(request.function, node) && !self.model.is_bound(request.function, node) {
            self.check_wait(request)?;
        }
        self.log.date("has a request wait for a busy container until", until);
        self.has_placed = true;
        self.model.await_container(Wait { request: *request, node, until });
        Ok(())
    }

    /// What becomes of the container of an attempt that has ended, for those who wait for it.
    pub(super) fn pass_on(&mut self, end: &End) -> Result<(), Fault> {
        if end.container == NONE {
            return Ok(());
        }
        if let Some(start) = self.model.hand_over(end) {
            let DelayedStart { invocation, attempt, node, .. } = start;
            self.log.note(format!("(attempt {attempt} at request {invocation} gets that container on node {node})"));
            return if self.rules.observes_ends {
                answer("on_delayed_start", || self.policy.on_delayed_start(&start))
            } else {
                Ok(())
            };
        }
        if end.is_of_whole_run() {
            return Ok(());
        }
        let over = self.model.give_up_waits(end.function, end.node);
        over.iter().try_for_each(|end| self.tell(end))
    }

    /// Those whose date has come wait no longer.
    pub(super) fn end_waits(&mut self) -> Result<(), Fault> {
        let over = self.model.end_waits();
        over.iter().try_for_each(|end| self.tell(end))
    }

    /// Nothing else is left to happen: the next date comes at which somebody waits no longer.
    pub(super) fn pass_time(&mut self) -> Result<(), Fault> {
        self.pass_time_at_nodes()?;
        let next = self.model.awaiting.iter().min_by_key(|wait| wait.until);
        let Some(Wait { request, node, until }) = next.copied() else { return Ok(()) };
        if self.model.is_busy(request.function, node) {
            return Ok(());
        }
        if until == u64::MAX {
            let place = if node == NONE { "anywhere".to_owned() } else { format!("on node {node}") };
            let fault = format!(
                "request {} waits for ever for a container of function {} that is in use {place}: none is",
                request.invocation, request.function
            );
            return claimed(self.claims, Claim::WorkConserving, fault);
        }
        self.model.now = self.model.now.max(until);
        Ok(())
    }
}
