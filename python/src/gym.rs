//! Environments for learning: `hearth.gym` calls these.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use hearth_learning::{AutoscalingTask, Batch, EpisodeEnd, Fleet, KeepAliveTask, LearningError, Task};
use hearth_policy_toolbox::Shape;
use hearth_serverless::scenario::Scenario;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyDict};

use crate::error::{HearthError, SimulationError, wrong};

fn raised(error: LearningError) -> PyErr {
    match error {
        LearningError::Simulation(_) => SimulationError::new_err(error.to_string()),
        LearningError::NotUnderWay | LearningError::ThreadEnded => HearthError::new_err(error.to_string()),
        _ => wrong(error),
    }
}

/// A scenario of a file, or of its text, or the one that is given away.
fn scenario(path: Option<PathBuf>, text: Option<&str>, default: fn() -> Scenario) -> PyResult<Scenario> {
    match (path, text) {
        (Some(path), _) => Scenario::read(&path, &[]).map_err(wrong),
        (None, Some(text)) => Scenario::from_json(text).map_err(wrong),
        (None, None) => Ok(default()),
    }
}

/// What is to be seen of environments: observations, rewards and ends as the bytes of arrays, and what came of those that ended.
type Seen<'py> =
    (Bound<'py, PyByteArray>, Bound<'py, PyByteArray>, Bound<'py, PyByteArray>, Vec<(usize, Bound<'py, PyDict>)>);

/// Environments that go step by step together, on threads of their own.
#[pyclass(frozen, module = "hearth._hearth")]
pub struct Environments {
    /// `None` once it is closed.
    state: Mutex<Option<State>>,
    task: Task,
    /// A child that was forked has none of the threads.
    process: u32,
}

struct State {
    fleet: Fleet,
    /// The seed of the next episode of each; `None` where the next is begun from outside.
    next: Option<Vec<u64>>,
}

impl Drop for Environments {
    fn drop(&mut self) {
        if std::process::id() != self.process {
            // Whoever waits for the end of a thread that is not there waits for ever.
            std::mem::forget(self.state.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

impl Environments {
    fn of(task: Task, environments: usize, threads: usize) -> PyResult<Self> {
        let [environments, threads] = [("num_envs", environments), ("threads", threads)].map(|(name, number)| {
            NonZeroUsize::new(number).ok_or_else(|| wrong(format!("{name} is 0: expected at least 1")))
        });
        let fleet = Fleet::new(&task, environments?, threads?).map_err(raised)?;
        Ok(Self { state: Mutex::new(Some(State { fleet, next: None })), task, process: std::process::id() })
    }

    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut State) -> PyResult<T> + Send) -> PyResult<T> {
        if std::process::id() != self.process {
            let problem = "the environments were made in another process: make them in the one that steps them";
            return Err(HearthError::new_err(problem));
        }
        py.detach(|| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            work(state.as_mut().ok_or_else(|| HearthError::new_err("the environments are closed: make new ones"))?)
        })
    }

    fn end<'py>(&self, py: Python<'py>, end: &EpisodeEnd) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("scenario_seed", end.seed)?;
        dict.set_item("decisions", end.decisions)?;
        dict.set_item("total_reward", end.reward)?;
        for (name, cost) in self.task.costs().into_iter().zip(end.costs) {
            dict.set_item(name, cost)?;
        }
        dict.set_item("invocations", end.invocations)?;
        dict.set_item("cold_starts", end.cold_starts)?;
        Ok(dict)
    }

    fn seen<'py>(&self, py: Python<'py>, batch: &Batch) -> PyResult<Seen<'py>> {
        let observations: Vec<u8> = batch.observations.iter().flat_map(|number| number.to_ne_bytes()).collect();
        let rewards: Vec<u8> = batch.rewards.iter().flat_map(|number| number.to_ne_bytes()).collect();
        let terminated: Vec<u8> = batch.terminated.iter().map(|ended| u8::from(*ended)).collect();
        let ends = batch.ends.iter().map(|(number, end)| Ok((*number, self.end(py, end)?))).collect::<PyResult<_>>()?;
        let [observations, rewards, terminated] =
            [observations, rewards, terminated].map(|bytes| PyByteArray::new(py, &bytes));
        Ok((observations, rewards, terminated, ends))
    }
}

#[pymethods]
impl Environments {
    /// To decide how long idle containers are kept.
    #[staticmethod]
    #[pyo3(signature = (path, text, keep_for_s, cold_start_weight, idle_memory_weight, num_envs, threads))]
    fn keep_alive(
        path: Option<PathBuf>,
        text: Option<&str>,
        keep_for_s: Vec<f64>,
        cold_start_weight: f64,
        idle_memory_weight: f64,
        num_envs: usize,
        threads: usize,
    ) -> PyResult<Self> {
        let settings = KeepAliveTask { keep_for_s, cold_start_weight, idle_memory_weight };
        let task = Task::keep_alive(scenario(path, text, Task::default_keep_alive)?, settings);
        Self::of(task.map_err(raised)?, num_envs, threads)
    }

    /// To decide how many instances functions have.
    #[staticmethod]
    #[pyo3(signature = (path, text, changes, waiting_weight, instance_weight, period_s, num_envs, threads))]
    #[expect(clippy::too_many_arguments, reason = "each has a name in Python")]
    fn autoscaling(
        path: Option<PathBuf>,
        text: Option<&str>,
        changes: Vec<i64>,
        waiting_weight: f64,
        instance_weight: f64,
        period_s: f64,
        num_envs: usize,
        threads: usize,
    ) -> PyResult<Self> {
        let settings = AutoscalingTask { changes, waiting_weight, instance_weight, period_s };
        let task = Task::autoscaling(scenario(path, text, Task::default_autoscaling)?, settings);
        Self::of(task.map_err(raised)?, num_envs, threads)
    }

    /// What observations are made of.
    #[getter]
    fn features(&self) -> Vec<&'static str> {
        self.task.features().to_vec()
    }

    /// Begins episodes, in the environment of a number with a seed. With seeds for all in `next`, the next episode of each begins by itself.
    fn begin<'py>(&self, py: Python<'py>, seeds: Vec<(usize, u64)>, next: Option<Vec<u64>>) -> PyResult<Seen<'py>> {
        let batch = self.with(py, |state| {
            state.next = next;
            state.fleet.begin(&seeds).map_err(raised)
        })?;
        self.seen(py, &batch)
    }

    /// Says with which seed the next episode of an environment begins.
    fn set_next(&self, py: Python<'_>, number: usize, seed: u64) -> PyResult<()> {
        self.with(py, |state| {
            if let Some(next) = state.next.as_mut().and_then(|next| next.get_mut(number)) {
                *next = seed;
            }
            Ok(())
        })
    }

    /// Decides in all environments: actions are the bytes of an array of 64 bits each.
    fn step<'py>(&self, py: Python<'py>, actions: &[u8]) -> PyResult<Seen<'py>> {
        let number = self.task.actions();
        let (words, _) = actions.as_chunks();
        let actions = words.iter().map(|bytes| {
            let action = i64::from_ne_bytes(*bytes);
            let position = usize::try_from(action).ok().filter(|action| *action < number);
            position.ok_or(LearningError::Action { action, actions: number })
        });
        let actions = actions.collect::<Result<Vec<usize>, _>>().map_err(raised)?;
        let batch = self.with(py, |State { fleet, next }| fleet.step(&actions, next.as_deref()).map_err(raised))?;
        self.seen(py, &batch)
    }

    /// The text of `summary.json` of the episode that has ended in an environment.
    fn summary(&self, py: Python<'_>, number: usize) -> PyResult<Option<String>> {
        let summary = self.with(py, |state| state.fleet.summary(number).map_err(raised))?;
        let text = summary.map(|summary| serde_json::to_string(&summary));
        text.transpose().map_err(|error| HearthError::new_err(error.to_string()))
    }

    /// Ends all simulations and threads.
    fn close(&self, py: Python<'_>) {
        if std::process::id() == self.process {
            py.detach(|| self.state.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

/// A network from a file, as the policy `learned` computes it.
#[pyclass(module = "hearth._hearth")]
pub struct Network(hearth_policy_toolbox::Network);

#[pymethods]
impl Network {
    #[new]
    fn new(path: &str, decides: &str, features: Vec<String>) -> PyResult<Self> {
        let features: Vec<&str> = features.iter().map(String::as_str).collect();
        let shape = Shape { decides, features: &features };
        hearth_policy_toolbox::Network::read(path, &shape).map(Self).map_err(wrong)
    }

    /// What comes out of the last layer for the bytes of an observation.
    fn outputs(&mut self, observation: &[u8]) -> Vec<f64> {
        let (words, _) = observation.as_chunks();
        let observation: Vec<f32> = words.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect();
        self.0.outputs(&observation).to_vec()
    }
}

/// The texts of the scenarios that are given away: of keep-alive, and of autoscaling.
#[pyfunction]
pub fn learning_scenarios() -> (&'static str, &'static str) {
    (Task::keep_alive_text(), Task::autoscaling_text())
}
