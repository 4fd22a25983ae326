//! A policy that comes late hears what it must, and of nothing that it cannot know.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hearth_policy_api::boundary::{
    AdmissionObject, AutoscalingObject, CallFailure, EvictionObject, KeepAliveObject, NodeAllocationObject,
};
use hearth_policy_api::*;
use hearth_simcore::time::SimTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;
use super::checks::*;
use super::scenarios::*;
use super::stepped::{go_on, steps, with_everything};
use crate::experiment::{Debugged, Experiment, Quantity, Until};
use crate::invocation::Outcome;
use crate::policy::{Catalog, Factory, OwnPolicies};
use crate::scenario::Scenario;

/// By their keys: where one has placed those whose ends it has not heard of.
type Placed = Rc<RefCell<BTreeMap<u64, u32>>>;

/// Takes the first free node, and counts by itself what it has placed where; fails if it hears of an end that it cannot know.
#[derive(Default)]
struct Counting {
    placed: Placed,
    containers: BTreeMap<(u32, u32), ContainerChange>,
    /// The date of what it has heard last of a container.
    heard_at: u64,
    /// The last that it has heard of each node.
    nodes: BTreeMap<u32, (NodeView, bool)>,
    /// Whether it has been told of all nodes.
    is_late: bool,
}

impl Counting {
    fn check(&self, cluster: &ClusterView<'_>) {
        assert!(!self.is_late || self.nodes.len() == cluster.nodes.len(), "has heard of {} nodes", self.nodes.len());
        for (node, (_, up)) in &self.nodes {
            assert_eq!(cluster.up.contains(*node), *up);
            let there: BTreeSet<u32> = cluster.containers_on(*node).iter().map(|it| it.container).collect();
            let heard: BTreeSet<u32> =
                self.containers.keys().filter(|(on, _)| on == node).map(|(_, container)| *container).collect();
            assert!(!up || there == heard, "{there:?} and {heard:?} on {node}");
            for shown in cluster.containers_on(*node).iter().filter(|_| *up) {
                let states: &[u32] = match self.containers[&(*node, shown.container)] {
                    ContainerChange::Starting => &[abi::CONTAINER_STARTING],
                    ContainerChange::StartingAhead => &[abi::CONTAINER_STARTING_AHEAD],
                    // One may be taken in this very round.
                    ContainerChange::Idle if shown.invocation == u64::MAX => {
                        &[abi::CONTAINER_IDLE, abi::CONTAINER_BUSY]
                    }
                    ContainerChange::Taken => &[abi::CONTAINER_STARTING, abi::CONTAINER_BUSY],
                    _ => &[abi::CONTAINER_BUSY],
                };
                assert!(states.contains(&shown.state), "{shown:?} on {node}: {:?}", self.containers);
            }
        }
    }
}

impl NodeAllocation for Counting {
    fn rules(&self) -> AllocationRules {
        AllocationRules {
            observes: true,
            observes_ends: true,
            observes_containers: true,
            sees_history: true,
            ..AllocationRules::default()
        }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.check(cluster);
        assert!(cluster.history(request.function).arrivals > 0, "it has been requested, whoever was there then");
        let node = cluster.free_core.first();
        if let Some(node) = node {
            let before = self.placed.borrow_mut().insert(request.key, node);
            assert!(before.is_none(), "invocation {} is asked about, and placed", request.invocation);
        }
        node.into()
    }

    fn observe(&mut self, node: u32, view: &NodeView, up: bool) {
        self.nodes.insert(node, (*view, up));
    }

    fn on_end(&mut self, end: &End) {
        if end.node != NONE {
            assert_eq!(self.placed.borrow_mut().remove(&end.key), Some(end.node), "{end:?}");
        }
    }

    fn on_delayed_start(&mut self, start: &DelayedStart) {
        panic!("it never lets anybody wait at a node: {start:?}");
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        let name = (event.node, event.container);
        assert!(event.now >= self.heard_at, "{event:?} after {}", self.heard_at);
        self.heard_at = event.now;
        let before = self.containers.insert(name, event.change);
        match event.change {
            change if change.is_begin() => assert_eq!(before, None, "{event:?}"),
            change => {
                assert!(before.is_some(), "{event:?}");
                if change.is_end() {
                    self.containers.remove(&name);
                }
            }
        }
    }
}

/// Lets in whom it is asked about while few are in that it has let in.
#[derive(Default)]
struct FewAtOnce(BTreeSet<u64>);

impl Admission for FewAtOnce {
    fn rules(&self) -> AdmissionRules {
        AdmissionRules { observes_ends: true, ..AdmissionRules::default() }
    }

    fn admit(&mut self, request: &RequestView, _view: &AdmissionView<'_>) -> AdmissionDecision {
        if self.0.len() >= 6 {
            return AdmissionDecision::Delay(500_000_000);
        }
        assert!(self.0.insert(request.key));
        AdmissionDecision::Admit
    }

    fn on_end(&mut self, end: &End) {
        assert!(self.0.remove(&end.key), "{end:?}");
    }
}

/// Evicts the oldest of which it knows, and fails when it is told of what it does not know.
#[derive(Default)]
struct Strict {
    items: BTreeSet<u32>,
    made: BTreeSet<u32>,
    observes: bool,
    hears_late: bool,
    /// When the container became idle that it heard of last.
    idle_since: u64,
}

impl Eviction for Strict {
    fn rules(&self) -> EvictionRules {
        EvictionRules { observes_containers: self.observes, hears_late: self.hears_late }
    }
    fn insert(&mut self, item: &EvictionItem) {
        assert!(!self.observes || item.function == NONE || self.made.contains(&item.id), "{item:?} was never made");
        assert!(self.items.insert(item.id), "{item:?}");
        if item.function != NONE {
            assert!(item.since >= self.idle_since, "{item:?} after {}", self.idle_since);
            self.idle_since = item.since;
        }
    }
    fn touch(&mut self, id: u32, _touch: Touch, _now: u64) {
        assert!(self.items.contains(&id));
    }
    fn remove(&mut self, id: u32, removal: Removal, _now: u64) {
        assert!(self.items.remove(&id), "{id}");
        if removal != Removal::Taken {
            self.made.remove(&id);
        }
    }
    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        victims.offer_all(self.items.iter().copied());
    }
    fn created(&mut self, container: &EvictionItem, _creation: Creation) {
        assert!(self.made.insert(container.id), "{container:?}");
    }
    fn ended(&mut self, id: u32, _now: u64) {
        assert!(self.made.remove(&id) && !self.items.contains(&id));
    }
}

/// Keeps containers for so many seconds; says whether it has been asked.
struct Keeps(u64, Rc<RefCell<u64>>);

impl KeepAlive for Keeps {
    fn on_idle(&mut self, _completion: &Completion<'_>) -> Retention {
        *self.1.borrow_mut() += 1;
        Retention { keep_for: self.0 * 1_000_000_000 }
    }
}

/// The first node that is free, without any memory.
struct First;

impl NodeAllocation for First {
    fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        cluster.free_core.first().into()
    }
}

/// Policies that are named here. `asked` counts calls of keep-alive, `placed` is what the node allocation has placed that came last.
pub(super) fn own(asked: &Rc<RefCell<u64>>, placed: &Rc<RefCell<Placed>>) -> Catalog {
    let keeps = |name: &str, seconds| {
        let asked = Rc::clone(asked);
        Factory::<KeepAliveObject>::in_place(name, move |_| Keeps(seconds, Rc::clone(&asked)))
    };
    let strict = |name: &str, observes: bool| {
        Factory::<EvictionObject>::in_place(name, move |_| Strict { observes, ..Strict::default() })
    };
    let told_late =
        Factory::<EvictionObject>::in_place("told late", |_| Strict { hears_late: true, ..Strict::default() });
    let own = OwnPolicies {
        node_allocation: vec![
            Factory::<NodeAllocationObject>::in_place("late", {
                let placed = Rc::clone(placed);
                move |_| {
                    placed.take();
                    Counting { is_late: true, placed: Rc::clone(&placed.borrow()), ..Counting::default() }
                }
            }),
            Factory::<NodeAllocationObject>::in_place("first", |_| First),
            Factory::<NodeAllocationObject>::in_place("first again", |_| First),
        ],
        eviction: vec![strict("strict", false), strict("strict again", false), strict("observing", true), told_late],
        admission: vec![Factory::<AdmissionObject>::in_place("few", |context| {
            context.actions().wake_at(3, 0);
            FewAtOnce::default()
        })],
        keep_alive: vec![
            keeps("keeps", 20),
            keeps("keeps again", 20),
            Factory::<KeepAliveObject>::seated("broken", |_| Err(CallFailure { cause: "broken".to_owned() })),
        ],
        ..OwnPolicies::default()
    };
    Catalog::new(hearth_plugins::BUILT_IN).with_own(own)
}

pub(super) fn set(scenario: &Value, slot: &str, policy: Value) -> Value {
    let mut scenario = scenario.clone();
    match slot.split_once('.') {
        Some((_, storage)) => scenario["policies"]["eviction"][storage] = policy,
        None => scenario["policies"][slot] = policy,
    }
    scenario
}

pub(super) fn read(scenario: &Value) -> Scenario {
    Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

const EVICTION: [&str; 4] =
    ["eviction.containers", "eviction.images_in_ram", "eviction.images_on_disk", "eviction.images_on_head"];

proptest! {
    #![proptest_config(cases(400))]

    /// Strict policies come at random dates in the place of whoever was there, and go again.
    #[test]
    fn who_comes_late_hears_what_it_must_and_of_nothing_that_it_cannot_know(
        scenario in scenario(),
        faults in prop::option::of(faults()),
        workflow in prop::option::weighted(0.2, workflow()),
        comers in proptest::collection::vec((steps(), 0..8_u8), 1..5),
    ) {
        let mut current = with_everything(scenario, faults, workflow, None);
        let placed = Rc::default();
        let catalog = own(&Rc::default(), &placed);
        let Ok(mut debugged) = Debugged::prepare(&read(&current), &catalog) else { return Ok(()) };
        let mut first_of_slot = BTreeSet::new();
        for (steps, comer) in comers {
            for step in steps {
                go_on(&mut debugged, step);
            }
            let (slot, name) = match comer {
                0 => ("node_allocation", "late"),
                1 => ("admission", "few"),
                2 => (EVICTION[0], "observing"),
                3 => (EVICTION[0], "strict"),
                4 => (EVICTION[1], "strict"),
                5 => (EVICTION[2], "strict again"),
                6 => (EVICTION[0], "told late"),
                _ => (EVICTION[3], "strict"),
            };
            let next = set(&current, slot, json!({"use": name}));
            match debugged.replace(&read(&next)) {
                Ok(replaced) => {
                    prop_assert!(replaced.len() == 1 || !first_of_slot.insert((slot, name)) || replaced.is_empty());
                    current = next;
                }
                Err(error) => {
                    let said = error.to_string();
                    let is_refused = said.contains("run on until bound = 0") || said.contains("has ended");
                    prop_assert!(is_refused, "{}", said);
                }
            }
        }
        let (results, stopped) = debugged.finish();
        prop_assert!(stopped.is_none(), "{}", stopped.unwrap());
        if current["workflows"].is_null() {
            check_window(&results)?;
        }
        if results.metrics.outcome(Outcome::Unfinished) == 0 {
            let untold = placed.borrow();
            prop_assert!(untold.borrow().is_empty(), "it has not heard of the ends of {:?}", untold);
        }
    }

    /// One that remembers nothing may be replaced by its like whenever anybody likes.
    #[test]
    fn a_policy_in_the_place_of_its_like_changes_nothing(
        scenario in scenario(),
        faults in prop::option::of(faults()),
        changes in proptest::collection::vec((steps(), any::<bool>()), 1..4),
    ) {
        let mut current = with_everything(scenario, faults, None, None);
        current["policies"]["node_allocation"] = json!({"use": "first"});
        current["policies"]["keep_alive"] = json!({"use": "keeps"});
        let asked = Rc::default();
        let catalog = own(&asked, &Rc::default());
        let Ok(undisturbed) = Experiment::prepare(&read(&current), &catalog) else { return Ok(()) };
        let expected = undisturbed.run().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let times_asked = asked.replace(0);
        let mut debugged = Debugged::prepare(&read(&current), &catalog).unwrap();
        for (steps, is_allocation) in changes {
            for step in steps {
                go_on(&mut debugged, step);
            }
            let (slot, one, other) =
                if is_allocation { ("node_allocation", "first", "first again") } else { ("keep_alive", "keeps", "keeps again") };
            let next = if current["policies"][slot]["use"] == one { other } else { one };
            current = set(&current, slot, json!({"use": next}));
            if debugged.is_over() {
                break;
            }
            prop_assert_eq!(debugged.replace(&read(&current)).unwrap().len(), 1);
        }
        let (results, _) = debugged.finish();
        // What is in the summary of policies is those at the begin.
        prop_assert_eq!(files_of(&results), files_of(&expected));
        prop_assert_eq!(*asked.borrow(), times_asked);
    }

    /// From a policy to any other that is built in, at any date.
    #[test]
    fn any_policy_may_come_after_any_other_or_is_refused_with_a_reason(
        scenario in scenario(),
        other in super::scenarios::scenario(),
        steps in steps(),
        slot in 0..4_u8,
    ) {
        let (mut current, catalog) = (scenario, Catalog::new(hearth_plugins::BUILT_IN));
        let Ok(mut debugged) = Debugged::prepare(&read(&current), &catalog) else { return Ok(()) };
        for step in steps {
            go_on(&mut debugged, step);
        }
        let name = ["node_allocation", "admission", "keep_alive", "eviction"][slot as usize];
        current["policies"][name] = other["policies"][name].clone();
        match debugged.replace(&read(&current)) {
            Ok(_) => {}
            Err(error) => {
                let said = error.to_string();
                let reasons = ["bound = 0", "has ended", "plans for the whole queue", "backfilling"];
                prop_assert!(reasons.iter().any(|reason| said.contains(reason)), "{}", said);
                return Ok(());
            }
        }
        let is_stuck_at_times = ["workload-balancing"].map(|name| json!({"use": name}));
        let (results, stopped) = debugged.finish();
        prop_assert!(stopped.is_none(), "{}", stopped.unwrap());
        let may_wait = is_stuck_at_times.iter().any(|policy| current["policies"]["node_allocation"] == *policy);
        if !may_wait {
            let unfinished = results.metrics.outcome(Outcome::Unfinished);
            prop_assert_eq!(unfinished, 0, "{:?}", results.stall);
        }
    }
}

#[test]
fn a_policy_that_cannot_come_is_refused_and_everything_is_as_it_was() {
    let scenario = json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [{"name": "node", "cores": 1, "speed": "10Gf", "ram": "1GB"}]},
        "service": {"head": "node", "registry": "node", "nodes": ["node"], "container_startup_overhead": 1},
        "functions": [{"name": "f", "ram_limit": "1GB", "body": [{"sleep": 5}]}],
        "workload": {"invocations": [{"at": 1, "function": "f"}, {"at": 2, "function": "f"}]},
    });
    let catalog = Catalog::new(hearth_plugins::BUILT_IN);
    let refusal = |slot: &str, policy: Value| {
        let mut debugged = Debugged::prepare(&read(&scenario), &catalog).unwrap();
        debugged.run(&Until::Date(SimTime::from_secs_f64(3.0)), &[], || false);
        let before = format!("{:?} {:?}", debugged.nodes(), debugged.policies());
        let refused = debugged.replace(&read(&set(&scenario, slot, policy))).unwrap_err();
        assert_eq!(format!("{:?} {:?}", debugged.nodes(), debugged.policies()), before);
        let (results, stopped) = debugged.finish();
        assert!(stopped.is_none() && results.metrics.outcome(Outcome::Completed) == 2);
        refused.to_string()
    };
    let said = refusal("controller", json!({"use": "knative-autoscaler"}));
    assert!(said.contains("it is a controller"), "{said}");
    let said = refusal("node_allocation", json!({"use": "hedged-requests"}));
    assert!(said.contains("it asks for other attempts"), "{said}");
    let said = refusal("autoscaling", json!({"use": "kpa"}));
    assert_eq!(
        said,
        "policies.autoscaling: \"kpa\" cannot come now: nobody is asked there: the scenario has no instances"
    );
    let said = refusal("node_allocation", json!({"use": "first-fot"}));
    assert!(said.contains("unknown node allocation policy"), "{said}");
}

/// One core, three requests, and a link that is slow from 1 s to 20 s.
fn one_core() -> Value {
    json!({
        "format": "hearth-scenario/1",
        "platform": {
            "hosts": [{"name": "head", "cores": 1, "speed": "10Gf"}, {"name": "node", "cores": 1, "speed": "10Gf", "ram": "1GB"}],
            "links": [{"name": "lan", "bandwidth": "1GBps", "latency": "10us"}],
            "routes": [{"from": "head", "to": "node", "links": ["lan"]}],
        },
        "service": {"head": "head", "registry": "head", "nodes": ["node"], "container_startup_overhead": 1},
        "functions": [{"name": "f", "ram_limit": "1GB", "body": [{"sleep": 5}]}],
        "faults": {"scripted": [{"at": 1, "link": "lan", "bandwidth": 0.5, "for": 19}]},
        "workflows": [{"name": "w", "tasks": [{"name": "only", "function": "f"}]}],
        "workload": {"invocations": [{"at": 1, "function": "f"}, {"at": 2, "function": "f"}, {"at": 3, "workflow": "w"}, {"at": 25, "function": "f"}]},
    })
}

type Heard = Rc<RefCell<Vec<String>>>;

/// Has everybody wait, and itself woken later.
struct Sleepy;

impl NodeAllocation for Sleepy {
    fn rules(&self) -> AllocationRules {
        AllocationRules { answers_hold: true, ..AllocationRules::default() }
    }

    fn place(&mut self, _request: &RequestView, _cluster: &ClusterView<'_>) -> Placement {
        Placement::Wait
    }
}

/// Who has come last goes first; says what it hears.
struct LastFirst(Heard);

impl LastFirst {
    fn hear(&self, what: String) {
        self.0.borrow_mut().push(what);
    }
}

impl NodeAllocation for LastFirst {
    fn rules(&self) -> AllocationRules {
        AllocationRules {
            observes: true,
            answers_hold: true,
            ranks: true,
            sees_workflows: true,
            ..AllocationRules::default()
        }
    }

    fn rank(&mut self, request: &RequestView, _now: u64) -> u64 {
        100 - request.invocation
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        if cluster.free_core.first().is_some() {
            self.hear(format!("{} goes", request.invocation));
        }
        cluster.free_core.first().into()
    }

    fn observe_link(&mut self, link: &LinkView<'_>) {
        self.hear(format!("link {} has {}", link.link, link.share));
    }

    fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        self.hear(format!("workflow of {}", workflow.tasks.len()));
    }

    fn on_timer(&mut self, timer: u64, _cluster: &ClusterView<'_>) {
        self.hear(format!("timer {timer}"));
    }
}

#[test]
fn a_latecomer_hears_of_links_and_workflows_asks_for_its_order_and_has_no_timers_of_others() {
    let heard = Heard::default();
    let own = OwnPolicies {
        node_allocation: vec![
            Factory::<NodeAllocationObject>::in_place("sleepy", |context| {
                context.actions().wake_at(7, 10_000_000_000);
                Sleepy
            }),
            Factory::<NodeAllocationObject>::in_place("last first", {
                let heard = Rc::clone(&heard);
                move |_| LastFirst(Rc::clone(&heard))
            }),
        ],
        ..OwnPolicies::default()
    };
    let catalog = Catalog::new(hearth_plugins::BUILT_IN).with_own(own);
    let scenario = set(&one_core(), "node_allocation", json!({"use": "sleepy"}));
    let mut debugged = Debugged::prepare(&read(&scenario), &catalog).unwrap();
    debugged.run(&Until::Date(SimTime::from_secs_f64(5.0)), &[], || false);
    assert_eq!((debugged.measure(Quantity::Queue), debugged.measure(Quantity::Running)), (3, 0));
    debugged.replace(&read(&set(&scenario, "node_allocation", json!({"use": "last first"})))).unwrap();
    assert_eq!(debugged.measure(Quantity::Running), 1, "it is asked at once");
    let (_, stopped) = debugged.finish();
    assert!(stopped.is_none());
    let expected = ["workflow of 1", "link 0 has 0.5", "4 goes", "1 goes", "0 goes", "link 0 has 1", "3 goes"];
    assert_eq!(*heard.borrow(), expected);
}

#[test]
fn a_latecomer_does_not_hear_of_those_that_another_has_had_wait_at_a_node() {
    let scenario = set(&one_core(), "node_allocation", json!({"use": "join-shortest-queue"}));
    let mut debugged = Debugged::prepare(&read(&scenario), &own(&Rc::default(), &Rc::default())).unwrap();
    debugged.run(&Until::Date(SimTime::from_secs_f64(5.0)), &[], || false);
    assert_eq!(debugged.measure(Quantity::Bound), 2);
    debugged.replace(&read(&set(&scenario, "node_allocation", json!({"use": "late"})))).unwrap();
    let (results, stopped) = debugged.finish();
    assert!(stopped.is_none() && results.metrics.outcome(Outcome::Completed) == 4, "{stopped:?}");
}

#[test]
fn eviction_that_hears_late_hears_of_what_was_idle_before_it_came() {
    let mut scenario = one_core();
    let g = json!({"name": "g", "ram_limit": "1GB", "body": [{"sleep": 5}]});
    scenario["functions"].as_array_mut().unwrap().push(g);
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 20, "function": "g"}]);
    let mut debugged = Debugged::prepare(&read(&scenario), &own(&Rc::default(), &Rc::default())).unwrap();
    debugged.run(&Until::Date(SimTime::from_secs_f64(10.0)), &[], || false);
    assert_eq!(debugged.measure(Quantity::Idle), 1);
    debugged.replace(&read(&set(&scenario, "eviction.containers", json!({"use": "told late"})))).unwrap();
    let (results, stopped) = debugged.finish();
    assert!(stopped.is_none() && results.metrics.outcome(Outcome::Completed) == 2, "{stopped:?}");
}

/// Decides anew in every round, by the free cores alone: the first node, or the last one.
struct Edge(bool);

impl NodeAllocation for Edge {
    fn rules(&self) -> AllocationRules {
        AllocationRules { commitment: Commitment::PerRound, answers_hold: true, ..AllocationRules::default() }
    }

    fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let nodes: Vec<u32> = cluster.free_core.iter().collect();
        if self.0 { nodes.first().copied().into() } else { nodes.last().copied().into() }
    }
}

#[test]
fn what_another_has_answered_holds_no_longer() {
    let own = OwnPolicies {
        node_allocation: [("first", true), ("last", false)]
            .map(|(name, is_first)| Factory::<NodeAllocationObject>::in_place(name, move |_| Edge(is_first)))
            .to_vec(),
        ..OwnPolicies::default()
    };
    let catalog = Catalog::new(hearth_plugins::BUILT_IN).with_own(own);
    let mut scenario = set(&one_core(), "node_allocation", json!({"use": "first"}));
    // RAM for one, and cores for two.
    scenario["platform"]["hosts"][1] = json!({"name": "node", "count": 2, "cores": 2, "speed": "10Gf", "ram": "1GB"});
    scenario["platform"]["routes"][0]["to"] = json!("node-*");
    scenario["service"]["nodes"] = json!(["node-*"]);
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 1, "function": "f"}]);
    let mut debugged = Debugged::prepare(&read(&scenario), &catalog).unwrap();
    debugged.run(&Until::Date(SimTime::from_secs_f64(2.0)), &[], || false);
    assert_eq!(debugged.measure(Quantity::Running), 1, "the first node has no RAM for the other one");
    debugged.replace(&read(&set(&scenario, "node_allocation", json!({"use": "last"})))).unwrap();
    assert_eq!(debugged.measure(Quantity::Running), 2);
}

/// Wants what there is, and notes when it is asked.
struct Periodic(u64, Rc<RefCell<Vec<u64>>>);

impl Autoscaling for Periodic {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: self.0 * 1_000_000_000, scales_pools: true, ..AutoscalingRules::default() }
    }

    fn scale(&mut self, view: &ScaleView) -> Scale {
        self.1.borrow_mut().push(view.now / 1_000_000_000);
        Scale { wanted: 1 }
    }

    fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> PoolScale {
        self.1.borrow_mut().push(pool.now / 1_000_000_000);
        PoolScale::default()
    }
}

#[test]
fn a_late_autoscaler_is_asked_at_its_own_times() {
    for slot in ["autoscaling", "cluster_autoscaling"] {
        let asked = Rc::default();
        let periodic = |name: &str, period| {
            let asked = Rc::clone(&asked);
            Factory::<AutoscalingObject>::in_place(name, move |_| Periodic(period, Rc::clone(&asked)))
        };
        let own = OwnPolicies { autoscaling: vec![periodic("two", 2), periodic("five", 5)], ..OwnPolicies::default() };
        let catalog = Catalog::new(hearth_plugins::BUILT_IN).with_own(own);
        let mut scenario = set(&one_core(), slot, json!({"use": "two"}));
        match slot {
            "autoscaling" => scenario["functions"][0]["instances"] = json!({"concurrency": 1, "min_scale": 1}),
            _ => {
                scenario["service"]["node_pools"] = json!([{"name": "all", "nodes": ["node"], "min": 0, "initial": 1}])
            }
        }
        scenario["horizon"] = json!(30);
        scenario["workload"]["invocations"].as_array_mut().unwrap().push(json!({"at": 29, "function": "f"}));
        let mut debugged = Debugged::prepare(&read(&scenario), &catalog).unwrap();
        debugged.run(&Until::Date(SimTime::from_secs_f64(7.0)), &[], || false);
        debugged.replace(&read(&set(&scenario, slot, json!({"use": "five"})))).unwrap();
        drop(debugged.finish());
        let asked = asked.borrow();
        let (before, after): (Vec<u64>, Vec<u64>) = asked.iter().partition(|date| **date <= 7);
        assert!(before.windows(2).all(|pair| pair[1] - pair[0] <= 2) && before.len() >= 3, "{slot}: {asked:?}");
        let are_apart = after.windows(2).skip(1).all(|pair| pair[0] == pair[1] || pair[1] - pair[0] == 5);
        assert!(are_apart && after.len() >= 3, "{slot}: {asked:?}");
    }
}
