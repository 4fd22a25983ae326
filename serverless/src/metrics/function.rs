//! The counts of one function.

use super::Coarse;
use crate::invocation::Outcome;

/// The counts of one function.
#[derive(Clone, Debug)]
pub struct FunctionMetrics {
    pub(super) outcomes: [u64; Outcome::ALL.len()],
    /// Dispatches to a new container.
    pub cold_starts: u64,
    /// Dispatches to an idle container.
    pub warm_starts: u64,
    /// Requested to finished, of completed invocations.
    pub latency: Coarse,
    /// Requested to started, of all that started.
    pub waiting: Coarse,
    /// Latency over execution time, of completed invocations whose execution took time.
    pub slowdown: Coarse,
    /// Dispatched to started, of invocations that started in a new container.
    pub cold_start_delay: Coarse,
}

impl Default for FunctionMetrics {
    fn default() -> Self {
        Self {
            outcomes: [0; Outcome::ALL.len()],
            cold_starts: 0,
            warm_starts: 0,
            latency: Coarse::default(),
            waiting: Coarse::default(),
            slowdown: Coarse::from_one(),
            cold_start_delay: Coarse::default(),
        }
    }
}

impl FunctionMetrics {
    /// How many invocations ended so.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// How many invocations there were.
    pub fn invocations(&self) -> u64 {
        self.outcomes.iter().sum()
    }
}
