//! How instances end: because fewer are wanted, because they crash, and with their nodes.

use hearth_policy_api::ContainerChange;
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimDuration;

use super::InstanceKey;
use super::control_plane::Which;
use super::instance::InstanceStage;
use crate::cluster::HeldContainer;
use crate::error::Error;
use crate::node::NodeId;
use crate::results::InstanceRecord;
use crate::service::Service;
use crate::service::attempts::AttemptKey;
use crate::service::event::{Event, Happening, Message};

impl Service {
    /// An instance that takes no more requests has none any more: it is removed or paused, which may take time, unless it has failed.
    pub(super) fn remove_instance(
        &mut self,
        key: InstanceKey,
        why: ContainerChange,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let Some(instance) = self.instances.all.get_mut(key) else { return Ok(()) };
        let fleet = self.instances.fleets.get_mut(&instance.function);
        let time = fleet.map_or(0.0, super::fleet::Fleet::draw_removal);
        if time == 0.0 || why != ContainerChange::Ended {
            return self.end_instance(key, why, kernel);
        }
        if let InstanceStage::Stops(held) = std::mem::replace(&mut instance.stage, InstanceStage::Ended) {
            let over = Event(Happening::InstanceAdvances(key));
            let time = SimDuration::from_secs_f64(time);
            instance.stage = InstanceStage::Leaves(held, kernel.schedule_cancellable(time, over));
        }
        Ok(())
    }

    /// Writes of the instances that have not ended.
    pub(in crate::service) fn write_remaining_instances(&mut self) -> Result<(), Error> {
        let mut remaining: Vec<InstanceRecord> =
            self.instances.all.iter().map(|(_, instance)| instance.record()).collect();
        remaining.sort_unstable_by_key(|instance| instance.number);
        remaining.iter().try_for_each(|instance| self.books.write_instance(instance))
    }

    /// An instance ends, and why: one that serves nobody, or whose requests are lost. It is gone then.
    pub(super) fn end_instance(
        &mut self,
        key: InstanceKey,
        why: ContainerChange,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let Some(instance) = self.instances.all.get(key) else { return Ok(()) };
        let keep_for = self.keeps_paused(instance, why);
        if let Some(held) = self.end_without_container(key, why, kernel)? {
            match keep_for {
                Some(keep_for) => self.keep(held, keep_for, kernel),
                None => self.cluster.end(held, why, &mut self.books, kernel),
            }
        }
        // What it held is free for those who wait.
        self.head.receive(Message::Changed);
        Ok(())
    }

    /// The same but for its container, if it has one, which goes on or is to be ended.
    pub(super) fn end_without_container(
        &mut self,
        key: InstanceKey,
        why: ContainerChange,
        kernel: &mut Kernel<Event>,
    ) -> Result<Option<HeldContainer>, Box<Error>> {
        let Some(mut instance) = self.instances.all.remove(key) else { return Ok(None) };
        let now = kernel.now();
        let is_pod = self.instances.fleets.get(&instance.function).is_some_and(|fleet| fleet.is_pool);
        let is_drained = instance.node().is_some_and(|node| self.node_pools.is_draining(node));
        let why_in_words = match why {
            // Nobody is in a container that starts, with whom it could crash.
            ContainerChange::Crashed if instance.is_starting() => "failed",
            ContainerChange::Crashed => "crashed",
            ContainerChange::Lost => "lost",
            _ if self.keeps_paused(&instance, why).is_some() => "paused",
            _ if is_pod && !is_drained => "taken",
            _ => "scaled",
        };
        let record = InstanceRecord { ended_at: Some(now), why: Some(why_in_words), ..instance.record() };
        self.books.write_instance(&record)?;
        let (function, load) = (instance.function, instance.load());
        let ram = self.registry.function(function).limits.ram;
        let open = instance.as_open(key);
        let (was_ready, was_starting) = (instance.is_ready(), instance.is_starting());
        if let Some(fleet) = self.instances.fleets.get_mut(&function) {
            fleet.members.remove(&instance.number);
            fleet.starting -= u32::from(was_starting);
            fleet.ready -= u32::from(was_ready);
            fleet.stopping -= u32::from(!was_ready && !was_starting);
            if was_ready && load < fleet.settings.capacity() {
                fleet.router.close(load, open);
            }
        }
        let stations = &mut self.instances.stations;
        let held = match std::mem::replace(&mut instance.stage, InstanceStage::Ended) {
            InstanceStage::BacksOff(_, timer) => {
                if let Some(timer) = timer {
                    kernel.cancel(timer);
                }
                if let Some(fleet) = self.instances.fleets.get_mut(&function) {
                    fleet.tried_in_background.remove(&key);
                }
                None
            }
            InstanceStage::Searches(_, over) => {
                kernel.cancel(over);
                None
            }
            InstanceStage::AwaitsCreation => {
                stations.forget(Which::Creation, key);
                None
            }
            InstanceStage::IsCreated(over) => {
                kernel.cancel(over);
                stations.leave(Which::Creation);
                self.call_to_creation(kernel);
                None
            }
            InstanceStage::AwaitsNode => {
                self.instances.awaiting_node.remove(function, instance.number, key);
                None
            }
            InstanceStage::AwaitsImage(promise) => {
                if let Some(image) = self.registry.function(function).image {
                    self.instances.no_longer_bound(key, promise.node(), image);
                }
                self.cluster.redeem(promise);
                None
            }
            InstanceStage::AwaitsAgent(held) => {
                stations.forget(Which::AgentOf(held.node()), key);
                Some(held)
            }
            InstanceStage::WithAgent(held, over) => {
                let node = held.node();
                kernel.cancel(over);
                stations.leave(Which::AgentOf(node));
                self.call_to_agent(node, kernel);
                Some(held)
            }
            InstanceStage::Reads(held, reads, _) => {
                kernel.cancel_activity(reads);
                Some(held)
            }
            InstanceStage::Starts(held, over) => {
                kernel.cancel(over);
                Some(held)
            }
            InstanceStage::Leaves(held, over) => {
                kernel.cancel(over);
                Some(held)
            }
            InstanceStage::Computes(held) | InstanceStage::Ready(held) | InstanceStage::Stops(held) => Some(held),
            InstanceStage::Ended => None,
        };
        if held.is_some() {
            match (was_starting, instance.serving) {
                (true, _) => self.books.metrics.end_prewarming(ram, now),
                (false, 0) => self.books.metrics.container_no_longer_idle(ram, now),
                (false, _) => self.books.metrics.container_no_longer_busy(ram, now),
            }
            if !was_starting && !is_pod {
                self.books.metrics.instance_down(now);
            }
        }
        Ok(held)
    }

    /// The instances that have a place on a node, the oldest first.
    pub(super) fn instances_on(&self, node: NodeId) -> Vec<InstanceKey> {
        let here = self.instances.all.iter().filter(|(_, instance)| instance.node() == Some(node));
        let mut here: Vec<(u64, InstanceKey)> = here.map(|(key, instance)| (instance.number, key)).collect();
        here.sort_unstable();
        here.into_iter().map(|(_, key)| key).collect()
    }

    /// A node has failed: its instances take no more requests, and those that have waited at them wait for others.
    pub(in crate::service) fn close_instances_on(
        &mut self,
        node: NodeId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        self.instances_on(node).into_iter().rev().try_for_each(|key| self.close_instance(key, kernel))
    }

    /// Its instances are lost, whose requests have been taken out. Others are wanted in their place.
    pub(in crate::service) fn lose_instances_on(
        &mut self,
        node: NodeId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let here = self.instances_on(node);
        here.into_iter().try_for_each(|key| self.end_instance(key, ContainerChange::Lost, kernel))?;
        self.replace_lost_instances(kernel)
    }

    /// The container crashes of the instance in which an attempt is, if it is in one: the others that are in it.
    pub(in crate::service) fn crash_instance_of(
        &mut self,
        key: AttemptKey,
        kernel: &mut Kernel<Event>,
    ) -> Result<Vec<AttemptKey>, Box<Error>> {
        let seat = self.attempts.get(key).and_then(|attempt| attempt.seat());
        let Some((node, instance)) = seat.map(|seat| (seat.node, seat.instance)) else { return Ok(Vec::new()) };
        self.close_instance(instance, kernel)?;
        let mut there = self.attempts.in_instance(node, instance);
        there.retain(|other| *other != key);
        Ok(there)
    }

    /// An instance takes no more requests, and those that wait at it go back into the queue, before those that came later.
    fn close_instance(&mut self, key: InstanceKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(function) = self.instances.all.get(key).map(|instance| instance.function) else { return Ok(()) };
        let waiting = self.instances.take_queue(key)?;
        if let Some(fleet) = self.instances.fleets.get_mut(&function) {
            fleet.advance(kernel.now());
            fleet.running -= waiting.len() as u64;
            waiting.iter().rev().for_each(|next| fleet.queue.push_front(*next));
        }
        waiting.into_iter().try_for_each(|(other, _)| self.attempts.await_instance(other, None))?;
        self.instances.stop(key);
        Ok(())
    }
}
