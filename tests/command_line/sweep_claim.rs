//! Workers that take what is open, and die.

use std::fs;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::sweep::scenario;
use super::sweep_work::{assert_same, done, manifests, packed, spawn};
use super::{hearth, printed};

#[test]
fn of_workers_that_die_at_any_moment_the_others_do_the_runs() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let [alone, planned] = ["alone", "planned"].map(|name| folder.path().join(name));
    let plan = planned.to_str().unwrap();
    let arguments = ["sweep", &scenario, "--seeds", "1..30", "--vary", "platform.hosts[node].ram=2GB,4GB", "--output"];
    printed(hearth().args(arguments).arg(&alone));
    printed(hearth().args(arguments).args([plan, "--plan", "--stale-after", "1s"]));
    let worker = || spawn(&["work", plan, "--claim", "--jobs", "2"]);
    let mut workers: Vec<Child> = (0..3).map(|_| worker()).collect();
    let begin = Instant::now();
    for wanted in [5, 15, 25] {
        while done(&planned) < wanted {
            assert!(begin.elapsed() < Duration::from_secs(120), "nothing goes on");
        }
        let mut killed = workers.remove(0);
        killed.kill().unwrap();
        killed.wait().unwrap();
        workers.push(worker());
    }
    // One who ends well has seen that nothing is left.
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    assert_eq!(done(&planned), 60);
    assert!(packed(&planned).len() <= 6, "each worker has one file");
    let times = manifests(&planned).len();
    assert!(times <= 63, "nobody does what another does or has done: {times}");
    printed(hearth().args(["sweep", "collect", plan]));
    assert_same(&planned, &alone);
}

#[test]
fn a_run_that_somebody_is_at_is_left_alone_until_he_is_dead() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let output = folder.path().join("sweep");
    let plan = output.to_str().unwrap();
    printed(hearth().args(["sweep", &scenario, "--seeds", "1..3", "--plan", "--stale-after", "2s", "--output", plan]));
    let told: Value = serde_json::from_slice(&fs::read(output.join("plan.json")).unwrap()).unwrap();
    let key = &told["runs"][1]["key"].as_str().unwrap()[..16];
    // A worker that has died just now.
    fs::create_dir(output.join("claims")).unwrap();
    let claim = output.join("claims").join(format!("{key}.1"));
    fs::write(&claim, "process 1").unwrap();
    let begin = Instant::now();
    let status = || printed(hearth().args(["sweep", "status", plan]));
    assert!(status().starts_with("0 of 3 runs done, 1 running, 0 failed, 2 open\n"), "{}", status());
    let mut worker = spawn(&["work", plan, "--claim"]);
    while done(&output) < 2 {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing goes on");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(worker.wait().unwrap().success());
    assert!(begin.elapsed() >= Duration::from_secs(2), "it was taken from one who could live");
    assert_eq!(status(), "3 of 3 runs done, 0 running, 0 failed, 0 open\n");
    assert!(claim.exists(), "nobody takes another's claim away");
    printed(hearth().args(["sweep", "collect", plan]));
    assert!(!output.join("claims").exists());
}
