//! Functions that are served by instances (the timing model, section 15): dates worked out by hand, and a slow exact model.

use std::io::Write;

use hearth_policy_api::{Autoscaling, Policy, PolicyContext, PolicyDescriptor, PolicyError, Scale, ScaleView};
use hearth_serverless::experiment::Experiment;
use hearth_serverless::invocation::{InvocationRecord, Start};
use hearth_serverless::metrics::Metrics;
use hearth_serverless::policy::Catalog;
use hearth_serverless::prelude::*;
use hearth_serverless::scenario::Scenario;
use hearth_tests::{Text, merge};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Two nodes, and a function f with containers of 1 GB that start in 1 s and bodies of 2 s; `changes` are merged into it.
fn scenario(changes: &Value) -> Scenario {
    let mut scenario = json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [
            {"name": "head", "cores": 1, "speed": "1Gf", "ram": "1GB"},
            {"name": "node", "count": 2, "cores": 2, "speed": "1Gf", "ram": "8GB"}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "container_startup_overhead": "1s"},
        "functions": [{"name": "f", "ram_limit": "1GB", "body": [{"sleep": "2s"}]}],
        "workload": {"invocations": []},
    });
    merge(&mut scenario, changes);
    Scenario::from_json(&scenario.to_string()).unwrap()
}

fn run(changes: &Value) -> (Metrics, Vec<InvocationRecord>) {
    let catalog = Catalog::new(hearth_plugins::BUILT_IN);
    let results = Experiment::prepare(&scenario(changes), &catalog).unwrap().run().unwrap();
    (results.metrics, results.records)
}

/// Invocations of f at dates in s.
fn at(dates: &[f64]) -> Value {
    json!(dates.iter().map(|date| json!({"at": date, "function": "f"})).collect::<Vec<_>>())
}

/// When each began, in s, on which node, and how.
fn begins(records: &[InvocationRecord]) -> Vec<(f64, u32, Start)> {
    let begin = |record: &InvocationRecord| {
        (record.started_at.unwrap().as_secs_f64(), record.node.unwrap(), record.start.unwrap())
    };
    records.iter().map(begin).collect()
}

#[test]
fn an_instance_serves_several_requests_at_once_and_others_wait_in_the_queue() {
    let instances = json!({"concurrency": 2, "min_scale": 1, "max_scale": 1});
    let (metrics, records) = run(&json!({
        "functions": {"0": {"instances": instances}},
        "workload": {"invocations": at(&[0.5, 0.5, 0.5, 4.0])},
    }));
    // It is up at 1 s. The third waits for the first two; the last finds it idle but for that one.
    let (cold, warm) = (Start::Cold, Start::Warm);
    assert_eq!(begins(&records), [(1.0, 0, cold), (1.0, 0, cold), (3.0, 0, cold), (4.0, 0, warm)]);
    assert_eq!((metrics.instances, metrics.cold_starts, metrics.warm_starts), (1, 3, 1));
    // Busy from 1 s to 6 s; from the first request at 0.5 s on it starts until 1 s.
    assert_eq!((metrics.busy_byte_seconds(), metrics.idle_byte_seconds()), (5e9, 0.5e9));
}

#[test]
fn requests_may_wait_at_an_instance_or_before_all() {
    let run = |queue_at_instance: u32| {
        let instances =
            json!({"min_scale": 2, "max_scale": 2, "queue_at_instance": queue_at_instance, "routing": "first"});
        let bodies = ["9s", "1s", "1s"].map(|time| json!({"at": 2, "function": "f", "body": [{"sleep": time}]}));
        let (_, records) = run(&json!({
            "functions": {"0": {"instances": instances}}, "workload": {"invocations": bodies},
        }));
        begins(&records).into_iter().map(|(begin, ..)| begin).collect::<Vec<_>>()
    };
    // Before all: the third gets the instance that is free first. At the instances: the second is sent behind the first.
    assert_eq!(run(0), [2.0, 2.0, 3.0]);
    assert_eq!(run(1), [2.0, 11.0, 2.0]);
}

#[test]
fn a_station_takes_so_many_a_second_evenly() {
    let ready = |station: Value| {
        let (_, records) = run(&json!({
            "service": {"control_plane": {"creation": station}},
            "functions": {"0": {"instances": {"min_scale": 4, "max_scale": 4}, "body": [{"sleep": "100s"}]}},
            "workload": {"invocations": at(&[0.0, 0.0, 0.0, 0.0])},
        }));
        begins(&records).into_iter().map(|(begin, ..)| begin).collect::<Vec<_>>()
    };
    // Each is up 1 s after it has been created.
    assert_eq!(ready(json!({"per_second": 2})), [1.0, 1.5, 2.0, 2.5]);
    assert_eq!(ready(json!({"per_second": 2, "time": {"constant": 3}, "at_once": 2})), [4.0, 4.5, 7.0, 7.5]);
    assert_eq!(ready(json!({"per_second": 2, "time": {"constant": 0.2}, "at_once": 2})), [1.2, 1.7, 2.2, 2.7]);
    assert_eq!(ready(json!({"time": {"constant": 0.2}, "at_once": 3})), [1.2, 1.2, 1.2, 1.4]);
}

#[test]
fn routing_spreads_or_keeps_together() {
    let nodes = |routing: &str| {
        let instances = json!({"concurrency": 4, "min_scale": 2, "max_scale": 2, "routing": routing});
        let (_, records) = run(&json!({
            "functions": {"0": {"instances": instances}},
            "policies": {"node_allocation": {"use": "round-robin"}},
            "workload": {"invocations": at(&[2.0, 2.1, 2.2, 2.3, 2.4])},
        }));
        begins(&records).into_iter().map(|(_, node, _)| node).collect::<Vec<_>>()
    };
    assert_eq!(nodes("first"), [0, 0, 0, 0, 1]);
    assert_eq!(nodes("least_loaded"), [0, 1, 0, 1, 0]);
    assert_eq!(nodes("round_robin"), [0, 1, 0, 1, 0]);
    let drawn = nodes("random_of_two");
    // Of two instances both are drawn, so the one with fewer requests is taken; of two alike the older one.
    assert_eq!(drawn, [0, 1, 0, 1, 0]);
}

#[test]
fn instances_pass_the_stations_of_the_control_plane() {
    let ready = |control_plane: &Value| {
        let instances = json!({"min_scale": 4, "max_scale": 4});
        let (_, records) = run(&json!({
            "service": {"control_plane": control_plane},
            "functions": {"0": {"instances": instances}},
            "policies": {"node_allocation": {"use": "round-robin"}},
            "workload": {"invocations": at(&[0.0; 4])},
        }));
        begins(&records).into_iter().map(|(begin, node, _)| (begin, node)).collect::<Vec<_>>()
    };
    let (half, one) = (json!({"constant": 0.5}), json!({"constant": 1}));
    assert_eq!(ready(&json!({})), [(1.0, 0), (1.0, 1), (1.0, 0), (1.0, 1)]);
    // One is created every half a second; two at once.
    assert_eq!(ready(&json!({"creation": {"time": half}})), [(1.5, 0), (2.0, 1), (2.5, 0), (3.0, 1)]);
    assert_eq!(ready(&json!({"creation": {"time": half, "at_once": 2}})), [(1.5, 0), (1.5, 1), (2.0, 0), (2.0, 1)]);
    // The agents of the two nodes work beside each other.
    assert_eq!(ready(&json!({"node_agent": {"time": one}})), [(2.0, 0), (2.0, 1), (3.0, 0), (3.0, 1)]);
    let both = json!({"creation": {"time": half}, "node_agent": {"time": one}});
    // Created at 0.5, 1, 1.5, 2 s; the agent of node 0 has the first from 0.5 s and the third from 1.5 s on.
    assert_eq!(ready(&both), [(2.5, 0), (3.0, 1), (3.5, 0), (4.0, 1)]);
}

#[test]
fn the_phases_of_a_start_follow_each_other() {
    let start = json!([{"phase": "runtime", "time": {"constant": 0.25}}, {"phase": "code", "time": {"constant": 0.5}}]);
    let (metrics, records) = run(&json!({
        "functions": {"0": {"instances": {"min_scale": 1, "start": start}}},
        "workload": {"invocations": at(&[0.0])},
    }));
    assert_eq!(begins(&records), [(1.75, 0, Start::Cold)]);
    assert_eq!(metrics.cold_start_delay.mean(), 1.75);
}

/// What came of f with these instances, and requests at dates: begins, in s, and of each instance some columns.
fn table_of(changes: &Value, columns: &[&str]) -> (Vec<f64>, Vec<Vec<String>>, Metrics) {
    let table = Text::default();
    let policies = [&[PolicyDescriptor::autoscaling::<AtTicks>()], hearth_plugins::BUILT_IN].concat();
    let experiment = Experiment::prepare(&scenario(changes), &Catalog::new(&policies)).unwrap();
    let results = experiment.write_instances(Box::new(table.clone())).unwrap().run().unwrap();
    let begins = results.records.iter().filter_map(|record| record.started_at).map(SimTime::as_secs_f64).collect();
    (begins, rows(&table, columns), results.metrics)
}

#[test]
fn a_start_that_fails_is_made_up_for_after_a_pause_that_grows() {
    let (_, rows, metrics) = table_of(
        &json!({
            "functions": {"0": {"instances": {"min_scale": 1, "max_scale": 1,
                "start": [{"phase": "runtime", "time": {"constant": 0.5}}, {"phase": "code", "time": {"constant": 2}}],
                "start_failure": {"chance": 1, "after": "runtime",
                                  "backoff": {"exponential": {"initial": "2s", "factor": 2, "max": "6s"}}}}}},
            "workload": {"invocations": at(&[0.0])}, "horizon": 24,
        }),
        &["instance", "start", "wanted_at", "placed_at", "ready_at", "ended_at", "why"],
    );
    // Each has 1 s and the runtime, 0.5 s, until it fails; then 2, 4, 6 and 6 s pass.
    let row = |number: &str, wanted: &str, placed: &str, ended: &str, why: &str| {
        let date = |date: &str| if date.is_empty() { String::new() } else { format!("{date}00000000") };
        [number.to_owned(), "new".to_owned(), date(wanted), date(placed), String::new(), date(ended), why.to_owned()]
    };
    let expected = [
        row("1", "0.0", "0.0", "1.5", "failed"),
        row("2", "1.5", "3.5", "5.0", "failed"),
        row("3", "5.0", "9.0", "10.5", "failed"),
        row("4", "10.5", "16.5", "18.0", "failed"),
        row("5", "18.0", "24.0", "", ""),
    ];
    assert_eq!(rows, expected);
    // Memory is held while an instance is on its way on the node: four times 1.5 s.
    assert_eq!((metrics.failed_starts, metrics.instances, metrics.idle_byte_seconds()), (Some(4), 5, 6e9));
}

#[test]
fn the_pause_is_that_of_one_place_and_others_start_meanwhile() {
    // The first of two starts fails, the other does not: found by the seed, which the rows show.
    let rows = (0..20_u64).find_map(|seed| {
        let (begins, rows, _) = table_of(
            &json!({
                "seed": seed,
                "functions": {"0": {"instances": {"min_scale": 2, "max_scale": 2,
                    "start_failure": {"chance": 0.5, "backoff": {"exponential": {"initial": "10s"}}}}}},
                "workload": {"invocations": at(&[0.0, 0.5, 0.7])},
            }),
            &["instance", "wanted_at", "ready_at", "why"],
        );
        let whys: Vec<&str> = rows.iter().map(|row| row[3].as_str()).collect();
        (whys == ["failed", "failed", "", ""])
            .then_some((begins, rows))
            .filter(|(_, rows)| rows[0][0] != "3" && rows[1][0] == "3")
    });
    let (begins, rows) = rows.expect("one of twenty draws is so");
    // One is up at 1 s, and serves all three, one after the other; the other place is tried again at 11 s, and at 12 + 20 s once more.
    assert_eq!(begins, [1.0, 3.0, 5.0]);
    let row = |number: &str, wanted: &str, ready: &str| [number.to_owned(), wanted.to_owned(), ready.to_owned()];
    let dates: Vec<_> = rows.iter().map(|row| row[..3].to_vec()).collect();
    assert_eq!(dates[1], row("3", "1.000000000", ""));
    assert_eq!(dates[3], row("4", "12.000000000", ""), "nobody is under way any more, so that it is not tried again");
}

#[test]
fn failures_of_starts_that_do_not_happen_change_nothing_and_those_that_do_no_lengths() {
    let ready = |failure: &Value| {
        let (_, rows, _) = table_of(
            &json!({
                "functions": {"0": {"instances": {"min_scale": 6, "max_scale": 6, "start_failure": failure,
                    "start": [{"phase": "runtime", "time": {"exponential": {"mean": 1}}}]}}},
                "workload": {"invocations": at(&[0.0, 90.0])}, "horizon": 80,
            }),
            &["instance", "ready_at", "ended_at"],
        );
        // The first six starts: when each was up, or failed.
        let mut first: Vec<_> = rows.into_iter().filter(|row| row[0].parse::<u32>().unwrap() <= 6).collect();
        first.sort();
        first.into_iter().map(|row| row[1].clone() + &row[2]).collect::<Vec<String>>()
    };
    let without = ready(&Value::Null);
    assert_eq!(ready(&json!({"chance": 0})), without);
    assert_eq!(
        ready(&json!({"chance": 0.5, "backoff": {"constant": 100}})),
        without,
        "as long, whether it fails or not"
    );
}

#[test]
fn starts_that_always_fail_end_a_simulation_in_which_nobody_is_under_way_and_stop_one_in_which_somebody_waits() {
    let instances = json!({"min_scale": 1, "start_failure": {"chance": 1, "backoff": {"constant": 1}}});
    let (_, rows, metrics) = table_of(
        &json!({
            "functions": [{"name": "f", "instances": instances}, {"name": "g", "body": [{"sleep": "3s"}]}],
            "policies": {"keep_alive": {"use": "no-keep-alive"}},
            "workload": {"invocations": [{"at": 0, "function": "g"}]},
        }),
        &["ended_at"],
    );
    // Starts fail at 1, 3 and 5 s. At 4 s, when the third begins, g has ended; so that nobody begins the fourth at 6 s.
    assert_eq!((rows.len(), metrics.failed_starts), (4, Some(3)), "{rows:?}");
    let stuck = scenario(&json!({
        "functions": {"0": {"instances": instances}},
        "workload": {"invocations": at(&[0.0])}, "max_events_without_progress": 1000,
    }));
    let error = Experiment::prepare(&stuck, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("wants 1; 0 are up, 1 are starting, of which 1 are tried again after starts that failed"),
        "{said}"
    );
}

#[test]
fn who_comes_while_nobody_is_under_way_waits_for_what_is_tried_again() {
    // By seed: the first start fails and the second does not.
    let begin = (0..20_u64).find_map(|seed| {
        let (begins, _, metrics) = table_of(
            &json!({
                "seed": seed,
                "functions": {"0": {"instances": {"min_scale": 1, "max_scale": 1,
                    "start_failure": {"chance": 0.5, "backoff": {"constant": "10s"}}}}},
                "workload": {"invocations": at(&[5.0])},
            }),
            &[],
        );
        (metrics.failed_starts == Some(1)).then_some(begins)
    });
    // It has failed at 1 s, and is begun again at 11 s.
    assert_eq!(begin.expect("one of twenty draws is so"), [12.0]);
}

#[test]
fn an_instance_that_is_not_wanted_is_paused_and_the_next_one_takes_its_container() {
    let run = |ram: f64| {
        table_of(
            &json!({
                "functions": {"0": {"instances": {"paused": {"for": "10s", "ram": ram, "pause": {"constant": 0.5}, "resume": {"constant": 0.25}}}}},
                "policies": {"autoscaling": {"use": "at-ticks"}},
                "workload": {"invocations": at(&[0.0, 5.0, 11.9, 30.0])},
            }),
            &["start", "wanted_at", "ready_at", "stopped_at", "ended_at", "why"],
        )
    };
    let (begins, rows, metrics) = run(1.0);
    // Ticks are every 2 s. The first is idle at 3 s, not wanted at 4 s and paused at 4.5 s; the second request waits until 6 s. What is
    // paused at 16.5 s is removed at 26.5 s. The last finds nothing that is asked about at ticks, so that one is wanted at once.
    assert_eq!(begins, [1.0, 6.25, 12.25, 31.0]);
    let row = |start: &str, dates: [&str; 4]| {
        let whole = dates.map(|date| format!("{:.9}", date.parse::<f64>().unwrap()));
        [&[start.to_owned()], &whole[..], &["paused".to_owned()]].concat()
    };
    let expected = [
        row("new", ["0", "1", "4", "4.5"]),
        row("paused", ["6", "6.25", "10", "10.5"]),
        row("paused", ["12", "12.25", "16", "16.5"]),
        row("new", ["30", "31", "34", "34.5"]),
    ];
    assert_eq!(rows, expected);
    assert_eq!((metrics.resumed_instances, metrics.instances, metrics.expired_containers), (Some(2), 4, 2));
    // From the first request to the end at 33 s: held for 26.5 s and from 30 s on, and busy for four times 2 s.
    assert_eq!((metrics.busy_byte_seconds(), metrics.idle_byte_seconds()), (8e9, 21.5e9));
    // Paused for 1.5, 1.5 and 10 s, with a quarter.
    let (begins, _, metrics) = run(0.25);
    assert_eq!((begins, metrics.idle_byte_seconds()), (vec![1.0, 6.25, 12.25, 31.0], 21.5e9 - 13.0 * 0.75e9));
}

#[test]
fn paused_instances_go_when_room_is_needed_and_are_taken_only_where_there_is_room() {
    let run = |ram: f64, of_g: &str| {
        table_of(
            &json!({
                "platform": {"hosts": {"1": {"count": 1}}},
                "functions": [
                    {"name": "f", "ram_limit": "5GB", "body": [{"sleep": "2s"}],
                     "instances": {"paused": {"ram": ram, "resume": {"constant": 0.25}}}},
                    {"name": "g", "ram_limit": "5GB", "body": [{"sleep": of_g}]}],
                "policies": {"autoscaling": {"use": "at-ticks"}},
                "workload": {"invocations": [{"at": 0, "function": "f"}, {"at": 5, "function": "g"}, {"at": 8.5, "function": "f"}]},
            }),
            &["start", "ready_at", "ended_at"],
        )
    };
    // With all of its RAM it goes for g at 5 s. At 8.5 s a new one is wanted, which has g's go, or waits for it until 11 s.
    let (begins, rows, metrics) = run(1.0, "1s");
    assert_eq!((begins, metrics.evicted_containers), (vec![1.0, 6.0, 9.5], 2));
    assert!(rows.iter().all(|row| row[0] == "new"));
    assert_eq!(run(1.0, "5s").0, [1.0, 6.0, 12.0]);
    // With a fifth of it, it stays beside g, and cannot be taken beside it: a new one takes the room of g, or of both.
    let (begins, rows, metrics) = run(0.2, "1s");
    assert_eq!((begins, metrics.resumed_instances), (vec![1.0, 6.0, 9.5], Some(0)), "{rows:?}");
}

#[test]
fn the_container_that_was_paused_last_is_taken_first() {
    let body = |at: f64, time: &str| json!({"at": at, "function": "f", "body": [{"sleep": time}]});
    let (begins, rows, _) = table_of(
        &json!({
            "functions": {"0": {"instances": {"paused": {"resume": {"constant": 0.25}}}}},
            "policies": {"autoscaling": {"use": "at-ticks"}, "node_allocation": {"use": "round-robin"}},
            "workload": {"invocations": [body(0.0, "2.5s"), body(0.0, "4.5s"), body(10.0, "5s"), body(10.0, "5s")]},
        }),
        &["start", "node", "placed_at", "ended_at"],
    );
    // At once one is wanted, and the second at 2 s, which goes to the request that waits. Neither is wanted any more at 4 and 8 s.
    assert_eq!(begins, [1.0, 3.0, 10.25, 12.25]);
    let rows: Vec<String> = rows.iter().map(|row| row.join(" ").replace("00000000", "")).collect();
    assert_eq!(rows[..2], ["new node-0 0.0 4.0", "new node-1 2.0 8.0"]);
    assert_eq!(rows[2..], ["paused node-1 10.0 16.0", "paused node-0 12.0 18.0"]);
}

#[test]
fn paused_instances_are_lost_with_their_node() {
    let (begins, rows, metrics) = table_of(
        &json!({
            "functions": {"0": {"instances": {"paused": {"resume": {"constant": 0.25}}}}},
            "policies": {"autoscaling": {"use": "at-ticks"}},
            "faults": {"scripted": [{"at": 4.5, "for": 1, "host": "node-0"}]},
            "workload": {"invocations": at(&[0.0, 5.0])},
        }),
        &["start", "node", "why"],
    );
    // Nothing is asked about when the second comes: one is begun at once, on the node that is up.
    assert_eq!((begins, metrics.resumed_instances), (vec![1.0, 6.0], Some(0)), "{rows:?}");
    assert_eq!(rows[0], ["new", "node-0", "paused"]);
    assert_eq!(rows[1][..2], ["new", "node-1"]);
}

/// A function f whose starts take 1 s and these phases, 3.5 s in all, and disks of 1 GB/s.
fn with_phases(snapshot: &Value, changes: &Value) -> Value {
    let phase = |name: &str, time: f64| json!({"phase": name, "time": {"constant": time}});
    let disk = json!({"capacity": "100GB", "read_bandwidth": "1GBps", "write_bandwidth": "1GBps"});
    let mut scenario = json!({
        "platform": {"hosts": {"1": {"disk": disk}}},
        "functions": {"0": {"instances": {
            "start": [phase("boot", 0.5), phase("runtime", 1.5), phase("code", 0.5)], "snapshot": snapshot}}},
        "policies": {"autoscaling": {"use": "at-ticks"}},
        "workload": {"invocations": at(&[0.0, 10.0])},
    });
    merge(&mut scenario, changes);
    scenario
}

#[test]
fn a_start_is_restored_from_what_the_first_one_has_come_to() {
    let begins = |more: Value, changes: Value| {
        let mut snapshot = json!({"phases": ["code", "runtime"], "restore": {"constant": 0.4}});
        merge(&mut snapshot, &more);
        let (begins, rows, metrics) = table_of(&with_phases(&snapshot, &changes), &["start"]);
        let restored = rows.iter().filter(|row| row[0] == "snapshot").count() as u64;
        assert_eq!(metrics.restored_instances, Some(restored), "{rows:?}");
        begins
    };
    // The first is up at 3.5 s and gone at 6 s. The second passes 1 s, the boot and the restore.
    assert_eq!(begins(json!({}), json!({})), [3.5, 11.9]);
    // What is made while the instance is there, and what is not.
    assert_eq!(begins(json!({"create": {"constant": 2.4}}), json!({})), [3.5, 11.9]);
    assert_eq!(begins(json!({"create": {"constant": 2.6}}), json!({})), [3.5, 13.5]);
    assert_eq!(begins(json!({"made": "beforehand"}), json!({})), [1.9, 11.9]);
    // The other node has none, unless all have it; disks keep it, and lose it.
    let everywhere = || json!({"where": "everywhere"});
    let fault = |fault: Value| json!({"faults": {"scripted": [fault]}});
    let down = || fault(json!({"at": 7, "for": 100, "host": "node-0"}));
    assert_eq!(begins(json!({}), down()), [3.5, 13.5]);
    assert_eq!(begins(everywhere(), down()), [3.5, 11.9]);
    assert_eq!(begins(json!({}), fault(json!({"at": 7, "for": 1, "host": "node-0"}))), [3.5, 11.9]);
    assert_eq!(begins(json!({}), fault(json!({"at": 7, "disk": "node-0"}))), [3.5, 13.5]);
    assert_eq!(begins(everywhere(), fault(json!({"at": 7, "disk": "node-1"}))), [3.5, 11.9]);
    assert_eq!(begins(everywhere(), fault(json!({"at": 7, "disk": "node-*"}))), [3.5, 13.5]);
}

#[test]
fn who_takes_a_paused_container_makes_no_snapshot() {
    let snapshot = json!({"phases": ["runtime", "code"], "restore": {"constant": 0.4}, "create": {"constant": 7}});
    let request = |at: f64, time: &str| json!({"at": at, "function": "f", "body": [{"sleep": time}]});
    let changes = json!({
        "functions": {"0": {"instances": {"paused": {"for": "1s"}}}},
        "workload": {"invocations": [request(0.0, "5s"), request(10.5, "9s"), request(30.0, "1s")]},
    });
    let (begins, rows, _) = table_of(&with_phases(&snapshot, &changes), &["start"]);
    // The first is up from 3.5 s to 10 s, half a second too short; who goes on from it until 20 s has not passed the phases.
    assert_eq!((begins, rows.concat()), (vec![3.5, 10.5, 33.5], ["new", "paused", "new"].map(str::to_owned).to_vec()));
}

#[test]
fn a_paused_container_is_not_taken_where_its_room_is_promised() {
    let own = json!({"paused": {"ram": 0.2}});
    let scenario = with_image(&json!({
        "platform": {"hosts": {"1": {"count": 1}}, "routes": [{"from": "head", "to": "node-0", "links": ["net"]}]},
        "functions": [
            {"name": "f", "ram_limit": "5GB", "body": [{"sleep": "2s"}], "instances": own},
            {"name": "g", "ram_limit": "3.5GB", "image": "image", "body": [{"sleep": "2s"}], "instances": {}}],
        "policies": {"autoscaling": {"use": "at-ticks"}},
        "workload": {"invocations": [{"at": 0, "function": "f"}, {"at": 5, "function": "g"}, {"at": 5.5, "function": "f"}]},
    }));
    let policies = [&[PolicyDescriptor::autoscaling::<AtTicks>()], hearth_plugins::BUILT_IN].concat();
    let results = Experiment::prepare(&self::scenario(&scenario), &Catalog::new(&policies)).unwrap().run().unwrap();
    let begins: Vec<f64> = results.records.iter().map(|record| record.started_at.unwrap().as_secs_f64()).collect();
    // From 5 s on 3.5 GB are kept for g until its image is there at 7 s. Of 8 GB 3.5 are left, and the paused one needs four more.
    assert_eq!(begins[..2], [1.0, 8.0]);
    assert!(begins[2] > 10.0 && results.metrics.resumed_instances == Some(0), "{begins:?}");
}

#[test]
fn a_snapshot_is_read_from_the_disk_of_the_node_by_all_who_start_there() {
    let snapshot =
        json!({"phases": ["runtime", "code"], "restore": {"constant": 0.4}, "size": "1GB", "made": "beforehand"});
    let one_node = |scale: u32| {
        let changes = json!({
            "platform": {"hosts": {"1": {"count": 1}}},
            "functions": {"0": {"instances": {"min_scale": scale, "max_scale": scale}}},
            "workload": {"invocations": at(&[0.0, 0.0])},
        });
        table_of(&with_phases(&snapshot, &changes), &["ready_at"]).1.concat()
    };
    // 1 GB at 1 GB/s, or at half of it for two, and then 1 s, the boot and the restore.
    assert_eq!(one_node(1), ["2.900000000"]);
    assert_eq!(one_node(2), ["3.900000000", "3.900000000"]);
    // A start that fails while the runtime would start does so once that is restored. A node that fails takes who reads with it.
    let fails = json!({"functions": {"0": {"instances": {"start_failure": {"chance": 1, "after": "runtime"}}}}, "horizon": 2.95});
    let (_, rows, _) = table_of(&with_phases(&snapshot, &fails), &["ended_at", "why"]);
    assert_eq!(rows[0], ["2.900000000", "failed"]);
    let down = json!({"faults": {"scripted": [{"at": 0.5, "for": 100, "host": "node-0"}]}});
    let (begins, rows, _) = table_of(&with_phases(&snapshot, &down), &["ended_at", "why"]);
    assert_eq!((begins[0], rows[0].concat().as_str()), (3.4, "0.500000000lost"), "begun anew on the other node");
    let without_disk = json!({"functions": {"0": {"instances": {"min_scale": 1, "start": [{"phase": "code", "time": {"constant": 1}}],
        "snapshot": {"phases": ["code"], "restore": {"constant": 1}, "size": "1MB"}}}}});
    let refused = Experiment::prepare(&scenario(&without_disk), &Catalog::new(hearth_plugins::BUILT_IN)).unwrap_err();
    assert!(refused.to_string().contains("has no disk"), "{refused}");
}

#[test]
fn an_instance_takes_a_pod_that_is_ready_and_another_pod_is_begun() {
    let phase = |name: &str, time: f64| json!({"phase": name, "time": {"constant": time}});
    let (sandbox, runtime) = (phase("sandbox", 0.5), phase("runtime", 1.5));
    let (begins, rows, metrics) = table_of(
        &json!({
            "service": {
                "control_plane": {"creation": {"time": {"constant": 1}}},
                "pods": [{"name": "generic", "ram": "2GB", "ready": 1, "start": [sandbox, runtime]}]},
            "functions": {"0": {"body": [{"sleep": "20s"}], "instances": {"start": [sandbox, runtime, phase("code", 0.25)]}}},
            "policies": {"autoscaling": {"use": "lambda"}},
            "workload": {"invocations": at(&[5.0, 6.0])},
        }),
        &["instance", "function", "start", "placed_at", "ready_at", "why"],
    );
    // The pod is created at 1 s, and passes 1 s, sandbox and runtime. The first request has the code alone before it. The next pod is
    // created at 6 s and ready at 9 s; the second request has an instance begun that is created at 7 s, and passes all.
    assert_eq!(begins, [5.25, 10.25]);
    let row = |number: &str, what: [&str; 2], placed: f64, ready: f64, why: &str| {
        [number, what[0], what[1], &format!("{placed:.9}"), &format!("{ready:.9}"), why].map(str::to_owned)
    };
    let expected = [
        row("1", ["generic", "new"], 1.0, 4.0, "taken"),
        row("2", ["f", "pod"], 5.0, 5.25, ""),
        row("3", ["generic", "new"], 6.0, 9.0, ""),
        row("4", ["f", "new"], 7.0, 10.25, ""),
    ];
    assert_eq!(rows, expected);
    assert_eq!((metrics.instances, metrics.pods, metrics.from_pods), (2, Some(2), Some(1)));
    // From 5 s to 30.25 s: the next pod holds 2 GB from 6 s on; what has taken the first one 1 GB, as it needs.
    let idle = 24.25 * 2.0 + (0.25 + 5.0) + 3.25;
    assert_eq!((metrics.busy_byte_seconds(), metrics.idle_byte_seconds()), (40e9, idle * 1e9));
    assert_eq!(metrics.instance_seconds(), 25.0 + 20.0, "pods are no instances");
}

#[test]
fn pools_are_looked_into_one_after_the_other() {
    let pool = |name: &str, ram: &str, search: f64| json!({"name": name, "ram": ram, "ready": 1, "search": {"constant": search}});
    let (begins, rows, _) = table_of(
        &json!({
            "service": {"pods": [pool("small", "512MB", 10.0), pool("a", "1GB", 0.1), pool("b", "2GB", 0.2)]},
            "functions": {"0": {"instances": {"start": [{"phase": "code", "time": {"constant": 0.5}}]}}},
            "policies": {"autoscaling": {"use": "lambda"}},
            "workload": {"invocations": at(&[5.0, 5.0, 5.0])},
        }),
        &["function", "start", "placed_at"],
    );
    // Into small ones nobody looks who does not fit. One has that of a at 5.1 s, one that of b at 5.3 s, and one is begun then, with
    // 1 s and the code.
    assert_eq!(begins, [5.6, 5.8, 6.8]);
    let of_f = rows.iter().filter(|row| row[0] == "f").map(|row| (row[1].as_str(), row[2].as_str()));
    let placed = [("pod", "5.100000000"), ("pod", "5.300000000"), ("new", "5.300000000")];
    assert_eq!(of_f.collect::<Vec<_>>(), placed);
}

#[test]
fn pods_with_an_image_are_for_those_who_need_it() {
    let begin = |pods: Value| {
        let changes = json!({
            "service": {"pods": pods},
            "functions": {"0": {"instances": {}}},
            "policies": {"autoscaling": {"use": "lambda"}},
            "workload": {"invocations": at(&[10.0])},
        });
        run(&with_image(&changes)).1[0].started_at.unwrap().as_secs_f64()
    };
    let without = begin(json!([]));
    assert_eq!(without, 13.0, "1 GB is copied in 1 s and loaded in 1 s, and it starts in 1 s");
    assert_eq!(begin(json!([{"name": "pod", "ram": "1GB", "ready": 1, "image": "image"}])), 10.0);
    assert_eq!(begin(json!([{"name": "pod", "ram": "1GB", "ready": 1}])), without);
}

#[test]
fn pods_are_lost_with_their_node_and_begun_anew() {
    let (_, rows, metrics) = table_of(
        &json!({
            "service": {"pods": [{"name": "pod", "ram": "1GB", "ready": 2}]},
            "functions": {"0": {"instances": {}}},
            "policies": {"autoscaling": {"use": "lambda"}, "node_allocation": {"use": "round-robin"}},
            "faults": {"scripted": [{"at": 2, "for": 100, "host": "node-0"}]},
            "workload": {"invocations": at(&[5.0])},
        }),
        &["function", "start", "node", "wanted_at", "why"],
    );
    let rows: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
    let expected = [
        "pod new node-0 0.000000000 lost",
        "pod new node-1 0.000000000 taken",
        "pod new node-1 2.000000000 ",
        "f pod node-1 5.000000000 ",
        "pod new node-1 5.000000000 ",
    ];
    assert_eq!(rows, expected);
    assert_eq!(metrics.pods, Some(4));
}

#[test]
fn a_container_computes_before_it_is_up_with_all_who_compute_there() {
    let ready = |scale: u32, more: &Value| {
        let mut changes = json!({
            "platform": {"hosts": {"1": {"count": 1}}},
            "service": {"processors": "shared"},
            "functions": {"0": {"processors": {"limit": 0.5, "startup": {"work": "3Gf", "limit": 1.5}}, "body": [{"compute": "1Gf"}],
                "instances": {"min_scale": scale, "max_scale": scale, "start": [{"phase": "code", "time": {"constant": 0.5}}]}}},
            "workload": {"invocations": at(&[0.0])},
        });
        merge(&mut changes, more);
        let (begins, rows, metrics) = table_of(&changes, &["ready_at"]);
        (begins[0], rows.concat(), metrics.processors.map(|used| used.seconds() + used.drained_seconds()))
    };
    // 1.5 s, and then 3 Gf at 1.5 cores of 1 Gf/s: up at 3.5 s; the body has half a core. Two share two cores: 3 s.
    assert_eq!(ready(1, &json!({})), (3.5, vec!["3.500000000".to_owned()], Some(4.0)));
    assert_eq!(ready(2, &json!({})), (4.5, vec!["4.500000000".to_owned(); 2], Some(7.0)));
    // It is not done where what is restored has it behind.
    let restored = |work: bool| {
        json!({"functions": {"0": {"instances": {"snapshot": {
            "phases": ["code"], "restore": {"constant": 0.25}, "work": work, "made": "beforehand"}}}}})
    };
    assert_eq!(ready(1, &restored(false)).0, 3.25);
    assert_eq!(ready(1, &restored(true)).0, 1.25);
    // Who fails has not computed; whose node fails has in part, and is begun anew.
    let fails = json!({"functions": {"0": {"instances": {"start_failure": {"chance": 1, "backoff": {"constant": 90}}}}}, "horizon": 9});
    let mut failing = json!({"functions": {"0": {"processors": {"startup": {"work": "3Gf"}}, "instances": {"min_scale": 1}}},
                             "service": {"processors": "shared"}, "workload": {"invocations": at(&[0.0])}});
    merge(&mut failing, &fails);
    let (_, rows, metrics) = table_of(&failing, &["ended_at"]);
    assert_eq!((rows[0][0].as_str(), metrics.processors.unwrap().seconds()), ("1.000000000", 0.0));
    let down = json!({"faults": {"scripted": [{"at": 2.5, "for": 1, "host": "node"}]}});
    let renamed = json!({"faults": {"scripted": {"0": {"host": "node-0"}}}});
    let mut down = down;
    merge(&mut down, &renamed);
    let (begin, _, used) = ready(1, &down);
    // 1 s of work is lost; it is placed again at 3.5 s, and up at 7 s.
    assert_eq!((begin, used), (7.0, Some(1.5 + 4.0)));
}

/// Disks of 1 GB/s behind a link as fast, and an image of 1 GB that f needs.
fn with_image(changes: &Value) -> Value {
    let disk = json!({"capacity": "100GB", "read_bandwidth": "1GBps", "write_bandwidth": "1GBps"});
    let mut scenario = json!({
        "platform": {"hosts": [
            {"name": "head", "cores": 1, "speed": "1Gf", "ram": "1GB", "disk": disk},
            {"name": "node", "count": 2, "cores": 2, "speed": "1Gf", "ram": "8GB", "disk": disk}],
            "links": [{"name": "net", "bandwidth": "1GBps", "latency": 0}],
            "routes": [{"from": "head", "to": "node-0", "links": ["net"]}, {"from": "head", "to": "node-1", "links": ["net"]}]},
        "network_model": "ideal",
        "images": [{"name": "image", "size": "1GB"}],
        "service": {"simulate_image_downloads": false},
        "functions": {"0": {"image": "image"}},
    });
    merge(&mut scenario, changes);
    scenario
}

#[test]
fn an_image_is_brought_to_the_node_of_an_instance() {
    let (metrics, records) = run(&with_image(&json!({
        "functions": {"0": {"instances": {"min_scale": 2}}},
        "workload": {"invocations": at(&[0.0, 0.0])},
    })));
    assert_eq!((metrics.copies.count, metrics.loads.count, metrics.instances), (1, 1, 2));
    let begins = begins(&records);
    assert!(begins.iter().all(|(begin, ..)| *begin > 2.0 && *begin < 5.0), "{begins:?}");
    assert_eq!(begins[0], begins[1], "one copy is for both");
}

#[test]
fn a_copy_that_is_cut_begins_anew_for_the_instance_that_waits_for_it() {
    let run = |faults: &Value| {
        run(&with_image(&json!({
            "functions": {"0": {"instances": {"min_scale": 1, "max_scale": 1}}},
            "faults": faults,
            "workload": {"invocations": at(&[0.0])},
        })))
    };
    let whole = run(&json!({})).1[0].started_at.unwrap().as_secs_f64();
    let (metrics, records) = run(&json!({"scripted": [{"at": 0.25, "for": 0.5, "link": "net"}]}));
    assert_eq!(begins(&records), [(whole + 0.75, 0, Start::Cold)], "from when the link is back");
    assert_eq!((metrics.copies.count, metrics.instances), (1, 1));
}

#[test]
fn an_instance_waits_for_its_image_beyond_a_failure_of_the_head_that_loses_the_queue() {
    let run = |faults: &Value, date: f64| {
        run(&with_image(&json!({
            "functions": {"0": {"instances": {"min_scale": 1, "max_scale": 1}}},
            "faults": faults,
            "workload": {"invocations": at(&[date])},
        })))
    };
    let whole = run(&json!({}), 0.0).1[0].started_at.unwrap().as_secs_f64();
    let down = json!({"head_queue": "lost", "scripted": [{"at": 0.25, "for": 0.5, "host": "head"}]});
    let (_, records) = run(&down, 1.0);
    assert_eq!(begins(&records), [(whole + 0.75, 0, Start::Cold)], "from when the head is back");
}

#[test]
fn instances_of_a_node_that_fails_are_replaced_and_their_requests_lost() {
    let (metrics, records) = run(&json!({
        "functions": {"0": {"instances": {"concurrency": 2, "min_scale": 1, "max_scale": 1}}},
        "faults": {"scripted": [{"at": 2.5, "for": 100, "host": "node-0"}]},
        "workload": {"invocations": at(&[0.0, 2.0, 2.2, 3.0])},
    }));
    let outcomes: Vec<Outcome> = records.iter().map(|record| record.outcome).collect();
    // The first two run on node 0 when it goes down. The third waits for one of them, and gets the instance that is up on node 1 at
    // 3.5 s.
    assert_eq!(outcomes, [Outcome::Lost, Outcome::Lost, Outcome::Completed, Outcome::Completed]);
    assert_eq!(begins(&records[2..]), [(3.5, 1, Start::Cold), (3.5, 1, Start::Cold)]);
    assert_eq!(metrics.instances, 2);
}

#[test]
fn a_time_limit_frees_the_place_and_not_the_instance() {
    let (metrics, records) = run(&json!({
        "functions": {"0": {"time_limit": "1s", "instances": {"min_scale": 1, "max_scale": 1}}},
        "workload": {"invocations": at(&[0.0, 0.0])},
    }));
    assert_eq!(begins(&records), [(1.0, 0, Start::Cold), (2.0, 0, Start::Cold)]);
    assert!(records.iter().all(|record| record.outcome == Outcome::TimedOut) && metrics.instances == 1);
}

/// The rows of a table below the first line, and of each what is in these columns.
fn rows(table: &Text, columns: &[&str]) -> Vec<Vec<String>> {
    let text = table.written();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let position = |column: &&str| header.iter().position(|other| other == column).unwrap();
    let positions: Vec<usize> = columns.iter().map(position).collect();
    lines.map(|line| positions.iter().map(|position| line[*position].to_owned()).collect()).collect()
}

#[test]
fn a_crash_takes_all_requests_of_the_instance_with_it() {
    let bodies = ["2s", "9s"].map(|time| json!({"at": 0, "function": "f", "body": [{"sleep": time}]}));
    let instances = json!({"concurrency": 2, "min_scale": 1, "max_scale": 1, "removal": {"constant": 5}});
    let scenario = scenario(&json!({
        "functions": {"0": {"instances": instances}},
        "faults": {"containers": {"crash_per_invocation": 1.0}},
        "workload": {"invocations": bodies},
    }));
    let table = Text::default();
    let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    let results = experiment.write_instances(Box::new(table.clone())).unwrap().run().unwrap();
    let end = |record: &InvocationRecord| (record.outcome, record.finished_at.unwrap().as_secs_f64());
    let ends: Vec<(Outcome, f64)> = results.records.iter().map(end).collect();
    assert_eq!(ends, [(Outcome::Lost, 3.0), (Outcome::Lost, 3.0)]);
    assert_eq!(results.metrics.instances, 2, "another one is started in its place");
    let rows = rows(&table, &["instance", "stopped_at", "ended_at", "why"]);
    assert_eq!(rows, [["1", "", "3.000000000", "crashed"], ["2", "", "", ""]], "what has crashed takes no time to go");
}

#[test]
fn who_finds_no_instance_for_ever_is_told_why() {
    let scenario = scenario(&json!({
        "functions": {"0": {"ram_limit": "5GB", "instances": {"min_scale": 3}}},
        "workload": {"invocations": at(&[0.0, 0.0, 0.0])},
        "horizon": 2.5,
    }));
    let results = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap();
    let reason = results.records[2].failure.as_deref().unwrap().to_owned();
    assert!(reason.contains("2 are up, 1 are starting, of which 1 have found no node with room"), "{reason}");
}

/// Wants as many instances as there are requests, and is asked at ticks alone.
struct AtTicks;

impl Policy for AtTicks {
    const NAME: &'static str = "at-ticks";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "wants an instance for each request, every two seconds";
    type Parameters = ();
    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl Autoscaling for AtTicks {
    fn scale(&mut self, view: &ScaleView) -> Scale {
        Scale { wanted: view.in_flight() as u32 }
    }
}

#[test]
fn a_request_that_comes_while_the_last_instance_is_removed_is_served_after_the_next_tick() {
    let scenario = scenario(&json!({
        "functions": {"0": {"instances": {"removal": {"constant": 1}}}},
        "policies": {"autoscaling": {"use": "at-ticks"}},
        "workload": {"invocations": at(&[0.0, 4.5])},
    }));
    let policies = [&[PolicyDescriptor::autoscaling::<AtTicks>()], hearth_plugins::BUILT_IN].concat();
    let results = Experiment::prepare(&scenario, &Catalog::new(&policies)).unwrap().run().unwrap();
    // The first ends at 3 s; at 4 s none is wanted, and the instance is removed by 5 s, while nothing else happens. The tick of 6 s
    // wants one for the second.
    assert_eq!(begins(&results.records), [(1.0, 0, Start::Cold), (7.0, 0, Start::Cold)]);
}

#[test]
fn requests_of_an_instance_share_its_processors() {
    let ends = |processors: &str, limit: f64| {
        let (_, records) = run(&json!({
            "service": {"processors": processors},
            "functions": {"0": {
                "processors": if processors == "shared" { json!({"limit": limit, "threads": 4}) } else { Value::Null },
                "instances": {"concurrency": 4, "min_scale": 1, "max_scale": 1}, "body": [{"compute": "2Gf"}],
            }},
            "workload": {"invocations": at(&[1.0, 1.0])},
        }));
        records.iter().map(|record| record.finished_at.unwrap().as_secs_f64()).collect::<Vec<_>>()
    };
    // 2 Gf on a core of 1 Gf/s. A core for each; one for both; both cores of the node; half a core for both.
    assert_eq!(ends("dedicated", 0.0), [3.0, 3.0]);
    assert_eq!(ends("shared", 1.0), [5.0, 5.0]);
    assert_eq!(ends("shared", 2.0), [3.0, 3.0]);
    assert_eq!(ends("shared", 0.5), [9.0, 9.0]);
}

#[test]
fn cores_that_are_kept_for_an_instance_are_not_kept_for_another_one() {
    let (_, records) = run(&with_image(&json!({
        "service": {"processors": "shared"},
        "functions": [
            {"name": "f", "ram_limit": "1GB", "image": "image", "processors": {"request": 1.5, "limit": 2},
             "instances": {"min_scale": 2}, "body": [{"sleep": "2s"}]},
            {"name": "small", "processors": {"request": 0.5, "limit": 1}, "body": []}],
        "policies": {"node_allocation": {"use": "first-fit"}},
        "workload": {"invocations": at(&[0.0, 0.0])},
    })));
    let begins = begins(&records);
    // The node that has half a core left is shown as with one. The image comes to both nodes at once.
    assert_eq!((begins[0].1, begins[1].1), (0, 1));
    assert_eq!(begins[0].0, begins[1].0);
}

#[test]
fn functions_of_an_application_wait_for_each_other() {
    let scenario = scenario(&json!({
        "applications": [{"name": "shop", "ram_limit": "1GB", "instances": {"min_scale": 1, "max_scale": 1}}],
        "functions": [
            {"name": "f", "application": "shop", "body": [{"sleep": "2s"}]},
            {"name": "alone", "ram_limit": "1GB", "instances": {"min_scale": 1}, "body": [{"sleep": "2s"}]},
            {"name": "g", "application": "shop", "time_limit": "1s", "body": [{"sleep": "5s"}]},
        ],
        "workload": {"invocations": [
            {"at": 0, "function": "f"}, {"at": 0, "function": "alone"}, {"at": 0, "function": "g"}, {"at": 3, "function": "f"},
        ]},
    }));
    let table = Text::default();
    let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    let results = experiment.write_instances(Box::new(table.clone())).unwrap().run().unwrap();
    // One instance is up at 1 s: f until 3 s, g until its limit at 4 s, then f again.
    let begins = begins(&results.records).into_iter().map(|(begin, ..)| begin).collect::<Vec<_>>();
    assert_eq!(begins, [1.0, 1.0, 3.0, 4.0]);
    assert_eq!(results.records[2].outcome, Outcome::TimedOut);
    // Functions are counted by themselves, instances for the application.
    let of = |function: usize| results.metrics.functions[function].invocations();
    assert_eq!((of(0), of(1), of(2)), (2, 1, 1));
    assert_eq!(rows(&table, &["function", "requests"]), [["shop", "3"], ["alone", "1"]]);
}

#[test]
fn functions_of_an_application_of_a_trace_are_served_together() {
    let mut file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    // Each comes 2 s before its end.
    file.write_all(b"app,func,end_timestamp,duration\na,f,4,2\na,g,4,2\nb,f,4,2\n").unwrap();
    let run = |applications: bool| {
        let scenario = scenario(&json!({
            "service": {"instances": {"min_scale": 1, "max_scale": 1}},
            "functions": [],
            "workload": {"trace": {"format": "azure-functions-2021", "path": file.path(), "applications": applications}},
        }));
        let table = Text::default();
        let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
        let results = experiment.write_instances(Box::new(table.clone())).unwrap().run().unwrap();
        let begins = begins(&results.records).into_iter().map(|(begin, ..)| begin).collect::<Vec<_>>();
        (begins, rows(&table, &["function", "requests"]))
    };
    let (begins, instances) = run(false);
    assert_eq!((begins, instances.len()), (vec![2.0, 2.0, 2.0], 3));
    let (begins, instances) = run(true);
    assert_eq!(begins, [2.0, 4.0, 2.0], "g waits for f, which is of its application");
    assert_eq!(instances, [["a", "2"], ["b", "1"]]);
}

/// When each of some requests begins on places that are free from these dates on, first come, first served.
fn on_places(mut free: Vec<u64>, requests: &[(u64, u64)]) -> Vec<u64> {
    let begin = |(at, length): &(u64, u64)| {
        let first = free.iter_mut().min().unwrap();
        let begin = (*first).max(*at);
        *first = begin + length;
        begin
    };
    requests.iter().map(begin).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However requests are sent to instances: where they wait before all of them, places are alike, and each begins when the
    /// first of all places is free; where starts fail, those of an instance are there from when it is up.
    #[test]
    fn dates_are_those_of_so_many_places(
        gaps in proptest::collection::vec((0..2_000_000_000_u64, 1..4_000_000_000_u64), 1..60),
        (scale, concurrency) in (1..4_u32, 1..5_u32),
        routing in 0..4_usize,
        (seed, failure) in (any::<u32>(), prop::option::of((1..6_u32, 0..30_u32))),
    ) {
        let routing = ["least_loaded", "first", "round_robin", "random_of_two"][routing];
        let mut now = 0;
        let requests: Vec<(u64, u64)> = gaps.iter().map(|(gap, length)| { now += gap; (now, *length) }).collect();
        let invocation = |(at, length): &(u64, u64)| json!({
            "at": format!("{at}ns"), "function": "f", "body": [{"sleep": format!("{length}ns")}],
        });
        let invocations: Vec<Value> = requests.iter().map(invocation).collect();
        let instances = json!({
            "concurrency": concurrency, "min_scale": scale, "max_scale": scale, "routing": routing,
            "start_failure": failure.map(|(chance, pause)| json!({
                "chance": f64::from(chance) / 10.0, "backoff": {"constant": f64::from(pause) / 10.0}})),
        });
        let (begins, rows, metrics) = table_of(
            &json!({"seed": seed, "functions": {"0": {"instances": instances}}, "workload": {"invocations": invocations}}),
            &["ready_at", "why"],
        );
        let nanos = |text: &String| text.replace('.', "").parse::<u64>().unwrap();
        let ready: Vec<u64> = rows.iter().filter(|row| row[1] != "failed" && !row[0].is_empty()).map(|row| nanos(&row[0])).collect();
        if failure.is_none() {
            prop_assert_eq!(&ready, &vec![1_000_000_000; scale as usize]);
        }
        let places = ready.iter().flat_map(|date| vec![*date; concurrency as usize]).collect();
        prop_assert_eq!(begins, on_places(places, &requests).into_iter().map(|date| date as f64 / 1e9).collect::<Vec<_>>());
        let failed = metrics.failed_starts.unwrap_or(0);
        prop_assert_eq!(rows.iter().filter(|row| row[1] == "failed").count() as u64, failed);
        prop_assert!(metrics.instances <= u64::from(scale) + failed);
        prop_assert!(metrics.instances >= ready.len() as u64 + failed);
    }

    /// Neither does a snapshot that takes as long to restore as what it saves.
    #[test]
    fn restoring_that_takes_as_long_as_the_phases_changes_no_date(
        gaps in proptest::collection::vec((0..9_000_000_000_u64, 1..4_000_000_000_u64), 1..40),
        autoscaling in prop::sample::select(vec!["at-ticks", "concurrency", "lambda"]),
        (place, made, create) in (
            prop::sample::select(vec!["node", "everywhere"]), prop::sample::select(vec!["first_start", "beforehand"]), 0..3_u32,
        ),
    ) {
        let mut now = 0;
        let invocation = |(gap, length): &(u64, u64)| {
            now += gap;
            json!({"at": format!("{now}ns"), "function": "f", "body": [{"sleep": format!("{length}ns")}]})
        };
        let invocations: Vec<Value> = gaps.iter().map(invocation).collect();
        let run = |snapshot: Value| {
            let changes = json!({"policies": {"autoscaling": {"use": autoscaling}}, "workload": {"invocations": invocations}});
            table_of(&with_phases(&snapshot, &changes), &["instance", "node", "wanted_at", "ready_at", "ended_at"])
        };
        let without = run(Value::Null);
        let snapshot = json!({"phases": ["boot", "code"], "restore": {"constant": 1}, "create": {"constant": create}, "where": place, "made": made});
        let with = run(snapshot);
        prop_assert_eq!(without.0, with.0);
        prop_assert_eq!(without.1, with.1);
        if made == "beforehand" {
            prop_assert_eq!(with.2.restored_instances, Some(with.2.instances));
        }
    }

    /// Warmth that saves no time changes nothing: a paused container that takes as long to resume as to start.
    #[test]
    fn resuming_that_takes_as_long_as_a_start_changes_no_date(
        gaps in proptest::collection::vec((0..9_000_000_000_u64, 1..4_000_000_000_u64), 1..40),
        concurrency in 1..4_u32,
        (autoscaling, keep_for, ram) in (prop::sample::select(vec!["at-ticks", "concurrency", "lambda"]), 0..20_u32, prop::sample::select(vec![1.0, 0.3])),
    ) {
        let mut now = 0;
        let invocation = |(gap, length): &(u64, u64)| {
            now += gap;
            json!({"at": format!("{now}ns"), "function": "f", "body": [{"sleep": format!("{length}ns")}]})
        };
        let invocations: Vec<Value> = gaps.iter().map(invocation).collect();
        let run = |instances: Value| {
            let (begins, rows, metrics) = table_of(
                &json!({
                    "functions": {"0": {"ram_limit": "10MB", "instances": instances}},
                    "policies": {"autoscaling": {"use": autoscaling}},
                    "workload": {"invocations": invocations},
                }),
                &["instance", "wanted_at", "ready_at", "ended_at"],
            );
            (begins, rows, metrics.resumed_instances)
        };
        let time = json!({"constant": 0.7});
        let removed = run(json!({"concurrency": concurrency, "removal": time}));
        let paused = json!({"for": keep_for, "ram": ram, "pause": time, "resume": {"constant": 1}});
        let paused = run(json!({"concurrency": concurrency, "paused": paused}));
        prop_assert_eq!(removed.0, paused.0);
        prop_assert_eq!(removed.1, paused.1);
        prop_assert!(removed.2.is_none());
    }
}
