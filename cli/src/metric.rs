//! The numbers of a run: what each is called in tables and on the command line, what it says, its unit, and what it is over.
//!
//! A number's name is its path in `summary.json`, with `_` between the parts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hearth_serverless::scenario::did_you_mean;

use crate::quantity::Unit;

/// What a number is over. Two runs can be compared by a mean only if it is over the same in both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Over {
    /// The whole run.
    Everything,
    /// The requests that completed.
    Completed,
    /// The requests whose body began.
    Started,
    /// All starts, also those of further attempts.
    Starts,
    /// The requests that started in a new container.
    ColdStarts,
    /// The runs of workflows that completed.
    WorkflowRuns,
    /// The faults after which the queue recovered.
    Recoveries,
}

impl Over {
    /// All that are parts of something.
    pub const PARTS: [Self; 6] =
        [Self::Completed, Self::Started, Self::Starts, Self::ColdStarts, Self::WorkflowRuns, Self::Recoveries];

    /// What it is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Everything => "all requests",
            Self::Completed => "the requests that completed",
            Self::Started => "the requests that started",
            Self::Starts => "the starts that there were",
            Self::ColdStarts => "the requests that started cold",
            Self::WorkflowRuns => "the runs of workflows that completed",
            Self::Recoveries => "the faults after which the queue recovered",
        }
    }
}

/// A number of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metric {
    /// What it says, in words.
    pub title: String,
    /// Its unit.
    pub unit: Unit,
    /// What it is over.
    pub over: Over,
}

/// A number by its name. One that is not known here is a plain number with its name for a title.
pub fn of(name: &str) -> Metric {
    let unknown = || Metric { title: name.replace('_', " "), unit: Unit::Plain, over: Over::Everything };
    METRICS.get(name).cloned().unwrap_or_else(unknown)
}

/// Checks that there is such a number.
///
/// # Errors
/// When there is none: what was probably meant.
pub fn check(name: &str) -> Result<(), String> {
    if METRICS.contains_key(name) {
        return Ok(());
    }
    let known = || METRICS.keys().map(String::as_str);
    let cure = did_you_mean(name, known());
    let known: Vec<&str> = if cure.is_empty() { known().collect() } else { Vec::new() };
    let all = if known.is_empty() { String::new() } else { format!(": there are {}", known.join(", ")) };
    Err(format!("--metric {name:?} is no number of a summary{cure}{all}"))
}

static METRICS: LazyLock<BTreeMap<String, Metric>> = LazyLock::new(|| {
    let mut metrics = BTreeMap::new();
    add_requests(&mut metrics);
    add_containers_and_images(&mut metrics);
    add_options(&mut metrics);
    metrics
});

type Metrics = BTreeMap<String, Metric>;

fn add(metrics: &mut Metrics, name: &str, title: &str, unit: Unit, over: Over) {
    metrics.insert(name.to_owned(), Metric { title: title.to_owned(), unit, over });
}

/// Numbers of the whole run.
fn add_all(metrics: &mut Metrics, numbers: &[(&str, &str, Unit)]) {
    for (name, title, unit) in numbers {
        add(metrics, name, title, *unit, Over::Everything);
    }
}

fn add_distribution(metrics: &mut Metrics, name: &str, title: &str, unit: Unit, over: Over) {
    let parts = [
        ("mean", format!("mean {title}")),
        ("p50", format!("median {title}")),
        ("p90", format!("90th percentile of {title}")),
        ("p99", format!("99th percentile of {title}")),
        ("p999", format!("99.9th percentile of {title}")),
        ("max", format!("greatest {title}")),
    ];
    for (part, title) in parts {
        add(metrics, &format!("{name}_{part}"), &title, unit, over);
    }
    add(metrics, &format!("{name}_count"), &format!("values of {title}"), Unit::Count, Over::Everything);
}

/// Counts and bytes of something that moved.
fn add_moved(metrics: &mut Metrics, name: &str, title: &str) {
    add(metrics, &format!("{name}_count"), &format!("number of {title}"), Unit::Count, Over::Everything);
    add(metrics, &format!("{name}_bytes"), title, Unit::Bytes, Over::Everything);
}

fn add_requests(metrics: &mut Metrics) {
    add_all(
        metrics,
        &[
            ("invocations", "invocations", Unit::Count),
            ("outcomes_completed", "completed requests", Unit::Count),
            ("outcomes_timed_out", "requests that timed out", Unit::Count),
            ("outcomes_failed", "failed requests", Unit::Count),
            ("outcomes_rejected", "rejected requests", Unit::Count),
            ("outcomes_lost", "lost requests", Unit::Count),
            ("outcomes_unfinished", "unfinished requests", Unit::Count),
            ("cold_starts", "cold starts", Unit::Count),
            ("warm_starts", "warm starts", Unit::Count),
            ("makespan_s", "end of the last invocation", Unit::Seconds),
            ("service_level_availability", "share of requests that completed", Unit::Share),
            ("service_level_within_deadline", "share of requests that completed within the deadline", Unit::Share),
            ("service_level_goodput", "requests completed within the deadline", Unit::PerSecond),
            ("events", "events", Unit::Count),
            ("skipped_rows", "rows of the trace passed over", Unit::Count),
        ],
    );
    add(metrics, "cold_start_ratio", "share of cold starts", Unit::Share, Over::Starts);
    let of_functions = [
        ("mean", "mean"),
        ("p25", "first quartile"),
        ("p50", "median"),
        ("p75", "third quartile"),
        ("p90", "90th percentile"),
    ];
    for (part, words) in of_functions {
        let title = format!("share of cold starts, {words} of functions");
        add(metrics, &format!("cold_start_ratio_of_functions_{part}"), &title, Unit::Share, Over::Starts);
    }
    add_distribution(metrics, "latency", "latency", Unit::Seconds, Over::Completed);
    add_distribution(metrics, "waiting", "waiting", Unit::Seconds, Over::Started);
    add_distribution(metrics, "slowdown", "slowdown", Unit::Plain, Over::Completed);
    add_distribution(metrics, "cold_start_delay", "delay of cold starts", Unit::Seconds, Over::ColdStarts);
}

fn add_containers_and_images(metrics: &mut Metrics) {
    add_all(
        metrics,
        &[
            ("memory_byte_seconds_used", "memory used by invocations", Unit::ByteSeconds),
            ("memory_byte_seconds_idle", "memory held by idle containers", Unit::ByteSeconds),
            ("measured_from_s", "first request", Unit::Seconds),
            ("measured_to_s", "end of what is measured", Unit::Seconds),
            ("drain_length_s", "time after the last invocation", Unit::Seconds),
            ("drain_memory_byte_seconds_used", "memory used after the last invocation", Unit::ByteSeconds),
            ("drain_memory_byte_seconds_idle", "memory held idle after the last invocation", Unit::ByteSeconds),
            ("drain_joules", "energy taken after the last invocation", Unit::Joules),
            ("evictions_containers", "idle containers evicted", Unit::Count),
            ("expired_containers", "idle containers expired", Unit::Count),
            ("prewarmed_containers", "containers prewarmed", Unit::Count),
        ],
    );
    for (name, title) in [
        ("evictions_images_in_ram", "images evicted from RAM"),
        ("evictions_images_on_disk", "images evicted from disks of nodes"),
        ("evictions_images_on_head", "images evicted from the head"),
        ("images_downloads", "images downloaded to the head"),
        ("images_copies", "images copied to nodes"),
        ("images_loads", "images loaded into RAM"),
    ] {
        add_moved(metrics, name, title);
    }
}

/// What only some scenarios have.
fn add_options(metrics: &mut Metrics) {
    add_all(
        metrics,
        &[
            ("workflows_runs", "runs of workflows", Unit::Count),
            ("workflows_completed", "runs of workflows that completed", Unit::Count),
            ("workflows_failed", "runs of workflows that failed", Unit::Count),
            ("workflows_unfinished", "unfinished runs of workflows", Unit::Count),
            ("workflows_within_deadline", "share of workflows within the deadline", Unit::Share),
            ("faults_count", "faults", Unit::Count),
            ("faults_retries", "retries", Unit::Count),
            ("faults_hedges", "hedged requests", Unit::Count),
            ("faults_lost_core_seconds", "core time of attempts that did not complete", Unit::CoreSeconds),
            ("faults_unrecovered", "faults after which the queue did not recover", Unit::Count),
            ("cost_billed_requests", "billed requests", Unit::Count),
            ("cost_billed_gib_seconds", "billed memory", Unit::GibSeconds),
            ("cost_requests", "cost of requests", Unit::Money),
            ("cost_compute", "cost of compute", Unit::Money),
            ("cost_total", "cost", Unit::Money),
            ("energy_joules", "energy taken by nodes", Unit::Joules),
            ("energy_idle_joules", "energy taken by idle nodes", Unit::Joules),
            ("energy_busy_joules", "energy taken by busy cores", Unit::Joules),
        ],
    );
    add_distribution(metrics, "workflows_makespan", "makespan of workflows", Unit::Seconds, Over::WorkflowRuns);
    for part in ["waiting", "starting", "transfer", "running"] {
        let title = format!("critical paths of workflows, {part}");
        add(metrics, &format!("workflows_critical_path_s_{part}"), &title, Unit::Seconds, Over::WorkflowRuns);
    }
    add_moved(metrics, "workflows_data", "data between tasks of workflows");
    add_moved(metrics, "faults_replications", "images copied anew after losses");
    add_distribution(metrics, "faults_time_to_recover", "time to recover", Unit::Seconds, Over::Recoveries);
}

#[cfg(test)]
mod tests {
    use hearth_serverless::experiment::Experiment;
    use hearth_serverless::policy::Catalog;
    use hearth_serverless::results::Summary;
    use hearth_serverless::scenario::Scenario;

    use super::*;
    use crate::sweep::comparison::numbers_of;

    #[test]
    fn every_number_of_a_summary_has_a_title_and_a_unit() {
        // One with everything that a summary may have.
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/workflows.json");
        let scenario = Scenario::read(file.as_ref(), &[]).unwrap();
        let results = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap();
        let summary = serde_json::to_value(Summary::new(&results)).unwrap();
        let unknown: Vec<String> =
            numbers_of(&summary).into_keys().filter(|name| !METRICS.contains_key(name)).collect();
        assert_eq!(unknown, [""; 0]);
    }

    #[test]
    fn names_are_one_word_for_programs() {
        for name in METRICS.keys() {
            assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'));
        }
    }

    #[test]
    fn the_studies_ask_for_numbers_that_there_are() {
        let studies = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/studies")).unwrap();
        let mut asked = 0;
        for script in studies.filter_map(|study| std::fs::read_to_string(study.unwrap().path().join("run.sh")).ok()) {
            let mut words = script.split_whitespace();
            while words.any(|word| word == "--metric") {
                check(words.next().unwrap()).unwrap();
                asked += 1;
            }
        }
        assert!(asked > 5, "{asked}");
    }

    #[test]
    fn a_name_with_dots_is_met_with_the_right_one() {
        let error = check("latency.mean").unwrap_err();
        assert_eq!(error, "--metric \"latency.mean\" is no number of a summary: did you mean \"latency_mean\"?");
        let error = check("speed").unwrap_err();
        assert!(error.contains("there are cold_start_delay_count, "), "{error}");
        check("memory_byte_seconds_idle").unwrap();
    }
}
