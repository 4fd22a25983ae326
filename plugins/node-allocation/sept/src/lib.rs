//! Node allocation `sept`: of those that wait, the one that is expected to run shortest goes first (shortest expected
//! processing time; Pinedo, "Scheduling", chapter 10).
//!
//! Expected is the mean run time of the function so far, when the invocation begins to wait; functions that have never run
//! come first, so that something is learnt of them. Of equals, the one that has waited longest.
//!
//! With a `patience` (0: without end) who has waited for so long comes before all whose run time is known, so that nobody starves.
//!
//! The node is chosen as in `warm-first`: among those with an idle container of the function, else among all that have or
//! can make room, by `placement` (`least-loaded`).

use hearth_policy_api::*;
use hearth_policy_toolbox::{PlacementRule, RunTimes};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<Sept>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Sept`].
    pub struct Settings {
        /// how a node is chosen among those that are as good
        placement: choice(PlacementRule) = PlacementRule::LeastLoaded;
        /// after how long who waits comes first; 0 for never
        patience: duration = 0;
    }
}

/// The policy and what it knows of run times.
#[derive(Debug)]
pub struct Sept {
    placement: PlacementRule,
    times: RunTimes,
    patience: u64,
    actions: Actions,
}

impl Policy for Sept {
    const NAME: &'static str = "sept";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the shortest expected run first";
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        let Settings { placement, patience } = settings;
        Ok(Self { placement, times: RunTimes::default(), patience, actions: context.actions() })
    }
}

impl NodeAllocation for Sept {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.placement.choose_warm_first(request, cluster).into()
    }

    fn rules(&self) -> AllocationRules {
        AllocationRules { observes_ends: true, ranks: true, ..AllocationRules::default() }
    }

    fn on_end(&mut self, end: &End) {
        if end.is_of_whole_run() {
            self.times.add(end.function, end.run_time);
        }
    }

    fn rank(&mut self, request: &RequestView, now: u64) -> u64 {
        if self.patience > 0 {
            // One that has started by then has no rank any more.
            self.actions.wake_at(request.key, now.saturating_add(self.patience));
        }
        self.times.mean(request.function).unwrap_or(0)
    }

    fn on_timer(&mut self, timer: u64, _cluster: &ClusterView<'_>) {
        self.actions.set_rank(timer, 0);
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit;

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn a_worked_example() {
        let mut policy = Sept::new(Settings::default(), &PolicyContext::default()).unwrap();
        for (function, run_time) in [(0, 40), (1, 10), (1, 20)] {
            policy.on_end(&End { function, run_time, ..End::default() });
        }
        let mut rank = |function| policy.rank(&RequestView { function, ..RequestView::default() }, 0);
        assert_eq!([0, 1, 2].map(&mut rank), [40, 15, 0]);
    }
}
