//! The process that waits for another one: starts it, watches that it goes on, and finds out how it ended.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::end::{How, UnexpectedEnd};
use super::page::{Page, Shared};
use super::{ARGUMENT, Told};
use crate::program;

/// How often is looked whether the other process goes on.
const PAUSE: Duration = Duration::from_millis(50);

/// A call is ended from here when the watchdog inside has not done so for so long.
const GRACE: Duration = Duration::from_secs(2);

/// A process that is to be started.
#[derive(Debug)]
pub struct Apart<'a> {
    /// Its arguments, behind the one that says where its page is.
    pub arguments: Vec<OsString>,
    /// What it is told on the page.
    pub told: Told,
    /// The event before which simulations stop in it.
    pub stop_before: u64,
    /// What it reads from standard input, if that is not the one of this process.
    pub input: Option<&'a [u8]>,
    /// Whether what it prints is not shown.
    pub is_silent: bool,
    /// How long a call may take; 0 is for ever.
    pub limit: Duration,
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// It has said that it was done, with this exit code.
    Done(u8),
    /// It has not.
    Unexpectedly(Box<UnexpectedEnd>),
    /// It was ended, as somebody wanted.
    Stopped,
}

/// The processes that this one waits for.
static WAITED_FOR: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

fn waited_for() -> MutexGuard<'static, Vec<Pid>> {
    // A list of numbers is whole after every statement.
    WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a signal to the processes that this one waits for.
pub fn send_all(signal: Signal) {
    // One that has ended meanwhile has not been waited for, so that its number is nobody else's.
    for process in waited_for().iter() {
        let _ = kill_process(*process, signal);
    }
}

/// Why it was ended from here.
enum EndedFromHere {
    /// A call did not come back.
    Stuck,
    /// Somebody wanted that.
    Stopped,
}

impl Apart<'_> {
    /// Starts the process and waits until it has ended. `look` looks at the page now and then, and says whether it is to go on.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(self, look: &(dyn Fn(&Page) -> bool + Sync)) -> io::Result<Ended> {
        let folder = tempfile::Builder::new().prefix("hearth-").tempdir()?;
        let path = folder.path().join("page");
        let page = Shared::create(&path)?;
        page.board.stop_before(self.stop_before);
        page.note(&self.told);
        let mut child = self.start(path)?;
        let process = Pid::from_child(&child);
        waited_for().push(process);
        let (is_over, over) = mpsc::channel::<()>();
        let ended_from_here = thread::scope(|scope| {
            if let (Some(mut input), Some(text)) = (child.stdin.take(), self.input) {
                // Beside the watcher, since it may not come to read. One that has ended reads nothing any more.
                scope.spawn(move || drop(input.write_all(text)));
            }
            let (page, limit) = (&page, self.limit);
            let watcher = scope.spawn(move || watch(page, process, limit, &over, look));
            // Its number stays its own until it is waited for below.
            let _ = waitid(WaitId::Pid(process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            drop(is_over);
            watcher.join().unwrap_or(None)
        });
        waited_for().retain(|other| *other != process);
        let status = child.wait()?;
        let how = match ended_from_here {
            Some(EndedFromHere::Stopped) => return Ok(Ended::Stopped),
            Some(EndedFromHere::Stuck) => How::Stuck(self.limit),
            None => How::Ended(status),
        };
        match page.outcome() {
            Some(code) if page.gives_up() || status.code() == Some(code.into()) => Ok(Ended::Done(code)),
            _ => Ok(Ended::Unexpectedly(Box::new(UnexpectedEnd {
                how,
                call: page.board.lasting_call(),
                note: page.noted().unwrap_or_default(),
                date: page.board.date(),
                event: page.board.event(),
                has_results: page.has_results(),
            }))),
        }
    }

    fn start(&self, page: PathBuf) -> io::Result<Child> {
        let mut command = program::command()?;
        command.arg(ARGUMENT).arg(page).args(&self.arguments);
        if self.input.is_some() {
            command.stdin(Stdio::piped());
        }
        if self.is_silent {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        // Ctrl-C reaches this process alone, which passes it on once.
        command.process_group(0).spawn()
    }
}

/// Looks whether a process goes on until it has ended; ends it when it does not, or is not to.
fn watch(
    page: &Page,
    process: Pid,
    limit: Duration,
    over: &Receiver<()>,
    look: &(dyn Fn(&Page) -> bool + Sync),
) -> Option<EndedFromHere> {
    // What it was at when it was looked at last, and since when; `u64::MAX` is its end.
    let (mut seen, mut since) = (None, Instant::now());
    while over.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
        if !look(page) {
            let _ = kill_process(process, Signal::KILL);
            return Some(EndedFromHere::Stopped);
        }
        if page.gives_up() {
            let _ = kill_process(process, Signal::KILL);
            return None;
        }
        let call = || page.board.lasting_call().map(|call| call.number);
        let is_at = page.outcome().map(|_| u64::MAX).or_else(call);
        if is_at.is_none() || is_at != seen {
            (seen, since) = (is_at, Instant::now());
        } else if limit > Duration::ZERO && since.elapsed() >= limit.saturating_add(GRACE) {
            let _ = kill_process(process, Signal::KILL);
            return Some(EndedFromHere::Stuck);
        }
    }
    None
}
