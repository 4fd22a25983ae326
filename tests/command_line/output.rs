//! What the command prints and writes when all is well.

use serde_json::Value;

use crate::{hearth, project_path};

fn stdout(arguments: &[&str]) -> String {
    let output = hearth().args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn quickstart() -> String {
    project_path("examples/quickstart.json").to_str().unwrap().to_owned()
}

/// What is printed but for how long it took, which comes last: in all, and by slot.
fn without_times(text: &str) -> &str {
    let end = text.find(" events in ").unwrap();
    let (table, _) = text[..end].rsplit_once('\n').unwrap();
    let by_slot = text[end..].split_once(", of which policies took\n").unwrap().1;
    assert!(by_slot.lines().all(|line| line.contains(" in ") && line.ends_with(" each")), "{by_slot}");
    assert!(by_slot.contains("    node_allocation "), "{by_slot}");
    table
}

#[test]
fn the_quickstart_prints_a_table() {
    let text = stdout(&["run", &quickstart()]);
    insta::assert_snapshot!(without_times(&text));
}

#[test]
fn workflows_faults_cost_and_energy_are_in_the_table() {
    let text = stdout(&["run", project_path("examples/workflows.json").to_str().unwrap()]);
    insta::assert_snapshot!(without_times(&text));
}

#[test]
fn the_policies_are_listed_with_their_parameters() {
    insta::assert_snapshot!(stdout(&["policies"]));
}

#[test]
fn help_is_printed_for_every_command() {
    insta::assert_snapshot!(stdout(&["--help"]));
    for command in ["run", "compare", "sweep", "report", "validate", "policies", "trace", "schema"] {
        assert!(stdout(&[command, "--help"]).contains("Usage: hearth"), "{command}");
    }
}

#[test]
fn json_is_the_summary_alone_and_the_same_as_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().to_str().unwrap();
    let printed = stdout(&["run", &quickstart(), "--json", "--output", output]);
    let text = std::fs::read_to_string(folder.path().join("summary.json")).unwrap();
    assert_eq!(printed, text);
    let written: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written["outcomes"]["completed"], 32);
    assert_eq!(written["policies"]["keep_alive"]["parameters"]["timeout"], "120s");
}

#[test]
fn the_table_of_invocations_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    stdout(&["run", &quickstart(), "--invocations", "none", "--output", folder.path().to_str().unwrap()]);
    assert!(folder.path().join("summary.json").exists());
    assert!(!folder.path().join("invocations.csv").exists());
}

#[test]
fn values_policies_and_seeds_can_be_set() {
    let summary = |more: &[&str]| -> Value {
        let quickstart = quickstart();
        let arguments = [&["run", &quickstart, "--json"], more].concat();
        serde_json::from_str(&stdout(&arguments)).unwrap()
    };
    let changed = summary(&[
        "--set",
        "policies.keep_alive.parameters.timeout=0",
        "--seed",
        "7",
        "--policy",
        "eviction.containers=ram",
    ]);
    assert_eq!(changed["warm_starts"], 0);
    assert_eq!(changed["seed"], 7);
    assert_eq!(changed["policies"]["eviction.containers"]["name"], "ram");
    let stopped = summary(&["--set", "horizon=30"]);
    assert_eq!(stopped["outcomes"]["unfinished"], 26);
}

#[test]
fn a_valid_scenario_is_said_to_be_valid() {
    let text = stdout(&["validate", &quickstart()]);
    assert!(text.ends_with("quickstart.json is valid: 3 functions on 3 nodes.\n"), "{text}");
}

#[test]
fn the_schema_names_every_part_of_a_scenario() {
    let schema: Value = serde_json::from_str(&stdout(&["schema"])).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    for part in ["format", "platform", "service", "images", "files", "functions", "workload", "policies", "horizon"] {
        assert!(schema["properties"][part].is_object(), "{part}");
    }
    assert!(schema["$defs"]["Bytes"]["anyOf"][1]["pattern"].as_str().unwrap().contains("GiB"));
}

/// A run that would take minutes.
fn endless(folder: &std::path::Path) -> String {
    let mut scenario = super::good_scenario();
    let functions = serde_json::json!({"count": 100, "zipf": 1, "ram": {"constant": 1e6}});
    scenario["workload"] = serde_json::json!({"generate": {"arrivals": {"poisson": {"rate": 2}},
        "requests": 2_000_000_000_u64, "functions": functions, "run_time": {"constant": 0.5}}});
    let file = folder.join("endless.json");
    std::fs::write(&file, scenario.to_string()).unwrap();
    file.display().to_string()
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_writes_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_hearth"))
        .args(["run", &endless(folder.path()), "--invocations", "none", "--output"])
        .arg(&results)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Its files are made just before it starts.
    while !results.join("summary.json").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "error: interrupted: the results are of what had happened up to then\n");
    assert!(String::from_utf8(output.stdout).unwrap().contains("  invocations"));
    let summary = std::fs::read_to_string(results.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!((&summary["interrupted"], &summary["stopped_by"]), (&true.into(), &"Ctrl-C".into()));
    assert!(summary["outcomes"]["completed"].as_u64().unwrap() > 0);
}

#[test]
fn the_scenarios_of_the_studies_are_valid() {
    let mut studies = 0;
    for study in std::fs::read_dir(project_path("docs/studies")).unwrap() {
        let scenario = study.unwrap().path().join("scenario.json");
        if scenario.is_file() {
            hearth().arg("validate").arg(scenario).assert().success();
            studies += 1;
        }
    }
    assert_eq!(studies, 5);
}
