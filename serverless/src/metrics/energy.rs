//! Energy that compute nodes take (the timing model, section 12).

use hearth_simcore::platform::PowerSpec;
use hearth_simcore::time::{SimDuration, SimTime};

use super::{Split, Window};

/// What a node was used for. Sums in whole nanoseconds, of which the energy is worked out at the end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NodeUse {
    /// Cores over time that were held from a dispatch to the release of the core.
    cores: Split,
    down: Split,
    down_since: Option<SimTime>,
}

impl NodeUse {
    /// A core was held from the date of a dispatch, if there was one, up to now.
    pub fn core_held(&mut self, dispatched: Option<SimTime>, now: SimTime, window: Window) {
        if let Some(dispatched) = dispatched {
            self.cores.add(window.split(dispatched, now));
        }
    }

    /// Processors were used, where they are shared.
    pub fn processors_used(&mut self, used: Split) {
        self.cores.add(used);
    }

    /// How long the node was up within what is measured, in nanoseconds.
    pub fn up_within(mut self, window: Window, end: SimTime) -> u128 {
        self.is_back(end, window);
        u128::from(window.length().as_nanos()).saturating_sub(self.down.within)
    }

    /// The node goes down.
    pub fn goes_down(&mut self, now: SimTime) {
        self.down_since.get_or_insert(now);
    }

    /// The node is back.
    pub fn is_back(&mut self, now: SimTime, window: Window) {
        if let Some(since) = self.down_since.take() {
            self.down.add(window.split(since, now));
        }
    }

    /// Whether something has come since the last end of an invocation.
    pub fn has_later(&self) -> bool {
        self.cores.after + self.down.after > 0
    }

    /// An invocation ends now.
    pub fn extend(&mut self) {
        self.cores.extend();
        self.down.extend();
    }
}

/// Energy in joules that compute nodes took from the first request to the end of the last invocation.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Energy {
    /// What they would have taken idle, over the time that they were up.
    pub idle_joules: f64,
    /// What busy cores took beyond that.
    pub busy_joules: f64,
    /// What both were after the end of the last invocation.
    pub drain_joules: f64,
}

impl Energy {
    /// In all, up to the end of the last invocation.
    pub fn joules(&self) -> f64 {
        self.idle_joules + self.busy_joules
    }

    /// Adds what a node of so many cores took up to the end of the simulation.
    pub(crate) fn add(&mut self, power: PowerSpec, cores: u32, mut used: NodeUse, window: Window, end: SimTime) {
        // A node that is down at the end has been down up to then.
        used.is_back(end, window);
        let up = |length: SimDuration, down: u128| u128::from(length.as_nanos()).saturating_sub(down);
        let idle = |up_nanos: u128| power.idle * (up_nanos as f64 / 1e9);
        let busy = |nanos: u128| (power.busy - power.idle) * (nanos as f64 / 1e9 / f64::from(cores));
        self.idle_joules += idle(up(window.length(), used.down.within));
        self.busy_joules += busy(used.cores.within);
        self.drain_joules += idle(up(end - window.to(), used.down.after)) + busy(used.cores.after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POWER: PowerSpec = PowerSpec { idle: 90.0, busy: 220.0 };

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    /// From one date to the other.
    fn window(from: u64, to: u64) -> Window {
        let mut window = Window::default();
        window.request(at(from));
        window.extend(at(to));
        window
    }

    #[test]
    fn busy_cores_take_their_part_of_what_lies_between_idle_and_busy() {
        let whole = window(0, 100);
        let mut used = NodeUse::default();
        used.core_held(Some(at(20)), at(50), whole);
        used.core_held(Some(at(40)), at(50), whole);
        used.core_held(None, at(50), whole);
        let mut energy = Energy::default();
        energy.add(POWER, 4, used, whole, at(100));
        // 90 W for 100 s; 130 W for 40 core-seconds of 4 cores.
        assert_eq!(energy, Energy { idle_joules: 9000.0, busy_joules: 1300.0, drain_joules: 0.0 });
        assert_eq!(energy.joules(), 10_300.0);
        // A second one, which did nothing.
        energy.add(POWER, 4, NodeUse::default(), whole, at(100));
        assert_eq!(energy, Energy { idle_joules: 18_000.0, busy_joules: 1300.0, drain_joules: 0.0 });
    }

    #[test]
    fn what_is_taken_before_the_first_request_does_not_count_and_after_the_last_end_apart() {
        let mut used = NodeUse::default();
        used.core_held(Some(at(20)), at(60), window(10, 40));
        assert!(used.has_later());
        // The next end takes what has come up to then.
        used.extend();
        used.core_held(Some(at(70)), at(90), window(10, 80));
        let mut energy = Energy::default();
        energy.add(POWER, 1, used, window(10, 80), at(100));
        let (idle_joules, busy_joules) = (90.0 * 70.0, 130.0 * 50.0);
        assert_eq!(energy, Energy { idle_joules, busy_joules, drain_joules: 90.0 * 20.0 + 130.0 * 10.0 });
    }

    #[test]
    fn a_node_that_is_down_takes_nothing() {
        let (early, whole) = (window(5, 95), window(5, 95));
        let mut used = NodeUse::default();
        used.goes_down(at(0));
        used.is_back(at(7), early);
        used.goes_down(at(10));
        // A second outage of the same host within the first.
        used.goes_down(at(12));
        used.is_back(at(30), early);
        used.goes_down(at(90));
        let mut energy = Energy::default();
        energy.add(POWER, 4, used, whole, at(100));
        // Up from 7 to 10 and from 30 to 90.
        assert_eq!(energy, Energy { idle_joules: 5670.0, busy_joules: 0.0, drain_joules: 0.0 });
    }
}
