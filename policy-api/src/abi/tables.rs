//! A table of functions for each role that a policy can have, and the records that they are answered by.
//!
//! Each function is called with the instance that `create` has made, and answers [`OK`](super::OK) or, after it has called
//! [`Host::fail`](super::Host::fail), [`FAILED`](super::FAILED). Answers are written into a record of the caller's, which holds
//! its size and, where there is one, the answer that costs nothing. No two calls for one instance are under way at once.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use super::{Slice, Text, VictimSinkRecord};
use crate::{
    AdmissionView, BatchView, ClusterView, Completion, ContainerEvent, CopyView, Creation, DelayedStart, End,
    EvictionItem, LinkView, Need, NodePoolView, NodeView, QueueView, Removal, RequestView, ScaleView, Touch,
    WorkflowView,
};

/// Where an invocation runs. Neither of two policies need have all functions: what is null is not called, and is not to be asked for
/// in the rules. A policy has either `place` or `plan`.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct NodeAllocationTable {
    /// Size of this table in bytes.
    pub size: u32,
    /// Writes how the policy is to be asked, as `HEARTH_RULE_…` added up. Called once, after `create`; null is 0.
    pub rules: Option<unsafe extern "C" fn(policy: *mut (), rules: *mut u32) -> u32>,
    /// Where a request runs.
    pub place: Option<
        unsafe extern "C" fn(
            policy: *mut (),
            request: *const RequestView,
            cluster: *const ClusterView<'_>,
            answer: *mut PlacementAnswer,
        ) -> u32,
    >,
    /// What is done with all that wait; for policies that plan for the whole queue.
    pub plan: Option<unsafe extern "C" fn(policy: *mut (), batch: *const BatchView<'_>, plan: *const PlanSink) -> u32>,
    /// The rank of a request, for `HEARTH_RULE_RANKS`.
    pub rank:
        Option<unsafe extern "C" fn(policy: *mut (), request: *const RequestView, now: u64, rank: *mut u64) -> u32>,
    /// A node has changed, for `HEARTH_RULE_OBSERVES`; `up` is 1 or 0.
    pub observe: Option<unsafe extern "C" fn(policy: *mut (), node: u32, view: *const NodeView, up: u32) -> u32>,
    /// A link has changed, for `HEARTH_RULE_OBSERVES`; may be null all the same.
    pub observe_link: Option<unsafe extern "C" fn(policy: *mut (), link: *const LinkView<'_>) -> u32>,
    /// An attempt has ended, for `HEARTH_RULE_OBSERVES_ENDS`.
    pub on_end: Option<unsafe extern "C" fn(policy: *mut (), end: *const End) -> u32>,
    /// One that waited for a busy container has got one, or one that stood in the queues of nodes a core, for
    /// `HEARTH_RULE_OBSERVES_ENDS`; may be null all the same.
    pub on_delayed_start: Option<unsafe extern "C" fn(policy: *mut (), start: *const DelayedStart) -> u32>,
    /// A timer has gone off that was set by `wake_at` of the host.
    pub on_timer: Option<unsafe extern "C" fn(policy: *mut (), timer: u64, cluster: *const ClusterView<'_>) -> u32>,
    /// Whether one of those who wait is rejected, for `HEARTH_RULE_SHEDS`.
    pub shed:
        Option<unsafe extern "C" fn(policy: *mut (), queue: *const QueueView<'_>, answer: *mut ShedAnswer) -> u32>,
    /// Something has become of a container, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    pub on_container: Option<unsafe extern "C" fn(policy: *mut (), event: *const ContainerEvent) -> u32>,
    /// There is a workflow, for `HEARTH_RULE_SEES_WORKFLOWS`.
    pub on_workflow: Option<unsafe extern "C" fn(policy: *mut (), workflow: *const WorkflowView<'_>) -> u32>,
    /// Writes from which node an image is copied, for `HEARTH_RULE_CHOOSES_SOURCES`; `HEARTH_NONE`, as before the call, is the head.
    pub source: Option<unsafe extern "C" fn(policy: *mut (), copy: *const CopyView<'_>, node: *mut u32) -> u32>,
}

/// The answer to "where does this invocation run?".
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct PlacementAnswer {
    /// Size of this record in bytes.
    pub size: u32,
    /// One of `HEARTH_PLACEMENT_…`; `HEARTH_PLACEMENT_WAIT` before the call.
    pub kind: u32,
    /// The node, for `HEARTH_PLACEMENT_NODE`, `HEARTH_PLACEMENT_BUSY`, `HEARTH_PLACEMENT_WARM` and `HEARTH_PLACEMENT_COLD`;
    /// `HEARTH_NONE` before the call.
    pub node: u32,
    /// The container, by its number within the node, for `HEARTH_PLACEMENT_WARM`; `HEARTH_NONE` before the call.
    pub container: u32,
    /// Why, for `HEARTH_PLACEMENT_REJECT`. It must last until the next call for the instance.
    pub reason: Text,
    /// Until when it waits, in ns, for `HEARTH_PLACEMENT_BUSY` and `HEARTH_PLACEMENT_QUEUE`; `UINT64_MAX`, as before the call, is no
    /// date.
    pub until: u64,
    /// The nodes in whose queues it stands, for `HEARTH_PLACEMENT_QUEUE`; none before the call. They must last until the next call
    /// for the instance.
    pub nodes: Slice<'static, u32>,
}

/// Which of those who wait is rejected.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct ShedAnswer {
    /// Size of this record in bytes.
    pub size: u32,
    /// Its place among the heads of the queue; `HEARTH_NONE`, as before the call, is nobody.
    pub head: u32,
    /// Why. It must last until the next call for the instance.
    pub reason: Text,
}

/// Where `plan` puts its decisions.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct PlanSink {
    /// Size of this record in bytes.
    pub size: u32,
    /// Adds a decision, in the order in which they count.
    pub add: unsafe extern "C" fn(sink: *mut (), item: *const PlanItemRecord),
    /// What `add` is to be called with.
    pub sink: *mut (),
}

/// A decision of a plan.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct PlanItemRecord {
    /// Size of this record in bytes.
    pub size: u32,
    /// One of `HEARTH_PLAN_…`.
    pub kind: u32,
    /// Position in the queue, for `HEARTH_PLAN_RUN`, `HEARTH_PLAN_RUN_WARM` and `HEARTH_PLAN_RUN_COLD`.
    pub request: u32,
    /// The image, for `HEARTH_PLAN_LOAD` and `HEARTH_PLAN_COPY`.
    pub image: u32,
    /// The node.
    pub node: u32,
    /// The container, by its number within the node, for `HEARTH_PLAN_RUN_WARM`.
    pub container: u32,
}

/// Which idle containers or images go when room is needed.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct EvictionTable {
    /// Size of this table in bytes.
    pub size: u32,
    /// Writes how the policy is to be told, as `HEARTH_RULE_…` added up. Called once, after `create`; null is 0.
    pub rules: Option<unsafe extern "C" fn(policy: *mut (), rules: *mut u32) -> u32>,
    /// An item may be evicted from now on.
    pub insert: Option<unsafe extern "C" fn(policy: *mut (), item: *const EvictionItem) -> u32>,
    /// An item was used, at a date in ns; may be null.
    pub touch: Option<unsafe extern "C" fn(policy: *mut (), id: u32, touch: Touch, now: u64) -> u32>,
    /// An item is gone, since a date in ns.
    pub remove: Option<unsafe extern "C" fn(policy: *mut (), id: u32, removal: Removal, now: u64) -> u32>,
    /// Offers victims.
    pub choose:
        Option<unsafe extern "C" fn(policy: *mut (), need: *const Need, victims: *const VictimSinkRecord) -> u32>,
    /// A container was made, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    pub created:
        Option<unsafe extern "C" fn(policy: *mut (), container: *const EvictionItem, creation: Creation) -> u32>,
    /// A container in use has ended, at a date in ns, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    pub ended: Option<unsafe extern "C" fn(policy: *mut (), id: u32, now: u64) -> u32>,
    /// A timer has gone off that was set by `wake_at` of the host.
    pub on_timer: Option<unsafe extern "C" fn(policy: *mut (), timer: u64, now: u64) -> u32>,
}

/// Which requests are let in.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct AdmissionTable {
    /// Size of this table in bytes.
    pub size: u32,
    /// Writes how the policy is to be asked, as `HEARTH_RULE_…` added up. Called once, after `create`; null is 0.
    pub rules: Option<unsafe extern "C" fn(policy: *mut (), rules: *mut u32) -> u32>,
    /// Whether a request is let in.
    pub admit: Option<
        unsafe extern "C" fn(
            policy: *mut (),
            request: *const RequestView,
            view: *const AdmissionView<'_>,
            answer: *mut AdmissionAnswer,
        ) -> u32,
    >,
    /// An attempt has ended, for `HEARTH_RULE_OBSERVES_ENDS`.
    pub on_end: Option<unsafe extern "C" fn(policy: *mut (), end: *const End) -> u32>,
    /// A timer has gone off that was set by `wake_at` of the host.
    pub on_timer: Option<unsafe extern "C" fn(policy: *mut (), timer: u64, cluster: *const ClusterView<'_>) -> u32>,
    /// Something has become of a container, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    pub on_container: Option<unsafe extern "C" fn(policy: *mut (), event: *const ContainerEvent) -> u32>,
    /// There is a workflow, for `HEARTH_RULE_SEES_WORKFLOWS`.
    pub on_workflow: Option<unsafe extern "C" fn(policy: *mut (), workflow: *const WorkflowView<'_>) -> u32>,
}

/// What happens to a request.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct AdmissionAnswer {
    /// Size of this record in bytes.
    pub size: u32,
    /// One of `HEARTH_ADMISSION_…`; `HEARTH_ADMISSION_ADMIT` before the call.
    pub kind: u32,
    /// After how many ns it is asked about again, for `HEARTH_ADMISSION_DELAY`.
    pub delay: u64,
    /// Why, for `HEARTH_ADMISSION_REJECT`. It must last until the next call for the instance.
    pub reason: Text,
}

/// How long idle containers stay.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct KeepAliveTable {
    /// Size of this table in bytes.
    pub size: u32,
    /// Writes how the policy is to be told, as `HEARTH_RULE_…` added up. Called once, after `create`; null is 0.
    pub rules: Option<unsafe extern "C" fn(policy: *mut (), rules: *mut u32) -> u32>,
    /// A container has become idle.
    pub on_idle: Option<
        unsafe extern "C" fn(policy: *mut (), completion: *const Completion<'_>, answer: *mut RetentionAnswer) -> u32,
    >,
    /// A request was submitted, for `HEARTH_RULE_OBSERVES_ARRIVALS`.
    pub on_arrival: Option<unsafe extern "C" fn(policy: *mut (), function: u32, now: u64) -> u32>,
    /// Whether a container is started later for the next request; null is never.
    pub prewarm: Option<
        unsafe extern "C" fn(policy: *mut (), completion: *const Completion<'_>, answer: *mut PrewarmingAnswer) -> u32,
    >,
    /// A timer has gone off that was set by `wake_at` of the host.
    pub on_timer: Option<unsafe extern "C" fn(policy: *mut (), timer: u64, cluster: *const ClusterView<'_>) -> u32>,
    /// Something has become of a container, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    pub on_container: Option<unsafe extern "C" fn(policy: *mut (), event: *const ContainerEvent) -> u32>,
    /// There is a workflow, for `HEARTH_RULE_SEES_WORKFLOWS`.
    pub on_workflow: Option<unsafe extern "C" fn(policy: *mut (), workflow: *const WorkflowView<'_>) -> u32>,
}

/// What becomes of an idle container.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct RetentionAnswer {
    /// Size of this record in bytes.
    pub size: u32,
    /// Not used yet: 0.
    pub reserved: u32,
    /// How long it is kept, in ns; 0, as before the call, ends it at once, and `UINT64_MAX` keeps it.
    pub keep_for: u64,
}

/// A container to be started ahead of the next request.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct PrewarmingAnswer {
    /// Size of this record in bytes.
    pub size: u32,
    /// Not used yet: 0.
    pub reserved: u32,
    /// How long after the completion its start begins, in ns; `UINT64_MAX`, as before the call, is never.
    pub after: u64,
    /// How long it is kept from the end of its start unless it is used or evicted before, in ns; `UINT64_MAX` keeps it.
    pub keep_for: u64,
}

/// How many instances functions have, and how many nodes pools have. Either of `scale` and `scale_pool` may be null. Since 2.1.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct AutoscalingTable {
    /// Size of this table in bytes.
    pub size: u32,
    /// Writes how the policy is to be asked, as `HEARTH_RULE_…` added up. Called once, after `create`; null is 0.
    pub rules: Option<unsafe extern "C" fn(policy: *mut (), rules: *mut u32) -> u32>,
    /// Writes how long it is from one tick to the next, in ns: 0 is never, and 2 s stand there before the call. Called once, after
    /// `rules`; null is 2 s.
    pub period: Option<unsafe extern "C" fn(policy: *mut (), period: *mut u64) -> u32>,
    /// How many instances a function is to have: at a request while there are none, none are wanted and nobody waits; at each tick
    /// otherwise; and for `HEARTH_RULE_ASKED_ON_REQUESTS` when a request finds no instance with room.
    pub scale: Option<unsafe extern "C" fn(policy: *mut (), view: *const ScaleView, answer: *mut ScaleAnswer) -> u32>,
    /// A timer has gone off that was set by `wake_at` of the host.
    pub on_timer: Option<unsafe extern "C" fn(policy: *mut (), timer: u64, cluster: *const ClusterView<'_>) -> u32>,
    /// Something has become of a container, for `HEARTH_RULE_OBSERVES_CONTAINERS`.
    pub on_container: Option<unsafe extern "C" fn(policy: *mut (), event: *const ContainerEvent) -> u32>,
    /// What becomes of the nodes of a pool, at each tick, for `HEARTH_RULE_SCALES_POOLS`.
    pub scale_pool: Option<
        unsafe extern "C" fn(policy: *mut (), pool: *const NodePoolView<'_>, answer: *mut PoolScaleAnswer) -> u32,
    >,
}

/// What becomes of the nodes of a pool.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct PoolScaleAnswer {
    /// Size of this record in bytes.
    pub size: u32,
    /// So many more are to be on; 0 before the call. The host boots no more than `max` of the view allows.
    pub boot: u32,
    /// The nodes that are to go off, in this order, down to `min` of the view; none before the call. They must last until the next
    /// call for the instance.
    pub remove: Slice<'static, u32>,
}

/// How many instances there are to be.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct ScaleAnswer {
    /// Size of this record in bytes.
    pub size: u32,
    /// So many; `wanted` of the view before the call. The host holds it between `min_scale` and `max_scale`.
    pub wanted: u32,
}

impl NodeAllocationTable {
    /// A table without functions.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        rules: None,
        place: None,
        plan: None,
        rank: None,
        observe: None,
        observe_link: None,
        on_end: None,
        on_delayed_start: None,
        on_timer: None,
        shed: None,
        on_container: None,
        on_workflow: None,
        source: None,
    };
}

impl EvictionTable {
    /// A table without functions.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        rules: None,
        insert: None,
        touch: None,
        remove: None,
        choose: None,
        created: None,
        ended: None,
        on_timer: None,
    };
}

impl AdmissionTable {
    /// A table without functions.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        rules: None,
        admit: None,
        on_end: None,
        on_timer: None,
        on_container: None,
        on_workflow: None,
    };
}

impl KeepAliveTable {
    /// A table without functions.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        rules: None,
        on_idle: None,
        on_arrival: None,
        prewarm: None,
        on_timer: None,
        on_container: None,
        on_workflow: None,
    };
}

impl AutoscalingTable {
    /// A table without functions.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        rules: None,
        period: None,
        scale: None,
        on_timer: None,
        on_container: None,
        scale_pool: None,
    };
}
