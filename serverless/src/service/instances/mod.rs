//! Functions that are served by instances: containers that take several requests at once, of which there are as many as the
//! autoscaler wants (the timing model, section 15). A request that is admitted goes to an instance with room, or waits in the queue of
//! its function; how many instances there are to be is asked at ticks, and when a request finds no room.

mod awaiting_node;
#[cfg(test)]
mod checked;
mod control_plane;
mod ending;
mod failing;
mod fleet;
mod fleets;
mod instance;
mod pausing;
mod pods;
mod routing;
mod scaling;
mod serving;
mod snapshots;
mod starting;

use std::collections::{BTreeMap, BTreeSet};

use hearth_simcore::time::SimTime;
use slotmap::{SlotMap, new_key_type};

use self::awaiting_node::AwaitingNode;
use self::control_plane::Stations;
pub(crate) use self::control_plane::Which;
use self::fleets::Fleets;
use self::instance::Instance;
use self::pods::Pool;
use super::ticks::Ticks;
use crate::function::{FunctionId, ImageId};
use crate::node::{ContainerId, NodeId};

new_key_type! {
    /// Names an instance.
    pub(crate) struct InstanceKey;
}

/// A place of a request in an instance that serves it; to be given back.
#[must_use]
#[derive(Debug)]
pub(crate) struct Seat {
    node: NodeId,
    container: ContainerId,
    instance: InstanceKey,
}

impl Seat {
    pub fn node(&self) -> NodeId {
        self.node
    }

    pub fn container(&self) -> ContainerId {
        self.container
    }

    pub fn instance(&self) -> InstanceKey {
        self.instance
    }
}

/// The instances of all functions that have any.
#[derive(Debug, Default)]
pub(crate) struct Instances {
    /// Of the functions that are served by instances.
    fleets: Fleets,
    all: SlotMap<InstanceKey, Instance>,
    /// How many there have been.
    count: u64,
    stations: Stations,
    /// Where they look for pods, in this order.
    pools: Vec<Pool>,
    awaiting_node: AwaitingNode,
    /// Who waits on a node for an image there; no list is empty.
    awaiting_image: BTreeMap<(NodeId, ImageId), Vec<InstanceKey>>,
    /// The functions that are asked about at ticks, each for all that have their instances together with it.
    active: BTreeSet<FunctionId>,
    ticks: Ticks,
}

impl Instances {
    /// Whoever is asked from now on is asked at dates that are so far apart, in ns.
    pub fn set_tick_period(&mut self, nanos: u64) {
        self.ticks.set_period(nanos);
    }

    /// Whether any function is served by instances.
    #[inline]
    pub fn are_there(&self) -> bool {
        !self.fleets.is_empty()
    }

    /// Whether a function is served by instances.
    #[inline]
    pub fn serve(&self, function: FunctionId) -> bool {
        !self.fleets.is_empty() && self.fleets.contains(function)
    }

    /// Whether instances wait for a node with room.
    #[inline]
    pub fn await_nodes(&self) -> bool {
        !self.awaiting_node.is_empty()
    }

    /// The functions of those that no node has had room for, and since when they are wanted.
    pub fn without_node(&self) -> impl Iterator<Item = (FunctionId, SimTime)> {
        let waiting = self.awaiting_node.keys().filter_map(|key| self.all.get(key));
        waiting.map(|instance| (instance.function, instance.wanted_at))
    }

    /// One as people know it.
    pub fn in_words(&self, key: InstanceKey, name: impl Fn(NodeId) -> String) -> String {
        let Some(instance) = self.all.get(key) else { return "an instance".to_owned() };
        let on = instance.node().map_or_else(String::new, |node| format!(" on {}", name(node)));
        let (wanted, number) = (instance.wanted_at.as_secs_f64(), instance.number);
        let ready = instance.ready_at.map_or_else(String::new, |at| format!(" and up since {:.3} s", at.as_secs_f64()));
        format!("instance {number}{on}, wanted at {wanted:.3} s{ready}")
    }

    /// The function of one.
    pub fn function_of(&self, key: InstanceKey) -> Option<FunctionId> {
        self.all.get(key).map(|instance| instance.function)
    }

    /// How many there are of a function, whatever they do.
    pub fn count_of(&self, function: FunctionId) -> u64 {
        self.fleets.get(&function).map_or(0, |fleet| fleet.members.len() as u64)
    }

    /// Those that wait on a node for an image there.
    pub fn bound_at(&self, node: NodeId, image: ImageId) -> Vec<InstanceKey> {
        self.awaiting_image.get(&(node, image)).cloned().unwrap_or_default()
    }

    /// Whether instances wait on a node for an image there.
    pub fn are_bound(&self, node: NodeId, image: ImageId) -> bool {
        self.awaiting_image.contains_key(&(node, image))
    }
}
