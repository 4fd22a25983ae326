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
    causes: [Packed; Cause::COUNT],
    cold_starts: [Packed; ColdStartCause::ALL.len()],
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            invocations: 0,
            causes: [Packed::default(); Cause::COUNT],
            cold_starts: [Packed::default(); ColdStartCause::ALL.len()],
        }
    }
}

/// A [`Sum`] in which one addition does both: nanoseconds below, of which there is room for ten billion years, and above them how many
/// invocations, up to a trillion.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Packed(u128);

impl Packed {
    const ONE: u32 = 88;

    #[inline]
    fn of_one(length: SimDuration) -> Self {
        Self((1 << Self::ONE) + u128::from(length.as_nanos()))
    }

    #[inline]
    fn add(&mut self, other: Self) {
        self.0 += other.0;
    }

    fn sum(self) -> Sum {
        Sum { nanos: self.0 & ((1 << Self::ONE) - 1), invocations: (self.0 >> Self::ONE) as u64 }
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
}

impl Sums {
    fn merge(&mut self, other: &Self) {
        self.invocations += other.invocations;
        self.causes.iter_mut().zip(&other.causes).for_each(|(sum, other)| sum.add(*other));
        self.cold_starts.iter_mut().zip(&other.cold_starts).for_each(|(sum, other)| sum.add(*other));
    }

    /// What has a cause.
    pub fn of(&self, cause: Cause) -> Sum {
        self.causes[cause as usize].sum()
    }

    /// Cold starts of a cause: how many there were, and how long their images and containers took.
    pub fn of_cold_starts(&self, cause: ColdStartCause) -> Sum {
        self.cold_starts[cause as usize].sum()
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
        self.causes.iter().map(|sum| sum.sum().nanos).sum()
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
    /// Of those that ran on no node.
    nowhere: Sums,
    /// The length of the intervals: its position in [`LENGTHS`].
    length: usize,
    /// The interval that was looked for last, and when it begins and ends.
    last: (usize, SimTime, SimTime),
}

impl Default for CauseTotals {
    fn default() -> Self {
        let last = (0, SimTime::ZERO, SimTime::ZERO);
        let (functions, nodes, intervals) = (Vec::new(), Vec::new(), Vec::new());
        Self { all: Sums::default(), functions, nodes, intervals, nowhere: Sums::default(), length: 0, last }
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
        let of_function = row(&mut self.functions, function.0 as usize);
        let of_interval = row(&mut self.intervals, interval);
        let of_node = match node {
            Some(node) => row(&mut self.nodes, node as usize),
            None => &mut self.nowhere,
        };
        of_function.invocations += 1;
        of_interval.invocations += 1;
        of_node.invocations += 1;
        for (cause, length) in causes.parts.iter() {
            let one = Packed::of_one(length);
            of_function.causes[cause as usize].add(one);
            of_interval.causes[cause as usize].add(one);
            of_node.causes[cause as usize].add(one);
        }
        if let Some(cold) = &causes.cold_start {
            let one = Packed::of_one(cold_start_time(causes));
            of_function.cold_starts[cold.cause as usize].add(one);
            of_interval.cold_starts[cold.cause as usize].add(one);
            of_node.cold_starts[cold.cause as usize].add(one);
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
