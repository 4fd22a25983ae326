//! All compute nodes, and the sets of nodes that decisions are made from, kept up to date with every change. Nobody else
//! changes a node, what is on it, or what is promised of it.

mod containers;
mod contents;
mod idle_counts;
mod images;
mod node_ids;
mod pools;

use std::collections::BTreeMap;

use hearth_policy_api::{BatchView, ClusterView, FunctionView, NONE, NodeSet, NodeView, RSlice, RequestView};
use hearth_simcore::platform::HostId;
use hearth_simcore::time::SimTime;

pub(crate) use containers::{ContainerSpec, HeldContainer, Occupied, Promise};
pub(crate) use contents::Content;
use contents::Contents;
use idle_counts::IdleCounts;
pub(crate) use images::ImageSites;
pub(crate) use node_ids::NodeIds;
use pools::Pools;

use crate::function::{FunctionId, ImageId};
use crate::metrics::Window;
use crate::node::{ContainerId, Node, NodeId, PoolId, Spell};
use crate::table::Table;

/// The nodes and what is where.
#[derive(Debug)]
pub(crate) struct Cluster {
    nodes: Table<NodeId, Node>,
    by_host: BTreeMap<HostId, NodeId>,
    /// What policies see of each node; within a round less what its decisions take.
    views: Table<NodeId, NodeView>,
    up: NodeIds,
    free_core: NodeIds,
    /// Names for what is in that, if somebody asks for them.
    free_core_contents: Option<Box<Contents>>,
    images: Table<ImageId, ImageSites>,
    specs: Table<FunctionId, ContainerSpec>,
    idle: Table<FunctionId, IdleContainers>,
    pools: Pools,
    /// Only where a policy plans for the whole queue.
    idle_counts: Option<Box<IdleCounts>>,
    /// Numbers the rounds of scheduling.
    round: u64,
    /// The last round that took a core of the node.
    planned_in: Table<NodeId, u64>,
    /// Whether somebody wants to be told of nodes whose view changed.
    is_observed: bool,
    /// Nodes whose view changed, each once.
    changed: Vec<NodeId>,
    is_changed: NodeIds,
    /// Free cores of all nodes, within a round less what its decisions take.
    free_cores: u64,
    /// All cores of the nodes that are up.
    cores_up: u64,
    /// Images that have left the disk of a node and are still in its RAM.
    orphans: Vec<(NodeId, ImageId)>,
    /// Nodes that something was counted of since the last end of an invocation.
    used_later: Vec<NodeId>,
    /// The last time that a container became idle.
    spell: Spell,
}

/// Where a function has idle containers.
#[derive(Debug)]
struct IdleContainers {
    /// The nodes with one that no decision of this round has taken.
    nodes: NodeIds,
    /// Where a container has become idle last: most functions have no others. It may be gone.
    last: PoolId,
}

impl Cluster {
    /// `is_observed` tells whether to note which nodes change.
    pub fn new(nodes: Vec<Node>, is_observed: bool) -> Self {
        let count = nodes.len();
        let mut cluster = Self {
            cores_up: nodes.iter().map(|node| u64::from(node.cores)).sum(),
            views: vec![NodeView::default(); count].into(),
            by_host: nodes.iter().zip(0..).map(|(node, number)| (node.host, NodeId(number))).collect(),
            nodes: nodes.into(),
            up: NodeIds::all(count),
            free_core: NodeIds::none(count),
            free_core_contents: None,
            images: Table::default(),
            specs: Table::default(),
            idle: Table::default(),
            pools: Pools::default(),
            idle_counts: None,
            round: 0,
            planned_in: vec![0; count].into(),
            is_observed,
            changed: Vec::new(),
            is_changed: NodeIds::none(count),
            free_cores: 0,
            orphans: Vec::new(),
            used_later: Vec::new(),
            spell: Spell::default(),
        };
        cluster.nodes.names().for_each(|node| cluster.refresh(node));
        cluster
    }

    /// Takes in what containers of the next function are made of.
    pub fn add_function(&mut self, spec: ContainerSpec) {
        self.specs.push(spec);
        self.idle.push(IdleContainers { nodes: NodeIds::none(self.nodes.len()), last: PoolId(u32::MAX) });
    }

    /// The nodes.
    pub fn nodes(&self) -> &Table<NodeId, Node> {
        &self.nodes
    }

    /// A node.
    #[inline]
    pub fn node(&self, node: NodeId) -> &Node {
        &self.nodes[node]
    }

    /// The node on a host, if there is one.
    pub fn node_on(&self, host: HostId) -> Option<NodeId> {
        self.by_host.get(&host).copied()
    }

    /// What policies see of a node.
    #[inline]
    pub fn node_view(&self, node: NodeId) -> &NodeView {
        &self.views[node]
    }

    /// The nodes that are up.
    pub fn up(&self) -> &NodeIds {
        &self.up
    }

    /// The nodes with a free core that nobody has been promised, within a round less what its decisions take.
    #[inline]
    pub fn free_core(&self) -> &NodeIds {
        &self.free_core
    }

    /// How many cores are free so.
    #[inline]
    pub fn free_cores(&self) -> u64 {
        self.free_cores
    }

    /// The nodes with an idle container of a function that no decision of this round has taken.
    pub fn idle(&self, function: FunctionId) -> &NodeIds {
        &self.idle[function].nodes
    }

    /// A node goes down.
    pub fn take_down(&mut self, node: NodeId, now: SimTime) {
        self.up.remove(node);
        let described = &mut self.nodes[node];
        described.outages += 1;
        described.used.goes_down(now);
        self.cores_up -= u64::from(described.cores);
        self.orphans.retain(|(on, _)| *on != node);
        self.refresh(node);
    }

    /// A node is back.
    pub fn bring_up(&mut self, node: NodeId, now: SimTime, window: Window) {
        self.up.insert(node);
        let described = &mut self.nodes[node];
        described.used.is_back(now, window);
        if described.used.has_later() {
            self.used_later.push(node);
        }
        self.cores_up += u64::from(described.cores);
        self.refresh(node);
    }

    /// From now on everything takes so many times as long on a node.
    pub fn set_slowness(&mut self, node: NodeId, slowness: f64) {
        self.nodes[node].slowness = slowness;
    }

    /// Brings the node's view up to date after a change of the node.
    fn refresh(&mut self, node: NodeId) {
        self.nodes[node].show_storage(&mut self.views[node]);
        self.refresh_use(node);
    }

    /// Brings the node's view up to date after a change of its cores and idle containers alone.
    fn refresh_use(&mut self, node: NodeId) {
        self.refresh_use_if(node, self.up.contains(node));
    }

    /// Does that where it is known whether the node is up.
    #[inline]
    fn refresh_use_if(&mut self, node: NodeId, is_up: bool) {
        debug_assert_eq!(is_up, self.up.contains(node));
        let view = &mut self.views[node];
        let before = view.free_cores;
        self.nodes[node].show_use(is_up, view);
        let after = view.free_cores;
        self.free_cores = self.free_cores - u64::from(before) + u64::from(after);
        if (before > 0) != (after > 0) {
            self.free_core.set(node, after > 0);
            self.note_other_free_cores();
        }
        self.note_change(node);
    }

    /// Has whoever wants to be told of changes look at the node again.
    #[inline]
    pub fn note_change(&mut self, node: NodeId) {
        if self.is_observed && !self.is_changed.contains(node) {
            self.is_changed.insert(node);
            self.changed.push(node);
        }
    }

    /// Tells of the nodes that have changed since the last time: their view, and whether they are up.
    #[inline]
    pub fn tell_changes(&mut self, mut tell: impl FnMut(NodeId, &NodeView, bool)) {
        for node in self.changed.drain(..) {
            self.is_changed.remove(node);
            tell(node, &self.views[node], self.up.contains(node));
        }
    }

    /// Cores of nodes that are up which are neither free nor held by the `running` invocations: those promised to
    /// invocations that wait for their image on a node.
    pub fn promised_cores(&self, running: u64) -> u64 {
        self.cores_up.saturating_sub(self.free_cores).saturating_sub(running)
    }

    /// The number of the round of scheduling.
    #[inline]
    pub fn round(&self) -> u64 {
        self.round
    }

    /// Begins the next round of scheduling.
    #[inline]
    pub fn begin_round(&mut self) {
        self.round += 1;
        if let Some(contents) = &mut self.free_core_contents {
            contents.begin();
        }
    }

    /// Notes from now on what is in the set of nodes with a free core.
    pub fn name_contents(&mut self) {
        self.free_core_contents = Some(Box::default());
    }

    /// A name for what is in the set of nodes with a free core, if such names are given.
    #[inline]
    pub fn free_core_content(&self) -> Option<Content> {
        self.free_core_contents.as_ref().map(|contents| contents.now())
    }

    /// A number that changes with the sets of nodes that a request is shown, but for those with a free core.
    #[inline]
    pub fn changes_for(&self, request: &RequestView) -> u64 {
        let of_image = |image| {
            let ImageSites { in_ram, loading, on_disk, copying, .. } = &self.images[image];
            [in_ram, loading, on_disk, copying].map(NodeIds::changes).iter().sum()
        };
        let of_image = if request.image == NONE { 0 } else { of_image(ImageId(request.image)) };
        self.up.changes() + self.idle[FunctionId(request.function)].nodes.changes() + of_image
    }

    fn note_other_free_cores(&mut self) {
        if let Some(contents) = &mut self.free_core_contents {
            contents.change();
        }
    }

    /// Takes a core of a node for the rest of the round; true if it is the first that the round takes there.
    #[inline]
    pub fn plan_core(&mut self, node: NodeId) -> bool {
        let is_first = std::mem::replace(&mut self.planned_in[node], self.round) != self.round;
        let view = &mut self.views[node];
        view.free_cores -= 1;
        view.running += 1;
        self.free_cores -= 1;
        if view.free_cores == 0 {
            self.free_core.remove(node);
            if let Some(contents) = &mut self.free_core_contents {
                contents.take(node);
            }
        }
        is_first
    }

    /// Takes RAM and disk of a node for the rest of a round that has taken a core there.
    #[inline]
    pub fn plan_room(&mut self, node: NodeId, ram: u64, disk: u64) {
        let view = &mut self.views[node];
        view.free_ram = view.free_ram.saturating_sub(ram);
        view.free_disk = view.free_disk.saturating_sub(disk);
    }

    /// Gives back the cores and the room that the round has taken of these nodes, which are all that it has taken some of.
    pub fn unplan_nodes(&mut self, nodes: impl Iterator<Item = NodeId>) {
        // What comes back is no change for good.
        let contents = self.free_core_contents.take();
        nodes.for_each(|node| self.refresh(node));
        self.free_core_contents = contents;
        if let Some(contents) = &mut self.free_core_contents {
            contents.take_back();
        }
    }

    /// Has an image loading for the rest of the round, unless it is in the node's RAM or on its way there.
    #[inline]
    pub fn plan_load(&mut self, node: NodeId, image: ImageId) -> bool {
        let is_new = !self.images[image].reaches_ram(node);
        if is_new {
            self.images[image].loading.insert(node);
        }
        is_new
    }

    /// Undoes [`Cluster::plan_load`].
    pub fn unplan_load(&mut self, node: NodeId, image: ImageId) {
        self.images[image].loading.remove(node);
    }

    /// Has an image copying for the rest of the round, unless it is on the node's disk or on its way there.
    #[inline]
    pub fn plan_copy(&mut self, node: NodeId, image: ImageId) -> bool {
        let is_new = !self.images[image].reaches_disk(node);
        if is_new {
            self.images[image].copying.insert(node);
        }
        is_new
    }

    /// Undoes [`Cluster::plan_copy`].
    pub fn unplan_copy(&mut self, node: NodeId, image: ImageId) {
        self.images[image].copying.remove(node);
    }

    /// Shows a node as one without free cores; gives how many it has.
    pub fn hide(&mut self, node: NodeId) -> u32 {
        self.free_core.remove(node);
        self.note_other_free_cores();
        std::mem::take(&mut self.views[node].free_cores)
    }

    /// Shows the free cores of a node again.
    pub fn show(&mut self, node: NodeId, cores: u32) {
        self.free_core.insert(node);
        self.note_other_free_cores();
        self.views[node].free_cores = cores;
    }

    /// The cluster as a policy is shown it for a request, while so many wait with it.
    #[inline]
    pub fn view(&self, request: &RequestView, waiting: usize, now: SimTime) -> ClusterView<'_> {
        let sites = (request.image != NONE).then(|| &self.images[ImageId(request.image)]);
        let nowhere = NodeSet::empty;
        ClusterView {
            now: now.as_nanos(),
            waiting: waiting as u64,
            nodes: (*self.views).into(),
            up: self.up.view(),
            free_core: self.free_core.view(),
            idle_container: self.idle[FunctionId(request.function)].nodes.view(),
            image_in_ram: sites.map_or(self.up.view(), |sites| sites.in_ram.view()),
            image_loading: sites.map_or(nowhere(), |sites| sites.loading.view()),
            image_on_disk: sites.map_or(self.up.view(), |sites| sites.on_disk.view()),
            image_copying: sites.map_or(nowhere(), |sites| sites.copying.view()),
        }
    }

    /// The cluster as a policy is shown it that plans for a whole queue.
    pub fn batch_view<'a>(
        &'a self,
        queue: &'a [RequestView],
        functions: &'a [FunctionView<'a>],
        now: SimTime,
    ) -> BatchView<'a> {
        let (queue, functions) = (RSlice::from_slice(queue), RSlice::from_slice(functions));
        BatchView { now: now.as_nanos(), nodes: (*self.views).into(), up: self.up.view(), queue, functions }
    }

    /// Whether a function's image is in the RAM of a node that is up; always so for a function without image.
    #[inline]
    pub fn is_image_in_ram(&self, node: NodeId, image: Option<ImageId>) -> bool {
        image.map_or(&self.up, |image| &self.images[image].in_ram).contains(node)
    }

    /// Whether a function's image is in RAM and on disk of a node, as a new container needs it.
    pub fn is_image_ready(&self, node: NodeId, image: Option<ImageId>) -> bool {
        image.is_none_or(|image| {
            let sites = &self.images[image];
            sites.in_ram.contains(node) && sites.on_disk.contains(node)
        })
    }

    /// How many idle containers a function has on a node.
    pub fn idle_count(&self, node: NodeId, function: FunctionId) -> u32 {
        self.pools.find(node, function).map_or(0, |pool| pool.idle)
    }

    /// How many idle containers there are beside this one, of its function and node.
    #[inline]
    pub fn idle_beside(&self, held: &HeldContainer) -> u32 {
        self.pools.get(held.pool()).idle
    }

    /// The idle container of a function that a warm start takes: the one that became idle last (`most_recent`) or first.
    #[inline]
    pub fn first_idle(&self, node: NodeId, function: FunctionId, most_recent: bool) -> Option<ContainerId> {
        let idle = &self.idle[function];
        if !idle.nodes.contains(node) {
            return None;
        }
        let last = self.pools.get_if(idle.last, node, function);
        last.or_else(|| self.pools.find(node, function))?.first_idle(most_recent)
    }

    /// Takes an idle container of a function for a decision of this round: the one that became idle last
    /// (`most_recent`) or first among those that no decision has taken.
    #[inline]
    pub fn plan_idle(&mut self, node: NodeId, function: FunctionId, most_recent: bool) -> Option<ContainerId> {
        if self.idle[function].nodes.contains(node) { self.plan_an_idle(node, function, most_recent) } else { None }
    }

    fn plan_an_idle(&mut self, node: NodeId, function: FunctionId, most_recent: bool) -> Option<ContainerId> {
        let containers = &mut self.nodes[node].containers;
        let pool = self.pools.find_mut(node, function)?;
        let (container, is_last) = pool.plan_idle(containers, self.round, most_recent)?;
        if is_last {
            self.idle[function].nodes.remove(node);
        }
        Some(container)
    }

    /// Undoes what planning changed in the set of idle containers.
    pub fn unplan_idle(&mut self, node: NodeId, function: FunctionId) {
        if self.idle_count(node, function) > 0 {
            self.idle[function].nodes.insert(node);
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_eviction_lru::Lru;
    use hearth_policy_api::{Creation, Removal, boundary};
    use hearth_simcore::platform::{HostSpec, PlatformBuilder};
    use hearth_simcore::simulation::ProcessSimulation;
    use hearth_simcore::time::SimDuration;

    use super::*;
    use crate::node::{ContainerEviction, Footprint, ImageStorage, Medium};
    use crate::policy::{Hosted, PolicySlot, Watch};
    use crate::results::Books;

    const F: FunctionId = FunctionId(0);
    const N: NodeId = NodeId(0);

    /// One node with so many containers of function 0, idle in the order of their numbers.
    fn cluster(idle: u32) -> Cluster {
        let platform = platform();
        let lru = || Hosted::new(boundary::eviction(Lru::new(true)), PolicySlot::Containers, Watch::new());
        let storage = |medium| ImageStorage::new(medium, 100, lru());
        let id = platform.host_by_name("node").unwrap();
        let (ram, disk) = (storage(Medium::Ram), storage(Medium::Disk));
        let eviction = ContainerEviction::new(lru()).unwrap();
        let mut cluster = Cluster::new(vec![Node::new(platform.host(id), id, ram, disk, eviction)], true);
        let footprint = Footprint { ram: 1, disk: 0 };
        cluster.add_function(ContainerSpec { footprint, image: None, startup_overhead: SimDuration::ZERO });
        for number in 0..idle {
            let held = cluster.add_container(N, F, Creation::Invocation, SimTime::ZERO);
            assert_eq!(held.id(), ContainerId(number));
            keep(&mut cluster, held);
        }
        cluster
    }

    fn platform() -> hearth_simcore::platform::Platform {
        PlatformBuilder::new().host("node", HostSpec::new(8, 1.0)).build().unwrap()
    }

    fn keep(cluster: &mut Cluster, held: HeldContainer) {
        ProcessSimulation::new(platform(), 0).with_model_mut(|_, kernel| {
            cluster.keep(held, SimDuration::MAX, |_, _, _| unreachable!(), &mut Books::default(), kernel);
        });
    }

    fn leave_idle(cluster: &mut Cluster, container: u32) -> Option<HeldContainer> {
        let mut books = Books::default();
        books.metrics.container_idle(1, SimTime::ZERO);
        ProcessSimulation::new(platform(), 0).with_model_mut(|_, kernel| {
            cluster.leave_idle(N, F, ContainerId(container), Removal::Taken, &mut books, kernel)
        })
    }

    fn planned(cluster: &mut Cluster, most_recent: bool) -> Vec<u32> {
        cluster.round += 1;
        std::iter::from_fn(|| cluster.plan_idle(N, F, most_recent)).map(|container| container.0).collect()
    }

    #[test]
    fn a_round_takes_idle_containers_newest_or_oldest_first_and_each_once() {
        let mut cluster = cluster(3);
        assert_eq!(planned(&mut cluster, true), [2, 1, 0]);
        assert!(!cluster.idle[F].nodes.contains(N), "none is left in the plan");
        cluster.unplan_idle(N, F);
        assert!(cluster.idle[F].nodes.contains(N));
        assert_eq!(planned(&mut cluster, false), [0, 1, 2]);
    }

    #[test]
    fn the_order_holds_when_containers_leave_and_come_back() {
        let mut cluster = cluster(4);
        let mut left = [1, 3].map(|leaves| {
            let held = leave_idle(&mut cluster, leaves);
            assert!(held.is_some() && leave_idle(&mut cluster, leaves).is_none());
            held
        });
        keep(&mut cluster, left[0].take().unwrap());
        assert_eq!(cluster.idle_count(N, F), 3);
        assert_eq!(planned(&mut cluster, false), [0, 2, 1]);
        for container in [0, 1, 2] {
            let held = leave_idle(&mut cluster, container);
            assert!(held.is_some());
        }
        assert!(!cluster.idle[F].nodes.contains(N));
        assert_eq!(planned(&mut cluster, true), [0_u32; 0]);
    }

    #[test]
    fn cores_that_a_round_takes_are_back_after_it() {
        let mut cluster = cluster(0);
        cluster.round += 1;
        assert!(cluster.plan_core(N));
        assert!((0..7).all(|_| !cluster.plan_core(N)));
        assert!(cluster.free_core.is_empty());
        cluster.refresh(N);
        assert_eq!((cluster.views[N].free_cores, cluster.free_cores), (8, 8));
        assert!(cluster.free_core.contains(N));
    }
}
