use std::collections::{BTreeMap, BTreeSet};

use hearth_policy_api::testkit::{self, Claim, FaultKind, Options};
use hearth_policy_api::*;

use super::{check_rows, defective, tick};

/// So many ns are a second.
const SECOND: u64 = 1_000_000_000;

#[derive(Default)]
struct State {
    /// The last number of requests in flight of each function.
    counts: BTreeMap<u32, u64>,
    few: [u64; 3],
    all: Vec<u64>,
    calls: u64,
    /// The containers that there are, by node and number.
    containers: BTreeSet<(u32, u32)>,
}

defective!(
    Scaler,
    State,
    [
        "a million for each request",
        "wants nothing",
        "has patience for two hours",
        "is asked about nothing",
        "a period in seconds",
        "a period of centuries",
        "divides by what is ready",
        "subtracts below zero",
        "takes no more to stop than are ready",
        "knows three functions",
        "looks up a function that is new",
        "the clock",
        "grows with every call",
        "is slower with every call",
        "takes containers for immortal",
    ]
);

impl Autoscaling for Scaler {
    fn rules(&self) -> AutoscalingRules {
        let period = match self.defect {
            "is asked about nothing" => 0,
            "a period in seconds" => 2,
            "a period of centuries" => u64::MAX,
            _ => 2 * SECOND,
        };
        let asked_on_requests = !self.is("is asked about nothing");
        AutoscalingRules { period, asked_on_requests, observes_containers: true, scales_pools: false }
    }

    fn scale(&mut self, view: &ScaleView) -> Scale {
        let in_flight = view.in_flight();
        let known = self.state.counts.insert(view.function, in_flight);
        let needed = in_flight.div_ceil(u64::from(view.concurrency)) as u32;
        self.state.calls += 1;
        let wanted = match self.defect {
            "a million for each request" => in_flight as u32 * 1_000_000,
            "wants nothing" | "is asked about nothing" => 0,
            "has patience for two hours" if view.now.saturating_sub(view.waiting_since) < 7200 * SECOND => 0,
            "divides by what is ready" => needed.max(in_flight as u32 / view.ready),
            "subtracts below zero" => needed.max(view.ready - view.wanted),
            "takes no more to stop than are ready" => needed.max((view.ready - view.stopping).min(1)),
            "knows three functions" => {
                self.state.few[view.function as usize] = in_flight;
                needed
            }
            "looks up a function that is new" => needed.max((known.unwrap() > 7) as u32),
            "the clock" => needed.max(tick() as u32 % 2),
            "grows with every call" => {
                self.state.all.push(in_flight);
                needed
            }
            "is slower with every call" => {
                (0..self.state.calls).for_each(|call| {
                    std::hint::black_box(call);
                });
                needed
            }
            _ => needed,
        };
        Scale { wanted }
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        let key = (event.node, event.container);
        if event.change.is_begin() {
            assert!(self.state.containers.insert(key), "it is there already");
        }
        if event.change.is_end() && !self.is("takes containers for immortal") {
            self.state.containers.remove(&key);
        }
    }
}

#[test]
fn defects_of_autoscaling_are_caught() {
    check_rows(
        &PolicyDescriptor::autoscaling::<Scaler>(),
        &[
            ("a million for each request", "more than 1000000"),
            ("wants nothing", "wants no instance for an hour though somebody waits and the cluster is idle"),
            ("has patience for two hours", "wants no instance for an hour though somebody waits"),
            ("is asked about nothing", "wants no instance for an hour though somebody waits"),
            ("a period in seconds", "asks for ticks every 2 ns: times are in ns, not in seconds"),
            ("a period of centuries", "that is more than a century: never is 0"),
            ("divides by what is ready", "failed in scale: panicked: attempt to divide by zero"),
            ("subtracts below zero", "failed in scale: panicked: attempt to subtract with overflow"),
            ("takes no more to stop than are ready", "failed in scale: panicked: attempt to subtract with overflow"),
            ("knows three functions", "failed in scale: panicked: index out of bounds"),
            ("looks up a function that is new", "failed in scale: panicked: called `Option::unwrap()`"),
            ("the clock", "does not do the same"),
            ("grows with every call", "memory grows with the number of calls"),
            ("is slower with every call", "the time of a call grows with the number of calls"),
            ("takes containers for immortal", "failed in on_container: panicked: it is there already"),
        ],
    );
}

hearth_policy_api::parameters! {
    /// What can be set.
    pub struct Answers {
        /// how many instances are wanted of a function without a greatest number
        wanted: integer(0..=4294967295) = 1;
        /// how many of others
        bounded: integer(0..=4294967295) = 1;
        /// how long it is from one tick to the next
        period: duration = 2_000_000_000;
        /// how long somebody has waited before any is
        patience: duration = 0;
    }
}

/// Answers what it is told to.
struct Parrot(Answers);

impl Policy for Parrot {
    const NAME: &'static str = "parrot";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "answers what it is told to";
    type Parameters = Answers;
    fn new(answers: Answers, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self(answers))
    }
}

impl Autoscaling for Parrot {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: self.0.period, ..AutoscalingRules::default() }
    }

    fn scale(&mut self, view: &ScaleView) -> Scale {
        let is_bounded = view.max_scale < u32::MAX;
        let waits = view.now.saturating_sub(view.waiting_since) >= self.0.patience;
        let wanted = if is_bounded { self.0.bounded } else { self.0.wanted };
        Scale { wanted: if waits { wanted as u32 } else { 0 } }
    }
}

fn found(set: &[(&str, u64)], claims: Claims) -> Option<FaultKind> {
    let policy = PolicyDescriptor::autoscaling::<Parrot>();
    let mut parameters = Parameters::defaults(&policy.parameters());
    for (name, value) in set {
        let value = match *name {
            "wanted" | "bounded" => ParameterValue::Integer(*value),
            _ => ParameterValue::Duration(*value),
        };
        parameters.set(name, value).unwrap();
    }
    let options = Options { parameters: Some(parameters), claims: Some(claims), cases: 48, ..Options::default() };
    let _alone = super::alone();
    testkit::check(&policy, &options).err().map(|found| {
        println!("{set:?}: {found}");
        found.kind
    })
}

#[test]
fn the_kit_accuses_of_what_no_host_takes_and_of_what_is_promised() {
    let promise = |claim| Some(FaultKind::Promise(claim));
    let all = Claims::ALL;
    assert_eq!(found(&[("wanted", 1_000_000)], all), None, "as many as there may be");
    assert_eq!(found(&[("wanted", 1_000_001)], all), Some(FaultKind::Answer));
    assert_eq!(found(&[("bounded", u64::from(u32::MAX))], all), None, "the host holds it to the bounds");
    for (period, is_sensible) in [(1, false), (999_999, false), (1_000_000, true), (0, true)] {
        let claims = Claims { work_conserving: false, ..all };
        let fault = found(&[("period", period)], claims);
        assert_eq!(fault, if is_sensible { None } else { promise(Claim::SensibleTimes) }, "{period} ns");
        assert_eq!(found(&[("period", period)], Claims { sensible_times: false, ..claims }), None, "{period} ns");
    }
    assert_eq!(found(&[("period", 0)], all), None, "one answer for all time, that there are some");
    let none = [("wanted", 0), ("bounded", 0), ("period", 0)];
    assert_eq!(found(&none, all), promise(Claim::WorkConserving), "and that there are none");
    assert_eq!(found(&[("patience", 3_500 * SECOND)], all), None, "within the hour");
    assert_eq!(found(&[("patience", 3_700 * SECOND)], all), promise(Claim::WorkConserving));
    assert_eq!(found(&[("wanted", 0), ("bounded", 0)], Claims { work_conserving: false, ..all }), None);
}
