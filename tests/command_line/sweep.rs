//! `hearth compare` and `hearth sweep`: runs as they would be alone, tables that agree, and results that outlast the
//! process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};

use super::hearth;

/// Twenty functions that share nodes with too little memory for all their containers.
pub fn scenario(folder: &Path) -> String {
    let scenario = json!({
        "format": "hearth-scenario/1", "name": "sweep", "seed": 5,
        "platform": {"hosts": [
            {"name": "head", "cores": 1, "speed": "1Gf"},
            {"name": "node", "count": 2, "cores": 8, "speed": "1Gf", "ram": "2GB"}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
        "policies": {"node_allocation": {"use": "least-loaded"}},
        "workload": {"generate": {
            "arrivals": {"poisson": {"rate": 5}}, "duration_s": 300,
            "functions": {"count": 20, "zipf": 1, "ram": {"choice": [128e6, 512e6]}, "cold_start": {"constant": 0.5}},
            "run_time": {"exponential": {"mean": 0.2}}}},
    });
    let file = folder.join("scenario.json");
    fs::write(&file, scenario.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

pub fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Runs, and gives what was printed.
fn stdout(arguments: &[&str]) -> String {
    let output = hearth().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn run_folders(sweep: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(sweep.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

pub const POLICIES: [&str; 3] = [
    "keep_alive=fixed,timeout=1min",
    "keep_alive=hybrid-histogram",
    "keep_alive=fixed,eviction.containers=greedy-dual",
];

/// The arguments of a sweep over three policies, two sizes of memory and two seeds.
pub fn sweep_arguments<'a>(scenario: &'a str, output: &'a str) -> Vec<&'a str> {
    let mut arguments = vec!["sweep", scenario, "--output", output, "--seeds", "1,2"];
    arguments.extend(["--vary", "platform.hosts[node].ram=2GB,4GB"]);
    arguments.extend(POLICIES.iter().flat_map(|policy| ["--policy", policy]));
    arguments
}

#[test]
fn each_run_is_what_it_would_be_alone_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let outputs = ["one", "four"].map(|name| folder.path().join(name));
    for (output, jobs) in outputs.iter().zip(["1", "4"]) {
        let arguments = sweep_arguments(&scenario, output.to_str().unwrap());
        hearth().args(arguments).args(["--jobs", jobs, "--interval", "10s"]).assert().success();
    }
    for name in ["results.csv", "comparison.csv", "sweep.json"] {
        let [one, four] = outputs.each_ref().map(|output| fs::read(output.join(name)).unwrap());
        assert_eq!(one, four, "{name}");
    }
    let runs = run_folders(&outputs[1]);
    assert_eq!(runs.len(), 12);
    for run in runs {
        let record = read_json(&run.join("run.json"));
        let alone = folder.path().join("alone");
        let ram = record["settings"]["platform.hosts[node].ram"].as_str().unwrap();
        let mut command = hearth();
        command.args(["run", &scenario, "--invocations", "none", "--interval", "10s", "--overwrite", "--output"]);
        command.arg(&alone);
        command.args(["--set", &format!("platform.hosts[node].ram={ram}"), "--seed", &record["seed"].to_string()]);
        command.args(["--policy", record["settings"]["policy"].as_str().unwrap()]).assert().success();
        for name in ["summary.json", "functions.csv", "distributions.csv", "timeseries.csv", "scenario.json"] {
            assert_eq!(fs::read(run.join(name)).unwrap(), fs::read(alone.join(name)).unwrap(), "{name} of {record}");
        }
    }
}

#[test]
fn all_policies_meet_the_same_requests() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let requests = |policy: &str, seed: &str| -> Vec<String> {
        let output = folder.path().join("run");
        let mut command = hearth();
        command.args(["run", &scenario, "--policy", policy, "--seed", seed, "--overwrite", "--output"]);
        command.arg(&output).assert().success();
        let table = fs::read_to_string(output.join("invocations.csv")).unwrap();
        table.lines().map(|line| line.splitn(4, ',').take(3).collect::<Vec<_>>().join(",")).collect()
    };
    let first = requests("node_allocation=power-of-d", "1");
    assert!(first.len() > 1000);
    for policy in POLICIES {
        assert_eq!(requests(policy, "1"), first, "{policy}");
    }
    assert_ne!(requests(POLICIES[0], "2"), first);
}

/// The rows of a CSV table by the names of its columns.
fn read_csv(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.deserialize().collect::<Result<_, _>>();
    rows.unwrap()
}

/// What a table says for a size.
fn bytes_of(label: &Value) -> String {
    label.as_str().unwrap().replace("GB", "000000000")
}

#[test]
fn tables_say_what_the_summaries_say() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let output = folder.path().join("sweep");
    let mut arguments = sweep_arguments(&scenario, output.to_str().unwrap());
    arguments.extend(["--baseline", "keep_alive=hybrid-histogram"]);
    stdout(&arguments);
    let rows = read_csv(&output.join("results.csv"));
    assert_eq!(rows.len(), 12);
    for run in run_folders(&output) {
        let (record, summary) = (read_json(&run.join("run.json")), read_json(&run.join("summary.json")));
        let is_row = |row: &&BTreeMap<String, String>| {
            row["seed"].parse::<u64>().ok() == record["seed"].as_u64()
                && row["policy"] == record["settings"]["policy"]
                && row["platform_hosts_node_ram_bytes"] == bytes_of(&record["settings"]["platform.hosts[node].ram"])
        };
        let row = rows.iter().find(is_row).unwrap();
        assert_eq!(row["cold_starts"], summary["cold_starts"].to_string());
        assert_eq!(row["latency_p99"].parse::<f64>().unwrap(), summary["latency"]["p99"].as_f64().unwrap());
    }
    // Means and differences, from the rows of the runs.
    let value = |policy: &str, seed: &str| -> f64 {
        let is_row = |row: &&BTreeMap<String, String>| {
            row["policy"] == policy && row["platform_hosts_node_ram_bytes"] == "4000000000" && row["seed"] == seed
        };
        rows.iter().find(is_row).unwrap()["latency_mean"].parse().unwrap()
    };
    let [fixed, base] = [POLICIES[0], POLICIES[1]].map(|policy| [value(policy, "1"), value(policy, "2")]);
    let comparison = read_csv(&output.join("comparison.csv"));
    let is_row = |row: &&BTreeMap<String, String>| {
        row["policy"] == POLICIES[0]
            && row["platform_hosts_node_ram_bytes"] == "4000000000"
            && row["metric"] == "latency_mean"
    };
    let row = comparison.iter().find(is_row).unwrap();
    let number = |name: &str| row[name].parse::<f64>().unwrap();
    let differences = [fixed[0] - base[0], fixed[1] - base[1]];
    let mean = |values: [f64; 2]| (values[0] + values[1]) / 2.0;
    // With one degree of freedom, t is 12.706 and the standard error half the distance of the two.
    let half_width = |values: [f64; 2]| 12.706_204_736 * (values[0] - values[1]).abs() / 2.0;
    for (found, expected) in [
        (number("runs"), 2.0),
        (number("mean"), mean(fixed)),
        (number("mean_high"), mean(fixed) + half_width(fixed)),
        (number("difference"), mean(differences)),
        (number("difference_low"), mean(differences) - half_width(differences)),
    ] {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
}

#[test]
fn parquet_holds_what_the_csv_tables_hold() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let output = folder.path().join("sweep");
    let mut arguments = sweep_arguments(&scenario, output.to_str().unwrap());
    stdout(&arguments);
    let tables = ["results", "comparison"].map(|name| read_csv(&output.join(format!("{name}.csv"))));
    arguments.extend(["--resume", "--format", "parquet"]);
    stdout(&arguments);
    for (name, rows) in ["results", "comparison"].into_iter().zip(tables) {
        assert!(!output.join(format!("{name}.csv")).exists(), "tables of one sweep have one form");
        let file = fs::File::open(output.join(format!("{name}.parquet"))).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let mut count = 0;
        for (row, expected) in reader.get_row_iter(None).unwrap().zip(&rows) {
            count += 1;
            for (column, field) in row.unwrap().get_column_iter() {
                let expected = &expected[column];
                match field {
                    Field::Str(text) => assert_eq!(text, expected),
                    Field::ULong(number) => assert_eq!(number.to_string(), *expected),
                    Field::Double(number) => assert_eq!(*number, expected.parse::<f64>().unwrap()),
                    Field::Bool(flag) => assert_eq!(flag.to_string(), *expected),
                    Field::Null => assert_eq!(expected, ""),
                    other => panic!("{column}: {other:?}"),
                }
            }
        }
        assert_eq!(count, rows.len());
    }
}

#[test]
fn a_killed_sweep_loses_what_was_running_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let [whole, killed] = ["whole", "killed"].map(|name| folder.path().join(name));
    let arguments = |output: &Path| {
        let output = output.to_str().unwrap().to_owned();
        ["sweep", &scenario, "--output", &output, "--seeds", "1..60", "--jobs", "2"].map(str::to_owned)
    };
    let program = assert_cmd::cargo::cargo_bin!("hearth");
    let mut sweep = std::process::Command::new(program).args(arguments(&killed)).stdout(Stdio::null()).spawn().unwrap();
    let begin = Instant::now();
    let finished = || {
        let Ok(runs) = fs::read_dir(killed.join("runs")) else { return 0 };
        runs.filter(|run| run.as_ref().is_ok_and(|run| !run.file_name().to_string_lossy().starts_with('.'))).count()
    };
    while finished() < 3 {
        assert!(begin.elapsed() < Duration::from_secs(60), "no run has ended");
        thread::sleep(Duration::from_millis(1));
    }
    sweep.kill().unwrap();
    sweep.wait().unwrap();
    let written = |folder: &Path| fs::metadata(folder.join("run.json")).unwrap().modified().unwrap();
    let is_whole = |run: &Path| !run.file_name().unwrap().to_string_lossy().starts_with('.');
    let before: BTreeMap<PathBuf, _> = run_folders(&killed)
        .into_iter()
        .filter(|run| is_whole(run))
        .map(|run| {
            let at = written(&run);
            (run, at)
        })
        .collect();
    assert!((3..60).contains(&before.len()), "{}", before.len());
    hearth().args(arguments(&killed)).arg("--resume").assert().success();
    hearth().args(arguments(&whole)).assert().success();
    for (run, at) in &before {
        assert_eq!(written(run), *at, "it was run again");
    }
    assert_eq!(run_folders(&killed).len(), 60);
    for name in ["results.csv", "comparison.csv", "sweep.json"] {
        assert_eq!(fs::read(killed.join(name)).unwrap(), fs::read(whole.join(name)).unwrap(), "{name}");
    }
}

#[test]
#[cfg(unix)]
fn an_interrupted_sweep_says_how_many_runs_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, output) = (scenario(folder.path()), folder.path().join("out"));
    let program = assert_cmd::cargo::cargo_bin!("hearth");
    let sweep = std::process::Command::new(program)
        .args(["sweep", &scenario, "--output", output.to_str().unwrap(), "--seeds", "1..600", "--jobs", "2"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while fs::read_dir(output.join("runs")).map_or(0, Iterator::count) < 3 {
        assert!(begin.elapsed() < Duration::from_secs(60), "no run has begun");
        thread::sleep(Duration::from_millis(1));
    }
    let asked = std::process::Command::new("kill").args(["-INT", &sweep.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let ended = sweep.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("interrupted: ") && said.contains(" of 600 runs are done, --resume goes on"), "{said}");
}

#[test]
fn a_changed_scenario_is_not_taken_for_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let output = folder.path().join("sweep");
    let arguments = ["sweep", &scenario, "--seeds", "1..2", "--resume", "--output", output.to_str().unwrap()];
    stdout(&arguments);
    let text = fs::read_to_string(&scenario).unwrap();
    fs::write(&scenario, text.replace("\"rate\":5", "\"rate\":6")).unwrap();
    stdout(&arguments);
    assert_eq!(run_folders(&output).len(), 4, "the old runs stay, the new ones are others");
    let rows = read_csv(&output.join("results.csv"));
    assert!(rows.iter().all(|row| row["invocations"].parse::<u64>().unwrap() > 1_600), "{rows:?}");
}

#[test]
fn values_of_a_file_have_names_and_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, output) = (scenario(folder.path()), folder.path().join("out"));
    let file = folder.path().join("recovery.json");
    fs::write(&file, r#"{"none": {}, "again": {"retry": {"max_attempts": 3, "on": ["failed"]}}}"#).unwrap();
    let vary = format!("recovery=@{}", file.display());
    stdout(&["sweep", &scenario, "--vary", &vary, "--baseline", "recovery=none", "--output", output.to_str().unwrap()]);
    let rows = read_csv(&output.join("results.csv"));
    assert_eq!(rows.iter().map(|row| row["recovery"].as_str()).collect::<Vec<_>>(), ["none", "again"]);
    let with_retries = run_folders(&output).iter().filter(|run| run.join("attempts.csv").is_file()).count();
    assert_eq!(with_retries, 1, "one of the two runs has attempts");
    for (text, problem) in [(None, "cannot be read"), (Some("[1, 2]"), "expected an object with a name for each value")]
    {
        let _ = fs::remove_file(&file);
        text.into_iter().for_each(|text| fs::write(&file, text).unwrap());
        let unused = folder.path().join("unused");
        let run = hearth().args(["sweep", &scenario, "--vary", &vary, "--output"]).arg(unused).output().unwrap();
        let error = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{error}");
        assert!(error.contains(problem) && error.starts_with("error: --vary recovery=@"), "{error}");
    }
}

#[test]
fn a_comparison_is_printed_with_differences_to_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let mut arguments = vec!["compare", &scenario, "--seeds", "1..3"];
    arguments.extend(POLICIES.iter().flat_map(|policy| ["--policy", policy]));
    insta::assert_snapshot!(stdout(&arguments));
}

#[test]
fn wrong_arguments_are_named_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let output = folder.path().join("sweep");
    let refuses = |arguments: &[&str], expected: &str| {
        let command = hearth().args(["sweep", &scenario, "--output"]).arg(&output).args(arguments).output().unwrap();
        let message = String::from_utf8(command.stderr).unwrap();
        assert_eq!(command.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{arguments:?}: {message}");
        assert!(!output.exists());
    };
    refuses(&["--policy", "keep_alive=fixed", "--policy", "keep_alive=fixt"], "unknown keep-alive policy \"fixt\"");
    refuses(&["--policy", "keep_alive=fixed,time=3"], "unknown parameter \"time\"");
    refuses(&["--vary", "platform.hosts[node].ram=2GB,4XB"], "platform.hosts[1].ram");
    refuses(&["--vary", "seed"], "--vary \"seed\": expected path=value, with values after it");
    refuses(&["--metric", "latency.mean"], "did you mean \"latency_mean\"?");
    refuses(&["--baseline", "keep_alive=fixed"], "nothing varies");
    refuses(&["--seeds", "3..1"], "expected seeds such as 1..10");
    refuses(&["--jobs", "0"], "--jobs");
}
