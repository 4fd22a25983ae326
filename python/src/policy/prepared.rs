//! A method that is called all the time: its arguments are made once, as long as nobody keeps them.

// Calls by the interface of C, as there is no other one that takes a tuple that is there.
#![allow(unsafe_code)]

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::cluster::{Cluster, references};
use super::records::Request;

/// `place(request, cluster)`, or another method with these arguments first.
pub struct Prepared {
    /// The function, and what it is a method of, if it is a method.
    function: Py<PyAny>,
    receiver: Option<Py<PyAny>>,
    ready: Option<Ready>,
}

/// Arguments that were made before.
struct Ready {
    arguments: Py<PyTuple>,
    request: Py<Request>,
    /// The address of the cluster among them.
    cluster: usize,
}

/// So often the cluster of a call is referred to that nobody keeps: from the instance, and from the arguments.
pub const OF_CLUSTER: isize = 2;

/// So often a request is referred to that nobody keeps: from here, and from the arguments.
const OWN: isize = 2;

impl Prepared {
    /// A method of an object.
    pub fn new(py: Python<'_>, object: &Py<PyAny>, name: &str) -> PyResult<Self> {
        let method = object.bind(py).getattr(name)?;
        // A method is a function with its object before all other arguments.
        let parts = method.getattr("__func__").and_then(|function| Ok((function, method.getattr("__self__")?)));
        Ok(match parts {
            Ok((function, receiver)) => {
                Self { function: function.unbind(), receiver: Some(receiver.unbind()), ready: None }
            }
            Err(_) => Self { function: method.unbind(), receiver: None, ready: None },
        })
    }

    /// Calls it.
    pub fn call<'py>(
        &mut self,
        py: Python<'py>,
        request: Request,
        cluster: &Py<Cluster>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let address = cluster.as_ptr() as usize;
        let is_ready = |ready: &Ready| {
            ready.cluster == address
                && references(ready.request.as_any()) == OWN
                && references(ready.arguments.as_any()) == 1
        };
        let ready = match &mut self.ready {
            Some(ready) if is_ready(ready) => {
                *ready.request.borrow_mut(py) = request;
                ready
            }
            ready => {
                let request = Py::new(py, request)?;
                let others = [request.clone_ref(py).into_any(), cluster.clone_ref(py).into_any()];
                let receiver = self.receiver.as_ref().map(|receiver| receiver.clone_ref(py));
                let all: Vec<Py<PyAny>> = receiver.into_iter().chain(others).collect();
                let arguments = PyTuple::new(py, all)?.unbind();
                ready.insert(Ready { arguments, request, cluster: address })
            }
        };
        // SAFETY: function and arguments are there, and this thread is attached to the interpreter.
        unsafe {
            let answer =
                pyo3::ffi::PyObject_Call(self.function.as_ptr(), ready.arguments.as_ptr(), std::ptr::null_mut());
            Bound::from_owned_ptr_or_err(py, answer)
        }
    }
}
