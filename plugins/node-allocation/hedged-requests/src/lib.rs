//! Node allocation `hedged-requests`: who has not ended after `factor` (3) times the mean run time of its function has another attempt
//! made beside it, on another node, and the first of the two that completes counts: hedged requests, Dean and Barroso, "The Tail
//! at Scale", Communications of the ACM 56(2), 2013; speculative execution in MapReduce and since LATE (Zaharia et al., OSDI 2008).
//!
//! The time counts from when the request enters the queue. A function that has never run is not hedged. The node is chosen as in
//! `warm-first`: among those with an idle container of the function, else among all that have or can make room, by `placement`
//! (`least-loaded`); for another attempt not the node of the first.
//!
//! What differs: Dean and Barroso wait for the 95th percentile of what is expected, here it is a multiple of the mean; LATE hedges
//! those that are expected to end last, and not more than a part of all.

use std::collections::BTreeMap;

use hearth_policy_api::*;
use hearth_policy_toolbox::{PlacementRule, RunTimes};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<HedgedRequests>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`HedgedRequests`].
    #[derive(Clone, Copy, Debug)]
    pub struct Settings {
        /// after how many mean run times another attempt is made
        factor: number(0.0..=1e6) = 3.0;
        /// how a node is chosen among those that are as good
        placement: choice(PlacementRule) = PlacementRule::LeastLoaded;
    }
}

/// The policy.
#[derive(Debug)]
pub struct HedgedRequests {
    settings: Settings,
    actions: Actions,
    times: RunTimes,
    /// By invocation: its first attempt, until that ends. The number is that of its timer, too.
    first: BTreeMap<u64, First>,
}

/// The first attempt at an invocation.
#[derive(Clone, Copy, Debug)]
struct First {
    key: u64,
    node: u32,
}

impl Policy for HedgedRequests {
    const NAME: &'static str = "hedged-requests";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "another attempt at what takes longer than expected";
    // Another attempt may wait while the node of the first has room.
    const CLAIMS: Claims = Claims { work_conserving: false, ..Claims::ALL };
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        let (times, first) = (RunTimes::default(), BTreeMap::new());
        Ok(Self { settings, actions: context.actions(), times, first })
    }
}

impl NodeAllocation for HedgedRequests {
    fn rules(&self) -> AllocationRules {
        AllocationRules { ranks: true, observes_ends: true, hedges: true, ..AllocationRules::default() }
    }

    /// Everybody has one rank; this is where a request is seen for the first time.
    fn rank(&mut self, request: &RequestView, now: u64) -> u64 {
        if request.attempt == 1
            && let Some(mean) = self.times.mean(request.function)
        {
            let after = (mean as f64 * self.settings.factor) as u64;
            self.actions.wake_at(request.invocation, now.saturating_add(after));
            self.first.insert(request.invocation, First { key: request.key, node: NONE });
        }
        0
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let first = self.first.get_mut(&request.invocation);
        let (placement, not) = (self.settings.placement, first.as_ref().map_or(NONE, |first| first.node));
        if request.attempt > 1 && not != NONE {
            let others = |nodes: &NodeSet<'_>| {
                let nodes = cluster.free_core.iter_also_in(nodes).filter(|node| *node != not);
                placement.choose_among(nodes, request, cluster)
            };
            return others(&cluster.idle_container).or_else(|| others(&cluster.free_core)).into();
        }
        let node = placement.choose_warm_first(request, cluster);
        if let (1, Some(first), Some(node)) = (request.attempt, first, node) {
            first.node = node;
        }
        node.into()
    }

    fn on_end(&mut self, end: &End) {
        if end.is_of_whole_run() {
            self.times.add(end.function, end.run_time);
        }
        if end.attempt == 1 && end.ending != Ending::Requeued && self.first.remove(&end.invocation).is_some() {
            self.actions.wake_at(end.invocation, u64::MAX);
        }
    }

    fn on_timer(&mut self, timer: u64, _cluster: &ClusterView<'_>) {
        if let Some(first) = self.first.get(&timer) {
            self.actions.hedge(first.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use hearth_policy_api::boundary::{Order, Orders, Seat};
    use hearth_policy_api::testkit::{self, TestCluster};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn who_takes_three_times_as_long_has_another_attempt_elsewhere() {
        let orders = Rc::<Orders>::default();
        let seat = Seat::new(&PolicyContext::default(), &orders);
        let mut policy = HedgedRequests::new(Settings::default(), seat.context()).unwrap();
        let ordered = || -> Vec<Order> { orders.take().into_iter().map(|ordered| ordered.order).collect() };
        let request = |attempt| RequestView { invocation: 7, attempt, key: 70, ..RequestView::default() };
        policy.rank(&request(1), 100);
        assert_eq!(ordered(), [], "the function has never run");
        policy.on_end(&End { run_time: 40, ..End::default() });
        policy.rank(&request(1), 100);
        assert_eq!(ordered(), [Order::WakeAt { timer: 7, date: 220 }]);
        let cluster = TestCluster::new(2);
        assert_eq!(policy.place(&request(1), &cluster.view()), Placement::Node(0));
        policy.on_timer(7, &cluster.view());
        assert_eq!(ordered(), [Order::Hedge { key: 70 }]);
        assert_eq!(policy.place(&request(2), &cluster.view()), Placement::Node(1));
        policy.on_end(&End { invocation: 7, attempt: 1, run_time: 200, ..End::default() });
        assert_eq!(ordered(), [Order::WakeAt { timer: 7, date: u64::MAX }]);
    }
}
