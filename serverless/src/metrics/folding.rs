//! Invocations that have ended wait in a batch, which is folded into the sums when it is full: where the simulation runs, or
//! by a worker beside it. The sums are the same.

use std::panic::resume_unwind;

use hearth_simcore::time::SimDuration;

use super::Metrics;
use super::tally::{EndedInvocation, Tally};
use crate::function::FunctionId;
use crate::invocation::{InvocationRecord, Start};
use crate::worker::{Pending, Worker};

/// Enough that those of one function meet, and few enough for a cache.
const BATCH: usize = 1024;
/// So many batches are folded where the simulation runs, before a thread is worth its start.
const FOLDED_HERE: u32 = 4;

/// Sums, and a batch that is empty.
type Folded = (Box<Tally>, Vec<EndedInvocation>);

#[derive(Debug)]
enum Sums {
    Here(Box<Tally>),
    /// The worker adds a batch to them.
    Beside(Pending<Folded>),
}

impl Default for Sums {
    fn default() -> Self {
        Self::Here(Box::default())
    }
}

/// What is counted of invocations and functions while a simulation runs, and not looked at before its end.
#[derive(Debug, Default)]
pub(crate) struct Folding {
    batch: Vec<EndedInvocation>,
    sums: Sums,
    /// How many batches have been full.
    batches: u32,
    worker: Option<Worker>,
    /// Of each function, dispatches to new containers and to idle ones. These are counted one by one, so they do not lie with
    /// the other sums.
    starts: Vec<[u64; 2]>,
}

impl Folding {
    /// Has a worker do it, as soon as there has been more than a little.
    pub fn set_worker(&mut self, worker: Worker) {
        self.worker = Some(worker);
    }

    /// The next function, whose invocations are expected to end within a time.
    pub fn add_function(&mut self, deadline: SimDuration) {
        self.starts.push([0; 2]);
        let mut tally = self.bring_back().0;
        tally.add_function(deadline);
        self.sums = Sums::Here(tally);
    }

    /// One that has counted the same dispatches and no invocation, of functions with these deadlines: for sums while others go on.
    pub fn begun_anew(&self, deadlines: impl Iterator<Item = Option<SimDuration>>) -> Self {
        let mut anew = Self::default();
        deadlines.for_each(|deadline| anew.add_function(deadline.unwrap_or(SimDuration::MAX)));
        anew.starts.clone_from(&self.starts);
        anew
    }

    /// Counts a dispatch.
    #[inline]
    pub fn count_start(&mut self, function: FunctionId, start: Start) {
        self.starts[function.0 as usize][start as usize] += 1;
    }

    /// Counts an invocation that has ended, or never will.
    #[inline]
    pub fn record(&mut self, record: &InvocationRecord) {
        self.batch.push(record.into());
        if self.batch.len() == BATCH {
            self.fold();
        }
    }

    /// Puts all that has been counted into the metrics. Nothing may be counted afterwards.
    pub fn settle(&mut self, metrics: &mut Metrics) {
        let mut tally = self.bring_back().0;
        tally.fold(&std::mem::take(&mut self.batch));
        tally.settle();
        for (function, [cold, warm]) in tally.functions.iter_mut().zip(&self.starts) {
            (function.cold_starts, function.warm_starts) = (*cold, *warm);
        }
        metrics.take_in(*tally);
    }

    #[cold]
    fn fold(&mut self) {
        self.batches = self.batches.saturating_add(1);
        let (mut tally, empty) = self.bring_back();
        if let Some(worker) = self.worker.as_ref().filter(|_| self.batches > FOLDED_HERE) {
            let mut batch = std::mem::replace(&mut self.batch, empty);
            self.batch.reserve_exact(BATCH);
            self.sums = Sums::Beside(worker.begin(move || {
                tally.fold(&batch);
                batch.clear();
                (tally, batch)
            }));
        } else {
            tally.fold(&self.batch);
            self.batch.clear();
            self.sums = Sums::Here(tally);
        }
    }

    /// The sums and a batch that is empty; waits for them where the worker has them.
    fn bring_back(&mut self) -> Folded {
        match std::mem::take(&mut self.sums) {
            Sums::Here(tally) => (tally, Vec::new()),
            Sums::Beside(folded) => folded.wait().unwrap_or_else(|panic| resume_unwind(panic)),
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_simcore::time::SimTime;
    use proptest::prelude::*;

    use super::*;
    use crate::invocation::Outcome;
    use crate::metrics::FunctionMetrics;

    /// An invocation that came to whatever it came to.
    fn record() -> impl Strategy<Value = InvocationRecord> {
        let pause = || prop::option::weighted(0.9, prop_oneof![Just(0), 0..5_000_000_000_u64]);
        (0..8_u32, pause(), pause(), pause(), pause(), 0..Outcome::ALL.len(), any::<bool>()).prop_map(
            |(function, requested, dispatched, started, finished, outcome, is_cold)| {
                let mut record =
                    InvocationRecord::new(u64::from(function) + requested.unwrap_or(7), FunctionId(function));
                let mut now = 0;
                let mut after = |pause: Option<u64>| {
                    pause.map(|pause| {
                        now += pause;
                        SimTime::from_nanos(now)
                    })
                };
                (record.requested_at, record.dispatched_at) = (after(requested), after(dispatched));
                (record.started_at, record.finished_at) = (after(started), after(finished));
                record.outcome = Outcome::ALL[outcome];
                record.start = record.dispatched_at.map(|_| if is_cold { Start::Cold } else { Start::Warm });
                record
            },
        )
    }

    const FUNCTIONS: u32 = 8;

    fn deadline(function: u32) -> SimDuration {
        if function.is_multiple_of(2) { SimDuration::MAX } else { SimDuration::from_secs(2) }
    }

    /// Counts all, of functions half of which come later.
    fn folded(records: &[InvocationRecord], worker: Option<Worker>) -> Metrics {
        let (mut folding, mut metrics) = (Folding { worker, ..Folding::default() }, Metrics::default());
        (0..FUNCTIONS / 2).for_each(|function| folding.add_function(deadline(function)));
        let early = records.iter().take_while(|record| record.function.0 < FUNCTIONS / 2).count();
        for (position, record) in records.iter().enumerate() {
            if position == early {
                (FUNCTIONS / 2..FUNCTIONS).for_each(|function| folding.add_function(deadline(function)));
            }
            if let Some(start) = record.start {
                folding.count_start(record.function, start);
            }
            folding.record(record);
        }
        folding.settle(&mut metrics);
        metrics
    }

    /// The same one by one, in the order in which they came.
    fn added(records: &[InvocationRecord]) -> Metrics {
        let (mut tally, mut metrics) = (Tally::default(), Metrics::default());
        (0..FUNCTIONS).for_each(|number| tally.add_function(deadline(number)));
        for record in records {
            let function = &mut tally.functions[record.function.0 as usize];
            match record.start {
                Some(Start::Cold) => function.cold_starts += 1,
                Some(Start::Warm) => function.warm_starts += 1,
                None => {}
            }
            tally.fold(&[EndedInvocation::from(record)]);
        }
        tally.settle();
        metrics.take_in(tally);
        metrics
    }

    /// The same counted plainly: all of each, with all and with its function.
    fn counted(records: &[InvocationRecord]) -> Metrics {
        let mut metrics = Metrics::default();
        let function = |number| FunctionMetrics { deadline: deadline(number), ..FunctionMetrics::default() };
        metrics.functions = (0..FUNCTIONS).map(function).collect();
        for record in records {
            let function = &mut metrics.functions[record.function.0 as usize];
            function.outcomes[record.outcome as usize] += 1;
            match record.start {
                Some(Start::Cold) => function.cold_starts += 1,
                Some(Start::Warm) => function.warm_starts += 1,
                None => {}
            }
            metrics.last_finish = metrics.last_finish.max(record.finished_at.unwrap_or_default());
            if record.outcome != Outcome::Completed {
                metrics.not_completed.add(record.invocation);
            }
            if record.started_at.is_none() {
                metrics.not_started.add(record.invocation);
            }
            let Some(requested) = record.requested_at else { continue };
            let completed = record.finished_at.filter(|_| record.outcome == Outcome::Completed);
            if let Some(finished) = completed {
                let latency = finished - requested;
                metrics.latency.add(latency);
                function.latency.add(latency);
                function.in_full += 1;
                metrics.within_deadline += u64::from(latency <= function.deadline);
            }
            let Some(started) = record.started_at else { continue };
            metrics.waiting.add(started - requested);
            function.waiting.add(started - requested);
            if let Some(finished) = completed.filter(|finished| *finished > started) {
                let ratio = (finished - requested).as_nanos() as f64 / (finished - started).as_nanos() as f64;
                metrics.slowdown.add_billionths((ratio * 1e9) as u64);
                function.slowdown.add_billionths((ratio * 1e9) as u64);
            }
            if let (Some(Start::Cold), Some(dispatched)) = (record.start, record.dispatched_at) {
                metrics.started_cold.add(record.invocation);
                metrics.cold_start_delay.add(started - dispatched);
                function.cold_start_delay.add(started - dispatched);
            }
        }
        metrics
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn batches_here_and_beside_and_one_by_one_come_to_what_plain_counting_comes_to(
            drawn in prop::collection::vec(record(), 50..200), count in 0..8 * BATCH,
        ) {
            let mut records: Vec<InvocationRecord> = drawn.iter().cycle().take(count).cloned().collect();
            // Later functions come later.
            let middle = count / 2;
            records.iter_mut().take(middle).for_each(|record| record.function.0 %= FUNCTIONS / 2);
            if let Some(record) = records.get_mut(middle) {
                record.function.0 = FUNCTIONS - 1;
            } else {
                records.push(InvocationRecord::new(0, FunctionId(FUNCTIONS - 1)));
            }
            let expected = format!("{:?}", counted(&records));
            prop_assert_eq!(format!("{:?}", added(&records)), expected.clone());
            prop_assert_eq!(format!("{:?}", folded(&records, None)), expected.clone());
            prop_assert_eq!(format!("{:?}", folded(&records, Some(Worker::new()))), expected);
        }
    }
}
