//! Run times of traces and generators that are work of processors: dates worked out by hand, and what queueing theory says.

use std::fs;

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};
use tempfile::TempPath;

fn run(scenario: &Value) -> Results {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap()
}

/// How long each ran, in nanoseconds, in the order of coming.
fn run_times(results: &Results) -> Vec<u64> {
    let run_time = |record: &hearth_serverless::invocation::InvocationRecord| {
        (record.finished_at.unwrap() - record.started_at.unwrap()).as_nanos()
    };
    results.records.iter().map(run_time).collect()
}

/// Nodes with so many cores of such speeds that are shared, and functions f and g, whose requests are the rows of a trace.
fn scenario(nodes: &[(u32, &str)], rows: &[(&str, &str, &str)]) -> (Value, TempPath) {
    let path = tempfile::Builder::new().suffix(".csv").tempfile().unwrap().into_temp_path();
    let row = |(at, function, length): &(&str, &str, &str)| format!("{at},{function},{length}\n");
    let rows: String = rows.iter().map(row).collect();
    fs::write(&path, format!("arrival_s,function,duration_s\n{rows}")).unwrap();
    let host = |(number, (cores, speed)): (usize, &(u32, &str))| json!({"name": format!("n{number}"), "cores": cores, "speed": speed, "ram": "8GB"});
    let mut hosts: Vec<Value> = nodes.iter().enumerate().map(host).collect();
    let names: Vec<Value> = hosts.iter().map(|host| host["name"].clone()).collect();
    hosts.push(json!({"name": "head", "cores": 1, "speed": "1Gf"}));
    let scenario = json!({
        "format": "hearth-scenario/1", "platform": {"hosts": hosts},
        "service": {"head": "head", "registry": "head", "nodes": names, "processors": "shared"},
        "functions": [
            {"name": "f", "ram_limit": "1GB", "processors": {"limit": 0.3}},
            {"name": "g", "ram_limit": "1GB", "processors": {"limit": 2.5, "threads": 3}},
        ],
        "workload": {"trace": {"format": "csv", "path": path.to_path_buf()}},
        "policies": {"node_allocation": {"use": "round-robin"}},
    });
    (scenario, path)
}

#[test]
fn a_run_that_is_alone_takes_what_the_trace_says() {
    let rows = [
        ("0", "f", "0.123456789"),
        ("10", "g", "3.000000001"),
        ("20", "f", "86.4"),
        ("200", "g", "0.000000001"),
        ("300", "f", "0"),
        ("400", "g", "12345.678912345"),
    ];
    let (mut scenario, _trace) = scenario(&[(4, "2.7Gf"), (4, "2.7Gf")], &rows);
    let told = [123_456_789, 3_000_000_001, 86_400_000_000, 1, 0, 12_345_678_912_345];
    assert_eq!(run_times(&run(&scenario)), told, "time that passes");
    for share in [0.0, 0.6, 1.0] {
        scenario["workload"]["compute"] = json!({"share": share});
        let results = run(&scenario);
        assert_eq!(run_times(&results), told, "{share} of it computes");
        // f has 0.3 cores, g 2.5 of the 3 that it could use.
        let f = 0.3 * (0.123_456_789 + 86.4);
        let g = 2.5 * (3.0 + 12_345.678_912_345);
        let used = hearth_serverless::results::Summary::new(&results).processors.unwrap().core_seconds;
        assert!((used - share * (f + g)).abs() < 1e-6, "{used} core seconds at {share}");
    }
}

#[test]
fn runs_at_once_share_what_they_compute_and_not_what_they_sleep() {
    let rows = [("0", "f", "10"), ("0", "f", "10")];
    let (mut scenario, _trace) = scenario(&[(1, "1Gf")], &rows);
    scenario["functions"][0]["processors"] = Value::Null;
    assert_eq!(run_times(&run(&scenario)), [10_000_000_000; 2]);
    // Six seconds of work each on one core take twelve; four pass.
    scenario["workload"]["compute"] = json!({"share": 0.6});
    assert_eq!(run_times(&run(&scenario)), [16_000_000_000; 2]);
    scenario["workload"]["compute"] = json!({});
    assert_eq!(run_times(&run(&scenario)), [20_000_000_000; 2]);
}

#[test]
fn what_a_run_takes_is_told_of_the_slowest_node_or_of_a_given_speed() {
    // One on each node in turn, alone: 2 cores of 1 Gf/s, 1 core of 1.5 Gf/s, 4 cores of 4 Gf/s.
    let nodes = [(2, "1Gf"), (1, "1.5Gf"), (4, "4Gf")];
    let ends = |function: &str, compute: Value, sharing: &str| {
        let rows = [("0", function, "6"), ("100", function, "6"), ("200", function, "6")];
        let (mut scenario, _trace) = scenario(&nodes, &rows);
        if sharing == "dedicated" {
            scenario["functions"]
                .as_array_mut()
                .unwrap()
                .iter_mut()
                .for_each(|function| function["processors"] = Value::Null);
        }
        scenario["service"]["processors"] = json!(sharing);
        scenario["policies"]["keep_alive"] = json!({"use": "no-keep-alive"});
        scenario["workload"]["compute"] = compute;
        run_times(&run(&scenario)).into_iter().map(|nanos| nanos as f64 / 1e9).collect::<Vec<f64>>()
    };
    // f: 0.3 cores everywhere, slowest on the first.
    assert_eq!(ends("f", json!({}), "shared"), [6.0, 4.0, 1.5]);
    assert_eq!(ends("f", json!({"speed": "2Gf"}), "shared"), [12.0, 8.0, 3.0]);
    // g: 2 cores of the first (2 Gf/s), 1 of the second (1.5), 2.5 of the third (10): slowest on the second.
    assert_eq!(ends("g", json!({}), "shared"), [4.5, 6.0, 0.9]);
    // A machine with cores enough: 2.5 of 1 Gf/s.
    assert_eq!(ends("g", json!({"speed": "1Gf"}), "shared"), [7.5, 10.0, 1.5]);
    // A core each.
    assert_eq!(ends("g", json!({}), "dedicated"), [6.0, 4.0, 1.5]);
}

/// A mean and its standard error, of thirty batches in the order of coming; the first tenth does not count.
fn of_batches(values: &[f64]) -> (f64, f64) {
    const BATCHES: usize = 30;
    let values = &values[values.len() / 10..];
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let means: Vec<f64> = values.chunks_exact(values.len() / BATCHES).take(BATCHES).map(mean).collect();
    let all = mean(&means);
    let variance = means.iter().map(|mean| (mean - all).powi(2)).sum::<f64>() / (BATCHES - 1) as f64;
    (all, (variance / BATCHES as f64).sqrt())
}

/// A generated M/G/1 queue whose server is shared, and behind it, for what sleeps, as many servers as there are requests: the mean time
/// there is c E\[S\] / (1 - c load) + (1 - c) E\[S\] if the share c of each run time computes, whatever the distribution.
#[test]
fn overload_slows_generated_requests_as_queueing_theory_says() {
    let time = |compute: Value| {
        let results = run(&json!({
            "format": "hearth-scenario/1", "seed": 5,
            "platform": {"hosts": [{"name": "node", "cores": 1, "speed": "3Gf", "ram": "1GB"}]},
            "service": {"head": "node", "registry": "node", "nodes": ["node"], "processors": "shared"},
            "workload": {
                "generate": {"arrivals": {"poisson": {"rate": 0.7}}, "requests": 30_000, "functions": {"count": 1},
                             "run_time": {"choice": [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 5.5]}},
                "compute": compute,
            },
        }));
        let seconds: Vec<f64> = results
            .records
            .iter()
            .map(|record| (record.finished_at.unwrap() - record.requested_at.unwrap()).as_nanos() as f64 / 1e9)
            .collect();
        of_batches(&seconds)
    };
    for share in [1.0, 0.6, 0.0] {
        let (mean, error) = time(json!({"share": share}));
        let theory = share / (1.0 - 0.7 * share) + (1.0 - share);
        assert!(error < 0.07 * theory, "{mean} ± {error} says nothing about {theory}");
        assert!((mean - theory).abs() < 3.0 * error, "{share}: {mean} ± {error}, theory {theory}");
    }
}
