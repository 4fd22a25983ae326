//! Nodes of pools drain: nobody comes any more, and once the last has gone they are switched off.

use hearth_policy_api::ContainerChange;
use hearth_simcore::kernel::Kernel;

use super::State;
use crate::error::Error;
use crate::node::NodeId;
use crate::service::Service;
use crate::service::event::{Event, Message};

impl Service {
    /// A node takes nobody any more. Those that run there go on; what waits there is placed anew, idle containers end, and instances end
    /// with their last request, in whose place others are begun.
    pub(super) fn drain_node(&mut self, node: NodeId, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(member) = self.node_pools.members.get_mut(&node) else { return Ok(()) };
        (member.state, member.since, member.draining_at) = (State::Draining, kernel.now(), Some(kernel.now()));
        self.node_pools.draining.insert(node);
        self.cluster.cordon(node);
        self.stop_instances_on(node, kernel)?;
        self.give_up_what_waits_on(node, ContainerChange::Ended, kernel)?;
        self.announce_nodes();
        self.head.receive(Message::Changed);
        Ok(())
    }

    /// A node that drains takes requests again.
    pub(super) fn keep_node(&mut self, node: NodeId, kernel: &mut Kernel<Event>) {
        let is_up = kernel.is_up(self.cluster.node(node).host);
        let Some(member) = self.node_pools.members.get_mut(&node) else { return };
        (member.state, member.since, member.draining_at) = (State::Up, kernel.now(), None);
        self.node_pools.draining.remove(&node);
        self.cluster.uncordon(node, is_up);
        self.announce_nodes();
        self.head.receive(Message::Changed);
    }

    /// Switches those nodes off that have drained; gives whether there were any.
    pub(super) fn switch_off_drained(&mut self, kernel: &mut Kernel<Event>) -> Result<bool, Box<Error>> {
        let is_empty = |node: &NodeId| self.cluster.node(*node).containers.is_empty();
        let drained: Vec<NodeId> = self.node_pools.draining.iter().copied().filter(is_empty).collect();
        let are_there = !drained.is_empty();
        drained.into_iter().try_for_each(|node| self.switch_off(node, kernel))?;
        Ok(are_there)
    }
}
