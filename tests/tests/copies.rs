//! Where images come from, with dates worked out by hand.

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};

/// Nodes of one core; an image of 100 MB, and disks that read and write 100 MB in a second. The network takes no time.
fn scenario(copies: &str, dates: &[f64]) -> Value {
    let disk = json!({"capacity": "10GB", "read_bandwidth": "100MBps", "write_bandwidth": "100MBps"});
    let requests: Vec<Value> = dates.iter().map(|date| json!({"at": date, "function": "f"})).collect();
    json!({
        "format": "hearth-scenario/1", "network_model": "fluid",
        "platform": {
            "hosts": [{"name": "head", "cores": 1, "speed": "1Gf", "disk": disk},
                      {"name": "node", "count": 4, "cores": 1, "speed": "1Gf", "ram": "8GB", "disk": disk}],
            "links": [{"name": "lan", "bandwidth": "100GBps", "latency": 0}],
            "routes": [{"from": "head", "to": "node-*", "links": ["lan"]},
                       {"from": "node-*", "to": "node-*", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "container_startup_overhead": 0,
                    "simulate_image_downloads": false},
        "images": [{"name": "i", "size": "100MB", "ram_footprint": "100MB"}],
        "functions": [{"name": "f", "image": "i", "ram_limit": "1GB", "body": [{"sleep": "1000s"}]}],
        "workload": {"invocations": requests},
        "policies": {"node_allocation": {"use": "image-locality", "parameters": {"copies": copies}}},
    })
}

fn started(scenario: &Value) -> Vec<f64> {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    let results: Results =
        Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap();
    let tenths = |nanos: u64| (nanos as f64 / 1e8).round() / 10.0;
    results.records.iter().map(|record| tenths(record.started_at.unwrap().as_nanos())).collect()
}

/// The first copy takes a second, and to load it another one. Two copies at once share the disk that they are read from, or have
/// one each.
#[test]
fn copies_from_one_disk_share_it_and_from_several_do_not() {
    assert_eq!(started(&scenario("head", &[0.0, 10.0, 10.0])), [2.0, 13.0, 13.0]);
    assert_eq!(started(&scenario("peers", &[0.0, 10.0, 10.0])), [2.0, 12.0, 12.0]);
    // Of three the first two come from the node and the head, and the third from the node as well: two share its disk.
    assert_eq!(started(&scenario("head", &[0.0, 10.0, 10.0, 10.0])), [2.0, 14.0, 14.0, 14.0]);
    assert_eq!(started(&scenario("peers", &[0.0, 10.0, 10.0, 10.0])), [2.0, 13.0, 12.0, 13.0]);
}
