//! What a policy is shown of a pool of nodes, and of those who have found no place.

use std::collections::BTreeMap;

use hearth_policy_api::{NodePoolView, NodeState, PendingView, PoolNodeView, PoolScale, Records};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimTime;

use super::State;
use crate::error::Error;
use crate::function::{FunctionId, MILLIONTHS};
use crate::node::NodeId;
use crate::policy::{Method, Mistake, PolicySlot};
use crate::service::Service;
use crate::service::event::Event;

/// Those of a function that have found no place: how many, and since when the first of them waits.
type Pending = BTreeMap<FunctionId, (u64, SimTime)>;

impl Service {
    /// Asks which nodes of a pool come and go.
    pub(super) fn ask_about_pool(&mut self, pool: usize, kernel: &Kernel<Event>) -> Result<PoolScale, Box<Error>> {
        let (nodes, pending) = (self.pool_nodes(pool, kernel), self.pending());
        let Some(settings) = self.node_pools.pools.get(pool) else { return Ok(PoolScale::default()) };
        let view = NodePoolView {
            pool: pool as u32,
            now: kernel.now().as_nanos(),
            min: settings.min,
            max: settings.max,
            nodes: Records::new(&nodes),
            pending: Records::new(&pending),
            ..NodePoolView::default()
        };
        self.policies.scale_pool(&view)
    }

    /// The error for a node that was to go and is not of the pool.
    pub(super) fn wrong_node_of_pool(&self, node: NodeId, pool: usize) -> Box<Error> {
        let cause = format!("has node {} of pool {pool} go off, which has no such node", node.0);
        self.policies.error(Mistake::new(PolicySlot::ClusterAutoscaling, Method::ScalePool, cause))
    }

    /// The nodes of a pool, by number.
    fn pool_nodes(&self, pool: usize, kernel: &Kernel<Event>) -> Vec<PoolNodeView> {
        let members = self.node_pools.members.iter().filter(|(_, member)| member.pool == pool);
        let view = |(node, member): (&NodeId, &super::Member)| {
            let (held, shown) = (self.cluster.node(*node), self.cluster.node_view(*node));
            let millionths = |cores: u32| (f64::from(cores) * MILLIONTHS) as u64;
            PoolNodeView {
                node: node.0,
                state: match member.state {
                    State::Off => NodeState::Off,
                    State::Booting(_) => NodeState::Booting,
                    State::Draining => NodeState::Draining,
                    State::Up if kernel.is_up(held.host) => NodeState::Up,
                    State::Up => NodeState::Failed,
                },
                running: shown.running,
                since: member.since.as_nanos(),
                ram: shown.ram,
                used_ram: shown.ram.saturating_sub(shown.free_ram + shown.unused_image_ram),
                idle_ram: shown.idle_ram,
                processors: millionths(held.cores),
                used_processors: match &held.processors {
                    Some(shared) => shared.taken(),
                    None => millionths(shown.running),
                },
                ..PoolNodeView::default()
            }
        };
        members.map(view).collect()
    }

    /// Who has found no place on any node, by function.
    fn pending(&self) -> Vec<PendingView> {
        let mut pending = Pending::new();
        let mut add = |function: FunctionId, count: u64, since: SimTime| {
            let of_function = pending.entry(function).or_insert((0, since));
            *of_function = (of_function.0 + count, of_function.1.min(since));
        };
        self.attempts.queue().for_each_function(|function, count, first| {
            add(function, count, SimTime::from_nanos(first.submitted_at));
        });
        for key in self.attempts.standing_at_nodes() {
            if let Some(attempt) = self.attempts.get(key) {
                add(attempt.record.function, 1, attempt.record.submitted_at.unwrap_or_default());
            }
        }
        self.instances.without_node().for_each(|(function, since)| add(function, 1, since));
        let view = |(function, (count, since)): (FunctionId, (u64, SimTime))| {
            let footprint = self.cluster.footprint(function);
            let has_core = self.instances.serve(function) || self.cluster.shares_processors();
            PendingView {
                function: function.0,
                count,
                since: since.as_nanos(),
                ram: footprint.ram,
                disk: footprint.disk,
                processors: if has_core { footprint.processors } else { MILLIONTHS as u64 },
                ..PendingView::default()
            }
        };
        pending.into_iter().map(view).collect()
    }
}
