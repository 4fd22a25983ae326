//! Columns of a trace as arguments: `arrival=ts_ms:ms`.

use hearth_serverless::workload::ColumnsSection;
use hearth_simcore::units::Dimension;
use serde_json::{Map, Value, json};

/// What can be named.
const FIELDS: [&str; 4] = ["arrival", "function", "duration", "memory"];

/// Takes `FIELD=NAME[:UNIT]` apart: the field, and its column as it would stand in a scenario.
pub fn assignment(text: &str) -> Result<(String, Value), String> {
    let (field, name) = text.split_once('=').ok_or("expected FIELD=NAME or FIELD=NAME:UNIT, as in arrival=ts_ms:ms")?;
    if !FIELDS.contains(&field) {
        return Err(format!("unknown field {field:?}: expected one of {}", FIELDS.join(", ")));
    }
    let is_unit =
        |unit: &str| [Dimension::Time, Dimension::Size].iter().flat_map(|it| it.units()).any(|(name, _)| *name == unit);
    let column = match name.rsplit_once(':').filter(|(_, unit)| is_unit(unit)) {
        Some((name, unit)) => json!({"name": name, "unit": unit}),
        None => json!(name),
    };
    Ok((field.to_owned(), column))
}

/// The columns that are named; the last of two for one field counts.
pub fn section(assignments: &[(String, Value)]) -> Result<ColumnsSection, String> {
    let named: Map<String, Value> = assignments.iter().cloned().collect();
    // One by one, so that the error says which one it is about.
    for (field, column) in &named {
        let alone = Value::Object(Map::from_iter([(field.clone(), column.clone())]));
        serde_json::from_value::<ColumnsSection>(alone).map_err(|error| format!("{field}: {error}"))?;
    }
    serde_json::from_value(Value::Object(named)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_a_name_and_perhaps_a_unit() {
        assert_eq!(assignment("arrival=ts:ms"), Ok(("arrival".to_owned(), json!({"name": "ts", "unit": "ms"}))));
        assert_eq!(assignment("function=a:b"), Ok(("function".to_owned(), json!("a:b"))));
        let unknown = assignment("time=ts").unwrap_err();
        assert_eq!(unknown, "unknown field \"time\": expected one of arrival, function, duration, memory");
        let of = |text| section(&[assignment(text).unwrap()]);
        assert!(of("memory=mem").unwrap_err().starts_with("memory: column \"mem\" needs a unit, one of B kB MB"));
        assert!(of("memory=mem:ms").unwrap_err().starts_with("memory: unknown unit \"ms\" of column \"mem\": a size"));
        assert_eq!(of("duration=d").unwrap().duration.map(|column| column.name), Some("d".to_owned()));
    }
}
