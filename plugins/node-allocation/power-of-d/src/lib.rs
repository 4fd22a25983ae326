//! Node allocation `power-of-d`: draws `d` (2) nodes at random and takes the one that runs the fewest invocations
//! (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001). Ties go to a node with
//! an idle container of the function, then to the lowest number.
//!
//! Nodes are drawn without repetition from those with a free core. If none of the drawn ones can run the invocation, the
//! least loaded of all that can is taken, so nobody waits while there is a place; the paper's servers have queues and take
//! everybody.

use hearth_policy_api::*;
use hearth_policy_toolbox::{PlacementRule, random_stream};
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<PowerOfD>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`PowerOfD`].
    pub struct Settings {
        /// how many nodes are drawn
        d: integer(1..=1_000_000) = 2, "nodes";
    }
}

/// The policy and its stream of random numbers.
#[derive(Debug)]
pub struct PowerOfD {
    d: usize,
    stream: Pcg64Mcg,
    free: Vec<u32>,
}

impl Policy for PowerOfD {
    const NAME: &'static str = "power-of-d";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the least loaded of a few drawn at random";
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { d: settings.d as usize, stream: random_stream(context.seed), free: Vec::new() })
    }
}

impl NodeAllocation for PowerOfD {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.free.clear();
        self.free.extend(cluster.free_core.iter());
        let (drawn, _) = self.free.partial_shuffle(&mut self.stream, self.d);
        let rule = PlacementRule::LeastLoaded;
        let best_drawn = rule.choose_among(drawn.iter().copied(), request, cluster);
        best_drawn.or_else(|| rule.choose(request, cluster)).into()
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

    fn policy(d: u64, seed: u64) -> PowerOfD {
        let context = PolicyContext { seed, nodes: 4, ..PolicyContext::default() };
        PowerOfD::new(Settings { d }, &context).unwrap()
    }

    /// How often each of four nodes is chosen that run 0, 1, 2 and 3 invocations.
    fn chosen(d: u64) -> [u32; 4] {
        let mut cluster = TestCluster::new(4);
        (0..4).for_each(|node| cluster.nodes[node as usize].running = node);
        let (mut policy, mut counts) = (policy(d, 1), [0; 4]);
        for _ in 0..6_000 {
            if let Placement::Node(node) = policy.place(&RequestView::default(), &cluster.view()) {
                counts[node as usize] += 1;
            }
        }
        counts
    }

    #[test]
    fn the_better_of_two_is_taken() {
        // Of the six pairs, three contain node 0, two of the others node 1, and one is left with node 2.
        let [first, second, third, last] = chosen(2);
        assert!((2_850..3_150).contains(&first) && (1_850..2_150).contains(&second), "{first} {second}");
        assert!((900..1_100).contains(&third) && last == 0, "{third} {last}");
        assert_eq!(chosen(4), [6_000, 0, 0, 0]);
        assert!(chosen(1).iter().all(|count| (1_350..1_650).contains(count)));
    }

    #[test]
    fn who_can_run_nowhere_drawn_runs_elsewhere() {
        let mut cluster = TestCluster::new(4);
        cluster.nodes.iter_mut().skip(1).for_each(|node| node.free_ram = 0);
        let request = RequestView { ram_limit: 1, ..RequestView::default() };
        for seed in 0..20 {
            assert_eq!(policy(1, seed).place(&request, &cluster.view()), Placement::Node(0));
        }
        cluster.nodes[0].free_ram = 0;
        assert_eq!(policy(1, 0).place(&request, &cluster.view()), Placement::Wait);
    }
}
