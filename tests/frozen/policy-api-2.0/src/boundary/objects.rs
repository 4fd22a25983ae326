//! The trait objects that cross the boundary: the policy traits with every answer wrapped, so that a panic comes back
//! as a value.

// The macro writes items without docs, and `unsafe` code that upholds what `abi_stable` documents.
#![allow(missing_docs, unsafe_code, non_local_definitions)]

use std::fmt;

use abi_stable::std_types::{RBox, RResult, RString, RVec};
use abi_stable::{StableAbi, sabi_trait};

use crate::{
    AdmissionDecision, AdmissionRules, AdmissionView, AllocationRules, BatchView, ClusterView, Completion, Creation,
    End, EvictionItem, EvictionRules, KeepAliveRules, LinkView, Need, NodeView, Placement, PlanItem, Prewarming,
    Removal, RequestView, Retention, Touch, Victims,
};

/// A call that did not come to an answer.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq)]
pub struct CallFailure {
    /// What happened, with its place in the source where that is known.
    pub cause: RString,
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

/// What a call gives back.
pub type Called<T> = RResult<T, CallFailure>;

#[sabi_trait]
pub trait RawNodeAllocation {
    fn rules(&self) -> Called<AllocationRules>;
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Called<Placement>;
    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut RVec<PlanItem>) -> Called<()>;
    fn observe(&mut self, node: u32, view: &NodeView, up: bool) -> Called<()>;
    fn rank(&mut self, request: &RequestView, now: u64) -> Called<u64>;
    fn on_end(&mut self, end: &End) -> Called<()>;
    #[sabi(last_prefix_field)]
    fn observe_link(&mut self, link: &LinkView<'_>) -> Called<()>;
}

#[sabi_trait]
pub trait RawEviction {
    fn rules(&self) -> Called<EvictionRules>;
    fn insert(&mut self, item: &EvictionItem) -> Called<()>;
    fn touch(&mut self, id: u32, touch: Touch) -> Called<()>;
    fn remove(&mut self, id: u32, removal: Removal) -> Called<()>;
    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) -> Called<()>;
    fn created(&mut self, container: &EvictionItem, creation: Creation) -> Called<()>;
    #[sabi(last_prefix_field)]
    fn ended(&mut self, id: u32) -> Called<()>;
}

#[sabi_trait]
pub trait RawAdmission {
    fn rules(&self) -> Called<AdmissionRules>;
    fn admit(&mut self, request: &RequestView, view: &AdmissionView<'_>) -> Called<AdmissionDecision>;
    #[sabi(last_prefix_field)]
    fn on_end(&mut self, end: &End) -> Called<()>;
}

#[sabi_trait]
pub trait RawKeepAlive {
    fn rules(&self) -> Called<KeepAliveRules>;
    fn on_idle(&mut self, completion: &Completion) -> Called<Retention>;
    fn on_arrival(&mut self, function: u32, now: u64) -> Called<()>;
    #[sabi(last_prefix_field)]
    fn prewarm(&mut self, completion: &Completion) -> Called<Prewarming>;
}

/// A node allocation policy on the other side of the boundary.
pub type NodeAllocationObject = RawNodeAllocation_TO<'static, RBox<()>>;
/// An eviction policy on the other side of the boundary.
pub type EvictionObject = RawEviction_TO<'static, RBox<()>>;
/// An admission policy on the other side of the boundary.
pub type AdmissionObject = RawAdmission_TO<'static, RBox<()>>;
/// A keep-alive policy on the other side of the boundary.
pub type KeepAliveObject = RawKeepAlive_TO<'static, RBox<()>>;
