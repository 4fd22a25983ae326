//! Requests of functions that are served by instances: to an instance with room, or into the queue; and out again.

use std::collections::VecDeque;

use hearth_policy_api::{ContainerChange, ScaleCause};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimTime;

use super::fleet::Fleet;
use super::instance::{Instance, InstanceStage};
use super::{InstanceKey, Instances, Seat};
use crate::error::Error;
use crate::function::FunctionId;
use crate::invocation::{InvocationState, Start};
use crate::results::Phase;
use crate::service::Service;
use crate::service::attempts::AttemptKey;
use crate::service::event::Event;

impl Instances {
    /// Changes the requests of an instance, and where routers find it.
    fn change<T>(
        &mut self,
        key: InstanceKey,
        change: impl FnOnce(&mut Instance) -> T,
    ) -> Result<(&mut Instance, T), Box<Error>> {
        let missing = || Box::new(Error::internal("an instance is not there that must be"));
        let instance = self.all.get_mut(key).ok_or_else(missing)?;
        let fleet = self.fleets.get_mut(&instance.function).ok_or_else(missing)?;
        let (before, open) = (instance.load(), instance.as_open(key));
        let changed = change(instance);
        if instance.is_ready() {
            let (after, capacity) = (instance.load(), fleet.settings.capacity());
            match (before < capacity, after < capacity) {
                (true, true) => fleet.router.keep_open((before, after), open),
                (true, false) => fleet.router.close(before, open),
                (false, true) => fleet.router.open(after, open),
                (false, false) => {}
            }
        }
        Ok((instance, changed))
    }

    /// Those that wait at an instance wait there no longer.
    pub(super) fn take_queue(&mut self, key: InstanceKey) -> Result<VecDeque<(AttemptKey, SimTime)>, Box<Error>> {
        self.change(key, |instance| std::mem::take(&mut instance.queue)).map(|(_, waiting)| waiting)
    }

    /// Those that wait in the queues of functions have been lost.
    pub fn clear_queues(&mut self, now: SimTime) {
        for fleet in self.fleets.iter_mut() {
            fleet.advance(now);
            fleet.queue.clear();
        }
        for (_, instance) in &mut self.all {
            if let Some(fleet) = self.fleets.get_mut(&instance.function) {
                fleet.running -= instance.queue.len() as u64;
            }
        }
        let keys: Vec<InstanceKey> =
            self.all.iter().filter(|(_, instance)| !instance.queue.is_empty()).map(|(key, _)| key).collect();
        for key in keys {
            // It is there, as it has just been found.
            let _ = self.change(key, |instance| instance.queue.clear());
        }
    }
}

impl Service {
    /// A request that has been let in goes to an instance with room, or waits for one.
    pub(in crate::service) fn route(
        &mut self,
        key: AttemptKey,
        function: FunctionId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let now = kernel.now();
        self.attempts.enter(key, InvocationState::Queued, now);
        let Some(fleet) = self.instances.fleets.get_mut(&function) else { return Ok(()) };
        fleet.advance(now);
        (fleet.arrivals, fleet.last_arrival) = (fleet.arrivals + 1, Some(now));
        let fleet_is_awaited = fleet.tried_in_background.is_empty();
        let (lead, is_first) = (fleet.lead, !std::mem::replace(&mut fleet.is_active, true));
        if is_first {
            self.instances.active.insert(lead);
        }
        let chosen = fleet.router.choose();
        match chosen {
            Some(instance) => self.send(instance, (key, now), kernel)?,
            None => {
                fleet.queue.push_back((key, now));
                self.attempts.await_instance(key, None)?;
            }
        }
        if !fleet_is_awaited {
            self.await_those_tried_again(function, kernel);
        }
        if is_first || (chosen.is_none() && self.policies.autoscaling_rules().asked_on_requests) {
            self.ask_autoscaler(lead, ScaleCause::Request, kernel)?;
        }
        self.schedule_tick(kernel);
        Ok(())
    }

    /// Gives a request to an instance that has room.
    fn send(
        &mut self,
        instance: InstanceKey,
        (key, since): (AttemptKey, SimTime),
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let concurrency = self.concurrency_of(instance);
        let (at, is_served) = self.instances.change(instance, |instance| {
            let is_served = instance.serving < concurrency;
            if is_served {
                instance.serving += 1;
                instance.requests += 1;
            } else {
                instance.queue.push_back((key, since));
            }
            is_served
        })?;
        let (function, seat) = (at.function, at.seat(instance));
        if let Some(fleet) = self.instances.fleets.get_mut(&function) {
            fleet.running += 1;
        }
        match seat.filter(|_| is_served) {
            Some(seat) => self.begin_in_instance(seat, (key, since), kernel),
            None => Ok(self.attempts.await_instance(key, Some(instance))?),
        }
    }

    fn concurrency_of(&self, instance: InstanceKey) -> u32 {
        let function = self.instances.all.get(instance).map(|instance| instance.function);
        let fleet = function.and_then(|function| self.instances.fleets.get(&function));
        fleet.map_or(0, |fleet: &Fleet| fleet.settings.concurrency)
    }

    /// An instance begins to serve a request, which was let in at a date. If the instance was not up by then, the request has had a
    /// cold start, and counts as dispatched from then on, or since the instance has had its place on the node.
    fn begin_in_instance(
        &mut self,
        seat: Seat,
        (key, since): (AttemptKey, SimTime),
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let now = kernel.now();
        let (node, container) = (seat.node(), seat.container());
        let instance = self.instances.all.get(seat.instance);
        let is_cold = instance.is_some_and(|instance| instance.ready_at.is_some_and(|ready| ready > since));
        let placed_at = instance.and_then(|instance| instance.placed_at).unwrap_or(now);
        let is_only_one = instance.is_some_and(|instance| instance.serving == 1);
        let start = if is_cold { Start::Cold } else { Start::Warm };
        self.explain_seat(key, seat.instance, start, now);
        self.cluster.note_holder(node, container, key.into());
        let attempt = self.attempts.sit_down(key, seat)?;
        attempt.record.node = Some(node.0);
        attempt.record.start = Some(start);
        attempt.record.dispatched_at = Some(if is_cold { since.max(placed_at) } else { now });
        let function = attempt.record.function;
        if is_only_one {
            let ram = self.registry.function(function).limits.ram;
            self.books.metrics.container_no_longer_idle(ram, now);
            self.books.metrics.container_busy(ram, now);
            self.books.begin_phase(node, container, Phase::Run, function);
        }
        self.books.count_start(function, start);
        if self.policies.see_history() {
            self.count_start((key, function), node, start);
        }
        self.start_running(key, kernel)
    }

    /// A request leaves the instance that has served it, which serves the next that waits; or, if it takes no more requests and this
    /// was its last, ends, and why.
    pub(in crate::service) fn leave_instance(
        &mut self,
        seat: Seat,
        why: ContainerChange,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let (key, now) = (seat.instance, kernel.now());
        // It may have ended with its node.
        let Some(function) = self.instances.all.get(key).map(|instance| instance.function) else { return Ok(()) };
        if let Some(fleet) = self.instances.fleets.get_mut(&function) {
            fleet.advance(now);
            fleet.running -= 1;
        }
        let (instance, (serves_nobody, next)) = self.instances.change(key, |instance| {
            instance.serving -= 1;
            let (serves_nobody, next) = (instance.serving == 0, instance.queue.pop_front());
            instance.serving += u32::from(next.is_some());
            instance.requests += u64::from(next.is_some());
            (serves_nobody, next)
        })?;
        let is_over = serves_nobody && next.is_none() && matches!(instance.stage, InstanceStage::Stops(_));
        let again = instance.seat(key);
        if serves_nobody {
            let ram = self.registry.function(function).limits.ram;
            self.books.metrics.container_no_longer_busy(ram, now);
            self.books.metrics.container_idle(ram, now);
            self.books.begin_phase(seat.node, seat.container, Phase::Idle, function);
        }
        match (next, again) {
            (Some(next), Some(again)) => self.begin_in_instance(again, next, kernel)?,
            _ if is_over => self.remove_instance(key, why, kernel)?,
            _ => {}
        }
        self.serve_queue(function, kernel)
    }

    /// Gives those that wait for an instance of a function to those that have room.
    pub(super) fn serve_queue(&mut self, function: FunctionId, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        loop {
            let Some(fleet) = self.instances.fleets.get_mut(&function) else { return Ok(()) };
            if fleet.queue.is_empty() {
                return Ok(());
            }
            let Some(instance) = fleet.router.choose() else { return Ok(()) };
            fleet.advance(kernel.now());
            let Some(next) = fleet.queue.pop_front() else { return Ok(()) };
            self.send(instance, next, kernel)?;
        }
    }

    /// A request that waits for an instance of its function, perhaps at one, waits no longer.
    pub(in crate::service) fn leave_queue(
        &mut self,
        key: AttemptKey,
        function: FunctionId,
        at: Option<InstanceKey>,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let Some(fleet) = self.instances.fleets.get_mut(&function) else { return Ok(()) };
        fleet.advance(kernel.now());
        let Some(at) = at else {
            fleet.queue.retain(|(other, _)| *other != key);
            return Ok(());
        };
        fleet.running -= 1;
        self.instances.change(at, |instance| instance.queue.retain(|(other, _)| *other != key))?;
        self.serve_queue(function, kernel)
    }
}
