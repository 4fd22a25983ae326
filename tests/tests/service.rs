//! Hand-worked cases of the rules that WRENCH leaves open, or that its cases under `tests/reference` do not cover.

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::invocation::{Outcome, Start};
use hearth_serverless::policy::Catalog;
use hearth_serverless::prelude::SimTime;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};

/// A head with the registry, and nodes of two cores and 10 GB of RAM; disks move 100 MB/s and the network is free.
fn scenario(nodes: u32, functions: Value, invocations: Value) -> Value {
    let disk = json!({"capacity": "100GB", "read_bandwidth": "100MBps", "write_bandwidth": "100MBps"});
    json!({
        "format": "hearth-scenario/1",
        "platform": {
            "hosts": [
                {"name": "user", "cores": 1, "speed": "1Gf", "disk": disk},
                {"name": "head", "cores": 1, "speed": "1Gf", "disk": disk},
                {"name": "node", "count": nodes, "cores": 2, "speed": "1Gf", "ram": "10GB", "disk": disk},
            ],
            "links": [{"name": "lan", "bandwidth": 1e12, "latency": 0}],
            "routes": [
                {"from": "user", "to": "head", "links": ["lan"]},
                {"from": "head", "to": "node-*", "links": ["lan"]},
                {"from": "user", "to": "node-*", "links": ["lan"]},
            ],
        },
        "service": {"head": "head", "registry": "user", "nodes": ["node-*"], "container_startup_overhead": 1},
        "functions": functions,
        "workload": {"invocations": invocations},
    })
}

fn run(scenario: &Value) -> Results {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
    let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN));
    experiment.unwrap_or_else(|error| panic!("{error}")).run().unwrap_or_else(|error| panic!("{error}"))
}

fn started(results: &Results) -> Vec<f64> {
    let mut records = results.records.clone();
    records.sort_by_key(|record| record.invocation);
    // To the microsecond: whole nanoseconds of several transfers add up.
    records.iter().map(|record| (record.started_at.unwrap().as_secs_f64() * 1e6).round() / 1e6).collect()
}

fn starts(results: &Results) -> Vec<Start> {
    results.records.iter().map(|record| record.start.unwrap()).collect()
}

#[test]
fn a_request_at_the_very_end_of_a_keep_alive_finds_the_container() {
    let functions = json!([{"name": "f", "body": [{"sleep": 2}]}]);
    // Idle from 3 on and kept for 10 seconds; the requests are made when the timer is already set.
    let invocations = json!([
        {"at": 0, "function": "f"},
        {"after": [0], "delay": 10, "function": "f"},
        {"after": [1], "delay": "10.000000001s", "function": "f"},
    ]);
    let mut scenario = scenario(1, functions, invocations);
    scenario["policies"] = json!({"keep_alive": {"parameters": {"timeout": 10}}});
    let results = run(&scenario);
    assert_eq!(starts(&results), [Start::Cold, Start::Warm, Start::Cold]);
    assert_eq!(results.metrics.expired_containers, 2);
}

#[test]
fn a_warm_start_takes_the_container_used_last_or_the_one_idle_longest() {
    // Two containers become idle at 3 and 4; the request at 5 takes one, and the other ends at 13 or 14.
    let functions = json!([{"name": "f", "body": [{"sleep": 2}]}]);
    let invocations = json!([{"at": 0, "function": "f"}, {"at": 1, "function": "f"}, {"at": 5, "function": "f"}, {"at": 13.5, "function": "f", "body": [{"sleep": 9}]}, {"at": 13.5, "function": "f"}]);
    for (reuse, expected) in [("most_recent", Start::Cold), ("least_recent", Start::Warm)] {
        let mut scenario = scenario(1, functions.clone(), invocations.clone());
        scenario["service"]["container_reuse"] = json!(reuse);
        scenario["policies"] = json!({"keep_alive": {"parameters": {"timeout": 10}}});
        assert_eq!(starts(&run(&scenario))[4], expected, "{reuse}");
    }
}

#[test]
fn the_head_makes_room_among_images_that_are_not_being_copied() {
    let functions = json!([{"name": "f", "image": "a"}, {"name": "g", "image": "b"}]);
    let mut scenario = scenario(1, functions, json!([{"at": 0, "function": "f"}, {"at": 5, "function": "g"}]));
    scenario["images"] =
        json!([{"name": "a", "size": "1GB", "ram_footprint": 0}, {"name": "b", "size": "1GB", "ram_footprint": 0}]);
    scenario["platform"]["hosts"][1]["disk"]["capacity"] = json!("1.5GB");
    let results = run(&scenario);
    // a: on the head at 10, on the node at 20. b: room on the head from 20 on, there at 30, on the node at 40.
    assert_eq!(started(&results), [21.0, 41.0]);
    let evicted = results.metrics.evicted_images_on_head;
    assert_eq!((evicted.count, evicted.bytes, results.metrics.downloads.count), (1, 1_000_000_000, 2));
}

#[test]
fn starting_a_container_saves_its_image_only_where_use_counts() {
    // RAM for two of the three images; a is used again before c needs room.
    let functions = json!([{"name": "a", "image": "a"}, {"name": "b", "image": "b"}, {"name": "c", "image": "c"}]);
    let invocations = json!([{"at": 0, "function": "a"}, {"at": 100, "function": "b"}, {"at": 200, "function": "a"}, {"at": 300, "function": "c"}, {"at": 400, "function": "a"}]);
    for (touch, expected) in [("use", 401.0), ("load", 441.0)] {
        let mut scenario = scenario(1, functions.clone(), invocations.clone());
        scenario["images"] =
            json!(["a", "b", "c"].map(|name| json!({"name": name, "size": "1GB", "ram_footprint": "4GB"})));
        scenario["policies"] = json!({
            "keep_alive": {"parameters": {"timeout": 0}},
            "eviction": {"images_in_ram": {"parameters": {"touch": touch}}},
        });
        // Loading 4 GB takes 40 seconds.
        assert_eq!(started(&run(&scenario))[4], expected, "{touch}");
    }
}

#[test]
fn an_invocation_with_a_date_and_predecessors_waits_for_the_later() {
    let functions = json!([{"name": "f", "body": [{"sleep": 4}]}]);
    let invocations = json!([
        {"at": 0, "function": "f"},
        {"at": 3, "after": [0], "delay": 1, "function": "f"},
        {"at": 30, "after": [0], "delay": 1, "function": "f"},
    ]);
    let results = run(&scenario(1, functions, invocations));
    let requested: Vec<f64> = results.records.iter().map(|record| record.requested_at.unwrap().as_secs_f64()).collect();
    assert_eq!(requested, [0.0, 6.0, 30.0]);
}

#[test]
fn what_has_not_ended_at_the_horizon_is_unfinished_and_what_was_not_requested_has_no_dates() {
    let functions = json!([{"name": "f", "body": [{"sleep": 10}]}]);
    let invocations = json!([{"at": 0, "function": "f"}, {"at": 8, "function": "f"}, {"at": 100, "function": "f"}, {"after": [0], "delay": 50, "function": "f"}, {"after": [1], "function": "f"}]);
    let mut scenario = scenario(1, functions, invocations);
    scenario["horizon"] = json!(15);
    let results = run(&scenario);
    let outcomes: Vec<_> = results
        .records
        .iter()
        .map(|record| (record.invocation, record.outcome, record.requested_at.is_some()))
        .collect();
    let unfinished = Outcome::Unfinished;
    assert_eq!(
        outcomes,
        [
            (0, Outcome::Completed, true),
            (1, unfinished, true),
            (2, unfinished, false),
            (3, unfinished, false),
            (4, unfinished, false)
        ]
    );
    assert_eq!(results.records[1].started_at.map(|date| date.as_secs_f64()), Some(9.0));
    assert_eq!(results.ended_at.as_secs_f64(), 15.0);
}

#[test]
fn idle_containers_go_when_a_new_one_needs_their_room() {
    // Each of four functions holds 3 GB of 10; the fourth needs the room of the one idle longest.
    let functions: Vec<Value> = (0..4).map(|i| json!({"name": format!("f{i}"), "ram_limit": "3GB"})).collect();
    let invocations: Vec<Value> = [0, 1, 2, 0, 3, 0, 1]
        .iter()
        .enumerate()
        .map(|(at, f)| json!({"at": at * 10, "function": format!("f{f}")}))
        .collect();
    let results = run(&scenario(1, json!(functions), json!(invocations)));
    use Start::{Cold, Warm};
    // f1 goes for f3, so f0 is still warm; then f2 goes for f1.
    assert_eq!(starts(&results), [Cold, Cold, Cold, Warm, Cold, Warm, Cold]);
    assert_eq!(results.metrics.evicted_containers, 2);
}

#[test]
fn a_queue_limit_rejects_whom_it_finds_too_many_before() {
    let functions = json!([{"name": "f", "body": [{"sleep": 10}]}]);
    let invocations: Vec<Value> = (0..6).map(|at| json!({"at": at, "function": "f"})).collect();
    let mut scenario = scenario(1, functions, json!(invocations));
    scenario["policies"] = json!({"admission": {"use": "queue-limit", "parameters": {"limit": 2}}});
    let results = run(&scenario);
    let outcomes: Vec<Outcome> = results.records.iter().map(|record| record.outcome).collect();
    use Outcome::{Completed, Rejected};
    assert_eq!(outcomes, [Completed, Completed, Completed, Completed, Rejected, Rejected]);
    assert_eq!(results.records[5].failure.as_deref(), Some("2 invocations wait, the limit is 2"));
}

#[test]
fn a_function_bound_to_a_node_waits_there_for_its_image_and_the_next_goes_elsewhere() {
    let functions = json!([{"name": "f", "image": "a", "body": [{"sleep": 1}]}]);
    let invocations = json!([{"at": 0, "function": "f"}, {"at": 0, "function": "f"}, {"at": 0, "function": "f"}]);
    let mut scenario = scenario(2, functions, invocations);
    scenario["images"] = json!([{"name": "a", "size": "1GB", "ram_footprint": "1GB"}]);
    scenario["policies"] = json!({"node_allocation": {"use": "round-robin"}});
    let results = run(&scenario);
    let nodes: Vec<u32> = results.records.iter().map(|record| record.node.unwrap()).collect();
    assert_eq!(nodes, [0, 1, 0]);
    // On the head at 10; two copies share the head's disk until 30; loaded at 40.
    assert_eq!(started(&results), [41.0, 41.0, 41.0]);
    assert_eq!(results.metrics.copies.count, 2);
}

#[test]
fn a_transfer_that_ends_exactly_at_the_time_limit_is_too_late() {
    let body = json!([{"write": {"file": "out", "size": "200MB"}}]);
    let functions = json!([{"name": "f", "disk_limit": "1GB", "time_limit": 2, "body": body}]);
    let results = run(&scenario(1, functions, json!([{"at": 0, "function": "f"}])));
    assert_eq!(results.records[0].outcome, Outcome::TimedOut);
    assert_eq!(results.records[0].finished_at.map(|date| date.as_secs_f64()), Some(3.0));
}

#[test]
fn loading_an_image_again_saves_it_on_the_disk() {
    // Disk for two of the three images, RAM for one. a is copied first, and loaded again before c needs room on disk.
    let functions = json!([{"name": "a", "image": "a"}, {"name": "b", "image": "b"}, {"name": "c", "image": "c"}]);
    let order = ["a", "b", "a", "c", "a"].iter().enumerate();
    let invocations: Vec<Value> = order.map(|(at, function)| json!({"at": at * 100, "function": function})).collect();
    let mut scenario = scenario(1, functions, json!(invocations));
    let image = |name: &str| json!({"name": name, "size": "1GB", "ram_footprint": "6GB"});
    scenario["images"] = json!([image("a"), image("b"), image("c")]);
    scenario["platform"]["hosts"][2]["disk"]["capacity"] = json!("2.5GB");
    let load = json!({"parameters": {"touch": "load"}});
    scenario["policies"] = json!({
        "keep_alive": {"parameters": {"timeout": 0}},
        "eviction": {"images_in_ram": load, "images_on_disk": load},
    });
    let results = run(&scenario);
    // A minute to load, a second to start; had b stayed instead of a, ten seconds more to copy a.
    assert_eq!(started(&results)[4], 461.0);
    assert_eq!(results.metrics.evicted_images_on_disk.count, 1);
}

#[test]
fn the_head_processes_one_request_after_the_other() {
    let invocations = json!([{"at": 0, "function": "f"}, {"at": 0, "function": "f"}, {"at": 0.5, "function": "f"}]);
    let mut scenario = scenario(2, json!([{"name": "f"}]), invocations);
    scenario["service"]["invocation_processing_overhead"] = json!(1);
    let submitted =
        run(&scenario).records.iter().map(|record| record.submitted_at.unwrap().as_secs_f64()).collect::<Vec<_>>();
    assert_eq!(submitted, [1.0, 2.0, 3.0]);
}

#[test]
fn a_transfer_that_outlasts_its_invocation_does_not_end_it_again() {
    // Submitted at 4, started at 5, stopped at 10 while the head is busy until 13; the transfer would end at 15.
    let slow = json!({"name": "slow", "time_limit": 5, "disk_limit": "1GB", "body": [{"write": {"file": "out", "size": "1GB"}}]});
    let invocations = json!([{"at": 0, "function": "slow"}, {"at": 9, "function": "f"}, {"at": 9, "function": "f"}]);
    let mut scenario = scenario(2, json!([slow, {"name": "f"}]), invocations);
    scenario["service"]["invocation_processing_overhead"] = json!(4);
    let results = run(&scenario);
    assert_eq!(results.records[0].outcome, Outcome::TimedOut);
    assert_eq!(results.records[0].finished_at, Some(SimTime::from_secs_f64(10.0)));
}

#[test]
fn least_loaded_counts_those_who_wait_on_a_node_for_their_image() {
    let functions = json!([{"name": "f", "image": "a", "body": [{"sleep": 1}]}]);
    let invocations: Vec<Value> = (0..4).map(|at| json!({"at": at, "function": "f"})).collect();
    let mut scenario = scenario(4, functions, json!(invocations));
    scenario["images"] = json!([{"name": "a", "size": "1GB", "ram_footprint": "1GB"}]);
    scenario["policies"] = json!({"node_allocation": {"use": "least-loaded"}});
    let nodes: Vec<u32> = run(&scenario).records.iter().map(|record| record.node.unwrap()).collect();
    assert_eq!(nodes, [0, 1, 2, 3]);
}

#[test]
fn local_input_and_output_beside_an_image_copy_waits_or_takes_its_share() {
    // An image of 190 MB comes to the node's disk from 0 on, while a body writes 10 MB there.
    let functions = json!([
        {"name": "writer", "disk_limit": "1GB", "container_startup_overhead": 0,
         "body": [{"write": {"file": "out", "size": "10MB"}}]},
        {"name": "with-image", "image": "img"},
    ]);
    let invocations = json!([{"at": 0, "function": "writer"}, {"at": 0, "function": "with-image"}]);
    let mut scenario = scenario(1, functions, invocations);
    scenario["images"] = json!([{"name": "img", "size": "190MB", "ram_footprint": 1}]);
    scenario["service"]["simulate_image_downloads"] = json!(false);
    scenario["platform"]["links"][0]["latency"] = json!("1us");
    let written = |scenario: &Value| run(scenario).records[0].finished_at.map_or(f64::NAN, SimTime::as_secs_f64);
    let by_the_reference = written(&scenario);
    assert!((by_the_reference - 2.0).abs() < 1e-3, "{by_the_reference}");
    scenario["storage_sharing"] = json!("fair");
    let in_equal_parts = written(&scenario);
    assert!((in_equal_parts - 0.2).abs() < 1e-3, "{in_equal_parts}");
    scenario["network_model"] = json!("ideal");
    let refused = Scenario::from_json(&scenario.to_string()).unwrap_err().to_string();
    let expected =
        "storage_sharing: \"fair\" needs \"network_model\": \"fluid\": in the ideal network nothing is shared";
    assert_eq!(refused, expected);
}

#[test]
fn the_earliest_deadline_is_that_of_the_function_where_edf_is_told_so() {
    let functions = json!([
        {"name": "long", "body": [{"sleep": 10}]},
        {"name": "patient", "body": [{"sleep": 5}]},
        {"name": "urgent", "body": [{"sleep": 5}], "deadline": "15s"},
        {"name": "soon", "body": [{"sleep": 5}], "deadline": "20s"},
    ]);
    let at = |at: f64, function: &str, sleep: f64| json!({"at": at, "function": function, "body": [{"sleep": sleep}]});
    // One core is free from 11 on, the other much later.
    let invocations = json!([
        at(0.0, "long", 10.0),
        at(0.0, "long", 100.0),
        at(1.0, "patient", 5.0),
        at(2.0, "soon", 5.0),
        at(3.0, "urgent", 5.0),
    ]);
    let mut scenario = scenario(1, functions, invocations);
    scenario["policies"] = json!({"node_allocation": {"use": "edf"}});
    // Nothing is known of how long they run: in the order of requests.
    let before = run(&scenario);
    assert_eq!(started(&before), [1.0, 1.0, 12.0, 18.0, 24.0]);
    scenario["policies"]["node_allocation"]["parameters"] = json!({"deadline": "function"});
    let results = run(&scenario);
    assert_eq!(started(&results), [1.0, 1.0, 24.0, 18.0, 12.0]);
    // Both are due after 18: one ends at 17, the other at 23, which is too late.
    assert_eq!(results.metrics.within_deadline, before.metrics.within_deadline + 1);
}
