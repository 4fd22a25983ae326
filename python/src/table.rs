//! Tables as Python takes them: by Arrow's stream, and column by column as arrays over the same memory.

use std::sync::Arc;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, LargeStringArray,
    RecordBatch, RecordBatchIterator, RecordBatchReader, StringArray, UInt64Array,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use hearth_serverless::results::{ColumnDescription, ColumnType, HeldColumn, HeldTable, Values};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyTuple};

use crate::error::HearthError;

/// The name by which Arrow's stream is known in Python.
const STREAM: &std::ffi::CStr = c"arrow_array_stream";

fn unfit(error: ArrowError) -> PyErr {
    HearthError::new_err(format!("a table is not what it must be: {error}: please report it"))
}

/// The type of a column in Arrow.
fn data_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Name => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        ColumnType::Text => DataType::LargeUtf8,
        ColumnType::Count => DataType::Int64,
        ColumnType::Whole => DataType::UInt64,
        ColumnType::Number => DataType::Float64,
        ColumnType::Flag => DataType::Boolean,
    }
}

/// A column in a schema, with its unit and what it says.
fn field(column: &ColumnDescription) -> Field {
    let ColumnDescription { head, unit, note } = column;
    let said = [("unit", unit.name()), ("description", note.as_str())];
    let said = said.into_iter().filter(|(_, text)| !text.is_empty());
    let metadata = said.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    Field::new(&head.name, data_type(head.kind), head.is_optional).with_metadata(metadata)
}

/// The values of a column, whose memory is taken and not copied.
fn array(column: HeldColumn) -> Result<ArrayRef, ArrowError> {
    let HeldColumn { description, values, is_there, .. } = column;
    let nulls = is_there.contains(&false).then(|| NullBuffer::from(is_there));
    Ok(match values {
        Values::Names { codes, names } => {
            let keys = Int32Array::try_new(codes.into(), nulls)?;
            Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(StringArray::from(names)))?)
        }
        Values::Text { bytes, ends } => {
            let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
            Arc::new(LargeStringArray::try_new(ends, Buffer::from_vec(bytes), nulls)?)
        }
        Values::Whole(values) => {
            let values = Buffer::from_vec(values);
            match description.head.kind {
                ColumnType::Whole => Arc::new(UInt64Array::try_new(values.into(), nulls)?),
                // What is counted is always below 2⁶³.
                _ => Arc::new(Int64Array::try_new(values.into(), nulls)?),
            }
        }
        Values::Number(values) => Arc::new(Float64Array::try_new(values.into(), nulls)?),
        Values::Flag(values) => Arc::new(BooleanArray::new(values.into(), nulls)),
    })
}

/// A table in Arrow's form.
#[derive(Clone, Debug)]
pub struct ArrowTable {
    schema: SchemaRef,
    batch: RecordBatch,
}

impl ArrowTable {
    /// The table, whose memory is taken and not copied.
    ///
    /// # Errors
    /// When it is not what it must be: a mistake of this program.
    pub fn of(table: HeldTable) -> PyResult<Self> {
        let fields: Vec<Field> = table.columns().iter().map(|column| field(&column.description)).collect();
        let schema = Arc::new(Schema::new(fields));
        let arrays = table.into_columns().into_iter().map(array).collect::<Result<Vec<_>, _>>().map_err(unfit)?;
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(unfit)?;
        Ok(Self { schema, batch })
    }
}

/// The names and units of a table's columns, and their values.
#[pyclass(frozen, module = "hearth._hearth")]
pub struct Columns {
    table: ArrowTable,
}

impl Columns {
    /// A table for Python.
    ///
    /// # Errors
    /// When it is not what it must be: a mistake of this program.
    pub fn new(table: HeldTable) -> PyResult<Self> {
        ArrowTable::of(table).map(|table| Self { table })
    }

    fn column(&self, name: &str) -> PyResult<&ArrayRef> {
        self.table.batch.column_by_name(name).ok_or_else(|| {
            let names: Vec<&str> = self.table.schema.fields().iter().map(|field| field.name().as_str()).collect();
            PyKeyError::new_err(format!("there is no column {name:?}: there are {}", names.join(", ")))
        })
    }

    fn metadata<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for field in self.table.schema.fields() {
            dict.set_item(field.name(), field.metadata().get(key).map_or("", String::as_str))?;
        }
        Ok(dict)
    }
}

/// A stream of these batches, for who speaks Arrow.
pub fn stream<'py>(
    py: Python<'py>,
    batches: impl RecordBatchReader + Send + 'static,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(batches)), STREAM)
}

#[pymethods]
impl Columns {
    fn __len__(&self) -> usize {
        self.table.batch.num_rows()
    }

    /// The names of the columns.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.table.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// By column: its unit, empty for mere numbers and text.
    #[getter]
    fn units<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.metadata(py, "unit")
    }

    /// By column: what it says.
    #[getter]
    fn descriptions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.metadata(py, "description")
    }

    /// The values of a column: `(kind, values, names, missing)`. `values` is what `numpy.asarray` takes, without a copy; of text it is where
    /// there is any, and which; of flags it is bytes. `missing` are bytes, for kinds that have no value for nothing.
    fn values<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyTuple>> {
        let array = self.column(name)?;
        let memory = |typestr: &'static str, address: *const u8| {
            let (array, rows) = (Arc::clone(array), array.len());
            Bound::new(py, Memory { array, address: address as usize, rows, typestr }).map(Bound::into_any)
        };
        let bytes = |flags: &mut dyn Iterator<Item = bool>| PyBytes::new(py, &flags.map(u8::from).collect::<Vec<_>>());
        let missing = array.nulls().map(|nulls| bytes(&mut nulls.iter().map(|is_there| !is_there)));
        let any = array.as_any();
        if let Some(values) = any.downcast_ref::<Float64Array>() {
            ("number", memory("<f8", values.values().as_ptr().cast())?, py.None(), py.None()).into_pyobject(py)
        } else if let Some(values) = any.downcast_ref::<Int64Array>() {
            ("count", memory("<i8", values.values().as_ptr().cast())?, py.None(), missing).into_pyobject(py)
        } else if let Some(values) = any.downcast_ref::<UInt64Array>() {
            ("whole", memory("<u8", values.values().as_ptr().cast())?, py.None(), missing).into_pyobject(py)
        } else if let Some(values) = any.downcast_ref::<DictionaryArray<Int32Type>>() {
            let names = values.values().as_any().downcast_ref::<StringArray>();
            let names: Vec<&str> = names.into_iter().flatten().flatten().collect();
            ("name", memory("<i4", values.keys().values().as_ptr().cast())?, names, py.None()).into_pyobject(py)
        } else if let Some(values) = any.downcast_ref::<LargeStringArray>() {
            let there = values.iter().enumerate().filter_map(|(row, text)| Some((row, text?)));
            let (rows, texts): (Vec<usize>, Vec<&str>) = there.unzip();
            ("text", (rows, texts), py.None(), py.None()).into_pyobject(py)
        } else {
            let flags = any.downcast_ref::<BooleanArray>().into_iter().flatten().map(Option::unwrap_or_default);
            ("flag", bytes(&mut { flags }), py.None(), missing).into_pyobject(py)
        }
    }

    /// Arrow's stream of the table.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // Who asks for another schema casts what it gets, as the interface has it.
        drop(requested_schema);
        let ArrowTable { schema, batch } = self.table.clone();
        stream(py, RecordBatchIterator::new([Ok(batch)], schema))
    }
}

/// The memory of a column, which lives as long as this.
#[pyclass(frozen, module = "hearth._hearth")]
struct Memory {
    #[expect(dead_code, reason = "keeps the memory")]
    array: ArrayRef,
    address: usize,
    rows: usize,
    typestr: &'static str,
}

#[pymethods]
impl Memory {
    /// What NumPy makes an array of that cannot be written.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("version", 3)?;
        dict.set_item("shape", (self.rows,))?;
        dict.set_item("typestr", self.typestr)?;
        dict.set_item("data", (self.address, true))?;
        Ok(dict)
    }
}
