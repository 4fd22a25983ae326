//! A plan in the hands of a real Slurm, of one machine. Where none is installed this says so, and is left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::sweep::{read_json, scenario};
use super::sweep_work::{assert_same, done, packed};
use super::{failure, hearth, printed, project_path};

/// Two would use the same ports.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The most tasks of an array, and one more.
const MAX_ARRAY_SIZE: usize = 21;

/// A Slurm that takes jobs, until it is dropped.
struct Slurm {
    folder: tempfile::TempDir,
    _only: MutexGuard<'static, ()>,
}

impl Slurm {
    /// `None` where there is no Slurm, or nobody may start one.
    fn start(test: &str) -> Option<Self> {
        let answers = |program: &str, argument: &str| {
            let answer = Command::new(program).arg(argument).stderr(Stdio::null()).output();
            answer.ok().filter(|answer| answer.status.success()).map(|answer| answer.stdout)
        };
        let is_installed = answers("slurmctld", "-V").is_some() && answers("munged", "-V").is_some();
        if !is_installed || answers("id", "-u").is_none_or(|user| user != b"0\n") {
            eprintln!("left out: {test} needs root, and the packages slurm-wlm and munge");
            return None;
        }
        let only = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let slurm = Self { folder: tempfile::tempdir().unwrap(), _only: only };
        let started = slurm.script("start").arg(MAX_ARRAY_SIZE.to_string()).stdout(Stdio::null()).status();
        assert!(started.unwrap().success(), "Slurm does not start");
        Some(slurm)
    }

    fn script(&self, what: &str) -> Command {
        let mut command = Command::new(project_path("scripts/slurm-for-tests"));
        command.arg(what).arg(self.folder.path());
        command
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    /// `hearth sweep` as on a machine of the cluster.
    fn hearth(&self) -> assert_cmd::Command {
        let mut command = hearth();
        command.arg("sweep").env("SLURM_CONF", self.conf());
        command
    }

    fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).env("SLURM_CONF", self.conf()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// How many tasks of a job are in the queue, and the numbers of those that run.
    fn queue(&self, job: &str) -> (usize, Vec<usize>) {
        let queue = self.ask("squeue", &["--noheader", "--array", "--jobs", job, "--format", "%K %T"]);
        let running = queue.lines().filter_map(|line| line.trim().strip_suffix(" RUNNING")?.parse().ok());
        (queue.lines().count(), running.collect())
    }

    /// How many tasks of a job are in the queue, and how many of these run.
    fn tasks(&self, job: &str) -> (usize, usize) {
        let (all, running) = self.queue(job);
        (all, running.len())
    }

    /// How often a task of a job was begun anew.
    fn restarts(&self, job: &str, task: usize) -> usize {
        let about = self.ask("scontrol", &["show", "job", &format!("{job}_{task}")]);
        let told = about.split_whitespace().find_map(|word| word.strip_prefix("Restarts="));
        told.unwrap_or_else(|| panic!("{about}")).parse().unwrap()
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let _ = self.ask("scancel", &["--user", "root"]);
        let _ = self.script("stop").status();
    }
}

/// A scenario of two seconds.
pub fn short(folder: &Path) -> String {
    let file = scenario(folder);
    let mut scenario = read_json(Path::new(&file));
    scenario["workload"]["generate"]["duration_s"] = 2.into();
    fs::write(&file, scenario.to_string()).unwrap();
    file
}

/// The workers on a plan.
pub fn workers(plan: &str) -> Vec<u32> {
    let is_worker = |process: &PathBuf| {
        let line = fs::read(process.join("cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        words.get(1..4).is_some_and(|words| words == [b"sweep".as_slice(), b"work", plan.as_bytes()])
    };
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    processes.filter(is_worker).filter_map(|process| process.file_name()?.to_str()?.parse().ok()).collect()
}

pub fn kill(worker: u32) {
    let _ = Command::new("kill").args(["-KILL", &worker.to_string()]).stderr(Stdio::null()).status();
}

/// With `HEARTH_SLURM_RUNS` of so many runs.
#[test]
fn an_array_whose_tasks_are_killed_cancelled_and_requeued_comes_to_what_one_machine_writes() {
    let Some(slurm) = Slurm::start("an_array_whose_tasks_are_killed_cancelled_and_requeued") else { return };
    let folder = tempfile::tempdir().unwrap();
    let scenario = short(folder.path());
    let [alone, planned] = ["alone", "planned"].map(|name| folder.path().join(name));
    let plan = planned.to_str().unwrap();
    let runs: usize = std::env::var("HEARTH_SLURM_RUNS").map_or(1200, |runs| runs.parse().unwrap());
    let seeds = format!("1..{runs}");
    let arguments = |output: &str| ["--seeds", &seeds, "--output", output].map(str::to_owned);
    // As many tasks as are asked for are more than the cluster lets one have.
    let sized = ["--on", "slurm", "--run-time", "1s", "--task-time", "2s", "--submit"];
    let told = printed(slurm.hearth().arg(&scenario).args(arguments(plan)).args(sized));
    assert!(told.contains(&format!("in {} tasks of about", MAX_ARRAY_SIZE - 1)), "{told}");
    let job = told.split_whitespace().next_back().unwrap().to_owned();
    let (begin, mut killed, mut cancelled, mut requeued) = (Instant::now(), 0, 0, 0);
    while slurm.tasks(&job).0 > 0 {
        assert!(begin.elapsed() < Duration::from_secs(60 + runs as u64 / 2), "{:?}", slurm.tasks(&job));
        let at_work = workers(plan);
        // Each worker has the time to do some.
        thread::sleep(Duration::from_millis(300));
        if let Some(worker) = at_work.first().filter(|_| killed < 5) {
            kill(*worker);
            killed += 1;
        }
        if cancelled < 2 && slurm.tasks(&job).1 > 0 {
            cancelled += 1;
            slurm.ask("scancel", &[&format!("{job}_{}", 4 + cancelled)]);
        }
        if requeued < 2 && slurm.tasks(&job).1 > 0 {
            requeued += 1;
            slurm.ask("scontrol", &["requeue", &format!("{job}_{requeued}")]);
        }
    }
    assert!(killed == 5 && cancelled == 2 && requeued == 2, "{killed} {cancelled} {requeued}");
    let so_far = done(&planned);
    assert!(so_far < runs, "those that were cancelled are missing");
    let begin = Instant::now();
    let again = ["--resume", "--wait"];
    let told = printed(slurm.hearth().arg(&scenario).args(arguments(plan)).args(sized).args(again));
    assert!(told.contains(&format!("Means over {runs} seeds")), "{told}");
    eprintln!("{so_far} of {runs} runs by the first array, the others in {:.1} s", begin.elapsed().as_secs_f64());
    let files = packed(&planned).len();
    assert!(files <= 2 * MAX_ARRAY_SIZE + killed + requeued, "{files} files");
    printed(hearth().arg("sweep").arg(&scenario).args(arguments(alone.to_str().unwrap())));
    remove_what_slurm_needs(&planned);
    assert_same(&planned, &alone);
}

/// What Slurm takes away from tasks, it gives back to them: nothing is missing, and nobody need resume.
#[test]
fn tasks_that_run_are_requeued_and_preempted_and_end_well() {
    let Some(slurm) = Slurm::start("tasks_that_run_are_requeued_and_preempted_and_end_well") else { return };
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let [alone, planned] = ["alone", "planned"].map(|name| folder.path().join(name));
    let plan = planned.to_str().unwrap();
    // Tasks last long enough for others to come in between.
    let arguments = |output: &str| ["--seeds", "1..400", "--output", output].map(str::to_owned);
    let sized = ["--on", "slurm", "--run-time", "1s", "--task-time", "40s", "--submit"];
    let told = printed(slurm.hearth().arg(&scenario).args(arguments(plan)).args(sized));
    assert!(told.contains("in 10 tasks of about"), "{told}");
    let job = told.split_whitespace().next_back().unwrap().to_owned();
    let (begin, mut requeued, mut urgent) = (Instant::now(), None, None::<Instant>);
    let restarts = || (1..=10).map(|task| slurm.restarts(&job, task)).collect::<Vec<usize>>();
    while slurm.tasks(&job).0 > 0 {
        assert!(begin.elapsed() < Duration::from_secs(200), "{:?}", slurm.tasks(&job));
        thread::sleep(Duration::from_millis(50));
        // Each step is of tasks that have done some of their share.
        if done(&planned) < 4 {
            continue;
        }
        let running = slurm.queue(&job).1;
        // What is preempted may have ended by then: another one is.
        let is_due = urgent
            .is_none_or(|urgent| urgent.elapsed() > Duration::from_secs(2) && restarts().iter().sum::<usize>() < 2);
        match (requeued, is_due) {
            (None, _) => {
                let Some(task) = running.first() else { continue };
                slurm.ask("scontrol", &["requeue", &format!("{job}_{task}")]);
                requeued = Some(*task);
            }
            (Some(_), true) if !running.is_empty() => {
                let folder = folder.path().to_str().unwrap();
                let whole = ["--partition=urgent", "--exclusive", "--output=/dev/null", "--chdir", folder];
                slurm.ask("sbatch", &[&whole[..], &["--wrap", "sleep 1"]].concat());
                urgent = Some(Instant::now());
            }
            _ => {}
        }
    }
    let restarts = restarts();
    assert!(requeued.is_some_and(|task| restarts[task - 1] > 0), "{requeued:?} of {restarts:?} was requeued");
    assert!(restarts.iter().sum::<usize>() > 1, "others were preempted: {restarts:?}");
    assert_eq!(done(&planned), 400, "{restarts:?}");
    assert_eq!(fs::read_dir(planned.join("logs")).unwrap().count(), 0, "all ended well: {restarts:?}");
    printed(hearth().arg("sweep").arg(&scenario).args(arguments(alone.to_str().unwrap())));
    remove_what_slurm_needs(&planned);
    assert_same(&planned, &alone);
}

/// Removes from the folder of a plan what one machine does without.
fn remove_what_slurm_needs(planned: &Path) {
    fs::remove_file(planned.join("slurm.sh")).unwrap();
    fs::remove_dir_all(planned.join("logs")).unwrap();
}

#[test]
fn a_job_that_ends_early_is_told_with_its_log() {
    let Some(slurm) = Slurm::start("a_job_that_ends_early_is_told_with_its_log") else { return };
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let plan = folder.path().join("sweep").to_str().unwrap().to_owned();
    let conf = slurm.conf();
    let cancel = thread::spawn({
        let plan = plan.clone();
        move || {
            let begin = Instant::now();
            while workers(&plan).is_empty() {
                assert!(begin.elapsed() < Duration::from_secs(60), "no task begins");
                thread::sleep(Duration::from_millis(20));
            }
            thread::sleep(Duration::from_millis(500));
            Command::new("scancel").args(["--user", "root"]).env("SLURM_CONF", conf).status().unwrap()
        }
    });
    let sized = ["--on", "slurm", "--task-time", "1min", "--run-time", "1s", "--submit", "--wait"];
    let (code, message) =
        failure(slurm.hearth().arg(&scenario).args(["--seeds", "1..3000", "--output", &plan]).args(sized));
    assert!(cancel.join().unwrap().success());
    assert_eq!(code, 1, "{message}");
    assert!(
        message.contains("of 3000 runs are missing: the same command with --resume goes on with them"),
        "{message}"
    );
    assert!(message.contains(&format!("The last words of a task are in {plan}/logs/")), "{message}");
    assert!(message.contains("CANCELLED"), "{message}");
}
