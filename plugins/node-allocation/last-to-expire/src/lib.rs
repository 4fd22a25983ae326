//! Node allocation `last-to-expire`: a request takes, of all idle containers of its function on nodes with a free core, the one
//! whose keep-alive ends last. The others are left alone, so that they run out, and the pool shrinks to what the load needs.
//!
//! - Of several that end at one date, or never, it is the one that became idle last, then the one on the lowest node, then the
//!   lowest number.
//! - Where none is idle, a new one is started on the first node, by number, with room, or else with room once idle containers and
//!   unused images are evicted.
//!
//! This is the reason for which platforms give work to the newest idle instance first, as SimFaaS does (Mahmoudi and Khazaei,
//! "SimFaaS: A Performance Simulator for Serverless Computing Platforms", CLOSER 2021): older ones get a chance to expire. Under a
//! fixed keep-alive the one that expires last is the one that was used last, on all nodes together, where `container_reuse`
//! chooses on one node alone.
//!
//! What differs: SimFaaS goes by the age of instances and knows no nodes; here it is the end of keep-alive, which a policy that
//! keeps containers for different times also sets.

use std::cmp::Reverse;

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<LastToExpire>();
export_policies!(POLICY);

/// The policy; it keeps no state.
#[derive(Debug)]
pub struct LastToExpire;

impl Policy for LastToExpire {
    const NAME: &'static str = "last-to-expire";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the idle container that is kept longest, else the first node with room";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl NodeAllocation for LastToExpire {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let free = || cluster.free_core.iter();
        let idle = free().filter(|node| cluster.idle_container.contains(*node)).flat_map(|node| {
            let of_function = |it: &&ContainerView| it.function == request.function && it.is_idle();
            let containers = cluster.containers_on(node);
            let idle = containers.iter().filter(of_function);
            idle.map(|it| (it.expires, it.since, Reverse(node), Reverse(it.container))).max()
        });
        if let Some((_, _, Reverse(node), Reverse(container))) = idle.max() {
            return Placement::Warm { node, container };
        }
        let nodes = &cluster.nodes;
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

    fn idle(container: u32, since: u64, expires: u64) -> ContainerView {
        ContainerView { container, since, expires, ..ContainerView::default() }
    }

    #[test]
    fn the_container_that_is_kept_longest_is_taken_wherever_it_is() {
        let request = RequestView { ram_limit: 10, ..RequestView::default() };
        let mut cluster = TestCluster::new(4);
        let of_other = ContainerView { function: 1, ..idle(7, 0, u64::MAX) };
        let busy = ContainerView { state: abi::CONTAINER_BUSY, ..idle(1, 9, u64::MAX) };
        cluster.containers =
            vec![vec![idle(0, 5, 15), busy], vec![idle(0, 3, 40), idle(4, 5, 30)], vec![idle(2, 4, 40), of_other]];
        (0..3).for_each(|node| cluster.idle_container.insert(node));
        let place = |cluster: &TestCluster| LastToExpire.place(&request, &cluster.view());
        // Both end at 40; this one was used last.
        assert_eq!(place(&cluster), Placement::Warm { node: 2, container: 2 });
        cluster.take_cores(2);
        assert_eq!(place(&cluster), Placement::Warm { node: 1, container: 0 });
        cluster.containers[1][0].expires = 29;
        assert_eq!(place(&cluster), Placement::Warm { node: 1, container: 4 });
        cluster.take_cores(1);
        assert_eq!(place(&cluster), Placement::Warm { node: 0, container: 0 });
        cluster.idle_container.remove(0);
        cluster.nodes[0].free_ram = 0;
        cluster.nodes[0].idle_ram = 10;
        assert_eq!(place(&cluster), Placement::Node(3), "it has room without eviction");
        cluster.take_cores(3);
        assert_eq!(place(&cluster), Placement::Node(0));
        cluster.take_cores(0);
        assert_eq!(place(&cluster), Placement::Wait);
    }

    #[test]
    fn of_those_that_are_kept_for_ever_the_last_used_is_taken() {
        let mut cluster = TestCluster::new(2);
        cluster.containers = vec![vec![idle(0, 3, u64::MAX), idle(1, 4, u64::MAX)], vec![idle(0, 4, u64::MAX)]];
        (0..2).for_each(|node| cluster.idle_container.insert(node));
        let answer = LastToExpire.place(&RequestView::default(), &cluster.view());
        assert_eq!(answer, Placement::Warm { node: 0, container: 1 });
    }
}
