//! Sets of nodes by their names, in the form that policies are shown.

use hearth_policy_api::{NodeBits, NodeSet};

use crate::node::NodeId;

/// A set of nodes.
#[derive(Clone, Debug)]
pub(crate) struct NodeIds(NodeBits);

impl NodeIds {
    /// None of so many nodes.
    pub fn none(of: usize) -> Self {
        Self(NodeBits::new(of))
    }

    /// All of so many nodes.
    pub fn all(of: usize) -> Self {
        Self(NodeBits::full(of))
    }

    #[inline]
    pub fn contains(&self, node: NodeId) -> bool {
        self.0.contains(node.0)
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.view().is_empty()
    }

    #[inline]
    pub fn insert(&mut self, node: NodeId) {
        self.0.insert(node.0);
    }

    #[inline]
    pub fn remove(&mut self, node: NodeId) {
        self.0.remove(node.0);
    }

    #[inline]
    pub fn set(&mut self, node: NodeId, is_in: bool) {
        self.0.set(node.0, is_in);
    }

    /// The nodes, in order.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> {
        self.0.view().iter().map(NodeId)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.view().count()
    }

    /// As policies are shown it.
    #[inline]
    pub fn view(&self) -> NodeSet<'_> {
        self.0.view()
    }
}
