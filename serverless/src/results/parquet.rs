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

use super::About;
use super::invocations;
use super::recorder::{RecordSink, SinkError};
use super::table::{Cell, Column, ColumnHead, ColumnType};
use crate::invocation::InvocationRecord;

/// Writes rows as Parquet. They are held until a group of them is ended.
pub struct ParquetRows<W: Write + Send> {
    /// `None` once it is closed.
    writer: Option<SerializedFileWriter<W>>,
    columns: Vec<Held>,
    rows: usize,
}

impl<W: Write + Send> fmt::Debug for ParquetRows<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetRows").field("held", &self.rows).finish_non_exhaustive()
    }
}

/// What is held of a column.
struct Held {
    head: ColumnHead,
    values: Values,
    /// For each row whether there is a value.
    levels: Vec<i16>,
}

/// The values that are there.
enum Values {
    /// One text after the other, and where each ends.
    Text(Vec<u8>, Vec<usize>),
    Whole(Vec<i64>),
    Number(Vec<f64>),
    Flag(Vec<bool>),
}

impl Values {
    fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Text => Self::Text(Vec::new(), Vec::new()),
            ColumnType::Count | ColumnType::Whole => Self::Whole(Vec::new()),
            ColumnType::Number => Self::Number(Vec::new()),
            ColumnType::Flag => Self::Flag(Vec::new()),
        }
    }
}

impl Held {
    fn new(head: ColumnHead) -> Self {
        Self { values: Values::new(head.kind), levels: Vec::new(), head }
    }

    /// The field of a schema.
    fn field(&self) -> Result<Arc<Type>, ParquetError> {
        let (physical, converted) = match self.head.kind {
            ColumnType::Text => (PhysicalType::BYTE_ARRAY, ConvertedType::UTF8),
            ColumnType::Count => (PhysicalType::INT64, ConvertedType::NONE),
            ColumnType::Whole => (PhysicalType::INT64, ConvertedType::UINT_64),
            ColumnType::Number => (PhysicalType::DOUBLE, ConvertedType::NONE),
            ColumnType::Flag => (PhysicalType::BOOLEAN, ConvertedType::NONE),
        };
        let repetition = if self.head.is_optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let field = Type::primitive_type_builder(&self.head.name, physical);
        field.with_repetition(repetition).with_converted_type(converted).build().map(Arc::new)
    }

    fn push(&mut self, cell: Cell<'_>) -> Result<(), ParquetError> {
        let is_there = cell != Cell::Nothing;
        match (&mut self.values, cell) {
            (_, Cell::Nothing) if self.head.is_optional => {}
            (Values::Text(bytes, ends), Cell::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len());
            }
            (Values::Text(bytes, ends), cell @ Cell::Names(_)) => {
                write!(bytes, "{cell}")?;
                ends.push(bytes.len());
            }
            // Of numbers without sign the bits are the same.
            (Values::Whole(values), Cell::Whole(number)) => values.push(number as i64),
            (Values::Number(values), Cell::Number(number) | Cell::Decimal(number, _)) => values.push(number),
            (Values::Number(values), Cell::Date(date)) => values.push(date.as_secs_f64()),
            (Values::Number(values), Cell::Length(length)) => values.push(length.as_secs_f64()),
            (Values::Flag(values), Cell::Flag(flag)) => values.push(flag),
            (_, cell) => {
                let ColumnHead { name, kind, .. } = &self.head;
                return Err(ParquetError::General(format!(
                    "the column {name} is of {kind:?} and cannot hold {cell:?}"
                )));
            }
        }
        self.levels.push(i16::from(is_there));
        Ok(())
    }

    /// Writes what is held, and holds nothing any more.
    fn write<W: Write + Send>(&mut self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<(), ParquetError> {
        let levels = self.head.is_optional.then_some(self.levels.as_slice());
        match &mut self.values {
            Values::Text(bytes, ends) => {
                let all = ByteArray::from(std::mem::take(bytes));
                let mut begin = 0;
                let text = |end: usize| {
                    let text = all.slice(begin, end - begin);
                    begin = end;
                    text
                };
                let texts: Vec<ByteArray> = ends.drain(..).map(text).collect();
                write_column::<ByteArrayType, W>(group, &texts, levels)?;
            }
            Values::Whole(values) => {
                write_column::<Int64Type, W>(group, values, levels)?;
                values.clear();
            }
            Values::Number(values) => {
                write_column::<DoubleType, W>(group, values, levels)?;
                values.clear();
            }
            Values::Flag(values) => {
                write_column::<BoolType, W>(group, values, levels)?;
                values.clear();
            }
        }
        self.levels.clear();
        Ok(())
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
        let columns: Vec<Held> = columns.into_iter().map(Held::new).collect();
        let fields = columns.iter().map(Held::field).collect::<Result<Vec<_>, _>>()?;
        let schema = Arc::new(Type::group_type_builder(name).with_fields(fields).build()?);
        let properties = WriterProperties::builder().set_created_by("Hearth".to_owned()).build();
        let writer = SerializedFileWriter::new(target, schema, Arc::new(properties))?;
        Ok(Self { writer: Some(writer), columns, rows: 0 })
    }

    /// How many rows are held.
    pub fn held(&self) -> usize {
        self.rows
    }

    /// Takes a row, with a cell for each column.
    ///
    /// # Errors
    /// When a cell is not of the type of its column.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<(), SinkError> {
        self.columns.iter_mut().zip(cells).try_for_each(|(column, cell)| column.push(cell))?;
        self.rows += 1;
        Ok(())
    }

    /// Writes the rows that are held as a group, if there are any.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn end_group(&mut self) -> Result<(), SinkError> {
        if let Some(writer) = &mut self.writer
            && self.rows > 0
        {
            let mut group = writer.next_row_group()?;
            self.columns.iter_mut().try_for_each(|column| column.write(&mut group))?;
            group.close()?;
            self.rows = 0;
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
        let columns = invocations::columns(about);
        let rows = ParquetRows::new("invocations", columns.iter().map(Column::head), target)?;
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

    #[test]
    fn a_cell_of_another_type_is_refused_with_its_column() {
        let head = |kind, is_optional| ColumnHead { name: "x".to_owned(), kind, is_optional };
        let refused = |head: ColumnHead, cell| {
            let mut rows = ParquetRows::new("t", [head], Vec::new()).unwrap();
            rows.row([cell]).unwrap_err().to_string()
        };
        let error = refused(head(ColumnType::Number, true), Cell::Text("one"));
        assert!(error.contains("the column x is of Number and cannot hold Text(\"one\")"), "{error}");
        assert!(refused(head(ColumnType::Text, false), Cell::Nothing).contains("cannot hold Nothing"));
    }
}
