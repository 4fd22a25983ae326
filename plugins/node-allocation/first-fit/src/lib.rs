//! Node allocation `first-fit`: the first node, by number, with a free core and
//!
//! 1. an idle container of the function, or else
//! 2. room for a new one, or else
//! 3. room for a new one once idle containers and unused images are evicted.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<FirstFit>();
export_policies!(POLICY);

/// The policy; it keeps no state.
#[derive(Debug)]
pub struct FirstFit;

impl Policy for FirstFit {
    const NAME: &'static str = "first-fit";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str =
        "the first node with an idle container, else with room, else with room after eviction";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl NodeAllocation for FirstFit {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        if let Some(warm) = cluster.free_core.first_also_in(&cluster.idle_container) {
            return Placement::Node(warm);
        }
        let nodes = &cluster.nodes;
        let free = || cluster.free_core.iter();
        let with_room = free().find(|&node| nodes[node as usize].has_room(request));
        let with_eviction = || free().find(|&node| nodes[node as usize].can_make_room(request));
        with_room.or_else(with_eviction).into()
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
    fn a_warm_node_goes_before_a_lower_one_with_room_and_this_before_one_that_must_evict() {
        let request = RequestView { ram_limit: 10, ..RequestView::default() };
        let mut cluster = TestCluster::new(4);
        cluster.nodes[0].free_ram = 0;
        cluster.nodes[1].free_ram = 0;
        cluster.nodes[1].idle_ram = 10;
        cluster.nodes[2].free_ram = 10;
        cluster.nodes[3].free_ram = 0;
        cluster.idle_container.insert(3);
        let place = |cluster: &TestCluster| FirstFit.place(&request, &cluster.view());
        assert_eq!(place(&cluster), Placement::Node(3));
        cluster.take_cores(3);
        assert_eq!(place(&cluster), Placement::Node(2));
        cluster.take_cores(2);
        assert_eq!(place(&cluster), Placement::Node(1));
        cluster.take_cores(1);
        assert_eq!(place(&cluster), Placement::Wait);
    }
}
