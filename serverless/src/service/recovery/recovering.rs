//! How long it takes after a fault until nobody waits who would not have waited without it.

use hearth_simcore::time::SimTime;

use crate::service::Service;

/// A fault of which the queue has not recovered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recovering {
    /// Its number in the plan.
    number: u32,
    began: SimTime,
    /// How many waited then.
    waiting: u64,
    is_over: bool,
}

impl Service {
    /// A fault begins that will end.
    pub(crate) fn await_recovery(&mut self, number: u32, now: SimTime) {
        self.recovery.recovering.push(Recovering {
            number,
            began: now,
            waiting: self.attempts.counts().waiting,
            is_over: false,
        });
    }

    /// A fault is over: from now on the queue may be as short as before.
    pub(crate) fn begin_recovery(&mut self, number: u32) {
        let ended = self.recovery.recovering.iter_mut().filter(|fault| fault.number == number);
        ended.for_each(|fault| fault.is_over = true);
    }

    /// Notes of which faults the queue has recovered.
    pub(crate) fn note_recoveries(&mut self, now: SimTime) {
        let (waiting, metrics) = (self.attempts.counts().waiting, &mut self.books.metrics);
        self.recovery.recovering.retain(|fault| {
            let is_recovered = fault.is_over && waiting <= fault.waiting;
            if is_recovered {
                metrics.time_to_recover.add(now - fault.began);
            }
            !is_recovered
        });
    }
}
