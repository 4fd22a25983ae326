//! Delayed warm starts: an invocation waits for a busy container of its function, and gets it with its core when the
//! invocation in it has ended (the timing model, section 5).

use hearth_policy_api::{Commitment, DelayedStart, Ending, NONE};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::{SimDuration, SimTime};

use super::Service;
use super::attempts::{AttemptKey, BusyWait};
use super::ends::Place;
use super::event::{Event, Happening, Message};
use crate::cluster::HeldContainer;
use crate::error::Error;
use crate::function::FunctionId;
use crate::invocation::Outcome;
use crate::node::{ContainerId, NodeId};
use crate::policy::{Method, Mistake, PolicySlot};

/// What is answered for one that is to wait for a busy container.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BusyAnswer {
    node: Option<NodeId>,
    until: SimTime,
}

impl Service {
    /// Checks an answer that has somebody wait for a busy container.
    pub(super) fn check_busy(&self, node: u32, until: u64) -> Result<BusyAnswer, Box<Error>> {
        if self.policies.rules().commitment == Commitment::PerRound {
            return Err(self.binds_against_its_rules("to wait for a busy container"));
        }
        let node = (node != NONE).then_some(NodeId(node));
        match node {
            Some(node) if !self.cluster.up().contains(node) => Err(self.wrong_node(node.0, Method::Place)),
            _ => Ok(BusyAnswer { node, until: SimTime::from_nanos(until) }),
        }
    }

    /// The error for an answer that binds of a policy whose answers do not.
    pub(super) fn binds_against_its_rules(&self, answer: &str) -> Box<Error> {
        let cause = format!(
            "answered {answer}, which binds, though by its rules no answer does: let AllocationRules::commitment be \
             UntilStarted"
        );
        self.policies.error(Mistake::new(PolicySlot::NodeAllocation, Method::Place, cause))
    }

    /// Has one that has been taken out of the queue wait for a busy container.
    pub(super) fn await_busy(
        &mut self,
        key: AttemptKey,
        answer: BusyAnswer,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        self.settle(key, kernel.now());
        let BusyAnswer { node, until } = answer;
        let (until, timer) = set_wait_timer(key, until, kernel);
        Ok(self.attempts.await_container(key, node, BusyWait { until, timer })?)
    }

    /// Who gets the container of an attempt that has ended on a node, if somebody waits for one. The other attempt at an
    /// invocation that has completed does not: it is about to be stopped.
    #[inline]
    pub(super) fn next_in_container_of(
        &self,
        key: AttemptKey,
        function: FunctionId,
        node: NodeId,
    ) -> Option<AttemptKey> {
        if !self.attempts.is_container_awaited() {
            return None;
        }
        let has_completed = |key| self.attempts.get(key).is_some_and(|it| it.record.outcome == Outcome::Completed);
        let stopped = self.attempts.twin_of(key).filter(|_| has_completed(key));
        self.attempts.first_awaiting(function, node, stopped)
    }

    /// Gives a container that is free, and a core of its node, to one that waits for it. Eviction hears that it is idle
    /// and is not.
    pub(super) fn hand_over(
        &mut self,
        held: HeldContainer,
        (key, function): (AttemptKey, FunctionId),
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let (node, container) = (held.node(), held.id());
        self.settle(key, kernel.now());
        if let Some(timer) = self.attempts.stop_awaiting(key)? {
            kernel.cancel(timer);
        }
        self.keep(held, SimDuration::MAX, kernel);
        if !self.dispatch((key, function), node, Some(container), kernel)? {
            debug_assert!(false, "a container that has just become idle, with a core, is there to be taken");
            return self.put_back(key, kernel.now());
        }
        self.tell_of_delayed_start(key, node, Some(container), kernel.now());
        Ok(())
    }

    /// Tells node allocation that one that has waited has a core on a node now, in a container or waiting there for its image.
    pub(super) fn tell_of_delayed_start(
        &mut self,
        key: AttemptKey,
        node: NodeId,
        container: Option<ContainerId>,
        now: SimTime,
    ) {
        if self.policies.rules().observes_ends
            && let Some(attempt) = self.attempts.get(key)
        {
            let (invocation, function, attempt) =
                (attempt.record.invocation, attempt.record.function.0, attempt.number());
            let (now, node, container) = (now.as_nanos(), node.0, container.map_or(NONE, |container| container.0));
            let key = key.as_shown();
            let start =
                DelayedStart { now, invocation, attempt, function, node, container, key, ..DelayedStart::default() };
            self.policies.tell_of_delayed_start(&start);
        }
    }

    /// The date has come until which somebody was to wait for a busy container, or to stand in the queues of nodes, unless it has
    /// got what it waited for.
    pub(super) fn wait_over(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if self.attempts.has_waited_long_enough(key, kernel.now()) {
            return self.wait_no_longer(key, kernel);
        }
        if self.attempts.node_wait(key).is_some_and(|wait| wait.until <= kernel.now()) {
            return self.back_to_head(key, kernel);
        }
        Ok(())
    }

    /// A container of a function that was in use on a node has ended, or is idle and nobody's: who waits for one where
    /// there is none any more is asked about again.
    pub(super) fn give_up_waits(
        &mut self,
        function: FunctionId,
        node: NodeId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        if !self.attempts.is_container_awaited() {
            return Ok(());
        }
        for on in [Some(node), None] {
            if !self.is_busy(function, on) {
                for key in self.attempts.awaiting((function, on)) {
                    self.wait_no_longer(key, kernel)?;
                }
            }
        }
        Ok(())
    }

    /// A node is down: who waits for a container there is asked about again.
    pub(super) fn give_up_waits_on(&mut self, node: NodeId, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        for function in self.attempts.functions_awaited_on(node) {
            for key in self.attempts.awaiting((function, Some(node))) {
                self.wait_no_longer(key, kernel)?;
            }
        }
        Ok(())
    }

    /// Whether a function has a container on a node, or anywhere, that is in use or being started.
    pub(super) fn is_busy(&self, function: FunctionId, node: Option<NodeId>) -> bool {
        match node {
            Some(node) => self.cluster.busy_count(node, function) > 0,
            None => {
                self.attempts.counts_of(function).running > 0 || self.keep_alive.prewarmings.is_any_starting(function)
            }
        }
    }

    fn wait_no_longer(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        self.settle(key, kernel.now());
        if let Some(timer) = self.attempts.stop_awaiting(key)? {
            kernel.cancel(timer);
        }
        self.put_back(key, kernel.now())
    }

    /// Tells node allocation that nothing has come of a wait for a busy container, or in the queues of nodes.
    pub(super) fn tell_of_wait_in_vain(&mut self, key: AttemptKey, now: SimTime) {
        if self.policies.rules().observes_ends {
            self.tell_of_end_at(key, Ending::Requeued, Place::Nowhere, now);
        }
    }

    pub(super) fn put_back(&mut self, key: AttemptKey, now: SimTime) -> Result<(), Box<Error>> {
        self.tell_of_wait_in_vain(key, now);
        let waiting = self.waiting(key)?;
        Ok(self.attempts.put_back(waiting)?)
    }
}

/// Has the head told when a wait is over that lasts until a date, if it is one. A policy that always answers a date that has passed
/// must not stop the clock.
pub(super) fn set_wait_timer(
    key: AttemptKey,
    until: SimTime,
    kernel: &mut Kernel<Event>,
) -> (SimTime, Option<EventHandle>) {
    let until = until.max(kernel.now() + SimDuration::from_nanos(1));
    let over = Event(Happening::Message(Message::WaitOver(key)));
    let timer = (until < SimTime::MAX).then(|| kernel.schedule_cancellable(until - kernel.now(), over));
    (until, timer)
}
