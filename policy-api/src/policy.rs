//! What every policy has: a name, a version, parameters, and a way to be made.

use std::fmt;

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::primitives::{
    Handle, Host, NOT_ADMITTING_WHEN_IDLE, NOT_BOUNDED_MEMORY, NOT_BOUNDED_TIME, NOT_RESPECTING_CAPACITY,
    NOT_SENSIBLE_TIMES, NOT_STARVING_NOBODY, NOT_WORK_CONSERVING,
};
use crate::{Actions, LogLevel, NONE, ParameterSet};

/// The kinds of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// Where an invocation runs.
    NodeAllocation,
    /// What goes when room is needed.
    Eviction,
    /// Who is let in.
    Admission,
    /// How long idle containers stay.
    KeepAlive,
    /// How many instances functions have, and how many nodes pools have.
    Autoscaling,
}

impl PolicyKind {
    /// All kinds.
    pub const ALL: [PolicyKind; 5] =
        [Self::NodeAllocation, Self::Eviction, Self::Admission, Self::KeepAlive, Self::Autoscaling];
}

impl fmt::Display for PolicyKind {
    /// The kind in words, as in "node allocation".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NodeAllocation => "node allocation",
            Self::Eviction => "eviction",
            Self::Admission => "admission",
            Self::KeepAlive => "keep-alive",
            Self::Autoscaling => "autoscaling",
        })
    }
}

/// The place of a service that an instance of a policy fills.
#[repr(u32)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicySlot {
    /// Who is let in.
    Admission,
    /// Where invocations run.
    #[default]
    NodeAllocation,
    /// How long idle containers stay.
    KeepAlive,
    /// Which idle containers of a node go.
    Containers,
    /// Which images in the RAM of a node go.
    ImagesInRam,
    /// Which images on the disk of a node go.
    ImagesOnDisk,
    /// Which images on the head go.
    ImagesOnHead,
    /// How many instances functions have. Since 2.1.
    Autoscaling,
    /// How many nodes pools have. Since 2.1.
    ClusterAutoscaling,
}

impl PolicySlot {
    /// All slots, in the order of scenarios.
    pub const ALL: [PolicySlot; 9] = [
        Self::Admission,
        Self::NodeAllocation,
        Self::KeepAlive,
        Self::Containers,
        Self::ImagesInRam,
        Self::ImagesOnDisk,
        Self::ImagesOnHead,
        Self::Autoscaling,
        Self::ClusterAutoscaling,
    ];

    /// Its path in a scenario, under `policies`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::NodeAllocation => "node_allocation",
            Self::KeepAlive => "keep_alive",
            Self::Containers => "eviction.containers",
            Self::ImagesInRam => "eviction.images_in_ram",
            Self::ImagesOnDisk => "eviction.images_on_disk",
            Self::ImagesOnHead => "eviction.images_on_head",
            Self::Autoscaling => "autoscaling",
            Self::ClusterAutoscaling => "cluster_autoscaling",
        }
    }

    /// The kind of policy that fills it.
    pub fn kind(self) -> PolicyKind {
        match self {
            Self::Admission => PolicyKind::Admission,
            Self::NodeAllocation => PolicyKind::NodeAllocation,
            Self::KeepAlive => PolicyKind::KeepAlive,
            Self::Containers | Self::ImagesInRam | Self::ImagesOnDisk | Self::ImagesOnHead => PolicyKind::Eviction,
            Self::Autoscaling | Self::ClusterAutoscaling => PolicyKind::Autoscaling,
        }
    }
}

/// What an instance of a policy is made for.
///
/// ```
/// use hearth_policy_api::PolicyContext;
/// let context = PolicyContext { nodes: 3, ..PolicyContext::default() };
/// assert_eq!((context.seed, context.node), (0, hearth_policy_api::NONE));
/// ```
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Debug)]
pub struct PolicyContext {
    /// Size of this record in bytes.
    pub size: u32,
    /// What the instance is for; of a controller, the first of its slots that is filled.
    pub slot: PolicySlot,
    /// A seed of this instance's own, derived from the seed of the simulation.
    pub seed: u64,
    /// How many nodes the service has.
    pub nodes: u32,
    /// The node whose storage an eviction policy serves; [`NONE`] for that of the head, and for other policies.
    pub node: u32,
    /// RAM of the storage that an eviction policy serves, in bytes; 0 for other policies and where it has none.
    pub ram: u64,
    /// Disk of the storage that an eviction policy serves, in bytes; 0 for other policies and where it has none.
    pub disk: u64,
    /// What the instance may call.
    pub host: &'static Host,
    /// What it calls that with.
    pub handle: Handle,
}

impl PolicyContext {
    /// What the instance can have done.
    pub fn actions(&self) -> Actions {
        Actions::new(self.host, self.handle.0)
    }

    /// Writes a line into the log of the run, as [`Actions::log`].
    pub fn log(&self, level: LogLevel, text: impl fmt::Display) {
        self.actions().log(level, text);
    }
}

impl Default for PolicyContext {
    /// A service without nodes, seed 0, and a host that hears nothing.
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            slot: PolicySlot::default(),
            seed: 0,
            nodes: 0,
            node: NONE,
            ram: 0,
            disk: 0,
            host: &Host::DEAF,
            handle: Handle::NONE,
        }
    }
}

/// Why a policy cannot be made.
///
/// ```
/// use hearth_policy_api::PolicyError;
/// let error = PolicyError::new("low must be below high");
/// assert_eq!(error.to_string(), "low must be below high");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError(String);

impl PolicyError {
    /// What is wrong, and what would be right.
    pub fn new(cause: impl Into<String>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

/// What a policy promises beyond giving answers that can be followed, for the test kit and `hearth policies check`
/// to hold it to. Everything is promised unless a policy takes it back.
///
/// ```
/// use hearth_policy_api::Claims;
/// const CLAIMS: Claims = Claims { respects_capacity: false, ..Claims::ALL };
/// assert!(CLAIMS.work_conserving);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Node allocation: lets nobody wait while a node has a free core and can make room, but for a busy container that is there
    /// ([`Placement::Busy`](crate::Placement::Busy)), and for that not for ever, nor has anybody stand in queues
    /// ([`Placement::Queue`](crate::Placement::Queue)) of nodes that have none; in batches, on a cluster
    /// that has all images, everybody who waits runs in the end. Autoscaling: wants an instance within an hour where somebody waits on an
    /// idle cluster, and a node where all are off.
    pub work_conserving: bool,
    /// Node allocation: picks no node that cannot make room for the container, RAM and disk.
    pub respects_capacity: bool,
    /// Admission: lets everybody in, in the end, who finds an idle cluster. Node allocation: does not reject everybody on one.
    pub lets_in_when_idle: bool,
    /// Node allocation: its ranks let nobody wait for ever behind later requests of the same function.
    pub starves_nobody: bool,
    /// Every policy: its memory and its threads do not grow with the number of calls, nor with that of instances that are gone.
    pub bounded_memory: bool,
    /// Every policy: a call takes no longer after many calls, and on a small cluster less than a quarter of a millisecond.
    pub bounded_time: bool,
    /// Every policy: lengths of time are no dates, dates no lengths of time, nor either in seconds. Nothing is kept for more than a
    /// century, but for ever; nobody is delayed by nothing, nor again and again by a few microseconds.
    pub sensible_times: bool,
}

impl Claims {
    /// What is not promised, as it crosses. A host that does not know of a promise holds nobody to it.
    pub(crate) const fn not_promised(self) -> u32 {
        (if self.work_conserving { 0 } else { NOT_WORK_CONSERVING })
            | (if self.respects_capacity { 0 } else { NOT_RESPECTING_CAPACITY })
            | (if self.lets_in_when_idle { 0 } else { NOT_ADMITTING_WHEN_IDLE })
            | (if self.starves_nobody { 0 } else { NOT_STARVING_NOBODY })
            | (if self.bounded_memory { 0 } else { NOT_BOUNDED_MEMORY })
            | (if self.bounded_time { 0 } else { NOT_BOUNDED_TIME })
            | (if self.sensible_times { 0 } else { NOT_SENSIBLE_TIMES })
    }

    /// What is promised, as it has crossed.
    pub(crate) const fn promised(not_promised: u32) -> Self {
        Self {
            work_conserving: not_promised & NOT_WORK_CONSERVING == 0,
            respects_capacity: not_promised & NOT_RESPECTING_CAPACITY == 0,
            lets_in_when_idle: not_promised & NOT_ADMITTING_WHEN_IDLE == 0,
            starves_nobody: not_promised & NOT_STARVING_NOBODY == 0,
            bounded_memory: not_promised & NOT_BOUNDED_MEMORY == 0,
            bounded_time: not_promised & NOT_BOUNDED_TIME == 0,
            sensible_times: not_promised & NOT_SENSIBLE_TIMES == 0,
        }
    }

    /// Everything.
    pub const ALL: Self = Self::promised(0);
}

/// How a policy introduces itself, and how it is made. The kind of policy is the other trait that it implements.
pub trait Policy: Sized {
    /// The name that scenarios use, in kebab case.
    const NAME: &'static str;
    /// Semantic version; nearly always `env!("CARGO_PKG_VERSION")`.
    const VERSION: &'static str;
    /// One line.
    const DESCRIPTION: &'static str;
    /// What it promises.
    const CLAIMS: Claims = Claims::ALL;
    /// What can be set: a type that [`parameters!`](crate::parameters) declares, or `()`.
    type Parameters: ParameterSet;

    /// Makes an instance. Each parameter is of its type and within its range.
    ///
    /// # Errors
    /// When parameters that are right each by itself do not go together, or the context does not suit.
    fn new(parameters: Self::Parameters, context: &PolicyContext) -> Result<Self, PolicyError>;
}

/// Seconds as nanoseconds, in which policies see and give times.
///
/// # Panics
/// When the seconds are negative or not a number, which the host then reports as a failure of the call. More than 584
/// years are as long as can be.
///
/// ```
/// assert_eq!(hearth_policy_api::nanos(1.5), 1_500_000_000);
/// ```
pub fn nanos(seconds: f64) -> u64 {
    assert!(seconds >= 0.0, "a time of {seconds} s was given: times are not negative");
    (seconds * 1e9).round() as u64
}
