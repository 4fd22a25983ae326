//! The ends of attempts, as policies of admission and of node allocation hear of them.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::NONE;

/// How an attempt has ended.
#[repr(u32)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// Its body ended well.
    Completed,
    /// Its body ended in an error, or passed a limit on data.
    Failed,
    /// It reached its time limit.
    TimedOut,
    /// Its container crashed.
    Crashed,
    /// Its node went down, or the head with those that waited.
    Lost,
    /// Another attempt at the invocation completed first, and it was stopped wherever it was.
    Stopped,
    /// Node allocation has rejected it.
    Rejected,
    /// It has not ended: the place that node allocation answered came to nothing, and it is back in the queue, where
    /// [`crate::NodeAllocation::place`] is asked about it again. Its node had no room after all, or went down while the
    /// image was on its way; or it has waited in vain for a busy container ([`crate::Placement::Busy`]), or stands in the queues of
    /// nodes no longer ([`crate::Placement::Queue`]), and then it had no place. Only node allocation hears of this.
    Requeued,
}

/// What kind of container an attempt was given.
#[repr(u32)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Start {
    /// None.
    None,
    /// One that was made for it.
    Cold,
    /// One that was idle.
    Warm,
}

/// The end of an attempt that had been let in.
///
/// A policy that counts what runs where, and is right whatever goes wrong:
///
/// ```
/// use hearth_policy_api::*;
///
/// struct FewestOfMine {
///     /// By node.
///     placed: Vec<u32>,
/// }
///
/// impl NodeAllocation for FewestOfMine {
///     fn rules(&self) -> AllocationRules {
///         AllocationRules { observes_ends: true, ..AllocationRules::default() }
///     }
///
///     fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
///         let fewest = cluster.free_core.iter().min_by_key(|node| self.placed[*node as usize]);
///         fewest.inspect(|node| self.placed[*node as usize] += 1).into()
///     }
///
///     fn on_end(&mut self, end: &End) {
///         // Nobody has answered a node for one that ended in the queue.
///         if end.node != NONE {
///             self.placed[end.node as usize] -= 1;
///         }
///     }
/// }
///
/// let mut policy = FewestOfMine { placed: vec![2, 1] };
/// policy.on_end(&End { node: 0, ending: Ending::Lost, ..End::default() });
/// policy.on_end(&End { node: NONE, ending: Ending::Stopped, ..End::default() });
/// assert_eq!(policy.placed, [1, 1]);
/// ```
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// Which attempt at the invocation it was, 1 for the first.
    pub attempt: u32,
    /// The date, in ns: when its core is given back, if it has one.
    pub now: u64,
    /// Number of the invocation, in the order of requests.
    pub invocation: u64,
    /// The function's number.
    pub function: u32,
    /// The node on which it had a core, or waited for its image; [`NONE`] if it had no place.
    pub node: u32,
    /// The number of its container on the node; [`NONE`] if it had none.
    pub container: u32,
    /// What kind of container that was.
    pub start: Start,
    /// How it ended.
    pub ending: Ending,
    /// Idle containers of the function on the node before keep-alive is asked, its own included; 0 if its container has
    /// ended with it, or it had none.
    pub idle_of_function: u32,
    /// When its body began, in ns; `u64::MAX` if it never did.
    pub started_at: u64,
    /// How long its body ran up to its end, or until it was cut off, in ns; 0 if it never began.
    pub run_time: u64,
    /// RAM that its container held, in bytes; 0 without a container.
    pub ram: u64,
    /// What names the attempt in [`Actions`](crate::Actions), as in its request; nobody has it after the end but who is back in the queue.
    pub key: u64,
}

impl Default for End {
    /// The first attempt at invocation 0, of function 0, has completed; it had no place and took no time.
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            attempt: 1,
            now: 0,
            invocation: 0,
            function: 0,
            node: NONE,
            container: NONE,
            start: Start::None,
            ending: Ending::Completed,
            started_at: u64::MAX,
            run_time: 0,
            ram: 0,
            idle_of_function: 0,
            key: 0,
        }
    }
}

impl End {
    /// Whether its body came to an end of its own, well or not, or to its time limit: `run_time` is all that it would
    /// ever have run. What was cut off, by a crash or with its node, says nothing of that.
    ///
    /// ```
    /// use hearth_policy_api::{End, Ending};
    /// let end = |ending| End { ending, ..End::default() };
    /// assert!(end(Ending::TimedOut).is_of_whole_run());
    /// assert!(!end(Ending::Crashed).is_of_whole_run());
    /// ```
    pub fn is_of_whole_run(&self) -> bool {
        matches!(self.ending, Ending::Completed | Ending::Failed | Ending::TimedOut)
    }
}
