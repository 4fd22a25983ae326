//! Which flow crosses which resource, and at what rate.

use crate::time::SimTime;

/// Names a resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ResourceId(pub(super) u32);

/// Names a flow; that of a flow that has ended is recognised.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FlowId {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

impl FlowId {
    /// A small number that no other flow of the moment has.
    pub fn index(self) -> usize {
        self.slot as usize
    }
}

/// That a flow uses a resource: each unit of rate takes `weight` of the capacity.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Use {
    /// The resource. One that is listed twice counts with the sum of the weights.
    pub resource: ResourceId,
    /// Capacity per rate, positive.
    pub weight: f64,
}

/// A flow to start.
#[derive(Clone, Copy, Debug)]
pub struct FlowSpec<'a> {
    /// What is to be moved, in bytes (or operations), not negative.
    pub amount: f64,
    /// What arrives per unit of rate.
    pub efficiency: f64,
    /// The highest rate; may be infinite.
    pub bound: f64,
    /// Shares of a full resource are inverse to it; positive.
    pub penalty: f64,
    /// The resources it crosses.
    pub uses: &'a [Use],
}

#[derive(Debug)]
pub(super) struct Flow {
    pub generation: u32,
    pub active: bool,
    pub started: u64,
    pub version: u32,
    pub remaining: f64,
    pub since: SimTime,
    pub efficiency: f64,
    pub rate: f64,
    pub bound: f64,
    pub penalty: f64,
    /// Its uses, with its place in the list of each resource.
    pub links: Vec<Link>,
    /// The solve in which it is part of the region, and its place there.
    pub in_region: u64,
    pub place: u32,
}

/// One use of a resource by a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub resource: u32,
    pub weight: f64,
    pub position: u32,
}

#[derive(Debug)]
pub(super) struct Resource {
    pub capacity: f64,
    /// The flows that cross it, with the position of this resource among their uses.
    pub flows: Vec<(u32, u32)>,
    /// Whether the flows used all of it after the last solve.
    pub full: bool,
    /// The solve in which it is part of the region, and its place there.
    pub in_region: u64,
    pub place: u32,
}

/// All flows and resources, and which of them have changed.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub flows: Vec<Flow>,
    pub resources: Vec<Resource>,
    /// Flows started since the last settling.
    pub fresh: Vec<u32>,
    /// Full resources that lost a flow or changed since the last settling.
    pub loosened: Vec<u32>,
}

impl Graph {
    /// What a flow takes of one of its resources.
    pub fn use_of(&self, slot: u32, link: u32) -> f64 {
        let flow = &self.flows[slot as usize];
        flow.rate * flow.links[link as usize].weight
    }
}

impl Flow {
    /// A place for a flow.
    pub fn unused() -> Self {
        Self {
            generation: 0,
            active: false,
            started: 0,
            version: 0,
            remaining: 0.0,
            since: SimTime::ZERO,
            efficiency: 1.0,
            rate: 0.0,
            bound: 0.0,
            penalty: 1.0,
            links: Vec::new(),
            in_region: 0,
            place: 0,
        }
    }

    /// The level at which it gets its rate.
    pub fn level(&self) -> f64 {
        self.rate * self.penalty
    }

    /// What it has not moved by a date.
    pub fn remaining_at(&self, now: SimTime) -> f64 {
        (self.remaining - self.efficiency * self.rate * now.since(self.since).as_secs_f64()).max(0.0)
    }
}
