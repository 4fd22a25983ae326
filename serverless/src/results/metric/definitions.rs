//! The numbers of a summary, each defined once, in the order in which people read of them.
//!
//! Who adds a number to a summary writes its line here, and `hearth run`, `compare`, `sweep` and `report` show it. The list in
//! docs/scenario.md is made of them as well: `cargo test -p hearth-serverless documented` says what it is to be.

use super::{Definition, Over, Section, Shape, Unit};

const fn number(section: Section, path: &'static str, title: &'static str, unit: Unit) -> Definition {
    Definition::new(section, Shape::Number, path, title, unit)
}

const fn count(section: Section, path: &'static str, title: &'static str) -> Definition {
    number(section, path, title, Unit::Count)
}

const fn moved(section: Section, path: &'static str, title: &'static str) -> Definition {
    Definition::new(section, Shape::Moved, path, title, Unit::Bytes)
}

const fn distribution(section: Section, path: &'static str, title: &'static str, unit: Unit, over: Over) -> Definition {
    Definition::new(section, Shape::Distribution, path, title, unit).over(over)
}

use self::Section::{
    Containers, Cost, Energy, Faults, Images, Memory, Nodes, Processors, Requests, Simulation, Starts, Times, Workflows,
};
use self::Unit::{ByteSeconds, CoreSeconds, GibSeconds, Joules, Money, PerSecond, Plain, Seconds, Share};

/// All numbers of summaries.
#[rustfmt::skip]
pub static DEFINITIONS: &[Definition] = &[
    count(Requests, "invocations", "invocations"),
    count(Requests, "outcomes.completed", "completed requests").short("completed"),
    count(Requests, "outcomes.failed", "failed requests").short("failed"),
    count(Requests, "outcomes.lost", "lost requests").short("lost"),
    count(Requests, "outcomes.rejected", "rejected requests").short("rejected"),
    count(Requests, "outcomes.timed_out", "requests that timed out").short("timed out"),
    count(Requests, "outcomes.unfinished", "unfinished requests").short("unfinished"),

    count(Starts, "cold_starts", "cold starts").short("cold").note("dispatches to a new container"),
    count(Starts, "warm_starts", "warm starts").short("warm").note("dispatches to an idle container"),
    number(Starts, "cold_start_ratio", "share of cold starts", Share).over(Over::Starts),
    Definition::new(Starts, Shape::OfFunctions, "cold_start_ratio_of_functions", "share of cold starts", Share)
        .over(Over::Starts).note("each function that was started counts the same"),

    distribution(Times, "latency", "latency", Seconds, Over::Completed).note("requested → finished"),
    distribution(Times, "waiting", "waiting", Seconds, Over::Started).note("requested → started"),
    distribution(Times, "slowdown", "slowdown", Plain, Over::Completed)
        .note("latency over execution time, where that took time"),
    distribution(Times, "cold_start_delay", "delay of cold starts", Seconds, Over::ColdStarts)
        .note("dispatched → started"),
    number(Times, "makespan_s", "end of the last invocation", Seconds),

    moved(Images, "images.downloads", "images downloaded to the head"),
    moved(Images, "images.copies", "images copied to nodes"),
    moved(Images, "images.loads", "images loaded into RAM"),
    moved(Images, "evictions.images_in_ram", "images evicted from RAM"),
    moved(Images, "evictions.images_on_disk", "images evicted from disks of nodes").short("images evicted from disks"),
    moved(Images, "evictions.images_on_head", "images evicted from the head"),

    count(Containers, "evictions.containers", "idle containers evicted").note("to make room"),
    count(Containers, "expired_containers", "idle containers expired").note("their keep-alive was over, or a policy ended them"),
    count(Containers, "prewarmed_containers", "containers prewarmed").note("started ahead of a request"),
    count(Containers, "instances.started", "instances started").note("that got a place on a node"),
    number(Containers, "instances.seconds", "time of instances that were up", Seconds)
        .note("all together, from `measured.from_s` to `measured.to_s`"),
    count(Containers, "instances.failed_starts", "starts of instances that failed"),
    count(Containers, "instances.resumed", "instances resumed").note("that took the container of one that was paused"),
    count(Containers, "instances.restored", "instances restored").note("whose start began with a snapshot"),
    count(Containers, "instances.from_pods", "instances from pods").note("that took a generic pod"),
    count(Containers, "instances.pods", "generic pods started").note("that got a place on a node"),

    count(Nodes, "nodes.booted", "nodes booted").note("of pools"),
    count(Nodes, "nodes.removed", "nodes switched off").note("likewise"),
    number(Nodes, "nodes.seconds", "time of nodes that were on", Seconds)
        .note("of pools, all together, from `measured.from_s` to `measured.to_s`"),
    number(Nodes, "nodes.cost", "cost of nodes", Money).note("of pools, likewise"),

    number(Memory, "memory_byte_seconds.used", "memory used by invocations", ByteSeconds)
        .note("of containers that run one, from `measured.from_s` to `measured.to_s`"),
    number(Memory, "memory_byte_seconds.idle", "memory held by idle containers", ByteSeconds).note("likewise"),
    number(Memory, "measured.from_s", "first request", Seconds),
    number(Memory, "measured.to_s", "end of what is measured", Seconds)
        .note("the end of the last invocation, or of the simulation if one has not ended or more are to come"),
    number(Memory, "drain.length_s", "time after the last invocation", Seconds)
        .note("until the simulation ended; idle containers waited for their end"),
    number(Memory, "drain.memory_byte_seconds.used", "memory used after the last invocation", ByteSeconds),
    number(Memory, "drain.memory_byte_seconds.idle", "memory held idle after the last invocation", ByteSeconds),
    number(Memory, "drain.core_seconds", "processors used after the last invocation", CoreSeconds),
    number(Memory, "drain.joules", "energy taken after the last invocation", Joules),

    number(Processors, "processors.core_seconds", "processors used", CoreSeconds)
        .note("where they are shared; from `measured.from_s` to `measured.to_s`"),
    number(Processors, "processors.utilisation", "share of the processors used", Share)
        .short("utilisation").note("of the nodes that were up, likewise"),

    count(Faults, "faults.count", "faults").note("outages, slow spells and losses that came into effect"),
    count(Faults, "faults.retries", "retries").note("attempts after one that did not end well"),
    count(Faults, "faults.hedges", "hedged requests").note("attempts beside one that took long"),
    number(Faults, "faults.lost_core_seconds", "core time of attempts that did not complete", CoreSeconds)
        .short("work lost"),
    number(Faults, "service_level.availability", "share of requests that completed", Share).short("availability"),
    number(Faults, "service_level.within_deadline", "share of requests that completed within the deadline", Share)
        .note("of their function; without one, all that completed"),
    number(Faults, "service_level.goodput", "requests completed within the deadline", PerSecond)
        .note("from the first request to the end of the last invocation"),
    distribution(Faults, "faults.time_to_recover", "time to recover", Seconds, Over::Recoveries)
        .note("from the begin of a fault that ends to when no more wait than did then"),
    count(Faults, "faults.unrecovered", "faults after which the queue did not recover"),
    moved(Faults, "faults.replications", "images copied anew after losses"),

    count(Workflows, "workflows.runs", "runs of workflows").short("workflows"),
    count(Workflows, "workflows.completed", "runs of workflows that completed").short("completed"),
    count(Workflows, "workflows.failed", "runs of workflows that failed").short("failed")
        .note("a task did not complete"),
    count(Workflows, "workflows.unfinished", "unfinished runs of workflows").short("unfinished"),
    number(Workflows, "workflows.within_deadline", "share of workflows within the deadline", Share)
        .short("within deadline").note("of those that have one"),
    distribution(Workflows, "workflows.makespan", "makespan of workflows", Seconds, Over::WorkflowRuns)
        .short("makespan").note("request to end"),
    number(Workflows, "workflows.critical_path_s.waiting", "critical paths of workflows, waiting", Seconds)
        .short("waiting").over(Over::WorkflowRuns).note("in queues, at the head, for images, in attempts that failed"),
    number(Workflows, "workflows.critical_path_s.starting", "critical paths of workflows, starting", Seconds)
        .short("starting").over(Over::WorkflowRuns).note("containers started"),
    number(Workflows, "workflows.critical_path_s.transfer", "critical paths of workflows, transfer", Seconds)
        .short("data").over(Over::WorkflowRuns).note("bodies waited for data"),
    number(Workflows, "workflows.critical_path_s.running", "critical paths of workflows, running", Seconds)
        .short("running").over(Over::WorkflowRuns).note("bodies ran"),
    moved(Workflows, "workflows.data", "data between tasks of workflows").note("what moved ahead of bodies"),

    number(Cost, "cost.requests", "cost of requests", Money).short("requests"),
    number(Cost, "cost.compute", "cost of compute", Money).short("compute").note("of RAM over time"),
    number(Cost, "cost.total", "cost", Money).short("total"),
    count(Cost, "cost.billed_requests", "billed requests"),
    number(Cost, "cost.billed_gib_seconds", "billed memory", GibSeconds),

    number(Energy, "energy.joules", "energy taken by nodes", Joules),
    number(Energy, "energy.idle_joules", "energy taken by idle nodes", Joules).short("  of it idle")
        .note("as long as they are up"),
    number(Energy, "energy.busy_joules", "energy taken by busy cores", Joules).short("  of it by busy cores")
        .note("beyond that"),

    count(Simulation, "skipped_rows", "rows of the trace passed over"),
    count(Simulation, "events", "events").note("that the engine handled"),
];
