//! The counts of one function.

use hearth_simcore::time::SimDuration;

use super::Coarse;
use crate::invocation::Outcome;

/// The counts of one function.
// What an invocation changes that waited for nothing is in the first cache line.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct FunctionMetrics {
    /// Requested to finished, of completed invocations.
    pub latency: Coarse,
    /// How many of these did wait, or are counted in full by now: of the others only the latency is
    /// ([`Self::count_prompt`]).
    pub(super) in_full: u64,
    pub(crate) outcomes: [u64; Outcome::ALL.len()],
    /// Dispatches to a new container.
    pub cold_starts: u64,
    /// Dispatches to an idle container.
    pub warm_starts: u64,
    /// Requested to started, of all that started.
    pub waiting: Coarse,
    /// Latency over execution time, of completed invocations whose execution took time.
    pub slowdown: Coarse,
    /// Dispatched to started, of invocations that started in a new container.
    pub cold_start_delay: Coarse,
    /// From request to end, as users expect it; the longest time where that is said of none.
    pub deadline: SimDuration,
}

impl Default for FunctionMetrics {
    fn default() -> Self {
        Self {
            latency: Coarse::default(),
            in_full: 0,
            outcomes: [0; Outcome::ALL.len()],
            cold_starts: 0,
            warm_starts: 0,
            waiting: Coarse::default(),
            slowdown: Coarse::from_one(),
            cold_start_delay: Coarse::default(),
            deadline: SimDuration::MAX,
        }
    }
}

impl FunctionMetrics {
    /// Counts in full those of which only the latency is counted: they completed, did not wait, and took as long as they ran.
    pub(super) fn count_prompt(&mut self) {
        let prompt = self.latency.count() - self.in_full;
        self.outcomes[Outcome::Completed as usize] += prompt;
        self.waiting.add_least(prompt);
        self.slowdown.add_least(prompt);
        self.in_full += prompt;
    }

    /// How many invocations ended so.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// How many invocations there were.
    pub fn invocations(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Cold starts over all starts; `None` if it was never started.
    pub fn cold_start_ratio(&self) -> Option<f64> {
        let starts = self.cold_starts + self.warm_starts;
        (starts > 0).then(|| self.cold_starts as f64 / starts as f64)
    }
}

/// A ratio of each function, in ascending order.
///
/// ```
/// use hearth_serverless::metrics::FunctionRatios;
/// let ratios: FunctionRatios = [1.0, 0.25, 0.5, 0.25].into_iter().collect();
/// assert_eq!((ratios.mean(), ratios.percentile(0.5), ratios.percentile(0.75)), (0.5, 0.25, 0.5));
/// ```
#[derive(Clone, Debug)]
pub struct FunctionRatios(Vec<f64>);

impl FromIterator<f64> for FunctionRatios {
    fn from_iter<I: IntoIterator<Item = f64>>(ratios: I) -> Self {
        let mut ratios: Vec<f64> = ratios.into_iter().collect();
        ratios.sort_unstable_by(f64::total_cmp);
        Self(ratios)
    }
}

impl FunctionRatios {
    /// How many functions there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The mean; 0 without functions.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len().max(1) as f64
    }

    /// The ratio that a share of the functions does not exceed; 0 without functions.
    pub fn percentile(&self, share: f64) -> f64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
    }
}
