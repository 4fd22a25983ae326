//! The part of a network that is solved anew after a change.

use super::filling::{Filling, TIE};
use super::graph::{Graph, Holder};

/// Differences of levels below this share are rounding.
const EPSILON: f64 = 1e-9;

/// Finds the region around what has changed, and new levels for what it holds.
#[derive(Debug, Default)]
pub(super) struct Region {
    pub filling: Filling,
    /// Resources whose limits were passed, and are to be set anew.
    pub passed: Vec<u32>,
    listed: Vec<u32>,
}

impl Region {
    /// Solves; false if nothing was to be done.
    pub fn solve(&mut self, graph: &mut Graph) -> bool {
        self.filling.begin();
        self.passed.clear();
        for position in 0..graph.loosened.len() {
            self.filling.draw_in(graph.loosened[position], graph);
        }
        for position in 0..graph.fresh.len() {
            let slot = graph.fresh[position];
            let flow = &graph.flows[slot as usize];
            if flow.active && flow.holder == Holder::Nobody {
                self.filling.draw_in_flow(slot, graph);
            }
        }
        if self.filling.is_empty() {
            return false;
        }
        loop {
            self.filling.fill(graph);
            if !self.spread(graph) {
                return true;
            }
        }
    }

    /// Draws in what may not have its fair rate any more; false if there is nothing.
    fn spread(&mut self, graph: &mut Graph) -> bool {
        let (resources, mut has_grown) = (self.filling.len(), false);
        for place in 0..resources {
            let resource = self.filling.resource(place);
            has_grown |= self.look_at_crossed(resource, graph);
            has_grown |= self.look_at_others_on(resource, graph);
        }
        // Each time anew: a limit that was passed is not there any more.
        for number in 0..self.passed.len() {
            has_grown |= self.look_at(self.passed[number], graph);
        }
        for number in 0..self.filling.noted.len() {
            let slot = self.filling.noted[number];
            for link in 0..graph.flows[slot as usize].links.len() {
                has_grown |= self.look_at(graph.flows[slot as usize].links[link].resource, graph);
            }
        }
        has_grown
    }

    /// A resource whose use has changed: it is drawn in if it holds others, or has no room.
    fn look_at(&mut self, resource: u32, graph: &mut Graph) -> bool {
        if self.filling.contains(resource, graph) {
            return false;
        }
        if graph.resources[resource as usize].is_bottleneck || is_overfull(resource, graph) {
            return self.filling.draw_in(resource, graph);
        }
        false
    }

    /// Looks at what the flows of a bottleneck cross if its level has changed: all that hold others, and those whose
    /// limit is passed.
    fn look_at_crossed(&mut self, resource: u32, graph: &mut Graph) -> bool {
        let bottleneck = &graph.bottlenecks[resource as usize];
        if bottleneck.members == 0 || !bottleneck.has_changed() {
            return false;
        }
        let mut has_grown = false;
        for position in 0..graph.bottlenecks[resource as usize].coupled.len() {
            has_grown |= self.filling.draw_in(graph.bottlenecks[resource as usize].coupled[position], graph);
        }
        loop {
            let bottleneck = &mut graph.bottlenecks[resource as usize];
            let level = bottleneck.next_level;
            let limit = bottleneck.limits.peek(|entry| entry.is_current(resource, &graph.resources));
            let Some(limit) = limit.filter(|limit| limit.level.0 < level) else { return has_grown };
            graph.bottlenecks[resource as usize].limits.pop();
            if let Some(share) = graph.resources[limit.resource as usize].share_mut(Holder::Resource(resource)) {
                share.limit = -1.0;
            }
            self.passed.push(limit.resource);
        }
    }

    /// Looks at flows outside the region that cross a resource of it. They may have no higher level than those that it
    /// holds, and no level at all if it cannot carry what they use.
    fn look_at_others_on(&mut self, resource: u32, graph: &mut Graph) -> bool {
        let bottleneck = &graph.bottlenecks[resource as usize];
        let highest = if is_overfull(resource, graph) {
            0.0
        } else if bottleneck.members > 0 {
            bottleneck.next_level * (1.0 + EPSILON)
        } else {
            return false;
        };
        let mut has_grown = false;
        for position in 0..graph.resources[resource as usize].shares.len() {
            let Holder::Resource(by) = graph.resources[resource as usize].shares[position].holder else { continue };
            if graph.bottlenecks[by as usize].next_level > highest {
                has_grown |= self.filling.draw_in(by, graph);
            }
        }
        if graph.resources[resource as usize].highest_at_bound > highest {
            has_grown |= self.look_at_bounded(resource, highest, graph);
        }
        has_grown
    }

    /// Draws in the flows that cross a resource and are at a bound above a level.
    fn look_at_bounded(&mut self, resource: u32, highest: f64, graph: &mut Graph) -> bool {
        let mut listed = std::mem::take(&mut self.listed);
        listed.clear();
        graph.list(resource, Holder::Bound, &mut listed);
        let (mut has_grown, mut highest_left) = (false, 0.0_f64);
        for &slot in &listed {
            let level = graph.flows[slot as usize].level_at_bound();
            // One that this solve has held at its bound is there by rights.
            if level > highest && !self.filling.has_noted(slot, graph) {
                self.filling.draw_in_flow(slot, graph);
                has_grown = true;
            } else {
                highest_left = highest_left.max(level);
            }
        }
        graph.resources[resource as usize].highest_at_bound = highest_left;
        self.listed = listed;
        has_grown
    }
}

/// Whether a resource is to carry more than it can, by more than rounding.
fn is_overfull(resource: u32, graph: &Graph) -> bool {
    graph.usage(resource) > graph.resources[resource as usize].capacity * (1.0 + TIE)
}
