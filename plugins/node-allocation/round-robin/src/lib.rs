//! Node allocation `round-robin`: the first node after the one used last, in a circle, with a free core and an idle
//! container of the function or room that can be made for a new one.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<RoundRobin>();
export_policies!(POLICY);

/// The policy and whose turn it is.
#[derive(Debug)]
pub struct RoundRobin {
    next: u32,
}

impl Policy for RoundRobin {
    const NAME: &'static str = "round-robin";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "one node after the other";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { next: 0 })
    }
}

impl NodeAllocation for RoundRobin {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let nodes = &cluster.nodes;
        let fits = |node: &u32| cluster.idle_container.contains(*node) || nodes[*node as usize].can_make_room(request);
        let next = self.next;
        let mut from_next = cluster.free_core.iter().filter(|node| *node >= next).filter(fits);
        let mut before_next = cluster.free_core.iter().take_while(|node| *node < next).filter(fits);
        match from_next.next().or_else(|| before_next.next()) {
            None => Placement::Wait,
            Some(node) => {
                self.next = node + 1;
                Placement::Node(node)
            }
        }
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
    fn the_turn_goes_round_and_skips_what_cannot_take_it() {
        let mut policy = RoundRobin { next: 0 };
        let request = RequestView { ram_limit: 10, ..RequestView::default() };
        let mut cluster = TestCluster::new(4);
        cluster.take_cores(1);
        cluster.nodes[2].free_ram = 0;
        let mut turns = || policy.place(&request, &cluster.view());
        assert_eq!([turns(), turns(), turns()], [0, 3, 0].map(Placement::Node));
    }

    #[test]
    fn without_a_node_that_fits_it_waits_and_keeps_the_turn() {
        let mut policy = RoundRobin { next: 1 };
        let mut cluster = TestCluster::new(1);
        cluster.take_cores(0);
        assert_eq!(policy.place(&RequestView::default(), &cluster.view()), Placement::Wait);
        assert_eq!(policy.next, 1);
    }
}
