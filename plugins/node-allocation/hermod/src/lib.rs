//! Node allocation `hermod`: Kaffes, Yadwadkar and Kozyrakis, "Hermod: Principled and Practical Scheduling for Serverless
//! Functions", SoCC 2022.
//!
//! Hermod's load balancer is a hybrid: at low load it packs, so that containers are found warm and nodes stay empty; at
//! high load, when no core is free, it sends an invocation to the least loaded node. Here:
//!
//! - among the nodes with a free core that have an idle container of the function, the one that runs the most invocations;
//! - else among those with a free core and room for a new container, the one that runs the most; else among those that can
//!   make room by evicting;
//! - when every node runs as many invocations as it has cores: where processors are shared, the node that runs the fewest, warm ones
//!   first, whose cores it then shares, as in the paper. Where they are dedicated, invocations wait at the head, which the paper
//!   calls late binding, and go to the first core that is free: what is least loaded then.

use hearth_policy_api::*;
use hearth_policy_toolbox::PlacementRule;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<Hermod>();
export_policies!(POLICY);

/// The policy; it keeps no state.
#[derive(Debug)]
pub struct Hermod;

impl Policy for Hermod {
    const NAME: &'static str = "hermod";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "packs invocations onto nodes, warm ones first";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl NodeAllocation for Hermod {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        // Where processors are dedicated, this is so of every node with a free core.
        let has_idle_core = |node: &u32| {
            let node = &cluster.nodes[*node as usize];
            node.running < node.cores
        };
        let most = PlacementRule::MostLoaded;
        let warm = cluster.free_core.iter_also_in(&cluster.idle_container).filter(has_idle_core);
        let packed = most
            .choose_among(warm, request, cluster)
            .or_else(|| most.choose_among(cluster.free_core.iter().filter(has_idle_core), request, cluster));
        packed.or_else(|| PlacementRule::LeastLoaded.choose_warm_first(request, cluster)).into()
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
    fn a_worked_example() {
        let mut cluster = TestCluster::new(4);
        for (node, running) in [(0, 1), (1, 5), (2, 3), (3, 7)] {
            cluster.nodes[node].running = running;
        }
        let request = RequestView::default();
        assert_eq!(Hermod.place(&request, &cluster.view()), Placement::Node(3), "the most loaded");
        cluster.take_cores(3);
        assert_eq!(Hermod.place(&request, &cluster.view()), Placement::Node(1), "with a free core");
        cluster.idle_container.insert(0);
        cluster.idle_container.insert(2);
        assert_eq!(Hermod.place(&request, &cluster.view()), Placement::Node(2), "the most loaded of the warm ones");
    }

    #[test]
    fn a_worked_example_of_shared_processors() {
        // Of eight cores each, which are shared: all nodes are free at any time.
        let mut cluster = TestCluster::new(3);
        for (node, running) in [(0, 9), (1, 7), (2, 8)] {
            cluster.nodes[node].running = running;
        }
        let request = RequestView::default();
        cluster.idle_container.insert(2);
        assert_eq!(Hermod.place(&request, &cluster.view()), Placement::Node(1), "it has a core that nobody uses");
        cluster.nodes[1].running = 10;
        cluster.idle_container = NodeBits::new(3);
        assert_eq!(Hermod.place(&request, &cluster.view()), Placement::Node(2), "the least loaded");
        cluster.idle_container.insert(0);
        assert_eq!(Hermod.place(&request, &cluster.view()), Placement::Node(0), "a warm one before others");
    }
}
