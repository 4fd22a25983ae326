//! How many instances functions have: what is seen and what it costs.

use std::rc::Rc;

use hearth_policy_api::{Autoscaling, AutoscalingRules, NONE, Scale, ScaleCause, ScaleView, nanos};
use hearth_policy_toolbox::ByFunction;
use hearth_serverless::experiment::Asker;

use crate::LearningError;
use crate::error::check_weight;
use crate::question::Shared;

/// How many instances functions are to have, and what waiting and instances cost.
///
/// A decision is by how many instances more or fewer are wanted of a function, one of `changes`; it is due at each tick, and at a request
/// of a function that has no instances and wants none. The reward is what functions have cost since the decision before, less than
/// 0: `waiting_weight` a second that a request waits for an instance, and `instance_weight` a second of an instance that is up,
/// starts or stops. What a function costs is added up when it is asked about.
#[derive(Clone, PartialEq, Debug)]
pub struct AutoscalingTask {
    /// The actions: how many more instances are wanted, or fewer.
    pub changes: Vec<i64>,
    /// What a second costs that a request waits.
    pub waiting_weight: f64,
    /// What a second of an instance costs.
    pub instance_weight: f64,
    /// How long it is from one tick to the next, in seconds.
    pub period_s: f64,
}

impl Default for AutoscalingTask {
    /// Up to ten more or fewer every two seconds; a request that waits costs as much as an instance.
    fn default() -> Self {
        Self { changes: vec![-10, -3, -1, 0, 1, 3, 10], waiting_weight: 0.1, instance_weight: 0.1, period_s: 2.0 }
    }
}

impl AutoscalingTask {
    pub(crate) fn check(&self) -> Result<(), LearningError> {
        check_weight("waiting_weight", self.waiting_weight)?;
        check_weight("instance_weight", self.instance_weight)?;
        if self.changes.is_empty() {
            return Err(LearningError::Setting("changes is empty: expected at least one change".to_owned()));
        }
        if !(self.period_s >= 1e-3 && self.period_s <= 1e6) {
            let problem = format!("period_s is {}: expected 0.001 to 1000000", self.period_s);
            return Err(LearningError::Setting(problem));
        }
        Ok(())
    }
}

/// What an observation of autoscaling is made of. Numbers of requests are shown by the instances that they fill; such numbers, and those of
/// instances, are logarithmic up to a thousand, times up to a thousand seconds.
///
/// | feature | from 0 to 1 |
/// |---|---|
/// | `wanted`, `ready`, `starting`, `stopping` | instances |
/// | `waiting`, `running` | requests at this date |
/// | `mean_in_flight` | requests that waited or were in instances, on average since the function was last asked about |
/// | `mean_in_flight_before` | the same of the time before that |
/// | `arrivals` | requests since the function was last asked about |
/// | `waiting_for` | how long the first has waited of those that wait |
/// | `use` | requests in instances, of those that the ready ones have room for |
/// | `is_request` | 1 where a request has it asked, 0 at a tick |
pub const AUTOSCALING_FEATURES: [&str; 12] = [
    "wanted",
    "ready",
    "starting",
    "stopping",
    "waiting",
    "running",
    "mean_in_flight",
    "mean_in_flight_before",
    "arrivals",
    "waiting_for",
    "use",
    "is_request",
];

/// How it stood with a function when it was last asked about.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    view: Option<ScaleView>,
    mean_in_flight: f64,
}

/// `ln(1 + x)` up to a thousand, of the same bits on every machine.
fn scaled(number: f64) -> f64 {
    libm::log1p(number) / libm::log1p(1000.0)
}

/// The policy that asks.
pub(crate) struct Asks {
    asker: Asker<(), usize>,
    shared: Rc<Shared>,
    before: ByFunction<Before>,
    changes: Vec<i64>,
    period: u64,
}

impl Asks {
    pub fn new(task: &AutoscalingTask, asker: Asker<(), usize>, shared: Rc<Shared>) -> Self {
        Self {
            asker,
            shared,
            before: ByFunction::default(),
            changes: task.changes.clone(),
            period: nanos(task.period_s),
        }
    }

    /// Adds up what a function has cost since it was asked about, and says what is seen of it.
    fn look(&mut self, view: &ScaleView) -> [f32; AUTOSCALING_FEATURES.len()] {
        let before = self.before.get_mut(view.function);
        let last = before.view.replace(*view).unwrap_or(ScaleView { now: view.now, ..ScaleView::default() });
        let seconds = view.now.saturating_sub(last.now) as f64 / 1e9;
        let waited = |of: &ScaleView| of.in_flight_seconds - of.running_seconds;
        let instances = f64::from(last.ready) + f64::from(last.starting) + f64::from(last.stopping);
        self.shared.add([waited(view) - waited(&last), instances * seconds]);
        let room = if view.concurrency == NONE { 1.0 } else { f64::from(view.concurrency.max(1)) };
        let earlier = before.mean_in_flight;
        if seconds > 0.0 {
            before.mean_in_flight = (view.in_flight_seconds - last.in_flight_seconds) / seconds;
        }
        let waiting_for = if view.waiting > 0 { view.now.saturating_sub(view.waiting_since) } else { 0 };
        let running = view.running as f64;
        [
            scaled(f64::from(view.wanted)),
            scaled(f64::from(view.ready)),
            scaled(f64::from(view.starting)),
            scaled(f64::from(view.stopping)),
            scaled(view.waiting as f64 / room),
            scaled(running / room),
            scaled(before.mean_in_flight / room),
            scaled(earlier / room),
            scaled(view.arrivals.saturating_sub(last.arrivals) as f64 / room),
            scaled(waiting_for as f64 / 1e9),
            running / (f64::from(view.ready.max(1)) * room),
            f64::from(u8::from(view.cause == ScaleCause::Request)),
        ]
        .map(|feature| feature.clamp(0.0, 1.0) as f32)
    }
}

impl Autoscaling for Asks {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: self.period, ..AutoscalingRules::default() }
    }

    fn scale(&mut self, view: &ScaleView) -> Scale {
        let features = self.look(view);
        self.shared.show(&features);
        let change = self.asker.ask(()).and_then(|action| self.changes.get(action)).copied().unwrap_or(0);
        let wanted = i64::from(view.wanted).saturating_add(change).clamp(0, i64::from(Scale::MOST));
        Scale { wanted: wanted as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::with_asker;

    #[test]
    fn costs_and_means_are_of_the_time_between_two_questions() {
        let shared = Rc::new(Shared::default());
        let mut asks = with_asker(|asker| Asks::new(&AutoscalingTask::default(), asker, Rc::clone(&shared)));
        let first = ScaleView { now: 2_000_000_000, ready: 2, concurrency: 10, ..ScaleView::default() };
        asks.look(&first);
        assert_eq!(shared.costs.each_ref().map(std::cell::Cell::get), [0.0, 0.0]);
        let second = ScaleView {
            now: 4_000_000_000,
            in_flight_seconds: 50.0,
            running_seconds: 42.0,
            waiting: 4,
            waiting_since: 3_000_000_000,
            ..first
        };
        let seen = asks.look(&second);
        assert_eq!(shared.costs.each_ref().map(std::cell::Cell::get), [8.0, 4.0]);
        let of = |name: &str| seen[AUTOSCALING_FEATURES.iter().position(|of| *of == name).unwrap()];
        let expected = |number: f64| ((1.0 + number).ln() / 1001.0_f64.ln()) as f32;
        assert!((of("mean_in_flight") - expected(2.5)).abs() < 1e-6 && of("mean_in_flight_before") == 0.0);
        assert!((of("waiting") - expected(0.4)).abs() < 1e-6 && (of("waiting_for") - expected(1.0)).abs() < 1e-6);
        let most = ScaleView { now: u64::MAX, running: u64::MAX, arrivals: u64::MAX, ..second };
        assert!(asks.look(&most).iter().all(|feature| (0.0..=1.0).contains(feature)));
    }
}
