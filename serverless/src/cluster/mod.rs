//! All compute nodes, and the sets of nodes that decisions are made from, kept up to date with every change.

use hearth_policy_api::{ClusterView, NONE, NodeBits, NodeSet, NodeView, RequestView};
use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::SimTime;

use crate::function::{FunctionId, ImageId};
use crate::metrics::Window;
use crate::node::{Container, ContainerId, Idle, Node, Spell};

mod pools;

pub(crate) use pools::PoolId;
use pools::Pools;

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
    pools: Pools,
    /// Numbers the rounds of scheduling.
    pub round: u64,
    /// By node: the last round that took a core of it.
    planned_in: Vec<u64>,
    /// Whether somebody wants to be told of nodes whose view changed.
    is_observed: bool,
    /// Nodes whose view changed, each once.
    pub changed: Vec<u32>,
    is_changed: NodeBits,
    /// Free cores of all nodes, within a round less what its decisions take.
    pub free_cores: u64,
    /// All cores of the nodes that are up.
    cores_up: u64,
}

impl Cluster {
    /// `is_observed` tells whether to note which nodes change.
    pub fn new(nodes: Vec<Node>, is_observed: bool) -> Self {
        let count = nodes.len();
        let mut cluster = Self {
            cores_up: nodes.iter().map(|node| u64::from(node.cores)).sum(),
            views: vec![NodeView::default(); count],
            nodes,
            up: NodeBits::full(count),
            free_core: NodeBits::new(count),
            images: Vec::new(),
            idle: Vec::new(),
            pools: Pools::default(),
            round: 0,
            planned_in: vec![0; count],
            is_observed,
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

    /// A node goes down.
    pub fn take_down(&mut self, node: u32, now: SimTime) {
        self.nodes[node as usize].is_up = false;
        self.nodes[node as usize].outages += 1;
        self.nodes[node as usize].used.goes_down(now);
        self.up.remove(node);
        self.cores_up -= u64::from(self.nodes[node as usize].cores);
        self.refresh(node);
    }

    /// A node is back.
    pub fn bring_up(&mut self, node: u32, now: SimTime, window: Window) {
        self.nodes[node as usize].is_up = true;
        self.nodes[node as usize].used.is_back(now, window);
        self.up.insert(node);
        self.cores_up += u64::from(self.nodes[node as usize].cores);
        self.refresh(node);
    }

    /// Brings the node's view up to date after a change of the node.
    pub fn refresh(&mut self, node: u32) {
        self.nodes[node as usize].show_storage(&mut self.views[node as usize]);
        self.refresh_use(node);
    }

    /// The same after a change of the cores and idle containers alone.
    pub fn refresh_use(&mut self, node: u32) {
        let view = &mut self.views[node as usize];
        let before = view.free_cores;
        self.nodes[node as usize].show_use(view);
        let after = view.free_cores;
        self.free_cores = self.free_cores - u64::from(before) + u64::from(after);
        if (before > 0) != (after > 0) {
            self.free_core.set(node, after > 0);
        }
        self.note_change(node);
    }

    /// Has whoever wants to be told of changes look at the node again.
    #[inline]
    pub fn note_change(&mut self, node: u32) {
        if self.is_observed && !self.is_changed.contains(node) {
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

    /// Cores of nodes that are up which are neither free nor held by the `running` invocations: those promised to
    /// invocations that wait for their image on a node.
    pub fn promised_cores(&self, running: u64) -> u64 {
        self.cores_up.saturating_sub(self.free_cores).saturating_sub(running)
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

    /// The cluster as a policy is shown it for a request, while so many wait with it.
    #[inline]
    pub fn view(&self, request: &RequestView, waiting: usize, now: SimTime) -> ClusterView<'_> {
        let sites = (request.image != NONE).then(|| &self.images[request.image as usize]);
        let nowhere = NodeSet::empty;
        ClusterView {
            now: now.as_nanos(),
            waiting: waiting as u64,
            nodes: self.views.as_slice().into(),
            up: self.up.view(),
            free_core: self.free_core.view(),
            idle_container: self.idle[request.function as usize].view(),
            image_in_ram: sites.map_or(self.up.view(), |sites| sites.in_ram.view()),
            image_loading: sites.map_or(nowhere(), |sites| sites.loading.view()),
            image_on_disk: sites.map_or(self.up.view(), |sites| sites.on_disk.view()),
            image_copying: sites.map_or(nowhere(), |sites| sites.copying.view()),
        }
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
        self.pools.find(node, function).map_or(0, |pool| pool.idle)
    }

    /// How many idle containers there are beside this one, of its function and node.
    pub fn idle_beside(&self, node: u32, id: ContainerId) -> u32 {
        let container = self.nodes[node as usize].containers.get(id.0 as usize);
        container.map_or(0, |container| self.pools.get(container.pool).idle)
    }

    /// Makes a container of a function.
    pub fn add_container(&mut self, node: u32, function: FunctionId) -> ContainerId {
        let pool = self.pools.enter(node, function);
        let containers = &mut self.nodes[node as usize].containers;
        ContainerId(containers.insert(Container { function, pool, idle: None }) as u32)
    }

    /// Forgets a container that is not idle; `None` if there is no such container.
    pub fn remove_container(&mut self, node: u32, id: ContainerId) -> Option<FunctionId> {
        let ended = self.nodes[node as usize].containers.try_remove(id.0 as usize)?;
        self.pools.leave(ended.pool);
        Some(ended.function)
    }

    /// Makes a container idle, as the newest of its function on the node.
    pub fn push_idle(
        &mut self,
        node: u32,
        function: FunctionId,
        id: ContainerId,
        spell: Spell,
        expiry: Option<EventHandle>,
    ) {
        self.pools.push_idle(&mut self.nodes[node as usize].containers, id, spell, expiry);
        self.idle[function.0 as usize].insert(node);
    }

    /// Takes a container out of the idle ones of its function; `None` if it is not idle.
    pub fn remove_idle(&mut self, node: u32, function: FunctionId, id: ContainerId) -> Option<Idle> {
        let (idle, left) = self.pools.remove_idle(&mut self.nodes[node as usize].containers, id)?;
        if left == 0 {
            self.idle[function.0 as usize].remove(node);
        }
        Some(idle)
    }

    /// The idle container of a function that a warm start takes: the one that became idle last (`most_recent`) or first.
    pub fn first_idle(&self, node: u32, function: FunctionId, most_recent: bool) -> Option<ContainerId> {
        if !self.idle[function.0 as usize].contains(node) {
            return None;
        }
        self.pools.find(node, function)?.first_idle(most_recent)
    }

    /// Takes an idle container of a function for a decision of this round: the one that became idle last
    /// (`most_recent`) or first among those that no decision has taken.
    pub fn plan_idle(&mut self, node: u32, function: FunctionId, most_recent: bool) -> Option<ContainerId> {
        if !self.idle[function.0 as usize].contains(node) {
            return None;
        }
        let containers = &mut self.nodes[node as usize].containers;
        let pool = self.pools.find_mut(node, function)?;
        let (container, is_last) = pool.plan_idle(containers, self.round, most_recent)?;
        if is_last {
            self.idle[function.0 as usize].remove(node);
        }
        Some(container)
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
    use crate::node::{Medium, Storage};
    use crate::policy::{Hosted, PolicySlot, Watch};

    const F: FunctionId = FunctionId(0);

    /// One node with so many containers of function 0, idle in the order of their numbers.
    fn cluster(idle: u32) -> Cluster {
        let platform = PlatformBuilder::new().host("node", HostSpec::new(8, 1.0)).build().unwrap();
        let lru = || Hosted::new(boundary::eviction(Lru::new(true)), PolicySlot::Containers, Watch::new());
        let storage = |medium| Storage::new(medium, 100, lru());
        let id = platform.host_by_name("node").unwrap();
        let (ram, disk) = (storage(Medium::Ram), storage(Medium::Disk));
        let mut cluster = Cluster::new(vec![Node::new(platform.host(id), id, ram, disk, lru(), false)], true);
        cluster.add_function();
        for number in 0..idle {
            assert_eq!(cluster.add_container(0, F), ContainerId(number));
            cluster.push_idle(0, F, ContainerId(number), Spell::default(), None);
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
            assert!(cluster.remove_idle(0, F, ContainerId(leaves)).is_some());
            assert!(cluster.remove_idle(0, F, ContainerId(leaves)).is_none());
        }
        cluster.push_idle(0, F, ContainerId(1), Spell::default(), None);
        assert_eq!(cluster.idle_count(0, F), 3);
        assert_eq!(planned(&mut cluster, false), [0, 2, 1]);
        for container in [0, 1, 2] {
            cluster.remove_idle(0, F, ContainerId(container));
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
