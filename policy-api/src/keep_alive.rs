//! Keep-alive: how long an idle container stays.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::{ClusterView, ContainerEvent, FunctionHistory, Records, WorkflowView};

/// A container whose invocation has run to its end.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct Completion<'a> {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The date, in ns.
    pub now: u64,
    /// The function's number.
    pub function: u32,
    /// The node.
    pub node: u32,
    /// How long the invocation ran, in ns.
    pub run_time: u64,
    /// RAM that the container holds, in bytes.
    pub ram: u64,
    /// Idle containers of the function on the node, this one included.
    pub idle_of_function: u32,
    /// What has come of each function, by number; empty unless the rules of the policy ask for it.
    pub histories: Records<'a, FunctionHistory>,
}

impl<'a> Completion<'a> {
    /// What has come of its function; as of one that nobody has asked for where the policy does not see it.
    pub fn history(&self) -> &'a FunctionHistory {
        self.histories.get(self.function as usize).unwrap_or(&FunctionHistory::NONE)
    }
}

impl Default for Completion<'_> {
    /// Function 0 has run for no time on node 0.
    fn default() -> Self {
        let size = size_of::<Self>() as u32;
        Self {
            size,
            now: 0,
            function: 0,
            node: 0,
            run_time: 0,
            ram: 0,
            idle_of_function: 0,
            histories: Records::new(&[]),
        }
    }
}

/// What becomes of an idle container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long it is kept unless it is used or evicted before, in ns: 0 ends it at once, `u64::MAX` keeps it.
    pub keep_for: u64,
}

/// How the host is to ask a keep-alive policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAliveRules {
    /// Whether to call [`KeepAlive::on_arrival`].
    pub observes_arrivals: bool,
    /// Whether to show what has come of each function: [`Completion::histories`].
    pub sees_history: bool,
    /// Whether to call [`KeepAlive::on_container`].
    pub observes_containers: bool,
    /// Whether to call [`KeepAlive::on_workflow`].
    pub sees_workflows: bool,
}

/// A container to be started ahead of the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prewarming {
    /// How long after the completion its start begins, in ns; `u64::MAX` is never.
    pub after: u64,
    /// How long it is kept from the end of its start unless it is used or evicted before, in ns; `u64::MAX` keeps it.
    pub keep_for: u64,
}

impl Prewarming {
    /// No container is started.
    pub const NONE: Self = Self { after: u64::MAX, keep_for: 0 };
}

/// Decides how long idle containers are kept.
///
/// ```
/// use hearth_policy_api::{Completion, KeepAlive, Retention};
///
/// /// Keeps a container ten times as long as it ran.
/// struct TenTimes;
///
/// impl KeepAlive for TenTimes {
///     fn on_idle(&mut self, completion: &Completion) -> Retention {
///         Retention { keep_for: completion.run_time.saturating_mul(10) }
///     }
/// }
/// let completion = Completion { run_time: 7, ..Completion::default() };
/// assert_eq!(TenTimes.on_idle(&completion).keep_for, 70);
/// ```
pub trait KeepAlive {
    /// How to ask this policy; read once, after construction.
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules::default()
    }

    /// A container has become idle.
    fn on_idle(&mut self, completion: &Completion) -> Retention;

    /// A request of the function was submitted. Called when [`KeepAliveRules::observes_arrivals`] is set.
    fn on_arrival(&mut self, _function: u32, _now: u64) {}

    /// Whether a container is to be started later for the next request. Asked after [`KeepAlive::on_idle`] has answered
    /// that the container ends at once. The last answer for a function counts; a request of the function that comes
    /// before the start begins calls it off.
    fn prewarm(&mut self, _completion: &Completion) -> Prewarming {
        Prewarming::NONE
    }

    /// Something has become of a container. Called when [`KeepAliveRules::observes_containers`] is set, for each change in the order in
    /// which they happen, before this policy is asked or told anything that comes after it.
    fn on_container(&mut self, _event: &ContainerEvent) {}

    /// There is a workflow. Called when [`KeepAliveRules::sees_workflows`] is set, for each, as it is created: before the first of its
    /// requests.
    fn on_workflow(&mut self, _workflow: &WorkflowView<'_>) {}

    /// A timer has gone off that this policy has set by [`Actions::wake_at`](crate::Actions::wake_at). The sets of a request's
    /// function and image are empty in the view.
    fn on_timer(&mut self, _timer: u64, _cluster: &ClusterView<'_>) {}
}
