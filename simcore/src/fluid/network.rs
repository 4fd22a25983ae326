//! The network of flows and resources.

use super::completions::{Completion, Completions};
use super::region::Region;
use crate::time::{SimDuration, SimTime};

/// Names a resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ResourceId(pub(super) u32);

/// Names a flow; that of a flow that has ended is recognised.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FlowId {
    pub(super) slot: u32,
    generation: u32,
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
    generation: u32,
    pub active: bool,
    started: u64,
    version: u32,
    remaining: f64,
    since: SimTime,
    efficiency: f64,
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
    position: u32,
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

/// Flows over resources. Changes take effect with [`FluidNetwork::settle`].
#[derive(Debug, Default)]
pub struct FluidNetwork {
    pub(super) flows: Vec<Flow>,
    pub(super) resources: Vec<Resource>,
    free: Vec<u32>,
    started: u64,
    live: usize,
    completions: Completions,
    /// Flows started since the last settling.
    pub(super) fresh: Vec<u32>,
    /// Full resources that lost a flow or changed since the last settling.
    pub(super) loosened: Vec<u32>,
    region: Region,
}

impl FluidNetwork {
    /// A network without resources.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a resource of a capacity, not negative.
    pub fn add_resource(&mut self, capacity: f64) -> ResourceId {
        let flows = Vec::new();
        self.resources.push(Resource { capacity, flows, full: false, in_region: 0, place: 0 });
        ResourceId(self.resources.len() as u32 - 1)
    }

    /// Changes the capacity of a resource.
    pub fn set_capacity(&mut self, resource: ResourceId, capacity: f64) {
        if let Some(changed) = self.resources.get_mut(resource.0 as usize) {
            changed.capacity = capacity;
            self.loosened.push(resource.0);
        }
    }

    /// Starts a flow. It moves from the next settling on.
    pub fn start(&mut self, now: SimTime, spec: FlowSpec<'_>) -> FlowId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.flows.push(Flow::unused());
            self.flows.len() as u32 - 1
        });
        self.started += 1;
        self.live += 1;
        let flow = &mut self.flows[slot as usize];
        flow.active = true;
        flow.started = self.started;
        flow.remaining = spec.amount;
        flow.since = now;
        (flow.efficiency, flow.bound, flow.penalty) = (spec.efficiency, spec.bound, spec.penalty);
        flow.rate = 0.0;
        for used in spec.uses {
            match flow.links.iter_mut().find(|link| link.resource == used.resource.0) {
                Some(link) => link.weight += used.weight,
                None => flow.links.push(Link { resource: used.resource.0, weight: used.weight, position: 0 }),
            }
        }
        for (number, link) in flow.links.iter_mut().enumerate() {
            let crossing = &mut self.resources[link.resource as usize].flows;
            link.position = crossing.len() as u32;
            crossing.push((slot, number as u32));
        }
        let generation = flow.generation;
        if flow.remaining <= 0.0 || (flow.links.is_empty() && flow.bound == f64::INFINITY) {
            self.complete_at(slot, now);
        }
        self.fresh.push(slot);
        FlowId { slot, generation }
    }

    /// Ends a flow before its time, and gives what it had not moved; `None` if it had ended.
    pub fn cancel(&mut self, now: SimTime, flow: FlowId) -> Option<f64> {
        let remaining = self.remaining(now, flow)?;
        self.end(flow.slot);
        Some(remaining)
    }

    /// Whether something has changed since the last settling.
    pub fn needs_settling(&self) -> bool {
        !self.fresh.is_empty() || !self.loosened.is_empty()
    }

    /// Whether nothing flows and nothing has changed.
    pub fn is_still(&self) -> bool {
        self.live == 0 && !self.needs_settling()
    }

    /// Works out the rates anew where something has changed. To be called at the date of the changes, once after all
    /// of them, before time moves on.
    pub fn settle(&mut self, now: SimTime) {
        let mut region = std::mem::take(&mut self.region);
        region.solve(self);
        for &(slot, rate) in region.rates() {
            self.change_rate(slot, rate, now);
        }
        self.region = region;
        self.fresh.clear();
        self.loosened.clear();
    }

    /// The date at which the next flow ends if no rate changes before.
    pub fn next_completion(&mut self) -> Option<SimTime> {
        let flows = &self.flows;
        self.completions.peek(|entry| is_current(flows, entry)).map(|entry| entry.date)
    }

    /// Takes out a flow that has ended by `now`: the earliest, and of those of one date the one started first.
    pub fn pop_completed(&mut self, now: SimTime) -> Option<FlowId> {
        let flows = &self.flows;
        let entry = self.completions.peek(|entry| is_current(flows, entry)).filter(|entry| entry.date <= now)?;
        self.completions.pop();
        let generation = self.flows[entry.slot as usize].generation;
        self.end(entry.slot);
        Some(FlowId { slot: entry.slot, generation })
    }

    /// The rate of a flow since the last settling.
    pub fn rate(&self, flow: FlowId) -> Option<f64> {
        self.get(flow).map(|flow| flow.rate)
    }

    /// What a flow has not moved yet.
    pub fn remaining(&self, now: SimTime, flow: FlowId) -> Option<f64> {
        self.get(flow).map(|flow| flow.remaining_at(now))
    }

    /// How much of a resource the flows use.
    pub fn usage(&self, resource: ResourceId) -> f64 {
        let Some(resource) = self.resources.get(resource.0 as usize) else {
            return 0.0;
        };
        resource.flows.iter().map(|&(slot, link)| self.use_of(slot, link)).sum()
    }

    /// The capacity of a resource.
    pub fn capacity(&self, resource: ResourceId) -> f64 {
        self.resources.get(resource.0 as usize).map_or(0.0, |resource| resource.capacity)
    }

    /// How many flows there are.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether nothing flows.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// What a flow takes of one of its resources.
    pub(super) fn use_of(&self, slot: u32, link: u32) -> f64 {
        let flow = &self.flows[slot as usize];
        flow.rate * flow.links[link as usize].weight
    }

    fn get(&self, flow: FlowId) -> Option<&Flow> {
        self.flows.get(flow.slot as usize).filter(|held| held.active && held.generation == flow.generation)
    }

    fn change_rate(&mut self, slot: u32, rate: f64, now: SimTime) {
        let flow = &mut self.flows[slot as usize];
        // A difference that is rounding leaves the date of the end as it was.
        if (rate - flow.rate).abs() <= 1e-12 * flow.rate {
            return;
        }
        flow.remaining = flow.remaining_at(now);
        flow.since = now;
        flow.rate = rate;
        let speed = flow.efficiency * rate;
        if speed > 0.0 {
            let date = now + SimDuration::from_secs_f64(flow.remaining / speed);
            self.complete_at(slot, date);
        } else {
            flow.version = flow.version.wrapping_add(1);
        }
    }

    fn complete_at(&mut self, slot: u32, date: SimTime) {
        let flow = &mut self.flows[slot as usize];
        flow.version = flow.version.wrapping_add(1);
        let entry = Completion { date, started: flow.started, slot, version: flow.version };
        let flows = &self.flows;
        self.completions.push(entry, self.live, |entry| is_current(flows, entry));
    }

    fn end(&mut self, slot: u32) {
        let flow = &mut self.flows[slot as usize];
        flow.active = false;
        flow.generation = flow.generation.wrapping_add(1);
        flow.version = flow.version.wrapping_add(1);
        flow.rate = 0.0;
        let mut links = std::mem::take(&mut flow.links);
        for link in &links {
            let resource = &mut self.resources[link.resource as usize];
            resource.flows.swap_remove(link.position as usize);
            if let Some(&(moved, number)) = resource.flows.get(link.position as usize) {
                self.flows[moved as usize].links[number as usize].position = link.position;
            }
            if self.resources[link.resource as usize].full {
                self.loosened.push(link.resource);
            }
        }
        links.clear();
        self.flows[slot as usize].links = links;
        self.free.push(slot);
        self.live -= 1;
    }
}

fn is_current(flows: &[Flow], entry: &Completion) -> bool {
    let flow = &flows[entry.slot as usize];
    flow.active && flow.version == entry.version
}

impl Flow {
    fn unused() -> Self {
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

    fn remaining_at(&self, now: SimTime) -> f64 {
        (self.remaining - self.efficiency * self.rate * now.since(self.since).as_secs_f64()).max(0.0)
    }
}
