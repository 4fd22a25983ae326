//! The instances of one function, or of all of an application, and who waits for them.

use std::collections::{BTreeMap, VecDeque};

use hearth_simcore::time::SimTime;
use rand_pcg::Pcg64Mcg;

use super::InstanceKey;
use super::routing::Router;
use crate::distribution::{Distribution, Sampler};
use crate::function::{FunctionId, InstanceSettings, StartPhase};
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
    in_flight: Integral,
    served: Integral,
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
        random: Pcg64Mcg,
        now: SimTime,
    ) -> Self {
        let wanted = settings.initial_scale.max(settings.min_scale).min(settings.max_scale);
        let starts = settings.start.iter().map(|StartPhase { time, .. }| time.sampler()).collect();
        let removal = settings.removal.as_ref().map(Distribution::sampler);
        let begin = Integral { since: now, sum: 0 };
        Self {
            functions,
            lead,
            is_active: false,
            settings,
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
            random,
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

    /// How many seconds the phases of the next start take together.
    pub fn draw_start(&mut self) -> f64 {
        let Self { starts, random, .. } = self;
        starts.iter().map(|phase| phase.draw(random)).sum()
    }

    /// How many seconds the removal of the next one takes.
    pub fn draw_removal(&mut self) -> f64 {
        let Self { removal, random, .. } = self;
        removal.as_ref().map_or(0.0, |removal| removal.draw(random))
    }

    /// How many instances there are that are not about to end.
    pub fn scale(&self) -> u32 {
        self.ready + self.starting
    }
}
