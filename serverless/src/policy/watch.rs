//! Watches the calls into policies: around each the simulation writes down which call it is in, in one word of memory
//! ([`handshake`](super::handshake)), where other threads look. Beside it stands how far the simulation is.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hearth_policy_api::boundary::Orders;
use hearth_simcore::time::SimTime;

use super::handshake::{Handshake, Seen};
use super::{Mistake, PolicySlot};

/// What is called of a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Method {
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
    OnEnd,
    Prewarm,
    ObserveLink,
    Created,
    Ended,
    OnDelayedStart,
    OnTimer,
    StartContainers,
    EndContainers,
    Shed,
    OnContainer,
    Hedge,
    OnWorkflow,
    Source,
    KeepBetween,
}

impl Method {
    const ALL: [Self; 28] = [
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
        Self::OnEnd,
        Self::Prewarm,
        Self::ObserveLink,
        Self::Created,
        Self::Ended,
        Self::OnDelayedStart,
        Self::OnTimer,
        Self::StartContainers,
        Self::EndContainers,
        Self::Shed,
        Self::OnContainer,
        Self::Hedge,
        Self::OnWorkflow,
        Self::Source,
        Self::KeepBetween,
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
            Self::OnEnd => "on_end",
            Self::Prewarm => "prewarm",
            Self::ObserveLink => "observe_link",
            Self::Created => "created",
            Self::Ended => "ended",
            Self::OnTimer => "on_timer",
            Self::StartContainers => "start_containers",
            Self::EndContainers => "end_containers",
            Self::OnDelayedStart => "on_delayed_start",
            Self::Shed => "shed",
            Self::OnContainer => "on_container",
            Self::Hedge => "hedge",
            Self::OnWorkflow => "on_workflow",
            Self::Source => "source",
            Self::KeepBetween => "keep_between",
        }
    }
}

/// What the thread of a simulation shows other threads.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// The call that lasts: the slot of the policy and the method.
    handshake: Handshake,
    /// Somebody wants the simulation to stop after this event.
    interrupted: AtomicBool,
    /// The date of the event that is being handled, in ns, and how many requests there have been.
    date: AtomicU64,
    requests: AtomicU64,
}

const METHOD_BITS: u32 = 8;

thread_local! {
    static DESK: Arc<Desk> = Arc::default();
}

impl Desk {
    /// What the current thread shows.
    pub fn of_this_thread() -> Arc<Self> {
        DESK.with(Arc::clone)
    }

    /// The date that the simulation has come to.
    pub fn now(&self) -> SimTime {
        SimTime::from_nanos(self.date.load(Ordering::Relaxed))
    }

    /// How many requests there have been, of all simulations of the thread.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Stops the simulation after the event that it handles.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// The call that the simulation is in.
    pub fn look(&self) -> Option<Seen> {
        self.handshake.look()
    }

    /// Keeps the simulation in this call until the process ends; false if it has left, or if somebody else keeps it.
    pub fn seize(&self, call: Seen) -> bool {
        self.handshake.seize(call)
    }
}

impl Seen {
    /// The slot of the policy, and the name of the method.
    pub fn slot_and_method(self) -> (PolicySlot, &'static str) {
        let (method, slot) = (self.what() & 0xff, self.what() >> METHOD_BITS);
        let slot = PolicySlot::ALL.into_iter().find(|of| *of as u16 == slot).unwrap_or(PolicySlot::NodeAllocation);
        let method = Method::ALL.into_iter().find(|of| *of as u16 == method).map_or("a call", Method::name);
        (slot, method)
    }
}

/// Keeps track of the calls of one service.
#[derive(Debug)]
pub(crate) struct Watch {
    desk: Arc<Desk>,
    /// A mistake in a call that has no answer to go wrong; the service asks for it after every event.
    mistake: RefCell<Option<Mistake>>,
    has_mistake: Cell<bool>,
    /// What policies have asked for, for the service to do after the event.
    orders: Rc<Orders>,
}

impl Watch {
    pub fn new() -> Rc<Self> {
        Rc::new(Self {
            desk: Desk::of_this_thread(),
            mistake: RefCell::new(None),
            has_mistake: Cell::new(false),
            orders: Rc::default(),
        })
    }

    /// What policies have asked for.
    #[inline]
    pub fn orders(&self) -> &Rc<Orders> {
        &self.orders
    }

    /// Makes a call and notes when it begins and ends.
    #[inline(always)]
    pub fn during<T>(&self, slot: PolicySlot, method: Method, work: impl FnOnce() -> T) -> T {
        let _lasting = self.desk.handshake.begin((slot as u16) << METHOD_BITS | method as u16);
        work()
    }

    /// Notes how far the simulation is; true if it is to stop.
    #[inline]
    pub fn advance(&self, date: SimTime) -> bool {
        self.desk.date.store(date.as_nanos(), Ordering::Relaxed);
        self.desk.interrupted.load(Ordering::Relaxed)
    }

    /// The date of the event that is being handled, in ns.
    #[inline]
    pub fn now(&self) -> u64 {
        self.desk.date.load(Ordering::Relaxed)
    }

    /// Notes a request.
    #[inline]
    pub fn count_request(&self) {
        let requests = self.desk.requests.load(Ordering::Relaxed);
        self.desk.requests.store(requests + 1, Ordering::Relaxed);
    }

    /// Keeps a mistake until the service asks for it; the first counts.
    #[cold]
    pub fn report(&self, mistake: Mistake) {
        self.mistake.borrow_mut().get_or_insert(mistake);
        self.has_mistake.set(true);
    }

    /// Whether there has been a mistake since the last time.
    #[inline]
    pub fn has_mistake(&self) -> bool {
        self.has_mistake.get()
    }

    /// The first mistake since the last time.
    pub fn take_mistake(&self) -> Option<Mistake> {
        self.has_mistake.set(false);
        self.mistake.take()
    }
}
