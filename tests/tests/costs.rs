//! Cost in money and energy, with numbers worked out by hand (the timing model, section 12).

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::invocation::Outcome;
use hearth_serverless::policy::Catalog;
use hearth_serverless::results::Summary;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};

/// Two nodes of one core, 100 W idle and 300 W busy; containers start in 1 s, bodies sleep for 10 s, with a GiB of RAM.
fn scenario() -> Value {
    json!({
        "format": "hearth-scenario/1", "network_model": "ideal",
        "platform": {
            "hosts": [{"name": "head", "cores": 1, "speed": "1Gf"},
                      {"name": "node", "count": 2, "cores": 1, "speed": "1Gf", "ram": "8GiB", "power": {"idle": 100, "busy": 300}}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "container_startup_overhead": "1s"},
        "functions": [{"name": "f", "ram_limit": "1GiB", "body": [{"sleep": "10s"}]},
                      {"name": "fails", "ram_limit": "2GiB", "body": [{"sleep": "2s"}, {"fail": "on purpose"}]},
                      {"name": "slow", "ram_limit": "4GiB", "time_limit": "4s", "body": [{"sleep": "10s"}]}],
        "workload": {"invocations": [{"at": 0, "function": "f"}]},
        "policies": {"node_allocation": {"use": "first-fit"}},
        "prices": {"per_request": 0.5, "per_gib_second": 0.25},
    })
}

fn run(scenario: &Value) -> Results {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap()
}

/// Billed requests, and billed GiB times seconds.
fn billed(scenario: &Value) -> (u64, f64) {
    let results = run(scenario);
    let cost = results.metrics.cost.unwrap();
    (cost.billed_requests(), cost.billed_gib_seconds())
}

/// Idle and busy joules, and the end in s.
fn energy(scenario: &Value) -> (f64, f64, f64) {
    let results = run(scenario);
    let energy = results.metrics.energy.unwrap();
    (energy.idle_joules, energy.busy_joules, results.ended_at.as_secs_f64())
}

#[test]
fn the_summary_tells_what_a_run_costs_if_the_scenario_asks() {
    let mut scenario = scenario();
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 20, "function": "f"}]);
    scenario["policies"]["keep_alive"] = json!({"use": "fixed", "parameters": {"timeout": 20}});
    let summary = |scenario: &Value| serde_json::to_value(Summary::new(&run(scenario), 0.0)).unwrap();
    // 11 s cold and 10 s warm; the container's time is over at 50 s. Two nodes of 100 W, and 200 W more for 21 s.
    let whole = summary(&scenario);
    assert_eq!(
        whole["cost"],
        json!({"prices": "aws-lambda-like", "currency": "USD", "billed_requests": 2, "billed_gib_seconds": 21.0,
               "requests": 1.0, "compute": 5.25, "total": 6.25})
    );
    assert_eq!(whole["energy"], json!({"joules": 14_200.0, "idle_joules": 10_000.0, "busy_joules": 4200.0}));
    scenario["prices"]["cold_starts_billed"] = json!(false);
    assert_eq!(billed(&scenario), (2, 20.0));
    scenario["prices"] = Value::Null;
    scenario["platform"]["hosts"][1]["power"] = Value::Null;
    let neither = summary(&scenario);
    assert!(neither.get("cost").is_none() && neither.get("energy").is_none(), "{neither}");
}

#[test]
fn what_failed_or_timed_out_is_billed_and_what_was_rejected_is_free() {
    let mut scenario = scenario();
    let all = ["f", "fails", "slow", "f"];
    let invocations = all.iter().map(|function| json!({"at": 0, "function": function}));
    scenario["workload"]["invocations"] = invocations.collect();
    // All cold: 11 s of 1 GiB, 3 s of 2 GiB, 5 s of 4 GiB, and when node 1 is free, at 8, 11 s of 1 GiB.
    assert_eq!(billed(&scenario), (4, 48.0));
    scenario["policies"]["admission"] = json!({"use": "concurrency-limit", "parameters": {"total": 3}});
    let results = run(&scenario);
    assert_eq!(results.metrics.outcome(Outcome::Rejected), 1);
    assert_eq!(billed(&scenario), (3, 37.0));
}

#[test]
fn what_the_platform_lost_is_not_billed_and_every_further_attempt_is() {
    let mut scenario = scenario();
    scenario["faults"] = json!({"scripted": [{"at": 5, "host": "node-0", "for": 15}]});
    assert_eq!(billed(&scenario), (0, 0.0));
    scenario["recovery"] = json!({"retry": {"max_attempts": 3, "on": ["lost", "failed"]}});
    // Again on node 1.
    assert_eq!(billed(&scenario), (1, 11.0));
    scenario["faults"] = Value::Null;
    scenario["workload"]["invocations"][0]["function"] = json!("fails");
    // 3 s cold, twice 2 s warm, of 2 GiB: one request.
    assert_eq!(billed(&scenario), (1, 14.0));
}

#[test]
fn an_attempt_that_is_stopped_is_billed_if_its_body_has_begun() {
    let mut scenario = scenario();
    scenario["faults"] = json!({"scripted": [{"at": 0, "host": "node-0", "slow": 3, "for": 50}]});
    scenario["recovery"] = json!({"hedge": {"after": 4}});
    // One from 0 on node 0, stopped at 15; one from 4 to 15 on node 1.
    let results = run(&scenario);
    assert_eq!(results.records[0].finished_at.unwrap().as_secs_f64(), 15.0);
    assert_eq!(billed(&scenario), (1, 26.0));
    // Both cores are free at 15; the simulation ends when the idle container does.
    let (_, busy, _) = energy(&scenario);
    assert_eq!(busy, 26.0 * 200.0);
    // The second is still starting when the first completes, at 11.
    scenario["faults"] = Value::Null;
    scenario["recovery"]["hedge"]["after"] = json!(10.5);
    assert_eq!(billed(&scenario), (1, 11.0));
}

#[test]
fn both_attempts_are_billed_when_one_fails_beside_the_other() {
    let mut scenario = scenario();
    scenario["workload"]["invocations"][0]["function"] = json!("fails");
    scenario["recovery"] = json!({"hedge": {"after": 1}});
    // Two of 3 s and 2 GiB; the second decides, and is the same request.
    assert_eq!(billed(&scenario), (1, 12.0));
}

#[test]
fn at_the_end_bodies_that_ended_are_billed_and_cores_that_are_held_take_energy() {
    let mut scenario = scenario();
    scenario["horizon"] = json!(30);
    scenario["functions"][0]["body"] = json!([{"sleep": 100}]);
    assert_eq!(billed(&scenario), (0, 0.0));
    assert_eq!(energy(&scenario), (6000.0, 6000.0, 30.0));
    // The head goes down and does not hear of the end at 11.
    scenario["functions"][0]["body"] = json!([{"sleep": 10}]);
    scenario["faults"] = json!({"scripted": [{"at": 5, "host": "head"}]});
    assert_eq!(billed(&scenario), (1, 11.0));
    assert_eq!(energy(&scenario), (6000.0, 6000.0, 30.0));
}

#[test]
fn a_node_that_is_down_takes_nothing() {
    let mut scenario = scenario();
    scenario["faults"] = json!({"scripted": [{"at": 5, "host": "node-0", "for": 15}]});
    // Node 0 is up for 5 s, node 1 for all 20; a core is held up to the failure.
    assert_eq!(energy(&scenario), (2500.0, 1000.0, 20.0));
    // Back at 20, with another invocation from 30 to 41: 35 s and 50 s.
    scenario["horizon"] = json!(50);
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 30, "function": "f"}]);
    assert_eq!(energy(&scenario), (8500.0, 3200.0, 50.0));
    // Down up to the end: 10 s and 40 s, and the other runs on node 1 from 30 on.
    scenario["horizon"] = json!(40);
    scenario["faults"]["scripted"] = json!([{"at": 10, "host": "node-0", "for": 50}]);
    assert_eq!(energy(&scenario), (5000.0, 4000.0, 40.0));
}

#[test]
fn a_core_is_a_part_of_its_node() {
    let mut scenario = scenario();
    scenario["platform"]["hosts"][1]["cores"] = json!(4);
    scenario["horizon"] = json!(10);
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 5, "function": "f"}]);
    // 10 s and 5 s of a core of four, for 200 W; the head has no power, and is no node.
    assert_eq!(energy(&scenario), (2000.0, 750.0, 10.0));
}
