//! What the policies of one run have in common: what was raised in them, and the instances that were made.

// A thread is told to raise an exception.
#![allow(unsafe_code)]

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearth_policy_api::PolicySlot;
use pyo3::PyTypeInfo;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyTraceback;

use super::lending::Lending;

/// An instance that was made.
pub struct Made {
    pub slot: PolicySlot,
    pub node: Option<u32>,
    pub object: Py<PyAny>,
}

#[derive(Default)]
struct State {
    /// The first exception.
    raised: Mutex<Option<PyErr>>,
    /// Nothing where nobody asks for them.
    made: Mutex<Option<Vec<Made>>>,
    /// The threads that simulate, as the interpreter knows them.
    threads: Mutex<BTreeSet<std::ffi::c_ulong>>,
    /// There is no simulation, but a model of one that comes and goes.
    is_of_check: AtomicBool,
    lending: Lending,
    /// Ctrl-C has ended a call.
    is_interrupted: AtomicBool,
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
    /// One that keeps the instances, for who asks for them when the run is over.
    pub fn keeping() -> Self {
        let session = Self::default();
        *lock(&session.0.made) = Some(Vec::new());
        session
    }

    /// One of a check.
    pub fn of_check() -> Self {
        let session = Self::default();
        session.0.is_of_check.store(true, Ordering::Relaxed);
        session
    }

    /// Whether it is one of a check.
    pub fn is_of_check(&self) -> bool {
        self.0.is_of_check.load(Ordering::Relaxed)
    }

    /// Notes an exception; gives it in words, with the line that raised it.
    pub fn raise(&self, error: PyErr) -> String {
        Python::attach(|py| {
            let text = told(py, &error);
            let mut raised = lock(&self.0.raised);
            if error.is_instance_of::<PyKeyboardInterrupt>(py) {
                self.0.is_interrupted.store(true, Ordering::Relaxed);
                *raised = Some(error);
            } else {
                raised.get_or_insert(error);
            }
            text
        })
    }

    /// Whether Ctrl-C has ended a call: no other one begins.
    pub fn is_interrupted(&self) -> bool {
        self.0.is_interrupted.load(Ordering::Relaxed)
    }

    /// Makes what was raised the cause of an exception; Ctrl-C stays what it is.
    pub fn as_cause_of(&self, error: PyErr) -> PyErr {
        let Some(cause) = self.take() else { return error };
        Python::attach(|py| {
            if cause.is_instance_of::<PyKeyboardInterrupt>(py) {
                return cause;
            }
            error.set_cause(py, Some(cause));
            error
        })
    }

    /// Policies are made and called on this thread from now on.
    pub fn serves_here(&self) {
        lock(&self.0.threads).insert(this_thread());
    }

    /// What was raised first, which is forgotten.
    pub fn take(&self) -> Option<PyErr> {
        lock(&self.0.raised).take()
    }

    /// Who holds the interpreter.
    pub fn lending(&self) -> &Lending {
        &self.0.lending
    }

    /// Notes an instance.
    pub fn add(&self, made: Made) {
        if let Some(all) = &mut *lock(&self.0.made) {
            all.push(made);
        }
    }

    /// The instances, by slot and node.
    pub fn instances(&self, py: Python<'_>) -> Vec<(&'static str, Option<u32>, Py<PyAny>)> {
        let made = lock(&self.0.made);
        made.iter().flatten().map(|made| (made.slot.path(), made.node, made.object.clone_ref(py))).collect()
    }

    /// Has the calls that are under way on other threads raise `KeyboardInterrupt`. One that begins meanwhile may miss it.
    pub fn interrupt(&self, py: Python<'_>) {
        let this = this_thread();
        for thread in lock(&self.0.threads).iter().filter(|thread| **thread != this) {
            // SAFETY: the caller is attached to the interpreter; a thread that is gone is passed over.
            unsafe {
                pyo3::ffi::PyThreadState_SetAsyncExc(
                    thread.cast_signed(),
                    PyKeyboardInterrupt::type_object_raw(py).cast(),
                );
            }
        }
    }
}

/// This thread, as the interpreter knows it.
fn this_thread() -> std::ffi::c_ulong {
    // SAFETY: asks which thread this is.
    unsafe { pyo3::ffi::PyThread_get_thread_ident() }
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
