//! A second process, in which the same histories are played: what hangs on addresses, on the process or on the time at which it
//! began is another there.

use std::cell::Cell;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::fault::{Counterexample, Fault, FaultKind};
use super::history::{Checked, Drawn, Visit, differing, played, wait_until};
use super::log::Log;
use super::{Options, roles};
use crate::PolicyDescriptor;

/// How a second process is started in which a program hands the plays of the same policy over ([`super::hand_over`]). Its standard
/// input ends with the process that has started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondProcess {
    program: PathBuf,
    arguments: Vec<OsString>,
    /// Variables of its environment, beside those of this process.
    variables: Vec<(&'static str, OsString)>,
    /// Whether it may be that it does not come to the policy.
    is_a_guess: bool,
}

impl SecondProcess {
    /// A program with these arguments and variables of its environment, beside those of this process. That it does not hand over is
    /// a fault.
    ///
    /// ```
    /// use hearth_policy_api::testkit::{Options, SecondProcess};
    /// let second = SecondProcess::new("my-check".into(), vec!["--again".into()], Vec::new());
    /// let options = Options { second_process: Some(second), ..Options::default() };
    /// # drop(options);
    /// ```
    pub fn new(program: PathBuf, arguments: Vec<OsString>, variables: Vec<(&'static str, OsString)>) -> Self {
        Self { program, arguments, variables, is_a_guess: false }
    }
}

/// The folder with what tells the plays from others, and with what is handed over.
const FOLDER: &str = "HEARTH_TEST_KIT_FOLDER";
/// How long to wait first, in ms.
const LATER: &str = "HEARTH_TEST_KIT_LATER";
/// Of which check in its test the plays are wanted.
const CHECK: &str = "HEARTH_TEST_KIT_CHECK";
/// So many plays that differ are handed over, the shortest.
const HANDED_OVER: usize = 8;

/// Whether this is a second process, in which a policy is to be played and not checked.
///
/// ```
/// assert!(!hearth_policy_api::testkit::is_second_process());
/// ```
pub fn is_second_process() -> bool {
    std::env::var_os(FOLDER).is_some()
}

thread_local! {
    static CHECKS: Cell<u32> = const { Cell::new(0) };
}

/// The number of a check among those of its test, which is its thread.
pub(super) fn count_check() -> u32 {
    CHECKS.replace(CHECKS.get() + 1)
}

/// Whether the plays of the check of this number are wanted.
pub(super) fn is_wanted(check: u32) -> bool {
    std::env::var(CHECK).is_ok_and(|wanted| wanted == check.to_string())
}

/// This test in a second process, from its check of this number. Nothing if no test's name is that of the thread: so it is where
/// tests run one at a time, as on one core or with `--test-threads=1`, in examples of documentation, and in threads of a test.
pub(super) fn of_this_test(check: u32) -> Option<SecondProcess> {
    let thread = std::thread::current();
    let test = thread.name().filter(|name| *name != "main")?;
    Some(SecondProcess {
        program: std::env::current_exe().ok()?,
        arguments: [test, "--exact", "--include-ignored", "--nocapture"].map(OsString::from).into(),
        variables: vec![(CHECK, check.to_string().into())],
        is_a_guess: true,
    })
}

/// A second process at work.
pub(super) struct Second {
    child: Child,
    folder: Folder,
    is_a_guess: bool,
    /// It may take so long.
    limit: Duration,
    begin: Instant,
}

/// A folder of one's own, as long as this lives.
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("hearth-test-kit-{}-{number}", process::id()));
            match fs::create_dir(&path) {
                // Of a process that had the same number once.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created.map(|()| Self(path)),
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where it is said in a folder what tells the plays from others.
fn plays(folder: &Path) -> PathBuf {
    folder.join("plays")
}

/// Where plays that differ are handed over in a folder.
fn handed_over(folder: &Path) -> PathBuf {
    folder.join("handed-over")
}

impl Drop for Second {
    fn drop(&mut self) {
        // It is over, or nobody wants to know any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Second {
    /// Starts the process, which waits so long first; the plays here have taken so long. Nothing if it cannot be started and need
    /// not be.
    pub fn start(
        second: &SecondProcess,
        digests: &[Vec<u64>],
        later: Duration,
        taken: Duration,
    ) -> Result<Option<Self>, Counterexample> {
        match Self::spawn(second, digests, later, taken) {
            Ok(second) => Ok(Some(second)),
            Err(_) if second.is_a_guess => Ok(None),
            Err(error) => Err(not_played(&error.to_string())),
        }
    }

    fn spawn(second: &SecondProcess, digests: &[Vec<u64>], later: Duration, taken: Duration) -> io::Result<Self> {
        const AT_LEAST: Duration = Duration::from_secs(60);
        const TIMES_AS_LONG: u32 = 20;
        let folder = Folder::create()?;
        let line = |role: &Vec<u64>| role.iter().map(|digest| format!("{digest:x} ")).collect::<String>() + "\n";
        fs::write(plays(&folder.0), digests.iter().map(line).collect::<String>())?;
        let mut command = Command::new(&second.program);
        command.args(&second.arguments).envs(second.variables.iter().map(|(name, value)| (name, value)));
        command.env(FOLDER, &folder.0).env(LATER, later.as_millis().to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let limit = later.saturating_add(AT_LEAST).saturating_add(taken.saturating_mul(TIMES_AS_LONG));
        let child = command.spawn()?;
        Ok(Self { child, folder, is_a_guess: second.is_a_guess, limit, begin: Instant::now() })
    }

    /// How it has ended, once it has.
    fn ended(&mut self) -> String {
        const PAUSE: Duration = Duration::from_millis(5);
        while self.begin.elapsed() < self.limit {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(PAUSE),
                Ok(Some(status)) => return status.to_string(),
                Err(error) => return error.to_string(),
            }
        }
        format!("it has not ended in {} s", self.limit.as_secs())
    }

    /// Waits for its end, and compares its plays with those here; false if there are none and there need not be.
    pub fn compare(mut self, policy: &PolicyDescriptor, options: &Options) -> Result<bool, Counterexample> {
        let ended = self.ended();
        let Ok(text) = fs::read_to_string(handed_over(&self.folder.0)) else {
            // It has not come to the policy: this is no program that can be started again.
            return if self.is_a_guess { Ok(false) } else { Err(not_played(&ended)) };
        };
        if text.lines().last() != Some("end") {
            let text = format!("does not come to an end in a second process ({ended})");
            return Err(Fault::new(FaultKind::Reproducibility, text).after(Vec::new()));
        }
        let mut told: Vec<(usize, usize, Vec<String>)> = Vec::new();
        for line in text.lines() {
            match (line.strip_prefix('\t'), line.strip_prefix("play ")) {
                (Some(note), _) => {
                    if let Some((.., notes)) = told.last_mut() {
                        notes.push(note.to_owned());
                    }
                }
                (_, Some(place)) => {
                    let mut numbers = place.split(' ').filter_map(|number| number.parse::<usize>().ok());
                    told.push((numbers.next().unwrap_or(0), numbers.next().unwrap_or(0), Vec::new()));
                }
                _ => {}
            }
        }
        let mut comparing = Comparing { role: 0, told, shortest: None };
        roles::visit(policy, options, &mut comparing)?;
        comparing.shortest.map_or(Ok(true), Err)
    }
}

/// What is said where a second process has not come to the policy.
fn not_played(why: &str) -> Counterexample {
    let text = format!("cannot be played in a second process, which hands nothing over ({why})");
    Fault::new(FaultKind::NotMade, text).after(Vec::new())
}

/// Finds, among plays that differ, the one that does so after the fewest calls.
struct Comparing {
    role: usize,
    /// Role, number and notes of the plays that differ.
    told: Vec<(usize, usize, Vec<String>)>,
    shortest: Option<Counterexample>,
}

impl Visit for Comparing {
    fn visit<C: Checked>(&mut self, checked: &C) -> Result<(), Counterexample> {
        let role = self.role;
        self.role += 1;
        let of_role: Vec<_> = self.told.iter().filter(|(of, ..)| *of == role).collect();
        let Some(last) = of_role.iter().map(|(_, number, _)| *number).max() else { return Ok(()) };
        let mut drawn = Drawn::of(checked);
        for number in 0..=last {
            let (setting, history) = drawn.next()?;
            for (_, _, there) in of_role.iter().filter(|(_, of, _)| *of == number) {
                let here = played(checked, &setting, &history);
                let found = differing("in a second process", &here.lines, there);
                if self.shortest.as_ref().is_none_or(|shortest| found.history.len() < shortest.history.len()) {
                    self.shortest = Some(found);
                }
            }
        }
        Ok(())
    }
}

/// Plays the histories of a policy in a second process, and hands over what was not done as in the first one.
struct Handing {
    expected: std::vec::IntoIter<Vec<String>>,
    role: usize,
    /// Role, number and play.
    differ: Vec<(usize, usize, Log)>,
}

impl Visit for Handing {
    fn visit<C: Checked>(&mut self, checked: &C) -> Result<(), Counterexample> {
        let mut drawn = Drawn::of(checked);
        for (number, expected) in self.expected.next().unwrap_or_default().iter().enumerate() {
            let (setting, history) = drawn.next()?;
            let log = played(checked, &setting, &history);
            if format!("{:x}", log.digest()) != *expected {
                self.differ.push((self.role, number, log));
            }
        }
        self.role += 1;
        Ok(())
    }
}

/// Ends this process when that has gone which has started it, whose end of standard input is closed then.
fn end_with_the_first() {
    thread::spawn(|| {
        // Nothing is ever written there; an error is an end, too.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        process::exit(1);
    });
}

/// In a second process: plays the histories of the policy and hands over what was noted. Nothing in a first one.
pub fn hand_over(policy: &PolicyDescriptor, options: &Options) {
    let begin = Instant::now();
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let Ok(expected) = fs::read_to_string(plays(&folder)) else { return };
    let over = handed_over(&folder);
    if fs::write(&over, "begin\n").is_err() {
        return;
    }
    end_with_the_first();
    let later = std::env::var(LATER).ok().and_then(|millis| millis.parse().ok()).unwrap_or(0);
    wait_until(begin, Duration::from_millis(later));
    let words = |line: &str| line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let expected: Vec<Vec<String>> = expected.lines().map(words).collect();
    let mut handing = Handing { expected: expected.into_iter(), role: 0, differ: Vec::new() };
    let outcome = roles::visit(policy, options, &mut handing);
    handing.differ.sort_by_key(|(.., log)| log.lines.len());
    let mut text = String::new();
    for (role, number, log) in handing.differ.iter().take(HANDED_OVER) {
        text += &format!("play {role} {number}\n");
        text.extend(log.lines.iter().map(|line| format!("\t{line}\n")));
    }
    if outcome.is_ok() {
        text += "end\n";
    }
    let _ = fs::write(&over, text);
}
