//! What a policy sees of the cluster and of a request.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::containers::ContainersOf;
use crate::{ContainerView, FunctionHistory, NodeSet, Records};

/// "No such image" in [`RequestView::image`] and the like.
pub const NONE: u32 = u32::MAX;

/// One compute node as a policy sees it during a scheduling round.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NodeView {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// Cores, i.e. the most invocations that run at once.
    pub cores: u32,
    /// Cores that neither run an invocation nor are taken by a decision of this round.
    pub free_cores: u32,
    /// Invocations that hold a core: starting, running, or placed here while their image is on its way. Those placed
    /// by decisions of this round count.
    pub running: u32,
    /// Idle containers.
    pub idle_containers: u32,
    /// How many stand in the queue of the node ([`Placement::Queue`](crate::Placement::Queue)), those among them who stand in
    /// others, too.
    pub queued: u32,
    /// Speed of a core in flop/s.
    pub speed: f64,
    /// RAM in bytes.
    pub ram: u64,
    /// RAM that nothing holds, less what decisions of this round will take.
    pub free_ram: u64,
    /// RAM that idle containers hold, which eviction may free.
    pub idle_ram: u64,
    /// RAM that images hold which no container needs, which eviction may free.
    pub unused_image_ram: u64,
    /// Disk in bytes.
    pub disk: u64,
    /// Disk that nothing holds, less what decisions of this round will take.
    pub free_disk: u64,
    /// Disk that idle containers hold, which eviction may free.
    pub idle_disk: u64,
    /// Disk that images hold which no container needs, which eviction may free.
    pub unused_image_disk: u64,
}

impl Default for NodeView {
    /// A node that has nothing.
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            cores: 0,
            free_cores: 0,
            running: 0,
            idle_containers: 0,
            speed: 0.0,
            ram: 0,
            free_ram: 0,
            idle_ram: 0,
            unused_image_ram: 0,
            disk: 0,
            free_disk: 0,
            idle_disk: 0,
            unused_image_disk: 0,
            queued: 0,
        }
    }
}

impl NodeView {
    /// Whether a new container of the request has room now, without any eviction.
    ///
    /// ```
    /// use hearth_policy_api::{NodeView, RequestView};
    /// let node = NodeView { free_ram: 100, idle_ram: 50, ..NodeView::default() };
    /// let request = RequestView { ram_limit: 120, ..RequestView::default() };
    /// assert!(!node.has_room(&request) && node.can_make_room(&request));
    /// ```
    pub fn has_room(&self, request: &RequestView) -> bool {
        self.free_ram >= request.ram_limit && self.free_disk >= request.disk_limit
    }

    /// Whether a new container of the request would have room once idle containers and unused images are evicted.
    pub fn can_make_room(&self, request: &RequestView) -> bool {
        self.free_ram + self.idle_ram + self.unused_image_ram >= request.ram_limit
            && self.free_disk + self.idle_disk + self.unused_image_disk >= request.disk_limit
    }
}

/// A link of the network as a policy is told of it.
///
/// A policy that keeps away from nodes behind a link that is not whole, unless they have the image:
///
/// ```
/// use hearth_policy_api::*;
///
/// struct AwayFromTrouble {
///     /// By node: the links on its way to the head that lack some of their bandwidth.
///     troubles: Vec<Vec<u32>>,
/// }
///
/// impl NodeAllocation for AwayFromTrouble {
///     fn rules(&self) -> AllocationRules {
///         AllocationRules { observes: true, ..AllocationRules::default() }
///     }
///
///     fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
///         let is_well = |node: &u32| cluster.image_on_disk.contains(*node) || self.troubles[*node as usize].is_empty();
///         cluster.free_core.iter().find(is_well).into()
///     }
///
///     fn observe_link(&mut self, link: &LinkView<'_>) {
///         for node in link.nodes.iter() {
///             let troubles = &mut self.troubles[node as usize];
///             troubles.retain(|other| *other != link.link);
///             if link.share < 1.0 {
///                 troubles.push(link.link);
///             }
///         }
///     }
/// }
///
/// let mut policy = AwayFromTrouble { troubles: vec![Vec::new(); 2] };
/// let mut behind = NodeBits::new(2);
/// behind.insert(1);
/// policy.observe_link(&LinkView { link: 7, share: 0.1, nodes: behind.view(), ..LinkView::default() });
/// assert_eq!(policy.troubles, [vec![], vec![7]]);
/// policy.observe_link(&LinkView { link: 7, share: 1.0, nodes: behind.view(), ..LinkView::default() });
/// assert_eq!(policy.troubles, [vec![], vec![]]);
/// ```
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct LinkView<'a> {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The link's number, in the order of the platform.
    pub link: u32,
    /// The part of its bandwidth that faults leave to it: 0 while it is down, 1 when it is whole, between while it is
    /// degraded. Of several faults the worst counts.
    pub share: f64,
    /// The nodes whose route to the head crosses the link, there or back.
    pub nodes: NodeSet<'a>,
}

impl Default for LinkView<'_> {
    /// Link 0 is whole, and no node is behind it.
    fn default() -> Self {
        Self { size: size_of::<Self>() as u32, link: 0, share: 1.0, nodes: NodeSet::empty() }
    }
}

/// One waiting invocation.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestView {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// Which attempt at the invocation it is, 1 for the first. Two may be under way at once, if invocations are hedged.
    pub attempt: u32,
    /// Number of the invocation, in the order of requests.
    pub invocation: u64,
    /// The function's number.
    pub function: u32,
    /// The number of the function's image, or [`NONE`].
    pub image: u32,
    /// Which task of its workflow it is, in the order of the workflow's definition; [`NONE`] if it is part of none.
    pub task: u32,
    /// The number of the workflow; [`NONE`] if it is part of none.
    pub workflow: u32,
    /// The number of the run of the workflow, in the order of requests; `u64::MAX` if it is part of none.
    pub run: u64,
    /// When the controller asked, in ns.
    pub requested_at: u64,
    /// When the service took it in, in ns.
    pub submitted_at: u64,
    /// When it ought to be done by the deadline of its function, in ns; `u64::MAX` if that has none.
    pub deadline: u64,
    /// The function's limit on execution time in ns; 0 is none.
    pub time_limit: u64,
    /// RAM that a container of the function reserves, in bytes.
    pub ram_limit: u64,
    /// Disk that a container of the function reserves, in bytes.
    pub disk_limit: u64,
    /// Time that a new container of the function takes to start, in ns.
    pub startup_overhead: u64,
    /// What names the attempt in [`Actions`](crate::Actions), as long as it is under way; no other attempt ever has it.
    pub key: u64,
}

impl Default for RequestView {
    /// The first attempt at invocation 0 of function 0, which has no image, no limits and no deadline.
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            attempt: 1,
            invocation: 0,
            function: 0,
            image: NONE,
            task: NONE,
            workflow: NONE,
            run: u64::MAX,
            requested_at: 0,
            submitted_at: 0,
            deadline: u64::MAX,
            time_limit: 0,
            ram_limit: 0,
            disk_limit: 0,
            startup_overhead: 0,
            key: 0,
        }
    }
}

/// The cluster at one decision, as left by the decisions before it in the same round. The last five sets are those
/// of the request's function and image; a function without image finds its image everywhere.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct ClusterView<'a> {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The date, in ns.
    pub now: u64,
    /// How many invocations wait, this one included.
    pub waiting: u64,
    /// All nodes, by number.
    pub nodes: Records<'a, NodeView>,
    /// Nodes that are up.
    pub up: NodeSet<'a>,
    /// Nodes that are up and have a free core.
    pub free_core: NodeSet<'a>,
    /// Nodes with an idle container of the function that no decision of this round has taken.
    pub idle_container: NodeSet<'a>,
    /// Nodes with the image in RAM.
    pub image_in_ram: NodeSet<'a>,
    /// Nodes that load the image from disk into RAM, or will by a decision of this round.
    pub image_loading: NodeSet<'a>,
    /// Nodes with the image on disk.
    pub image_on_disk: NodeSet<'a>,
    /// Nodes that the image is being copied to, or will be by a decision of this round.
    pub image_copying: NodeSet<'a>,
    /// What has come of each function, by number, without what decisions of this round will do; empty unless the rules of the
    /// policy ask for it.
    pub histories: Records<'a, FunctionHistory>,
    /// The containers of nodes, for who asks.
    pub containers: ContainersOf<'a>,
}

impl<'a> ClusterView<'a> {
    /// The containers of a node, by number, in the state in which the decisions of this round have left them: one that a decision
    /// has taken is busy, and new ones are not there yet. None of a node that is not there, or is down.
    ///
    /// The host lists them when it is asked, at a price that grows with how many there are on the node.
    ///
    /// ```
    /// use hearth_policy_api::*;
    ///
    /// /// In the container of the first node that is idle longest; in a new one where none is.
    /// struct LongestIdle;
    ///
    /// impl NodeAllocation for LongestIdle {
    ///     fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
    ///         let Some(node) = cluster.free_core.first() else { return Placement::Wait };
    ///         let of_function = |it: &&ContainerView| it.function == request.function && it.is_idle();
    ///         match cluster.containers_on(node).iter().filter(of_function).min_by_key(|it| it.since) {
    ///             Some(idle) => Placement::Warm { node, container: idle.container },
    ///             None => Placement::Cold { node },
    ///         }
    ///     }
    /// }
    ///
    /// let idle = |container, since| ContainerView { container, since, ..ContainerView::default() };
    /// let (containers, free) = (vec![vec![idle(0, 20), idle(1, 10)]], NodeBits::full(1));
    /// let containers = boundary::ContainersOf::new(&containers);
    /// let cluster = ClusterView { free_core: free.view(), containers, ..ClusterView::default() };
    /// let request = |function| RequestView { function, ..RequestView::default() };
    /// assert_eq!(LongestIdle.place(&request(0), &cluster), Placement::Warm { node: 0, container: 1 });
    /// assert_eq!(LongestIdle.place(&request(1), &cluster), Placement::Cold { node: 0 });
    /// ```
    pub fn containers_on(&self, node: u32) -> Records<'a, ContainerView> {
        self.containers.on(node)
    }

    /// What has come of a function; that of a function that nobody has asked for where the policy does not see it.
    pub fn history(&self, function: u32) -> &'a FunctionHistory {
        self.histories.get(function as usize).unwrap_or(&FunctionHistory::NONE)
    }
}

impl ClusterView<'_> {
    /// A cluster without nodes.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        now: 0,
        waiting: 0,
        nodes: Records::new(&[]),
        up: NodeSet::empty(),
        free_core: NodeSet::empty(),
        idle_container: NodeSet::empty(),
        image_in_ram: NodeSet::empty(),
        image_loading: NodeSet::empty(),
        image_on_disk: NodeSet::empty(),
        image_copying: NodeSet::empty(),
        histories: Records::new(&[]),
        containers: ContainersOf::NONE,
    };
}

impl Default for ClusterView<'_> {
    /// A cluster without nodes.
    fn default() -> Self {
        Self::EMPTY
    }
}
