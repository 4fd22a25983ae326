//! Admission: whether a request is let in.

use abi_stable::StableAbi;
use abi_stable::std_types::RString;

use crate::{ClusterView, Completion, RequestView};

/// The load at a moment, as admission sees it.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmissionView {
    /// The date, in ns.
    pub now: u64,
    /// Admitted invocations that have not been dispatched to a container, without this request.
    pub waiting: u64,
    /// Of these, those of the request's function.
    pub waiting_of_function: u64,
    /// Invocations that hold a core.
    pub running: u64,
    /// Of these, those of the request's function.
    pub running_of_function: u64,
    /// Free cores of the nodes that are up.
    pub free_cores: u64,
    /// How often this request was delayed before.
    pub delays: u32,
}

/// Where a request could go at the moment when admission is asked about it.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct PlacesView<'a> {
    /// Of [`AdmissionView::waiting`], those that have been given a node and wait for their image there. The core that each
    /// will take is not among the free ones.
    pub placed: u64,
    /// The nodes, as node allocation would be shown them for this request.
    pub cluster: ClusterView<'a>,
}

impl PlacesView<'_> {
    /// Whether the request need not wait for a core or for RAM or disk: a node with a free core has an idle container of the
    /// function, or room for a new one, and there are more free cores than invocations that wait for one. It may have to
    /// wait for its image.
    ///
    /// ```
    /// use hearth_policy_api::*;
    ///
    /// let nodes = [NodeView { cores: 8, free_cores: 8, ram: 100, free_ram: 100, ..NodeView::default() }];
    /// let (here, nowhere) = (NodeBits::full(1), NodeSet::empty());
    /// let cluster = ClusterView {
    ///     now: 0,
    ///     waiting: 1,
    ///     nodes: (&nodes[..]).into(),
    ///     up: here.view(),
    ///     free_core: here.view(),
    ///     idle_container: nowhere,
    ///     image_in_ram: here.view(),
    ///     image_loading: nowhere,
    ///     image_on_disk: here.view(),
    ///     image_copying: nowhere,
    /// };
    /// let places = PlacesView { placed: 0, cluster };
    /// let request = |ram_limit| RequestView { ram_limit, ..RequestView::default() };
    /// let load = |waiting| AdmissionView { waiting, free_cores: 8, ..AdmissionView::default() };
    /// assert!(places.has_place_for(&request(100), &load(7)));
    /// assert!(!places.has_place_for(&request(101), &load(0)), "no node has room");
    /// assert!(!places.has_place_for(&request(100), &load(8)), "all cores are for those who wait");
    /// ```
    pub fn has_place_for(&self, request: &RequestView, load: &AdmissionView) -> bool {
        let Self { placed, cluster } = self;
        let fits = |node: u32| {
            cluster.idle_container.contains(node)
                || cluster.nodes.get(node as usize).is_some_and(|view| view.can_make_room(request))
        };
        load.waiting.saturating_sub(*placed) < load.free_cores && cluster.free_core.iter().any(fits)
    }
}

/// What happens to a request.
#[repr(u8)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq)]
pub enum AdmissionDecision {
    /// It is let in.
    Admit,
    /// It is asked about again after so many ns.
    Delay(u64),
    /// It ends as rejected, for this reason.
    Reject(RString),
}

/// How the host is to ask an admission policy.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmissionRules {
    /// Whether to call [`Admission::on_completion`].
    pub observes_completions: bool,
    /// Everybody is let in, always: the host need not ask.
    pub admits_all: bool,
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
///     fn admit(&mut self, _request: &RequestView, load: &AdmissionView) -> AdmissionDecision {
///         match load {
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
    fn admit(&mut self, request: &RequestView, load: &AdmissionView) -> AdmissionDecision;

    /// How to ask this policy; read once, after construction.
    fn rules(&self) -> AdmissionRules {
        AdmissionRules::default()
    }

    /// An invocation has run to its end. Called when [`AdmissionRules::observes_completions`] is set.
    fn on_completion(&mut self, _completion: &Completion) {}

    /// [`Admission::admit`] with a view of the nodes. This is what the host calls; without an implementation it asks
    /// `admit`.
    fn admit_with_places(
        &mut self,
        request: &RequestView,
        load: &AdmissionView,
        _places: &PlacesView<'_>,
    ) -> AdmissionDecision {
        self.admit(request, load)
    }
}
