//! One compute node: its RAM, disk and containers.

mod container;
mod container_eviction;
mod image_storage;
mod node_pool;
mod shared_processors;
mod victims;

use hearth_policy_api::{EvictionItem, Need, NodeView, Removal};
use hearth_simcore::platform::{HostId, PowerSpec};
use hearth_simcore::time::SimDuration;
use slab::Slab;

pub(crate) use container::{Container, ContainerId, Holder, Idle, PoolId, Share, Spell};
pub(crate) use container_eviction::ContainerEviction;
pub(crate) use image_storage::{ImageStorage, Medium};
pub use node_pool::NodePool;
pub(crate) use shared_processors::SharedProcessors;

use crate::metrics::NodeUse;
use crate::policy::Mistake;
use crate::table::{Identifier, identifiers};

/// Names a node of a service: its position in the list of nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct NodeId(pub u32);

identifiers!(NodeId, ContainerId);

/// What invocations that are bound to a node, but have not started there, will take.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Promised {
    pub cores: u32,
    pub ram: u64,
    pub disk: u64,
}

/// A compute node.
#[derive(Debug)]
pub(crate) struct Node {
    pub host: HostId,
    pub name: String,
    pub cores: u32,
    pub speed: f64,
    /// How often it has gone down.
    pub outages: u32,
    /// How many times as long everything takes that begins now.
    pub slowness: f64,
    pub running: u32,
    pub ram: ImageStorage,
    pub disk: ImageStorage,
    pub ram_capacity: u64,
    pub disk_capacity: u64,
    pub promised: Promised,
    pub containers: Slab<Container>,
    idle_containers: u32,
    /// What idle containers hold.
    idle_ram: u64,
    idle_disk: u64,
    pub container_eviction: ContainerEviction,
    /// The containers that [`Node::choose_idle_victims`] has chosen; the buffer is kept.
    pub victims: Vec<u32>,
    /// If containers share the processors: what they keep of them.
    pub processors: Option<SharedProcessors>,
    pub power: Option<PowerSpec>,
    pub used: NodeUse,
}

/// The reservations of a container.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Footprint {
    pub ram: u64,
    pub disk: u64,
    /// In millionths of a core; nothing where processors are not shared.
    pub processors: u64,
}

impl Node {
    pub fn new(
        host: &hearth_simcore::platform::Host,
        id: HostId,
        ram: ImageStorage,
        disk: ImageStorage,
        container_eviction: ContainerEviction,
    ) -> Self {
        Self {
            host: id,
            name: host.name.clone(),
            cores: host.cores,
            speed: host.speed,
            outages: 0,
            slowness: 1.0,
            running: 0,
            ram_capacity: ram.capacity(),
            disk_capacity: disk.capacity(),
            ram,
            disk,
            promised: Promised::default(),
            containers: Slab::new(),
            idle_containers: 0,
            idle_ram: 0,
            idle_disk: 0,
            container_eviction,
            victims: Vec::new(),
            processors: None,
            power: host.power,
            used: NodeUse::default(),
        }
    }

    /// A container, unless it has ended.
    #[inline]
    pub fn container(&self, id: ContainerId) -> Option<&Container> {
        self.containers.get(id.position())
    }

    /// The containers that are idle, by number.
    pub fn idle_containers(&self) -> impl Iterator<Item = ContainerId> {
        let idle = self.containers.iter().filter(|(_, held)| held.idle.is_some());
        idle.map(|(position, _)| ContainerId::at(position))
    }

    /// How long something takes here that takes so long elsewhere.
    pub fn slowed(&self, time: SimDuration) -> SimDuration {
        // Nearly always so, and then not a bit may change.
        if self.slowness == 1.0 { time } else { SimDuration::from_secs_f64(time.as_secs_f64() * self.slowness) }
    }

    /// Writes into the view of the node, as policies see it between rounds, its cores and idle containers.
    #[inline]
    pub fn show_use(&self, is_up: bool, least_request: u64, view: &mut NodeView) {
        view.free_cores = match &self.processors {
            None => {
                let free = if is_up { self.cores - self.running } else { 0 };
                free.saturating_sub(self.promised.cores)
            }
            Some(shared) if is_up => shared.shown_free(least_request, self.idle_containers),
            Some(_) => 0,
        };
        view.running = self.running + self.promised.cores;
        view.idle_containers = self.idle_containers;
        view.idle_ram = self.idle_ram;
        view.idle_disk = self.idle_disk;
    }

    /// Writes into the view of the node what it is and has, and its storage.
    pub fn show_storage(&self, view: &mut NodeView) {
        view.cores = self.cores;
        view.speed = self.speed;
        view.ram = self.ram_capacity;
        view.free_ram = self.ram.free().saturating_sub(self.promised.ram);
        view.unused_image_ram = self.ram.unpinned_bytes();
        view.disk = self.disk_capacity;
        view.free_disk = self.disk.free().saturating_sub(self.promised.disk);
        view.unused_image_disk = self.disk.unpinned_bytes();
    }

    /// A container becomes idle in a spell; gives whether the eviction policy has heard of it.
    #[inline]
    pub fn enter_idle(
        &mut self,
        (container, spell): (ContainerId, Spell),
        footprint: Footprint,
        item: impl FnOnce() -> EvictionItem,
    ) -> bool {
        self.idle_containers += 1;
        self.idle_ram += footprint.ram;
        self.idle_disk += footprint.disk;
        if let Some(shared) = &mut self.processors {
            shared.enter_idle(footprint.processors);
        }
        self.container_eviction.enter_idle((container, spell), item, &self.containers)
    }

    /// A container is no longer idle, of which the eviction policy has heard or has not.
    #[inline]
    pub fn leave_idle(&mut self, container: ContainerId, footprint: Footprint, is_told: bool, removal: Removal) {
        self.idle_containers -= 1;
        self.idle_ram -= footprint.ram;
        self.idle_disk -= footprint.disk;
        if let Some(shared) = &mut self.processors {
            shared.leave_idle(footprint.processors);
        }
        self.container_eviction.leave_idle(container, is_told, removal);
    }

    /// Chooses the idle containers to end so that a new one has room, into [`Node::victims`]; false if ending all would
    /// not do, but for one that is spared. Counts only what is free and what containers hold, no images (the timing model, section 5).
    pub fn choose_idle_victims(
        &mut self,
        wanted: Footprint,
        now: u64,
        spared: Option<ContainerId>,
        item_of: impl Fn(ContainerId, &Container) -> Option<EvictionItem>,
    ) -> Result<bool, Mistake> {
        let ram = wanted.ram.saturating_sub(self.ram.free());
        let disk = wanted.disk.saturating_sub(self.disk.free());
        let kept = spared.and_then(|id| item_of(id, self.containers.get(id.position())?));
        let (kept_ram, kept_disk) = kept.map_or((0, 0), |item| (item.ram, item.disk));
        if (ram == 0 && disk == 0) || ram + kept_ram > self.idle_ram || disk + kept_disk > self.idle_disk {
            return Ok(false);
        }
        let need = Need { now, ram, disk, ..Need::default() };
        self.container_eviction.choose(&need, &mut self.containers, &mut self.victims, spared, item_of)?;
        Ok(true)
    }
}
