//! Watches the calls into policies: around each the simulation writes down which call it is in, where other threads look
//! ([`board`](super::board)), and how long some of them take.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use hearth_policy_api::boundary::{Called, Logged, Orders};
use hearth_simcore::time::SimTime;

use super::board::Desk;
use super::spent::{PolicyTime, Spent};
use super::{Mistake, PolicySlot};
use crate::decisions::{Call, Observers, PolicyLog, Recorder, Replaceable, Seen};

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
    Scale,
    ScalePool,
    /// The library is opened: its initialisers run.
    Open,
    /// The instance ends.
    Drop,
}

impl Method {
    pub(super) const ALL: [Self; 32] = [
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
        Self::Scale,
        Self::ScalePool,
        Self::Open,
        Self::Drop,
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
            Self::Scale => "scale",
            Self::ScalePool => "scale_pool",
            Self::Open => "its initialisers",
            Self::Drop => "its destructor",
        }
    }
}

/// Who hears what policies say: the log, and who writes down the call in which it is said.
fn hears(observers: &Observers, log: &Rc<PolicyLog>, desk: &Arc<Desk>) -> impl Fn(Logged) + use<> {
    let (log, recorder, desk) = (Rc::clone(log), observers.recorder.clone(), Arc::clone(desk));
    move |logged| {
        log.hear(desk.board().date(), &logged);
        if let Some(recorder) = &recorder {
            recorder.hear(&logged);
        }
    }
}

/// Keeps track of the calls of one service.
#[derive(Debug)]
pub(crate) struct Watch {
    desk: Arc<Desk>,
    /// A mistake in a call that has no answer to go wrong; the service asks for it after every event.
    mistake: RefCell<Option<Mistake>>,
    has_mistake: Cell<bool>,
    /// How many requests there have been. The board counts those of all simulations of the thread.
    requests: Cell<u64>,
    /// What policies have asked for, for the service to do after the event.
    orders: Rc<Orders>,
    /// By slot: how often its policies were called, and how long that took.
    spent: [Spent; PolicySlot::ALL.len()],
    observers: Observers,
}

impl Watch {
    /// Of a service at whose policies nobody looks.
    #[cfg(test)]
    pub fn new() -> Rc<Self> {
        Self::observed(Observers::default())
    }

    /// Of a service whose policies' calls these look at.
    pub fn observed(observers: Observers) -> Rc<Self> {
        let desk = Desk::of_this_thread();
        if observers.recorder.is_some() || observers.log.is_some() {
            // The thread may have had another simulation before, and its policies are made at no date.
            desk.board().advance(SimTime::ZERO, 0);
        }
        let orders = match &observers.log {
            None => Rc::default(),
            Some(log) => Rc::new(Orders::with_log(log.level, hears(&observers, log, &desk))),
        };
        Rc::new(Self {
            desk,
            mistake: RefCell::new(None),
            has_mistake: Cell::new(false),
            requests: Cell::new(0),
            orders,
            spent: Default::default(),
            observers,
        })
    }

    /// Who writes calls down, if somebody does.
    #[inline(always)]
    pub fn recorder(&self) -> Option<&Rc<Recorder>> {
        self.observers.recorder.as_ref()
    }

    /// Makes a call and writes it down.
    pub fn during_recorded<'a, T: Replaceable>(
        &self,
        recorder: &Recorder,
        (slot, storage): (PolicySlot, u32),
        method: Method,
        seen: impl FnOnce() -> Seen<'a>,
        work: impl FnOnce() -> Called<T>,
    ) -> Called<T> {
        let call = Call { date_ns: self.now(), slot, storage, method: method.name() };
        let answer = recorder.during(call, &self.orders, seen, || self.during(slot, method, work));
        // The service asks after every event.
        self.has_mistake.set(self.has_mistake.get() || recorder.has_failed());
        answer
    }

    /// The number of the last call in which the policy in a slot was asked, where calls are counted.
    pub fn last_asked(&self, slot: PolicySlot) -> Option<u64> {
        self.recorder()?.last_asked(slot)
    }

    /// Who looks at the calls.
    pub fn observers(&self) -> &Observers {
        &self.observers
    }

    /// What policies have asked for.
    #[inline]
    pub fn orders(&self) -> &Rc<Orders> {
        &self.orders
    }

    /// Makes a call and notes when it begins and ends.
    #[inline(always)]
    pub fn during<T>(&self, slot: PolicySlot, method: Method, work: impl FnOnce() -> T) -> T {
        let lasting = self.desk.board().begin(slot, method);
        let answer = self.spent[slot as usize].during(work);
        lasting.end();
        answer
    }

    /// Whether a call has begun and not come back.
    pub fn is_in_a_call(&self) -> bool {
        self.desk.look_at_any().is_some()
    }

    /// Notes which policy is to be made.
    pub fn is_to_make(&self, policy: &str) {
        self.desk.board().set_name(policy);
    }

    /// Notes about which invocation the next calls are.
    #[inline(always)]
    pub fn is_about(&self, invocation: u64) {
        self.desk.board().is_about(invocation);
    }

    /// How often the policies of each slot were called, and how long that took, as far as it is known.
    pub fn times(&self) -> Vec<PolicyTime> {
        let of = |(slot, spent): (PolicySlot, &Spent)| spent.time(slot);
        PolicySlot::ALL.into_iter().zip(&self.spent).filter_map(of).collect()
    }

    /// Notes how far the simulation is, with this event; true if it is to stop before it.
    #[inline]
    pub fn advance(&self, date: SimTime, event: u64) -> bool {
        self.desk.pause_if_wanted();
        self.desk.board().advance(date, event)
    }

    /// The date of the event that is being handled, in ns.
    #[inline]
    pub fn now(&self) -> u64 {
        self.desk.board().date().as_nanos()
    }

    /// Notes a request.
    #[inline]
    pub fn count_request(&self) {
        self.requests.set(self.requests.get() + 1);
        self.desk.board().count_request();
    }

    /// How many requests there have been.
    pub fn requests(&self) -> u64 {
        self.requests.get()
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
