//! Energy that compute nodes take (the timing model, section 12).

use hearth_simcore::platform::PowerSpec;
use hearth_simcore::time::SimTime;

/// What a node was used for. Sums in whole nanoseconds, of which the energy is worked out at the end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NodeUse {
    /// Cores over time that were held from a dispatch to the release of the core.
    core_nanos: u128,
    down_nanos: u64,
    down_since: Option<SimTime>,
}

impl NodeUse {
    /// A core was held from the date of a dispatch, if there was one, up to now.
    pub fn core_held(&mut self, dispatched: Option<SimTime>, now: SimTime) {
        self.core_nanos += dispatched.map_or(0, |dispatched| u128::from(now.since(dispatched).as_nanos()));
    }

    /// The node goes down.
    pub fn goes_down(&mut self, now: SimTime) {
        self.down_since.get_or_insert(now);
    }

    /// The node is back.
    pub fn is_back(&mut self, now: SimTime) {
        if let Some(since) = self.down_since.take() {
            self.down_nanos += now.since(since).as_nanos();
        }
    }
}

/// Energy in joules that compute nodes took.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Energy {
    /// What they would have taken idle, over the time that they were up.
    pub idle_joules: f64,
    /// What busy cores took beyond that.
    pub busy_joules: f64,
}

impl Energy {
    /// In all.
    pub fn joules(&self) -> f64 {
        self.idle_joules + self.busy_joules
    }

    /// Adds what a node of so many cores took from the beginning to the end of the simulation.
    pub(crate) fn add(&mut self, power: PowerSpec, cores: u32, mut used: NodeUse, end: SimTime) {
        // A node that is down at the end has been down up to then.
        used.is_back(end);
        let up_nanos = end.as_nanos().saturating_sub(used.down_nanos);
        let busy_seconds = used.core_nanos as f64 / 1e9 / f64::from(cores);
        self.idle_joules += power.idle * (up_nanos as f64 / 1e9);
        self.busy_joules += (power.busy - power.idle) * busy_seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POWER: PowerSpec = PowerSpec { idle: 90.0, busy: 220.0 };

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn busy_cores_take_their_part_of_what_lies_between_idle_and_busy() {
        let mut used = NodeUse::default();
        used.core_held(Some(at(20)), at(50));
        used.core_held(Some(at(40)), at(50));
        used.core_held(None, at(50));
        let mut energy = Energy::default();
        energy.add(POWER, 4, used, at(100));
        // 90 W for 100 s; 130 W for 40 core-seconds of 4 cores.
        assert_eq!(energy, Energy { idle_joules: 9000.0, busy_joules: 1300.0 });
        assert_eq!(energy.joules(), 10_300.0);
        // A second one, which did nothing.
        energy.add(POWER, 4, NodeUse::default(), at(100));
        assert_eq!(energy, Energy { idle_joules: 18_000.0, busy_joules: 1300.0 });
    }

    #[test]
    fn a_node_that_is_down_takes_nothing() {
        let mut used = NodeUse::default();
        used.goes_down(at(10));
        // A second outage of the same host within the first.
        used.goes_down(at(12));
        used.is_back(at(30));
        used.goes_down(at(90));
        let mut energy = Energy::default();
        energy.add(POWER, 4, used, at(100));
        // Up from 0 to 10 and from 30 to 90.
        assert_eq!(energy, Energy { idle_joules: 6300.0, busy_joules: 0.0 });
    }
}
