use abi_stable::StableAbi;
use abi_stable::std_types::{RSlice, RString, RVec};

use crate::{ClusterView, NodeView, RequestView};

#[repr(u8)]
#[derive(StableAbi, Clone, Debug, PartialEq)]
pub enum Placement {
    Node(u32),
    Wait,
    Reject(RString),
}

#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commitment {
    UntilStarted,
    PerRound,
}

#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Request,
    Batch,
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationRules {
    pub scope: Scope,
    pub commitment: Commitment,
    pub observes: bool,
}

impl Default for AllocationRules {
    fn default() -> Self {
        Self { scope: Scope::Request, commitment: Commitment::UntilStarted, observes: false }
    }
}

pub trait NodeAllocation {
    fn rules(&self) -> AllocationRules {
        AllocationRules::default()
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement;

    fn plan(&mut self, _batch: &BatchView<'_>, _plan: &mut RVec<PlanItem>) {}

    fn observe(&mut self, _node: u32, _view: &NodeView, _up: bool) {}
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct FunctionView<'a> {
    pub function: u32,
    pub image: u32,
    pub time_limit: u64,
    pub ram_limit: u64,
    pub disk_limit: u64,
    pub idle_containers: RSlice<'a, u32>,
    pub image_in_ram: crate::NodeSet<'a>,
    pub image_loading: crate::NodeSet<'a>,
    pub image_on_disk: crate::NodeSet<'a>,
    pub image_copying: crate::NodeSet<'a>,
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct BatchView<'a> {
    pub now: u64,
    pub nodes: RSlice<'a, NodeView>,
    pub up: crate::NodeSet<'a>,
    pub queue: RSlice<'a, RequestView>,
    pub functions: RSlice<'a, FunctionView<'a>>,
}

#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanItem {
    Run {
        request: u32,
        node: u32,
    },
    Load {
        image: u32,
        node: u32,
    },
    Copy {
        image: u32,
        node: u32,
    },
}
