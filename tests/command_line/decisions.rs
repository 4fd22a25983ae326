//! Decisions from outside: logs of runs, policies that are called again, and two runs side by side.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::{failure, good_scenario, hearth, printed, project_path};

fn quickstart() -> String {
    project_path("examples/quickstart.json").display().to_string()
}

/// Runs a scenario into a folder, with a log there.
fn logged(folder: &Path, log: &str, arguments: &[&str]) -> String {
    let path = folder.join(log).display().to_string();
    let output = folder.display().to_string();
    hearth().args(["run", &quickstart(), "--output", &output, "--decisions", &path]).args(arguments).assert().success();
    path
}

fn lines(path: &str) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_log_is_one_of_the_results_and_changes_none_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let [with, without] = ["with", "without"].map(|name| folder.path().join(name));
    let log = logged(&with, "decisions.jsonl", &["--policy-log", "trace"]);
    hearth().args(["run", &quickstart(), "--output"]).arg(&without).assert().success();
    for name in ["invocations.csv", "summary.json", "functions.csv", "distributions.csv", "timeseries.csv"] {
        let read = |folder: &Path| fs::read(folder.join(name)).unwrap();
        assert_eq!(read(&with), read(&without), "{name}");
    }
    let lines = lines(&log);
    assert_eq!((&lines[0]["format"], &lines[0]["views"]), (&json!("hearth-decisions/1"), &json!("hash")));
    let numbers: Vec<u64> = lines[1..].iter().map(|line| line["call"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let placed = lines.iter().find(|line| line["method"] == "place").unwrap();
    assert_eq!((placed["slot"].as_str(), placed["answer"].clone()), (Some("node_allocation"), json!({"node": 0})));
    assert_eq!(placed["seen"].as_str().unwrap().len(), 16);
    // No built-in policy says anything.
    assert_eq!(fs::read_to_string(with.join("policy.log")).unwrap(), "");
    assert_eq!(printed(hearth().arg("run").arg(&with)).lines().count(), 1, "it is made again and compared");
    let manifest: Value = serde_json::from_slice(&fs::read(with.join("run.json")).unwrap()).unwrap();
    let noted =
        json!({"decisions": {"name": "decisions.jsonl", "views": "hash", "is_timed": false}, "policy_log": "trace"});
    assert_eq!(manifest["options"]["noted"], noted);
}

#[test]
fn a_log_with_times_is_not_compared_and_one_elsewhere_is_none_of_the_results() {
    let folder = tempfile::tempdir().unwrap();
    let timed = folder.path().join("timed");
    let log = logged(&timed, "d.jsonl", &["--call-times", "--views", "none"]);
    let lines = lines(&log);
    assert!(lines[1..].iter().all(|line| line["took_ns"].is_u64() && line["seen"].is_null()));
    let compared = printed(hearth().arg("run").arg(&timed));
    assert!(compared.contains("6 files are the same") || compared.contains("5 files are the same"), "{compared}");
    let (apart, elsewhere) = (folder.path().join("apart"), folder.path().join("elsewhere.jsonl"));
    let run = |overwrite: &[&str]| {
        let mut command = hearth();
        command.args(["run", &quickstart(), "--output"]).arg(&apart).arg("--decisions").arg(&elsewhere).args(overwrite);
        command
    };
    run(&[]).assert().success();
    assert!(!fs::read_to_string(apart.join("run.json")).unwrap().contains("noted"));
    fs::remove_dir_all(&apart).unwrap();
    let (code, said) = failure(&mut run(&[]));
    assert!(code == 2 && said.contains("elsewhere.jsonl is there already"), "{said}");
    run(&["--overwrite"]).assert().success();
    printed(hearth().arg("run").arg(&apart));
}

#[test]
fn compressed_logs_hold_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let replayed: Vec<String> = ["d.jsonl", "d.jsonl.gz", "d.jsonl.zst"]
        .into_iter()
        .map(|name| {
            let log = logged(&folder.path().join(name), name, &["--views", "full"]);
            let said = printed(hearth().args(["policies", "replay", "fcfs", &log]));
            said.replace(&log, "LOG")
        })
        .collect();
    assert_eq!(replayed[0], "fcfs 0.1.0 in node_allocation: 74 calls of LOG made again, all with the same answers.\n");
    assert!(replayed.iter().all(|said| *said == replayed[0]), "{replayed:?}");
    let size = |name: &str| fs::metadata(folder.path().join(name).join(name)).unwrap().len();
    assert!(size("d.jsonl.gz") * 5 < size("d.jsonl") && size("d.jsonl.zst") * 5 < size("d.jsonl"));
}

#[test]
fn an_answer_that_was_changed_is_found_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = logged(&folder.path().join("r"), "d.jsonl", &["--views", "full"]);
    let text = fs::read_to_string(&log).unwrap();
    let changed = text.replacen(r#""answer":{"keep_for":120000000000}"#, r#""answer":{"keep_for":7}"#, 1);
    assert_ne!(text, changed);
    fs::write(&log, &changed).unwrap();
    let (code, said) = failure(hearth().args(["policies", "replay", "fixed", &log]));
    assert_eq!(code, 1);
    insta::assert_snapshot!("replay_differs", said);
    // Those of other policies are not asked for it.
    printed(hearth().args(["policies", "replay", "lru", &log]));
    let (code, said) = failure(hearth().args(["policies", "replay", "fixed", &log, "--parameter", "timeout=1min"]));
    assert!(code == 1 && said.contains(r#"now      {"keep_for":60000000000}"#), "{said}");
}

#[test]
fn what_is_no_log_for_a_policy_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let full = logged(&folder.path().join("full"), "d.jsonl", &["--views", "full"]);
    let hashed = logged(&folder.path().join("hashed"), "d.jsonl", &[]);
    let text = fs::read_to_string(&full).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name).display().to_string();
        fs::write(&path, text).unwrap();
        path
    };
    let other = file("other.jsonl", &text.replace("hearth-decisions/1", "hearth-decisions/9"));
    let cut = file("cut.jsonl", &text[..text.len() / 2]);
    let half = file(
        "half.jsonl",
        &text.replacen(r#""keep_for":120000000000"#, "", 1).replacen(r#""now":"#, r#""later":"#, 200),
    );
    let missing =
        text.lines().filter(|line| !line.contains(r#""call":5,"#)).map(|line| format!("{line}\n")).collect::<String>();
    let missing = file("missing.jsonl", &missing);
    let table = file("table.csv", "a,b\n1,2\n");
    let mut said = String::new();
    for (policy, log) in [
        ("fixed", hashed.as_str()),
        ("fixed", &other),
        ("fixed", &cut),
        ("fixed", &half),
        ("fixed", &missing),
        ("fixed", &table),
        ("fixed", "nowhere.jsonl"),
        ("nobody", &full),
        ("./nowhere.so", &full),
        ("gdsf", &full),
        ("kpa", &full),
    ] {
        let (code, message) = failure(hearth().args(["policies", "replay", policy, log]));
        assert_eq!(code, 2, "{message}");
        said += &format!("{}\n", message.replace(&folder.path().display().to_string(), "FOLDER"));
    }
    for slot in ["autoscaling", "nowhere"] {
        let (code, message) = failure(hearth().args(["policies", "replay", "fixed", &full, "--slot", slot]));
        assert_eq!(code, 2, "{message}");
        said +=
            &format!("{}\n", message.lines().next().unwrap().replace(&folder.path().display().to_string(), "FOLDER"));
    }
    insta::assert_snapshot!("replay_refused", said);
}

#[test]
fn two_runs_are_told_apart() {
    let shown = printed(hearth().args(["diff", &quickstart(), "--policy", "keep_alive=no-keep-alive", "--most", "3"]));
    insta::assert_snapshot!("diff_of_policies", shown);
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("t.csv");
    let arguments = ["diff", &quickstart(), "--policy", "keep_alive=no-keep-alive", "--json", "--table"];
    let json: Value = serde_json::from_str(&printed(hearth().args(arguments).arg(&table))).unwrap();
    assert_eq!(json["parted"]["first"]["answer"], json!({"keep_for": 120_000_000_000_u64}));
    let table = fs::read_to_string(table).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!(json!(rows.len()), json["invocations"]["in_both"]);
    let parted = rows.iter().filter(|row| !row[12].is_empty()).count();
    assert_eq!(json!(parted), json["invocations"]["parted"]);
    let moved: f64 = rows.iter().filter_map(|row| row[5].parse::<f64>().ok()).sum();
    assert!((moved - json["invocations"]["difference_s"].as_f64().unwrap()).abs() < 1e-6);
}

#[test]
fn a_page_of_two_runs_holds_what_differs_and_fetches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [page, table] = ["page.html", "table.csv"].map(|name| folder.path().join(name));
    let diff = |arguments: &[&str]| {
        let mut command = hearth();
        command
            .args(["diff", &quickstart(), "--policy", "keep_alive=no-keep-alive", "--page"])
            .arg(&page)
            .args(arguments);
        command
    };
    // What is printed names as many as was asked for, whatever is on the page.
    let shown = printed(&mut diff(&["--most", "3"]));
    insta::assert_snapshot!("diff_of_policies", shown);
    let written = fs::read_to_string(&page).unwrap();
    assert_eq!(crate::report::fetched(&written), [""; 0]);
    for part in [
        "<h1>quickstart: two runs</h1>",
        "<td>{&quot;keep_for&quot;:120000000000}</td>",
        "id=\"differences\"",
        "id=\"differences-over-time\"",
        "id=\"latencies-over-time\"",
        "id=\"functions\"",
        "http-equiv=\"Content-Security-Policy\"",
        "@media print",
    ] {
        assert!(written.contains(part), "{part}");
    }
    let (code, said) = failure(&mut diff(&[]));
    assert!(code == 2 && said.contains("--page") && said.contains("is there already"), "{said}");
    let (code, said) = failure(diff(&["--overwrite", "--table"]).arg(&page));
    assert!(code == 2 && said.contains("name one file"), "{said}");
    printed(diff(&["--overwrite", "--json", "--table"]).arg(&table));
    assert_eq!(fs::read_to_string(&page).unwrap(), written, "the same bytes");
    let (code, said) = failure(
        hearth().args(["diff", &quickstart(), "--seed", "9", "--page"]).arg(folder.path().join("no/page.html")),
    );
    assert!(code == 2 && said.contains("--page") && said.contains("no/page.html"), "{said}");
}

#[test]
fn a_folder_of_results_is_compared_as_its_run_was() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("r");
    hearth().args(["run", &quickstart(), "--seed", "3", "--output"]).arg(&results).assert().success();
    let same = printed(hearth().arg("diff").arg(&results).arg(quickstart()).args(["--seed", "3"]));
    assert!(same.contains("Nothing differs"), "{same}");
    let scenario = folder.path().join("other.json");
    let mut other = good_scenario();
    other["name"] = json!("other");
    fs::write(&scenario, other.to_string()).unwrap();
    let unlike = printed(hearth().arg("diff").arg(&results).arg(&scenario));
    assert!(unlike.contains("0 invocations in both runs") && unlike.contains("2 only in the second"), "{unlike}");
    let (code, said) = failure(hearth().arg("diff").arg(&results));
    assert!(code == 2 && said.contains("alone has nothing to differ from"), "{said}");
    let (code, said) = failure(hearth().args(["diff", "nowhere.json", &quickstart()]));
    assert!(code == 2 && said.contains("nowhere.json"), "{said}");
    let (code, said) = failure(hearth().args(["diff", &quickstart(), "--policy", "keep_alive=nobody"]));
    assert!(code == 2 && said.contains("unknown keep-alive policy"), "{said}");
}
