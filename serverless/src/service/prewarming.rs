//! Containers that are started ahead of the next request of their function, because the keep-alive policy asks for it
//! (the timing model, section 10).

use hearth_policy_api::{Completion, Prewarming};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::SimDuration;
use rustc_hash::FxHashMap;
use slab::Slab;

use super::Service;
use super::event::{Event, Happening, Message};
use crate::cluster::HeldContainer;
use crate::error::Error;
use crate::function::FunctionId;
use crate::node::NodeId;
use crate::results::Phase;

/// What is to be started, and what is starting.
#[derive(Debug, Default)]
pub(crate) struct Prewarmings {
    /// One for each function at the most. Looked up, never walked.
    planned: FxHashMap<FunctionId, Planned>,
    starting: Slab<Starting>,
}

/// A start that is to begin at the date of its timer.
#[derive(Clone, Copy, Debug)]
struct Planned {
    timer: EventHandle,
    node: NodeId,
    keep_for: SimDuration,
}

/// A container on its way to being idle.
#[derive(Debug)]
struct Starting {
    timer: EventHandle,
    held: HeldContainer,
    function: FunctionId,
    keep_for: SimDuration,
}

impl Prewarmings {
    /// Gives up what is being started on a node that has failed.
    pub(crate) fn give_up_on(&mut self, node: NodeId, kernel: &mut Kernel<Event>) -> Vec<(FunctionId, HeldContainer)> {
        let here = self.starting.iter().filter(|(_, starting)| starting.held.node() == node);
        let here: Vec<usize> = here.map(|(number, _)| number).collect();
        let given_up = here.into_iter().filter_map(|number| self.starting.try_remove(number));
        let stop = |Starting { timer, held, function, .. }| {
            kernel.cancel(timer);
            (function, held)
        };
        given_up.map(stop).collect()
    }

    /// Whether a container of a function is being started.
    pub(crate) fn is_any_starting(&self, function: FunctionId) -> bool {
        self.starting.iter().any(|(_, starting)| starting.function == function)
    }

    /// How many containers are being started on a node.
    #[cfg(test)]
    pub(crate) fn starting_on(&self, node: NodeId) -> usize {
        self.starting.iter().filter(|(_, starting)| starting.held.node() == node).count()
    }
}

impl Service {
    /// A container has ended with its invocation: asks whether another is to be there for the next request.
    pub(crate) fn plan_prewarming(
        &mut self,
        completion: &Completion<'_>,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        self.tell_of_containers();
        let histories = self.cluster.histories_if(self.policies.keep_alive_sees_history());
        let Prewarming { after, keep_for } = self.policies.prewarm(&Completion { histories, ..*completion })?;
        let function = FunctionId(completion.function);
        self.call_off_prewarming(function, kernel);
        if after < u64::MAX && keep_for > 0 {
            let due = Event(Happening::Message(Message::Prewarm(function)));
            let timer = kernel.schedule_cancellable(SimDuration::from_nanos(after), due);
            let keep_for = SimDuration::from_nanos(keep_for);
            self.keep_alive
                .prewarmings
                .planned
                .insert(function, Planned { timer, node: NodeId(completion.node), keep_for });
        }
        Ok(())
    }

    /// A request has come: a container started later would not be for it.
    pub(crate) fn call_off_prewarming(&mut self, function: FunctionId, kernel: &mut Kernel<Event>) {
        if !self.keep_alive.prewarmings.planned.is_empty()
            && let Some(planned) = self.keep_alive.prewarmings.planned.remove(&function)
        {
            kernel.cancel(planned.timer);
        }
    }

    /// Begins to start a container where the last one was, if there is room without evicting anything and none is idle.
    pub(crate) fn prewarm(&mut self, function: FunctionId, kernel: &mut Kernel<Event>) {
        let Some(Planned { node, keep_for, .. }) = self.keep_alive.prewarmings.planned.remove(&function) else {
            return;
        };
        if !self.cluster.idle(function).is_empty() {
            return;
        }
        self.begin_start_ahead(function, node, keep_for, kernel);
    }

    /// Begins to start a container of a function on a node; false if there is no room.
    pub(crate) fn begin_start_ahead(
        &mut self,
        function: FunctionId,
        node: NodeId,
        keep_for: SimDuration,
        kernel: &mut Kernel<Event>,
    ) -> bool {
        if !self.may_have_another(function) {
            return false;
        }
        let registered = self.registry.function(function);
        let (ram, overhead) = (registered.limits.ram, registered.startup_overhead);
        let Some(held) = self.cluster.start_ahead(node, function, kernel.now()) else { return false };
        self.books.metrics.begin_prewarming(ram, kernel.now());
        self.count_starting(function, true);
        self.books.begin_phase(node, held.id(), Phase::Prewarming, function);
        let starting = self.keep_alive.prewarmings.starting.vacant_key();
        let then = match self.cluster.startup_work(function) {
            Some(_) => Happening::StartupWorkAhead(starting as u32),
            None => Happening::Message(Message::Prewarmed(starting as u32)),
        };
        let timer = kernel.schedule_cancellable(overhead, Event(then));
        self.keep_alive.prewarmings.starting.insert(Starting { timer, held, function, keep_for });
        true
    }

    /// The startup overhead is over of a container that is started ahead: it computes before it is up.
    pub(crate) fn begin_startup_work_ahead(&mut self, starting: u32, kernel: &mut Kernel<Event>) {
        let Some(begun) = self.keep_alive.prewarmings.starting.get(starting as usize) else { return };
        let up = Message::Prewarmed(starting);
        if !self.cluster.begin_startup(begun.held.node(), begun.held.id(), Event(Happening::Message(up)), kernel) {
            self.head.receive(up);
        }
    }

    /// A container that was started ahead is up. It took no core, so it is for one that waits for it only if there is one.
    pub(crate) fn prewarmed(&mut self, starting: u32, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(Starting { held, function, keep_for, .. }) =
            self.keep_alive.prewarmings.starting.try_remove(starting as usize)
        else {
            return Ok(());
        };
        self.books.metrics.end_prewarming(self.registry.function(function).limits.ram, kernel.now());
        self.count_starting(function, false);
        let node = held.node();
        self.cluster.end_startup(node, held.id(), &mut self.books, kernel);
        if self.attempts.is_container_awaited()
            && self.cluster.may_start_warm(node)
            && let Some(next) = self.attempts.first_awaiting(function, node, None)
        {
            return self.hand_over(held, (next, function), kernel);
        }
        self.keep(held, keep_for, kernel);
        self.give_up_waits(function, node, kernel)
    }
}
