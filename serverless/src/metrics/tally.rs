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

impl EndedInvocation {
    /// Its latency and its end, if it completed, waited for nothing, and ran for some time in a container that was there. So
    /// it is with most.
    #[inline]
    fn prompt(&self) -> Option<(SimDuration, SimTime)> {
        let is_warm = self.start == Some(Start::Warm) && self.outcome == Outcome::Completed;
        let (Some(requested), Some(started), Some(finished), true) =
            (self.requested_at, self.started_at, self.finished_at, is_warm)
        else {
            return None;
        };
        (requested == started && finished > started).then(|| (finished - requested, finished))
    }
}

/// The sums. All are of whole numbers, so the order of adding does not matter. Some are known once it is
/// [settled](Tally::settle).
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub all: Sums,
    /// By number; of their starts nothing is counted here.
    pub functions: Vec<FunctionMetrics>,
    groups: Groups,
}

/// The sums over all functions.
#[derive(Debug)]
pub(super) struct Sums {
    pub not_completed: RequestSet,
    pub not_started: RequestSet,
    pub started_cold: RequestSet,
    pub latency: Precise,
    pub waiting: Precise,
    pub slowdown: Precise,
    pub cold_start_delay: Precise,
    pub within_deadline: u64,
    beyond_deadline: u64,
    /// Whether a function has a deadline. Mostly none has, and where it stands need not be fetched.
    has_deadlines: bool,
    pub last_finish: SimTime,
}

impl Default for Sums {
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
            beyond_deadline: 0,
            has_deadlines: false,
            last_finish: SimTime::ZERO,
        }
    }
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

/// In billionths.
fn ratio(of: SimDuration, to: SimDuration) -> u64 {
    const ONE: u64 = 1_000_000_000;
    // Nearly always so, and divisions are slow.
    if of == to { ONE } else { (of.as_nanos() as f64 / to.as_nanos() as f64 * ONE as f64) as u64 }
}

impl Tally {
    /// The next function, whose invocations are expected to end within a time.
    pub fn add_function(&mut self, deadline: SimDuration) {
        self.all.has_deadlines |= deadline < SimDuration::MAX;
        self.functions.push(FunctionMetrics { deadline, ..FunctionMetrics::default() });
    }

    /// Adds a batch, one function after the other, so that what is kept of each is fetched once for all of its invocations.
    pub fn fold(&mut self, batch: &[EndedInvocation]) {
        let Self { all, functions, groups } = self;
        groups.group(batch, functions.len());
        for number in groups.present.drain(..) {
            let function = &mut functions[number as usize];
            let mut position = std::mem::replace(&mut groups.first[number as usize], NONE);
            while let Some(ended) = batch.get(position as usize) {
                all.add(ended, function);
                position = groups.next[position as usize];
            }
        }
    }

    /// Works out what need not be counted one by one.
    pub fn settle(&mut self) {
        let Self { all, functions, .. } = self;
        functions.iter_mut().for_each(FunctionMetrics::count_prompt);
        let functions = functions.iter();
        all.latency.take_totals(functions.clone().map(|function| &function.latency));
        all.waiting.take_totals(functions.clone().map(|function| &function.waiting));
        all.slowdown.take_totals(functions.clone().map(|function| &function.slowdown));
        all.cold_start_delay.take_totals(functions.map(|function| &function.cold_start_delay));
        all.within_deadline = all.latency.count() - all.beyond_deadline;
    }
}

impl Sums {
    #[inline]
    fn add(&mut self, ended: &EndedInvocation, function: &mut FunctionMetrics) {
        match ended.prompt() {
            // The rest follows from that.
            Some((latency, finished)) => {
                self.last_finish = self.last_finish.max(finished);
                self.add_latency(latency, function);
            }
            None => self.add_in_full(ended, function),
        }
    }

    #[inline(always)]
    fn add_latency(&mut self, latency: SimDuration, function: &mut FunctionMetrics) {
        self.latency.place(latency);
        function.latency.add(latency);
        if self.has_deadlines {
            self.beyond_deadline += u64::from(latency > function.deadline);
        }
    }

    #[inline(never)]
    fn add_in_full(&mut self, ended: &EndedInvocation, function: &mut FunctionMetrics) {
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
            self.add_latency(latency, function);
            function.in_full += 1;
        }
        let Some(started) = ended.started_at else { return };
        self.waiting.place(started - requested);
        function.waiting.add(started - requested);
        if let (Some(latency), Some(finished)) = (latency, completed)
            && finished > started
        {
            let slowdown = ratio(latency, finished - started);
            self.slowdown.place_billionths(slowdown);
            function.slowdown.add_billionths(slowdown);
        }
        if let (Some(Start::Cold), Some(dispatched)) = (ended.start, ended.dispatched_at) {
            self.started_cold.add(ended.invocation);
            self.cold_start_delay.place(started - dispatched);
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
        (0..2).for_each(|_| tally.add_function(SimDuration::MAX));
        tally.fold(&records.iter().map(EndedInvocation::from).collect::<Vec<_>>());
        tally.settle();
        tally
    }

    #[test]
    fn an_invocation_counts_with_all_and_with_its_function() {
        let mut record = InvocationRecord::new(0, FunctionId(1));
        let at = |seconds| Some(SimTime::from_secs_f64(seconds));
        (record.requested_at, record.dispatched_at, record.started_at) = (at(1.0), at(2.0), at(3.0));
        (record.finished_at, record.start, record.outcome) = (at(5.0), Some(Start::Cold), Outcome::Completed);
        let tally = folded(&[record]);
        let all = [&tally.all.latency, &tally.all.waiting, &tally.all.slowdown, &tally.all.cold_start_delay];
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
            [&tally.all.latency, &tally.all.waiting, &tally.all.slowdown, &tally.all.cold_start_delay]
                .map(Distribution::count)
        };
        assert_eq!(counts(&folded(&[record.clone()])), [0; 4]);
        // A body that takes no time has no slowdown, a warm start no delay.
        let mut second = record.clone();
        (second.started_at, second.dispatched_at) = (Some(SimTime::ZERO), Some(SimTime::ZERO));
        (second.start, second.outcome) = (Some(Start::Warm), Outcome::Completed);
        assert_eq!(counts(&folded(&[record, second])), [1, 1, 0, 0]);
    }
}
