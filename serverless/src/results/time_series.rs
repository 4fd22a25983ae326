//! `timeseries.csv`: the service at the end of every interval.

use hearth_simcore::time::{SimDuration, SimTime};

use super::Unit;
use super::recorder::SinkError;
use super::table::{Column, OpenTable, TableTarget};
use crate::error::Error;
use crate::invocation::Outcome;
use crate::metrics::{Metrics, PoolUse};

/// An interval: its end, and how things stood at its begin and end.
pub(super) struct IntervalRow {
    end: SimTime,
    before: Standing,
    after: Standing,
}

impl IntervalRow {
    /// How much more there is than before.
    fn more(&self, of: fn(&Standing) -> u64) -> Option<u64> {
        Some(of(&self.after) - of(&self.before))
    }
}

/// The column that is there only where processors are shared.
const PROCESSORS: &str = "processors_used";

/// The columns that are there only where functions are served by instances.
const INSTANCES: [&str; 6] = [
    "instances_ready",
    "instances_starting",
    "instances_wanted",
    "instances_needed",
    "requests_in_instances",
    "requests_awaiting_instance",
];

/// The column that is there only where nodes come and go.
const NODES: &str = "nodes_on";

/// Which columns a series has beside those that all have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extras {
    /// Processors are shared.
    pub processors: bool,
    /// Functions are served by instances.
    pub instances: bool,
    /// Nodes come and go.
    pub nodes: bool,
}

impl Extras {
    /// Whether there is a column of this name.
    fn have(self, column: &str) -> bool {
        (self.processors || column != PROCESSORS)
            && (self.instances || !INSTANCES.contains(&column))
            && (self.nodes || column != NODES)
    }
}

/// The columns of the time series.
pub(super) fn columns() -> Vec<Column<IntervalRow>> {
    type Of = Column<IntervalRow>;
    vec![
        Of::date("time_s", |row| Some(row.end))
            .required()
            .note("the end of the interval; what happens at that very date comes into the next"),
        Of::count("requests", |row| row.more(|standing| standing.requests)).required().note("in it"),
        Of::count("completed", |row| row.more(|standing| standing.completed)).required().note("in it"),
        Of::count("cold_starts", |row| row.more(|standing| standing.cold_starts)).required().note("in it"),
        Of::count("warm_starts", |row| row.more(|standing| standing.warm_starts)).required().note("in it"),
        Of::count("running", |row| Some(row.after.running)).required().note("at its end"),
        Of::count("queued", |row| Some(row.after.queued)).required().note("at its end: admitted and not dispatched"),
        Of::count("warm_containers", |row| Some(row.after.warm_containers))
            .required()
            .note("at its end: idle containers"),
        Of::count("used_memory_bytes", |row| Some(row.after.used_memory))
            .required()
            .of(Unit::Bytes)
            .note("at its end: of containers that run an invocation"),
        Of::count("idle_memory_bytes", |row| Some(row.after.idle_memory))
            .required()
            .of(Unit::Bytes)
            .note("at its end: of idle containers"),
        Of::decimal(PROCESSORS, Unit::Plain, 6, |row| Some(row.after.processors as f64 / 1e6))
            .required()
            .note("at its end: cores in use; only where processors are shared"),
        Of::count(INSTANCES[0], |row| Some(row.after.instances.ready))
            .required()
            .note("at its end: instances that take requests; this and what follows only where functions have instances"),
        Of::count(INSTANCES[1], |row| Some(row.after.instances.starting))
            .required()
            .note("at its end: instances that are wanted and not up yet"),
        Of::count(INSTANCES[2], |row| Some(row.after.instances.wanted))
            .required()
            .note("at its end: instances that there are to be"),
        Of::count(INSTANCES[3], |row| Some(row.after.instances.needed))
            .required()
            .note("at its end: instances that the requests under way would fill, function by function; one where an instance takes any number"),
        Of::count(INSTANCES[4], |row| Some(row.after.instances.requests_in))
            .required()
            .note("at its end: requests that are served by instances, or wait at one"),
        Of::count(INSTANCES[5], |row| Some(row.after.instances.requests_awaiting))
            .required()
            .note("at its end: requests that wait before all instances of their function"),
        Of::count(NODES, |row| Some(row.after.nodes))
            .required()
            .note("at its end: nodes of pools that are on; only where nodes come and go"),
    ]
}

/// How things stand with instances.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct InstanceCounts {
    pub ready: u64,
    pub starting: u64,
    pub wanted: u64,
    pub needed: u64,
    pub requests_in: u64,
    pub requests_awaiting: u64,
}

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
    /// In millionths of a core; where processors are shared.
    pub processors: u64,
    /// Where functions are served by instances.
    pub instances: InstanceCounts,
    /// Nodes of pools that are on.
    pub nodes: u64,
}

impl Standing {
    pub fn of(metrics: &Metrics, running: u64, queued: u64) -> Self {
        Self {
            requests: metrics.requests,
            completed: metrics.outcome(Outcome::Completed),
            cold_starts: metrics.cold_starts,
            warm_starts: metrics.warm_starts,
            running,
            queued,
            warm_containers: metrics.idle_containers(),
            used_memory: metrics.busy_bytes(),
            idle_memory: metrics.idle_bytes(),
            processors: 0,
            instances: InstanceCounts::default(),
            nodes: metrics.node_pools.iter().map(PoolUse::nodes_on).sum(),
        }
    }
}

/// Keeps how things stand at the end of every interval, and writes it at the end.
///
/// When there are as many intervals as there may be rows, they become twice as long, in pairs that begin at even numbers
/// from date 0: so the series is the one that the longer interval would have given from the start. Intervals before the
/// first request, in which nothing can be, are left out.
pub(crate) struct TimeSeries {
    table: OpenTable<IntervalRow>,
    interval: SimDuration,
    most_rows: usize,
    /// The end of the current interval.
    pub next: SimTime,
    /// How many intervals before the first of `ends` are left out.
    left_out: u64,
    /// How things stood at the end of each interval; counts are since the start.
    ends: Vec<Standing>,
}

impl std::fmt::Debug for TimeSeries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimeSeries").field("next", &self.next).finish_non_exhaustive()
    }
}

impl TimeSeries {
    /// A series that is written to `target`, with an interval to begin with that is not zero, and at most so many rows
    /// (at least two).
    pub fn new(interval: SimDuration, most_rows: usize, extras: Extras, target: TableTarget) -> Result<Self, Error> {
        let mut columns = columns();
        columns.retain(|column| extras.have(&column.head().name));
        let table = OpenTable::new(columns, target).map_err(|error| unwritable(&error))?;
        let most_rows = most_rows.max(2);
        let next = SimTime::ZERO + interval;
        Ok(Self { table, interval, most_rows, next, left_out: 0, ends: Vec::new() })
    }

    /// Ends the intervals up to a date, at which the next event happens.
    pub fn advance(&mut self, now: SimTime, standing: Standing) {
        if self.ends.is_empty() && standing == Standing::default() {
            self.left_out = now.as_nanos() / self.interval.as_nanos();
            self.next = self.end_of(0);
            return;
        }
        // A date beyond the last one there is never comes.
        while self.next <= now && self.next < SimTime::MAX {
            self.ends.push(standing);
            if self.ends.len() == self.most_rows {
                self.widen();
            }
            self.next = self.end_of(self.ends.len());
        }
    }

    /// The end of the interval at a position in `ends`.
    fn end_of(&self, position: usize) -> SimTime {
        let number = self.left_out.saturating_add(position as u64).saturating_add(1);
        SimTime::from_nanos(number.saturating_mul(self.interval.as_nanos()))
    }

    /// Makes one interval of every two.
    fn widen(&mut self) {
        let mut number = self.left_out;
        self.ends.retain(|_| {
            number += 1;
            number.is_multiple_of(2)
        });
        self.left_out /= 2;
        self.interval = self.interval + self.interval;
    }

    /// Writes the series, and gives its interval; with the date and how things stand, it has a row for the part of an
    /// interval that is left.
    pub fn finish(mut self, end: Option<(SimTime, Standing)>) -> Result<SimDuration, Error> {
        let mut rest = None;
        if let Some((end, standing)) = end {
            self.advance(end, standing);
            let begin = self.end_of(self.ends.len()).since(SimTime::ZERO + self.interval);
            let before = self.ends.last().map_or(0, |before| before.requests);
            let is_something = !self.ends.is_empty() || standing != Standing::default();
            let is_left = SimTime::ZERO + begin < end || standing.requests > before;
            rest = (is_something && is_left).then_some((end, standing));
        }
        let ends = std::mem::take(&mut self.ends);
        let mut before = Standing::default();
        let whole = ends.into_iter().enumerate().map(|(position, standing)| (self.end_of(position), standing));
        for (end, after) in whole.chain(rest).collect::<Vec<_>>() {
            self.table.row(&IntervalRow { end, before, after }).map_err(|error| unwritable(&error))?;
            before = after;
        }
        self.table.finish().map_err(|error| unwritable(&error))?;
        Ok(self.interval)
    }
}

fn unwritable(error: &SinkError) -> Error {
    Error::Result { what: "time series", cause: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;

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

    fn written_with(interval: u64, most_rows: usize, work: impl FnOnce(TimeSeries)) -> Vec<String> {
        let text = Text::default();
        work(
            TimeSeries::new(
                SimDuration::from_secs(interval),
                most_rows,
                Extras::default(),
                Box::new(text.clone()).into(),
            )
            .unwrap(),
        );
        let text = String::from_utf8(text.0.lock().unwrap().clone()).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    }

    fn written(work: impl FnOnce(TimeSeries)) -> Vec<String> {
        written_with(10, 1000, work)
    }

    fn standing(requests: u64, running: u64) -> Standing {
        Standing { requests, running, ..Standing::default() }
    }

    #[test]
    fn an_interval_counts_what_came_in_it_and_shows_how_things_stand_at_its_end() {
        let at = SimTime::from_secs_f64;
        let rows = written(|mut series| {
            series.advance(at(9.0), standing(1, 1));
            // Nothing happened from 9 s on: three intervals end with the same standing.
            series.advance(at(30.0), standing(4, 3));
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
        let end = |series: TimeSeries| {
            series.finish(Some((SimTime::from_secs_f64(20.0), standing(2, 0)))).unwrap();
        };
        let rows = written(end);
        assert_eq!(rows, ["10.000000000,2,0,0,0,0,0,0,0,0", "20.000000000,0,0,0,0,0,0,0,0,0"]);
        let broken_off = written(|series| {
            series.finish(None).unwrap();
        });
        assert!(broken_off.is_empty());
    }

    #[test]
    fn what_is_before_the_first_request_is_left_out() {
        let at = SimTime::from_secs_f64;
        let rows = written(|mut series| {
            series.advance(at(1.7e9), standing(0, 0));
            series.advance(at(1.7e9 + 20.0), standing(1, 1));
            series.finish(Some((at(1.7e9 + 25.0), standing(1, 0)))).unwrap();
        });
        let expected = [
            "1700000010.000000000,1,0,0,0,1,0,0,0,0",
            "1700000020.000000000,0,0,0,0,1,0,0,0,0",
            "1700000025.000000000,0,0,0,0,0,0,0,0,0",
        ];
        assert_eq!(rows, expected);
        let nothing = written(|series| {
            series.finish(Some((at(100.0), standing(0, 0)))).unwrap();
        });
        assert!(nothing.is_empty(), "{nothing:?}");
    }

    proptest! {
            /// What happens at some dates, and how long it goes on: the series that had to become wider is the one of the wider
            /// interval, which had room from the start.
            #[test]
            fn a_widened_series_is_that_of_the_wider_interval(
                steps in prop::collection::vec((0_u64..400, 0_u64..3, 0_u64..5), 1..40),
                most_rows in 2_usize..12,
            ) {
                let play = |mut series: TimeSeries| {
                    let (mut date, mut requests, mut running) = (0, 0, 0);
                    for (pause, more, now_running) in &steps {
                        date += pause;
                        series.advance(SimTime::ZERO + SimDuration::from_secs(date), standing(requests, running));
                        requests += more;
                        running = if requests == 0 { 0 } else { *now_running };
                    }
                    series.finish(Some((SimTime::ZERO + SimDuration::from_secs(date + 3), standing(requests, running))))
                };
                let mut interval = SimDuration::ZERO;
                let bounded = written_with(7, most_rows, |series| interval = play(series).unwrap());
                prop_assert!(bounded.len() <= most_rows, "{} rows", bounded.len());
                let wide = interval.as_nanos() / 1_000_000_000;
                prop_assert!(wide.is_multiple_of(7) && (wide / 7).is_power_of_two(), "{wide} s");
                let unbounded = written_with(wide, usize::MAX, |series| {
    play(series).unwrap();
    });
                prop_assert_eq!(bounded, unbounded);
                // It is no wider than it must be: half of it would have been too many rows.
                if wide > 7 {
                    let narrower = written_with(wide / 2, usize::MAX, |series| {
    play(series).unwrap();
    });
                    prop_assert!(narrower.len() >= most_rows, "{} rows would have been few enough", narrower.len());
                }
            }
        }

    #[test]
    fn a_gap_as_long_as_time_costs_little() {
        let rows = written_with(1, 10_000, |mut series| {
            series.advance(SimTime::ZERO, standing(0, 0));
            series.advance(SimTime::from_nanos(u64::MAX - 2), standing(1, 0));
            series.finish(Some((SimTime::from_nanos(u64::MAX - 1), standing(2, 0)))).unwrap();
        });
        assert!((5_000..=10_000).contains(&rows.len()), "{}", rows.len());
    }
}
