//! Admission by an object of Python.

use hearth_policy_api::{
    Admission, AdmissionDecision, AdmissionRules, AdmissionView, ClusterView, ContainerEvent, End, RequestView,
    WorkflowView,
};
use pyo3::prelude::*;

use super::answers::admission;
use super::instance::{Instance, Method};
use super::records::{AttemptEnd, Request, seconds};

/// How much there is to do at a request: a copy, which may be kept.
#[pyclass(frozen, module = "hearth._hearth", get_all)]
pub struct Load {
    now: f64,
    delays: u32,
    waiting: u64,
    waiting_of_function: u64,
    placed: u64,
    running: u64,
    running_of_function: u64,
    free_cores: u64,
    /// Whether the request need not wait for a core or for room.
    has_place: bool,
}

impl Load {
    fn of(request: &RequestView, view: &AdmissionView<'_>) -> Self {
        Self {
            now: seconds(view.now),
            delays: view.delays,
            waiting: view.waiting,
            waiting_of_function: view.waiting_of_function,
            placed: view.placed,
            running: view.running,
            running_of_function: view.running_of_function,
            free_cores: view.free_cores,
            has_place: view.has_place_for(request),
        }
    }
}

/// Admission by an object of Python.
pub struct Policy {
    instance: Instance,
    admit: Py<PyAny>,
    on_end: Method,
    on_timer: Method,
    on_container: Method,
    on_workflow: Method,
}

impl Policy {
    pub fn new(instance: Instance) -> Self {
        let (admit, on_end, on_timer, on_container, on_workflow) = instance.with(|py| {
            let method = |name| instance.method(py, name);
            let admit = instance.object.getattr(py, "admit")?;
            Ok((admit, method("on_end")?, method("on_timer")?, method("on_container")?, method("on_workflow")?))
        });
        Self { instance, admit, on_end, on_timer, on_container, on_workflow }
    }
}

impl Admission for Policy {
    fn rules(&self) -> AdmissionRules {
        self.instance.with(|py| {
            Ok(AdmissionRules {
                observes_ends: self.on_end.is_some(),
                observes_containers: self.on_container.is_some(),
                sees_workflows: self.on_workflow.is_some(),
                sees_history: self.instance.rule(py, "sees_history")?,
                admits_all: false,
            })
        })
    }

    fn admit(&mut self, request: &RequestView, view: &AdmissionView<'_>) -> AdmissionDecision {
        let (admit, load, request) = (&self.admit, Load::of(request, view), Request(*request));
        self.instance.with_cluster(view.cluster, |py, cluster| {
            let answer = admit.call1(py, (request, load, cluster))?;
            admission(answer.bind(py))
        })
    }

    fn on_end(&mut self, end: &End) {
        if let Some(method) = &self.on_end {
            self.instance.with(|py| method.call1(py, (AttemptEnd(*end),)).map(drop));
        }
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
