//! Plans in the hands of other engines than Slurm: real ones where they are installed, and what is written for all of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::sweep::{read_json, scenario};
use super::sweep_work::{TABLES, done};
use super::{failure, hearth, printed, project_path};

/// Whether a program answers; where it does not, the test says that it is left out.
pub fn is_installed(test: &str, program: &str) -> bool {
    let answer = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_there = answer.is_ok_and(|status| status.success());
    if !is_there {
        eprintln!("left out: {test} needs the program {program}");
    }
    is_there
}

/// Plans twelve runs for an engine, cut into four tasks; gives the folder and what was told.
fn planned(folder: &Path, engine: &str, more: &[&str]) -> (String, String) {
    let scenario = scenario(folder);
    let plan = folder.join(engine).to_str().unwrap().to_owned();
    let sized = ["--run-time", "1s", "--task-time", "3s", "--on", engine];
    let told =
        printed(hearth().args(["sweep", &scenario, "--seeds", "1..12", "--output", &plan]).args(sized).args(more));
    (plan, told)
}

/// Collects a plan, and asserts that its tables are those of one machine.
fn assert_tables(folder: &Path, plan: &str) {
    let alone = folder.join("alone");
    let scenario = folder.join("scenario.json");
    printed(hearth().arg("sweep").arg(scenario).args(["--seeds", "1..12", "--output"]).arg(&alone));
    printed(hearth().args(["sweep", "collect", plan]));
    for name in TABLES {
        assert_eq!(fs::read(Path::new(plan).join(name)).unwrap(), fs::read(alone.join(name)).unwrap(), "{name}");
    }
    assert_eq!(fs::read_dir(Path::new(plan).join("logs")).unwrap().count(), 0, "all went well");
}

#[test]
fn gnu_parallel_does_a_plan() {
    if !is_installed("gnu_parallel_does_a_plan", "parallel") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (plan, told) = planned(folder.path(), "parallel", &["--submit"]);
    assert!(told.contains("12 runs are planned in") && told.contains("in 4 tasks of about"), "{told}");
    assert_eq!(done(Path::new(&plan)), 12, "{told}");
    assert_tables(folder.path(), &plan);
}

#[test]
fn a_job_of_kubernetes_has_an_index_for_each_task() {
    let folder = tempfile::tempdir().unwrap();
    let more =
        ["--image", "registry.example/hearth", "--volume", "study=/study", "--task-cores", "2", "--task-memory", "4GB"];
    let (plan, told) = planned(folder.path(), "kubernetes", &more);
    assert!(told.contains(&format!("`kubectl create --filename {plan}/job.json`")), "{told}");
    let job = read_json(&Path::new(&plan).join("job.json"));
    assert_eq!((&job["spec"]["completions"], &job["spec"]["completionMode"]), (&json!(2), &json!("Indexed")));
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["command"], json!(["hearth", "sweep", "work", plan, "--shares", "2", "--jobs", "2"]));
    assert_eq!(container["resources"]["requests"], json!({"cpu": "2", "memory": "4000000000"}));
    assert_eq!(as_kubernetes_reads_it(&job).as_ref(), Ok(&job), "Kubernetes knows every field");
    let mut misspelt = job.clone();
    misspelt["spec"]["completion"] = json!(2);
    assert_ne!(as_kubernetes_reads_it(&misspelt).as_ref(), Ok(&misspelt), "it would not know this one");
    let mut text = job;
    text["spec"]["completions"] = json!("2");
    assert!(as_kubernetes_reads_it(&text).is_err(), "it would not take text for a number");
    let scenario = folder.path().join("scenario.json");
    let output = folder.path().join("none");
    let refused = hearth()
        .arg("sweep")
        .arg(scenario)
        .args(["--on", "kubernetes", "--run-time", "1s", "--output"])
        .arg(output)
        .output();
    assert!(String::from_utf8_lossy(&refused.unwrap().stderr).contains("--image"));
}

/// A Job by the types that are made of the schema which Kubernetes publishes. What it does not know is not there any more.
fn as_kubernetes_reads_it(job: &Value) -> Result<Value, String> {
    let read: k8s_openapi::api::batch::v1::Job =
        serde_json::from_value(job.clone()).map_err(|error| error.to_string())?;
    serde_json::to_value(&read).map_err(|error| error.to_string())
}

#[test]
fn a_submit_file_of_htcondor_has_a_job_for_each_task() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, told) = planned(folder.path(), "htcondor", &["--engine-option", "+ProjectName = \"study\""]);
    assert!(told.contains(&format!("`condor_submit {plan}/htcondor.sub`")), "{told}");
    let submit = fs::read_to_string(Path::new(&plan).join("htcondor.sub")).unwrap();
    for line in [
        &format!("arguments = \"'{plan}/task.sh' $INT(share)\"") as &str,
        "request_cpus = 1",
        "+ProjectName = \"study\"",
        "queue 4",
    ] {
        assert!(submit.lines().any(|found| found == line), "{line}: {submit}");
    }
    // What each job runs.
    for share in ["1", "2", "3", "4"] {
        assert!(Command::new("/bin/sh").arg(Path::new(&plan).join("task.sh")).arg(share).status().unwrap().success());
    }
    assert_tables(folder.path(), &plan);
}

#[test]
fn htcondor_reads_a_submit_file_as_it_is_meant() {
    let reads = |arguments: &[&Path]| Command::new(project_path("scripts/htcondor-for-tests")).args(arguments).output();
    let is_there = reads(&[]).is_ok_and(|answer| answer.status.success());
    if !is_there {
        eprintln!("left out: htcondor_reads_a_submit_file_as_it_is_meant needs `pip install 'htcondor<25'`");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // All that means something to one of those who read it.
    let folder = folder.path().join("it's \"a\" $(study) $of '' 5%");
    fs::create_dir(&folder).unwrap();
    let more = ["--task-memory", "4GB", "--engine-option", "+ProjectName = \"study\""];
    let (plan, _) = planned(&folder, "htcondor", &more);
    let output = reads(&[&Path::new(&plan).join("htcondor.sub")]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let jobs: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(jobs.len(), 4);
    for (job, share) in jobs.iter().zip(["1", "2", "3", "4"]) {
        let words: Vec<String> = serde_json::from_value(job["words"].clone()).unwrap();
        assert_eq!(words, ["/bin/sh", &format!("{plan}/task.sh"), share]);
        let expected = [
            ("RequestCpus", json!(1)),
            ("RequestMemory", json!(3815)),
            ("UserLog", json!(format!("{plan}/htcondor.log"))),
            ("ShouldTransferFiles", json!("NO")),
            ("JobMaxRetries", json!(3)),
            ("ProjectName", json!("study")),
        ];
        expected.iter().for_each(|(name, value)| assert_eq!(job[name], *value, "{name}"));
        assert!(Command::new(&words[0]).args(&words[1..]).status().unwrap().success());
    }
    assert_tables(&folder, &plan);
}

#[test]
fn some_runs_are_measured_and_count() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let plan = folder.path().join("sweep").to_str().unwrap().to_owned();
    let told = printed(hearth().args(["sweep", &scenario, "--seeds", "1..3", "--output", &plan, "--on", "parallel"]));
    assert!(told.contains("in 1 tasks of about"), "{told}");
    assert!(done(Path::new(&plan)) >= 1, "what was measured is done");
    let (code, message) = failure(hearth().args(["sweep", &scenario, "--output", &plan, "--submit"]));
    assert!(code == 2 && message.contains("--on"), "{message}");
}
