//! All compute nodes, and the sets of nodes that decisions are made from, kept up to date with every change.

use hearth_policy_api::{NodeBits, NodeSet, NodeView};
use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::SimTime;
use rustc_hash::FxHashMap;

use crate::function::{FunctionId, ImageId};
use crate::node::{ContainerId, Idle, Node};

/// On which nodes an image is, and in what state.
#[derive(Debug)]
pub(crate) struct ImageSites {
    pub in_ram: NodeBits,
    pub loading: NodeBits,
    pub on_disk: NodeBits,
    pub copying: NodeBits,
}

impl ImageSites {
    fn new(nodes: usize) -> Self {
        let none = || NodeBits::new(nodes);
        Self { in_ram: none(), loading: none(), on_disk: none(), copying: none() }
    }
}

/// The idle containers of one function on one node, from the one idle longest to the newest.
#[derive(Clone, Copy, Debug)]
struct IdleList {
    oldest: ContainerId,
    newest: ContainerId,
    count: u32,
    /// How many of them decisions of the round `planned_in` have taken.
    planned: u32,
    planned_in: u64,
}

/// The nodes and what is where.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub nodes: Vec<Node>,
    /// What policies see of each node; within a round less what its decisions take.
    pub views: Vec<NodeView>,
    pub up: NodeBits,
    pub free_core: NodeBits,
    pub images: Vec<ImageSites>,
    /// By function: the nodes with an idle container that no decision of this round has taken.
    pub idle: Vec<NodeBits>,
    /// Looked up by node and function, never walked.
    idle_lists: FxHashMap<(u32, FunctionId), IdleList>,
    /// Numbers the rounds of scheduling.
    pub round: u64,
    /// By node: the last round that took a core of it.
    planned_in: Vec<u64>,
    /// Nodes whose view changed, for policies that want to be told; each node once.
    pub changed: Vec<u32>,
    is_changed: NodeBits,
    /// Free cores of all nodes, within a round less what its decisions take.
    pub free_cores: u64,
}

impl Cluster {
    pub fn new(nodes: Vec<Node>) -> Self {
        let count = nodes.len();
        let mut cluster = Self {
            views: vec![NodeView::default(); count],
            nodes,
            up: NodeBits::full(count),
            free_core: NodeBits::new(count),
            images: Vec::new(),
            idle: Vec::new(),
            idle_lists: FxHashMap::default(),
            round: 0,
            planned_in: vec![0; count],
            changed: Vec::new(),
            is_changed: NodeBits::new(count),
            free_cores: 0,
        };
        (0..count as u32).for_each(|node| cluster.refresh(node));
        cluster
    }

    pub fn add_image(&mut self) {
        self.images.push(ImageSites::new(self.nodes.len()));
    }

    pub fn add_function(&mut self) {
        self.idle.push(NodeBits::new(self.nodes.len()));
    }

    pub fn node(&mut self, node: u32) -> &mut Node {
        &mut self.nodes[node as usize]
    }

    /// Brings the node's view up to date after a change of the node.
    pub fn refresh(&mut self, node: u32) {
        let view = self.nodes[node as usize].view();
        let held = &mut self.views[node as usize];
        self.free_cores = self.free_cores - u64::from(held.free_cores) + u64::from(view.free_cores);
        *held = view;
        self.free_core.set(node, view.free_cores > 0);
        if !self.is_changed.contains(node) {
            self.is_changed.insert(node);
            self.changed.push(node);
        }
    }

    /// Forgets which nodes have changed.
    pub fn clear_changed(&mut self) {
        for node in self.changed.drain(..) {
            self.is_changed.remove(node);
        }
    }

    /// Takes a core of a node for the rest of the round; true if it is the first that the round takes there.
    pub fn plan_core(&mut self, node: u32) -> bool {
        let is_first = std::mem::replace(&mut self.planned_in[node as usize], self.round) != self.round;
        let view = &mut self.views[node as usize];
        view.free_cores -= 1;
        view.running += 1;
        self.free_cores -= 1;
        if view.free_cores == 0 {
            self.free_core.remove(node);
        }
        is_first
    }

    /// The set of nodes on which a function's image is in RAM; all nodes for a function without image.
    pub fn image_in_ram(&self, image: Option<ImageId>) -> NodeSet<'_> {
        image.map_or(self.up.view(), |image| self.images[image.0 as usize].in_ram.view())
    }

    /// Whether a function's image is in RAM and on disk of a node, as a new container needs it.
    pub fn is_image_ready(&self, node: u32, image: Option<ImageId>) -> bool {
        image.is_none_or(|image| {
            let sites = &self.images[image.0 as usize];
            sites.in_ram.contains(node) && sites.on_disk.contains(node)
        })
    }

    /// How many idle containers a function has on a node.
    pub fn idle_count(&self, node: u32, function: FunctionId) -> u32 {
        self.idle_lists.get(&(node, function)).map_or(0, |list| list.count)
    }

    /// Makes a container idle, as the newest of its function on the node.
    pub fn push_idle(
        &mut self,
        node: u32,
        function: FunctionId,
        id: ContainerId,
        since: SimTime,
        expiry: Option<EventHandle>,
    ) {
        let fresh = IdleList { oldest: id, newest: id, count: 0, planned: 0, planned_in: 0 };
        let list = self.idle_lists.entry((node, function)).or_insert(fresh);
        let older = (list.count > 0).then_some(list.newest);
        list.newest = id;
        list.count += 1;
        let containers = &mut self.nodes[node as usize].containers;
        if let Some(idle) = older.and_then(|older| containers[older.0 as usize].idle.as_mut()) {
            idle.newer = Some(id);
        }
        containers[id.0 as usize].idle = Some(Idle { since, expiry, older, newer: None, planned_in: 0 });
        self.idle[function.0 as usize].insert(node);
    }

    /// Takes a container out of the idle ones of its function; `None` if it is not idle.
    pub fn remove_idle(&mut self, node: u32, id: ContainerId) -> Option<Idle> {
        let containers = &mut self.nodes[node as usize].containers;
        let container = containers.get_mut(id.0 as usize)?;
        let (function, idle) = (container.function, container.idle.take()?);
        let list = self.idle_lists.get_mut(&(node, function))?;
        list.count -= 1;
        match idle.older.and_then(|older| containers[older.0 as usize].idle.as_mut()) {
            Some(older) => older.newer = idle.newer,
            None => list.oldest = idle.newer.unwrap_or(id),
        }
        match idle.newer.and_then(|newer| containers[newer.0 as usize].idle.as_mut()) {
            Some(newer) => newer.older = idle.older,
            None => list.newest = idle.older.unwrap_or(id),
        }
        if list.count == 0 {
            self.idle_lists.remove(&(node, function));
            self.idle[function.0 as usize].remove(node);
        }
        Some(idle)
    }

    /// The idle container of a function that a warm start takes: the one that became idle last (`most_recent`) or first.
    pub fn first_idle(&self, node: u32, function: FunctionId, most_recent: bool) -> Option<ContainerId> {
        if !self.idle[function.0 as usize].contains(node) {
            return None;
        }
        let list = self.idle_lists.get(&(node, function))?;
        Some(if most_recent { list.newest } else { list.oldest })
    }

    /// Takes an idle container of a function for a decision of this round: the one that became idle last
    /// (`most_recent`) or first among those that no decision has taken.
    pub fn plan_idle(&mut self, node: u32, function: FunctionId, most_recent: bool) -> Option<ContainerId> {
        if !self.idle[function.0 as usize].contains(node) {
            return None;
        }
        let list = self.idle_lists.get_mut(&(node, function))?;
        if list.planned_in != self.round {
            (list.planned_in, list.planned) = (self.round, 0);
        }
        let containers = &mut self.nodes[node as usize].containers;
        let mut next = Some(if most_recent { list.newest } else { list.oldest });
        while let Some(id) = next {
            let idle = containers[id.0 as usize].idle.as_mut()?;
            if idle.planned_in != self.round {
                idle.planned_in = self.round;
                list.planned += 1;
                if list.planned == list.count {
                    self.idle[function.0 as usize].remove(node);
                }
                return Some(id);
            }
            next = if most_recent { idle.older } else { idle.newer };
        }
        None
    }

    /// Undoes what planning changed in the set of idle containers.
    pub fn unplan_idle(&mut self, node: u32, function: FunctionId) {
        if self.idle_count(node, function) > 0 {
            self.idle[function.0 as usize].insert(node);
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_eviction_lru::Lru;
    use hearth_policy_api::boundary;
    use hearth_simcore::platform::{HostSpec, PlatformBuilder};

    use super::*;
    use crate::node::{Container, Medium, Storage};
    use crate::policy::{Hosted, PolicySlot, Watch};

    const F: FunctionId = FunctionId(0);

    /// One node with so many containers of function 0, idle in the order of their numbers.
    fn cluster(idle: u32) -> Cluster {
        let platform = PlatformBuilder::new().host("node", HostSpec::new(8, 1.0)).build().unwrap();
        let lru = || Hosted::new(boundary::eviction(Lru::new(true)), PolicySlot::Containers, Watch::new());
        let storage = |medium| Storage::new(medium, 100, lru());
        let id = platform.host_by_name("node").unwrap();
        let (ram, disk) = (storage(Medium::Ram), storage(Medium::Disk));
        let mut cluster = Cluster::new(vec![Node::new(platform.host(id), id, ram, disk, lru())]);
        cluster.add_function();
        for number in 0..idle {
            cluster.node(0).containers.insert(Container { function: F, idle: None });
            cluster.push_idle(0, F, ContainerId(number), SimTime::ZERO, None);
        }
        cluster
    }

    fn planned(cluster: &mut Cluster, most_recent: bool) -> Vec<u32> {
        cluster.round += 1;
        std::iter::from_fn(|| cluster.plan_idle(0, F, most_recent)).map(|container| container.0).collect()
    }

    #[test]
    fn a_round_takes_idle_containers_newest_or_oldest_first_and_each_once() {
        let mut cluster = cluster(3);
        assert_eq!(planned(&mut cluster, true), [2, 1, 0]);
        assert!(!cluster.idle[0].contains(0), "none is left in the plan");
        cluster.unplan_idle(0, F);
        assert!(cluster.idle[0].contains(0));
        assert_eq!(planned(&mut cluster, false), [0, 1, 2]);
    }

    #[test]
    fn the_order_holds_when_containers_leave_and_come_back() {
        let mut cluster = cluster(4);
        for leaves in [1, 3] {
            assert!(cluster.remove_idle(0, ContainerId(leaves)).is_some());
            assert!(cluster.remove_idle(0, ContainerId(leaves)).is_none());
        }
        cluster.push_idle(0, F, ContainerId(1), SimTime::ZERO, None);
        assert_eq!(cluster.idle_count(0, F), 3);
        assert_eq!(planned(&mut cluster, false), [0, 2, 1]);
        for container in [0, 1, 2] {
            cluster.remove_idle(0, ContainerId(container));
        }
        assert!(!cluster.idle[0].contains(0));
        assert_eq!(planned(&mut cluster, true), [0_u32; 0]);
    }

    #[test]
    fn cores_that_a_round_takes_are_back_after_it() {
        let mut cluster = cluster(0);
        cluster.round += 1;
        assert!(cluster.plan_core(0));
        assert!((0..7).all(|_| !cluster.plan_core(0)));
        assert!(cluster.free_core.view().is_empty());
        cluster.refresh(0);
        assert_eq!((cluster.views[0].free_cores, cluster.free_cores), (8, 8));
        assert!(cluster.free_core.contains(0));
    }
}
