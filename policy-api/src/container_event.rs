//! What becomes of containers, as policies of node allocation, admission and keep-alive hear of it.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::NONE;

/// What has become of a container.
///
/// ```text
/// Starting ──► Up ──────┐          ┌─► NotKept, Crashed, Lost, Stopped
///                       ├─► in use ┤
/// Taken ────────────────┘          └─► Idle ─┬─► Taken
///                                            └─► Expired, Evicted, Ended, Lost
/// StartingAhead ─────────────────────► Idle
/// ```
#[repr(u32)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerChange {
    /// It is being started for an attempt: a cold start.
    #[default]
    Starting,
    /// It is being started ahead of a request.
    StartingAhead,
    /// The start that an attempt waits for is over.
    Up,
    /// It is idle: its start ahead is over, or that of the attempt in it, and it is kept.
    Idle,
    /// It was idle, and an attempt has taken it: a warm start.
    Taken,
    /// It ends after an attempt: keep-alive does not keep it.
    NotKept,
    /// It was idle and ends: its keep-alive is over.
    Expired,
    /// It was idle and ends: eviction chose it.
    Evicted,
    /// It was idle and ends: a policy had it ended ([`Actions::end_containers`](crate::Actions::end_containers)).
    Ended,
    /// It was in use and has crashed.
    Crashed,
    /// It is lost with its node, whether it was in use, idle or being started.
    Lost,
    /// It was in use and ends with an attempt that is not needed any more.
    Stopped,
}

impl ContainerChange {
    /// Whether the container is gone.
    ///
    /// ```
    /// use hearth_policy_api::ContainerChange;
    /// assert!(ContainerChange::Expired.is_end() && !ContainerChange::Idle.is_end());
    /// ```
    pub fn is_end(self) -> bool {
        self >= Self::NotKept
    }

    /// Whether it is a container that was not there before.
    pub fn is_begin(self) -> bool {
        matches!(self, Self::Starting | Self::StartingAhead)
    }
}

/// Something has become of a container.
///
/// A policy that knows how many containers of each function there are, in whatever state:
///
/// ```
/// use std::collections::BTreeMap;
/// use hearth_policy_api::*;
///
/// #[derive(Default)]
/// struct Census(BTreeMap<u32, u32>);
///
/// impl KeepAlive for Census {
///     fn rules(&self) -> KeepAliveRules {
///         KeepAliveRules { observes_containers: true, ..KeepAliveRules::default() }
///     }
///     fn on_container(&mut self, event: &ContainerEvent) {
///         let count = self.0.entry(event.function).or_default();
///         *count += u32::from(event.change.is_begin());
///         *count -= u32::from(event.change.is_end());
///     }
///     fn on_idle(&mut self, completion: &Completion) -> Retention {
///         let is_only_one = self.0.get(&completion.function) == Some(&1);
///         Retention { keep_for: if is_only_one { u64::MAX } else { 0 } }
///     }
/// }
///
/// let mut census = Census::default();
/// census.on_container(&ContainerEvent { function: 3, change: ContainerChange::Starting, ..ContainerEvent::default() });
/// assert_eq!(census.on_idle(&Completion { function: 3, ..Completion::default() }).keep_for, u64::MAX);
/// ```
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerEvent {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// What has become of it.
    pub change: ContainerChange,
    /// When, in ns.
    pub now: u64,
    /// Its node.
    pub node: u32,
    /// Its number on the node, which may be used again after its end.
    pub container: u32,
    /// Its function.
    pub function: u32,
    /// RAM that it holds, in bytes.
    pub ram: u64,
    /// Disk that it holds, in bytes.
    pub disk: u64,
}

impl Default for ContainerEvent {
    /// A container of function 0 begins to start at the date 0, nowhere.
    fn default() -> Self {
        let size = size_of::<Self>() as u32;
        let change = ContainerChange::default();
        Self { size, change, now: 0, node: NONE, container: NONE, function: 0, ram: 0, disk: 0 }
    }
}
