//! Reads some columns of a table that a run wrote, in either form, a batch of rows at a time.

mod csv_form;
#[cfg(feature = "parquet")]
mod parquet_form;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use self::csv_form::CsvForm;
use super::super::folder::wrong;
use crate::error::CommandError;

/// So many rows are read at a time.
pub const BATCH: usize = 1 << 14;

/// What is not there.
pub const NOTHING: u64 = u64::MAX;

/// How a column is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A whole number.
    Count,
    /// Seconds, as nanoseconds.
    Time,
    /// One of a few texts, as its number in [`Column::words`].
    Word,
}

/// A column as it is read.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How it is read.
    pub kind: Kind,
    /// The rows of this batch, [`NOTHING`] where a field is empty.
    pub values: Vec<u64>,
    /// The words that have come, in the order of their coming.
    pub words: Vec<String>,
    numbers: HashMap<Vec<u8>, u64>,
}

impl Column {
    /// A column to be read.
    pub fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, values: Vec::new(), words: Vec::new(), numbers: HashMap::new() }
    }

    /// The number of a word; nothing for the empty one.
    fn number_of(&mut self, word: &[u8]) -> u64 {
        if word.is_empty() {
            return NOTHING;
        }
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.words.len() as u64;
        self.words.push(String::from_utf8_lossy(word).into_owned());
        self.numbers.insert(word.to_owned(), number);
        number
    }

    /// The value in a row of this batch, if it is there.
    pub fn at(&self, row: usize) -> Option<u64> {
        self.values.get(row).copied().filter(|value| *value != NOTHING)
    }
}

/// Where rows come from.
trait Form {
    /// The names of all columns.
    fn names(&self) -> &[String];

    /// Reads up to [`BATCH`] rows into columns, each with its place in the table, and says how many there were.
    fn read(&mut self, columns: &mut [(usize, Column)]) -> Result<usize, String>;
}

/// A table that is read from its begin to its end.
pub struct Table {
    path: PathBuf,
    form: Box<dyn Form>,
    columns: Vec<(usize, Column)>,
    rows: u64,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Table {
    /// Opens the file of a table.
    ///
    /// # Errors
    /// When it cannot be read, or this build does not know its form.
    pub fn open(path: &Path) -> Result<Self, CommandError> {
        let form: Result<Box<dyn Form>, String> = if path.extension().is_some_and(|ending| ending == "parquet") {
            #[cfg(not(feature = "parquet"))]
            return Err(crate::feature::PARQUET.missing());
            #[cfg(feature = "parquet")]
            parquet_form::ParquetForm::open(path).map(|form| Box::new(form) as _)
        } else {
            CsvForm::open(path).map(|form| Box::new(form) as _)
        };
        let form = form.map_err(|problem| wrong(path, format!("cannot be read: {problem}")))?;
        Ok(Self { path: path.to_owned(), form, columns: Vec::new(), rows: 0 })
    }

    /// The names of all its columns.
    pub fn names(&self) -> &[String] {
        self.form.names()
    }

    /// Which columns are wanted from now on; their places follow the order here.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn want(&mut self, columns: Vec<Column>) -> Result<(), CommandError> {
        let place = |column: Column| {
            let place = self.form.names().iter().position(|name| *name == column.name);
            let place = place.ok_or_else(|| wrong(&self.path, format!("has no column {}", column.name)))?;
            Ok((place, column))
        };
        self.columns = columns.into_iter().map(place).collect::<Result<_, CommandError>>()?;
        Ok(())
    }

    /// Reads the next rows; none at the end.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn next(&mut self) -> Result<usize, CommandError> {
        self.columns.iter_mut().for_each(|(_, column)| column.values.clear());
        let rows = self.form.read(&mut self.columns);
        let rows = rows.map_err(|problem| self.wrong(0, &problem))?;
        self.rows += rows as u64;
        Ok(rows)
    }

    /// A column that is wanted, by its place in that order.
    pub fn column(&self, place: usize) -> &Column {
        &self.columns[place].1
    }

    /// Something is wrong in a row of this batch of so many.
    pub fn wrong(&self, from_end: usize, problem: &str) -> CommandError {
        let row = self.rows.saturating_sub(from_end as u64);
        wrong(&self.path, format!("is not what Hearth writes: {problem} (near row {})", row + 1))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_table_gives_what_is_in_it_and_says_what_is_wrong_where() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        fs::write(&path, "a,b,c\n1,0.000000001,x\n2,,\n3,12.5,y\n4,0,x\n").unwrap();
        let mut table = Table::open(&path).unwrap();
        assert_eq!(table.names(), ["a", "b", "c"]);
        assert!(table.want(vec![Column::new("d", Kind::Time)]).unwrap_err().to_string().contains("no column d"));
        table
            .want(
                ["c", "b", "a"]
                    .into_iter()
                    .zip([Kind::Word, Kind::Time, Kind::Count])
                    .map(|(name, kind)| Column::new(name, kind))
                    .collect(),
            )
            .unwrap();
        assert_eq!(table.next().unwrap(), 4);
        assert_eq!(table.column(0).values, [0, NOTHING, 1, 0]);
        assert_eq!(table.column(0).words, ["x", "y"]);
        assert_eq!(table.column(1).values, [1, NOTHING, 12_500_000_000, 0]);
        assert_eq!(table.column(2).values, [1, 2, 3, 4]);
        assert_eq!(table.next().unwrap(), 0);
        for bad in ["-1", "1e3", "1.0000000001", "99999999999999", "x"] {
            fs::write(&path, format!("a,b\n1,2\n2,{bad}\n")).unwrap();
            let mut table = Table::open(&path).unwrap();
            table.want(vec![Column::new("b", Kind::Time)]).unwrap();
            let said = table.next().unwrap_err().to_string();
            assert!(said.contains(bad) && said.contains("b, row 2"), "{said}");
        }
    }

    #[cfg(feature = "parquet")]
    #[test]
    fn both_forms_give_the_same() {
        use hearth_serverless::results::{Cell, ColumnHead, ColumnType, ParquetRows};
        let folder = tempfile::tempdir().unwrap();
        let head = |name: &str, kind, is_optional| ColumnHead { name: name.to_owned(), kind, is_optional };
        let heads = [
            head("number", ColumnType::Count, false),
            head("word", ColumnType::Name, true),
            head("time", ColumnType::Number, true),
        ];
        let path = folder.path().join("t.parquet");
        let mut rows = ParquetRows::new("t", heads, fs::File::create(&path).unwrap()).unwrap();
        let mut csv = "number,word,time\n".to_owned();
        for number in 0..(BATCH as u64 * 2 + 10) {
            let time = (number % 3 != 0).then_some(number * 1_000_000_007);
            let word = (number % 4 != 1).then_some(["x", "y"][number as usize % 2]);
            let seconds = time.map(|nanos| format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000));
            csv += &format!("{number},{},{}\n", word.unwrap_or_default(), seconds.unwrap_or_default());
            let time = time.map_or(Cell::Nothing, |nanos| Cell::Number(nanos as f64 / 1e9));
            rows.row([Cell::Whole(number), word.map_or(Cell::Nothing, Cell::Text), time]).unwrap();
            if number == BATCH as u64 + 100 {
                rows.end_group().unwrap();
            }
        }
        rows.finish().unwrap();
        fs::write(folder.path().join("t.csv"), csv).unwrap();
        let read = |name: &str| {
            let mut table = Table::open(&folder.path().join(name)).unwrap();
            let wanted = [("time", Kind::Time), ("word", Kind::Word), ("number", Kind::Count)];
            table.want(wanted.into_iter().map(|(name, kind)| Column::new(name, kind)).collect()).unwrap();
            let mut all = vec![Vec::new(); 3];
            while table.next().unwrap() > 0 {
                (0..3).for_each(|place| all[place].extend_from_slice(&table.column(place).values));
            }
            (all, table.column(1).words.clone())
        };
        assert_eq!(read("t.csv"), read("t.parquet"));
        assert_eq!(read("t.csv").0[2].len(), BATCH * 2 + 10);
    }
}
