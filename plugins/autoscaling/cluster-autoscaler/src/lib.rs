//! Autoscaling `cluster-autoscaler`: which nodes of pools come and go, by the rules of Kubernetes' Cluster Autoscaler
//! (`kubernetes/autoscaler`, its FAQ and the defaults of its flags).
//!
//! At each tick, which are `scan_interval` (10 s) apart:
//!
//! - **Up.** Those who have found no place, the greatest first, are put where there is room on the nodes that are up or boot; for the
//!   others so many nodes are booted as they fill, each put on the first of these that has room (first fit decreasing). Idle
//!   containers make room; who fits on no node boots none.
//! - **Down.** A node is a *candidate* if it is up and the greater of the parts of its RAM and cores that are taken is below
//!   `scale_down_utilization_threshold` (0.5). Of these, from the one with least in use on, each is *unneeded* whose RAM and cores in use
//!   are no more than what is free in sum on the others that are up and were not found unneeded before it at that tick: whether each
//!   piece finds room on one of them is not asked. One that has been unneeded at every tick for `scale_down_unneeded_time` (10 min)
//!   goes: of those on which nothing is in use up to `max_empty_bulk_delete` (10) at once, or else one other. None goes within
//!   `scale_down_delay_after_add` (10 min) of the last boot.
//!
//! Nodes that have failed are left alone.

mod packing;

use std::collections::BTreeMap;

use hearth_policy_api::*;

use crate::packing::{Room, pack};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::autoscaling::<ClusterAutoscaler>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`ClusterAutoscaler`].
    #[derive(Clone, Copy, Debug)]
    pub struct Settings {
        /// how long it is from one look to the next
        scan_interval: duration = 10_000_000_000;
        /// how long a node is unneeded before it goes
        scale_down_unneeded_time: duration = 600_000_000_000;
        /// below which part of its RAM or cores in use a node is unneeded
        scale_down_utilization_threshold: number(0.0..=1.0) = 0.5;
        /// how long after a boot no node goes
        scale_down_delay_after_add: duration = 600_000_000_000;
        /// how many nodes without anybody go at once
        max_empty_bulk_delete: integer(1..=1_000_000) = 10, "nodes";
    }
}

/// The policy.
#[derive(Debug)]
pub struct ClusterAutoscaler {
    settings: Settings,
    /// By pool and node: since when it is unneeded.
    unneeded: BTreeMap<(u32, u32), u64>,
    /// By pool: when a node was booted last.
    last_boot: BTreeMap<u32, u64>,
}

impl Policy for ClusterAutoscaler {
    const NAME: &'static str = "cluster-autoscaler";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "nodes for those who find no place; unneeded ones go";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        if settings.scan_interval == 0 {
            return Err(PolicyError::new(
                "the parameter scan_interval must be more than 0, or no node would ever come",
            ));
        }
        Ok(Self { settings, unneeded: BTreeMap::new(), last_boot: BTreeMap::new() })
    }
}

impl Autoscaling for ClusterAutoscaler {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: self.settings.scan_interval, scales_pools: true, ..AutoscalingRules::default() }
    }

    fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> PoolScale {
        let boot = self.missing(pool);
        if boot > 0 {
            self.last_boot.insert(pool.pool, pool.now);
        }
        self.look_for_unneeded(pool);
        let delay = self.settings.scale_down_delay_after_add;
        let is_too_soon = self.last_boot.get(&pool.pool).is_some_and(|last| pool.now.saturating_sub(*last) < delay);
        let remove = if is_too_soon { NodeList::EMPTY } else { self.unneeded_for_long(pool) };
        PoolScale { boot, remove }
    }
}

impl ClusterAutoscaler {
    /// How many nodes are missing for those who have found no place.
    fn missing(&self, pool: &NodePoolView<'_>) -> u32 {
        let with_state = |state: NodeState| pool.nodes.iter().filter(move |node| node.state == state);
        let mut there: Vec<Room> = with_state(NodeState::Up).map(Room::beside_those_in_use).collect();
        there.extend(with_state(NodeState::Booting).map(Room::of_all));
        let mut off: Vec<Room> =
            with_state(NodeState::Draining).chain(with_state(NodeState::Off)).map(Room::of_all).collect();
        let limit = pool.max.saturating_sub(pool.scale()) as usize;
        off.truncate(limit);
        pack(pool.pending.iter(), &mut there, &mut off) as u32
    }

    /// Notes which nodes are unneeded, and since when.
    fn look_for_unneeded(&mut self, pool: &NodePoolView<'_>) {
        let threshold = self.settings.scale_down_utilization_threshold;
        let up = || pool.nodes.iter().filter(|node| node.state == NodeState::Up);
        let is_candidate = |node: &&PoolNodeView| node.utilisation() < threshold;
        // What the nodes hold that stay: it takes what goes elsewhere.
        let mut rest: Vec<Room> = up().filter(|node| !is_candidate(node)).map(Room::beside_those_in_use).collect();
        let mut candidates: Vec<&PoolNodeView> = up().filter(is_candidate).collect();
        // Those with least in use first: they are the easiest to do without.
        candidates.sort_by_key(|node| (Room::in_use(node).ram, node.node));
        let mut unneeded = BTreeMap::new();
        while let Some((node, others)) = candidates.split_first() {
            let mut there = rest.clone();
            there.extend(others.iter().map(|node| Room::beside_those_in_use(node)));
            if Room::in_use(node).is_nothing() || packing::takes(&there, Room::in_use(node)) {
                let since = self.unneeded.get(&(pool.pool, node.node)).copied().unwrap_or(pool.now);
                unneeded.insert((pool.pool, node.node), since);
            } else {
                rest.push(Room::beside_those_in_use(node));
            }
            candidates.remove(0);
        }
        self.unneeded.retain(|(of, _), _| *of != pool.pool);
        self.unneeded.extend(unneeded);
    }

    /// Those that go now.
    fn unneeded_for_long(&self, pool: &NodePoolView<'_>) -> NodeList {
        let time = self.settings.scale_down_unneeded_time;
        let is_due = |node: &&PoolNodeView| {
            let since = self.unneeded.get(&(pool.pool, node.node));
            node.state == NodeState::Up && since.is_some_and(|since| pool.now.saturating_sub(*since) >= time)
        };
        let due: Vec<&PoolNodeView> = pool.nodes.iter().filter(is_due).collect();
        let empty = due.iter().filter(|node| Room::in_use(node).is_nothing());
        let empty: Vec<u32> = empty.take(self.settings.max_empty_bulk_delete as usize).map(|node| node.node).collect();
        if empty.is_empty() { due.first().map(|node| node.node).into_iter().collect() } else { empty.into() }
    }
}

#[cfg(test)]
mod tests;
