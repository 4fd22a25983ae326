//! Many runs of one scenario, here or by whoever does them.

use std::num::NonZeroUsize;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use hearth_sim::in_memory::{self, AxisSpec, Control, OwnPolicyMaker, Shown, SweepOutcome, SweepSpec};
use pyo3::prelude::*;

use crate::error::{HearthError, wrong};
use crate::policy::{Given, Session, own_policies};
use crate::run::AGAIN;
use crate::source::{Setting, Source, overrides_of};
use crate::table::Columns;

/// How often Ctrl-C is looked for.
const PAUSE: Duration = Duration::from_millis(50);

/// The summary of a run, or why it failed; nothing if it did not run.
type Summary = Option<(bool, String)>;

/// A run: its key, its values by the names of what varies, and its seed.
type RunOf = (String, Vec<(String, String)>, u64);

/// Many runs of one scenario.
#[pyclass(frozen, module = "hearth._hearth")]
pub struct Sweep {
    sweep: in_memory::Sweep,
    session: Session,
}

/// Something that varies: its name, and by label what each value sets.
type Axis = (String, Vec<(String, Vec<Setting>)>);

#[pymethods]
impl Sweep {
    /// Reads the scenario with every combination of values.
    #[new]
    fn new(
        py: Python<'_>,
        source: &Source,
        policies: Vec<Given>,
        axes: Vec<Axis>,
        seeds: Vec<u64>,
        baseline: Option<String>,
    ) -> PyResult<Self> {
        let value = |(label, settings): (String, Vec<Setting>)| Ok::<_, PyErr>((label, overrides_of(&settings)?));
        let axis = |(name, values): Axis| {
            Ok::<_, PyErr>(AxisSpec { name, values: values.into_iter().map(value).collect::<PyResult<_>>()? })
        };
        let axes = axes.into_iter().map(axis).collect::<PyResult<_>>()?;
        let session = Session::default();
        let of_threads = session.clone();
        let own = OwnPolicyMaker::new(move || own_policies(&policies, &of_threads));
        let spec = SweepSpec {
            name: source.name(),
            text: source.scenario_text().clone(),
            overrides: source.overrides().to_vec(),
            axes,
            seeds,
            baseline,
            own,
            // A call that does not come back would end the interpreter; Ctrl-C ends it.
            policy_timeout_s: 0.0,
        };
        let sweep = py.detach(|| in_memory::Sweep::new(spec));
        let sweep = sweep.map_err(|error| session.as_cause_of(wrong(error)))?;
        Ok(Self { sweep, session })
    }

    /// What is right, but likely not meant.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.sweep.warnings().to_vec()
    }

    /// By run: its key, its values by the names of what varies, and its seed.
    fn runs(&self) -> Vec<RunOf> {
        self.sweep.runs().map(|run| (run.key, run.settings, run.seed)).collect()
    }

    /// What is set in the scenario for a run.
    fn assignments(&self, run: usize) -> PyResult<Vec<String>> {
        self.sweep.assignments(run).map_err(wrong)
    }

    /// What runs read: paths and SHA-256.
    fn inputs(&self) -> Vec<(std::path::PathBuf, String)> {
        self.sweep.inputs().map(|(path, hash)| (path.clone(), hash.clone())).collect()
    }

    /// Whether what runs read is a library of policies.
    fn is_library(&self, path: std::path::PathBuf) -> bool {
        self.sweep.is_library(&path)
    }

    /// Does all runs on so many threads, or one for each core. `progress` is called with how many have ended, and how much of others is
    /// done.
    #[pyo3(signature = (threads=None, progress=None))]
    fn run(
        &self,
        py: Python<'_>,
        threads: Option<NonZeroUsize>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<Summary>> {
        let control = Control::default();
        let (say, said) = mpsc::channel();
        let outcome = thread::scope(|scope| {
            let (sweep, worker) = (&self.sweep, &control);
            let simulate = move || {
                let looks = say.clone();
                let look = move |ended, under_way| drop(looks.send(Ok((ended, under_way))));
                let _ = say.send(Err(Box::new(sweep.run(threads, worker, look))));
            };
            thread::Builder::new().name("hearth".to_owned()).spawn_scoped(scope, simulate)?;
            let said = std::sync::Mutex::new(said);
            let mut interrupt = None;
            let mut stopped = Instant::now();
            loop {
                let next =
                    py.detach(|| said.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv_timeout(PAUSE));
                let shown = match next {
                    Ok(Ok((ended, under_way))) => {
                        progress.as_ref().map_or(Ok(()), |progress| progress.call1(py, (ended, under_way)).map(drop))
                    }
                    Ok(Err(outcome)) => break interrupt.map_or(Ok(*outcome), Err),
                    Err(RecvTimeoutError::Timeout) => Ok(()),
                    Err(RecvTimeoutError::Disconnected) => {
                        let problem = "a simulation has ended in a panic, which is told above: please report it";
                        break Err(HearthError::new_err(problem));
                    }
                };
                let looked = py.check_signals().and(shown);
                let is_interrupted = looked.is_err();
                if let Err(error) = looked {
                    interrupt.get_or_insert(error);
                }
                if is_interrupted || interrupt.is_some() && stopped.elapsed() > AGAIN {
                    stopped = Instant::now();
                    control.stop();
                    self.session.interrupt(py);
                }
            }
        })?;
        let outcomes = outcome.map_err(|error| self.session.as_cause_of(wrong(error)))?;
        Ok(outcomes.into_iter().map(summary_of).collect())
    }

    /// The exception that was raised first in a policy in Python, which is forgotten.
    fn raised(&self) -> Option<PyErr> {
        self.session.take()
    }

    /// What has come of the runs, whose summaries these are.
    fn outcome(&self, py: Python<'_>, summaries: Vec<Summary>) -> PyResult<Outcome> {
        let summary = |(is_well, text)| if is_well { Ok(text) } else { Err(text) };
        let summaries = summaries.into_iter().map(|run| run.map(summary)).collect();
        py.detach(|| self.sweep.outcome(summaries)).map(Outcome).map_err(wrong)
    }
}

fn summary_of(outcome: Option<Result<String, String>>) -> Summary {
    outcome.map(|run| match run {
        Ok(summary) => (true, summary),
        Err(problem) => (false, problem),
    })
}

/// What has come of a sweep.
#[pyclass(frozen, module = "hearth._hearth", name = "SweepOutcome")]
pub struct Outcome(SweepOutcome);

#[pymethods]
impl Outcome {
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.0.warnings().collect()
    }

    /// The comparison as the command prints it.
    fn text(&self, metrics: Vec<String>) -> PyResult<String> {
        Ok(self.0.text(&Shown::named(&metrics).map_err(wrong)?))
    }

    /// The comparison as the command prints it with `--json`, of all numbers.
    fn json(&self) -> String {
        self.0.to_json().to_string()
    }

    /// One row a run.
    fn runs(&self) -> PyResult<Columns> {
        Columns::new(self.0.runs().map_err(wrong)?)
    }

    /// One row a combination of values and a number.
    fn comparison(&self, metrics: Vec<String>, differences: bool) -> PyResult<Columns> {
        let shown = if metrics.is_empty() { None } else { Some(Shown::named(&metrics).map_err(wrong)?) };
        Columns::new(self.0.comparison(shown.as_ref(), differences).map_err(wrong)?)
    }

    /// All figures: name, title, note and SVG.
    fn pictures(&self, py: Python<'_>) -> PyResult<Vec<(String, String, String, String)>> {
        let pictures = py.detach(|| self.0.pictures()).map_err(wrong)?;
        Ok(pictures.into_iter().map(|picture| (picture.name, picture.title, picture.note, picture.svg)).collect())
    }

    /// What a notebook shows.
    fn html(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.0.html()).map_err(wrong)
    }
}
