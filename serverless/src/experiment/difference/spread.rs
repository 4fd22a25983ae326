//! How the differences of latencies are distributed.

use std::collections::BTreeMap;

use serde::Serialize;

/// Invocations that complete in both runs, by how far their latencies are apart.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DifferenceBin {
    /// From so many seconds on, in either direction.
    pub from_s: f64,
    /// Up to so many seconds, which are not in it.
    pub to_s: f64,
    /// How many are faster in the second run by that.
    pub won: u64,
    /// How many are slower in it.
    pub lost: u64,
}

/// Counts of differences, by the greatest of 1, 2, 5, 10, 20, 50, … ns that each is not below.
#[derive(Debug, Default)]
pub(super) struct Spread {
    counts: BTreeMap<usize, [u64; 2]>,
}

/// Where the interval of a number begins, in ns: 1, 2 or 5 times a power of ten.
fn begin(number: usize) -> f64 {
    let steps = [1.0, 2.0, 5.0];
    steps.iter().nth(number % steps.len()).copied().unwrap_or(1.0) * 10.0_f64.powi((number / steps.len()) as i32)
}

/// The number of the interval of a difference in ns.
fn number(difference: u64) -> Option<usize> {
    let digits = difference.checked_ilog10()?;
    let step = match difference / 10_u64.pow(digits) {
        1 => 0,
        2..5 => 1,
        _ => 2,
    };
    Some(3 * digits as usize + step)
}

impl Spread {
    /// Adds one that completes in both.
    pub fn add(&mut self, first_ns: u64, second_ns: u64) {
        if let Some(number) = number(first_ns.abs_diff(second_ns)) {
            let [won, lost] = self.counts.entry(number).or_default();
            *(if second_ns < first_ns { won } else { lost }) += 1;
        }
    }

    /// From the least to the greatest, with those in between in which nothing is.
    pub fn told(&self) -> Vec<DifferenceBin> {
        let ends = self.counts.keys().next().zip(self.counts.keys().next_back());
        let Some((first, last)) = ends else { return Vec::new() };
        let bin = |number: usize| {
            let [won, lost] = self.counts.get(&number).copied().unwrap_or_default();
            DifferenceBin { from_s: begin(number) / 1e9, to_s: begin(number + 1) / 1e9, won, lost }
        };
        (*first..=*last).map(bin).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_is_in_the_interval_that_holds_it(difference in 1..u64::MAX) {
            let number = number(difference).unwrap();
            prop_assert!(begin(number) <= difference as f64 && difference as f64 <= begin(number + 1));
        }
    }

    #[test]
    fn intervals_begin_at_round_lengths() {
        let mut spread = Spread::default();
        for (first, second) in [(5, 5), (0, 1_000_000), (1_999_999, 0), (0, 2_000_000), (0, 9), (60, 50)] {
            spread.add(first, second);
        }
        let told = spread.told();
        assert_eq!((told[0].from_s, told[0].to_s, told[0].lost), (5e-9, 1e-8, 1));
        assert_eq!((told[1].from_s, told[1].to_s, told[1].won, told[1].lost), (1e-8, 2e-8, 1, 0));
        let last: Vec<_> = told.iter().rev().take(2).map(|bin| (bin.from_s, bin.to_s, bin.won, bin.lost)).collect();
        assert_eq!(last, [(2e-3, 5e-3, 0, 1), (1e-3, 2e-3, 1, 1)]);
    }
}
