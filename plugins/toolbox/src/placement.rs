//! The usual ways to choose a node, as parts of other policies.

use hearth_policy_api::{ClusterView, NodeView, ParameterSpec, Parameters, RequestView, word};

/// The parameter with which a policy lets its user choose a [`PlacementRule`].
pub const PLACEMENT: ParameterSpec = ParameterSpec::choice(
    "placement",
    &[word("least-loaded"), word("first-fit"), word("best-fit"), word("worst-fit")],
    "least-loaded",
    "how a node is chosen",
);

/// How to choose among the nodes with a free core on which an invocation can run. All prefer a node with an idle
/// container of the function; then one that has room as it is to one that must evict something.
///
/// ```
/// use hearth_policy_api::RequestView;
/// use hearth_policy_api::testkit::TestCluster;
/// use hearth_policy_toolbox::PlacementRule;
/// let mut cluster = TestCluster::new(3);
/// cluster.nodes[0].running = 2;
/// cluster.nodes[1].running = 1;
/// cluster.nodes[2].running = 3;
/// let request = RequestView::default();
/// assert_eq!(PlacementRule::LeastLoaded.choose(&request, &cluster.view()), Some(1));
/// cluster.idle_container.insert(2);
/// assert_eq!(PlacementRule::LeastLoaded.choose(&request, &cluster.view()), Some(2));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlacementRule {
    /// The lowest number.
    FirstFit,
    /// The least RAM left.
    BestFit,
    /// The most RAM left.
    WorstFit,
    /// The fewest invocations running.
    LeastLoaded,
}

impl PlacementRule {
    /// The rule that the parameter [`PLACEMENT`] asks for.
    pub fn of(parameters: &Parameters) -> Self {
        match parameters.choice("placement") {
            "first-fit" => Self::FirstFit,
            "best-fit" => Self::BestFit,
            "worst-fit" => Self::WorstFit,
            _ => Self::LeastLoaded,
        }
    }

    /// Nodes with lower keys are chosen.
    fn key(self, node: &NodeView) -> u64 {
        match self {
            Self::FirstFit => 0,
            Self::BestFit => node.free_ram,
            Self::WorstFit => u64::MAX - node.free_ram,
            Self::LeastLoaded => u64::from(node.running),
        }
    }

    /// The node for an invocation; `None` if it can run nowhere now. Takes time in proportion to the number of nodes with
    /// a free core.
    pub fn choose(self, request: &RequestView, cluster: &ClusterView<'_>) -> Option<u32> {
        let nodes = cluster.nodes.as_slice();
        let lowest = |candidates: &mut dyn Iterator<Item = u32>| {
            candidates.min_by_key(|node| (self.key(&nodes[*node as usize]), *node))
        };
        let free = || cluster.free_core.iter();
        lowest(&mut cluster.free_core.iter_also_in(&cluster.idle_container))
            .or_else(|| lowest(&mut free().filter(|node| nodes[*node as usize].has_room(request))))
            .or_else(|| lowest(&mut free().filter(|node| nodes[*node as usize].can_make_room(request))))
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::TestCluster;

    use super::*;

    #[test]
    fn each_rule_has_its_own_favourite() {
        let mut cluster = TestCluster::new(4);
        for (node, free_ram, running) in [(0, 50, 3), (1, 90, 2), (2, 20, 2), (3, 5, 0)] {
            cluster.nodes[node].free_ram = free_ram;
            cluster.nodes[node].running = running;
        }
        let request = RequestView { ram_limit: 10, ..RequestView::default() };
        let chosen = |rule: PlacementRule| rule.choose(&request, &cluster.view());
        assert_eq!(chosen(PlacementRule::FirstFit), Some(0));
        assert_eq!(chosen(PlacementRule::BestFit), Some(2));
        assert_eq!(chosen(PlacementRule::WorstFit), Some(1));
        assert_eq!(
            chosen(PlacementRule::LeastLoaded),
            Some(1),
            "the lower number of two, and not the one without room"
        );
    }

    #[test]
    fn room_comes_before_eviction_and_nowhere_is_none() {
        let mut cluster = TestCluster::new(2);
        for node in &mut cluster.nodes {
            (node.free_ram, node.idle_ram) = (0, 0);
        }
        let request = RequestView { ram_limit: 10, ..RequestView::default() };
        assert_eq!(PlacementRule::FirstFit.choose(&request, &cluster.view()), None);
        cluster.nodes[0].idle_ram = 10;
        assert_eq!(PlacementRule::FirstFit.choose(&request, &cluster.view()), Some(0));
        cluster.nodes[1].free_ram = 10;
        assert_eq!(PlacementRule::FirstFit.choose(&request, &cluster.view()), Some(1));
    }
}
