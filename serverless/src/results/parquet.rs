//! `invocations.parquet`: the table of invocations in columns.

use std::io::Write;
use std::mem;
use std::sync::Arc;

use hearth_simcore::time::SimTime;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::recorder::{RecordSink, SinkError};
use crate::experiment::About;
use crate::invocation::{InvocationRecord, Outcome, Start};

/// The columns of `invocations.csv`; dates are seconds, absent where the table has an empty field.
const SCHEMA: &str = "message invocations {
    required int64 invocation;
    required binary function (utf8);
    optional double requested_at;
    optional double submitted_at;
    optional double dispatched_at;
    optional double started_at;
    optional double finished_at;
    optional binary node (utf8);
    optional binary start (utf8);
    required binary outcome (utf8);
    optional binary failure (utf8);
}";

/// So many invocations are held until they are written.
const GROUP: usize = 1 << 16;

/// Writes invocations as Parquet, in groups of 65 536.
pub struct InvocationsParquet<W: Write + Send> {
    /// `None` once it is closed.
    writer: Option<SerializedFileWriter<W>>,
    functions: Vec<ByteArray>,
    nodes: Vec<ByteArray>,
    held: Columns,
}

impl<W: Write + Send> std::fmt::Debug for InvocationsParquet<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvocationsParquet").field("held", &self.held.invocation.values.len()).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Columns {
    invocation: Column<Int64Type>,
    function: Column<ByteArrayType>,
    dates: [Column<DoubleType>; 5],
    node: Column<ByteArrayType>,
    start: Column<ByteArrayType>,
    outcome: Column<ByteArrayType>,
    failure: Column<ByteArrayType>,
}

/// The values that are there, and for each row whether one is.
struct Column<T: DataType> {
    values: Vec<T::T>,
    levels: Vec<i16>,
}

impl<T: DataType> Default for Column<T> {
    fn default() -> Self {
        Self { values: Vec::new(), levels: Vec::new() }
    }
}

impl<T: DataType> Column<T> {
    fn push(&mut self, value: Option<T::T>) {
        self.levels.push(i16::from(value.is_some()));
        self.values.extend(value);
    }

    fn write<W: Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
        optional: bool,
    ) -> Result<(), ParquetError> {
        let missing = || ParquetError::General("the schema has fewer columns than the table".to_owned());
        let mut column = group.next_column()?.ok_or_else(missing)?;
        let levels = optional.then_some(self.levels.as_slice());
        column.typed::<T>().write_batch(&self.values, levels, None)?;
        self.values.clear();
        self.levels.clear();
        column.close()
    }
}

impl<W: Write + Send> InvocationsParquet<W> {
    /// Begins a file about an experiment.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn new(about: &About, target: W) -> Result<Self, SinkError> {
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let properties = WriterProperties::builder().set_created_by("Hearth".to_owned()).build();
        let writer = SerializedFileWriter::new(target, schema, Arc::new(properties))?;
        let names = |names: &[String]| names.iter().map(|name| ByteArray::from(name.as_str())).collect();
        let (functions, nodes) = (names(&about.functions), names(&about.nodes));
        Ok(Self { writer: Some(writer), functions, nodes, held: Columns::default() })
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let (Some(writer), false) = (&mut self.writer, self.held.invocation.values.is_empty()) else {
            return Ok(());
        };
        let mut group = writer.next_row_group()?;
        let Columns { invocation, function, dates, node, start, outcome, failure } = &mut self.held;
        invocation.write(&mut group, false)?;
        function.write(&mut group, false)?;
        dates.iter_mut().try_for_each(|dates| dates.write(&mut group, true))?;
        node.write(&mut group, true)?;
        start.write(&mut group, true)?;
        outcome.write(&mut group, false)?;
        failure.write(&mut group, true)?;
        group.close().map(drop)
    }
}

impl<W: Write + Send> RecordSink for InvocationsParquet<W> {
    fn write(&mut self, record: &InvocationRecord) -> Result<(), SinkError> {
        let held = &mut self.held;
        held.invocation.push(Some(record.invocation as i64));
        held.function.push(Some(self.functions.get(record.function.number() as usize).cloned().unwrap_or_default()));
        let dates =
            [record.requested_at, record.submitted_at, record.dispatched_at, record.started_at, record.finished_at];
        held.dates.iter_mut().zip(dates).for_each(|(column, date)| column.push(date.map(SimTime::as_secs_f64)));
        held.node.push(record.node.and_then(|node| self.nodes.get(node as usize).cloned()));
        held.start.push(record.start.map(|start| ByteArray::from(Start::as_str(start))));
        held.outcome.push(Some(ByteArray::from(Outcome::as_str(record.outcome))));
        held.failure.push(record.failure.as_deref().map(ByteArray::from));
        if held.invocation.values.len() >= GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.write_group()?;
        if let Some(writer) = mem::take(&mut self.writer) {
            writer.close()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::*;
    use crate::function::FunctionId;

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
