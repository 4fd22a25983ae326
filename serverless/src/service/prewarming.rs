//! Containers that are started ahead of the next request of their function, because the keep-alive policy asks for it
//! (the timing model, section 10).

use hearth_policy_api::{Completion, Creation, Prewarming};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::SimDuration;
use rustc_hash::FxHashMap;
use slab::Slab;

use super::Service;
use super::event::{Event, Happening, Message};
use crate::error::Error;
use crate::function::FunctionId;
use crate::node::ContainerId;
use crate::policy::PolicySlot;
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
    node: u32,
    keep_for: SimDuration,
}

/// A container on its way to being idle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Starting {
    timer: EventHandle,
    node: u32,
    pub container: ContainerId,
    pub function: FunctionId,
    keep_for: SimDuration,
}

impl Prewarmings {
    /// Forgets what is being started on a node that has failed.
    pub(crate) fn give_up_on(&mut self, node: u32, kernel: &mut Kernel<Event>) -> Vec<Starting> {
        let here = self.starting.iter().filter(|(_, starting)| starting.node == node);
        let here: Vec<usize> = here.map(|(number, _)| number).collect();
        let given_up: Vec<Starting> = here.into_iter().filter_map(|number| self.starting.try_remove(number)).collect();
        for starting in &given_up {
            kernel.cancel(starting.timer);
        }
        given_up
    }

    /// How many containers are being started on a node.
    #[cfg(test)]
    pub(crate) fn starting_on(&self, node: u32) -> usize {
        self.starting.iter().filter(|(_, starting)| starting.node == node).count()
    }
}

impl Service {
    /// A container has ended with its invocation: asks whether another is to be there for the next request.
    pub(crate) fn plan_prewarming(&mut self, completion: &Completion, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        let Prewarming { after, keep_for } =
            self.keep_alive.prewarm(completion).map_err(|fault| self.fault(PolicySlot::KeepAlive, fault))?;
        let function = FunctionId(completion.function);
        self.call_off_prewarming(function, kernel);
        if after < u64::MAX && keep_for > 0 {
            let due = Event(Happening::Message(Message::Prewarm(function)));
            let timer = kernel.schedule(SimDuration::from_nanos(after), due);
            let keep_for = SimDuration::from_nanos(keep_for);
            self.prewarmings.planned.insert(function, Planned { timer, node: completion.node, keep_for });
        }
        Ok(())
    }

    /// A request has come: a container started later would not be for it.
    pub(crate) fn call_off_prewarming(&mut self, function: FunctionId, kernel: &mut Kernel<Event>) {
        if !self.prewarmings.planned.is_empty()
            && let Some(planned) = self.prewarmings.planned.remove(&function)
        {
            kernel.cancel(planned.timer);
        }
    }

    /// Begins to start a container where the last one was, if there is room without evicting anything and none is idle.
    pub(crate) fn prewarm(&mut self, function: FunctionId, kernel: &mut Kernel<Event>) {
        let Some(Planned { node, keep_for, .. }) = self.prewarmings.planned.remove(&function) else {
            return;
        };
        let registered = &self.functions[function.0 as usize];
        let (image, footprint, overhead) = (registered.image, registered.footprint(), registered.startup_overhead);
        let held = self.cluster.node(node);
        let has_room = held.ram.free() >= held.promised.ram + footprint.ram
            && held.disk.free() >= held.promised.disk + footprint.disk;
        if !has_room
            || !self.cluster.up.contains(node)
            || !self.cluster.is_image_ready(node, image)
            || !self.cluster.idle[function.0 as usize].view().is_empty()
        {
            return;
        }
        self.pin_image(node, image);
        let held = self.cluster.node(node);
        held.disk.reserve(footprint.disk);
        held.ram.reserve(footprint.ram);
        let container = self.add_container(node, function, Creation::Prewarming, kernel);
        self.cluster.refresh(node);
        self.books.metrics.begin_prewarming(footprint.ram, kernel.now());
        self.books.begin_phase(node, container, Phase::Prewarming, function);
        let starting = self.prewarmings.starting.vacant_key();
        let timer = kernel.schedule(overhead, Event(Happening::Message(Message::Prewarmed(starting as u32))));
        self.prewarmings.starting.insert(Starting { timer, node, container, function, keep_for });
    }

    /// A container that was started ahead is up.
    pub(crate) fn prewarmed(&mut self, starting: u32, kernel: &mut Kernel<Event>) {
        let Some(Starting { node, container, function, keep_for, .. }) =
            self.prewarmings.starting.try_remove(starting as usize)
        else {
            return;
        };
        let footprint = self.functions[function.0 as usize].footprint();
        self.books.metrics.end_prewarming(footprint.ram, kernel.now());
        self.keep(node, function, container, keep_for, kernel);
        self.cluster.refresh_use(node);
    }
}
