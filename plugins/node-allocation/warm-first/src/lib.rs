//! Node allocation `warm-first`: among the nodes with a free core and an idle container of the function, the one that
//! `placement` chooses; if there is none, among all that have or can make room.
//!
//! `placement` is `least-loaded` (fewest invocations running, the default), `most-loaded`, `first-fit` (lowest number),
//! `best-fit` (least RAM left) or `worst-fit` (most RAM left). Whatever it is, no cold start happens while a warm container
//! is within reach.

use hearth_policy_api::*;
use hearth_policy_toolbox::{PLACEMENT, PlacementRule};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<WarmFirst>();
export_policies!(POLICY);

/// The policy.
#[derive(Debug)]
pub struct WarmFirst {
    placement: PlacementRule,
}

impl Policy for WarmFirst {
    const NAME: &'static str = "warm-first";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "a node with an idle container, else as another rule says";
    const PARAMETERS: &'static [ParameterSpec] = &[PLACEMENT];

    fn new(parameters: &Parameters, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { placement: PlacementRule::of(parameters) })
    }
}

impl NodeAllocation for WarmFirst {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.placement.choose_warm_first(request, cluster).into()
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
        for (node, running) in [(0, 0), (1, 4), (2, 2)] {
            cluster.nodes[node].running = running;
        }
        let request = RequestView::default();
        let mut parameters = Parameters::defaults(WarmFirst::PARAMETERS);
        let mut place = |cluster: &TestCluster, placement| {
            parameters.set("placement", ParameterValue::Choice(word(placement))).unwrap();
            WarmFirst::new(&parameters, &PolicyContext::default()).unwrap().place(&request, &cluster.view())
        };
        assert_eq!(place(&cluster, "least-loaded"), Placement::Node(0));
        cluster.idle_container.insert(1);
        cluster.idle_container.insert(2);
        assert_eq!(place(&cluster, "least-loaded"), Placement::Node(2));
        assert_eq!(place(&cluster, "most-loaded"), Placement::Node(1));
        assert_eq!(place(&cluster, "first-fit"), Placement::Node(1));
    }
}
