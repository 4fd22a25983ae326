//! Sets of nodes by their names, in the form that policies are shown.

use hearth_policy_api::{NodeBits, NodeSet};

use crate::node::NodeId;

/// A set of nodes.
#[derive(Clone, Debug)]
pub(crate) struct NodeIds {
    nodes: NodeBits,
    /// How often something was done to it: while this is the same, so are the nodes.
    changes: u64,
}

impl NodeIds {
    /// None of so many nodes.
    pub fn none(of: usize) -> Self {
        Self { nodes: NodeBits::new(of), changes: 0 }
    }

    /// All of so many nodes.
    pub fn all(of: usize) -> Self {
        Self { nodes: NodeBits::full(of), changes: 0 }
    }

    #[inline]
    pub fn contains(&self, node: NodeId) -> bool {
        self.nodes.contains(node.0)
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.nodes.view().is_empty()
    }

    #[inline]
    pub fn insert(&mut self, node: NodeId) {
        self.changes += 1;
        self.nodes.insert(node.0);
    }

    #[inline]
    pub fn remove(&mut self, node: NodeId) {
        self.changes += 1;
        self.nodes.remove(node.0);
    }

    #[inline]
    pub fn set(&mut self, node: NodeId, is_in: bool) {
        self.changes += 1;
        self.nodes.set(node.0, is_in);
    }

    /// The nodes, in order.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> {
        self.nodes.view().iter().map(NodeId)
    }

    /// The nodes that are in another set, too, in order.
    pub fn also_in(&self, other: &Self) -> impl Iterator<Item = NodeId> {
        self.nodes.view().iter_also_in(&other.nodes.view()).map(NodeId)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.nodes.view().count()
    }

    /// How often something was done to it.
    #[inline]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// As policies are shown it.
    #[inline]
    pub fn view(&self) -> NodeSet<'_> {
        self.nodes.view()
    }
}
