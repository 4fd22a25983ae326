//! Keep-alive by an object of Python.

use hearth_policy_api::{
    ClusterView, Completion, ContainerEvent, KeepAlive, KeepAliveRules, Prewarming, Retention, WorkflowView,
};
use pyo3::prelude::*;

use super::answers::{length, unfit};
use super::instance::{Instance, Method};
use super::records::{History, seconds};

/// A container that has become idle: a copy, which may be kept.
#[pyclass(frozen, module = "hearth._hearth", get_all, name = "Completion")]
pub struct Idle {
    now: f64,
    function: u32,
    node: u32,
    run_time: f64,
    ram: u64,
    idle_of_function: u32,
    /// What has come of its function so far, where the policy `sees_history`.
    history: Option<Py<History>>,
}

impl Idle {
    fn of(py: Python<'_>, completion: &Completion<'_>) -> PyResult<Self> {
        let history = completion.histories.get(completion.function as usize);
        Ok(Self {
            now: seconds(completion.now),
            function: completion.function,
            node: completion.node,
            run_time: seconds(completion.run_time),
            ram: completion.ram,
            idle_of_function: completion.idle_of_function,
            history: history.map(|history| Py::new(py, History(*history))).transpose()?,
        })
    }
}

#[pymethods]
impl Idle {
    fn __repr__(&self) -> String {
        let Self { now, function, node, run_time, ram, idle_of_function, .. } = self;
        format!(
            "Completion(now={now}, function={function}, node={node}, run_time={run_time}, ram={ram}, \
             idle_of_function={idle_of_function})"
        )
    }
}

/// Keep-alive by an object of Python.
pub struct Policy {
    instance: Instance,
    on_idle: Py<PyAny>,
    on_arrival: Method,
    prewarm: Method,
    on_timer: Method,
    on_container: Method,
    on_workflow: Method,
}

impl Policy {
    pub fn new(instance: Instance) -> Self {
        let (on_idle, [on_arrival, prewarm, on_timer, on_container, on_workflow]) = instance.with(|py| {
            let method = |name| instance.method(py, name);
            let methods = [
                method("on_arrival")?,
                method("prewarm")?,
                method("on_timer")?,
                method("on_container")?,
                method("on_workflow")?,
            ];
            Ok((instance.object.getattr(py, "on_idle")?, methods))
        });
        Self { instance, on_idle, on_arrival, prewarm, on_timer, on_container, on_workflow }
    }
}

impl KeepAlive for Policy {
    fn rules(&self) -> KeepAliveRules {
        self.instance.with(|py| {
            Ok(KeepAliveRules {
                observes_arrivals: self.on_arrival.is_some(),
                sees_history: self.instance.rule(py, "sees_history")?,
                observes_containers: self.on_container.is_some(),
                sees_workflows: self.on_workflow.is_some(),
            })
        })
    }

    fn on_idle(&mut self, completion: &Completion<'_>) -> Retention {
        self.instance.with(|py| {
            let answer = self.on_idle.call1(py, (Idle::of(py, completion)?,))?;
            Ok(Retention { keep_for: length(answer.bind(py), "on_idle")? })
        })
    }

    fn on_arrival(&mut self, function: u32, now: u64) {
        if let Some(method) = &self.on_arrival {
            self.instance.with(|py| method.call1(py, (function, seconds(now))).map(drop));
        }
    }

    fn prewarm(&mut self, completion: &Completion<'_>) -> Prewarming {
        let Some(method) = &self.prewarm else { return Prewarming::NONE };
        self.instance.with(|py| {
            let answer = method.call1(py, (Idle::of(py, completion)?,))?.into_bound(py);
            if answer.is_none() {
                return Ok(Prewarming::NONE);
            }
            let pair = answer.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>();
            let expected = "None, or in how many seconds a container is to be started and for how many it is kept";
            let (after, keep_for) = pair.map_err(|_| unfit(&answer, "prewarm", expected))?;
            Ok(Prewarming { after: length(&after, "prewarm")?, keep_for: length(&keep_for, "prewarm")? })
        })
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        self.instance.on_container(&self.on_container, event);
    }

    fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        self.instance.on_workflow(&self.on_workflow, workflow);
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.instance.on_timer(&self.on_timer, timer, cluster);
    }
}
