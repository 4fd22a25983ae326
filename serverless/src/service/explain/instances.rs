//! The ways of instances that start, for those that wait for one.

use hearth_simcore::kernel::Kernel;
use hearth_simcore::network::Endpoint;
use hearth_simcore::time::SimTime;

use super::clocks::Lasted;
use super::progress::Explained;
use super::sites::{Move, Site};
use super::timed::{Kind, Timed};
use crate::causes::{Cause, ColdStart};
use crate::node::NodeId;
use crate::service::Service;
use crate::service::event::Event;
use crate::service::instances::InstanceKey;

/// What an instance does from a date on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Something that has one cause.
    Is(Cause),
    /// Something that takes a time of its own.
    Takes(Timed),
}

/// The way of an instance from the wish for it until it takes requests.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// In the order of time, from the wish on, each with how long the states of the service had lasted when it began; the last is that
    /// it takes requests, if it does.
    steps: Vec<(SimTime, Lasted, Step)>,
    /// Why there was none before.
    pub cold_start: ColdStart,
    /// The phases of its start, in words, where a story is told.
    pub phases: String,
}

impl Way {
    /// One that is wanted from now on, perhaps in the place of one that has failed.
    pub fn new(failed_since: Option<(SimTime, Lasted)>, cold_start: ColdStart) -> Self {
        let steps = failed_since.map(|(since, lasted)| (since, lasted, Step::Is(Cause::FailedStart)));
        Self { steps: steps.into_iter().collect(), cold_start, phases: String::new() }
    }

    /// Since when it, or the first of those that have failed before it, was wanted.
    pub fn since(&self) -> Option<(SimTime, Lasted)> {
        self.steps.first().map(|(since, lasted, _)| (*since, *lasted))
    }

    /// It begins with a step.
    pub fn step(&mut self, step: Step, now: SimTime, lasted: Lasted) {
        self.steps.push((now, lasted, step));
    }

    /// What it does now, if that takes a time of its own.
    pub fn under_way(&mut self) -> Option<&mut Timed> {
        match self.steps.last_mut() {
            Some((.., Step::Takes(timed))) => Some(timed),
            _ => None,
        }
    }

    /// What one has waited for that is served by it, up to now.
    pub fn explain(&self, explained: &mut Explained, now: SimTime, lasted: Lasted) {
        let mut before = Step::Is(Cause::AutoscalerLag);
        let end = std::iter::once((now, lasted, Step::Is(Cause::InstancesBusy)));
        for (begins, lasted, step) in self.steps.iter().copied().chain(end) {
            if begins > explained.since() {
                match before {
                    Step::Is(cause) if cause.is_up_to_the_head() => explained.spend_at_head(cause, begins, lasted),
                    Step::Is(cause) => explained.spend(cause, begins, lasted),
                    Step::Takes(timed) => explained.spend_on(&timed, begins, lasted),
                }
            }
            before = step;
        }
    }
}

impl Service {
    /// An instance waits on a node for its image, which may be under way.
    pub(in crate::service) fn explain_awaiting_image(&mut self, key: InstanceKey, site: Site, now: SimTime) {
        let Some(explain) = &self.explain else { return };
        let step = match explain.sites.get(site).map(|moving| moving.what) {
            Some(Move::Under(timed)) => Step::Takes(timed),
            Some(Move::Arrived) => Step::Is(Cause::HeadQueue),
            None => Step::Is(Cause::ImageBlocked),
        };
        self.explain_step(key, step, now);
    }

    /// What the phases of the start of an instance are, in words.
    pub(in crate::service) fn explain_phases(&mut self, key: InstanceKey, phases: String) {
        if let Some(way) = self.explain.as_mut().and_then(|explain| explain.ways.get_mut(key)) {
            way.phases = phases;
        }
    }

    /// What an instance is restored from is read.
    pub(in crate::service) fn explain_snapshot(
        &mut self,
        key: InstanceKey,
        ends: (Endpoint, Endpoint),
        bytes: u64,
        kernel: &mut Kernel<Event>,
    ) {
        if self.explain.is_some()
            && let Ok(alone) = kernel.time_alone(ends.0, ends.1, bytes)
        {
            let timed = Timed::transfer(Kind::SNAPSHOT, kernel.now(), alone, ends, bytes);
            self.explain_step(key, Step::Takes(timed), kernel.now());
        }
    }

    /// The container of an instance computes before it is up.
    pub(in crate::service) fn explain_startup_of_instance(&mut self, key: InstanceKey, node: NodeId, now: SimTime) {
        let Some(function) = self.instances.function_of(key).filter(|_| self.explain.is_some()) else { return };
        if let Some(work) = self.cluster.startup_work(function) {
            let timed = self.computing(Kind::START, node, (work.flops, work.limit), now);
            self.explain_step(key, Step::Takes(timed), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_simcore::time::SimDuration;

    use super::*;
    use crate::causes::ColdStartCause;

    #[test]
    fn who_comes_in_between_waits_for_the_rest() {
        let (at, up) = (SimTime::from_nanos, Lasted::default());
        let mut way = Way::new(None, ColdStart::of(ColdStartCause::First));
        way.step(Step::Is(Cause::ControlPlane), at(10), up);
        way.step(Step::Is(Cause::ContainerStart), at(14), up);
        way.step(Step::Is(Cause::InstancesBusy), at(20), up);
        let of = |since: u64| {
            let mut explained = Explained::default();
            explained.begin(at(since), Lasted::default());
            way.explain(&mut explained, at(30), Lasted::default());
            explained.causes.parts.iter().map(|(cause, length)| (cause, length.as_nanos())).collect::<Vec<_>>()
        };
        use Cause::{AutoscalerLag, ContainerStart, ControlPlane, InstancesBusy};
        assert_eq!(of(3), [(InstancesBusy, 10), (AutoscalerLag, 7), (ControlPlane, 4), (ContainerStart, 6)]);
        assert_eq!(of(12), [(InstancesBusy, 10), (ControlPlane, 2), (ContainerStart, 6)]);
        assert_eq!(of(25), [(InstancesBusy, 5)]);
    }

    #[test]
    fn what_the_head_is_to_do_is_not_done_while_it_is_down() {
        let at = SimTime::from_nanos;
        let down = |nanos| Lasted { head_down: SimDuration::from_nanos(nanos), ..Lasted::default() };
        let mut way = Way::new(None, ColdStart::of(ColdStartCause::First));
        // Down from 4 to 6, from 16 to 19 and from 22 to 26.
        way.step(Step::Is(Cause::ContainerStart), at(10), down(2));
        way.step(Step::Is(Cause::HeadQueue), at(14), down(2));
        way.step(Step::Is(Cause::InstancesBusy), at(20), down(5));
        let of = |since: u64, lasted: u64| {
            let mut explained = Explained::default();
            explained.begin(at(since), down(lasted));
            way.explain(&mut explained, at(30), down(9));
            explained.causes.parts.iter().map(|(cause, length)| (cause, length.as_nanos())).collect::<Vec<_>>()
        };
        use Cause::{AutoscalerLag, ContainerStart, HeadDown, HeadQueue, InstancesBusy};
        let parts = [(HeadDown, 9), (HeadQueue, 3), (InstancesBusy, 6), (AutoscalerLag, 8), (ContainerStart, 4)];
        assert_eq!(of(0, 0), parts);
        assert_eq!(of(17, 3), [(HeadDown, 6), (HeadQueue, 1), (InstancesBusy, 6)]);
    }
}
