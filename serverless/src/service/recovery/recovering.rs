//! How long it takes after a fault until nobody waits who would not have waited without it.

use std::collections::{BTreeMap, BinaryHeap};

use hearth_simcore::time::SimTime;

use crate::service::Service;

/// Faults of which the queue has not recovered.
#[derive(Debug, Default)]
pub(crate) struct Recoveries {
    /// Those that last, by number in the plan.
    lasting: BTreeMap<u32, Shortened>,
    /// Those that are over. The queue recovers first of what found the longest one.
    over: BinaryHeap<Shortened>,
}

/// What the queue was when a fault began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Shortened {
    /// How many waited then.
    waiting: u64,
    began: SimTime,
}

impl Recoveries {
    /// Whether a fault is over of which the queue has not recovered.
    #[inline]
    pub fn is_any_awaited(&self) -> bool {
        !self.over.is_empty()
    }

    /// How many faults there are of which it has not recovered.
    pub fn count(&self) -> u64 {
        (self.lasting.len() + self.over.len()) as u64
    }

    /// A fault that is over of which the queue has recovered when so many wait.
    fn pop_recovered(&mut self, waiting: u64) -> Option<Shortened> {
        self.over.peek().filter(|fault| waiting <= fault.waiting)?;
        self.over.pop()
    }
}

impl Service {
    /// A fault begins that will end.
    pub(crate) fn await_recovery(&mut self, number: u32, began: SimTime) {
        let waiting = self.attempts.counts().waiting;
        self.recovery.recoveries.lasting.insert(number, Shortened { waiting, began });
    }

    /// A fault is over: from now on the queue may be as short as before.
    pub(crate) fn begin_recovery(&mut self, number: u32) {
        let recoveries = &mut self.recovery.recoveries;
        recoveries.over.extend(recoveries.lasting.remove(&number));
    }

    /// Notes of which faults the queue has recovered.
    pub(crate) fn note_recoveries(&mut self, now: SimTime) {
        let waiting = self.attempts.counts().waiting;
        while let Some(fault) = self.recovery.recoveries.pop_recovered(waiting) {
            self.books.metrics.time_to_recover.add(now - fault.began);
        }
    }
}
