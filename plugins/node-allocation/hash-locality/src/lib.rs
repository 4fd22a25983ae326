//! Node allocation `hash-locality`: each function has a home node, and steps of its own from there, as in the load balancer
//! of Apache OpenWhisk (`ShardingContainerPoolBalancer`).
//!
//! With `n` nodes: home = `hash(function) mod n`; step = one of the numbers up to `n` that are coprime to `n` and to each
//! other, chosen by the hash too. The nodes home, home + step, home + 2 step … (mod n) are tried, which are all nodes, each
//! once, and the first with a free core takes the invocation that has an idle container of the function or can make room
//! for a new one. So invocations of a function meet on few nodes, and functions that share a home part after the first
//! step.
//!
//! What differs: OpenWhisk counts memory slots only, and when all nodes are full it sends the invocation to a random one,
//! whose queue it joins; here it waits at the head. Its hash is of the function's name, here it is of its number.

use hearth_policy_api::*;
use hearth_policy_toolbox::mix;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<HashLocality>();
export_policies!(POLICY);

/// The policy and the steps to choose from.
#[derive(Debug)]
pub struct HashLocality {
    nodes: u32,
    steps: Vec<u32>,
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

impl HashLocality {
    /// The policy for so many nodes.
    pub fn new(nodes: u32) -> Self {
        let mut steps: Vec<u32> = Vec::new();
        for step in 1..=nodes {
            let is_coprime = |other| greatest_common_divisor(step, other) == 1;
            if is_coprime(nodes) && steps.iter().copied().all(is_coprime) {
                steps.push(step);
            }
        }
        Self { nodes, steps }
    }

    /// All nodes in the order in which a function tries them.
    fn walk(&self, function: u32) -> impl Iterator<Item = u32> {
        let (hash, nodes) = (mix(u64::from(function)), u64::from(self.nodes));
        // Home and step are drawn from different bits.
        let choice = (hash >> 32) as usize % self.steps.len().max(1);
        let step = self.steps.get(choice).copied().map_or(1, u64::from);
        (0..nodes).map(move |tries| ((hash % nodes + tries * step) % nodes) as u32)
    }
}

impl Policy for HashLocality {
    const NAME: &'static str = "hash-locality";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "a home node for each function by hash, and steps from there";
    type Parameters = ();

    fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::new(context.nodes))
    }
}

impl NodeAllocation for HashLocality {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let fits = |node: &u32| {
            cluster.free_core.contains(*node)
                && (cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request))
        };
        self.walk(request.function).find(fits).into()
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, TestCluster};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn steps_are_coprime_to_the_nodes_and_each_other() {
        assert_eq!(HashLocality::new(10).steps, [1, 3, 7]);
        assert_eq!(HashLocality::new(9).steps, [1, 2, 5, 7]);
        assert_eq!(HashLocality::new(1).steps, [1]);
    }

    #[test]
    fn a_walk_meets_every_node_once() {
        let policy = HashLocality::new(10);
        let mut starts = std::collections::BTreeSet::new();
        for function in 0..100 {
            let mut walk: Vec<u32> = policy.walk(function).collect();
            starts.insert((walk[0], walk[1]));
            walk.sort_unstable();
            assert_eq!(walk, (0..10).collect::<Vec<_>>());
        }
        assert!(starts.len() > 25, "ten homes with three steps each: {}", starts.len());
    }

    #[test]
    fn the_first_of_the_walk_that_can_takes_it() {
        let mut policy = HashLocality::new(5);
        let walk: Vec<u32> = policy.walk(3).collect();
        let mut cluster = TestCluster::new(5);
        let request = RequestView { function: 3, ram_limit: 10, ..RequestView::default() };
        for node in &walk {
            assert_eq!(policy.place(&request, &cluster.view()), Placement::Node(*node));
            if node % 2 == 0 {
                cluster.take_cores(*node);
            } else {
                cluster.nodes[*node as usize].free_ram = 0;
            }
        }
        assert_eq!(policy.place(&request, &cluster.view()), Placement::Wait);
    }
}
