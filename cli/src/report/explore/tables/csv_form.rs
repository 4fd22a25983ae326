//! Tables as text.

use std::fs::File;
use std::path::Path;

use csv::ByteRecord;

use super::{BATCH, Column, Form, Kind, NOTHING};

/// A table as text, as far as it has been read.
pub struct CsvForm {
    reader: csv::Reader<File>,
    names: Vec<String>,
    record: ByteRecord,
    row: u64,
}

impl CsvForm {
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 18).from_reader(file);
        let names = reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_owned).collect();
        Ok(Self { reader, names, record: ByteRecord::new(), row: 0 })
    }
}

impl Form for CsvForm {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn read(&mut self, columns: &mut [(usize, Column)]) -> Result<usize, String> {
        for row in 0..BATCH {
            if !self.reader.read_byte_record(&mut self.record).map_err(|error| error.to_string())? {
                return Ok(row);
            }
            self.row += 1;
            for (place, column) in columns.iter_mut() {
                let field = self.record.get(*place).unwrap_or_default();
                let value = match column.kind {
                    Kind::Word => Some(column.number_of(field)),
                    _ if field.is_empty() => Some(NOTHING),
                    Kind::Count => digits(field),
                    Kind::Time => nanoseconds(field),
                };
                column.values.push(value.ok_or_else(|| {
                    format!("{} is no number ({}, row {})", String::from_utf8_lossy(field), column.name, self.row)
                })?);
            }
        }
        Ok(BATCH)
    }
}

/// A whole number of digits alone.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Seconds with at most nine decimals, as nanoseconds.
fn nanoseconds(text: &[u8]) -> Option<u64> {
    // What is often nothing is written so.
    if text == b"0" {
        return Some(0);
    }
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (whole, decimals) = (&text[..point], text.get(point + 1..).unwrap_or_default());
    if decimals.len() > 9 {
        return None;
    }
    let part = if decimals.is_empty() { 0 } else { digits(decimals)? * 10_u64.pow(9 - decimals.len() as u32) };
    digits(whole)?.checked_mul(1_000_000_000)?.checked_add(part).filter(|nanos| *nanos != NOTHING)
}
