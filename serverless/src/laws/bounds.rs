//! There are as many containers of a function as policies want at the least, if there is room, and no more than they want at the
//! most.

use std::cell::RefCell;

use hearth_node_allocation_fcfs::Fcfs;
use hearth_policy_api::*;
use hearth_simcore::random::derive_seed;
use proptest::prelude::*;
use serde_json::json;

use super::checks::{check_conservation, files_of};
use super::scenarios::{faults, scenario};
use super::{cases, run, run_with};
use crate::function::FunctionId;
use crate::service::Service;

const SECOND: u64 = 1_000_000_000;

thread_local! {
    /// By function: how many containers there were after the last event, and what had been asked for.
    static BEFORE: RefCell<Vec<(u32, u32)>> = const { RefCell::new(Vec::new()) };
    /// By function: what is asked for last.
    static WANTED: RefCell<Vec<(u32, u32)>> = const { RefCell::new(Vec::new()) };
}

/// What `fcfs` is; every other second, other bounds of some function.
struct Bounding {
    fcfs: Fcfs,
    actions: Actions,
    seed: u64,
    draws: u64,
    functions: u32,
}

impl Bounding {
    fn draw(&mut self, below: u64) -> u64 {
        self.draws += 1;
        derive_seed(self.seed, &self.draws.to_string()) % below
    }
}

impl Policy for Bounding {
    const NAME: &'static str = Fcfs::NAME;
    const VERSION: &'static str = Fcfs::VERSION;
    const DESCRIPTION: &'static str = Fcfs::DESCRIPTION;
    type Parameters = ();

    fn new(parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        BEFORE.with_borrow_mut(Vec::clear);
        WANTED.with_borrow_mut(Vec::clear);
        let (fcfs, actions) = (Fcfs::new(parameters, context)?, context.actions());
        actions.wake_at(0, 2 * SECOND);
        Ok(Self { fcfs, actions, seed: context.seed, draws: 0, functions: 0 })
    }
}

impl NodeAllocation for Bounding {
    fn rules(&self) -> AllocationRules {
        self.fcfs.rules()
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.functions = self.functions.max(request.function + 1);
        self.fcfs.place(request, cluster)
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        if self.functions > 0 {
            let function = self.draw(self.functions.into()) as u32;
            let floor = self.draw(4) as u32;
            // Never none at the most, or who waits would wait for ever.
            let ceiling = [u32::MAX, floor.max(1), floor + 2][self.draw(3) as usize];
            self.actions.keep_between(function, floor, ceiling);
            WANTED.with_borrow_mut(|wanted| {
                let function = function as usize;
                wanted.resize(wanted.len().max(function + 1), (0, u32::MAX));
                wanted[function] = (floor, ceiling);
            });
        }
        self.actions.wake_at(timer, cluster.now + 2 * SECOND);
    }
}

fn check(service: &Service) -> Result<(), TestCaseError> {
    check_conservation(service)?;
    let wanted: Vec<(u32, u32)> = WANTED.with_borrow(Clone::clone);
    let before: Vec<(u32, u32)> = BEFORE.with_borrow(Clone::clone);
    let mut now = Vec::new();
    for (number, (floor, ceiling)) in (0..).zip(wanted) {
        let function = FunctionId(number);
        let of_function = |held: &crate::node::Container| held.function == function;
        let nodes = service.cluster().nodes().iter();
        let count = nodes
            .map(|node| node.containers.iter().filter(|(_, held)| of_function(held)).count())
            .sum::<usize>() as u32;
        prop_assert_eq!(count, service.cluster().container_count(function));
        let is_room = service.cluster().roomiest(function).is_some();
        prop_assert!(count >= floor || !is_room, "{} of at least {} of function {}", count, floor, number);
        // What was there before may stay. What is asked for is done after the round that follows.
        let (count_before, ceiling_before) = before.get(number as usize).copied().unwrap_or((0, 0));
        let is_new = ceiling_before != ceiling;
        prop_assert!(
            is_new || count <= count_before.max(ceiling),
            "{} of at most {} of function {}",
            count,
            ceiling,
            number
        );
        now.push((count, ceiling));
    }
    BEFORE.set(now);
    Ok(())
}

/// What `fcfs` is; sets bounds that nothing comes up to.
struct Unbounding(Fcfs, Actions);

impl Policy for Unbounding {
    const NAME: &'static str = Fcfs::NAME;
    const VERSION: &'static str = Fcfs::VERSION;
    const DESCRIPTION: &'static str = Fcfs::DESCRIPTION;
    type Parameters = ();

    fn new(parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self(Fcfs::new(parameters, context)?, context.actions()))
    }
}

impl NodeAllocation for Unbounding {
    fn rules(&self) -> AllocationRules {
        self.0.rules()
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.1.keep_between(request.function, 0, u32::MAX - 1);
        self.0.place(request, cluster)
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn there_are_as_many_containers_as_there_are_to_be(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["policies"]["node_allocation"] = json!({"use": "fcfs"});
        let policies = [&[PolicyDescriptor::node_allocation::<Bounding>()], hearth_plugins::BUILT_IN].concat();
        let run = || run_with(&scenario, &policies, check);
        let (Some(first), Some(second)) = (run(), run()) else { return Ok(()) };
        prop_assert!(files_of(&first?) == files_of(&second?));
    }

    /// Bounds that nothing comes up to change nothing.
    #[test]
    fn wide_bounds_change_nothing(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["policies"]["node_allocation"] = json!({"use": "fcfs"});
        let Some(without) = run(&scenario) else { return Ok(()) };
        let policies = [&[PolicyDescriptor::node_allocation::<Unbounding>()], hearth_plugins::BUILT_IN].concat();
        let with = run_with(&scenario, &policies, check_conservation).expect("it ran without bounds");
        prop_assert!(files_of(&without?) == files_of(&with?));
    }
}
