//! How far the runs of a plan are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::claims::{ClaimedRuns, Claims};
use super::marks::Marks;
use super::packed::runs::Runs;
use super::share::{block_name, blocks, run_name};
use super::study::Study;
use crate::error::CommandError;
use crate::objects::location::Location;

/// How many runs of a plan are how far. Each is in one of `done`, `running`, `failed` and `open`.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Status {
    /// All runs.
    pub runs: usize,
    /// Those that have come to their end.
    pub done: usize,
    /// Those that a worker is at, or has taken to do next; of workers on a share, those that have run for a second.
    pub running: usize,
    /// Those that have ended in an error.
    pub failed: usize,
    /// Those that nobody has begun, or whose worker has died.
    pub open: usize,
    /// Those among the open ones whose worker has died.
    pub left_by_dead_workers: usize,
    /// Seconds that the simulations have taken that are done, on one core each.
    pub core_seconds_done: f64,
    /// Seconds of a core that what is left will take, as the runs of the same values took so far, or all runs where none of
    /// the same values is done. `None` before the first run is done.
    pub core_seconds_left: Option<f64>,
    /// Seconds until all is done, if as many go on as are running now. `None` when none is, or nothing is known.
    pub seconds_left: Option<f64>,
}

/// How far the runs of a plan are, asked again and again: what workers have appended is read once.
#[derive(Debug)]
pub struct Watch<'a> {
    study: &'a Study,
    location: &'a Location,
    stale_after: Duration,
    runs: Runs<'a>,
}

impl<'a> Watch<'a> {
    /// Of the plan of a study in its place, where workers have done so much.
    pub fn new(study: &'a Study, location: &'a Location, runs: Runs<'a>, stale_after: Duration) -> Self {
        Self { study, location, stale_after, runs }
    }

    /// How far they are now.
    ///
    /// # Errors
    /// When something cannot be read, or nothing can be written: what lives is found by dates of files.
    pub fn status(&mut self) -> Result<Status, CommandError> {
        self.location.look_around()?;
        let claimed = Claims::on(Marks::of(self.location), self.stale_after)?;
        self.location.named(self.runs.go_on())?;
        Ok(of(self.study, &self.runs, &claimed))
    }
}

/// Sums and counts of seconds.
#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, seconds: f64) {
        self.sum += seconds;
        self.count += 1;
    }

    fn get(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// How far the runs of a study are, on which there were these claims just before: what has ended since is done, not open.
fn of(study: &Study, runs: &Runs<'_>, claimed: &ClaimedRuns) -> Status {
    let (mut all, mut by_setting) = (Mean::default(), BTreeMap::<&[usize], Mean>::new());
    let (mut running, mut failed, mut left_by_dead_workers) = (0, 0, 0);
    let mut left: Vec<&[usize]> = Vec::new();
    for block in blocks(study.points.len()) {
        let name = block_name(study, &block);
        for point in block {
            let settings = &study.points[point].settings;
            let is_claimed = |by: &BTreeSet<String>| by.contains(&name) || by.contains(run_name(study, point));
            if let Some(seconds) = runs.seconds(point) {
                all.add(seconds);
                by_setting.entry(settings).or_default().add(seconds);
            } else if is_claimed(&claimed.alive) {
                running += 1;
                left.push(settings);
            } else if runs.has_failed(point) {
                failed += 1;
            } else {
                left_by_dead_workers += usize::from(is_claimed(&claimed.dead));
                left.push(settings);
            }
        }
    }
    let expected = |settings: &&[usize]| by_setting.get(settings).copied().and_then(Mean::get).or_else(|| all.get());
    let core_seconds_left: Option<f64> = left.iter().map(expected).sum();
    Status {
        runs: study.points.len(),
        done: all.count,
        running,
        failed,
        open: left.len() - running,
        left_by_dead_workers,
        core_seconds_done: all.sum,
        core_seconds_left,
        seconds_left: core_seconds_left.filter(|_| running > 0).map(|seconds| seconds / running as f64),
    }
}
