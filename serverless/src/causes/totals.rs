//! Causes summed up over invocations: of all, by function, by node and over time. Memory does not grow with the invocations.

use hearth_simcore::time::{SimDuration, SimTime};

use super::{Cause, Causes, ColdStartCause};
use crate::function::FunctionId;

/// Not more intervals than this are kept apart.
const MOST_INTERVALS: usize = 240;

/// Lengths of intervals in seconds, each of which divides the next.
const LENGTHS: [u64; 8] = [1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600];

/// What has been summed up of some invocations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sums {
    /// How many there are.
    pub invocations: u64,
    /// In the order of coming.
    causes: Vec<(Cause, Sum)>,
    /// Where each cause is among these, if it is.
    places: [u8; Cause::COUNT],
    /// Few, and looked for from the front.
    cold_starts: Vec<(ColdStartCause, Sum)>,
}

/// Where a cause is of which there was nothing.
const NOWHERE: u8 = u8::MAX;

impl Default for Sums {
    fn default() -> Self {
        Self { invocations: 0, causes: Vec::new(), places: [NOWHERE; Cause::COUNT], cold_starts: Vec::new() }
    }
}

/// A time, and of how many invocations it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sum {
    /// In nanoseconds.
    pub nanos: u128,
    /// How many have some of it.
    pub invocations: u64,
}

impl Sum {
    /// The time in seconds.
    pub fn seconds(self) -> f64 {
        self.nanos as f64 / 1e9
    }

    fn add(&mut self, other: Self) {
        self.nanos += other.nanos;
        self.invocations += other.invocations;
    }
}

impl Sums {
    #[inline]
    fn entry(&mut self, cause: Cause) -> &mut Sum {
        let place = self.places[cause as usize];
        if place == NOWHERE {
            self.places[cause as usize] = self.causes.len() as u8;
            self.causes.push((cause, Sum::default()));
        }
        let place = self.places[cause as usize];
        &mut self.causes[place as usize].1
    }

    fn cold_entry(&mut self, cause: ColdStartCause) -> &mut Sum {
        let place = self.cold_starts.iter().position(|(of, _)| *of == cause).unwrap_or_else(|| {
            self.cold_starts.push((cause, Sum::default()));
            self.cold_starts.len() - 1
        });
        &mut self.cold_starts[place].1
    }

    fn merge(&mut self, other: &Self) {
        self.invocations += other.invocations;
        other.causes.iter().for_each(|(cause, sum)| self.entry(*cause).add(*sum));
        other.cold_starts.iter().for_each(|(cause, sum)| self.cold_entry(*cause).add(*sum));
    }

    /// What has a cause.
    pub fn of(&self, cause: Cause) -> Sum {
        self.causes.iter().find(|(of, _)| *of == cause).map_or(Sum::default(), |(_, sum)| *sum)
    }

    /// Cold starts of a cause: how many there were, and how long their images and containers took.
    pub fn of_cold_starts(&self, cause: ColdStartCause) -> Sum {
        self.cold_starts.iter().find(|(of, _)| *of == cause).map_or(Sum::default(), |(_, sum)| *sum)
    }

    /// The causes that took any time, in their order.
    pub fn causes(&self) -> impl Iterator<Item = (Cause, Sum)> {
        Cause::ALL.into_iter().map(|cause| (cause, self.of(cause))).filter(|(_, sum)| sum.nanos > 0)
    }

    /// The causes of cold starts that there were, in their order.
    pub fn cold_starts(&self) -> impl Iterator<Item = (ColdStartCause, Sum)> {
        let all = ColdStartCause::ALL.into_iter().map(|cause| (cause, self.of_cold_starts(cause)));
        all.filter(|(_, sum)| sum.invocations > 0)
    }

    /// The latency of all of them, in nanoseconds.
    pub fn latency_nanos(&self) -> u128 {
        self.causes.iter().map(|(_, sum)| sum.nanos).sum()
    }
}

/// How long the image and the container of an invocation took, or its instance.
fn cold_start_time(causes: &Causes) -> SimDuration {
    const OF_START: [Cause; 9] = [
        Cause::ImageCopy,
        Cause::ImageCopySharing,
        Cause::ImageLoad,
        Cause::ImageLoadSharing,
        Cause::AutoscalerLag,
        Cause::ControlPlane,
        Cause::FailedStart,
        Cause::ContainerStart,
        Cause::ContainerStartSharing,
    ];
    OF_START.into_iter().fold(SimDuration::ZERO, |sum, cause| sum + causes.parts.of(cause))
}

/// Causes summed up over all invocations of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CauseTotals {
    /// Of all invocations.
    pub all: Sums,
    /// Of those of each function, by number.
    pub functions: Vec<Sums>,
    /// Of those that ran on each node, by number.
    pub nodes: Vec<Sums>,
    /// Of those requested in each interval from the start on.
    pub intervals: Vec<Sums>,
    /// The length of the intervals: its position in [`LENGTHS`].
    length: usize,
    /// The interval that was looked for last, and when it begins and ends.
    last: (usize, SimTime, SimTime),
}

impl Default for CauseTotals {
    fn default() -> Self {
        let last = (0, SimTime::ZERO, SimTime::ZERO);
        let (functions, nodes, intervals) = (Vec::new(), Vec::new(), Vec::new());
        Self { all: Sums::default(), functions, nodes, intervals, length: 0, last }
    }
}

fn row(sums: &mut Vec<Sums>, position: usize) -> &mut Sums {
    if sums.len() <= position {
        sums.resize(position + 1, Sums::default());
    }
    &mut sums[position]
}

impl CauseTotals {
    /// Adds an invocation; [`all`](Self::all) has it after [`finish`](Self::finish).
    pub(crate) fn add(&mut self, causes: &Causes, function: FunctionId, node: Option<u32>, requested_at: SimTime) {
        let interval = self.interval_of(requested_at);
        let mut tables = [
            Some(row(&mut self.functions, function.0 as usize)),
            node.map(|node| row(&mut self.nodes, node as usize)),
            Some(row(&mut self.intervals, interval)),
        ];
        tables.iter_mut().flatten().for_each(|table| table.invocations += 1);
        for (cause, length) in causes.parts.iter() {
            let sum = Sum { nanos: length.as_nanos().into(), invocations: 1 };
            tables.iter_mut().flatten().for_each(|table| table.entry(cause).add(sum));
        }
        if let Some(cold) = &causes.cold_start {
            let sum = Sum { nanos: cold_start_time(causes).as_nanos().into(), invocations: 1 };
            tables.iter_mut().flatten().for_each(|table| table.cold_entry(cold.cause).add(sum));
        }
    }

    /// All have been added.
    pub(crate) fn finish(mut self) -> Self {
        self.functions.iter().for_each(|sums| self.all.merge(sums));
        self
    }

    /// How long the intervals are: from a second on, so long that there are not too many.
    pub fn interval(&self) -> SimDuration {
        SimDuration::from_secs(LENGTHS[self.length])
    }

    /// The interval of a date, for which all may be made longer.
    #[inline]
    fn interval_of(&mut self, date: SimTime) -> usize {
        let (position, from, to) = self.last;
        if from <= date && date < to { position } else { self.another_interval_of(date) }
    }

    fn another_interval_of(&mut self, date: SimTime) -> usize {
        loop {
            let length = self.interval().as_nanos();
            let position = (date.as_nanos() / length) as usize;
            if position < MOST_INTERVALS || self.length + 1 == LENGTHS.len() {
                let position = position.min(MOST_INTERVALS * 1000);
                let from = SimTime::from_nanos(date.as_nanos() / length * length);
                self.last = (position, from, from + self.interval());
                return position;
            }
            let together = (LENGTHS[self.length + 1] / LENGTHS[self.length]) as usize;
            self.length += 1;
            let mut merged: Vec<Sums> = Vec::new();
            for (position, sums) in std::mem::take(&mut self.intervals).into_iter().enumerate() {
                row(&mut merged, position / together).merge(&sums);
            }
            self.intervals = merged;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// All, functions and intervals add up to the same, whatever comes when.
        #[test]
        fn every_table_adds_up_to_all(
            invocations in proptest::collection::vec((0..5_u32, 0..40_000_000_u64, 0..1_000_000_u64, 0..Cause::COUNT), 1..80),
        ) {
            let mut totals = CauseTotals::default();
            for (function, at, nanos, cause) in &invocations {
                let mut causes = Causes::default();
                causes.parts.add(Cause::ALL[*cause], SimDuration::from_nanos(*nanos));
                causes.parts.add(Cause::Work, SimDuration::from_nanos(7));
                totals.add(&causes, FunctionId(*function), None, SimTime::ZERO + SimDuration::from_secs(*at));
            }
            let totals = totals.finish();
            for table in [&totals.functions, &totals.intervals] {
                let mut sum = Sums::default();
                table.iter().for_each(|sums| sum.merge(sums));
                prop_assert_eq!(sum.invocations, totals.all.invocations);
                for cause in Cause::ALL {
                    prop_assert_eq!(sum.of(cause), totals.all.of(cause));
                }
            }
            prop_assert!(totals.intervals.len() <= MOST_INTERVALS);
            for (position, sums) in totals.intervals.iter().enumerate() {
                let here = |at: u64| at * 1_000_000_000 / totals.interval().as_nanos() == position as u64;
                prop_assert_eq!(sums.invocations, invocations.iter().filter(|(_, at, _, _)| here(*at)).count() as u64);
            }
        }
    }
}
