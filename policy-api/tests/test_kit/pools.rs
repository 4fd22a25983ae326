//! Seeds of policies that say which nodes of pools come and go.

use hearth_policy_api::*;

use super::{check_rows, defective, tick};

#[derive(Default)]
struct State {
    asked: Vec<u64>,
    calls: u64,
    few: [u64; 4],
}

defective!(
    PoolScaler,
    State,
    [
        "removes a node that is not there",
        "boots nothing",
        "is never asked",
        "subtracts below zero",
        "knows four nodes",
        "divides by the nodes that are up",
        "the clock",
        "grows with every call",
    ]
);

impl Autoscaling for PoolScaler {
    fn rules(&self) -> AutoscalingRules {
        let period = if self.is("is never asked") { 0 } else { AutoscalingRules::PERIOD };
        AutoscalingRules { period, scales_pools: true, ..AutoscalingRules::default() }
    }

    fn scale_pool(&mut self, pool: &NodePoolView<'_>) -> PoolScale {
        self.state.calls += 1;
        let waiting: u64 = pool.pending.iter().map(|pending| pending.count).sum();
        let unused = pool.nodes.iter().filter(|node| node.state == NodeState::Up && node.running == 0);
        let mut remove: NodeList = unused.map(|node| node.node).collect();
        let mut boot = u32::from(waiting > 0);
        match self.defect {
            "removes a node that is not there" if waiting > 100 => remove = NodeList::one(pool.nodes.len() as u32),
            "boots nothing" => boot = 0,
            "subtracts below zero" => {
                boot = boot.max((pool.count(NodeState::Booting) - pool.count(NodeState::Off)).min(1))
            }
            "knows four nodes" => {
                pool.nodes.iter().for_each(|node| self.state.few[node.node as usize] = node.since);
            }
            "divides by the nodes that are up" => boot = boot.max(4 / pool.count(NodeState::Up) / 100),
            "the clock" => boot = tick() as u32 % 3,
            "grows with every call" => self.state.asked.push(pool.now),
            _ => {}
        }
        PoolScale { boot, remove }
    }
}

#[test]
fn seeds_of_scaling_of_pools_are_caught() {
    check_rows(
        &PolicyDescriptor::autoscaling::<PoolScaler>(),
        &[
            ("removes a node that is not there", "has node 6 of a pool go off that has 6 nodes"),
            ("boots nothing", "boots no node for an hour though all are off and somebody waits"),
            ("is never asked", "says how many nodes pools have, and is never asked: its period is 0"),
            ("subtracts below zero", "attempt to subtract with overflow"),
            ("knows four nodes", "index out of bounds: the len is 4 but the index is 4"),
            ("divides by the nodes that are up", "attempt to divide by zero"),
            ("the clock", "does not do the same"),
            ("grows with every call", "memory grows with the number of calls"),
        ],
    );
}
