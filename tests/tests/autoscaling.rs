//! Policies that start containers ahead and end them, in whole simulations, with dates worked out by hand.

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};

fn scenario(workload: &Value, policies: &Value) -> Value {
    json!({
        "format": "hearth-scenario/1", "network_model": "ideal",
        "platform": {
            "hosts": [{"name": "head", "cores": 1, "speed": "1Gf"},
                      {"name": "node", "count": 4, "cores": 4, "speed": "1Gf", "ram": "16GB"}],
            "links": [{"name": "lan", "bandwidth": "1GBps", "latency": 0}],
            "routes": [{"from": "head", "to": "node-*", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "container_startup_overhead": "1s"},
        "functions": [{"name": "f", "ram_limit": "1GB", "body": [{"sleep": "5500ms"}]},
                      {"name": "g", "ram_limit": "1GB", "body": [{"sleep": "2s"}]},
                      {"name": "h", "ram_limit": "1GB", "body": [{"sleep": "3s"}]}],
        "workload": workload, "policies": policies,
    })
}

fn run(scenario: &Value) -> Results {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap()
}

fn started(results: &Results) -> Vec<f64> {
    results.records.iter().map(|record| record.started_at.unwrap().as_nanos() as f64 / 1e9).collect()
}

/// Ten requests at once, and others later: the first container is started for the first of them, the others by the panic of the
/// autoscaler at 2 s. They run 5.5 s. At 62 s, when the panic is over, the stable window has 29 requests in 30 counts, and one
/// container stays, until at 68 s the last count that is not 0, of 8 s, has left it.
#[test]
fn the_autoscaler_panics_and_scales_to_zero() {
    let of = |later: &[f64]| {
        let mut requests: Vec<Value> = (0..10).map(|_| json!({"at": 0, "function": "f"})).collect();
        requests.extend(later.iter().map(|date| json!({"at": date, "function": "f"})));
        let policies = json!({"controller": {"use": "knative-autoscaler"}});
        let results = run(&scenario(&json!({"invocations": requests}), &policies));
        let metrics = &results.metrics;
        let counts = (metrics.cold_starts, metrics.prewarmed_containers, metrics.expired_containers);
        (started(&results).split_off(10), counts, started(&results)[..10].to_vec())
    };
    let first = [vec![1.0], vec![3.0; 9]].concat();
    assert_eq!(
        of(&[61.0, 61.0]),
        (vec![61.0, 61.0], (0, 10, 8), first.clone()),
        "all are there, and two are used at 62 s"
    );
    assert_eq!(of(&[100.0]), (vec![101.0], (0, 11, 10), first.clone()), "none is there");
    assert_eq!(of(&[67.0]), (vec![67.0], (0, 10, 9), first.clone()), "one is there");
    assert_eq!(of(&[68.5]), (vec![69.5], (0, 11, 10), first), "it has gone at 68 s");
}

/// At the least one: it is there for the first request, and does not go. At the most three: who waits gets one of these in turn.
#[test]
fn the_autoscaler_keeps_to_its_bounds() {
    let of = |parameters: &Value, dates: &[f64]| {
        let requests: Vec<Value> = dates.iter().map(|date| json!({"at": date, "function": "f"})).collect();
        let policies = json!({"controller": {"use": "knative-autoscaler", "parameters": parameters}});
        let results = run(&scenario(&json!({"invocations": requests}), &policies));
        let mut started = started(&results);
        started.sort_by(f64::total_cmp);
        (started, results.metrics.prewarmed_containers, results.metrics.expired_containers)
    };
    assert_eq!(of(&json!({"min_scale": 1}), &[5.0, 500.0]), (vec![5.0, 500.0], 3, 0), "one of each function");
    let in_turn = vec![1.0, 3.0, 3.0, 6.5, 8.5, 8.5, 12.0, 14.0, 14.0, 17.5];
    assert_eq!(of(&json!({"max_scale": 3}), &[0.0; 10]), (in_turn, 3, 0));
}

/// A chain of three: without the policy each task waits a second for its container, with it the first alone, and with a depth of
/// none it is as without.
#[test]
fn a_chain_has_one_cold_start() {
    let tasks = json!([{"name": "a", "function": "f"}, {"name": "b", "function": "g", "after": ["a"]},
                       {"name": "c", "function": "h", "after": ["b"], "map": 2}]);
    let makespan = |keep_alive: &Value| {
        let mut scenario = scenario(
            &json!({"invocations": [{"at": 0, "workflow": "w"}]}),
            &json!({"keep_alive": keep_alive, "node_allocation": {"use": "warm-first"}}),
        );
        scenario["workflows"] = json!([{"name": "w", "tasks": tasks}]);
        let results = run(&scenario);
        let makespan = results.workflows[0].makespan().unwrap().as_secs_f64();
        (makespan, results.metrics.cold_starts, results.metrics.prewarmed_containers)
    };
    let chain = |depth: u32| json!({"use": "chain-prewarming", "parameters": {"depth": depth}});
    assert_eq!(makespan(&json!({"use": "fixed"})), (5.5 + 2.0 + 3.0 + 3.0, 4, 0));
    assert_eq!(makespan(&chain(0)), (5.5 + 2.0 + 3.0 + 3.0, 4, 0));
    assert_eq!(makespan(&chain(1)), (5.5 + 2.0 + 3.0 + 1.0, 1, 3));
    assert_eq!(makespan(&chain(2)), (5.5 + 2.0 + 3.0 + 1.0, 1, 3));
}
