//! What the interpreter knows of a thread that it has not begun: made once, and not for each call of a policy.

// The interface of C has it as two calls that belong together.
#![allow(unsafe_code)]

use pyo3::ffi;

/// The interpreter's state of the thread that has made this, as long as this is there. It is of no use on another thread.
pub struct ThreadState {
    before: ffi::PyGILState_STATE,
    state: *mut ffi::PyThreadState,
}

impl ThreadState {
    /// One for this thread, without holding the interpreter; nothing if the interpreter knows the thread.
    pub fn keep() -> Option<Self> {
        // SAFETY: the interpreter is there, since it has called us; what is taken is given back at once.
        unsafe {
            if !ffi::PyGILState_GetThisThreadState().is_null() {
                return None;
            }
            let before = ffi::PyGILState_Ensure();
            Some(Self { before, state: ffi::PyEval_SaveThread() })
        }
    }
}

impl Drop for ThreadState {
    fn drop(&mut self) {
        // SAFETY: it is the state of this thread, since an address is not sent to others; both calls above are undone.
        unsafe {
            ffi::PyEval_RestoreThread(self.state);
            ffi::PyGILState_Release(self.before);
        }
    }
}
