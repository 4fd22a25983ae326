//! What has come of a run, as Python takes it.

use hearth_serverless::results::{HeldTable, RunTable};
use hearth_sim::CommandError;
use hearth_sim::in_memory::RunPictures;
use pyo3::prelude::*;
use serde_json::Value;

use super::simulate::Ended;
use crate::error::{PolicyError, SimulationError, wrong};
use crate::policy::Session;
use crate::table::Columns;

impl Ended {
    /// As Python takes it; as an exception if it stopped before its end.
    pub(super) fn into_run(self, py: Python<'_>, session: &Session) -> PyResult<RunResult> {
        let Self { summary, text, stopped, wall_s, policy_times, interval_s, warnings, tables } = self;
        let hold = |(table, held): (RunTable, HeldTable)| {
            let name = table.file().trim_end_matches(".csv");
            Ok::<_, PyErr>((name, Py::new(py, Columns::new(held.clone())?)?, held))
        };
        let mut pictured = (None, None);
        let mut columns = Vec::new();
        for (name, table, held) in tables.into_iter().map(hold).collect::<PyResult<Vec<_>>>()? {
            match name {
                "distributions" => pictured.0 = Some(held),
                "timeseries" => pictured.1 = Some(held),
                _ => {}
            }
            columns.push((name, table));
        }
        let instances = session.instances(py);
        let run = RunResult { summary, text, warnings, wall_s, policy_times, interval_s, columns, instances, pictured };
        let Some((is_of_policy, why)) = stopped else { return Ok(run) };
        // In the words of the command.
        let text = CommandError::Simulation(why).to_string();
        let error = if is_of_policy { PolicyError::new_err(text) } else { SimulationError::new_err(text) };
        error.value(py).setattr("run", Py::new(py, run)?)?;
        Err(session.as_cause_of(error))
    }
}

/// What has come of a run.
#[pyclass(frozen, module = "hearth._hearth")]
pub struct RunResult {
    /// The summary, as JSON.
    #[pyo3(get)]
    pub(super) summary: String,
    /// What the command prints.
    #[pyo3(get)]
    text: String,
    #[pyo3(get)]
    warnings: Vec<String>,
    /// Seconds of real time.
    #[pyo3(get)]
    wall_s: f64,
    /// By slot: calls and seconds of real time.
    #[pyo3(get)]
    policy_times: Vec<(&'static str, u64, f64)>,
    /// The interval of the time series.
    #[pyo3(get)]
    interval_s: Option<f64>,
    columns: Vec<(&'static str, Py<Columns>)>,
    /// The policies in Python that served: slot, node and object.
    instances: Vec<(&'static str, Option<u32>, Py<PyAny>)>,
    /// What figures are made of: distributions and time series.
    pictured: (Option<HeldTable>, Option<HeldTable>),
}

impl RunResult {
    fn figures(&self) -> PyResult<RunPictures> {
        let summary: Value = serde_json::from_str(&self.summary).map_err(wrong)?;
        let (distributions, series) = &self.pictured;
        let empty = HeldTable::default();
        RunPictures::new(summary, distributions.as_ref().unwrap_or(&empty), series.as_ref()).map_err(wrong)
    }
}

#[pymethods]
impl RunResult {
    /// The table of a name; nothing if the run has none.
    fn table(&self, py: Python<'_>, name: &str) -> Option<Py<Columns>> {
        let is_it = |(of, _): &&(&str, Py<Columns>)| *of == name;
        self.columns.iter().find(is_it).map(|(_, columns)| columns.clone_ref(py))
    }

    /// The policies in Python that served: slot, node and object.
    fn instances(&self, py: Python<'_>) -> Vec<(&'static str, Option<u32>, Py<PyAny>)> {
        self.instances.iter().map(|(slot, node, object)| (*slot, *node, object.clone_ref(py))).collect()
    }

    /// All figures: name, title, note and SVG.
    fn pictures(&self, py: Python<'_>) -> PyResult<Vec<(String, String, String, String)>> {
        py.detach(|| {
            let pictures = self.figures()?.all().map_err(wrong)?;
            Ok(pictures.into_iter().map(|picture| (picture.name, picture.title, picture.note, picture.svg)).collect())
        })
    }

    /// What a notebook shows.
    fn html(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.figures()?.html(&self.text).map_err(wrong))
    }
}
