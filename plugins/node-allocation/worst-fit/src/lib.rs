//! Node allocation `worst-fit`: of the nodes with a free core that have an idle container of the function or room for a new
//! one, the one that is left with the most RAM; if there is none, the same of those that can make room by evicting.
//!
//! An idle container takes no more RAM, so its node is left with what is free. Ties go to a node with an idle container, then
//! to the lowest number. Memory is spread evenly, so the fewest containers are evicted.

use hearth_policy_api::*;
use hearth_policy_toolbox::PlacementRule;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<WorstFit>();
export_policies!(POLICY);

/// The policy; it keeps no state.
#[derive(Debug)]
pub struct WorstFit;

impl Policy for WorstFit {
    const NAME: &'static str = "worst-fit";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the node that is left with the most RAM";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl NodeAllocation for WorstFit {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        PlacementRule::WorstFit.choose(request, cluster).into()
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
        let mut cluster = TestCluster::new(3);
        for (node, free_ram) in [(0, 70), (1, 90), (2, 60)] {
            cluster.nodes[node].free_ram = free_ram;
        }
        let request = RequestView { ram_limit: 30, ..RequestView::default() };
        // 40, 60 and 30 would be left.
        assert_eq!(WorstFit.place(&request, &cluster.view()), Placement::Node(1));
        cluster.idle_container.insert(2);
        assert_eq!(
            WorstFit.place(&request, &cluster.view()),
            Placement::Node(2),
            "60 are left, and nothing is started"
        );
        cluster.take_cores(1);
        cluster.take_cores(2);
        assert_eq!(WorstFit.place(&request, &cluster.view()), Placement::Node(0));
    }
}
