//! A small cluster that the kit plays histories on: what the host knows, kept the simple way.

mod ends;
mod queues;
mod shown;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::ends::end_of;
use self::ends::{Idle, Running};
pub(super) use self::queues::Stand;
pub(super) use self::waits::Wait;
use super::histories::Histories;
use super::workflows::as_task;
use crate::containers::ContainersOf;
use crate::{
    BatchView, ClusterView, ContainerView, End, Ending, FunctionHistory, FunctionView, NONE, NodeBits, NodeView,
    Records, RequestView, Start,
};

/// What a node has.
#[derive(Clone, Debug)]
pub(super) struct NodeSpec {
    pub cores: u32,
    pub ram: u64,
    pub disk: u64,
}

/// What a container of a function reserves; functions with an image each have their own.
#[derive(Clone, Debug)]
pub(super) struct FunctionSpec {
    pub ram: u64,
    pub disk: u64,
    pub has_image: bool,
}

#[derive(Debug)]
struct Node {
    spec: NodeSpec,
    up: bool,
    running: Vec<Running>,
    /// Those that hold a core and wait for their image.
    bound: Vec<RequestView>,
    idle: Vec<Idle>,
    /// Cores that decisions of this round have taken in vain; free again after it.
    held: u32,
}

/// Where the image of a function is.
#[derive(Debug)]
struct Image {
    present: NodeBits,
    copying: NodeBits,
}

/// The cluster.
#[derive(Debug)]
pub(super) struct Model {
    nodes: Vec<Node>,
    functions: Vec<FunctionSpec>,
    images: Vec<Image>,
    pub queue: Vec<RequestView>,
    /// What has come of functions, without what stands in the rest of this; only if the policy sees it.
    pub histories: Option<Histories>,
    /// Those that wait for a busy container, in the order of the queue.
    pub awaiting: Vec<Wait>,
    /// Those that stand in the queues of nodes, likewise.
    pub standing: Vec<Stand>,
    pub now: u64,
    requests: u64,
    /// How many containers there have been.
    containers: u32,
    /// Invocations that were asked for a second time and have not ended.
    hedged: BTreeSet<u64>,
    changed: NodeBits,
    /// The part of its bandwidth that each link has: one that leads to all nodes, one to each node alone in their order,
    /// and one that leads to none.
    links: Vec<f64>,
    changed_links: BTreeSet<u32>,
    /// By key: the ranks of those that have one.
    ranks: BTreeMap<u64, u64>,
    /// Copies that have begun, by image and node, and have no source yet.
    begun: Vec<(u32, u32)>,
    /// From which node images are on their way, by image and node.
    sources: BTreeMap<(u32, u32), u32>,
}

/// The sets that views are made of.
pub(super) struct Sets {
    nodes: Vec<NodeView>,
    up: NodeBits,
    free_core: NodeBits,
    idle: NodeBits,
    everywhere: NodeBits,
    nowhere: NodeBits,
    histories: Vec<FunctionHistory>,
    containers: Vec<Vec<ContainerView>>,
}

/// Which container a request takes on its node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Choice {
    /// An idle one of its function, or else a new one.
    Any,
    /// This one, which is idle.
    Warm(u32),
    /// A new one.
    Cold,
}

impl Model {
    pub fn new(nodes: &[NodeSpec], functions: &[FunctionSpec]) -> Self {
        let count = nodes.len();
        let node = |spec: &NodeSpec| Node {
            spec: spec.clone(),
            up: true,
            running: Vec::new(),
            bound: Vec::new(),
            idle: Vec::new(),
            held: 0,
        };
        let image = |_| Image { present: NodeBits::new(count), copying: NodeBits::new(count) };
        Self {
            nodes: nodes.iter().map(node).collect(),
            functions: functions.to_vec(),
            images: functions.iter().map(image).collect(),
            queue: Vec::new(),
            histories: None,
            awaiting: Vec::new(),
            standing: Vec::new(),
            now: 0,
            requests: 0,
            containers: 0,
            hedged: BTreeSet::new(),
            changed: NodeBits::full(count),
            links: vec![1.0; count + 2],
            changed_links: BTreeSet::new(),
            ranks: BTreeMap::new(),
            begun: Vec::new(),
            sources: BTreeMap::new(),
        }
    }

    pub fn function_count(&self) -> usize {
        self.functions.len()
    }

    /// Gives one a rank, wherever it is; the queue is in the order of ranks.
    pub fn set_rank(&mut self, key: u64, rank: u64) {
        self.ranks.insert(key, rank);
        self.sort_queue();
    }

    /// It has ended that had the rank.
    pub(super) fn forget_rank(&mut self, key: u64) {
        self.ranks.remove(&key);
    }

    /// Those of lower ranks first, and of one rank those that came first.
    pub(super) fn sort_queue(&mut self) {
        let ranks = &self.ranks;
        let turn = |request: &RequestView| (ranks.get(&request.key).copied().unwrap_or(0), request.submitted_at);
        self.queue.sort_by_key(turn);
    }

    /// Copies that have begun since the last time while a node has their image: image, node, who has it, and how many copies are
    /// on their way from each node.
    pub fn take_copies(&mut self) -> Vec<(u32, u32, NodeBits, Vec<u32>)> {
        let begun = std::mem::take(&mut self.begun).into_iter();
        let mut sending = vec![0; self.nodes.len()];
        for node in self.sources.values() {
            if let Some(count) = sending.get_mut(*node as usize) {
                *count += 1;
            }
        }
        let copy = |(image, node): (u32, u32)| {
            let mut holders = NodeBits::new(self.nodes.len());
            let present = self.images.get(image as usize).map(|image| image.present.view());
            present
                .iter()
                .flat_map(|present| present.iter())
                .filter(|of| *of != node)
                .for_each(|of| holders.insert(of));
            (!holders.view().is_empty()).then(|| (image, node, holders, sending.clone()))
        };
        begun.filter_map(copy).collect()
    }

    /// A copy comes from a node, or from the head.
    pub fn set_source(&mut self, image: u32, node: u32, source: u32) {
        self.sources.insert((image, node), source);
    }

    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Nodes that have changed since the last time, with their views.
    pub fn take_changed(&mut self) -> Vec<(u32, NodeView, bool)> {
        let changed = std::mem::replace(&mut self.changed, NodeBits::new(self.nodes.len()));
        changed.view().iter().map(|node| (node, self.view(node), self.nodes[node as usize].up)).collect()
    }

    pub fn link_count(&self) -> usize {
        self.links.len()
    }

    /// Gives a link a part of its bandwidth; false if it has that. Nothing but policies takes notice.
    pub fn set_link(&mut self, link: u32, share: f64) -> bool {
        let has_changed = std::mem::replace(&mut self.links[link as usize], share) != share;
        if has_changed {
            self.changed_links.insert(link);
        }
        has_changed
    }

    /// Links that have changed since the last time, with the part of their bandwidth and the nodes they lead to.
    pub fn take_changed_links(&mut self) -> Vec<(u32, f64, NodeBits)> {
        let changed = std::mem::take(&mut self.changed_links).into_iter();
        changed.map(|link| (link, self.links[link as usize], self.nodes_behind(link))).collect()
    }

    fn nodes_behind(&self, link: u32) -> NodeBits {
        let count = self.nodes.len();
        let Some(node) = link.checked_sub(1) else { return NodeBits::full(count) };
        let mut behind = NodeBits::new(count);
        if (node as usize) < count {
            behind.insert(node);
        }
        behind
    }

    pub fn view(&self, node: u32) -> NodeView {
        let queued = self.queued(node);
        let node = &self.nodes[node as usize];
        let held = |functions: &mut dyn Iterator<Item = usize>| {
            let specs = functions.map(|function| &self.functions[function]);
            specs.fold((0, 0), |(ram, disk), spec| (ram + spec.ram, disk + spec.disk))
        };
        let (idle_ram, idle_disk) = held(&mut node.idle.iter().map(|idle| idle.function));
        let (running_ram, running_disk) = held(&mut node.running.iter().map(|one| one.request.function as usize));
        let (bound_ram, bound_disk) = held(&mut node.bound.iter().map(|request| request.function as usize));
        let running = (node.running.len() + node.bound.len()) as u32;
        NodeView {
            cores: node.spec.cores,
            free_cores: if node.up { node.spec.cores - running - node.held } else { 0 },
            running,
            idle_containers: node.idle.len() as u32,
            speed: 1e9,
            ram: node.spec.ram,
            free_ram: node.spec.ram - idle_ram - running_ram - bound_ram,
            idle_ram,
            unused_image_ram: 0,
            disk: node.spec.disk,
            free_disk: node.spec.disk - idle_disk - running_disk - bound_disk,
            idle_disk,
            unused_image_disk: 0,
            queued,
            ..NodeView::default()
        }
    }

    /// The first request of another invocation.
    pub fn arrive(&mut self, function: usize) -> RequestView {
        self.requests += 1;
        self.enter(self.requests - 1, 1, function)
    }

    /// An attempt at an invocation enters the queue.
    fn enter(&mut self, invocation: u64, attempt: u32, function: usize) -> RequestView {
        let spec = &self.functions[function];
        let request = RequestView {
            invocation,
            attempt,
            function: function as u32,
            image: if spec.has_image { function as u32 } else { NONE },
            requested_at: self.now,
            submitted_at: self.now,
            deadline: if spec.has_image { self.now + 5_000_000_000 } else { u64::MAX },
            ram_limit: spec.ram,
            disk_limit: spec.disk,
            // No two attempts have one, and no more than a few are made at an invocation.
            key: invocation * 16 + u64::from(attempt),
            ..RequestView::default()
        };
        let request = as_task(request);
        self.queue.push(request);
        if let Some(histories) = &mut self.histories {
            histories.arrived(function as u32, self.now);
        }
        request
    }

    /// Takes an attempt out of the queue.
    pub fn leave(&mut self, request: &RequestView) {
        self.queue.retain(|other| (other.invocation, other.attempt) != (request.invocation, request.attempt));
    }

    /// Ends an idle container of a node.
    pub fn expire(&mut self, node: u32) -> bool {
        let expired = self.nodes[node as usize].idle.pop().is_some();
        self.changed.set(node, expired || self.changed.contains(node));
        expired
    }

    /// Takes a node down, with everything on it, or up again; gives what ends by it, and `None` if it is so already. Who
    /// waits there for an image, or for a busy container, or stands in its queue alone, waits in the queue again.
    pub fn set_up(&mut self, node: u32, up: bool) -> Option<Vec<End>> {
        let (state, now) = (&mut self.nodes[node as usize], self.now);
        if state.up == up {
            return None;
        }
        state.up = up;
        let mut ends: Vec<End> =
            state.running.drain(..).map(|running| running.end(node, Ending::Lost, now, 0)).collect();
        ends.extend(state.bound.iter().map(|request| End { node, ..end_of(request, Ending::Requeued, now) }));
        self.queue.append(&mut state.bound);
        state.idle.clear();
        for image in &mut self.images {
            image.present.remove(node);
            image.copying.remove(node);
        }
        self.sources.retain(|(_, to), _| *to != node);
        self.sort_queue();
        self.changed.insert(node);
        ends.extend(self.requeue(|wait| wait.node == node));
        ends.extend(self.give_up_queue_of(node));
        Some(ends)
    }

    /// All images arrive that are on their way; who waits for them starts.
    pub fn deliver(&mut self) {
        for (function, image) in self.images.iter_mut().enumerate() {
            let arriving: Vec<u32> = image.copying.view().iter().collect();
            for node in arriving {
                self.sources.remove(&(function as u32, node));
                image.copying.remove(node);
                image.present.insert(node);
                let state = &mut self.nodes[node as usize];
                let here = state.bound.extract_if(.., |request| request.function as usize == function);
                for request in here {
                    self.containers = self.containers.wrapping_add(1) % NONE;
                    let (container, since) = (self.containers, self.now);
                    state.running.push(Running { request, container, start: Start::Cold, since, created: since });
                    if let Some(histories) = &mut self.histories {
                        histories.of(function as u32).cold_starts += 1;
                    }
                }
                self.changed.insert(node);
            }
        }
    }

    /// What a policy sees when it is asked about a function.
    pub fn sets(&self, function: usize) -> Sets {
        let count = self.nodes.len();
        let numbers = || 0..count as u32;
        let bits = |chosen: &dyn Fn(&Node) -> bool| {
            let mut bits = NodeBits::new(count);
            numbers().filter(|node| chosen(&self.nodes[*node as usize])).for_each(|node| bits.insert(node));
            bits
        };
        let nodes: Vec<NodeView> = numbers().map(|node| self.view(node)).collect();
        let mut free_core = NodeBits::new(count);
        numbers().for_each(|node| free_core.set(node, nodes[node as usize].free_cores > 0));
        Sets {
            nodes,
            up: bits(&|node| node.up),
            free_core,
            idle: bits(&|node| node.idle.iter().any(|idle| idle.function == function)),
            everywhere: bits(&|node| node.up),
            nowhere: NodeBits::new(count),
            histories: self.shown_histories(),
            containers: self.shown_containers(),
        }
    }

    /// The cluster as a request of a function sees it.
    pub fn cluster<'a>(&'a self, sets: &'a Sets, function: usize) -> ClusterView<'a> {
        let image = &self.images[function];
        let has_image = self.functions[function].has_image;
        let present = if has_image { image.present.view() } else { sets.everywhere.view() };
        ClusterView {
            now: self.now,
            waiting: self.queue.len() as u64,
            nodes: sets.nodes.as_slice().into(),
            up: sets.up.view(),
            free_core: sets.free_core.view(),
            idle_container: sets.idle.view(),
            image_in_ram: present,
            image_loading: sets.nowhere.view(),
            image_on_disk: present,
            image_copying: if has_image { image.copying.view() } else { sets.nowhere.view() },
            histories: Records::new(&sets.histories),
            containers: ContainersOf::new(&sets.containers),
            ..ClusterView::default()
        }
    }

    /// The cluster as a timer shows it, of no request.
    pub fn cluster_without_function<'a>(&'a self, sets: &'a Sets) -> ClusterView<'a> {
        let none = || sets.nowhere.view();
        ClusterView {
            idle_container: none(),
            image_in_ram: none(),
            image_loading: none(),
            image_on_disk: none(),
            image_copying: none(),
            ..self.cluster(sets, 0)
        }
    }

    /// How many run, of a function or of all.
    pub fn running_of(&self, function: Option<usize>) -> u64 {
        let running = self.nodes.iter().flat_map(|node| &node.running);
        running.filter(|one| function.is_none_or(|function| one.request.function as usize == function)).count() as u64
    }

    /// Whether a container is idle.
    pub fn is_kept(&self, node: u32, container: u32) -> bool {
        self.nodes.get(node as usize).is_some_and(|node| node.idle.iter().any(|idle| idle.container == container))
    }

    /// An idle container ends that is not kept.
    pub fn drop_container(&mut self, node: u32, container: u32) {
        if let Some(of) = self.nodes.get_mut(node as usize) {
            of.idle.retain(|idle| idle.container != container);
            self.changed.insert(node);
        }
    }

    /// Shows the cluster and the whole queue.
    pub fn show_batch<T>(&self, look: impl FnOnce(&BatchView<'_>) -> T) -> T {
        let sets = self.sets(0);
        let waiting = |function: &usize| self.queue.iter().any(|request| request.function as usize == *function);
        let functions: Vec<usize> = (0..self.functions.len()).filter(waiting).collect();
        let idle: Vec<Vec<u32>> = functions
            .iter()
            .map(|function| {
                let count = |node: &Node| node.idle.iter().filter(|idle| idle.function == *function).count() as u32;
                self.nodes.iter().map(count).collect()
            })
            .collect();
        let views: Vec<FunctionView<'_>> = functions
            .iter()
            .zip(&idle)
            .map(|(function, idle)| {
                let (spec, cluster) = (&self.functions[*function], self.cluster(&sets, *function));
                FunctionView {
                    function: *function as u32,
                    image: if spec.has_image { *function as u32 } else { NONE },
                    time_limit: 0,
                    ram_limit: spec.ram,
                    disk_limit: spec.disk,
                    idle_containers: idle.as_slice().into(),
                    image_in_ram: cluster.image_in_ram,
                    image_loading: cluster.image_loading,
                    image_on_disk: cluster.image_on_disk,
                    image_copying: cluster.image_copying,
                    ..FunctionView::default()
                }
            })
            .collect();
        look(&BatchView {
            now: self.now,
            nodes: sets.nodes.as_slice().into(),
            up: sets.up.view(),
            queue: self.queue.as_slice().into(),
            functions: views.as_slice().into(),
            histories: Records::new(&sets.histories),
            containers: ContainersOf::new(&sets.containers),
            ..BatchView::default()
        })
    }

    /// Whether a function could run on a node that has a free core: in an idle container, or in a new one.
    pub fn has_place(&self, node: u32, request: &RequestView) -> bool {
        let view = self.view(node);
        view.free_cores > 0 && self.can_start(node, request)
    }

    /// Whether a node has an idle container of a function or can make room for a new one.
    pub fn can_start(&self, node: u32, request: &RequestView) -> bool {
        let idle = &self.nodes[node as usize].idle;
        idle.iter().any(|idle| idle.function == request.function as usize) || self.view(node).can_make_room(request)
    }

    pub fn is_up(&self, node: u32) -> bool {
        self.nodes.get(node as usize).is_some_and(|node| node.up)
    }

    /// The image is copied to a node, unless it is there or on its way.
    pub fn copy(&mut self, number: usize, node: u32) {
        let image = &mut self.images[number];
        if !image.present.contains(node) && !image.copying.contains(node) {
            image.copying.insert(node);
            self.begun.push((number as u32, node));
        }
    }

    /// Whether a container is idle on a node and of the function of a request.
    pub fn is_idle(&self, request: &RequestView, node: u32, container: u32) -> bool {
        let idle = self.nodes.get(node as usize).map_or(&[][..], |node| &node.idle);
        idle.iter().any(|idle| idle.container == container && idle.function == request.function as usize)
    }

    /// The idle containers, by node, function and number.
    pub fn idle_containers(&self) -> Vec<(u32, usize, u32)> {
        let on = |(node, of): (u32, &Node)| {
            of.idle.iter().map(|idle| (node, idle.function, idle.container)).collect::<Vec<_>>()
        };
        (0..).zip(&self.nodes).flat_map(on).collect()
    }

    /// Carries out that a request goes to a node, and says whether it has left the queue. With `binds`, one whose image
    /// is not there waits for it on the node.
    pub fn place(&mut self, request: &RequestView, (node, choice): (u32, Choice), binds: bool) -> bool {
        let function = request.function as usize;
        let has_core = self.view(node).free_cores > 0;
        let lacks_image = self.functions[function].has_image && !self.images[function].present.contains(node);
        if lacks_image {
            self.copy(function, node);
        }
        if !has_core {
            return false;
        }
        self.changed.insert(node);
        let (request, since) = (*request, self.now);
        let is_chosen = |idle: &Idle| match choice {
            Choice::Any => idle.function == function,
            Choice::Warm(container) => idle.function == function && idle.container == container,
            Choice::Cold => false,
        };
        let idle = self.nodes[node as usize].idle.iter().position(is_chosen);
        if let (Some(position), false) = (idle, lacks_image) {
            let Idle { container, created, .. } = self.nodes[node as usize].idle.remove(position);
            self.nodes[node as usize].running.push(Running { request, container, start: Start::Warm, since, created });
            return true;
        }
        if matches!(choice, Choice::Warm(_)) {
            self.nodes[node as usize].held += 1;
            return false;
        }
        while !self.view(node).has_room(&request) && self.view(node).can_make_room(&request) {
            self.nodes[node as usize].idle.remove(0);
        }
        if !self.view(node).has_room(&request) || (lacks_image && !binds) {
            self.nodes[node as usize].held += 1;
            return false;
        }
        let state = &mut self.nodes[node as usize];
        if lacks_image {
            state.bound.push(request);
        } else {
            self.containers = self.containers.wrapping_add(1) % NONE;
            let container = self.containers;
            state.running.push(Running { request, container, start: Start::Cold, since, created: since });
            if let Some(histories) = &mut self.histories {
                histories.of(request.function).cold_starts += 1;
            }
        }
        true
    }

    /// Frees the cores that a round has taken in vain.
    pub fn end_round(&mut self) {
        for (number, node) in self.nodes.iter_mut().enumerate() {
            if std::mem::take(&mut node.held) > 0 {
                self.changed.insert(number as u32);
            }
        }
    }
}
