//! Node allocation for the whole queue at once by an object of Python.

use hearth_policy_api::{
    AllocationRules, BatchAllocation, BatchView, ClusterView, ContainerEvent, CopyView, End, LinkView, NONE, NodeView,
    PlanItem, WorkflowView,
};
use pyo3::prelude::*;

use super::allocation::Ears;
use super::answers::{Cold, Warm, unfit};
use super::cluster::Nodes;
use super::instance::Instance;
use super::records::{Node, Request, seconds};

/// A function with waiting requests: a copy, which may be kept.
#[pyclass(frozen, module = "hearth._hearth", get_all)]
pub struct WaitingFunction {
    function: u32,
    image: Option<u32>,
    time_limit: f64,
    ram_limit: u64,
    disk_limit: u64,
    idle_containers: Vec<u32>,
    image_in_ram: Py<Nodes>,
    image_loading: Py<Nodes>,
    image_on_disk: Py<Nodes>,
    image_copying: Py<Nodes>,
}

/// The cluster and the whole queue: a copy, which may be kept.
#[pyclass(frozen, module = "hearth._hearth", get_all)]
pub struct Batch {
    now: f64,
    nodes: Vec<Py<Node>>,
    up: Py<Nodes>,
    queue: Vec<Py<Request>>,
    functions: Vec<Py<WaitingFunction>>,
}

impl Batch {
    fn of(py: Python<'_>, batch: &BatchView<'_>) -> PyResult<Self> {
        let count = batch.nodes.len();
        let set = |set| Py::new(py, Nodes::copied(set, count));
        let mut functions = Vec::new();
        for of in batch.functions.iter() {
            let function = WaitingFunction {
                function: of.function,
                image: (of.image != NONE).then_some(of.image),
                time_limit: seconds(of.time_limit),
                ram_limit: of.ram_limit,
                disk_limit: of.disk_limit,
                idle_containers: of.idle_containers.as_slice().to_vec(),
                image_in_ram: set(&of.image_in_ram)?,
                image_loading: set(&of.image_loading)?,
                image_on_disk: set(&of.image_on_disk)?,
                image_copying: set(&of.image_copying)?,
            };
            functions.push(Py::new(py, function)?);
        }
        Ok(Self {
            now: seconds(batch.now),
            nodes: batch.nodes.iter().map(|node| Py::new(py, Node(*node))).collect::<PyResult<_>>()?,
            up: set(&batch.up)?,
            queue: batch.queue.iter().map(|request| Py::new(py, Request(*request))).collect::<PyResult<_>>()?,
            functions,
        })
    }
}

/// A decision, of what a policy has planned: `(request, node)`, with a node, `hearth.Warm` or `hearth.Cold`.
fn item(answer: &Bound<'_, PyAny>) -> PyResult<PlanItem> {
    if let Ok((request, node)) = answer.extract::<(u32, u32)>() {
        return Ok(PlanItem::Run { request, node });
    }
    if let Ok((request, warm)) = answer.extract::<(u32, Py<Warm>)>() {
        let (node, container) = warm.get().place();
        return Ok(PlanItem::RunWarm { request, node, container });
    }
    if let Ok((request, cold)) = answer.extract::<(u32, Py<Cold>)>() {
        return Ok(PlanItem::RunCold { request, node: cold.get().on() });
    }
    match answer.extract::<(String, u32, u32)>() {
        Ok((what, image, node)) if what == "load" => Ok(PlanItem::Load { image, node }),
        Ok((what, image, node)) if what == "copy" => Ok(PlanItem::Copy { image, node }),
        _ => {
            let expected = "pairs of a place in batch.queue and a node, hearth.Warm or hearth.Cold, or (\"load\" or \"copy\", \
                            image, node)";
            Err(unfit(answer, "plan", expected))
        }
    }
}

/// Node allocation for the whole queue at once by an object of Python.
pub struct Policy {
    instance: Instance,
    plan: Py<PyAny>,
    ears: Ears,
}

impl Policy {
    pub fn new(instance: Instance) -> Self {
        let ears = Ears::of(&instance);
        let plan = instance.with(|py| instance.object.getattr(py, "plan"));
        Self { instance, plan, ears }
    }
}

impl BatchAllocation for Policy {
    fn rules(&self) -> AllocationRules {
        self.ears.rules(&self.instance)
    }

    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        self.instance.with(|py| {
            let answer = self.plan.call1(py, (Batch::of(py, batch)?,))?.into_bound(py);
            for planned in answer.try_iter()? {
                plan.push(item(&planned?)?);
            }
            Ok(())
        });
    }

    fn observe(&mut self, node: u32, view: &NodeView, up: bool) {
        self.ears.observe(&self.instance, node, view, up);
    }

    fn observe_link(&mut self, link: &LinkView<'_>) {
        self.ears.observe_link(&self.instance, link);
    }

    fn on_end(&mut self, end: &End) {
        self.ears.on_end(&self.instance, end);
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        self.ears.on_container(&self.instance, event);
    }

    fn source(&mut self, copy: &CopyView<'_>) -> u32 {
        self.ears.source(&self.instance, copy)
    }

    fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        self.ears.on_workflow(&self.instance, workflow);
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.ears.on_timer(&mut self.instance, timer, cluster);
    }
}
