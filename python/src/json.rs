//! What Python says, as JSON: sections of scenarios read, with where they are wrong.

use pyo3::PyResult;
use serde::de::DeserializeOwned;

use crate::error::wrong;

/// Reads a section, which messages call `name`.
pub fn section<T: DeserializeOwned>(name: &str, text: &str) -> PyResult<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { name.to_owned() } else { format!("{name}.{path}") };
        let inner = error.into_inner();
        let (line, column) = (inner.line(), inner.column());
        let problem = inner.to_string();
        // Nobody has seen the text.
        let problem = problem.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&problem);
        wrong(format!("{place}: {problem}"))
    })
}
