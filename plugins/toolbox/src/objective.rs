//! When a request ought to be done.

use hearth_policy_api::{ParameterSpec, Parameters, RequestView};

use crate::RunTimes;

/// How long every request may take, whatever its function: part of an [`Objective`].
pub const OBJECTIVE: ParameterSpec =
    ParameterSpec::duration("objective", 0, "how long a request may take besides `slowdown` times its run");

/// How many times the mean run time of its function a request may take: part of an [`Objective`].
pub const SLOWDOWN: ParameterSpec = ParameterSpec::number(
    "slowdown",
    0.0..=1e6,
    10.0,
    "how many times the mean run of its function a request may take",
);

/// What a request may take from its arrival to its end: `objective + slowdown × mean run time of the function`, given by
/// the parameters [`OBJECTIVE`] and [`SLOWDOWN`].
///
/// ```
/// use hearth_policy_api::{Parameters, ParameterSpec, RequestView};
/// use hearth_policy_toolbox::{OBJECTIVE, Objective, RunTimes, SLOWDOWN};
/// const PARAMETERS: &[ParameterSpec] = &[OBJECTIVE, SLOWDOWN];
/// let objective = Objective::of(&Parameters::defaults(PARAMETERS));
/// let mut times = RunTimes::default();
/// let request = RequestView { requested_at: 1_000, ..RequestView::default() };
/// assert_eq!(objective.deadline(&request, &times), 1_000, "of an unknown function, at once");
/// times.add(0, 50);
/// assert_eq!(objective.deadline(&request, &times), 1_500);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Objective {
    /// In ns.
    fixed: u64,
    slowdown: f64,
}

impl Objective {
    /// The objective that the parameters give.
    pub fn of(parameters: &Parameters) -> Self {
        Self { fixed: parameters.duration("objective"), slowdown: parameters.number("slowdown") }
    }

    /// When a request ought to be done, in ns, with the mean run time of its function so far; 0 where that is unknown.
    pub fn deadline(&self, request: &RequestView, times: &RunTimes) -> u64 {
        let of_runs = times.mean(request.function).unwrap_or(0) as f64 * self.slowdown;
        request.requested_at.saturating_add(self.fixed).saturating_add(of_runs as u64)
    }
}
