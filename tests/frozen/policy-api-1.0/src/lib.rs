mod admission;
pub mod boundary;
mod cluster;
mod eviction;
mod keep_alive;
mod node_allocation;
mod node_set;
mod parameters;
mod policy;

pub use abi_stable::std_types::{RSlice, RStr, RString, RVec};

pub use admission::{Admission, AdmissionDecision, AdmissionView};
pub use boundary::{PolicyDescriptor, Victims};
pub use cluster::{ClusterView, NONE, NodeView, RequestView};
pub use eviction::{Eviction, EvictionItem, Need, Offer, Removal, Touch};
pub use keep_alive::{Completion, KeepAlive, KeepAliveRules, Retention};
pub use node_allocation::{
    AllocationRules, BatchView, Commitment, FunctionView, NodeAllocation, Placement, PlanItem, Scope,
};
pub use node_set::{NodeBits, NodeSet};
pub use parameters::{ParameterError, ParameterKind, ParameterSpec, ParameterValue, Parameters, word};
pub use policy::{Claims, Policy, PolicyContext, PolicyError, PolicyKind, nanos};
