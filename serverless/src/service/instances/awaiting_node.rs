//! Instances that have been created and that no node has had room for.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::InstanceKey;
use crate::function::FunctionId;

/// Those that wait for a node with room, in the order of being created, by function.
#[derive(Debug, Default)]
pub(super) struct AwaitingNode {
    /// No set is empty.
    by_function: BTreeMap<FunctionId, BTreeSet<(u64, InstanceKey)>>,
    /// Somebody may find room though no node has changed.
    is_due: bool,
    /// That is always so.
    #[cfg(test)]
    pub is_always_due: bool,
}

/// The first of each function that has not been tried, the oldest first.
pub(super) struct Untried(BinaryHeap<Reverse<(u64, FunctionId, InstanceKey)>>);

impl AwaitingNode {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.by_function.is_empty()
    }

    /// All that wait.
    pub fn keys(&self) -> impl Iterator<Item = InstanceKey> {
        self.by_function.values().flatten().map(|(_, key)| *key)
    }

    /// One waits from now on, which is to be tried.
    pub fn insert(&mut self, function: FunctionId, number: u64, key: InstanceKey) {
        self.by_function.entry(function).or_default().insert((number, key));
        self.is_due = true;
    }

    /// One waits no longer.
    pub fn remove(&mut self, function: FunctionId, number: u64, key: InstanceKey) {
        if let Some(waiting) = self.by_function.get_mut(&function) {
            waiting.remove(&(number, key));
            if waiting.is_empty() {
                self.by_function.remove(&function);
            }
        }
    }

    /// Somebody is to be tried again, whether or not nodes change.
    pub fn set_due(&mut self) {
        self.is_due = true;
    }

    /// Whether somebody is to be tried though no node has changed; that is the case no longer.
    pub fn take_due(&mut self) -> bool {
        let is_due = std::mem::take(&mut self.is_due);
        #[cfg(test)]
        let is_due = is_due || self.is_always_due;
        is_due
    }

    /// Who is to be tried: of each function one after the other, up to the first that finds no room.
    pub fn untried(&self) -> Untried {
        let first = |(function, waiting): (&FunctionId, &BTreeSet<(u64, InstanceKey)>)| {
            waiting.first().map(|(number, key)| Reverse((*number, *function, *key)))
        };
        Untried(self.by_function.iter().filter_map(first).collect())
    }
}

impl Untried {
    /// The next one.
    pub fn next(&mut self) -> Option<(u64, FunctionId, InstanceKey)> {
        self.0.pop().map(|Reverse(next)| next)
    }

    /// One of a function has found room: the next of it is to be tried, too.
    pub fn add_next_of(&mut self, function: FunctionId, awaiting: &AwaitingNode) {
        let next = awaiting.by_function.get(&function).and_then(BTreeSet::first);
        self.0.extend(next.map(|(number, key)| Reverse((*number, function, *key))));
    }
}
