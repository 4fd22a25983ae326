//! Watches the calls into policies, so that one that does not come back is reported instead of waited for.
//!
//! Around each call the simulation writes down which call it is in, in one word of memory (`handshake`). A [`Watchdog`] on a
//! thread of its own looks there now and then. A call that lasts too long cannot be ended, since it runs on the thread of the
//! simulation; but the process can, with what is known so far written.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hearth_simcore::time::SimTime;

use super::handshake::{Handshake, Seen};
use super::{PolicyFault, PolicySlot};
use crate::experiment::{About, Results};
use crate::ledger::LedgerReader;

/// A call into a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Call {
    Construct = 1,
    Rules,
    Place,
    Plan,
    Observe,
    Rank,
    Insert,
    Touch,
    Remove,
    Choose,
    Admit,
    OnIdle,
    OnArrival,
    OnCompletion,
    Prewarm,
    ObserveLink,
    Created,
    Ended,
}

impl Call {
    const ALL: [Self; 18] = [
        Self::Construct,
        Self::Rules,
        Self::Place,
        Self::Plan,
        Self::Observe,
        Self::Rank,
        Self::Insert,
        Self::Touch,
        Self::Remove,
        Self::Choose,
        Self::Admit,
        Self::OnIdle,
        Self::OnArrival,
        Self::OnCompletion,
        Self::Prewarm,
        Self::ObserveLink,
        Self::Created,
        Self::Ended,
    ];

    /// The name of the method.
    pub fn name(self) -> &'static str {
        match self {
            Self::Construct => "new",
            Self::Rules => "rules",
            Self::Place => "place",
            Self::Plan => "plan",
            Self::Observe => "observe",
            Self::Rank => "rank",
            Self::Insert => "insert",
            Self::Touch => "touch",
            Self::Remove => "remove",
            Self::Choose => "choose",
            Self::Admit => "admit",
            Self::OnIdle => "on_idle",
            Self::OnArrival => "on_arrival",
            Self::OnCompletion => "on_completion",
            Self::Prewarm => "prewarm",
            Self::ObserveLink => "observe_link",
            Self::Created => "created",
            Self::Ended => "ended",
        }
    }
}

/// What the thread of a simulation shows its watchdog.
#[derive(Debug, Default)]
struct Desk {
    /// The call that lasts: the slot of the policy and the method.
    handshake: Handshake,
    /// Somebody wants the simulation to stop after this event.
    interrupted: AtomicBool,
    /// The date of the event that is being handled, in ns, and how many requests there have been.
    date: AtomicU64,
    requests: AtomicU64,
    /// What is running, for the results so far.
    running: Mutex<Option<(About, LedgerReader)>>,
}

const CALL_BITS: u32 = 8;

thread_local! {
    static DESK: Arc<Desk> = Arc::default();
}

/// Keeps track of the calls of one service.
#[derive(Debug)]
pub(crate) struct Watch {
    desk: Arc<Desk>,
    /// A fault of a call that has no answer to go wrong; the service asks for it after every event.
    fault: RefCell<Option<(PolicySlot, PolicyFault)>>,
    has_fault: Cell<bool>,
}

impl Watch {
    pub fn new() -> Rc<Self> {
        Rc::new(Self { desk: DESK.with(Arc::clone), fault: RefCell::new(None), has_fault: Cell::new(false) })
    }

    /// Makes a call and notes when it begins and ends.
    #[inline(always)]
    pub fn during<T>(&self, slot: PolicySlot, call: Call, work: impl FnOnce() -> T) -> T {
        let _lasting = self.desk.handshake.begin((slot as u16) << CALL_BITS | call as u16);
        work()
    }

    /// Notes how far the simulation is; true if it is to stop.
    #[inline]
    pub fn advance(&self, date: SimTime) -> bool {
        self.desk.date.store(date.as_nanos(), Ordering::Relaxed);
        self.desk.interrupted.load(Ordering::Relaxed)
    }

    /// Notes a request.
    #[inline]
    pub fn count_request(&self) {
        let requests = self.desk.requests.load(Ordering::Relaxed);
        self.desk.requests.store(requests + 1, Ordering::Relaxed);
    }

    /// Keeps a fault until the service asks for it; the first counts.
    #[cold]
    pub fn report(&self, slot: PolicySlot, fault: PolicyFault) {
        self.fault.borrow_mut().get_or_insert((slot, fault));
        self.has_fault.set(true);
    }

    /// The first fault since the last time.
    #[inline]
    pub fn take_fault(&self) -> Option<(PolicySlot, PolicyFault)> {
        if self.has_fault.replace(false) { self.fault.take() } else { None }
    }
}

/// Says what the thread is running, until [`idle`].
pub(crate) fn running(about: &About, ledger: LedgerReader) {
    set_running(Some((about.clone(), ledger)));
}

/// Says that the thread runs nothing.
pub(crate) fn idle() {
    set_running(None);
}

fn set_running(running: Option<(About, LedgerReader)>) {
    DESK.with(|desk| *desk.running.lock().unwrap_or_else(PoisonError::into_inner) = running);
}

/// Looks from another thread at the simulation that runs on the thread which made this, and can stop it.
///
/// ```
/// use hearth_serverless::policy::Monitor;
/// let monitor = Monitor::of_this_thread();
/// assert_eq!(monitor.requests(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Monitor(Arc<Desk>);

impl Monitor {
    /// A monitor of the simulations of the current thread.
    pub fn of_this_thread() -> Self {
        Self(DESK.with(Arc::clone))
    }

    /// The date that the simulation has come to.
    pub fn now(&self) -> SimTime {
        SimTime::from_nanos(self.0.date.load(Ordering::Relaxed))
    }

    /// How many requests there have been, of all simulations of the thread.
    pub fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }

    /// Stops the simulation after the event that it handles, with [`crate::Error::Interrupted`].
    pub fn interrupt(&self) {
        self.0.interrupted.store(true, Ordering::Relaxed);
    }
}

/// A call that has lasted too long, and what was known when it began.
#[derive(Debug)]
pub struct StuckCall {
    /// Where the policy serves.
    pub slot: PolicySlot,
    /// The method.
    pub call: &'static str,
    /// The name of the policy with the path of its library, if a simulation had begun.
    pub policy: Option<String>,
    /// How long it was allowed to take.
    pub limit: Duration,
    /// What had come of the simulation before the call, if it had begun: invocations that have not ended are not in it.
    pub results: Option<Results>,
}

impl fmt::Display for StuckCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, call, limit, .. } = self;
        let policy = self.policy.as_deref().unwrap_or("the policy");
        let seconds = limit.as_secs_f64();
        write!(
            f,
            "policies.{}: {policy} has not come back from {call} for {seconds} s: mend it, or allow more with \
             --policy-timeout",
            slot.path()
        )
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
        let (desk, over) = (DESK.with(Arc::clone), Arc::clone(&ended));
        thread::spawn(move || {
            if let Some(call) = watch(&desk, limit, &over) {
                end(stuck(&desk, call, limit));
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
        let lasting = desk.handshake.look();
        if lasting.is_none() || lasting != seen {
            (seen, since) = (lasting, Instant::now());
        } else if since.elapsed() >= limit
            && let Some(call) = lasting
            && desk.handshake.seize(call)
        {
            return lasting;
        }
    }
    None
}

fn stuck(desk: &Desk, call: Seen, limit: Duration) -> StuckCall {
    let (method, slot) = (call.what() & 0xff, call.what() >> CALL_BITS);
    let slot = PolicySlot::ALL.into_iter().find(|of| *of as u16 == slot).unwrap_or(PolicySlot::NodeAllocation);
    let method = Call::ALL.into_iter().find(|of| *of as u16 == method).map_or("a call", Call::name);
    let mut running = desk.running.lock().unwrap_or_else(PoisonError::into_inner);
    let running = running.take();
    let policy = running.as_ref().and_then(|(about, _)| {
        let record = about.policies.iter().find(|(of, _)| *of == slot).map(|(_, record)| record);
        record.map(ToString::to_string)
    });
    // SAFETY: what runs is on the thread of the desk, which stays in the call that is seized until the process ends.
    #[allow(unsafe_code)]
    let results = running.map(|(about, ledger)| unsafe { ledger.results_so_far(about) });
    StuckCall { slot, call: method, policy, limit, results }
}
