//! Scenarios: checked, and moved from one folder to another.

use std::path::PathBuf;

use hearth_serverless::experiment::{Experiment, hidden_policies};
use hearth_serverless::scenario::{ScenarioError, ScenarioText, change_paths};
use pyo3::prelude::*;
use serde_json::Value;

use crate::catalog::catalog_of;
use crate::error::wrong;

/// The text of a scenario file.
#[pyfunction]
pub fn read_scenario(file: PathBuf) -> PyResult<String> {
    ScenarioText::read(&file).map(|text| text.as_str().to_owned()).map_err(wrong)
}

/// Checks everything that can be wrong with a scenario; gives the warnings. The text is that of a file, or was made by a program, and then
/// `file` is one that is not there, in the folder in which relative paths start.
#[pyfunction]
pub fn validate(
    py: Python<'_>,
    text: &str,
    file: &str,
    is_there: bool,
    folders: Vec<PathBuf>,
) -> PyResult<Vec<String>> {
    let checked = py.detach(|| {
        let catalog = catalog_of(folders);
        let read = || -> Result<_, ScenarioError> {
            let scenario = ScenarioText::read_from(file, text.as_bytes())?.with(&[])?;
            let experiment = Experiment::prepare(&scenario, &catalog)?;
            Ok(hidden_policies(&scenario, &catalog).into_iter().chain(experiment.warnings().iter().cloned()).collect())
        };
        read().map_err(|error| match error {
            // These name their file themselves.
            ScenarioError::File { .. } | ScenarioError::Override { .. } => error.to_string(),
            error if is_there => format!("{file}: {error}"),
            error => error.without_position().to_string(),
        })
    });
    checked.map_err(wrong)
}

/// A scenario as it stands in another folder: relative paths in it become absolute.
#[pyfunction]
pub fn with_absolute_paths(text: &str, folder: PathBuf) -> PyResult<String> {
    let mut scenario: Value = serde_json::from_str(text).map_err(wrong)?;
    let mut problem = None;
    change_paths(&mut scenario, |path| match std::path::absolute(folder.join(&*path)) {
        Ok(absolute) => match absolute.to_str() {
            Some(absolute) => *path = absolute.to_owned(),
            None => problem = Some(format!("a path that begins in {} is not UTF-8 text", folder.display())),
        },
        Err(error) => problem = Some(format!("{path}: {error}")),
    });
    problem.map_or_else(|| Ok(scenario.to_string()), |problem| Err(wrong(problem)))
}
