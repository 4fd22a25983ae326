//! Where every field of every record lies, as numbers that a library carries and a host compares with its own before any code
//! of the library runs.

use std::mem::offset_of;

use super::{
    AdmissionAnswer, AdmissionTable, AutoscalingTable, EvictionTable, Host, KeepAliveTable, LibraryHeader,
    NodeAllocationTable, Parameter, PlacementAnswer, PlanItemRecord, PlanSink, PolicyRecord, PoolScaleAnswer,
    PrewarmingAnswer, Records, RetentionAnswer, ScaleAnswer, ShedAnswer, Slice, Text, Value, VictimSinkRecord,
};
use crate::containers::ContainersOf;
use crate::{
    AdmissionView, BatchView, ClusterView, Completion, ContainerEvent, ContainerView, CopyView, DelayedStart, End,
    EvictionItem, FunctionHistory, FunctionView, LinkView, Need, NodePoolView, NodeSet, NodeView, PendingView,
    PolicyContext, PoolNodeView, QueueView, RequestView, ScaleView, TaskView, WorkflowView,
};

/// A number of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The record, as it is called in C.
    pub record: &'static str,
    /// The field; none stands for the size of the record.
    pub name: Option<&'static str>,
    /// How many bytes of the record lie before the field, or the size.
    pub bytes: u16,
}

macro_rules! layout {
    ($($c_name:ident = ($type:ty) $path:ident { $($field:ident),* $(; $phantom:ident)? })+) => {
        /// All numbers but those that count fields, with what they mean.
        pub const FIELDS: [Field; LAYOUT_LENGTH - RECORDS] = [$(
            Field { record: stringify!($c_name), name: None, bytes: size_of::<$type>() as u16 },
            $(Field { record: stringify!($c_name), name: Some(stringify!($field)), bytes: offset_of!($type, $field) as u16 },)*
        )+];

        /// How many records there are.
        const RECORDS: usize = [$(stringify!($c_name)),+].len();

        /// How many numbers there are: `HEARTH_LAYOUT_LENGTH`.
        pub const LAYOUT_LENGTH: usize = [$(
            stringify!($c_name), stringify!($c_name), $(stringify!($field),)*
        )+].len();

        /// For each record its size, how many fields follow, and where each lies: `HEARTH_LAYOUT`.
        pub const LAYOUT: [u16; LAYOUT_LENGTH] = [$(
            size_of::<$type>() as u16,
            [$(stringify!($field)),*].len() as u16,
            $(offset_of!($type, $field) as u16,)*
        )+];

        /// By record: where its last field ends, and its size.
        #[cfg(test)]
        fn ends() -> Vec<(&'static str, usize, usize)> {
            /// The size of what a function gives a part of.
            fn size_of_part<R, F>(_part: fn(&R) -> &F) -> usize {
                size_of::<F>()
            }
            vec![$({
                let ends = [$(offset_of!($type, $field) + size_of_part(|record: &$type| &record.$field)),*];
                (stringify!($c_name), ends.into_iter().max().unwrap_or(0), size_of::<$type>())
            }),+]
        }

        /// Does not compile when a field is missing below.
        const _: () = {
            $(
                #[allow(dead_code)]
                fn $c_name(record: $type) {
                    let $path { $($field: _,)* $($phantom: _)? } = record;
                }
            )+
        };
    };
}

layout! {
    hearth_text = (Text) Text { data, length }
    hearth_numbers = (Slice<'static, u32>) Slice { data, length; lent }
    hearth_nodes = (Records<'static, NodeView>) Records { data, length, stride; lent }
    hearth_value = (Value) Value { integer, number, text }
    hearth_node_set = (NodeSet<'static>) NodeSet { bits, summary }
    hearth_library_header = (LibraryHeader) LibraryHeader {
        size, major, minor, needs_minor, aborts, layout_length, policies, prepare, described
    }
    hearth_policy = (PolicyRecord) PolicyRecord {
        size, not_promised, name, version, description, parameters, create, destroy, node_allocation, eviction, admission,
        keep_alive, autoscaling
    }
    hearth_parameter = (Parameter) Parameter { size, kind, name, unit, help, min, max, default_value, words }
    hearth_host = (Host) Host { size, fail, hold, release, wake_at, start_containers, end_containers, hedge, set_rank, take_back, keep_between, log, log_level, reserved }
    hearth_context = (PolicyContext) PolicyContext { size, slot, seed, nodes, node, ram, disk, host, handle }
    hearth_node_allocation = (NodeAllocationTable) NodeAllocationTable {
        size, rules, place, plan, rank, observe, observe_link, on_end, on_delayed_start, on_timer, shed, on_container, on_workflow, source }
    hearth_placement = (PlacementAnswer) PlacementAnswer { size, kind, node, container, reason, until, nodes }
    hearth_plan = (PlanSink) PlanSink { size, add, sink }
    hearth_plan_item = (PlanItemRecord) PlanItemRecord { size, kind, request, image, node, container }
    hearth_eviction = (EvictionTable) EvictionTable { size, rules, insert, touch, remove, choose, created, ended, on_timer }
    hearth_victims = (VictimSinkRecord) VictimSinkRecord { size, offer, sink, also }
    hearth_admission = (AdmissionTable) AdmissionTable { size, rules, admit, on_end, on_timer, on_container, on_workflow }
    hearth_admission_answer = (AdmissionAnswer) AdmissionAnswer { size, kind, delay, reason }
    hearth_keep_alive = (KeepAliveTable) KeepAliveTable { size, rules, on_idle, on_arrival, prewarm, on_timer, on_container, on_workflow }
    hearth_retention = (RetentionAnswer) RetentionAnswer { size, reserved, keep_for }
    hearth_prewarming = (PrewarmingAnswer) PrewarmingAnswer { size, reserved, after, keep_for }
    hearth_node = (NodeView) NodeView {
        size, cores, free_cores, running, idle_containers, queued, speed, ram, free_ram, idle_ram, unused_image_ram, disk, free_disk,
        idle_disk, unused_image_disk
    }
    hearth_link = (LinkView<'static>) LinkView { size, link, share, nodes }
    hearth_request = (RequestView) RequestView {
        size, attempt, invocation, function, image, task, workflow, run, requested_at, submitted_at, deadline, time_limit,
        ram_limit, disk_limit, startup_overhead, key
    }
    hearth_cluster = (ClusterView<'static>) ClusterView {
        size, now, waiting, nodes, up, free_core, idle_container, image_in_ram, image_loading, image_on_disk, image_copying,
        histories, containers
    }
    hearth_function = (FunctionView<'static>) FunctionView {
        size, function, image, time_limit, ram_limit, disk_limit, idle_containers, image_in_ram, image_loading, image_on_disk,
        image_copying
    }
    hearth_batch = (BatchView<'static>) BatchView { size, now, nodes, up, queue, functions, histories, containers }
    hearth_end = (End) End {
        size, attempt, now, invocation, function, node, container, start, ending, idle_of_function, started_at, run_time,
        ram, key
    }
    hearth_item = (EvictionItem) EvictionItem { size, id, function, ram, disk, cost, since, expires }
    hearth_need = (Need) Need { size, now, ram, disk }
    hearth_admission_view = (AdmissionView<'static>) AdmissionView {
        size, delays, now, waiting, waiting_of_function, placed, running, running_of_function, free_cores, cluster
    }
    hearth_completion = (Completion<'static>) Completion { size, now, function, node, run_time, ram, idle_of_function, histories }
    hearth_delayed_start = (DelayedStart) DelayedStart { size, attempt, now, invocation, function, node, container, key }
    hearth_function_history = (FunctionHistory) FunctionHistory {
        size, busy, idle, starting, waiting, waiting_since, arrivals, last_arrival, completed, runs, mean_run_time,
        recent_run_time, cold_starts, mean_start_time
    }
    hearth_queue = (QueueView<'static>) QueueView { size, now, waiting, heads, lengths, nodes, free_core, histories }
    hearth_container_event = (ContainerEvent) ContainerEvent { size, change, now, node, container, function, ram, disk }
    hearth_task = (TaskView<'static>) TaskView { size, function, instances, after, followers }
    hearth_workflow = (WorkflowView<'static>) WorkflowView { size, workflow, deadline, tasks }
    hearth_copy = (CopyView<'static>) CopyView {
        size, image, now, bytes, node, is_on_head, sending_of_head, holders, sending
    }
    hearth_shed = (ShedAnswer) ShedAnswer { size, head, reason }
    hearth_container = (ContainerView) ContainerView {
        size, container, function, state, invocation, attempt, created, since, expires, ram, disk
    }
    hearth_containers_of = (ContainersOf<'static>) ContainersOf { context, of }
    hearth_autoscaling = (AutoscalingTable) AutoscalingTable {
        size, rules, period, scale, on_timer, on_container, scale_pool
    }
    hearth_scale = (ScaleAnswer) ScaleAnswer { size, wanted }
    hearth_scale_view = (ScaleView) ScaleView {
        size, function, now, concurrency, min_scale, max_scale, ready, starting, stopping, wanted, cause, waiting, running,
        waiting_since, arrivals, last_arrival, in_flight_seconds, running_seconds
    }
    hearth_pool_scale = (PoolScaleAnswer) PoolScaleAnswer { size, boot, remove }
    hearth_node_pool = (NodePoolView<'static>) NodePoolView { size, pool, now, min, max, nodes, pending }
    hearth_pool_node = (PoolNodeView) PoolNodeView {
        size, node, state, running, since, ram, used_ram, idle_ram, processors, used_processors
    }
    hearth_pending = (PendingView) PendingView { size, function, count, since, ram, disk, processors }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field that is added would lie in the padding, and the size of a record would not tell whether it is there.
    #[test]
    fn no_record_ends_with_padding() {
        let padded: Vec<_> = ends().into_iter().filter(|(_, end, size)| end != size).collect();
        assert_eq!(padded, []);
    }
}
