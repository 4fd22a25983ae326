//! Tables as Parquet.

use std::fs::File;
use std::path::Path;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::{BATCH, Column, Form, Kind, NOTHING};

/// A table as Parquet, as far as it has been read.
pub struct ParquetForm {
    file: SerializedFileReader<File>,
    names: Vec<String>,
    /// The group of rows, and how many of these have been read.
    group: usize,
    read: usize,
    /// Where each wanted column of the group is read.
    readers: Vec<ColumnReader>,
}

impl ParquetForm {
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let file = SerializedFileReader::new(file).map_err(|error| error.to_string())?;
        let schema = file.metadata().file_metadata().schema_descr();
        let names = schema.columns().iter().map(|column| column.name().to_owned()).collect();
        Ok(Self { file, names, group: 0, read: 0, readers: Vec::new() })
    }

    fn read_group(&mut self, columns: &mut [(usize, Column)]) -> Result<usize, ParquetError> {
        while self.group < self.file.num_row_groups() {
            let group = self.file.get_row_group(self.group)?;
            let rows = group.metadata().num_rows() as usize;
            if self.read == rows {
                (self.group, self.read) = (self.group + 1, 0);
                self.readers.clear();
                continue;
            }
            if self.readers.is_empty() {
                let readers = columns.iter().map(|(place, _)| group.get_column_reader(*place));
                self.readers = readers.collect::<Result<_, _>>()?;
            }
            let rows = (rows - self.read).min(BATCH);
            for (reader, (_, column)) in self.readers.iter_mut().zip(columns) {
                read_column(reader, column, rows)?;
            }
            self.read += rows;
            return Ok(rows);
        }
        Ok(0)
    }
}

impl Form for ParquetForm {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn read(&mut self, columns: &mut [(usize, Column)]) -> Result<usize, String> {
        self.read_group(columns).map_err(|error| error.to_string())
    }
}

fn read_column(reader: &mut ColumnReader, column: &mut Column, rows: usize) -> Result<(), ParquetError> {
    let unexpected = |column: &Column| ParquetError::General(format!("{} is of another type", column.name));
    match (column.kind, reader) {
        (Kind::Count, ColumnReader::Int64ColumnReader(reader)) => {
            let values = values(reader, rows)?;
            column.values.extend(values.map(|value| value.map_or(NOTHING, |value| value as u64)));
        }
        (Kind::Time, ColumnReader::DoubleColumnReader(reader)) => {
            for value in values(reader, rows)? {
                let nanos = value.map(|seconds| (seconds * 1e9).round());
                if nanos.is_some_and(|nanos| !(0.0..NOTHING as f64).contains(&nanos)) {
                    return Err(ParquetError::General(format!("a time is out of range ({})", column.name)));
                }
                column.values.push(nanos.map_or(NOTHING, |nanos| nanos as u64));
            }
        }
        (Kind::Word, ColumnReader::ByteArrayColumnReader(reader)) => {
            for value in values(reader, rows)? {
                let number = column.number_of(value.as_ref().map_or(&[], ByteArray::data));
                column.values.push(number);
            }
        }
        _ => return Err(unexpected(column)),
    }
    Ok(())
}

/// So many rows of a column.
fn values<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
) -> Result<impl Iterator<Item = Option<T::T>>, ParquetError> {
    let (mut there, mut levels) = (Vec::new(), Vec::new());
    let mut read = 0;
    while read < rows {
        let (now, ..) = reader.read_records(rows - read, Some(&mut levels), None, &mut there)?;
        if now == 0 {
            return Err(ParquetError::EOF("a column is shorter than the others".to_owned()));
        }
        read += now;
    }
    // Columns in which all is there have no levels.
    let has_levels = !levels.is_empty();
    let mut there = there.into_iter();
    Ok((0..rows).map(move |row| if !has_levels || levels.get(row) == Some(&1) { there.next() } else { None }))
}
