//! One run of a study, here or in a process of its own.

use hearth_serverless::experiment::StuckCall;
#[cfg(unix)]
use hearth_serverless::experiment::opens_libraries;
use hearth_serverless::policy::Catalog;

#[cfg(unix)]
use super::apart;
use super::pool::Announce;
use super::simulate::{Keep, Summarised, simulate};
use super::study::Study;
use crate::error::CommandError;

/// Runs one point and keeps what comes of it: on this thread, or in a process of its own if it opens libraries and this is the
/// program. `is_stuck` hears of a call of a policy that does not come back, on another thread; it ends the process.
pub fn run(
    study: &Study,
    point: usize,
    keep: Keep<'_>,
    catalog: &Catalog,
    announce: &Announce,
    is_stuck: impl FnOnce(StuckCall) + Send + 'static,
) -> Result<Summarised, CommandError> {
    let scenario = study.scenario_of(point)?;
    #[cfg(unix)]
    if crate::isolation::is_on() && opens_libraries(&scenario, catalog) {
        return apart::simulate_apart(study, point, keep, announce);
    }
    simulate(study, point, &scenario, keep, catalog, announce, is_stuck)
}
