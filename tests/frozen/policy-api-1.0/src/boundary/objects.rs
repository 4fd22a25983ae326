#![allow(missing_docs, unsafe_code, non_local_definitions)]

use std::fmt;

use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RBox, RResult, RString, RVec};
use abi_stable::{RMut, StableAbi, sabi_trait};

use crate::{
    AdmissionDecision, AdmissionView, AllocationRules, BatchView, ClusterView, Completion, EvictionItem,
    KeepAliveRules, Need, NodeView, Offer, Placement, PlanItem, Removal, RequestView, Retention, Touch,
};

#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq)]
pub struct CallFailure {
    pub cause: RString,
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

pub type Called<T> = RResult<T, CallFailure>;

#[sabi_trait]
pub trait RawNodeAllocation {
    fn rules(&self) -> Called<AllocationRules>;
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Called<Placement>;
    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut RVec<PlanItem>) -> Called<()>;
    #[sabi(last_prefix_field)]
    fn observe(&mut self, node: u32, view: &NodeView, up: bool) -> Called<()>;
}

#[sabi_trait]
pub trait RawEviction {
    fn insert(&mut self, item: &EvictionItem) -> Called<()>;
    fn touch(&mut self, id: u32, touch: Touch) -> Called<()>;
    fn remove(&mut self, id: u32, removal: Removal) -> Called<()>;
    #[sabi(last_prefix_field)]
    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) -> Called<()>;
}

#[sabi_trait]
pub trait RawAdmission {
    #[sabi(last_prefix_field)]
    fn admit(&mut self, request: &RequestView, load: &AdmissionView) -> Called<AdmissionDecision>;
}

#[sabi_trait]
pub trait RawKeepAlive {
    fn rules(&self) -> Called<KeepAliveRules>;
    fn on_idle(&mut self, completion: &Completion) -> Called<Retention>;
    #[sabi(last_prefix_field)]
    fn on_arrival(&mut self, function: u32, now: u64) -> Called<()>;
}

#[sabi_trait]
pub trait RawVictimSink {
    #[sabi(last_prefix_field)]
    fn offer(&mut self, id: u32) -> Offer;
}

pub type NodeAllocationObject = RawNodeAllocation_TO<'static, RBox<()>>;
pub type EvictionObject = RawEviction_TO<'static, RBox<()>>;
pub type AdmissionObject = RawAdmission_TO<'static, RBox<()>>;
pub type KeepAliveObject = RawKeepAlive_TO<'static, RBox<()>>;

pub trait VictimSink {
    fn offer(&mut self, id: u32) -> Offer;
}

impl<S: VictimSink> RawVictimSink for S {
    fn offer(&mut self, id: u32) -> Offer {
        VictimSink::offer(self, id)
    }
}

#[repr(C)]
#[derive(StableAbi)]
pub struct Victims<'a> {
    sink: RawVictimSink_TO<'a, RMut<'a, ()>>,
}

impl<'a> Victims<'a> {
    pub fn new<S: VictimSink + 'a>(sink: &'a mut S) -> Self {
        Self { sink: RawVictimSink_TO::from_ptr(RMut::new(sink), TD_Opaque) }
    }

    pub fn offer(&mut self, id: u32) -> Offer {
        self.sink.offer(id)
    }
}

impl fmt::Debug for Victims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Victims")
    }
}
