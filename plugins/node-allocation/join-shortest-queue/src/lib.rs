//! Node allocation `join-shortest-queue`: each request goes at once to the queue of a node, where it stays (early binding), of the
//! node with the fewest invocations that run or queue there for each of its cores (Winston, "Optimality of the Shortest Line
//! Discipline", Journal of Applied Probability 14(1), 1977). Ties go to a node with an idle container of the function, then to
//! the lowest number.
//!
//! With `choices` (0: all nodes) that is the best of so many nodes that are drawn at random without repetition, the power of d
//! choices: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001; one choice is a random
//! node. Only nodes are looked at that are up and large enough for a container of the function.
//!
//! Who stands in a queue is not moved to another one that has become shorter, and may wait while a node elsewhere is idle. A
//! request whose node goes down is asked about again.

use std::cmp::Ordering;

use hearth_policy_api::*;
use hearth_policy_toolbox::random_stream;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<JoinShortestQueue>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`JoinShortestQueue`].
    pub struct Settings {
        /// how many nodes are drawn, of which the best is taken, or 0 for all
        choices: integer(0..=1_000_000) = 0, "nodes";
    }
}

/// The policy and its stream of random numbers.
#[derive(Debug)]
pub struct JoinShortestQueue {
    choices: usize,
    stream: Pcg64Mcg,
    /// Kept for its memory.
    nodes: Vec<u32>,
}

/// Which of two nodes has fewer for each of its cores, and is better where that is the same.
fn compare(one: u32, other: u32, cluster: &ClusterView<'_>) -> Ordering {
    let load = |node: u32| match cluster.nodes.get(node as usize) {
        Some(view) => (u64::from(view.running) + u64::from(view.queued), u64::from(view.cores)),
        None => (0, 0),
    };
    let ((load_of_one, cores_of_one), (load_of_other, cores_of_other)) = (load(one), load(other));
    // A fraction is less than another if it is so with both denominators in it.
    let by_load = (load_of_one * cores_of_other).cmp(&(load_of_other * cores_of_one));
    let is_cold = |node| !cluster.idle_container.contains(node);
    by_load.then_with(|| is_cold(one).cmp(&is_cold(other))).then_with(|| one.cmp(&other))
}

impl Policy for JoinShortestQueue {
    const NAME: &'static str = "join-shortest-queue";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "all requests go at once to the shortest queue of a node";
    // Of those that are in a queue nobody knows which node has a core first.
    const CLAIMS: Claims = Claims { work_conserving: false, ..Claims::ALL };
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        let (choices, stream) = (settings.choices as usize, random_stream(context.seed));
        Ok(Self { choices, stream, nodes: Vec::new() })
    }
}

impl NodeAllocation for JoinShortestQueue {
    fn rules(&self) -> AllocationRules {
        AllocationRules { queues: true, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let is_large_enough = |node: &u32| {
            let view = cluster.nodes.get(*node as usize);
            view.is_some_and(|view| view.ram >= request.ram_limit && view.disk >= request.disk_limit)
        };
        let nodes = cluster.up.iter().filter(is_large_enough);
        let best = if self.choices == 0 {
            nodes.min_by(|one, other| compare(*one, *other, cluster))
        } else {
            self.nodes.clear();
            self.nodes.extend(nodes);
            let (drawn, _) = self.nodes.partial_shuffle(&mut self.stream, self.choices);
            drawn.iter().copied().min_by(|one, other| compare(*one, *other, cluster))
        };
        best.map_or(Placement::Wait, Placement::queue_at)
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

    fn policy(choices: u64, seed: u64) -> JoinShortestQueue {
        let context = PolicyContext { seed, nodes: 4, ..PolicyContext::default() };
        JoinShortestQueue::new(Settings { choices }, &context).unwrap()
    }

    fn chosen(cluster: &TestCluster, request: &RequestView) -> Placement {
        policy(0, 0).place(request, &cluster.view())
    }

    #[test]
    fn the_shortest_queue_for_each_core_is_joined() {
        let mut cluster = TestCluster::new(3);
        let request = RequestView { ram_limit: 1, ..RequestView::default() };
        for (node, (cores, running, queued)) in [(8, 8, 1), (2, 2, 0), (4, 4, 0)].into_iter().enumerate() {
            let view = &mut cluster.nodes[node];
            (view.cores, view.running, view.queued) = (cores, running, queued);
        }
        assert_eq!(chosen(&cluster, &request), Placement::queue_at(1), "the lower of two that are full");
        cluster.idle_container.insert(2);
        assert_eq!(chosen(&cluster, &request), Placement::queue_at(2), "the one that is warm");
        cluster.nodes[2].queued = 1;
        assert_eq!(chosen(&cluster, &request), Placement::queue_at(1));
        cluster.nodes[1].queued = 1;
        assert_eq!(chosen(&cluster, &request), Placement::queue_at(0), "9 / 8 < 5 / 4 < 3 / 2");
        cluster.nodes[0].ram = 0;
        assert_eq!(chosen(&cluster, &request), Placement::queue_at(2));
        cluster.nodes.iter_mut().for_each(|node| node.ram = 0);
        assert_eq!(chosen(&cluster, &request), Placement::Wait);
    }

    #[test]
    fn the_better_of_two_that_are_drawn_is_joined() {
        let mut cluster = TestCluster::new(4);
        (0..4).for_each(|node| cluster.nodes[node as usize].queued = node);
        let (mut policy, mut counts) = (policy(2, 1), [0; 4]);
        for _ in 0..6_000 {
            if let Placement::Queue { nodes, .. } = policy.place(&RequestView::default(), &cluster.view()) {
                counts[nodes[0] as usize] += 1;
            }
        }
        // Of the six pairs, three contain node 0, two of the others node 1, and one is left with node 2.
        let [first, second, third, last] = counts;
        assert!((2_850..3_150).contains(&first) && (1_850..2_150).contains(&second), "{first} {second}");
        assert!((900..1_100).contains(&third) && last == 0, "{third} {last}");
    }
}
