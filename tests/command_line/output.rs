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

#[test]
fn the_quickstart_prints_a_table() {
    let text = stdout(&["run", &quickstart()]);
    // The last line tells how long it took.
    let (table, timing) = text.trim_end().rsplit_once('\n').unwrap();
    assert!(timing.contains("events in"), "{timing}");
    insta::assert_snapshot!(table);
}

#[test]
fn the_policies_are_listed_with_their_parameters() {
    insta::assert_snapshot!(stdout(&["policies"]));
}

#[test]
fn help_is_printed_for_every_command() {
    insta::assert_snapshot!(stdout(&["--help"]));
    for command in ["run", "validate", "policies", "schema"] {
        assert!(stdout(&[command, "--help"]).contains("Usage: hearth"), "{command}");
    }
}

#[test]
fn json_is_the_summary_alone_and_the_same_as_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().to_str().unwrap();
    let mut printed: Value =
        serde_json::from_str(&stdout(&["run", &quickstart(), "--json", "--output", output])).unwrap();
    let text = std::fs::read_to_string(folder.path().join("summary.json")).unwrap();
    let mut written: Value = serde_json::from_str(&text).unwrap();
    for summary in [&mut printed, &mut written] {
        assert!(summary["wall_s"].take().is_number());
    }
    assert_eq!(printed, written);
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
