//! What crosses the boundary, without loading anything: these run under Miri.

use super::{Seat, VictimSink, Victims};
use crate::*;

/// Panics as it is told, also when it is dropped.
struct Restless {
    payload: u8,
}

/// A payload that panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("again");
    }
}

impl NodeAllocation for Restless {
    fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        match self.payload {
            0 => cluster.free_core.first().map_or(Placement::Reject("nowhere".into()), Placement::Node),
            1 => panic!("on purpose"),
            2 => std::panic::panic_any(7_u64),
            _ => std::panic::panic_any(Bomb),
        }
    }
}

/// Plans a hundred times the same.
struct Planner;

impl BatchAllocation for Planner {
    fn plan(&mut self, _batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        plan.extend((0..100).map(|request| PlanItem::Run { request, node: 0 }));
    }
}

impl Drop for Restless {
    fn drop(&mut self) {
        if self.payload > 0 {
            panic!("in the destructor, too");
        }
    }
}

fn placed(payload: u8, nodes: usize) -> Result<Placement, String> {
    placement(&mut boundary::node_allocation(Restless { payload }, &Seat::default()), nodes)
}

fn placement(policy: &mut boundary::NodeAllocationObject, nodes: usize) -> Result<Placement, String> {
    let free = NodeBits::full(nodes);
    let (views, none) = (vec![NodeView::default(); nodes], NodeSet::empty());
    let view = ClusterView {
        now: 0,
        waiting: 1,
        nodes: views.as_slice().into(),
        up: free.view(),
        free_core: free.view(),
        idle_container: none,
        image_in_ram: none,
        image_loading: none,
        image_on_disk: none,
        image_copying: none,
        ..ClusterView::default()
    };
    policy.place(&RequestView::default(), &view).map_err(|failure| failure.to_string())
}

#[test]
fn answers_cross_and_panics_become_values() {
    assert_eq!(placed(0, 70), Ok(Placement::Node(0)));
    assert_eq!(placed(0, 0), Ok(Placement::Reject("nowhere".into())));
    assert_eq!(placed(1, 1), Err("panicked: on purpose".to_owned()));
    assert_eq!(placed(2, 1), Err("panicked, without a message".to_owned()));
    assert_eq!(placed(3, 1), Err("panicked, without a message".to_owned()));
}

/// Has requests queue at so many nodes, one more each time.
struct Queuer(u32);

impl NodeAllocation for Queuer {
    fn rules(&self) -> AllocationRules {
        AllocationRules { queues: true, ..AllocationRules::default() }
    }

    fn place(&mut self, _request: &RequestView, _cluster: &ClusterView<'_>) -> Placement {
        self.0 += 1;
        Placement::Queue { nodes: (1..self.0).rev().collect(), until: 7 }
    }
}

#[test]
fn nodes_to_queue_at_cross_and_are_copied() {
    let mut policy = boundary::node_allocation(Queuer(0), &Seat::default());
    assert_eq!(policy.rules().map(|rules| (rules.queues, rules.sheds)), Ok((true, false)));
    let answers = [(); 3].map(|()| placement(&mut policy, 1));
    drop(policy);
    let expected = [vec![], vec![1], vec![2, 1]].map(|nodes| Ok(Placement::Queue { nodes: nodes.into(), until: 7 }));
    assert_eq!(answers, expected);
}

#[test]
fn a_plan_grows_on_either_side() {
    let mut policy = boundary::batch_allocation(Planner, &Seat::default());
    let (queue, none) = ([RequestView::default()], NodeSet::empty());
    let batch = BatchView {
        now: 0,
        nodes: (&[][..]).into(),
        up: none,
        queue: queue.as_slice().into(),
        functions: (&[][..]).into(),
        ..BatchView::default()
    };
    let mut plan = Vec::new();
    plan.push(PlanItem::Load { image: 1, node: 1 });
    assert_eq!(policy.plan(&batch, &mut plan), Ok(()));
    assert_eq!(plan.len(), 101);
    assert_eq!((plan[0], plan[100]), (PlanItem::Load { image: 1, node: 1 }, PlanItem::Run { request: 99, node: 0 }));
}

/// Lists the containers of a node when it is asked, once, as a host does.
struct Lists {
    nodes: Vec<std::cell::OnceCell<Vec<ContainerView>>>,
    made: std::cell::Cell<u32>,
}

impl boundary::ContainerSource for Lists {
    fn containers_on(&self, node: u32) -> &[ContainerView] {
        let Some(list) = self.nodes.get(node as usize) else { return &[] };
        list.get_or_init(|| {
            self.made.set(self.made.get() + 1);
            (0..node).map(|container| ContainerView { container, function: node, ..ContainerView::default() }).collect()
        })
    }
}

/// Looks at two nodes, back and forth, and names the last container of the second.
struct Looker;

impl NodeAllocation for Looker {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let (one, two) = (cluster.containers_on(1), cluster.containers_on(2));
        assert!(one.iter().eq(cluster.containers_on(1).iter()) && one.len() == 1 && two.len() == 2);
        assert!(cluster.containers_on(0).is_empty() && cluster.containers_on(3).is_empty());
        match two.iter().last().filter(|last| last.is_idle() && request.invocation == 0) {
            Some(last) => Placement::Warm { node: last.function, container: last.container },
            None => Placement::Cold { node: 7 },
        }
    }
}

impl BatchAllocation for Looker {
    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        let container = batch.containers_on(2).len() as u32;
        plan.push(PlanItem::RunWarm { request: 0, node: 2, container });
        plan.push(PlanItem::RunCold { request: 1, node: 3 });
    }
}

#[test]
fn containers_are_listed_for_who_asks_and_stay_during_the_call() {
    let lists = Lists { nodes: vec![std::cell::OnceCell::new(); 3], made: std::cell::Cell::new(0) };
    let containers = boundary::ContainersOf::new(&lists);
    let cluster = ClusterView { containers, ..ClusterView::default() };
    let mut indifferent = boundary::node_allocation(Restless { payload: 0 }, &Seat::default());
    assert_eq!(indifferent.place(&RequestView::default(), &cluster), Ok(Placement::Reject("nowhere".into())));
    assert_eq!(lists.made.get(), 0, "who does not ask has none listed");
    let mut looker = boundary::node_allocation(Looker, &Seat::default());
    let warm = looker.place(&RequestView::default(), &cluster);
    assert_eq!(warm, Ok(Placement::Warm { node: 2, container: 1 }));
    let cold = looker.place(&RequestView { invocation: 1, ..RequestView::default() }, &cluster);
    assert_eq!((cold, lists.made.get()), (Ok(Placement::Cold { node: 7 }), 3));
    let mut planner = boundary::batch_allocation(Looker, &Seat::default());
    let (batch, mut plan) = (BatchView { containers, ..BatchView::default() }, Vec::new());
    assert_eq!(planner.plan(&batch, &mut plan), Ok(()));
    let cold = PlanItem::RunCold { request: 1, node: 3 };
    assert_eq!(plan, [PlanItem::RunWarm { request: 0, node: 2, container: 2 }, cold]);
    assert!(ClusterView::default().containers_on(0).is_empty() && BatchView::default().containers_on(0).is_empty());
}

/// Rejects with what it has heard of links.
#[derive(Default)]
struct Hearer(Vec<(u32, f64, Vec<u32>)>);

impl NodeAllocation for Hearer {
    fn place(&mut self, _request: &RequestView, _cluster: &ClusterView<'_>) -> Placement {
        Placement::Reject(format!("{:?}", self.0))
    }

    fn observe_link(&mut self, link: &LinkView<'_>) {
        self.0.push((link.link, link.share, link.nodes.iter().collect()));
    }
}

#[test]
fn links_cross_with_their_nodes_to_those_that_listen() {
    let mut behind = NodeBits::new(100);
    [3, 64].into_iter().for_each(|node| behind.insert(node));
    let link = LinkView { link: 7, share: 0.25, nodes: behind.view(), ..LinkView::default() };
    let mut policy = boundary::node_allocation(Hearer::default(), &Seat::default());
    assert_eq!(policy.observe_link(&link), Ok(()));
    let heard = placement(&mut policy, 1);
    assert_eq!(heard, Ok(Placement::Reject("[(7, 0.25, [3, 64])]".into())));
    let mut deaf = boundary::node_allocation(Restless { payload: 0 }, &Seat::default());
    assert_eq!(deaf.observe_link(&link), Ok(()));
}

/// Offers what was inserted; hears of containers in use.
#[derive(Default)]
struct Everything(Vec<u32>);

impl Eviction for Everything {
    fn insert(&mut self, item: &EvictionItem) {
        self.0.push(item.id);
    }

    fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}

    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        self.0.retain(|other| *other != id);
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        let _ = self.0.iter().find(|id| victims.offer(**id) == Offer::Enough);
    }

    fn rules(&self) -> EvictionRules {
        EvictionRules { observes_containers: true, ..EvictionRules::default() }
    }

    fn created(&mut self, container: &EvictionItem, creation: Creation) {
        assert!(creation == Creation::Invocation, "container {} is made for nobody", container.id);
    }

    fn ended(&mut self, id: u32, _now: u64) {
        assert!(!self.0.contains(&id), "container {id} was idle");
    }
}

struct Taker<'a>(&'a mut Vec<u32>);

impl VictimSink for Taker<'_> {
    fn offer(&mut self, id: u32) -> Offer {
        self.0.push(id);
        if self.0.len() == 2 { Offer::Enough } else { Offer::Accepted }
    }
}

#[test]
fn victims_are_offered_to_a_borrowed_sink() {
    let mut policy = boundary::eviction(Everything::default(), &Seat::default());
    for id in 0..4 {
        let item = EvictionItem {
            id,
            function: 0,
            ram: 1,
            disk: 1,
            cost: 0,
            since: 0,
            expires: u64::MAX,
            ..EvictionItem::default()
        };
        assert_eq!(policy.insert(&item), Ok(()));
    }
    assert_eq!(policy.remove(1, Removal::Taken, 7), Ok(()));
    assert_eq!(policy.rules().map(|rules| rules.observes_containers), Ok(true));
    let container = EvictionItem {
        id: 9,
        function: 0,
        ram: 1,
        disk: 1,
        cost: 0,
        since: 0,
        expires: u64::MAX,
        ..EvictionItem::default()
    };
    assert_eq!(policy.created(&container, Creation::Invocation), Ok(()));
    assert_eq!(policy.ended(9, 8), Ok(()));
    let failure = |called: boundary::Called<()>| called.map_err(|failure| failure.to_string());
    let made = policy.created(&container, Creation::Prewarming);
    assert_eq!(failure(made), Err("panicked: container 9 is made for nobody".to_owned()));
    assert_eq!(failure(policy.ended(0, 9)), Err("panicked: container 0 was idle".to_owned()));
    let mut taken = Vec::new();
    let mut sink = Taker(&mut taken);
    let chosen = policy.choose(&Need { now: 0, ram: 2, disk: 0, ..Need::default() }, &mut Victims::new(&mut sink));
    assert_eq!((chosen, taken), (Ok(()), vec![0, 2]));
}

thread_local! {
    /// The way to a host that a policy has put aside.
    static KEPT: std::cell::RefCell<Option<Actions>> = const { std::cell::RefCell::new(None) };
}

/// Keeps its parameters, and puts its way to the host where it outlives the policy.
struct Hoarder(Settings);

parameters! {
    #[derive(Debug)]
    struct Settings {
        /// a file
        path: text = "default.txt";
        /// one of two
        word: word("one", "two") = "two";
        /// how many
        count: integer(1..=9) = 3;
    }
}

impl Policy for Hoarder {
    const NAME: &'static str = "hoarder";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "keeps what it gets";
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        if settings.count == 9 {
            return Err(PolicyError::new("nine are too many"));
        }
        let actions = context.actions();
        actions.wake_at(7, 100);
        KEPT.set(Some(actions.clone()));
        Ok(Self(settings))
    }
}

impl Admission for Hoarder {
    fn admit(&mut self, _request: &RequestView, _view: &AdmissionView<'_>) -> AdmissionDecision {
        AdmissionDecision::Reject(format!("{} {} {}", self.0.path, self.0.word, self.0.count))
    }
}

#[test]
fn parameters_cross_and_a_way_to_the_host_outlives_its_instance() {
    let policy = PolicyDescriptor::admission::<Hoarder>();
    let mut parameters = Parameters::defaults(&policy.parameters());
    parameters.set("path", ParameterValue::Text("trace.csv".to_owned())).unwrap();
    let orders = std::rc::Rc::<boundary::Orders>::default();
    let context = PolicyContext { slot: PolicySlot::Admission, ..PolicyContext::default() };
    let make = |parameters: &Parameters| -> boundary::Called<boundary::AdmissionObject> {
        policy.make(parameters, &Seat::new(&context, &orders))
    };
    let mut made = make(&parameters).unwrap();
    let decision = made.admit(&RequestView::default(), &AdmissionView::default()).unwrap();
    assert_eq!(decision, AdmissionDecision::Reject("trace.csv two 3".to_owned()));
    drop(made);
    let kept = KEPT.take().unwrap();
    kept.start_containers(1, NONE, 2, 3);
    kept.take_back(1 << 40);
    kept.hedge(5);
    kept.set_rank(6, 7);
    let ordered: Vec<boundary::Order> = orders.take().into_iter().map(|ordered| ordered.order).collect();
    let started = boundary::Order::StartContainers { function: 1, node: NONE, count: 2, keep_for: 3 };
    let taken_back = boundary::Order::TakeBack { key: 1 << 40 };
    let of_requests = [boundary::Order::Hedge { key: 5 }, boundary::Order::SetRank { key: 6, rank: 7 }];
    assert_eq!(ordered[..3], [boundary::Order::WakeAt { timer: 7, date: 100 }, started, taken_back]);
    assert_eq!(ordered[3..], of_requests);
    parameters.set("count", ParameterValue::Integer(9)).unwrap();
    assert_eq!(make(&parameters).unwrap_err().cause, "nine are too many");
    // A context that nobody has seated has a host that hears nothing, also through the table of another.
    let alone = PolicyContext::default().actions();
    alone.wake_at(0, 0);
    let seat = Seat::new(&context, &orders);
    PolicyContext { host: seat.context().host, ..PolicyContext::default() }.actions().wake_at(0, 0);
    assert!(!orders.are_there());
}

/// Wants what its payload says, and panics with 1.
struct Scaler(u32);

impl Autoscaling for Scaler {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: 7, asked_on_requests: self.0 > 2, observes_containers: true, scales_pools: true }
    }

    fn scale(&mut self, view: &ScaleView) -> Scale {
        assert!(self.0 != 1, "on purpose");
        Scale { wanted: self.0 + view.running as u32 }
    }

    fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> PoolScale {
        assert!(self.0 != 1, "on purpose");
        let remove = pool.nodes.iter().filter(|node| node.state == NodeState::Up).map(|node| node.node).collect();
        PoolScale { boot: pool.count(NodeState::Off) * self.0, remove }
    }
}

#[test]
fn autoscaling_crosses_with_its_period_and_its_rules() {
    let mut policy = boundary::autoscaling(Scaler(3), &Seat::default());
    let rules = AutoscalingRules { period: 7, asked_on_requests: true, observes_containers: true, scales_pools: true };
    assert_eq!(policy.rules(), Ok(rules));
    assert_eq!(
        boundary::autoscaling(Scaler(2), &Seat::default()).rules(),
        Ok(AutoscalingRules { asked_on_requests: false, ..rules })
    );
    assert_eq!(policy.scale(&ScaleView { running: 4, ..ScaleView::default() }), Ok(Scale { wanted: 7 }));
    let failed = boundary::autoscaling(Scaler(1), &Seat::default()).scale(&ScaleView::default());
    assert_eq!(failed.unwrap_err().cause, "panicked: on purpose");
}

#[test]
fn what_becomes_of_pools_crosses_with_all_the_nodes_that_go() {
    let node = |number| {
        let state = if number % 2 == 0 { NodeState::Up } else { NodeState::Off };
        PoolNodeView { node: number, state, ..PoolNodeView::default() }
    };
    let nodes: Vec<PoolNodeView> = (0..9).map(node).collect();
    let pool = NodePoolView { nodes: Records::new(&nodes), ..NodePoolView::default() };
    let mut policy = boundary::autoscaling(Scaler(3), &Seat::default());
    assert_eq!(policy.scale_pool(&pool), Ok(PoolScale { boot: 12, remove: [0, 2, 4, 6, 8].into() }));
    assert_eq!(policy.scale_pool(&NodePoolView::default()), Ok(PoolScale::default()));
    let failed = boundary::autoscaling(Scaler(1), &Seat::default()).scale_pool(&pool);
    assert_eq!(failed.unwrap_err().cause, "panicked: on purpose");
}

#[test]
fn a_controller_may_be_of_all_kinds_but_eviction() {
    struct All;
    impl Policy for All {
        const NAME: &'static str = "all";
        const VERSION: &'static str = "1.0.0";
        const DESCRIPTION: &'static str = "everything";
        type Parameters = ();
        fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
            Ok(Self)
        }
    }
    impl KeepAlive for All {
        fn on_idle(&mut self, _completion: &Completion<'_>) -> Retention {
            Retention { keep_for: 0 }
        }
    }
    impl Autoscaling for All {
        fn scale(&mut self, _view: &ScaleView) -> Scale {
            Scale { wanted: 5 }
        }
    }
    const POLICY: PolicyDescriptor = controller!(All: keep_alive, autoscaling);
    assert_eq!(POLICY.kinds().collect::<Vec<_>>(), [PolicyKind::KeepAlive, PolicyKind::Autoscaling]);
    let instance = POLICY.make_instance(&Parameters::defaults(&[]), &Seat::default()).unwrap();
    let mut scaler: boundary::AutoscalingObject = instance.role().unwrap();
    assert_eq!(scaler.rules(), Ok(AutoscalingRules::default()), "every two seconds");
    assert_eq!(scaler.scale(&ScaleView::default()), Ok(Scale { wanted: 5 }));
}
