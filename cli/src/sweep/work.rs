//! What one worker on a plan does.

use std::thread;
use std::time::Duration;

use hearth_serverless::experiment::StuckCall;
use hearth_serverless::policy::Catalog;

use super::claims::Claims;
use super::pool::{self, Announce, Control};
use super::simulate::{end, simulate};
use super::store::Store;
use super::study::Study;
use crate::error::CommandError;
use crate::progress::SweepProgress;

/// How often one who waits for others looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often one who waits looks whether it is to stop.
const STEP: Duration = Duration::from_millis(50);

/// How a worker goes about it.
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    /// Whether runs that others are at are theirs; otherwise they are done all the same.
    pub takes_what_is_open: bool,
    /// Whether runs that failed before are run again.
    pub retry: bool,
    /// Whether a line says how far it is.
    pub with_progress: bool,
}

/// What a worker has done.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Work {
    /// How many runs were its.
    pub runs: usize,
    /// How many of them it has done.
    pub done: usize,
    /// How many others had done, or did meanwhile.
    pub there: usize,
    /// How many had failed before.
    pub failed_before: usize,
    /// Those that failed now: their values, seeds and errors.
    pub failed: Vec<String>,
    /// Whether it was stopped before its runs were done.
    pub is_interrupted: bool,
}

/// What has become of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Became {
    /// Done, by this worker.
    Done,
    /// Somebody else has done it.
    There,
    /// It failed for somebody before.
    FailedBefore,
    /// Somebody else is at it.
    Taken,
}

/// A worker on some runs of a study.
struct Worker<'a> {
    study: &'a Study,
    store: &'a Store,
    claims: &'a Claims,
    orders: Orders,
}

impl Worker<'_> {
    /// What others have made of a run, if they are done with it.
    fn known(&self, key: &str) -> Option<Became> {
        if self.store.manifest(key, &self.study.options).is_some() {
            return Some(Became::There);
        }
        (!self.orders.retry && self.store.failure(key).is_some()).then_some(Became::FailedBefore)
    }

    fn attempt(&self, point: usize, catalog: &Catalog, announce: &Announce) -> Result<Became, CommandError> {
        let key = &self.study.keys[point];
        let became = self.try_to_do(point, catalog, announce);
        match &became {
            Err(error) if !error.is_fatal_to_a_sweep() => self.store.fail(key, &error.to_string())?,
            // Who has collected all runs has cleared up beneath those that were still at one of them.
            Err(CommandError::Result { .. }) if self.store.manifest(key, &self.study.options).is_some() => {
                return Ok(Became::There);
            }
            _ => {}
        }
        became
    }

    fn try_to_do(&self, point: usize, catalog: &Catalog, announce: &Announce) -> Result<Became, CommandError> {
        let key = &self.study.keys[point];
        if let Some(became) = self.known(key) {
            return Ok(became);
        }
        let Some(_claim) = self.claims.take(&key[..16], !self.orders.takes_what_is_open)? else {
            return Ok(Became::Taken);
        };
        // Whoever was at it may have ended just before.
        if let Some(became) = self.known(key) {
            return Ok(became);
        }
        let (folder, stuck_key) = (self.store.folder().to_owned(), key.clone());
        let is_stuck = move |stuck: StuckCall| {
            // So that others do not end in the same call one after the other.
            let error = CommandError::Simulation(stuck.to_string());
            if let Err(error) = Store::shared(&folder).fail(&stuck_key, &error.to_string()) {
                eprintln!("warning: {error}");
            }
            end(&stuck)
        };
        simulate(self.study, point, Some(self.store), catalog, announce, is_stuck).map(|_| Became::Done)
    }

    /// Goes through some runs once; gives those that others are at.
    fn pass(
        &self,
        points: &[usize],
        threads: usize,
        control: &Control,
        work: &mut Work,
    ) -> Result<Vec<usize>, CommandError> {
        let progress = if self.orders.with_progress { SweepProgress::start(points.len()) } else { None };
        let run = |catalog: &mut Catalog, job: usize, announce: &Announce| self.attempt(points[job], catalog, announce);
        let outcomes = pool::run_all(points.len(), threads, control, progress, || self.study.catalog(), run)?;
        let mut taken = Vec::new();
        for (point, outcome) in points.iter().zip(outcomes) {
            match outcome {
                Some(Ok(Became::Done)) => work.done += 1,
                Some(Ok(Became::There)) => work.there += 1,
                Some(Ok(Became::FailedBefore)) => work.failed_before += 1,
                Some(Ok(Became::Taken)) => taken.push(*point),
                Some(Err(error)) => work.failed.push(format!("{}: {error}", self.study.describe(*point))),
                None => work.is_interrupted = true,
            }
        }
        Ok(taken)
    }
}

/// Does runs of a study. One who takes what is open ends when nothing is: while others are at the last runs it waits, so that
/// somebody is there should they die.
pub fn work(
    study: &Study,
    store: &Store,
    claims: &Claims,
    mut points: Vec<usize>,
    orders: Orders,
    threads: usize,
    control: &Control,
) -> Result<Work, CommandError> {
    let worker = Worker { study, store, claims, orders };
    let mut work = Work { runs: points.len(), ..Work::default() };
    if orders.takes_what_is_open && !points.is_empty() {
        // Those who begin at different places seldom meet. Which run is done when changes nothing about it.
        let begin = (std::process::id() as usize).wrapping_mul(0x9E37_79B1) % points.len();
        points.rotate_left(begin);
    }
    loop {
        points = worker.pass(&points, threads, control, &mut work)?;
        if points.is_empty() || control.is_stopped() {
            break;
        }
        let pause = claims.pause().min(LONGEST_PAUSE);
        let mut waited = Duration::ZERO;
        while waited < pause && !control.is_stopped() {
            thread::sleep(STEP);
            waited += STEP;
        }
    }
    work.is_interrupted |= control.is_stopped() && !points.is_empty();
    Ok(work)
}
