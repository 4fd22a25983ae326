//! Keep-alive `hybrid-histogram`: Shahrad, Fonseca, Goiri, Chaudhry, Batum, Cooke, Laureano, Tresness, Russinovich and
//! Bianchini, "Serverless in the Wild: Characterizing and Optimizing the Serverless Workload at a Large Cloud Provider",
//! USENIX ATC 2020, section 4.
//!
//! Each function has a histogram of its *idle times*, from the end of an execution to the next request: `bins` (240) bins
//! of `bin` (1 min) each, and a count of those beyond. At the end of an execution,
//!
//! - if there are too few idle times, most of them are beyond the histogram, or the histogram says nothing (the
//!   coefficient of variation of its bin counts, `√(Σ c² / bins − m²) / m` with `m = Σ c / bins`, is below `cv`, 2), the
//!   container is kept for the whole range, `bins × bin` (4 h);
//! - else the *head* is the lower edge of the bin of the 5th percentile, times 0.9, and the *tail* the upper edge of the
//!   bin of the 99th percentile, times 1.1. With a head of 0 the container is kept for the tail. Otherwise it ends at once,
//!   another one starts after the head, and is kept until the tail.
//!
//! What differs from the paper:
//!
//! - it forecasts with ARIMA where most idle times are beyond the histogram; that part is left out, and such functions are
//!   kept for the range;
//! - it looks at applications, of several functions each; here every function is one;
//! - it does not say how many idle times are enough: `min_samples`, 10;
//! - where executions overlap, an idle time is from the last end to the first request after it.

use hearth_policy_api::*;
use hearth_policy_toolbox::{ByFunction, IdleTimes};

mod histogram;

use histogram::Histogram;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::keep_alive::<HybridHistogram>();
export_policies!(POLICY);

/// The policy and what it has seen of each function.
#[derive(Debug)]
pub struct HybridHistogram {
    settings: Settings,
    idle_times: IdleTimes,
    histograms: ByFunction<Histogram>,
}

parameters! {
    /// What can be set of [`HybridHistogram`].
    #[derive(Clone, Copy, Debug)]
    pub struct Settings {
        /// how many bins a histogram has
        bins: integer(1..=100_000) = 240, "bins";
        /// the width of a bin
        bin: duration = 60_000_000_000;
        /// the part of idle times that may be shorter than the window
        head: number(0.0..=1.0) = 0.05;
        /// the part of idle times that end within the window
        tail: number(0.0..=1.0) = 0.99;
        /// by how much the window is made wider at either end
        margin: number(0.0..=1.0) = 0.1;
        /// the least coefficient of variation that says something
        cv: number(0.0..=1e6) = 2.0;
        /// the fewest idle times that say something
        min_samples: integer(1..=u64::MAX) = 10;
    }
}

/// When, after the end of an execution, a container is to be there; in ns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Window {
    from: u64,
    until: u64,
}

impl Policy for HybridHistogram {
    const NAME: &'static str = "hybrid-histogram";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "keeps and prewarms containers by a histogram of idle times";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        if settings.bin == 0 {
            return Err(PolicyError::new("the parameter bin must be more than 0"));
        }
        if settings.head > settings.tail {
            return Err(PolicyError::new("the parameter head must not be above tail"));
        }
        Ok(Self { settings, idle_times: IdleTimes::default(), histograms: ByFunction::default() })
    }
}

impl HybridHistogram {
    fn window(&self, function: u32) -> Window {
        let Settings { bins, bin, head, tail, margin, cv, min_samples } = self.settings;
        let whole_range = Window { from: 0, until: bin.saturating_mul(bins) };
        let Some(histogram) = self.histograms.get(function) else {
            return whole_range;
        };
        let is_beyond = histogram.beyond() > histogram.within();
        let is_known = histogram.within() >= min_samples && histogram.coefficient_of_variation(bins as u32) >= cv;
        if is_beyond || !is_known {
            return whole_range;
        }
        let at = |edge: u64, factor: f64| (edge.saturating_mul(bin) as f64 * factor) as u64;
        Window {
            from: at(histogram.percentile(head), 1.0 - margin),
            until: at(histogram.percentile(tail) + 1, 1.0 + margin),
        }
    }
}

impl KeepAlive for HybridHistogram {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules { observes_arrivals: true, ..KeepAliveRules::default() }
    }

    fn on_arrival(&mut self, function: u32, now: u64) {
        if let Some(idle_time) = self.idle_times.arrived(function, now) {
            let Settings { bins, bin, .. } = self.settings;
            self.histograms.get_mut(function).add(idle_time / bin, bins as u32);
        }
    }

    fn on_idle(&mut self, completion: &Completion) -> Retention {
        self.idle_times.ended(completion.function, completion.now);
        match self.window(completion.function) {
            Window { from: 0, until } => Retention { keep_for: until },
            _ => Retention { keep_for: 0 },
        }
    }

    fn prewarm(&mut self, completion: &Completion) -> Prewarming {
        match self.window(completion.function) {
            Window { from: 0, .. } => Prewarming::NONE,
            Window { from, until } => Prewarming { after: from, keep_for: until - from },
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit;

    use super::*;

    const MINUTE: u64 = 60_000_000_000;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    fn policy() -> HybridHistogram {
        HybridHistogram::new(Settings::default(), &PolicyContext::default()).unwrap()
    }

    /// Lets a function run and be idle for these times; what is decided at the end of the last run.
    fn decide(policy: &mut HybridHistogram, idle_times: &[u64]) -> (Retention, Prewarming) {
        let mut completion = Completion { function: 2, ..Completion::default() };
        for idle_time in idle_times {
            policy.on_idle(&completion);
            completion.now += idle_time;
            policy.on_arrival(2, completion.now);
        }
        (policy.on_idle(&completion), policy.prewarm(&completion))
    }

    #[test]
    fn an_unknown_function_is_kept_for_the_whole_range() {
        let range = (Retention { keep_for: 240 * MINUTE }, Prewarming::NONE);
        assert_eq!(decide(&mut policy(), &[]), range);
        assert_eq!(decide(&mut policy(), &[MINUTE; 9]), range, "one too few");
        let spread: Vec<u64> = (0..240).map(|minute| minute * MINUTE).collect();
        assert_eq!(decide(&mut policy(), &spread), range, "they say nothing");
        assert_eq!(decide(&mut policy(), &[300 * MINUTE; 50]), range, "all beyond the range");
    }

    #[test]
    fn a_window_between_the_percentiles_with_margins() {
        // Idle times of 20.5 min to 29.5 min: the 5th percentile is in bin 20, the 99th in bin 29.
        let idle_times: Vec<u64> = (0..100).map(|number| (20 + number / 10) * MINUTE + MINUTE / 2).collect();
        let (retention, prewarming) = decide(&mut policy(), &idle_times);
        assert_eq!(retention, Retention { keep_for: 0 });
        assert_eq!(prewarming, Prewarming { after: 18 * MINUTE, keep_for: 33 * MINUTE - 18 * MINUTE });
    }

    #[test]
    fn a_head_of_zero_keeps_the_container() {
        let (retention, prewarming) = decide(&mut policy(), &[MINUTE / 2; 20]);
        assert_eq!(retention, Retention { keep_for: 66_000_000_000 });
        assert_eq!(prewarming, Prewarming::NONE);
    }
}
