//! `summary.json`: a run in numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Results;
use super::WorkflowsSummary;
use crate::invocation::Outcome;
use crate::metrics::{Cost, Distribution, Energy, FunctionRatios, Metrics, Moved, ProcessorUse};
use crate::policy::PolicyRecord;

/// A distribution of times in seconds, or of ratios. Mean and maximum are exact, percentiles within 0.1 %.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct DistributionSummary {
    /// How many values it is of.
    pub count: u64,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// What 90 % do not exceed.
    pub p90: f64,
    /// What 99 % do not exceed.
    pub p99: f64,
    /// What 99.9 % do not exceed.
    pub p999: f64,
    /// The greatest.
    pub max: f64,
}

impl<const BITS: u32> From<&Distribution<BITS>> for DistributionSummary {
    fn from(values: &Distribution<BITS>) -> Self {
        Self {
            count: values.count(),
            mean: values.mean(),
            p50: values.percentile(0.5),
            p90: values.percentile(0.9),
            p99: values.percentile(0.99),
            p999: values.percentile(0.999),
            max: values.max(),
        }
    }
}

/// How a ratio is distributed over functions; each counts the same, however often it is invoked.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionsSummary {
    /// The mean.
    pub mean: f64,
    /// What a quarter of the functions do not exceed.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// What three quarters do not exceed.
    pub p75: f64,
    /// What 90 % do not exceed.
    pub p90: f64,
}

impl From<&FunctionRatios> for FunctionsSummary {
    fn from(ratios: &FunctionRatios) -> Self {
        let [p25, p50, p75, p90] = [0.25, 0.5, 0.75, 0.9].map(|share| ratios.percentile(share));
        Self { mean: ratios.mean(), p25, p50, p75, p90 }
    }
}

/// Fingerprints of sets of requests: runs of one workload whose fingerprint is the same mean the same requests. Means of
/// latency are of all that are not in `not_completed`, those of waiting of all that are not in `not_started`, and those of the
/// delay of cold starts of `started_cold`.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct RequestSets {
    /// Invocations that did not complete.
    pub not_completed: String,
    /// Invocations whose body never began.
    pub not_started: String,
    /// Invocations that started in a new container.
    pub started_cold: String,
}

impl RequestSets {
    fn of(metrics: &Metrics) -> Self {
        Self {
            not_completed: metrics.not_completed.fingerprint(),
            not_started: metrics.not_started.fingerprint(),
            started_cold: metrics.started_cold.fingerprint(),
        }
    }
}

/// RAM over time, in byte-seconds.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct MemorySummary {
    /// Reserved by containers that ran an invocation.
    pub used: f64,
    /// Reserved by idle containers.
    pub idle: f64,
}

/// From the first request to the end of the last invocation, or to the end of the simulation if one has not ended or more
/// are to come: what memory and energy are summed over.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct MeasuredSummary {
    /// When it begins, in seconds.
    pub from_s: f64,
    /// When it ends, in seconds.
    pub to_s: f64,
}

/// What came after: until the simulation ended, idle containers waited for their end.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct DrainSummary {
    /// How long it took, in seconds.
    pub length_s: f64,
    /// RAM of containers over time.
    pub memory_byte_seconds: MemorySummary,
    /// What nodes took; left out where the power of none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joules: Option<f64>,
    /// Cores times seconds that were used; left out where processors are not shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core_seconds: Option<f64>,
}

impl DrainSummary {
    fn of(results: &Results) -> Self {
        let metrics = &results.metrics;
        let (used, idle) = metrics.drained_byte_seconds();
        Self {
            length_s: results.ended_at.since(metrics.window().to()).as_secs_f64(),
            memory_byte_seconds: MemorySummary { used, idle },
            joules: metrics.energy.map(|energy| energy.drain_joules),
            core_seconds: metrics.processors.as_deref().map(ProcessorUse::drained_seconds),
        }
    }
}

/// What was evicted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct EvictionSummary {
    /// Idle containers that were ended to make room.
    pub containers: u64,
    /// Images in the RAM of nodes.
    pub images_in_ram: Moved,
    /// Images on the disks of nodes.
    pub images_on_disk: Moved,
    /// Images on the head.
    pub images_on_head: Moved,
}

/// What users got of what they asked for.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceLevel {
    /// Completed invocations over all.
    pub availability: f64,
    /// Invocations that completed within the deadline of their function over all; without a deadline, all that completed.
    pub within_deadline: f64,
    /// Those a second, from the first request to the end of the last invocation.
    pub goodput: f64,
}

impl ServiceLevel {
    fn of(metrics: &Metrics) -> Self {
        let of_all = |number: u64| number as f64 / metrics.invocations().max(1) as f64;
        let seconds = metrics.last_finish.since(metrics.window().from()).as_secs_f64();
        Self {
            availability: of_all(metrics.outcome(Outcome::Completed)),
            within_deadline: of_all(metrics.within_deadline),
            goodput: if seconds > 0.0 { metrics.within_deadline as f64 / seconds } else { 0.0 },
        }
    }
}

/// What went wrong, and what that cost.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct FaultSummary {
    /// Outages, slow spells and losses that came into effect.
    pub count: u64,
    /// Attempts after one that did not end well.
    pub retries: u64,
    /// Attempts beside one that took long.
    pub hedges: u64,
    /// Images that were copied to other nodes because copies were lost.
    pub replications: Moved,
    /// Cores over time, in seconds, that attempts held which did not complete.
    pub lost_core_seconds: f64,
    /// From the begin of a fault that ends to when no more wait than did then, in seconds.
    pub time_to_recover: DistributionSummary,
    /// Faults that end of which the queue had not recovered at the end.
    pub unrecovered: u64,
}

impl FaultSummary {
    fn of(metrics: &Metrics) -> Option<Self> {
        let lost = metrics.outcome(Outcome::Lost);
        (metrics.faults + metrics.retries + metrics.hedges + lost > 0).then(|| Self {
            count: metrics.faults,
            retries: metrics.retries,
            hedges: metrics.hedges,
            replications: metrics.replications,
            lost_core_seconds: metrics.lost_core_seconds(),
            time_to_recover: (&metrics.time_to_recover).into(),
            unrecovered: metrics.unrecovered,
        })
    }
}

/// What invocations cost.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct CostSummary {
    /// The name of the prices.
    pub prices: String,
    /// What money is counted in.
    pub currency: String,
    /// How many requests were billed.
    pub billed_requests: u64,
    /// RAM over time that was billed, in GiB times seconds.
    pub billed_gib_seconds: f64,
    /// What the requests cost.
    pub requests: f64,
    /// What RAM over time costs.
    pub compute: f64,
    /// What both cost.
    pub total: f64,
}

impl From<&Cost> for CostSummary {
    fn from(cost: &Cost) -> Self {
        Self {
            prices: cost.prices().name.clone(),
            currency: cost.prices().currency.clone(),
            billed_requests: cost.billed_requests(),
            billed_gib_seconds: cost.billed_gib_seconds(),
            requests: cost.of_requests(),
            compute: cost.of_compute(),
            total: cost.total(),
        }
    }
}

/// Instances of functions that are served by such.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct InstancesSummary {
    /// Instances that began to start on a node.
    pub started: u64,
    /// How long they were up, all together, over what is measured.
    pub seconds: f64,
    /// Starts that came to nothing; left out where none may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_starts: Option<u64>,
    /// Those that took the container of one that was paused; left out where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed: Option<u64>,
    /// Those whose start was restored from a snapshot; left out where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<u64>,
    /// Those that took a generic pod; left out where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_pods: Option<u64>,
    /// Generic pods that began to start on a node; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<u64>,
}

/// Nodes of pools that come and go, over what is measured.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct NodesSummary {
    /// Nodes that began to boot.
    pub booted: u64,
    /// Nodes that were switched off.
    pub removed: u64,
    /// How long nodes of pools were on, all together.
    pub seconds: f64,
    /// What that cost.
    pub cost: f64,
}

impl NodesSummary {
    fn of(metrics: &Metrics) -> Option<Self> {
        let pools = &metrics.node_pools;
        (!pools.is_empty()).then(|| Self {
            booted: pools.iter().map(|pool| pool.booted).sum(),
            removed: pools.iter().map(|pool| pool.removed).sum(),
            seconds: pools.iter().map(|pool| pool.node_seconds(metrics.window())).sum(),
            cost: pools.iter().map(|pool| pool.cost(metrics.window())).sum(),
        })
    }
}

/// The energy that compute nodes took, in joules.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct EnergySummary {
    /// In all.
    pub joules: f64,
    /// What the nodes would have taken idle, over the time that they were up.
    pub idle_joules: f64,
    /// What busy cores took beyond that.
    pub busy_joules: f64,
}

impl From<Energy> for EnergySummary {
    fn from(energy: Energy) -> Self {
        let Energy { idle_joules, busy_joules, .. } = energy;
        Self { joules: energy.joules(), idle_joules, busy_joules }
    }
}

/// What containers used of the processors of nodes, where they share them.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessorSummary {
    /// Cores times seconds that were used.
    pub core_seconds: f64,
    /// Of all that the nodes had which were up.
    pub utilisation: f64,
}

impl From<&ProcessorUse> for ProcessorSummary {
    fn from(used: &ProcessorUse) -> Self {
        Self { core_seconds: used.seconds(), utilisation: used.utilisation() }
    }
}

/// How images moved.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageSummary {
    /// From the registry to the head.
    pub downloads: Moved,
    /// From the head to the disk of a node.
    pub copies: Moved,
    /// From the disk of a node into its RAM.
    pub loads: Moved,
}

/// A run in numbers, as in `summary.json`, from which it can be read again. What a file lacks, since the Hearth that wrote it did
/// not know it, is zero or empty; [`Numbers`](super::Numbers) tell it from what is zero.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// How many invocations there were.
    pub invocations: u64,
    /// How many ended so, by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Which requests the means are of.
    pub request_sets: RequestSets,
    /// Dispatches to a new container.
    pub cold_starts: u64,
    /// Dispatches to an idle container.
    pub warm_starts: u64,
    /// Cold starts over all starts.
    pub cold_start_ratio: f64,
    /// The same of each function that was started at least once.
    pub cold_start_ratio_of_functions: FunctionsSummary,
    /// When the last invocation finished, in seconds.
    pub makespan_s: f64,
    /// Requested to finished, of completed invocations, in seconds.
    pub latency: DistributionSummary,
    /// Requested to started, of all that started, in seconds.
    pub waiting: DistributionSummary,
    /// Latency over execution time, of completed invocations whose execution took time.
    pub slowdown: DistributionSummary,
    /// Dispatched to started, of invocations that started in a new container, in seconds.
    pub cold_start_delay: DistributionSummary,
    /// What users got.
    pub service_level: ServiceLevel,
    /// Runs of workflows; left out where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflows: Option<WorkflowsSummary>,
    /// What memory and energy are summed over.
    pub measured: MeasuredSummary,
    /// RAM of containers over time.
    pub memory_byte_seconds: MemorySummary,
    /// What came after that.
    pub drain: DrainSummary,
    /// What went wrong, and what that cost; left out where nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<FaultSummary>,
    /// What was evicted.
    pub evictions: EvictionSummary,
    /// Idle containers whose keep-alive was over.
    pub expired_containers: u64,
    /// Containers that were started ahead of a request.
    pub prewarmed_containers: u64,
    /// Instances; left out where no function is served by such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<InstancesSummary>,
    /// Nodes of pools; left out where there are no pools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodesSummary>,
    /// How images moved.
    pub images: ImageSummary,
    /// The policy in each slot.
    pub policies: BTreeMap<String, PolicyRecord>,
    /// Events that the engine handled.
    pub events: u64,
    /// What the simulation waited for that could not go on before all had ended; left out when all did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalled: Option<String>,
    /// Rows of a trace that were passed over because something was wrong with them; left out when there are none.
    #[serde(skip_serializing_if = "is_none")]
    pub skipped_rows: u64,
    /// Whether the simulation stopped before its end; left out when it did not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Why it stopped; left out when it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
    /// What invocations cost; left out where there are no prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<CostSummary>,
    /// The energy that compute nodes took; left out where the power of none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<EnergySummary>,
    /// What was used of processors; left out where they are not shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processors: Option<ProcessorSummary>,
}

fn is_none(number: &u64) -> bool {
    *number == 0
}

impl Summary {
    /// Sums up the results of a run.
    pub fn new(results: &Results) -> Self {
        let metrics = &results.metrics;
        let outcomes = Outcome::ALL.into_iter().map(|outcome| (outcome.as_str().to_owned(), metrics.outcome(outcome)));
        Self {
            scenario: results.about.name.clone(),
            seed: results.about.seed,
            invocations: metrics.invocations(),
            outcomes: outcomes.collect(),
            request_sets: RequestSets::of(metrics),
            cold_starts: metrics.cold_starts,
            warm_starts: metrics.warm_starts,
            cold_start_ratio: metrics.cold_start_ratio(),
            cold_start_ratio_of_functions: (&metrics.cold_start_ratio_of_functions()).into(),
            makespan_s: metrics.last_finish.as_secs_f64(),
            latency: (&metrics.latency).into(),
            waiting: (&metrics.waiting).into(),
            slowdown: (&metrics.slowdown).into(),
            cold_start_delay: (&metrics.cold_start_delay).into(),
            service_level: ServiceLevel::of(metrics),
            workflows: WorkflowsSummary::of(&metrics.workflows),
            measured: MeasuredSummary {
                from_s: metrics.window().from().as_secs_f64(),
                to_s: metrics.window().to().as_secs_f64(),
            },
            memory_byte_seconds: MemorySummary { used: metrics.busy_byte_seconds(), idle: metrics.idle_byte_seconds() },
            drain: DrainSummary::of(results),
            faults: FaultSummary::of(metrics),
            evictions: EvictionSummary {
                containers: metrics.evicted_containers,
                images_in_ram: metrics.evicted_images_in_ram,
                images_on_disk: metrics.evicted_images_on_disk,
                images_on_head: metrics.evicted_images_on_head,
            },
            expired_containers: metrics.expired_containers,
            prewarmed_containers: metrics.prewarmed_containers,
            instances: metrics.has_instances.then(|| InstancesSummary {
                started: metrics.instances,
                seconds: metrics.instance_seconds(),
                failed_starts: metrics.failed_starts,
                resumed: metrics.resumed_instances,
                restored: metrics.restored_instances,
                from_pods: metrics.from_pods,
                pods: metrics.pods,
            }),
            nodes: NodesSummary::of(metrics),
            images: ImageSummary { downloads: metrics.downloads, copies: metrics.copies, loads: metrics.loads },
            policies: results
                .about
                .policies
                .iter()
                .map(|(slot, record)| (slot.path().to_owned(), record.clone()))
                .collect(),
            events: results.events,
            stalled: results.stall.as_ref().map(ToString::to_string),
            skipped_rows: results.skipped_rows,
            interrupted: false,
            stopped_by: None,
            cost: metrics.cost.as_deref().map(CostSummary::from),
            energy: metrics.energy.map(EnergySummary::from),
            processors: metrics.processors.as_deref().map(ProcessorSummary::from),
        }
    }

    /// Notes that the simulation stopped before its end.
    pub fn interrupted(mut self, why: &str) -> Self {
        self.interrupted = true;
        self.stopped_by = Some(why.to_owned());
        self
    }
}
