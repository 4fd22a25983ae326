//! A scenario, and what is set in it, as Python gives it.

use std::path::{Path, PathBuf};

use hearth_plugins::BUILT_IN;
use hearth_serverless::experiment::{Experiment, hidden_policies};
use hearth_serverless::policy::{Catalog, Libraries, OwnPolicies};
use hearth_serverless::scenario::{Override, Scenario, ScenarioError, ScenarioText};
use hearth_sim::policy_overrides;
use pyo3::prelude::*;

use crate::error::wrong;

/// Something that is set in a scenario: a policy as the command takes it, if the first is true, or `path=value`.
pub type Setting = (bool, String);

/// What settings stand for.
///
/// # Errors
/// When one is wrong.
pub fn overrides_of(settings: &[Setting]) -> PyResult<Vec<Override>> {
    let mut overrides = Vec::new();
    for (is_policy, text) in settings {
        if *is_policy {
            overrides.extend(policy_overrides(text).map_err(wrong)?);
        } else {
            overrides.push(text.parse().map_err(|error: ScenarioError| wrong(error))?);
        }
    }
    Ok(overrides)
}

/// A scenario, and what is set in it.
#[pyclass(frozen, module = "hearth._hearth")]
#[derive(Clone)]
pub struct Source {
    text: ScenarioText,
    /// The file, if there is one.
    file: Option<PathBuf>,
    overrides: Vec<Override>,
}

#[pymethods]
impl Source {
    /// The scenario of a file, or a text. Relative paths start from `base`; without it, from the folder of the file.
    #[new]
    #[pyo3(signature = (path=None, text=None, base=None, settings=Vec::new()))]
    fn new(
        path: Option<PathBuf>,
        text: Option<String>,
        base: Option<PathBuf>,
        settings: Vec<Setting>,
    ) -> PyResult<Self> {
        let file = path.clone().unwrap_or_else(|| PathBuf::from("scenario.json"));
        let name = match (&base, file.file_name()) {
            (Some(base), Some(file)) => base.join(file),
            _ => file,
        };
        let text = match text {
            Some(text) => ScenarioText::read_from(&name.to_string_lossy(), text.as_bytes()),
            None => ScenarioText::read(&name),
        };
        Ok(Self { text: text.map_err(wrong)?, file: path, overrides: overrides_of(&settings)? })
    }

    /// The text of the scenario, without what is set in it.
    #[getter]
    fn text(&self) -> &str {
        self.text.as_str()
    }

    /// The file, if there is one.
    #[getter]
    fn path(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The folder that relative paths start from.
    #[getter]
    fn base(&self) -> &Path {
        self.text.base()
    }

    /// The scenario as JSON, with what is set in it, and with the platform that it is written over.
    fn resolved(&self) -> PyResult<String> {
        self.text.resolved(&self.overrides).map(|value| value.to_string()).map_err(|error| self.wrong(error))
    }
}

impl Source {
    /// The text of the scenario.
    pub fn scenario_text(&self) -> &ScenarioText {
        &self.text
    }

    /// What is set in it.
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// What messages call it.
    pub fn name(&self) -> PathBuf {
        self.file.clone().unwrap_or_else(|| PathBuf::from("the scenario"))
    }

    /// An error in it, with its file.
    pub fn wrong(&self, error: ScenarioError) -> PyErr {
        match (&self.file, error) {
            (Some(file), error) if !matches!(error, ScenarioError::File { .. } | ScenarioError::Override { .. }) => {
                wrong(format!("{}: {error}", file.display()))
            }
            (Some(_), error) => wrong(error),
            (None, error) => wrong(error.without_position()),
        }
    }

    /// Gets a run ready; gives what is right, but likely not meant.
    ///
    /// # Errors
    /// When something is wrong with it.
    pub fn prepare(&self, catalog: &Catalog) -> PyResult<(Scenario, Experiment, Vec<String>)> {
        let scenario = self.text.with(&self.overrides).map_err(|error| self.wrong(error))?;
        let experiment = Experiment::prepare(&scenario, catalog).map_err(|error| self.wrong(error))?;
        let warnings = hidden_policies(&scenario, catalog);
        let warnings = warnings.into_iter().chain(experiment.warnings().iter().cloned()).collect();
        Ok((scenario, experiment, warnings))
    }
}

/// The policies that are built in, those of Python, and whatever libraries scenarios name; these are read from copies, where there are
/// some.
pub fn catalog(own: OwnPolicies, copies: &[(PathBuf, PathBuf)]) -> Catalog {
    let libraries = Libraries::default().with_copies(copies.iter().cloned().collect());
    Catalog::new(BUILT_IN).with_own(own).with_libraries(libraries)
}
