//! A table in memory, column by column: what programs take instead of a file, and what Parquet is written from.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::table::{Cell, Column, ColumnDescription, ColumnType};

/// The values of a column, one for each row. Where there is nothing in a row, its value says nothing.
#[derive(Clone, PartialEq, Debug)]
pub enum Values {
    /// Of [`ColumnType::Name`]: for each row the position of its text among `names`, each of which is there once; -1 where there is
    /// nothing.
    Names {
        /// By row.
        codes: Vec<i32>,
        /// Every text, in the order in which it came first, over all rows that the table ever had.
        names: Vec<String>,
    },
    /// Of [`ColumnType::Text`]: the texts one after the other, and where each ends, from a 0 on that is before the first.
    Text {
        /// UTF-8.
        bytes: Vec<u8>,
        /// One more than there are rows.
        ends: Vec<i64>,
    },
    /// Of [`ColumnType::Count`] and [`ColumnType::Whole`]; 0 where there is nothing.
    Whole(Vec<u64>),
    /// Of [`ColumnType::Number`]; not a number where there is nothing.
    Number(Vec<f64>),
    /// Of [`ColumnType::Flag`]; `false` where there is nothing.
    Flag(Vec<bool>),
}

impl Values {
    fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Name => Self::Names { codes: Vec::new(), names: Vec::new() },
            ColumnType::Text => Self::Text { bytes: Vec::new(), ends: vec![0] },
            ColumnType::Count | ColumnType::Whole => Self::Whole(Vec::new()),
            ColumnType::Number => Self::Number(Vec::new()),
            ColumnType::Flag => Self::Flag(Vec::new()),
        }
    }

    /// Takes the rows; names stay, so that those of later rows are numbered on.
    fn take(&mut self) -> Self {
        match self {
            Self::Names { codes, names } => Self::Names { codes: std::mem::take(codes), names: names.clone() },
            Self::Text { bytes, ends } => {
                Self::Text { bytes: std::mem::take(bytes), ends: std::mem::replace(ends, vec![0]) }
            }
            Self::Whole(values) => Self::Whole(std::mem::take(values)),
            Self::Number(values) => Self::Number(std::mem::take(values)),
            Self::Flag(values) => Self::Flag(std::mem::take(values)),
        }
    }
}

/// A column of a table in memory.
#[derive(Clone, PartialEq, Debug)]
pub struct HeldColumn {
    /// What stands at its head, its unit, and what it says.
    pub description: ColumnDescription,
    /// Its values.
    pub values: Values,
    /// For each row whether there is something; empty for a column that always has something.
    pub is_there: Vec<bool>,
    positions: FxHashMap<String, i32>,
}

/// A cell is not of the type of its column: a mistake of the simulator.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the column {column} is of {kind:?} and cannot hold {cell}")]
pub struct WrongCell {
    column: String,
    kind: ColumnType,
    cell: String,
}

impl HeldColumn {
    fn new(description: ColumnDescription) -> Self {
        let values = Values::new(description.head.kind);
        Self { description, values, is_there: Vec::new(), positions: FxHashMap::default() }
    }

    fn wrong(&self, cell: &Cell<'_>) -> WrongCell {
        let head = &self.description.head;
        WrongCell { column: head.name.clone(), kind: head.kind, cell: format!("{cell:?}") }
    }

    fn push(&mut self, cell: Cell<'_>) -> Result<(), WrongCell> {
        let is_optional = self.description.head.is_optional;
        match (&mut self.values, cell) {
            (_, Cell::Nothing) if !is_optional => return Err(self.wrong(&cell)),
            (Values::Names { codes, .. }, Cell::Nothing) => codes.push(-1),
            (Values::Names { codes, names }, Cell::Text(text)) => codes.push(match self.positions.get(text) {
                Some(code) => *code,
                None => {
                    let code = i32::try_from(names.len()).unwrap_or(i32::MAX);
                    names.push(text.to_owned());
                    self.positions.insert(text.to_owned(), code);
                    code
                }
            }),
            (Values::Text { ends, bytes }, Cell::Nothing) => ends.push(bytes.len() as i64),
            (Values::Text { bytes, ends }, Cell::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len() as i64);
            }
            (Values::Text { bytes, ends }, cell @ Cell::Names(_)) => {
                let mut text = String::new();
                // Writing to a string cannot fail.
                let _ = write!(text, "{cell}");
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len() as i64);
            }
            (Values::Whole(values), Cell::Nothing) => values.push(0),
            (Values::Whole(values), Cell::Whole(number)) => values.push(number),
            (Values::Number(values), Cell::Nothing) => values.push(f64::NAN),
            (Values::Number(values), Cell::Number(number) | Cell::Decimal(number, _)) => values.push(number),
            (Values::Number(values), Cell::Date(date)) => values.push(date.as_secs_f64()),
            (Values::Number(values), Cell::Length(length)) => values.push(length.as_secs_f64()),
            (Values::Flag(values), Cell::Nothing) => values.push(false),
            (Values::Flag(values), Cell::Flag(flag)) => values.push(flag),
            _ => return Err(self.wrong(&cell)),
        }
        if is_optional {
            self.is_there.push(cell != Cell::Nothing);
        }
        Ok(())
    }

    fn take(&mut self) -> Self {
        Self {
            description: self.description.clone(),
            values: self.values.take(),
            is_there: std::mem::take(&mut self.is_there),
            positions: FxHashMap::default(),
        }
    }
}

/// A table in memory, column by column.
///
/// ```
/// use hearth_serverless::results::{Cell, HeldTable, RunTable, Values};
/// let columns = RunTable::Workflows.columns().into_iter().filter(|column| column.head.name == "makespan_s");
/// let mut table = HeldTable::new(columns);
/// table.row([Cell::Number(1.5)])?;
/// table.row([Cell::Nothing])?;
/// let column = &table.columns()[0];
/// assert!(matches!(&column.values, Values::Number(numbers) if numbers[0] == 1.5 && numbers[1].is_nan()));
/// assert_eq!(column.is_there, [true, false]);
/// # Ok::<(), hearth_serverless::results::WrongCell>(())
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct HeldTable {
    columns: Vec<HeldColumn>,
    rows: usize,
}

impl HeldTable {
    /// A table with these columns and no row.
    pub fn new(columns: impl IntoIterator<Item = ColumnDescription>) -> Self {
        Self { columns: columns.into_iter().map(HeldColumn::new).collect(), rows: 0 }
    }

    pub(crate) fn of<R>(columns: &[Column<R>]) -> Self {
        Self::new(columns.iter().map(Column::description))
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Its columns.
    pub fn columns(&self) -> &[HeldColumn] {
        &self.columns
    }

    /// The columns themselves.
    pub fn into_columns(self) -> Vec<HeldColumn> {
        self.columns
    }

    /// Adds a row, with a cell for each column.
    ///
    /// # Errors
    /// When a cell is not of the type of its column.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<(), WrongCell> {
        self.columns.iter_mut().zip(cells).try_for_each(|(column, cell)| column.push(cell))?;
        self.rows += 1;
        Ok(())
    }

    /// Takes the rows that are there. Names keep their positions in what is taken later.
    pub fn take(&mut self) -> Self {
        let rows = std::mem::take(&mut self.rows);
        Self { columns: self.columns.iter_mut().map(HeldColumn::take).collect(), rows }
    }
}

/// Where a table is put that is held in memory, when the simulation ends.
///
/// ```
/// # use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
/// use hearth_serverless::results::TablePlace;
/// use hearth_simcore::time::SimDuration;
/// # let scenario = Scenario::from_json(r#"{"format": "hearth-scenario/1",
/// #     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
/// #     "service": {"head": "all", "registry": "all", "nodes": ["all"]}, "functions": [{"name": "f"}],
/// #     "workload": {"invocations": [{"at": 1.5, "function": "f", "body": [{"sleep": 1}]}]}}"#)?;
/// # let catalog = Catalog::new(hearth_plugins::BUILT_IN);
/// let series = TablePlace::default();
/// let experiment = Experiment::prepare(&scenario, &catalog)?;
/// experiment.write_time_series(SimDuration::from_secs(1), 1000, series.clone())?.run()?;
/// assert!(series.take().unwrap().rows() > 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TablePlace(Arc<Mutex<Option<HeldTable>>>);

impl TablePlace {
    /// Takes the table; there is none before the simulation has ended.
    pub fn take(&self) -> Option<HeldTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Puts a table there.
    pub fn put(&self, table: HeldTable) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(table);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Unit;
    use super::super::table::ColumnHead;
    use super::*;

    fn column(kind: ColumnType, is_optional: bool) -> ColumnDescription {
        let head = ColumnHead { name: "x".to_owned(), kind, is_optional };
        ColumnDescription { head, unit: Unit::Plain, note: String::new() }
    }

    #[test]
    fn names_are_there_once_and_keep_their_positions_in_what_is_taken_later() {
        let mut table = HeldTable::new([column(ColumnType::Name, true)]);
        let codes = |table: &HeldTable| match &table.columns()[0].values {
            Values::Names { codes, names } => (codes.clone(), names.join(",")),
            other => panic!("{other:?}"),
        };
        for cell in [Cell::Text("a"), Cell::Nothing, Cell::Text("b"), Cell::Text("a")] {
            table.row([cell]).unwrap();
        }
        let first = table.take();
        assert_eq!((codes(&first), first.rows()), ((vec![0, -1, 1, 0], "a,b".to_owned()), 4));
        assert_eq!(first.columns()[0].is_there, [true, false, true, true]);
        ["c", "b"].into_iter().for_each(|name| table.row([Cell::Text(name)]).unwrap());
        assert_eq!(codes(&table.take()), (vec![2, 1], "a,b,c".to_owned()));
    }

    #[test]
    fn a_cell_of_another_type_is_refused_with_its_column() {
        let refused =
            |kind, is_optional, cell| HeldTable::new([column(kind, is_optional)]).row([cell]).unwrap_err().to_string();
        let error = refused(ColumnType::Number, true, Cell::Text("one"));
        assert_eq!(error, "the column x is of Number and cannot hold Text(\"one\")");
        assert!(refused(ColumnType::Text, false, Cell::Nothing).contains("cannot hold Nothing"));
    }

    #[test]
    fn texts_lie_one_after_the_other() {
        let mut table = HeldTable::new([column(ColumnType::Text, true)]);
        let names = ["x".to_owned(), "ü".to_owned()];
        for cell in [Cell::Text("ab"), Cell::Nothing, Cell::Names(&names)] {
            table.row([cell]).unwrap();
        }
        let expected = Values::Text { bytes: "abx > ü".into(), ends: vec![0, 2, 2, 8] };
        assert_eq!(table.columns()[0].values, expected);
    }
}
