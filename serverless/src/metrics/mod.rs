//! What a service counts while it runs. Everything is a sum, a maximum or a histogram, so that memory does not grow
//! with the number of invocations.

mod cost;
mod distribution;
mod energy;
mod folding;
mod function;
mod histogram;
mod pools;
mod processors;
mod request_set;
mod tally;
mod window;
mod workflow;

use hearth_simcore::time::SimTime;
use serde::{Deserialize, Serialize};

pub use self::cost::{Cost, Prices};
pub use self::distribution::{Coarse, Distribution, Precise};
pub use self::energy::Energy;
pub(crate) use self::energy::NodeUse;
pub(crate) use self::folding::Folding;
pub use self::function::{FunctionMetrics, FunctionRatios};
use self::pools::NumberOverTime;
pub use self::pools::PoolUse;
pub use self::processors::ProcessorUse;
pub use self::request_set::RequestSet;
use self::tally::Tally;
pub(crate) use self::window::Split;
pub use self::window::Window;
pub use self::workflow::WorkflowMetrics;
use crate::invocation::{InvocationRecord, Outcome, Start};

/// How often something was moved or evicted, and how many bytes in all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Moved {
    /// How often.
    pub count: u64,
    /// Bytes in all.
    pub bytes: u128,
}

impl Moved {
    /// Counts one more, of so many bytes.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += u128::from(bytes);
    }
}

/// RAM over time, in bytes and byte-nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    bytes: u64,
    sum: Split,
}

impl Level {
    fn advance(&mut self, nanos: u64) {
        self.sum.after += u128::from(self.bytes) * u128::from(nanos);
    }
}

/// The counts of one service.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Requests that the head has processed.
    pub requests: u64,
    outcomes: [u64; Outcome::ALL.len()],
    /// Invocations that did not complete.
    pub not_completed: RequestSet,
    /// Invocations whose body never began.
    pub not_started: RequestSet,
    /// Invocations that started in a new container.
    pub started_cold: RequestSet,
    /// Dispatches to a new container.
    pub cold_starts: u64,
    /// Dispatches to an idle container.
    pub warm_starts: u64,
    /// Requested to finished, of completed invocations.
    pub latency: Precise,
    /// Requested to started, of all that started.
    pub waiting: Precise,
    /// Latency over execution time, of completed invocations whose execution took time.
    pub slowdown: Precise,
    /// Dispatched to started, of invocations that started in a new container.
    pub cold_start_delay: Precise,
    /// The counts of each function, by number.
    pub functions: Vec<FunctionMetrics>,
    /// Idle containers ended to make room.
    pub evicted_containers: u64,
    /// Idle containers whose keep-alive was over.
    pub expired_containers: u64,
    /// Containers that were started ahead of a request.
    pub prewarmed_containers: u64,
    /// Functions are served by instances.
    pub has_instances: bool,
    /// Instances that began to start on a node.
    pub instances: u64,
    /// Starts of instances that came to nothing, where some may.
    pub failed_starts: Option<u64>,
    /// Instances that took a paused container, where there may be such.
    pub resumed_instances: Option<u64>,
    /// Instances whose start was restored from a snapshot, where there may be such.
    pub restored_instances: Option<u64>,
    /// Generic pods that began to start on a node, where there are such.
    pub pods: Option<u64>,
    /// Instances that took one of them.
    pub from_pods: Option<u64>,
    /// Instances that are up, over time.
    up: NumberOverTime,
    /// Pools of nodes, in their order.
    pub node_pools: Vec<PoolUse>,
    /// Faults of hosts, links and disks that came into effect.
    pub faults: u64,
    /// Attempts after one that did not end well.
    pub retries: u64,
    /// Attempts beside one that took long.
    pub hedges: u64,
    /// Cores over time, in seconds, that attempts held which did not complete.
    lost_core_nanos: u128,
    /// From the begin of faults that end to when no more wait than did then.
    pub time_to_recover: Precise,
    /// Faults that end of which the queue has not recovered.
    pub unrecovered: u64,
    /// Invocations that completed within the deadline of their function, or completed where it has none.
    pub within_deadline: u64,
    /// Images evicted from the RAM of nodes.
    pub evicted_images_in_ram: Moved,
    /// Images evicted from the disks of nodes.
    pub evicted_images_on_disk: Moved,
    /// Images evicted from the head.
    pub evicted_images_on_head: Moved,
    /// Images downloaded from the registry to the head.
    pub downloads: Moved,
    /// Images copied from the head to nodes.
    pub copies: Moved,
    /// Of these, begun because other copies were lost.
    pub replications: Moved,
    /// Images loaded from disk into RAM.
    pub loads: Moved,
    /// Runs of workflows.
    pub workflows: WorkflowMetrics,
    /// When the last invocation finished.
    pub last_finish: SimTime,
    busy: Level,
    idle: Level,
    idle_containers: u64,
    levels_at: SimTime,
    window: Window,
    /// What containers used of processors, where they share them.
    pub processors: Option<Box<ProcessorUse>>,
    /// What the nodes took, if their power is known; worked out at the end of the simulation.
    pub energy: Option<Energy>,
    /// What invocations cost, if there are prices.
    pub cost: Option<Box<Cost>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: 0,
            outcomes: [0; Outcome::ALL.len()],
            not_completed: RequestSet::default(),
            not_started: RequestSet::default(),
            started_cold: RequestSet::default(),
            cold_starts: 0,
            warm_starts: 0,
            latency: Precise::default(),
            waiting: Precise::default(),
            slowdown: Precise::from_one(),
            cold_start_delay: Precise::default(),
            functions: Vec::new(),
            evicted_containers: 0,
            expired_containers: 0,
            prewarmed_containers: 0,
            has_instances: false,
            instances: 0,
            failed_starts: None,
            resumed_instances: None,
            restored_instances: None,
            pods: None,
            from_pods: None,
            up: NumberOverTime::default(),
            node_pools: Vec::new(),
            faults: 0,
            retries: 0,
            hedges: 0,
            lost_core_nanos: 0,
            time_to_recover: Precise::default(),
            unrecovered: 0,
            within_deadline: 0,
            evicted_images_in_ram: Moved::default(),
            evicted_images_on_disk: Moved::default(),
            evicted_images_on_head: Moved::default(),
            downloads: Moved::default(),
            copies: Moved::default(),
            replications: Moved::default(),
            loads: Moved::default(),
            workflows: WorkflowMetrics::default(),
            last_finish: SimTime::ZERO,
            busy: Level::default(),
            idle: Level::default(),
            idle_containers: 0,
            levels_at: SimTime::ZERO,
            window: Window::default(),
            processors: None,
            energy: None,
            cost: None,
        }
    }
}

impl Metrics {
    /// How many invocations ended so.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// How many invocations there were.
    pub fn invocations(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Cold starts over all starts; 0 without starts.
    pub fn cold_start_ratio(&self) -> f64 {
        self.cold_starts as f64 / (self.cold_starts + self.warm_starts).max(1) as f64
    }

    /// Cold starts over all starts of each function that was started.
    pub fn cold_start_ratio_of_functions(&self) -> FunctionRatios {
        self.functions.iter().filter_map(FunctionMetrics::cold_start_ratio).collect()
    }

    /// How many containers are idle now.
    pub(crate) fn idle_containers(&self) -> u64 {
        self.idle_containers
    }

    /// RAM that containers which run an invocation reserve now.
    pub(crate) fn busy_bytes(&self) -> u64 {
        self.busy.bytes
    }

    /// RAM that idle containers reserve now.
    pub(crate) fn idle_bytes(&self) -> u64 {
        self.idle.bytes
    }

    /// From the first request to the end of the last invocation: what sums over time are about.
    pub fn window(&self) -> Window {
        self.window
    }

    /// RAM reserved within the [window](Self::window) by containers that ran an invocation, in byte-seconds.
    pub fn busy_byte_seconds(&self) -> f64 {
        self.busy.sum.within as f64 / 1e9
    }

    /// RAM reserved within the [window](Self::window) by idle containers, in byte-seconds.
    pub fn idle_byte_seconds(&self) -> f64 {
        self.idle.sum.within as f64 / 1e9
    }

    /// RAM reserved after the [window](Self::window) by containers whose end the head had not heard of, and by idle ones,
    /// in byte-seconds.
    pub fn drained_byte_seconds(&self) -> (f64, f64) {
        (self.busy.sum.after as f64 / 1e9, self.idle.sum.after as f64 / 1e9)
    }

    /// Somebody asks for an invocation.
    #[inline]
    pub(crate) fn note_request(&mut self, date: SimTime) {
        if !self.window.has_begun() {
            // What containers have held before is not within.
            self.advance(date);
            (self.busy.sum, self.idle.sum) = (Split::default(), Split::default());
        }
        self.window.request(date);
    }

    /// An invocation ends now, or the simulation does while one has not.
    pub(crate) fn note_end(&mut self, now: SimTime) {
        self.advance(now);
        self.window.extend(now);
        self.busy.sum.extend();
        self.idle.sum.extend();
        if let Some(processors) = &mut self.processors {
            processors.extend();
        }
    }

    /// Cores over time, in seconds, that attempts held which did not complete.
    pub fn lost_core_seconds(&self) -> f64 {
        self.lost_core_nanos as f64 / 1e9
    }

    /// Counts an attempt that has ended.
    pub(crate) fn count_attempt(&mut self, record: &InvocationRecord) {
        if record.outcome != Outcome::Completed
            && let (Some(dispatched), Some(finished)) = (record.dispatched_at, record.finished_at)
        {
            self.lost_core_nanos += u128::from((finished - dispatched).as_nanos());
        }
    }

    /// Counts how an invocation has ended, or that it never will.
    #[inline]
    pub(crate) fn count_end(&mut self, outcome: Outcome) {
        self.outcomes[outcome as usize] += 1;
    }

    /// Counts a dispatch.
    #[inline]
    pub(crate) fn count_start(&mut self, start: Start) {
        match start {
            Start::Cold => self.cold_starts += 1,
            Start::Warm => self.warm_starts += 1,
        }
    }

    /// Takes the sums over all that have ended.
    fn take_in(&mut self, tally: Tally) {
        self.not_completed = tally.all.not_completed;
        self.not_started = tally.all.not_started;
        self.started_cold = tally.all.started_cold;
        self.latency = tally.all.latency;
        self.waiting = tally.all.waiting;
        self.slowdown = tally.all.slowdown;
        self.cold_start_delay = tally.all.cold_start_delay;
        self.within_deadline = tally.all.within_deadline;
        self.last_finish = tally.all.last_finish;
        self.functions = tally.functions;
    }

    /// Brings the sums over time up to a date.
    pub(crate) fn advance(&mut self, now: SimTime) {
        if now == self.levels_at {
            return;
        }
        let nanos = now.since(self.levels_at).as_nanos();
        self.busy.advance(nanos);
        self.idle.advance(nanos);
        self.levels_at = now;
    }

    pub(crate) fn container_busy(&mut self, ram: u64, now: SimTime) {
        self.advance(now);
        self.busy.bytes += ram;
    }

    pub(crate) fn container_no_longer_busy(&mut self, ram: u64, now: SimTime) {
        self.advance(now);
        self.busy.bytes -= ram;
    }

    /// A container begins to start that nobody waits for: its memory counts as idle.
    pub(crate) fn begin_prewarming(&mut self, ram: u64, now: SimTime) {
        self.advance(now);
        self.prewarmed_containers += 1;
        self.idle.bytes += ram;
    }

    /// An instance begins to start, or a pod for one: its memory counts as idle until it serves somebody.
    pub(crate) fn begin_instance(&mut self, ram: u64, is_pod: bool, now: SimTime) {
        self.advance(now);
        if is_pod {
            self.pods = self.pods.map(|pods| pods + 1);
        } else {
            self.instances += 1;
        }
        self.idle.bytes += ram;
    }

    /// An instance is up.
    pub(crate) fn instance_up(&mut self, now: SimTime) {
        self.up.change(now, self.window);
        self.up.count += 1;
    }

    /// An instance that was up has ended.
    pub(crate) fn instance_down(&mut self, now: SimTime) {
        self.up.change(now, self.window);
        self.up.count -= 1;
    }

    /// How long instances were up within the [window](Self::window), in seconds, all together; their removal counts too.
    pub fn instance_seconds(&self) -> f64 {
        self.up.sum_to(self.window.to(), self.window).within as f64 / 1e9
    }

    /// It is up, and no longer counted here.
    pub(crate) fn end_prewarming(&mut self, ram: u64, now: SimTime) {
        self.advance(now);
        self.idle.bytes -= ram;
    }

    pub(crate) fn container_idle(&mut self, ram: u64, now: SimTime) {
        self.advance(now);
        self.idle.bytes += ram;
        self.idle_containers += 1;
    }

    pub(crate) fn container_no_longer_idle(&mut self, ram: u64, now: SimTime) {
        self.advance(now);
        self.idle.bytes -= ram;
        self.idle_containers -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_summed_over_time() {
        let mut metrics = Metrics::default();
        metrics.container_busy(100, SimTime::from_secs_f64(1.0));
        metrics.container_no_longer_busy(100, SimTime::from_secs_f64(3.0));
        metrics.container_idle(100, SimTime::from_secs_f64(3.0));
        metrics.note_end(SimTime::from_secs_f64(4.0));
        assert_eq!((metrics.busy_byte_seconds(), metrics.idle_byte_seconds()), (200.0, 100.0));
        metrics.container_no_longer_idle(100, SimTime::from_secs_f64(9.0));
        assert_eq!((metrics.idle_byte_seconds(), metrics.drained_byte_seconds()), (100.0, (0.0, 500.0)));
        metrics.container_busy(100, SimTime::from_secs_f64(10.0));
        metrics.note_end(SimTime::from_secs_f64(12.0));
        assert_eq!((metrics.busy_byte_seconds(), metrics.idle_byte_seconds()), (400.0, 600.0));
    }

    #[test]
    fn instances_are_summed_within_the_window_whenever_their_number_changes() {
        let mut metrics = Metrics::default();
        let at = SimTime::from_secs_f64;
        metrics.instance_up(at(0.0));
        metrics.note_request(at(1.0));
        metrics.instance_up(at(2.0));
        assert_eq!(metrics.instance_seconds(), 0.0, "nothing has ended");
        metrics.note_end(at(4.0));
        assert_eq!(metrics.instance_seconds(), 1.0 + 2.0 * 2.0);
        metrics.instance_down(at(6.0));
        assert_eq!(metrics.instance_seconds(), 5.0, "what comes after the last end is not within");
        metrics.note_end(at(7.0));
        assert_eq!(metrics.instance_seconds(), 1.0 + 4.0 * 2.0 + 1.0);
        metrics.instance_down(at(9.0));
        assert_eq!(metrics.instance_seconds(), 10.0);
    }
}
