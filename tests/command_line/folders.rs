//! Whose a folder of results is: one run's or one sweep's, one process's at a time, and nobody's files are lost.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{failure, good_scenario, hearth, printed, project_path};

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn example(name: &str) -> String {
    project_path("examples").join(name).display().to_string()
}

/// `hearth run` of an example into a folder.
fn run(scenario: &str, output: &Path, more: &[&str]) -> assert_cmd::Command {
    let mut command = hearth();
    command.args(["run", &example(scenario), "--output"]).arg(output).args(more);
    command
}

#[test]
fn a_folder_holds_one_run_and_what_else_lies_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let [output, fresh] = ["out", "fresh"].map(|name| folder.path().join(name));
    let timeline = output.join("timeline.json").display().to_string();
    run("workflows.json", &output, &["--timeline", &timeline]).assert().success();
    fs::write(output.join("notes.txt"), "mine").unwrap();
    let before = names(&output);
    assert!(before.contains("workflows.csv") && before.contains("timeline.json"), "{before:?}");
    let (code, message) = failure(&mut run("quickstart.json", &output, &[]));
    let cure = "holds a run already: replace it with --overwrite, or name another folder";
    assert_eq!((code, message), (2, format!("error: --output {}: {cure}", output.display())));
    assert_eq!(names(&output), before);
    hearth().arg("report").arg(&output).assert().success();
    hearth().arg("report").arg(&output).args(["--format", "svg"]).assert().success();
    assert!(output.join("figures/latency-cdf.svg").is_file());
    run("quickstart.json", &output, &["--overwrite", "--format", "parquet"]).assert().success();
    run("quickstart.json", &fresh, &["--format", "parquet"]).assert().success();
    let expected = names(&fresh).into_iter().chain(["notes.txt".to_owned()]).collect();
    assert_eq!(names(&output), expected, "no file of the first run, its page and pictures");
    run("quickstart.json", &output, &["--overwrite"]).assert().success();
    assert!(output.join("invocations.csv").is_file() && !output.join("invocations.parquet").exists());
    assert_eq!(fs::read_to_string(output.join("notes.txt")).unwrap(), "mine");
}

#[test]
fn files_of_unknown_origin_are_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("scenario.json");
    fs::write(&precious, good_scenario().to_string()).unwrap();
    let before = fs::read_to_string(&precious).unwrap();
    for more in [&[][..], &["--overwrite"]] {
        let mut command = hearth();
        command.current_dir(folder.path()).args(["run", "scenario.json", "--output", "."]).args(more);
        let (code, message) = failure(&mut command);
        let expected = "error: --output .: holds scenario.json, which is not of a run that is there: move it away, or \
                        name another folder";
        assert_eq!((code, message.as_str()), (2, expected));
    }
    assert_eq!(fs::read_to_string(&precious).unwrap(), before);
    assert_eq!(names(folder.path()), BTreeSet::from(["scenario.json".to_owned()]));
    // A manifest that somebody has changed takes nothing from elsewhere with it.
    let output = folder.path().join("out");
    run("quickstart.json", &output, &[]).assert().success();
    let manifest = fs::read_to_string(output.join("run.json")).unwrap();
    fs::write(output.join("run.json"), manifest.replace("\"functions.csv\"", "\"../scenario.json\"")).unwrap();
    let (code, message) = failure(&mut run("quickstart.json", &output, &["--overwrite"]));
    assert!(code == 2 && message.contains("is no file in this folder"), "{message}");
    assert_eq!(fs::read_to_string(&precious).unwrap(), before);
}

#[test]
fn what_a_scenario_reads_is_not_removed_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    run("quickstart.json", &output, &[]).assert().success();
    let mut scenario = good_scenario();
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "out/mine.csv"}});
    let file = folder.path().join("traced.json");
    fs::write(&file, scenario.to_string()).unwrap();
    fs::rename(output.join("invocations.csv"), output.join("mine.csv")).unwrap();
    fs::write(output.join("mine.csv"), "arrival_s,function,duration_s\n0,f,1\n").unwrap();
    // As a file that the run of before wrote.
    let manifest = fs::read_to_string(output.join("run.json")).unwrap();
    fs::write(output.join("run.json"), manifest.replace("\"invocations.csv\"", "\"mine.csv\"")).unwrap();
    let mut command = hearth();
    command.arg("run").arg(&file).arg("--output").arg(&output).arg("--overwrite");
    let (code, message) = failure(&mut command);
    assert!(code == 2 && message.contains("holds mine.csv, which the scenario reads"), "{message}");
    assert!(output.join("mine.csv").is_file());
    // Its own scenario has been read when it is replaced.
    let again = output.join("scenario.json");
    fs::remove_file(output.join("mine.csv")).unwrap();
    hearth().arg("run").arg(again).arg("--output").arg(&output).arg("--overwrite").assert().success();
}

#[test]
fn a_report_shows_what_the_run_wrote_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let [with, without] = ["with", "without"].map(|name| folder.path().join(name));
    let timeline = with.join("timeline.json").display().to_string();
    run("workflows.json", &with, &["--explain", "--timeline", &timeline]).assert().success();
    run("quickstart.json", &without, &["--interval", "0"]).assert().success();
    for name in ["timeline.json", "timeseries.csv", "causes.csv"] {
        fs::copy(with.join(name), without.join(name)).unwrap();
    }
    hearth().arg("report").arg(&without).assert().success();
    let page = fs::read_to_string(without.join("report.html")).unwrap();
    let of_another = ["run-0-spans-0", "requests-over-time", "\"family\":"];
    assert!(of_another.iter().all(|part| !page.contains(part)), "of another run");
    hearth().arg("report").arg(&with).assert().success();
    let page = fs::read_to_string(with.join("report.html")).unwrap();
    assert!(of_another.iter().all(|part| page.contains(part)));
    let mut command = hearth();
    command.arg("report").arg(&without).arg("--output").arg(without.join("summary.json"));
    let (code, message) = failure(&mut command);
    assert_eq!(
        (code, message.as_str()),
        (2, "error: --output: summary.json is a result of the run: name another file")
    );
    // A run that was killed has left files that say nothing.
    let manifest = fs::read_to_string(without.join("run.json")).unwrap();
    fs::write(without.join("run.json"), manifest.replace("\"finished\"", "\"running\"")).unwrap();
    let (code, message) = failure(hearth().arg("report").arg(&without));
    assert!(code == 2 && message.contains("has not ended, or was killed"), "{message}");
}

#[test]
fn runs_and_sweeps_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let [of_run, of_sweep] = ["run", "sweep"].map(|name| folder.path().join(name));
    run("quickstart.json", &of_run, &[]).assert().success();
    let sweep = |output: &Path, more: &[&str]| {
        let mut command = hearth();
        command.args(["sweep", &example("quickstart.json"), "--seeds", "1,2", "--output"]).arg(output).args(more);
        command
    };
    sweep(&of_sweep, &[]).assert().success();
    let (code, message) = failure(&mut run("quickstart.json", &of_sweep, &["--overwrite"]));
    assert!(code == 2 && message.ends_with("holds a sweep: name another folder"), "{message}");
    for more in [&[][..], &["--resume"]] {
        let (code, message) = failure(&mut sweep(&of_run, more));
        assert!(code == 2 && message.ends_with("holds a run: name another folder"), "{message}");
    }
    let used = folder.path().join("used");
    fs::create_dir(&used).unwrap();
    fs::write(used.join("results.csv"), "mine").unwrap();
    let (code, message) = failure(&mut sweep(&used, &[]));
    assert!(code == 2 && message.contains("holds results.csv, which is not of a sweep that is there"), "{message}");
    assert_eq!(fs::read_to_string(used.join("results.csv")).unwrap(), "mine");
    let (_, message) = failure(&mut sweep(&of_sweep, &[]));
    assert!(message.ends_with("holds runs already: go on with --resume, or name another folder"), "{message}");
}

#[test]
fn a_timeline_elsewhere_is_replaced_only_when_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = folder.path().join("t.json");
    let command = |more: &[&str]| {
        let mut command = hearth();
        command.args(["run", &example("quickstart.json"), "--timeline"]).arg(&timeline).args(more);
        command
    };
    command(&[]).assert().success();
    let (code, message) = failure(&mut command(&[]));
    assert!(code == 2 && message.contains("t.json is there already: replace it with --overwrite"), "{message}");
    command(&["--overwrite"]).assert().success();
    let output = folder.path().join("out");
    let wrong = output.join("summary.json").display().to_string();
    let (code, message) = failure(&mut run("quickstart.json", &output, &["--timeline", &wrong]));
    assert!(code == 2 && message.contains("is the name of another file of the results"), "{message}");
}

#[test]
fn traces_are_not_written_over_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let text = "arrival_s,function,duration_s\n1.000000000,f,2.000000000\n";
    let [one, other] = ["one.csv", "other.csv"].map(|name| folder.path().join(name));
    [&one, &other].iter().for_each(|file| fs::write(file, text).unwrap());
    let convert = |to: &Path, more: &[&str]| {
        let mut command = hearth();
        command.args(["trace", "convert"]).arg(&one).arg("--output").arg(to).args(more);
        command
    };
    for more in [&[][..], &["--overwrite"]] {
        let (code, message) = failure(&mut convert(&one, more));
        assert!(code == 2 && message.ends_with("one.csv: is what is read: name another file"), "{message}");
        assert_eq!(fs::read_to_string(&one).unwrap(), text);
    }
    fs::write(&other, "mine").unwrap();
    let (code, message) = failure(&mut convert(&other, &[]));
    assert!(code == 2 && message.contains("is there already: replace it with --overwrite"), "{message}");
    assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
    convert(&other, &["--overwrite"]).assert().success();
    assert_eq!(fs::read_to_string(&other).unwrap(), text);
}

/// A run, or a sweep, that would take hours.
fn endless(folder: &Path, command: &[&str], output: &Path) -> Child {
    let mut scenario = good_scenario();
    let functions = json!({"count": 100, "zipf": 1, "ram": {"constant": 1e6}});
    scenario["workload"] = json!({"generate": {"arrivals": {"poisson": {"rate": 2}},
        "requests": 2_000_000_000_u64, "functions": functions, "run_time": {"constant": 0.5}}});
    let file = folder.join("endless.json");
    fs::write(&file, scenario.to_string()).unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_hearth"));
    process.arg(command[0]).arg(&file).args(&command[1..]).arg("--output").arg(output);
    process.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn wait_for(is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn one_process_at_a_time_writes_into_a_folder_and_a_killed_one_holds_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let commands: [(&[&str], &[&str]); 3] = [
        (&["run", "--invocations", "none"], &["--overwrite"]),
        (&["sweep", "--seeds", "1..4"], &["--resume"]),
        (&["compare", "--policy", "keep_alive=fixed", "--policy", "keep_alive=adaptive"], &["--resume"]),
    ];
    for (number, (command, again)) in commands.into_iter().enumerate() {
        let output = folder.path().join(number.to_string());
        let mut first = endless(folder.path(), command, &output);
        let is_at_work = || match number {
            0 => output.join("timeseries.csv").is_file(),
            _ => fs::read_dir(output.join("runs")).is_ok_and(|mut runs| runs.next().is_some()),
        };
        wait_for(is_at_work);
        let before = names(&output);
        let second = |more: &[&str]| {
            let mut second = hearth();
            second.arg(command[0]).arg(example("quickstart.json")).args(&command[1..]);
            second.arg("--output").arg(&output).args(more);
            second
        };
        for more in [&[][..], again] {
            let (code, message) = failure(&mut second(more));
            let expected = format!("error: --output {}: another hearth (process {}", output.display(), first.id());
            assert_eq!(code, 2, "{message}");
            assert!(message.starts_with(&expected), "{message}");
            assert!(
                message.ends_with("is writing there: wait until it has ended, or name another folder"),
                "{message}"
            );
        }
        assert!(names(&output).is_superset(&before), "nothing is lost");
        assert!(first.try_wait().unwrap().is_none(), "the first one goes on");
        first.kill().unwrap();
        first.wait().unwrap();
        // The lock ended with the process; what is left is known to be a run's that has not ended.
        second(again).assert().success();
        assert!(!output.join(".hearth.lock").exists());
    }
}

#[test]
fn two_sweeps_at_once_leave_one_whole() {
    let folder = tempfile::tempdir().unwrap();
    let [both, alone] = ["both", "alone"].map(|name| folder.path().join(name));
    let sweep = |output: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
        command.args(["sweep", &example("quickstart.json"), "--seeds", "1..20", "--resume", "--output"]).arg(output);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let processes: Vec<Child> = (0..4).map(|_| sweep(&both).spawn().unwrap()).collect();
    let mut done = 0;
    for process in processes {
        let output = process.wait_with_output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        match output.status.code() {
            Some(0) => done += 1,
            code => assert!(code == Some(2) && message.contains("is writing there"), "{code:?}: {message}"),
        }
    }
    assert!(done >= 1);
    assert!(sweep(&alone).status().unwrap().success());
    for name in ["results.csv", "comparison.csv", "sweep.json"] {
        assert_eq!(fs::read(both.join(name)).unwrap(), fs::read(alone.join(name)).unwrap(), "{name}");
    }
}

#[test]
fn the_manifest_says_what_the_run_was_and_took() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    printed(&mut run("quickstart.json", &output, &["--sample", "0.5"]));
    let manifest: Value = serde_json::from_slice(&fs::read(output.join("run.json")).unwrap()).unwrap();
    assert_eq!((&manifest["format"], &manifest["state"]), (&json!("hearth-run/1"), &json!("finished")));
    assert_eq!(manifest["hearth"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["options"]["invocations"], json!({"format": "csv", "sample": 0.5}));
    assert_eq!(manifest["time_series_interval_s"], 60.0);
    assert!(manifest["wall_s"].is_f64());
    let listed: BTreeSet<String> = (manifest["files"].as_array().unwrap().iter())
        .map(|file| {
            let name = file["name"].as_str().unwrap().to_owned();
            let sum = Command::new("sha256sum").arg(output.join(&name)).output().unwrap();
            let sum = String::from_utf8(sum.stdout).unwrap();
            assert_eq!(sum.split_whitespace().next(), file["sha256"].as_str(), "{name}");
            name
        })
        .collect();
    let all = listed.into_iter().chain(["run.json".to_owned()]).collect();
    assert_eq!(names(&output), all);
}
