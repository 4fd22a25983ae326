//! Node allocation `fair`: cores are shared fairly among the functions that wait, by start-time fair queueing (Goyal, Vin and
//! Cheng, "Start-time Fair Queuing: A Scheduling Algorithm for Integrated Services Packet Switching Networks", SIGCOMM
//! 1996).
//!
//! - An invocation's start tag is `S = max(v, F of its function)`, with which it enters the queue; then
//!   `F = S + expected run time`;
//! - the lowest start tag goes first, of equals the one that has waited longest;
//! - `v`, the virtual time, is the highest start tag of those that have been placed.
//!
//! A function whose invocations pile up gets later and later tags, so one that asks seldom is not kept waiting by it.
//!
//! What differs: the paper knows the length of a packet; here it is the mean run time of the function so far, before its
//! first run that of all, and before the first run of any 1 s. All functions weigh the same.
//!
//! The node is chosen as in `warm-first`: among those with an idle container of the function, else among all that have or
//! can make room, by `placement` (`least-loaded`).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use hearth_policy_api::*;
use hearth_policy_toolbox::{ByFunction, PlacementRule, RunTimes};
use rustc_hash::FxBuildHasher;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<Fair>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Fair`].
    pub struct Settings {
        /// how a node is chosen among those that are as good
        placement: choice(PlacementRule) = PlacementRule::LeastLoaded;
    }
}

/// The policy and the tags it has given.
#[derive(Debug)]
pub struct Fair {
    placement: PlacementRule,
    times: RunTimes,
    virtual_time: u64,
    finish_tags: ByFunction<u64>,
    /// Start tags of those that wait, with the numbers of their invocations.
    waiting: BinaryHeap<Reverse<(u64, u64)>>,
    /// Start tags by invocation. Looked up, never walked.
    start_tags: HashMap<u64, u64, FxBuildHasher>,
}

/// How long a run is taken to be before any is known, in ns.
const UNKNOWN_RUN: u64 = 1_000_000_000;

impl Fair {
    /// Gives an invocation its start tag and its function the finish tag that follows.
    fn tag(&mut self, request: &RequestView) -> u64 {
        let expected = self.times.mean(request.function).or_else(|| self.times.mean_of_all()).unwrap_or(UNKNOWN_RUN);
        let finish_tag = self.finish_tags.get_mut(request.function);
        let start_tag = self.virtual_time.max(*finish_tag);
        *finish_tag = start_tag.saturating_add(expected);
        start_tag
    }

    /// An invocation is in service. Those with lower tags that still wait, for room, no longer move the virtual time.
    fn begin_service(&mut self, start_tag: u64) {
        self.virtual_time = self.virtual_time.max(start_tag);
        while let Some(&Reverse((tag, invocation))) = self.waiting.peek()
            && tag <= self.virtual_time
        {
            self.waiting.pop();
            self.start_tags.remove(&invocation);
        }
    }
}

impl Policy for Fair {
    const NAME: &'static str = "fair";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the function with the least service first";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self {
            placement: settings.placement,
            times: RunTimes::default(),
            virtual_time: 0,
            finish_tags: ByFunction::default(),
            waiting: BinaryHeap::new(),
            start_tags: HashMap::default(),
        })
    }
}

impl NodeAllocation for Fair {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes_ends: true, ranks: true, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let Some(node) = self.placement.choose_warm_first(request, cluster) else {
            return Placement::Wait;
        };
        // The virtual time has passed the tag of one that has none any more.
        let start_tag = self.start_tags.get(&request.invocation).copied().unwrap_or(self.virtual_time);
        self.begin_service(start_tag);
        Placement::Node(node)
    }

    fn rank(&mut self, request: &RequestView, _now: u64) -> u64 {
        let start_tag = self.tag(request);
        self.waiting.push(Reverse((start_tag, request.invocation)));
        self.start_tags.insert(request.invocation, start_tag);
        start_tag
    }

    fn on_end(&mut self, end: &End) {
        if end.is_of_whole_run() {
            self.times.add(end.function, end.run_time);
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

    fn request(invocation: u64, function: u32) -> RequestView {
        RequestView { invocation, function, ..RequestView::default() }
    }

    fn policy() -> Fair {
        let mut policy = Fair::new(Settings::default(), &PolicyContext::default()).unwrap();
        for (function, run_time) in [(0, 10), (1, 30)] {
            policy.on_end(&End { function, run_time, ..End::default() });
        }
        policy
    }

    #[test]
    fn a_worked_example() {
        let mut policy = policy();
        // Three of function 0 with runs of 10, two of function 1 with runs of 30; function 2 is unknown: 20, the mean.
        let functions = [0, 0, 0, 1, 1, 2, 2];
        let tags: Vec<u64> = (0..).zip(functions).map(|(number, of)| policy.rank(&request(number, of), 0)).collect();
        assert_eq!(tags, [0, 10, 20, 0, 30, 0, 20]);
        // The second of function 0 is served: a function that comes now begins there, not in the past.
        let cluster = TestCluster::new(1);
        policy.place(&request(1, 0), &cluster.view());
        assert_eq!(policy.rank(&request(7, 3), 0), 10);
        assert_eq!(policy.rank(&request(8, 0), 0), 30);
        assert_eq!(policy.waiting.len(), policy.start_tags.len());
    }

    #[test]
    fn who_does_not_wait_is_charged_too() {
        let mut policy = policy();
        let cluster = TestCluster::new(1);
        assert_eq!(policy.rank(&request(0, 1), 0), 0);
        policy.place(&request(0, 1), &cluster.view());
        assert_eq!(policy.rank(&request(1, 1), 0), 30);
        assert_eq!(policy.rank(&request(2, 0), 0), 0);
    }
}
