//! Where the books of a service lie: apart from everything else, because a watchdog takes them when a policy does not come
//! back.

// See the safety comments: one owner writes, and a reader reads only while the owner stands still.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::results::Books;

#[derive(Default)]
struct Shelf(UnsafeCell<Books>);

// SAFETY: the books are read and written through the one `Ledger` alone, but for `LedgerReader::take`, whose
// caller vouches that the ledger is not used any more.
unsafe impl Sync for Shelf {}
// SAFETY: as above; what is not made for other threads, like counted references in records, is not used by two at a time:
// the thread of the ledger does nothing any more once the books are taken, and the process ends.
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
    /// A way to take the books when their owner stands still for good.
    pub fn reader(&self) -> LedgerReader {
        LedgerReader(Arc::clone(&self.0))
    }
}

/// Takes the books of a service that stands still.
pub(crate) struct LedgerReader(Arc<Shelf>);

impl fmt::Debug for LedgerReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LedgerReader")
    }
}

impl LedgerReader {
    /// The books as they are.
    ///
    /// # Safety
    /// From now on nobody may touch the books through the [`Ledger`], nor may anybody be doing so: its thread has come to
    /// a point at which it does not, and stays there until the process ends. What it wrote before must happen before this.
    pub unsafe fn take(&self) -> Books {
        // SAFETY: the caller vouches that this is the only access.
        unsafe { std::mem::take(&mut *self.0.0.get()) }
    }
}
