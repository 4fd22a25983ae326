//! Starts that come to nothing, and what is done about them: another instance is begun in the place of one that has failed, after a
//! pause that grows with those that have failed there in a row.

use hearth_policy_api::ContainerChange;
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimDuration;

use super::InstanceKey;
use super::instance::InstanceStage;
use crate::error::Error;
use crate::function::FunctionId;
use crate::service::Service;
use crate::service::event::{Event, Happening};

impl Service {
    /// The start of an instance has come to nothing: it ends, and another one waits in its place.
    pub(super) fn start_failed(&mut self, key: InstanceKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(instance) = self.instances.all.get(key) else { return Ok(()) };
        let (function, failures) = (instance.function, instance.failures.saturating_add(1));
        if let Some(failed) = &mut self.books.metrics.failed_starts {
            *failed += 1;
        }
        self.end_instance(key, ContainerChange::Crashed, kernel)?;
        self.back_off((key, function), failures, kernel);
        Ok(())
    }

    /// An instance is wanted in the place of some that have failed, and begun after a pause. That keeps the simulation going only while
    /// somebody is under way, or once somebody comes: where all starts fail it would never end.
    fn back_off(&mut self, (failed, function): (InstanceKey, FunctionId), failures: u32, kernel: &mut Kernel<Event>) {
        let now = kernel.now();
        let Some(key) = self.instances.add(function, now) else { return };
        self.explain_instance(key, function, Some(failed));
        let Some(fleet) = self.instances.fleets.get_mut(&function) else { return };
        let until = now
            + fleet.settings.start_failure.as_ref().map_or(SimDuration::ZERO, |failure| failure.pauses.after(failures));
        let again = Event(Happening::InstanceTriesAgain(key));
        let timer = if self.attempts.len() > 0 {
            Some(kernel.schedule_cancellable(until.since(now), again))
        } else {
            fleet.tried_in_background.insert(key);
            kernel.schedule_in_background(until, again);
            None
        };
        if let Some(instance) = self.instances.all.get_mut(key) {
            (instance.failures, instance.stage) = (failures, InstanceStage::BacksOff(until, timer));
        }
    }

    /// Somebody has come who may wait for instances that are to be tried again: that keeps the simulation going now.
    pub(super) fn await_those_tried_again(&mut self, function: FunctionId, kernel: &mut Kernel<Event>) {
        let Some(fleet) = self.instances.fleets.get_mut(&function) else { return };
        for key in std::mem::take(&mut fleet.tried_in_background) {
            if let Some(instance) = self.instances.all.get_mut(key)
                && let InstanceStage::BacksOff(until, timer) = &mut instance.stage
            {
                let again = Event(Happening::InstanceTriesAgain(key));
                *timer = Some(kernel.schedule_cancellable(until.since(kernel.now()), again));
            }
        }
    }

    /// The pause is over after which an instance is begun, which may be gone, or begun already.
    pub(in crate::service) fn try_instance_again(
        &mut self,
        key: InstanceKey,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let Some(instance) = self.instances.all.get_mut(key) else { return Ok(()) };
        let InstanceStage::BacksOff(..) = instance.stage else { return Ok(()) };
        if let Some(fleet) = self.instances.fleets.get_mut(&instance.function) {
            fleet.tried_in_background.remove(&key);
        }
        self.begin_instance(key, kernel)
    }
}
