//! An instance of a policy in Python, and how it is called.

use hearth_policy_api::boundary::fail;
use hearth_policy_api::{ClusterView, ContainerEvent, PolicyContext, PolicyKind, TaskView, WorkflowView};
use hearth_serverless::experiment::never_free;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::Kind;
use super::cluster::{Cluster, references};
use super::context::Context;
use super::records::{Change, seconds};
use super::session::{Made, Session};

/// A method of an instance, if its class has one of its own.
pub type Method = Option<Py<PyAny>>;

/// An instance of a policy in Python.
pub struct Instance {
    pub object: Py<PyAny>,
    pub session: Session,
    /// The class that says what there is to override.
    base: Py<PyAny>,
    cluster: Py<Cluster>,
    context: Py<Context>,
}

/// Why a call does not begin.
const INTERRUPTED: &str = "was interrupted";

/// What is said to who keeps an array.
#[cold]
fn keeps(name: &str) -> PyErr {
    never_free();
    PyRuntimeError::new_err(format!(
        "the policy keeps cluster.{name}, an array over memory of the simulator that is there during the call alone: keep a copy, \
         cluster.{name}.copy()"
    ))
}

impl Instance {
    /// An instance for a slot: a new one of a class, or a copy. In slots other than those of eviction one of the same service serves that is
    /// there already.
    pub fn make(
        py: Python<'_>,
        prototype: &Py<PyAny>,
        session: &Session,
        shared: &mut Vec<(usize, Py<PyAny>)>,
        kind: Kind,
        context: &PolicyContext,
    ) -> PyResult<Self> {
        let package = py.import("hearth.policy")?;
        let base = package.getattr(format!("{kind:?}"))?.unbind();
        let cluster = Py::new(py, Cluster::new(py, session.is_of_check())?)?;
        let address = prototype.as_ptr() as usize;
        let is_alone = context.slot.kind() == PolicyKind::Eviction;
        let there = shared.iter().find(|(of, _)| *of == address && !is_alone);
        let there = there.map(|(_, object)| object.clone_ref(py));
        let context = Py::new(py, Context::new(context))?;
        let object = match there {
            Some(object) => object,
            None => {
                let object = package.call_method1("_instance", (prototype,))?.unbind();
                object.call_method1(py, "setup", (&context,))?;
                if !is_alone {
                    shared.push((address, object.clone_ref(py)));
                }
                object
            }
        };
        session.add(Made {
            slot: context.get().of_slot(),
            node: context.get().of_node(),
            object: object.clone_ref(py),
        });
        Ok(Self { object, session: session.clone(), base, cluster, context })
    }

    /// A method that its class has of its own.
    pub fn method(&self, py: Python<'_>, name: &str) -> PyResult<Method> {
        let object = self.object.bind(py);
        let (own, inherited) = (object.get_type().getattr(name)?, self.base.bind(py).getattr(name)?);
        if own.is(&inherited) { Ok(None) } else { object.getattr(name).map(|method| Some(method.unbind())) }
    }

    /// A rule, which is an attribute of its class.
    pub fn rule<T>(&self, py: Python<'_>, name: &str) -> PyResult<T>
    where
        T: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr>,
    {
        self.object.bind(py).getattr(name)?.extract()
    }

    /// Does something with the interpreter; what is raised ends the call.
    pub fn with<T>(&self, work: impl FnOnce(Python<'_>) -> PyResult<T>) -> T {
        if self.session.is_interrupted() {
            fail(INTERRUPTED);
        }
        match Python::attach(work) {
            Ok(value) => value,
            Err(error) => fail(self.session.raise(error)),
        }
    }

    /// Does something with the interpreter and the cluster, which is shown meanwhile.
    pub fn with_cluster<T>(
        &mut self,
        view: &ClusterView<'_>,
        work: impl FnOnce(Python<'_>, &Py<Cluster>) -> PyResult<T>,
    ) -> T {
        let before = Python::attach(|_| references(self.cluster.as_any()));
        self.with_cluster_held(view, before, work)
    }

    /// The same, where the cluster is referred to so often afterwards if nobody keeps it.
    pub fn with_cluster_held<T>(
        &mut self,
        view: &ClusterView<'_>,
        held: isize,
        work: impl FnOnce(Python<'_>, &Py<Cluster>) -> PyResult<T>,
    ) -> T {
        if self.session.is_interrupted() {
            fail(INTERRUPTED);
        }
        let answer = Python::attach(|py| {
            self.cluster.get().open(view);
            let answer = work(py, &self.cluster);
            let kept = self.cluster.get().close();
            // Who keeps the cluster of this call does not see that of the next one.
            if kept.is_set || references(self.cluster.as_any()) > held {
                self.cluster = Py::new(py, Cluster::new(py, self.session.is_of_check())?)?;
            }
            let answer = answer?;
            kept.array.map_or(Ok(answer), |name| Err(keeps(name)))
        });
        match answer {
            Ok(answer) => answer,
            Err(error) => fail(self.session.raise(error)),
        }
    }

    /// Calls `on_timer`.
    pub fn on_timer(&mut self, method: &Method, timer: u64, view: &ClusterView<'_>) {
        if let Some(method) = method {
            self.with_cluster(view, |py, cluster| method.call1(py, (timer, cluster)).map(drop));
        }
    }

    /// Calls `on_container`.
    pub fn on_container(&self, method: &Method, event: &ContainerEvent) {
        if let Some(method) = method {
            self.with(|py| method.call1(py, (Change(*event),)).map(drop));
        }
    }

    /// Calls `on_workflow`, with a dictionary.
    pub fn on_workflow(&self, method: &Method, workflow: &WorkflowView<'_>) {
        if let Some(method) = method {
            self.with(|py| method.call1(py, (workflow_of(py, workflow)?,)).map(drop));
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // What it may call belongs to this thread.
        Python::try_attach(|_| self.context.get().close());
    }
}

fn workflow_of<'py>(py: Python<'py>, workflow: &WorkflowView<'_>) -> PyResult<Bound<'py, PyDict>> {
    let task = |task: &TaskView<'_>| {
        let dict = PyDict::new(py);
        dict.set_item("function", task.function)?;
        dict.set_item("instances", task.instances)?;
        dict.set_item("after", task.after.as_slice())?;
        dict.set_item("followers", task.followers.as_slice())?;
        Ok::<_, PyErr>(dict)
    };
    let dict = PyDict::new(py);
    dict.set_item("workflow", workflow.workflow)?;
    dict.set_item("deadline", (workflow.deadline != u64::MAX).then(|| seconds(workflow.deadline)))?;
    dict.set_item("tasks", workflow.tasks.iter().map(task).collect::<PyResult<Vec<_>>>()?)?;
    Ok(dict)
}
