//! Keep-alive `adaptive`: keeps a container as long as pays on average, by what has been seen of its function.
//!
//! Whether to keep a container or to let it go and start another later is the ski-rental problem: keeping costs memory for
//! as long as it lasts, letting go costs a cold start, here worth as much as `break_even` (10 min) of keeping. Where the
//! distribution of idle times `X` is known, the threshold with the least expected cost is optimal on average (Karlin,
//! Manasse, McGeoch and Owicki, "Competitive Randomized Algorithms for Nonuniform Problems", Algorithmica 11, 1994); Pan,
//! Wang, Chen and Liu apply ski rental to keep-alive ("Retention-Aware Container Caching for Serverless Edge
//! Computing", INFOCOM 2022). So a container is kept for the `T` that minimises
//!
//! `E[min(X, T)] + break_even × P(X > T)`
//!
//! over the idle times of its function so far, in which those of `half_life` (a day) ago weigh half. `T` is 0 or one of 64
//! times from 1 s to 15 h, each 2^¼ of the one before; of equal ones the shortest. Before the first idle time `T` is
//! `break_even`, which never costs more than twice the optimum.
//!
//! An idle time is from the last end of an execution to the first request after it.

use hearth_policy_api::*;
use hearth_policy_toolbox::{ByFunction, DecayedCounts, IdleTimes};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::keep_alive::<Adaptive>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Adaptive`].
    pub struct Settings {
        /// how long keeping costs as much as a cold start
        break_even: duration = 600_000_000_000;
        /// after how long an idle time weighs half
        half_life: duration = 86_400_000_000_000;
    }
}

/// The policy and what it has seen of each function.
#[derive(Debug)]
pub struct Adaptive {
    /// What a cold start is worth, and the half-life of what is seen, in ns.
    break_even: u64,
    half_life: u64,
    /// The times to choose from, in ns, ascending.
    thresholds: Vec<u64>,
    idle_times: IdleTimes,
    /// How many idle times each threshold is the first to cover, and how many none covers.
    covered: ByFunction<Option<DecayedCounts>>,
}

impl Policy for Adaptive {
    const NAME: &'static str = "adaptive";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "keeps containers as long as their past idle times make worth while";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        let Settings { break_even, half_life } = settings;
        if half_life == 0 {
            return Err(PolicyError::new("the parameter half_life must be more than 0"));
        }
        // The functions of `libm` give the same bits on every machine.
        let threshold = |step: u32| (1e9 * libm::exp2(f64::from(step) / 4.0)) as u64;
        let thresholds = (0..64).map(threshold).collect();
        Ok(Self { break_even, half_life, thresholds, idle_times: IdleTimes::default(), covered: ByFunction::default() })
    }
}

impl Adaptive {
    /// The time with the least expected cost for a weight of idle times under each threshold.
    fn best(&self, weights: &[f64]) -> u64 {
        let all: f64 = weights.iter().sum();
        let break_even = self.break_even as f64;
        // Those that a threshold covers cost their length, here the threshold that covers them first.
        let (mut covered, mut cost_of_covered) = (0.0, 0.0);
        let mut best = (all * break_even, 0);
        for (weight, &threshold) in weights.iter().zip(&self.thresholds) {
            covered += weight;
            cost_of_covered += weight * threshold as f64;
            let cost = cost_of_covered + (all - covered) * (threshold as f64 + break_even);
            if cost < best.0 {
                best = (cost, threshold);
            }
        }
        best.1
    }
}

impl KeepAlive for Adaptive {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules { observes_arrivals: true, ..KeepAliveRules::default() }
    }

    fn on_arrival(&mut self, function: u32, now: u64) {
        let Some(idle_time) = self.idle_times.arrived(function, now) else { return };
        let (first, counts) =
            (self.thresholds.partition_point(|covers| *covers < idle_time), self.thresholds.len() + 1);
        let half_life = self.half_life;
        let covered = self.covered.get_mut(function).get_or_insert_with(|| DecayedCounts::new(counts, half_life));
        covered.add(first, now);
    }

    fn on_idle(&mut self, completion: &Completion) -> Retention {
        self.idle_times.ended(completion.function, completion.now);
        let keep_for = match self.covered.get(completion.function) {
            Some(Some(covered)) => self.best(covered.weights()),
            _ => self.break_even,
        };
        Retention { keep_for }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    /// How long a container is kept after these idle times in s.
    fn keep_for(idle_times: &[u64]) -> u64 {
        let mut policy = Adaptive::new(Settings::default(), &PolicyContext::default()).unwrap();
        let mut completion = Completion::default();
        for idle_time in idle_times {
            policy.on_idle(&completion);
            completion.now += idle_time * SECOND;
            policy.on_arrival(0, completion.now);
        }
        policy.on_idle(&completion).keep_for
    }

    #[test]
    fn worked_examples() {
        assert_eq!(keep_for(&[]), 600 * SECOND, "nothing is known");
        assert_eq!(keep_for(&[1; 10]), SECOND);
        assert_eq!(keep_for(&[3; 10]), 3_363_585_661, "2^1.75 s, the first time that covers 3 s");
        assert_eq!(keep_for(&[5_000; 10]), 0, "keeping costs more than a cold start");
        // Half are 1 s, half 5000 s: to cover the first half is worth it, to cover the others not.
        assert_eq!(keep_for(&[1, 5_000, 1, 5_000, 1, 5_000]), SECOND);
        // Nine of ten are 500 s: covered by 512 s at 512 each, less than 600.
        assert_eq!(keep_for(&[500, 500, 500, 500, 500, 500, 500, 500, 500, 9_000]), 512 * SECOND);
    }

    #[test]
    fn what_is_long_ago_weighs_little() {
        let mut idle_times = vec![5_000; 100];
        idle_times.push(20 * 86_400);
        assert_eq!(keep_for(&idle_times), 0);
        idle_times.extend([10, 10, 10]);
        assert_eq!(keep_for(&idle_times), 11_313_708_498);
    }
}
