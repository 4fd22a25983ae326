//! `timeseries.csv`: the service at the end of every interval.

use std::io::Write;

use hearth_simcore::time::{SimDuration, SimTime};

use crate::error::Error;
use crate::metrics::Metrics;

/// The columns of `timeseries.csv`.
const COLUMNS: [&str; 10] = [
    "time_s",
    "requests",
    "completed",
    "cold_starts",
    "warm_starts",
    "running",
    "queued",
    "warm_containers",
    "used_memory_bytes",
    "idle_memory_bytes",
];

/// What happened in an interval, and how things stand at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Standing {
    /// Since the start.
    pub requests: u64,
    pub completed: u64,
    pub cold_starts: u64,
    pub warm_starts: u64,
    /// At this date.
    pub running: u64,
    pub queued: u64,
    pub warm_containers: u64,
    pub used_memory: u64,
    pub idle_memory: u64,
}

impl Standing {
    pub fn of(metrics: &Metrics, running: u64, queued: u64) -> Self {
        Self {
            requests: metrics.requests,
            completed: metrics.latency.count(),
            cold_starts: metrics.cold_starts,
            warm_starts: metrics.warm_starts,
            running,
            queued,
            warm_containers: metrics.idle_containers(),
            used_memory: metrics.busy_bytes(),
            idle_memory: metrics.idle_bytes(),
        }
    }
}

/// Writes a row for every interval.
pub(crate) struct TimeSeries {
    writer: csv::Writer<Box<dyn Write + Send>>,
    interval: SimDuration,
    /// The end of the current interval.
    pub next: SimTime,
    before: Standing,
}

impl std::fmt::Debug for TimeSeries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimeSeries").field("next", &self.next).finish_non_exhaustive()
    }
}

impl TimeSeries {
    /// A series that is written to `target`, with an interval that is not zero.
    pub fn new(interval: SimDuration, target: Box<dyn Write + Send>) -> Result<Self, Error> {
        let mut writer = csv::Writer::from_writer(target);
        writer.write_record(COLUMNS).map_err(|error| unwritable(&error))?;
        Ok(Self { writer, interval, next: SimTime::ZERO + interval, before: Standing::default() })
    }

    /// Ends the intervals up to a date, at which the next event happens.
    pub fn advance(&mut self, now: SimTime, standing: Standing) -> Result<(), Error> {
        while self.next <= now {
            self.row(self.next, standing)?;
            self.next = self.next + self.interval;
        }
        Ok(())
    }

    /// Ends the series; with the date and how things stand, it has a row for the part of an interval that is left.
    pub fn finish(mut self, end: Option<(SimTime, Standing)>) -> Result<(), Error> {
        if let Some((end, standing)) = end {
            self.advance(end, standing)?;
            let last = self.next.since(SimTime::ZERO + self.interval);
            if SimTime::ZERO + last < end || standing.requests > self.before.requests {
                self.row(end, standing)?;
            }
        }
        self.writer.flush().map_err(|error| unwritable(&error.into()))
    }

    fn row(&mut self, date: SimTime, standing: Standing) -> Result<(), Error> {
        let before = std::mem::replace(&mut self.before, standing);
        let numbers = [
            standing.requests - before.requests,
            standing.completed - before.completed,
            standing.cold_starts - before.cold_starts,
            standing.warm_starts - before.warm_starts,
            standing.running,
            standing.queued,
            standing.warm_containers,
            standing.used_memory,
            standing.idle_memory,
        ];
        let fields = std::iter::once(date.to_string()).chain(numbers.iter().map(u64::to_string));
        self.writer.write_record(fields).map_err(|error| unwritable(&error))
    }
}

fn unwritable(error: &csv::Error) -> Error {
    Error::Result { what: "time series", cause: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Text(Arc<Mutex<Vec<u8>>>);
    impl Write for Text {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(work: impl FnOnce(TimeSeries)) -> Vec<String> {
        let text = Text::default();
        work(TimeSeries::new(SimDuration::from_secs(10), Box::new(text.clone())).unwrap());
        let text = String::from_utf8(text.0.lock().unwrap().clone()).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    }

    fn standing(requests: u64, running: u64) -> Standing {
        Standing { requests, running, ..Standing::default() }
    }

    #[test]
    fn an_interval_counts_what_came_in_it_and_shows_how_things_stand_at_its_end() {
        let at = SimTime::from_secs_f64;
        let rows = written(|mut series| {
            series.advance(at(9.0), standing(1, 1)).unwrap();
            // Nothing happened from 9 s on: three intervals end with the same standing.
            series.advance(at(30.0), standing(4, 3)).unwrap();
            series.finish(Some((at(35.0), standing(5, 0)))).unwrap();
        });
        let expected = [
            "10.000000000,4,0,0,0,3,0,0,0,0",
            "20.000000000,0,0,0,0,3,0,0,0,0",
            "30.000000000,0,0,0,0,3,0,0,0,0",
            "35.000000000,1,0,0,0,0,0,0,0,0",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_series_that_ends_with_an_interval_has_no_row_for_the_rest() {
        let rows = written(|series| series.finish(Some((SimTime::from_secs_f64(20.0), standing(2, 0)))).unwrap());
        assert_eq!(rows, ["10.000000000,2,0,0,0,0,0,0,0,0", "20.000000000,0,0,0,0,0,0,0,0,0"]);
        let broken_off = written(|series| series.finish(None).unwrap());
        assert!(broken_off.is_empty());
    }
}
