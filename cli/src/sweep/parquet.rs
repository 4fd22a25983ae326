//! Tables of a sweep as Parquet (feature `parquet`).

use std::io::Write;
use std::sync::Arc;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::tables::Column;

/// A table as the content of a file.
pub fn to_bytes(columns: &[Column], rows: usize) -> Result<Vec<u8>, ParquetError> {
    // The schema's grammar knows no quotes: columns are named by position there and then renamed.
    let field = |(position, column): (usize, &Column)| match column {
        Column::Text(..) => format!("required binary c{position} (utf8);"),
        Column::Whole(..) => format!("required int64 c{position} (uint_64);"),
        Column::Number(..) => format!("optional double c{position};"),
        Column::Flag(..) => format!("optional boolean c{position};"),
    };
    let fields: String = columns.iter().enumerate().map(field).collect();
    let plain = parse_message_type(&format!("message runs {{ {fields} }}"))?;
    let rename = |(field, column): (&Arc<parquet::schema::types::Type>, &Column)| renamed(field, column.name());
    let fields: Result<Vec<_>, ParquetError> = plain.get_fields().iter().zip(columns).map(rename).collect();
    let schema = parquet::schema::types::Type::group_type_builder("runs").with_fields(fields?).build()?;
    let properties = WriterProperties::builder().set_created_by("Hearth".to_owned()).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties))?;
    if rows > 0 {
        let mut group = writer.next_row_group()?;
        columns.iter().try_for_each(|column| write_column(&mut group, column))?;
        group.close()?;
    }
    writer.close()?;
    Ok(bytes)
}

fn renamed(
    field: &parquet::schema::types::Type,
    name: &str,
) -> Result<Arc<parquet::schema::types::Type>, ParquetError> {
    let info = field.get_basic_info();
    let builder = parquet::schema::types::Type::primitive_type_builder(name, field.get_physical_type())
        .with_repetition(info.repetition())
        .with_converted_type(info.converted_type());
    builder.build().map(Arc::new)
}

fn write_column<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Column,
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("the schema has fewer columns than the table".to_owned());
    let mut target = group.next_column()?.ok_or_else(missing)?;
    match column {
        Column::Text(_, values) => {
            let values: Vec<ByteArray> = values.iter().map(|value| ByteArray::from(value.as_str())).collect();
            target.typed::<ByteArrayType>().write_batch(&values, None, None)?;
        }
        Column::Whole(_, values) => {
            // The type says that the bits are those of numbers without sign.
            let values: Vec<i64> = values.iter().map(|value| *value as i64).collect();
            target.typed::<Int64Type>().write_batch(&values, None, None)?;
        }
        Column::Number(_, values) => {
            let present: Vec<f64> = values.iter().flatten().copied().collect();
            let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
            target.typed::<DoubleType>().write_batch(&present, Some(&levels), None)?;
        }
        Column::Flag(_, values) => {
            let present: Vec<bool> = values.iter().flatten().copied().collect();
            let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
            target.typed::<BoolType>().write_batch(&present, Some(&levels), None)?;
        }
    }
    target.close()
}
