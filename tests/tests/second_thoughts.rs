//! Policies that change what they have answered: they steal from queues, give other ranks, and make other attempts. And those that
//! hear of a node that is lost.

use std::cell::RefCell;

use hearth_policy_api::*;
use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};

const SECOND: u64 = 1_000_000_000;

/// So many nodes of one core; `short` runs 1 s, `long` 10 s, and containers start in no time.
fn scenario(nodes: u32, requests: &[(f64, &str)], policy: &Value) -> Value {
    let requests: Vec<Value> =
        requests.iter().map(|(date, function)| json!({"at": date, "function": function})).collect();
    json!({
        "format": "hearth-scenario/1", "network_model": "ideal",
        "platform": {
            "hosts": [{"name": "head", "cores": 1, "speed": "1Gf"},
                      {"name": "node", "count": nodes, "cores": 1, "speed": "1Gf", "ram": "16GB"}],
            "links": [{"name": "lan", "bandwidth": "1GBps", "latency": 0}],
            "routes": [{"from": "head", "to": "node-*", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "container_startup_overhead": 0},
        "functions": [{"name": "short", "ram_limit": "1GB", "body": [{"sleep": "1s"}]},
                      {"name": "long", "ram_limit": "1GB", "body": [{"sleep": "10s"}]}],
        "workload": {"invocations": requests}, "policies": {"node_allocation": policy},
    })
}

fn run_with(scenario: &Value, policies: &[PolicyDescriptor]) -> Results {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    let policies = [policies, hearth_plugins::BUILT_IN].concat();
    Experiment::prepare(&scenario, &Catalog::new(&policies)).unwrap().run().unwrap()
}

fn run(scenario: &Value) -> Results {
    run_with(scenario, &[])
}

/// When each has started, in s.
fn started(results: &Results) -> Vec<f64> {
    results.records.iter().map(|record| record.started_at.unwrap().as_nanos() as f64 / 1e9).collect()
}

/// Two nodes. Behind a long run stand two short ones, and two others behind a short run: a node that has no queue any more takes them.
#[test]
fn a_node_without_a_queue_steals() {
    let requests = [(0.0, "long"), (0.0, "short"), (0.1, "short"), (0.2, "short"), (0.3, "short"), (0.4, "short")];
    let with = |steal: bool| {
        let policy = json!({"use": "join-shortest-queue", "parameters": {"steal": steal}});
        started(&run(&scenario(2, &requests, &policy)))
    };
    // They join node 0, 1, 0 and 1.
    assert_eq!(with(false), [0.0, 0.0, 10.0, 1.0, 11.0, 2.0]);
    // At 3 s node 1 has nobody left: it takes the last from node 0, and at 4 s the other.
    assert_eq!(with(true), [0.0, 0.0, 4.0, 1.0, 3.0, 2.0]);
}

/// With stealing no core is idle while somebody stands anywhere, so with runs of one length the dates at which somebody starts are
/// those of one queue for all.
#[test]
fn with_stealing_cores_are_as_busy_as_with_one_queue() {
    let requests: Vec<(f64, &str)> =
        (0..60_u32).map(|number| (f64::from(number * number % 37) * 0.21, "short")).collect();
    let of = |policy: &Value| {
        let mut started = started(&run(&scenario(3, &requests, policy)));
        started.sort_by(f64::total_cmp);
        started
    };
    let one_queue = of(&json!({"use": "first-fit"}));
    assert_eq!(of(&json!({"use": "join-shortest-queue", "parameters": {"steal": true}})), one_queue);
    let one_choice = |steal| json!({"use": "join-shortest-queue", "parameters": {"steal": steal, "choices": 1}});
    assert_ne!(of(&one_choice(false)), one_queue, "otherwise it shows nothing");
}

/// One node, on which short runs keep coming: the long one starts when they have ended, or after its patience.
#[test]
fn who_has_waited_long_enough_comes_first() {
    // Both functions have run before, so that it is known how long they take.
    let mut requests = vec![(0.0, "short"), (0.0, "long"), (20.0, "short"), (20.1, "long")];
    requests.extend((0..8_u32).map(|number| (20.2 + f64::from(number) * 0.9, "short")));
    let long = |patience: &str| {
        started(&run(&scenario(1, &requests, &json!({"use": "sept", "parameters": {"patience": patience}}))))[3]
    };
    assert_eq!(long("0s"), 29.0, "nine short runs from 20 s on");
    assert_eq!(long("2500ms"), 23.0, "the first core after 22.6 s");
}

/// The node of an invocation is slowed tenfold: at 3 s, three times its mean, it has another attempt elsewhere.
#[test]
fn what_takes_long_has_another_attempt_elsewhere() {
    let requests = [(0.0, "short"), (10.0, "short")];
    let mut scenario = scenario(2, &requests, &json!({"use": "hedged-requests"}));
    scenario["faults"] = json!({"scripted": [{"at": 9, "host": "node-0", "slow": 10, "for": "60s"}]});
    let results = run(&scenario);
    let record = &results.records[1];
    let finished = record.finished_at.unwrap().as_nanos() as f64 / 1e9;
    assert_eq!((results.metrics.hedges, record.node, finished), (1, Some(1), 14.0));
    scenario["policies"] = json!({"node_allocation": {"use": "warm-first"}});
    assert_eq!(run(&scenario).records[1].finished_at.unwrap().as_nanos(), 20 * SECOND);
}

thread_local! {
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Notes what becomes of nodes, and every second.
struct Watchful(Actions);

impl Policy for Watchful {
    const NAME: &'static str = "watchful";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "hears of nodes";
    type Parameters = ();

    fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        HEARD.with_borrow_mut(Vec::clear);
        let actions = context.actions();
        (1..5).for_each(|second| actions.wake_at(second, second * 10 * SECOND));
        Ok(Self(actions))
    }
}

impl NodeAllocation for Watchful {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes: true, ..AllocationRules::default() }
    }

    fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        cluster.free_core.first().into()
    }

    fn observe(&mut self, node: u32, _view: &NodeView, up: bool) {
        HEARD.with_borrow_mut(|heard| heard.push(format!("node {node} is {}", if up { "up" } else { "down" })));
    }

    fn on_timer(&mut self, timer: u64, _cluster: &ClusterView<'_>) {
        let _ = &self.0;
        HEARD.with_borrow_mut(|heard| heard.push(format!("{} s", timer * 10)));
    }
}

/// Nobody runs or waits: a policy hears all the same of a node that goes down and comes back, at those dates.
#[test]
fn a_node_that_is_lost_is_told_at_once() {
    let mut scenario = scenario(2, &[(50.0, "short")], &json!({"use": "watchful"}));
    scenario["faults"] = json!({"scripted": [{"at": 15, "host": "node-1", "for": "20s"}]});
    run_with(&scenario, &[PolicyDescriptor::node_allocation::<Watchful>()]);
    let heard = HEARD.with_borrow(Clone::clone);
    let dates: Vec<&str> = heard.iter().map(String::as_str).filter(|what| !what.starts_with("node 0")).collect();
    let at = |what: &str| dates.iter().position(|heard| *heard == what);
    assert!(at("10 s") < at("node 1 is down") && at("node 1 is down") < at("20 s"), "{dates:?}");
    let up = dates.iter().rposition(|heard| *heard == "node 1 is up");
    assert!(at("30 s") < up && up < at("40 s"), "{dates:?}");
}
