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

/// Idle and busy joules, and those of the drain.
fn energy(scenario: &Value) -> (f64, f64, f64) {
    let results = run(scenario);
    let energy = results.metrics.energy.unwrap();
    (energy.idle_joules, energy.busy_joules, energy.drain_joules)
}

#[test]
fn the_summary_tells_what_a_run_costs_if_the_scenario_asks() {
    let mut scenario = scenario();
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 20, "function": "f"}]);
    scenario["policies"]["keep_alive"] = json!({"use": "fixed", "parameters": {"timeout": 20}});
    let summary = |scenario: &Value| serde_json::to_value(Summary::new(&run(scenario))).unwrap();
    // 11 s cold and 10 s warm, up to 30 s; the container's time is over at 50 s. Two nodes of 100 W, and 200 W more for 21 s.
    let whole = summary(&scenario);
    assert_eq!(
        whole["cost"],
        json!({"prices": "aws-lambda-like", "currency": "USD", "billed_requests": 2, "billed_gib_seconds": 21.0,
               "requests": 1.0, "compute": 5.25, "total": 6.25})
    );
    assert_eq!(whole["energy"], json!({"joules": 10_200.0, "idle_joules": 6000.0, "busy_joules": 4200.0}));
    assert_eq!(whole["measured"], json!({"from_s": 0.0, "to_s": 30.0}));
    // A GiB busy for 21 s, and idle from 11 to 20 s and after the end.
    let gib_seconds = |used: f64, idle: f64| json!({"used": used * 1_073_741_824.0, "idle": idle * 1_073_741_824.0});
    assert_eq!(whole["memory_byte_seconds"], gib_seconds(21.0, 9.0));
    assert_eq!(
        whole["drain"],
        json!({"length_s": 20.0, "memory_byte_seconds": gib_seconds(0.0, 20.0), "joules": 4000.0})
    );
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
    assert_eq!(energy(&scenario), (15.0 * 200.0, 26.0 * 200.0, 600.0 * 200.0));
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
    assert_eq!(energy(&scenario), (6000.0, 6000.0, 0.0));
    // The head goes down and does not hear of the end at 11.
    scenario["functions"][0]["body"] = json!([{"sleep": 10}]);
    scenario["faults"] = json!({"scripted": [{"at": 5, "host": "head"}]});
    assert_eq!(billed(&scenario), (1, 11.0));
    // Nothing but the news is missing: the core is held for 11 s that count and 19 s after the end.
    assert_eq!(energy(&scenario), (2200.0, 2200.0, 19.0 * 400.0));
}

#[test]
fn a_node_that_is_down_takes_nothing() {
    let mut scenario = scenario();
    scenario["faults"] = json!({"scripted": [{"at": 5, "host": "node-0", "for": 15}]});
    // All is over at 5, with the failure, up to which a core is held; node 1 is up until node 0 is back, at 20.
    assert_eq!(energy(&scenario), (1000.0, 1000.0, 1500.0));
    // Back at 20, with another invocation from 30 to 41: 26 s and 41 s; then 9 s of both.
    scenario["horizon"] = json!(50);
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 30, "function": "f"}]);
    assert_eq!(energy(&scenario), (6700.0, 3200.0, 1800.0));
    // Down up to the end: 10 s and 40 s, and the other runs on node 1 from 30 on.
    scenario["horizon"] = json!(40);
    scenario["faults"]["scripted"] = json!([{"at": 10, "host": "node-0", "for": 50}]);
    assert_eq!(energy(&scenario), (5000.0, 4000.0, 0.0));
}

#[test]
fn a_core_is_a_part_of_its_node() {
    let mut scenario = scenario();
    scenario["platform"]["hosts"][1]["cores"] = json!(4);
    scenario["horizon"] = json!(10);
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 5, "function": "f"}]);
    // 10 s and 5 s of a core of four, for 200 W; the head has no power, and is no node.
    assert_eq!(energy(&scenario), (2000.0, 750.0, 0.0));
}

#[test]
fn what_comes_before_the_first_request_and_after_the_last_end_is_no_part_of_what_is_measured() {
    let mut scenario = scenario();
    scenario["workload"]["invocations"] = json!([{"at": 1000, "function": "f"}]);
    scenario["policies"]["keep_alive"] = json!({"use": "fixed", "parameters": {"timeout": 20}});
    // From 1000 to 1011; then 20 s.
    assert_eq!(energy(&scenario), (2200.0, 2200.0, 4000.0));
    // The head takes 1 s for each request: it hears of the end at 1013 at 1014, after a request that is rejected then.
    scenario["service"]["invocation_processing_overhead"] = json!(2);
    scenario["policies"]["admission"] = json!({"use": "concurrency-limit", "parameters": {"total": 1}});
    scenario["workload"]["invocations"] = json!([{"at": 1000, "function": "f"}, {"at": 1012, "function": "f"}]);
    let results = run(&scenario);
    let ends: Vec<f64> = results.records.iter().map(|record| record.finished_at.unwrap().as_secs_f64()).collect();
    assert_eq!(ends, [1013.0, 1014.0]);
    // The core is held from 1002 to 1014, which the rejection puts within.
    assert_eq!(energy(&scenario), (2800.0, 2400.0, 4000.0));
    // A request that comes later would be rejected after the head has heard: the core is held for a second of the drain.
    scenario["workload"]["invocations"] = json!([{"at": 1000, "function": "f"}, {"at": 1001, "function": "f"}]);
    scenario["functions"][0]["body"] = json!([{"sleep": 0.5}]);
    let results = run(&scenario);
    let ends: Vec<f64> = results.records.iter().map(|record| record.finished_at.unwrap().as_secs_f64()).collect();
    assert_eq!(ends, [1003.5, 1004.0]);
}

/// How keep-alive times compare must not hang on how long nobody asks for anything after the load.
#[test]
fn idle_memory_is_that_of_the_load_whatever_comes_after() {
    let idle = |timeout: &str, horizon: Value| {
        let mut scenario = scenario();
        scenario["platform"]["hosts"][1]["ram"] = json!("1TB");
        scenario["platform"]["hosts"][1]["cores"] = json!(1000);
        scenario["policies"]["keep_alive"] = json!({"use": "fixed", "parameters": {"timeout": timeout}});
        scenario["workload"] = json!({"generate": {"arrivals": {"poisson": {"rate": 50}}, "duration_s": 60,
            "functions": {"count": 100, "zipf": 1, "ram": {"constant": 1e9}}, "run_time": {"exponential": {"mean": 0.5}}}});
        scenario["horizon"] = horizon;
        let results = run(&scenario);
        assert!(results.metrics.outcome(Outcome::Completed) > 2000);
        (results.metrics.idle_byte_seconds(), results.metrics.drained_byte_seconds().1)
    };
    let (short, long, cut) = (idle("1min", Value::Null), idle("2h", Value::Null), idle("2h", json!("60s")));
    // No container is older than a minute by the end of the load but the first few.
    assert!((short.0 / long.0 - 1.0).abs() < 0.05, "{short:?} {long:?}");
    assert!((cut.0 / long.0 - 1.0).abs() < 0.1 && cut.1 == 0.0, "{cut:?} {long:?}");
    assert!(long.1 > 50.0 * short.1, "{short:?} {long:?}");
    // Without expiry the drain has no end, and changes nothing.
    let endless = idle("9e9s", Value::Null);
    assert_eq!(endless.0, long.0);
}
