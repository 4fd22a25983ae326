//! What must hold in every simulation, over random small scenarios: conservation of cores, RAM and disk at every
//! moment, one outcome for each invocation, and no date before its cause.

mod containers;

use hearth_policy_api::{NodeView, PolicyDescriptor, PolicyKind};
use hearth_simcore::time::SimTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::experiment::{Experiment, Results};
use crate::invocation::{InvocationRecord, Outcome, Start};
use crate::policy::Catalog;
use crate::results::{Summary, write_distributions, write_functions, write_invocations};
use crate::scenario::Scenario;
use crate::service::Service;
use crate::service::attempts::{Counts, Stage};
use crate::workflow::WorkflowOutcome;

const GB: u64 = 1_000_000_000;

/// A small cluster under pressure: little RAM and disk, a head that must evict, bodies with input and output.
fn scenario() -> impl Strategy<Value = Value> {
    let nodes = (1..4_u32, 1..4_u32, 4..12_u64, 6..20_u64);
    let images = proptest::collection::vec((1..30_u64, 1..30_u64), 1..4);
    let functions = proptest::collection::vec(function(), 1..5);
    let invocations = proptest::collection::vec((0..400_u32, any::<u16>(), any::<u16>(), any::<bool>()), 1..25);
    let policies = (
        prop::sample::select(names(PolicyKind::NodeAllocation)),
        prop::sample::select(names(PolicyKind::Eviction)),
        prop::sample::select(names(PolicyKind::Eviction)),
        keep_alive(),
        admission(),
        prop::sample::select(vec!["unlimited", "unlimited", "none", "easy"]),
    );
    let overhead = prop::sample::select(vec![0.0, 0.01, 1.0]);
    (nodes, images, functions, invocations, policies, overhead).prop_map(
        |((nodes, cores, ram, disk), images, functions, invocations, policies, overhead)| {
            let (placement, containers, of_images, keep_alive, admission, backfilling) = policies;
            let plans_for_all = ["workload-balancing", "random"].contains(&placement);
            let backfilling = if plans_for_all { "unlimited" } else { backfilling };
            let image_count = images.len();
            let function_count = functions.len();
            let host = |name: &str, count: Value, ram: u64, disk: u64| {
                json!({"name": name, "count": count, "cores": cores, "speed": "10Gf", "ram": ram * GB,
                       "disk": {"capacity": disk * GB, "read_bandwidth": "500MBps", "write_bandwidth": "300MBps"}})
            };
            let images: Vec<Value> = images
                .iter()
                .enumerate()
                .map(|(i, (size, ram))| json!({"name": format!("i{i}"), "size": size * GB / 10, "ram_footprint": ram * GB / 10}))
                .collect();
            let functions: Vec<Value> = functions
                .into_iter()
                .enumerate()
                .map(|(i, (mut function, image))| {
                    function["name"] = json!(format!("f{i}"));
                    if let Some(image) = image {
                        function["image"] = json!(format!("i{}", image as usize % image_count));
                    }
                    function
                })
                .collect();
            let invocations: Vec<Value> = invocations
                .iter()
                .enumerate()
                .map(|(i, (at, function, after, chained))| {
                    let function = format!("f{}", *function as usize % function_count);
                    if *chained && i > 0 {
                        json!({"after": [*after as usize % i], "delay": 0.5, "function": function})
                    } else {
                        json!({"at": f64::from(*at) / 4.0, "function": function})
                    }
                })
                .collect();
            json!({
                "format": "hearth-scenario/1",
                // Far beyond the end of any of these, so that one that never ends fails instead of hanging.
                "horizon": 100_000,
                "platform": {
                    "hosts": [host("user", Value::Null, 0, 1000), host("head", Value::Null, 0, 4), host("node", json!(nodes), ram, disk)],
                    "links": [{"name": "wan", "bandwidth": "100MBps", "latency": "1ms"}, {"name": "lan", "bandwidth": "1GBps", "latency": "10us"}],
                    "routes": [{"from": "user", "to": "head", "links": ["wan"]}, {"from": "head", "to": "node-*", "links": ["lan"]},
                               {"from": "user", "to": "node-*", "links": ["wan", "lan"]},
                               {"from": "node-*", "to": "node-*", "links": ["lan"]}],
                },
                "service": {"head": "head", "registry": "user", "nodes": ["node-*"], "container_startup_overhead": 0.5,
                            "invocation_processing_overhead": overhead, "backfilling": backfilling},
                "images": images, "files": [{"name": "in", "size": "50MB"}], "functions": functions,
                "workload": {"invocations": invocations},
                "policies": {
                    "admission": admission,
                    "node_allocation": {"use": placement},
                    "keep_alive": keep_alive,
                    "eviction": {"containers": {"use": containers}, "images_in_ram": {"use": of_images},
                                 "images_on_disk": {"use": of_images}, "images_on_head": {"use": of_images}},
                },
            })
        },
    )
}

/// All built-in policies of a kind.
fn names(kind: PolicyKind) -> Vec<&'static str> {
    let of_kind = hearth_plugins::BUILT_IN.iter().filter(|policy| policy.kind() == kind);
    of_kind.map(|policy| policy.name().as_str()).collect()
}

fn keep_alive() -> impl Strategy<Value = Value> {
    // A histogram of seconds that believes in two idle times, so that containers are started ahead.
    let eager = json!({"bin": "2s", "bins": 20, "min_samples": 2, "cv": 0});
    prop_oneof![
        prop::sample::select(vec![0, 1, 20, 1000])
            .prop_map(|timeout| json!({"use": "fixed", "parameters": {"timeout": timeout}})),
        Just(json!({"use": "hybrid-histogram", "parameters": eager})),
        Just(json!({"use": "adaptive", "parameters": {"break_even": "5s"}})),
        Just(json!({"use": "no-keep-alive"})),
    ]
}

fn admission() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({"use": "always"}),
        json!({"use": "queue-limit", "parameters": {"limit": 3}}),
        json!({"use": "concurrency-limit", "parameters": {"total": 4, "per_function": 2}}),
        json!({"use": "token-bucket", "parameters": {"rate": 0.5, "burst": 2, "excess": "delay"}}),
        json!({"use": "slo-shedding", "parameters": {"slowdown": 2}}),
    ])
}

fn function() -> impl Strategy<Value = (Value, Option<u8>)> {
    let step = prop_oneof![
        (0..8_u32).prop_map(|quarters| json!({"sleep": f64::from(quarters) / 4.0})),
        Just(json!({"compute": "12Gf"})),
        Just(json!({"ingress": {"file": "in"}})),
        Just(json!({"read_remote": {"file": "in"}})),
        Just(json!({"write": {"file": "out", "size": "100MB"}})),
        Just(json!({"checkpoint": "20MB"})),
        Just(json!({"checkpoint": 0})),
        Just(json!({"fail": "on purpose"})),
    ];
    let steps = proptest::collection::vec(step, 0..4);
    (1..4_u64, 0..3_u64, prop::sample::select(vec![0.0, 1.0, 5.0]), steps, proptest::option::of(any::<u8>())).prop_map(
        |(ram, disk, limit, body, image)| {
            (json!({"ram_limit": ram * GB / 2, "disk_limit": disk * GB / 10, "time_limit": limit, "body": body}), image)
        },
    )
}

/// Runs a scenario, looking at the service after every half second; `None` if no node could run a function.
fn run(scenario: &Value) -> Option<Result<Results, TestCaseError>> {
    run_with(scenario, hearth_plugins::BUILT_IN, check_conservation)
}

/// The same with these policies, and another look.
fn run_with(
    scenario: &Value,
    policies: &[PolicyDescriptor],
    check: impl Fn(&Service) -> Result<(), TestCaseError>,
) -> Option<Result<Results, TestCaseError>> {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
    let mut experiment = Experiment::prepare(&scenario, &Catalog::new(policies)).ok()?;
    Some(
        experiment
            .run_watched(SimTime::from_secs_f64(200.0), 0.5, check)
            .and_then(|()| experiment.run().map_err(|error| TestCaseError::fail(error.to_string()))),
    )
}

fn check_conservation(service: &Service) -> Result<(), TestCaseError> {
    let mut running = 0;
    for (position, node) in service.cluster().nodes().named() {
        prop_assert!(node.running <= node.cores, "{} of {} cores run", node.running, node.cores);
        running += u64::from(node.running);
        let held =
            node.containers.iter().map(|(_, container)| service.registry().functions()[container.function].footprint());
        let (ram, disk) = held.fold((0, 0), |(ram, disk), footprint| (ram + footprint.ram, disk + footprint.disk));
        for (what, storage, held) in [("RAM", &node.ram, ram), ("disk", &node.disk, disk)] {
            prop_assert!(storage.free() <= storage.capacity());
            prop_assert_eq!(
                storage.capacity() - storage.free(),
                held + storage.image_bytes(),
                "{} of {:?}",
                what,
                position
            );
        }
        let idle = node.containers.iter().filter(|(_, container)| container.idle.is_some()).count();
        let is_up = service.cluster().up().contains(position);
        prop_assert!(is_up || node.containers.is_empty() && node.running == 0, "something is on a node that is down");
        let starting = service.prewarming_on(position);
        prop_assert_eq!(
            node.containers.len() - idle - starting,
            node.running as usize,
            "busy containers and invocations"
        );
        let mut view = NodeView::default();
        node.show_use(is_up, &mut view);
        node.show_storage(&mut view);
        prop_assert_eq!(*service.cluster().node_view(position), view, "the view of {:?} is out of date", position);
    }
    let free: u64 =
        service.cluster().nodes().names().map(|node| u64::from(service.cluster().node_view(node).free_cores)).sum();
    prop_assert_eq!(free, service.cluster().free_cores());
    let promised: u64 = service.cluster().nodes().iter().map(|node| u64::from(node.promised.cores)).sum();
    prop_assert_eq!(promised, service.cluster().promised_cores(service.attempts().counts().running));
    prop_assert_eq!(running, service.attempts().counts().running);
    check_stages(service)
}

/// What is counted of attempts is what their stages say, and what they hold of nodes is what the nodes have given.
fn check_stages(service: &Service) -> Result<(), TestCaseError> {
    let mut counted = vec![Counts::default(); service.registry().functions().len()];
    let (mut cores, mut promised) = (0, 0);
    for (_, attempt) in service.attempts().iter() {
        let of_function = &mut counted[attempt.record.function.number() as usize];
        match attempt.stage() {
            stage if stage.waits() => of_function.waiting += 1,
            Stage::Held(_) => of_function.running += 1,
            _ => {}
        }
        cores += u64::from(attempt.occupied().is_some());
        promised += u64::from(matches!(attempt.stage(), Stage::Bound { .. }));
        prop_assert!(!matches!(attempt.stage(), Stage::Submitted), "{:?} between events", attempt);
        // Its node has failed after it had ended, and the head has not read that it had.
        let is_unheard = attempt.record.finished_at.is_some();
        prop_assert!(!matches!(attempt.stage(), Stage::Ended) || is_unheard, "{:?} between events", attempt);
    }
    for (function, counts) in service.registry().functions().names().zip(&counted) {
        prop_assert_eq!(*counts, service.attempts().counts_of(function));
    }
    let all = service.attempts().counts();
    prop_assert_eq!(counted.iter().map(|counts| counts.waiting).sum::<u64>(), all.waiting);
    prop_assert_eq!(counted.iter().map(|counts| counts.running).sum::<u64>(), all.running);
    prop_assert_eq!((cores, promised), (all.running, service.cluster().promised_cores(all.running)));
    Ok(())
}

fn check_dates(scenario: &Value, results: &Results) -> Result<(), TestCaseError> {
    let invocations = scenario["workload"]["invocations"].as_array().unwrap();
    prop_assert_eq!(results.records.len(), invocations.len());
    let mut by_number: Vec<&InvocationRecord> = results.records.iter().collect();
    by_number.sort_by_key(|record| record.invocation);
    for (number, record) in by_number.iter().enumerate() {
        prop_assert_eq!(record.invocation, number as u64, "an invocation has one record");
        if scenario["policies"]["node_allocation"]["use"] == "workload-balancing"
            && record.outcome == Outcome::Unfinished
        {
            // It evicts nothing, so it may wait for ever for RAM that an unused image holds.
            continue;
        }
        prop_assert!(record.outcome != Outcome::Unfinished, "nothing stays behind: {:?}", record);
        let dates =
            [record.requested_at, record.submitted_at, record.dispatched_at, record.started_at, record.finished_at];
        let known: Vec<SimTime> = dates.into_iter().flatten().collect();
        prop_assert!(known.is_sorted(), "{record:?}");
        prop_assert!(record.finished_at.is_some(), "{:?}", record);
        match record.outcome {
            Outcome::Completed | Outcome::Failed | Outcome::TimedOut => prop_assert_eq!(known.len(), 5, "{:?}", record),
            Outcome::Lost => prop_assert!(scenario["faults"].is_object(), "{:?}", record),
            Outcome::Rejected | Outcome::Unfinished => prop_assert_eq!(known.len(), 3, "{:?}", record),
        }
        for predecessor in invocations[number]["after"].as_array().into_iter().flatten() {
            let ended = by_number[predecessor.as_u64().unwrap() as usize].finished_at;
            prop_assert!((record.requested_at.unwrap() - ended.unwrap()).as_secs_f64() >= 0.5);
        }
    }
    prop_assert_eq!(results.metrics.invocations(), invocations.len() as u64);
    Ok(())
}

/// When a host is down by what is scripted; a fault that slows it is none.
fn outages<'a>(scenario: &'a Value, host: &'a str) -> impl Iterator<Item = (SimTime, SimTime)> + 'a {
    let of_host = move |fault: &&Value| {
        let named =
            fault["host"].as_str().is_some_and(|name| name == host || name == "node-*" && host.starts_with("node-"));
        named && fault["slow"].is_null()
    };
    let scripted = scenario["faults"]["scripted"].as_array().into_iter().flatten().filter(of_host);
    scripted.map(|fault| {
        let at = fault["at"].as_f64().unwrap();
        (SimTime::from_secs_f64(at), SimTime::from_secs_f64(at + fault["for"].as_f64().unwrap()))
    })
}

/// A head that is down submits and places nobody, and nobody is on a node that is down.
fn check_outages(scenario: &Value, results: &Results) -> Result<(), TestCaseError> {
    for record in &results.records {
        for (from, to) in outages(scenario, "head") {
            for date in [record.submitted_at, record.dispatched_at].into_iter().flatten() {
                prop_assert!(date <= from || date >= to, "down from {} to {}: {:?}", from, to, record);
            }
        }
        let (Some(node), Some(dispatched), Some(finished)) = (record.node, record.dispatched_at, record.finished_at)
        else {
            continue;
        };
        for (from, to) in outages(scenario, &results.about.nodes[node as usize]) {
            prop_assert!(finished <= from || dispatched >= to, "down from {} to {}: {:?}", from, to, record);
        }
    }
    Ok(())
}

/// So many random scenarios, or as many as `scripts/laws` asks for.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("HEARTH_LAW_CASES").ok().and_then(|number| number.parse().ok());
    ProptestConfig::with_cases(asked.unwrap_or(usual))
}

/// Outages of everything, all of which end; crashes, and retries.
fn faults() -> impl Strategy<Value = (Value, Value)> {
    let hosts = prop::sample::select(vec!["node-0", "node-*", "head", "user"]);
    let links = prop::sample::select(vec!["wan", "lan"]);
    let times = || (0..400_u32, 1..120_u32);
    let scripted = prop_oneof![
        4 => (times(), hosts, any::<bool>(), prop::option::of(Just(3.5))).prop_map(|((at, length), host, lost, slow)| {
            let content = if lost { "lost" } else { "kept" };
            json!({"at": f64::from(at) / 4.0, "for": f64::from(length) / 4.0, "host": host, "disk_content": content, "slow": slow})
        }),
        2 => (times(), links, prop::option::of(Just(0.1))).prop_map(|((at, length), link, part)| {
            json!({"at": f64::from(at) / 4.0, "for": f64::from(length) / 4.0, "link": link, "bandwidth": part})
        }),
        1 => times().prop_map(|(at, _)| json!({"at": f64::from(at) / 4.0, "disk": "node-*"})),
    ];
    let drawn = json!({"hosts": "node-*", "time_between_failures": {"exponential": {"mean": 60}},
                       "time_to_repair": {"exponential": {"mean": 4}}});
    let crashes = prop::sample::select(vec![(0.0, 0.0), (0.2, 0.0), (0.0, 0.05)]);
    let queue = prop::sample::select(vec!["kept", "lost"]);
    let retry = (1..4_u32, prop::sample::select(vec![json!({"constant": 0}), json!({"exponential": {"initial": 1}})]));
    let scripted = proptest::collection::vec(scripted, 0..6);
    let hedge = prop::option::of(prop::sample::select(vec![0, 1, 5]));
    let replicate = prop::option::of(1..4_u32);
    (scripted, prop::option::of(Just(drawn)), crashes, queue, prop::option::of(retry), hedge, replicate).prop_map(
        |(scripted, drawn, (per_invocation, per_second), queue, retry, hedge, replicate)| {
            let faults = json!({
                "scripted": scripted, "drawn": drawn.into_iter().collect::<Vec<_>>(), "head_queue": queue,
                "containers": {"crash_per_invocation": per_invocation, "crash_per_second": per_second},
            });
            let retry = retry.map(|(max_attempts, backoff)| {
                json!({"max_attempts": max_attempts, "backoff": backoff, "jitter": 0.5, "on": ["lost", "failed", "timed_out"]})
            });
            let replicate = replicate.map(|copies| json!({"copies": copies}));
            (faults, json!({"retry": retry, "hedge": hedge.map(|after| json!({"after": after})), "replicate": replicate}))
        },
    )
}

/// The bytes of the summary, but for the time on the clock of the wall, and of the tables.
fn files_of(results: &Results) -> [String; 4] {
    let table = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        write(&mut bytes);
        String::from_utf8(bytes).unwrap()
    };
    [
        serde_json::to_string(&Summary::new(results)).unwrap(),
        table(&|file| write_invocations(results, file).unwrap()),
        table(&|file| write_functions(results, file).unwrap()),
        table(&|file| write_distributions(results, file).unwrap()),
    ]
}

/// Prices of odd numbers, and watts that make joules of core-seconds.
fn with_costs(mut scenario: Value) -> Value {
    let cores = scenario["platform"]["hosts"][2]["cores"].clone();
    scenario["platform"]["hosts"][2]["power"] = json!({"idle": 0, "busy": cores});
    scenario["prices"] = json!({"billing_granularity": "7ms", "minimum": "300ms"});
    scenario
}

/// Without further attempts, the bill and the time that cores are held follow from the records.
fn check_costs(scenario: &Value, results: &Results) -> Result<(), TestCaseError> {
    let (mut requests, mut byte_nanos, mut held) = (0, 0_u128, 0.0);
    for record in &results.records {
        let (Some(dispatched), Some(finished)) = (record.dispatched_at, record.finished_at) else { continue };
        held += (finished - dispatched).as_secs_f64();
        if let (Some(started), true) = (record.started_at, record.outcome != Outcome::Lost) {
            let begin = if record.start == Some(Start::Cold) { dispatched } else { started };
            let ram = scenario["functions"][record.function.number() as usize]["ram_limit"].as_u64().unwrap();
            let nanos = (finished - begin).as_nanos().max(300_000_000).div_ceil(7_000_000) * 7_000_000;
            (requests, byte_nanos) = (requests + 1, byte_nanos + u128::from(nanos) * u128::from(ram));
        }
    }
    let (cost, energy) = (results.metrics.cost.as_deref().unwrap(), results.metrics.energy.unwrap());
    prop_assert_eq!(cost.billed_requests(), requests);
    prop_assert!((cost.billed_gib_seconds() - byte_nanos as f64 / 1e9 / f64::from(1 << 30)).abs() < 1e-9);
    prop_assert_eq!(energy.idle_joules, 0.0);
    // A core is held until the head hears of the end.
    let at_once = scenario["service"]["invocation_processing_overhead"] == 0.0 && scenario["faults"].is_null();
    prop_assert!(energy.busy_joules > held - 1e-6, "{} J of {held} s", energy.busy_joules);
    prop_assert!(!at_once || energy.busy_joules < held + 1e-6, "{} J of {held} s", energy.busy_joules);
    Ok(())
}

/// What is measured follows from the records: from the first request to the last end, or to the end of all if one has none.
fn check_window(results: &Results) -> Result<(), TestCaseError> {
    let (records, window) = (&results.records, results.metrics.window());
    let Some(first) = records.iter().filter_map(|record| record.requested_at).min() else { return Ok(()) };
    prop_assert_eq!(window.from(), first);
    let is_cut = records.iter().any(|record| record.outcome == Outcome::Unfinished);
    let last = records.iter().filter_map(|record| record.finished_at).max().unwrap_or_default();
    prop_assert_eq!(window.to(), if is_cut { results.ended_at } else { last });
    Ok(())
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn what_is_billed_follows_from_what_was_recorded(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = with_costs(scenario);
        if let Some((faults, _)) = faults {
            scenario["faults"] = faults;
        }
        let Some(results) = run(&scenario) else { return Ok(()) };
        let results = results?;
        check_window(&results)?;
        check_costs(&scenario, &results)?;
    }

    #[test]
    fn a_request_is_billed_once_however_often_it_is_tried(scenario in scenario(), (faults, recovery) in faults()) {
        let mut scenario = with_costs(scenario);
        (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        let Some(results) = run(&scenario) else { return Ok(()) };
        let metrics = results?.metrics;
        let billed = metrics.cost.as_deref().unwrap().billed_requests();
        prop_assert!(billed >= metrics.outcome(Outcome::Completed));
        prop_assert!(billed <= metrics.invocations());
    }

    #[test]
    fn faults_lose_nobody_uncounted_and_nothing_that_is_held(scenario in scenario(), (faults, recovery) in faults()) {
        let mut scenario = scenario;
        (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        let Some(results) = run(&scenario) else { return Ok(()) };
        let results = results?;
        check_window(&results)?;
        check_dates(&scenario, &results)?;
        check_outages(&scenario, &results)?;
    }

    #[test]
    fn whoever_never_ends_is_named_with_what_it_waits_for(
        scenario in scenario(),
        faults in proptest::collection::vec((0..200_u32, prop::sample::select(vec!["node-0", "node-*", "head", "user", "wan", "lan"])), 1..4),
    ) {
        let mut scenario = scenario;
        let for_ever = |(at, what): (u32, &str)| {
            let kind = if what.ends_with("an") { "link" } else { "host" };
            json!({"at": f64::from(at) / 4.0, kind: what})
        };
        scenario["faults"] = json!({"scripted": faults.into_iter().map(for_ever).collect::<Vec<_>>()});
        let Some(results) = run(&scenario) else { return Ok(()) };
        let results = results?;
        let unfinished = || results.records.iter().filter(|record| record.outcome == Outcome::Unfinished);
        prop_assert!(unfinished().all(|record| record.failure.is_some()));
        let first = unfinished().min_by_key(|record| (record.requested_at.is_none(), record.invocation));
        let first = first.map(|record| record.invocation);
        prop_assert_eq!(results.stall.as_ref().map(|stall| stall.first), first);
        prop_assert_eq!(results.stall.map_or(0, |stall| stall.invocations), unfinished().count() as u64);
    }

    #[test]
    fn who_is_placed_at_once_is_placed_as_in_a_round(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        // Functions with images are never placed at once.
        scenario["functions"].as_array_mut().unwrap().iter_mut().for_each(|function| function["image"] = Value::Null);
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        let read = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let prepare = || Experiment::prepare(&read, &Catalog::new(hearth_plugins::BUILT_IN));
        let (Ok(at_once), Ok(in_rounds)) = (prepare(), prepare()) else { return Ok(()) };
        let results = [at_once.run(), in_rounds.never_placing_at_once().run()].map(|run| files_of(&run.unwrap()));
        prop_assert_eq!(&results[0], &results[1]);
    }

    #[test]
    fn faults_that_never_happen_change_nothing(scenario in scenario()) {
        let mut scenario = scenario;
        let Some(without) = run(&scenario) else { return Ok(()) };
        scenario["faults"] = json!({
            "drawn": [{"hosts": "node-*", "time_between_failures": {"constant": 1e9}, "time_to_repair": {"constant": 1}}],
            "containers": {"crash_per_invocation": 0, "crash_per_second": 0}});
        scenario["recovery"] = json!({"retry": {"max_attempts": 3}});
        let Some(with) = run(&scenario) else { return Ok(()) };
        let (without, with) = (without?, with?);
        prop_assert_eq!(files_of(&without), files_of(&with));
        prop_assert_eq!(without.ended_at, with.ended_at);
    }
}

/// Whom a task follows, its instances, its chance and choice, its body, and the bytes that it hands on.
type DrawnTask = (Vec<u8>, u32, (Option<f64>, Option<&'static str>), Option<Value>, u64);

/// A workflow of `f0`: a task follows some of those before it.
fn workflow() -> impl Strategy<Value = Value> {
    let condition = prop::sample::select(vec![(None, None), (Some(0.5), None), (Some(0.4), Some("one"))]);
    let own = prop::option::of(prop::sample::select(vec![
        json!([{"sleep": 0.5}]),
        json!([{"sleep": 1}, {"read_remote": {"file": "in"}}]),
    ]));
    let data = prop::sample::select(vec![0, 0, 5_000_000, 300_000_000]);
    let task = (proptest::collection::vec(any::<u8>(), 0..3), 1..4_u32, condition, own, data);
    proptest::collection::vec(task, 1..6).prop_map(|tasks| {
        let name = |number: usize| format!("t{number}");
        let task = |(number, drawn): (usize, &DrawnTask)| {
            let (after, map, (probability, choice), body, data) = drawn;
            // Of five tasks two can be of one choice, with this chance.
            let choice = choice.filter(|_| number < 2);
            let mut before: Vec<usize> = after.iter().filter(|_| number > 0).map(|it| *it as usize % number.max(1)).collect();
            before.sort_unstable();
            before.dedup();
            let run_time = body.is_none().then(|| json!({"exponential": {"mean": 1}}));
            json!({"name": name(number), "function": "f0", "after": before.into_iter().map(name).collect::<Vec<_>>(), "map": map,
                   "probability": probability, "choice": choice, "body": body, "run_time": run_time, "output": data, "input": data / 5})
        };
        json!({"name": "w", "deadline": 5, "tasks": tasks.iter().enumerate().map(task).collect::<Vec<_>>()})
    })
}

/// What can be said of all runs of a scenario whose workload is the workflow at dates and nothing else.
fn check_runs(scenario: &Value, results: &Results) -> Result<(), TestCaseError> {
    let tasks = scenario["workflows"][0]["tasks"].as_array().unwrap();
    let instances: u64 = tasks.iter().map(|task| task["map"].as_u64().unwrap()).sum();
    prop_assert_eq!(results.workflows.len(), scenario["workload"]["invocations"].as_array().unwrap().len());
    let requested: u64 = results.workflows.iter().map(|run| run.tasks).sum();
    prop_assert_eq!(results.records.len() as u64, requested, "an invocation for each task that was requested");
    let may_wait_for_ever = scenario["policies"]["node_allocation"]["use"] == "workload-balancing";
    for run in &results.workflows {
        prop_assert_eq!(run.tasks + run.not_run, instances);
        prop_assert!(may_wait_for_ever || run.outcome != WorkflowOutcome::Unfinished, "{:?}", run);
        let own = run.first_invocation..run.first_invocation + instances;
        let records: Vec<_> = results.records.iter().filter(|record| own.contains(&record.invocation)).collect();
        prop_assert_eq!(records.len() as u64, run.tasks);
        let ended = records.iter().filter_map(|record| record.finished_at).max();
        let Some(makespan) = run.makespan() else { continue };
        let times = run.times;
        prop_assert_eq!(times.waiting + times.starting + times.transfer + times.running, makespan, "{:?}", run);
        prop_assert_eq!(run.finished_at, ended.or(run.requested_at));
        prop_assert!(records.iter().all(|record| record.outcome == Outcome::Completed));
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn workflows_end_once_and_their_times_add_up(
        scenario in scenario(), workflow in workflow(), (faults, recovery) in faults(), fails in any::<bool>(),
    ) {
        let mut scenario = scenario;
        for invocation in scenario["workload"]["invocations"].as_array_mut().unwrap() {
            *invocation = json!({"at": invocation["at"].as_f64().unwrap_or(1.0), "workflow": "w"});
        }
        scenario["workflows"] = json!([workflow]);
        if fails {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        let Some(results) = run(&scenario) else { return Ok(()) };
        check_runs(&scenario, &results?)?;
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn cores_ram_and_disk_are_conserved_and_everybody_ends_once_and_in_order(scenario in scenario()) {
        let Some(results) = run(&scenario) else { return Ok(()) };
        check_dates(&scenario, &results?)?;
    }

    #[test]
    fn the_policy_does_not_move_arrivals(scenario in scenario(), other in prop::sample::select(vec!["fcfs", "random", "least-loaded"])) {
        let mut scenario = scenario;
        // Chained invocations follow the ends of others, which policies do move.
        for invocation in scenario["workload"]["invocations"].as_array_mut().unwrap() {
            *invocation = json!({"at": invocation["at"].as_f64().unwrap_or(1.0), "function": invocation["function"]});
        }
        let arrivals = |results: Results| -> Vec<_> {
            results.records.iter().map(|record| (record.invocation, record.requested_at)).collect()
        };
        let Some(first) = run(&scenario) else { return Ok(()) };
        scenario["policies"]["node_allocation"] = json!({"use": other});
        let Some(second) = run(&scenario) else { return Ok(()) };
        prop_assert_eq!(arrivals(first?), arrivals(second?));
    }

    #[test]
    fn another_node_on_an_idle_platform_never_delays_the_first_start(scenario in scenario()) {
        let mut scenario = scenario;
        // A policy that draws another node in every round sends the image to one after the other.
        if scenario["policies"]["node_allocation"]["use"] == "random" {
            scenario["policies"]["node_allocation"] = json!({"use": "fcfs"});
        }
        let function = scenario["workload"]["invocations"][0]["function"].clone();
        scenario["workload"]["invocations"] = json!([{"at": 0, "function": function}]);
        let started = |results: Results| results.records[0].started_at;
        let Some(fewer) = run(&scenario) else { return Ok(()) };
        let count = scenario["platform"]["hosts"][2]["count"].as_u64().unwrap();
        scenario["platform"]["hosts"][2]["count"] = json!(count + 1);
        let more = run(&scenario).unwrap();
        if let (Some(fewer), Some(more)) = (started(fewer?), started(more?)) {
            prop_assert!(more <= fewer, "{more} after {fewer}");
        }
    }
}
