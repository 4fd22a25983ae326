//! Policies around others, which pass on what they are asked and told, and write down what is answered.

use hearth_policy_api::boundary::{
    self, AdmissionObject, AutoscalingObject, Called, EvictionObject, KeepAliveObject, NodeAllocationObject, Seat,
    VictimSink, Victims,
};
use hearth_policy_api::{
    Admission, AdmissionDecision, AdmissionRules, AdmissionView, AllocationRules, Autoscaling, AutoscalingRules,
    BatchAllocation, BatchView, ClusterView, Completion, ContainerEvent, CopyView, Creation, DelayedStart, End,
    Eviction, EvictionItem, EvictionRules, KeepAlive, KeepAliveRules, LinkView, NONE, Need, NodeAllocation,
    NodePoolView, NodeView, Offer, Placement, PlanItem, PolicySlot, PoolScale, Prewarming, QueueView, Removal,
    RequestView, Retention, Scale, ScaleView, Shed, Touch, WorkflowView,
};

use super::{CallAnswer, CallView, Noted, Predecessors, SharedCalls};

/// A kind of policy that can be wrapped so.
pub(crate) trait Seeing: Sized + 'static {
    /// One that passes everything on.
    fn seen(object: Self, seat: &Seat, calls: SharedCalls, predecessors: Predecessors) -> Self;
}

/// A policy, and what is known of it.
struct Around<O, R> {
    object: O,
    /// What it wants to hear; what is wrong if it cannot say.
    rules: Called<R>,
    slot: PolicySlot,
    storage: Option<u32>,
    calls: SharedCalls,
    predecessors: Predecessors,
}

impl<O, R> Around<O, R> {
    fn new(object: O, rules: Called<R>, seat: &Seat, calls: SharedCalls, predecessors: Predecessors) -> Self {
        let context = seat.context();
        let storage = (context.node != NONE).then_some(context.node);
        Self { object, rules, slot: context.slot, storage, calls, predecessors }
    }

    fn note(&self, noted: Noted<'_>) {
        self.calls.note(self.slot, self.storage, noted);
    }
}

impl<O, R: Copy> Around<O, R> {
    /// What it wants to hear.
    fn rules_of(&self) -> R {
        match &self.rules {
            Ok(rules) => *rules,
            Err(failure) => boundary::fail(failure.cause.clone()),
        }
    }

    fn wants(&self, what: impl FnOnce(&R) -> bool) -> bool {
        self.rules.as_ref().is_ok_and(what)
    }
}

/// The answer of a call, or its failure as that of the policy that passes it on.
fn passed_on<T>(answer: Called<T>) -> T {
    answer.unwrap_or_else(|failure| boundary::fail(failure.cause))
}

fn answer_of_placement(placement: &Placement) -> CallAnswer {
    match placement {
        Placement::Node(node) => CallAnswer::nodes("Node", &[*node]),
        Placement::Wait => CallAnswer::word("Wait"),
        Placement::Reject(reason) => CallAnswer { reason: Some(reason.clone()), ..CallAnswer::word("Reject") },
        Placement::Busy { node, until } => {
            let nodes: &[u32] = if *node == NONE { &[] } else { &[*node] };
            CallAnswer { time: until_date(*until), ..CallAnswer::nodes("Busy", nodes) }
        }
        Placement::Queue { nodes, until } => {
            CallAnswer { time: until_date(*until), ..CallAnswer::nodes("Queue", nodes) }
        }
        Placement::Warm { node, container } => {
            CallAnswer { items: vec![*container], ..CallAnswer::nodes("Warm", &[*node]) }
        }
        Placement::Cold { node } => CallAnswer::nodes("Cold", &[*node]),
    }
}

fn until_date(until: u64) -> Option<(&'static str, u64)> {
    (until != u64::MAX).then_some(("until", until))
}

fn show_cluster(view: &mut CallView, cluster: &ClusterView<'_>) {
    view.set_nodes(&cluster.nodes);
    view.counts.push(("waiting", cluster.waiting));
    let of_image = [
        ("image in RAM", cluster.image_in_ram),
        ("image loading", cluster.image_loading),
        ("image on disk", cluster.image_on_disk),
        ("image copying", cluster.image_copying),
    ];
    let all = [("up", cluster.up), ("free core", cluster.free_core), ("idle container", cluster.idle_container)];
    all.into_iter().chain(of_image).for_each(|(what, nodes)| view.set(what, nodes));
}

macro_rules! tells {
    ($($method:ident($($argument:ident: $type:ty),*) if $rule:ident;)*) => {
        $(fn $method(&mut self, $($argument: $type),*) {
            if self.wants(|rules| rules.$rule) {
                passed_on(self.object.$method($($argument),*));
            }
        })*
    };
}

/// Node allocation that is asked about one after the other.
struct Places(Around<NodeAllocationObject, AllocationRules>);
/// Node allocation that plans for all.
struct Plans(Around<NodeAllocationObject, AllocationRules>);

impl Around<NodeAllocationObject, AllocationRules> {
    /// What it wants to hear, and what is written down.
    fn all_rules(&self) -> AllocationRules {
        AllocationRules { observes_containers: true, observes_ends: true, ..self.rules_of() }
    }

    tells! {
        observe(node: u32, view: &NodeView, up: bool) if observes;
        observe_link(link: &LinkView<'_>) if observes;
        on_workflow(workflow: &WorkflowView<'_>) if sees_workflows;
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        self.calls.note_container(event);
        if self.wants(|rules| rules.observes_containers) {
            passed_on(self.object.on_container(event));
        }
    }

    fn on_end(&mut self, end: &End) {
        if self.predecessors.hears_of_end(end.key) && self.wants(|rules| rules.observes_ends) {
            passed_on(self.object.on_end(end));
        }
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        passed_on(self.object.on_timer(timer, cluster));
    }

    fn source(&mut self, copy: &CopyView<'_>) -> u32 {
        let node = passed_on(self.object.source(copy));
        let answer = if node == NONE { CallAnswer::word("Head") } else { CallAnswer::nodes("Node", &[node]) };
        self.note(Noted {
            date: copy.now,
            method: "source",
            invocation: None,
            function: None,
            answer,
            view: &|view| {
                view.counts.extend([("image", u64::from(copy.image)), ("bytes", copy.bytes)]);
                view.counts.push(("to node", u64::from(copy.node)));
                view.set("holders", copy.holders);
            },
        });
        node
    }
}

impl NodeAllocation for Places {
    fn rules(&self) -> AllocationRules {
        self.0.all_rules()
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let placement = passed_on(self.0.object.place(request, cluster));
        self.0.note(Noted {
            date: cluster.now,
            method: "place",
            invocation: Some(request.invocation),
            function: Some(request.function),
            answer: answer_of_placement(&placement),
            view: &|view| {
                view.request = Some(*request);
                show_cluster(view, cluster);
            },
        });
        placement
    }

    fn shed(&mut self, queue: &QueueView<'_>) -> Option<Shed> {
        let shed = passed_on(self.0.object.shed(queue));
        let head = shed.as_ref().and_then(|shed| queue.heads.get(shed.head as usize));
        let answer = match &shed {
            Some(Shed { reason, .. }) => CallAnswer { reason: Some(reason.clone()), ..CallAnswer::word("Reject") },
            None => CallAnswer::word("Keep"),
        };
        self.0.note(Noted {
            date: queue.now,
            method: "shed",
            invocation: head.map(|head| head.invocation),
            function: head.map(|head| head.function),
            answer,
            view: &|view| {
                view.set_nodes(&queue.nodes);
                view.queue.extend(queue.heads.iter().copied());
                view.counts.push(("waiting", queue.waiting));
                view.set("free core", queue.free_core);
            },
        });
        shed
    }

    fn rank(&mut self, request: &RequestView, now: u64) -> u64 {
        let rank = passed_on(self.0.object.rank(request, now));
        self.0.note(Noted {
            date: now,
            method: "rank",
            invocation: Some(request.invocation),
            function: Some(request.function),
            answer: CallAnswer { count: Some(("rank", rank)), ..CallAnswer::word("Rank") },
            view: &|view| view.request = Some(*request),
        });
        rank
    }

    fn observe(&mut self, node: u32, view: &NodeView, up: bool) {
        self.0.observe(node, view, up);
    }

    fn on_end(&mut self, end: &End) {
        self.0.on_end(end);
    }

    fn on_delayed_start(&mut self, start: &DelayedStart) {
        if self.0.predecessors.hears_of_start(start.key) && self.0.wants(|rules| rules.observes_ends) {
            passed_on(self.0.object.on_delayed_start(start));
        }
    }

    fn observe_link(&mut self, link: &LinkView<'_>) {
        self.0.observe_link(link);
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        self.0.on_container(event);
    }

    fn source(&mut self, copy: &CopyView<'_>) -> u32 {
        self.0.source(copy)
    }

    fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        self.0.on_workflow(workflow);
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.0.on_timer(timer, cluster);
    }
}

impl BatchAllocation for Plans {
    fn rules(&self) -> AllocationRules {
        self.0.all_rules()
    }

    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        passed_on(self.0.object.plan(batch, plan));
        let node_of = |item: &PlanItem| match *item {
            PlanItem::Run { node, .. }
            | PlanItem::RunWarm { node, .. }
            | PlanItem::RunCold { node, .. }
            | PlanItem::Load { node, .. }
            | PlanItem::Copy { node, .. } => node,
        };
        let word = if plan.is_empty() { "Wait" } else { "Plan" };
        let answer = CallAnswer {
            count: Some(("decisions", plan.len() as u64)),
            nodes: plan.iter().map(node_of).collect(),
            ..CallAnswer::word(word)
        };
        self.0.note(Noted {
            date: batch.now,
            method: "plan",
            invocation: None,
            function: None,
            answer,
            view: &|view| {
                view.set_nodes(&batch.nodes);
                view.queue.extend(batch.queue.iter().copied());
                view.counts.push(("waiting", batch.queue.len() as u64));
                view.set("up", batch.up);
            },
        });
    }

    fn observe(&mut self, node: u32, view: &NodeView, up: bool) {
        self.0.observe(node, view, up);
    }

    fn on_end(&mut self, end: &End) {
        self.0.on_end(end);
    }

    fn observe_link(&mut self, link: &LinkView<'_>) {
        self.0.observe_link(link);
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        self.0.on_container(event);
    }

    fn source(&mut self, copy: &CopyView<'_>) -> u32 {
        self.0.source(copy)
    }

    fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        self.0.on_workflow(workflow);
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.0.on_timer(timer, cluster);
    }
}

impl Seeing for NodeAllocationObject {
    fn seen(object: Self, seat: &Seat, calls: SharedCalls, predecessors: Predecessors) -> Self {
        let (is_batch, rules) = (object.is_batch(), object.rules());
        let around = Around::new(object, rules, seat, calls, predecessors);
        if is_batch {
            boundary::batch_allocation(Plans(around), seat)
        } else {
            boundary::node_allocation(Places(around), seat)
        }
    }
}

type AroundAdmission = Around<AdmissionObject, AdmissionRules>;

impl Admission for AroundAdmission {
    fn rules(&self) -> AdmissionRules {
        self.rules_of()
    }

    fn admit(&mut self, request: &RequestView, seen: &AdmissionView<'_>) -> AdmissionDecision {
        let decision = passed_on(self.object.admit(request, seen));
        let answer = match &decision {
            AdmissionDecision::Admit => CallAnswer::word("Admit"),
            AdmissionDecision::Delay(time) => CallAnswer { time: Some(("for", *time)), ..CallAnswer::word("Delay") },
            AdmissionDecision::Reject(reason) => {
                CallAnswer { reason: Some(reason.clone()), ..CallAnswer::word("Reject") }
            }
        };
        self.note(Noted {
            date: seen.now,
            method: "admit",
            invocation: Some(request.invocation),
            function: Some(request.function),
            answer,
            view: &|view| {
                view.request = Some(*request);
                view.counts.extend([
                    ("delays", u64::from(seen.delays)),
                    ("waiting of the function", seen.waiting_of_function),
                    ("placed", seen.placed),
                    ("running", seen.running),
                    ("running of the function", seen.running_of_function),
                    ("free cores", seen.free_cores),
                ]);
                show_cluster(view, seen.cluster);
            },
        });
        decision
    }

    fn on_end(&mut self, end: &End) {
        if self.predecessors.hears_of_end(end.key) {
            passed_on(self.object.on_end(end));
        }
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        passed_on(self.object.on_container(event));
    }

    fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        passed_on(self.object.on_workflow(workflow));
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        passed_on(self.object.on_timer(timer, cluster));
    }
}

impl Seeing for AdmissionObject {
    fn seen(object: Self, seat: &Seat, calls: SharedCalls, predecessors: Predecessors) -> Self {
        let rules = object.rules();
        boundary::admission(Around::new(object, rules, seat, calls, predecessors), seat)
    }
}

type AroundKeepAlive = Around<KeepAliveObject, KeepAliveRules>;

impl AroundKeepAlive {
    fn note_completion(&self, completion: &Completion<'_>, method: &'static str, answer: CallAnswer) {
        self.note(Noted {
            date: completion.now,
            method,
            invocation: None,
            function: Some(completion.function),
            answer,
            view: &|view| {
                view.counts.extend([
                    ("node", u64::from(completion.node)),
                    ("idle of the function", u64::from(completion.idle_of_function)),
                    ("RAM in bytes", completion.ram),
                ]);
                view.times.push(("run time", completion.run_time));
            },
        });
    }
}

/// A time that is kept, as it is answered.
fn keep_for(nanos: u64) -> Option<(&'static str, u64)> {
    (nanos != u64::MAX).then_some(("for", nanos))
}

impl KeepAlive for AroundKeepAlive {
    fn rules(&self) -> KeepAliveRules {
        self.rules_of()
    }

    fn on_idle(&mut self, completion: &Completion<'_>) -> Retention {
        let retention = passed_on(self.object.on_idle(completion));
        let word = if retention.keep_for == 0 { "End" } else { "Keep" };
        let time = if retention.keep_for == 0 { None } else { keep_for(retention.keep_for) };
        self.note_completion(completion, "on_idle", CallAnswer { time, ..CallAnswer::word(word) });
        retention
    }

    fn on_arrival(&mut self, function: u32, now: u64) {
        passed_on(self.object.on_arrival(function, now));
    }

    fn prewarm(&mut self, completion: &Completion<'_>) -> Prewarming {
        let prewarming = passed_on(self.object.prewarm(completion));
        let is_one = prewarming.after != u64::MAX;
        let (word, time) = if is_one { ("Start", Some(("after", prewarming.after))) } else { ("None", None) };
        self.note_completion(completion, "prewarm", CallAnswer { time, ..CallAnswer::word(word) });
        prewarming
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        passed_on(self.object.on_container(event));
    }

    fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        passed_on(self.object.on_workflow(workflow));
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        passed_on(self.object.on_timer(timer, cluster));
    }
}

impl Seeing for KeepAliveObject {
    fn seen(object: Self, seat: &Seat, calls: SharedCalls, predecessors: Predecessors) -> Self {
        let rules = object.rules();
        boundary::keep_alive(Around::new(object, rules, seat, calls, predecessors), seat)
    }
}

type AroundEviction = Around<EvictionObject, EvictionRules>;

/// Passes victims on, and notes which were taken.
struct Offers<'a, 'b> {
    victims: &'a mut Victims<'b>,
    taken: Vec<u32>,
}

impl VictimSink for Offers<'_, '_> {
    fn offer(&mut self, id: u32) -> Offer {
        let offer = self.victims.offer(id);
        if offer != Offer::Pinned {
            self.taken.push(id);
        }
        offer
    }

    fn also(&mut self, id: u32) -> bool {
        let is_taken = self.victims.also(id);
        self.taken.extend(is_taken.then_some(id));
        is_taken
    }
}

impl Eviction for AroundEviction {
    fn rules(&self) -> EvictionRules {
        self.rules_of()
    }

    fn insert(&mut self, item: &EvictionItem) {
        passed_on(self.object.insert(item));
    }

    fn touch(&mut self, id: u32, touch: Touch, now: u64) {
        passed_on(self.object.touch(id, touch, now));
    }

    fn remove(&mut self, id: u32, removal: Removal, now: u64) {
        passed_on(self.object.remove(id, removal, now));
    }

    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) {
        let mut offers = Offers { victims, taken: Vec::new() };
        let chosen = self.object.choose(need, &mut Victims::new(&mut offers));
        let items = offers.taken;
        passed_on(chosen);
        self.note(Noted {
            date: need.now,
            method: "choose",
            invocation: None,
            function: None,
            answer: CallAnswer { items, ..CallAnswer::word("Evict") },
            view: &|view| {
                view.counts.extend([("RAM to free, in bytes", need.ram), ("disk to free, in bytes", need.disk)])
            },
        });
    }

    fn created(&mut self, container: &EvictionItem, creation: Creation) {
        passed_on(self.object.created(container, creation));
    }

    fn ended(&mut self, id: u32, now: u64) {
        passed_on(self.object.ended(id, now));
    }

    fn on_timer(&mut self, timer: u64, now: u64) {
        passed_on(self.object.on_timer(timer, now));
    }
}

impl Seeing for EvictionObject {
    fn seen(object: Self, seat: &Seat, calls: SharedCalls, predecessors: Predecessors) -> Self {
        let rules = object.rules();
        boundary::eviction(Around::new(object, rules, seat, calls, predecessors), seat)
    }
}

type AroundAutoscaling = Around<AutoscalingObject, AutoscalingRules>;

impl Autoscaling for AroundAutoscaling {
    fn rules(&self) -> AutoscalingRules {
        self.rules_of()
    }

    fn scale(&mut self, seen: &ScaleView) -> Scale {
        let scale = passed_on(self.object.scale(seen));
        self.note(Noted {
            date: seen.now,
            method: "scale",
            invocation: None,
            function: Some(seen.function),
            answer: CallAnswer { count: Some(("instances", scale.wanted.into())), ..CallAnswer::word("Scale") },
            view: &|view| {
                view.counts.extend([
                    ("ready", u64::from(seen.ready)),
                    ("starting", u64::from(seen.starting)),
                    ("stopping", u64::from(seen.stopping)),
                    ("wanted", u64::from(seen.wanted)),
                    ("waiting", seen.waiting),
                    ("running", seen.running),
                    ("arrivals", seen.arrivals),
                ]);
            },
        });
        scale
    }

    fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> PoolScale {
        let scale = passed_on(self.object.scale_pool(pool));
        let word = if scale.boot == 0 && scale.remove.is_empty() { "Stay" } else { "Scale" };
        let answer = CallAnswer { count: Some(("boot", scale.boot.into())), ..CallAnswer::nodes(word, &scale.remove) };
        self.note(Noted {
            date: pool.now,
            method: "scale_pool",
            invocation: None,
            function: None,
            answer,
            view: &|view| {
                let pending = pool.pending.len() as u64;
                view.counts.extend([
                    ("pool", u64::from(pool.pool)),
                    ("min", pool.min.into()),
                    ("max", pool.max.into()),
                ]);
                view.counts.extend([("on", u64::from(pool.scale())), ("functions without a place", pending)]);
            },
        });
        scale
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        passed_on(self.object.on_container(event));
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        passed_on(self.object.on_timer(timer, cluster));
    }
}

impl Seeing for AutoscalingObject {
    fn seen(object: Self, seat: &Seat, calls: SharedCalls, predecessors: Predecessors) -> Self {
        let rules = object.rules();
        boundary::autoscaling(Around::new(object, rules, seat, calls, predecessors), seat)
    }
}
