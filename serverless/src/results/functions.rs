//! `functions.csv`: one row a function.

use std::io::Write;

use super::Results;
use super::held_table::{HeldTable, WrongCell};
use super::table::{Column, CsvTable};
use super::{Definition, Part, Unit};
use crate::invocation::Outcome;
use crate::metrics::{Coarse, FunctionMetrics};

/// A function with its name.
pub(super) struct FunctionRow<'a> {
    name: &'a str,
    metrics: &'a FunctionMetrics,
    processor_seconds: Option<f64>,
}

/// The column that is there only where processors are shared.
const PROCESSORS: &str = "processor_seconds";

/// How a distribution is read.
type OfFunction = fn(&FunctionMetrics) -> &Coarse;

/// The distributions of a function, by what they are called in a summary.
const DISTRIBUTIONS: [(&str, OfFunction); 4] = [
    ("latency", |function| &function.latency),
    ("waiting", |function| &function.waiting),
    ("slowdown", |function| &function.slowdown),
    ("cold_start_delay", |function| &function.cold_start_delay),
];

/// The columns of the table of functions.
pub(super) fn columns<'a>() -> Vec<Column<FunctionRow<'a>>> {
    let ended = |outcome: Outcome| {
        let column = Column::count(outcome.as_str(), move |row: &FunctionRow<'_>| Some(row.metrics.outcome(outcome)));
        column.required().note("invocations that ended so")
    };
    let mut columns = vec![
        Column::text("function", |row: &FunctionRow<'_>| Some(row.name)).required(),
        Column::count("invocations", |row: &FunctionRow<'_>| Some(row.metrics.invocations())).required(),
    ];
    columns.extend(Outcome::ALL.map(ended));
    columns.push(Column::count("cold_starts", |row: &FunctionRow<'_>| Some(row.metrics.cold_starts)).required());
    columns.push(Column::count("warm_starts", |row: &FunctionRow<'_>| Some(row.metrics.warm_starts)).required());
    for (path, read) in DISTRIBUTIONS {
        columns.extend([Part::Mean, Part::P50, Part::P90, Part::P99, Part::Max].map(|part| column(path, part, read)));
    }
    let used = Column::decimal(PROCESSORS, Unit::CoreSeconds, 9, |row: &FunctionRow<'_>| row.processor_seconds);
    columns.push(used.note("processors used; only where they are shared"));
    columns
}

/// A number of a distribution; nothing for what never happened.
fn column<'a>(path: &'static str, part: Part, read: OfFunction) -> Column<FunctionRow<'a>> {
    let definition = Definition::at(path);
    let unit = definition.map_or(Unit::Plain, |definition| definition.unit);
    let note = definition.map(|definition| definition.title_of(part)).unwrap_or_default();
    let number = move |row: &FunctionRow<'_>| {
        let values = read(row.metrics);
        (values.count() > 0).then(|| part.of(values)).flatten()
    };
    Column::decimal(format!("{path}_{}", part.name()), unit, 9, number).note(note)
}

/// Writes one row for each function: counts, and distributions in seconds (slowdowns are ratios). Means and maxima are
/// exact, percentiles at most 3.2 % too high.
///
/// # Errors
/// When the target cannot be written.
pub fn write_functions(results: &Results, target: impl Write) -> Result<(), csv::Error> {
    let mut table = CsvTable::new(columns_of(results), target)?;
    rows(results).try_for_each(|row| table.row(&row))?;
    table.finish()
}

/// The same table in memory.
///
/// # Errors
/// When a cell is not of the type of its column, which is a mistake of the simulator.
pub fn hold_functions(results: &Results) -> Result<HeldTable, WrongCell> {
    let columns = columns_of(results);
    let mut table = HeldTable::of(&columns);
    rows(results).try_for_each(|row| table.row(columns.iter().map(|column| column.cell(&row))))?;
    Ok(table)
}

fn columns_of<'a>(results: &Results) -> Vec<Column<FunctionRow<'a>>> {
    let mut columns = columns();
    columns.retain(|column| results.metrics.processors.is_some() || column.head().name != PROCESSORS);
    columns
}

fn rows(results: &Results) -> impl Iterator<Item = FunctionRow<'_>> {
    let processors = results.metrics.processors.as_deref();
    let functions = results.about.functions.iter().zip(&results.metrics.functions).enumerate();
    functions.map(move |(position, (name, metrics))| {
        let processor_seconds = processors.map(|processors| processors.seconds_of(position));
        FunctionRow { name, metrics, processor_seconds }
    })
}
