//! `hearth why` and `hearth run --explain`: causes that add up, stories, and what would have been.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{failure, hearth, printed, project_path};

fn quickstart() -> PathBuf {
    project_path("examples/quickstart.json")
}

fn why(arguments: &[&str]) -> String {
    printed(hearth().arg("why").arg(quickstart()).args(arguments))
}

/// A run in a folder, explained or not.
fn run(folder: &Path, explain: bool) {
    let mut command = hearth();
    command.arg("run").arg(quickstart()).arg("--output").arg(folder);
    if explain {
        command.arg("--explain");
    }
    command.assert().success();
}

/// The rows of a table, by column.
fn rows(file: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// A number with at most nine decimals, in billionths.
fn nanos(number: &str) -> u64 {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    whole.parse::<u64>().unwrap() * 1_000_000_000 + format!("{part:0<9}").parse::<u64>().unwrap()
}

#[test]
fn causes_are_ranked_over_all() {
    insta::assert_snapshot!("why ranking", why(&[]));
}

#[test]
fn the_story_of_an_invocation_is_told() {
    insta::assert_snapshot!("why story", why(&["17"]));
}

#[test]
fn a_run_without_the_end_of_a_container_is_set_beside_the_run() {
    insta::assert_snapshot!("why without", why(&["29", "--without", "cold-start"]));
}

#[test]
fn a_decision_is_undone_or_answered_otherwise_by_its_number() {
    insta::assert_snapshot!("why without decision", why(&["17", "--without", "130"]));
    // The number is that of the log.
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("decisions.jsonl");
    hearth().arg("run").arg(quickstart()).arg("--decisions").arg(&log).assert().success();
    let calls = fs::read_to_string(&log).unwrap();
    let calls = calls.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let victims: Vec<Value> =
        calls.filter(|call| call["method"] == "choose" && call["slot"] == "eviction.containers").collect();
    let [first, ..] = victims.as_slice() else { panic!("somebody is evicted") };
    let number = first["call"].to_string();
    let spared = why(&["17", "--without", &number]);
    assert!(spared.contains("its first victim is spared"), "{spared}");
    let others = why(&["17", "--without", &number, "--answer", "[2]"]);
    assert!(others.contains(r#"instead [{"heard":"enough","offer":2}]"#), "{others}");
    // Answered as it was, it changes nothing.
    let same = why(&["17", "--without", &number, "--answer", &first["answer"].to_string()]);
    assert!(same.contains("all: the same in sum; 0 faster, 0 slower"), "{same}");
    let json: Value = serde_json::from_str(&why(&["17", "--without", "130", "--json"])).unwrap();
    assert!(
        json["claimed_s"].is_null() && json["without"].as_str().unwrap().starts_with("call 130, at 46.6"),
        "{json}"
    );
}

#[test]
fn causes_in_the_table_add_up_to_the_latency_and_other_files_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, explained) = (folder.path().join("plain"), folder.path().join("explained"));
    run(&plain, false);
    run(&explained, true);
    for name in
        ["summary.json", "invocations.csv", "functions.csv", "distributions.csv", "timeseries.csv", "scenario.json"]
    {
        assert_eq!(fs::read(plain.join(name)).unwrap(), fs::read(explained.join(name)).unwrap(), "{name}");
    }
    let about = ["invocation", "function", "node", "start", "outcome", "requested_at", "latency"];
    let of_cold_starts = ["cold_start", "container_ended_at", "container_node", "evicted_for"];
    let causes = rows(&explained.join("causes.csv"));
    let invocations = rows(&explained.join("invocations.csv"));
    assert_eq!(causes.len(), invocations.len());
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    for (row, invocation) in causes.iter().zip(&invocations) {
        let parts = row
            .iter()
            .filter(|(column, _)| !about.contains(&column.as_str()) && !of_cold_starts.contains(&column.as_str()));
        let sum: u64 = parts.clone().map(|(_, length)| nanos(length)).sum();
        assert_eq!(sum, nanos(&row["latency"]), "{row:?}");
        assert_eq!(sum, nanos(&invocation["finished_at"]) - nanos(&invocation["requested_at"]), "{row:?}");
        assert_eq!(row["cold_start"].is_empty(), invocation["start"] != "cold", "{row:?}");
        parts.for_each(|(cause, length)| *totals.entry(cause.clone()).or_default() += nanos(length));
    }
    totals.retain(|_, sum| *sum > 0);
    let written = rows(&explained.join("cause_totals.csv"));
    let of_all = written.iter().filter(|row| row["of"] == "all" && row["kind"] == "latency");
    let of_all: BTreeMap<String, u64> = of_all.map(|row| (row["cause"].clone(), nanos(&row["seconds"]))).collect();
    assert_eq!(of_all, totals);
    // What is written is what is found by running it again.
    let ranked = |folder: &Path| printed(hearth().arg("why").arg(folder));
    assert_eq!(ranked(&explained), ranked(&plain));
    assert_eq!(ranked(&explained), why(&[]));
}

#[test]
fn programs_get_the_same_as_json() {
    let all: Value = serde_json::from_str(&why(&["--json"])).unwrap();
    let seconds: f64 = all["causes"].as_array().unwrap().iter().map(|row| row["seconds"].as_f64().unwrap()).sum();
    assert!((seconds - all["latency_s"].as_f64().unwrap()).abs() < 1e-6);
    let one: Value = serde_json::from_str(&why(&["17", "--json"])).unwrap();
    let causes: f64 = one["causes"].as_object().unwrap().values().map(|seconds| seconds.as_f64().unwrap()).sum();
    assert!((causes - one["latency_s"].as_f64().unwrap()).abs() < 1e-9);
    let spent = one["story"].as_array().unwrap().iter().filter_map(|event| event["parts"].as_array()).flatten();
    let spent: f64 = spent.map(|part| part["seconds"].as_f64().unwrap()).sum();
    assert!((spent - causes).abs() < 1e-9, "the story tells {spent} s of {causes} s");
    let without: Value = serde_json::from_str(&why(&["29", "--without", "cold-start", "--json"])).unwrap();
    assert!(without["after"]["latency_s"].as_f64() < without["before"]["latency_s"].as_f64());
}

#[test]
fn what_cannot_be_explained_is_said_with_a_cure() {
    let why = |arguments: &[&str]| failure(hearth().arg("why").args(arguments));
    let scenario = quickstart();
    let scenario = scenario.to_str().unwrap();
    for (arguments, words) in [
        (vec![scenario, "99"], "invocation 99 was not requested; there are 34"),
        (vec![scenario, "x"], "invalid value 'x'"),
        (vec![scenario, "3", "--by", "node"], "--by: is about all invocations"),
        (vec![scenario, "--without", "cold-start"], "required"),
        (vec![scenario, "3", "--without", "cold-start"], "no container had been taken away from it"),
        (vec![scenario, "3", "--without", "lunch"], "expected the number of a call"),
        (vec![scenario, "3", "--without", "end of nobody at 3s"], "there is no function \"nobody\""),
        (vec![scenario, "3", "--without", "end of resize on node-0 at 0.5s"], "no container ended so then"),
        (vec![scenario, "3", "--without", "fault on node-0 at 3s"], "no fault on \"node-0\""),
        (vec![scenario, "3", "--without", "27"], "it was told something, and asked nothing"),
        (vec![scenario, "3", "--without", "1000000"], "there is no call 1000000: policies were called 230 times"),
        (vec![scenario, "3", "--without", "205"], "only containers can be spared"),
        (vec![scenario, "3", "--without", "163", "--answer", "\"stay\""], "\"stay\" is no answer to it"),
        (vec![scenario, "3", "--without", "163", "--answer", "stay"], "is no JSON"),
        (vec![scenario, "3", "--without", "163", "--answer", r#"{"node": 1}"#], "which has no free core"),
        (vec![scenario, "3", "--without", "cold-start", "--answer", "\"wait\""], "only a decision has another answer"),
        (vec![scenario, "3", "--answer", "\"wait\""], "--without"),
        (vec!["nowhere.json"], "nowhere.json"),
    ] {
        let (code, message) = why(&arguments);
        assert_eq!(code, 2, "{message}");
        assert!(message.starts_with("error: ") && message.contains(words), "{message}");
    }
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), false);
    let (code, message) = why(&[folder.path().to_str().unwrap(), "--seed", "3"]);
    assert!(code == 2 && message.contains("is explained as it was run"), "{message}");
    let (code, message) = failure(hearth().arg("run").arg(folder.path()).arg("--explain"));
    assert!(code == 2 && message.contains("--explain"), "{message}");
}
