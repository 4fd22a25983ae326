//! What is right in a scenario, but likely not meant.

use hearth_simcore::time::{SimDuration, SimTime};

use crate::policy::{Catalog, PolicySlot};
use crate::scenario::{PolicySection, Scenario};
use crate::workload::{Arrival, TraceFormat, TraceSection, Workload};

/// A trace that begins later than this has likely been cut out of a longer one, or counts from another year.
const LATE: SimDuration = SimDuration::from_secs(86_400);

/// What is to be said of a workload that is ready to be simulated.
pub(super) fn of_workload(scenario: &Scenario, workload: &Workload) -> Vec<String> {
    let (Some(trace), Some(first)) = (&scenario.workload.trace, workload.next_of_source()) else { return Vec::new() };
    [begins_late(trace, first.at), bodies_unused(scenario, trace, &first)].into_iter().flatten().collect()
}

/// Policies that a scenario names and that are built in, while a library in a plugin folder has one of the same name: what is to be
/// said of them. All files of the folders are looked at for that, and none is opened.
pub fn hidden_policies(scenario: &Scenario, catalog: &Catalog) -> Vec<String> {
    let hidden = |(slot, section): (Option<PolicySlot>, &PolicySection)| {
        let (slot, name) = (slot.filter(|_| section.library.is_none())?, section.name.as_ref()?);
        let (path, library) = (slot.path(), catalog.hidden_library(slot.kind(), name)?.display());
        Some(format!(
            "policies.{path}: {name:?} is the built-in policy; one of the same name in {library} is not used: name that library to \
             use it"
        ))
    };
    scenario.policies.named().filter_map(hidden).collect()
}

fn begins_late(trace: &TraceSection, first: SimTime) -> Option<String> {
    let is_late = first > SimTime::ZERO + LATE && trace.offset.is_none();
    is_late.then(|| {
        let (path, days) = (trace.path.display(), first.as_secs_f64() / LATE.as_secs_f64());
        format!(
            "workload.trace: the first request of {path} comes {days:.1} days after the start: --from-first, or \
             \"offset\": \"first\", lets time start with it"
        )
    })
}

/// Rows that say how long they run do not run bodies.
fn bodies_unused(scenario: &Scenario, trace: &TraceSection, first: &Arrival) -> Option<String> {
    if trace.format != TraceFormat::Csv || first.run_time.is_none() {
        return None;
    }
    let with_body = (0..scenario.functions.len()).filter(|position| !scenario.functions[*position].body.is_empty());
    let mut places = with_body.map(|position| format!("functions[{position}].body"));
    let place = places.next()?;
    let more = match places.count() {
        0 => String::new(),
        more => format!(" (and of {more} more)"),
    };
    let path = trace.path.display();
    Some(format!(
        "workload.trace: requests run for the duration that {path} says, and {place}{more} is not used: bodies run if the \
         file has no column of durations"
    ))
}
