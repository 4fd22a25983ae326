//! The columns of tables: what each is called, its unit and type, what it says, and how it is read from a row. The writers of
//! text and of Parquet, and the lists in docs/scenario.md, are made from these definitions.

use std::fmt;
use std::fmt::Write as _;
use std::io::Write;

use hearth_simcore::time::{SimDuration, SimTime};

use super::Unit;
use super::held_table::{HeldTable, TablePlace};
use super::recorder::SinkError;

/// What stands in a row under a column.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Cell<'a> {
    /// Nothing: an empty field.
    Nothing,
    /// A whole number.
    Whole(u64),
    /// A number, with all digits that it takes to read the same back.
    Number(f64),
    /// A number with so many decimals.
    Decimal(f64, usize),
    /// A date, in seconds.
    Date(SimTime),
    /// A time, in seconds.
    Length(SimDuration),
    /// Whether something holds.
    Flag(bool),
    /// Text.
    Text(&'a str),
    /// Names in their order.
    Names(&'a [String]),
}

impl fmt::Display for Cell<'_> {
    /// The field of a CSV file, before it is quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Whole(number) => number.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Decimal(number, decimals) => write!(f, "{number:.decimals$}"),
            Self::Date(date) => date.fmt(f),
            Self::Length(length) => length.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Names(names) => names.iter().enumerate().try_for_each(|(position, name)| {
                f.write_str(if position == 0 { "" } else { " > " })?;
                f.write_str(name)
            }),
        }
    }
}

/// What all cells of a column are, if they are not nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnType {
    /// Text of which there are few: names of functions and nodes, and words.
    Name,
    /// Any text.
    Text,
    /// Whole numbers that count or number something: always below 2⁶³.
    Count,
    /// Any whole numbers below 2⁶⁴.
    Whole,
    /// Numbers, dates and times.
    Number,
    /// Whether something holds.
    Flag,
}

/// What stands at the head of a column, and what may stand below.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ColumnHead {
    /// What it is called.
    pub name: String,
    /// What its cells are.
    pub kind: ColumnType,
    /// Whether there may be nothing in a cell.
    pub is_optional: bool,
}

/// What one should know of a column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ColumnDescription {
    /// Its name and type.
    pub head: ColumnHead,
    /// Its unit.
    pub unit: Unit,
    /// What it says, beside its name; may be empty.
    pub note: String,
}

/// Writes rows as CSV.
pub struct CsvRows<W: Write> {
    writer: csv::Writer<W>,
    field: String,
}

impl<W: Write> fmt::Debug for CsvRows<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsvRows")
    }
}

impl<W: Write> CsvRows<W> {
    /// Begins a table with the names of its columns.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, target: W) -> Result<Self, csv::Error> {
        let mut writer = csv::Writer::from_writer(target);
        writer.write_record(names)?;
        Ok(Self { writer, field: String::new() })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<(), csv::Error> {
        for cell in cells {
            match cell {
                Cell::Nothing => self.writer.write_field("")?,
                Cell::Text(text) => self.writer.write_field(text)?,
                cell => {
                    self.field.clear();
                    // Writing to a string cannot fail.
                    let _ = write!(self.field, "{cell}");
                    self.writer.write_field(&self.field)?;
                }
            }
        }
        self.writer.write_record(None::<&[u8]>)
    }

    /// Ends the table.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn finish(&mut self) -> Result<(), csv::Error> {
        Ok(self.writer.flush()?)
    }
}

type Read<R, Value> = Box<dyn Fn(&R) -> Option<Value> + Send + Sync>;
type ReadText<R> = Box<dyn Fn(&R) -> Option<&str> + Send + Sync>;
type ReadNames<R> = Box<dyn Fn(&R) -> &[String] + Send + Sync>;

enum Reading<R> {
    Count(Read<R, u64>),
    Decimal(usize, Read<R, f64>),
    Date(Read<R, SimTime>),
    Length(Read<R, SimDuration>),
    /// Often nothing, which is a nought.
    Part(Box<dyn Fn(&R) -> SimDuration + Send + Sync>),
    Flag(Read<R, bool>),
    Text(ReadText<R>),
    /// Of which there are few.
    Word(ReadText<R>),
    /// By number.
    NameFrom(Vec<String>, Read<R, u32>),
    Names(ReadNames<R>),
}

/// A column of a table whose rows are made of `R`.
pub(crate) struct Column<R> {
    name: String,
    unit: Unit,
    /// What it says.
    note: String,
    is_optional: bool,
    reading: Reading<R>,
}

impl<R> Column<R> {
    fn new(name: impl Into<String>, unit: Unit, reading: Reading<R>) -> Self {
        Self { name: name.into(), unit, note: String::new(), is_optional: true, reading }
    }

    /// A number of something.
    pub fn count(name: impl Into<String>, read: impl Fn(&R) -> Option<u64> + Send + Sync + 'static) -> Self {
        Self::new(name, Unit::Count, Reading::Count(Box::new(read)))
    }

    /// A number with so many decimals.
    pub fn decimal(
        name: impl Into<String>,
        unit: Unit,
        decimals: usize,
        read: impl Fn(&R) -> Option<f64> + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, unit, Reading::Decimal(decimals, Box::new(read)))
    }

    /// A date.
    pub fn date(name: impl Into<String>, read: impl Fn(&R) -> Option<SimTime> + Send + Sync + 'static) -> Self {
        Self::new(name, Unit::Seconds, Reading::Date(Box::new(read)))
    }

    /// How long something took.
    pub fn length(name: impl Into<String>, read: impl Fn(&R) -> Option<SimDuration> + Send + Sync + 'static) -> Self {
        Self::new(name, Unit::Seconds, Reading::Length(Box::new(read)))
    }

    /// How long a part took, which is often nothing.
    pub fn part(name: impl Into<String>, read: impl Fn(&R) -> SimDuration + Send + Sync + 'static) -> Self {
        Self::new(name, Unit::Seconds, Reading::Part(Box::new(read))).required()
    }

    /// Whether something holds.
    pub fn flag(name: impl Into<String>, read: impl Fn(&R) -> Option<bool> + Send + Sync + 'static) -> Self {
        Self::new(name, Unit::Plain, Reading::Flag(Box::new(read)))
    }

    /// Text.
    pub fn text(name: impl Into<String>, read: impl Fn(&R) -> Option<&str> + Send + Sync + 'static) -> Self {
        Self::new(name, Unit::Plain, Reading::Text(Box::new(read)))
    }

    /// One of a few words.
    pub fn word(name: impl Into<String>, read: impl Fn(&R) -> Option<&str> + Send + Sync + 'static) -> Self {
        Self::new(name, Unit::Plain, Reading::Word(Box::new(read)))
    }

    /// One of some names, by its number.
    pub fn name_from(
        names: &[String],
        name: impl Into<String>,
        read: impl Fn(&R) -> Option<u32> + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, Unit::Plain, Reading::NameFrom(names.to_vec(), Box::new(read)))
    }

    /// Names in their order.
    pub fn names(name: impl Into<String>, read: impl Fn(&R) -> &[String] + Send + Sync + 'static) -> Self {
        Self::new(name, Unit::Plain, Reading::Names(Box::new(read)))
    }

    /// Says what it is.
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// There is something in every row.
    pub fn required(self) -> Self {
        Self { is_optional: false, ..self }
    }

    /// Gives it another unit.
    pub fn of(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// What one should know of it.
    pub fn description(&self) -> ColumnDescription {
        ColumnDescription { head: self.head(), unit: self.unit, note: self.note.clone() }
    }

    /// What stands at its head.
    pub fn head(&self) -> ColumnHead {
        ColumnHead { name: self.name.clone(), kind: self.kind(), is_optional: self.is_optional }
    }

    fn kind(&self) -> ColumnType {
        match self.reading {
            Reading::Count(_) => ColumnType::Count,
            Reading::Decimal(..) | Reading::Date(_) | Reading::Length(_) | Reading::Part(_) => ColumnType::Number,
            Reading::Flag(_) => ColumnType::Flag,
            Reading::NameFrom(..) | Reading::Word(_) => ColumnType::Name,
            Reading::Text(_) | Reading::Names(_) => ColumnType::Text,
        }
    }

    /// What stands in a row below it.
    pub fn cell<'a>(&'a self, row: &'a R) -> Cell<'a> {
        match &self.reading {
            Reading::Count(read) => read(row).map_or(Cell::Nothing, Cell::Whole),
            Reading::Decimal(decimals, read) => {
                read(row).map_or(Cell::Nothing, |number| Cell::Decimal(number, *decimals))
            }
            Reading::Date(read) => read(row).map_or(Cell::Nothing, Cell::Date),
            Reading::Length(read) => read(row).map_or(Cell::Nothing, Cell::Length),
            Reading::Part(read) => match read(row) {
                SimDuration::ZERO => Cell::Number(0.0),
                length => Cell::Length(length),
            },
            Reading::Flag(read) => read(row).map_or(Cell::Nothing, Cell::Flag),
            Reading::Text(read) | Reading::Word(read) => read(row).map_or(Cell::Nothing, Cell::Text),
            Reading::NameFrom(names, read) => {
                let name = read(row).and_then(|number| names.get(number as usize));
                name.map_or(Cell::Nothing, |name| Cell::Text(name))
            }
            Reading::Names(read) => Cell::Names(read(row)),
        }
    }
}

/// Writes a table with these columns as CSV.
pub(crate) struct CsvTable<R, W: Write> {
    columns: Vec<Column<R>>,
    rows: CsvRows<W>,
}

impl<R, W: Write> CsvTable<R, W> {
    /// Begins a table.
    pub fn new(columns: Vec<Column<R>>, target: W) -> Result<Self, csv::Error> {
        let rows = CsvRows::new(columns.iter().map(|column| column.name.as_str()), target)?;
        Ok(Self { columns, rows })
    }

    /// Writes a row.
    pub fn row(&mut self, row: &R) -> Result<(), csv::Error> {
        self.rows.row(self.columns.iter().map(|column| column.cell(row)))
    }

    /// Ends the table.
    pub fn finish(&mut self) -> Result<(), csv::Error> {
        self.rows.finish()
    }
}

/// Where a table goes that is made while the simulation runs.
pub enum TableTarget {
    /// Written as CSV.
    Csv(Box<dyn Write + Send>),
    /// Held in memory, and put there when the simulation ends.
    Memory(TablePlace),
}

impl fmt::Debug for TableTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv(_) => "Csv",
            Self::Memory(_) => "Memory",
        })
    }
}

impl<W: Write + Send + 'static> From<Box<W>> for TableTarget {
    fn from(target: Box<W>) -> Self {
        Self::Csv(target)
    }
}

impl From<Box<dyn Write + Send>> for TableTarget {
    fn from(target: Box<dyn Write + Send>) -> Self {
        Self::Csv(target)
    }
}

impl From<TablePlace> for TableTarget {
    fn from(place: TablePlace) -> Self {
        Self::Memory(place)
    }
}

enum OpenRows {
    Csv(Box<CsvRows<Box<dyn Write + Send>>>),
    Memory(HeldTable, TablePlace),
}

/// A table with these columns, wherever it goes.
pub(crate) struct OpenTable<R> {
    columns: Vec<Column<R>>,
    rows: OpenRows,
}

impl<R> OpenTable<R> {
    /// Begins a table.
    pub fn new(columns: Vec<Column<R>>, target: TableTarget) -> Result<Self, SinkError> {
        let rows = match target {
            TableTarget::Csv(target) => {
                let names = columns.iter().map(|column| column.name.as_str());
                OpenRows::Csv(Box::new(CsvRows::new(names, target)?))
            }
            TableTarget::Memory(place) => OpenRows::Memory(HeldTable::of(&columns), place),
        };
        Ok(Self { columns, rows })
    }

    /// Writes a row.
    pub fn row(&mut self, row: &R) -> Result<(), SinkError> {
        let cells = self.columns.iter().map(|column| column.cell(row));
        match &mut self.rows {
            OpenRows::Csv(rows) => Ok(rows.row(cells)?),
            OpenRows::Memory(table, _) => Ok(table.row(cells)?),
        }
    }

    /// Ends the table.
    pub fn finish(&mut self) -> Result<(), SinkError> {
        match &mut self.rows {
            OpenRows::Csv(rows) => Ok(rows.finish()?),
            OpenRows::Memory(table, place) => {
                place.put(table.take());
                Ok(())
            }
        }
    }
}
