//! Node allocation, admission and keep-alive hear of all that becomes of containers.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hearth_node_allocation_fcfs::Fcfs;
use hearth_policy_api::*;
use proptest::prelude::*;
use serde_json::json;

use super::checks::{check_conservation, files_of};
use super::scenarios::{faults, scenario};
use super::{cases, run, run_with};
use crate::invocation::Start;
use crate::service::Service;
use crate::table::Identifier;

/// What a container is doing, as far as has been told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    Starting,
    StartingAhead,
    InUse,
    Idle,
}

/// The containers that a policy has been told of, by node and number.
#[derive(Clone, Default)]
struct Census {
    containers: BTreeMap<(u32, u32), (u32, Told)>,
    cold_starts: usize,
    now: u64,
}

impl Census {
    /// What has become of a container must follow from what it was.
    fn hear(&mut self, event: &ContainerEvent) {
        use ContainerChange as Change;
        assert!(self.now <= event.now, "{event:?} after {}", self.now);
        self.now = event.now;
        let key = (event.node, event.container);
        let before = self.containers.remove(&key);
        assert!(before.is_none_or(|(function, _)| function == event.function), "{event:?}: {before:?}");
        let after = match (before.map(|(_, told)| told), event.change) {
            (None, Change::Starting) => {
                self.cold_starts += 1;
                Some(Told::Starting)
            }
            (None, Change::StartingAhead) => Some(Told::StartingAhead),
            (Some(Told::Starting), Change::Up) | (Some(Told::Idle), Change::Taken) => Some(Told::InUse),
            (Some(Told::InUse | Told::StartingAhead), Change::Idle) => Some(Told::Idle),
            (Some(Told::Idle), Change::Expired | Change::Evicted | Change::Ended | Change::Lost) => None,
            (Some(Told::InUse), Change::NotKept) => None,
            (Some(Told::InUse | Told::Starting), Change::Crashed | Change::Stopped) => None,
            (Some(Told::InUse | Told::Starting | Told::StartingAhead), Change::Lost) => None,
            _ => panic!("{event:?} of one that was {before:?}"),
        };
        if let Some(told) = after {
            self.containers.insert(key, (event.function, told));
        }
    }
}

thread_local! {
    static CENSUSES: RefCell<BTreeMap<PolicySlot, Census>> = const { RefCell::new(BTreeMap::new()) };
}

fn hear(slot: PolicySlot, event: &ContainerEvent) {
    CENSUSES.with_borrow_mut(|all| all.entry(slot).or_default().hear(event));
}

/// What another policy is, and a witness.
struct Witness<P>(P);

impl<P: Policy> Policy for Witness<P> {
    const NAME: &'static str = P::NAME;
    const VERSION: &'static str = P::VERSION;
    const DESCRIPTION: &'static str = P::DESCRIPTION;
    type Parameters = P::Parameters;

    fn new(parameters: P::Parameters, context: &PolicyContext) -> Result<Self, PolicyError> {
        P::new(parameters, context).map(Self)
    }
}

impl<P: NodeAllocation> NodeAllocation for Witness<P> {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes_containers: true, ..self.0.rules() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.0.place(request, cluster)
    }

    fn observe(&mut self, node: u32, view: &NodeView, up: bool) {
        self.0.observe(node, view, up);
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        hear(PolicySlot::NodeAllocation, event);
    }
}

/// The first node with a free core; its answers bind.
struct FirstFree;

impl Policy for FirstFree {
    const NAME: &'static str = "first-free";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "the first node with a free core";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl NodeAllocation for FirstFree {
    fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        cluster.free_core.first().into()
    }
}

/// Keeps some containers for a while, and starts some ahead; knows how many are idle.
struct Keeper;

impl Policy for Keeper {
    const NAME: &'static str = "keeper";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "keeps some for a while, and starts some ahead";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl KeepAlive for Keeper {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules { observes_containers: true, ..KeepAliveRules::default() }
    }

    fn on_idle(&mut self, completion: &Completion) -> Retention {
        CENSUSES.with_borrow(|all| {
            let told = all.get(&PolicySlot::KeepAlive).expect("told of the container that is asked about");
            let here = told.containers.iter().filter(|((node, _), _)| *node == completion.node);
            let idle = here.filter(|(_, held)| **held == (completion.function, Told::Idle)).count() as u32;
            assert_eq!(idle + 1, completion.idle_of_function, "at {}", completion.now);
        });
        Retention { keep_for: if completion.now.is_multiple_of(3) { 0 } else { completion.now % 7 * 1_000_000_000 } }
    }

    fn prewarm(&mut self, completion: &Completion) -> Prewarming {
        Prewarming { after: completion.now % 4 * 500_000_000, keep_for: 2_000_000_000 }
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        hear(PolicySlot::KeepAlive, event);
    }
}

/// What each has been told is what is there.
fn check(service: &Service) -> Result<(), TestCaseError> {
    check_conservation(service)?;
    let nodes = service.cluster().nodes().names().zip(service.cluster().nodes().iter());
    let there: BTreeMap<(u32, u32), (u32, bool)> = nodes
        .flat_map(|(node, held)| {
            let of = move |(number, held): (usize, &crate::node::Container)| {
                ((node.position() as u32, number as u32), (held.function.0, held.idle.is_some()))
            };
            held.containers.iter().map(of)
        })
        .collect();
    CENSUSES.with_borrow(|all| {
        for slot in [PolicySlot::NodeAllocation, PolicySlot::KeepAlive] {
            let told = all.get(&slot).map(|census| census.containers.clone()).unwrap_or_default();
            let told = told.into_iter().map(|(key, (function, told))| (key, (function, told == Told::Idle)));
            prop_assert_eq!(told.collect::<BTreeMap<_, _>>(), there.clone(), "{:?}", slot);
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn policies_hear_of_all_that_becomes_of_containers(
        scenario in scenario(),
        faults in prop::option::of(faults()),
        binds in any::<bool>(),
    ) {
        let mut scenario = scenario;
        let has_faults = faults.is_some();
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["policies"]["keep_alive"] = json!({"use": "keeper"});
        let witness = if binds {
            PolicyDescriptor::node_allocation::<Witness<FirstFree>>()
        } else {
            PolicyDescriptor::node_allocation::<Witness<Fcfs>>()
        };
        scenario["policies"]["node_allocation"] = json!({"use": witness.name()});
        let others = hearth_plugins::BUILT_IN.iter().filter(|policy| policy.name() != witness.name()).copied();
        let policies: Vec<PolicyDescriptor> =
            others.chain([witness, PolicyDescriptor::keep_alive::<Keeper>()]).collect();
        CENSUSES.set(BTreeMap::new());
        let Some(results) = run_with(&scenario, &policies, check) else { return Ok(()) };
        let results = results?;
        let told = CENSUSES.with_borrow(|all| all.get(&PolicySlot::KeepAlive).map_or(0, |census| census.cold_starts));
        let cold = results.records.iter().filter(|record| record.start == Some(Start::Cold)).count();
        // An invocation that is tried again may start cold more than once.
        prop_assert!(told == cold || has_faults && told > cold, "told of {told} cold starts of {cold}");
    }

    /// To hear of containers changes nothing.
    #[test]
    fn who_hears_of_containers_does_what_it_did(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["policies"]["node_allocation"] = json!({"use": "fcfs"});
        let Some(without) = run(&scenario) else { return Ok(()) };
        let others = hearth_plugins::BUILT_IN.iter().filter(|policy| policy.name() != Fcfs::NAME).copied();
        let policies: Vec<PolicyDescriptor> =
            others.chain([PolicyDescriptor::node_allocation::<Witness<Fcfs>>()]).collect();
        CENSUSES.set(BTreeMap::new());
        let with = run_with(&scenario, &policies, check_conservation).expect("it ran without");
        prop_assert!(files_of(&without?) == files_of(&with?));
    }
}
