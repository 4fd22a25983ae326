//! The books of a service: what it has counted and which invocations have ended.
//!
//! They lie apart from everything else because a [watchdog](crate::policy::Watchdog) reads them when a policy does not
//! come back.

// See the safety comments: one owner writes, and a reader reads only while the owner stands still.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use hearth_simcore::time::SimTime;

use crate::experiment::{About, Results};
use crate::invocation::InvocationRecord;
use crate::metrics::Metrics;

/// What a service has counted, and the invocations that have ended, if they are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    pub metrics: Metrics,
    pub records: Option<Vec<InvocationRecord>>,
    /// The date of the event that is being handled, and how many were before it.
    pub date: SimTime,
    pub events: u64,
}

#[derive(Default)]
struct Shelf(UnsafeCell<Books>);

// SAFETY: the books are written through the one `Ledger` alone. A `LedgerReader` reads them only while the thread of the
// ledger is in a call to a policy, which does not reach them, or waits for the process to end (`policy::watch`).
unsafe impl Sync for Shelf {}
// SAFETY: as above; the counted references in the records are neither cloned for good nor dropped by the reader, which
// ends the process.
unsafe impl Send for Shelf {}

/// The books, in the hands of their service.
#[derive(Default)]
pub(crate) struct Ledger(Arc<Shelf>);

impl Deref for Ledger {
    type Target = Books;

    fn deref(&self) -> &Books {
        // SAFETY: there is one ledger for a shelf, and `self` is borrowed.
        unsafe { &*self.0.0.get() }
    }
}

impl DerefMut for Ledger {
    fn deref_mut(&mut self) -> &mut Books {
        // SAFETY: there is one ledger for a shelf, and `self` is borrowed for writing.
        unsafe { &mut *self.0.0.get() }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Ledger {
    /// A way to read the books when their owner stands still.
    pub fn reader(&self) -> LedgerReader {
        LedgerReader(Arc::clone(&self.0))
    }
}

/// Reads the books of a service that stands still.
pub(crate) struct LedgerReader(Arc<Shelf>);

impl fmt::Debug for LedgerReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LedgerReader")
    }
}

impl LedgerReader {
    /// What had come of the simulation. For the watchdog alone, which has stopped the thread of the ledger.
    pub fn results_so_far(&self, about: About) -> Results {
        // SAFETY: the watchdog has seen that the thread of the ledger is in a call, and keeps it from going on after it.
        let books = unsafe { (*self.0.0.get()).clone() };
        Results::so_far(about, books)
    }
}
