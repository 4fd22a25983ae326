//! Admission: whether a request is let in.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::{ClusterView, ContainerEvent, End, RequestView, WorkflowView};

/// The service at the moment at which admission is asked.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct AdmissionView<'a> {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// How often this request was delayed before.
    pub delays: u32,
    /// The date, in ns.
    pub now: u64,
    /// Admitted invocations that have not been dispatched to a container, without this request.
    pub waiting: u64,
    /// Of these, those of the request's function.
    pub waiting_of_function: u64,
    /// Of those that wait, those that have been given a node and wait for their image there. The core that each will take is not
    /// among the free ones.
    pub placed: u64,
    /// Invocations that run: each holds a core, but for those in instances, whose cores are the instances' own.
    pub running: u64,
    /// Of these, those of the request's function.
    pub running_of_function: u64,
    /// Free cores of the nodes that are up.
    pub free_cores: u64,
    /// The nodes, as node allocation would be shown them for this request.
    pub cluster: &'a ClusterView<'a>,
}

impl Default for AdmissionView<'_> {
    /// Nobody waits or runs, and there are no nodes.
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            delays: 0,
            now: 0,
            waiting: 0,
            waiting_of_function: 0,
            placed: 0,
            running: 0,
            running_of_function: 0,
            free_cores: 0,
            cluster: &ClusterView::EMPTY,
        }
    }
}

impl AdmissionView<'_> {
    /// Whether the request need not wait for a core or for RAM or disk: a node with a free core has an idle container of the
    /// function, or room for a new one, and there are more free cores than invocations that wait for one. It may have to
    /// wait for its image.
    ///
    /// ```
    /// use hearth_policy_api::*;
    ///
    /// let nodes = [NodeView { cores: 8, free_cores: 8, ram: 100, free_ram: 100, ..NodeView::default() }];
    /// let here = NodeBits::full(1);
    /// let cluster = ClusterView { nodes: (&nodes[..]).into(), free_core: here.view(), ..ClusterView::default() };
    /// let request = |ram_limit| RequestView { ram_limit, ..RequestView::default() };
    /// let view = |waiting| AdmissionView { waiting, free_cores: 8, cluster: &cluster, ..AdmissionView::default() };
    /// assert!(view(7).has_place_for(&request(100)));
    /// assert!(!view(0).has_place_for(&request(101)), "no node has room");
    /// assert!(!view(8).has_place_for(&request(100)), "all cores are for those who wait");
    /// ```
    pub fn has_place_for(&self, request: &RequestView) -> bool {
        let cluster = self.cluster;
        let fits = |node: u32| {
            cluster.idle_container.contains(node)
                || cluster.nodes.get(node as usize).is_some_and(|view| view.can_make_room(request))
        };
        self.waiting.saturating_sub(self.placed) < self.free_cores && cluster.free_core.iter().any(fits)
    }
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdmissionDecision {
    /// It is let in.
    Admit,
    /// It is asked about again after so many ns, [`LONGEST_DELAY`] at the most.
    Delay(u64),
    /// It ends as rejected, for this reason.
    Reject(String),
}

/// The longest delay that admission may answer, in ns: of a century no simulation sees the end. A longer one ends a run with an error.
pub const LONGEST_DELAY: u64 = 3_162_240_000_000_000_000;

/// Delayed so often within a second, a request is delayed without end, and the run ends with an error: whoever waits for something
/// waits for milliseconds, and does not ask every ten microseconds.
pub const MOST_DELAYS: u32 = 100_000;

/// How the host is to ask an admission policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmissionRules {
    /// Whether to call [`Admission::on_end`].
    pub observes_ends: bool,
    /// Everybody is let in, always: the host need not ask.
    pub admits_all: bool,
    /// Whether to show what has come of each function: [`ClusterView::histories`].
    pub sees_history: bool,
    /// Whether to call [`Admission::on_container`].
    pub observes_containers: bool,
    /// Whether to call [`Admission::on_workflow`].
    pub sees_workflows: bool,
}

/// Decides which requests are let in.
///
/// ```
/// use hearth_policy_api::{Admission, AdmissionDecision, AdmissionView, RequestView};
///
/// /// Asks those who find no free core to come again in a second, but not for ever.
/// struct Patient;
///
/// impl Admission for Patient {
///     fn admit(&mut self, _request: &RequestView, view: &AdmissionView<'_>) -> AdmissionDecision {
///         match view {
///             AdmissionView { free_cores: 1.., .. } => AdmissionDecision::Admit,
///             AdmissionView { delays: 5.., .. } => AdmissionDecision::Reject("came five times for nothing".into()),
///             _ => AdmissionDecision::Delay(1_000_000_000),
///         }
///     }
/// }
/// let full = AdmissionView::default();
/// assert_eq!(Patient.admit(&RequestView::default(), &full), AdmissionDecision::Delay(1_000_000_000));
/// ```
pub trait Admission {
    /// Called once for each request when the head has processed it, and again after each delay.
    fn admit(&mut self, request: &RequestView, view: &AdmissionView<'_>) -> AdmissionDecision;

    /// How to ask this policy; read once, after construction.
    fn rules(&self) -> AdmissionRules {
        AdmissionRules::default()
    }

    /// An attempt has ended that was let in, in whatever way. Called when [`AdmissionRules::observes_ends`] is set, once for
    /// each; not for those that have not ended when the simulation does.
    fn on_end(&mut self, _end: &End) {}

    /// Something has become of a container. Called when [`AdmissionRules::observes_containers`] is set, for each change in the order in
    /// which they happen, before this policy is asked or told anything that comes after it.
    fn on_container(&mut self, _event: &ContainerEvent) {}

    /// There is a workflow. Called when [`AdmissionRules::sees_workflows`] is set, for each, as it is created: before the first of its
    /// requests.
    fn on_workflow(&mut self, _workflow: &WorkflowView<'_>) {}

    /// A timer has gone off that this policy has set by [`Actions::wake_at`](crate::Actions::wake_at). The sets of a request's
    /// function and image are empty in the view.
    fn on_timer(&mut self, _timer: u64, _cluster: &ClusterView<'_>) {}
}
