//! What policies in Python answer beside numbers and nothing, and how answers are read.

use hearth_policy_api::{AdmissionDecision, LONGEST_DELAY, NONE, NodeList, Placement};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// The request ends as rejected, for this reason.
#[pyclass(frozen, module = "hearth", get_all)]
pub struct Reject {
    reason: String,
}

/// The request runs in the next container of its function that becomes free.
#[pyclass(frozen, module = "hearth", get_all)]
pub struct Busy {
    node: Option<u32>,
    until: f64,
}

/// The request stands in the queues of these nodes.
#[pyclass(frozen, module = "hearth", get_all)]
pub struct Queue {
    nodes: Vec<u32>,
    until: f64,
}

/// The request runs in this idle container of its function.
#[pyclass(frozen, module = "hearth", get_all)]
pub struct Warm {
    node: u32,
    container: u32,
}

/// The request runs in a new container, though there may be an idle one.
#[pyclass(frozen, module = "hearth", get_all)]
pub struct Cold {
    node: u32,
}

/// The request is asked about again after so many seconds.
#[pyclass(frozen, module = "hearth", get_all)]
pub struct Delay {
    seconds: f64,
}

#[pymethods]
impl Reject {
    #[new]
    #[pyo3(signature = (reason="rejected"))]
    fn new(reason: &str) -> Self {
        Self { reason: reason.to_owned() }
    }

    fn __repr__(&self) -> String {
        format!("Reject({:?})", self.reason)
    }
}

impl Reject {
    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl Warm {
    /// The node and the container.
    pub fn place(&self) -> (u32, u32) {
        (self.node, self.container)
    }
}

impl Cold {
    /// The node.
    pub fn on(&self) -> u32 {
        self.node
    }
}

#[pymethods]
impl Busy {
    #[new]
    #[pyo3(signature = (node=None, until=f64::INFINITY))]
    fn new(node: Option<u32>, until: f64) -> Self {
        Self { node, until }
    }

    fn __repr__(&self) -> String {
        format!("Busy(node={:?}, until={})", self.node, self.until)
    }
}

#[pymethods]
impl Queue {
    #[new]
    #[pyo3(signature = (nodes, until=f64::INFINITY))]
    fn new(nodes: &Bound<'_, PyAny>, until: f64) -> PyResult<Self> {
        let nodes = match nodes.extract::<u32>() {
            Ok(node) => vec![node],
            Err(_) => nodes.try_iter()?.map(|node| node?.extract()).collect::<PyResult<_>>()?,
        };
        Ok(Self { nodes, until })
    }

    fn __repr__(&self) -> String {
        format!("Queue({:?}, until={})", self.nodes, self.until)
    }
}

#[pymethods]
impl Warm {
    #[new]
    fn new(node: u32, container: u32) -> Self {
        Self { node, container }
    }

    fn __repr__(&self) -> String {
        format!("Warm({}, {})", self.node, self.container)
    }
}

#[pymethods]
impl Cold {
    #[new]
    fn new(node: u32) -> Self {
        Self { node }
    }

    fn __repr__(&self) -> String {
        format!("Cold({})", self.node)
    }
}

#[pymethods]
impl Delay {
    #[new]
    fn new(seconds: f64) -> Self {
        Self { seconds }
    }

    fn __repr__(&self) -> String {
        format!("Delay({})", self.seconds)
    }
}

/// Seconds as ns; infinity is for ever.
pub fn nanos(seconds: f64, what: &str) -> PyResult<u64> {
    if seconds.is_nan() || seconds < 0.0 {
        let text = format!("{what}: expected seconds from 0 on, or math.inf, found {seconds}");
        return Err(PyValueError::new_err(text));
    }
    let nanos = (seconds * 1e9).round();
    if seconds.is_finite() && nanos >= u64::MAX as f64 {
        let text = format!("{what}: {seconds} s are longer than 584 years, where the clock ends: times are seconds");
        return Err(PyValueError::new_err(text));
    }
    Ok(nanos as u64)
}

/// How long, in ns, of what a policy has answered.
pub fn length(answer: &Bound<'_, PyAny>, method: &str) -> PyResult<u64> {
    match answer.extract::<f64>() {
        Ok(seconds) => nanos(seconds, method),
        Err(_) => Err(unfit(answer, method, "seconds: 0 is not at all, math.inf is for ever")),
    }
}

/// An answer that is nothing that may be answered.
pub fn unfit(answer: &Bound<'_, PyAny>, method: &str, expected: &str) -> PyErr {
    let found = answer.repr().map_or_else(|_| "something".to_owned(), |text| text.to_string());
    PyTypeError::new_err(format!("{method} answered {found}: expected {expected}"))
}

/// A placement, of what a policy has answered.
pub fn placement(answer: &Bound<'_, PyAny>) -> PyResult<Placement> {
    if answer.is_none() {
        return Ok(Placement::Wait);
    }
    if let Ok(node) = answer.extract::<u32>() {
        return Ok(Placement::Node(node));
    }
    if let Ok(reject) = answer.cast::<Reject>() {
        return Ok(Placement::Reject(reject.get().reason.clone()));
    }
    if let Ok(busy) = answer.cast::<Busy>() {
        let Busy { node, until } = busy.get();
        return Ok(Placement::Busy { node: node.unwrap_or(NONE), until: nanos(*until, "until")? });
    }
    if let Ok(queue) = answer.cast::<Queue>() {
        let Queue { nodes, until } = queue.get();
        return Ok(Placement::Queue {
            nodes: nodes.iter().copied().collect::<NodeList>(),
            until: nanos(*until, "until")?,
        });
    }
    if let Ok(warm) = answer.cast::<Warm>() {
        let Warm { node, container } = *warm.get();
        return Ok(Placement::Warm { node, container });
    }
    if let Ok(cold) = answer.cast::<Cold>() {
        return Ok(Placement::Cold { node: cold.get().node });
    }
    Err(unfit(answer, "place", "the number of a node, None, or one of hearth.Warm, Cold, Busy, Queue and Reject"))
}

/// A decision about who is let in, of what a policy has answered.
pub fn admission(answer: &Bound<'_, PyAny>) -> PyResult<AdmissionDecision> {
    if let Ok(is_let_in) = answer.extract::<bool>() {
        return Ok(if is_let_in { AdmissionDecision::Admit } else { AdmissionDecision::Reject("rejected".to_owned()) });
    }
    if let Ok(reject) = answer.cast::<Reject>() {
        return Ok(AdmissionDecision::Reject(reject.get().reason.clone()));
    }
    if let Ok(delay) = answer.cast::<Delay>() {
        return Ok(AdmissionDecision::Delay(nanos(delay.get().seconds, "Delay")?.min(LONGEST_DELAY)));
    }
    Err(unfit(answer, "admit", "True, False, hearth.Reject or hearth.Delay"))
}
