//! Rows of CSV files, plain or compressed, with the place of everything for errors.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};

use hearth_simcore::time::SimDuration;

use super::TraceError;

/// Reads the rows of a file, in the order of columns that is asked for.
///
/// Traces have hundreds of millions of short rows without quotes, which are split where the commas are; a row with a quote
/// goes through the `csv` crate. A quoted field must end on its line.
pub(crate) struct Rows {
    file: PathBuf,
    source: Box<dyn BufRead>,
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

const BUFFER: usize = 1 << 18;

/// Opens a file, decompressing it if its name ends in `.gz` or `.zst`.
fn open(path: &Path) -> Result<Box<dyn BufRead>, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let file = BufReader::with_capacity(BUFFER, file);
    Ok(match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Box::new(BufReader::with_capacity(BUFFER, flate2::bufread::MultiGzDecoder::new(file))),
        Some("zst") => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(file);
            let decoder = decoder.map_err(|error| format!("is not a Zstandard file: {error}"))?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        }
        _ => Box::new(file),
    })
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
            let read = self.source.read_until(b'\n', &mut self.row);
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

    /// What has been read ahead of the current row, if anything.
    pub fn ahead(&mut self) -> &[u8] {
        // An error shows when the row is asked for.
        self.source.fill_buf().unwrap_or_default()
    }

    /// Passes over a row that somebody else has taken from what is [ahead](Self::ahead).
    pub fn skip_ahead(&mut self, length: usize) {
        self.source.consume(length);
        self.line += 1;
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
        if let Some(nanos) = decimal_nanos(self.text(column)?) {
            return Ok(SimDuration::from_nanos(nanos));
        }
        Ok(SimDuration::from_secs_f64(self.number(column)?))
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

/// Plain decimal seconds as nanoseconds, exactly; `None` for anything else, and for more digits than nanoseconds have.
fn decimal_nanos(text: &[u8]) -> Option<u64> {
    const SCALES: [u64; 10] = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    // With so few digits nothing overflows.
    if text.len() > 19 {
        return None;
    }
    let (mut value, mut point) = (0_u64, None);
    for (position, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => value = value * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(position),
            _ => return None,
        }
    }
    let whole = point.unwrap_or(text.len());
    let decimals = point.map_or(0, |point| text.len() - point - 1);
    if whole == 0 || whole > 9 {
        return None;
    }
    Some(value * SCALES.get(decimals)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decimals_are_exact(nanos in 0..999_999_999_999_999_999_u64) {
            let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
            prop_assert_eq!(decimal_nanos(text.as_bytes()), Some(nanos));
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_left_to_others() {
        for text in ["", ".5", "1e3", "-1", "1.2.3", "nan", "1234567890", "0.1234567891"] {
            assert_eq!(decimal_nanos(text.as_bytes()), None, "{text}");
        }
        assert_eq!(
            ["7", "0.25", "3."].map(|text| decimal_nanos(text.as_bytes())),
            [Some(7_000_000_000), Some(250_000_000), Some(3_000_000_000)]
        );
    }
}
