//! Instances of policies as a host calls them: through their tables, whatever language they are written in.

// Everything here is called through addresses; each block says what is relied on.
#![allow(unsafe_code)]

use std::fmt;
use std::ptr::null_mut;
use std::rc::Rc;

use super::failure::{CallFailure, Called};
use super::rules::Rules;
use super::said::said;
use super::seat::{Seat, Told};
use super::shim::{self, Tables};
use crate::abi::{
    ADMISSION_ADMIT, ADMISSION_DELAY, ADMISSION_REJECT, AdmissionAnswer, AdmissionTable, AutoscalingTable,
    EvictionTable, KeepAliveTable, NodeAllocationTable, OK, PLACEMENT_BUSY, PLACEMENT_COLD, PLACEMENT_NODE,
    PLACEMENT_QUEUE, PLACEMENT_REJECT, PLACEMENT_WAIT, PLACEMENT_WARM, PLAN_COPY, PLAN_LOAD, PLAN_RUN, PLAN_RUN_COLD,
    PLAN_RUN_WARM, PlacementAnswer, PlanItemRecord, PlanSink, PolicyRecord, PoolScaleAnswer, PrewarmingAnswer,
    RetentionAnswer, ScaleAnswer, ShedAnswer, Slice, Text,
};
use crate::{
    Admission, AdmissionDecision, AdmissionRules, AdmissionView, AllocationRules, Autoscaling, AutoscalingRules,
    BatchAllocation, BatchView, ClusterView, Completion, ContainerEvent, CopyView, Creation, DelayedStart, End,
    Eviction, EvictionItem, EvictionRules, KeepAlive, KeepAliveRules, LinkView, NONE, Need, NodeAllocation,
    NodePoolView, NodeView, Parameters, Placement, PlanItem, PoolScale, Prewarming, QueueView, Removal, RequestView,
    Retention, Scale, ScaleView, Shed, Touch, Victims, WorkflowView,
};

/// What ends an instance when nobody holds it any more.
struct Life {
    address: *mut (),
    destroy: unsafe extern "C" fn(*mut ()),
    told: Rc<Told>,
}

impl Drop for Life {
    fn drop(&mut self) {
        // SAFETY: made by the library of this function, and nobody calls it any more.
        unsafe { (self.destroy)(self.address) }
    }
}

/// An instance of a policy, which may serve in several roles.
#[derive(Clone)]
pub struct Instance {
    policy: &'static PolicyRecord,
    life: Rc<Life>,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an instance of a policy")
    }
}

impl Instance {
    /// The instance in one of its roles, if its policy has that.
    pub fn role<T: Role>(&self) -> Option<Object<T>> {
        Some(Object { life: Rc::clone(&self.life), table: T::of(self.policy)? })
    }

    /// Makes an instance of a policy.
    pub(super) fn make(policy: &'static PolicyRecord, parameters: &Parameters, seat: &Seat) -> Called<Self> {
        let (Some(create), Some(destroy)) = (policy.create, policy.destroy) else {
            let cause = "has no function that makes an instance, or none that ends one".to_owned();
            return Err(CallFailure { cause });
        };
        let told = Rc::clone(&seat.told);
        // The lists are there until the call is over.
        let ((values, _lists), mut address) = (parameters.values(), null_mut());
        // SAFETY: all of it is there during the call; what the handle stands for lives as long as the instance.
        let status = unsafe { create(seat.context(), Slice::new(&values), &raw mut address) };
        if status != OK {
            return Err(told.failure());
        }
        Ok(Self { policy, life: Rc::new(Life { address, destroy, told }) })
    }
}

/// A role of an instance: the instance, and the table of functions of the role.
pub struct Object<T> {
    life: Rc<Life>,
    /// A copy: one look fewer on the way to a function.
    table: T,
}

impl<T> fmt::Debug for Object<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an instance of a policy")
    }
}

/// A node allocation policy on the other side of the boundary.
pub type NodeAllocationObject = Object<NodeAllocationTable>;
/// An eviction policy on the other side of the boundary.
pub type EvictionObject = Object<EvictionTable>;
/// An admission policy on the other side of the boundary.
pub type AdmissionObject = Object<AdmissionTable>;
/// A keep-alive policy on the other side of the boundary.
pub type KeepAliveObject = Object<KeepAliveTable>;
/// An autoscaling policy on the other side of the boundary.
pub type AutoscalingObject = Object<AutoscalingTable>;

/// A role that a policy can have.
pub trait Role: Copy + 'static {
    /// Its table, if the policy has the role.
    fn of(policy: &PolicyRecord) -> Option<Self>;
}

impl Role for NodeAllocationTable {
    fn of(policy: &PolicyRecord) -> Option<Self> {
        policy.node_allocation.copied()
    }
}

impl Role for EvictionTable {
    fn of(policy: &PolicyRecord) -> Option<Self> {
        policy.eviction.copied()
    }
}

impl Role for AdmissionTable {
    fn of(policy: &PolicyRecord) -> Option<Self> {
        policy.admission.copied()
    }
}

impl Role for KeepAliveTable {
    fn of(policy: &PolicyRecord) -> Option<Self> {
        policy.keep_alive.copied()
    }
}

impl Role for AutoscalingTable {
    fn of(policy: &PolicyRecord) -> Option<Self> {
        policy.autoscaling.copied()
    }
}

/// An instance of a policy that is a Rust type of the program itself.
fn in_place<P, T>(policy: P, table: T, seat: &Seat) -> Object<T> {
    let (told, address) = (Rc::clone(&seat.told), shim::Instance::leak(policy, seat.context()));
    Object { life: Rc::new(Life { address, destroy: shim::destroy::<P>, told }), table }
}

/// A node allocation policy as the host calls it, compiled in or not.
pub fn node_allocation<T: NodeAllocation + 'static>(policy: T, seat: &Seat) -> NodeAllocationObject {
    in_place(policy, *Tables::<T>::PLACES, seat)
}

/// A node allocation policy that plans for the whole queue, as the host calls it, compiled in or not.
pub fn batch_allocation<T: BatchAllocation + 'static>(policy: T, seat: &Seat) -> NodeAllocationObject {
    in_place(policy, *Tables::<T>::PLANS, seat)
}

/// An eviction policy as the host calls it, compiled in or not.
pub fn eviction<T: Eviction + 'static>(policy: T, seat: &Seat) -> EvictionObject {
    in_place(policy, *Tables::<T>::EVICTS, seat)
}

/// An admission policy as the host calls it, compiled in or not.
pub fn admission<T: Admission + 'static>(policy: T, seat: &Seat) -> AdmissionObject {
    in_place(policy, *Tables::<T>::ADMITS, seat)
}

/// A keep-alive policy as the host calls it, compiled in or not.
pub fn keep_alive<T: KeepAlive + 'static>(policy: T, seat: &Seat) -> KeepAliveObject {
    in_place(policy, *Tables::<T>::KEEPS, seat)
}

/// An autoscaling policy as the host calls it, compiled in or not.
pub fn autoscaling<T: Autoscaling + 'static>(policy: T, seat: &Seat) -> AutoscalingObject {
    in_place(policy, *Tables::<T>::SCALES, seat)
}

#[cold]
fn unknown(what: &str, kind: u32) -> CallFailure {
    CallFailure { cause: format!("answered {what} of kind {kind}, which this hearth does not know") }
}

impl<T> Object<T> {
    /// Calls a function of the table; one that is null answers nothing.
    #[inline(always)]
    fn call<F>(&self, function: Option<F>, call: impl FnOnce(F, *mut ()) -> u32) -> Called<()> {
        let Some(function) = function else {
            return Ok(());
        };
        if call(function, self.life.address) == OK { Ok(()) } else { Err(self.life.told.failure()) }
    }

    fn ask_rules<R: Rules>(&self, function: Option<unsafe extern "C" fn(*mut (), *mut u32) -> u32>) -> Called<R> {
        let mut bits = 0;
        // SAFETY: the instance is of this table, and the number is there.
        self.call(function, |rules, policy| unsafe { rules(policy, &raw mut bits) })?;
        let unknown = bits & !R::KNOWN;
        if unknown != 0 {
            return Err(CallFailure {
                cause: format!("asks for rules {unknown:#x}, which its kind of policy does not have here"),
            });
        }
        Ok(R::of_bits(bits))
    }
}

/// A decision as a library has made it, which may know an earlier version of the record: without a container.
///
/// # Safety
/// The address must be one of a record that begins with its size.
#[inline]
unsafe fn whole_item(item: *const PlanItemRecord) -> PlanItemRecord {
    let mut whole = PlanItemRecord { size: 0, kind: NONE, request: NONE, image: NONE, node: NONE, container: NONE };
    // SAFETY: the record has as many bytes as it says, and ours as many as are copied.
    unsafe {
        let size = (*item.cast::<u32>() as usize).min(size_of::<PlanItemRecord>());
        std::ptr::copy_nonoverlapping(item.cast::<u8>(), (&raw mut whole).cast::<u8>(), size);
    }
    whole
}

/// The rule asks for a function that the table does not have.
fn lacks(rule: bool, function: bool, name: &str) -> Called<()> {
    if rule && !function {
        return Err(CallFailure { cause: format!("asks for {name} to be called, which is null") });
    }
    Ok(())
}

impl NodeAllocationObject {
    /// Whether it plans for the whole queue, and is not asked about one request after the other.
    pub fn is_batch(&self) -> bool {
        self.table.plan.is_some()
    }

    /// How to ask the policy.
    ///
    /// # Errors
    /// When the call fails, or asks for what there is not. So it is with all calls here.
    pub fn rules(&self) -> Called<AllocationRules> {
        let rules: AllocationRules = self.ask_rules(self.table.rules)?;
        lacks(rules.observes, self.table.observe.is_some(), "observe")?;
        lacks(rules.observes_ends, self.table.on_end.is_some(), "on_end")?;
        lacks(rules.ranks, self.table.rank.is_some(), "rank")?;
        lacks(rules.sheds, self.table.shed.is_some(), "shed")?;
        lacks(rules.chooses_sources, self.table.source.is_some(), "source")?;
        lacks(rules.observes_containers, self.table.on_container.is_some(), "on_container")?;
        lacks(rules.sees_workflows, self.table.on_workflow.is_some(), "on_workflow")?;
        Ok(rules)
    }

    /// Where a request runs.
    #[inline]
    pub fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Called<Placement> {
        let (size, reason) = (size_of::<PlacementAnswer>() as u32, Text::EMPTY);
        let nodes = Slice::new(&[]);
        let (kind, node, until, container) = (PLACEMENT_WAIT, NONE, u64::MAX, NONE);
        let mut answer = PlacementAnswer { size, kind, node, container, reason, until, nodes };
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.place, |place, policy| unsafe { place(policy, request, cluster, &raw mut answer) })?;
        match answer.kind {
            PLACEMENT_NODE => Ok(Placement::Node(answer.node)),
            PLACEMENT_WAIT => Ok(Placement::Wait),
            // SAFETY: the reason lasts until the next call.
            PLACEMENT_REJECT => Ok(Placement::Reject(unsafe { said(answer.reason) })),
            PLACEMENT_BUSY => Ok(Placement::Busy { node: answer.node, until: answer.until }),
            // They last until the next call.
            PLACEMENT_QUEUE => Ok(Placement::Queue { nodes: answer.nodes.as_slice().into(), until: answer.until }),
            PLACEMENT_WARM => Ok(Placement::Warm { node: answer.node, container: answer.container }),
            PLACEMENT_COLD => Ok(Placement::Cold { node: answer.node }),
            other => Err(unknown("a placement", other)),
        }
    }

    /// What is done with all that wait, added to `plan`.
    pub fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) -> Called<()> {
        struct Taken<'a>(&'a mut Vec<PlanItem>, Option<u32>);
        unsafe extern "C" fn add(sink: *mut (), item: *const PlanItemRecord) {
            // SAFETY: the sink is the one below, and the record is there during the call.
            let (Taken(plan, unknown), record) = unsafe { (&mut *sink.cast::<Taken<'_>>(), whole_item(item)) };
            let PlanItemRecord { kind, request, image, node, container, .. } = record;
            match kind {
                PLAN_RUN => plan.push(PlanItem::Run { request, node }),
                PLAN_RUN_WARM => plan.push(PlanItem::RunWarm { request, node, container }),
                PLAN_RUN_COLD => plan.push(PlanItem::RunCold { request, node }),
                PLAN_LOAD => plan.push(PlanItem::Load { image, node }),
                PLAN_COPY => plan.push(PlanItem::Copy { image, node }),
                other => *unknown = Some(other),
            }
        }
        let mut taken = Taken(plan, None);
        let sink = PlanSink { size: size_of::<PlanSink>() as u32, add, sink: (&raw mut taken).cast() };
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.plan, |plan, policy| unsafe { plan(policy, batch, &raw const sink) })?;
        taken.1.map_or(Ok(()), |kind| Err(unknown("a decision", kind)))
    }

    /// The rank of a request.
    #[inline]
    pub fn rank(&mut self, request: &RequestView, now: u64) -> Called<u64> {
        let mut answer = 0;
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.rank, |rank, policy| unsafe { rank(policy, request, now, &raw mut answer) })?;
        Ok(answer)
    }

    /// A node has changed.
    #[inline]
    pub fn observe(&mut self, node: u32, view: &NodeView, up: bool) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.observe, |observe, policy| unsafe { observe(policy, node, view, u32::from(up)) })
    }

    /// A link has changed.
    pub fn observe_link(&mut self, link: &LinkView<'_>) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.observe_link, |observe, policy| unsafe { observe(policy, link) })
    }

    /// An attempt has ended.
    pub fn on_end(&mut self, end: &End) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_end, |on_end, policy| unsafe { on_end(policy, end) })
    }

    /// From which node an image is copied.
    pub fn source(&mut self, copy: &CopyView<'_>) -> Called<u32> {
        let mut node = NONE;
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.source, |source, policy| unsafe { source(policy, copy, &raw mut node) })?;
        Ok(node)
    }

    /// Whether one of those who wait is rejected.
    pub fn shed(&mut self, queue: &QueueView<'_>) -> Called<Option<Shed>> {
        let size = size_of::<ShedAnswer>() as u32;
        let mut answer = ShedAnswer { size, head: NONE, reason: Text::EMPTY };
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.shed, |shed, policy| unsafe { shed(policy, queue, &raw mut answer) })?;
        // SAFETY: the reason lasts until the next call.
        Ok((answer.head != NONE).then(|| Shed { head: answer.head, reason: unsafe { said(answer.reason) } }))
    }

    /// One that waited for a busy container has got one, or one that stood in the queues of nodes a core.
    pub fn on_delayed_start(&mut self, start: &DelayedStart) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_delayed_start, |on_delayed_start, policy| unsafe { on_delayed_start(policy, start) })
    }

    /// There is a workflow.
    pub fn on_workflow(&mut self, workflow: &WorkflowView<'_>) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_workflow, |on_workflow, policy| unsafe { on_workflow(policy, workflow) })
    }

    /// Something has become of a container.
    pub fn on_container(&mut self, event: &ContainerEvent) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_container, |on_container, policy| unsafe { on_container(policy, event) })
    }

    /// A timer has gone off.
    pub fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_timer, |on_timer, policy| unsafe { on_timer(policy, timer, cluster) })
    }
}

impl EvictionObject {
    /// How to tell the policy.
    ///
    /// # Errors
    /// When the call fails, or asks for what there is not. So it is with all calls here.
    pub fn rules(&self) -> Called<EvictionRules> {
        let rules: EvictionRules = self.ask_rules(self.table.rules)?;
        lacks(
            rules.observes_containers,
            self.table.created.is_some() && self.table.ended.is_some(),
            "created and ended",
        )?;
        Ok(rules)
    }

    /// An item may be evicted from now on.
    #[inline]
    pub fn insert(&mut self, item: &EvictionItem) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.insert, |insert, policy| unsafe { insert(policy, item) })
    }

    /// An item was used.
    #[inline]
    pub fn touch(&mut self, id: u32, touch: Touch, now: u64) -> Called<()> {
        // SAFETY: the instance is of this table.
        self.call(self.table.touch, |of, policy| unsafe { of(policy, id, touch, now) })
    }

    /// An item is gone.
    #[inline]
    pub fn remove(&mut self, id: u32, removal: Removal, now: u64) -> Called<()> {
        // SAFETY: the instance is of this table.
        self.call(self.table.remove, |remove, policy| unsafe { remove(policy, id, removal, now) })
    }

    /// Offers victims.
    pub fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.choose, |choose, policy| unsafe { choose(policy, need, victims.record()) })
    }

    /// A container was made.
    pub fn created(&mut self, container: &EvictionItem, creation: Creation) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.created, |created, policy| unsafe { created(policy, container, creation) })
    }

    /// A container in use has ended.
    pub fn ended(&mut self, id: u32, now: u64) -> Called<()> {
        // SAFETY: the instance is of this table.
        self.call(self.table.ended, |ended, policy| unsafe { ended(policy, id, now) })
    }

    /// A timer has gone off.
    pub fn on_timer(&mut self, timer: u64, now: u64) -> Called<()> {
        // SAFETY: the instance is of this table.
        self.call(self.table.on_timer, |on_timer, policy| unsafe { on_timer(policy, timer, now) })
    }
}

impl AdmissionObject {
    /// How to ask the policy.
    ///
    /// # Errors
    /// When the call fails, or asks for what there is not. So it is with all calls here.
    pub fn rules(&self) -> Called<AdmissionRules> {
        let rules: AdmissionRules = self.ask_rules(self.table.rules)?;
        lacks(rules.observes_ends, self.table.on_end.is_some(), "on_end")?;
        lacks(rules.observes_containers, self.table.on_container.is_some(), "on_container")?;
        lacks(rules.sees_workflows, self.table.on_workflow.is_some(), "on_workflow")?;
        Ok(rules)
    }

    /// Whether a request is let in.
    #[inline]
    pub fn admit(&mut self, request: &RequestView, view: &AdmissionView<'_>) -> Called<AdmissionDecision> {
        let size = size_of::<AdmissionAnswer>() as u32;
        let mut answer = AdmissionAnswer { size, kind: ADMISSION_ADMIT, delay: 0, reason: Text::EMPTY };
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.admit, |admit, policy| unsafe { admit(policy, request, view, &raw mut answer) })?;
        match answer.kind {
            ADMISSION_ADMIT => Ok(AdmissionDecision::Admit),
            ADMISSION_DELAY => Ok(AdmissionDecision::Delay(answer.delay)),
            // SAFETY: the reason lasts until the next call.
            ADMISSION_REJECT => Ok(AdmissionDecision::Reject(unsafe { said(answer.reason) })),
            other => Err(unknown("an admission", other)),
        }
    }

    /// An attempt has ended.
    pub fn on_end(&mut self, end: &End) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_end, |on_end, policy| unsafe { on_end(policy, end) })
    }

    /// There is a workflow.
    pub fn on_workflow(&mut self, workflow: &WorkflowView<'_>) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_workflow, |on_workflow, policy| unsafe { on_workflow(policy, workflow) })
    }

    /// Something has become of a container.
    pub fn on_container(&mut self, event: &ContainerEvent) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_container, |on_container, policy| unsafe { on_container(policy, event) })
    }

    /// A timer has gone off.
    pub fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_timer, |on_timer, policy| unsafe { on_timer(policy, timer, cluster) })
    }
}

impl KeepAliveObject {
    /// How to tell the policy.
    ///
    /// # Errors
    /// When the call fails, or asks for what there is not. So it is with all calls here.
    pub fn rules(&self) -> Called<KeepAliveRules> {
        let rules: KeepAliveRules = self.ask_rules(self.table.rules)?;
        lacks(rules.observes_arrivals, self.table.on_arrival.is_some(), "on_arrival")?;
        lacks(rules.observes_containers, self.table.on_container.is_some(), "on_container")?;
        lacks(rules.sees_workflows, self.table.on_workflow.is_some(), "on_workflow")?;
        Ok(rules)
    }

    /// How long a container is kept.
    #[inline]
    pub fn on_idle(&mut self, completion: &Completion<'_>) -> Called<Retention> {
        let size = size_of::<RetentionAnswer>() as u32;
        let mut answer = RetentionAnswer { size, reserved: 0, keep_for: 0 };
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_idle, |on_idle, policy| unsafe { on_idle(policy, completion, &raw mut answer) })?;
        Ok(Retention { keep_for: answer.keep_for })
    }

    /// A request was submitted.
    #[inline]
    pub fn on_arrival(&mut self, function: u32, now: u64) -> Called<()> {
        // SAFETY: the instance is of this table.
        self.call(self.table.on_arrival, |on_arrival, policy| unsafe { on_arrival(policy, function, now) })
    }

    /// Whether a container is started later.
    pub fn prewarm(&mut self, completion: &Completion<'_>) -> Called<Prewarming> {
        let size = size_of::<PrewarmingAnswer>() as u32;
        let mut answer = PrewarmingAnswer { size, reserved: 0, after: u64::MAX, keep_for: 0 };
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.prewarm, |prewarm, policy| unsafe { prewarm(policy, completion, &raw mut answer) })?;
        Ok(Prewarming { after: answer.after, keep_for: answer.keep_for })
    }

    /// There is a workflow.
    pub fn on_workflow(&mut self, workflow: &WorkflowView<'_>) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_workflow, |on_workflow, policy| unsafe { on_workflow(policy, workflow) })
    }

    /// Something has become of a container.
    pub fn on_container(&mut self, event: &ContainerEvent) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_container, |on_container, policy| unsafe { on_container(policy, event) })
    }

    /// A timer has gone off.
    pub fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_timer, |on_timer, policy| unsafe { on_timer(policy, timer, cluster) })
    }
}

impl AutoscalingObject {
    /// How to ask the policy.
    ///
    /// # Errors
    /// When the call fails, or asks for what there is not. So it is with all calls here.
    pub fn rules(&self) -> Called<AutoscalingRules> {
        let rules: AutoscalingRules = self.ask_rules(self.table.rules)?;
        lacks(rules.observes_containers, self.table.on_container.is_some(), "on_container")?;
        lacks(rules.scales_pools, self.table.scale_pool.is_some(), "scale_pool")?;
        let mut period = rules.period;
        // SAFETY: the instance is of this table, and the number is there.
        self.call(self.table.period, |of, policy| unsafe { of(policy, &raw mut period) })?;
        Ok(AutoscalingRules { period, ..rules })
    }

    /// How many instances a function is to have.
    #[inline]
    pub fn scale(&mut self, view: &ScaleView) -> Called<Scale> {
        let mut answer = ScaleAnswer { size: size_of::<ScaleAnswer>() as u32, wanted: view.wanted };
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.scale, |scale, policy| unsafe { scale(policy, view, &raw mut answer) })?;
        Ok(Scale { wanted: answer.wanted })
    }

    /// What becomes of the nodes of a pool.
    pub fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> Called<PoolScale> {
        let size = size_of::<PoolScaleAnswer>() as u32;
        let mut answer = PoolScaleAnswer { size, boot: 0, remove: Slice::new(&[]) };
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.scale_pool, |scale, policy| unsafe { scale(policy, pool, &raw mut answer) })?;
        // They last until the next call.
        Ok(PoolScale { boot: answer.boot, remove: answer.remove.as_slice().into() })
    }

    /// Something has become of a container.
    pub fn on_container(&mut self, event: &ContainerEvent) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_container, |on_container, policy| unsafe { on_container(policy, event) })
    }

    /// A timer has gone off.
    pub fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) -> Called<()> {
        // SAFETY: the instance is of this table, and everything is there during the call.
        self.call(self.table.on_timer, |on_timer, policy| unsafe { on_timer(policy, timer, cluster) })
    }
}
