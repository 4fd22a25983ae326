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

/// Counts of differences, by the greatest of 1, 2, 5, 10, 20, 50, … µs that each is not below.
#[derive(Debug, Default)]
pub(super) struct Spread {
    counts: BTreeMap<usize, [u64; 2]>,
}

/// Where the interval of a number begins, in ns: at 1, 2 or 5 times a power of ten; the first one, of what is below 1 µs, at zero.
fn begin(number: usize) -> f64 {
    let Some(number) = number.checked_sub(1) else { return 0.0 };
    let steps = [1e3, 2e3, 5e3];
    steps.get(number % steps.len()).copied().unwrap_or(1e3) * 10.0_f64.powi((number / steps.len()) as i32)
}

/// The number of the interval of a difference in ns.
fn number(difference: u64) -> usize {
    let Some(digits) = (difference / 1000).checked_ilog10() else { return 0 };
    let step = match difference / 1000 / 10_u64.pow(digits) {
        1 => 0,
        2..5 => 1,
        _ => 2,
    };
    1 + 3 * digits as usize + step
}

impl Spread {
    /// Adds one that completes in both.
    pub fn add(&mut self, first_ns: u64, second_ns: u64) {
        if first_ns != second_ns {
            let [won, lost] = self.counts.entry(number(first_ns.abs_diff(second_ns))).or_default();
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
            let number = number(difference);
            prop_assert!(begin(number) <= difference as f64 && difference as f64 <= begin(number + 1));
        }
    }

    #[test]
    fn intervals_begin_at_round_lengths() {
        let mut spread = Spread::default();
        for (first, second) in [(5, 5), (0, 1_000_000), (1_999_999, 0), (0, 2_000_000), (0, 9), (60, 50), (0, 1999)] {
            spread.add(first, second);
        }
        let told = spread.told();
        assert_eq!(told.iter().map(|bin| bin.won + bin.lost).sum::<u64>(), 6, "one is the same in both");
        assert_eq!((told[0].from_s, told[0].to_s, told[0].won, told[0].lost), (0.0, 1e-6, 1, 1));
        assert_eq!((told[1].from_s, told[1].to_s, told[1].won, told[1].lost), (1e-6, 2e-6, 0, 1));
        let last: Vec<_> = told.iter().rev().take(2).map(|bin| (bin.from_s, bin.to_s, bin.won, bin.lost)).collect();
        assert_eq!(last, [(2e-3, 5e-3, 0, 1), (1e-3, 2e-3, 1, 1)]);
    }
}
