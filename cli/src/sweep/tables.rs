//! Writes the runs of a grid, and what they come to, as tables for programs.

use hearth_serverless::results::{Cell, ColumnHead, ColumnType, CsvRows, Metric, SinkError};

use super::axes;
use super::comparison::{Comparison, Row, Run};
use super::grid::Grid;
use super::statistics::Estimate;
use crate::output_choice::TableFormat;

/// A column of a tidy table with its name.
enum Column {
    /// Text.
    Text(String, Vec<String>),
    /// Whole numbers.
    Whole(String, Vec<u64>),
    /// Numbers, where there are any.
    Number(String, Vec<Option<f64>>),
    /// Whether something holds, where that can be said.
    Flag(String, Vec<Option<bool>>),
}

impl Column {
    fn head(&self) -> ColumnHead {
        let (name, kind, is_optional) = match self {
            Self::Text(name, _) => (name, ColumnType::Text, false),
            Self::Whole(name, _) => (name, ColumnType::Whole, false),
            Self::Number(name, _) => (name, ColumnType::Number, true),
            Self::Flag(name, _) => (name, ColumnType::Flag, true),
        };
        ColumnHead { name: name.clone(), kind, is_optional }
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Text(_, values) => values.get(row).map_or(Cell::Nothing, |text| Cell::Text(text)),
            Self::Whole(_, values) => values.get(row).map_or(Cell::Nothing, |number| Cell::Whole(*number)),
            Self::Number(_, values) => values.get(row).copied().flatten().map_or(Cell::Nothing, Cell::Number),
            Self::Flag(_, values) => values.get(row).copied().flatten().map_or(Cell::Nothing, Cell::Flag),
        }
    }
}

/// A table in a form for programs.
pub struct TidyTable {
    columns: Vec<Column>,
    rows: usize,
}

/// The values in words, and a column for each axis: numbers in base units where its values are quantities, otherwise the
/// values as they were given.
fn axes_of<'a>(grid: &Grid, rows: impl Iterator<Item = &'a [usize]> + Clone) -> Vec<Column> {
    let of_axis = |(axis, name): (usize, String)| match axes::quantities(&grid.axes[axis]) {
        Some((values, _)) => {
            Column::Number(name, rows.clone().map(|settings| values.get(settings[axis]).copied()).collect())
        }
        None => {
            let labels = rows.clone().map(|settings| grid.axes[axis].settings[settings[axis]].label.clone());
            Column::Text(name, labels.collect())
        }
    };
    let setting = Column::Text("setting".to_owned(), rows.clone().map(|settings| grid.describe(settings)).collect());
    let axes = axes::column_names(grid).into_iter().enumerate().map(of_axis);
    std::iter::once(setting).chain(axes).collect()
}

/// One row a run: every varied value, the seed, and all numbers of its summary.
pub fn of_runs(grid: &Grid, runs: &[Run], metrics: &[&Metric]) -> TidyTable {
    let mut columns = axes_of(grid, runs.iter().map(|run| run.point.settings.as_slice()));
    columns.push(Column::Whole("seed".to_owned(), runs.iter().map(|run| run.point.seed).collect()));
    for Metric { name, .. } in metrics {
        let values = runs.iter().map(|run| run.numbers.get(name)).collect();
        columns.push(Column::Number(name.clone(), values));
    }
    TidyTable { columns, rows: runs.len() }
}

/// One row a combination of values and a number: mean and interval, the difference to the baseline with its own, the share of
/// requests that completed, and whether the difference is one of the same requests.
pub fn of_comparison(grid: &Grid, comparison: &Comparison) -> TidyTable {
    let pairs: Vec<(&Row, &Metric)> =
        comparison.rows.iter().flat_map(|row| comparison.metrics.iter().map(move |metric| (row, *metric))).collect();
    let mut columns = axes_of(grid, pairs.iter().map(|(row, _)| row.settings.as_slice()));
    columns.push(Column::Text("metric".to_owned(), pairs.iter().map(|(_, metric)| metric.name.clone()).collect()));
    let units = pairs.iter().map(|(_, metric)| metric.unit.name().to_owned());
    columns.push(Column::Text("unit".to_owned(), units.collect()));
    let mut number = |name: &str, of: &dyn Fn(&Row, &Metric) -> Option<f64>| {
        columns.push(Column::Number(name.to_owned(), pairs.iter().map(|(row, metric)| of(row, metric)).collect()));
    };
    let end = |estimate: Option<&Estimate>, end: usize| estimate?.interval().map(|interval| interval[end]);
    number("runs", &|row, metric| Some(row.mean(metric)?.count as f64));
    number("mean", &|row, metric| Some(row.mean(metric)?.mean));
    number("mean_low", &|row, metric| end(row.mean(metric), 0));
    number("mean_high", &|row, metric| end(row.mean(metric), 1));
    number("difference", &|row, metric| Some(row.difference(metric)?.mean));
    number("difference_low", &|row, metric| end(row.difference(metric), 0));
    number("difference_high", &|row, metric| end(row.difference(metric), 1));
    number("completed_share", &|row, _| Some(row.completed.mean));
    let comparable = pairs.iter().map(|(row, metric)| row.is_comparable(metric)).collect();
    columns.push(Column::Flag("comparable".to_owned(), comparable));
    TidyTable { columns, rows: pairs.len() }
}

impl TidyTable {
    /// The table as the content of a file.
    ///
    /// # Errors
    /// When a name or value cannot be written in that format.
    pub fn to_bytes(&self, format: TableFormat) -> Result<Vec<u8>, SinkError> {
        match format {
            TableFormat::Csv => self.to_csv(),
            #[cfg(feature = "parquet")]
            TableFormat::Parquet => self.to_parquet(),
            #[cfg(not(feature = "parquet"))]
            TableFormat::Parquet => Err(Box::new(crate::feature::PARQUET.missing())),
        }
    }

    fn heads(&self) -> impl Iterator<Item = ColumnHead> {
        self.columns.iter().map(Column::head)
    }

    fn cells(&self, row: usize) -> impl Iterator<Item = Cell<'_>> {
        self.columns.iter().map(move |column| column.cell(row))
    }

    fn to_csv(&self) -> Result<Vec<u8>, SinkError> {
        let mut bytes = Vec::new();
        let names: Vec<String> = self.heads().map(|head| head.name).collect();
        let mut rows = CsvRows::new(names.iter().map(String::as_str), &mut bytes)?;
        (0..self.rows).try_for_each(|row| rows.row(self.cells(row)))?;
        rows.finish()?;
        drop(rows);
        Ok(bytes)
    }

    #[cfg(feature = "parquet")]
    fn to_parquet(&self) -> Result<Vec<u8>, SinkError> {
        let mut bytes = Vec::new();
        let mut rows = hearth_serverless::results::ParquetRows::new("runs", self.heads(), &mut bytes)?;
        (0..self.rows).try_for_each(|row| rows.row(self.cells(row)))?;
        rows.finish()?;
        drop(rows);
        Ok(bytes)
    }
}
