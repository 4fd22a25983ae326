//! The network of flows and resources.

use super::completions::{Completion, Completions};
use super::graph::{Flow, FlowId, FlowSpec, Graph, Link, Resource, ResourceId};
use super::region::Region;
use crate::time::{SimDuration, SimTime};

/// Flows over resources. Changes take effect with [`FluidNetwork::settle`].
#[derive(Debug, Default)]
pub struct FluidNetwork {
    graph: Graph,
    free: Vec<u32>,
    started: u64,
    live: usize,
    completions: Completions,
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
        self.graph.resources.push(Resource { capacity, flows, full: false, in_region: 0, place: 0 });
        ResourceId(self.graph.resources.len() as u32 - 1)
    }

    /// Changes the capacity of a resource.
    pub fn set_capacity(&mut self, resource: ResourceId, capacity: f64) {
        if let Some(changed) = self.graph.resources.get_mut(resource.0 as usize) {
            changed.capacity = capacity;
            self.graph.loosened.push(resource.0);
        }
    }

    /// Starts a flow. It moves from the next settling on.
    pub fn start(&mut self, now: SimTime, spec: FlowSpec<'_>) -> FlowId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.graph.flows.push(Flow::unused());
            self.graph.flows.len() as u32 - 1
        });
        self.started += 1;
        self.live += 1;
        let flow = &mut self.graph.flows[slot as usize];
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
            let crossing = &mut self.graph.resources[link.resource as usize].flows;
            link.position = crossing.len() as u32;
            crossing.push((slot, number as u32));
        }
        let generation = flow.generation;
        if flow.remaining <= 0.0 || (flow.links.is_empty() && flow.bound == f64::INFINITY) {
            self.complete_at(slot, now);
        }
        self.graph.fresh.push(slot);
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
        !self.graph.fresh.is_empty() || !self.graph.loosened.is_empty()
    }

    /// Whether nothing flows and nothing has changed.
    pub fn is_still(&self) -> bool {
        self.live == 0 && !self.needs_settling()
    }

    /// Works out the rates anew where something has changed. To be called at the date of the changes, once after all
    /// of them, before time moves on.
    pub fn settle(&mut self, now: SimTime) {
        let mut region = std::mem::take(&mut self.region);
        region.solve(&mut self.graph);
        for &(slot, rate) in region.rates() {
            self.change_rate(slot, rate, now);
        }
        self.region = region;
        self.graph.fresh.clear();
        self.graph.loosened.clear();
    }

    /// The date at which the next flow ends if no rate changes before.
    pub fn next_completion(&mut self) -> Option<SimTime> {
        let flows = &self.graph.flows;
        self.completions.peek(|entry| is_current(flows, entry)).map(|entry| entry.date)
    }

    /// Takes out a flow that has ended by `now`: the earliest, and of those of one date the one started first.
    pub fn pop_completed(&mut self, now: SimTime) -> Option<FlowId> {
        let flows = &self.graph.flows;
        let entry = self.completions.peek(|entry| is_current(flows, entry)).filter(|entry| entry.date <= now)?;
        self.completions.pop();
        let generation = self.graph.flows[entry.slot as usize].generation;
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
        let Some(resource) = self.graph.resources.get(resource.0 as usize) else {
            return 0.0;
        };
        resource.flows.iter().map(|&(slot, link)| self.graph.use_of(slot, link)).sum()
    }

    /// The capacity of a resource.
    pub fn capacity(&self, resource: ResourceId) -> f64 {
        self.graph.resources.get(resource.0 as usize).map_or(0.0, |resource| resource.capacity)
    }

    /// How many flows there are.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether nothing flows.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    fn get(&self, flow: FlowId) -> Option<&Flow> {
        self.graph.flows.get(flow.slot as usize).filter(|held| held.active && held.generation == flow.generation)
    }

    fn change_rate(&mut self, slot: u32, rate: f64, now: SimTime) {
        let flow = &mut self.graph.flows[slot as usize];
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
        let flow = &mut self.graph.flows[slot as usize];
        flow.version = flow.version.wrapping_add(1);
        let entry = Completion { date, started: flow.started, slot, version: flow.version };
        let flows = &self.graph.flows;
        self.completions.push(entry, self.live, |entry| is_current(flows, entry));
    }

    fn end(&mut self, slot: u32) {
        let flow = &mut self.graph.flows[slot as usize];
        flow.active = false;
        flow.generation = flow.generation.wrapping_add(1);
        flow.version = flow.version.wrapping_add(1);
        flow.rate = 0.0;
        let mut links = std::mem::take(&mut flow.links);
        for link in &links {
            let resource = &mut self.graph.resources[link.resource as usize];
            resource.flows.swap_remove(link.position as usize);
            if let Some(&(moved, number)) = resource.flows.get(link.position as usize) {
                self.graph.flows[moved as usize].links[number as usize].position = link.position;
            }
            if self.graph.resources[link.resource as usize].full {
                self.graph.loosened.push(link.resource);
            }
        }
        links.clear();
        self.graph.flows[slot as usize].links = links;
        self.free.push(slot);
        self.live -= 1;
    }
}

fn is_current(flows: &[Flow], entry: &Completion) -> bool {
    let flow = &flows[entry.slot as usize];
    flow.active && flow.version == entry.version
}
