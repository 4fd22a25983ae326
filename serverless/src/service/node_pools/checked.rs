//! What must hold of pools at every moment, for laws.

use super::State;
use crate::node::NodeId;
use crate::service::Service;

impl Service {
    /// Whether a node takes nobody any more and goes on with what it has.
    pub(crate) fn is_draining(&self, node: NodeId) -> bool {
        self.node_pools.is_draining(node)
    }

    /// Compares what is known of pools with the nodes there are.
    pub(crate) fn check_node_pools(&self) -> Result<(), String> {
        let is = |what: &str, is_so: bool| if is_so { Ok(()) } else { Err(what.to_owned()) };
        for (node, member) in &self.node_pools.members {
            let (held, is_up) = (self.cluster.node(*node), self.cluster.up().contains(*node));
            let is_empty = held.containers.is_empty() && held.running == 0 && held.promised.ram == 0;
            match member.state {
                State::Off | State::Booting(_) => is("nobody is on a node that is off", !is_up && is_empty)?,
                State::Draining => {
                    is(
                        "nobody comes to a node that drains",
                        !is_up && held.promised.cores == 0 && held.promised.ram == 0,
                    )?;
                    is("a node that drains is still needed", !is_empty)?;
                    is("nothing is idle on a node that drains", held.idle_containers().next().is_none())?;
                    is("nobody queues at a node that drains", self.attempts.standing_at(*node) == 0)?;
                }
                State::Up => {}
            }
            is("those that drain are known", self.is_draining(*node) == matches!(member.state, State::Draining))?;
        }
        for (number, pool) in self.node_pools.pools.iter().enumerate() {
            let scale = self.node_pools.scale(number);
            is("a pool is within its bounds", (pool.min..=pool.max).contains(&scale))?;
            let on = pool.nodes.iter().filter(|node| {
                self.node_pools.members.get(node).is_some_and(|member| !matches!(member.state, State::Off))
            });
            let counted = self.books.metrics.node_pools.get(number).map(|used| used.nodes_on());
            is("nodes that are on are counted", counted == Some(on.count() as u64))?;
        }
        Ok(())
    }
}
