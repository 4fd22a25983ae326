//! Writes the runs of a grid, and what they come to, as tables for programs and for people.

use comfy_table::{CellAlignment, Table, presets};

use super::comparison::{Comparison, Row, Run};
use super::grid::{Baseline, Grid};
use super::statistics::Estimate;
use crate::result_files::TableFormat;
use crate::table::{byte_seconds, bytes, duration, joules, money};

/// A column of a tidy table.
pub enum Column {
    /// Text.
    Text(String, Vec<String>),
    /// Whole numbers.
    Whole(String, Vec<u64>),
    /// Numbers, where there are any.
    Number(String, Vec<Option<f64>>),
}

impl Column {
    /// What stands at its head.
    pub fn name(&self) -> &str {
        match self {
            Self::Text(name, _) | Self::Whole(name, _) | Self::Number(name, _) => name,
        }
    }

    fn field(&self, row: usize) -> String {
        match self {
            Self::Text(_, values) => values[row].clone(),
            Self::Whole(_, values) => values[row].to_string(),
            Self::Number(_, values) => values[row].map(|number| number.to_string()).unwrap_or_default(),
        }
    }
}

/// A table in a form for programs.
#[derive(Debug)]
pub struct TidyTable {
    columns: Vec<Column>,
    rows: usize,
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One column for each axis: the values as they were given.
fn axes_of<'a>(grid: &Grid, rows: impl Iterator<Item = &'a [usize]> + Clone) -> Vec<Column> {
    let of_axis = |axis: usize| {
        let values = rows.clone().map(|settings| grid.axes[axis].settings[settings[axis]].label.clone()).collect();
        Column::Text(grid.axes[axis].name.clone(), values)
    };
    (0..grid.axes.len()).map(of_axis).collect()
}

/// One row a run: every varied value, the seed, and all numbers of its summary.
pub fn of_runs(grid: &Grid, runs: &[Run], names: &[String]) -> TidyTable {
    let mut columns = axes_of(grid, runs.iter().map(|run| run.point.settings.as_slice()));
    columns.push(Column::Whole("seed".to_owned(), runs.iter().map(|run| run.point.seed).collect()));
    for name in names {
        let values = runs.iter().map(|run| run.numbers.get(name).copied()).collect();
        columns.push(Column::Number(name.clone(), values));
    }
    TidyTable { columns, rows: runs.len() }
}

/// One row a combination of values and a number: mean and interval, and the difference to the baseline with its own.
pub fn of_comparison(grid: &Grid, comparison: &Comparison) -> TidyTable {
    let pairs: Vec<(&Row, &String)> =
        comparison.rows.iter().flat_map(|row| comparison.names.iter().map(move |name| (row, name))).collect();
    let mut columns = axes_of(grid, pairs.iter().map(|(row, _)| row.settings.as_slice()));
    columns.push(Column::Text("metric".to_owned(), pairs.iter().map(|(_, name)| (*name).clone()).collect()));
    let mut number = |name: &str, of: &dyn Fn(&Row, &str) -> Option<f64>| {
        columns.push(Column::Number(name.to_owned(), pairs.iter().map(|(row, metric)| of(row, metric)).collect()));
    };
    let end = |estimate: Option<&Estimate>, end: usize| estimate?.interval().map(|interval| interval[end]);
    number("runs", &|row, name| Some(row.means.get(name)?.count as f64));
    number("mean", &|row, name| Some(row.means.get(name)?.mean));
    number("mean_low", &|row, name| end(row.means.get(name), 0));
    number("mean_high", &|row, name| end(row.means.get(name), 1));
    number("difference", &|row, name| Some(row.differences.get(name)?.mean));
    number("difference_low", &|row, name| end(row.differences.get(name), 0));
    number("difference_high", &|row, name| end(row.differences.get(name), 1));
    TidyTable { columns, rows: pairs.len() }
}

impl TidyTable {
    /// The table as the content of a file.
    ///
    /// # Errors
    /// When a name or value cannot be written in that format.
    pub fn to_bytes(&self, format: TableFormat) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        match format {
            TableFormat::Csv => self.to_csv().map_err(Into::into),
            #[cfg(feature = "parquet")]
            TableFormat::Parquet => super::parquet::to_bytes(&self.columns, self.rows).map_err(Into::into),
            #[cfg(not(feature = "parquet"))]
            TableFormat::Parquet => Err(Box::new(crate::feature::PARQUET.missing())),
        }
    }

    fn to_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(Column::name))?;
        for row in 0..self.rows {
            writer.write_record(self.columns.iter().map(|column| column.field(row)))?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    }
}

/// The numbers that are shown unless others are asked for.
pub const SHOWN: [&str; 5] =
    ["cold_start_ratio", "latency.mean", "latency.p50", "latency.p99", "memory_byte_seconds.idle"];

/// A number of a summary with the unit that its name tells.
fn quantity(name: &str, value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    let size = value.abs();
    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let text = if name.ends_with("count") {
        plain(size)
    } else if is(&["latency.", "waiting.", "cold_start_delay.", "makespan_s"]) {
        duration(size)
    } else if name.contains("ratio") {
        format!("{:.2} %", 100.0 * size)
    } else if is(&["memory_byte_seconds."]) {
        byte_seconds(size)
    } else if name.ends_with(".bytes") {
        bytes(size)
    } else if ["cost.requests", "cost.compute", "cost.total"].contains(&name) {
        money(size)
    } else if is(&["energy."]) {
        joules(size)
    } else {
        plain(size)
    };
    format!("{sign}{text}")
}

fn plain(value: f64) -> String {
    if value.fract() == 0.0 && value < 1e15 { format!("{value}") } else { format!("{value:.3}") }
}

/// An estimate with its unit and interval; empty if there is none.
pub fn shown(name: &str, estimate: Option<&Estimate>, is_difference: bool) -> String {
    let Some(estimate) = estimate else { return String::new() };
    let sign = if is_difference && estimate.mean >= 0.0 { "+" } else { "" };
    let mean = quantity(name, estimate.mean);
    let width = estimate.half_width.map_or(String::new(), |half| format!(" ± {}", quantity(name, half)));
    format!("{sign}{mean}{width}")
}

fn table(header: impl Iterator<Item = String>, texts: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if position >= texts {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The comparison as text: means of some numbers, and their differences to the baseline if there is one.
pub fn as_text(grid: &Grid, comparison: &Comparison, metrics: &[String], baseline: Option<Baseline>) -> String {
    let axes = || grid.axes.iter().map(|axis| axis.name.clone());
    let part = |is_difference: bool| {
        let mut table = table(axes().chain(metrics.iter().cloned()), grid.axes.len());
        for row in comparison.rows.iter().filter(|row| !is_difference || !row.differences.is_empty()) {
            let labels = grid.labels(&row.settings).into_iter().map(str::to_owned);
            let estimates = if is_difference { &row.differences } else { &row.means };
            let numbers = metrics.iter().map(|name| shown(name, estimates.get(name), is_difference));
            table.add_row(labels.chain(numbers));
        }
        lines(&table)
    };
    let mut text = part(false);
    if let Some(baseline) = baseline {
        let label = grid.axes[baseline.axis].settings[baseline.setting].label.as_str();
        text.push_str(&format!("\nDifferences to {label}, seed by seed:\n\n{}", part(true)));
    }
    if grid.seeds.len() > 1 {
        text.push_str(&format!("\nMeans over {} seeds, ± half of their 95 % confidence interval.\n", grid.seeds.len()));
    }
    text
}

fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("  {}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_unit_of_their_name() {
        let cases = [
            ("latency.p99", 0.25, "250 ms"),
            ("latency.count", 25.0, "25"),
            ("cold_start_ratio", 0.1234, "12.34 %"),
            ("cold_start_ratio_of_functions.p75", 1.0, "100.00 %"),
            ("memory_byte_seconds.idle", 5e9, "5.00 GB·s"),
            ("images.copies.bytes", 5e6, "5.00 MB"),
            ("makespan_s", -30.0, "-30.0 s"),
            ("slowdown.mean", 1.5, "1.500"),
            ("cost.total", -0.0012345, "-0.00123"),
            ("cost.billed_requests", 12.0, "12"),
            ("energy.idle_joules", 437_044.6, "437 kJ"),
        ];
        for (name, value, text) in cases {
            assert_eq!(quantity(name, value), text, "{name}");
        }
    }
}
