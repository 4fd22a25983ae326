//! Random scenarios, for laws that hold in all of them.

use hearth_policy_api::{PolicyDescriptor, PolicyKind};
use proptest::prelude::*;
use serde_json::{Value, json};

const GB: u64 = 1_000_000_000;

/// A small cluster under pressure: little RAM and disk, a head that must evict, bodies with input and output.
pub(super) fn scenario() -> impl Strategy<Value = Value> {
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

/// All built-in policies of a kind, but for controllers, which are made for several; one that cannot be made without parameters; and
/// one that makes other attempts, where laws say that there is one.
fn names(kind: PolicyKind) -> Vec<&'static str> {
    let is_of_kind = |policy: &&PolicyDescriptor| {
        policy.kinds().eq([kind]) && !["belady", "hedged-requests", "learned"].contains(&policy.name())
    };
    let of_kind = hearth_plugins::BUILT_IN.iter().filter(is_of_kind);
    of_kind.map(|policy| policy.name()).collect()
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

/// Outages of everything, all of which end; crashes, and retries.
pub(super) fn faults() -> impl Strategy<Value = (Value, Value)> {
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

/// Prices of odd numbers, and watts that make joules of core-seconds.
pub(super) fn with_costs(mut scenario: Value) -> Value {
    let cores = scenario["platform"]["hosts"][2]["cores"].clone();
    scenario["platform"]["hosts"][2]["power"] = json!({"idle": 0, "busy": cores});
    scenario["prices"] = json!({"billing_granularity": "7ms", "minimum": "300ms"});
    scenario
}

/// Whom a task follows, its instances, its chance and choice, its body, and the bytes that it hands on.
type DrawnTask = (Vec<u8>, u32, (Option<f64>, Option<&'static str>), Option<Value>, u64);

/// A workflow of `f0`: a task follows some of those before it.
pub(super) fn workflow() -> impl Strategy<Value = Value> {
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
