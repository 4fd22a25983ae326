//! What one worker on a plan does.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hearth_serverless::experiment::StuckCall;
use hearth_serverless::policy::Catalog;

use super::beat::Beat;
use super::claims::{Claim, Claims};
use super::packed::runs::{self, Runs};
use super::packed::writer::Writer;
use super::pool::{self, Announce, Control};
use super::run;
use super::share::{block_name, blocks, run_name};
use super::simulate::{Keep, end};
use super::study::Study;
use crate::error::CommandError;
use crate::objects::inputs::told_in;
use crate::objects::location::Location;
use crate::progress::SweepProgress;

/// How often one who takes what is open reads what others have done. A claim on what has been done is kept for longer, so that
/// whoever could take it next has read that before.
const LOOKS_AROUND_EVERY: Duration = Duration::from_secs(1);
/// The same where looking is asking over a network.
const LOOKS_OVER_A_NETWORK_EVERY: Duration = Duration::from_secs(5);
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

/// What has become of some runs.
#[derive(Debug, Default)]
struct Became {
    done: usize,
    there: usize,
    failed_before: usize,
    failed: Vec<String>,
    /// Somebody else is at them.
    is_taken: bool,
    is_interrupted: bool,
}

/// What is known of the runs, and since when.
#[derive(Debug)]
struct Known<'a> {
    runs: Runs<'a>,
    read: Instant,
}

/// A worker on the plan of a study.
#[derive(Debug)]
pub struct Worker<'a> {
    study: &'a Study,
    location: &'a Location,
    claims: &'a Claims,
    /// How often it reads what others have done, and lets them see what it has done.
    looks_every: Duration,
    orders: Orders,
    writer: Arc<Writer>,
    known: Mutex<Known<'a>>,
    done: Mutex<DoneClaims>,
}

/// Claims on what has been done: they are dropped when others have had the time to read what has come of it.
#[derive(Debug, Default)]
struct DoneClaims {
    /// Since when there are some whose runs need not be on the disk yet.
    since: Option<Instant>,
    fresh: Vec<Claim>,
    /// When runs came onto the disk, and the claims on them.
    synchronised: VecDeque<(Instant, Vec<Claim>)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the locks here is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Worker<'a> {
    /// A worker on the plan that lies there.
    ///
    /// # Errors
    /// When what others have done cannot be read.
    pub fn new(
        study: &'a Study,
        location: &'a Location,
        claims: &'a Claims,
        orders: Orders,
    ) -> Result<Self, CommandError> {
        let known = Known { read: Instant::now(), runs: Runs::read(study, location.folder())? };
        let looks_every = match location {
            Location::Folder(_) => LOOKS_AROUND_EVERY,
            Location::Objects(_) => claims.between_signs().min(LOOKS_OVER_A_NETWORK_EVERY),
        };
        let writer = Arc::new(Writer::new(location.folder(), location.copy()));
        let (known, done) = (Mutex::new(known), Mutex::default());
        Ok(Self { study, location, claims, looks_every, orders, writer, known, done })
    }

    /// Reads what others have done, now and then.
    fn look_around(&self) -> Result<(), CommandError> {
        let mut known = lock(&self.known);
        if self.orders.takes_what_is_open && known.read.elapsed() >= self.looks_every {
            self.location.look_around()?;
            known.read = Instant::now();
            known.runs.go_on()?;
        }
        Ok(())
    }

    /// Drops the claims on what others have had the time to read.
    fn let_go(&self) -> Result<(), CommandError> {
        let is_due = |since: Instant| since.elapsed() >= self.looks_every;
        let mut done = lock(&self.done);
        if done.since.is_some_and(is_due) {
            self.writer.synchronise()?;
            done.since = None;
            let claims = mem::take(&mut done.fresh);
            done.synchronised.push_back((Instant::now(), claims));
        }
        while done.synchronised.front().is_some_and(|(since, _)| is_due(*since)) {
            done.synchronised.pop_front();
        }
        Ok(())
    }

    /// Those of some runs that nobody is done with; the others are counted.
    fn open(&self, runs: &[usize], became: &mut Became) -> Vec<usize> {
        let known = lock(&self.known);
        let is_open = |run: &usize| {
            if known.runs.seconds(*run).is_some() {
                became.there += 1;
                return false;
            }
            let is_failed = !self.orders.retry && known.runs.has_failed(*run);
            became.failed_before += usize::from(is_failed);
            !is_failed
        };
        runs.iter().copied().filter(is_open).collect()
    }

    /// Does runs that follow one another, unless somebody else is at them.
    fn attempt(
        &self,
        runs: &Range<usize>,
        points: &[usize],
        catalog: &Catalog,
        announce: &Announce,
        control: &Control,
    ) -> Result<Became, CommandError> {
        self.let_go()?;
        self.look_around()?;
        let mut became = Became::default();
        let points = self.open(points.get(runs.clone()).unwrap_or_default(), &mut became);
        let Some(first) = points.first() else { return Ok(became) };
        let claim = if self.orders.takes_what_is_open {
            let Some(claim) = self.claims.take(&block_name(self.study, runs))? else {
                return Ok(Became { is_taken: true, ..Became::default() });
            };
            claim
        } else {
            self.claims.tell(run_name(self.study, *first))
        };
        for point in points {
            if control.is_stopped() {
                became.is_interrupted = true;
                return Ok(became);
            }
            match self.run(point, catalog, announce) {
                Ok(()) => became.done += 1,
                Err(error) if error.is_fatal_to_a_sweep() => return Err(error),
                Err(error) => {
                    let failure = told_in(error.to_string());
                    self.writer.append(&mut runs::packed_failure(&self.study.keys[point], &failure)?)?;
                    became.failed.push(format!("{}: {failure}", self.study.describe(point)));
                }
            }
        }
        if self.orders.takes_what_is_open {
            let mut done = lock(&self.done);
            done.since.get_or_insert_with(Instant::now);
            done.fresh.push(claim);
        }
        Ok(became)
    }

    fn run(&self, point: usize, catalog: &Catalog, announce: &Announce) -> Result<(), CommandError> {
        // The watchdog may outlast the run for a moment, and nothing of the worker is to stay with it.
        let (writer, key) = (Arc::downgrade(&self.writer), self.study.keys[point].clone());
        let is_stuck = move |stuck: StuckCall| {
            // So that others do not end in the same call one after the other.
            let Some(writer) = writer.upgrade() else { end(&stuck) };
            let failure = told_in(CommandError::Simulation(stuck.to_string()).to_string());
            let told = runs::packed_failure(&key, &failure).and_then(|mut record| writer.append(&mut record));
            if let Err(error) = told.and_then(|()| writer.synchronise()) {
                eprintln!("warning: {error}");
            }
            end(&stuck)
        };
        let keep = Keep::Packed(&self.writer, self.location.folder());
        run::run(self.study, point, keep, catalog, announce, is_stuck).map(drop)
    }

    /// Goes through some runs once, so many that follow one another at a time; gives those that others are at.
    fn pass(
        &self,
        points: &[usize],
        jobs: &[Range<usize>],
        threads: usize,
        control: &Control,
        work: &mut Work,
    ) -> Result<Vec<Range<usize>>, CommandError> {
        let progress = if self.orders.with_progress {
            SweepProgress::start(jobs.iter().map(Range::len).sum(), jobs.len())
        } else {
            None
        };
        let run = |catalog: &mut Catalog, job: usize, announce: &Announce| {
            self.attempt(&jobs[job], points, catalog, announce, control)
        };
        let outcomes =
            pool::run_all(jobs.len(), threads, control, SweepProgress::shows(progress), || self.study.catalog(), run)?;
        let mut taken = Vec::new();
        for (job, outcome) in jobs.iter().zip(outcomes) {
            let Some(became) = outcome.transpose()? else {
                work.is_interrupted = true;
                continue;
            };
            work.done += became.done;
            work.there += became.there;
            work.failed_before += became.failed_before;
            work.failed.extend(became.failed);
            work.is_interrupted |= became.is_interrupted;
            if became.is_taken {
                taken.push(job.clone());
            }
        }
        Ok(taken)
    }

    /// Does these runs. One who takes what is open ends when nothing is: while others are at the last runs it waits, so that
    /// somebody is there should they die.
    ///
    /// # Errors
    /// When something cannot be read or written, or all runs would meet the same error.
    pub fn work(&self, points: &[usize], threads: usize, control: &Control) -> Result<Work, CommandError> {
        self.do_all(points, threads, control).map_err(|error| {
            let left = self.writer.left();
            match self.location.copy() {
                Some(copy) if !left.is_empty() => copy.keep_files(&left, error),
                _ => error,
            }
        })
    }

    fn do_all(&self, points: &[usize], threads: usize, control: &Control) -> Result<Work, CommandError> {
        let mut work = Work { runs: points.len(), ..Work::default() };
        let mut jobs: Vec<Range<usize>> = if self.orders.takes_what_is_open {
            blocks(points.len()).collect()
        } else {
            (0..points.len()).map(|run| run..run + 1).collect()
        };
        if self.orders.takes_what_is_open && !jobs.is_empty() {
            // Those who begin at different places seldom meet. Which run is done when changes nothing about it.
            let begin = (std::process::id() as usize).wrapping_mul(0x9E37_79B1) % jobs.len();
            jobs.rotate_left(begin);
        }
        let _hands_over = self.hand_over_while_working();
        loop {
            let left = self.pass(points, &jobs, threads, control, &mut work);
            // What was done before an error counts all the same.
            let synchronised = self.writer.synchronise();
            jobs = left?;
            synchronised?;
            if jobs.is_empty() || control.is_stopped() {
                break;
            }
            self.pause(self.claims.pause().min(LONGEST_PAUSE), control)?;
        }
        if !control.is_stopped() && self.orders.takes_what_is_open && work.done > 0 {
            // Whoever comes after this one left is not to find what it has just done open.
            thread::sleep(self.looks_every);
        }
        work.is_interrupted |= control.is_stopped() && !jobs.is_empty();
        Ok(work)
    }

    /// Where others see what this worker has done only when it is handed over, has that done now and then; until what is given back
    /// is dropped.
    fn hand_over_while_working(&self) -> Option<Beat> {
        self.location.copy()?;
        let writer = Arc::clone(&self.writer);
        // Whoever synchronises next hears of an error if it lasts.
        Some(Beat::every(self.looks_every, move || drop(writer.synchronise())))
    }

    fn pause(&self, length: Duration, control: &Control) -> Result<(), CommandError> {
        let begin = Instant::now();
        while begin.elapsed() < length && !control.is_stopped() {
            thread::sleep(STEP);
            self.let_go()?;
        }
        Ok(())
    }
}
