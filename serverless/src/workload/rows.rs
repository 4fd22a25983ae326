//! Rows of CSV files, plain or compressed, with the place of everything for errors.

use std::io::{self, BufRead};
use std::ops::Range;
use std::path::{Path, PathBuf};

use hearth_simcore::time::SimDuration;

use super::TraceError;
use super::columns::TimeUnit;
use super::compressed::open;
use super::decimal::decimal_nanos;
use crate::quantity::{MAX_AMOUNT, MAX_SECONDS};

/// Reads the rows of a file, in the order of columns that is asked for.
///
/// Traces have hundreds of millions of short rows without quotes, which are split where the commas are; a row with a quote
/// goes through the `csv` crate. A quoted field must end on its line.
pub(crate) struct Rows {
    file: PathBuf,
    source: Box<dyn BufRead + Send>,
    /// An error that showed when somebody looked ahead: readers need not say it again.
    failure: Option<io::Error>,
    header: Vec<String>,
    /// The current row, without the end of the line.
    row: Vec<u8>,
    /// Where the fields of the row are, of `unquoted` if it has quotes.
    fields: Vec<Range<usize>>,
    unquoted: Option<Vec<u8>>,
    /// The number of the current line, from 1.
    line: u64,
    /// By column asked for: its position in the file.
    positions: Vec<usize>,
    columns: Vec<String>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Rows {
    /// Opens a file that has at least these columns, in any order.
    pub fn open(path: &Path, columns: &[&str]) -> Result<Self, TraceError> {
        let mut rows = Self::open_any(path)?;
        rows.require(columns)?;
        Ok(rows)
    }

    /// Opens a file and reads its names of columns, of which none is asked for yet.
    pub fn open_any(path: &Path) -> Result<Self, TraceError> {
        let of_file = |problem| TraceError { file: path.to_owned(), line: None, column: None, problem };
        let source = open(path).map_err(of_file)?;
        let mut rows = Self {
            file: path.to_owned(),
            source,
            failure: None,
            header: Vec::new(),
            row: Vec::new(),
            fields: Vec::new(),
            unquoted: None,
            line: 0,
            positions: Vec::new(),
            columns: Vec::new(),
        };
        if !rows.advance()? {
            return Err(of_file("is empty: expected a line with the names of columns".to_owned()));
        }
        if rows.row.starts_with(b"\xef\xbb\xbf") {
            rows.row.drain(..3);
            rows.split()?;
        }
        let name = |field: &Range<usize>| String::from_utf8_lossy(rows.field(field)).trim().to_owned();
        rows.header = rows.fields.iter().map(name).collect();
        Ok(rows)
    }

    /// Asks for more columns, which come after those asked for before.
    pub fn require(&mut self, columns: &[&str]) -> Result<(), TraceError> {
        let header = &self.header;
        for column in columns {
            let Some(position) = header.iter().position(|name| name == column) else {
                let shown: Vec<&str> = header.iter().take(12).map(String::as_str).collect();
                let more = if header.len() > shown.len() { ", …" } else { "" };
                let problem = format!("has no column {column:?}: its columns are {}{more}", shown.join(", "));
                return Err(TraceError { file: self.file.clone(), line: Some(1), column: None, problem });
            };
            self.positions.push(position);
            self.columns.push((*column).to_owned());
        }
        Ok(())
    }

    /// Moves on to the next row that is not empty; false at the end.
    pub fn advance(&mut self) -> Result<bool, TraceError> {
        loop {
            self.row.clear();
            self.line += 1;
            let read = self.failure.take().map_or_else(|| self.source.read_until(b'\n', &mut self.row), Err);
            match read {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(error) => return Err(self.unreadable(format!("cannot be read: {error}"))),
            }
            while let Some(b'\n' | b'\r') = self.row.last() {
                self.row.pop();
            }
            if !self.row.is_empty() {
                self.split()?;
                return Ok(true);
            }
        }
    }

    /// Whether the file has these columns and no others.
    pub fn has_only(&self, columns: &[&str]) -> bool {
        self.header == columns
    }

    /// Whether the file has a column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.header.iter().any(|name| name == column)
    }

    /// What has been read ahead of the current row, if anything.
    pub fn ahead(&mut self) -> &[u8] {
        match self.source.fill_buf() {
            Ok(ahead) => ahead,
            Err(error) => {
                self.failure = Some(error);
                &[]
            }
        }
    }

    /// Passes over rows that somebody else has taken from what is [ahead](Self::ahead).
    pub fn skip_ahead(&mut self, bytes: usize, rows: u64) {
        self.source.consume(bytes);
        self.line += rows;
    }

    fn unreadable(&self, problem: String) -> TraceError {
        TraceError { file: self.file.clone(), line: Some(self.line), column: None, problem }
    }

    /// Finds the fields of the row.
    fn split(&mut self) -> Result<(), TraceError> {
        self.fields.clear();
        self.unquoted = None;
        let mut start = 0;
        // Fields are a few bytes long: looking at each byte beats a search for the next comma.
        for (position, byte) in self.row.iter().enumerate() {
            match byte {
                b',' => {
                    self.fields.push(start..position);
                    start = position + 1;
                }
                b'"' => return self.split_quoted(),
                _ => {}
            }
        }
        self.fields.push(start..self.row.len());
        Ok(())
    }

    fn split_quoted(&mut self) -> Result<(), TraceError> {
        self.fields.clear();
        let closed = self.row.iter().filter(|byte| **byte == b'"').count() % 2 == 0;
        let mut record = csv::ByteRecord::new();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(self.row.as_slice());
        let read = reader.read_byte_record(&mut record);
        if !closed || read.is_err() {
            return Err(self.unreadable("has a quote that is not closed on its line".to_owned()));
        }
        self.fields.extend((0..record.len()).filter_map(|field| record.range(field)));
        self.unquoted = Some(record.as_slice().to_owned());
        Ok(())
    }

    fn field(&self, range: &Range<usize>) -> &[u8] {
        self.unquoted.as_ref().unwrap_or(&self.row).get(range.clone()).unwrap_or_default()
    }

    /// The text of a column asked for.
    pub fn text(&self, column: usize) -> Result<&[u8], TraceError> {
        let range = self.positions.get(column).and_then(|position| self.fields.get(*position));
        let missing = || self.wrong(column, "is missing: the row is too short".to_owned());
        range.map(|range| self.field(range)).ok_or_else(missing)
    }

    /// A number that is finite and not negative.
    pub fn number(&self, column: usize) -> Result<f64, TraceError> {
        let text = self.text(column)?;
        let number = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<f64>().ok());
        match number.filter(|number| number.is_finite() && *number >= 0.0) {
            Some(number) => Ok(number),
            None => Err(self.wrong(column, format!("found {}, expected a number of at least 0", shown(text)))),
        }
    }

    /// A number of units of time, at most [`MAX_SECONDS`].
    pub fn number_of(&self, column: usize, unit: TimeUnit) -> Result<f64, TraceError> {
        let number = self.number(column)?;
        if number * unit.seconds() <= MAX_SECONDS { Ok(number) } else { Err(self.too_long(column, unit)) }
    }

    /// A whole number; samplers write some with a point.
    pub fn whole(&self, column: usize) -> Result<u32, TraceError> {
        let text = self.text(column)?;
        if let &[digit @ b'0'..=b'9'] = text {
            return Ok(u32::from(digit - b'0'));
        }
        let number = self.number(column)?;
        if number.fract() == 0.0 && number <= f64::from(u32::MAX) {
            return Ok(number as u32);
        }
        Err(self.wrong(column, format!("found {}, expected a whole number", shown(text))))
    }

    /// A time in seconds, to the nanosecond.
    pub fn seconds(&self, column: usize) -> Result<SimDuration, TraceError> {
        self.time(column, TimeUnit::SECOND)
    }

    /// A time in a unit, to the nanosecond; at most [`MAX_SECONDS`].
    pub fn time(&self, column: usize, unit: TimeUnit) -> Result<SimDuration, TraceError> {
        let text = self.text(column)?;
        let time = match decimal_nanos(text, unit.nanos) {
            Some(nanos) => Some(SimDuration::from_nanos(nanos)),
            None => SimDuration::checked_from_secs_f64(self.number(column)? * unit.seconds()),
        };
        let longest = SimDuration::from_secs(MAX_SECONDS as u64);
        time.filter(|time| *time <= longest).ok_or_else(|| self.too_long(column, unit))
    }

    /// The error of a time that the clock cannot hold.
    fn too_long(&self, column: usize, unit: TimeUnit) -> TraceError {
        let found = self.text(column).map(shown).unwrap_or_default();
        let seconds = self.number(column).unwrap_or(f64::INFINITY) * unit.seconds();
        let cure = unit.smaller_that_fits(seconds).map_or(String::new(), |smaller| format!(": is this in {smaller}?"));
        let problem = format!("found {found} {}, expected a time of at most {MAX_SECONDS:e} s{cure}", unit.name);
        self.wrong(column, problem)
    }

    /// A size in a unit of so many bytes, in whole bytes; at most [`MAX_AMOUNT`].
    pub fn size(&self, column: usize, unit_bytes: f64) -> Result<u64, TraceError> {
        let bytes = self.number(column)? * unit_bytes;
        if bytes > MAX_AMOUNT {
            let problem = format!("found {bytes:e} B, expected a size of at most {MAX_AMOUNT:e} B");
            return Err(self.wrong(column, problem));
        }
        Ok(bytes.round() as u64)
    }

    /// An error about a column of the current row.
    pub fn wrong(&self, column: usize, problem: String) -> TraceError {
        TraceError { column: self.columns.get(column).cloned(), ..self.unreadable(problem) }
    }
}

/// Text for an error, shortened.
pub(crate) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    if text.chars().count() > 40 {
        format!("{:?}…", text.chars().take(40).collect::<String>())
    } else {
        format!("{text:?}")
    }
}
