//! Writes the runs of a grid, and what they come to, as tables for programs.

use std::io::Write;

use hearth_serverless::results::{
    Cell, ColumnDescription, ColumnHead, ColumnType, CsvRows, HeldTable, Metric, SinkError, Unit, WrongCell,
};

use super::axes;
use super::comparison::{Comparison, Row, Run};
use super::grid::{Axis, Grid};
use super::statistics::Estimate;
use crate::output_choice::TableFormat;

/// A column of a tidy table with its name.
enum Column {
    /// Text.
    Text(String, Vec<String>),
    /// Numbers, where there are any.
    Number(String, Vec<Option<f64>>),
    /// Whether something holds, where that can be said.
    Flag(String, Vec<Option<bool>>),
}

impl Column {
    fn head(&self) -> ColumnHead {
        let (name, kind, is_optional) = match self {
            Self::Text(name, _) => (name, ColumnType::Name, false),
            Self::Number(name, _) => (name, ColumnType::Number, true),
            Self::Flag(name, _) => (name, ColumnType::Flag, true),
        };
        ColumnHead { name: name.clone(), kind, is_optional }
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Text(_, values) => values.get(row).map_or(Cell::Nothing, |text| Cell::Text(text)),
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

/// A table that is written row by row.
enum Rows<W: Write + Send> {
    Csv(Box<CsvRows<W>>),
    #[cfg(feature = "parquet")]
    Parquet(hearth_serverless::results::ParquetRows<W>),
    Held(HeldTable),
}

impl<W: Write + Send> Rows<W> {
    fn new(format: TableFormat, heads: Vec<ColumnHead>, target: W) -> Result<Self, SinkError> {
        match format {
            TableFormat::Csv => CsvRows::new(heads.iter().map(|head| head.name.as_str()), target)
                .map(|rows| Self::Csv(Box::new(rows)))
                .map_err(Into::into),
            #[cfg(feature = "parquet")]
            TableFormat::Parquet => {
                Ok(Self::Parquet(hearth_serverless::results::ParquetRows::new("runs", heads, target)?))
            }
            #[cfg(not(feature = "parquet"))]
            TableFormat::Parquet => Err(Box::new(crate::feature::PARQUET.missing())),
        }
    }

    fn row<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) -> Result<(), SinkError> {
        match self {
            Self::Csv(rows) => Ok(rows.row(cells)?),
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => Ok(rows.row(cells)?),
            Self::Held(table) => Ok(table.row(cells)?),
        }
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        match self {
            Self::Csv(rows) => Ok(rows.finish()?),
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => Ok(rows.finish()?),
            Self::Held(_) => Ok(()),
        }
    }
}

/// One row a run: every varied value, the seed, and all numbers of its summary.
pub struct RunsTable<'a, W: Write + Send> {
    grid: &'a Grid,
    /// By axis: the values as numbers, where they are quantities.
    quantities: Vec<Option<Vec<f64>>>,
    metrics: Vec<&'static Metric>,
    rows: Rows<W>,
}

impl<'a, W: Write + Send> RunsTable<'a, W> {
    /// Begins the table of runs that have these numbers.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn new(
        grid: &'a Grid,
        metrics: Vec<&'static Metric>,
        format: TableFormat,
        target: W,
    ) -> Result<Self, SinkError> {
        let quantities = quantities_of(grid);
        let heads = heads(grid, &quantities, &metrics).into_iter().map(|column| column.head).collect();
        Ok(Self { grid, quantities, metrics, rows: Rows::new(format, heads, target)? })
    }

    /// Writes a run.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn row(&mut self, run: &Run) -> Result<(), SinkError> {
        let Run { point, numbers, .. } = run;
        let (described, labels) = (self.grid.describe(&point.settings), self.grid.labels(&point.settings));
        let number = |number: Option<f64>| number.map_or(Cell::Nothing, Cell::Number);
        let axes = self.quantities.iter().zip(&point.settings).zip(labels).map(|((quantities, setting), label)| {
            match quantities {
                Some(values) => number(values.get(*setting).copied()),
                None => Cell::Text(label),
            }
        });
        let values = self.metrics.iter().map(|metric| number(numbers.get(&metric.name)));
        let cells = [Cell::Text(&described)].into_iter().chain(axes).chain([Cell::Whole(point.seed)]).chain(values);
        self.rows.row(cells)
    }

    /// Ends the table.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn finish(mut self) -> Result<(), SinkError> {
        self.rows.finish()
    }
}

/// By axis: the values as numbers, where they are quantities.
fn quantities_of(grid: &Grid) -> Vec<Option<Vec<f64>>> {
    grid.axes.iter().map(|axis| axes::quantities(axis).map(|(values, _)| values)).collect()
}

/// The columns of the table of runs.
fn heads(grid: &Grid, quantities: &[Option<Vec<f64>>], metrics: &[&Metric]) -> Vec<ColumnDescription> {
    let column = |name: String, kind, is_optional, unit| {
        let head = ColumnHead { name, kind, is_optional };
        ColumnDescription { head, unit, note: String::new() }
    };
    let of_axis = |((axis, name), quantities): ((&Axis, String), &Option<Vec<f64>>)| match quantities {
        Some(_) => {
            let unit = axes::quantities(axis).map_or(Unit::Plain, |(_, unit)| unit);
            column(name, ColumnType::Number, true, unit)
        }
        None => column(name, ColumnType::Name, false, Unit::Plain),
    };
    let mut heads = vec![column("setting".to_owned(), ColumnType::Name, false, Unit::Plain)];
    heads.extend(grid.axes.iter().zip(axes::column_names(grid)).zip(quantities).map(of_axis));
    heads.push(column("seed".to_owned(), ColumnType::Whole, false, Unit::Plain));
    let of_metric = |metric: &&Metric| ColumnDescription {
        note: metric.title.clone(),
        ..column(metric.name.clone(), ColumnType::Number, true, metric.unit)
    };
    heads.extend(metrics.iter().map(of_metric));
    heads
}

impl<'a> RunsTable<'a, Vec<u8>> {
    /// A table in memory.
    pub fn in_memory(grid: &'a Grid, metrics: Vec<&'static Metric>) -> Self {
        let quantities = quantities_of(grid);
        let rows = Rows::Held(HeldTable::new(heads(grid, &quantities, &metrics)));
        Self { grid, quantities, metrics, rows }
    }

    /// What is in memory.
    pub fn into_held(self) -> HeldTable {
        match self.rows {
            Rows::Held(table) => table,
            _ => HeldTable::default(),
        }
    }
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
        let mut bytes = Vec::new();
        let mut rows = Rows::new(format, self.heads().collect(), &mut bytes)?;
        (0..self.rows).try_for_each(|row| rows.row(self.cells(row)))?;
        rows.finish()?;
        drop(rows);
        Ok(bytes)
    }

    /// The table in memory.
    ///
    /// # Errors
    /// When a cell is not of the type of its column, which is a mistake of this program.
    pub fn to_held(&self) -> Result<HeldTable, WrongCell> {
        let described = |head| ColumnDescription { head, unit: Unit::Plain, note: String::new() };
        let mut table = HeldTable::new(self.heads().map(described));
        (0..self.rows).try_for_each(|row| table.row(self.cells(row)))?;
        Ok(table)
    }

    fn heads(&self) -> impl Iterator<Item = ColumnHead> {
        self.columns.iter().map(Column::head)
    }

    fn cells(&self, row: usize) -> impl Iterator<Item = Cell<'_>> {
        self.columns.iter().map(move |column| column.cell(row))
    }
}
