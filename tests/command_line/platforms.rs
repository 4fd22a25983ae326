//! Platforms by name, from outside: what is listed, and what comes of a scenario over one.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{failure, hearth, printed};

fn write(folder: &Path, name: &str, scenario: &Value) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, scenario.to_string()).unwrap();
    file
}

/// What is the least to say, over a platform.
fn over(base: Option<&str>) -> Value {
    let mut scenario = json!({
        "format": "hearth-scenario/1",
        "functions": [{"name": "f", "ram_limit": "128MB", "body": [{"sleep": 1}]}],
        "workload": {"invocations": [{"at": 0, "function": "f"}, {"at": 30, "function": "f"}]},
    });
    if let Some(base) = base {
        scenario["base"] = json!(base);
    }
    scenario
}

fn read(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn the_platforms_are_listed() {
    insta::assert_snapshot!(printed(hearth().arg("platforms")));
    insta::assert_snapshot!(printed(hearth().args(["platforms", "openwhisk"])));
}

#[test]
fn each_is_told_of_and_is_json_too() {
    let all: Value = serde_json::from_str(&printed(hearth().args(["platforms", "--json"]))).unwrap();
    for preset in all.as_array().unwrap() {
        let name = preset["name"].as_str().unwrap();
        let one: Value = serde_json::from_str(&printed(hearth().args(["platforms", name, "--json"]))).unwrap();
        assert_eq!(one, *preset);
        let told = printed(hearth().args(["platforms", name]));
        let (settings, rest) = told.split_once("\nwhere they come from\n").unwrap();
        let settings: Vec<&str> = settings.lines().filter(|line| line.ends_with(']')).collect();
        assert!(settings.len() > 10, "{told}");
        for setting in settings {
            let number = &setting[setting.rfind('[').unwrap()..];
            assert!(rest.contains(&format!("  {number} ")), "{setting}");
        }
    }
    let (code, message) = failure(hearth().args(["platforms", "openwisk"]));
    assert!(code == 2 && message.contains("a similar value exists: 'openwhisk'"), "{message}");
}

/// In the file, by the option, and from the merged scenario of the results: the same bytes.
#[test]
fn a_platform_in_the_file_and_by_option_are_the_same_and_results_need_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let named = write(path, "named.json", &over(Some("knative")));
    let plain = write(path, "plain.json", &over(None));
    let run = |arguments: &[&str], output: &str| {
        printed(hearth().arg("run").args(arguments).arg("--output").arg(path.join(output)));
        let text = |name: &str| fs::read_to_string(path.join(output).join(name)).unwrap();
        (text("invocations.csv"), text("instances.csv"), text("summary.json"), text("scenario.json"))
    };
    let in_file = run(&[named.to_str().unwrap()], "in-file");
    assert_eq!(in_file, run(&[plain.to_str().unwrap(), "--platform", "knative"], "option"));
    assert_eq!(in_file, run(&[named.to_str().unwrap(), "--platform", "knative"], "both"));
    let scenario = path.join("in-file/scenario.json");
    assert_eq!(read(&scenario)["base"], json!({"merged": "knative"}));
    assert_eq!(in_file, run(&[scenario.to_str().unwrap()], "again"));
    assert!(printed(hearth().arg("run").arg(path.join("in-file"))).contains("are the same, byte for byte"));
    assert!(printed(hearth().args(["validate", "--platform", "lambda"]).arg(&plain)).contains("is valid"));

    let refused = |file: &Path| failure(hearth().args(["run", "--platform", "lambda"]).arg(file));
    let (code, message) = refused(&named);
    assert!(code == 2 && message.contains("--platform lambda: the base of"), "{message}");
    assert!(message.ends_with("is \"knative\": leave one of them out, or --set base=lambda"), "{message}");
    let (code, message) = refused(&scenario);
    assert!(code == 2 && message.contains("the settings of \"knative\" stand in the scenario already"), "{message}");
    printed(hearth().args(["validate", "--set", "base=lambda"]).arg(&named));
}

/// What is set is set in the whole, whatever comes first.
#[test]
fn values_are_set_in_the_merged_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "plain.json", &over(None));
    let output = folder.path().join("output");
    let set = ["--set", "platform.hosts[node].count=3", "--policy", "autoscaling=concurrency", "--platform", "knative"];
    printed(hearth().arg("run").arg(&file).args(set).arg("--output").arg(&output));
    let scenario = read(&output.join("scenario.json"));
    assert_eq!(scenario["platform"]["hosts"][1]["count"], 3);
    assert_eq!(scenario["policies"]["autoscaling"], json!({"use": "concurrency"}));
    assert_eq!(scenario["policies"]["node_allocation"], json!({"use": "least-loaded"}), "as on the platform");
}

#[test]
fn platforms_are_compared_like_any_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "plain.json", &over(None));
    let sweep = |output: &str, more: &[&str]| {
        let output = folder.path().join(output);
        printed(hearth().arg("sweep").arg(&file).args(["--quiet", "--output"]).arg(&output).args(more));
        let mut runs: Vec<PathBuf> =
            fs::read_dir(output.join("runs")).unwrap().map(|run| run.unwrap().path()).collect();
        runs.sort();
        runs
    };
    let runs = sweep("platforms", &["--vary", "base=knative,openwhisk"]);
    let mut bases: Vec<Value> =
        runs.iter().map(|run| read(&run.join("scenario.json"))["base"]["merged"].take()).collect();
    bases.sort_by_key(Value::to_string);
    assert_eq!(bases, ["knative", "openwhisk"]);
    // A run alone is that of the sweep, under another key: its settings are others.
    let alone = sweep("alone", &["--platform", "openwhisk"]);
    let invocations = |run: &Path| fs::read_to_string(run.join("summary.json")).unwrap();
    assert!(runs.iter().any(|run| invocations(run) == invocations(&alone[0])));
}
