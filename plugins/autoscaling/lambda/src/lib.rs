//! Autoscaling `lambda`: an instance for each request, up to a burst, as [AWS Lambda
//! scales](https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html).
//!
//! - A request that finds no instance with room is a reason for one more. Where an instance serves several requests at once, it is one
//!   for so many.
//! - Of each function, `burst` (1000) instances can be added at once; they are made up for at a rate of `refill` (1000) each
//!   `refill_period` (10 s), continuously. What is beyond has to wait, and is looked at again each `period` (1 s).
//! - Instances that have not been needed for `idle_timeout` (10 min, of which the provider says nothing) end. Which of several serves
//!   is not for autoscaling to say; needed are as many as the requests in flight fill. What has been needed is kept for each sixtieth part
//!   of the time, so an instance may stay longer by one of these.
//!
//! What differs: there is no limit for all functions of an account together (admission `concurrency-limit` is one), and an instance that is
//! lost is made up for without counting.

use std::collections::{BTreeMap, VecDeque};

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::autoscaling::<Lambda>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Lambda`].
    #[derive(Clone, Copy, Debug)]
    pub struct Settings {
        /// how many instances of a function are added at once at the most
        burst: integer(1..=1_000_000) = 1000, "instances";
        /// how many of these come back in each refill_period
        refill: integer(1..=1_000_000) = 1000, "instances";
        /// in which time they come back
        refill_period: duration = 10_000_000_000;
        /// how long an instance stays that is not needed
        idle_timeout: duration = 600_000_000_000;
        /// how often those that wait are looked at again
        period: duration = 1_000_000_000;
    }
}

/// Of what was needed, so many parts of `idle_timeout` are kept apart.
const PARTS: u64 = 60;

/// The policy.
#[derive(Debug)]
pub struct Lambda {
    settings: Settings,
    functions: BTreeMap<u32, Function>,
}

/// What is known of a function.
#[derive(Debug, Default)]
struct Function {
    /// When all that may be added at once will be there again, in ns.
    full_at: u64,
    /// How many instances were needed, by the part of time in which that was last so: fewer and fewer.
    needed: VecDeque<(u64, u32)>,
}

impl Policy for Lambda {
    const NAME: &'static str = "lambda";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "an instance for each request, up to a burst";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        if settings.period == 0 {
            return Err(PolicyError::new("the parameter period must be more than 0, or nothing would ever end"));
        }
        Ok(Self { settings, functions: BTreeMap::new() })
    }
}

impl Function {
    /// How many of so many may be added, which then are.
    fn add(&mut self, settings: &Settings, missing: u32, now: u64) -> u32 {
        let Settings { burst, refill, refill_period, .. } = *settings;
        let interval = refill_period / refill;
        if interval == 0 {
            return missing.min(u32::try_from(burst).unwrap_or(u32::MAX));
        }
        let full_at = self.full_at.max(now);
        let left = interval.saturating_mul(burst).saturating_sub(full_at - now) / interval;
        let added = missing.min(u32::try_from(left).unwrap_or(u32::MAX));
        self.full_at = full_at.saturating_add(interval.saturating_mul(u64::from(added)));
        added
    }

    /// The most that was needed within the time for which instances stay, with what is needed now.
    fn most(&mut self, settings: &Settings, needed: u32, now: u64) -> u32 {
        let part = now / (settings.idle_timeout / PARTS).max(1);
        while self.needed.back().is_some_and(|(_, less)| *less <= needed) {
            self.needed.pop_back();
        }
        while self.needed.front().is_some_and(|(then, _)| part.saturating_sub(*then) > PARTS) {
            self.needed.pop_front();
        }
        if self.needed.back().is_none_or(|(then, _)| *then < part) {
            self.needed.push_back((part, needed));
        }
        self.needed.front().map_or(needed, |(_, most)| *most)
    }
}

impl Autoscaling for Lambda {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: self.settings.period, asked_on_requests: true, ..AutoscalingRules::default() }
    }

    fn scale(&mut self, view: &ScaleView) -> Scale {
        let filled = view.in_flight().div_ceil(u64::from(view.concurrency.max(1)));
        let filled = u32::try_from(filled).unwrap_or(u32::MAX).min(view.max_scale).min(Scale::MOST);
        let there = view.ready.saturating_add(view.starting);
        let function = self.functions.entry(view.function).or_default();
        let needed = match filled.checked_sub(there) {
            Some(missing) => there + function.add(&self.settings, missing, view.now),
            None => filled,
        };
        Scale { wanted: function.most(&self.settings, needed, view.now) }
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

    fn policy(settings: Settings) -> Lambda {
        Lambda { settings, functions: BTreeMap::new() }
    }

    #[test]
    fn a_burst_comes_at_once_and_the_rest_at_a_rate() {
        let mut policy = policy(Settings::default());
        let mut wanted = |seconds: f64, waiting: u64, there: u32| {
            let now = (seconds * 1e9) as u64;
            let view = ScaleView { now, waiting, ready: there, ..ScaleView::default() };
            policy.scale(&view).wanted
        };
        assert_eq!(wanted(100.0, 2500, 0), 1000);
        assert_eq!(wanted(100.0, 2500, 1000), 1000, "nothing has come back");
        assert_eq!(wanted(101.0, 2500, 1000), 1100);
        assert_eq!(wanted(106.0, 2500, 1100), 1600);
        assert_eq!(wanted(116.0, 2500, 1600), 2500, "100 are left over");
        assert_eq!(wanted(116.0, 2601, 2500), 2600);
    }

    #[test]
    fn functions_have_bursts_of_their_own() {
        let mut policy = policy(Settings { burst: 1, ..Settings::default() });
        let mut wanted = |function| policy.scale(&ScaleView { function, waiting: 2, ..ScaleView::default() }).wanted;
        assert_eq!([wanted(0), wanted(1)], [1, 1]);
    }

    #[test]
    fn instances_end_that_were_not_needed_for_a_time() {
        let mut policy = policy(Settings { idle_timeout: 60 * SECOND, ..Settings::default() });
        let mut wanted = |now: u64, running: u64, there: u32| {
            policy.scale(&ScaleView { now: now * SECOND, running, ready: there, ..ScaleView::default() }).wanted
        };
        assert_eq!(wanted(0, 5, 0), 5);
        assert_eq!(wanted(30, 2, 5), 5);
        assert_eq!(wanted(60, 0, 5), 5);
        assert_eq!(wanted(61, 0, 5), 2, "the five were needed last at 0 s");
        assert_eq!(wanted(90, 0, 2), 2);
        assert_eq!(wanted(91, 0, 2), 0);
    }

    #[test]
    fn instances_with_room_for_several_are_fewer() {
        let mut policy = policy(Settings::default());
        let view = ScaleView { concurrency: 10, waiting: 25, ..ScaleView::default() };
        assert_eq!(policy.scale(&view).wanted, 3);
        assert_eq!(policy.scale(&ScaleView { max_scale: 2, function: 1, ..view }).wanted, 2);
    }
}
