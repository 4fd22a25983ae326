//! The instances of one function, or of all of an application, and who waits for them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hearth_simcore::time::SimTime;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::InstanceKey;
use super::routing::Router;
use super::snapshots::Snapshots;
use crate::distribution::{Distribution, Sampler};
use crate::function::{FunctionId, InstanceSettings, Pausing, StartFailure, StartPhase};
use crate::node::NodeId;
use crate::service::attempts::AttemptKey;

/// The instances of a function, or of those of an application.
#[derive(Debug)]
pub(super) struct Fleet {
    /// Whom they serve, by number; at least one.
    pub functions: Vec<FunctionId>,
    /// The first of these: its containers are the instances, and its autoscaler is asked about them all.
    pub lead: FunctionId,
    /// It is among those that are asked about at ticks.
    pub is_active: bool,
    pub settings: InstanceSettings,
    /// Whether they are pods, which other instances take.
    pub is_pool: bool,
    /// Those that have not ended, by number.
    pub members: BTreeMap<u64, InstanceKey>,
    pub router: Router,
    /// Requests that have found no instance with room, and since when they were let in.
    pub queue: VecDeque<(AttemptKey, SimTime)>,
    pub ready: u32,
    pub starting: u32,
    pub stopping: u32,
    /// How many there are to be.
    pub wanted: u32,
    /// Requests in instances, served or waiting there.
    pub running: u64,
    /// Requests that were let in.
    pub arrivals: u64,
    pub last_arrival: Option<SimTime>,
    /// How long the phases of a start take.
    starts: Vec<Sampler>,
    removal: Option<Sampler>,
    random: Pcg64Mcg,
    pausing: Option<PauseTimes>,
    pub snapshots: Option<Snapshots>,
    failures: Option<Failures>,
    /// Those that are tried again later, unless nothing else happens.
    pub tried_in_background: BTreeSet<InstanceKey>,
    in_flight: Integral,
    served: Integral,
}

/// Which starts come to nothing.
#[derive(Debug)]
struct Failures {
    chance: f64,
    /// How many phases those pass that do.
    phases: usize,
    /// A stream of its own: that some fail does not change how long others take.
    random: Pcg64Mcg,
}

/// How long it takes to pause instances, and to take what is paused.
#[derive(Debug)]
struct PauseTimes {
    pause: Option<Sampler>,
    resume: Option<Sampler>,
    random: Pcg64Mcg,
}

/// How the start of an instance goes on.
#[derive(Clone, Debug)]
pub(super) struct DrawnStart {
    /// How many seconds each of its phases takes, as far as it comes.
    pub phases: Vec<f64>,
    /// Whether it comes to nothing then.
    pub fails: bool,
    /// Whether it is restored from a snapshot.
    pub is_restored: bool,
}

/// A number over time.
#[derive(Clone, Copy, Debug, Default)]
struct Integral {
    since: SimTime,
    /// In nanoseconds.
    sum: u128,
}

impl Integral {
    fn advance(&mut self, level: u64, now: SimTime) {
        self.sum += u128::from(level) * u128::from(now.since(self.since).as_nanos());
        self.since = now;
    }

    fn seconds(&self) -> f64 {
        self.sum as f64 / 1e9
    }
}

impl Fleet {
    /// Those of functions, which are given by number; none yet.
    pub fn new(
        (lead, functions): (FunctionId, Vec<FunctionId>),
        settings: InstanceSettings,
        router: Router,
        random: impl Fn(&str) -> Pcg64Mcg,
        (nodes, now): (usize, SimTime),
    ) -> Self {
        let wanted = settings.initial_scale.max(settings.min_scale).min(settings.max_scale);
        let starts = settings.start.iter().map(|StartPhase { time, .. }| time.sampler()).collect();
        let removal = settings.removal.as_ref().map(Distribution::sampler);
        let failures = settings.start_failure.as_ref().map(|StartFailure { chance, after, .. }| {
            let shows = after.as_ref().and_then(|after| settings.start.iter().position(|phase| phase.name == *after));
            let phases = shows.map_or(usize::MAX, |position| position + 1);
            Failures { chance: *chance, phases, random: random("failures of starts") }
        });
        let pausing = settings.paused.as_ref().map(|Pausing { pause, resume, .. }| {
            let sampler = |time: &Option<Distribution>| time.as_ref().map(Distribution::sampler);
            PauseTimes { pause: sampler(pause), resume: sampler(resume), random: random("pauses") }
        });
        let snapshot = settings.snapshot.as_ref();
        let snapshots = snapshot.map(|snapshot| Snapshots::new(snapshot, &settings.start, nodes, random("snapshots")));
        let begin = Integral { since: now, sum: 0 };
        Self {
            functions,
            lead,
            is_active: false,
            settings,
            is_pool: false,
            members: BTreeMap::new(),
            router,
            queue: VecDeque::new(),
            ready: 0,
            starting: 0,
            stopping: 0,
            wanted,
            running: 0,
            arrivals: 0,
            last_arrival: None,
            starts,
            removal,
            random: random("starts"),
            pausing,
            snapshots,
            failures,
            tried_in_background: BTreeSet::new(),
            in_flight: begin,
            served: begin,
        }
    }

    /// Sums over time go up to here: before the number of requests changes, and before they are looked at.
    pub fn advance(&mut self, now: SimTime) {
        self.in_flight.advance(self.running + self.queue.len() as u64, now);
        self.served.advance(self.running, now);
    }

    /// Requests under way over time, and those of them that are in instances, in requests × seconds, up to the last change.
    pub fn request_seconds(&self) -> (f64, f64) {
        (self.in_flight.seconds(), self.served.seconds())
    }

    /// Whether its autoscaler has nothing to decide until somebody comes.
    pub fn is_dormant(&self) -> bool {
        self.members.is_empty() && self.queue.is_empty() && self.wanted == 0
    }

    /// How the next start goes on, which is on a node and has some phases behind it if it is that of a pod.
    pub fn draw_start(&mut self, node: NodeId, behind: Option<&[StartPhase]>) -> DrawnStart {
        let Self { starts, random, failures, snapshots, .. } = self;
        let fails = failures.as_mut().is_some_and(|of| of.random.random::<f64>() < of.chance);
        let passed = failures.as_ref().filter(|_| fails).map_or(usize::MAX, |of| of.phases);
        // What is drawn for phases that are not reached is drawn all the same: later starts take as long as without failures.
        let mut times: Vec<f64> = starts.iter().map(|phase| phase.draw(random)).collect();
        for (time, phase) in times.iter_mut().zip(self.settings.start.iter()) {
            if behind.is_some_and(|behind| behind.iter().any(|passed| passed.name == phase.name)) {
                *time = 0.0;
            }
        }
        let snapshots = snapshots.as_mut().filter(|snapshots| behind.is_none() && snapshots.are_on(node));
        let is_restored = snapshots.map(|snapshots| snapshots.restore(&mut times)).is_some();
        times.truncate(passed);
        DrawnStart { phases: times, fails, is_restored }
    }

    /// The phases of a start that takes so long in each, in words.
    pub fn phases_in_words(&self, drawn: &[f64]) -> String {
        let phases = self.settings.start.iter().zip(drawn).filter(|(_, seconds)| **seconds > 0.0);
        let phases: Vec<String> = phases.map(|(phase, seconds)| format!("{} {seconds:.3} s", phase.name)).collect();
        phases.join(", ")
    }

    /// How many seconds the removal of the next one takes, or its pause.
    pub fn draw_removal(&mut self) -> f64 {
        match self {
            Self { pausing: Some(PauseTimes { pause, random, .. }), .. } => {
                pause.as_ref().map_or(0.0, |pause| pause.draw(random))
            }
            Self { removal, random, .. } => removal.as_ref().map_or(0.0, |removal| removal.draw(random)),
        }
    }

    /// How many seconds it takes until the next one is up that takes a paused container.
    pub fn draw_resume(&mut self) -> f64 {
        let Some(PauseTimes { resume, random, .. }) = &mut self.pausing else { return 0.0 };
        resume.as_ref().map_or(0.0, |resume| resume.draw(random))
    }

    /// How many instances there are that are not about to end.
    pub fn scale(&self) -> u32 {
        self.ready + self.starting
    }
}
