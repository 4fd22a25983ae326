//! Timers go off at their dates, and containers that policies have started and ended leave cores, RAM and disk as they should be.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hearth_node_allocation_fcfs::Fcfs;
use hearth_policy_api::*;
use hearth_simcore::random::derive_seed;
use proptest::prelude::*;

use super::checks::{check_conservation, files_of};
use super::scenarios::{faults, scenario};
use super::{cases, run, run_with};

thread_local! {
    /// By timer, when it is to go off; and how many have.
    static ALARMS: RefCell<(BTreeMap<u64, u64>, u64)> = const { RefCell::new((BTreeMap::new(), 0)) };
}

/// Keeps for a while; at dates of its own it starts containers and ends them, here and there, more than there is room for.
struct Restless {
    actions: Actions,
    seed: u64,
    functions: u32,
    nodes: u32,
    calls: u64,
}

impl Restless {
    fn draw(&mut self, below: u64) -> u64 {
        self.calls += 1;
        derive_seed(self.seed, &self.calls.to_string()) % below
    }

    fn set(&mut self, timer: u64, date: u64) {
        self.actions.wake_at(timer, date);
        ALARMS.with_borrow_mut(|(set, _)| match date {
            u64::MAX => drop(set.remove(&timer)),
            date => drop(set.insert(timer, date)),
        });
    }
}

impl Policy for Restless {
    const NAME: &'static str = "restless";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "starts and ends containers without end";
    type Parameters = ();

    fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        ALARMS.set((BTreeMap::new(), 0));
        let (actions, seed, nodes) = (context.actions(), context.seed, context.nodes);
        let mut restless = Self { actions, seed, functions: 0, nodes, calls: 0 };
        (0..3).for_each(|timer| restless.set(timer, (timer + 1) * 700_000_000));
        Ok(restless)
    }
}

impl KeepAlive for Restless {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules { observes_arrivals: true, ..KeepAliveRules::default() }
    }

    fn on_idle(&mut self, _completion: &Completion) -> Retention {
        Retention { keep_for: self.draw(5) * 1_000_000_000 }
    }

    fn on_arrival(&mut self, function: u32, now: u64) {
        self.functions = self.functions.max(function + 1);
        // One is put off, and one taken back, now and then.
        match self.draw(8) {
            0 => self.set(1, now + 300_000_000),
            1 => self.set(2, u64::MAX),
            2 => self.set(2, now),
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        let now = cluster.now;
        ALARMS.with_borrow_mut(|(set, gone_off)| {
            assert_eq!(set.remove(&timer), Some(now), "timer {timer} goes off at {now}");
            assert!(set.values().all(|date| *date >= now), "at {now} others are late: {set:?}");
            *gone_off += 1;
        });
        if self.functions > 0 {
            let function = self.draw(u64::from(self.functions)) as u32;
            let node = if self.draw(2) == 0 { NONE } else { self.draw(u64::from(self.nodes)) as u32 };
            let count = self.draw(6) as u32;
            if self.draw(3) == 0 {
                self.actions.end_containers(function, node, count);
            } else {
                let keep_for = [0, 1_000_000_000, 20_000_000_000, u64::MAX][self.draw(4) as usize];
                self.actions.start_containers(function, node, count, keep_for);
            }
        }
        let after = self.draw(3_000) * 1_000_000;
        self.set(timer, now + after);
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn containers_on_demand_conserve_what_they_take(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        scenario["policies"]["keep_alive"] = serde_json::json!({"use": "restless"});
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        let policies = [&[PolicyDescriptor::keep_alive::<Restless>()], hearth_plugins::BUILT_IN].concat();
        let run = || run_with(&scenario, &policies, check_conservation);
        let (Some(first), Some(second)) = (run(), run()) else { return Ok(()) };
        prop_assert!(files_of(&first?) == files_of(&second?));
    }

    /// Timers that do nothing change nothing where no images are: a round that is repeated finds images on their way or gone that
    /// the one before it has sent there or evicted, and may answer otherwise for who waits.
    #[test]
    fn timers_alone_change_nothing(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        for function in scenario["functions"].as_array_mut().into_iter().flatten() {
            function.as_object_mut().map(|function| function.remove("image"));
        }
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["policies"]["node_allocation"] = serde_json::json!({"use": "fcfs"});
        let Some(without) = run(&scenario) else { return Ok(()) };
        let policies = [&[PolicyDescriptor::node_allocation::<Ticking>()], hearth_plugins::BUILT_IN].concat();
        let with = run_with(&scenario, &policies, check_conservation);
        let (mut without, mut with) = (without?, with.expect("it ran without timers")?);
        // Timers are events.
        (without.events, with.events) = (0, 0);
        prop_assert!(files_of(&without) == files_of(&with));
    }
}

/// `fcfs` with a timer that goes off three times a second.
struct Ticking(Actions, Fcfs);

impl Policy for Ticking {
    const NAME: &'static str = Fcfs::NAME;
    const VERSION: &'static str = Fcfs::VERSION;
    const DESCRIPTION: &'static str = Fcfs::DESCRIPTION;
    type Parameters = ();

    fn new(parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        let actions = context.actions();
        actions.wake_at(0, 333_333_333);
        Ok(Self(actions, Fcfs::new(parameters, context)?))
    }
}

impl NodeAllocation for Ticking {
    fn rules(&self) -> AllocationRules {
        self.1.rules()
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.1.place(request, cluster)
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.0.wake_at(timer, cluster.now + 333_333_333);
    }
}
