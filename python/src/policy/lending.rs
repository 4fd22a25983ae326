//! The interpreter, which a simulation holds that calls policies all the time, and lends to who asks.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hearth_serverless::experiment::Monitor;
use pyo3::prelude::*;

/// The simulation goes on after so long, whether the interpreter was taken or not.
const LENT: Duration = Duration::from_millis(50);

/// Who holds the interpreter, and whether somebody wants it.
#[derive(Default)]
pub struct Lending {
    /// What has the thread of the simulation pause, while it holds the interpreter.
    holder: Mutex<Option<Monitor>>,
    is_wanted: Mutex<bool>,
    turned: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lending {
    /// The thread of this monitor holds the interpreter from now on.
    pub fn hold(&self, monitor: Monitor) {
        *lock(&self.holder) = Some(monitor);
    }

    /// Nobody holds it any more for long.
    pub fn release(&self) {
        *lock(&self.holder) = None;
    }

    /// Asks for the interpreter, just before it is waited for.
    pub fn ask(&self) {
        if let Some(holder) = &*lock(&self.holder) {
            *lock(&self.is_wanted) = true;
            holder.pause();
        }
    }

    /// Who has asked has it now.
    pub fn got(&self) {
        *lock(&self.is_wanted) = false;
        self.turned.notify_all();
    }

    /// Lends it, until who has asked has got it.
    pub fn lend(&self, py: Python<'_>) {
        py.detach(|| {
            let wanted = lock(&self.is_wanted);
            drop(self.turned.wait_timeout_while(wanted, LENT, |is_wanted| *is_wanted));
        });
    }
}
