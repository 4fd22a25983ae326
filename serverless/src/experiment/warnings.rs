//! What is right in a scenario, but likely not meant.

use hearth_simcore::time::{SimDuration, SimTime};

use crate::scenario::Scenario;
use crate::workload::Workload;

/// A trace that begins later than this has likely been cut out of a longer one, or counts from another year.
const LATE: SimDuration = SimDuration::from_secs(86_400);

/// What is to be said of a workload that is ready to be simulated.
pub(super) fn of_workload(scenario: &Scenario, workload: &Workload) -> Vec<String> {
    let first = workload.next_of_source().filter(|first| *first > SimTime::ZERO + LATE);
    let is_late = |first: &SimTime| {
        let trace = scenario.workload.trace.as_ref()?;
        trace.offset.is_none().then(|| {
            let (path, days) = (trace.path.display(), first.as_secs_f64() / LATE.as_secs_f64());
            format!(
                "workload.trace: the first request of {path} comes {days:.1} days after the start: --from-first, or \
                 \"offset\": \"first\", lets time start with it"
            )
        })
    };
    first.as_ref().and_then(is_late).into_iter().collect()
}
