//! Rows of CSV files, plain or compressed, with the place of everything for errors.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use hearth_simcore::time::SimDuration;

use super::TraceError;

/// Reads the rows of a file, in the order of columns that is asked for.
pub(crate) struct Rows {
    file: PathBuf,
    reader: csv::Reader<Box<dyn Read>>,
    record: ByteRecord,
    /// By column asked for: its position in the file.
    positions: Vec<usize>,
    columns: Vec<String>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Opens a file, decompressing it if its name ends in `.gz` or `.zst`.
fn open(path: &Path) -> Result<Box<dyn Read>, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let file = BufReader::with_capacity(1 << 18, file);
    Ok(match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Some("zst") => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(file);
            Box::new(decoder.map_err(|error| format!("is not a Zstandard file: {error}"))?)
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
        let mut reader = csv::ReaderBuilder::new()
            .buffer_capacity(1 << 18)
            .trim(csv::Trim::Headers)
            .flexible(true)
            .from_reader(source);
        let empty = reader.byte_headers().map_err(|error| of_file(format!("cannot be read: {error}")))?.is_empty();
        if empty {
            return Err(of_file("is empty: expected a line with the names of columns".to_owned()));
        }
        let (record, positions, columns) = (ByteRecord::new(), Vec::new(), Vec::new());
        Ok(Self { file: path.to_owned(), reader, record, positions, columns })
    }

    /// The names of the columns of the file.
    pub fn header(&mut self) -> Vec<String> {
        // They were read when the file was opened.
        let header = self.reader.byte_headers().cloned().unwrap_or_default();
        header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    /// Asks for more columns, which come after those asked for before.
    pub fn require(&mut self, columns: &[&str]) -> Result<(), TraceError> {
        let header = self.header();
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

    /// Moves on to the next row; false at the end.
    pub fn advance(&mut self) -> Result<bool, TraceError> {
        self.reader.read_byte_record(&mut self.record).map_err(|error| {
            let line = error.position().map(csv::Position::line);
            TraceError { file: self.file.clone(), line, column: None, problem: format!("cannot be read: {error}") }
        })
    }

    /// The text of a column asked for.
    pub fn text(&self, column: usize) -> Result<&[u8], TraceError> {
        let missing = || self.wrong(column, "is missing: the row is too short".to_owned());
        self.record.get(*self.positions.get(column).ok_or_else(missing)?).ok_or_else(missing)
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

    /// A time in seconds, to the nanosecond.
    pub fn seconds(&self, column: usize) -> Result<SimDuration, TraceError> {
        if let Some(nanos) = decimal_nanos(self.text(column)?) {
            return Ok(SimDuration::from_nanos(nanos));
        }
        Ok(SimDuration::from_secs_f64(self.number(column)?))
    }

    /// An error about a column of the current row.
    pub fn wrong(&self, column: usize, problem: String) -> TraceError {
        let line = self.record.position().map(csv::Position::line);
        TraceError { file: self.file.clone(), line, column: self.columns.get(column).cloned(), problem }
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
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (whole, fraction) = (&text[..point], text.get(point + 1..).unwrap_or_default());
    if whole.is_empty() || whole.len() > 9 || fraction.len() > 9 {
        return None;
    }
    let digits = |text: &[u8]| {
        text.iter().try_fold(0_u64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u64::from(byte - b'0')))
    };
    let scale = 10_u64.pow(9 - fraction.len() as u32);
    Some(digits(whole)? * 1_000_000_000 + digits(fraction)? * scale)
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
