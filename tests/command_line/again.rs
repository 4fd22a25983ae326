//! `hearth run DIR`: a folder of results runs again, wherever it lies, and says whether the same comes of it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{failure, good_scenario, hearth, printed, project_path};

/// Writes a scenario beside what it reads, runs it from there into `results`, and moves that elsewhere.
fn run_and_move(folder: &Path, scenario: &Value, more: &[&str]) -> PathBuf {
    fs::write(folder.join("scenario.json"), scenario.to_string()).unwrap();
    let mut command = hearth();
    command.current_dir(folder).args(["run", "scenario.json", "--output", "results"]).args(more).assert().success();
    let moved = folder.join("deeper/moved");
    fs::create_dir_all(folder.join("deeper")).unwrap();
    fs::rename(folder.join("results"), &moved).unwrap();
    moved
}

/// Runs a folder again from another one.
fn again(results: &Path) -> assert_cmd::Command {
    let mut command = hearth();
    command.current_dir(project_path("docs")).arg("run").arg(results);
    command
}

fn assert_same(results: &Path) {
    let said = printed(&mut again(results));
    assert!(said.ends_with(" files are the same, byte for byte.\n"), "{said}");
}

fn traced(folder: &Path) -> Value {
    fs::write(folder.join("t.csv"), "arrival_s,function,duration_s\n0,f,1.5\n5,g,1\nsoon,f,1\n9,f,2\n").unwrap();
    fs::write(folder.join("functions.csv"), "function,memory_mb,cold_start_s\ng,100,0.3\n").unwrap();
    let mut scenario = good_scenario();
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "t.csv", "functions_path": "functions.csv"}});
    scenario
}

#[test]
fn a_folder_that_was_moved_runs_again_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = traced(folder.path());
    let chosen =
        ["--lenient", "--seed", "7", "--set", "functions[f].ram_limit=2GB", "--interval", "0.7s", "--sample", "0.9"];
    let timeline = ["--timeline", "results/timeline.json", "--policy", "node_allocation=random"];
    let results = run_and_move(folder.path(), &scenario, &[&chosen[..], &timeline].concat());
    let said = printed(&mut again(&results));
    assert_eq!(said, format!("{}: 6 files are the same, byte for byte.\n", results.display()));
    // Its scenario alone is one that runs.
    let of_folder: Value = serde_json::from_slice(&fs::read(results.join("summary.json")).unwrap()).unwrap();
    let alone = printed(hearth().arg("run").arg(results.join("scenario.json")).arg("--json"));
    assert_eq!(serde_json::from_str::<Value>(&alone).unwrap(), of_folder);
    assert_eq!((&of_folder["seed"], &of_folder["skipped_rows"]), (&json!(7), &json!(1)));
    // Into a folder that is kept.
    let kept = folder.path().join("kept");
    again(&results).arg("--output").arg(&kept).assert().success();
    assert_eq!(fs::read(kept.join("timeseries.csv")).unwrap(), fs::read(results.join("timeseries.csv")).unwrap());
    assert_same(&kept);
}

#[test]
fn sources_inside_the_folder_move_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    fs::create_dir(&results).unwrap();
    let mut scenario = traced(&results);
    fs::rename(results.join("functions.csv"), results.join("limits.csv")).unwrap();
    (scenario["workload"]["trace"]["path"], scenario["workload"]["trace"]["functions_path"]) =
        (json!("results/t.csv"), json!("results/limits.csv"));
    let moved = run_and_move(folder.path(), &scenario, &["--lenient", "--format", "parquet"]);
    let told: Value = serde_json::from_slice(&fs::read(moved.join("scenario.json")).unwrap()).unwrap();
    assert_eq!(told["workload"]["trace"]["path"], "t.csv");
    assert!(moved.join("invocations.parquet").is_file());
    let output = again(&moved).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn workflows_platforms_and_folders_of_days_are_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let measured = json!({"name": "measured", "schemaVersion": "1.5", "workflow": {
        "specification": {"tasks": [{"name": "g_1", "id": "g_1", "parents": [], "children": []}], "files": []},
        "execution": {"makespanInSeconds": 5, "executedAt": "2026-01-01T00:00:00Z", "tasks": [{"id": "g_1", "runtimeInSeconds": 5}]}}});
    fs::write(folder.path().join("measured.json"), measured.to_string()).unwrap();
    let platform = r#"<?xml version='1.0'?><platform version="4.1"><zone id="AS0" routing="Full">
        <host id="head" speed="10Gf" core="1"/><host id="node" speed="10Gf" core="2"><prop id="ram" value="8GB"/></host>
        <link id="lan" bandwidth="1GBps" latency="10us"/>
        <route src="head" dst="node"><link_ctn id="lan"/></route></zone></platform>"#;
    fs::write(folder.path().join("platform.xml"), platform).unwrap();
    let scenario = json!({
        "format": "hearth-scenario/1", "platform": {"simgrid_xml": "platform.xml"},
        "service": {"head": "head", "registry": "head", "nodes": ["node"]}, "functions": [{"name": "f"}],
        "workflows": [{"name": "w", "wfcommons": "measured.json", "function": "f"}],
        "workload": {"invocations": [{"at": 0, "workflow": "w"}]}});
    let results = run_and_move(folder.path(), &scenario, &[]);
    assert_same(&results);
    let manifest: Value = serde_json::from_slice(&fs::read(results.join("run.json")).unwrap()).unwrap();
    let inputs = manifest["inputs"].to_string();
    assert!(inputs.contains("measured.json") && inputs.contains("platform.xml"), "{inputs}");

    let folder = tempfile::tempdir().unwrap();
    let days = folder.path().join("days");
    fs::create_dir(&days).unwrap();
    let minutes = (1..=1440).map(|minute| minute.to_string()).collect::<Vec<_>>().join(",");
    for day in ["01", "02"] {
        let counts = format!("3,2{}", ",0".repeat(1438));
        let text = format!("HashOwner,HashApp,HashFunction,Trigger,{minutes}\no,app,f{day},http,{counts}\n");
        fs::write(days.join(format!("invocations_per_function_md.anon.d{day}.csv")), text).unwrap();
    }
    let mut scenario = good_scenario();
    scenario["workload"] = json!({"trace": {"format": "azure-functions-2019", "path": "days", "days": [2]}});
    let results = run_and_move(folder.path(), &scenario, &[]);
    assert_same(&results);
    let manifest: Value = serde_json::from_slice(&fs::read(results.join("run.json")).unwrap()).unwrap();
    let inputs = manifest["inputs"].as_array().unwrap();
    assert!(inputs.len() == 1 && inputs[0]["path"].as_str().unwrap().ends_with("d02.csv"), "{inputs:?}");
}

#[test]
fn what_has_changed_is_said_and_where_the_results_differ() {
    let folder = tempfile::tempdir().unwrap();
    let mut scenario = traced(folder.path());
    scenario["workload"]["trace"]["lenient"] = json!(true);
    let results = run_and_move(folder.path(), &scenario, &[]);
    let trace = folder.path().join("t.csv");
    let text = fs::read_to_string(&trace).unwrap();
    fs::write(&trace, text.replace("9,f,2", "9,f,3")).unwrap();
    let (code, message) = failure(&mut again(&results));
    assert_eq!(code, 1, "{message}");
    let warning = format!("warning: {} is not what it was: its SHA-256 was ", trace.canonicalize().unwrap().display());
    assert!(message.starts_with(&warning), "{message}");
    assert_eq!(message.matches("is not what it was").count(), 1, "{message}");
    assert!(message.contains("error: not the same comes of it in "), "{message}");
    let of_invocations = "invocations.csv differs first in line 4, which was";
    assert!(message.contains("summary.json differs first in line ") || message.contains(of_invocations), "{message}");
    fs::write(&trace, text).unwrap();
    assert_same(&results);
    // A result that somebody has changed.
    let table = results.join("invocations.csv");
    let rows = fs::read_to_string(&table).unwrap();
    fs::write(&table, rows.replacen("completed", "invented", 1)).unwrap();
    let (code, message) = failure(&mut again(&results));
    assert_eq!(code, 1);
    let warning = format!("warning: {} is not what it was", table.display());
    assert!(message.starts_with(&warning), "{message}");
    let place =
        format!("error: not the same comes of it in 1 of 5 files: {} differs first in line 2, ", table.display());
    assert!(message.contains(&place), "{message}");
    let [was, is] =
        ["invented", "completed"].map(|word| message.lines().any(|line| line.contains(&format!(",{word},"))));
    assert!(was && is, "{message}");
    fs::write(&table, rows).unwrap();
    // Another version, and a source that is gone.
    let manifest = fs::read_to_string(results.join("run.json")).unwrap();
    let version = concat!("\"hearth\": \"", env!("CARGO_PKG_VERSION"), "\"");
    fs::write(results.join("run.json"), manifest.replace(version, "\"hearth\": \"0.0.1\"")).unwrap();
    fs::remove_file(folder.path().join("functions.csv")).unwrap();
    let (code, message) = failure(&mut again(&results));
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("was written by hearth 0.0.1, this is "), "{message}");
    assert!(message.contains("functions.csv cannot be read: "), "{message}");
}

#[test]
fn a_run_is_repeated_as_it_was_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let results = run_and_move(folder.path(), &good_scenario(), &[]);
    let refused = |more: &[&str], expected: &str| {
        let (code, message) = failure(again(&results).args(more));
        assert_eq!(code, 2, "{message}");
        assert!(message.contains(expected), "{more:?}: {message}");
    };
    for more in [&["--seed", "4"][..], &["--set", "seed=4"], &["--policy", "node_allocation=random"], &["--lenient"]] {
        refused(more, "--platform, --set, --policy, --seed, --lenient or --from-first: ");
    }
    refused(&["--interval", "1s"], "--interval: ");
    refused(&["--sample", "0.5"], "is run as it was: to change something, run ");
    refused(&["--output", results.to_str().unwrap(), "--overwrite"], "holds what is compared with");
    assert_same(&results);
    let manifest = fs::read_to_string(results.join("run.json")).unwrap();
    for state in ["running", "interrupted"] {
        fs::write(results.join("run.json"), manifest.replace("\"finished\"", &format!("{state:?}"))).unwrap();
        refused(&[], "did not come to its end, so there is nothing to compare with: run ");
    }
}

#[test]
fn a_run_of_a_sweep_runs_again_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut scenario = traced(folder.path());
    scenario["policies"] = json!({"node_allocation": {"use": "random"}});
    fs::write(folder.path().join("scenario.json"), scenario.to_string()).unwrap();
    let mut command = hearth();
    command.current_dir(folder.path()).args([
        "sweep",
        "scenario.json",
        "--lenient",
        "--output",
        "sweep",
        "--seeds",
        "1,2",
    ]);
    command.args(["--vary", "functions[f].ram_limit=1GB,2GB", "--interval", "2s"]).assert().success();
    let runs: Vec<PathBuf> =
        fs::read_dir(folder.path().join("sweep/runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(runs.len(), 4);
    for run in runs {
        let copy = folder.path().join("copy");
        fs::rename(&run, &copy).unwrap();
        assert_same(&copy);
        fs::rename(&copy, &run).unwrap();
    }
    let (code, message) = failure(&mut again(&folder.path().join("sweep")));
    assert!(code == 2 && message.contains("is the folder of a sweep: name one of its runs"), "{message}");
}
