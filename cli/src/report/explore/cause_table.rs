//! The table of causes beside that of invocations, row by row.

use hearth_serverless::causes::Cause;
use serde_json::{Value, json};

use super::tables::{Column, Kind, Table};
use super::words;
use crate::error::CommandError;

/// What comes after the causes, as far as it is there.
const AFTER: [(&str, Kind); 4] = [
    ("cold_start", Kind::Word),
    ("container_ended_at", Kind::Time),
    ("container_node", Kind::Word),
    ("evicted_for", Kind::Word),
];

/// The table of causes, with what its columns are.
#[derive(Debug)]
pub struct CauseTable {
    table: Table,
    causes: Vec<Cause>,
    after: Vec<&'static str>,
}

/// The places of the first columns of a table of causes here.
const CAUSE_NUMBER: usize = 0;
const CAUSE_LATENCY: usize = 1;
const FIRST_CAUSE: usize = 2;

/// Latencies that tables in Parquet hold may be so many nanoseconds off.
const INEXACT: u64 = 1000;

const OTHER_ROWS: &str = "it has other rows than the table of invocations";

impl CauseTable {
    /// Takes a table that has been opened.
    ///
    /// # Errors
    /// When it is none of causes.
    pub fn new(mut table: Table) -> Result<Self, CommandError> {
        let causes: Vec<Cause> = table.names().iter().filter_map(|name| Cause::named(name)).collect();
        let after = AFTER.into_iter().filter(|(name, _)| table.names().iter().any(|column| column == name));
        let after: Vec<_> = after.collect();
        let mut wanted = vec![Column::new("invocation", Kind::Count), Column::new("latency", Kind::Time)];
        wanted.extend(causes.iter().map(|cause| Column::new(cause.name(), Kind::Time)));
        wanted.extend(after.iter().map(|(name, kind)| Column::new(name, *kind)));
        table.want(wanted)?;
        Ok(Self { table, causes, after: after.into_iter().map(|(name, _)| name).collect() })
    }

    /// The causes of a row that have some of its latency; they add up to it.
    fn parts(&self, row: usize, parts: &mut Vec<(usize, u64)>) -> Result<Option<u64>, String> {
        parts.clear();
        for cause in 0..self.causes.len() {
            if let Some(nanos) = self.table.column(FIRST_CAUSE + cause).at(row).filter(|nanos| *nanos > 0) {
                parts.push((cause, nanos));
            }
        }
        let latency = self.table.column(CAUSE_LATENCY).at(row);
        let sum = parts.iter().fold(0_u64, |sum, (_, nanos)| sum.saturating_add(*nanos));
        if latency.unwrap_or(0) == sum {
            return Ok(latency);
        }
        let number = self.table.column(CAUSE_NUMBER).at(row).unwrap_or_default();
        Err(format!("the causes of invocation {number} do not add up to its latency"))
    }

    /// Reads the next rows, of which there must be as many as in the table of invocations.
    ///
    /// # Errors
    /// When there are others, or they cannot be read.
    pub fn next(&mut self, count: usize) -> Result<(), CommandError> {
        if self.table.next()? == count { Ok(()) } else { Err(self.table.wrong(0, OTHER_ROWS)) }
    }

    /// The causes of a row of so many that have some of its latency, and the latency; `known` is its number and its latency in the table of
    /// invocations.
    ///
    /// # Errors
    /// When it is of another invocation or says something else.
    pub fn explained(
        &self,
        (row, count): (usize, usize),
        known: (Option<u64>, Option<u64>),
        parts: &mut Vec<(usize, u64)>,
    ) -> Result<Option<u64>, CommandError> {
        let wrong = |problem: &str| self.table.wrong(count - row, problem);
        let (number, latency) = known;
        if self.table.column(CAUSE_NUMBER).at(row) != number {
            return Err(wrong(OTHER_ROWS));
        }
        let explained = self.parts(row, parts).map_err(|problem| wrong(&problem))?;
        if latency.is_some_and(|latency| explained.is_some_and(|told| told.abs_diff(latency) > INEXACT)) {
            return Err(wrong("its latencies are not those of the table of invocations"));
        }
        Ok(explained)
    }

    /// How many columns there are beside the causes.
    pub fn after_count(&self) -> usize {
        self.after.len()
    }

    fn after(&self, place: usize) -> &Column {
        self.table.column(FIRST_CAUSE + self.causes.len() + place)
    }

    /// What one of these has in a row; a date counts from an origin.
    pub fn after_at(&self, place: usize, row: usize, origin: u64) -> Option<u64> {
        let column = self.after(place);
        let is_date = column.kind == Kind::Time;
        column.at(row).map(|value| if is_date { value.saturating_sub(origin) } else { value })
    }

    /// What the page is told of the causes.
    pub fn about(&self) -> Vec<Value> {
        self.causes.iter().copied().map(words::of_cause).collect()
    }

    /// What it is told of the other columns.
    pub fn about_after(&self) -> Vec<Value> {
        let of = |(place, name): (usize, &&str)| {
            let column = self.after(place);
            let words: Vec<Value> = column.words.iter().map(|word| words::of_word(name, word)).collect();
            json!({"name": name, "note": words::of_column(name), "is_date": column.kind == Kind::Time, "words": words})
        };
        self.after.iter().enumerate().map(of).collect()
    }
}
