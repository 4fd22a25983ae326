//! Node allocation `least-loaded`: of the nodes with a free core that have an idle container of the function, or can
//! make room for a new one, the one that runs the fewest invocations. Ties go to a node with an idle container, then
//! to one with the image in RAM, then to the lowest number.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<LeastLoaded>();
export_policies!(POLICY);

/// The policy; it keeps no state.
#[derive(Debug)]
pub struct LeastLoaded;

impl Policy for LeastLoaded {
    const NAME: &'static str = "least-loaded";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the node that runs the fewest invocations, ties to a warm one";

    fn new(_parameters: &Parameters, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl NodeAllocation for LeastLoaded {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let nodes = cluster.nodes.as_slice();
        let warm = |node: u32| cluster.idle_container.contains(node);
        let candidates = cluster.free_core.iter();
        let fitting = candidates.filter(|&node| warm(node) || nodes[node as usize].can_make_room(request));
        let load = |node: &u32| (nodes[*node as usize].running, !warm(*node), !cluster.image_in_ram.contains(*node));
        fitting.min_by_key(load).map_or(Placement::Wait, Placement::Node)
    }
}

#[cfg(test)]
mod tests {
    use hearth_plugin_test_kit::TestCluster;

    use super::*;

    #[test]
    fn the_fewest_running_wins_and_ties_go_to_the_warmest() {
        let request = RequestView { ram_limit: 10, ..RequestView::default() };
        let mut cluster = TestCluster::new(4);
        for (node, running) in [(0, 2), (1, 1), (2, 1), (3, 1)] {
            cluster.nodes[node].running = running;
        }
        let place = |cluster: &TestCluster| LeastLoaded.place(&request, &cluster.view());
        assert_eq!(place(&cluster), Placement::Node(1));
        cluster.image_in_ram.insert(2);
        assert_eq!(place(&cluster), Placement::Node(2));
        cluster.idle_container.insert(3);
        assert_eq!(place(&cluster), Placement::Node(3));
        cluster.nodes[3].free_ram = 0;
        assert_eq!(place(&cluster), Placement::Node(3), "an idle container needs no room");
        cluster.idle_container.remove(3);
        assert_eq!(place(&cluster), Placement::Node(2));
    }
}
