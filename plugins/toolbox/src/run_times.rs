//! How long functions run.

use crate::ByFunction;

/// The mean run time of each function so far, and of all.
///
/// ```
/// use hearth_policy_toolbox::RunTimes;
/// let mut times = RunTimes::default();
/// times.add(3, 2_000_000_000);
/// times.add(3, 4_000_000_000);
/// times.add(0, 6_000_000_000);
/// assert_eq!(times.mean(3), Some(3_000_000_000));
/// assert_eq!(times.mean(1), None);
/// assert_eq!(times.mean_of_all(), Some(4_000_000_000));
/// ```
#[derive(Clone, Debug, Default)]
pub struct RunTimes {
    /// How many, and the sum in ns.
    functions: ByFunction<(u64, u128)>,
    all: (u64, u128),
}

fn mean((count, sum): (u64, u128)) -> Option<u64> {
    sum.checked_div(u128::from(count)).map(|mean| mean as u64)
}

impl RunTimes {
    /// Counts a run of a function that took so many ns.
    pub fn add(&mut self, function: u32, nanos: u64) {
        for (count, sum) in [self.functions.get_mut(function), &mut self.all] {
            *count += 1;
            *sum += u128::from(nanos);
        }
    }

    /// The mean of a function in ns; `None` before its first run.
    pub fn mean(&self, function: u32) -> Option<u64> {
        self.functions.get(function).copied().and_then(mean)
    }

    /// The mean of all runs in ns; `None` before the first.
    pub fn mean_of_all(&self) -> Option<u64> {
        mean(self.all)
    }
}
