//! Node allocation by an object of Python.

use hearth_policy_api::{
    AllocationRules, ClusterView, Commitment, ContainerEvent, CopyView, DelayedStart, End, LinkView, NONE,
    NodeAllocation, NodeView, Placement, QueueView, RequestView, Shed, WorkflowView,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::answers::{Reject, placement, unfit};
use super::cluster::Nodes;
use super::instance::{Instance, Method};
use super::prepared::{OF_CLUSTER, Prepared};
use super::records::{AttemptEnd, Delayed, Node, Request, seconds};

/// A link of the network: a copy, which may be kept.
#[pyclass(frozen, module = "hearth._hearth", get_all, name = "Link")]
pub struct LinkState {
    link: u32,
    share: f64,
    nodes: Vec<u32>,
}

/// The queue, for who may reject those who wait: a copy, which may be kept.
#[pyclass(frozen, module = "hearth._hearth", get_all, name = "WaitingQueue")]
pub struct WaitingQueue {
    now: f64,
    waiting: u64,
    heads: Vec<Py<Request>>,
    lengths: Vec<u64>,
    free_core: Py<Nodes>,
}

/// An image that is to be copied: a copy, which may be kept.
#[pyclass(frozen, module = "hearth._hearth", get_all, name = "Copy")]
pub struct Copying {
    image: u32,
    now: f64,
    bytes: u64,
    node: u32,
    is_on_head: bool,
    sending_of_head: u32,
    holders: Vec<u32>,
    sending: Vec<u32>,
}

/// The methods that node allocation has in any form.
pub struct Ears {
    observe: Method,
    observe_link: Method,
    on_end: Method,
    on_timer: Method,
    on_container: Method,
    on_workflow: Method,
    source: Method,
}

impl Ears {
    pub fn of(instance: &Instance) -> Self {
        instance.with(|py| {
            let method = |name| instance.method(py, name);
            Ok(Self {
                observe: method("observe")?,
                observe_link: method("observe_link")?,
                on_end: method("on_end")?,
                on_timer: method("on_timer")?,
                on_container: method("on_container")?,
                on_workflow: method("on_workflow")?,
                source: method("source")?,
            })
        })
    }

    /// The rules that follow from which methods there are, and from attributes.
    pub fn rules(&self, instance: &Instance) -> AllocationRules {
        instance.with(|py| {
            let commitment: String = instance.rule(py, "commitment")?;
            let commitment = match commitment.as_str() {
                "until_started" => Commitment::UntilStarted,
                "per_round" => Commitment::PerRound,
                other => {
                    let problem = format!("commitment: expected \"until_started\" or \"per_round\", found {other:?}");
                    return Err(PyValueError::new_err(problem));
                }
            };
            Ok(AllocationRules {
                commitment,
                observes: self.observe.is_some() || self.observe_link.is_some(),
                observes_ends: self.on_end.is_some(),
                observes_containers: self.on_container.is_some(),
                sees_workflows: self.on_workflow.is_some(),
                chooses_sources: self.source.is_some(),
                sees_history: instance.rule(py, "sees_history")?,
                ..AllocationRules::default()
            })
        })
    }

    pub fn observe(&self, instance: &Instance, node: u32, view: &NodeView, up: bool) {
        if let Some(method) = &self.observe {
            instance.with(|py| method.call1(py, (node, Node(*view), up)).map(drop));
        }
    }

    pub fn observe_link(&self, instance: &Instance, link: &LinkView<'_>) {
        if let Some(method) = &self.observe_link {
            let state = LinkState { link: link.link, share: link.share, nodes: link.nodes.iter().collect() };
            instance.with(|py| method.call1(py, (state,)).map(drop));
        }
    }

    pub fn on_end(&self, instance: &Instance, end: &End) {
        if let Some(method) = &self.on_end {
            instance.with(|py| method.call1(py, (AttemptEnd(*end),)).map(drop));
        }
    }

    pub fn on_timer(&self, instance: &mut Instance, timer: u64, view: &ClusterView<'_>) {
        instance.on_timer(&self.on_timer, timer, view);
    }

    pub fn on_container(&self, instance: &Instance, event: &ContainerEvent) {
        instance.on_container(&self.on_container, event);
    }

    pub fn on_workflow(&self, instance: &Instance, workflow: &WorkflowView<'_>) {
        instance.on_workflow(&self.on_workflow, workflow);
    }

    pub fn source(&self, instance: &Instance, copy: &CopyView<'_>) -> u32 {
        let Some(method) = &self.source else { return NONE };
        let copying = Copying {
            image: copy.image,
            now: seconds(copy.now),
            bytes: copy.bytes,
            node: copy.node,
            is_on_head: copy.is_on_head != 0,
            sending_of_head: copy.sending_of_head,
            holders: copy.holders.iter().collect(),
            sending: copy.sending.as_slice().to_vec(),
        };
        instance.with(|py| {
            let answer = method.call1(py, (copying,))?.into_bound(py);
            if answer.is_none() {
                return Ok(NONE);
            }
            answer.extract().map_err(|_| unfit(&answer, "source", "the number of a node, or None for the head"))
        })
    }
}

/// Node allocation by an object of Python, one request after the other.
pub struct Policy {
    instance: Instance,
    place: Prepared,
    rank: Method,
    shed: Method,
    on_delayed_start: Method,
    ears: Ears,
}

impl Policy {
    pub fn new(instance: Instance) -> Self {
        let ears = Ears::of(&instance);
        let (place, rank, shed, on_delayed_start) = instance.with(|py| {
            let method = |name| instance.method(py, name);
            let place = Prepared::new(py, &instance.object, "place")?;
            Ok((place, method("rank")?, method("shed")?, method("on_delayed_start")?))
        });
        Self { instance, place, rank, shed, on_delayed_start, ears }
    }
}

impl NodeAllocation for Policy {
    fn rules(&self) -> AllocationRules {
        let rules = self.ears.rules(&self.instance);
        self.instance.with(|py| {
            Ok(AllocationRules {
                observes_ends: rules.observes_ends || self.on_delayed_start.is_some(),
                ranks: self.rank.is_some(),
                sheds: self.shed.is_some(),
                answers_hold: self.instance.rule(py, "answers_hold")?,
                hedges: self.instance.rule(py, "hedges")?,
                queues: self.instance.rule(py, "queues")?,
                ..rules
            })
        })
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let (place, request) = (&mut self.place, Request(*request));
        let place = |py: Python<'_>, cluster: &_| placement(&place.call(py, request, cluster)?);
        self.instance.with_cluster_held(cluster, OF_CLUSTER, place)
    }

    fn shed(&mut self, queue: &QueueView<'_>) -> Option<Shed> {
        let method = self.shed.as_ref()?;
        self.instance.with(|py| {
            let heads = queue.heads.iter().map(|head| Py::new(py, Request(*head))).collect::<PyResult<_>>()?;
            let shown = WaitingQueue {
                now: seconds(queue.now),
                waiting: queue.waiting,
                heads,
                lengths: queue.lengths.as_slice().to_vec(),
                free_core: Py::new(py, Nodes::copied(&queue.free_core, queue.nodes.len()))?,
            };
            let answer = method.call1(py, (shown,))?.into_bound(py);
            if answer.is_none() {
                return Ok(None);
            }
            if let Ok(head) = answer.extract::<u32>() {
                return Ok(Some(Shed { head, reason: "rejected".to_owned() }));
            }
            match answer.extract::<(u32, Py<Reject>)>() {
                Ok((head, reject)) => Ok(Some(Shed { head, reason: reject.get().reason().to_owned() })),
                Err(_) => {
                    let expected = "the place of one of queue.heads, alone or with a hearth.Reject, or None";
                    Err(unfit(&answer, "shed", expected))
                }
            }
        })
    }

    fn rank(&mut self, request: &RequestView, now: u64) -> u64 {
        let Some(method) = &self.rank else { return 0 };
        self.instance.with(|py| {
            let answer = method.call1(py, (Request(*request), seconds(now)))?.into_bound(py);
            answer.extract().map_err(|_| unfit(&answer, "rank", "a whole number from 0 on"))
        })
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

    fn on_delayed_start(&mut self, start: &DelayedStart) {
        if let Some(method) = &self.on_delayed_start {
            self.instance.with(|py| method.call1(py, (Delayed(*start),)).map(drop));
        }
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
