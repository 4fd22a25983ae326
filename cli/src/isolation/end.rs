//! How a process ended that has not said that it was done, in words.

use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use hearth_serverless::experiment::{Callee, LastingCall, StuckCall};
use hearth_serverless::policy::PolicySlot;
use hearth_simcore::time::SimTime;
use serde::{Deserialize, Serialize};

/// What a process does, for who has to say so in its place.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Note {
    /// By the path of their slot: the policies with their libraries.
    pub policies: Vec<(String, String)>,
    /// What else goes on, as in "while checking …".
    pub doing: Option<String>,
    /// How much there is to simulate: requests, and the date of the end in ns.
    pub extent: Option<(Option<u64>, Option<u64>)>,
}

impl Note {
    fn policy(&self, slot: PolicySlot) -> Option<&str> {
        self.policies.iter().find(|(of, _)| of == slot.path()).map(|(_, policy)| policy.as_str())
    }
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// By itself or a signal.
    Ended(ExitStatus),
    /// It was ended, as a call did not come back for so long.
    Stuck(Duration),
}

/// The end of a process that has not said that it was done, or did not come to its end after it had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnexpectedEnd {
    /// How it ended.
    pub how: How,
    /// The call that it was in.
    pub call: Option<LastingCall>,
    /// What it was doing.
    pub note: Note,
    /// The date that the simulation had come to.
    pub date: SimTime,
    /// The event that it had come to; 0 before the first.
    pub event: u64,
    /// Whether all results were written.
    pub has_results: bool,
}

impl fmt::Display for UnexpectedEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { how, call, note, date, event, has_results } = self;
        match (call, how) {
            (Some(call), How::Stuck(limit)) => {
                let policy = self.policy(call);
                let stuck = StuckCall { call: call.clone(), policy, limit: *limit, results: None };
                write!(f, "{stuck}")?;
            }
            (Some(call), How::Ended(status)) => {
                match &call.callee {
                    Callee::Policy(slot) => {
                        let policy = self.policy(call);
                        write!(f, "policies.{}: {}", slot.path(), policy.as_deref().unwrap_or("the policy"))?;
                    }
                    Callee::Library(path) => f.write_str(path)?,
                }
                write!(f, " ended the process in {}: {}", call.method, Status(*status))?;
            }
            (None, How::Stuck(limit)) => {
                write!(f, "the process did not end within {} s", limit.as_secs_f64())?;
            }
            (None, How::Ended(status)) => {
                write!(f, "the process ended outside of calls to policies: {}", Status(*status))?
            }
        }
        match (call, how) {
            (Some(call), How::Ended(_)) if !has_results => f.write_str(&call.when())?,
            (None, _) if *event > 0 && !has_results => write!(f, ", at {} s", date.as_secs_f64())?,
            _ => {}
        }
        if let Some(doing) = &note.doing {
            write!(f, ", {doing}")?;
        }
        if call.is_none() {
            f.write_str(": a thread, a destructor or what runs at the exit of a library has done that")?;
            let mut libraries: Vec<&str> = note.policies.iter().map(|(_, policy)| policy.as_str()).collect();
            libraries.sort_unstable();
            libraries.dedup();
            if !libraries.is_empty() {
                write!(f, " (there are {})", libraries.join(", "))?;
            }
        }
        if *has_results {
            f.write_str("; all results had been written")?;
        }
        Ok(())
    }
}

impl UnexpectedEnd {
    /// What a library did as it was opened, behind its path.
    pub fn problem(&self) -> String {
        let method = self.call.as_ref().map_or("a call", |call| call.method);
        match self.how {
            How::Ended(status) => format!("ended the process in {method}: {}", Status(status)),
            How::Stuck(limit) => format!("has not come back from {method} for {} s", limit.as_secs_f64()),
        }
    }

    fn policy(&self, call: &LastingCall) -> Option<String> {
        match call.callee {
            Callee::Policy(slot) => call.policy.clone().or_else(|| self.note.policy(slot).map(str::to_owned)),
            Callee::Library(_) => None,
        }
    }
}

/// An exit code, or a signal with what it mostly means.
struct Status(ExitStatus);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(code) = self.0.code() {
            return write!(f, "exit with code {code}");
        }
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&self.0) {
            let (name, meaning) = match signal {
                signals::SIGABRT => ("SIGABRT", "abort"),
                signals::SIGSEGV => ("SIGSEGV", "memory that is not there"),
                signals::SIGBUS => ("SIGBUS", "memory that has gone"),
                signals::SIGILL => ("SIGILL", "an instruction that there is not"),
                signals::SIGFPE => ("SIGFPE", "a calculation without a result"),
                signals::SIGKILL => ("SIGKILL", "killed, perhaps for want of memory"),
                signals::SIGALRM => ("SIGALRM", "an alarm"),
                _ => return write!(f, "signal {signal}"),
            };
            return write!(f, "signal {signal} ({name}: {meaning})");
        }
        write!(f, "{}", self.0)
    }
}

/// The numbers of signals.
#[cfg(unix)]
mod signals {
    use rustix::process::Signal;

    pub const SIGABRT: i32 = Signal::ABORT.as_raw();
    pub const SIGSEGV: i32 = Signal::SEGV.as_raw();
    pub const SIGBUS: i32 = Signal::BUS.as_raw();
    pub const SIGILL: i32 = Signal::ILL.as_raw();
    pub const SIGFPE: i32 = Signal::FPE.as_raw();
    pub const SIGKILL: i32 = Signal::KILL.as_raw();
    pub const SIGALRM: i32 = Signal::ALARM.as_raw();
}
