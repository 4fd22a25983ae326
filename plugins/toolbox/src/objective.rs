//! When a request ought to be done.

use hearth_policy_api::RequestView;

use crate::RunTimes;

/// What a request may take from its arrival to its end: `objective + slowdown × mean run time of the function`, as the
/// parameters `objective` and `slowdown` of a policy give it.
///
/// ```
/// use hearth_policy_api::RequestView;
/// use hearth_policy_toolbox::{Objective, RunTimes};
/// let objective = Objective { fixed: 0, slowdown: 10.0 };
/// let mut times = RunTimes::default();
/// let request = RequestView { requested_at: 1_000, ..RequestView::default() };
/// assert_eq!(objective.deadline(&request, &times), 1_000, "of an unknown function, at once");
/// times.add(0, 50);
/// assert_eq!(objective.deadline(&request, &times), 1_500);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Objective {
    /// How long every request may take, whatever its function, in ns.
    pub fixed: u64,
    /// How many times the mean run time of its function a request may take besides.
    pub slowdown: f64,
}

impl Objective {
    /// When a request ought to be done, in ns, with the mean run time of its function so far; 0 where that is unknown.
    pub fn deadline(&self, request: &RequestView, times: &RunTimes) -> u64 {
        let of_runs = times.mean(request.function).unwrap_or(0) as f64 * self.slowdown;
        request.requested_at.saturating_add(self.fixed).saturating_add(of_runs as u64)
    }
}
