//! Sums over the invocations that have ended.

use hearth_simcore::time::{SimDuration, SimTime};

use super::{FunctionMetrics, Precise, RequestSet};
use crate::function::FunctionId;
use crate::invocation::{InvocationRecord, Outcome, Start};

/// What is counted of an invocation that has ended, or never will.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndedInvocation {
    invocation: u64,
    requested_at: Option<SimTime>,
    dispatched_at: Option<SimTime>,
    started_at: Option<SimTime>,
    finished_at: Option<SimTime>,
    function: FunctionId,
    outcome: Outcome,
    start: Option<Start>,
}

impl From<&InvocationRecord> for EndedInvocation {
    #[inline]
    fn from(record: &InvocationRecord) -> Self {
        let &InvocationRecord { invocation, requested_at, dispatched_at, started_at, finished_at, .. } = record;
        let &InvocationRecord { function, outcome, start, .. } = record;
        Self { invocation, requested_at, dispatched_at, started_at, finished_at, function, outcome, start }
    }
}

/// The sums. All are of whole numbers, so the order of adding does not matter.
#[derive(Debug)]
pub(super) struct Tally {
    pub not_completed: RequestSet,
    pub not_started: RequestSet,
    pub started_cold: RequestSet,
    pub latency: Precise,
    pub waiting: Precise,
    pub slowdown: Precise,
    pub cold_start_delay: Precise,
    pub within_deadline: u64,
    pub last_finish: SimTime,
    /// By number; of their starts nothing is counted here.
    pub functions: Vec<FunctionMetrics>,
    groups: Groups,
}

/// The position of nothing.
const NONE: u32 = u32::MAX;

/// Which positions of a batch are of which function, as a list for each: sorting would cost ten times as much.
#[derive(Debug, Default)]
struct Groups {
    /// Functions that are in the batch.
    present: Vec<u32>,
    /// By function: its first position.
    first: Vec<u32>,
    /// By position: the next one of the same function.
    next: Vec<u32>,
}

impl Groups {
    fn group(&mut self, batch: &[EndedInvocation], functions: usize) {
        self.first.resize(functions, NONE);
        self.next.resize(batch.len(), NONE);
        for (position, ended) in batch.iter().enumerate().rev() {
            let first = &mut self.first[ended.function.0 as usize];
            if *first == NONE {
                self.present.push(ended.function.0);
            }
            self.next[position] = std::mem::replace(first, position as u32);
        }
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            not_completed: RequestSet::default(),
            not_started: RequestSet::default(),
            started_cold: RequestSet::default(),
            latency: Precise::default(),
            waiting: Precise::default(),
            slowdown: Precise::from_one(),
            cold_start_delay: Precise::default(),
            within_deadline: 0,
            last_finish: SimTime::ZERO,
            functions: Vec::new(),
            groups: Groups::default(),
        }
    }
}

/// In billionths.
fn ratio(of: SimDuration, to: SimDuration) -> u64 {
    const ONE: u64 = 1_000_000_000;
    // Nearly always so, and divisions are slow.
    if of == to { ONE } else { (of.as_nanos() as f64 / to.as_nanos() as f64 * ONE as f64) as u64 }
}

impl Tally {
    /// Adds a batch, one function after the other: what is kept of each is a kilobyte or more, which is fetched once for all of
    /// its invocations.
    pub fn fold(&mut self, batch: &[EndedInvocation]) {
        let mut groups = std::mem::take(&mut self.groups);
        groups.group(batch, self.functions.len());
        for function in groups.present.drain(..) {
            let mut position = std::mem::replace(&mut groups.first[function as usize], NONE);
            while let Some(ended) = batch.get(position as usize) {
                self.add(ended);
                position = groups.next[position as usize];
            }
        }
        self.groups = groups;
    }

    fn add(&mut self, ended: &EndedInvocation) {
        let function = &mut self.functions[ended.function.0 as usize];
        function.outcomes[ended.outcome as usize] += 1;
        if let Some(finished) = ended.finished_at {
            self.last_finish = self.last_finish.max(finished);
        }
        // Those to whom it did not happen are few, or they are what matters.
        if ended.outcome != Outcome::Completed {
            self.not_completed.add(ended.invocation);
        }
        if ended.started_at.is_none() {
            self.not_started.add(ended.invocation);
        }
        let Some(requested) = ended.requested_at else { return };
        let completed = ended.finished_at.filter(|_| ended.outcome == Outcome::Completed);
        let latency = completed.map(|finished| finished - requested);
        if let Some(latency) = latency {
            self.latency.add(latency);
            function.latency.add(latency);
            self.within_deadline += u64::from(latency <= function.deadline);
        }
        let Some(started) = ended.started_at else { return };
        self.waiting.add(started - requested);
        function.waiting.add(started - requested);
        if let (Some(latency), Some(finished)) = (latency, completed)
            && finished > started
        {
            let slowdown = ratio(latency, finished - started);
            self.slowdown.add_billionths(slowdown);
            function.slowdown.add_billionths(slowdown);
        }
        if let (Some(Start::Cold), Some(dispatched)) = (ended.start, ended.dispatched_at) {
            self.started_cold.add(ended.invocation);
            self.cold_start_delay.add(started - dispatched);
            function.cold_start_delay.add(started - dispatched);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Distribution;

    fn folded(records: &[InvocationRecord]) -> Tally {
        let mut tally = Tally::default();
        tally.functions.resize_with(2, FunctionMetrics::default);
        tally.fold(&records.iter().map(EndedInvocation::from).collect::<Vec<_>>());
        tally
    }

    #[test]
    fn an_invocation_counts_with_all_and_with_its_function() {
        let mut record = InvocationRecord::new(0, FunctionId(1));
        let at = |seconds| Some(SimTime::from_secs_f64(seconds));
        (record.requested_at, record.dispatched_at, record.started_at) = (at(1.0), at(2.0), at(3.0));
        (record.finished_at, record.start, record.outcome) = (at(5.0), Some(Start::Cold), Outcome::Completed);
        let tally = folded(&[record]);
        let all = [&tally.latency, &tally.waiting, &tally.slowdown, &tally.cold_start_delay];
        assert_eq!(all.map(Distribution::max), [4.0, 2.0, 2.0, 1.0]);
        let function = &tally.functions[1];
        let its = [&function.latency, &function.waiting, &function.slowdown, &function.cold_start_delay];
        assert_eq!(its.map(Distribution::max), [4.0, 2.0, 2.0, 1.0]);
        assert_eq!((function.outcome(Outcome::Completed), function.invocations()), (1, 1));
        assert_eq!(tally.functions[0].invocations(), 0);
    }

    #[test]
    fn what_did_not_happen_is_not_counted() {
        let mut record = InvocationRecord::new(0, FunctionId(0));
        (record.requested_at, record.finished_at) = (Some(SimTime::ZERO), Some(SimTime::ZERO));
        record.outcome = Outcome::Rejected;
        let counts = |tally: &Tally| {
            [&tally.latency, &tally.waiting, &tally.slowdown, &tally.cold_start_delay].map(Distribution::count)
        };
        assert_eq!(counts(&folded(&[record.clone()])), [0; 4]);
        // A body that takes no time has no slowdown, a warm start no delay.
        let mut second = record.clone();
        (second.started_at, second.dispatched_at) = (Some(SimTime::ZERO), Some(SimTime::ZERO));
        (second.start, second.outcome) = (Some(Start::Warm), Outcome::Completed);
        assert_eq!(counts(&folded(&[record, second])), [1, 1, 0, 0]);
    }
}
