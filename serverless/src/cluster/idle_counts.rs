//! How many idle containers functions have on each node, as policies that plan for a whole queue are shown them. Counted
//! only of functions that such a policy has been shown.

use super::Cluster;
use crate::function::FunctionId;
use crate::node::NodeId;
use crate::table::Identifier;

/// Idle containers by function and node.
#[derive(Debug, Default)]
pub(super) struct IdleCounts {
    /// Empty where they are not counted.
    by_function: Vec<Vec<u32>>,
}

impl IdleCounts {
    /// A function has so many idle containers on a node from now on.
    pub fn set(&mut self, node: NodeId, function: FunctionId, idle: u32) {
        let of_function = self.by_function.get_mut(function.position());
        if let Some(count) = of_function.and_then(|counts| counts.get_mut(node.position())) {
            *count = idle;
        }
    }
}

impl Cluster {
    /// Counts the idle containers of a function from now on.
    pub fn count_idle(&mut self, function: FunctionId) {
        let counts = &mut self.counts.get_or_insert_default().idle;
        let position = function.position();
        if counts.by_function.len() <= position {
            counts.by_function.resize_with(position + 1, Vec::new);
        }
        if counts.by_function[position].is_empty() {
            let mut of_function = vec![0; self.nodes.len()];
            for node in self.idle[function].nodes.iter() {
                of_function[node.position()] = self.pools.find(node, function).map_or(0, |pool| pool.idle);
            }
            counts.by_function[position] = of_function;
        }
    }

    /// How many idle containers a function has by node, if they are [counted](Self::count_idle).
    pub fn idle_counts(&self, function: FunctionId) -> &[u32] {
        debug_assert!(self.are_counted_right(function), "idle containers of {function:?}");
        let counts = self.counts.as_ref().and_then(|counts| counts.idle.by_function.get(function.position()));
        counts.map_or(&[], Vec::as_slice)
    }

    fn are_counted_right(&self, function: FunctionId) -> bool {
        let counts = self.counts.as_ref().and_then(|counts| counts.idle.by_function.get(function.position()));
        let idle = |node| self.idle_count(node, function);
        counts.is_none_or(|counts| counts.is_empty() || counts.iter().copied().eq(self.nodes.names().map(idle)))
    }
}
