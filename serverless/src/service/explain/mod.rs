//! What the latency of invocations is made of. Whenever an attempt goes over from one thing to another, the time since the last time
//! is put down to what it was doing, so that the parts add up to the whole whatever it was (`settle`). Nothing of this is there unless
//! a run is explained, and then nothing of the simulation depends on it.

mod attempts;
mod clocks;
mod closures;
mod cold_starts;
mod faults;
mod instances;
mod progress;
mod settling;
mod sites;
mod telling;
mod timed;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimTime;
use slotmap::SecondaryMap;

use self::clocks::{Clocks, Standing};
use self::cold_starts::ColdStarts;
pub(super) use self::instances::Step;
use self::instances::Way;
pub(super) use self::progress::{Explained, Queued};
pub(super) use self::sites::Site;
use self::sites::{Move, Moving, Sites};
use self::telling::Teller;
pub(super) use self::timed::{Kind, Timed};
use super::Service;
use super::event::Event;
use super::instances::InstanceKey;
use crate::causes::{CauseTotals, Causes, ContainerEnd, Sought, Undone};
use crate::function::FunctionId;
use crate::invocation::InvocationRecord;
use crate::node::{ContainerId, NodeId};

/// What is known for explanations.
#[derive(Debug, Default)]
pub(crate) struct Explain {
    clocks: Clocks,
    /// Ends of bodies of which the head has not read.
    unread_ends: u64,
    sites: Sites,
    ways: SecondaryMap<InstanceKey, Way>,
    cold_starts: ColdStarts,
    totals: CauseTotals,
    /// What attempts had that have ended, as they had it: it goes on to others without being moved.
    #[expect(clippy::vec_box)]
    spare: Vec<Box<Explained>>,
    /// Whose stories are told.
    teller: Option<Teller>,
}

impl Explain {
    /// What a new attempt has, of which nothing is accounted for before a date.
    fn begin(&mut self, date: SimTime) -> Box<Explained> {
        let mut explained = self.spare.pop().unwrap_or_default();
        explained.begin(date, self.clocks.lasted());
        explained
    }

    /// An invocation has ended with an attempt: adds its causes up, and gives them if they are to be kept.
    fn end(&mut self, mut explained: Box<Explained>, record: &InvocationRecord, is_kept: bool) -> Option<Box<Causes>> {
        if let Some(telling) = explained.telling.take() {
            let causes = Some(Box::new(explained.causes.clone()));
            self.end_story(*telling, &InvocationRecord { causes, ..record.clone() });
        }
        let causes = &explained.causes;
        self.totals.add(causes, record.function, record.node, record.requested_at.unwrap_or_default());
        let kept = is_kept.then(|| Box::new(causes.clone()));
        self.spare.push(explained);
        kept
    }

    /// What one in the queue waits for to be moved, as far as that is known.
    fn moving_for(&self, explained: &Explained) -> Option<Timed> {
        let Moving { what, before, .. } = self.sites.get(explained.prepared?)?;
        match what {
            Move::Under(timed) => Some(*timed),
            Move::Arrived => *before,
        }
    }
}

impl Service {
    /// Explains nothing from now on.
    pub(crate) fn explain_nothing(&mut self) {
        self.explain = None;
        self.attempts.explain_nothing();
        self.cluster.note_no_ends();
    }

    /// Causes summed up, where a run is explained.
    pub(crate) fn take_cause_totals(&mut self) -> Option<CauseTotals> {
        self.explain.as_mut().map(|explain| std::mem::take(&mut explain.totals).finish())
    }

    /// Has something happen otherwise than in a run of the same scenario.
    pub(crate) fn undo(&mut self, undone: Undone) {
        match undone {
            Undone::ContainerEnd { node, container, at } => {
                self.cluster.spare(NodeId(node), ContainerId(container), at);
            }
            Undone::Fault { number, at } => self.recovery.faults.undo(number, at),
        }
    }

    /// Keeps such ends of containers.
    pub(crate) fn seek_ends(&mut self, sought: Sought) {
        self.cluster.seek_ends(sought);
    }

    /// Those there were.
    pub(crate) fn take_found_ends(&mut self) -> Vec<ContainerEnd> {
        self.cluster.take_found_ends()
    }

    /// Whether a run is explained.
    #[inline]
    pub(super) fn is_explained(&self) -> bool {
        self.explain.is_some()
    }

    /// Time has come to an event.
    #[inline]
    pub(super) fn note_date(&mut self, now: SimTime) {
        if let Some(explain) = &mut self.explain {
            explain.clocks.advance(now);
        }
    }

    /// An event has been handled: how things stand until the next.
    #[inline]
    pub(super) fn note_standing(&mut self, kernel: &Kernel<Event>) {
        let Some(explain) = &mut self.explain else { return };
        let standing = if !kernel.is_up(self.head.host()) {
            Standing::HeadDown
        } else if self.cluster.free_cores() == 0 && explain.unread_ends == 0 {
            Standing::CoresBusy
        } else if self.head.is_busy() {
            Standing::HeadBusy
        } else {
            Standing::Open
        };
        explain.clocks.stand(standing);
    }

    /// The body of an attempt has ended, and the head has not heard of it; or it has.
    #[inline]
    pub(super) fn note_unread_end(&mut self, is_there: bool) {
        if let Some(explain) = &mut self.explain {
            explain.unread_ends =
                if is_there { explain.unread_ends + 1 } else { explain.unread_ends.saturating_sub(1) };
        }
    }

    /// An invocation ends with an attempt, or never will: puts its causes into its record, if those are kept.
    #[inline]
    pub(super) fn explain_end(&mut self, key: super::attempts::AttemptKey) {
        let Some(explain) = &mut self.explain else { return };
        let Some(attempt) = self.attempts.get_mut(key) else { return };
        let Some(explained) = attempt.explained.take() else { return };
        attempt.record.causes = explain.end(explained, &attempt.record, self.books.recorder.is_some());
    }

    /// The simulation is over: explains those that have not ended up to its end.
    pub(super) fn explain_unfinished(&mut self, now: SimTime) {
        if self.explain.is_none() {
            return;
        }
        self.settle_all(now);
        let mut keys: Vec<_> =
            self.attempts.iter().map(|(key, attempt)| (attempt.record.invocation, attempt.number(), key)).collect();
        keys.sort_unstable();
        // Of two attempts beside each other the first stands for the invocation.
        keys.dedup_by_key(|(invocation, ..)| *invocation);
        keys.into_iter().for_each(|(.., key)| self.explain_end(key));
    }

    /// An instance is wanted, perhaps in the place of one whose start has failed.
    pub(super) fn explain_instance(&mut self, key: InstanceKey, function: FunctionId, failed: Option<InstanceKey>) {
        let Some(explain) = &mut self.explain else { return };
        let there = self.instances.count_of(function);
        let last = self.cluster.last_ended(function);
        let cold_start = explain.cold_starts.of_last_ended(function, there, last);
        explain.cold_starts.are_there(function, there);
        let failed_since = failed.and_then(|failed| explain.ways.get(failed)).and_then(Way::since);
        explain.ways.insert(key, Way::new(failed_since, cold_start));
    }

    /// An instance begins with a step of its way.
    #[inline]
    pub(super) fn explain_step(&mut self, key: InstanceKey, step: Step, now: SimTime) {
        if let Some(explain) = &mut self.explain
            && let Some(way) = explain.ways.get_mut(key)
        {
            way.step(step, now, explain.clocks.lasted());
        }
    }
}
