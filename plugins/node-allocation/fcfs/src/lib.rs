//! Node allocation `fcfs`: first come, first served, as WRENCH does it (the timing model, section 5): who comes first is
//! asked for first, but who cannot start keeps no place, and later ones pass it. That is unlimited backfilling, unless the
//! service says otherwise (`service.backfilling`).
//!
//! Every round decides anew for everybody who waits, in the order of submission. An invocation goes to the first node,
//! by number, with a free core and
//!
//! 1. an idle container of its function, or else
//! 2. its image in RAM, or else
//! 3. its image being loaded, or else
//! 4. its image on disk, or else
//! 5. its image being copied, or else
//! 6. nothing of it.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<Fcfs>();
export_policies!(POLICY);

/// The policy; it keeps no state.
#[derive(Debug)]
pub struct Fcfs;

impl Policy for Fcfs {
    const NAME: &'static str = "fcfs";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str =
        "everybody in the order of requests, whoever can start, on the first node that has most of what it needs";
    // It looks at cores and images, not at room, and a node without room is answered again in every round.
    const CLAIMS: Claims = Claims { work_conserving: false, respects_capacity: false, ..Claims::ALL };
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl NodeAllocation for Fcfs {
    fn rules(&self) -> AllocationRules {
        AllocationRules { commitment: Commitment::PerRound, answers_hold: true, ..AllocationRules::default() }
    }

    fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let best_first = [
            &cluster.idle_container,
            &cluster.image_in_ram,
            &cluster.image_loading,
            &cluster.image_on_disk,
            &cluster.image_copying,
            &cluster.free_core,
        ];
        let node = best_first.into_iter().find_map(|nodes| cluster.free_core.first_also_in(nodes));
        node.into()
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, TestCluster};

    use super::*;

    fn place(cluster: &TestCluster) -> Placement {
        Fcfs.place(&RequestView::default(), &cluster.view())
    }

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn each_lower_standard_is_tried_only_when_no_node_meets_the_higher_one() {
        let mut cluster = TestCluster::new(7);
        assert_eq!(place(&cluster), Placement::Node(0));
        cluster.image_copying.insert(5);
        assert_eq!(place(&cluster), Placement::Node(5));
        cluster.image_on_disk.insert(4);
        assert_eq!(place(&cluster), Placement::Node(4));
        cluster.image_loading.insert(3);
        assert_eq!(place(&cluster), Placement::Node(3));
        cluster.image_in_ram.insert(2);
        assert_eq!(place(&cluster), Placement::Node(2));
        cluster.idle_container.insert(6);
        assert_eq!(place(&cluster), Placement::Node(6));
    }

    #[test]
    fn a_node_without_a_free_core_is_passed_over_whatever_it_has() {
        let mut cluster = TestCluster::new(2);
        cluster.idle_container.insert(0);
        cluster.take_cores(0);
        assert_eq!(place(&cluster), Placement::Node(1));
        cluster.take_cores(1);
        assert_eq!(place(&cluster), Placement::Wait);
    }
}
