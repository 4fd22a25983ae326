//! Looks at a simulation from another thread, and ends the process when a policy does not come back.
//!
//! A call that lasts too long cannot be ended, since it runs on the thread of the simulation; but the process can, with what
//! is known so far written.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hearth_simcore::time::SimTime;

use crate::ledger::LedgerReader;
use crate::policy::{Board, Callee, Desk, LastingCall, PolicySlot, Seen};
use crate::results::{About, Results};

thread_local! {
    /// What the thread is running, for the results so far.
    static RUNNING: Arc<Mutex<Option<Shown>>> = Arc::default();
}

/// What runs: what it is, and where its results are until it has ended.
#[derive(Debug)]
struct Shown {
    about: About,
    ledger: Option<LedgerReader>,
}

/// Says what the thread is running, until this is dropped.
#[derive(Debug)]
pub(super) struct Running;

impl Running {
    pub fn begin(about: &About, ledger: LedgerReader) -> Self {
        let running = Self;
        running.is_now(about, ledger);
        running
    }

    /// It is something else from now on.
    pub fn is_now(&self, about: &About, ledger: LedgerReader) {
        Self::set(Some(Shown { about: about.clone(), ledger: Some(ledger) }));
    }

    /// Its results are with who ran it; its policies are there yet.
    pub fn end(&self, about: &About) {
        Self::set(Some(Shown { about: about.clone(), ledger: None }));
    }

    fn set(running: Option<Shown>) {
        RUNNING.with(|of_thread| *of_thread.lock().unwrap_or_else(PoisonError::into_inner) = running);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        Self::set(None);
    }
}

/// Looks from another thread at the simulation that runs on the thread which made this, and can stop it.
///
/// ```
/// use hearth_serverless::experiment::Monitor;
/// let monitor = Monitor::of_this_thread();
/// assert_eq!(monitor.requests(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Monitor(Arc<Desk>);

impl Monitor {
    /// A monitor of the simulations of the current thread.
    pub fn of_this_thread() -> Self {
        Self(Desk::of_this_thread())
    }

    /// The date that the simulation has come to.
    pub fn now(&self) -> SimTime {
        self.0.board().date()
    }

    /// How many requests there have been, of all simulations of the thread.
    pub fn requests(&self) -> u64 {
        self.0.board().requests()
    }

    /// Shows how far a simulation is that runs elsewhere in the place of this thread's, which began after so many requests.
    pub fn follow(&self, board: &Board, before: u64) {
        self.0.board().follow(board, before);
    }

    /// Whether the simulation is to stop at once.
    pub fn is_interrupted(&self) -> bool {
        self.0.board().is_interrupted()
    }

    /// Has the thread do what [`on_pause`](super::on_pause) was given, between two events.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// Stops the simulation after the event that it handles, with [`crate::Error::Interrupted`].
    pub fn interrupt(&self) {
        self.0.board().stop_before(0);
    }
}

/// A call that has lasted too long, and what was known when it began.
#[derive(Debug)]
pub struct StuckCall {
    /// The call.
    pub call: LastingCall,
    /// The name of the policy with the path of its library, if a simulation had begun.
    pub policy: Option<String>,
    /// How long it was allowed to take.
    pub limit: Duration,
    /// What had come of the simulation before the call, if it had begun: invocations that have not ended are not in it.
    pub results: Option<Results>,
}

impl fmt::Display for StuckCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, limit, .. } = self;
        let LastingCall { callee, method, .. } = call;
        let seconds = limit.as_secs_f64();
        match callee {
            Callee::Policy(slot) => {
                let policy = self.policy.as_deref().unwrap_or("the policy");
                write!(f, "policies.{}: {policy} has not come back from {method} for {seconds} s", slot.path())?;
            }
            Callee::Library(path) => write!(f, "{path}: has not come back from {method} for {seconds} s")?,
        }
        write!(f, "{}: mend it, or allow more with --policy-timeout", call.when())
    }
}

/// Watches the policies of simulations that run on one thread, until it is dropped.
#[derive(Debug)]
pub struct Watchdog {
    ended: Arc<AtomicBool>,
}

impl Watchdog {
    /// Watches the current thread. When a call lasts longer than `limit`, `end` is called on another thread with what
    /// is known; it must end the process, since the simulation can neither go on nor be dropped.
    pub fn start(limit: Duration, end: impl FnOnce(StuckCall) + Send + 'static) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let (desk, running, over) = (Desk::of_this_thread(), RUNNING.with(Arc::clone), Arc::clone(&ended));
        thread::spawn(move || {
            if let Some(call) = watch(&desk, limit, &over) {
                end(stuck(desk.board().describe(call), &running, limit));
            }
        });
        Self { ended }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
    }
}

/// Waits until a call has lasted too long, and seizes it; `None` once the watchdog is dropped.
fn watch(desk: &Desk, limit: Duration, ended: &AtomicBool) -> Option<Seen> {
    let pause = (limit / 16).clamp(Duration::from_millis(1), Duration::from_millis(100));
    let (mut seen, mut since) = (None, Instant::now());
    while !ended.load(Ordering::Acquire) {
        thread::sleep(pause);
        let lasting = desk.look();
        if lasting.is_none() || lasting != seen {
            (seen, since) = (lasting, Instant::now());
        } else if since.elapsed() >= limit
            && let Some(call) = lasting
            && desk.seize(call)
        {
            return lasting;
        }
    }
    None
}

fn stuck(call: LastingCall, running: &Mutex<Option<Shown>>, limit: Duration) -> StuckCall {
    let running = running.lock().unwrap_or_else(PoisonError::into_inner).take();
    let policy = running.as_ref().and_then(|Shown { about, .. }| {
        let is_it = |of: &PolicySlot| call.callee == Callee::Policy(*of);
        let record = about.policies.iter().find(|(of, _)| is_it(of)).map(|(_, record)| record);
        record.map(ToString::to_string)
    });
    let policy = policy.or_else(|| call.policy.clone());
    let under_way = running.and_then(|Shown { about, ledger }| Some((about, ledger?)));
    // SAFETY: what runs is on the thread of the desk, which stays in the call that is seized until the process ends.
    #[allow(unsafe_code)]
    let results = under_way.map(|(about, ledger)| Results::so_far(about, unsafe { ledger.take() }));
    StuckCall { call, policy, limit, results }
}
