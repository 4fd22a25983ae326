//! The dates at which flows will end, earliest first.

use std::cmp::Reverse;

use dary_heap::QuaternaryHeap;

use crate::time::SimTime;

/// Entries in order, some of which have become stale and are passed over.
#[derive(Debug)]
pub(super) struct LazyHeap<T> {
    heap: QuaternaryHeap<Reverse<T>>,
}

impl<T: Ord> Default for LazyHeap<T> {
    fn default() -> Self {
        Self { heap: QuaternaryHeap::new() }
    }
}

impl<T: Ord + Copy> LazyHeap<T> {
    /// Enters one. With `live` entries that may be current, the heap is rebuilt when most of it is stale.
    pub fn push(&mut self, entry: T, live: usize, is_current: impl Fn(&T) -> bool) {
        if self.heap.len() > 64 + 4 * live {
            let entries = std::mem::take(&mut self.heap).into_vec();
            let current: Vec<_> = entries.into_iter().filter(|Reverse(entry)| is_current(entry)).collect();
            self.heap = current.into();
        }
        self.heap.push(Reverse(entry));
    }

    /// The least one that is not stale.
    pub fn peek(&mut self, is_current: impl Fn(&T) -> bool) -> Option<T> {
        while let Some(&Reverse(least)) = self.heap.peek() {
            if is_current(&least) {
                return Some(least);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes out the least one.
    pub fn pop(&mut self) {
        self.heap.pop();
    }

    /// How many there are, stale ones among them.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Takes out all.
    pub fn clear(&mut self) {
        self.heap.clear();
    }
}

/// When a flow at its bound ends, or the first of those of a bottleneck.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Completion {
    pub date: SimTime,
    pub of: Ending,
    /// The number of the change that gave this date; older ones are stale.
    pub version: u32,
}

/// Who ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Ending {
    /// The flow in a slot.
    Flow(u32),
    /// The first that a resource holds.
    HeldBy(u32),
}

/// A flow whose date has come: of those of one date, the one started first ends first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Due {
    /// The number of the start of the flow.
    pub started: u64,
    pub slot: u32,
    pub generation: u32,
}
