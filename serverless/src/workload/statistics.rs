//! What a person wants to know of a trace.

use hearth_simcore::time::SimTime;

use super::{ArrivalSource, TraceError};
use crate::metrics::Precise;

/// Counts over a trace.
///
/// ```
/// use hearth_serverless::workload::TraceStatistics;
/// use hearth_serverless::workload::generate::{Generator, GeneratorSpec};
/// let spec: GeneratorSpec = serde_json::from_str(
///     r#"{"arrivals": {"constant": {"rate": 2}}, "run_time": {"constant": 3}, "requests": 240}"#)?;
/// let mut generator = Generator::new(&spec, 1, 0).0;
/// let statistics = TraceStatistics::of(&mut generator, 1)?;
/// assert_eq!((statistics.requests, statistics.per_minute[0]), (240, 119));
/// assert_eq!(statistics.durations.mean(), 3.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TraceStatistics {
    /// Invocations.
    pub requests: u64,
    /// Invocations of each function.
    pub by_function: Vec<u64>,
    /// Date of the first invocation.
    pub first: SimTime,
    /// Date of the last.
    pub last: SimTime,
    /// Invocations in each minute.
    pub per_minute: Vec<u64>,
    /// From one invocation to the next.
    pub gaps: Precise,
    /// How long those run of which the trace says it.
    pub durations: Precise,
}

impl TraceStatistics {
    /// Reads a source to its end, about so many functions.
    ///
    /// # Errors
    /// When the source fails.
    pub fn of(source: &mut dyn ArrivalSource, functions: usize) -> Result<Self, TraceError> {
        let mut statistics = Self {
            requests: 0,
            by_function: vec![0; functions],
            first: SimTime::ZERO,
            last: SimTime::ZERO,
            per_minute: Vec::new(),
            gaps: Precise::default(),
            durations: Precise::default(),
        };
        while let Some(arrival) = source.next_arrival()? {
            if statistics.requests == 0 {
                statistics.first = arrival.at;
            } else {
                statistics.gaps.add(arrival.at.since(statistics.last));
            }
            statistics.requests += 1;
            statistics.last = arrival.at;
            arrival.run_time.into_iter().for_each(|run_time| statistics.durations.add(run_time));
            if let Some(count) = statistics.by_function.get_mut(arrival.function as usize) {
                *count += 1;
            }
            let minute = (arrival.at.as_secs_f64() / 60.0) as usize;
            if statistics.per_minute.len() <= minute {
                statistics.per_minute.resize(minute + 1, 0);
            }
            statistics.per_minute[minute] += 1;
        }
        Ok(statistics)
    }
}
