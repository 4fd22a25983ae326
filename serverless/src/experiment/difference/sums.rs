//! Invocations of two runs, summed up.

use serde::Serialize;

use super::InvocationSide;
use crate::invocation::{Outcome, Start};
use crate::results::Summed;

/// What became of all invocations.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct ComparedInvocations {
    /// Those that are in both runs: of the same number and function.
    pub in_both: u64,
    /// Those that are in the first run alone.
    pub only_first: u64,
    /// Those that are in the second run alone.
    pub only_second: u64,
    /// Those in both that part in something.
    pub parted: u64,
    /// Those that are faster in the second run, or complete in it alone.
    pub won: u64,
    /// Those that are slower in the second run, or complete in the first alone.
    pub lost: u64,
    /// Those that complete in both.
    pub completed_in_both: u64,
    /// The mean latency in each run of those that complete in both, in seconds.
    pub mean_latency_s: [f64; 2],
    /// Their latencies in the second run less those in the first, added up, in seconds.
    pub difference_s: f64,
    /// What those that are faster have won, in seconds.
    pub won_s: f64,
    /// What those that are slower have lost, in seconds.
    pub lost_s: f64,
    /// How many of those in both start cold in each run.
    pub cold_starts: [u64; 2],
    /// How many of those in both complete in each run.
    pub completed: [u64; 2],
}

impl ComparedInvocations {
    /// Whether the same became of all.
    pub fn are_all_the_same(&self) -> bool {
        (self.only_first, self.only_second, self.parted) == (0, 0, 0)
    }
}

/// Sums, in whole ns.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    in_both: u64,
    pub only: [u64; 2],
    parted: u64,
    won: u64,
    lost: u64,
    completed_in_both: u64,
    latency: [u128; 2],
    won_ns: u128,
    lost_ns: u128,
    cold: [u64; 2],
    completed: [u64; 2],
}

impl Sums {
    /// Adds an invocation that is in both runs.
    pub fn add(&mut self, first: &InvocationSide, second: &InvocationSide, has_parted: bool) {
        self.in_both += 1;
        self.parted += u64::from(has_parted);
        for (place, side) in [first, second].into_iter().enumerate() {
            let add = |counts: &mut [u64; 2], holds: bool| {
                if let Some(count) = counts.get_mut(place) {
                    *count += u64::from(holds);
                }
            };
            add(&mut self.cold, side.start == Some(Start::Cold));
            add(&mut self.completed, side.outcome == Outcome::Completed);
        }
        match (first.latency_ns(), second.latency_ns()) {
            (Some(one), Some(two)) => {
                self.completed_in_both += 1;
                let [of_first, of_second] = &mut self.latency;
                *of_first += u128::from(one);
                *of_second += u128::from(two);
                self.won += u64::from(two < one);
                self.lost += u64::from(two > one);
                self.won_ns += u128::from(one.saturating_sub(two));
                self.lost_ns += u128::from(two.saturating_sub(one));
            }
            (None, Some(_)) => self.won += 1,
            (Some(_), None) => self.lost += 1,
            (None, None) => {}
        }
    }

    /// Whether there are any.
    pub fn is_nothing(&self) -> bool {
        self.in_both + self.only.iter().sum::<u64>() == 0
    }

    /// In seconds.
    pub fn told(&self) -> ComparedInvocations {
        let seconds = |nanos: u128| nanos as f64 / 1e9;
        let count = self.completed_in_both.max(1) as f64;
        let [only_first, only_second] = self.only;
        ComparedInvocations {
            in_both: self.in_both,
            only_first,
            only_second,
            parted: self.parted,
            won: self.won,
            lost: self.lost,
            completed_in_both: self.completed_in_both,
            mean_latency_s: self.latency.map(|sum| seconds(sum) / count),
            difference_s: (self.lost_ns as f64 - self.won_ns as f64) / 1e9,
            won_s: seconds(self.won_ns),
            lost_s: seconds(self.lost_ns),
            cold_starts: self.cold,
            completed: self.completed,
        }
    }
}

impl Summed for Sums {
    fn merge(&mut self, other: &Self) {
        let both = |own: &mut [u64; 2], more: [u64; 2]| own.iter_mut().zip(more).for_each(|(own, more)| *own += more);
        self.in_both += other.in_both;
        both(&mut self.only, other.only);
        self.parted += other.parted;
        self.won += other.won;
        self.lost += other.lost;
        self.completed_in_both += other.completed_in_both;
        self.latency.iter_mut().zip(other.latency).for_each(|(own, more)| *own += more);
        self.won_ns += other.won_ns;
        self.lost_ns += other.lost_ns;
        both(&mut self.cold, other.cold);
        both(&mut self.completed, other.completed);
    }
}
