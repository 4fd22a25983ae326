use abi_stable::StableAbi;
use abi_stable::std_types::RSlice;

use crate::NodeSet;

pub const NONE: u32 = u32::MAX;

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq)]
pub struct NodeView {
    pub cores: u32,
    pub free_cores: u32,
    pub running: u32,
    pub idle_containers: u32,
    pub speed: f64,
    pub ram: u64,
    pub free_ram: u64,
    pub idle_ram: u64,
    pub unused_image_ram: u64,
    pub disk: u64,
    pub free_disk: u64,
    pub idle_disk: u64,
    pub unused_image_disk: u64,
}

impl NodeView {
    pub fn has_room(&self, request: &RequestView) -> bool {
        self.free_ram >= request.ram_limit && self.free_disk >= request.disk_limit
    }

    pub fn can_make_room(&self, request: &RequestView) -> bool {
        self.free_ram + self.idle_ram + self.unused_image_ram >= request.ram_limit
            && self.free_disk + self.idle_disk + self.unused_image_disk >= request.disk_limit
    }
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub struct RequestView {
    pub invocation: u64,
    pub function: u32,
    pub image: u32,
    pub requested_at: u64,
    pub submitted_at: u64,
    pub time_limit: u64,
    pub ram_limit: u64,
    pub disk_limit: u64,
    pub startup_overhead: u64,
}

impl Default for RequestView {
    fn default() -> Self {
        Self {
            invocation: 0,
            function: 0,
            image: NONE,
            requested_at: 0,
            submitted_at: 0,
            time_limit: 0,
            ram_limit: 0,
            disk_limit: 0,
            startup_overhead: 0,
        }
    }
}

#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct ClusterView<'a> {
    pub now: u64,
    pub waiting: u64,
    pub nodes: RSlice<'a, NodeView>,
    pub up: NodeSet<'a>,
    pub free_core: NodeSet<'a>,
    pub idle_container: NodeSet<'a>,
    pub image_in_ram: NodeSet<'a>,
    pub image_loading: NodeSet<'a>,
    pub image_on_disk: NodeSet<'a>,
    pub image_copying: NodeSet<'a>,
}
