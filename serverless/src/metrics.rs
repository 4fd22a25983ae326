//! What a service counts while it runs. Everything is a sum, a maximum or a histogram, so that memory does not grow
//! with the number of invocations.

use hdrhistogram::Histogram;
use hearth_simcore::time::{SimDuration, SimTime};
use serde::Serialize;

use crate::invocation::{InvocationRecord, Outcome, Start};

/// How often something was moved or evicted, and how many bytes in all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Moved {
    /// How often.
    pub count: u64,
    /// Bytes in all.
    pub bytes: u128,
}

/// A distribution of times: exact count, sum and maximum, and percentiles within 0.1 %.
#[derive(Clone, Debug)]
pub struct TimeDistribution {
    histogram: Histogram<u64>,
    sum: u128,
    max: u64,
}

impl Default for TimeDistribution {
    fn default() -> Self {
        // Three significant digits are always valid, so this cannot fail; an empty histogram of the least range would
        // do as well, since it grows on its own.
        let histogram = Histogram::new(3).unwrap_or_else(|_| unreachable!("3 significant digits are valid"));
        Self { histogram, sum: 0, max: 0 }
    }
}

impl TimeDistribution {
    /// Counts one time.
    pub fn add(&mut self, time: SimDuration) {
        // The histogram grows to hold any value, so there is none that it refuses.
        let _ = self.histogram.record(time.as_nanos());
        self.sum += u128::from(time.as_nanos());
        self.max = self.max.max(time.as_nanos());
    }

    /// How many times were counted.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Mean in seconds; 0 when nothing was counted.
    pub fn mean_s(&self) -> f64 {
        if self.count() == 0 { 0.0 } else { self.sum as f64 / self.count() as f64 / 1e9 }
    }

    /// The greatest time, in seconds.
    pub fn max_s(&self) -> f64 {
        self.max as f64 / 1e9
    }

    /// The time in seconds that a share of all times does not exceed, within 0.1 %.
    pub fn percentile_s(&self, share: f64) -> f64 {
        self.histogram.value_at_quantile(share).min(self.max) as f64 / 1e9
    }
}

/// RAM over time, in bytes and byte-nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    bytes: u128,
    integral: u128,
}

impl Level {
    fn advance(&mut self, nanos: u64) {
        self.integral += self.bytes * u128::from(nanos);
    }

    fn byte_seconds(self) -> f64 {
        self.integral as f64 / 1e9
    }
}

/// The counts of one service.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    outcomes: [u64; Outcome::ALL.len()],
    /// Dispatches to a new container.
    pub cold_starts: u64,
    /// Dispatches to an idle container.
    pub warm_starts: u64,
    /// Requested to finished, of completed invocations.
    pub latency: TimeDistribution,
    /// Requested to started, of all that started.
    pub waiting: TimeDistribution,
    /// Idle containers ended to make room.
    pub evicted_containers: u64,
    /// Idle containers whose keep-alive was over.
    pub expired_containers: u64,
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
    /// Images loaded from disk into RAM.
    pub loads: Moved,
    /// When the last invocation finished.
    pub last_finish: SimTime,
    busy: Level,
    idle: Level,
    levels_at: SimTime,
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

    /// RAM reserved by containers that ran an invocation, in byte-seconds.
    pub fn busy_byte_seconds(&self) -> f64 {
        self.busy.byte_seconds()
    }

    /// RAM reserved by idle containers, in byte-seconds.
    pub fn idle_byte_seconds(&self) -> f64 {
        self.idle.byte_seconds()
    }

    pub(crate) fn record(&mut self, record: &InvocationRecord) {
        self.outcomes[record.outcome as usize] += 1;
        if let (Some(requested), Some(started)) = (record.requested_at, record.started_at) {
            self.waiting.add(started - requested);
        }
        if let Some(finished) = record.finished_at {
            self.last_finish = self.last_finish.max(finished);
            if let (Outcome::Completed, Some(requested)) = (record.outcome, record.requested_at) {
                self.latency.add(finished - requested);
            }
        }
    }

    pub(crate) fn count_start(&mut self, start: Start) {
        match start {
            Start::Cold => self.cold_starts += 1,
            Start::Warm => self.warm_starts += 1,
        }
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
        self.busy.bytes += u128::from(ram);
    }

    pub(crate) fn container_no_longer_busy(&mut self, ram: u64, now: SimTime) {
        self.advance(now);
        self.busy.bytes -= u128::from(ram);
    }

    pub(crate) fn container_idle(&mut self, ram: u64, now: SimTime) {
        self.advance(now);
        self.idle.bytes += u128::from(ram);
    }

    pub(crate) fn container_no_longer_idle(&mut self, ram: u64, now: SimTime) {
        self.advance(now);
        self.idle.bytes -= u128::from(ram);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_thousandth() {
        let mut times = TimeDistribution::default();
        (1..=10_000).for_each(|milliseconds| times.add(SimDuration::from_nanos(milliseconds * 1_000_000)));
        for share in [0.5, 0.9, 0.99] {
            let exact = share * 10.0;
            assert!((times.percentile_s(share) / exact - 1.0).abs() < 0.001, "{share}: {}", times.percentile_s(share));
        }
        assert_eq!(times.max_s(), 10.0);
        assert_eq!(times.mean_s(), 5.0005);
    }

    #[test]
    fn memory_is_summed_over_time() {
        let mut metrics = Metrics::default();
        metrics.container_busy(100, SimTime::from_secs_f64(1.0));
        metrics.container_no_longer_busy(100, SimTime::from_secs_f64(3.0));
        metrics.container_idle(100, SimTime::from_secs_f64(3.0));
        metrics.advance(SimTime::from_secs_f64(4.0));
        assert_eq!((metrics.busy_byte_seconds(), metrics.idle_byte_seconds()), (200.0, 100.0));
    }
}
