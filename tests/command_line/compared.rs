//! What `hearth compare` and `hearth sweep` say of runs that cannot be compared by a mean, and of seeds, in every form.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use super::{good_scenario, hearth, project_path};

/// Requests of ten functions to one node with two cores.
fn busy_scenario(folder: &Path) -> String {
    let mut scenario = good_scenario();
    (scenario["functions"], scenario["seed"], scenario["images"]) = (json!([]), json!(5), json!([]));
    scenario["workload"] = json!({"generate": {
        "arrivals": {"poisson": {"rate": 4}}, "duration_s": 100,
        "functions": {"count": 10, "zipf": 1, "ram": {"constant": 256e6}, "cold_start": {"constant": 0.5}},
        "run_time": {"exponential": {"mean": 0.8}},
    }});
    scenario["policies"] = json!({"node_allocation": {"use": "first-fit"}});
    write(folder, &scenario)
}

fn write(folder: &Path, scenario: &Value) -> String {
    let file = folder.join("scenario.json");
    fs::write(&file, scenario.to_string()).unwrap();
    file.display().to_string()
}

fn run(arguments: &[&str]) -> Output {
    let output = hearth().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.deserialize().collect::<Result<_, _>>();
    rows.unwrap()
}

/// The folder of the run of some policy and seed.
fn run_folder(sweep: &Path, policy: &str, seed: u64) -> std::path::PathBuf {
    let is_meant = |folder: &std::path::PathBuf| {
        let record: Value = serde_json::from_slice(&fs::read(folder.join("run.json")).unwrap()).unwrap();
        record["settings"]["policy"] == policy && record["seed"] == seed
    };
    fs::read_dir(sweep.join("runs")).unwrap().map(|entry| entry.unwrap().path()).find(is_meant).unwrap()
}

const REFUSES_ALL: &str = "admission=token-bucket,rate=0.0001,burst=1";
const REFUSES_SOME: &str = "admission=concurrency-limit,total=3";
const OTHERS: [&str; 4] =
    [REFUSES_ALL, REFUSES_SOME, "keep_alive=no-keep-alive", "admission=queue-limit,limit=1000000"];

#[test]
fn differences_are_marked_exactly_where_other_requests_completed() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, sweep) = (busy_scenario(folder.path()), folder.path().join("sweep"));
    let mut arguments = vec!["compare", &scenario, "--policy", "admission=always", "--seeds", "1..2"];
    arguments.extend(OTHERS.iter().flat_map(|policy| ["--policy", policy]));
    arguments.extend(["--invocations", "all", "--output", sweep.to_str().unwrap()]);
    let printed = run(&arguments);
    // Who completed, and who started cold, from the invocations themselves.
    let members = |policy: &str, seed: u64, column: &str, value: &str| -> BTreeSet<String> {
        let rows = rows(&run_folder(&sweep, policy, seed).join("invocations.csv"));
        rows.into_iter().filter(|row| row[column] == value).map(|row| row["invocation"].clone()).collect()
    };
    let is_same = |policy: &str, column: &str, value: &str| {
        [1, 2]
            .iter()
            .all(|seed| members(policy, *seed, column, value) == members("admission=always", *seed, column, value))
    };
    let comparison = rows(&sweep.join("comparison.csv"));
    let mut marked = BTreeSet::new();
    for row in comparison.iter().filter(|row| row["policy"] != "admission=always") {
        let policy = row["policy"].as_str();
        let expected = match row["metric"].as_str() {
            "latency_mean" | "latency_p99" | "slowdown_p50" => is_same(policy, "outcome", "completed"),
            "cold_start_delay_mean" => is_same(policy, "start", "cold"),
            "invocations" | "memory_byte_seconds_idle" => true,
            _ => continue,
        };
        assert_eq!(row["comparable"], expected.to_string(), "{policy} {}", row["metric"]);
        if !expected && row["metric"] == "latency_mean" {
            marked.insert(policy);
        }
    }
    assert_eq!(marked, BTreeSet::from([REFUSES_ALL, REFUSES_SOME]), "both kinds are there");
    let share = |policy: &str| {
        let is_row = |row: &&BTreeMap<String, String>| row["policy"] == policy && row["metric"] == "invocations";
        comparison.iter().find(is_row).unwrap()["completed_share"].parse::<f64>().unwrap()
    };
    assert!(share(REFUSES_ALL) < 0.01 && (0.2..0.99).contains(&share(REFUSES_SOME)));
    assert_eq!(share("admission=always"), 1.0);
    // The same in the text: a mark at the number, and what it stands for.
    let printed = text(&printed.stdout);
    let differences = printed.split("Differences to").nth(1).unwrap();
    let line = |policy: &str| differences.lines().find(|line| line.trim_start().starts_with(policy)).unwrap();
    assert_eq!(line(REFUSES_SOME).matches('*').count(), 4, "all but memory: {printed}");
    assert_eq!(line("keep_alive=no-keep-alive").matches('*').count(), 0, "{printed}");
    let note = format!(
        "* policy={REFUSES_SOME}: latency_mean, latency_p50, latency_p99 of the requests that completed; cold_start_ratio of the starts that there were ("
    );
    assert!(printed.contains(&note) && printed.contains(" % here, 100.00 % in the baseline)"), "{printed}");
    assert!(printed.lines().next().unwrap().contains("completed"), "{printed}");
    // And on the page.
    run(&["report", sweep.to_str().unwrap()]);
    let page = fs::read_to_string(sweep.join("report.html")).unwrap();
    assert!(
        page.contains("99th percentile of latency of the requests that completed") && page.contains(">completed</th>")
    );
}

#[test]
fn where_no_request_completes_there_is_no_latency_and_without_a_start_no_cold_start_ratio() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = write(folder.path(), &good_scenario());
    let compared = |vary: &str, baseline: &str| -> Value {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().to_str().unwrap();
        let arguments = ["sweep", &scenario, "--vary", vary, "--baseline", baseline, "--json", "--output", output];
        serde_json::from_slice::<Value>(&run(&arguments).stdout).unwrap()["rows"][1].clone()
    };
    let row = compared("functions[f].time_limit=10s,1ms", "functions[f].time_limit=10s");
    assert_eq!(
        (&row["completed_share"], &row["metrics"]["latency_mean"]["mean"]),
        (&json!(0.0), &Value::Null),
        "{row}"
    );
    assert_eq!(row["metrics"]["latency_mean"]["comparable"], false);
    assert!(row["metrics"]["cold_start_ratio"]["mean"].is_f64());
    let file = folder.path().join("faults.json");
    fs::write(&file, r#"{"none": {}, "cut": {"scripted": [{"at": 0, "link": "wan"}]}}"#).unwrap();
    let row = compared(&format!("faults=@{}", file.display()), "faults=none");
    assert_eq!(row["metrics"]["cold_start_ratio"], json!({"runs": 0, "difference": null, "comparable": false}));
}

#[test]
fn what_runs_warn_of_is_told_once_for_each_combination_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut scenario = good_scenario();
    // The image cannot come.
    scenario["faults"] = json!({"scripted": [{"at": 0, "link": "wan"}]});
    let (scenario, sweep) = (write(folder.path(), &scenario), folder.path().join("sweep"));
    let arguments = ["compare", &scenario, "--policy", "keep_alive=fixed", "--policy", "keep_alive=no-keep-alive"];
    let output = run(&[&arguments[..], &["--seeds", "1..3", "--json", "--output", sweep.to_str().unwrap()]].concat());
    let errors = text(&output.stderr);
    assert_eq!(errors.lines().filter(|line| line.starts_with("warning: policy=keep_alive=")).count(), 2, "{errors}");
    assert!(errors.contains("stalled in 3 of 3 runs, seed 1: "), "{errors}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let kept: Value = serde_json::from_slice(&fs::read(sweep.join("sweep.json")).unwrap()).unwrap();
    assert_eq!(told["warnings"], kept["warnings"]);
    assert_eq!((&told["warnings"][0]["kind"], &told["warnings"][0]["runs"]), (&json!("stalled"), &json!(3)));
    run(&["report", sweep.to_str().unwrap()]);
    assert!(fs::read_to_string(sweep.join("report.html")).unwrap().contains("stalled in 3 of 3 runs"));
}

#[test]
fn json_says_what_the_table_of_the_comparison_says() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, sweep) = (busy_scenario(folder.path()), folder.path().join("sweep"));
    let mut arguments =
        vec!["sweep", &scenario, "--vary", "platform.hosts[node].ram=2GB,8GB", "--seeds", "1..2", "--json"];
    arguments.extend(["--baseline", "platform.hosts[node].ram=2GB", "--output", sweep.to_str().unwrap()]);
    let told: Value = serde_json::from_slice(&run(&arguments).stdout).expect("JSON alone on standard output");
    assert_eq!(told["format"], "hearth-comparison/1");
    assert_eq!(told["axes"][0]["column"], "platform_hosts_node_ram_bytes");
    assert_eq!((&told["axes"][0]["values"], &told["axes"][0]["unit"]), (&json!([2e9, 8e9]), &json!("bytes")));
    let table = rows(&sweep.join("comparison.csv"));
    assert!(table.len() > 100);
    for row in table {
        let is_row = |other: &&Value| other["setting"] == row["setting"].as_str();
        let told = &told["rows"].as_array().unwrap().iter().find(is_row).unwrap()["metrics"][&row["metric"]];
        for (column, value) in [("mean", &told["mean"]), ("difference_high", &told["difference"]["high"])] {
            // Reading JSON may round the last digit.
            match (row[column].parse::<f64>(), value.as_f64()) {
                (Ok(one), Some(other)) => assert!((one - other).abs() <= 1e-12 * one.abs(), "{column} of {row:?}"),
                (one, other) => assert!(one.is_err() && other.is_none(), "{column} of {row:?}"),
            }
        }
        assert_eq!(row["comparable"], told["comparable"].as_bool().map_or(String::new(), |flag| flag.to_string()));
    }
    let few = run(&[
        &arguments[..6],
        &["--json", "--metric", "latency_p99", "--quiet", "--output"],
        &[folder.path().join("few").to_str().unwrap()],
    ]
    .concat());
    let few: Value = serde_json::from_slice(&few.stdout).unwrap();
    assert_eq!(few["metrics"], json!({"latency_p99": {"title": "99th percentile of latency", "unit": "s"}}));
}

#[test]
fn columns_can_be_asked_for_by_name_in_programs() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, sweep) = (busy_scenario(folder.path()), folder.path().join("sweep"));
    let mut arguments = vec!["sweep", &scenario, "--vary", "platform.hosts[node].ram=2GB,8GB"];
    arguments.extend(["--vary", "workload.generate.duration_s=5,10", "--output", sweep.to_str().unwrap()]);
    run(&arguments);
    for (file, first) in [("results.csv", "setting"), ("comparison.csv", "setting")] {
        let header = fs::read_to_string(sweep.join(file)).unwrap().lines().next().unwrap().to_owned();
        let names: Vec<&str> = header.split(',').collect();
        assert_eq!(names[..3], [first, "platform_hosts_node_ram_bytes", "workload_generate_duration_s"]);
        let is_identifier = |name: &&str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        assert!(names.iter().all(is_identifier), "{header}");
    }
    let results = rows(&sweep.join("results.csv"));
    assert_eq!(results[2]["platform_hosts_node_ram_bytes"], "8000000000");
    assert_eq!(results[2]["setting"], "platform.hosts[node].ram=8GB workload.generate.duration_s=5");
}

#[test]
fn runs_of_a_sweep_hold_invocations_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, sweep) = (busy_scenario(folder.path()), folder.path().join("sweep"));
    let arguments = |more: &[&'static str]| {
        let first = ["sweep", scenario.as_str(), "--seeds", "1..2", "--output", sweep.to_str().unwrap()];
        first.into_iter().chain(more.iter().copied()).map(str::to_owned).collect::<Vec<_>>()
    };
    let tables = || {
        let folders = fs::read_dir(sweep.join("runs")).unwrap().map(|entry| entry.unwrap().path());
        folders.filter_map(|folder| fs::read_to_string(folder.join("invocations.csv")).ok()).collect::<Vec<_>>()
    };
    hearth().args(arguments(&[])).assert().success();
    assert_eq!(tables().len(), 0);
    // What is there does not have what is asked for now.
    hearth().args(arguments(&["--resume", "--invocations", "all"])).assert().success();
    let all: Vec<usize> = tables().iter().map(|table| table.lines().count()).collect();
    assert!(all.len() == 2 && all.iter().all(|rows| *rows > 300), "{all:?}");
    hearth().args(arguments(&["--resume", "--invocations", "all", "--sample", "0.1"])).assert().success();
    assert!(tables().iter().all(|table| (10..100).contains(&table.lines().count())));
}

#[test]
fn seeds_that_make_no_difference_are_told() {
    let quickstart = project_path("examples/quickstart.json").display().to_string();
    let policies = ["--policy", "keep_alive=fixed", "--policy", "keep_alive=no-keep-alive", "--seeds", "1..4"];
    let told = run(&[&["compare", quickstart.as_str()], &policies[..]].concat());
    let told = text(&told.stdout);
    assert!(told.contains("All 4 seeds gave the same") && !told.contains('±'), "{told}");
    let folder = tempfile::tempdir().unwrap();
    let scenario = busy_scenario(folder.path());
    let told = run(&[&["compare", scenario.as_str()], &policies[..]].concat());
    assert!(text(&told.stdout).contains("Means over 4 seeds, ± half"), "{}", text(&told.stdout));
}

#[test]
fn one_policy_alone_is_compared_to_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = busy_scenario(folder.path());
    let alone = ["compare", scenario.as_str(), "--policy", "keep_alive=fixed"];
    let output = hearth().args(alone).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error: --policy \"keep_alive=fixed\" is alone"));
    let vary = ["--vary", "platform.hosts[node].ram=2GB,8GB", "--baseline", "platform.hosts[node].ram=2GB"];
    run(&[&alone[..], &vary[..]].concat());
}
