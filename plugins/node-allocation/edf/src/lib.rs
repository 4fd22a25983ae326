//! Node allocation `edf`: of those that wait, the one whose deadline is earliest goes first (Liu and Layland, "Scheduling
//! Algorithms for Multiprogramming in a Hard-Real-Time Environment", JACM 20(1), 1973).
//!
//! Deadline = when the request was made + `objective` (0 s) + `slowdown` (10) × mean run time of the function so far, when
//! the invocation begins to wait; functions that have never run have a mean of 0. Of equals, the one that has waited
//! longest. With a slowdown of 0 all have the same objective, and the order is that of requests.
//!
//! With `deadline: function` it is the deadline that the function has in the scenario, by which `service_level` counts;
//! those of functions without one come last, in the order of requests.
//!
//! The node is chosen as in `warm-first`: among those with an idle container of the function, else among all that have or
//! can make room, by `placement` (`least-loaded`).

use hearth_policy_api::*;
use hearth_policy_toolbox::{Objective, PlacementRule, RunTimes};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<Edf>();
export_policies!(POLICY);

choice! {
    /// Where deadlines come from.
    pub enum Deadline {
        /// `objective` and `slowdown`.
        Slowdown = "slowdown",
        /// The function.
        Function = "function",
    }
}

parameters! {
    /// What can be set of [`Edf`].
    pub struct Settings {
        /// how a node is chosen among those that are as good
        placement: choice(PlacementRule) = PlacementRule::LeastLoaded;
        /// whether a request is due by `objective` and `slowdown`, or by the deadline of its function
        deadline: choice(Deadline) = Deadline::Slowdown;
        /// how long a request may take besides `slowdown` times its run
        objective: duration = 0;
        /// how many times the mean run of its function a request may take
        slowdown: number(0.0..=1e6) = 10.0;
    }
}

/// The policy and what it knows of run times.
#[derive(Debug)]
pub struct Edf {
    placement: PlacementRule,
    /// `None` where functions have deadlines of their own.
    objective: Option<Objective>,
    times: RunTimes,
}

impl Policy for Edf {
    const NAME: &'static str = "edf";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the earliest deadline first";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        let Settings { placement, deadline, objective: fixed, slowdown } = settings;
        let objective = (deadline == Deadline::Slowdown).then_some(Objective { fixed, slowdown });
        Ok(Self { placement, objective, times: RunTimes::default() })
    }
}

impl NodeAllocation for Edf {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.placement.choose_warm_first(request, cluster).into()
    }

    fn rules(&self) -> AllocationRules {
        AllocationRules { observes_ends: self.objective.is_some(), ranks: true, ..AllocationRules::default() }
    }

    fn on_end(&mut self, end: &End) {
        if end.is_of_whole_run() {
            self.times.add(end.function, end.run_time);
        }
    }

    fn rank(&mut self, request: &RequestView, _now: u64) -> u64 {
        self.objective.map_or(request.deadline, |objective| objective.deadline(request, &self.times))
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
        let settings = Settings { objective: 5, ..Settings::default() };
        let mut policy = Edf::new(settings, &PolicyContext::default()).unwrap();
        policy.on_end(&End { function: 1, run_time: 20, ..End::default() });
        let mut rank = |function, requested_at| {
            policy.rank(&RequestView { function, requested_at, ..RequestView::default() }, 1_000)
        };
        assert_eq!(rank(0, 100), 105);
        assert_eq!(rank(1, 100), 305);
    }

    #[test]
    fn functions_may_have_deadlines_of_their_own() {
        let mut parameters = Parameters::defaults(&POLICY.parameters());
        parameters.set("deadline", ParameterValue::Choice("function".to_owned())).unwrap();
        testkit::check(&POLICY, &testkit::Options { parameters: Some(parameters), ..testkit::Options::default() })
            .unwrap();
        let settings = Settings { deadline: Deadline::Function, ..Settings::default() };
        let mut policy = Edf::new(settings, &PolicyContext::default()).unwrap();
        assert_eq!(policy.rank(&RequestView { deadline: 70, ..RequestView::default() }, 0), 70);
        assert_eq!(policy.rank(&RequestView::default(), 0), u64::MAX);
    }
}
