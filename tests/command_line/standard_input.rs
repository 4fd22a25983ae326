//! `-` as the scenario is standard input.

use std::fs;

use super::{failure, good_scenario, hearth, printed, project_path};

#[test]
fn a_scenario_on_standard_input_is_that_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(project_path("examples/quickstart.json")).unwrap();
    let file = folder.path().join("scenario.json");
    fs::write(&file, &text).unwrap();
    let outputs = ["file", "input"].map(|name| folder.path().join(name));
    for (scenario, output) in [file.to_str().unwrap(), "-"].into_iter().zip(&outputs) {
        let mut command = hearth();
        command.args(["run", scenario, "--seed", "3", "--output"]).arg(output).write_stdin(text.clone());
        command.assert().success();
    }
    for name in ["summary.json", "invocations.csv", "scenario.json"] {
        let [of_file, of_input] = outputs.each_ref().map(|output| fs::read(output.join(name)).unwrap());
        assert_eq!(of_file, of_input, "{name}");
    }
    let said = printed(hearth().args(["validate", "-"]).write_stdin(text.clone()));
    assert_eq!(said, "standard input is valid: 3 functions on 3 nodes.\n");
    let policies = ["--policy", "keep_alive=fixed", "--policy", "keep_alive=no-keep-alive"];
    let compare =
        |scenario: &str| printed(hearth().args(["compare", scenario]).args(policies).write_stdin(text.clone()));
    assert_eq!(compare("-"), compare(file.to_str().unwrap()));
    let output = folder.path().join("sweep");
    let mut sweep = hearth();
    sweep.args(["sweep", "-", "--seeds", "1..2", "--output"]).arg(&output).write_stdin(text);
    sweep.assert().success();
    assert_eq!(fs::read_dir(output.join("runs")).unwrap().count(), 2);
}

#[test]
fn relative_paths_on_standard_input_start_in_the_current_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.csv"), "arrival_s,function,duration_s\n0,f,1\n5,f,1\n").unwrap();
    let mut scenario = good_scenario();
    scenario["workload"] = serde_json::json!({"trace": {"format": "csv", "path": "t.csv"}});
    let text = scenario.to_string();
    let mut command = hearth();
    command.current_dir(folder.path()).args(["run", "-", "--output", "out"]).write_stdin(text.clone());
    assert!(printed(&mut command).contains("invocations          2"));
    // The folder runs again from anywhere.
    hearth().arg("run").arg(folder.path().join("out")).assert().success();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = hearth();
    command.current_dir(elsewhere.path()).args(["run", "-"]).write_stdin(text);
    let (code, message) = failure(&mut command);
    assert!(code == 2 && message.starts_with("error: standard input: workload.trace: t.csv"), "{message}");
}

#[test]
fn what_is_no_scenario_is_said_of_standard_input() {
    for (text, expected) in [
        (&b""[..], "error: standard input: not valid JSON: EOF while parsing a value at line 1 column 0"),
        (b"{}", "error: standard input: the scenario: missing field `format`"),
        (b"{\"name\": \"caf\xe9\"}", "error: standard input: is not UTF-8 text: byte 13 is wrong"),
    ] {
        for command in ["run", "validate"] {
            let (code, message) = failure(hearth().args([command, "-"]).write_stdin(text));
            assert!(code == 2 && message.starts_with(expected), "{message}");
        }
    }
}
