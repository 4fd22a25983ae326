//! What became of each invocation in both runs.

use std::collections::BTreeMap;

use hearth_simcore::time::SimTime;
use serde::{Serialize, Serializer};

use super::feed::Begin;
use super::spread::Spread;
use super::sums::Sums;
use super::table;
use super::{ComparedInvocations, DifferenceBin};
use crate::error::Error;
use crate::invocation::{Outcome, Start};
use crate::results::{Intervals, StreamedTable, TableTarget};

/// What became of an invocation in one of the runs.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct InvocationSide {
    /// When the controller asked, in seconds, as all dates here.
    #[serde(serialize_with = "seconds")]
    pub requested_at: Option<SimTime>,
    /// When the head had processed the request.
    #[serde(serialize_with = "seconds")]
    pub submitted_at: Option<SimTime>,
    /// When it got a container and a core.
    #[serde(serialize_with = "seconds")]
    pub dispatched_at: Option<SimTime>,
    /// When its body began.
    #[serde(serialize_with = "seconds")]
    pub started_at: Option<SimTime>,
    /// When its body ended, or it was rejected.
    #[serde(serialize_with = "seconds")]
    pub finished_at: Option<SimTime>,
    /// The node's number.
    pub node: Option<u32>,
    /// Cold or warm.
    #[serde(serialize_with = "word")]
    pub start: Option<Start>,
    /// How it ended.
    pub outcome: Outcome,
}

fn seconds<S: Serializer>(date: &Option<SimTime>, serializer: S) -> Result<S::Ok, S::Error> {
    date.map(SimTime::as_secs_f64).serialize(serializer)
}

fn word<S: Serializer>(start: &Option<Start>, serializer: S) -> Result<S::Ok, S::Error> {
    start.map(Start::as_str).serialize(serializer)
}

impl InvocationSide {
    /// From the request to the end, in ns, of one that has completed.
    pub fn latency_ns(&self) -> Option<u64> {
        let completed = self.finished_at.filter(|_| self.outcome == Outcome::Completed)?;
        Some(completed.as_nanos().saturating_sub(self.requested_at?.as_nanos()))
    }

    /// The first in which it is not as another one, and the date at which they part.
    fn parts_from(&self, other: &Self) -> Option<(SimTime, &'static str)> {
        let dates = [
            ("requested", self.requested_at, other.requested_at),
            ("submitted", self.submitted_at, other.submitted_at),
            ("dispatched", self.dispatched_at, other.dispatched_at),
            ("started", self.started_at, other.started_at),
            ("finished", self.finished_at, other.finished_at),
        ];
        let is_elsewhere = (self.node, self.start) != (other.node, other.start);
        let differs = |(what, one, two): &(&str, Option<SimTime>, Option<SimTime>)| {
            one != two
                || (*what == "dispatched" && is_elsewhere)
                || (*what == "finished" && self.outcome != other.outcome)
        };
        let (what, one, two) = dates.into_iter().find(differs)?;
        let date = [one, two].into_iter().flatten().min().or(self.requested_at)?;
        Some((date, what))
    }
}

/// What a run says of an invocation.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunRow {
    pub invocation: u64,
    pub function: u32,
    pub side: InvocationSide,
}

/// An invocation that is another one in the second run.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PartedInvocation {
    /// Its number.
    pub invocation: u64,
    /// Its function.
    pub function: String,
    /// The date at which it parts, in seconds.
    pub parted_at_s: f64,
    /// In what: `requested`, `submitted`, `dispatched` (when, where, or in what kind of container), `started` or `finished`.
    pub parted_in: &'static str,
    /// The latency in the second run less that in the first, in seconds, if it completes in both.
    pub difference_s: Option<f64>,
    /// The first run.
    pub first: InvocationSide,
    /// The second run.
    pub second: InvocationSide,
}

/// What became of the invocations that were requested in an interval of the first run.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct IntervalDifference {
    /// Where it begins, in seconds.
    pub from_s: f64,
    /// Those that are in both runs.
    #[serde(flatten)]
    pub invocations: ComparedInvocations,
}

/// What became of invocations over time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DifferencesOverTime {
    /// How long an interval is, in seconds.
    pub step_s: f64,
    /// Those in which something was requested.
    pub intervals: Vec<IntervalDifference>,
}

/// What became of the invocations of a function.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FunctionDifference {
    /// The function.
    pub function: String,
    /// Its invocations.
    #[serde(flatten)]
    pub invocations: ComparedInvocations,
}

/// The few that come first by a key.
struct Few<K> {
    most: usize,
    by_key: BTreeMap<(K, u64), PartedInvocation>,
}

impl<K: Ord> Few<K> {
    fn new(most: usize) -> Self {
        Self { most, by_key: BTreeMap::new() }
    }

    fn offer(&mut self, key: K, parted: &PartedInvocation) {
        let key = (key, parted.invocation);
        if self.by_key.len() < self.most || self.by_key.last_key_value().is_some_and(|(last, _)| key < *last) {
            self.by_key.insert(key, parted.clone());
            if self.by_key.len() > self.most {
                self.by_key.pop_last();
            }
        }
    }

    fn told(self) -> Vec<PartedInvocation> {
        self.by_key.into_values().collect()
    }
}

/// Finds the same invocation in both runs, and adds up.
pub(super) struct Matching {
    /// Those of one run that have not come in the other yet.
    waiting: [BTreeMap<u64, RunRow>; 2],
    functions: [Vec<String>; 2],
    /// By name, in order of the first run and then of the second.
    sums: Vec<(String, Sums)>,
    /// The places of the functions of each run in that.
    places: [Vec<usize>; 2],
    all: Sums,
    over_time: Intervals<Sums>,
    spread: Spread,
    led_to: Few<SimTime>,
    won_most: Few<u64>,
    lost_most: Few<u64>,
    table: Option<StreamedTable<table::Row>>,
    /// Why the table cannot be written.
    error: Option<Error>,
}

/// What became of invocations, in all ways in which that is told.
pub(super) struct Told {
    pub all: ComparedInvocations,
    pub functions: Vec<FunctionDifference>,
    pub over_time: DifferencesOverTime,
    pub distribution: Vec<DifferenceBin>,
    pub led_to: Vec<PartedInvocation>,
    pub won_most: Vec<PartedInvocation>,
    pub lost_most: Vec<PartedInvocation>,
}

impl Matching {
    pub fn new(begins: &[Begin; 2], named: usize, target: Option<TableTarget>) -> Result<Self, Error> {
        let mut sums: Vec<(String, Sums)> = Vec::new();
        let mut by_name = BTreeMap::new();
        let places = begins.each_ref().map(|begin| {
            let place = |name: &String| {
                *by_name.entry(name.clone()).or_insert_with(|| {
                    sums.push((name.clone(), Sums::default()));
                    sums.len() - 1
                })
            };
            begin.run.functions.iter().map(place).collect()
        });
        let [first, second] = begins;
        let table =
            target.map(|target| table::begin(&first.run.functions, [&first.run.nodes, &second.run.nodes], target));
        Ok(Self {
            waiting: Default::default(),
            functions: [first.run.functions.clone(), second.run.functions.clone()],
            sums,
            places,
            all: Sums::default(),
            over_time: Intervals::default(),
            spread: Spread::default(),
            led_to: Few::new(named),
            won_most: Few::new(named),
            lost_most: Few::new(named),
            table: table.transpose()?,
            error: None,
        })
    }

    /// An invocation has ended in one of the runs.
    pub fn take(&mut self, side: usize, row: RunRow) {
        let [of_first, of_second] = &mut self.waiting;
        let (own, other) = if side == 0 { (of_first, of_second) } else { (of_second, of_first) };
        match other.remove(&row.invocation) {
            None => {
                own.insert(row.invocation, row);
            }
            Some(before) if side == 0 => self.both(row, before),
            Some(before) => self.both(before, row),
        }
    }

    /// The run from which more is to come, so that few have to wait; none once both have ended.
    pub fn next_side(&self, has_ended: [bool; 2]) -> Option<usize> {
        let [first, second] = self.waiting.each_ref().map(BTreeMap::len);
        match has_ended {
            [true, true] => None,
            [true, false] => Some(1),
            [false, true] => Some(0),
            [false, false] => Some(usize::from(first > second)),
        }
    }

    fn place(&self, side: usize, function: u32) -> Option<usize> {
        self.places.get(side)?.get(function as usize).copied()
    }

    fn count_alone(&mut self, side: usize, row: &RunRow) {
        let place = self.place(side, row.function);
        let of_function = place.and_then(|place| self.sums.get_mut(place)).map(|(_, sums)| sums);
        for sums in [Some(&mut self.all), of_function].into_iter().flatten() {
            if let Some(count) = sums.only.get_mut(side) {
                *count += 1;
            }
        }
    }

    fn both(&mut self, first: RunRow, second: RunRow) {
        let place = self.place(0, first.function);
        if place != self.place(1, second.function) {
            self.count_alone(0, &first);
            self.count_alone(1, &second);
            return;
        }
        let parts = first.side.parts_from(&second.side);
        self.all.add(&first.side, &second.side, parts.is_some());
        let of_function = place.and_then(|place| self.sums.get_mut(place)).map(|(_, sums)| sums);
        let of_interval = first.side.requested_at.and_then(|date| self.over_time.at(date));
        for sums in of_function.into_iter().chain(of_interval) {
            sums.add(&first.side, &second.side, parts.is_some());
        }
        let latencies = first.side.latency_ns().zip(second.side.latency_ns());
        if let Some((one, two)) = latencies {
            self.spread.add(one, two);
        }
        if let Some(table) = &mut self.table {
            let row = table::Row {
                invocation: first.invocation,
                function: first.function,
                first: first.side,
                second: second.side,
                parts,
            };
            let written = table.write(&row);
            self.error = self.error.take().or(written.err());
        }
        let Some((parted_at, parted_in)) = parts else { return };
        let [names, _] = &self.functions;
        let parted = PartedInvocation {
            invocation: first.invocation,
            function: names.get(first.function as usize).cloned().unwrap_or_default(),
            parted_at_s: parted_at.as_secs_f64(),
            parted_in,
            difference_s: latencies.map(|(one, two)| (two as f64 - one as f64) / 1e9),
            first: first.side,
            second: second.side,
        };
        self.led_to.offer(parted_at, &parted);
        match latencies {
            Some((one, two)) if two < one => self.won_most.offer(u64::MAX - (one - two), &parted),
            Some((one, two)) if two > one => self.lost_most.offer(u64::MAX - (two - one), &parted),
            _ => {}
        }
    }

    /// Both runs have ended.
    pub fn finish(mut self) -> Result<Told, Error> {
        for (side, waiting) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            waiting.values().for_each(|row| self.count_alone(side, row));
        }
        if let Some(error) = self.error {
            return Err(error);
        }
        self.table.map_or(Ok(()), StreamedTable::finish)?;
        let told = |(function, sums): (String, Sums)| FunctionDifference { function, invocations: sums.told() };
        let mut functions: Vec<FunctionDifference> =
            self.sums.into_iter().filter(|(_, sums)| !sums.is_nothing()).map(told).collect();
        let moved = |of: &FunctionDifference| of.invocations.won_s + of.invocations.lost_s;
        functions.sort_by(|one, other| moved(other).total_cmp(&moved(one)));
        Ok(Told {
            all: self.all.told(),
            functions,
            over_time: over_time(&self.over_time),
            distribution: self.spread.told(),
            led_to: self.led_to.told(),
            won_most: self.won_most.told(),
            lost_most: self.lost_most.told(),
        })
    }
}

/// The intervals in which something is.
fn over_time(intervals: &Intervals<Sums>) -> DifferencesOverTime {
    let step_s = intervals.length().as_secs_f64();
    let there = intervals.all().filter(|(_, sums)| !sums.is_nothing());
    let told = there.map(|(begin, sums)| IntervalDifference { from_s: begin.as_secs_f64(), invocations: sums.told() });
    DifferencesOverTime { step_s, intervals: told.collect() }
}
