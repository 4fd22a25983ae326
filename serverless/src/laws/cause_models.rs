//! Causes held against models that know nothing of the simulator: a list of cores, a queue of one server, formulas for transfers and
//! shares, and a platform that never takes a container away.

use hearth_simcore::time::SimDuration;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;
use crate::causes::{Cause, ColdStartCause};
use crate::experiment::{Experiment, Results};
use crate::invocation::{InvocationRecord, Start};
use crate::policy::Catalog;
use crate::scenario::Scenario;

fn run(scenario: &Value) -> Results {
    let read = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
    Experiment::prepare(&read, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().explained().run().unwrap()
}

fn nanos(record: &InvocationRecord, cause: Cause) -> u64 {
    record.causes.as_ref().unwrap().parts.of(cause).as_nanos()
}

/// All causes of an invocation but those that are nothing, in their order.
fn parts(record: &InvocationRecord) -> Vec<(Cause, u64)> {
    record.causes.as_ref().unwrap().parts.iter().map(|(cause, length)| (cause, length.as_nanos())).collect()
}

/// A node with so many cores and room for everybody, and functions without images.
fn plain(cores: u32, functions: usize) -> Value {
    let names: Vec<Value> = (0..functions).map(|number| json!({"name": format!("f{number}")})).collect();
    json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [{"name": "head", "cores": 1, "speed": "1Gf"},
                               {"name": "node", "cores": cores, "speed": "1Gf", "ram": "1TB"}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node"], "invocation_processing_overhead": 0},
        "functions": names,
        "policies": {"node_allocation": {"use": "first-fit"}, "keep_alive": {"use": "fixed", "parameters": {"timeout": 1e9}}},
    })
}

/// Arrivals of functions and how long each runs: dates that no two have in common, in milliseconds and a bit.
fn arrivals(functions: u8) -> impl Strategy<Value = Vec<(u64, u8, u64)>> {
    let arrival = (0..30_000_u64, 0..functions, 1..4_000_u64);
    prop::collection::vec(arrival, 1..40).prop_map(|mut all| {
        all.sort_unstable();
        let bits = |(number, (at, function, runs)): (usize, (u64, u8, u64))| {
            (at * 1_000_000 + number as u64 * 1009, function, runs * 1_000_000 + number as u64 * 31)
        };
        all.into_iter().enumerate().map(bits).collect()
    })
}

fn workload(all: &[(u64, u8, u64)]) -> Value {
    let invocation = |(at, function, runs): &(u64, u8, u64)| {
        let seconds = |nanos: u64| format!("{nanos}ns");
        json!({"at": seconds(*at), "function": format!("f{function}"), "body": [{"sleep": seconds(*runs)}]})
    };
    json!({"invocations": all.iter().map(invocation).collect::<Vec<_>>()})
}

proptest! {
    #![proptest_config(cases(200))]

    /// One function on so many cores, first come first served: who waits, waits for a core, and who finds all containers in use starts
    /// one.
    #[test]
    fn waits_for_cores_are_those_of_a_list_of_cores(all in arrivals(1), cores in 1..4_u32, start_ms in 0..2_000_u64) {
        let mut scenario = plain(cores, 1);
        scenario["service"]["container_startup_overhead"] = json!(format!("{start_ms}ms"));
        scenario["workload"] = workload(&all);
        let results = run(&scenario);
        let (mut free, mut containers): (Vec<u64>, usize) = (vec![0; cores as usize], 0);
        for ((at, _, runs), record) in all.iter().zip(&results.records) {
            let (core, first) = free.iter().copied().enumerate().min_by_key(|(_, date)| *date).unwrap();
            let begins = first.max(*at);
            // Those that are in use then, in which this one is not.
            let running = free.iter().filter(|date| **date > begins).count();
            let is_cold = running == containers;
            let start = if is_cold { start_ms * 1_000_000 } else { 0 };
            containers += usize::from(is_cold);
            free[core] = begins + start + runs;
            let expected = [(Cause::CoresBusy, begins - at), (Cause::ContainerStart, start), (Cause::Work, *runs)];
            let expected: Vec<(Cause, u64)> = expected.into_iter().filter(|(_, nanos)| *nanos > 0).collect();
            prop_assert_eq!(parts(record), expected, "{:?}", record);
            let cold = record.causes.as_ref().unwrap().cold_start.map(|cold| cold.cause);
            let why = if containers == 1 { ColdStartCause::First } else { ColdStartCause::Concurrency };
            prop_assert_eq!(cold, is_cold.then_some(why));
        }
    }

    /// The head is one server that takes as long for each: waits at it are Lindley's.
    #[test]
    fn waits_at_the_head_are_those_of_one_server(all in arrivals(3), processing_ms in 1..900_u64) {
        let mut scenario = plain(1000, 3);
        scenario["service"]["invocation_processing_overhead"] = json!(format!("{processing_ms}ms"));
        scenario["service"]["container_startup_overhead"] = json!(0);
        scenario["workload"] = workload(&all);
        let (mut free, processing) = (0, processing_ms * 1_000_000);
        for ((at, _, runs), record) in all.iter().zip(&run(&scenario).records) {
            let begins = free.max(*at);
            free = begins + processing;
            let expected = [(Cause::HeadQueue, begins - at), (Cause::HeadProcessing, processing), (Cause::Work, *runs)];
            let expected: Vec<(Cause, u64)> = expected.into_iter().filter(|(_, nanos)| *nanos > 0).collect();
            prop_assert_eq!(parts(record), expected);
        }
    }

    /// Where starts take no time and nobody waits, what keep-alive does has no effect on when what runs: so those that are cold by the
    /// first use of a container or by concurrency are those that are cold where no container ever ends, and no others.
    #[test]
    fn cold_starts_that_no_keep_alive_avoids_are_those_of_one_that_keeps_all(all in arrivals(3), timeout_ms in 0..6_000_u64) {
        let mut scenario = plain(1000, 3);
        scenario["service"]["container_startup_overhead"] = json!(0);
        scenario["workload"] = workload(&all);
        let keeps_all = run(&scenario);
        scenario["policies"]["keep_alive"]["parameters"]["timeout"] = json!(format!("{timeout_ms}ms"));
        let ends = if timeout_ms == 0 { ColdStartCause::NotKept } else { ColdStartCause::Expired };
        for (record, kept) in run(&scenario).records.iter().zip(&keeps_all.records) {
            let cause = record.causes.as_ref().unwrap().cold_start.map(|cold| cold.cause);
            let is_avoidable = record.start == Some(Start::Cold) && kept.start == Some(Start::Warm);
            prop_assert_eq!(cause == Some(ends), is_avoidable, "{:?} {:?}", record, kept);
        }
    }

    /// Two that compute on a core have half of it each while both do; what they take longer is by the other.
    #[test]
    fn what_computes_beside_another_takes_so_much_longer(first_ms in 1..5_000_u64, second_ms in 1..5_000_u64) {
        let mut scenario = plain(1, 2);
        scenario["service"]["processors"] = json!("shared");
        scenario["service"]["container_startup_overhead"] = json!(0);
        let invocation = |number: usize, ms: u64| {
            json!({"at": 0, "function": format!("f{number}"), "body": [{"compute": ms as f64 * 1e6}]})
        };
        scenario["workload"] = json!({"invocations": [invocation(0, first_ms), invocation(1, second_ms)]});
        let results = run(&scenario);
        let both = 2 * first_ms.min(second_ms) * 1_000_000;
        for (record, ms) in results.records.iter().zip([first_ms, second_ms]) {
            let (alone, latency) = (ms * 1_000_000, both + (ms - first_ms.min(second_ms)) * 1_000_000);
            prop_assert_eq!(nanos(record, Cause::Work), alone);
            prop_assert!(nanos(record, Cause::WorkSharing).abs_diff(latency - alone) <= 2, "{:?}", record);
        }
    }
}

/// Images of a size on a way of one link, from the head to nodes.
fn with_images(count: usize) -> Value {
    let disk = json!({"capacity": "1TB", "read_bandwidth": "10GBps", "write_bandwidth": "10GBps"});
    let host = |name: &str| json!({"name": name, "cores": 1, "speed": "1Gf", "ram": "1TB", "disk": disk});
    let invocation = |number: usize| json!({"at": 0, "function": format!("f{number}"), "body": []});
    json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [host("head"), host("node-0"), host("node-1")],
                     "links": [{"name": "lan", "bandwidth": "100MBps", "latency": "1ms"}],
                     "routes": [{"from": "head", "to": "node-0", "links": ["lan"]}, {"from": "head", "to": "node-1", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-0", "node-1"], "container_startup_overhead": 0,
                    "invocation_processing_overhead": 0, "simulate_image_downloads": false},
        "images": (0..count).map(|number| json!({"name": format!("i{number}"), "size": "1GB", "ram_footprint": "1MB"})).collect::<Vec<_>>(),
        "functions": (0..count).map(|number| json!({"name": format!("f{number}"), "image": format!("i{number}")})).collect::<Vec<_>>(),
        "workload": {"invocations": (0..count).map(invocation).collect::<Vec<_>>()},
        "policies": {"node_allocation": {"use": "first-fit"}},
    })
}

/// How long the bytes take: at 97 % of the bandwidth, of which acknowledgements have a twentieth on the way back.
const MOVING: f64 = 1.05 * 1e9 / (0.97 * 100e6);

/// The same after the latency times 13.01.
fn copy_alone() -> u64 {
    SimDuration::from_secs_f64(13.01 * 1e-3 + MOVING).as_nanos()
}

#[test]
fn a_copy_that_is_alone_takes_what_the_model_of_the_network_says() {
    let record = &run(&with_images(1)).records[0];
    assert!(nanos(record, Cause::ImageCopy).abs_diff(copy_alone()) <= 1, "{record:?}");
    assert_eq!(nanos(record, Cause::ImageCopySharing), 0);
}

#[test]
fn two_copies_over_a_link_take_as_much_longer_as_one_takes_alone_but_for_the_latency() {
    for record in &run(&with_images(2)).records {
        assert!(nanos(record, Cause::ImageCopy).abs_diff(copy_alone()) <= 1, "{record:?}");
        let longer = nanos(record, Cause::ImageCopySharing) as f64 / 1e9;
        assert!((longer - MOVING).abs() < 1e-6, "{record:?}");
    }
}

#[test]
fn what_a_degraded_link_makes_longer_is_by_the_fault_and_not_by_others() {
    let mut scenario = with_images(1);
    // Half of the bandwidth from a second on.
    scenario["faults"] = json!({"scripted": [{"at": 1, "for": 1000, "link": "lan", "bandwidth": 0.5}]});
    let record = &run(&scenario).records[0];
    let left = copy_alone() as f64 / 1e9 - 1.0;
    assert!(nanos(record, Cause::ImageCopy).abs_diff(copy_alone()) <= 1, "{record:?}");
    let slow = nanos(record, Cause::DegradedLink) as f64 / 1e9;
    assert!((slow - left).abs() < 1e-6, "{slow} and not {left}");
    assert!(nanos(record, Cause::ImageCopySharing) <= 2, "{record:?}");
}
