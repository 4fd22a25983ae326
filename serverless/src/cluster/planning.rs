//! What the decisions of a round take of the cluster, and give back when all have been made. While a round lasts, policies see
//! the nodes without what it has taken.

use hearth_policy_api::{NONE, RequestView};

use super::contents::Content;
use super::{Cluster, ImageSites, NodeIds};
use crate::function::{FunctionId, ImageId};
use crate::node::{ContainerId, NodeId};

/// Which container a request takes on its node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Choice {
    /// An idle one of its function, or a new one if there is none.
    Any,
    /// This one, which is idle and of its function.
    Warm(ContainerId),
    /// A new one, though there may be an idle one.
    Cold,
}

impl Cluster {
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

    /// Notes from now on what is in the set of nodes with a free core, but for nodes that are [hidden](Self::hide).
    pub fn name_contents(&mut self) {
        self.free_core_contents = Some(Box::default());
    }

    /// Does so if somebody asks for such names from now on, and else no longer.
    pub fn name_contents_if(&mut self, is_asked_for: bool) {
        if !is_asked_for {
            self.free_core_contents = None;
        } else if self.free_core_contents.is_none() {
            self.name_contents();
        }
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

    /// The set of nodes with a free core is another one for good.
    pub(super) fn note_other_free_cores(&mut self) {
        if let Some(contents) = &mut self.free_core_contents {
            contents.change();
        }
    }

    /// Takes a core of a node for the rest of the round; true if it is the first that the round takes there.
    #[inline]
    pub fn plan_core(&mut self, node: NodeId) -> bool {
        let is_first = std::mem::replace(&mut self.planned_in[node], self.round) != self.round;
        let view = &mut self.views[node];
        view.running += 1;
        // Where processors are shared, it is the container that takes something.
        if self.nodes[node].processors.is_some() {
            return is_first;
        }
        view.free_cores -= 1;
        self.free_cores -= 1;
        if view.free_cores == 0 {
            self.free_core.remove(node);
            if let Some(contents) = &mut self.free_core_contents {
                contents.take(node);
            }
        }
        is_first
    }

    /// Takes RAM and disk of a node for the rest of a round that has taken a core there, for a container of a function.
    #[inline]
    pub fn plan_room(&mut self, node: NodeId, function: FunctionId, ram: u64, disk: u64) {
        let view = &mut self.views[node];
        view.free_ram = view.free_ram.saturating_sub(ram);
        view.free_disk = view.free_disk.saturating_sub(disk);
        if self.nodes[node].processors.is_some() {
            self.plan_processors(node, function);
        }
    }

    /// Gives back the cores and the room that the round has taken of these nodes, which are all that it has taken some of.
    pub fn unplan_nodes(&mut self, nodes: impl Iterator<Item = NodeId>) {
        // What comes back is no change for good.
        let contents = self.free_core_contents.take();
        nodes.for_each(|node| {
            if let Some(shared) = &mut self.nodes[node].processors {
                shared.unplan();
            }
            self.refresh(node);
        });
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
        std::mem::take(&mut self.views[node].free_cores)
    }

    /// Shows the free cores of a node again.
    pub fn show(&mut self, node: NodeId, cores: u32) {
        self.free_core.insert(node);
        self.views[node].free_cores = cores;
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

    /// Whether a request of a function can have a container so on a node that has a core for it: one that is named is idle, of
    /// this function, and no decision of this round has taken it.
    pub fn can_take(&self, node: NodeId, function: FunctionId, choice: Choice) -> bool {
        let Choice::Warm(container) = choice else { return true };
        let held = self.nodes[node].container(container).filter(|held| held.function == function);
        held.and_then(|held| held.idle.as_ref()).is_some_and(|idle| idle.planned_in != self.round)
    }

    /// Takes this container of a function for a decision of this round, if it [can be taken](Self::can_take).
    pub fn plan_this(&mut self, node: NodeId, function: FunctionId, container: ContainerId) -> Option<ContainerId> {
        if !self.can_take(node, function, Choice::Warm(container)) {
            return None;
        }
        let containers = &mut self.nodes[node].containers;
        let is_last = self.pools.find_mut(node, function)?.plan_this(containers, self.round, container)?;
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
    use hearth_policy_api::{ContainerChange, Creation, boundary};
    use hearth_simcore::platform::{HostSpec, PlatformBuilder};
    use hearth_simcore::simulation::ProcessSimulation;
    use hearth_simcore::time::{SimDuration, SimTime};

    use super::*;
    use crate::cluster::{ContainerSpec, HeldContainer};
    use crate::function::Processors;
    use crate::node::{ContainerEviction, Footprint, ImageStorage, Medium, Node};
    use crate::policy::{Hosted, PolicySlot, Watch};
    use crate::results::Books;

    const F: FunctionId = FunctionId(0);
    const N: NodeId = NodeId(0);

    /// One node with so many containers of function 0, idle in the order of their numbers.
    fn cluster(idle: u32) -> Cluster {
        let platform = platform();
        let lru = || {
            Hosted::new(
                boundary::eviction(Lru::new(true), &boundary::Seat::default()),
                PolicySlot::Containers,
                Watch::new(),
            )
        };
        let storage = |medium| ImageStorage::new(medium, 100, lru());
        let id = platform.host_by_name("node").unwrap();
        let (ram, disk) = (storage(Medium::Ram), storage(Medium::Disk));
        let eviction = ContainerEviction::new(lru()).unwrap();
        let mut cluster = Cluster::new(vec![Node::new(platform.host(id), id, ram, disk, eviction)], true);
        let footprint = Footprint { ram: 1, disk: 0, processors: 0 };
        let processors = Processors::default();
        cluster.add_function(ContainerSpec {
            footprint,
            idle_ram: footprint.ram,
            image: None,
            startup_overhead: SimDuration::ZERO,
            processors,
        });
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
            cluster.leave_idle(N, F, ContainerId(container), ContainerChange::Taken, &mut books, kernel)
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
    fn a_container_that_is_named_is_taken_once_and_shown_as_taken_for_the_round() {
        let mut cluster = cluster(3);
        cluster.begin_round();
        let shown = |cluster: &Cluster| {
            let shown = cluster.containers_on(N, SimTime::ZERO);
            shown.map(|(container, _)| container.is_idle()).collect::<Vec<_>>()
        };
        assert_eq!(cluster.plan_this(N, F, ContainerId(1)), Some(ContainerId(1)));
        assert_eq!(shown(&cluster), [true, false, true]);
        let takes = [ContainerId(1), ContainerId(3)].map(|named| cluster.can_take(N, F, Choice::Warm(named)));
        assert_eq!((takes, cluster.plan_this(N, F, ContainerId(1))), ([false; 2], None));
        assert!(!cluster.can_take(N, FunctionId(1), Choice::Warm(ContainerId(0))), "it is of another function");
        // Who takes any idle one takes others.
        assert_eq!(cluster.plan_idle(N, F, false), Some(ContainerId(0)));
        assert!(cluster.idle[F].nodes.contains(N));
        assert_eq!(cluster.plan_this(N, F, ContainerId(2)), Some(ContainerId(2)));
        assert!(!cluster.idle[F].nodes.contains(N), "none is left in the plan");
        assert_eq!(shown(&cluster), [false; 3]);
        cluster.unplan_idle(N, F);
        cluster.begin_round();
        assert_eq!(shown(&cluster), [true; 3]);
        assert!(cluster.can_take(N, F, Choice::Warm(ContainerId(1))));
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
