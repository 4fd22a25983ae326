//! Invocations as chunks of columns, with what their latency is made of.
//!
//! An invocation is of a *kind*: how it started and ended, which of its dates are there, and which causes its latency has. Kinds are few, and said
//! once. Of dates and parts only those are written that are there, as differences; the last part is what is left of the latency.

use std::collections::HashMap;
use std::mem::take;

use serde_json::{Value, json};

use super::super::theme;
use super::cause_table::CauseTable;
use super::column::{Columns, MOST, difference};
use super::occupancy::Occupancy;
use super::overview::Overview;
use super::slowest::{Slow, Slowest};
use super::tables::{Column, Kind, NOTHING, Table};
use crate::error::CommandError;

/// So many invocations are unpacked together.
const CHUNK: usize = 1 << 14;

/// So many different texts of failures are told apart.
const MOST_FAILURES: u64 = 1000;

/// The columns of invocations, in the order in which they are read here.
const COLUMNS: [(&str, Kind); 11] = [
    ("invocation", Kind::Count),
    ("function", Kind::Word),
    ("node", Kind::Word),
    ("start", Kind::Word),
    ("outcome", Kind::Word),
    ("failure", Kind::Word),
    ("requested_at", Kind::Time),
    ("submitted_at", Kind::Time),
    ("dispatched_at", Kind::Time),
    ("started_at", Kind::Time),
    ("finished_at", Kind::Time),
];
const NUMBER: usize = 0;
const FUNCTION: usize = 1;
const NODE: usize = 2;
const START: usize = 3;
const OUTCOME: usize = 4;
const FAILURE: usize = 5;
const REQUESTED: usize = 6;
const SUBMITTED: usize = 7;
const DISPATCHED: usize = 8;
const STARTED: usize = 9;
const FINISHED: usize = 10;

/// Dates that containers have in common with the invocations that are on the page.
#[derive(Debug, Default)]
pub struct Times {
    /// The numbers of the invocations, which ascend.
    pub numbers: Vec<u64>,
    /// Their functions.
    pub functions: Vec<u32>,
    /// When they got a container.
    pub dispatched: Vec<u64>,
    /// When their bodies began.
    pub started: Vec<u64>,
    /// When these ended.
    pub finished: Vec<u64>,
    /// From where these count.
    pub origin: u64,
    /// The names of functions.
    pub function_names: Vec<String>,
    /// The names of nodes.
    pub node_names: Vec<String>,
}

/// What has been read.
#[derive(Debug)]
pub struct Exploration {
    /// What the page is told.
    pub about: Value,
    /// The chunks, by name.
    pub chunks: Vec<(String, String)>,
    /// The last date, in nanoseconds.
    pub ended: u64,
    /// What nodes were busy with, if that was asked for.
    pub occupancy: Occupancy,
    /// What containers need.
    pub times: Times,
    /// The slowest invocations.
    pub slowest: Vec<Slow>,
}

/// How an invocation went, apart from numbers.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct RowKind {
    start: u64,
    outcome: u64,
    /// A bit for each date: submitted, dispatched, started, finished; and one for latency.
    dates: u8,
    /// The causes of its latency, in their order.
    causes: Vec<u8>,
}

/// An hour, in nanoseconds.
const HOUR: u64 = 3_600_000_000_000;

/// From where the dates of a page count whose first request comes at a date: numbers of browsers do not reach far.
fn origin_of(first: u64) -> u64 {
    if first < MOST / 2 { 0 } else { first - first % HOUR }
}

/// Gathers rows.
#[derive(Debug)]
pub struct Rows {
    every: u64,
    seen: u64,
    unrequested: u64,
    has_occupancy: bool,
    kinds: HashMap<RowKind, u64>,
    kinds_in_order: Vec<RowKind>,
    chunk: Chunk,
    chunks: Vec<(String, String)>,
    rows: Vec<usize>,
    overview: Overview,
    occupancy: Occupancy,
    ended: u64,
    origin: Option<u64>,
    times: Times,
    slowest: Slowest,
}

/// The columns of a chunk.
#[derive(Debug, Default)]
struct Chunk {
    rows: usize,
    number: Vec<u64>,
    requested: Vec<u64>,
    function: Vec<u64>,
    node: Vec<u64>,
    kind: Vec<u64>,
    failure: Vec<u64>,
    /// Submitted, dispatched and started, after the date before.
    dates: [Vec<u64>; 3],
    latency: Vec<u64>,
    parts: Vec<Vec<u64>>,
    after: Vec<Vec<u64>>,
    number_before: u64,
    requested_before: u64,
}

impl Chunk {
    fn packed(&self) -> String {
        let mut columns = Columns::default();
        let fixed = [&self.number, &self.requested, &self.function, &self.node, &self.kind, &self.failure];
        let all = fixed.into_iter().chain(&self.dates).chain([&self.latency]).chain(&self.after).chain(&self.parts);
        all.for_each(|column| columns.add(column));
        columns.packed()
    }
}

/// What is there as one more than it is, and nothing as nought.
fn or_nought(value: Option<u64>) -> u64 {
    value.map_or(0, |value| value + 1)
}

impl Rows {
    /// Takes every so many invocations; says of all what nodes were busy with if no timeline does, and which few are the slowest.
    pub fn new(every: u64, has_occupancy: bool, slowest: usize) -> Self {
        Self {
            every,
            seen: 0,
            unrequested: 0,
            has_occupancy,
            kinds: HashMap::new(),
            kinds_in_order: Vec::new(),
            chunk: Chunk::default(),
            chunks: Vec::new(),
            rows: Vec::new(),
            overview: Overview::default(),
            occupancy: Occupancy::default(),
            ended: 0,
            origin: None,
            times: Times::default(),
            slowest: Slowest::new(slowest),
        }
    }

    /// Reads the tables of a run. There is nothing if it is longer than browsers can count.
    ///
    /// # Errors
    /// When they cannot be read, or do not go together.
    pub fn read(mut self, mut table: Table, causes: Option<Table>) -> Result<Option<Exploration>, CommandError> {
        table.want(COLUMNS.into_iter().map(|(name, kind)| Column::new(name, kind)).collect())?;
        let mut causes = causes.map(CauseTable::new).transpose()?;
        let mut parts = Vec::new();
        loop {
            let count = table.next()?;
            causes.as_mut().map_or(Ok(()), |causes| causes.next(count))?;
            if count == 0 {
                break;
            }
            for row in 0..count {
                let mut latency = match table.column(FINISHED).at(row).zip(table.column(REQUESTED).at(row)) {
                    Some((finished, requested)) => finished.checked_sub(requested),
                    None => None,
                };
                if let Some(causes) = &causes {
                    let number = table.column(NUMBER).at(row);
                    latency = causes.explained((row, count), (number, latency), &mut parts)?;
                }
                self.take(&table, row, latency, &parts, causes.as_ref());
            }
        }
        if self.ended > MOST {
            return Ok(None);
        }
        self.end_chunk();
        Ok(Some(self.finish(&table, causes.as_ref())))
    }

    fn take(
        &mut self,
        table: &Table,
        row: usize,
        latency: Option<u64>,
        parts: &[(usize, u64)],
        causes: Option<&CauseTable>,
    ) {
        let Some(requested) = table.column(REQUESTED).at(row) else {
            self.unrequested += 1;
            return;
        };
        let origin = *self.origin.get_or_insert_with(|| origin_of(requested));
        let at = |column: usize| {
            let column = table.column(column);
            column.at(row).map(|value| if column.kind == Kind::Time { value.saturating_sub(origin) } else { value })
        };
        let requested = requested.saturating_sub(origin);
        let is_cold = at(START).is_some_and(|start| table.column(START).words[start as usize] == "cold");
        self.overview.add(requested, is_cold, latency, parts);
        let dates = [SUBMITTED, DISPATCHED, STARTED, FINISHED].into_iter().filter_map(at);
        self.ended = dates.fold(self.ended.max(requested + latency.unwrap_or(0)), u64::max);
        if self.has_occupancy
            && let (Some(node), Some(dispatched), Some(finished)) = (at(NODE), at(DISPATCHED), at(FINISHED))
        {
            let started = at(STARTED).unwrap_or(dispatched).clamp(dispatched, finished.max(dispatched));
            let before = if is_cold { theme::COLD_START } else { theme::RUN };
            self.occupancy.add(node as u32, before, dispatched, started);
            self.occupancy.add(node as u32, theme::RUN, started, finished);
        }
        self.seen += 1;
        if (self.seen - 1).is_multiple_of(self.every) {
            self.keep(&at, requested, latency, parts, row, causes);
        }
    }

    fn keep(
        &mut self,
        at: &dyn Fn(usize) -> Option<u64>,
        requested: u64,
        latency: Option<u64>,
        parts: &[(usize, u64)],
        row: usize,
        causes: Option<&CauseTable>,
    ) {
        let chunk = &mut self.chunk;
        let number = at(NUMBER).unwrap_or_default();
        chunk.number.push(difference(number, take(&mut chunk.number_before)));
        chunk.requested.push(difference(requested, take(&mut chunk.requested_before)));
        (chunk.number_before, chunk.requested_before) = (number, requested);
        chunk.function.push(at(FUNCTION).unwrap_or_default());
        chunk.node.push(or_nought(at(NODE)));
        chunk.failure.push(or_nought(at(FAILURE).map(|failure| failure.min(MOST_FAILURES))));
        let (mut dates, mut before) = (0, requested);
        for (place, column) in [SUBMITTED, DISPATCHED, STARTED].into_iter().enumerate() {
            if let Some(date) = at(column) {
                dates |= 1 << place;
                chunk.dates[place].push(difference(date, before));
                before = date;
            }
        }
        dates |= u8::from(at(FINISHED).is_some()) << 3;
        if let Some(latency) = latency {
            dates |= 1 << 4;
            chunk.latency.push(latency);
            self.slowest.offer(number, latency);
        }
        for (cause, nanos) in parts.split_last().map_or(&[][..], |(_, others)| others) {
            if chunk.parts.len() <= *cause {
                chunk.parts.resize(cause + 1, Vec::new());
            }
            chunk.parts[*cause].push(*nanos);
        }
        if let Some(causes) = causes {
            chunk.after.resize(causes.after_count(), Vec::new());
            for (place, column) in chunk.after.iter_mut().enumerate() {
                column.push(or_nought(causes.after_at(place, row, self.origin.unwrap_or_default())));
            }
        }
        let kind = RowKind {
            start: at(START).unwrap_or(NOTHING),
            outcome: at(OUTCOME).unwrap_or(NOTHING),
            dates,
            causes: parts.iter().map(|(cause, _)| *cause as u8).collect(),
        };
        let kind = match self.kinds.get(&kind) {
            Some(number) => *number,
            None => {
                let number = self.kinds_in_order.len() as u64;
                self.kinds.insert(kind.clone(), number);
                self.kinds_in_order.push(kind);
                number
            }
        };
        chunk.kind.push(kind);
        chunk.rows += 1;
        self.times.numbers.push(number);
        self.times.functions.push(at(FUNCTION).unwrap_or_default() as u32);
        self.times.dispatched.push(at(DISPATCHED).unwrap_or(NOTHING));
        self.times.started.push(at(STARTED).unwrap_or(NOTHING));
        self.times.finished.push(at(FINISHED).unwrap_or(NOTHING));
        if self.chunk.rows == CHUNK {
            self.end_chunk();
        }
    }

    fn end_chunk(&mut self) {
        let chunk = take(&mut self.chunk);
        if chunk.rows > 0 {
            self.chunks.push((format!("rows-{}", self.rows.len()), chunk.packed()));
            self.rows.push(chunk.rows);
        }
    }

    fn finish(mut self, table: &Table, causes: Option<&CauseTable>) -> Exploration {
        let words_of = |column: usize| table.column(column).words.clone();
        let word = |column: usize, number: u64| table.column(column).words.get(number as usize);
        let kinds: Vec<Value> = self
            .kinds_in_order
            .iter()
            .map(|kind| json!([word(START, kind.start), word(OUTCOME, kind.outcome), kind.dates, kind.causes]))
            .collect();
        let mut failures = words_of(FAILURE);
        if failures.len() as u64 > MOST_FAILURES {
            failures.truncate(MOST_FAILURES as usize);
            failures.push("another failure".to_owned());
        }
        let about = json!({
            "invocations": self.seen,
            "unrequested": self.unrequested,
            "functions": words_of(FUNCTION),
            "nodes": words_of(NODE),
            "failures": failures,
            "kinds": kinds,
            "causes": causes.map(CauseTable::about),
            "after": causes.map(CauseTable::about_after),
            "rows": self.rows,
            "overview": self.overview.about(),
            "origin_s": self.origin.unwrap_or_default() / 1_000_000_000,
        });
        self.times.origin = self.origin.unwrap_or_default();
        (self.times.function_names, self.times.node_names) = (words_of(FUNCTION), words_of(NODE));
        let Self { chunks, ended, occupancy, times, slowest, .. } = self;
        Exploration { about, chunks, ended, occupancy, times, slowest: slowest.told() }
    }
}
