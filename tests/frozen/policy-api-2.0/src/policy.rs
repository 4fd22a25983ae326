//! What every policy has: a name, a version, parameters, and a way to be made.

use std::fmt;

use abi_stable::StableAbi;
use abi_stable::std_types::RString;

use crate::{ParameterSpec, Parameters};

/// The four kinds of policy.
#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// Where an invocation runs.
    NodeAllocation,
    /// What goes when room is needed.
    Eviction,
    /// Who is let in.
    Admission,
    /// How long idle containers stay.
    KeepAlive,
}

impl PolicyKind {
    /// All kinds.
    pub const ALL: [PolicyKind; 4] = [Self::NodeAllocation, Self::Eviction, Self::Admission, Self::KeepAlive];
}

impl fmt::Display for PolicyKind {
    /// The kind in words, as in "node allocation".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NodeAllocation => "node allocation",
            Self::Eviction => "eviction",
            Self::Admission => "admission",
            Self::KeepAlive => "keep-alive",
        })
    }
}

/// What an instance of a policy is made for.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyContext {
    /// A seed of this instance's own, derived from the seed of the simulation.
    pub seed: u64,
    /// How many nodes the service has.
    pub nodes: u32,
}

/// Why a policy cannot be made.
///
/// ```
/// use hearth_policy_api::PolicyError;
/// let error = PolicyError::new("low must be below high");
/// assert_eq!(error.to_string(), "low must be below high");
/// ```
#[repr(transparent)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(RString);

impl PolicyError {
    /// What is wrong, and what would be right.
    pub fn new(cause: impl Into<String>) -> Self {
        Self(RString::from(cause.into()))
    }
}

/// What a policy promises beyond giving answers that can be followed, for the test kit and `hearth policies check`
/// to hold it to. Everything is promised unless a policy takes it back.
///
/// ```
/// use hearth_policy_api::Claims;
/// const CLAIMS: Claims = Claims { respects_capacity: false, ..Claims::ALL };
/// assert!(CLAIMS.work_conserving);
/// ```
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Node allocation: lets nobody wait while a node has a free core and can make room; in batches, on a cluster
    /// that has all images, everybody who waits runs in the end.
    pub work_conserving: bool,
    /// Node allocation: picks no node that cannot make room for the container, RAM and disk.
    pub respects_capacity: bool,
    /// Admission: lets everybody in, in the end, who finds an idle cluster.
    pub lets_in_when_idle: bool,
}

impl Claims {
    /// Everything.
    pub const ALL: Self = Self { work_conserving: true, respects_capacity: true, lets_in_when_idle: true };
}

/// How a policy introduces itself, and how it is made. The kind of policy is the other trait that it implements.
pub trait Policy: Sized {
    /// The name that scenarios use, in kebab case.
    const NAME: &'static str;
    /// Semantic version; nearly always `env!("CARGO_PKG_VERSION")`.
    const VERSION: &'static str;
    /// One line.
    const DESCRIPTION: &'static str;
    /// The parameters it takes.
    const PARAMETERS: &'static [ParameterSpec] = &[];
    /// What it promises.
    const CLAIMS: Claims = Claims::ALL;

    /// Makes an instance. Parameters have been checked against [`Policy::PARAMETERS`].
    ///
    /// # Errors
    /// When parameters that are right each by itself do not go together, or the context does not suit.
    fn new(parameters: &Parameters, context: &PolicyContext) -> Result<Self, PolicyError>;
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
