//! The dates at which flows will end, earliest first.

use std::cmp::Reverse;

use dary_heap::QuaternaryHeap;

use crate::time::SimTime;

/// When a flow ends if its rate stays: by date, then by the order in which flows were started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Completion {
    pub date: SimTime,
    /// The number of the start of the flow.
    pub started: u64,
    pub slot: u32,
    /// The number of the rate change that gave this date; older ones are stale.
    pub version: u32,
}

/// A heap of completions, in which those that a later rate has made stale are passed over.
#[derive(Debug, Default)]
pub(super) struct Completions {
    heap: QuaternaryHeap<Reverse<Completion>>,
}

impl Completions {
    /// Enters a date. With `live` flows in all, the heap is rebuilt when most of it is stale.
    pub fn push(&mut self, completion: Completion, live: usize, is_current: impl Fn(&Completion) -> bool) {
        if self.heap.len() > 64 + 4 * live {
            let entries = std::mem::take(&mut self.heap).into_vec();
            let current: Vec<_> = entries.into_iter().filter(|Reverse(entry)| is_current(entry)).collect();
            self.heap = current.into();
        }
        self.heap.push(Reverse(completion));
    }

    /// The earliest one that is not stale.
    pub fn peek(&mut self, is_current: impl Fn(&Completion) -> bool) -> Option<Completion> {
        while let Some(&Reverse(earliest)) = self.heap.peek() {
            if is_current(&earliest) {
                return Some(earliest);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes out the earliest one.
    pub fn pop(&mut self) {
        self.heap.pop();
    }
}
