//! The plan of a sweep: what it says, who may use it, and what it refuses.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::sweep::{read_json, scenario};
use super::sweep_work::{manifests, packed};
use super::{failure, hearth, printed};

/// A plan of two seeds whose scenario reads a trace.
fn plan_with_trace(folder: &Path) -> String {
    let trace = "arrival_s,function,duration_s\n1.000000000,f,2.000000000\n2.000000000,f,1.000000000\n";
    fs::write(folder.join("trace.csv"), trace).unwrap();
    let file = scenario(folder);
    let mut scenario = read_json(Path::new(&file));
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "trace.csv", "default_ram": {"constant": 1e6}}});
    fs::write(&file, scenario.to_string()).unwrap();
    let plan = folder.join("sweep").to_str().unwrap().to_owned();
    printed(hearth().args(["sweep", &file, "--seeds", "1,2", "--plan", "--output", &plan]));
    plan
}

#[test]
fn a_plan_says_all_that_its_runs_need() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan_with_trace(folder.path());
    let said = read_json(&Path::new(&plan).join("plan.json"));
    assert_eq!((&said["format"], &said["hearth"]), (&json!("hearth-plan/1"), &json!(env!("CARGO_PKG_VERSION"))));
    let trace = std::path::absolute(folder.path().join("trace.csv")).unwrap();
    let sum = std::process::Command::new("sha256sum").arg(&trace).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    let input = json!({"path": trace, "sha256": sum.split_whitespace().next()});
    assert_eq!(said["inputs"], json!([input]));
    assert_eq!(said["scenario"]["text"], fs::read_to_string(folder.path().join("scenario.json")).unwrap());
    printed(hearth().args(["sweep", "work", &plan, "--share", "1/1"]));
    let key = |run: &serde_json::Value| run["key"].as_str().unwrap().to_owned();
    let mut planned: Vec<String> = said["runs"].as_array().unwrap().iter().map(key).collect();
    let mut done: Vec<String> = manifests(Path::new(&plan)).iter().map(key).collect();
    planned.sort();
    done.sort();
    assert_eq!(done, planned);
}

#[test]
fn what_has_changed_since_is_refused_with_its_cure() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan_with_trace(folder.path());
    let file = Path::new(&plan).join("plan.json");
    let text = fs::read_to_string(&file).unwrap();
    let refused = |expected: &str| {
        let (code, message) = failure(hearth().args(["sweep", "work", &plan, "--share", "1/1"]));
        assert_eq!(code, 2, "{message}");
        assert!(message.contains(expected), "{expected}: {message}");
        assert_eq!(packed(Path::new(&plan)).len(), 0, "nothing has been run");
    };
    let version = format!("\"hearth\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let changes = [
        (version.as_str(), "\"hearth\": \"0.0.1\"", "was written by hearth \"0.0.1\", this is"),
        ("hearth-plan/1", "hearth-plan/2", "found format \"hearth-plan/2\", expected \"hearth-plan/1\""),
        ("\\\"seed\\\":5", "\\\"seed\\\":6", "plan.json is not the plan of these runs any more, beginning with seed=1"),
        ("\"seed\": 1", "\"seed\": 3", "its runs are not those of its values and seeds"),
        ("\"stale_after_s\": 120.0", "\"stale_after_s\": -1.0", "is not what Hearth writes: stale_after_s"),
        ("\"policy_timeout_s\": 10.0", "\"policy_timeout_s\": -1.0", "is not what Hearth writes: options"),
        ("\"key\": \"", "\"key\": \"ä", "its runs are not those"),
        ("{", "[", "is not what Hearth writes"),
    ];
    for (from, to, expected) in changes {
        assert!(text.contains(from), "{from}: {text}");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        refused(expected);
    }
    fs::write(&file, &text).unwrap();
    let trace = folder.path().join("trace.csv");
    let before = fs::read_to_string(&trace).unwrap();
    fs::write(&trace, before.replace("1.000000000,f,2", "1.000000000,f,3")).unwrap();
    refused("trace.csv is not what was planned with: its SHA-256 was ");
    refused("put back what was there, or plan again with --plan --resume");
    fs::remove_file(&trace).unwrap();
    refused("trace.csv");
    fs::write(&trace, before).unwrap();
    printed(hearth().args(["sweep", "work", &plan, "--share", "1/1"]));
    // Tables are made of the results alone.
    fs::remove_file(&trace).unwrap();
    printed(hearth().args(["sweep", "collect", &plan]));
}

#[test]
fn a_plan_whose_scenario_lies_beside_it_moves_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let before = folder.path().join("before");
    fs::create_dir(&before).unwrap();
    let scenario = scenario(&before);
    printed(hearth().args(["sweep", &scenario, "--plan", "--output", before.to_str().unwrap()]));
    assert_eq!(read_json(&before.join("plan.json"))["scenario"]["file"], "scenario.json");
    let after = folder.path().join("after");
    fs::rename(&before, &after).unwrap();
    let mut worker = hearth();
    printed(worker.current_dir(&after).args(["sweep", "work", ".", "--share", "1/1"]));
    printed(hearth().args(["sweep", "collect", after.to_str().unwrap()]));
}

#[test]
fn runs_that_are_there_count_and_a_plan_is_replaced_when_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let output = folder.path().join("sweep");
    let sweep = |seeds: &str, more: &[&str]| {
        let mut command = hearth();
        command.args(["sweep", &scenario, "--seeds", seeds, "--output"]).arg(&output).args(more);
        command
    };
    printed(&mut sweep("1,2", &[]));
    let (code, message) = failure(&mut sweep("1..3", &["--plan"]));
    assert!(
        code == 2 && message.ends_with("holds runs already: go on with --resume, or name another folder"),
        "{message}"
    );
    printed(&mut sweep("1..3", &["--plan", "--resume"]));
    for more in [&[][..], &["--resume"]] {
        let (code, message) = failure(&mut sweep("1,2", more));
        let expected = "holds a plan: go on with `hearth sweep work`, or name another folder";
        assert!(code == 2 && message.ends_with(expected), "{message}");
    }
    let (code, message) = failure(&mut sweep("1,2", &["--plan"]));
    assert!(code == 2 && message.ends_with("replace it with --resume, or name another folder"), "{message}");
    let told = printed(hearth().args(["sweep", "work", "--share", "1/1"]).arg(&output));
    assert!(told.ends_with("1 runs done, 2 were done by others\n"), "{told}");
    printed(&mut sweep("1..4", &["--plan", "--resume"]));
    let told = printed(hearth().args(["sweep", "status"]).arg(&output));
    assert!(told.starts_with("3 of 4 runs done, 0 running, 0 failed, 1 open\n"), "{told}");
}

#[test]
fn scenarios_and_commands_for_plans_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = scenario(folder.path());
    fs::rename(file, folder.path().join("work")).unwrap();
    let mut named = hearth();
    printed(named.current_dir(folder.path()).args(["sweep", "./work", "--output", "out", "--quiet"]));
    let wrong: [(&[&str], &str); 6] = [
        (&["sweep"], "--output <DIR>"),
        (&["sweep", "work"], "<FOLDER>"),
        (&["sweep", "work", "nowhere", "--claim"], "plan.json: cannot be read"),
        (&["sweep", "work", "out", "--share", "0/3"], "expected I/N, as in 3/100, with I from 1 to N"),
        (&["sweep", "work", "out", "--share", "1/3", "--claim"], "cannot be used with"),
        (&["sweep", "./work", "--output", "other", "--stale-after", "1min"], "--plan"),
    ];
    for (arguments, expected) in wrong {
        let (code, message) = failure(hearth().current_dir(folder.path()).args(arguments));
        assert!(code == 2 && message.contains(expected), "{arguments:?}: {message}");
    }
    let help = printed(hearth().args(["sweep", "--help"]));
    assert!(help.contains("./work, ./status or ./collect"), "{help}");
}
