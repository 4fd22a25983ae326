//! Node allocation `sparrow`: each request stands in the queues of `probes` (2) nodes that are drawn at random, and the first of
//! these with a free core takes it (late binding: Ousterhout, Wendell, Zaharia and Stoica, "Sparrow: Distributed, Low Latency
//! Scheduling", SOSP 2013). Nodes are drawn without repetition from those that are up and large enough for a container of the
//! function; a request whose nodes have all gone down is asked about again.
//!
//! What differs: a job of the paper has many tasks, which share their probes (batch sampling); here each request is a job of one
//! task. Probes take no time, and places in the queues of the other nodes are given up at once.

use hearth_policy_api::*;
use hearth_policy_toolbox::random_stream;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<Sparrow>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Sparrow`].
    pub struct Settings {
        /// in the queues of how many nodes each request stands
        probes: integer(1..=1_000_000) = 2, "nodes";
    }
}

/// The policy and its stream of random numbers.
#[derive(Debug)]
pub struct Sparrow {
    probes: usize,
    stream: Pcg64Mcg,
    /// Kept for its memory.
    nodes: Vec<u32>,
}

impl Policy for Sparrow {
    const NAME: &'static str = "sparrow";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "queues at a few nodes drawn at random; the first free core takes it";
    // Who is drawn nowhere else waits while nodes are idle.
    const CLAIMS: Claims = Claims { work_conserving: false, ..Claims::ALL };
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        let (probes, stream) = (settings.probes as usize, random_stream(context.seed));
        Ok(Self { probes, stream, nodes: Vec::new() })
    }
}

impl NodeAllocation for Sparrow {
    fn rules(&self) -> AllocationRules {
        AllocationRules { queues: true, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let is_large_enough = |node: &u32| {
            let view = cluster.nodes.get(*node as usize);
            view.is_some_and(|view| view.ram >= request.ram_limit && view.disk >= request.disk_limit)
        };
        self.nodes.clear();
        self.nodes.extend(cluster.up.iter().filter(is_large_enough));
        let (drawn, _) = self.nodes.partial_shuffle(&mut self.stream, self.probes);
        if drawn.is_empty() {
            return Placement::Wait;
        }
        Placement::Queue { nodes: (&*drawn).into(), until: u64::MAX }
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

    /// The nodes of an answer, by number.
    fn drawn(probes: u64, seed: u64, cluster: &TestCluster, request: &RequestView) -> Vec<u32> {
        let context = PolicyContext { seed, nodes: 4, ..PolicyContext::default() };
        let answer = Sparrow::new(Settings { probes }, &context).unwrap().place(request, &cluster.view());
        let Placement::Queue { nodes, until: u64::MAX } = answer else { return Vec::new() };
        let mut nodes = nodes.to_vec();
        nodes.sort_unstable();
        nodes
    }

    #[test]
    fn nodes_are_drawn_that_are_large_enough_each_once() {
        let mut cluster = TestCluster::new(4);
        let request = RequestView { ram_limit: 1, ..RequestView::default() };
        cluster.nodes[3].ram = 0;
        let mut counts = [0; 4];
        for seed in 0..3_000 {
            let nodes = drawn(2, seed, &cluster, &request);
            assert!(nodes.len() == 2 && nodes[0] < nodes[1], "{nodes:?}");
            nodes.iter().for_each(|node| counts[*node as usize] += 1);
        }
        assert!(counts[..3].iter().all(|count| (1_900..2_100).contains(count)) && counts[3] == 0, "{counts:?}");
        assert_eq!(drawn(9, 0, &cluster, &request), [0, 1, 2]);
        cluster.nodes.iter_mut().for_each(|node| node.ram = 0);
        assert!(drawn(2, 0, &cluster, &request).is_empty());
    }
}
