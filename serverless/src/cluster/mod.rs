//! All compute nodes, and the sets of nodes that decisions are made from, kept up to date with every change. Nobody else
//! changes a node, what is on it, or what is promised of it.

mod computing;
mod containers;
mod contents;
mod counts;
mod histories;
mod idle_counts;
mod images;
mod last_ended;
mod node_ids;
mod paused;
mod planning;
mod pools;
mod shown;

use std::collections::BTreeMap;

use hearth_policy_api::boundary::ContainersOf;
use hearth_policy_api::{
    BatchView, ClusterView, ContainerEvent, FunctionView, NONE, NodeSet, NodeView, PolicySlot, Records, RequestView,
};
use hearth_simcore::platform::HostId;
use hearth_simcore::time::SimTime;

pub(crate) use containers::{ContainerSpec, HeldContainer, Occupied, Promise};
pub(crate) use contents::Content;
use contents::Contents;
use counts::Counts;
pub(crate) use images::ImageSites;
use last_ended::LastEnds;
pub(crate) use node_ids::NodeIds;
pub(crate) use planning::Choice;
use pools::{Pool, Pools};
pub(crate) use shown::ContainerLists;

use crate::function::{FunctionId, ImageId};
use crate::metrics::Window;
use crate::node::{ContainerEviction, ContainerId, Footprint, Node, NodeId, PoolId, Spell};
use crate::policy::EvictionInstance;
use crate::table::Table;

/// The nodes and what is where.
#[derive(Debug)]
pub(crate) struct Cluster {
    nodes: Table<NodeId, Node>,
    by_host: BTreeMap<HostId, NodeId>,
    /// What policies see of each node; within a round less what its decisions take.
    views: Table<NodeId, NodeView>,
    up: NodeIds,
    /// How many nodes take nobody any more, and go on with what they have.
    cordoned: u32,
    free_core: NodeIds,
    /// Names for what is in that, if somebody asks for them.
    free_core_contents: Option<Box<Contents>>,
    images: Table<ImageId, ImageSites>,
    /// By the node that it goes to: from which node an image comes, if not from the head.
    copies_between: BTreeMap<(NodeId, ImageId), NodeId>,
    specs: Table<FunctionId, ContainerSpec>,
    idle: Table<FunctionId, IdleContainers>,
    /// The nodes in whose queue somebody stands.
    queued: NodeIds,
    pools: Pools,
    /// Only where a policy is shown it.
    counts: Option<Box<Counts>>,
    /// How many containers there are of each function.
    container_counts: Table<FunctionId, u32>,
    /// The storage of a node has changed, so that there may be more containers of a function, or fewer.
    bounds_are_due: bool,
    /// What has become of containers and nobody has been told yet; only where a policy wants to hear of it.
    news: Option<Vec<ContainerEvent>>,
    /// How containers have ended last; only where a run is explained.
    last_ends: Option<Box<LastEnds>>,
    /// Numbers the rounds of scheduling.
    round: u64,
    /// The last round that took a core of the node.
    planned_in: Table<NodeId, u64>,
    /// Whether somebody wants to be told of nodes whose view changed.
    is_observed: bool,
    /// Some node's view has changed.
    have_changed: bool,
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
    /// Of containers of all functions, the least that one keeps of the processors, in millionths of a core.
    least_request: u64,
    /// How many are bound to nodes.
    promises: u64,
    /// Whether containers share the processors of their nodes.
    is_shared: bool,
    /// Whether containers of some functions keep more of them than others.
    do_requests_vary: bool,
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
            cordoned: 0,
            free_core: NodeIds::none(count),
            free_core_contents: None,
            images: Table::default(),
            copies_between: BTreeMap::new(),
            specs: Table::default(),
            idle: Table::default(),
            queued: NodeIds::none(count),
            pools: Pools::default(),
            counts: None,
            container_counts: Table::default(),
            bounds_are_due: false,
            news: None,
            last_ends: None,
            round: 0,
            planned_in: vec![0; count].into(),
            is_observed,
            have_changed: false,
            changed: Vec::new(),
            is_changed: NodeIds::none(count),
            free_cores: 0,
            orphans: Vec::new(),
            used_later: Vec::new(),
            spell: Spell::default(),
            least_request: u64::MAX,
            promises: 0,
            is_shared: false,
            do_requests_vary: false,
        };
        cluster.nodes.names().for_each(|node| cluster.refresh(node));
        cluster
    }

    /// What a container of a function holds.
    pub fn footprint(&self, function: FunctionId) -> Footprint {
        self.specs[function].footprint
    }

    /// How many containers there are of a function, whatever they do.
    pub fn container_count(&self, function: FunctionId) -> u32 {
        self.container_counts[function]
    }

    /// Whether it is to be looked at whether there are as many containers as there are to be; once.
    #[inline]
    pub fn take_due_bounds(&mut self) -> bool {
        std::mem::take(&mut self.bounds_are_due)
    }

    /// There are to be more containers, or fewer: it is to be looked at.
    pub fn bounds_have_changed(&mut self) {
        (self.bounds_are_due, self.have_changed) = (true, true);
    }

    /// Notes from now on what becomes of containers.
    pub fn note_containers(&mut self) {
        self.news = Some(Vec::new());
    }

    /// Whether something has become of containers that was noted.
    #[inline]
    pub fn has_news(&self) -> bool {
        self.news.as_ref().is_some_and(|news| !news.is_empty())
    }

    /// Tells what has become of containers since the last time.
    pub fn tell_news(&mut self, tell: impl FnMut(&ContainerEvent)) {
        if let Some(news) = &mut self.news {
            news.iter().for_each(tell);
            news.clear();
        }
    }

    /// Takes in what containers of the next function are made of.
    pub fn add_function(&mut self, spec: ContainerSpec) {
        self.note_request(spec.footprint.processors);
        self.specs.push(spec);
        self.container_counts.push(0);
        self.idle.push(IdleContainers { nodes: NodeIds::none(self.nodes.len()), last: PoolId(u32::MAX) });
        if let Some(histories) = self.histories_mut() {
            histories.add_function();
        }
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

    /// What policies see of all nodes.
    pub fn views(&self) -> &[NodeView] {
        &self.views
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

    /// How many cores there are on nodes that are up.
    pub fn cores_up(&self) -> u64 {
        self.cores_up
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

    /// So many stand in the queue of a node from now on.
    pub fn set_queued(&mut self, node: NodeId, count: usize) {
        self.queued.set(node, count > 0);
        self.views[node].queued = u32::try_from(count).unwrap_or(u32::MAX);
        self.note_change(node);
    }

    /// The nodes with a free core in whose queue somebody stands, by number.
    pub fn queued_with_core(&self) -> Vec<NodeId> {
        self.queued.also_in(&self.free_core).collect()
    }

    /// Tells an eviction policy of a node that a timer of its has gone off.
    pub fn tell_eviction_of_timer(&mut self, node: NodeId, slot: PolicySlot, timer: u64, now: SimTime) {
        let node = &mut self.nodes[node];
        match slot {
            PolicySlot::ImagesInRam => node.ram.on_timer(timer, now),
            PolicySlot::ImagesOnDisk => node.disk.on_timer(timer, now),
            _ => node.container_eviction.on_timer(timer, now),
        }
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

    /// A node is switched on that is not up yet: it takes energy from now on.
    pub fn switch_on(&mut self, node: NodeId, now: SimTime, window: Window) {
        let described = &mut self.nodes[node];
        described.used.is_back(now, window);
        if described.used.has_later() {
            self.used_later.push(node);
        }
    }

    /// A node is switched off that was not up yet.
    pub fn switch_off(&mut self, node: NodeId, now: SimTime) {
        self.nodes[node].used.goes_down(now);
    }

    /// A node takes nobody any more, and goes on with what it has.
    pub fn cordon(&mut self, node: NodeId) {
        self.up.remove(node);
        self.cordoned += 1;
        self.refresh(node);
    }

    /// A node that took nobody any more does so again, or is down: then it is no matter.
    pub fn uncordon(&mut self, node: NodeId, is_up: bool) {
        self.cordoned -= 1;
        if is_up {
            self.up.insert(node);
            self.refresh(node);
        }
    }

    /// From now on everything takes so many times as long on a node.
    pub fn set_slowness(&mut self, node: NodeId, slowness: f64) {
        self.nodes[node].slowness = slowness;
    }

    /// Brings the node's view up to date after a change of the node.
    fn refresh(&mut self, node: NodeId) {
        self.show_storage(node);
        self.refresh_use(node);
    }

    /// Brings the node's view up to date after a change of what containers and images hold: whatever makes room comes by here.
    fn show_storage(&mut self, node: NodeId) {
        self.nodes[node].show_storage(&mut self.views[node]);
        self.bounds_are_due = true;
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
        self.nodes[node].show_use(is_up, self.least_request, view);
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
        self.have_changed = true;
        if self.is_observed && !self.is_changed.contains(node) {
            self.is_changed.insert(node);
            self.changed.push(node);
        }
    }

    /// Has somebody told of all nodes who has not heard of any, and then of those that change; or nobody any more.
    pub fn observe_all(&mut self, is_observed: bool) {
        self.changed.drain(..).for_each(|node| self.is_changed.remove(node));
        self.is_observed = is_observed;
        if is_observed {
            self.nodes.names().for_each(|node| self.note_change(node));
        }
    }

    /// Has other policies decide which containers of nodes go. They are told of those that there are.
    pub fn replace_container_eviction(&mut self, policies: Vec<ContainerEviction>) {
        let specs = &self.specs;
        for (node, policy) in self.nodes.iter_mut().zip(policies) {
            node.container_eviction = policy;
            let item = |function: FunctionId, id, since, expires| specs[function].item(function, id, since, expires);
            node.container_eviction.take_over(&mut node.containers, item);
        }
    }

    /// Has other policies decide which images of nodes go. They are told of those that there are.
    pub fn replace_image_eviction(&mut self, slot: PolicySlot, policies: Vec<EvictionInstance>, now: SimTime) {
        for (node, policy) in self.nodes.iter_mut().zip(policies) {
            match slot {
                PolicySlot::ImagesInRam => node.ram.replace_eviction(policy, now),
                _ => node.disk.replace_eviction(policy, now),
            }
        }
    }

    /// Whether any node has changed since the last time.
    pub fn take_have_changed(&mut self) -> bool {
        std::mem::take(&mut self.have_changed)
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
        // Those of a node that takes nobody are not free, and held by nobody.
        if self.shares_processors() || self.cordoned > 0 {
            return self.promises;
        }
        self.cores_up.saturating_sub(self.free_cores).saturating_sub(running)
    }

    /// The cluster as a policy is shown it for a request, while so many wait with it, with what has come of functions or without,
    /// and a way to its containers.
    #[inline(always)]
    pub fn view<'a>(
        &'a self,
        request: &RequestView,
        waiting: usize,
        now: SimTime,
        sees_history: bool,
        containers: ContainersOf<'a>,
    ) -> ClusterView<'a> {
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
            histories: self.histories_if(sees_history),
            containers,
            ..ClusterView::default()
        }
    }

    /// The cluster as a policy is shown it that is asked about no request.
    pub fn view_of_all<'a>(
        &'a self,
        waiting: usize,
        now: SimTime,
        sees_history: bool,
        containers: ContainersOf<'a>,
    ) -> ClusterView<'a> {
        ClusterView {
            now: now.as_nanos(),
            waiting: waiting as u64,
            nodes: (*self.views).into(),
            up: self.up.view(),
            free_core: self.free_core.view(),
            histories: self.histories_if(sees_history),
            containers,
            ..ClusterView::EMPTY
        }
    }

    /// The cluster as a policy is shown it that plans for a whole queue.
    pub fn batch_view<'a>(
        &'a self,
        queue: &'a [RequestView],
        functions: &'a [FunctionView<'a>],
        now: SimTime,
        sees_history: bool,
        containers: ContainersOf<'a>,
    ) -> BatchView<'a> {
        let (queue, functions) = (Records::new(queue), Records::new(functions));
        BatchView {
            now: now.as_nanos(),
            nodes: (*self.views).into(),
            up: self.up.view(),
            queue,
            functions,
            histories: self.histories_if(sees_history),
            containers,
            ..BatchView::default()
        }
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

    /// How many containers of a function on a node are in use or being started.
    pub fn busy_count(&self, node: NodeId, function: FunctionId) -> u32 {
        self.pools.find(node, function).map_or(0, Pool::busy)
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
}
