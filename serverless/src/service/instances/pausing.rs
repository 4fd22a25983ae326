//! Containers of instances of which fewer are wanted are paused, and taken by the next ones of their function.

use hearth_policy_api::ContainerChange;
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimDuration;

use super::InstanceKey;
use super::instance::{HowStarted, Instance, InstanceStage};
use crate::error::Error;
use crate::results::Phase;
use crate::service::Service;
use crate::service::event::{Event, Happening, Message};
use crate::service::explain::{Kind, Step, Timed};

impl Service {
    /// For how long the container of an instance that ends, and why, is paused, if it is.
    pub(super) fn keeps_paused(&self, instance: &Instance, why: ContainerChange) -> Option<SimDuration> {
        let pausing = self.instances.fleets.get(&instance.function)?.settings.paused.as_ref()?;
        let stays = instance.node().is_none_or(|node| !self.node_pools.is_draining(node));
        (stays && why == ContainerChange::Ended && !instance.is_starting()).then_some(pausing.keep_for)
    }

    /// An instance takes the container of its function that was paused last; false if there is none that it can take.
    pub(super) fn resume_instance(&mut self, key: InstanceKey, kernel: &mut Kernel<Event>) -> Result<bool, Box<Error>> {
        let (now, instances) = (kernel.now(), &mut self.instances);
        let Some(instance) = instances.all.get_mut(key) else { return Ok(false) };
        let function = instance.function;
        let Some(fleet) = instances.fleets.get_mut(&function).filter(|fleet| fleet.settings.paused.is_some()) else {
            return Ok(false);
        };
        let held = self.cluster.resume(function, &mut self.books, kernel);
        let Some(held) = held.map_err(|mistake| self.policies.error(mistake))? else { return Ok(false) };
        if let Some(resumed) = &mut self.books.metrics.resumed_instances {
            *resumed += 1;
        }
        self.books.metrics.begin_instance(self.registry.function(function).limits.ram, false, now);
        self.books.begin_phase(held.node(), held.id(), Phase::Prewarming, function);
        let whole = SimDuration::from_secs_f64(fleet.draw_resume());
        let time = self.cluster.node(held.node()).slowed(whole);
        let up = Event(Happening::Message(Message::InstanceReady(key)));
        (instance.start, instance.placed_at) = (HowStarted::Paused, Some(now));
        instance.stage = InstanceStage::Starts(held, kernel.schedule_cancellable(time, up));
        self.explain_step(key, Step::Takes(Timed::new(Kind::START, now, (whole, time))), now);
        Ok(true)
    }
}
