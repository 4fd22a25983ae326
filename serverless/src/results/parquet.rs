//! Tables as Parquet (feature `parquet`): one writer for all, and the table of invocations.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::held_table::{HeldColumn, HeldTable, Values};
use super::recorder::{RecordSink, SinkError};
use super::table::{Cell, Column, ColumnDescription, ColumnHead, ColumnType};
use super::{About, Unit};
use super::{causes, invocations};
use crate::invocation::InvocationRecord;

/// Writes rows as Parquet. They are held until a group of them is ended.
pub struct ParquetRows<W: Write + Send> {
    /// `None` once it is closed.
    writer: Option<SerializedFileWriter<W>>,
    held: HeldTable,
}

impl<W: Write + Send> fmt::Debug for ParquetRows<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetRows").field("held", &self.held.rows()).finish_non_exhaustive()
    }
}

/// The field of a schema.
fn field(head: &ColumnHead) -> Result<Arc<Type>, ParquetError> {
    let (physical, converted) = match head.kind {
        ColumnType::Name | ColumnType::Text => (PhysicalType::BYTE_ARRAY, ConvertedType::UTF8),
        ColumnType::Count => (PhysicalType::INT64, ConvertedType::NONE),
        ColumnType::Whole => (PhysicalType::INT64, ConvertedType::UINT_64),
        ColumnType::Number => (PhysicalType::DOUBLE, ConvertedType::NONE),
        ColumnType::Flag => (PhysicalType::BOOLEAN, ConvertedType::NONE),
    };
    let repetition = if head.is_optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let field = Type::primitive_type_builder(&head.name, physical);
    field.with_repetition(repetition).with_converted_type(converted).build().map(Arc::new)
}

/// Writes a column, of which Parquet wants the values that are there.
fn write_held<W: Write + Send>(
    column: &HeldColumn,
    group: &mut SerializedRowGroupWriter<'_, W>,
) -> Result<(), ParquetError> {
    let levels: Vec<i16> = column.is_there.iter().map(|is_there| i16::from(*is_there)).collect();
    let levels = column.description.head.is_optional.then_some(levels.as_slice());
    let is_there = |row: usize| column.is_there.get(row).copied().unwrap_or(true);
    match &column.values {
        Values::Names { codes, names } => {
            let names: Vec<ByteArray> = names.iter().map(|name| ByteArray::from(name.as_str())).collect();
            let name = |code: &i32| names.get(usize::try_from(*code).ok()?).cloned();
            write_column::<ByteArrayType, W>(group, &codes.iter().filter_map(name).collect::<Vec<_>>(), levels)
        }
        Values::Text { bytes, ends } => {
            let all = ByteArray::from(bytes.clone());
            let texts = ends.windows(2).enumerate().filter(|(row, _)| is_there(*row));
            let text = |ends: &[i64]| all.slice(ends[0] as usize, (ends[1] - ends[0]) as usize);
            write_column::<ByteArrayType, W>(group, &texts.map(|(_, ends)| text(ends)).collect::<Vec<_>>(), levels)
        }
        // Of numbers without sign the bits are the same.
        Values::Whole(values) => {
            let there = values.iter().enumerate().filter(|(row, _)| is_there(*row));
            write_column::<Int64Type, W>(group, &there.map(|(_, value)| *value as i64).collect::<Vec<_>>(), levels)
        }
        Values::Number(values) => {
            let there = values.iter().enumerate().filter(|(row, _)| is_there(*row));
            write_column::<DoubleType, W>(group, &there.map(|(_, value)| *value).collect::<Vec<_>>(), levels)
        }
        Values::Flag(values) => {
            let there = values.iter().enumerate().filter(|(row, _)| is_there(*row));
            write_column::<BoolType, W>(group, &there.map(|(_, value)| *value).collect::<Vec<_>>(), levels)
        }
    }
}

fn write_column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("the schema has fewer columns than the table".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

impl<W: Write + Send> ParquetRows<W> {
    /// Begins a table of this name.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn new(name: &str, columns: impl IntoIterator<Item = ColumnHead>, target: W) -> Result<Self, SinkError> {
        let described = |head: ColumnHead| ColumnDescription { head, unit: Unit::Plain, note: String::new() };
        let held = HeldTable::new(columns.into_iter().map(described));
        let heads = held.columns().iter().map(|column| &column.description.head);
        let fields = heads.map(field).collect::<Result<Vec<_>, _>>()?;
        let schema = Arc::new(Type::group_type_builder(name).with_fields(fields).build()?);
        let properties = WriterProperties::builder().set_created_by("Hearth".to_owned()).build();
        let writer = SerializedFileWriter::new(target, schema, Arc::new(properties))?;
        Ok(Self { writer: Some(writer), held })
    }

    /// How many rows are held.
    pub fn held(&self) -> usize {
        self.held.rows()
    }

    /// Takes a row, with a cell for each column.
    ///
    /// # Errors
    /// When a cell is not of the type of its column.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<(), SinkError> {
        Ok(self.held.row(cells)?)
    }

    /// Writes the rows that are held as a group, if there are any.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn end_group(&mut self) -> Result<(), SinkError> {
        if let Some(writer) = &mut self.writer
            && self.held.rows() > 0
        {
            let mut group = writer.next_row_group()?;
            self.held.take().columns().iter().try_for_each(|column| write_held(column, &mut group))?;
            group.close()?;
        }
        Ok(())
    }

    /// Writes what is held, and ends the table.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn finish(&mut self) -> Result<(), SinkError> {
        self.end_group()?;
        if let Some(writer) = self.writer.take() {
            writer.close()?;
        }
        Ok(())
    }
}

/// So many invocations are held until they are written.
const GROUP: usize = 1 << 16;

/// Writes invocations as Parquet, in groups of 65 536: the columns of `invocations.csv`, dates as numbers.
pub struct InvocationsParquet<W: Write + Send> {
    columns: Vec<Column<InvocationRecord>>,
    rows: ParquetRows<W>,
}

impl<W: Write + Send> fmt::Debug for InvocationsParquet<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvocationsParquet").field("held", &self.rows.held()).finish_non_exhaustive()
    }
}

impl<W: Write + Send> InvocationsParquet<W> {
    /// Begins a file about an experiment.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn new(about: &About, target: W) -> Result<Self, SinkError> {
        Self::with(invocations::columns(about), "invocations", target)
    }

    /// Begins a file of what the latency of each invocation is made of, where an experiment is
    /// [explained](crate::experiment::Experiment::explained).
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn of_causes(about: &About, target: W) -> Result<Self, SinkError> {
        Self::with(causes::columns(about), "causes", target)
    }

    fn with(columns: Vec<Column<InvocationRecord>>, name: &str, target: W) -> Result<Self, SinkError> {
        let rows = ParquetRows::new(name, columns.iter().map(Column::head), target)?;
        Ok(Self { columns, rows })
    }
}

impl<W: Write + Send> RecordSink for InvocationsParquet<W> {
    fn write(&mut self, record: &InvocationRecord) -> Result<(), SinkError> {
        self.rows.row(self.columns.iter().map(|column| column.cell(record)))?;
        if self.rows.held() >= GROUP { self.rows.end_group() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.rows.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use hearth_simcore::time::SimTime;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::*;
    use crate::function::FunctionId;
    use crate::invocation::{Outcome, Start};

    #[test]
    fn a_file_gives_back_what_was_written_over_several_groups() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("invocations.parquet");
        let about = About {
            name: "test".to_owned(),
            seed: 0,
            functions: vec!["f".to_owned(), "größer".to_owned()],
            nodes: vec!["node-0".to_owned()],
            policies: Vec::new(),
        };
        let mut sink = InvocationsParquet::new(&about, File::create(&path).unwrap()).unwrap();
        let count = GROUP as u64 + 5;
        for number in 0..count {
            let mut record = InvocationRecord::new(number, FunctionId(1));
            if number % 2 == 0 {
                record.requested_at = Some(SimTime::from_nanos(number * 500_000_000));
                (record.node, record.start, record.outcome) = (Some(0), Some(Start::Warm), Outcome::Completed);
            }
            sink.write(&record).unwrap();
        }
        sink.finish().unwrap();
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        assert_eq!((reader.num_row_groups(), reader.metadata().file_metadata().num_rows()), (2, count as i64));
        for (number, row) in reader.get_row_iter(None).unwrap().enumerate() {
            let row = row.unwrap();
            assert_eq!((row.get_long(0).unwrap(), row.get_string(1).unwrap().as_str()), (number as i64, "größer"));
            if number % 2 == 0 {
                assert_eq!(row.get_double(2).unwrap(), number as f64 / 2.0);
                let texts = [7, 8, 9].map(|column| row.get_string(column).unwrap().as_str());
                assert_eq!(texts, ["node-0", "warm", "completed"]);
            } else {
                assert!(row.get_double(2).is_err() && row.get_string(7).is_err());
                assert_eq!(row.get_string(9).unwrap(), "unfinished");
            }
        }
    }
}
