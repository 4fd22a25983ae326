//! The stations that instances pass as they are started: first come, first served, so many at once.

use std::collections::VecDeque;

use hearth_simcore::random::stream;
use hearth_simcore::time::{SimDuration, SimTime};
use rand_pcg::Pcg64Mcg;

use super::InstanceKey;
use crate::distribution::{Distribution, Sampler};
use crate::function::{ControlPlane, Station};
use crate::node::NodeId;
use crate::table::Table;

/// The stations of a service; what there is none of takes no time.
#[derive(Debug, Default)]
pub(super) struct Stations {
    creation: Option<Queue>,
    /// By node.
    node_agents: Option<Table<NodeId, Queue>>,
}

/// Which station.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    Creation,
    AgentOf(NodeId),
}

/// A station, with who waits for it.
#[derive(Debug)]
struct Queue {
    at_once: u32,
    time: Option<Sampler>,
    random: Pcg64Mcg,
    /// How long it is from one call to the next at the least.
    gap: SimDuration,
    /// When the next one can be called.
    opens_at: SimTime,
    /// Whether that is awaited.
    is_opening: bool,
    busy: u32,
    waiting: VecDeque<InstanceKey>,
}

impl Stations {
    pub fn new(control_plane: &ControlPlane, nodes: usize, seed: u64) -> Self {
        let creation =
            control_plane.creation.as_ref().map(|station| Queue::new(station, seed, "creation of instances"));
        let agent = |station: &Station| {
            let of_node = |node| Queue::new(station, seed, &format!("agent of node {node}"));
            (0..nodes).map(of_node).collect::<Vec<_>>().into()
        };
        Self { creation, node_agents: control_plane.node_agent.as_ref().map(agent) }
    }
}

impl Stations {
    fn station(&mut self, which: Which) -> Option<&mut Queue> {
        match which {
            Which::Creation => self.creation.as_mut(),
            Which::AgentOf(node) => self.node_agents.as_mut().map(|agents| &mut agents[node]),
        }
    }

    /// Somebody comes, and waits until called; false if there is no such station.
    pub fn enter(&mut self, which: Which, key: InstanceKey) -> bool {
        self.station(which).map(|station| station.waiting.push_back(key)).is_some()
    }

    /// Calls the next one, if one waits and can be served: who, and how long it takes. It is to [leave](Self::leave) then.
    pub fn call(&mut self, which: Which, now: SimTime) -> Option<(InstanceKey, SimDuration)> {
        self.station(which)?.call(now)
    }

    /// When it can call again, if somebody waits for nothing else and nobody awaits that yet; it is to be [opened](Self::open) then.
    pub fn opens(&mut self, which: Which, now: SimTime) -> Option<SimTime> {
        let station = self.station(which)?;
        let is_shut = station.opens_at > now && station.busy < station.at_once && !station.waiting.is_empty();
        let is_new = is_shut && !std::mem::replace(&mut station.is_opening, true);
        is_new.then_some(station.opens_at)
    }

    /// The date has come at which it can call again.
    pub fn open(&mut self, which: Which) {
        if let Some(station) = self.station(which) {
            station.is_opening = false;
        }
    }

    /// One that was called is served, or has gone.
    pub fn leave(&mut self, which: Which) {
        if let Some(station) = self.station(which) {
            station.busy -= 1;
        }
    }

    /// One that waits has gone.
    pub fn forget(&mut self, which: Which, key: InstanceKey) {
        if let Some(station) = self.station(which) {
            station.waiting.retain(|other| *other != key);
        }
    }
}

impl Queue {
    fn new(station: &Station, seed: u64, name: &str) -> Self {
        let Station { at_once, time, per_second } = station;
        Self {
            at_once: (*at_once).max(1),
            time: time.as_ref().map(Distribution::sampler),
            random: stream(seed, name),
            gap: per_second.map_or(SimDuration::ZERO, |rate| SimDuration::from_secs_f64(1.0 / rate)),
            opens_at: SimTime::ZERO,
            is_opening: false,
            busy: 0,
            waiting: VecDeque::new(),
        }
    }

    fn call(&mut self, now: SimTime) -> Option<(InstanceKey, SimDuration)> {
        if self.busy >= self.at_once || now < self.opens_at {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.busy += 1;
        self.opens_at = now + self.gap;
        let Self { time, random, .. } = self;
        Some((next, SimDuration::from_secs_f64(time.as_ref().map_or(0.0, |time| time.draw(random)))))
    }
}
