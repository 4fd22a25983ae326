//! How long idle containers are kept: what is seen and what it costs.

use std::rc::Rc;

use hearth_policy_api::{Completion, ContainerChange, ContainerEvent, KeepAlive, KeepAliveRules, Retention, nanos};
use hearth_policy_toolbox::KeepAliveFeatures;
use hearth_serverless::experiment::Asker;
use rustc_hash::FxHashMap;

use crate::LearningError;
use crate::error::check_weight;
use crate::question::Shared;

/// How long idle containers are to be kept, and what a cold start and idle memory cost.
///
/// A decision is how long a container is kept that has just become idle, one of `keep_for_s`. The reward is what it has cost since
/// the decision before, of all functions, less than 0: `cold_start_weight` a second by which requests waited for a cold start that is
/// over, and `idle_memory_weight` a second of idle memory of 10⁹ bytes. After the last request and the last decision idle memory
/// costs nothing, as in the numbers of `summary.json`. The first reward is also for what came before the first decision.
#[derive(Clone, PartialEq, Debug)]
pub struct KeepAliveTask {
    /// The actions: how long a container is kept unless it is used or evicted before, in seconds.
    pub keep_for_s: Vec<f64>,
    /// What a second of waiting for cold starts costs.
    pub cold_start_weight: f64,
    /// What a second of 10⁹ bytes of idle memory costs.
    pub idle_memory_weight: f64,
}

impl Default for KeepAliveTask {
    /// Not at all to two hours; a second of waiting costs as much as 10⁹ bytes that are idle for 100 s.
    fn default() -> Self {
        let keep_for_s = vec![0.0, 1.0, 10.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0];
        Self { keep_for_s, cold_start_weight: 1.0, idle_memory_weight: 0.01 }
    }
}

impl KeepAliveTask {
    pub(crate) fn check(&self) -> Result<(), LearningError> {
        check_weight("cold_start_weight", self.cold_start_weight)?;
        check_weight("idle_memory_weight", self.idle_memory_weight)?;
        if self.keep_for_s.is_empty() {
            return Err(LearningError::Setting("keep_for_s is empty: expected at least one time".to_owned()));
        }
        match self.keep_for_s.iter().find(|time| time.is_nan() || **time < 0.0) {
            Some(time) => Err(LearningError::Setting(format!("keep_for_s has {time} s: expected times from 0 on"))),
            None => Ok(()),
        }
    }
}

/// What a container costs at present.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Somebody waits for its start, from this date on.
    Starting(u64),
    /// So many bytes are idle.
    Idle(u64),
}

/// What has been paid for, and what is being paid for.
#[derive(Debug, Default)]
struct Meter {
    /// By node and container. Looked up, never walked.
    states: FxHashMap<(u32, u32), State>,
    waited_ns: u64,
    idle_bytes: u64,
    idle_byte_ns: u128,
    since: u64,
}

impl Meter {
    fn advance(&mut self, now: u64) {
        self.idle_byte_ns += u128::from(self.idle_bytes) * u128::from(now.saturating_sub(self.since));
        self.since = now;
    }

    fn hear(&mut self, event: &ContainerEvent) {
        self.advance(event.now);
        match self.states.remove(&(event.node, event.container)) {
            Some(State::Starting(since)) => self.waited_ns += event.now.saturating_sub(since),
            Some(State::Idle(bytes)) => self.idle_bytes = self.idle_bytes.saturating_sub(bytes),
            None => {}
        }
        let state = match event.change {
            ContainerChange::Starting => State::Starting(event.now),
            ContainerChange::Idle => {
                self.idle_bytes += event.ram;
                State::Idle(event.ram)
            }
            _ => return,
        };
        self.states.insert((event.node, event.container), state);
    }

    /// Shows what it has cost up to a date: seconds, and seconds of 10⁹ bytes.
    fn show(&mut self, now: u64, shared: &Shared) {
        self.advance(now);
        shared.costs[0].set(self.waited_ns as f64 / 1e9);
        shared.costs[1].set(self.idle_byte_ns as f64 / 1e18);
    }
}

/// The policy that asks.
pub(crate) struct Asks {
    asker: Asker<(), usize>,
    shared: Rc<Shared>,
    features: KeepAliveFeatures,
    meter: Meter,
    /// In ns.
    keep_for: Vec<u64>,
}

impl Asks {
    pub fn new(task: &KeepAliveTask, asker: Asker<(), usize>, shared: Rc<Shared>) -> Self {
        let keep_for = task.keep_for_s.iter().map(|seconds| nanos(*seconds)).collect();
        Self { asker, shared, features: KeepAliveFeatures::default(), meter: Meter::default(), keep_for }
    }
}

impl KeepAlive for Asks {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules {
            observes_arrivals: true,
            sees_history: true,
            observes_containers: true,
            ..KeepAliveRules::default()
        }
    }

    fn on_arrival(&mut self, function: u32, now: u64) {
        self.features.on_arrival(function, now);
        self.meter.show(now, &self.shared);
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        self.meter.hear(event);
    }

    fn on_idle(&mut self, completion: &Completion) -> Retention {
        let features = self.features.on_idle(completion);
        self.meter.show(completion.now, &self.shared);
        self.shared.show(&features);
        let keep_for = self.asker.ask(()).and_then(|action| self.keep_for.get(action)).copied();
        Retention { keep_for: keep_for.unwrap_or(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_counts_waits_that_are_over_and_memory_that_is_idle() {
        let mut meter = Meter::default();
        let mut hear = |now: u64, container: u32, change: ContainerChange| {
            let event = ContainerEvent { now, node: 0, container, change, ram: 100, ..ContainerEvent::default() };
            meter.hear(&event);
        };
        hear(10, 0, ContainerChange::Starting);
        hear(15, 1, ContainerChange::StartingAhead);
        hear(17, 1, ContainerChange::Idle);
        hear(30, 0, ContainerChange::Up);
        hear(40, 0, ContainerChange::Idle);
        hear(45, 1, ContainerChange::Taken);
        hear(50, 0, ContainerChange::Expired);
        hear(60, 0, ContainerChange::Starting);
        hear(67, 0, ContainerChange::Lost);
        hear(70, 1, ContainerChange::NotKept);
        assert_eq!((meter.waited_ns, meter.idle_bytes), (20 + 7, 0));
        assert_eq!(meter.idle_byte_ns, 100 * (28 + 10));
        assert!(meter.states.is_empty());
    }
}
