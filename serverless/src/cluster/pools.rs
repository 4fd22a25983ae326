//! The containers of each function on each node, and which of them are idle, in the order of becoming idle.

use hearth_simcore::queue::TimerId;
use hearth_simcore::time::SimTime;
use rustc_hash::FxHashMap;
use slab::Slab;

use crate::function::FunctionId;
use crate::node::{Container, ContainerId, Idle, NodeId, PoolId, Spell};
use crate::table::Identifier;

/// The containers of one function on one node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    node: NodeId,
    function: FunctionId,
    containers: u32,
    /// The idle ones from the one idle longest to the newest; meaningless when there is none.
    oldest: ContainerId,
    newest: ContainerId,
    pub idle: u32,
    /// How many of those the decisions of the round `planned_in` have taken.
    planned: u32,
    planned_in: u64,
}

/// What a container leaves that is no longer idle.
#[derive(Debug)]
pub(crate) struct NoLongerIdle {
    /// Its timer, if it has one.
    pub timer: Option<TimerId>,
    /// Whether the eviction policy has heard of it.
    pub is_told: bool,
    pub pool: PoolId,
    /// How many idle ones are left there.
    pub left: u32,
}

/// All pools that hold a container.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    pools: Slab<Pool>,
    /// Looked up by node and function, never walked.
    index: FxHashMap<(NodeId, FunctionId), PoolId>,
}

impl Pools {
    /// Enters a new container of a function on a node.
    pub fn enter(&mut self, node: NodeId, function: FunctionId) -> PoolId {
        let pools = &mut self.pools;
        let id = *self.index.entry((node, function)).or_insert_with(|| {
            let none = ContainerId(0);
            let (containers, idle, planned, planned_in) = (0, 0, 0, 0);
            let fresh = Pool { node, function, containers, oldest: none, newest: none, idle, planned, planned_in };
            PoolId(pools.insert(fresh) as u32)
        });
        self.pools[id.0 as usize].containers += 1;
        id
    }

    /// Forgets a container, which is not idle.
    pub fn leave(&mut self, id: PoolId) {
        let pool = &mut self.pools[id.0 as usize];
        pool.containers -= 1;
        if pool.containers == 0 {
            self.index.remove(&(pool.node, pool.function));
            self.pools.remove(id.0 as usize);
        }
    }

    pub fn get(&self, id: PoolId) -> &Pool {
        &self.pools[id.0 as usize]
    }

    /// A pool, if it is that of a function on a node.
    #[inline]
    pub fn get_if(&self, id: PoolId, node: NodeId, function: FunctionId) -> Option<&Pool> {
        self.pools.get(id.0 as usize).filter(|pool| pool.node == node && pool.function == function)
    }

    pub fn find(&self, node: NodeId, function: FunctionId) -> Option<&Pool> {
        self.index.get(&(node, function)).map(|id| self.get(*id))
    }

    pub fn find_mut(&mut self, node: NodeId, function: FunctionId) -> Option<&mut Pool> {
        self.index.get(&(node, function)).map(|id| &mut self.pools[id.0 as usize])
    }

    /// Makes a container idle, as the newest of its pool, since a date and until one; gives its timer, which may be made.
    pub fn push_idle<'a>(
        &mut self,
        containers: &'a mut Slab<Container>,
        (pool, id): (PoolId, ContainerId),
        (spell, is_told): (Spell, bool),
        (since, expires): (SimTime, SimTime),
    ) -> &'a mut Option<TimerId> {
        let pool = &mut self.pools[pool.0 as usize];
        let older = (pool.idle > 0).then_some(pool.newest);
        match older.and_then(|older| containers[older.position()].idle.as_mut()) {
            Some(older) => older.newer = Some(id),
            None => pool.oldest = id,
        }
        pool.newest = id;
        pool.idle += 1;
        let container = &mut containers[id.position()];
        container.idle = Some(Idle { spell, since, expires, is_told, older, newer: None, planned_in: 0 });
        &mut container.timer
    }

    /// Takes a container of a function out of the idle ones; `None` if it is not idle, or if its number is by now that of another
    /// function's.
    pub fn remove_idle(
        &mut self,
        containers: &mut Slab<Container>,
        function: FunctionId,
        id: ContainerId,
    ) -> Option<NoLongerIdle> {
        let container = containers.get_mut(id.position()).filter(|container| container.function == function)?;
        let (of, timer) = (container.pool, container.timer);
        let pool = &mut self.pools[of.0 as usize];
        let idle = container.idle.take()?;
        pool.idle -= 1;
        match idle.older.and_then(|older| containers[older.position()].idle.as_mut()) {
            Some(older) => older.newer = idle.newer,
            None => pool.oldest = idle.newer.unwrap_or(id),
        }
        match idle.newer.and_then(|newer| containers[newer.position()].idle.as_mut()) {
            Some(newer) => newer.older = idle.older,
            None => pool.newest = idle.older.unwrap_or(id),
        }
        Some(NoLongerIdle { timer, is_told: idle.is_told, pool: of, left: pool.idle })
    }
}

impl Pool {
    /// How many are not idle.
    pub fn busy(&self) -> u32 {
        self.containers - self.idle
    }

    /// The idle container that a warm start takes: the one that became idle last (`most_recent`) or first.
    pub fn first_idle(&self, most_recent: bool) -> Option<ContainerId> {
        (self.idle > 0).then_some(if most_recent { self.newest } else { self.oldest })
    }

    /// Takes this container for a decision of this round, and says whether it is the last of those that none has taken; `None` if it
    /// is not idle, or is taken.
    pub fn plan_this(&mut self, containers: &mut Slab<Container>, round: u64, id: ContainerId) -> Option<bool> {
        let idle = containers.get_mut(id.position())?.idle.as_mut()?;
        if idle.planned_in == round {
            return None;
        }
        idle.planned_in = round;
        self.begin_planning(round);
        self.planned += 1;
        Some(self.planned == self.idle)
    }

    fn begin_planning(&mut self, round: u64) {
        if self.planned_in != round {
            (self.planned_in, self.planned) = (round, 0);
        }
    }

    /// The first of the idle containers that no decision of this round has taken, and whether it is the last of those.
    pub fn plan_idle(
        &mut self,
        containers: &mut Slab<Container>,
        round: u64,
        most_recent: bool,
    ) -> Option<(ContainerId, bool)> {
        self.begin_planning(round);
        let mut next = self.first_idle(most_recent);
        while let Some(id) = next {
            let idle = containers[id.position()].idle.as_mut()?;
            if idle.planned_in != round {
                idle.planned_in = round;
                self.planned += 1;
                return Some((id, self.planned == self.idle));
            }
            next = if most_recent { idle.older } else { idle.newer };
        }
        None
    }
}
