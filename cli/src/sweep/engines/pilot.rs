//! A few runs of a plan on this machine, to learn how long one takes. They count.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use crate::error::CommandError;
use crate::sweep::planned::{Part, PlannedSweep};

/// Nobody waits longer than this, unless one run takes longer.
const LONGEST: Duration = Duration::from_secs(10);

/// So many runs say enough.
const MOST_RUNS: usize = 16;

/// The seconds that a run of a plan takes on one core, results and all: the mean of some that lie far apart. Where nothing is left
/// to do, nothing.
///
/// # Errors
/// When what runs depend on has changed, something cannot be written, or a run fails.
pub fn seconds_of_a_run(planned: &PlannedSweep) -> Result<f64, CommandError> {
    let open = planned.open_runs()?;
    let step = (open.len() / MOST_RUNS).max(1);
    let (begin, mut done) = (Instant::now(), 0_u32);
    for run in open.iter().step_by(step).take(MOST_RUNS) {
        if begin.elapsed() >= LONGEST {
            break;
        }
        let work = planned.work(&Part::Runs(vec![*run]), NonZeroUsize::MIN)?;
        if let Some(first) = work.failed.first() {
            return Err(CommandError::Runs { failed: 1, runs: work.runs, first: first.clone() });
        }
        done += 1;
    }
    Ok(begin.elapsed().as_secs_f64() / f64::from(done.max(1)))
}
