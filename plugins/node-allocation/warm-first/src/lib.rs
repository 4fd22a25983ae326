//! Node allocation `warm-first`: among the nodes with a free core and an idle container of the function, the one that
//! `placement` chooses; if there is none, among all that have or can make room.
//!
//! `placement` is `least-loaded` (fewest invocations running, the default), `most-loaded`, `first-fit` (lowest number),
//! `best-fit` (least RAM left) or `worst-fit` (most RAM left). Whatever it is, no cold start happens while a warm container
//! is within reach.

use hearth_policy_api::*;
use hearth_policy_toolbox::PlacementRule;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<WarmFirst>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`WarmFirst`].
    pub struct Settings {
        /// how a node is chosen among those that are as good
        placement: choice(PlacementRule) = PlacementRule::LeastLoaded;
    }
}

/// The policy.
#[derive(Debug)]
pub struct WarmFirst {
    placement: PlacementRule,
}

impl Policy for WarmFirst {
    const NAME: &'static str = "warm-first";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "a node with an idle container, else as another rule says";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { placement: settings.placement })
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
        let place = |cluster: &TestCluster, placement| {
            WarmFirst::new(Settings { placement }, &PolicyContext::default()).unwrap().place(&request, &cluster.view())
        };
        assert_eq!(place(&cluster, PlacementRule::LeastLoaded), Placement::Node(0));
        cluster.idle_container.insert(1);
        cluster.idle_container.insert(2);
        assert_eq!(place(&cluster, PlacementRule::LeastLoaded), Placement::Node(2));
        assert_eq!(place(&cluster, PlacementRule::MostLoaded), Placement::Node(1));
        assert_eq!(place(&cluster, PlacementRule::FirstFit), Placement::Node(1));
    }
}
