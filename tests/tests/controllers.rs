//! Policies of several kinds with one state.

use hearth_policy_api::*;
use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};

const SECOND: u64 = 1_000_000_000;

/// Keeps a container for as many seconds as it has placed requests, admits so many requests, and counts timers.
#[derive(Default)]
struct Coupled {
    placed: u64,
    admitted: u64,
    limit: u64,
}

parameters! {
    struct Settings {
        /// how many are let in
        limit: integer(1..=1000) = 1000;
    }
}

impl Policy for Coupled {
    const NAME: &'static str = "coupled";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "decides by what it has decided";
    const CLAIMS: Claims = Claims { lets_in_when_idle: false, ..Claims::ALL };
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { limit: settings.limit, ..Self::default() })
    }
}

impl NodeAllocation for Coupled {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let fits =
            |node: &u32| cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request);
        let node = cluster.free_core.iter().find(fits);
        self.placed += u64::from(node.is_some());
        node.into()
    }
}

impl KeepAlive for Coupled {
    fn on_idle(&mut self, _completion: &Completion) -> Retention {
        Retention { keep_for: self.placed * SECOND }
    }
}

impl Admission for Coupled {
    fn admit(&mut self, _request: &RequestView, _view: &AdmissionView<'_>) -> AdmissionDecision {
        if self.admitted == self.limit {
            return AdmissionDecision::Reject(format!("{} have been placed", self.placed));
        }
        self.admitted += 1;
        AdmissionDecision::Admit
    }
}

const COUPLED: PolicyDescriptor = controller!(Coupled: node_allocation, admission, keep_alive);

/// One core; a request each 4 s, of bodies of 1 s.
fn scenario(policies: Value) -> Scenario {
    let requests: Vec<Value> = (0..5).map(|number| json!({"at": 4 * number, "function": "f"})).collect();
    let scenario = json!({
        "format": "hearth-scenario/1",
        "platform": {
            "hosts": [{"name": "head", "cores": 1, "speed": "1Gf"}, {"name": "node", "cores": 1, "speed": "1Gf", "ram": "1GB"}],
            "links": [{"name": "lan", "bandwidth": "100MBps", "latency": 0}],
            "routes": [{"from": "head", "to": "node", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node"]},
        "functions": [{"name": "f", "body": [{"sleep": "1s"}]}],
        "workload": {"invocations": requests},
        "policies": policies,
    });
    Scenario::from_json(&scenario.to_string()).unwrap()
}

fn prepare(policies: Value) -> Result<Experiment, String> {
    let known = [&[COUPLED], hearth_plugins::BUILT_IN].concat();
    Experiment::prepare(&scenario(policies), &Catalog::new(&known)).map_err(|error| error.to_string())
}

fn starts(results: &Results) -> Vec<&'static str> {
    results.records.iter().map(|record| record.start.map_or("none", |start| start.as_str())).collect()
}

#[test]
fn one_state_decides_in_all_slots() {
    let results =
        prepare(json!({"controller": {"use": "coupled", "parameters": {"limit": 4}}})).unwrap().run().unwrap();
    // Kept for 1, 2 and 3 s, which the next request after 3 s just meets.
    assert_eq!(starts(&results), ["cold", "cold", "cold", "warm", "none"]);
    assert_eq!(results.records[4].failure.as_deref(), Some("4 have been placed"));
}

#[test]
fn a_slot_with_a_policy_of_its_own_is_left_to_it() {
    let keep = json!({"use": "fixed", "parameters": {"timeout": "1h"}});
    let policies = json!({"controller": {"use": "coupled"}, "keep_alive": keep});
    assert_eq!(starts(&prepare(policies).unwrap().run().unwrap()), ["cold", "warm", "warm", "warm", "warm"]);
    // In one slot alone it is a policy like any other, which has placed nothing.
    let alone = prepare(json!({"keep_alive": {"use": "coupled"}})).unwrap().run().unwrap();
    assert_eq!(starts(&alone), ["cold"; 5]);
}

#[test]
fn what_is_no_controller_is_refused() {
    let refused = |policies: Value| prepare(policies).unwrap_err();
    let known = "there are coupled, knative-autoscaler. A controller is a policy of several kinds with one state";
    assert_eq!(
        refused(json!({"controller": {"use": "fixed"}})),
        format!("policies.controller: no controller \"fixed\": {known}")
    );
    let parameter = json!({"controller": {"use": "coupled", "parameters": {"limits": 1}}});
    let said = refused(parameter);
    assert!(said.starts_with("policies.controller: ") && said.contains("unknown parameter \"limits\""), "{said}");
    let [fixed, fcfs, always] = ["fixed", "fcfs", "always"].map(|name| json!({"use": name}));
    let taken =
        json!({"keep_alive": fixed, "node_allocation": fcfs, "admission": always, "controller": {"use": "coupled"}});
    let nowhere = "has nowhere to serve: there are other policies in policies.admission and policies.node_allocation and \
                   policies.keep_alive; leave these out, or set them to null";
    assert_eq!(refused(taken), format!("policies.controller: {nowhere}"));
}

#[test]
fn each_run_begins_anew() {
    let run = || starts(&prepare(json!({"controller": {"use": "coupled"}})).unwrap().run().unwrap());
    assert_eq!(run(), run());
}

#[test]
fn the_test_kit_checks_each_of_its_kinds() {
    testkit::check(&COUPLED, &testkit::Options { cases: 64, ..testkit::Options::default() }).unwrap();
}
