//! Workers on the plan of a sweep: whoever does the runs, what comes of them is what one machine writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::sweep::{POLICIES, read_json, run_folders, scenario, sweep_arguments};
use super::{failure, hearth, printed};

/// What a sweep writes beside its runs.
pub const TABLES: [&str; 3] = ["results.csv", "comparison.csv", "sweep.json"];

/// A process of `hearth sweep`, which is not waited for.
pub fn spawn(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    command.arg("sweep").args(arguments).stdout(Stdio::null()).spawn().unwrap()
}

/// All files of a folder and those in it, by their paths. How long a run took is left out, and where the folder is.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = fs::read(&path).unwrap();
            if path.ends_with("run.json") {
                let mut manifest = read_json(&path);
                assert!(manifest["wall_s"].take().is_number());
                for times in manifest["policy_times"].as_array_mut().unwrap() {
                    assert!(times["wall_s"].take().is_number() && times["calls"].is_u64(), "{times}");
                }
                bytes = manifest.to_string().into_bytes();
            }
            found.insert(path.strip_prefix(folder).unwrap().to_owned(), bytes);
        }
    }
    found
}

/// Asserts that a plan whose runs have been collected holds what one machine has written.
pub fn assert_same(collected: &Path, alone: &Path) {
    printed(hearth().args(["sweep", "collect", collected.to_str().unwrap(), "--unpack"]));
    let (mut collected, alone) = (files(collected), files(alone));
    assert!(collected.remove(Path::new("plan.json")).is_some());
    collected.retain(|path, _| !path.starts_with("packed"));
    assert_eq!(collected.keys().collect::<Vec<_>>(), alone.keys().collect::<Vec<_>>());
    for (path, bytes) in alone {
        assert!(collected[&path] == bytes, "{} is not the same", path.display());
    }
}

/// How many runs of a plan have ended.
pub fn done(plan: &Path) -> usize {
    let status = printed(hearth().args(["sweep", "status", "--json"]).arg(plan));
    usize::try_from(serde_json::from_str::<Value>(&status).unwrap()["done"].as_u64().unwrap()).unwrap()
}

/// The files of workers on a plan.
pub fn packed(plan: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(plan.join("packed")).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The manifests of all runs that workers have packed, also if several have done the same run; as `tar` unpacks them.
pub fn manifests(plan: &Path) -> Vec<Value> {
    let unpacked = |file: PathBuf| {
        let folder = tempfile::tempdir().unwrap();
        // Of a file that was cut off, `tar` unpacks the last run in part.
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(file).arg("-C").arg(folder.path()).stderr(Stdio::null()).status().unwrap();
        let runs = run_folders(folder.path());
        let manifest = |run: &PathBuf| serde_json::from_slice(&fs::read(run.join("run.json")).ok()?).ok();
        runs.iter().filter_map(manifest).collect::<Vec<_>>()
    };
    packed(plan).into_iter().flat_map(unpacked).collect()
}

#[test]
fn shares_of_a_plan_come_to_what_one_machine_writes() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let [alone, planned] = ["alone", "planned"].map(|name| folder.path().join(name));
    let plan = planned.to_str().unwrap();
    let more = ["--interval", "10s", "--invocations", "all", "--baseline", POLICIES[1]];
    let told = printed(hearth().args(sweep_arguments(&scenario, alone.to_str().unwrap())).args(more));
    printed(hearth().args(sweep_arguments(&scenario, plan)).args(more).arg("--plan"));
    assert_eq!(packed(&planned).len(), 0, "a plan runs nothing");
    // One share twice at once, as when an engine takes a worker for dead.
    let workers: Vec<Child> = ["1/3", "2/3", "2/3", "3/3"].map(|share| spawn(&["work", plan, "--share", share])).into();
    workers.into_iter().for_each(|mut worker| assert!(worker.wait().unwrap().success()));
    assert_eq!(done(&planned), 12);
    assert_eq!(packed(&planned).len(), 4, "each worker has one file");
    assert!(!planned.join("runs").exists(), "runs have no folders");
    printed(hearth().args(["report", plan, "--output"]).arg(folder.path().join("before.html")));
    let collected = printed(hearth().args(["sweep", "collect", plan]));
    assert_eq!(collected, told.replace(alone.to_str().unwrap(), plan));
    printed(hearth().args(["report", plan, "--output"]).arg(folder.path().join("packed.html")));
    assert_same(&planned, &alone);
    let status: Value = serde_json::from_str(&printed(hearth().args(["sweep", "status", plan, "--json"]))).unwrap();
    let counts = ["runs", "done", "running", "failed", "open"].map(|name| status[name].as_u64().unwrap());
    assert_eq!(counts, [12, 12, 0, 0, 0]);
    printed(hearth().args(["report", plan, "--output"]).arg(folder.path().join("folders.html")));
    let [packed, folders] =
        ["packed.html", "folders.html"].map(|name| fs::read_to_string(folder.path().join(name)).unwrap());
    assert_eq!(packed, folders, "a report is the same however runs are kept");
}

#[test]
fn the_engine_says_which_share() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let output = folder.path().join("sweep");
    let plan = output.to_str().unwrap();
    printed(hearth().args(["sweep", &scenario, "--seeds", "1..10", "--plan", "--output", plan]));
    let work = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = hearth();
        command.args(["sweep", "work", plan]).args(more).envs(variables.iter().copied());
        command
    };
    let slurm = |id: &'static str| {
        [
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_MIN", "7"),
            ("SLURM_ARRAY_TASK_MAX", "8"),
            ("SLURM_ARRAY_TASK_COUNT", "2"),
        ]
    };
    let told = printed(&mut work(&slurm("7"), &[]));
    let by = "share 1/2 (SLURM_ARRAY_TASK_ID=7, SLURM_ARRAY_TASK_MIN=7, SLURM_ARRAY_TASK_COUNT=2), 5 of 10 runs";
    assert_eq!(told, format!("{plan}: {by}\n5 runs done, 0 were done by others\n"));
    let (code, message) = failure(&mut work(&[("JOB_COMPLETION_INDEX", "1")], &[]));
    assert_eq!(code, 2);
    assert!(message.ends_with("does not tell how many tasks there are: say so with --shares N"), "{message}");
    for index in ["0", "1", "2"] {
        let told = printed(&mut work(&[("JOB_COMPLETION_INDEX", index)], &["--shares", "3"]));
        assert!(told.contains(&format!("(JOB_COMPLETION_INDEX={index}), ")), "{told}");
    }
    assert_eq!(done(&output), 10, "all shares are all runs");
    let (code, message) = failure(&mut work(&[], &[]));
    assert!(code == 2 && message.contains("no share is named"), "{message}");
}

#[test]
fn a_killed_worker_loses_what_it_was_running_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let [alone, planned] = ["alone", "planned"].map(|name| folder.path().join(name));
    let plan = planned.to_str().unwrap();
    let arguments = |output: &Path| {
        ["sweep", &scenario, "--seeds", "1..30", "--output", output.to_str().unwrap()].map(str::to_owned)
    };
    printed(hearth().args(arguments(&planned)).arg("--plan"));
    let mut before = 0;
    for killed in 1..=3 {
        let mut worker = spawn(&["work", plan, "--share", "1/1", "--jobs", "2"]);
        let begin = Instant::now();
        while done(&planned) < before.max(4 * killed) + 1 {
            assert!(begin.elapsed() < Duration::from_secs(60), "no run has ended");
        }
        worker.kill().unwrap();
        worker.wait().unwrap();
        before = done(&planned);
        // As when it was killed while it wrote the next run.
        let file = packed(&planned).pop().unwrap();
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, [&bytes[..], &bytes[..bytes.len() / 2][..bytes.len().min(1_000) / 2]].concat()).unwrap();
        assert_eq!(done(&planned), before, "a part of a run is none");
    }
    assert!(before < 30, "all were done");
    let (code, message) = failure(hearth().args(["sweep", "collect", plan]));
    assert!(code == 1 && message.contains(&format!("{} of 30 runs are missing", 30 - before)), "{message}");
    assert!(!planned.join("results.csv").exists());
    printed(hearth().args(["sweep", "collect", plan, "--partial"]));
    let rows = fs::read_to_string(planned.join("results.csv")).unwrap().lines().count() - 1;
    assert_eq!(rows, before, "one for each run that is there");
    let told = printed(hearth().args(["sweep", "work", plan, "--share", "1/1"]));
    assert!(told.ends_with(&format!("{} runs done, {before} were done by others\n", 30 - before)), "{told}");
    printed(hearth().args(["sweep", "collect", plan]));
    hearth().args(arguments(&alone)).assert().success();
    assert_same(&planned, &alone);
}

#[test]
fn runs_that_fail_fail_as_on_one_machine() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let [alone, planned] = ["alone", "planned"].map(|name| folder.path().join(name));
    let plan = planned.to_str().unwrap();
    let sweep = |output: &Path| {
        let mut command = hearth();
        command.args([
            "sweep",
            &scenario,
            "--seeds",
            "1,2",
            "--vary",
            "max_events_without_progress=1,1000000",
            "--output",
        ]);
        command.arg(output);
        command
    };
    let (code, message) = failure(&mut sweep(&alone));
    assert!(code == 1 && message.contains("error: 2 of 4 runs failed, the first with"), "{message}");
    printed(sweep(&planned).arg("--plan"));
    let (code, said) = failure(hearth().args(["sweep", "work", plan, "--share", "1/1"]));
    assert!(code == 1 && said.contains("error: 2 of 4 runs failed"), "{said}");
    let again = printed(hearth().args(["sweep", "work", plan, "--share", "1/1"]));
    assert!(again.ends_with("0 runs done, 2 were done by others, 2 had failed before\n"), "{again}");
    failure(hearth().args(["sweep", "work", plan, "--share", "1/1", "--retry"]));
    let told = printed(hearth().args(["sweep", "status", plan]));
    assert_eq!(told, "2 of 4 runs done, 0 running, 2 failed, 0 open\n");
    assert_eq!(failure(hearth().args(["sweep", "collect", plan])), (code, message));
    for name in TABLES {
        assert_eq!(fs::read(planned.join(name)).unwrap(), fs::read(alone.join(name)).unwrap(), "{name}");
    }
}

#[test]
fn status_estimates_what_is_left_from_runs_of_the_same_values() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let output = folder.path().join("sweep");
    let plan = output.to_str().unwrap();
    let vary = ["--vary", "workload.generate.duration_s=10,300"];
    printed(hearth().args(["sweep", &scenario, "--seeds", "1..4", "--plan", "--output", plan]).args(vary));
    let status =
        || -> Value { serde_json::from_str(&printed(hearth().args(["sweep", "status", plan, "--json"]))).unwrap() };
    assert_eq!(status()["core_seconds_left"], json!(null), "nothing is known yet");
    printed(hearth().args(["sweep", "work", plan, "--share", "1/2"]));
    let (mut sums, mut counts) = ([0.0; 2], [0; 2]);
    for manifest in manifests(&output) {
        let value = usize::from(manifest["settings"]["workload.generate.duration_s"] == "300");
        sums[value] += manifest["wall_s"].as_f64().unwrap();
        counts[value] += 1;
    }
    let all = sums.iter().sum::<f64>() / 4.0;
    let of_value = |value: usize| {
        let mean = if counts[value] == 0 { all } else { sums[value] / f64::from(counts[value]) };
        mean * f64::from(4 - counts[value])
    };
    let (status, expected) = (status(), of_value(0) + of_value(1));
    assert_eq!(["done", "open", "running"].map(|name| status[name].as_u64().unwrap()), [4, 4, 0]);
    assert!((status["core_seconds_left"].as_f64().unwrap() - expected).abs() < 1e-9, "{status} {expected}");
    assert_eq!(status["seconds_left"], json!(null), "nobody is at it");
}
