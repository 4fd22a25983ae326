//! Pools of nodes that come and go (the timing model, section 16): nodes that are off, boot, are up, or drain until nobody runs there
//! any more; a policy says which, at ticks.

#[cfg(test)]
mod checked;
mod draining;
mod power;
mod scaling;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::{SimDuration, SimTime};
use rand_pcg::Pcg64Mcg;

use super::ticks::Ticks;
use crate::distribution::Sampler;
use crate::node::NodeId;

/// The pools of a service.
#[derive(Debug, Default)]
pub(super) struct NodePools {
    pools: Vec<Pool>,
    members: BTreeMap<NodeId, Member>,
    /// The nodes that drain.
    draining: BTreeSet<NodeId>,
    ticks: Ticks,
}

/// A pool.
#[derive(Debug)]
struct Pool {
    min: u32,
    max: u32,
    /// By number.
    nodes: Vec<NodeId>,
    boot: Option<Sampler>,
    random: Pcg64Mcg,
    keeps_disk: bool,
}

/// A node of a pool.
#[derive(Debug)]
struct Member {
    pool: usize,
    state: State,
    /// Since when it stands so.
    since: SimTime,
    /// When it was asked for, came up, and began to drain; of the last time that it was on.
    asked_at: SimTime,
    up_at: Option<SimTime>,
    draining_at: Option<SimTime>,
}

/// How it stands with a node of a pool, faults aside.
#[derive(Debug)]
enum State {
    Off,
    Booting(EventHandle),
    Up,
    Draining,
}

impl NodePools {
    /// Whoever is asked from now on is asked at dates that are so far apart, in ns.
    pub fn set_tick_period(&mut self, nanos: u64) {
        self.ticks.set_period(nanos);
    }

    /// Whether there are any.
    pub fn are_there(&self) -> bool {
        !self.pools.is_empty()
    }

    /// How many nodes are off, or boot.
    pub fn count_off(&self) -> usize {
        self.members.values().filter(|member| matches!(member.state, State::Off | State::Booting(_))).count()
    }

    /// Whether nodes drain.
    #[inline]
    pub fn are_draining(&self) -> bool {
        !self.draining.is_empty()
    }

    /// Whether a node drains.
    #[inline]
    pub fn is_draining(&self, node: NodeId) -> bool {
        !self.draining.is_empty() && self.draining.contains(&node)
    }

    /// Whether a node is there as far as its pool knows, so that it can fail, and is back after that.
    pub fn is_powered(&self, node: NodeId) -> bool {
        self.members.get(&node).is_none_or(|member| matches!(member.state, State::Up | State::Draining))
    }
}

impl Pool {
    fn draw_boot(&mut self) -> SimDuration {
        let Self { boot, random, .. } = self;
        SimDuration::from_secs_f64(boot.as_ref().map_or(0.0, |boot| boot.draw(random)))
    }
}
