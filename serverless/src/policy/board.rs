//! What the thread of a simulation shows: which call to a policy it is in, and how far it is. Other threads look at it, and
//! other processes, where it lies in memory that they share.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use hearth_simcore::time::SimTime;

use super::PolicySlot;
use super::handshake::{Handshake, Lasting, Seen};
use super::watch::Method;

/// The longest name that is shown whole.
const LONGEST_NAME: usize = 1024;

/// A place in memory where a simulation says which call it is in, and how far it is. All of it is written by one thread, but for
/// the event before which it is to stop.
///
/// ```
/// use hearth_serverless::experiment::Board;
/// let board = Board::default();
/// assert_eq!((board.lasting_call(), board.event()), (None, 0));
/// ```
#[derive(Debug)]
#[repr(C)]
pub struct Board {
    /// The call that lasts: the slot of the policy and the method.
    handshake: Handshake,
    /// The date of the event that is being handled, in ns.
    date: AtomicU64,
    /// How many requests there have been.
    requests: AtomicU64,
    /// The number of the event that is being handled.
    event: AtomicU64,
    /// The invocation that the last call about one was about.
    invocation: AtomicU64,
    /// The event before which the simulation stops.
    stop_before: AtomicU64,
    /// What is being opened or made: the path of a library, or the name of a policy.
    name: [AtomicU8; LONGEST_NAME],
    name_length: AtomicU64,
}

impl Default for Board {
    /// Of a simulation that has not begun and is not to be stopped.
    fn default() -> Self {
        Self {
            handshake: Handshake::default(),
            date: AtomicU64::default(),
            requests: AtomicU64::default(),
            event: AtomicU64::default(),
            invocation: AtomicU64::default(),
            stop_before: AtomicU64::new(u64::MAX),
            name: [const { AtomicU8::new(0) }; LONGEST_NAME],
            name_length: AtomicU64::default(),
        }
    }
}

/// A call into a policy, or into its library, that has begun and not come back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastingCall {
    /// Which one it is, of all calls there have been.
    pub number: u64,
    /// Whom it is to.
    pub callee: Callee,
    /// What is called: the method, or in words what runs of the library.
    pub method: &'static str,
    /// The name of the policy, if it is being made; later it is known to the service.
    pub policy: Option<String>,
    /// The date of the event that it belongs to, if there has been one.
    pub date: Option<SimTime>,
    /// The invocation that it is about, if it is about one.
    pub invocation: Option<u64>,
}

impl LastingCall {
    /// At which date it is and what it is about, as a message goes on; nothing if neither is known.
    pub fn when(&self) -> String {
        let date = self.date.map(|date| format!(", at {} s", date.as_secs_f64())).unwrap_or_default();
        let about = self.invocation.map(|invocation| format!(", about invocation {invocation}")).unwrap_or_default();
        date + &about
    }
}

/// Whom a call is to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Callee {
    /// The policy in a slot.
    Policy(PolicySlot),
    /// A library that is being opened, by its path.
    Library(String),
}

const METHOD_BITS: u32 = 8;
/// In the place of the slot, for what is called of a library.
const NO_SLOT: u16 = 0xff;

impl Seen {
    fn method(self) -> Option<Method> {
        Method::ALL.into_iter().find(|of| *of as u16 == self.what() & 0xff)
    }

    fn slot(self) -> Option<PolicySlot> {
        PolicySlot::ALL.into_iter().find(|of| *of as u16 == self.what() >> METHOD_BITS)
    }
}

impl Board {
    /// Has the simulations of the current thread that are not made yet use this one.
    pub fn show_on_this_thread(&'static self) {
        DESK.with_borrow_mut(|desk| *desk = Arc::new(Desk { shared: Some(self), ..Desk::default() }));
    }

    /// The call that lasts, if one does. Of a simulation that goes on meanwhile, it may be over.
    pub fn lasting_call(&self) -> Option<LastingCall> {
        self.handshake.look_at_any().map(|seen| self.describe(seen))
    }

    pub(crate) fn describe(&self, seen: Seen) -> LastingCall {
        let method = seen.method();
        let is_about_one = matches!(method, Some(Method::Place | Method::Rank | Method::Admit));
        LastingCall {
            number: seen.number(),
            callee: seen.slot().map_or_else(|| Callee::Library(self.name()), Callee::Policy),
            method: method.map_or("a call", Method::name),
            policy: (method == Some(Method::Construct)).then(|| self.name()).filter(|name| !name.is_empty()),
            date: (self.event() > 0).then(|| self.date()),
            invocation: is_about_one.then(|| self.invocation.load(Ordering::Relaxed)),
        }
    }

    /// The date that the simulation has come to.
    #[inline]
    pub fn date(&self) -> SimTime {
        SimTime::from_nanos(self.date.load(Ordering::Relaxed))
    }

    /// How many requests there have been, of all simulations that show it here.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The number of the event that the simulation has come to, from 1; 0 before the first.
    pub fn event(&self) -> u64 {
        self.event.load(Ordering::Relaxed)
    }

    /// Stops the simulation before this event, or after the one that it handles.
    pub fn stop_before(&self, event: u64) {
        self.stop_before.store(event, Ordering::Relaxed);
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.stop_before.load(Ordering::Relaxed) == 0
    }

    /// Shows how far the simulation of another board is, which began when there had been so many requests here.
    pub(crate) fn follow(&self, other: &Self, before: u64) {
        self.date.store(other.date().as_nanos(), Ordering::Relaxed);
        self.requests.store(before + other.requests(), Ordering::Relaxed);
    }

    #[inline(always)]
    pub(super) fn begin(&self, slot: PolicySlot, method: Method) -> Lasting<'_> {
        self.handshake.begin((slot as u16) << METHOD_BITS | method as u16)
    }

    fn begin_to_open(&self, library: &Path) -> Lasting<'_> {
        self.set_name(&library.display().to_string());
        self.handshake.begin(NO_SLOT << METHOD_BITS | Method::Open as u16)
    }

    /// A policy of this name is to be made.
    pub(super) fn set_name(&self, name: &str) {
        for (place, byte) in self.name.iter().zip(name.bytes()) {
            place.store(byte, Ordering::Relaxed);
        }
        self.name_length.store(name.len().min(LONGEST_NAME) as u64, Ordering::Relaxed);
    }

    fn name(&self) -> String {
        let length = self.name_length.load(Ordering::Relaxed) as usize;
        let bytes: Vec<u8> = self.name.iter().take(length).map(|byte| byte.load(Ordering::Relaxed)).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[inline(always)]
    pub(super) fn is_about(&self, invocation: u64) {
        self.invocation.store(invocation, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn advance(&self, date: SimTime, event: u64) -> bool {
        self.date.store(date.as_nanos(), Ordering::Relaxed);
        self.event.store(event, Ordering::Relaxed);
        event >= self.stop_before.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn count_request(&self) {
        let requests = self.requests.load(Ordering::Relaxed);
        self.requests.store(requests + 1, Ordering::Relaxed);
    }
}

/// The board that the simulations of a thread use.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    own: Board,
    /// One elsewhere, in the place of its own.
    shared: Option<&'static Board>,
    /// Somebody wants the thread to pause.
    is_to_pause: AtomicBool,
}

thread_local! {
    static DESK: RefCell<Arc<Desk>> = RefCell::default();
    /// What the thread does when somebody wants it to pause.
    static PAUSE: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Has the simulations of the current thread do this between two events when [`Monitor::pause`](crate::experiment::Monitor::pause) is
/// called: for a program in which others wait for what the thread holds, as for the interpreter of Python.
///
/// ```
/// use hearth_serverless::experiment::{Monitor, on_pause};
/// on_pause(|| std::thread::yield_now());
/// Monitor::of_this_thread().pause();
/// ```
pub fn on_pause(pause: impl Fn() + 'static) {
    PAUSE.set(Some(Box::new(pause)));
}

impl Desk {
    /// That of the current thread.
    pub fn of_this_thread() -> Arc<Self> {
        DESK.with_borrow(Arc::clone)
    }

    /// What `work` gives, and a desk of their own for the simulations that it makes: several of them can then be in a call at once.
    #[cfg(feature = "stepwise")]
    pub fn apart<T>(work: impl FnOnce() -> T) -> (T, Arc<Self>) {
        struct Back(Arc<Desk>);
        impl Drop for Back {
            fn drop(&mut self) {
                DESK.with_borrow_mut(|desk| std::mem::swap(desk, &mut self.0));
            }
        }
        let own = Arc::new(Self::default());
        let _back = Back(DESK.replace(Arc::clone(&own)));
        (work(), own)
    }

    /// What it shows.
    #[inline(always)]
    pub fn board(&self) -> &Board {
        self.shared.unwrap_or(&self.own)
    }

    /// Has the thread pause.
    pub fn pause(&self) {
        self.is_to_pause.store(true, Ordering::Relaxed);
    }

    /// Pauses, if somebody wants that.
    #[inline(always)]
    pub fn pause_if_wanted(&self) {
        if self.is_to_pause.load(Ordering::Relaxed) {
            self.pause_now();
        }
    }

    #[cold]
    fn pause_now(&self) {
        self.is_to_pause.store(false, Ordering::Relaxed);
        PAUSE.with_borrow(|pause| pause.iter().for_each(|pause| pause()));
    }

    /// The call that the simulation is in.
    pub fn look(&self) -> Option<Seen> {
        self.board().handshake.look()
    }

    /// The call that the simulation is in, though somebody may keep it there.
    pub fn look_at_any(&self) -> Option<Seen> {
        self.board().handshake.look_at_any()
    }

    /// Keeps the simulation in this call until the process ends; false if it has left, or if somebody else keeps it.
    pub fn seize(&self, call: Seen) -> bool {
        self.board().handshake.seize(call)
    }
}

/// Opens a library, which others see to be opened meanwhile.
pub(super) fn while_opening<T>(library: &Path, open: impl FnOnce() -> T) -> T {
    let desk = Desk::of_this_thread();
    let lasting = desk.board().begin_to_open(library);
    let opened = open();
    lasting.end();
    opened
}
