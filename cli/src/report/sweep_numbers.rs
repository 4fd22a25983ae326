//! Which numbers of its runs the report of a sweep draws.

use hearth_serverless::results::{DEFINITIONS, Metric};

use crate::metric;

/// Numbers of summaries that are drawn first, in this order. What stands neither here nor in [`LEFT_OUT`] comes after them.
const FIRST: [&str; 18] = [
    "service_level_availability",
    "cold_start_ratio",
    "latency_mean",
    "latency_p50",
    "latency_p99",
    "latency_p999",
    "service_level_within_deadline",
    "faults_lost_core_seconds",
    "workflows_makespan_mean",
    "slowdown_p99",
    "memory_byte_seconds_idle",
    "outcomes_rejected",
    "evictions_containers",
    "images_downloads_bytes",
    "images_copies_bytes",
    "evictions_images_on_disk_bytes",
    "cost_total",
    "energy_joules",
];

/// What is not drawn by itself: what others follow from or say better, what has pictures of its own, and what is the same for
/// all policies or tells of none.
const LEFT_OUT: [&str; 49] = [
    "invocations",
    "outcomes.completed",
    "outcomes.failed",
    "outcomes.lost",
    "outcomes.timed_out",
    "outcomes.unfinished",
    "cold_starts",
    "warm_starts",
    "cold_start_ratio_of_functions",
    "waiting",
    "cold_start_delay",
    "makespan_s",
    "images.loads",
    "evictions.images_in_ram",
    "evictions.images_on_head",
    "expired_containers",
    "prewarmed_containers",
    "memory_byte_seconds.used",
    "measured.from_s",
    "measured.to_s",
    "drain.length_s",
    "drain.memory_byte_seconds.used",
    "drain.memory_byte_seconds.idle",
    "drain.joules",
    "faults.count",
    "faults.retries",
    "faults.hedges",
    "faults.time_to_recover",
    "faults.unrecovered",
    "faults.replications",
    "service_level.goodput",
    "workflows.runs",
    "workflows.completed",
    "workflows.failed",
    "workflows.unfinished",
    "workflows.within_deadline",
    "workflows.critical_path_s.waiting",
    "workflows.critical_path_s.starting",
    "workflows.critical_path_s.transfer",
    "workflows.critical_path_s.running",
    "workflows.data",
    "cost.requests",
    "cost.compute",
    "cost.billed_requests",
    "cost.billed_gib_seconds",
    "energy.idle_joules",
    "energy.busy_joules",
    "skipped_rows",
    "events",
];

/// The numbers that are drawn.
pub fn drawn() -> Vec<&'static Metric> {
    drawn_without(&LEFT_OUT)
}

fn drawn_without(left_out: &[&str]) -> Vec<&'static Metric> {
    let mut drawn = metric::all_named(&FIRST);
    let is_other = |path: &str| !left_out.contains(&path) && drawn.iter().all(|metric| metric.definition.path != path);
    let others = DEFINITIONS.iter().filter(|definition| is_other(definition.path));
    let others: Vec<String> = others.map(|definition| definition.name_of(definition.shape.main_part())).collect();
    drawn.extend(others.iter().filter_map(|name| Metric::find(name)));
    drawn
}

#[cfg(test)]
mod tests {
    use hearth_serverless::results::Definition;

    use super::*;

    #[test]
    fn every_number_is_drawn_or_left_out_on_purpose() {
        let is_drawn = |path: &str| drawn().iter().any(|metric| metric.definition.path == path);
        for Definition { path, .. } in DEFINITIONS {
            assert_ne!(is_drawn(path), LEFT_OUT.contains(path), "{path}");
        }
        assert!(LEFT_OUT.iter().all(|path| Definition::at(path).is_some()));
        // One that nobody has thought of is drawn.
        let everything = drawn_without(&[]);
        assert!(DEFINITIONS.iter().all(|definition| everything.iter().any(|metric| metric.definition == definition)));
    }
}
