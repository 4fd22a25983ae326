//! Those that stand in the queues of nodes: they have left the queue of the head, and keep their turn.

use std::collections::BTreeMap;

use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::SimTime;

use super::{AttemptKey, Attempts, Misplaced, Stage, Turn};
use crate::node::NodeId;

/// One that stands in queues of nodes.
#[derive(Debug)]
pub(crate) struct NodeWait {
    /// In whose, in the order in which they were named; at least one.
    pub nodes: Vec<NodeId>,
    /// When it is asked about again.
    pub until: SimTime,
    /// What tells the head that this date has come.
    pub timer: Option<EventHandle>,
}

/// The queues, by node and by turn, and who stands there.
#[derive(Debug, Default)]
pub(super) struct NodeQueues {
    waits: BTreeMap<AttemptKey, NodeWait>,
    /// No queue is empty.
    by_node: BTreeMap<NodeId, BTreeMap<Turn, AttemptKey>>,
}

impl NodeQueues {
    fn insert(&mut self, key: AttemptKey, turn: Turn, wait: NodeWait) {
        for node in &wait.nodes {
            self.by_node.entry(*node).or_default().insert(turn, key);
        }
        self.waits.insert(key, wait);
    }

    pub fn remove(&mut self, key: AttemptKey, turn: Turn) -> Option<NodeWait> {
        let wait = self.waits.remove(&key)?;
        wait.nodes.iter().for_each(|node| self.leave(*node, turn));
        Some(wait)
    }

    fn leave(&mut self, node: NodeId, turn: Turn) {
        if let Some(queue) = self.by_node.get_mut(&node) {
            queue.remove(&turn);
            if queue.is_empty() {
                self.by_node.remove(&node);
            }
        }
    }

    /// Takes everybody out; gives the timers.
    pub fn clear(&mut self) -> Vec<EventHandle> {
        self.by_node.clear();
        std::mem::take(&mut self.waits).into_values().filter_map(|wait| wait.timer).collect()
    }
}

impl Attempts {
    /// It stands in queues of nodes.
    pub fn stand_at(&mut self, key: AttemptKey, wait: NodeWait) -> Result<(), Misplaced> {
        let attempt = self.under_way_mut(key)?;
        attempt.stage = Stage::AwaitsCore;
        let turn = attempt.turn;
        self.node_queues.insert(key, turn, wait);
        Ok(())
    }

    /// It stands in no queue of a node any more, and is being given a place; gives where it stood.
    pub fn stand_no_longer(&mut self, key: AttemptKey) -> Result<NodeWait, Misplaced> {
        let attempt = self.under_way_mut(key)?;
        attempt.stage = Stage::Admitted;
        let turn = attempt.turn;
        self.node_queues.remove(key, turn).ok_or_else(Misplaced::here)
    }

    /// It stands in the queue of a node no longer; gives whether it stands in others.
    pub fn drop_out(&mut self, key: AttemptKey, node: NodeId) -> Result<bool, Misplaced> {
        let turn = self.under_way(key)?.turn;
        let wait = self.node_queues.waits.get_mut(&key).ok_or_else(Misplaced::here)?;
        if wait.nodes.len() == 1 {
            return Ok(false);
        }
        wait.nodes.retain(|other| *other != node);
        self.node_queues.leave(node, turn);
        Ok(true)
    }

    /// Whether anybody stands in the queue of a node.
    #[inline]
    pub fn is_core_awaited(&self) -> bool {
        !self.node_queues.by_node.is_empty()
    }

    /// Who stands in the queues of nodes, each once.
    pub fn standing_at_nodes(&self) -> impl Iterator<Item = AttemptKey> {
        self.node_queues.waits.keys().copied()
    }

    /// How many stand in the queue of a node.
    pub fn standing_at(&self, node: NodeId) -> usize {
        self.node_queues.by_node.get(&node).map_or(0, BTreeMap::len)
    }

    /// The first in the queue of a node.
    pub fn first_at(&self, node: NodeId) -> Option<AttemptKey> {
        self.node_queues.by_node.get(&node)?.values().next().copied()
    }

    /// All in the queue of a node, in the order of turns.
    pub fn all_at(&self, node: NodeId) -> Vec<AttemptKey> {
        self.node_queues.by_node.get(&node).into_iter().flat_map(BTreeMap::values).copied().collect()
    }

    /// The nodes in whose queue somebody stands, by number.
    pub fn nodes_with_queue(&self) -> Vec<NodeId> {
        self.node_queues.by_node.keys().copied().collect()
    }

    /// Where one stands, if it stands in queues of nodes.
    pub fn node_wait(&self, key: AttemptKey) -> Option<&NodeWait> {
        self.node_queues.waits.get(&key)
    }

    /// The nodes in whose queues one stands.
    pub fn nodes_of(&self, key: AttemptKey) -> &[NodeId] {
        self.node_wait(key).map_or(&[], |wait| &wait.nodes)
    }

    /// One that stands in queues of nodes has got another turn.
    pub(super) fn move_in_queues(&mut self, key: AttemptKey, before: Turn) {
        let Some(turn) = self.alive.get(key).map(|attempt| attempt.turn) else { return };
        if let Some(wait) = self.node_queues.remove(key, before) {
            self.node_queues.insert(key, turn, wait);
        }
    }

    /// Whether those in the queues are those whose stage says so, each where it says.
    #[cfg(test)]
    pub fn are_node_queues_of_attempts(&self) -> bool {
        let NodeQueues { waits, by_node } = &self.node_queues;
        let stands = |(key, wait): (&AttemptKey, &NodeWait)| {
            let attempt = self.alive.get(*key).filter(|attempt| matches!(attempt.stage, Stage::AwaitsCore));
            attempt.is_some_and(|attempt| {
                let is_in = |node: &NodeId| by_node.get(node).and_then(|queue| queue.get(&attempt.turn)) == Some(key);
                !wait.nodes.is_empty() && wait.nodes.iter().all(is_in)
            })
        };
        let says = self.alive.values().filter(|attempt| matches!(attempt.stage, Stage::AwaitsCore)).count();
        let listed: usize = by_node.values().map(BTreeMap::len).sum();
        says == waits.len()
            && listed == waits.values().map(|wait| wait.nodes.len()).sum::<usize>()
            && waits.iter().all(stands)
            && by_node.values().all(|queue| !queue.is_empty())
    }
}
