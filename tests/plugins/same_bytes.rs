//! A policy that is built in and the same policy loaded from its library give the same bytes.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{hearth, library, project_path, text};

/// The policies of a scenario, all taken from their libraries.
fn from_libraries(scenario: &Value) -> Value {
    let given = |slot: &str| scenario.pointer(&format!("/policies/{slot}")).cloned().unwrap_or(json!({}));
    let loaded = |slot: &str, kind: &str, default: &str| {
        let mut policy = given(slot);
        let name = policy["use"].as_str().unwrap_or(default).to_owned();
        policy["library"] = json!(library(&format!("hearth-{kind}-{name}")));
        policy["use"] = json!(name);
        policy
    };
    json!({
        "admission": loaded("admission", "admission", "always"),
        "node_allocation": loaded("node_allocation", "node-allocation", "fcfs"),
        "keep_alive": loaded("keep_alive", "keep-alive", "fixed"),
        "eviction": {
            "containers": loaded("eviction/containers", "eviction", "lru"),
            "images_in_ram": loaded("eviction/images_in_ram", "eviction", "lru"),
            "images_on_disk": loaded("eviction/images_on_disk", "eviction", "lru"),
            "images_on_head": loaded("eviction/images_on_head", "eviction", "lru"),
        },
    })
}

/// Runs a scenario and gives its table of invocations, and its summary without what may differ.
pub fn run(scenario: &Value, folder: &Path) -> (String, Value) {
    let (file, target) = (folder.join("scenario.json"), folder.join("results"));
    fs::write(&file, scenario.to_string()).unwrap();
    let output = hearth(&["run", file.to_str().unwrap(), "--overwrite", "--output", target.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let read = |name: &str| fs::read_to_string(target.join(name)).unwrap();
    let mut summary: Value = serde_json::from_str(&read("summary.json")).unwrap();
    for policy in summary["policies"].as_object_mut().unwrap().values_mut() {
        policy["library_sha256"].take();
    }
    (read("invocations.csv"), summary)
}

fn compare(name: &str, scenario: &Value, folder: &Path) {
    let mut loaded = scenario.clone();
    loaded["policies"] = from_libraries(scenario);
    let (built_in, loaded) = (run(scenario, folder), run(&loaded, folder));
    assert!(built_in.0.lines().count() > 1, "{name} has no invocations");
    assert!(built_in == loaded, "{name} differs: {:?} {:?}", built_in.1, loaded.1);
}

#[test]
fn every_reference_case_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut cases: Vec<_> =
        fs::read_dir(project_path("tests/reference")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    assert_eq!(cases.len(), 30);
    for path in cases {
        let scenario = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        compare(&path.display().to_string(), &scenario, folder.path());
    }
}

/// Two thousand invocations of forty functions with images on twenty small nodes, in no particular order.
pub fn large(node_allocation: &str, containers: &str) -> Value {
    let disk =
        |capacity: &str| json!({"capacity": capacity, "read_bandwidth": "500MBps", "write_bandwidth": "300MBps"});
    let numbers = 0..40_u64;
    let image = |i| json!({"name": format!("i{i}"), "size": (50 + 17 * (i % 9)) * 1_000_000, "ram_footprint": "40MB"});
    let function = |i| {
        json!({"name": format!("f{i}"), "image": format!("i{}", i % 25), "ram_limit": (64 << (i % 4)) * 1_000_000,
               "container_startup_overhead": 0.2 * (1 + i % 5) as f64, "body": [{"sleep": 0.5 + (i * 7 % 11) as f64}]})
    };
    let invocation = |i: u64| json!({"at": (i * 7919 % 60_000) as f64 / 100.0, "function": format!("f{}", i * i % 40)});
    json!({
        "format": "hearth-scenario/1", "name": "large", "seed": 9,
        "platform": {
            "hosts": [
                {"name": "user", "cores": 1, "speed": "10Gf", "disk": disk("5TB")},
                {"name": "head", "cores": 1, "speed": "10Gf", "disk": disk("2GB")},
                {"name": "node", "count": 20, "cores": 3, "speed": "10Gf", "ram": "1GB", "disk": disk("1GB")}],
            "links": [{"name": "wan", "bandwidth": "1GBps", "latency": "1ms"}, {"name": "lan", "bandwidth": "10GBps", "latency": "10us"}],
            "routes": [{"from": "user", "to": "head", "links": ["wan"]}, {"from": "head", "to": "node-*", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "user", "nodes": ["node-*"]},
        "images": (0..25_u64).map(image).collect::<Vec<_>>(),
        "functions": numbers.map(function).collect::<Vec<_>>(),
        "workload": {"invocations": (0..2000).map(invocation).collect::<Vec<_>>()},
        "policies": {
            "admission": {"use": "queue-limit", "parameters": {"limit": 300}},
            "node_allocation": {"use": node_allocation},
            "keep_alive": {"use": "fixed", "parameters": {"timeout": "30s"}},
            "eviction": {"containers": {"use": containers}, "images_in_ram": {"use": "fifo"}}},
    })
}

#[test]
fn large_scenarios_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for (node_allocation, containers) in [
        ("first-fit", "lru"),
        ("least-loaded", "ram"),
        ("round-robin", "fifo"),
        ("workload-balancing", "lru"),
        ("random", "ram"),
    ] {
        compare(node_allocation, &large(node_allocation, containers), folder.path());
    }
}
