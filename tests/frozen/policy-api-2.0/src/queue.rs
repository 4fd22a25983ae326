//! The queue, as a policy of node allocation sees it that may reject those who wait.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::{FunctionHistory, NodeSet, NodeView, Records, RequestView, Slice};

/// Those who wait for a place: of each function the first, and how many there are. Who waits for an image to be on the head, on a
/// node or for a busy container stands in no queue.
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug)]
pub struct QueueView<'a> {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The date, in ns.
    pub now: u64,
    /// How many wait in the queue.
    pub waiting: u64,
    /// The first of each function of which somebody waits, in the order of the queue. [`RequestView::submitted_at`] says since when.
    pub heads: Records<'a, RequestView>,
    /// How many wait of the function of each of these.
    pub lengths: Slice<'a, u64>,
    /// All nodes, by number.
    pub nodes: Records<'a, NodeView>,
    /// Nodes that are up and have a free core.
    pub free_core: NodeSet<'a>,
    /// What has come of each function, by number; empty unless the rules of the policy ask for it.
    pub histories: Records<'a, FunctionHistory>,
}

impl<'a> QueueView<'a> {
    /// What has come of a function; that of a function that nobody has asked for where the policy does not see it.
    pub fn history(&self, function: u32) -> &'a FunctionHistory {
        self.histories.get(function as usize).unwrap_or(&FunctionHistory::NONE)
    }
}

impl Default for QueueView<'_> {
    /// Nobody waits, and there are no nodes.
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            now: 0,
            waiting: 0,
            heads: Records::new(&[]),
            lengths: Slice::new(&[]),
            nodes: Records::new(&[]),
            free_core: NodeSet::empty(),
            histories: Records::new(&[]),
        }
    }
}

/// One that waits is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shed {
    /// Which, by its place in [`QueueView::heads`].
    pub head: u32,
    /// Why.
    pub reason: String,
}
