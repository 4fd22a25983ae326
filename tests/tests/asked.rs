//! What a node allocation policy sees of a request, and when it is asked again about one that waits.

use std::cell::RefCell;

use hearth_policy_api::*;
use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};

thread_local! {
    /// The date in s, and what was seen of the request.
    static ASKED: RefCell<Vec<(f64, RequestView)>> = const { RefCell::new(Vec::new()) };
}

/// Goes to the first free node, but for what it waits for.
struct Waits {
    waits_for: &'static str,
    /// Links that lack some of their bandwidth.
    troubles: usize,
}

parameters! {
    struct Settings {
        /// what it waits for
        thing: word("nothing", "busy_node", "lost_node", "link", "trouble") = "nothing";
    }
}

impl Policy for Waits {
    const NAME: &'static str = "waits";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "waits for something";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { waits_for: settings.thing, troubles: 0 })
    }
}

impl NodeAllocation for Waits {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes: true, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        ASKED.with_borrow_mut(|asked| asked.push((cluster.now as f64 / 1e9, *request)));
        let waits = match self.waits_for {
            "busy_node" => cluster.up.contains(0) && !cluster.free_core.contains(0),
            "lost_node" => !cluster.up.contains(0),
            "link" => self.troubles > 0,
            "trouble" => self.troubles == 0,
            _ => false,
        };
        if waits { Placement::Wait } else { cluster.free_core.first().into() }
    }

    fn observe_link(&mut self, link: &LinkView<'_>) {
        self.troubles = usize::from(link.share < 1.0);
    }
}

/// Two nodes of one core; containers start in 1 s, bodies sleep for 10 s.
fn scenario() -> Value {
    let disk = json!({"capacity": "10GB", "read_bandwidth": "100MBps", "write_bandwidth": "100MBps"});
    json!({
        "format": "hearth-scenario/1",
        "platform": {
            "hosts": [{"name": "head", "cores": 1, "speed": "1Gf", "disk": disk},
                      {"name": "node", "count": 2, "cores": 1, "speed": "1Gf", "ram": "8GB", "disk": disk}],
            "links": [{"name": "lan", "bandwidth": "100MBps", "latency": 0}],
            "routes": [{"from": "head", "to": "node-*", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "container_startup_overhead": "1s"},
        "functions": [{"name": "f", "body": [{"sleep": "10s"}], "deadline": "15s"},
                      {"name": "g", "body": [{"sleep": "10s"}]}],
        "workload": {"invocations": [{"at": 0, "function": "f"}, {"at": 1, "function": "g"}]},
        "policies": {"node_allocation": {"use": "waits"}},
    })
}

fn run(scenario: &Value) -> (Results, Vec<(f64, RequestView)>) {
    ASKED.with_borrow_mut(Vec::clear);
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    let policies = [&[PolicyDescriptor::node_allocation::<Waits>()], hearth_plugins::BUILT_IN].concat();
    let results = Experiment::prepare(&scenario, &Catalog::new(&policies)).unwrap().run().unwrap();
    (results, ASKED.take())
}

/// When it is asked about which invocation, and where the second ran.
fn asked(scenario: &mut Value, waits_for: &str, fault: Value) -> (Vec<(f64, u64)>, Option<u32>) {
    scenario["policies"]["node_allocation"]["parameters"] = json!({"thing": waits_for});
    scenario["faults"] = json!({"scripted": [fault]});
    let (results, asked) = run(scenario);
    let node = results.records.last().and_then(|record| record.node);
    (asked.iter().map(|(date, request)| (*date, request.invocation)).collect(), node)
}

#[test]
fn who_waits_for_a_busy_node_is_asked_about_again_when_it_is_lost() {
    let fault = json!({"at": 5.25, "host": "node-0", "for": 100});
    let asked = asked(&mut scenario(), "busy_node", fault);
    assert_eq!(asked, (vec![(0.0, 0), (1.0, 1), (5.25, 1)], Some(1)));
}

#[test]
fn who_waits_for_a_busy_node_is_asked_about_again_when_a_container_crashes_there() {
    let mut scenario = scenario();
    scenario["policies"]["node_allocation"]["parameters"] = json!({"thing": "busy_node"});
    scenario["faults"] = json!({"containers": {"crash_per_second": 1.0}});
    let (results, asked) = run(&scenario);
    let crashed = results.records[0].finished_at.unwrap().as_secs_f64();
    assert!(crashed < 11.0 && results.records[0].outcome.as_str() == "lost");
    let dates: Vec<f64> = asked.iter().map(|(date, _)| *date).collect();
    assert_eq!(dates, [0.0, 1.0, crashed]);
}

#[test]
fn who_waits_for_a_node_is_asked_about_again_when_it_is_back() {
    let mut scenario = scenario();
    scenario["workload"]["invocations"] = json!([{"at": 1, "function": "f"}]);
    let fault = json!({"at": 0.5, "host": "node-0", "for": 19.75});
    assert_eq!(asked(&mut scenario, "lost_node", fault), (vec![(1.0, 0), (20.25, 0)], Some(0)));
}

#[test]
fn who_waits_for_a_link_is_asked_about_again_when_it_changes() {
    let mut scenario = scenario();
    scenario["workload"]["invocations"] = json!([{"at": 1, "function": "f"}]);
    for part in [json!(null), json!(0.5)] {
        let fault = json!({"at": 0.5, "link": "lan", "bandwidth": part, "for": 7.25});
        assert_eq!(asked(&mut scenario, "link", fault), (vec![(1.0, 0), (7.75, 0)], Some(0)));
        // That a fault will begin does not keep a simulation going: a request that is still to come does.
        let fault = json!({"at": 7.75, "link": "lan", "bandwidth": part, "for": 100});
        let mut with_another = scenario.clone();
        with_another["workload"]["invocations"] = json!([{"at": 1, "function": "f"}, {"at": 30, "function": "f"}]);
        let asked = asked(&mut with_another, "trouble", fault);
        assert_eq!(asked, (vec![(1.0, 0), (7.75, 0), (30.0, 1)], Some(0)));
    }
}

#[test]
fn a_request_says_which_attempt_it_is_and_by_when_it_is_due() {
    let mut scenario = scenario();
    // The first is lost with its node, and the third beside it is asked for a second time after 4 s.
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 20, "function": "g"}]);
    scenario["faults"] = json!({"scripted": [{"at": 2, "host": "node-0", "for": 1}]});
    scenario["recovery"] = json!({"retry": {"max_attempts": 2, "backoff": {"constant": 3}}, "hedge": {"after": 4}});
    let (_, asked) = run(&scenario);
    let seen: Vec<(f64, u64, u32, u64)> = asked
        .iter()
        .map(|(date, request)| (*date, request.invocation, request.attempt, request.deadline / 1_000_000_000))
        .collect();
    let never = u64::MAX / 1_000_000_000;
    // The second attempt at the first begins at 5, and has another beside it from 9 on; it is due when the first was.
    assert_eq!(seen, [(0.0, 0, 1, 15), (5.0, 0, 2, 15), (9.0, 0, 3, 15), (20.0, 1, 1, never), (24.0, 1, 2, never)]);
}

#[test]
fn a_request_says_which_task_of_which_workflow_and_run_it_is() {
    let mut scenario = scenario();
    let tasks = |names: &[&str]| -> Value {
        let task = |(number, name): (usize, &&str)| {
            let after: Vec<&str> = names[..number].to_vec();
            json!({"name": name, "function": "g", "after": after, "map": number + 1})
        };
        names.iter().enumerate().map(task).collect()
    };
    scenario["workflows"] =
        json!([{"name": "one", "tasks": tasks(&["a"])}, {"name": "two", "tasks": tasks(&["a", "b"])}]);
    scenario["workload"]["invocations"] = json!([
        {"at": 0, "workflow": "two"}, {"at": 100, "function": "f"}, {"at": 200, "workflow": "one"},
        {"at": 300, "workflow": "two"}]);
    let (_, asked) = run(&scenario);
    let seen: Vec<(u32, u64, u32)> =
        asked.iter().map(|(_, request)| (request.workflow, request.run, request.task)).collect();
    let none = (NONE, u64::MAX, NONE);
    assert_eq!(seen, [(1, 0, 0), (1, 0, 1), (1, 0, 1), none, (0, 1, 0), (1, 2, 0), (1, 2, 1), (1, 2, 1)]);
}
