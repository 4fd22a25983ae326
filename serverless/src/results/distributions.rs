//! `distributions.csv`: how times and ratios are distributed, in steps fine enough to draw them.

use std::io::Write;

use super::Results;
use super::held_table::{HeldTable, WrongCell};
use super::table::{Column, CsvTable};
use super::{Definition, Unit};
use crate::metrics::{FunctionRatios, Metrics};

/// A share, and what it is of.
pub(super) struct ShareRow<'a> {
    share: f64,
    position: usize,
    drawn: &'a Drawn,
    ratios: &'a FunctionRatios,
}

/// What each share of the requests does not exceed; nothing of distributions without values.
struct Drawn {
    latency: Vec<f64>,
    waiting: Vec<f64>,
    slowdown: Vec<f64>,
    cold_start_delay: Vec<f64>,
}

impl Drawn {
    fn of(metrics: &Metrics, shares: &[f64]) -> Self {
        Self {
            latency: metrics.latency.percentiles(shares),
            waiting: metrics.waiting.percentiles(shares),
            slowdown: metrics.slowdown.percentiles(shares),
            cold_start_delay: metrics.cold_start_delay.percentiles(shares),
        }
    }
}

/// The columns of the table of distributions.
pub(super) fn columns<'a>() -> Vec<Column<ShareRow<'a>>> {
    let share = Column::decimal("share", Unit::Share, 4, |row: &ShareRow<'_>| Some(row.share));
    vec![
        share.required().note("of requests, or of functions; the others are what this share does not exceed"),
        requests("latency", |drawn| &drawn.latency),
        requests("waiting", |drawn| &drawn.waiting),
        requests("slowdown", |drawn| &drawn.slowdown),
        requests("cold_start_delay", |drawn| &drawn.cold_start_delay),
        column("cold_start_ratio_of_functions", 6, |row: &ShareRow<'_>| {
            (row.ratios.count() > 0).then(|| row.ratios.percentile(row.share))
        }),
    ]
}

/// A distribution over requests.
fn requests<'a>(path: &str, read: fn(&Drawn) -> &Vec<f64>) -> Column<ShareRow<'a>> {
    column(path, 9, move |row: &ShareRow<'_>| read(row.drawn).get(row.position).copied())
}

/// A distribution of a summary.
fn column<'a>(
    path: &str,
    decimals: usize,
    read: impl Fn(&ShareRow<'a>) -> Option<f64> + Send + Sync + 'static,
) -> Column<ShareRow<'a>> {
    let definition = Definition::at(path);
    let unit = definition.map_or(Unit::Plain, |definition| definition.unit);
    Column::decimal(path, unit, decimals, read).note(definition.map_or("", |definition| definition.title))
}

/// One row for each share: what this share of all does not exceed. Shares go in steps of half a percent to 99 %, of a
/// thousandth to 99.9 % and of a ten-thousandth to all. Times are in seconds, and percentiles at most 0.1 % too high; the
/// last column is of functions, each of which counts the same. A column without values is empty.
///
/// # Errors
/// When the target cannot be written.
pub fn write_distributions(results: &Results, target: impl Write) -> Result<(), csv::Error> {
    let distributions = Distributions::of(results);
    let mut table = CsvTable::new(columns(), target)?;
    distributions.rows().try_for_each(|row| table.row(&row))?;
    table.finish()
}

/// The same table in memory.
///
/// # Errors
/// When a cell is not of the type of its column, which is a mistake of the simulator.
pub fn hold_distributions(results: &Results) -> Result<HeldTable, WrongCell> {
    let distributions = Distributions::of(results);
    let columns = columns();
    let mut table = HeldTable::of(&columns);
    distributions.rows().try_for_each(|row| table.row(columns.iter().map(|column| column.cell(&row))))?;
    Ok(table)
}

/// What is distributed how.
struct Distributions {
    shares: Vec<f64>,
    drawn: Drawn,
    ratios: FunctionRatios,
}

impl Distributions {
    fn of(results: &Results) -> Self {
        let shares: Vec<f64> = shares().collect();
        let drawn = Drawn::of(&results.metrics, &shares);
        Self { shares, drawn, ratios: results.metrics.cold_start_ratio_of_functions() }
    }

    fn rows(&self) -> impl Iterator<Item = ShareRow<'_>> {
        let Self { shares, drawn, ratios } = self;
        shares.iter().enumerate().map(move |(position, share)| ShareRow { share: *share, position, drawn, ratios })
    }
}

fn shares() -> impl Iterator<Item = f64> {
    let coarse = (0..198).map(|step| f64::from(step) / 200.0);
    let fine = (990..999).map(|step| f64::from(step) / 1_000.0);
    let finest = (9_990..=10_000).map(|step| f64::from(step) / 10_000.0);
    coarse.chain(fine).chain(finest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_ascend_to_all() {
        let shares: Vec<f64> = shares().collect();
        assert!(shares.is_sorted_by(|one, next| one < next));
        assert_eq!((shares[0], shares[198], shares.last()), (0.0, 0.99, Some(&1.0)));
    }
}
