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
//! | autoscaling | [`Autoscaling`] | how many instances does a function have, how many nodes a pool? |
//!
//! Policies see borrowed views ([`ClusterView`], [`RequestView`], …) made of `#[repr(C)]` records and
//! bitmaps over nodes that the host keeps up to date; nothing is copied or allocated for a decision,
//! but for the list of nodes whose queues a request is to stand in. The host checks
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
//! struct FirstFree;
//!
//! impl Policy for FirstFree {
//!     const NAME: &'static str = "first-free";
//!     const VERSION: &'static str = "1.0.0";
//!     const DESCRIPTION: &'static str = "the lowest-numbered node with a free core";
//!     type Parameters = ();
//!     fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
//!         Ok(FirstFree)
//!     }
//! }
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
//! export_policies!(PolicyDescriptor::node_allocation::<FirstFree>());
//! # fn main() {}
//! ```
//!
//! Compiled as a `cdylib`, this is a library that any `hearth` of the same interface version runs. [`boundary`] says
//! what crosses between the two and what is promised across versions.

pub mod abi;
mod actions;
mod admission;
mod autoscaling;
pub mod boundary;
#[cfg(feature = "carried")]
pub mod carried;
mod cluster;
mod container_event;
mod containers;
mod copy;
mod delayed_start;
mod end;
mod eviction;
mod history;
mod keep_alive;
mod log_level;
mod node_allocation;
mod node_list;
mod node_pool;
mod node_set;
mod parameter_lists;
mod parameters;
mod policy;
mod primitives;
mod queue;
// What programs that run policies and their tests switch on is built with the compiler of those.
#[cfg(feature = "testkit")]
#[clippy::msrv = "1.88"]
pub mod testkit;
mod victims;
mod workflow;

pub use actions::Actions;
pub use admission::{Admission, AdmissionDecision, AdmissionRules, AdmissionView, LONGEST_DELAY, MOST_DELAYS};
pub use autoscaling::{Autoscaling, AutoscalingRules, Scale, ScaleCause, ScaleView};
pub use boundary::PolicyDescriptor;
pub use cluster::{ClusterView, LinkView, NONE, NodeView, RequestView};
pub use container_event::{ContainerChange, ContainerEvent};
pub use containers::ContainerView;
pub use copy::CopyView;
pub use delayed_start::DelayedStart;
pub use end::{End, Ending, Start};
pub use eviction::{Creation, Eviction, EvictionItem, EvictionRules, Need, Removal, Touch};
pub use history::FunctionHistory;
pub use keep_alive::{Completion, KeepAlive, KeepAliveRules, Prewarming, Retention};
pub use log_level::LogLevel;
pub use node_allocation::{
    AllocationRules, BatchAllocation, BatchView, Commitment, FunctionView, NodeAllocation, Placement, PlanItem,
};
pub use node_list::NodeList;
pub use node_pool::{NodePoolView, NodeState, PendingView, PoolNodeView, PoolScale};
pub use node_set::{NodeBits, NodeSet};
pub use parameters::{Choice, ParameterError, ParameterKind, ParameterSet, ParameterSpec, ParameterValue, Parameters};
pub use policy::{Claims, Policy, PolicyContext, PolicyError, PolicyKind, PolicySlot, nanos};
pub use primitives::{Records, Slice};
pub use queue::{QueueView, Shed};
pub use victims::{Offer, Victims};
pub use workflow::{TaskView, WorkflowView};
