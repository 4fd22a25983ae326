//! Those that stand in the queues of nodes: they have left the queue of the head, and keep their turn.

use std::collections::BTreeMap;

use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::SimTime;

use super::{Attempt, AttemptKey, Attempts, Misplaced, Stage, Turn};
use crate::node::NodeId;

/// An attempt as policies name it: its invocation, and which attempt at that it is.
type Name = (u64, u32);

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
    waits: BTreeMap<Name, (AttemptKey, NodeWait)>,
    /// No queue is empty.
    by_node: BTreeMap<NodeId, BTreeMap<Turn, AttemptKey>>,
}

impl NodeQueues {
    fn insert(&mut self, name: Name, turn: Turn, key: AttemptKey, wait: NodeWait) {
        for node in &wait.nodes {
            self.by_node.entry(*node).or_default().insert(turn, key);
        }
        self.waits.insert(name, (key, wait));
    }

    fn remove(&mut self, name: Name, turn: Turn) -> Option<NodeWait> {
        let (_, wait) = self.waits.remove(&name)?;
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
        std::mem::take(&mut self.waits).into_values().filter_map(|(_, wait)| wait.timer).collect()
    }
}

fn name_of(attempt: &Attempt) -> Name {
    (attempt.record.invocation, attempt.number)
}

impl Attempts {
    /// It stands in queues of nodes.
    pub fn stand_at(&mut self, key: AttemptKey, wait: NodeWait) -> Result<(), Misplaced> {
        let attempt = self.under_way_mut(key)?;
        attempt.stage = Stage::AwaitsCore;
        let (name, turn) = (name_of(attempt), attempt.turn);
        self.node_queues.insert(name, turn, key, wait);
        Ok(())
    }

    /// It stands in no queue of a node any more, and is being given a place; gives where it stood.
    pub fn stand_no_longer(&mut self, key: AttemptKey) -> Result<NodeWait, Misplaced> {
        let attempt = self.under_way_mut(key)?;
        let (name, turn) = (name_of(attempt), attempt.turn);
        attempt.stage = Stage::Admitted;
        self.node_queues.remove(name, turn).ok_or_else(Misplaced::here)
    }

    /// The same for one that leaves for good.
    pub(super) fn leave_node_queues(&mut self, name: Name, turn: Turn) -> Option<NodeWait> {
        self.node_queues.remove(name, turn)
    }

    /// It stands in the queue of a node no longer; gives whether it stands in others.
    pub fn drop_out(&mut self, key: AttemptKey, node: NodeId) -> Result<bool, Misplaced> {
        let attempt = self.under_way_mut(key)?;
        let (name, turn) = (name_of(attempt), attempt.turn);
        let (_, wait) = self.node_queues.waits.get_mut(&name).ok_or_else(Misplaced::here)?;
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

    /// Where one stands.
    pub fn node_wait(&self, key: AttemptKey) -> Option<&NodeWait> {
        let attempt = self.alive.get(key).filter(|attempt| matches!(attempt.stage, Stage::AwaitsCore))?;
        self.node_queues.waits.get(&name_of(attempt)).map(|(_, wait)| wait)
    }

    /// The nodes in whose queues one stands.
    pub fn nodes_of(&self, attempt: &Attempt) -> &[NodeId] {
        self.node_queues.waits.get(&name_of(attempt)).map_or(&[], |(_, wait)| &wait.nodes)
    }

    /// One that stands in queues of nodes has got another turn.
    pub(super) fn move_in_queues(&mut self, key: AttemptKey, before: Turn) {
        let Some(attempt) = self.alive.get(key) else { return };
        let (name, turn) = (name_of(attempt), attempt.turn);
        if let Some(wait) = self.node_queues.remove(name, before) {
            self.node_queues.insert(name, turn, key, wait);
        }
    }

    /// Whether those in the queues are those whose stage says so, each where it says.
    #[cfg(test)]
    pub fn are_node_queues_of_attempts(&self) -> bool {
        let NodeQueues { waits, by_node } = &self.node_queues;
        let stands = |(name, (key, wait)): (&Name, &(AttemptKey, NodeWait))| {
            let attempt = self.alive.get(*key).filter(|attempt| matches!(attempt.stage, Stage::AwaitsCore));
            attempt.is_some_and(|attempt| {
                let is_in = |node: &NodeId| by_node.get(node).and_then(|queue| queue.get(&attempt.turn)) == Some(key);
                name_of(attempt) == *name && !wait.nodes.is_empty() && wait.nodes.iter().all(is_in)
            })
        };
        let says = self.alive.values().filter(|attempt| matches!(attempt.stage, Stage::AwaitsCore)).count();
        let listed: usize = by_node.values().map(BTreeMap::len).sum();
        says == waits.len()
            && listed == waits.values().map(|(_, wait)| wait.nodes.len()).sum::<usize>()
            && waits.iter().all(stands)
            && by_node.values().all(|queue| !queue.is_empty())
    }
}
