//! `hearth trace`, and scenarios with traces and generators.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{good_scenario, hearth};

fn stdout(arguments: &[&str]) -> String {
    let output = hearth().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn generator(folder: &Path) -> String {
    let file = folder.join("generator.json");
    let spec = json!({
        "arrivals": {"poisson": {"rate": 20}}, "duration_s": 600,
        "functions": {"count": 30, "zipf": 1, "ram": {"choice": [64e6, 128e6]}, "cold_start": {"constant": 0.25}},
        "run_time": {"lognormal": {"median": 0.2, "sigma": 1}},
    });
    fs::write(&file, spec.to_string()).unwrap();
    file.display().to_string()
}

#[test]
fn what_is_generated_can_be_converted_counted_and_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let generator = generator(folder.path());
    let (rows, functions) = (path("t.csv"), path("f.csv"));
    let said =
        stdout(&["trace", "generate", &generator, "--seed", "3", "--output", &rows, "--functions-output", &functions]);
    let count = fs::read_to_string(&rows).unwrap().lines().count() - 1;
    assert_eq!(said, format!("{count} rows are in {rows}.\n"));
    assert!((11_000..13_000).contains(&count), "{count}");
    assert!(fs::read_to_string(&functions).unwrap().starts_with("function,memory_mb,cold_start_s\n0,"));
    // The same text, compressed and not.
    for compressed in ["t.csv.gz", "t.csv.zst"] {
        let (compressed, back) = (path(compressed), path("back.csv"));
        stdout(&["trace", "convert", &rows, "--output", &compressed]);
        stdout(&["trace", "convert", &compressed, "--output", &back, "--overwrite"]);
        assert_eq!(fs::read_to_string(&back).unwrap(), fs::read_to_string(&rows).unwrap());
    }
    let head = stdout(&["trace", "head", "-n", "2", &rows]);
    assert_eq!(
        head,
        fs::read_to_string(&rows).unwrap().lines().take(3).map(|line| line.to_owned() + "\n").collect::<String>()
    );
    let part = stdout(&["trace", "stats", &rows, "--minutes", "5", "--most-popular", "3"]);
    assert!(part.contains("  functions             3, of 30 that are known\n"), "{part}");
    // The generator in a scenario draws what was written: a run of either gives the same.
    let mut scenario = good_scenario();
    (scenario["functions"], scenario["seed"], scenario["images"]) = (json!([]), json!(3), json!([]));
    let run = |workload: Value| {
        let mut scenario = scenario.clone();
        scenario["workload"] = workload;
        let file = path("scenario.json");
        fs::write(&file, scenario.to_string()).unwrap();
        serde_json::from_str::<Value>(&stdout(&["run", &file, "--json"])).unwrap()
    };
    let spec: Value = serde_json::from_str(&fs::read_to_string(&generator).unwrap()).unwrap();
    let generated = run(json!({ "generate": spec }));
    assert_eq!(generated, run(json!({"trace": {"format": "csv", "path": "t.csv", "functions_path": "f.csv"}})));
    assert_eq!(generated["invocations"], count);
}

#[test]
fn statistics_are_for_reading() {
    let folder = tempfile::tempdir().unwrap();
    let rows = folder.path().join("t.csv");
    let row = |second: u32| format!("{second},{},0.5\n", if second.is_multiple_of(4) { "rare" } else { "frequent" });
    let text: String = (0..240).map(row).collect();
    fs::write(&rows, "arrival_s,function,duration_s\n".to_owned() + &text).unwrap();
    insta::assert_snapshot!(stdout(&["trace", "stats", rows.to_str().unwrap()]));
}

#[test]
fn a_row_that_is_wrong_stops_a_run_where_it_is_met_or_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut scenario = good_scenario();
    let name = scenario["functions"][0]["name"].as_str().unwrap().to_owned();
    scenario["functions"][0]["body"] = json!([]);
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "t.csv"}});
    let (file, rows) = (folder.path().join("scenario.json"), folder.path().join("t.csv"));
    fs::write(&file, scenario.to_string()).unwrap();
    fs::write(&rows, format!("arrival_s,function,duration_s\n1,{name},2\n2,{name},two\n3,{name},1\n")).unwrap();
    let output = hearth().args(["run", file.to_str().unwrap()]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    let expected = format!(
        "error: the simulation stopped: {}:3, column duration_s: found \"two\", expected a number of at least 0\n",
        rows.display()
    );
    assert_eq!((output.status.code(), message), (Some(1), expected));
    let lenient: Value =
        serde_json::from_str(&stdout(&["run", file.to_str().unwrap(), "--json", "--lenient"])).unwrap();
    assert_eq!((&lenient["invocations"], &lenient["skipped_rows"]), (&json!(2), &json!(1)));
}

/// A trace as monitoring gives it: dates in milliseconds since 1970, in no order.
const MINE: &str = "ts_ms,func_name,exec_ms,mem_mb\n1700000060000,thumb,120,256\n1700000000000,resize,1500,512\n\
                    1700000000250,resize,1250,512\n1700003600000,thumb,80,256\n";

const COLUMNS: [&str; 6] =
    ["--column", "arrival=ts_ms:ms", "--column", "function=func_name", "--column", "duration=exec_ms:ms"];

#[test]
fn a_trace_of_one_s_own_is_converted_by_one_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("mine.csv"), MINE).unwrap();
    let (mine, converted) = (path("mine.csv"), path("t.csv"));
    let convert = ["trace", "convert", &mine, "--sort", "--from-first", "--overwrite", "--output", &converted];
    stdout(&[&convert[..], &COLUMNS].concat());
    let expected = "arrival_s,function,duration_s\n0.000000000,resize,1.500000000\n0.250000000,resize,1.250000000\n\
                    60.000000000,thumb,0.120000000\n3600.000000000,thumb,0.080000000\n";
    assert_eq!(fs::read_to_string(&converted).unwrap(), expected);
    // With its functions, and run at once.
    let functions = path("f.csv");
    let memory = ["--column", "memory=mem_mb:MB", "--functions-output", &functions];
    stdout(&[&convert[..], &COLUMNS, &memory].concat());
    assert_eq!(fs::read_to_string(&converted).unwrap(), expected);
    let list = fs::read_to_string(&functions).unwrap();
    assert_eq!(list, "function,memory_mb,cold_start_s\nthumb,256,\nresize,512,\n");
    let mut scenario = good_scenario();
    (scenario["functions"], scenario["images"]) = (json!([]), json!([]));
    scenario["service"]["container_startup_overhead"] = json!("700ms");
    let mut run = |trace: Value| -> Value {
        scenario["workload"] = json!({ "trace": trace });
        let file = path("scenario.json");
        fs::write(&file, scenario.to_string()).unwrap();
        serde_json::from_str(&stdout(&["run", &file, "--json"])).unwrap()
    };
    let as_it_is = run(json!({"format": "csv", "path": "mine.csv", "sort": true, "offset": "first", "columns": {
        "arrival": {"name": "ts_ms", "unit": "ms"}, "function": "func_name",
        "duration": {"name": "exec_ms", "unit": "ms"}, "memory": {"name": "mem_mb", "unit": "MB"}}}));
    assert_eq!(as_it_is, run(json!({"format": "csv", "path": "t.csv", "functions_path": "f.csv"})));
    // resize: 1.5 and 1.25 s in two containers of 512 MB; thumb: 0.12 and 0.08 s in one of 256 MB, twice cold.
    assert_eq!((&as_it_is["invocations"], &as_it_is["cold_starts"]), (&json!(4), &json!(4)));
    let used = as_it_is["memory_byte_seconds"]["used"].as_f64().unwrap();
    assert!((used - (512e6 * (2.75 + 1.4) + 256e6 * (0.2 + 1.4))).abs() < 1.0, "{used}");
    let refused = |arguments: &[&str]| {
        let output = hearth().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let unsorted = refused(&[&["trace", "stats", &mine][..], &COLUMNS].concat());
    assert!(unsorted.contains("mine.csv:3, column ts_ms: 1700000000.000000000 s is before"), "{unsorted}");
    let unnamed = refused(&["trace", "stats", &mine, "--column", "function=func_name"]);
    assert!(unnamed.contains("mine.csv:1: has no column \"arrival_s\""), "{unnamed}");
}

#[test]
fn dates_beyond_the_clock_are_refused_and_dates_far_away_are_remarked_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let file = path("scenario.json");
    let mut scenario = good_scenario();
    let said = |arguments: &[&str]| {
        let output = hearth().args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    scenario["functions"][0]["body"] = json!([]);
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "t.csv"}});
    fs::write(&file, scenario.to_string()).unwrap();
    let head = "arrival_s,function,duration_s\n";
    for command in ["validate", "run"] {
        fs::write(path("t.csv"), format!("{head}1700000000000,f,1\n")).unwrap();
        let (code, message) = said(&[command, &file]);
        let expected = "t.csv:2, column arrival_s: found \"1700000000000\" s, expected a time of at most 9e9 s: is this in milliseconds?\n";
        assert!(code == Some(2) && message.ends_with(expected), "{command}: {message}");
    }
    // The first is met while running.
    fs::write(path("t.csv"), format!("{head}0,f,1\n1.9e10,f,1\n")).unwrap();
    let (code, message) = said(&["run", &file]);
    assert!(code == Some(1) && message.contains("t.csv:3, column arrival_s: found \"1.9e10\""), "{message}");
    // Seconds since 1970 are dates of the clock, but hardly meant.
    fs::write(path("t.csv"), format!("{head}1700000000,f,1\n1700000010,f,1\n")).unwrap();
    let warning = "warning: workload.trace: the first request of t.csv comes 19675.9 days after the start: --from-first, or \
                   \"offset\": \"first\", lets time start with it\n";
    for command in ["validate", "run"] {
        assert_eq!(said(&[command, &file, "--set", "horizon=1s"]), (Some(0), warning.to_owned()), "{command}");
    }
    let policies = ["--policy", "keep_alive=fixed", "--policy", "keep_alive=no-keep-alive"];
    let compare = [&["compare", &file, "--seeds", "1..3", "--set", "horizon=1s"][..], &policies].concat();
    let (code, message) = said(&compare);
    assert!(code == Some(0) && message.starts_with(warning) && message.matches("from-first").count() == 1, "{message}");
    let summary: Value = serde_json::from_str(&stdout(&["run", &file, "--json", "--from-first"])).unwrap();
    assert_eq!(summary["invocations"], 2);
    assert!(summary["makespan_s"].as_f64().unwrap() < 60.0, "{summary}");
    assert_eq!(said(&["validate", &file, "--from-first"]), (Some(0), String::new()));
    // Those that follow others, too.
    let after = |number: u64| json!({"after": [number], "delay": 9e9, "function": "f"});
    scenario["workload"] = json!({"invocations": [{"at": 9e9, "function": "f"}, after(0), after(1)]});
    fs::write(&file, scenario.to_string()).unwrap();
    let (code, message) = said(&["run", &file]);
    let expected = "error: the simulation stopped: invocation 2 would be requested later than 2⁶⁴ ns (584 years) after the \
                    start, where the clock ends: is a time before it in another unit?\n";
    assert_eq!((code, message), (Some(1), expected.to_owned()));
}

/// Two nodes of different speed, one request each, of a function that computes.
fn edge_and_cloud() -> Value {
    json!({
        "format": "hearth-scenario/1", "name": "tiers",
        "platform": {"hosts": [{"name": "edge", "cores": 1, "speed": "5Gf", "ram": "1GB"},
                               {"name": "cloud", "cores": 1, "speed": "20Gf", "ram": "1GB"}]},
        "service": {"head": "edge", "registry": "edge", "nodes": ["edge", "cloud"]},
        "functions": [{"name": "f", "body": [{"compute": "10Gf"}]}],
        "policies": {"node_allocation": {"use": "first-fit"}},
    })
}

/// Run times of invocations, from the table of a run.
fn run_times(scenario: &Value, folder: &Path) -> Vec<f64> {
    let (file, output) = (folder.join("scenario.json"), folder.join("out"));
    fs::write(&file, scenario.to_string()).unwrap();
    stdout(&["run", file.to_str().unwrap(), "--overwrite", "--output", output.to_str().unwrap()]);
    let table = fs::read_to_string(output.join("invocations.csv")).unwrap();
    let run_time = |row: &str| {
        let fields: Vec<&str> = row.split(',').collect();
        let run_time = fields[6].parse::<f64>().unwrap() - fields[5].parse::<f64>().unwrap();
        (1e6 * run_time).round() / 1e6
    };
    table.lines().skip(1).map(run_time).collect()
}

#[test]
fn without_run_times_the_bodies_of_functions_run() {
    let mut scenario = edge_and_cloud();
    let folder = tempfile::tempdir().unwrap();
    let arrivals = json!({"constant": {"rate": 10}});
    scenario["workload"] = json!({"generate": {"arrivals": arrivals, "requests": 2}});
    let as_listed = json!({"invocations": [{"at": 0.1, "function": "f"}, {"at": 0.2, "function": "f"}]});
    // First fit: the edge, and while its core is held the cloud.
    assert_eq!(run_times(&scenario, folder.path()), [2.0, 0.5]);
    scenario["workload"] = as_listed;
    assert_eq!(run_times(&scenario, folder.path()), [2.0, 0.5]);
    let rows = folder.path().join("t.csv");
    fs::write(&rows, "arrival_s,function\n0.1,f\n0.2,f\n").unwrap();
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "t.csv"}});
    assert_eq!(run_times(&scenario, folder.path()), [2.0, 0.5]);
    // A trace without durations stays one when it is written anew.
    let (from, to) = (rows.to_str().unwrap(), folder.path().join("again.csv"));
    stdout(&["trace", "convert", from, "--output", to.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&to).unwrap(), "arrival_s,function\n0.100000000,f\n0.200000000,f\n");
    assert_eq!(stdout(&["trace", "head", from, "-n", "1"]), "arrival_s,function\n0.100000000,f\n");
    // Functions that nobody says anything of do nothing, which is not meant.
    scenario["functions"][0]["body"] = json!([]);
    let file = folder.path().join("scenario.json");
    fs::write(&file, scenario.to_string()).unwrap();
    let output = hearth().args(["validate", file.to_str().unwrap()]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    let expected = "workload.trace: its rows do not say how long they run, and functions[0] has no body: give it one, or the \
                    trace a column duration_s\n";
    assert!(output.status.code() == Some(2) && message.ends_with(expected), "{message}");
}

#[test]
fn durations_of_rows_count_more_than_bodies_and_a_warning_says_so() {
    let mut scenario = edge_and_cloud();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.csv"), "arrival_s,function,duration_s\n0.1,f,7\n").unwrap();
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "t.csv"}});
    assert_eq!(run_times(&scenario, folder.path()), [7.0]);
    let file = folder.path().join("scenario.json");
    let output = hearth().args(["validate", file.to_str().unwrap()]).output().unwrap();
    let expected = "warning: workload.trace: requests run for the duration that t.csv says, and functions[0].body is not used: \
                    bodies run if the file has no column of durations\n";
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), expected));
}
