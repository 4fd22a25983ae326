//! Whole scenarios: the ones on which WRENCH's speed was measured, and how the cost of a request grows with the number of
//! nodes and with the length of the queue.

use hearth_bench::measure;
use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};

/// WRENCH's scenario: nodes of 16 cores with a link each, a hundred functions with an image of 100 MB each.
fn scenario(nodes: u32, invocations: Vec<Value>) -> Scenario {
    let disk = json!({"capacity": "2000GB", "read_bandwidth": "1000MBps", "write_bandwidth": "1000MBps"});
    let touch = json!({"use": "lru", "parameters": {"touch": "load"}});
    let text = json!({
        "format": "hearth-scenario/1",
        "platform": {
            "hosts": [
                {"name": "user", "cores": 1, "speed": "10Gf", "disk": disk},
                {"name": "head", "cores": 1, "speed": "10Gf", "disk": disk},
                {"name": "node", "count": nodes, "cores": 16, "speed": "10Gf", "ram": "64GB", "disk": disk, "star": "rack"},
            ],
            "stars": [{"name": "rack", "bandwidth": "1000MBps", "latency": "2us"}],
            "links": [{"name": "wan", "bandwidth": "1000MBps", "latency": "20us"}],
            "routes": [
                {"from": "user", "to": "head", "links": ["wan"]},
                {"from": "head", "to": "rack", "links": []},
                {"from": "user", "to": "rack", "links": ["wan"]},
            ],
        },
        "service": {"head": "head", "registry": "user", "nodes": ["node-*"], "container_startup_overhead": 0.1},
        "images": (0..100).map(|i| json!({"name": format!("img{i}"), "size": "100MB", "ram_footprint": "50MB"})).collect::<Vec<_>>(),
        "functions": (0..100).map(|i| json!({"name": format!("f{i}"), "image": format!("img{i}"), "time_limit": 60,
            "disk_limit": "512MB", "ram_limit": "128MB"})).collect::<Vec<_>>(),
        "workload": {"invocations": invocations},
        "policies": {"eviction": {"images_in_ram": touch, "images_on_disk": touch}},
    });
    Scenario::from_json(&text.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

/// WRENCH's workload, so many times one after the other.
fn wrench_workload(csv: &str, times: u32) -> Vec<Value> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows = reader.deserialize::<(f64, u32, f64)>().map(|row| row.unwrap_or_else(|error| panic!("{error}")));
    let rows: Vec<(f64, u32, f64)> = rows.collect();
    let span = rows.last().map_or(0.0, |(at, ..)| *at);
    let all = (0..times).flat_map(|time| rows.iter().map(move |row| (f64::from(time) * span + row.0, row.1, row.2)));
    all.map(|(at, function, length)| json!({"at": at, "function": format!("f{}", function % 100), "body": [{"sleep": length}]}))
        .collect()
}

/// So many requests at once, for all functions in turn.
fn burst(requests: u32) -> Vec<Value> {
    (0..requests).map(|i| json!({"at": 0, "function": format!("f{}", i % 100), "body": [{"sleep": 0.5}]})).collect()
}

fn run(scenario: &Scenario) -> Results {
    let experiment = Experiment::prepare(scenario, &Catalog::new(hearth_plugins::BUILT_IN));
    let experiment = experiment.unwrap_or_else(|error| panic!("{error}")).without_records();
    experiment.run().unwrap_or_else(|error| panic!("{error}"))
}

fn main() {
    let thousand = wrench_workload(include_str!("workloads/perf_1000.csv"), 1);
    let ten_thousand = wrench_workload(include_str!("workloads/perf_10000.csv"), 1);
    let hundred_thousand = wrench_workload(include_str!("workloads/perf_10000.csv"), 10);
    let mut by_nodes = Vec::new();
    for (nodes, workload) in
        [(4, &thousand), (64, &thousand), (256, &thousand), (4, &ten_thousand), (256, &hundred_thousand)]
    {
        let (scenario, requests) = (scenario(nodes, workload.clone()), workload.len());
        let results = run(&scenario);
        let (cold, mean) = (results.metrics.cold_starts, results.metrics.latency.mean());
        println!("{requests} requests, {nodes} nodes: {cold} cold starts, mean latency {mean:.9} s");
        let name = format!("{requests} requests, {nodes} nodes");
        by_nodes.push(measure(&name, "request", requests as u64, || run(&scenario)));
    }
    println!("256 nodes cost {:.2} times what 64 cost", by_nodes[2] / by_nodes[1]);
    let mut by_queue = Vec::new();
    for requests in [100, 1_000, 10_000] {
        let scenario = scenario(4, burst(requests));
        by_queue.push(measure(
            &format!("{requests} requests at once, 4 nodes"),
            "request",
            u64::from(requests),
            || run(&scenario),
        ));
    }
    println!("10000 waiting at once cost {:.2} times what 100 cost, a request", by_queue[2] / by_queue[0]);
}
