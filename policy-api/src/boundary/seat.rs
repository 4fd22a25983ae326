//! Where an instance sits: what it is made for, and what it tells the host besides its answers.

// The host's functions take addresses; each block says what is relied on.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use super::failure::CallFailure;
use super::said::said;
use crate::abi::{Handle, Host, LOG_DEBUG, LOG_ERROR, LOG_INFO, LOG_OFF, LOG_TRACE, LOG_WARN, Text};
use crate::{LogLevel, PolicyContext, PolicySlot};

/// What an instance asks its host to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `on_timer` is to be called at a date.
    WakeAt {
        /// The instance's number for the timer.
        timer: u64,
        /// In ns; `u64::MAX` takes the timer back.
        date: u64,
    },
    /// Containers are to be started.
    StartContainers {
        /// Of which function.
        function: u32,
        /// On which node; [`NONE`](crate::NONE) for any.
        node: u32,
        /// How many.
        count: u32,
        /// How long each is kept once it is up, in ns.
        keep_for: u64,
    },
    /// Idle containers are to be ended.
    EndContainers {
        /// Of which function.
        function: u32,
        /// On which node; [`NONE`](crate::NONE) for any.
        node: u32,
        /// How many at the most.
        count: u32,
    },
    /// How many containers of a function there are to be from now on.
    KeepBetween {
        /// Of which function.
        function: u32,
        /// At the least.
        floor: u32,
        /// At the most.
        ceiling: u32,
    },
    /// Another attempt is to be made beside one.
    Hedge {
        /// What names that, as its request says.
        key: u64,
    },
    /// One in the queue gets another rank.
    SetRank {
        /// What names it, as its request says.
        key: u64,
        /// The rank.
        rank: u64,
    },
    /// One that stands in the queues of nodes is to be back in that of the head.
    TakeBack {
        /// What names it, as its request says.
        key: u64,
    },
}

/// Who asks for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// The slot of the instance.
    pub slot: PolicySlot,
    /// The node whose storage it serves; [`NONE`](crate::NONE) for all that have one slot.
    pub node: u32,
    /// What it asks for.
    pub order: Order,
}

/// A line that an instance has written into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The slot of the instance.
    pub slot: PolicySlot,
    /// The node whose storage it serves; [`NONE`](crate::NONE) for all that have one slot.
    pub node: u32,
    /// How important it is.
    pub level: LogLevel,
    /// The line, without an end.
    pub text: String,
}

/// Reads what is logged.
type Listener = Box<dyn Fn(Logged)>;

/// What all instances of a service have asked for, and nobody has done yet; and who reads what they log.
#[derive(Default)]
pub struct Orders {
    list: RefCell<Vec<Ordered>>,
    are_there: Cell<bool>,
    log: Option<(LogLevel, Listener)>,
}

impl fmt::Debug for Orders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Orders").field("list", &self.list).finish_non_exhaustive()
    }
}

impl Orders {
    /// None yet; lines of the log up to this level go there.
    ///
    /// ```
    /// use std::cell::RefCell;
    /// use std::rc::Rc;
    /// use hearth_policy_api::boundary::{Orders, Seat};
    /// use hearth_policy_api::{LogLevel, PolicyContext};
    /// let lines = Rc::new(RefCell::new(Vec::new()));
    /// let kept = Rc::clone(&lines);
    /// let orders = Rc::new(Orders::with_log(LogLevel::Info, move |line| kept.borrow_mut().push(line.text)));
    /// let seat = Seat::new(&PolicyContext::default(), &orders);
    /// seat.context().log(LogLevel::Info, "heard");
    /// seat.context().log(LogLevel::Debug, "not heard");
    /// assert_eq!(*lines.borrow(), ["heard"]);
    /// ```
    pub fn with_log(level: LogLevel, log: impl Fn(Logged) + 'static) -> Self {
        Self { log: Some((level, Box::new(log))), ..Self::default() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.list.borrow().len()
    }

    /// Copies of those behind the first so many.
    pub fn behind(&self, count: usize) -> Vec<Ordered> {
        self.list.borrow().get(count..).unwrap_or_default().to_vec()
    }

    /// Those behind the first so many are not to be done.
    pub fn forget_behind(&self, count: usize) {
        let mut list = self.list.borrow_mut();
        list.truncate(count);
        self.are_there.set(!list.is_empty());
    }

    /// Whether there are any.
    #[inline]
    pub fn are_there(&self) -> bool {
        self.are_there.get()
    }

    /// Takes all of them, in the order in which they were given.
    pub fn take(&self) -> Vec<Ordered> {
        self.are_there.set(false);
        self.list.take()
    }

    /// Takes them into a list whose memory is used again.
    pub fn take_into(&self, list: &mut Vec<Ordered>) {
        self.are_there.set(false);
        list.clear();
        std::mem::swap(&mut *self.list.borrow_mut(), list);
    }

    fn add(&self, ordered: Ordered) {
        self.list.borrow_mut().push(ordered);
        self.are_there.set(true);
    }
}

/// What the handle of an instance stands for.
#[derive(Debug)]
pub(super) struct Told {
    cause: RefCell<Option<String>>,
    slot: PolicySlot,
    node: u32,
    orders: Rc<Orders>,
}

impl Told {
    #[cold]
    pub(super) fn failure(&self) -> CallFailure {
        let cause = self.cause.take();
        CallFailure { cause: cause.unwrap_or_else(|| "failed, and does not say why".to_owned()) }
    }

    fn add(&self, order: Order) {
        self.orders.add(Ordered { slot: self.slot, node: self.node, order });
    }
}

/// Has what a handle stands for add an order; [`Handle::NONE`] stands for nobody.
///
/// # Safety
/// The handle must be none, or that of a seat which is there, or held.
unsafe fn add(handle: *mut (), order: Order) {
    // SAFETY: as this function's.
    if let Some(told) = unsafe { handle.cast::<Told>().as_ref() } {
        told.add(order);
    }
}

/// What instances may call, up to which level they are heard.
const fn host(log_level: u32) -> Host {
    unsafe extern "C" fn fail(handle: *mut (), cause: Text) {
        // SAFETY: the handle is that of the instance which fails, or none; the text is there during the call.
        if let Some(told) = unsafe { handle.cast::<Told>().as_ref() } {
            told.cause.replace(Some(unsafe { said(cause) }));
        }
    }
    unsafe extern "C" fn hold(handle: *mut ()) {
        if !handle.is_null() {
            // SAFETY: the handle is that of an `Rc` which is there.
            unsafe { Rc::increment_strong_count(handle.cast::<Told>()) };
        }
    }
    unsafe extern "C" fn release(handle: *mut ()) {
        if !handle.is_null() {
            // SAFETY: the handle was held.
            unsafe { Rc::decrement_strong_count(handle.cast::<Told>()) };
        }
    }
    unsafe extern "C" fn wake_at(handle: *mut (), timer: u64, date: u64) {
        // SAFETY: the handle is that of an instance, or held.
        unsafe { add(handle, Order::WakeAt { timer, date }) }
    }
    unsafe extern "C" fn start_containers(handle: *mut (), function: u32, node: u32, count: u32, keep_for: u64) {
        // SAFETY: as above.
        unsafe { add(handle, Order::StartContainers { function, node, count, keep_for }) }
    }
    unsafe extern "C" fn end_containers(handle: *mut (), function: u32, node: u32, count: u32) {
        // SAFETY: as above.
        unsafe { add(handle, Order::EndContainers { function, node, count }) }
    }
    unsafe extern "C" fn hedge(handle: *mut (), key: u64) {
        // SAFETY: as above.
        unsafe { add(handle, Order::Hedge { key }) }
    }
    unsafe extern "C" fn set_rank(handle: *mut (), key: u64, rank: u64) {
        // SAFETY: as above.
        unsafe { add(handle, Order::SetRank { key, rank }) }
    }
    unsafe extern "C" fn take_back(handle: *mut (), key: u64) {
        // SAFETY: as above.
        unsafe { add(handle, Order::TakeBack { key }) }
    }
    unsafe extern "C" fn keep_between(handle: *mut (), function: u32, floor: u32, ceiling: u32) {
        // SAFETY: as above.
        unsafe { add(handle, Order::KeepBetween { function, floor, ceiling }) }
    }
    unsafe extern "C" fn log(handle: *mut (), level: u32, text: Text) {
        // SAFETY: the handle is that of an instance, or held; the text is there during the call.
        if let Some(told) = unsafe { handle.cast::<Told>().as_ref() }
            && let Some((most, log)) = &told.orders.log
            && level <= *most as u32
        {
            let (slot, node, level) = (told.slot, told.node, LogLevel::of_number(level));
            // SAFETY: as above.
            log(Logged { slot, node, level, text: unsafe { said(text) } });
        }
    }
    Host {
        size: size_of::<Host>() as u32,
        fail,
        hold,
        release,
        wake_at,
        start_containers,
        end_containers,
        hedge,
        set_rank,
        take_back,
        keep_between,
        log,
        log_level,
        reserved: 0,
    }
}

/// One for each level.
static HOSTS: [Host; 6] =
    [host(LOG_OFF), host(LOG_ERROR), host(LOG_WARN), host(LOG_INFO), host(LOG_DEBUG), host(LOG_TRACE)];

/// The place of an instance that is to be made.
#[derive(Debug)]
pub struct Seat {
    context: PolicyContext,
    pub(super) told: Rc<Told>,
}

impl Seat {
    /// A seat for an instance that is made for this, and whose orders go there.
    pub fn new(context: &PolicyContext, orders: &Rc<Orders>) -> Self {
        let (slot, node) = (context.slot, context.node);
        let told = Rc::new(Told { cause: RefCell::default(), slot, node, orders: Rc::clone(orders) });
        let handle = Handle(Rc::as_ptr(&told).cast_mut().cast());
        let [off, ..] = &HOSTS;
        let host = orders.log.as_ref().and_then(|(level, _)| HOSTS.get(*level as usize)).unwrap_or(off);
        Self { context: PolicyContext { host, handle, ..*context }, told }
    }

    /// Where the instance's orders go.
    pub fn orders(&self) -> &Rc<Orders> {
        &self.told.orders
    }

    /// What the instance is made for.
    pub fn context(&self) -> &PolicyContext {
        &self.context
    }
}

impl Default for Seat {
    /// One for an instance that is made by hand, in the program itself: nobody does what it asks for.
    fn default() -> Self {
        Self::new(&PolicyContext::default(), &Rc::default())
    }
}
