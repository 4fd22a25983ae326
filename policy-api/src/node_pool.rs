//! Pools of nodes that come and go, as an autoscaling policy sees them that says how many nodes there are.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::{NONE, NodeList, Records};

/// How it stands with a node of a pool.
#[repr(u32)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeState {
    /// It is off.
    #[default]
    Off,
    /// It has been asked for, and boots.
    Booting,
    /// It is there.
    Up,
    /// It takes nobody any more, and goes off when those that run there have ended.
    Draining,
    /// It is on, and has failed.
    Failed,
}

/// A node of a pool.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoolNodeView {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The node's number.
    pub node: u32,
    /// How it stands with it.
    pub state: NodeState,
    /// How many invocations run there, or are to start there.
    pub running: u32,
    /// Since when it stands so, in ns.
    pub since: u64,
    /// RAM of the node, in bytes.
    pub ram: u64,
    /// RAM that containers hold there, or that is promised, in bytes.
    pub used_ram: u64,
    /// What idle containers hold of that.
    pub idle_ram: u64,
    /// Cores of the node, in millionths.
    pub processors: u64,
    /// What is taken of them, in millionths of a core: by invocations, or where processors are shared by the requests of containers.
    pub used_processors: u64,
}

impl PoolNodeView {
    /// The greater of the parts of its RAM and its cores that are taken.
    ///
    /// ```
    /// use hearth_policy_api::PoolNodeView;
    /// let node = PoolNodeView { ram: 100, used_ram: 25, processors: 4_000_000, used_processors: 2_000_000, ..PoolNodeView::default() };
    /// assert_eq!(node.utilisation(), 0.5);
    /// ```
    pub fn utilisation(&self) -> f64 {
        let part = |used: u64, of: u64| if of == 0 { 0.0 } else { used as f64 / of as f64 };
        part(self.used_ram, self.ram).max(part(self.used_processors, self.processors))
    }
}

impl Default for PoolNodeView {
    /// A node without anything, which is off.
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            node: 0,
            state: NodeState::default(),
            running: 0,
            since: 0,
            ram: 0,
            used_ram: 0,
            idle_ram: 0,
            processors: 0,
            used_processors: 0,
        }
    }
}

/// Those of one function that have found no place on any node: requests, or instances where the function is served by these.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PendingView {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The function's number.
    pub function: u32,
    /// How many there are.
    pub count: u64,
    /// Since when the first of them waits, in ns.
    pub since: u64,
    /// RAM that each of them needs, in bytes.
    pub ram: u64,
    /// Disk that each of them needs, in bytes.
    pub disk: u64,
    /// Cores that each of them needs, in millionths.
    pub processors: u64,
}

impl Default for PendingView {
    /// Nobody.
    fn default() -> Self {
        Self { size: size_of::<Self>() as u32, function: NONE, count: 0, since: 0, ram: 0, disk: 0, processors: 0 }
    }
}

/// A pool of nodes, when its policy is asked.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct NodePoolView<'a> {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The pool's number, from 0 in the order of the scenario.
    pub pool: u32,
    /// The date, in ns.
    pub now: u64,
    /// How many nodes are on at the least.
    pub min: u32,
    /// How many nodes are on at the most.
    pub max: u32,
    /// Its nodes, by number.
    pub nodes: Records<'a, PoolNodeView>,
    /// Who has found no place on any node, by function: of the whole service, as any pool may take them.
    pub pending: Records<'a, PendingView>,
}

impl NodePoolView<'_> {
    /// How many nodes stand so.
    pub fn count(&self, state: NodeState) -> u32 {
        self.nodes.iter().filter(|node| node.state == state).count() as u32
    }

    /// How many nodes are on and stay so: neither off nor draining.
    pub fn scale(&self) -> u32 {
        let stays = |state: NodeState| matches!(state, NodeState::Booting | NodeState::Up | NodeState::Failed);
        self.nodes.iter().filter(|node| stays(node.state)).count() as u32
    }
}

impl Default for NodePoolView<'_> {
    /// A pool without nodes, and nobody waits.
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            pool: 0,
            now: 0,
            min: 0,
            max: 0,
            nodes: Records::new(&[]),
            pending: Records::new(&[]),
        }
    }
}

/// What becomes of the nodes of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolScale {
    /// So many more are to be on. The host takes those that are draining first, the last first, and then those that are off, the
    /// lowest number first, up to [`NodePoolView::max`].
    pub boot: u32,
    /// These are to go off, in this order, down to [`NodePoolView::min`]: one that boots at once, one that is up as soon as nobody runs
    /// there any more. Idle containers end, and instances are started elsewhere. What is off or draining already is passed over.
    pub remove: NodeList,
}
