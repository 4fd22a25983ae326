//! The usual ways to choose a node, as parts of other policies.

use hearth_policy_api::{ClusterView, NodeView, RequestView, choice};

choice! {
    /// How to choose among the nodes with a free core on which an invocation can run: those with an idle container of its
    /// function or room for a new one; if there are none, those that can make room by evicting something. Of nodes that are
    /// equal to the rule, one with an idle container is chosen, and then the lowest number.
    ///
    /// ```
    /// use hearth_policy_api::RequestView;
    /// use hearth_policy_api::testkit::TestCluster;
    /// use hearth_policy_toolbox::PlacementRule;
    /// let mut cluster = TestCluster::new(3);
    /// for (node, running) in [(0, 2), (1, 1), (2, 3)] {
    ///     cluster.nodes[node].running = running;
    /// }
    /// cluster.idle_container.insert(0);
    /// let request = RequestView::default();
    /// assert_eq!(PlacementRule::LeastLoaded.choose(&request, &cluster.view()), Some(1));
    /// assert_eq!(PlacementRule::LeastLoaded.choose_warm_first(&request, &cluster.view()), Some(0));
    /// ```
    pub enum PlacementRule {
        /// The fewest invocations running.
        LeastLoaded = "least-loaded",
        /// The most invocations running.
        MostLoaded = "most-loaded",
        /// The lowest number.
        FirstFit = "first-fit",
        /// The least RAM left with the invocation.
        BestFit = "best-fit",
        /// The most RAM left with the invocation.
        WorstFit = "worst-fit",
    }
}

impl PlacementRule {
    /// Nodes with lower keys are chosen. `ram` is what the invocation takes from the free RAM.
    fn key(self, node: &NodeView, ram: u64) -> u64 {
        let left = node.free_ram.saturating_sub(ram);
        match self {
            Self::FirstFit => 0,
            Self::BestFit => left,
            Self::WorstFit => u64::MAX - left,
            Self::LeastLoaded => u64::from(node.running),
            Self::MostLoaded => u64::MAX - u64::from(node.running),
        }
    }

    /// The node for an invocation; `None` if it can run nowhere now. Takes time in proportion to the number of nodes with
    /// a free core.
    pub fn choose(self, request: &RequestView, cluster: &ClusterView<'_>) -> Option<u32> {
        self.choose_among(cluster.free_core.iter(), request, cluster)
    }

    /// The node for an invocation among those with an idle container of its function; if there are none, among all.
    pub fn choose_warm_first(self, request: &RequestView, cluster: &ClusterView<'_>) -> Option<u32> {
        let warm = cluster.free_core.iter_also_in(&cluster.idle_container);
        self.choose_among(warm, request, cluster).or_else(|| self.choose(request, cluster))
    }

    /// The node for an invocation among some that have a free core.
    pub fn choose_among(
        self,
        candidates: impl Iterator<Item = u32>,
        request: &RequestView,
        cluster: &ClusterView<'_>,
    ) -> Option<u32> {
        let rank = |number: u32| {
            let node = &cluster.nodes[number as usize];
            let is_warm = cluster.idle_container.contains(number);
            let evicts = !is_warm && !node.has_room(request);
            if evicts && !node.can_make_room(request) {
                return None;
            }
            let ram = if is_warm { 0 } else { request.ram_limit };
            Some((evicts, self.key(node, ram), !is_warm, number))
        };
        candidates.filter_map(rank).min().map(|(.., number)| number)
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::TestCluster;

    use super::*;

    fn request() -> RequestView {
        RequestView { ram_limit: 10, ..RequestView::default() }
    }

    #[test]
    fn each_rule_has_its_own_favourite() {
        let mut cluster = TestCluster::new(5);
        for (node, free_ram, running) in [(0, 50, 3), (1, 90, 2), (2, 20, 2), (3, 5, 0), (4, 60, 4)] {
            cluster.nodes[node].free_ram = free_ram;
            cluster.nodes[node].running = running;
        }
        let chosen = |rule: PlacementRule| rule.choose(&request(), &cluster.view());
        assert_eq!(chosen(PlacementRule::FirstFit), Some(0));
        assert_eq!(chosen(PlacementRule::BestFit), Some(2));
        assert_eq!(chosen(PlacementRule::WorstFit), Some(1));
        assert_eq!(
            chosen(PlacementRule::LeastLoaded),
            Some(1),
            "the lower number of two, and not the one without room"
        );
        assert_eq!(chosen(PlacementRule::MostLoaded), Some(4));
    }

    #[test]
    fn an_idle_container_takes_no_room_and_decides_between_equals() {
        let mut cluster = TestCluster::new(3);
        for (node, free_ram) in [(0, 30), (1, 20), (2, 5)] {
            cluster.nodes[node].free_ram = free_ram;
        }
        cluster.idle_container.insert(1);
        let chosen = |cluster: &TestCluster, rule: PlacementRule| rule.choose(&request(), &cluster.view());
        assert_eq!(chosen(&cluster, PlacementRule::BestFit), Some(1), "20 are left on both");
        cluster.nodes[1].free_ram = 21;
        assert_eq!(chosen(&cluster, PlacementRule::BestFit), Some(0));
        assert_eq!(chosen(&cluster, PlacementRule::LeastLoaded), Some(1));
        cluster.idle_container.insert(2);
        assert_eq!(chosen(&cluster, PlacementRule::BestFit), Some(2), "without room, which it does not need");
    }

    #[test]
    fn room_comes_before_eviction_and_nowhere_is_none() {
        let mut cluster = TestCluster::new(2);
        for node in &mut cluster.nodes {
            (node.free_ram, node.idle_ram) = (0, 0);
        }
        assert_eq!(PlacementRule::FirstFit.choose(&request(), &cluster.view()), None);
        assert_eq!(PlacementRule::FirstFit.choose_warm_first(&request(), &cluster.view()), None);
        cluster.nodes[0].idle_ram = 10;
        assert_eq!(PlacementRule::FirstFit.choose(&request(), &cluster.view()), Some(0));
        cluster.nodes[1].free_ram = 10;
        assert_eq!(PlacementRule::FirstFit.choose(&request(), &cluster.view()), Some(1));
    }
}
