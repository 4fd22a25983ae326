//! The part of a network that is solved anew after a change, and its solution by water filling.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::graph::Graph;

/// Differences below this share are rounding.
const EPSILON: f64 = 1e-9;

/// A sum that has lost this share of what it was by subtraction is summed anew.
const CANCELLED: f64 = 1e-3;

/// Stands for the rate of a flow that still rises.
const RISING: f64 = -1.0;

/// A resource of the region, while the level rises.
#[derive(Clone, Copy, Debug)]
struct Basin {
    resource: u32,
    /// Capacity that flows outside the region and flows that are held leave.
    left: f64,
    /// Sum of weight over penalty of the flows that rise, and what it was when it was last summed.
    slope: f64,
    slope_summed: f64,
    /// How many flows rise.
    rising: u32,
    /// The level at which it held flows.
    held_at: f64,
    /// Counts its changes: older stops of it are stale.
    version: u32,
    /// Whether it has changed since its last stop was entered.
    touched: bool,
}

impl Basin {
    fn new(resource: u32) -> Self {
        let (left, slope, slope_summed, held_at) = (0.0, 0.0, 0.0, f64::INFINITY);
        Self { resource, left, slope, slope_summed, rising: 0, held_at, version: 0, touched: false }
    }

    /// The level at which it is full.
    fn stop(&self, place: u32) -> Stop {
        Stop { level: self.left.max(0.0) / self.slope, place, version: self.version, of_flow: false }
    }
}

/// What holds flows that rise: a resource that is full, or the bound of one flow.
#[derive(Clone, Copy, Debug)]
struct Stop {
    level: f64,
    place: u32,
    version: u32,
    of_flow: bool,
}

impl PartialEq for Stop {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Stop {}
impl PartialOrd for Stop {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Stop {
    /// By level, then in a fixed order.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |stop: &Self| (stop.of_flow, stop.place, stop.version);
        self.level.total_cmp(&other.level).then_with(|| key(self).cmp(&key(other)))
    }
}

/// The flows whose rates are worked out, and the resources they cross. The buffers are kept between solves.
#[derive(Debug, Default)]
pub(super) struct Region {
    /// Numbers the solves, for the marks in flows and resources.
    solve: u64,
    /// The flows, with their rates once worked out.
    rates: Vec<(u32, f64)>,
    /// How many of them rise.
    rising: usize,
    basins: Vec<Basin>,
    stops: BinaryHeap<Reverse<Stop>>,
    /// Places of basins that have changed since their last stop was entered.
    touched: Vec<u32>,
}

impl Region {
    /// The flows of the region with their rates.
    pub fn rates(&self) -> &[(u32, f64)] {
        &self.rates
    }

    /// Finds the region around what has changed, and the rates of its flows.
    pub fn solve(&mut self, graph: &mut Graph) {
        self.solve += 1;
        self.rates.clear();
        self.basins.clear();
        for position in 0..graph.loosened.len() {
            let resource = graph.loosened[position];
            graph.resources[resource as usize].full &= !graph.resources[resource as usize].flows.is_empty();
            self.draw_in_resource(resource, graph);
        }
        for position in 0..graph.fresh.len() {
            self.draw_in_flow(graph.fresh[position], graph);
        }
        if self.rates.is_empty() {
            return;
        }
        loop {
            self.fill(graph);
            if !self.spread(graph) {
                break;
            }
        }
        for basin in &self.basins {
            let resource = &mut graph.resources[basin.resource as usize];
            resource.full = basin.left <= EPSILON * resource.capacity;
        }
    }

    fn draw_in_resource(&mut self, resource: u32, graph: &mut Graph) {
        for position in 0..graph.resources[resource as usize].flows.len() {
            let (slot, _) = graph.resources[resource as usize].flows[position];
            self.draw_in_flow(slot, graph);
        }
    }

    fn draw_in_flow(&mut self, slot: u32, graph: &mut Graph) {
        let flow = &mut graph.flows[slot as usize];
        if !flow.active || flow.in_region == self.solve {
            return;
        }
        flow.in_region = self.solve;
        flow.place = self.rates.len() as u32;
        self.rates.push((slot, RISING));
        for link in &flow.links {
            let resource = &mut graph.resources[link.resource as usize];
            if resource.in_region != self.solve {
                resource.in_region = self.solve;
                resource.place = self.basins.len() as u32;
                self.basins.push(Basin::new(link.resource));
            }
        }
    }

    /// Water filling: raises all flows of the region together until each is held.
    fn fill(&mut self, graph: &Graph) {
        let mut stops = std::mem::take(&mut self.stops).into_vec();
        stops.clear();
        self.rising = self.rates.len();
        for (place, (slot, rate)) in self.rates.iter_mut().enumerate() {
            *rate = RISING;
            let flow = &graph.flows[*slot as usize];
            stops.push(Reverse(Stop {
                level: flow.bound * flow.penalty,
                place: place as u32,
                version: 0,
                of_flow: true,
            }));
        }
        for place in 0..self.basins.len() {
            self.begin_basin(place, graph);
            stops.push(Reverse(self.basins[place].stop(place as u32)));
        }
        self.stops = stops.into();
        let mut level = 0.0_f64;
        while self.rising > 0
            && let Some(Reverse(stop)) = self.stops.pop()
        {
            let is_stale = if stop.of_flow {
                self.rates[stop.place as usize].1 != RISING
            } else {
                let basin = &self.basins[stop.place as usize];
                basin.version != stop.version || basin.rising == 0
            };
            if is_stale {
                continue;
            }
            // Rounding may not let the level fall: nobody is held lower than those before, least of all at nothing.
            level = level.max(stop.level);
            if stop.of_flow {
                let (slot, _) = self.rates[stop.place as usize];
                self.hold(stop.place, graph.flows[slot as usize].bound, graph);
            } else {
                self.hold_all(stop.place, level, graph);
            }
            self.enter_stops(graph);
        }
    }

    /// Sums up a resource at the start of a filling.
    fn begin_basin(&mut self, place: usize, graph: &Graph) {
        let mut basin = Basin::new(self.basins[place].resource);
        let resource = &graph.resources[basin.resource as usize];
        basin.left = resource.capacity;
        for &(slot, link) in &resource.flows {
            let flow = &graph.flows[slot as usize];
            let weight = flow.links[link as usize].weight;
            if flow.in_region == self.solve {
                basin.slope += weight / flow.penalty;
                basin.rising += 1;
            } else {
                basin.left -= flow.rate * weight;
            }
        }
        basin.slope_summed = basin.slope;
        self.basins[place] = basin;
    }

    /// Holds all rising flows of a resource that is full.
    fn hold_all(&mut self, place: u32, level: f64, graph: &Graph) {
        self.basins[place as usize].held_at = level;
        let resource = &graph.resources[self.basins[place as usize].resource as usize];
        for &(slot, _) in &resource.flows {
            let flow = &graph.flows[slot as usize];
            if flow.in_region == self.solve && self.rates[flow.place as usize].1 == RISING {
                self.hold(flow.place, level / flow.penalty, graph);
            }
        }
    }

    fn hold(&mut self, place: u32, rate: f64, graph: &Graph) {
        let (slot, held) = &mut self.rates[place as usize];
        *held = rate;
        self.rising -= 1;
        let flow = &graph.flows[*slot as usize];
        for link in &flow.links {
            let place = graph.resources[link.resource as usize].place;
            let basin = &mut self.basins[place as usize];
            basin.left -= rate * link.weight;
            basin.slope -= link.weight / flow.penalty;
            basin.rising -= 1;
            if !std::mem::replace(&mut basin.touched, true) {
                self.touched.push(place);
            }
        }
    }

    /// Enters new stops for the basins that have changed.
    fn enter_stops(&mut self, graph: &Graph) {
        for place in self.touched.drain(..) {
            let basin = &mut self.basins[place as usize];
            basin.touched = false;
            basin.version += 1;
            if basin.rising == 0 {
                continue;
            }
            // Penalties differ by nine orders of magnitude: what a subtraction leaves may be nothing but rounding.
            if basin.slope < CANCELLED * basin.slope_summed {
                let rising = graph.resources[basin.resource as usize].flows.iter().filter_map(|&(slot, link)| {
                    let flow = &graph.flows[slot as usize];
                    let rises = flow.in_region == self.solve && self.rates[flow.place as usize].1 == RISING;
                    rises.then(|| flow.links[link as usize].weight / flow.penalty)
                });
                basin.slope = rising.sum();
                basin.slope_summed = basin.slope;
            }
            self.stops.push(Reverse(basin.stop(place)));
        }
    }

    /// Draws in the flows of resources on which the allocation may not be the fair one any more; false if there are
    /// none.
    fn spread(&mut self, graph: &mut Graph) -> bool {
        let before = self.rates.len();
        for place in 0..self.basins.len() {
            if self.is_disturbed(place, graph) {
                self.draw_in_resource(self.basins[place].resource, graph);
            }
        }
        self.rates.len() > before
    }

    /// Whether flows outside the region may have lost, or cost others, the bottleneck that a resource was or is.
    fn is_disturbed(&self, place: usize, graph: &Graph) -> bool {
        let basin = &self.basins[place];
        let resource = &graph.resources[basin.resource as usize];
        let tolerance = EPSILON * resource.capacity;
        let full_now = basin.left <= tolerance;
        if !resource.full && !full_now {
            return false;
        }
        let (mut used_before, mut used_now) = (0.0, 0.0);
        let (mut inside_before, mut inside_now, mut outside) = (0.0_f64, 0.0_f64, 0.0_f64);
        for &(slot, link) in &resource.flows {
            let flow = &graph.flows[slot as usize];
            if flow.in_region != self.solve {
                outside = outside.max(flow.level());
                continue;
            }
            // Flows drawn in while looking at other resources have no rate yet, and count as they were.
            let drawn = self.rates[flow.place as usize].1;
            let rate = if drawn == RISING { flow.rate } else { drawn };
            let weight = flow.links[link as usize].weight;
            used_before += flow.rate * weight;
            used_now += rate * weight;
            inside_before = inside_before.max(flow.level());
            inside_now = inside_now.max(rate * flow.penalty);
        }
        if outside == 0.0 {
            return false;
        }
        // A resource that was full and is not any more has to be looked at however little has gone at a time, or it would
        // be taken for one that holds nobody.
        let loosened = resource.full && (!full_now || used_now < used_before - tolerance);
        let unfair_to_inside = full_now && basin.held_at < outside * (1.0 - EPSILON);
        let was_bottleneck_outside = resource.full && outside >= inside_before * (1.0 - EPSILON);
        loosened || unfair_to_inside || (was_bottleneck_outside && inside_now > outside * (1.0 + EPSILON))
    }
}
