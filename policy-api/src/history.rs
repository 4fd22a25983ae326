//! What the host counts of each function for all policies that ask to see it.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

/// What has come of a function so far, and how it stands with it. Policies see one for each function, by number, where their
/// rules ask for it (`sees_history`); the host does not count otherwise.
///
/// ```
/// use hearth_policy_api::*;
///
/// /// Lets a request in if those of its function that wait before it are fewer than its containers.
/// struct NoLongQueues;
///
/// impl Admission for NoLongQueues {
///     fn rules(&self) -> AdmissionRules {
///         AdmissionRules { sees_history: true, ..AdmissionRules::default() }
///     }
///
///     fn admit(&mut self, request: &RequestView, view: &AdmissionView<'_>) -> AdmissionDecision {
///         let history = view.cluster.history(request.function);
///         if history.waiting < u64::from(history.busy + history.idle).max(1) {
///             AdmissionDecision::Admit
///         } else {
///             AdmissionDecision::Reject("all its containers are asked for".into())
///         }
///     }
/// }
///
/// let histories = [FunctionHistory { waiting: 3, busy: 2, ..FunctionHistory::default() }];
/// let cluster = ClusterView { histories: Records::new(&histories), ..ClusterView::default() };
/// let view = AdmissionView { cluster: &cluster, ..AdmissionView::default() };
/// assert_ne!(NoLongQueues.admit(&RequestView::default(), &view), AdmissionDecision::Admit);
/// ```
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionHistory {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// Containers that somebody is in, from the dispatch up to the end as the head hears of it. What decisions of this round
    /// take is not among them.
    pub busy: u32,
    /// Idle containers, on all nodes. In a [`Completion`](crate::Completion) the one that it is about is neither idle nor busy.
    pub idle: u32,
    /// Containers that are being started ahead of a request.
    pub starting: u32,
    /// Attempts that were let in and have no container, whether they wait for an image, for a place in the queue, on a node, in
    /// the queues of nodes or for a busy container.
    pub waiting: u64,
    /// When the one of these was let in that has waited longest, in ns; `u64::MAX` if nobody waits.
    pub waiting_since: u64,
    /// Attempts that were submitted, before admission is asked; retries and hedges too.
    pub arrivals: u64,
    /// When the last of these was, in ns; `u64::MAX` before the first.
    pub last_arrival: u64,
    /// Attempts that have ended well.
    pub completed: u64,
    /// Attempts that have run to an end of their own, well or not, or to their time limit
    /// ([`End::is_of_whole_run`](crate::End::is_of_whole_run)).
    pub runs: u64,
    /// The mean of their run times, in ns, rounded down; 0 before the first.
    pub mean_run_time: u64,
    /// What they have taken of late, in ns: an exponentially weighted mean, in which the last run has the weight 1/8 (as in TCP's
    /// estimate of the round trip time, RFC 6298), rounded down each time; the first run is itself, and 0 is before it.
    pub recent_run_time: u64,
    /// Containers that were made for an attempt.
    pub cold_starts: u64,
    /// The mean of the times that these take from the dispatch to the begin of the body, in ns, rounded down; 0 before the first.
    /// An image that is on its way takes its time before that.
    pub mean_start_time: u64,
}

impl FunctionHistory {
    /// Of a function that nobody has asked for.
    pub const NONE: Self = Self {
        size: size_of::<Self>() as u32,
        busy: 0,
        idle: 0,
        starting: 0,
        waiting: 0,
        waiting_since: u64::MAX,
        arrivals: 0,
        last_arrival: u64::MAX,
        completed: 0,
        runs: 0,
        mean_run_time: 0,
        recent_run_time: 0,
        cold_starts: 0,
        mean_start_time: 0,
    };
}

impl Default for FunctionHistory {
    /// Of a function that nobody has asked for.
    fn default() -> Self {
        Self::NONE
    }
}
