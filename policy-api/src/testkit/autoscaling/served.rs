//! A function that is served by instances, as the kit keeps it.

use super::Event;
use crate::{ScaleCause, ScaleView};

/// What a function declares of its instances.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Bounds {
    pub concurrency: u32,
    pub min: u32,
    pub max: u32,
}

/// Its requests and instances. Those that are to stop end, in this kit, as requests end: none is there that the requests do not fill.
#[derive(Clone, Debug)]
pub(super) struct Served {
    bounds: Bounds,
    ready: u32,
    starting: u32,
    stopping: u32,
    wanted: u32,
    is_asked_about: bool,
    waiting: u64,
    /// In instances that are ready, and in those that stop.
    running: u64,
    waiting_since: u64,
    arrivals: u64,
    last_arrival: u64,
    in_flight_seconds: f64,
    running_seconds: f64,
    /// Up to when the integrals go, in ns.
    up_to: u64,
}

impl Served {
    pub fn new(bounds: Bounds, begin: u64) -> Self {
        Self {
            bounds,
            ready: 0,
            starting: bounds.min,
            stopping: 0,
            wanted: bounds.min,
            is_asked_about: bounds.min > 0,
            waiting: 0,
            running: 0,
            waiting_since: u64::MAX,
            arrivals: 0,
            last_arrival: u64::MAX,
            in_flight_seconds: 0.0,
            running_seconds: 0.0,
            up_to: begin,
        }
    }

    /// Whether it is to have instances.
    pub fn has_wanted(&self) -> bool {
        self.wanted > 0
    }

    /// Whether the policy is asked about it at ticks.
    pub fn is_asked_about(&self) -> bool {
        self.is_asked_about
    }

    /// Is asked about from now on; whether it was not.
    pub fn begin_to_be_asked_about(&mut self) -> bool {
        !std::mem::replace(&mut self.is_asked_about, true)
    }

    /// After a tick nobody is asked about it until the next request, if it has neither instances nor requests, and none are wanted.
    pub fn may_go_dormant(&mut self) {
        let is_dormant = self.ready + self.starting + self.stopping + self.wanted == 0 && self.waiting == 0;
        self.is_asked_about &= !is_dormant;
    }

    fn concurrency(&self) -> u64 {
        u64::from(self.bounds.concurrency.max(1))
    }

    /// Instances that stop are full for as long as there are requests for that.
    fn room(&self) -> u64 {
        let in_stopping = self.running.min(u64::from(self.stopping).saturating_mul(self.concurrency()));
        let all = u64::from(self.ready).saturating_mul(self.concurrency());
        all.saturating_sub(self.running - in_stopping)
    }

    /// Those that stop end when they have no requests.
    fn end_idle(&mut self) {
        let needed = u32::try_from(self.running.div_ceil(self.concurrency())).unwrap_or(u32::MAX);
        self.stopping = self.stopping.min(needed);
    }

    /// Whether a request finds an instance.
    pub fn has_room(&self) -> bool {
        self.room() > 0
    }

    fn pass(&mut self, now: u64) {
        let seconds = now.saturating_sub(self.up_to) as f64 / 1e9;
        self.up_to = now;
        self.in_flight_seconds += seconds * (self.waiting + self.running) as f64;
        self.running_seconds += seconds * self.running as f64;
    }

    /// Those that wait find the room that there is.
    fn let_in(&mut self) {
        let moved = self.waiting.min(self.room());
        self.waiting -= moved;
        self.running += moved;
        if self.waiting == 0 {
            self.waiting_since = u64::MAX;
        }
    }

    /// A request comes.
    pub fn arrive(&mut self, now: u64) {
        self.pass(now);
        self.arrivals += 1;
        self.last_arrival = now;
        self.waiting += 1;
        self.waiting_since = self.waiting_since.min(now);
        self.let_in();
    }

    pub fn happen(&mut self, event: Event, now: u64) {
        self.pass(now);
        match event {
            Event::Arrive(_) => {}
            Event::End(count) => {
                self.running = self.running.saturating_sub(count);
                self.end_idle();
            }
            Event::Up(count) => {
                let count = count.min(self.starting);
                (self.starting, self.ready) = (self.starting - count, self.ready + count);
            }
            Event::Lose(count) => {
                let count = count.min(self.ready);
                let of_all = u64::from(count) * self.running / u64::from((self.ready + self.stopping).max(1));
                (self.ready, self.running) = (self.ready - count, self.running - of_all);
                self.end_idle();
                // The host makes up for what is lost.
                self.follow(self.wanted);
            }
        }
        self.let_in();
    }

    /// There are to be so many instances.
    pub fn follow(&mut self, wanted: u32) {
        self.wanted = wanted;
        let there = self.ready + self.starting;
        if wanted >= there {
            self.starting += wanted - there;
            return;
        }
        let not_started = self.starting.min(there - wanted);
        self.starting -= not_started;
        let too_many = self.ready.saturating_sub(wanted);
        (self.ready, self.stopping) = (self.ready - too_many, self.stopping + too_many);
        self.end_idle();
    }

    /// Its instances are gone, with all requests.
    pub fn forget_instances(&mut self, now: u64) {
        self.pass(now);
        self.bounds = Bounds { min: 0, max: self.bounds.max.max(1), ..self.bounds };
        (self.ready, self.starting, self.stopping, self.wanted) = (0, 0, 0, 0);
        (self.waiting, self.running, self.waiting_since) = (0, 0, u64::MAX);
    }

    /// As it is shown to the policy.
    pub fn view(&mut self, function: u32, cause: ScaleCause, now: u64) -> ScaleView {
        self.pass(now);
        ScaleView {
            function,
            now,
            concurrency: self.bounds.concurrency,
            min_scale: self.bounds.min,
            max_scale: self.bounds.max,
            ready: self.ready,
            starting: self.starting,
            stopping: self.stopping,
            wanted: self.wanted,
            cause,
            waiting: self.waiting,
            running: self.running,
            waiting_since: self.waiting_since,
            arrivals: self.arrivals,
            last_arrival: self.last_arrival,
            in_flight_seconds: self.in_flight_seconds,
            running_seconds: self.running_seconds,
            ..ScaleView::default()
        }
    }
}
