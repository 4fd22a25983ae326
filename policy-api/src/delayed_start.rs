//! Containers and cores that somebody has waited for, as node allocation hears of them.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::NONE;

/// An attempt that waited for a busy container ([`crate::Placement::Busy`]) has got one, or one that stood in the queues of nodes
/// ([`crate::Placement::Queue`]) has got a core.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelayedStart {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// Which attempt at the invocation it is, 1 for the first.
    pub attempt: u32,
    /// The date, in ns.
    pub now: u64,
    /// Number of the invocation, in the order of requests.
    pub invocation: u64,
    /// The function's number.
    pub function: u32,
    /// The node on which it has a core now.
    pub node: u32,
    /// The number of its container on the node; [`NONE`] for one that has stood in queues and waits there for its image now.
    pub container: u32,
    /// What names the attempt in [`Actions`](crate::Actions), as in its request.
    pub key: u64,
}

impl Default for DelayedStart {
    /// The first attempt at invocation 0, of function 0, at the date 0, without a place.
    fn default() -> Self {
        let size = size_of::<Self>() as u32;
        Self { size, attempt: 1, now: 0, invocation: 0, function: 0, node: NONE, container: NONE, key: 0 }
    }
}
