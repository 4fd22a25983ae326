//! How long calls take, while it is asked for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Instant;

/// By call: how often, and how many ns in all.
pub(super) type Times = BTreeMap<&'static str, (u32, u64)>;

thread_local! {
    static RUNS: Cell<bool> = const { Cell::new(false) };
    static TIMES: RefCell<Times> = const { RefCell::new(BTreeMap::new()) };
}

/// Counts a call, and takes its time, if the watch runs.
pub(super) fn during<T>(call: &'static str, work: impl FnOnce() -> T) -> T {
    if !RUNS.with(Cell::get) {
        return work();
    }
    let begin = Instant::now();
    let result = work();
    note(call, begin.elapsed().as_nanos() as u64);
    result
}

/// Counts a call that took so many ns.
pub(super) fn note(call: &'static str, nanos: u64) {
    TIMES.with_borrow_mut(|times| {
        let (calls, sum) = times.entry(call).or_default();
        (*calls, *sum) = (*calls + 1, *sum + nanos);
    });
}

/// The watch runs as long as this lives.
pub(super) struct Running(());

impl Running {
    pub fn begin() -> Self {
        TIMES.take();
        RUNS.set(true);
        Self(())
    }

    /// What it has shown since the last time.
    pub fn lap(&self) -> Times {
        TIMES.take()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNS.set(false);
    }
}
