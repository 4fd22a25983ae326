//! What a policy can have done, besides answering: be called again at a date, have containers started and ended, and take
//! back whom it has put into the queues of nodes.

// The host is called through its table; each block says what is relied on.
#![allow(unsafe_code)]

use std::fmt;

use crate::LogLevel;
use crate::primitives::{Host, Text};

/// The way from an instance of a policy to its host, by which it has something done. What it asks for is done once the call is
/// over in which it asks. [`PolicyContext::actions`](crate::PolicyContext::actions) gives it; a policy keeps it, and copies of it.
///
/// A keep-alive policy that has a container of each function that it knows started again every minute:
///
/// ```
/// use hearth_policy_api::*;
///
/// const MINUTE: u64 = 60_000_000_000;
///
/// struct EveryMinute {
///     actions: Actions,
///     functions: u32,
/// }
///
/// impl Policy for EveryMinute {
///     const NAME: &'static str = "every-minute";
///     const VERSION: &'static str = "1.0.0";
///     const DESCRIPTION: &'static str = "a container of each function, every minute";
///     type Parameters = ();
///     fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
///         let actions = context.actions();
///         actions.wake_at(0, MINUTE);
///         Ok(Self { actions, functions: 0 })
///     }
/// }
///
/// impl KeepAlive for EveryMinute {
///     fn rules(&self) -> KeepAliveRules {
///         KeepAliveRules { observes_arrivals: true, ..KeepAliveRules::default() }
///     }
///     fn on_idle(&mut self, _completion: &Completion) -> Retention {
///         Retention { keep_for: 0 }
///     }
///     fn on_arrival(&mut self, function: u32, _now: u64) {
///         self.functions = self.functions.max(function + 1);
///     }
///     fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
///         for function in 0..self.functions {
///             self.actions.start_containers(function, NONE, 1, MINUTE);
///         }
///         self.actions.wake_at(timer, cluster.now + MINUTE);
///     }
/// }
/// ```
pub struct Actions {
    host: &'static Host,
    handle: *mut (),
}

impl Actions {
    pub(crate) fn new(host: &'static Host, handle: *mut ()) -> Self {
        // SAFETY: the handle is there during the call in which this is made, and from now on until `drop`.
        unsafe { (host.hold)(handle) };
        Self { host, handle }
    }

    /// Has `on_timer` called at a date, in ns, with this number. Each number is one timer, which goes off once: one that is set
    /// again is put off, and `u64::MAX` takes it back. A date that is past is now. Timers go off while somebody is under way or
    /// requests are to come, and do not make a simulation longer.
    pub fn wake_at(&self, timer: u64, date: u64) {
        // SAFETY: the handle is held.
        unsafe { (self.host.wake_at)(self.handle, timer, date) }
    }

    /// Has `count` containers of a function started, without evicting anything, on `node`, or, with [`NONE`](crate::NONE), each on
    /// the node with the most free RAM. The image must be there already. Each is idle once it is up, and is kept for `keep_for` ns
    /// from then on; `u64::MAX` keeps it. Those that find no room are not started.
    pub fn start_containers(&self, function: u32, node: u32, count: u32, keep_for: u64) {
        // SAFETY: the handle is held.
        unsafe { (self.host.start_containers)(self.handle, function, node, count, keep_for) }
    }

    /// Ends `count` idle containers of a function at the most, those that are idle longest first, on `node`, or, with
    /// [`NONE`](crate::NONE), anywhere.
    pub fn end_containers(&self, function: u32, node: u32, count: u32) {
        // SAFETY: the handle is held.
        unsafe { (self.host.end_containers)(self.handle, function, node, count) }
    }

    /// Has at least `floor` containers of a function, and at most `ceiling`, from now on, whether idle, in use or being started;
    /// 0 and `u32::MAX` are no bounds. What was said last of a function counts, whichever policy has said it.
    ///
    /// What is missing to the floor is started as by [`Actions::start_containers`], as soon as there is room, and kept; the last `floor`
    /// containers do not end when their keep-alive is over or keep-alive does not keep them. Eviction may take them. At the ceiling
    /// none is started: a request for which a new one would have to be made waits. There may be more than that when it is set.
    pub fn keep_between(&self, function: u32, floor: u32, ceiling: u32) {
        // SAFETY: the handle is held.
        unsafe { (self.host.keep_between)(self.handle, function, floor, ceiling) }
    }

    /// Has another attempt made at the invocation of the one that [`RequestView::key`](crate::RequestView::key) names, beside it:
    /// the first of the two that completes counts, and the other is stopped. It enters the queue as a new request does. An
    /// invocation has two attempts under way at the most, and one that has ended none. For policies of node allocation whose
    /// [rules](crate::AllocationRules::hedges) say so.
    pub fn hedge(&self, key: u64) {
        // SAFETY: the handle is held.
        unsafe { (self.host.hedge)(self.handle, key) }
    }

    /// Gives the attempt that [`RequestView::key`](crate::RequestView::key) names another rank in the queue: lower ranks come first, and
    /// of one rank the request that entered first. For one that has not come to the queue yet, or has started, it does nothing.
    pub fn set_rank(&self, key: u64, rank: u64) {
        // SAFETY: the handle is held.
        unsafe { (self.host.set_rank)(self.handle, key, rank) }
    }

    /// Takes an attempt that stands in the queues of nodes ([`Placement::Queue`](crate::Placement::Queue)) back into the queue of the
    /// head, at its old place, to be asked about again: so one node steals from another.
    /// [`RequestView::key`](crate::RequestView::key) names it. For one that stands in none, since it has got a core or has ended, it
    /// does nothing.
    pub fn take_back(&self, key: u64) {
        // SAFETY: the handle is held.
        unsafe { (self.host.take_back)(self.handle, key) }
    }
}

impl Actions {
    /// Writes a line into the log of the run, with the simulated date and the name of the slot, where `hearth run --policy-log` asks for
    /// this level. A text of `format_args!` is made only then: who is not heard pays for a comparison.
    ///
    /// ```
    /// use hearth_policy_api::{LogLevel, PolicyContext};
    /// let actions = PolicyContext::default().actions();
    /// let (node, free) = (3, 2);
    /// actions.log(LogLevel::Debug, format_args!("node {node} has {free} free cores"));
    /// assert!(!actions.logs(LogLevel::Error), "nobody listens here");
    /// ```
    #[inline]
    pub fn log(&self, level: LogLevel, text: impl fmt::Display) {
        if self.logs(level) {
            self.write_log(level, &text);
        }
    }

    /// Whether somebody reads what is logged at this level: for what is worked out for the log alone.
    #[inline]
    pub fn logs(&self, level: LogLevel) -> bool {
        level as u32 <= self.host.log_level
    }

    #[cold]
    #[inline(never)]
    fn write_log(&self, level: LogLevel, text: &dyn fmt::Display) {
        let text = text.to_string();
        // SAFETY: the handle is held, and the host copies the text.
        unsafe { (self.host.log)(self.handle, level as u32, Text::lent(&text)) }
    }
}

impl Clone for Actions {
    fn clone(&self) -> Self {
        Self::new(self.host, self.handle)
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: the handle was held when this was made, and is not used any more.
        unsafe { (self.host.release)(self.handle) }
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Actions")
    }
}
