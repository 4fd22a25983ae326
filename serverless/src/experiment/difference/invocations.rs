//! What became of each invocation in both runs.

use std::collections::BTreeMap;

use hearth_simcore::time::SimTime;
use serde::{Serialize, Serializer};

use super::feed::Begin;
use super::table;
use crate::error::Error;
use crate::invocation::{Outcome, Start};
use crate::results::{StreamedTable, TableTarget};

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

/// What became of all invocations.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct ComparedInvocations {
    /// Those that are in both runs: of the same number and function.
    pub in_both: u64,
    /// Those that are in the first run alone.
    pub only_first: u64,
    /// Those that are in the second run alone.
    pub only_second: u64,
    /// Those in both that part in something.
    pub parted: u64,
    /// Those that are faster in the second run, or complete in it alone.
    pub won: u64,
    /// Those that are slower in the second run, or complete in the first alone.
    pub lost: u64,
    /// Those that complete in both.
    pub completed_in_both: u64,
    /// The mean latency in each run of those that complete in both, in seconds.
    pub mean_latency_s: [f64; 2],
    /// Their latencies in the second run less those in the first, added up, in seconds.
    pub difference_s: f64,
    /// What those that are faster have won, in seconds.
    pub won_s: f64,
    /// What those that are slower have lost, in seconds.
    pub lost_s: f64,
    /// How many of those in both start cold in each run.
    pub cold_starts: [u64; 2],
    /// How many of those in both complete in each run.
    pub completed: [u64; 2],
}

impl ComparedInvocations {
    /// Whether the same became of all.
    pub fn are_all_the_same(&self) -> bool {
        (self.only_first, self.only_second, self.parted) == (0, 0, 0)
    }
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

/// Sums, in whole ns.
#[derive(Clone, Copy, Default)]
struct Sums {
    in_both: u64,
    only: [u64; 2],
    parted: u64,
    won: u64,
    lost: u64,
    completed_in_both: u64,
    latency: [u128; 2],
    won_ns: u128,
    lost_ns: u128,
    cold: [u64; 2],
    completed: [u64; 2],
}

impl Sums {
    fn add(&mut self, first: &InvocationSide, second: &InvocationSide, has_parted: bool) {
        self.in_both += 1;
        self.parted += u64::from(has_parted);
        for (place, side) in [first, second].into_iter().enumerate() {
            let add = |counts: &mut [u64; 2], holds: bool| {
                if let Some(count) = counts.get_mut(place) {
                    *count += u64::from(holds);
                }
            };
            add(&mut self.cold, side.start == Some(Start::Cold));
            add(&mut self.completed, side.outcome == Outcome::Completed);
        }
        match (first.latency_ns(), second.latency_ns()) {
            (Some(one), Some(two)) => {
                self.completed_in_both += 1;
                let [of_first, of_second] = &mut self.latency;
                *of_first += u128::from(one);
                *of_second += u128::from(two);
                self.won += u64::from(two < one);
                self.lost += u64::from(two > one);
                self.won_ns += u128::from(one.saturating_sub(two));
                self.lost_ns += u128::from(two.saturating_sub(one));
            }
            (None, Some(_)) => self.won += 1,
            (Some(_), None) => self.lost += 1,
            (None, None) => {}
        }
    }

    fn told(&self) -> ComparedInvocations {
        let seconds = |nanos: u128| nanos as f64 / 1e9;
        let count = self.completed_in_both.max(1) as f64;
        let [only_first, only_second] = self.only;
        ComparedInvocations {
            in_both: self.in_both,
            only_first,
            only_second,
            parted: self.parted,
            won: self.won,
            lost: self.lost,
            completed_in_both: self.completed_in_both,
            mean_latency_s: self.latency.map(|sum| seconds(sum) / count),
            difference_s: (self.lost_ns as f64 - self.won_ns as f64) / 1e9,
            won_s: seconds(self.won_ns),
            lost_s: seconds(self.lost_ns),
            cold_starts: self.cold,
            completed: self.completed,
        }
    }
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
    led_to: Few<SimTime>,
    won_most: Few<u64>,
    lost_most: Few<u64>,
    table: Option<StreamedTable<table::Row>>,
    /// Why the table cannot be written.
    error: Option<Error>,
}

/// By function, those that part first, win and lose most, and all.
type Told =
    (Vec<FunctionDifference>, Vec<PartedInvocation>, Vec<PartedInvocation>, Vec<PartedInvocation>, ComparedInvocations);

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
        if let Some((_, sums)) = place.and_then(|place| self.sums.get_mut(place)) {
            sums.add(&first.side, &second.side, parts.is_some());
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
        let latencies = first.side.latency_ns().zip(second.side.latency_ns());
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
        let is_there = |(_, sums): &(String, Sums)| sums.in_both + sums.only.iter().sum::<u64>() > 0;
        let mut functions: Vec<FunctionDifference> = self.sums.into_iter().filter(is_there).map(told).collect();
        let moved = |of: &FunctionDifference| of.invocations.won_s + of.invocations.lost_s;
        functions.sort_by(|one, other| moved(other).total_cmp(&moved(one)));
        Ok((functions, self.led_to.told(), self.won_most.told(), self.lost_most.told(), self.all.told()))
    }
}
