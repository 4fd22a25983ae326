//! The same comes of a run on any number of threads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{good_scenario, hearth, project_path};

/// All that a run writes and says, but for how long it took.
#[derive(PartialEq, Debug)]
struct Told {
    code: Option<i32>,
    message: String,
    files: BTreeMap<String, Vec<u8>>,
}

fn run(folder: &Path, scenario: &Path, threads: usize, more: &[&str]) -> Told {
    let results = folder.join(format!("on-{threads}"));
    let mut command = hearth();
    command.arg("run").arg(scenario).arg("--output").arg(&results).args(["--threads", &threads.to_string()]).args(more);
    let output = command.output().unwrap();
    let file = |path: &Path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap());
    let mut files: BTreeMap<String, Vec<u8>> =
        fs::read_dir(&results).unwrap().map(|entry| file(&entry.unwrap().path())).collect();
    let record: Value = serde_json::from_slice(&files.remove("run.json").unwrap()).unwrap();
    files.insert("hashes".to_owned(), record["files"].to_string().into_bytes());
    Told { code: output.status.code(), message: String::from_utf8(output.stderr).unwrap(), files }
}

/// Runs it on one, two and three threads; gives what it says on all of them.
fn same_on_all(scenario: &Path, more: &[&str]) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let alone = run(folder.path(), scenario, 1, more);
    for threads in [2, 3] {
        let beside = run(folder.path(), scenario, threads, more);
        assert_eq!(beside.files.keys().collect::<Vec<_>>(), alone.files.keys().collect::<Vec<_>>());
        for (name, bytes) in &alone.files {
            assert!(beside.files[name] == *bytes, "{name} differs on {threads} threads: {more:?}");
        }
        assert_eq!((beside.code, &beside.message), (alone.code, &alone.message), "on {threads} threads: {more:?}");
    }
    alone
}

const ROWS: u32 = 9_000;
/// The row with this number is wrong; those before are enough for a thread.
const WRONG: u32 = 7_777;

/// Writes a trace of which some rows are wrong, and a scenario that reads it.
fn traced(folder: &Path, is_wrong: impl Fn(u32) -> bool) -> std::path::PathBuf {
    let mut rows = "arrival_s,function,duration_s\n".to_owned();
    for row in 0..ROWS {
        let at = if is_wrong(row) { "soon".to_owned() } else { format!("{}", f64::from(row) * 0.05) };
        let function = row % 7 * (row % 3);
        let _ = writeln!(rows, "{at},{function},{}", f64::from(row % 11) * 0.01);
    }
    fs::write(folder.join("t.csv"), rows).unwrap();
    let mut functions = "function,memory_mb,cold_start_s\n".to_owned();
    (0..13).for_each(|number| {
        let _ = writeln!(functions, "{number},{},0.25", 128 * (1 + number % 4));
    });
    fs::write(folder.join("f.csv"), functions).unwrap();
    let mut scenario = good_scenario();
    (scenario["functions"], scenario["images"]) = (json!([]), json!([]));
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "t.csv", "functions_path": "f.csv"}});
    let file = folder.join("scenario.json");
    fs::write(&file, scenario.to_string()).unwrap();
    file
}

fn summary(told: &Told) -> Value {
    serde_json::from_slice(&told.files["summary.json"]).unwrap()
}

#[test]
fn examples_come_to_the_same() {
    for name in ["quickstart", "generated", "workflows"] {
        let told = same_on_all(&project_path(&format!("examples/{name}.json")), &["--interval", "1s"]);
        assert_eq!(told.code, Some(0), "{name}: {}", told.message);
    }
}

#[test]
fn a_trace_comes_to_the_same_whatever_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = traced(folder.path(), |row| row == WRONG);
    let stopped = same_on_all(&scenario, &["--interval", "1s"]);
    let line = format!("t.csv:{}, column arrival_s: found \"soon\"", WRONG + 2);
    assert!(stopped.code == Some(1) && stopped.message.contains(&line), "{}", stopped.message);
    assert!(summary(&stopped)["invocations"].as_u64().unwrap() >= u64::from(WRONG), "those before have been simulated");
}

#[test]
fn rows_that_are_passed_over_are_counted_up_to_where_the_simulation_is() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = traced(folder.path(), |row| row % 50 == 49);
    let whole = same_on_all(&scenario, &["--lenient", "--sample", "0.1"]);
    assert_eq!(summary(&whole)["skipped_rows"], ROWS / 50);
    // Of the rows up to 300 s every fiftieth is wrong; one more may have been read with the next request.
    let cut = same_on_all(&scenario, &["--lenient", "--interval", "7s", "--set", "horizon=300"]);
    assert_eq!((cut.code, &summary(&cut)["skipped_rows"]), (Some(0), &json!(6_000 / 50)), "{}", cut.message);
}
