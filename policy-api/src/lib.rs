//! What a Hearth policy implements, and what it is shown.
//!
//! A policy answers one question of a simulated serverless platform:
//!
//! | kind | trait | question |
//! |---|---|---|
//! | node allocation | [`NodeAllocation`] | on which node does an invocation run? |
//! | eviction | [`Eviction`] | which idle containers or images go when room is needed? |
//! | admission | [`Admission`] | is a request let in, delayed or rejected? |
//! | keep-alive | [`KeepAlive`] | how long does an idle container stay? |
//!
//! Policies see borrowed views ([`ClusterView`], [`RequestView`], …) made of `#[repr(C)]` records and
//! bitmaps over nodes that the host keeps up to date; nothing is copied or allocated for a decision. The host checks
//! every answer, so a policy cannot corrupt a simulation.
//!
//! Nodes, functions and images are dense numbers from 0, containers likewise within their node. Times are nanoseconds
//! of simulated time, sizes are bytes.
//!
//! A policy that sends everything to the first node with a free core:
//!
//! ```
//! use hearth_policy_api::*;
//!
//! #[derive(Debug)]
//! struct FirstFree;
//!
//! impl NodeAllocation for FirstFree {
//!     fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
//!         match cluster.free_core.first() {
//!             Some(node) => Placement::Node(node),
//!             None => Placement::Wait,
//!         }
//!     }
//! }
//!
//! pub static FIRST_FREE: PolicyDescriptor = PolicyDescriptor {
//!     name: "first-free",
//!     version: "1.0.0",
//!     description: "the lowest-numbered node with a free core",
//!     parameters: &[],
//!     constructor: Constructor::NodeAllocation(|_parameters, _context| Ok(Box::new(FirstFree))),
//! };
//! assert_eq!(FIRST_FREE.kind(), PolicyKind::NodeAllocation);
//! ```

mod admission;
mod cluster;
mod descriptor;
mod eviction;
mod keep_alive;
mod node_allocation;
mod node_set;
mod parameters;

pub use admission::{Admission, AdmissionDecision, AdmissionView};
pub use cluster::{ClusterView, NONE, NodeView, RequestView};
pub use descriptor::{Constructor, PolicyContext, PolicyDescriptor, PolicyError, PolicyKind};
pub use eviction::{Eviction, EvictionItem, Need, Offer, Removal, Touch, VictimSink};
pub use keep_alive::{Completion, KeepAlive, Retention};
pub use node_allocation::{
    AllocationRules, BatchView, Commitment, FunctionView, NodeAllocation, Placement, PlanItem, Scope,
};
pub use node_set::{NodeBits, NodeSet};
pub use parameters::{ParameterError, ParameterKind, ParameterSpec, ParameterValue, Parameters};
