//! A plan in the hands of a real HyperQueue, of one machine. Where its program `hq` is installed it is taken; the wheel
//! `hyperqueue` has the same server, worker and client, but not the program, for which `scripts/hyperqueue-for-tests` then stands.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::sweep_engines::is_installed;
use super::sweep_slurm::{kill, short, workers};
use super::sweep_work::{assert_same, done};
use super::{hearth, printed, project_path};

/// A server of HyperQueue and a worker of two cores, until they are dropped.
struct HyperQueue {
    /// With its files, and the program that stands for `hq`.
    folder: tempfile::TempDir,
    has_program: bool,
    /// The worker is the last one.
    processes: Vec<Child>,
}

impl HyperQueue {
    /// `None` where there is none.
    fn start(test: &str) -> Option<Self> {
        let mut python = Command::new("python3");
        let wheel = python.args(["-c", "import hyperqueue"]).stderr(Stdio::null()).status();
        let has_wheel = wheel.is_ok_and(|status| status.success());
        let has_program = is_installed("one that takes the program itself", "hq");
        if !has_program && !has_wheel {
            eprintln!("left out: {test} needs the program hq, or `pip install hyperqueue`");
            return None;
        }
        let mut queue = Self { folder: tempfile::tempdir().unwrap(), has_program, processes: Vec::new() };
        if !has_program {
            let stands_for_it = queue.folder.path().join("hq");
            std::os::unix::fs::symlink(project_path("scripts/hyperqueue-for-tests"), stands_for_it).unwrap();
        }
        queue.begin();
        Some(queue)
    }

    fn begin(&mut self) {
        if self.has_program {
            let server = self
                .command("hq")
                .args(["server", "start"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            self.processes.push(server);
            let answers = self
                .command("hq")
                .args(["server", "wait", "--timeout", "30s"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            assert!(answers.unwrap().success(), "HyperQueue does not start");
            self.begin_worker();
        } else {
            let mut both = self.command("hq");
            let mut both = both.args(["serve", "2"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let said = BufReader::new(both.stdout.take().unwrap()).lines().map_while(Result::ok);
            assert!(said.into_iter().any(|line| line == "ready"), "HyperQueue does not start");
            self.processes.push(both);
        }
    }

    fn begin_worker(&mut self) {
        let worker = self
            .command("hq")
            .args(["worker", "start", "--cpus", "2"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.processes.push(worker);
    }

    /// Kills the worker, and begins another one. In the wheel the server dies with it.
    fn lose_worker(&mut self) {
        let mut worker = self.processes.pop().unwrap();
        worker.kill().unwrap();
        worker.wait().unwrap();
        if self.has_program { self.begin_worker() } else { self.begin() }
    }

    /// A program that finds `hq`, and `hq` the server.
    fn command(&self, program: &str) -> Command {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let folders = [self.folder.path().to_owned()].into_iter().chain(std::env::split_paths(&folders));
        let path: OsString = std::env::join_paths(folders).unwrap();
        let mut command = Command::new(program);
        command.env("PATH", path).env("HQ_SERVER_DIR", self.folder.path().join("server"));
        command
    }

    /// Hands a plan over, and waits.
    fn hand_over(&self, plan: &str) -> Child {
        let mut command = self.command("sh");
        command
            .arg(Path::new(plan).join("hq.sh"))
            .arg("--wait")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

impl Drop for HyperQueue {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A plan of so many short runs, in tasks of ten.
fn planned(folder: &Path, runs: usize) -> (String, String) {
    let plan = folder.join("planned").to_str().unwrap().to_owned();
    let sized = ["--run-time", "1s", "--task-time", "10s", "--on", "hq"];
    let seeds = format!("1..{runs}");
    let mut sweep = hearth();
    sweep.arg("sweep").arg(short(folder)).args(["--seeds", &seeds, "--output", &plan]).args(sized);
    let told = printed(&mut sweep);
    (plan, told)
}

/// Asserts that a plan has come to what one machine writes.
fn assert_as_one_machine(folder: &Path, plan: &str, runs: usize) {
    let alone = folder.join("alone");
    let mut sweep = hearth();
    sweep.arg("sweep").arg(folder.join("scenario.json")).args(["--seeds", &format!("1..{runs}"), "--output"]);
    printed(sweep.arg(&alone));
    let plan = Path::new(plan);
    fs::remove_dir_all(plan.join("logs")).unwrap();
    ["hq.sh", "task.sh"].iter().for_each(|name| fs::remove_file(plan.join(name)).unwrap());
    assert_same(plan, &alone);
}

#[test]
fn hyperqueue_does_a_plan() {
    let Some(queue) = HyperQueue::start("hyperqueue_does_a_plan") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (plan, told) = planned(folder.path(), 40);
    assert!(told.contains("40 runs are planned in") && told.contains("in 4 tasks of about"), "{told}");
    assert!(told.contains(&format!("`sh {plan}/hq.sh` hands them over")), "{told}");
    assert!(queue.hand_over(&plan).wait().unwrap().success());
    assert_eq!(done(Path::new(&plan)), 40);
    let logs = fs::read_dir(Path::new(&plan).join("logs")).unwrap();
    assert_eq!(logs.count(), 0, "all went well");
    assert_as_one_machine(folder.path(), &plan, 40);
}

#[test]
fn workers_of_hyperqueue_and_its_tasks_may_die() {
    const RUNS: usize = 300;
    let Some(mut queue) = HyperQueue::start("workers_of_hyperqueue_and_its_tasks_may_die") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (plan, _) = planned(folder.path(), RUNS);
    let (begin, mut lost, mut killed) = (Instant::now(), None, None);
    for submission in 1.. {
        // One for each task that was killed, one for the server that died, and the last.
        assert!(submission <= 3, "what is missing is done when it is handed over again");
        let mut waiting = queue.hand_over(&plan);
        let output = loop {
            if waiting.try_wait().unwrap().is_some() {
                break waiting.wait_with_output().unwrap();
            }
            assert!(begin.elapsed() < Duration::from_secs(300), "{} of {RUNS}", done(Path::new(&plan)));
            thread::sleep(Duration::from_millis(50));
            let so_far = done(Path::new(&plan));
            if lost.is_none() && so_far > 10 {
                queue.lose_worker();
                lost = Some(so_far);
            } else if killed.is_none()
                && lost.is_some_and(|lost| so_far > lost + 20)
                && let Some(task) = workers(&plan).first()
            {
                kill(*task);
                killed = Some(so_far);
            }
        };
        if output.status.success() {
            break;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let is_told = said.contains("tasks have failed, the first with ") && said.contains("/logs/");
        assert!(is_told || lost.is_some() && !queue.has_program, "{said}");
    }
    assert!(killed.is_some_and(|so_far| so_far < RUNS), "{lost:?} {killed:?}");
    assert_eq!(done(Path::new(&plan)), RUNS);
    assert_as_one_machine(folder.path(), &plan, RUNS);
}
