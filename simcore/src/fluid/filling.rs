//! Water filling: raises the flows of a region together until each is held.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::bottleneck::Level;
use super::graph::{Graph, Holder, in_units};

/// Two resources that fill up at levels that differ by less than this share fill up together.
pub(super) const TIE: f64 = 1e-13;

/// What holds flows that rise, in the order in which it is met: by level, resources first, then in a fixed order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Stop {
    level: Level,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum What {
    /// A resource, by its place in the region, is full. The version counts its changes: older stops of it are stale.
    Full { place: u32, version: u32 },
    /// A flow that a resource held before reaches its bound.
    BoundAmong(u32),
    /// A flow that nothing held before reaches its bound.
    Bound(u32),
}

/// A resource of the region.
#[derive(Clone, Copy, Debug)]
struct Basin {
    resource: u32,
    version: u32,
    is_touched: bool,
}

/// The resources and flows that are looked at, and where the water stands. The buffers are kept between solves.
#[derive(Debug, Default)]
pub(super) struct Filling {
    /// Numbers the solves, for the marks in flows and resources.
    solve: u64,
    basins: Vec<Basin>,
    /// Flows that nothing held before, or that were held by something else before.
    pub noted: Vec<u32>,
    /// How many flows rise.
    rising: u32,
    stops: BinaryHeap<Reverse<Stop>>,
    /// Places of basins that have changed since their last stop was entered.
    touched: Vec<u32>,
    listed: Vec<u32>,
}

impl Filling {
    /// Begins a solve, of nothing yet.
    pub fn begin(&mut self) {
        self.solve += 1;
        self.basins.clear();
        self.noted.clear();
    }

    /// Whether there is nothing to solve.
    pub fn is_empty(&self) -> bool {
        self.basins.is_empty() && self.noted.is_empty()
    }

    /// How many resources there are in the region, and which.
    pub fn len(&self) -> usize {
        self.basins.len()
    }

    pub fn resource(&self, place: usize) -> u32 {
        self.basins[place].resource
    }

    pub fn contains(&self, resource: u32, graph: &Graph) -> bool {
        graph.bottlenecks[resource as usize].in_region == self.solve
    }

    /// Draws in a resource with the flows that it holds; false if it was there.
    pub fn draw_in(&mut self, resource: u32, graph: &mut Graph) -> bool {
        if self.contains(resource, graph) {
            return false;
        }
        let bottleneck = &mut graph.bottlenecks[resource as usize];
        bottleneck.in_region = self.solve;
        bottleneck.place = self.basins.len() as u32;
        self.basins.push(Basin { resource, version: 0, is_touched: false });
        true
    }

    /// Notes a flow before its holder changes.
    pub fn note(&mut self, slot: u32, graph: &mut Graph) {
        let flow = &mut graph.flows[slot as usize];
        if flow.noted != self.solve {
            flow.noted = self.solve;
            flow.held_before = flow.holder;
            self.noted.push(slot);
        }
    }

    pub fn has_noted(&self, slot: u32, graph: &Graph) -> bool {
        graph.flows[slot as usize].noted == self.solve
    }

    /// Draws in a flow by itself, to rise with all that hold others on its way.
    pub fn draw_in_flow(&mut self, slot: u32, graph: &mut Graph) {
        self.note(slot, graph);
        if graph.flows[slot as usize].holder != Holder::Nobody {
            graph.move_to(slot, Holder::Nobody);
        }
        for number in 0..graph.flows[slot as usize].links.len() {
            self.draw_in(graph.flows[slot as usize].links[number].resource, graph);
        }
    }

    /// Raises all flows of the region, however an earlier filling has left them.
    pub fn fill(&mut self, graph: &mut Graph) {
        self.begin_filling(graph);
        let mut level = 0.0_f64;
        while self.rising > 0
            && let Some(Reverse(stop)) = self.stops.pop()
        {
            // Rounding may not let the level fall: nobody is held lower than those before, least of all at nothing.
            let reached = level.max(stop.level.0);
            let has_held = match stop.what {
                What::Full { place, version } => {
                    self.basins[place as usize].version == version && self.meet(place, reached, graph)
                }
                What::BoundAmong(resource) => self.hold_first_at_bound(resource, stop.level, graph),
                What::Bound(slot) => {
                    graph.flows[slot as usize].holder == Holder::Nobody && self.hold_at_bound(slot, graph)
                }
            };
            if has_held {
                level = reached;
                self.enter_stops(graph);
            }
        }
    }

    fn begin_filling(&mut self, graph: &mut Graph) {
        let mut stops = std::mem::take(&mut self.stops).into_vec();
        stops.clear();
        self.stops = stops.into();
        self.rising = 0;
        for number in 0..self.noted.len() {
            let slot = self.noted[number];
            if graph.flows[slot as usize].holder == Holder::Bound {
                graph.move_to(slot, Holder::Nobody);
            }
            let flow = &graph.flows[slot as usize];
            if flow.holder == Holder::Nobody {
                self.rising += 1;
                let level = Level(flow.level_at_bound());
                self.stops.push(Reverse(Stop { level, what: What::Bound(slot) }));
            }
        }
        for basin in &self.basins {
            let bottleneck = &mut graph.bottlenecks[basin.resource as usize];
            bottleneck.rises = bottleneck.members > 0;
            self.rising += bottleneck.members;
        }
        for place in 0..self.basins.len() {
            self.touch(self.basins[place].resource, graph);
            self.enter_bound(self.basins[place].resource, graph);
        }
        self.enter_stops(graph);
    }

    /// The level at which a resource is full; none if no flow that crosses it rises.
    fn level_when_full(resource: u32, graph: &Graph) -> Option<f64> {
        let resource = &graph.resources[resource as usize];
        let (mut left, mut slope) = (resource.capacity, 0_i128);
        for share in &resource.shares {
            if rises(share.holder, graph) {
                slope = slope.saturating_add(share.taking);
            } else {
                left -= graph.level(share.holder) * in_units(share.taking);
            }
        }
        (slope > 0).then(|| left.max(0.0) / in_units(slope))
    }

    /// A resource is full: it holds all flows that cross it and rise. If those that another holds more of fill that up as
    /// well, they stay with that one, as moving them would gain nothing.
    fn meet(&mut self, place: u32, level: f64, graph: &mut Graph) -> bool {
        let resource = self.basins[place as usize].resource;
        let own = graph.bottlenecks[resource as usize].members;
        let shares = graph.resources[resource as usize].shares.iter();
        let tied = shares.filter_map(|share| match share.holder {
            Holder::Resource(by) if by != resource && rises(share.holder, graph) => {
                let full = Self::level_when_full(by, graph)?;
                let is_tied = graph.bottlenecks[by as usize].members > own && full <= level * (1.0 + TIE);
                is_tied.then_some((by, full))
            }
            _ => None,
        });
        match tied.max_by_key(|(by, _)| (graph.bottlenecks[*by as usize].members, Reverse(*by))) {
            Some((by, full)) => {
                self.touch(resource, graph);
                self.hold_all(by, level.max(full), graph)
            }
            None => self.hold_all(resource, level, graph),
        }
    }

    fn hold_all(&mut self, resource: u32, level: f64, graph: &mut Graph) -> bool {
        let by = Holder::Resource(resource);
        let mut listed = std::mem::take(&mut self.listed);
        listed.clear();
        for share in &graph.resources[resource as usize].shares {
            if share.holder != by && rises(share.holder, graph) {
                graph.list(resource, share.holder, &mut listed);
            }
        }
        let bottleneck = &mut graph.bottlenecks[resource as usize];
        let held = listed.len() as u32 + if bottleneck.rises { bottleneck.members } else { 0 };
        bottleneck.next_level = level;
        bottleneck.rises = false;
        self.rising -= held;
        for &slot in &listed {
            self.note(slot, graph);
            graph.move_to(slot, by);
        }
        self.listed = listed;
        self.touch_crossed(resource, graph);
        held > 0
    }

    fn hold_first_at_bound(&mut self, resource: u32, level: Level, graph: &mut Graph) -> bool {
        let bottleneck = &mut graph.bottlenecks[resource as usize];
        if !bottleneck.rises {
            return false;
        }
        let first = bottleneck.bounds.peek(|entry| entry.is_current(resource, &graph.flows));
        let held =
            first.filter(|first| first.level == level).is_some_and(|first| self.hold_at_bound(first.slot, graph));
        self.enter_bound(resource, graph);
        held
    }

    fn hold_at_bound(&mut self, slot: u32, graph: &mut Graph) -> bool {
        self.note(slot, graph);
        graph.move_to(slot, Holder::Bound);
        self.rising -= 1;
        self.touch_links(slot, graph);
        true
    }

    /// Enters a stop for the flow that is the first of those a resource holds to reach its bound.
    fn enter_bound(&mut self, resource: u32, graph: &mut Graph) {
        let bottleneck = &mut graph.bottlenecks[resource as usize];
        if bottleneck.rises
            && let Some(first) = bottleneck.bounds.peek(|entry| entry.is_current(resource, &graph.flows))
        {
            self.stops.push(Reverse(Stop { level: first.level, what: What::BoundAmong(resource) }));
        }
    }

    /// The flows of a bottleneck do not rise any more.
    fn touch_crossed(&mut self, resource: u32, graph: &Graph) {
        let by = Holder::Resource(resource);
        if (graph.bottlenecks[resource as usize].members as usize) < self.basins.len() / 4 {
            let mut listed = std::mem::take(&mut self.listed);
            listed.clear();
            graph.list(resource, by, &mut listed);
            listed.iter().for_each(|slot| self.touch_links(*slot, graph));
            self.listed = listed;
        } else {
            for place in 0..self.basins.len() {
                if graph.resources[self.basins[place].resource as usize].share(by).is_some() {
                    self.touch(self.basins[place].resource, graph);
                }
            }
        }
    }

    fn touch_links(&mut self, slot: u32, graph: &Graph) {
        for link in &graph.flows[slot as usize].links {
            if self.contains(link.resource, graph) {
                self.touch(link.resource, graph);
            }
        }
    }

    fn touch(&mut self, resource: u32, graph: &Graph) {
        let place = graph.bottlenecks[resource as usize].place;
        if !std::mem::replace(&mut self.basins[place as usize].is_touched, true) {
            self.touched.push(place);
        }
    }

    /// Enters new stops for the basins that have changed.
    fn enter_stops(&mut self, graph: &Graph) {
        for place in self.touched.drain(..) {
            let basin = &mut self.basins[place as usize];
            basin.is_touched = false;
            basin.version += 1;
            if let Some(level) = Self::level_when_full(basin.resource, graph) {
                let what = What::Full { place, version: basin.version };
                self.stops.push(Reverse(Stop { level: Level(level), what }));
            }
        }
    }
}

fn rises(holder: Holder, graph: &Graph) -> bool {
    match holder {
        Holder::Nobody => true,
        Holder::Bound => false,
        Holder::Resource(resource) => graph.bottlenecks[resource as usize].rises,
    }
}
