//! Autoscaling `kpa`: as [Knative's pod autoscaler](https://knative.dev/docs/serving/autoscaling/) decides, by the rules of
//! `pkg/autoscaler` and `pkg/reconciler/autoscaling/kpa` of knative/serving.
//!
//! - What is observed is the number of requests in flight, those that wait among them (`metric: concurrency`), or of requests let in a
//!   second (`metric: rps`), averaged over the stable window (`stable_window`, 60 s) and over the panic window
//!   (`panic_window_percentage`, 10 of it), by seconds. `aggregation: weighted-exponential` lets the last seconds weigh more.
//! - Wanted are as many instances as it takes for each to have `target` times `target_utilization` (0.7) of it. With `target` 0 the
//!   target is what an instance serves at once at the most, 100 where that is without limit, and 200 a second with `rps`; a greater
//!   one than an instance serves is that.
//! - What the panic window wants is at least `panic_threshold_percentage` (200) of what is ready: the function panics until that has not
//!   been so for a stable window. Then both windows count, whichever wants more, and nothing ends.
//! - There are at most `max_scale_up_rate` (1000) times as many as are ready, and at least one in `max_scale_down_rate` (2). Fewer are
//!   wanted only once so few have been for `scale_down_delay` (0). Where any are, there are `activation_scale` (1) of them.
//! - A function begins with `initial_scale` (1) instances. It loses the last one after it was active for a stable window, and inactive
//!   for `scale_to_zero_pod_retention_period` (0) and for `scale_to_zero_grace_period` (30 s); the latter is over at once where requests
//!   have passed the activator for so long. That they do while there is room for fewer than `target_burst_capacity` (211, -1 is always)
//!   requests beyond those in flight: nothing else hangs on the excess burst capacity here. Without `enable_scale_to_zero` the last
//!   instance stays. What is not up within `progress_deadline` (10 min) and 30 s is given up if nobody asks for it any more.
//! - All that at ticks, which are `tick` (2 s) apart, and at once for a request that finds nothing wanted (a poke).
//!
//! What differs from Knative:
//!
//! - Averages are exact: they come from the integral of requests in flight from one call to the next, a tick or a request that finds no
//!   room, spread evenly over the time between them. Knative adds up what some of the pods and the activators report each second. The second of a poke counts one request, as there,
//!   and the next one that much less.
//! - Instances that are ready are known at ticks; there is no deployment, no reconciler between the ticks, and no probe of the activator. So
//!   what waits for a date waits for the tick after it.
//! - The queue of the function stands for the activator at all times; `target_burst_capacity` takes nobody's way through it away.
//! - Each function is one revision, which is reachable, and whose parameters stay.
//! - No more than a million instances are wanted.

mod buckets;
mod decider;
mod delay;
mod observed;
mod zero;

use std::collections::BTreeMap;

use hearth_policy_api::*;

use decider::{Decider, Spec};
use observed::Observer;
use zero::{Demand, LastInstance, ZeroRules};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::autoscaling::<Kpa>();
export_policies!(POLICY);

choice! {
    /// What is observed.
    pub enum Metric {
        /// Requests in flight.
        Concurrency = "concurrency",
        /// Requests let in a second.
        Rps = "rps",
    }
}

choice! {
    /// How a window is averaged.
    pub enum Aggregation {
        /// All seconds weigh the same.
        Linear = "linear",
        /// The later a second is, the more it weighs.
        WeightedExponential = "weighted-exponential",
    }
}

parameters! {
    /// What can be set of [`Kpa`], with the defaults of Knative's `config-autoscaler`.
    #[derive(Clone, Copy, Debug)]
    pub struct Settings {
        /// what is observed
        metric: choice(Metric) = Metric::Concurrency;
        /// how much of it an instance can take; 0 for what it serves at once, or 200 requests/s
        target: number(0.0..=1_000_000.0) = 0.0;
        /// how much of that there is to be
        target_utilization: number(0.01..=1.0) = 0.7;
        /// for how many more requests there is to be room, lest they pass the activator; -1 has them pass it always
        target_burst_capacity: number(-1.0..=1_000_000_000.0) = 211.0, "requests";
        /// how a window is averaged
        aggregation: choice(Aggregation) = Aggregation::Linear;
        /// the stable window, from 6 s to 1 h
        stable_window: duration = 60_000_000_000;
        /// how much of the stable window the panic window is
        panic_window_percentage: number(1.0..=100.0) = 10.0, "%";
        /// how much of what is ready must be wanted for panic
        panic_threshold_percentage: number(110.0..=1_000.0) = 200.0, "%";
        /// how many times as many instances as are ready there may be
        max_scale_up_rate: number(1.01..=1_000_000.0) = 1000.0;
        /// of how many times as few instances as are ready there must be one
        max_scale_down_rate: number(1.01..=1_000_000.0) = 2.0;
        /// how few instances there are that are more than none
        activation_scale: integer(1..=1_000_000) = 1, "instances";
        /// how many instances a function begins with
        initial_scale: integer(0..=1_000_000) = 1, "instances";
        /// for how long fewer instances must be wanted before some end
        scale_down_delay: duration = 0;
        /// whether a function loses its last instance
        enable_scale_to_zero: flag = true;
        /// for how long requests have passed the activator before the last instance ends
        scale_to_zero_grace_period: duration = 30_000_000_000;
        /// how long the last instance stays at the least after nobody asks for it
        scale_to_zero_pod_retention_period: duration = 0;
        /// after what time, and 30 s, instances that are not up are given up
        progress_deadline: duration = 600_000_000_000;
        /// how long it is from one tick to the next
        tick: duration = 2_000_000_000;
    }
}

const SECOND: u64 = 1_000_000_000;
/// The shortest and the longest stable window of Knative.
const STABLE_WINDOWS: std::ops::RangeInclusive<u64> = 6 * SECOND..=3_600 * SECOND;
/// The least target of Knative.
const LEAST_TARGET: f64 = 0.01;

/// The policy.
#[derive(Debug)]
pub struct Kpa {
    settings: Settings,
    functions: BTreeMap<u32, Function>,
}

/// What is known of a function.
#[derive(Debug)]
struct Function {
    observer: Observer,
    decider: Decider,
    last_instance: LastInstance,
    /// The last decision, before bounds.
    desired: Option<u32>,
}

impl Policy for Kpa {
    const NAME: &'static str = "kpa";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "as Knative's pod autoscaler decides";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        if settings.tick == 0 {
            return Err(PolicyError::new("the parameter tick must be more than 0"));
        }
        if !STABLE_WINDOWS.contains(&settings.stable_window) {
            return Err(PolicyError::new("the parameter stable_window must be from 6 s to 1 h"));
        }
        let capacity = settings.target_burst_capacity;
        if capacity < 0.0 && capacity != -1.0 {
            return Err(PolicyError::new("the parameter target_burst_capacity must be -1, 0 or more"));
        }
        Ok(Self { settings, functions: BTreeMap::new() })
    }
}

impl Settings {
    /// How much of what is observed there is to be for each instance of a function, and how much it can take.
    fn target(&self, concurrency: u32) -> (f64, f64) {
        let serves = if concurrency == u32::MAX { f64::INFINITY } else { f64::from(concurrency) };
        let total = match (self.metric, self.target > 0.0) {
            (Metric::Rps, false) => 200.0,
            (Metric::Rps, true) => self.target,
            (Metric::Concurrency, false) if serves.is_infinite() => 100.0,
            (Metric::Concurrency, false) => serves,
            (Metric::Concurrency, true) => self.target.min(serves),
        };
        ((total * self.target_utilization).max(LEAST_TARGET), total)
    }

    fn spec(&self, concurrency: u32) -> Spec {
        let (target, total) = self.target(concurrency);
        Spec {
            target,
            total,
            target_burst_capacity: self.target_burst_capacity,
            panic_threshold: self.panic_threshold_percentage / 100.0,
            max_scale_up_rate: self.max_scale_up_rate,
            max_scale_down_rate: self.max_scale_down_rate,
            activation_scale: self.activation_scale as u32,
            stable_window: self.stable_window,
            scale_down_delay: self.scale_down_delay,
            tick: self.tick,
        }
    }

    fn zero_rules(&self) -> ZeroRules {
        ZeroRules {
            is_enabled: self.enable_scale_to_zero,
            initial_scale: self.initial_scale as u32,
            stable_window: self.stable_window,
            grace: self.scale_to_zero_grace_period,
            retention: self.scale_to_zero_pod_retention_period,
            activation_timeout: self.progress_deadline.saturating_add(30 * SECOND),
        }
    }

    /// The windows in whole seconds: the stable one and that of panic.
    fn windows(&self) -> (u64, u64) {
        let panic = (self.stable_window as f64 * self.panic_window_percentage / 100.0 / SECOND as f64).round();
        (self.stable_window.div_ceil(SECOND), (panic as u64).max(1))
    }
}

impl Function {
    fn new(settings: &Settings, view: &ScaleView) -> Self {
        Self {
            observer: Observer::new(settings, view),
            decider: Decider::new(&settings.spec(view.concurrency), view.ready, view.now),
            last_instance: LastInstance::new(view.now),
            desired: None,
        }
    }

    /// How many instances there are to be.
    fn decide(&mut self, settings: &Settings, view: &ScaleView) -> u32 {
        let (spec, rules) = (settings.spec(view.concurrency), settings.zero_rules());
        let mut excess = if spec.target_burst_capacity == 0.0 { 0.0 } else { -1.0 };
        if let Some(observed) = self.observer.averages(view.now) {
            let decision = self.decider.decide(&spec, view.ready, observed, view.now);
            self.desired = Some(decision.wanted.min(Scale::MOST));
            excess = decision.excess_burst_capacity;
        }
        let ScaleView { min_scale, max_scale, now, .. } = *view;
        let demand = Demand { desired: self.desired, min_scale, max_scale, now };
        let is_new = !self.last_instance.is_initialized();
        let held = self.last_instance.hold(&rules, demand);
        self.last_instance.note(&rules, held, view.ready, excess, demand);
        match held.wanted.filter(|_| held.applies) {
            Some(wanted) => wanted,
            // Its first instances are those it was made with.
            None if is_new => view.wanted.max(rules.initial_scale),
            None => view.wanted,
        }
    }
}

impl Autoscaling for Kpa {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: self.settings.tick, asked_on_requests: true, ..AutoscalingRules::default() }
    }

    fn scale(&mut self, view: &ScaleView) -> Scale {
        let settings = &self.settings;
        let function = self.functions.entry(view.function).or_insert_with(|| Function::new(settings, view));
        function.observer.observe(view);
        if view.cause == ScaleCause::Request {
            let is_poked = function.desired.is_none_or(|desired| desired == 0) && view.in_flight() > 0;
            if !is_poked {
                return Scale { wanted: view.wanted };
            }
            function.observer.poke(view.now);
        }
        Scale { wanted: function.decide(settings, view) }
    }
}

#[cfg(test)]
mod tests;
