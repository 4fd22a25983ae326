//! Node allocation `consistent-hashing`, with bounded loads: Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with
//! Bounded Loads", SODA 2018.
//!
//! Nodes stand at `points` (100) points each on a ring, functions at one (Karger et al., STOC 1997). An invocation walks
//! from its function's point and takes the first node
//!
//! - with a free core, and an idle container of the function or room that can be made for a new one, whose load stays
//!   within `⌈(1 + ε) × average⌉`: load is the invocations that the node runs, the average that of all nodes that are up,
//!   both with this invocation;
//! - if there is none, the first that can run it whatever its load, so nobody waits while there is a place.
//!
//! With a small ε load is even and functions spread; with a large one they stay at home. The paper leaves ε open; 0.25 is
//! what the load balancers of the field set.

use hearth_policy_api::*;
use hearth_policy_toolbox::HashRing;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<ConsistentHashing>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`ConsistentHashing`].
    pub struct Settings {
        /// how far above the average a node's load may be
        epsilon: number(0.0..=1e9) = 0.25;
        /// at how many points of the ring a node stands
        points: integer(1..=10_000) = 100, "points";
    }
}

/// The policy, its ring and the load of the nodes.
#[derive(Debug)]
pub struct ConsistentHashing {
    ring: HashRing,
    /// Nodes that a walk has met.
    seen: NodeBits,
    epsilon: f64,
    /// By node: invocations that run there; `None` where the node is down.
    loads: Vec<Option<u32>>,
    total: u64,
    up: u64,
}

impl ConsistentHashing {
    fn set_load(&mut self, node: u32, load: Option<u32>) {
        let before = std::mem::replace(&mut self.loads[node as usize], load);
        self.total = self.total + u64::from(load.unwrap_or(0)) - u64::from(before.unwrap_or(0));
        self.up = self.up + u64::from(load.is_some()) - u64::from(before.is_some());
    }

    /// The load that no node may exceed with one invocation more on all of them.
    fn bound(&self) -> f64 {
        ((1.0 + self.epsilon) * (self.total + 1) as f64 / self.up.max(1) as f64).ceil()
    }
}

/// More points of a ring are a slip of the pen: each takes 16 bytes.
const MAX_POINTS: u64 = 100_000_000;

impl Policy for ConsistentHashing {
    const NAME: &'static str = "consistent-hashing";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "consistent hashing with bounded loads";
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        let Settings { epsilon, points } = settings;
        let all = u64::from(context.nodes) * points;
        if all > MAX_POINTS {
            let (nodes, gigabytes) = (context.nodes, all * 16 / 1_000_000_000);
            return Err(PolicyError::new(format!(
                "points: {points} for each of {nodes} nodes would need {gigabytes} GB, expected at most {MAX_POINTS} in all"
            )));
        }
        let ring = HashRing::new(context.nodes, points as u32);
        let loads = vec![None; context.nodes as usize];
        let seen = HashRing::nobody(context.nodes);
        Ok(Self { ring, seen, epsilon, loads, total: 0, up: 0 })
    }
}

impl NodeAllocation for ConsistentHashing {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes: true, ..AllocationRules::default() }
    }

    fn observe(&mut self, node: u32, view: &NodeView, up: bool) {
        self.set_load(node, up.then_some(view.running));
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let bound = self.bound();
        let running = |node: u32| cluster.nodes[node as usize].running;
        let fits = |node: &u32| {
            cluster.free_core.contains(*node)
                && (cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request))
        };
        let key = u64::from(request.function);
        let is_within = |node: &u32| f64::from(running(*node) + 1) <= bound && fits(node);
        let within = self.ring.walk(key, &mut self.seen).find(is_within);
        match within.or_else(|| self.ring.walk(key, &mut self.seen).find(fits)) {
            None => Placement::Wait,
            Some(node) => {
                self.set_load(node, Some(running(node) + 1));
                Placement::Node(node)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, TestCluster};

    use super::*;

    #[test]
    fn a_ring_that_no_memory_holds_is_refused() {
        let settings = Settings { points: 10_000, ..Settings::default() };
        let context = PolicyContext { nodes: 1_000_000, ..PolicyContext::default() };
        let error = ConsistentHashing::new(settings, &context).unwrap_err().to_string();
        let expected = "points: 10000 for each of 1000000 nodes would need 160 GB, expected at most 100000000 in all";
        assert_eq!(error, expected);
    }

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    /// A policy for five nodes that has been told of them.
    fn policy(epsilon: f64, cluster: &TestCluster) -> ConsistentHashing {
        let settings = Settings { epsilon, ..Settings::default() };
        let context = PolicyContext { nodes: cluster.nodes.len() as u32, ..PolicyContext::default() };
        let mut policy = ConsistentHashing::new(settings, &context).unwrap();
        (0..).zip(&cluster.nodes).for_each(|(node, view)| policy.observe(node, view, true));
        policy
    }

    #[test]
    fn a_worked_example() {
        let request = RequestView { function: 4, ram_limit: 10, ..RequestView::default() };
        let mut cluster = TestCluster::new(5);
        let walk: Vec<u32> = policy(0.25, &cluster).ring.walk(4, &mut HashRing::nobody(5)).collect();
        assert_eq!(policy(0.25, &cluster).place(&request, &cluster.view()), Placement::Node(walk[0]));
        // 2 run at home, of 7 on all: ⌈1.25 × 8 / 5⌉ = 2 may run on a node, ⌈1.5 × 8 / 5⌉ = 3.
        for (node, running) in walk.iter().zip([2, 2, 1, 1, 1]) {
            cluster.nodes[*node as usize].running = running;
        }
        assert_eq!(policy(0.25, &cluster).place(&request, &cluster.view()), Placement::Node(walk[2]));
        assert_eq!(policy(0.5, &cluster).place(&request, &cluster.view()), Placement::Node(walk[0]));
        // Without room on those within the bound, one beyond it.
        walk[2..].iter().for_each(|node| cluster.nodes[*node as usize].free_ram = 0);
        assert_eq!(policy(0.25, &cluster).place(&request, &cluster.view()), Placement::Node(walk[0]));
    }

    #[test]
    fn decisions_of_the_same_round_count() {
        let mut cluster = TestCluster::new(5);
        let mut policy = policy(0.25, &cluster);
        let request = RequestView::default();
        for _ in 0..3 {
            let Placement::Node(node) = policy.place(&request, &cluster.view()) else { panic!("nowhere") };
            cluster.nodes[node as usize].running += 1;
        }
        assert_eq!((policy.total, policy.up), (3, 5));
        assert_eq!(policy.bound(), 1.0);
    }
}
