//! The network of flows and resources.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::bottleneck::End;
use super::completions::{Completion, Due, Ending, LazyHeap};
use super::graph::{Flow, FlowId, FlowSpec, Graph, Holder, Link, ResourceId};
use super::region::Region;
use crate::time::{SimDuration, SimTime};

/// Flows over resources. Changes take effect with [`FluidNetwork::settle`].
#[derive(Debug, Default)]
pub struct FluidNetwork {
    graph: Graph,
    free: Vec<u32>,
    started: u64,
    live: usize,
    completions: LazyHeap<Completion>,
    /// The flows that end at a date that has come.
    due: BinaryHeap<Reverse<Due>>,
    due_since: SimTime,
    /// The rate of the flow that has ended last.
    last_rate: f64,
    region: Region,
}

impl FluidNetwork {
    /// A network without resources.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a resource of a capacity, not negative.
    pub fn add_resource(&mut self, capacity: f64) -> ResourceId {
        ResourceId(self.graph.add_resource(capacity))
    }

    /// Changes the capacity of a resource.
    pub fn set_capacity(&mut self, resource: ResourceId, capacity: f64) {
        if let Some(changed) = self.graph.resources.get_mut(resource.0 as usize) {
            changed.capacity = capacity;
            self.graph.loosened.push(resource.0);
        }
    }

    /// The capacity of a resource.
    pub fn capacity(&self, resource: ResourceId) -> f64 {
        self.graph.resources.get(resource.0 as usize).map_or(f64::INFINITY, |of| of.capacity)
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
        (flow.efficiency, flow.bound, flow.penalty) = (spec.efficiency, spec.bound, spec.penalty);
        (flow.holder, flow.remaining, flow.since) = (Holder::Nobody, spec.amount, now);
        for used in spec.uses {
            match flow.links.iter_mut().find(|link| link.resource == used.resource.0) {
                Some(link) => link.weight += used.weight,
                None => flow.links.push(Link::new(used.resource.0, used.weight)),
            }
        }
        let generation = flow.generation;
        if flow.remaining <= 0.0 || (flow.links.is_empty() && flow.bound == f64::INFINITY) {
            self.complete_at(slot, now);
        }
        self.graph.enter(slot);
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
        if region.solve(&mut self.graph) {
            self.conclude(&region, now);
        }
        self.region = region;
        self.graph.fresh.clear();
        self.graph.loosened.clear();
    }

    /// What a solve has worked out holds from a date on.
    fn conclude(&mut self, region: &Region, now: SimTime) {
        let solved = &region.filling;
        for place in 0..solved.len() {
            self.graph.bottlenecks[solved.resource(place) as usize].advance(now);
        }
        for &slot in &solved.noted {
            self.change_holder(slot, now);
        }
        for place in 0..solved.len() {
            let resource = solved.resource(place);
            self.graph.bottlenecks[resource as usize].take_level();
            self.enter_first_end(resource);
            self.graph.note_bottleneck(resource);
        }
        for place in 0..solved.len() {
            self.graph.set_limits(solved.resource(place));
        }
        for &resource in &region.passed {
            self.graph.set_limits(resource);
        }
        for &slot in &solved.noted {
            for link in 0..self.graph.flows[slot as usize].links.len() {
                self.graph.set_limits(self.graph.flows[slot as usize].links[link].resource);
            }
        }
    }

    /// Goes over from what held a flow to what holds it now.
    fn change_holder(&mut self, slot: u32, now: SimTime) {
        let flow = &self.graph.flows[slot as usize];
        if flow.holder == flow.held_before {
            return;
        }
        let remaining = self.remaining_of(flow, flow.held_before, now);
        let flow = &mut self.graph.flows[slot as usize];
        let ends_at_once = flow.held_before == Holder::Nobody && remaining <= 0.0;
        (flow.remaining, flow.since) = (remaining, now);
        if !ends_at_once {
            flow.version = flow.version.wrapping_add(1);
        }
        match flow.holder {
            Holder::Nobody => {}
            Holder::Bound => {
                let speed = flow.efficiency * flow.bound;
                if speed > 0.0 && !ends_at_once {
                    self.complete_at(slot, now + SimDuration::from_secs_f64(remaining / speed));
                }
            }
            Holder::Resource(resource) => {
                let bottleneck = &mut self.graph.bottlenecks[resource as usize];
                let needed = remaining * flow.penalty / flow.efficiency * NANOS_PER_SEC;
                flow.end = bottleneck.clock_at(now).plus(needed);
                let end = End { at: flow.end, started: flow.started, slot, version: flow.version };
                let (members, flows) = (bottleneck.members as usize, &self.graph.flows);
                bottleneck.ends.push(end, members, |entry| entry.is_current(resource, flows));
            }
        }
    }

    /// The date at which the next flow ends if no rate changes before.
    pub fn next_completion(&mut self) -> Option<SimTime> {
        if self.next_due().is_some() {
            return Some(self.due_since);
        }
        let graph = &self.graph;
        self.completions.peek(|entry| is_current(graph, entry)).map(|entry| entry.date)
    }

    /// Takes out a flow that has ended by `now`: the earliest, and of those of one date the one started first.
    pub fn pop_completed(&mut self, now: SimTime) -> Option<FlowId> {
        if self.next_due().is_none() {
            self.collect_due(now);
        }
        let Due { slot, generation, .. } = self.next_due()?;
        self.due.pop();
        self.end(slot);
        Some(FlowId { slot, generation })
    }

    /// The first of the flows whose date has come.
    fn next_due(&mut self) -> Option<Due> {
        while let Some(&Reverse(due)) = self.due.peek() {
            let flow = &self.graph.flows[due.slot as usize];
            if flow.active && flow.generation == due.generation {
                return Some(due);
            }
            self.due.pop();
        }
        None
    }

    /// Collects the flows that end at the next date, if that is not after `now`.
    fn collect_due(&mut self, now: SimTime) {
        let graph = &self.graph;
        let Some(date) = self.completions.peek(|entry| is_current(graph, entry)).map(|entry| entry.date) else {
            return;
        };
        if date > now {
            return;
        }
        self.due_since = date;
        loop {
            let graph = &self.graph;
            let next = self.completions.peek(|entry| is_current(graph, entry)).filter(|entry| entry.date <= date);
            let Some(entry) = next else { return };
            self.completions.pop();
            match entry.of {
                Ending::Flow(slot) => self.enter_due(slot),
                Ending::HeldBy(resource) => {
                    let bottleneck = |network: &mut Self| {
                        network.graph.bottlenecks[resource as usize].first_end(resource, &network.graph.flows)
                    };
                    while let Some((end, _)) = bottleneck(self).filter(|(_, end_date)| *end_date <= date) {
                        self.graph.bottlenecks[resource as usize].ends.pop();
                        self.enter_due(end.slot);
                    }
                    self.graph.bottlenecks[resource as usize].entered = None;
                    self.enter_first_end(resource);
                }
            }
        }
    }

    fn enter_due(&mut self, slot: u32) {
        let flow = &self.graph.flows[slot as usize];
        self.due.push(Reverse(Due { started: flow.started, slot, generation: flow.generation }));
    }

    /// The rate of a flow since the last settling.
    pub fn rate(&self, flow: FlowId) -> Option<f64> {
        self.get(flow).map(|flow| self.rate_of(flow))
    }

    fn rate_of(&self, flow: &Flow) -> f64 {
        match flow.holder {
            Holder::Nobody => 0.0,
            Holder::Bound => flow.bound,
            Holder::Resource(resource) => self.graph.bottlenecks[resource as usize].level / flow.penalty,
        }
    }

    /// What a flow moves in a second since the last settling, of what it is to move: less than its rate, part of which is no payload.
    pub fn speed(&self, flow: FlowId) -> Option<f64> {
        self.get(flow).map(|flow| flow.efficiency * self.rate_of(flow))
    }

    /// The rate, up to its end, of the flow that has ended last or was cancelled last.
    pub fn rate_of_last_ended(&self) -> f64 {
        self.last_rate
    }

    /// What a flow has not moved yet.
    pub fn remaining(&self, now: SimTime, flow: FlowId) -> Option<f64> {
        self.get(flow).map(|flow| self.remaining_of(flow, flow.holder, now))
    }

    fn remaining_of(&self, flow: &Flow, holder: Holder, now: SimTime) -> f64 {
        let remaining = match holder {
            Holder::Nobody => flow.remaining,
            Holder::Bound => flow.remaining - flow.efficiency * flow.bound * now.since(flow.since).as_secs_f64(),
            Holder::Resource(resource) => {
                let needed = flow.end.since(self.graph.bottlenecks[resource as usize].clock_at(now));
                needed * flow.efficiency / (flow.penalty * NANOS_PER_SEC)
            }
        };
        remaining.max(0.0)
    }

    /// How much of a resource the flows use.
    pub fn usage(&self, resource: ResourceId) -> f64 {
        if (resource.0 as usize) < self.graph.resources.len() { self.graph.usage(resource.0) } else { 0.0 }
    }

    /// How many flows there are.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether nothing flows.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// How many resources and flows the last settling has looked at one by one.
    #[cfg(test)]
    pub(crate) fn looked_at(&self) -> usize {
        self.region.filling.len() + self.region.filling.noted.len()
    }

    /// How many flows are entered by the level at which they reach their bound, with those that are so no more.
    #[cfg(test)]
    pub(super) fn entered_at_bound(&self) -> usize {
        self.graph.bottlenecks.iter().map(|bottleneck| bottleneck.bounds.len()).sum()
    }

    #[cfg(test)]
    pub(super) fn check_limits(&self) {
        self.graph.check_limits();
    }

    fn get(&self, flow: FlowId) -> Option<&Flow> {
        self.graph.flows.get(flow.slot as usize).filter(|held| held.active && held.generation == flow.generation)
    }

    fn complete_at(&mut self, slot: u32, date: SimTime) {
        let version = self.graph.flows[slot as usize].version;
        let entry = Completion { date, of: Ending::Flow(slot), version };
        let graph = &self.graph;
        self.completions.push(entry, self.live, |entry| is_current(graph, entry));
    }

    /// Enters the date of the first flow that a resource holds, if it is another one than before.
    fn enter_first_end(&mut self, resource: u32) {
        let bottleneck = &mut self.graph.bottlenecks[resource as usize];
        let date = bottleneck.first_end(resource, &self.graph.flows).map(|(_, date)| date);
        if date == bottleneck.entered {
            return;
        }
        bottleneck.entered = date;
        bottleneck.version = bottleneck.version.wrapping_add(1);
        if let Some(date) = date {
            let entry = Completion { date, of: Ending::HeldBy(resource), version: bottleneck.version };
            let graph = &self.graph;
            self.completions.push(entry, self.live, |entry| is_current(graph, entry));
        }
    }

    fn end(&mut self, slot: u32) {
        self.last_rate = self.rate_of(&self.graph.flows[slot as usize]);
        self.graph.leave(slot);
        let flow = &mut self.graph.flows[slot as usize];
        flow.active = false;
        flow.generation = flow.generation.wrapping_add(1);
        flow.version = flow.version.wrapping_add(1);
        let holder = flow.holder;
        for link in &flow.links {
            if self.graph.resources[link.resource as usize].is_bottleneck {
                self.graph.loosened.push(link.resource);
            }
        }
        self.graph.flows[slot as usize].links.clear();
        if let Holder::Resource(resource) = holder {
            self.enter_first_end(resource);
        }
        self.free.push(slot);
        self.live -= 1;
    }
}

const NANOS_PER_SEC: f64 = 1e9;

fn is_current(graph: &Graph, entry: &Completion) -> bool {
    match entry.of {
        Ending::Flow(slot) => {
            let flow = &graph.flows[slot as usize];
            flow.active && flow.version == entry.version
        }
        Ending::HeldBy(resource) => graph.bottlenecks[resource as usize].version == entry.version,
    }
}
