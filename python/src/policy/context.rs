//! What an instance of a policy in Python is made for, and what it may call.

// What may be called belongs to one thread.
#![allow(unsafe_code)]

use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use hearth_policy_api::{Actions, LogLevel, NONE, PolicyContext, PolicySlot};
use pyo3::exceptions::{PyReferenceError, PyValueError};
use pyo3::prelude::*;

use super::answers::nanos;

/// What may be called, by the thread that simulates alone.
struct OfThread(Actions, ThreadId);

// SAFETY: it is used and dropped by its thread alone, which each use sees to; on another it is never dropped.
unsafe impl Send for OfThread {}

/// What an instance of a policy is made for, and what it can have done.
#[pyclass(frozen, module = "hearth._hearth")]
pub struct Context {
    slot: PolicySlot,
    seed: u64,
    nodes: u32,
    node: Option<u32>,
    ram: u64,
    disk: u64,
    actions: Mutex<Option<OfThread>>,
}

impl Context {
    pub fn new(context: &PolicyContext) -> Self {
        let PolicyContext { slot, seed, nodes, node, ram, disk, .. } = *context;
        let actions = OfThread(context.actions(), thread::current().id());
        Self { slot, seed, nodes, node: (node != NONE).then_some(node), ram, disk, actions: Mutex::new(Some(actions)) }
    }

    /// The slot that it is made for.
    pub fn of_slot(&self) -> PolicySlot {
        self.slot
    }

    /// The node whose storage it serves.
    pub fn of_node(&self) -> Option<u32> {
        self.node
    }

    /// Nothing can be called any more.
    pub fn close(&self) {
        let actions = self.actions.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(actions) = actions
            && actions.1 != thread::current().id()
        {
            // What belongs to a thread is not dropped on another one.
            std::mem::forget(actions);
        }
    }

    fn have(&self, work: impl FnOnce(&Actions)) -> PyResult<()> {
        let actions = self.actions.lock().unwrap_or_else(PoisonError::into_inner);
        match &*actions {
            Some(OfThread(actions, thread)) if *thread == thread::current().id() => {
                work(actions);
                Ok(())
            }
            _ => Err(PyReferenceError::new_err(
                "a policy can have things done in its calls alone, while its simulation runs",
            )),
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.close();
    }
}

#[pymethods]
impl Context {
    /// What it serves as: `node_allocation`, `eviction.containers`, …
    #[getter]
    fn slot(&self) -> &'static str {
        self.slot.path()
    }

    /// A seed of its own, drawn from that of the simulation: the source of all chance.
    #[getter]
    fn seed(&self) -> u64 {
        self.seed
    }

    /// How many nodes there are.
    #[getter]
    fn nodes(&self) -> u32 {
        self.nodes
    }

    /// The node whose storage it serves, for eviction; None for the head, and for others.
    #[getter]
    fn node(&self) -> Option<u32> {
        self.node
    }

    /// RAM of the storage that it serves, in bytes.
    #[getter]
    fn ram(&self) -> u64 {
        self.ram
    }

    /// Disk of the storage that it serves, in bytes.
    #[getter]
    fn disk(&self) -> u64 {
        self.disk
    }

    /// Has `on_timer` called at a date, in seconds, with this number; math.inf takes it back.
    fn wake_at(&self, timer: u64, date: f64) -> PyResult<()> {
        let date = nanos(date, "wake_at")?;
        self.have(|actions| actions.wake_at(timer, date))
    }

    /// Has containers of a function started, on a node or anywhere, and kept for so many seconds.
    #[pyo3(signature = (function, count=1, *, node=None, keep_for=f64::INFINITY))]
    fn start_containers(&self, function: u32, count: u32, node: Option<u32>, keep_for: f64) -> PyResult<()> {
        let keep_for = nanos(keep_for, "keep_for")?;
        self.have(|actions| actions.start_containers(function, node.unwrap_or(NONE), count, keep_for))
    }

    /// Ends idle containers of a function, on a node or anywhere.
    #[pyo3(signature = (function, count=1, *, node=None))]
    fn end_containers(&self, function: u32, count: u32, node: Option<u32>) -> PyResult<()> {
        self.have(|actions| actions.end_containers(function, node.unwrap_or(NONE), count))
    }

    /// Writes a line into the log of the run.
    fn log(&self, level: &str, text: &str) -> PyResult<()> {
        let level: LogLevel = level.parse().map_err(PyValueError::new_err)?;
        self.have(|actions| actions.log(level, text))
    }

    /// Whether somebody reads what is logged at this level.
    fn logs(&self, level: &str) -> PyResult<bool> {
        let level: LogLevel = level.parse().map_err(PyValueError::new_err)?;
        let mut logs = false;
        self.have(|actions| logs = actions.logs(level))?;
        Ok(logs)
    }

    /// Has at least `floor` containers of a function, and at most `ceiling`.
    #[pyo3(signature = (function, floor=0, ceiling=None))]
    fn keep_between(&self, function: u32, floor: u32, ceiling: Option<u32>) -> PyResult<()> {
        self.have(|actions| actions.keep_between(function, floor, ceiling.unwrap_or(u32::MAX)))
    }

    /// Has another attempt made beside the one that a request's key names.
    fn hedge(&self, key: u64) -> PyResult<()> {
        self.have(|actions| actions.hedge(key))
    }

    /// Gives the attempt that a request's key names another rank in the queue.
    fn set_rank(&self, key: u64, rank: u64) -> PyResult<()> {
        self.have(|actions| actions.set_rank(key, rank))
    }

    /// Takes the attempt that a request's key names back out of the queues of nodes.
    fn take_back(&self, key: u64) -> PyResult<()> {
        self.have(|actions| actions.take_back(key))
    }
}
