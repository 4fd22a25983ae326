//! Node allocation: on which node an invocation runs.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::containers::ContainersOf;
use crate::{
    ClusterView, ContainerEvent, ContainerView, CopyView, DelayedStart, End, FunctionHistory, LinkView, NONE, NodeList,
    NodeSet, NodeView, QueueView, Records, RequestView, Shed, Slice, WorkflowView,
};

/// The answer to "where does this invocation run?".
#[derive(Clone, Debug, PartialEq)]
pub enum Placement {
    /// On this node; what is missing there (copy of the image, load, container) the host sees to.
    Node(u32),
    /// Nowhere now; ask again when something has changed. Later requests of the same function are not asked for in
    /// this round, since a round only takes resources away.
    Wait,
    /// Never: the invocation ends as rejected, for this reason.
    Reject(String),
    /// In the next container of its function that becomes free, a *delayed warm start*: it leaves the queue and waits for
    /// one that is in use now. Of several who wait for the containers of a function, the one that stands first in the queue
    /// is first. The container comes with its core, before anybody in the queue is asked about, and is not ended in between,
    /// whatever keep-alive says; [`NodeAllocation::on_delayed_start`] tells of it.
    ///
    /// It is back in the queue at its old place, to be asked about again, at the date `until`, and at once when no container
    /// of the function is in use any more where it waits, because they crashed or were lost with their node, or when the
    /// node that is named goes down. Where none is in use as it begins to wait, it waits for the first that will be. For
    /// answers that bind ([`Commitment::UntilStarted`]) alone.
    Busy {
        /// The node, which need not have a free core, and must be up; [`NONE`] for any node.
        node: u32,
        /// Until when it waits, in ns; `u64::MAX` sets no date. A date that has passed is the next nanosecond.
        until: u64,
    },
    /// In the queues of these nodes (*early binding*): it leaves the queue of the head and stands in that of each of them, at the
    /// place that its turn in the queue gives it. A core of such a node that is free goes to the first in the queue of the node,
    /// before anybody in the queue of the head is asked about; who stands in several leaves the others then (*late binding*:
    /// Ousterhout et al., "Sparrow", SOSP 2013). It starts there as if [`Placement::Node`] had been answered, and
    /// [`NodeAllocation::on_delayed_start`] tells of it. Of several nodes that have a core for it as it comes, the one that is
    /// named first takes it. Who cannot start for want of RAM or disk keeps its place, and those behind it wait.
    ///
    /// It is back in the queue of the head at its old place, to be asked about again, at the date `until`, when all these nodes
    /// have gone down (one that goes down only drops out), and when [`Actions::take_back`](crate::Actions::take_back) takes it
    /// back. For answers that bind ([`Commitment::UntilStarted`]) alone.
    Queue {
        /// The nodes, of which there is at least one, each once. They must be up, and need not have a free core.
        nodes: NodeList,
        /// Until when it stands there, in ns; `u64::MAX` sets no date. A date that has passed is the next nanosecond.
        until: u64,
    },
    /// In this idle container of its function: as [`Placement::Node`], but for which container it takes. One that is not idle, is
    /// of another function, or was taken by a decision of this round is an error that ends the simulation, with the container named.
    Warm {
        /// The node.
        node: u32,
        /// The container, by its number within the node ([`ContainerView::container`]).
        container: u32,
    },
    /// In a new container, though there may be an idle one of its function: as [`Placement::Node`] where there is none. Room is made
    /// as for any cold start, of its own function's idle containers too. One that waits for its image on the node
    /// ([`Commitment::UntilStarted`]) starts in a new container as well.
    Cold {
        /// The node.
        node: u32,
    },
}

impl Placement {
    /// In the next container of its function that becomes free, on whatever node, until a date in ns.
    ///
    /// ```
    /// use hearth_policy_api::{NONE, Placement};
    /// assert_eq!(Placement::busy_anywhere(7), Placement::Busy { node: NONE, until: 7 });
    /// ```
    pub const fn busy_anywhere(until: u64) -> Self {
        Self::Busy { node: NONE, until }
    }

    /// In the queue of a node, until it has a core for it.
    ///
    /// ```
    /// use hearth_policy_api::Placement;
    /// assert_eq!(Placement::queue_at(3), Placement::Queue { nodes: [3].into(), until: u64::MAX });
    /// ```
    pub const fn queue_at(node: u32) -> Self {
        Self::Queue { nodes: NodeList::one(node), until: u64::MAX }
    }
}

impl From<Option<u32>> for Placement {
    /// A node, if there is one that suits; [`Placement::Wait`] otherwise.
    ///
    /// ```
    /// use hearth_policy_api::{NodeBits, Placement};
    /// let mut free = NodeBits::new(4);
    /// assert_eq!(Placement::from(free.view().first()), Placement::Wait);
    /// free.insert(2);
    /// assert_eq!(Placement::from(free.view().first()), Placement::Node(2));
    /// ```
    fn from(node: Option<u32>) -> Self {
        node.map_or(Self::Wait, Self::Node)
    }
}

/// How long a placement holds while the image is still on its way to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commitment {
    /// The invocation stays with its node, a core reserved, until it starts there (or cannot, and is placed anew).
    UntilStarted,
    /// Every round decides anew for everything that has not started (the timing model, section 5).
    PerRound,
}

/// How the host is to ask a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationRules {
    /// Whether an answer binds.
    pub commitment: Commitment,
    /// Whether to call [`NodeAllocation::observe`] for changed nodes and [`NodeAllocation::observe_link`] for changed
    /// links.
    pub observes: bool,
    /// Whether to call [`NodeAllocation::on_end`] and [`NodeAllocation::on_delayed_start`].
    pub observes_ends: bool,
    /// Whether to call [`NodeAllocation::rank`]. Without it everybody has rank 0.
    pub ranks: bool,
    /// Whether [`NodeAllocation::place`] answers by nothing but the sets of nodes in its view: not by what the nodes have, nor
    /// by the date, how many wait, what it remembers or draws, or whose request of a function it is. The host need not ask again
    /// then while these sets are the same, which a policy that decides anew in every round is asked most of the time.
    pub answers_hold: bool,
    /// Whether to show what has come of each function: [`ClusterView::histories`], [`BatchView::histories`].
    pub sees_history: bool,
    /// Whether to call [`NodeAllocation::shed`].
    pub sheds: bool,
    /// Whether to call [`NodeAllocation::on_container`].
    pub observes_containers: bool,
    /// Whether it may call [`Actions::hedge`](crate::Actions::hedge): attempts are then counted and written one by one.
    pub hedges: bool,
    /// Whether to call [`NodeAllocation::on_workflow`].
    pub sees_workflows: bool,
    /// Whether to call [`NodeAllocation::source`]. Images are copied from the head otherwise.
    pub chooses_sources: bool,
    /// Whether to call [`NodeAllocation::place`] also while no node has a free core, as a policy needs it that answers
    /// [`Placement::Queue`].
    pub queues: bool,
}

impl Default for AllocationRules {
    /// Answers bind; nothing is told, and nobody ranked.
    fn default() -> Self {
        Self {
            commitment: Commitment::UntilStarted,
            observes: false,
            observes_ends: false,
            ranks: false,
            answers_hold: false,
            sees_history: false,
            sheds: false,
            observes_containers: false,
            hedges: false,
            sees_workflows: false,
            chooses_sources: false,
            queues: false,
        }
    }
}

/// Decides where invocations run.
///
/// The host asks in *rounds*: after each message that the head handles, while some node has a free core (or always, with
/// [`AllocationRules::queues`]) and somebody waits, in the order of submission. Each answer takes a core of its node for the rest of the round. Naming a node
/// that is down, has no free core or does not exist is an error that ends the simulation, with the policy named.
pub trait NodeAllocation {
    /// How to ask this policy; read once, after construction.
    fn rules(&self) -> AllocationRules {
        AllocationRules::default()
    }

    /// Where `request` runs. Only nodes in [`ClusterView::free_core`] may be answered; to wait for, or to queue at, any that is up.
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement;

    /// Whether one of those who wait is rejected. Called when [`AllocationRules::sheds`] is set: after each message that the head
    /// handles while somebody waits in the queue, before anybody is placed and whether a core is free or not, and again after
    /// each one that it names. A request that finds nobody before it is asked about first.
    ///
    /// ```
    /// use hearth_policy_api::*;
    ///
    /// /// Nobody waits longer than a second.
    /// struct Impatient;
    ///
    /// impl NodeAllocation for Impatient {
    ///     fn rules(&self) -> AllocationRules {
    ///         AllocationRules { sheds: true, ..AllocationRules::default() }
    ///     }
    ///
    ///     fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
    ///         cluster.free_core.first().into()
    ///     }
    ///
    ///     fn shed(&mut self, queue: &QueueView<'_>) -> Option<Shed> {
    ///         let has_waited = |request: &RequestView| queue.now - request.submitted_at > 1_000_000_000;
    ///         let head = queue.heads.iter().position(has_waited)?;
    ///         Some(Shed { head: head as u32, reason: "has waited for a second".into() })
    ///     }
    /// }
    ///
    /// let heads = [2, 0].map(|submitted_at| RequestView { submitted_at, ..RequestView::default() });
    /// let queue = QueueView { now: 1_000_000_001, heads: Records::new(&heads), ..QueueView::default() };
    /// assert_eq!(Impatient.shed(&queue).map(|shed| shed.head), Some(1));
    /// ```
    fn shed(&mut self, _queue: &QueueView<'_>) -> Option<Shed> {
        None
    }

    /// The rank of a request in the queue, asked once when it enters, before it is placed for the first time: lower ranks come
    /// first, and of one rank the request that entered first. Called when [`AllocationRules::ranks`] is set.
    fn rank(&mut self, _request: &RequestView, _now: u64) -> u64 {
        0
    }

    /// A node has changed (cores, RAM, disk, its queue) since the last decision. Called before the next decision when
    /// [`AllocationRules::observes`] is set, once for each changed node, and at the date at which a fault begins or ends.
    fn observe(&mut self, _node: u32, _view: &NodeView, _up: bool) {}

    /// An attempt has ended that was let in, in whatever way, or is back in the queue ([`crate::Ending::Requeued`]). Called
    /// when [`AllocationRules::observes_ends`] is set, once for each end; not for those that have not ended when the
    /// simulation does.
    ///
    /// With [`Commitment::UntilStarted`] each answer [`Placement::Node`], [`Placement::Warm`] or [`Placement::Cold`] has one such call that names the node, so that answers less calls are those that have a core there, or wait there for their image. (With
    /// a `backfilling` other than `unlimited` that holds for answers from [`ClusterView::free_core`]: another one is
    /// carried out on the first node of that set.) With [`Commitment::PerRound`] an answer is one for its round alone,
    /// and who is asked about again has no place. An answer [`Placement::Busy`] or [`Placement::Queue`]
    /// counts once [`NodeAllocation::on_delayed_start`] is called, which names the node; until then such a call names none.
    fn on_end(&mut self, _end: &End) {}

    /// An attempt that waited for a busy container ([`Placement::Busy`]) has got one, or one that stood in the queues of nodes
    /// ([`Placement::Queue`]) has got a core of one of them, as if [`Placement::Node`] had been answered.
    /// Called when [`AllocationRules::observes_ends`] is set.
    fn on_delayed_start(&mut self, _start: &DelayedStart) {}

    /// A link has gone down or come back, or its bandwidth has become another, since the last decision. Called before
    /// the next decision when [`AllocationRules::observes`] is set, after [`NodeAllocation::observe`], once for each
    /// changed link in the order of their numbers, with what holds by then. Links are whole until a policy is told
    /// otherwise.
    fn observe_link(&mut self, _link: &LinkView<'_>) {}

    /// Something has become of a container. Called when [`AllocationRules::observes_containers`] is set, for each change in the order in
    /// which they happen, before this policy is asked or told anything that comes after it.
    fn on_container(&mut self, _event: &ContainerEvent) {}

    /// From which node an image is copied to another one: one of [`CopyView::holders`], or [`NONE`] for the head. Called when
    /// [`AllocationRules::chooses_sources`] is set, each time a copy begins while a node has the image.
    fn source(&mut self, _copy: &CopyView<'_>) -> u32 {
        NONE
    }

    /// There is a workflow. Called when [`AllocationRules::sees_workflows`] is set, for each, as it is created: before the first of its
    /// requests.
    fn on_workflow(&mut self, _workflow: &WorkflowView<'_>) {}

    /// A timer has gone off that this policy has set by [`Actions::wake_at`](crate::Actions::wake_at). The sets of a request's
    /// function and image are empty in the view.
    fn on_timer(&mut self, _timer: u64, _cluster: &ClusterView<'_>) {}
}

/// Decides about the whole queue at once, in every round.
///
/// ```
/// use hearth_policy_api::*;
///
/// /// Gives one request to each node.
/// struct OneEach;
///
/// impl BatchAllocation for OneEach {
///     fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
///         let requests = 0..batch.queue.len() as u32;
///         plan.extend(requests.zip(batch.up.iter()).map(|(request, node)| PlanItem::Run { request, node }));
///     }
/// }
/// ```
pub trait BatchAllocation {
    /// How to tell this policy; read once, after construction. Nobody is ranked, and answers do not hold.
    fn rules(&self) -> AllocationRules {
        AllocationRules::default()
    }

    /// Fills `plan`, which is empty, with decisions in the order in which they count.
    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>);

    /// As [`NodeAllocation::observe`].
    fn observe(&mut self, _node: u32, _view: &NodeView, _up: bool) {}

    /// As [`NodeAllocation::on_end`]; what is planned is one for its round alone, if the policy decides anew in every round.
    fn on_end(&mut self, _end: &End) {}

    /// As [`NodeAllocation::observe_link`].
    fn observe_link(&mut self, _link: &LinkView<'_>) {}

    /// As [`NodeAllocation::on_container`].
    fn on_container(&mut self, _event: &ContainerEvent) {}

    /// As [`NodeAllocation::source`].
    fn source(&mut self, _copy: &CopyView<'_>) -> u32 {
        NONE
    }

    /// As [`NodeAllocation::on_workflow`].
    fn on_workflow(&mut self, _workflow: &WorkflowView<'_>) {}

    /// A timer has gone off that this policy has set by [`Actions::wake_at`](crate::Actions::wake_at). The sets of a request's
    /// function and image are empty in the view.
    fn on_timer(&mut self, _timer: u64, _cluster: &ClusterView<'_>) {}
}

/// A function with waiting invocations, in a [`BatchView`].
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct FunctionView<'a> {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The function's number.
    pub function: u32,
    /// The number of its image, or [`crate::NONE`].
    pub image: u32,
    /// Limit on execution time in ns; 0 is none.
    pub time_limit: u64,
    /// RAM that a container reserves, in bytes.
    pub ram_limit: u64,
    /// Disk that a container reserves, in bytes.
    pub disk_limit: u64,
    /// Idle containers of the function, by node.
    pub idle_containers: Slice<'a, u32>,
    /// Nodes with the image in RAM.
    pub image_in_ram: NodeSet<'a>,
    /// Nodes that load the image into RAM.
    pub image_loading: NodeSet<'a>,
    /// Nodes with the image on disk.
    pub image_on_disk: NodeSet<'a>,
    /// Nodes that the image is being copied to.
    pub image_copying: NodeSet<'a>,
}

impl Default for FunctionView<'_> {
    /// Function 0, without an image, limits or containers.
    fn default() -> Self {
        let none = NodeSet::empty();
        Self {
            size: size_of::<Self>() as u32,
            function: 0,
            image: NONE,
            time_limit: 0,
            ram_limit: 0,
            disk_limit: 0,
            idle_containers: Slice::new(&[]),
            image_in_ram: none,
            image_loading: none,
            image_on_disk: none,
            image_copying: none,
        }
    }
}

/// The cluster and the whole queue at the start of a round.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct BatchView<'a> {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The date, in ns.
    pub now: u64,
    /// All nodes, by number.
    pub nodes: Records<'a, NodeView>,
    /// Nodes that are up.
    pub up: NodeSet<'a>,
    /// The waiting requests in the order of submission.
    pub queue: Records<'a, RequestView>,
    /// The functions of the waiting requests, by ascending number.
    pub functions: Records<'a, FunctionView<'a>>,
    /// What has come of each function there is, by number; empty unless the rules of the policy ask for it.
    pub histories: Records<'a, FunctionHistory>,
    /// The containers of nodes, for who asks.
    pub containers: ContainersOf<'a>,
}

impl<'a> BatchView<'a> {
    /// The containers of a node, by number, as [`ClusterView::containers_on`].
    pub fn containers_on(&self, node: u32) -> Records<'a, ContainerView> {
        self.containers.on(node)
    }
}

impl Default for BatchView<'_> {
    /// No nodes, and nobody who waits.
    fn default() -> Self {
        let size = size_of::<Self>() as u32;
        let (nodes, queue, functions) = (Records::new(&[]), Records::new(&[]), Records::new(&[]));
        let (histories, containers) = (Records::new(&[]), ContainersOf::NONE);
        Self { size, now: 0, nodes, up: NodeSet::empty(), queue, functions, histories, containers }
    }
}

/// One decision of a batch. Requests are named by their position in [`BatchView::queue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanItem {
    /// The request goes to the node, in the state in which the items before left it: into an idle container, a new
    /// one, or waiting for a load or copy of its image, which is begun where need be (the timing model, section 5).
    Run {
        /// Position in the queue.
        request: u32,
        /// The node, which need not have a free core: without one only the image is seen to.
        node: u32,
    },
    /// As [`PlanItem::Run`], in this idle container of the request's function ([`Placement::Warm`]).
    RunWarm {
        /// Position in the queue.
        request: u32,
        /// The node; without a free core there nothing comes of it.
        node: u32,
        /// The container, by its number within the node.
        container: u32,
    },
    /// As [`PlanItem::Run`], in a new container ([`Placement::Cold`]).
    RunCold {
        /// Position in the queue.
        request: u32,
        /// The node, as for [`PlanItem::Run`].
        node: u32,
    },
    /// Begin to load an image that is on the node's disk into its RAM.
    Load {
        /// The image.
        image: u32,
        /// The node.
        node: u32,
    },
    /// Begin to copy an image from the head to the node's disk.
    Copy {
        /// The image.
        image: u32,
        /// The node.
        node: u32,
    },
}
