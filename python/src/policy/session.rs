//! What the policies of one run have in common: what was raised in them, and the instances that were made.

// A thread is told to raise an exception.
#![allow(unsafe_code)]

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearth_policy_api::PolicySlot;
use hearth_serverless::experiment::Rest;
use pyo3::PyTypeInfo;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyTraceback;

use super::context::Context;

/// An instance that was made: its slot, its node, what it was made of, the object and what it may call.
pub struct Made {
    pub slot: PolicySlot,
    pub node: Option<u32>,
    /// The prototype's address, which tells prototypes apart as long as they are there.
    pub prototype: usize,
    pub object: Py<PyAny>,
    pub context: Py<Context>,
}

#[derive(Default)]
struct State {
    /// The first exception.
    raised: Mutex<Option<PyErr>>,
    made: Mutex<Vec<Made>>,
    /// The thread of the interpreter that simulates; 0 before.
    thread: AtomicI64,
    /// Somebody keeps an array over memory of the simulation, which is therefore never given back.
    keeps_memory: AtomicBool,
}

/// What the policies of one run have in common.
#[derive(Clone, Default)]
pub struct Session(Arc<State>);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    /// Notes an exception; gives it in words, with the line that raised it.
    pub fn raise(&self, error: PyErr) -> String {
        Python::attach(|py| {
            let text = told(py, &error);
            lock(&self.0.raised).get_or_insert(error);
            text
        })
    }

    /// Makes what was raised the cause of an exception.
    pub fn as_cause_of(&self, error: PyErr) -> PyErr {
        if let Some(cause) = self.take() {
            Python::attach(|py| error.set_cause(py, Some(cause)));
        }
        error
    }

    /// What was raised first, which is forgotten.
    pub fn take(&self) -> Option<PyErr> {
        lock(&self.0.raised).take()
    }

    /// Notes that somebody keeps memory of the simulation.
    pub fn keeps_memory(&self) {
        self.0.keeps_memory.store(true, Ordering::Relaxed);
    }

    /// An instance that was made of this prototype and serves in all slots but those of eviction.
    pub fn shared(&self, py: Python<'_>, prototype: usize) -> Option<(Py<PyAny>, Py<Context>)> {
        let made = lock(&self.0.made);
        let is_it =
            |made: &&Made| made.prototype == prototype && made.slot.kind() != hearth_policy_api::PolicyKind::Eviction;
        made.iter().find(is_it).map(|made| (made.object.clone_ref(py), made.context.clone_ref(py)))
    }

    /// Notes an instance.
    pub fn add(&self, made: Made) {
        // SAFETY: asks which thread this is.
        let thread = unsafe { pyo3::ffi::PyThread_get_thread_ident() };
        self.0.thread.store(i64::try_from(thread).unwrap_or_default(), Ordering::Relaxed);
        lock(&self.0.made).push(made);
    }

    /// The instances, by slot and node.
    pub fn instances(&self, py: Python<'_>) -> Vec<(&'static str, Option<u32>, Py<PyAny>)> {
        let made = lock(&self.0.made);
        made.iter().map(|made| (made.slot.path(), made.node, made.object.clone_ref(py))).collect()
    }

    /// The simulation has ended, on the thread that has made the instances.
    pub fn end(&self, rest: Rest) {
        let contexts = || lock(&self.0.made).iter().for_each(|made| made.context.get().close());
        if !lock(&self.0.made).is_empty() {
            Python::attach(|_| contexts());
        }
        if self.0.keeps_memory.load(Ordering::Relaxed) {
            std::mem::forget(rest);
        }
    }

    /// Has the call that is under way raise `KeyboardInterrupt`.
    pub fn interrupt(&self, py: Python<'_>) {
        let thread = self.0.thread.load(Ordering::Relaxed);
        if thread != 0 {
            // SAFETY: the caller is attached to the interpreter; a thread that is gone is passed over.
            unsafe {
                pyo3::ffi::PyThreadState_SetAsyncExc(
                    thread as std::ffi::c_long,
                    PyKeyboardInterrupt::type_object_raw(py).cast(),
                );
            }
        }
    }
}

/// An exception in words, with the line that raised it.
fn told(py: Python<'_>, error: &PyErr) -> String {
    let text = error.value(py).str().map_or_else(|_| String::new(), |text| text.to_string());
    let name = error.get_type(py).name().map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
    let place = error.traceback(py).and_then(|traceback| last_line(&traceback));
    let place = place.map_or_else(String::new, |place| format!(" ({place})"));
    if text.is_empty() { format!("raised {name}{place}") } else { format!("raised {name}: {text}{place}") }
}

/// The file and line of the innermost call of a traceback.
fn last_line(traceback: &Bound<'_, PyTraceback>) -> Option<String> {
    let mut last = traceback.clone().into_any();
    while let Ok(next) = last.getattr("tb_next") {
        if next.is_none() {
            break;
        }
        last = next;
    }
    let code = last.getattr("tb_frame").ok()?.getattr("f_code").ok()?;
    let file: String = code.getattr("co_filename").ok()?.extract().ok()?;
    let line: u32 = last.getattr("tb_lineno").ok()?.extract().ok()?;
    let name = std::path::Path::new(&file).file_name()?.to_string_lossy().into_owned();
    Some(format!("{name}:{line}"))
}
