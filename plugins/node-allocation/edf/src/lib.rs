//! Node allocation `edf`: of those that wait, the one whose deadline is earliest goes first (Liu and Layland, "Scheduling
//! Algorithms for Multiprogramming in a Hard-Real-Time Environment", JACM 20(1), 1973).
//!
//! Deadline = when the request was made + `objective` (0 s) + `slowdown` (10) × mean run time of the function so far, when
//! the invocation begins to wait; functions that have never run have a mean of 0. Of equals, the one that has waited
//! longest. With a slowdown of 0 all have the same objective, and the order is that of requests.
//!
//! The node is chosen as in `warm-first`: among those with an idle container of the function, else among all that have or
//! can make room, by `placement` (`least-loaded`).

use hearth_policy_api::*;
use hearth_policy_toolbox::{OBJECTIVE, Objective, PLACEMENT, PlacementRule, RunTimes, SLOWDOWN};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<Edf>();
export_policies!(POLICY);

/// The policy and what it knows of run times.
#[derive(Debug)]
pub struct Edf {
    placement: PlacementRule,
    objective: Objective,
    times: RunTimes,
}

impl Policy for Edf {
    const NAME: &'static str = "edf";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the earliest deadline first";
    const PARAMETERS: &'static [ParameterSpec] = &[PLACEMENT, OBJECTIVE, SLOWDOWN];

    fn new(parameters: &Parameters, _context: &PolicyContext) -> Result<Self, PolicyError> {
        let (placement, objective) = (PlacementRule::of(parameters), Objective::of(parameters));
        Ok(Self { placement, objective, times: RunTimes::default() })
    }
}

impl NodeAllocation for Edf {
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

    fn rank(&mut self, request: &RequestView, _now: u64) -> u64 {
        self.objective.deadline(request, &self.times)
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
        let mut parameters = Parameters::defaults(Edf::PARAMETERS);
        parameters.set("objective", ParameterValue::Duration(5)).unwrap();
        let mut policy = Edf::new(&parameters, &PolicyContext::default()).unwrap();
        policy.on_end(&End { function: 1, run_time: 20, ..End::default() });
        let mut rank = |function, requested_at| {
            policy.rank(&RequestView { function, requested_at, ..RequestView::default() }, 1_000)
        };
        assert_eq!(rank(0, 100), 105);
        assert_eq!(rank(1, 100), 305);
    }
}
