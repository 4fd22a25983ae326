//! Asks which nodes of pools come and go, and has them do so.

use hearth_policy_api::PoolScale;
use hearth_simcore::kernel::Kernel;

use super::{NodePools, State};
use crate::error::Error;
use crate::node::NodeId;
use crate::service::Service;
use crate::service::event::{Event, Happening};

impl Service {
    /// After an event: switches those nodes off that have drained, and has somebody look after those under way.
    pub(in crate::service) fn look_at_pools(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        while self.node_pools.are_draining() && self.switch_off_drained(kernel)? {
            self.work_off_mailbox(kernel)?;
        }
        self.await_pool_tick(kernel);
        Ok(())
    }

    /// Has the next tick come. It keeps the simulation going while somebody is under way.
    pub(super) fn await_pool_tick(&mut self, kernel: &mut Kernel<Event>) {
        let is_awaited = self.attempts.len() > 0;
        self.node_pools.ticks.schedule(Event(Happening::PoolTick), is_awaited, kernel);
    }

    /// A tick: asks about each pool.
    pub(in crate::service) fn pool_tick(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if !self.node_pools.ticks.take(kernel.now()) {
            return Ok(());
        }
        self.tell_of_containers();
        for pool in 0..self.node_pools.pools.len() {
            let scale = self.ask_about_pool(pool, kernel)?;
            self.scale_pool(pool, &scale, kernel)?;
        }
        Ok(())
    }

    /// Does with the nodes of a pool what was answered, within its bounds.
    fn scale_pool(&mut self, pool: usize, scale: &PoolScale, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        for node in scale.remove.iter().copied().map(NodeId) {
            let Some(member) = self.node_pools.members.get(&node).filter(|member| member.pool == pool) else {
                return Err(self.wrong_node_of_pool(node, pool));
            };
            if self.node_pools.scale(pool) <= self.node_pools.min(pool) {
                break;
            }
            match member.state {
                State::Booting(_) => self.switch_off(node, kernel)?,
                State::Up => self.drain_node(node, kernel)?,
                State::Draining | State::Off => {}
            }
        }
        let room = self.node_pools.max(pool).saturating_sub(self.node_pools.scale(pool));
        for _ in 0..scale.boot.min(room) {
            // What is there already is there at once.
            if let Some(node) = self.node_pools.last_draining(pool) {
                self.keep_node(node, kernel);
            } else if let Some(node) = self.node_pools.first_off(pool) {
                self.boot_node(node, kernel);
            }
        }
        Ok(())
    }
}

impl NodePools {
    fn min(&self, pool: usize) -> u32 {
        self.pools.get(pool).map_or(0, |pool| pool.min)
    }

    fn max(&self, pool: usize) -> u32 {
        self.pools.get(pool).map_or(0, |pool| pool.max)
    }

    /// How many nodes of a pool are on and stay so.
    pub(super) fn scale(&self, pool: usize) -> u32 {
        let stays = |node: &&NodeId| {
            self.members.get(node).is_some_and(|member| matches!(member.state, State::Up | State::Booting(_)))
        };
        self.pools.get(pool).map_or(0, |pool| pool.nodes.iter().filter(stays).count() as u32)
    }

    /// The node that began to drain last; of several, that with the highest number.
    fn last_draining(&self, pool: usize) -> Option<NodeId> {
        let here = self.draining.iter().filter_map(|node| Some((self.members.get(node)?, *node)));
        here.filter(|(member, _)| member.pool == pool)
            .max_by_key(|(member, node)| (member.since, *node))
            .map(|(_, node)| node)
    }

    fn first_off(&self, pool: usize) -> Option<NodeId> {
        let is_off = |node: &&NodeId| self.members.get(node).is_some_and(|member| matches!(member.state, State::Off));
        self.pools.get(pool)?.nodes.iter().find(is_off).copied()
    }
}
