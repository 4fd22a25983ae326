//! Wraps a policy in Rust in tables of functions, so that nothing unwinds out of it.

// Functions that are called through tables take addresses; each block says what is relied on.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::failure::CallFailure;
use super::rules::Rules;

use crate::abi::{
    ADMISSION_ADMIT, ADMISSION_DELAY, ADMISSION_REJECT, AdmissionAnswer, AdmissionTable, AutoscalingTable,
    EvictionTable, FAILED, Host, KeepAliveTable, NodeAllocationTable, OK, PLACEMENT_BUSY, PLACEMENT_COLD,
    PLACEMENT_NODE, PLACEMENT_QUEUE, PLACEMENT_REJECT, PLACEMENT_WAIT, PLACEMENT_WARM, PLAN_COPY, PLAN_LOAD, PLAN_RUN,
    PLAN_RUN_COLD, PLAN_RUN_WARM, PlacementAnswer, PlanItemRecord, PlanSink, PoolScaleAnswer, PrewarmingAnswer,
    RetentionAnswer, ScaleAnswer, ShedAnswer, Slice, Text, Value, VictimSinkRecord,
};
use crate::{
    Admission, AdmissionDecision, AdmissionView, Autoscaling, BatchAllocation, BatchView, ClusterView, Completion,
    ContainerEvent, CopyView, Creation, DelayedStart, End, Eviction, EvictionItem, KeepAlive, LinkView, NONE, Need,
    NodeAllocation, NodeList, NodePoolView, NodeView, ParameterSet, Placement, PlanItem, Policy, PolicyContext,
    PoolScale, QueueView, Removal, RequestView, Scale, ScaleView, Shed, Touch, Victims, WorkflowView,
};

thread_local! {
    /// Where the last panic was, once [`silence_panics`] has been called.
    static PANIC_PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes panics note their place instead of printing it. For compiled policies, whose copy of the standard library has
/// nothing else in it that could panic; the host reports what is caught.
pub(super) extern "C" fn silence_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|location| format!("{}:{}", location.file(), location.line()));
        // A panic in a destructor of the thread comes too late to note its place.
        let _ = PANIC_PLACE.try_with(|slot| *slot.borrow_mut() = place);
    }));
}

/// What to say of a panic.
#[cold]
fn panicked(payload: Box<dyn Any + Send>) -> String {
    if let Some(CallFailure { cause }) = payload.downcast_ref() {
        return cause.clone();
    }
    let message = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => format!("panicked: {text}"),
        (_, Some(text)) => format!("panicked: {text}"),
        _ => "panicked, without a message".to_owned(),
    };
    // The destructor of an unknown payload may panic in its turn.
    std::mem::forget(payload);
    let place = PANIC_PLACE.with(RefCell::take).map_or(String::new(), |place| format!(" (at {place})"));
    message + &place
}

/// An instance of a policy in Rust: what the address stands for that functions are called with.
pub(super) struct Instance<T> {
    policy: ManuallyDrop<T>,
    host: &'static Host,
    handle: *mut (),
    /// The last reason that was given, which the host may read until the next call.
    reason: String,
    /// The last nodes that were answered to queue at, likewise.
    nodes: NodeList,
    /// Kept for its memory.
    plan: Vec<PlanItem>,
}

impl<T> Instance<T> {
    /// An instance, as an address that [`destroy`] takes back.
    pub(super) fn leak(policy: T, context: &PolicyContext) -> *mut () {
        let (host, handle) = (context.host, context.handle.0);
        let policy = ManuallyDrop::new(policy);
        Box::into_raw(Box::new(Self {
            policy,
            host,
            handle,
            reason: String::new(),
            nodes: NodeList::EMPTY,
            plan: Vec::new(),
        }))
        .cast()
    }
}

/// Tells the host why a call fails.
#[cold]
unsafe fn fail(host: &Host, handle: *mut (), cause: &str) -> u32 {
    // SAFETY: the host takes a copy.
    unsafe { (host.fail)(handle, Text::lent(cause)) };
    FAILED
}

/// Calls a policy; a panic becomes a failure.
///
/// # Safety
/// The address must be one of an [`Instance`] of this type, which nobody else uses.
#[inline(always)]
unsafe fn call<T>(address: *mut (), work: impl FnOnce(&mut Instance<T>)) -> u32 {
    // SAFETY: as this function's.
    let instance = unsafe { &mut *address.cast::<Instance<T>>() };
    let (host, handle) = (instance.host, instance.handle);
    // A policy that has panicked is not called again, so nobody sees what a panic left half done.
    match catch_unwind(AssertUnwindSafe(|| work(instance))) {
        Ok(()) => OK,
        // SAFETY: the host is there for as long as the instance.
        Err(payload) => unsafe { fail(host, handle, &panicked(payload)) },
    }
}

/// Writes an answer into a record of the caller's, which may be shorter than ours or longer.
///
/// # Safety
/// The address must be one of a record that begins with its size.
#[inline(always)]
unsafe fn answer<A>(address: *mut A, answer: A) {
    // SAFETY: the record begins with its size.
    let theirs = unsafe { *address.cast::<u32>() } as usize;
    if theirs >= size_of::<A>() {
        // SAFETY: there is room for all of it; nobody looks at the size any more.
        unsafe { address.write(answer) }
    } else {
        // SAFETY: as this function's.
        unsafe { answer_in_part(address, &answer, theirs) }
    }
}

/// Writes the most common placement: whatever else there is has in the record what it means for a node.
///
/// # Safety
/// The address must be one of a placement as it is before a call, which is as long as that of 2.0 at the least.
#[inline(always)]
unsafe fn answer_node(address: *mut PlacementAnswer, node: u32) {
    // SAFETY: both fields are there in all versions.
    unsafe { ((*address).kind, (*address).node) = (PLACEMENT_NODE, node) }
}

/// Writes what there is room for.
///
/// # Safety
/// There must be room for so many bytes.
#[cold]
#[inline(never)]
unsafe fn answer_in_part<A>(address: *mut A, answer: &A, bytes: usize) {
    // SAFETY: both have as many bytes.
    unsafe { std::ptr::copy_nonoverlapping(std::ptr::from_ref(answer).cast::<u8>(), address.cast::<u8>(), bytes) }
}

/// Makes an instance, as [`PolicyRecord::create`](crate::abi::PolicyRecord) asks.
pub(super) unsafe extern "C" fn create<T: Policy>(
    context: *const PolicyContext,
    values: Slice<'_, Value>,
    made: *mut *mut (),
) -> u32 {
    // SAFETY: the context is the host's, and there during the call.
    let context = unsafe { &*context };
    let cause = match catch_unwind(AssertUnwindSafe(|| T::new(T::Parameters::read(&values), context))) {
        Ok(Ok(policy)) => {
            // SAFETY: the host wants the address there.
            unsafe { *made = Instance::leak(policy, context) };
            return OK;
        }
        Ok(Err(refusal)) => refusal.to_string(),
        Err(payload) => panicked(payload),
    };
    // SAFETY: the host is there during the call.
    unsafe { fail(context.host, context.handle.0, &cause) }
}

/// Ends an instance.
pub(super) unsafe extern "C" fn destroy<T>(address: *mut ()) {
    // SAFETY: made by `Instance::leak`, and not used again.
    let instance = unsafe { Box::from_raw(address.cast::<Instance<T>>()) };
    // What a policy has to say when it goes can no longer change a result.
    let drop = AssertUnwindSafe(move || drop(ManuallyDrop::into_inner(instance.policy)));
    catch_unwind(drop).unwrap_or_else(std::mem::forget);
}

/// The tables of a policy.
pub(super) struct Tables<T>(PhantomData<T>);

macro_rules! common_ears {
    ($trait:ident) => {
        unsafe extern "C" fn on_workflow<T: $trait>(address: *mut (), workflow: *const WorkflowView<'_>) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.on_workflow(&*workflow)) }
        }
        container_ears!($trait);
    };
}

macro_rules! container_ears {
    ($trait:ident) => {
        unsafe extern "C" fn on_container<T: $trait>(address: *mut (), event: *const ContainerEvent) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.on_container(&*event)) }
        }
        unsafe extern "C" fn on_timer<T: $trait>(address: *mut (), timer: u64, cluster: *const ClusterView<'_>) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.on_timer(timer, &*cluster)) }
        }
    };
}

/// The functions that a table of node allocation has in common for those that place and those that plan.
macro_rules! allocation_ears {
    ($trait:ident) => {
        unsafe extern "C" fn rules<T: $trait>(address: *mut (), rules: *mut u32) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| *rules = of.policy.rules().to_bits()) }
        }
        unsafe extern "C" fn observe<T: $trait>(address: *mut (), node: u32, view: *const NodeView, up: u32) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.observe(node, &*view, up != 0)) }
        }
        unsafe extern "C" fn source<T: $trait>(address: *mut (), copy: *const CopyView<'_>, node: *mut u32) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| *node = of.policy.source(&*copy)) }
        }
        unsafe extern "C" fn observe_link<T: $trait>(address: *mut (), link: *const LinkView<'_>) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.observe_link(&*link)) }
        }
        unsafe extern "C" fn on_end<T: $trait>(address: *mut (), end: *const End) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.on_end(&*end)) }
        }
        common_ears!($trait);
    };
}

impl<T: NodeAllocation> Tables<T> {
    /// Of a policy that is asked about one request after the other.
    pub(super) const PLACES: &'static NodeAllocationTable = {
        allocation_ears!(NodeAllocation);
        unsafe extern "C" fn place<T: NodeAllocation>(
            address: *mut (),
            request: *const RequestView,
            cluster: *const ClusterView<'_>,
            answered: *mut PlacementAnswer,
        ) -> u32 {
            // SAFETY: as the table asks.
            unsafe {
                call::<T>(address, |of| match of.policy.place(&*request, &*cluster) {
                    Placement::Node(node) => answer_node(answered, node),
                    other => answer(answered, of.placed(other)),
                })
            }
        }
        unsafe extern "C" fn rank<T: NodeAllocation>(
            address: *mut (),
            request: *const RequestView,
            now: u64,
            rank: *mut u64,
        ) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| *rank = of.policy.rank(&*request, now)) }
        }
        unsafe extern "C" fn shed<T: NodeAllocation>(
            address: *mut (),
            queue: *const QueueView<'_>,
            answered: *mut ShedAnswer,
        ) -> u32 {
            // SAFETY: as the table asks.
            unsafe {
                call::<T>(address, |of| {
                    if let Some(Shed { head, reason }) = of.policy.shed(&*queue) {
                        let (size, reason) = (size_of::<ShedAnswer>() as u32, of.keep(reason));
                        answer(answered, ShedAnswer { size, head, reason });
                    }
                })
            }
        }
        unsafe extern "C" fn on_delayed_start<T: NodeAllocation>(address: *mut (), start: *const DelayedStart) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.on_delayed_start(&*start)) }
        }
        &NodeAllocationTable {
            size: size_of::<NodeAllocationTable>() as u32,
            rules: Some(rules::<T>),
            place: Some(place::<T>),
            plan: None,
            rank: Some(rank::<T>),
            observe: Some(observe::<T>),
            observe_link: Some(observe_link::<T>),
            source: Some(source::<T>),
            on_end: Some(on_end::<T>),
            on_delayed_start: Some(on_delayed_start::<T>),
            shed: Some(shed::<T>),
            on_timer: Some(on_timer::<T>),
            on_container: Some(on_container::<T>),
            on_workflow: Some(on_workflow::<T>),
        }
    };
}

impl<T> Instance<T> {
    #[inline]
    fn placed(&mut self, placement: Placement) -> PlacementAnswer {
        let size = size_of::<PlacementAnswer>() as u32;
        let (reason, until, container) = (Text::EMPTY, u64::MAX, NONE);
        let nodes = Slice::new(&[]);
        let answer = |kind, node| PlacementAnswer { size, kind, node, container, reason, until, nodes };
        match placement {
            Placement::Node(node) => answer(PLACEMENT_NODE, node),
            Placement::Wait => answer(PLACEMENT_WAIT, NONE),
            Placement::Reject(reason) => {
                PlacementAnswer { reason: self.keep(reason), ..answer(PLACEMENT_REJECT, NONE) }
            }
            Placement::Busy { node, until } => PlacementAnswer { until, ..answer(PLACEMENT_BUSY, node) },
            Placement::Queue { nodes, until } => {
                self.nodes = nodes;
                PlacementAnswer { until, nodes: Slice::answered(&self.nodes), ..answer(PLACEMENT_QUEUE, NONE) }
            }
            Placement::Warm { node, container } => PlacementAnswer { container, ..answer(PLACEMENT_WARM, node) },
            Placement::Cold { node } => answer(PLACEMENT_COLD, node),
        }
    }

    fn keep(&mut self, reason: String) -> Text {
        self.reason = reason;
        Text::lent(&self.reason)
    }
}

impl<T: BatchAllocation> Tables<T> {
    /// Of a policy that plans for the whole queue.
    pub(super) const PLANS: &'static NodeAllocationTable = {
        allocation_ears!(BatchAllocation);
        unsafe extern "C" fn plan<T: BatchAllocation>(
            address: *mut (),
            batch: *const BatchView<'_>,
            sink: *const PlanSink,
        ) -> u32 {
            // SAFETY: as the table asks.
            unsafe {
                call::<T>(address, |of| {
                    of.plan.clear();
                    of.policy.plan(&*batch, &mut of.plan);
                    let sink = &*sink;
                    of.plan.iter().for_each(|item| (sink.add)(sink.sink, &item.to_record()));
                })
            }
        }
        &NodeAllocationTable {
            size: size_of::<NodeAllocationTable>() as u32,
            rules: Some(rules::<T>),
            place: None,
            plan: Some(plan::<T>),
            rank: None,
            observe: Some(observe::<T>),
            observe_link: Some(observe_link::<T>),
            source: Some(source::<T>),
            on_end: Some(on_end::<T>),
            on_delayed_start: None,
            shed: None,
            on_timer: Some(on_timer::<T>),
            on_container: Some(on_container::<T>),
            on_workflow: Some(on_workflow::<T>),
        }
    };
}

impl PlanItem {
    fn to_record(self) -> PlanItemRecord {
        let (kind, request, image, node, container) = match self {
            Self::Run { request, node } => (PLAN_RUN, request, NONE, node, NONE),
            Self::RunWarm { request, node, container } => (PLAN_RUN_WARM, request, NONE, node, container),
            Self::RunCold { request, node } => (PLAN_RUN_COLD, request, NONE, node, NONE),
            Self::Load { image, node } => (PLAN_LOAD, NONE, image, node, NONE),
            Self::Copy { image, node } => (PLAN_COPY, NONE, image, node, NONE),
        };
        PlanItemRecord { size: size_of::<PlanItemRecord>() as u32, kind, request, image, node, container }
    }
}

impl<T: Eviction> Tables<T> {
    /// Of an eviction policy.
    pub(super) const EVICTS: &'static EvictionTable = {
        unsafe extern "C" fn on_timer<T: Eviction>(address: *mut (), timer: u64, now: u64) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.on_timer(timer, now)) }
        }
        unsafe extern "C" fn rules<T: Eviction>(address: *mut (), rules: *mut u32) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| *rules = of.policy.rules().to_bits()) }
        }
        unsafe extern "C" fn insert<T: Eviction>(address: *mut (), item: *const EvictionItem) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.insert(&*item)) }
        }
        unsafe extern "C" fn touch<T: Eviction>(address: *mut (), id: u32, touch: Touch, now: u64) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.touch(id, touch, now)) }
        }
        unsafe extern "C" fn remove<T: Eviction>(address: *mut (), id: u32, removal: Removal, now: u64) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.remove(id, removal, now)) }
        }
        unsafe extern "C" fn choose<T: Eviction>(
            address: *mut (),
            need: *const Need,
            victims: *const VictimSinkRecord,
        ) -> u32 {
            // SAFETY: as the table asks; the sink is there during the call.
            unsafe { call::<T>(address, |of| of.policy.choose(&*need, &mut Victims::crossed(&*victims))) }
        }
        unsafe extern "C" fn created<T: Eviction>(
            address: *mut (),
            container: *const EvictionItem,
            creation: Creation,
        ) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.created(&*container, creation)) }
        }
        unsafe extern "C" fn ended<T: Eviction>(address: *mut (), id: u32, now: u64) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.ended(id, now)) }
        }
        &EvictionTable {
            size: size_of::<EvictionTable>() as u32,
            rules: Some(rules::<T>),
            insert: Some(insert::<T>),
            touch: Some(touch::<T>),
            remove: Some(remove::<T>),
            choose: Some(choose::<T>),
            created: Some(created::<T>),
            ended: Some(ended::<T>),
            on_timer: Some(on_timer::<T>),
        }
    };
}

impl<T: Admission> Tables<T> {
    /// Of an admission policy.
    pub(super) const ADMITS: &'static AdmissionTable = {
        common_ears!(Admission);
        unsafe extern "C" fn rules<T: Admission>(address: *mut (), rules: *mut u32) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| *rules = of.policy.rules().to_bits()) }
        }
        unsafe extern "C" fn admit<T: Admission>(
            address: *mut (),
            request: *const RequestView,
            view: *const AdmissionView<'_>,
            answered: *mut AdmissionAnswer,
        ) -> u32 {
            // SAFETY: as the table asks.
            unsafe {
                call::<T>(address, |of| {
                    let (kind, delay, reason) = match of.policy.admit(&*request, &*view) {
                        AdmissionDecision::Admit => (ADMISSION_ADMIT, 0, Text::EMPTY),
                        AdmissionDecision::Delay(delay) => (ADMISSION_DELAY, delay, Text::EMPTY),
                        AdmissionDecision::Reject(reason) => (ADMISSION_REJECT, 0, of.keep(reason)),
                    };
                    let size = size_of::<AdmissionAnswer>() as u32;
                    answer(answered, AdmissionAnswer { size, kind, delay, reason });
                })
            }
        }
        unsafe extern "C" fn on_end<T: Admission>(address: *mut (), end: *const End) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.on_end(&*end)) }
        }
        &AdmissionTable {
            size: size_of::<AdmissionTable>() as u32,
            rules: Some(rules::<T>),
            admit: Some(admit::<T>),
            on_end: Some(on_end::<T>),
            on_timer: Some(on_timer::<T>),
            on_container: Some(on_container::<T>),
            on_workflow: Some(on_workflow::<T>),
        }
    };
}

impl<T: KeepAlive> Tables<T> {
    /// Of a keep-alive policy.
    pub(super) const KEEPS: &'static KeepAliveTable = {
        common_ears!(KeepAlive);
        unsafe extern "C" fn rules<T: KeepAlive>(address: *mut (), rules: *mut u32) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| *rules = of.policy.rules().to_bits()) }
        }
        unsafe extern "C" fn on_idle<T: KeepAlive>(
            address: *mut (),
            completion: *const Completion<'_>,
            answered: *mut RetentionAnswer,
        ) -> u32 {
            // SAFETY: as the table asks.
            unsafe {
                call::<T>(address, |of| {
                    let keep_for = of.policy.on_idle(&*completion).keep_for;
                    let size = size_of::<RetentionAnswer>() as u32;
                    answer(answered, RetentionAnswer { size, reserved: 0, keep_for });
                })
            }
        }
        unsafe extern "C" fn on_arrival<T: KeepAlive>(address: *mut (), function: u32, now: u64) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| of.policy.on_arrival(function, now)) }
        }
        unsafe extern "C" fn prewarm<T: KeepAlive>(
            address: *mut (),
            completion: *const Completion<'_>,
            answered: *mut PrewarmingAnswer,
        ) -> u32 {
            // SAFETY: as the table asks.
            unsafe {
                call::<T>(address, |of| {
                    let crate::Prewarming { after, keep_for } = of.policy.prewarm(&*completion);
                    let size = size_of::<PrewarmingAnswer>() as u32;
                    answer(answered, PrewarmingAnswer { size, reserved: 0, after, keep_for });
                })
            }
        }
        &KeepAliveTable {
            size: size_of::<KeepAliveTable>() as u32,
            rules: Some(rules::<T>),
            on_idle: Some(on_idle::<T>),
            on_arrival: Some(on_arrival::<T>),
            prewarm: Some(prewarm::<T>),
            on_timer: Some(on_timer::<T>),
            on_container: Some(on_container::<T>),
            on_workflow: Some(on_workflow::<T>),
        }
    };
}

impl<T: Autoscaling> Tables<T> {
    /// Of an autoscaling policy.
    pub(super) const SCALES: &'static AutoscalingTable = {
        container_ears!(Autoscaling);
        unsafe extern "C" fn rules<T: Autoscaling>(address: *mut (), rules: *mut u32) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| *rules = of.policy.rules().to_bits()) }
        }
        unsafe extern "C" fn period<T: Autoscaling>(address: *mut (), period: *mut u64) -> u32 {
            // SAFETY: as the table asks.
            unsafe { call::<T>(address, |of| *period = of.policy.rules().period) }
        }
        unsafe extern "C" fn scale<T: Autoscaling>(
            address: *mut (),
            view: *const ScaleView,
            answered: *mut ScaleAnswer,
        ) -> u32 {
            // SAFETY: as the table asks.
            unsafe {
                call::<T>(address, |of| {
                    let Scale { wanted } = of.policy.scale(&*view);
                    answer(answered, ScaleAnswer { size: size_of::<ScaleAnswer>() as u32, wanted });
                })
            }
        }
        unsafe extern "C" fn scale_pool<T: Autoscaling>(
            address: *mut (),
            pool: *const NodePoolView<'_>,
            answered: *mut PoolScaleAnswer,
        ) -> u32 {
            // SAFETY: as the table asks.
            unsafe {
                call::<T>(address, |of| {
                    let PoolScale { boot, remove } = of.policy.scale_pool(&*pool);
                    of.nodes = remove;
                    let remove = Slice::answered(&of.nodes);
                    answer(answered, PoolScaleAnswer { size: size_of::<PoolScaleAnswer>() as u32, boot, remove });
                })
            }
        }
        &AutoscalingTable {
            size: size_of::<AutoscalingTable>() as u32,
            rules: Some(rules::<T>),
            period: Some(period::<T>),
            scale: Some(scale::<T>),
            on_timer: Some(on_timer::<T>),
            on_container: Some(on_container::<T>),
            scale_pool: Some(scale_pool::<T>),
        }
    };
}

/// The tables of a policy, by the names of its roles, for [`controller!`](crate::controller).
#[doc(hidden)]
pub mod tables {
    use super::Tables;
    use crate::abi::{AdmissionTable, AutoscalingTable, KeepAliveTable, NodeAllocationTable};
    use crate::{Admission, Autoscaling, KeepAlive, NodeAllocation};

    pub const fn node_allocation<T: NodeAllocation + 'static>() -> &'static NodeAllocationTable {
        Tables::<T>::PLACES
    }

    pub const fn admission<T: Admission + 'static>() -> &'static AdmissionTable {
        Tables::<T>::ADMITS
    }

    pub const fn keep_alive<T: KeepAlive + 'static>() -> &'static KeepAliveTable {
        Tables::<T>::KEEPS
    }

    pub const fn autoscaling<T: Autoscaling + 'static>() -> &'static AutoscalingTable {
        Tables::<T>::SCALES
    }
}
