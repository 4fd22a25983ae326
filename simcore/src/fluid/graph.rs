//! Which flow crosses which resource, and what holds it.

use super::bottleneck::{AtBound, Bottleneck, End, Level, Limit};
use super::level_time::LevelTime;
use crate::time::SimTime;

/// Names a resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ResourceId(pub(super) u32);

impl ResourceId {
    /// Its number: resources are numbered from 0 as they are added.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

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
    /// What arrives per unit of rate, positive.
    pub efficiency: f64,
    /// The highest rate; may be infinite.
    pub bound: f64,
    /// Shares of a full resource are inverse to it; positive.
    pub penalty: f64,
    /// The resources it crosses.
    pub uses: &'a [Use],
}

/// What keeps the rate of a flow from rising.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Holder {
    /// Nothing: it was started since the last settling, or rises in one.
    Nobody,
    /// Its bound.
    Bound,
    /// A full resource, its bottleneck.
    Resource(u32),
}

#[derive(Debug)]
pub(super) struct Flow {
    pub generation: u32,
    pub active: bool,
    pub started: u64,
    /// Counts what makes dates entered for it stale.
    pub version: u32,
    pub efficiency: f64,
    pub bound: f64,
    pub penalty: f64,
    pub holder: Holder,
    /// What it had not moved at a date, unless a resource holds it.
    pub remaining: f64,
    pub since: SimTime,
    /// If a resource holds it: where the resource's clock stands when it ends.
    pub end: LevelTime,
    /// Counts its entries among those of bottlenecks that reach their bound.
    pub bound_entry: u32,
    /// Its uses, with its place in the list of each share.
    pub links: Vec<Link>,
    /// The last solve that may have changed what holds it, and what held it before.
    pub noted: u64,
    pub held_before: Holder,
}

impl Flow {
    /// A place for a flow.
    pub fn unused() -> Self {
        Self {
            generation: 0,
            active: false,
            started: 0,
            version: 0,
            efficiency: 1.0,
            bound: 0.0,
            penalty: 1.0,
            holder: Holder::Nobody,
            remaining: 0.0,
            since: SimTime::ZERO,
            end: LevelTime::default(),
            bound_entry: 0,
            links: Vec::new(),
            noted: 0,
            held_before: Holder::Nobody,
        }
    }

    /// The level at which it reaches its bound.
    pub fn level_at_bound(&self) -> f64 {
        self.bound * self.penalty
    }

    /// What it takes of a resource at level one of its holder, in parts of [`PER_UNIT`].
    fn taking(&self, weight: f64) -> i128 {
        let taking = match self.holder {
            Holder::Bound => weight * self.bound,
            Holder::Nobody | Holder::Resource(_) => weight / self.penalty,
        };
        (taking * PER_UNIT) as i128
    }
}

/// What flows take is summed up in whole numbers of this part, so that sums depend on no order and what leaves takes
/// with it exactly what it brought: 2⁶⁸.
const PER_UNIT: f64 = 295_147_905_179_352_825_856.0;

/// From parts to units.
pub(super) fn in_units(parts: i128) -> f64 {
    parts as f64 / PER_UNIT
}

/// One use of a resource by a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub resource: u32,
    pub weight: f64,
    previous: Place,
    next: Place,
}

impl Link {
    pub fn new(resource: u32, weight: f64) -> Self {
        Self { resource, weight, previous: Place::NONE, next: Place::NONE }
    }
}

/// A flow and one of its links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    slot: u32,
    link: u32,
}

impl Place {
    const NONE: Self = Self { slot: u32::MAX, link: 0 };
}

/// The flows of a resource that have one holder.
#[derive(Debug)]
pub(super) struct Share {
    pub holder: Holder,
    first: Place,
    count: u32,
    /// What they take at level one, in parts.
    pub taking: i128,
    /// If the holder is another resource: up to which level of it the resource has room, whatever other holders do up
    /// to theirs; and the number of the entry of this limit with the holder.
    pub limit: f64,
    pub stamp: u64,
    /// Its place among what is coupled to the holder, if the resource is a bottleneck.
    pub coupled_at: u32,
}

#[derive(Debug)]
pub(super) struct Resource {
    pub capacity: f64,
    pub shares: Vec<Share>,
    /// Not less than the level of any flow that crosses it and is held at its bound.
    pub highest_at_bound: f64,
    /// Whether it held flows after the last solve: it is then listed with all other holders of flows that cross it.
    pub is_bottleneck: bool,
}

impl Resource {
    pub fn share(&self, holder: Holder) -> Option<&Share> {
        self.shares.iter().find(|share| share.holder == holder)
    }

    pub fn share_mut(&mut self, holder: Holder) -> Option<&mut Share> {
        self.shares.iter_mut().find(|share| share.holder == holder)
    }
}

/// All flows and resources, and which of them have changed.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub flows: Vec<Flow>,
    pub resources: Vec<Resource>,
    /// By resource.
    pub bottlenecks: Vec<Bottleneck>,
    /// Flows started since the last settling.
    pub fresh: Vec<u32>,
    /// Bottlenecks that lost a flow, and resources that changed, since the last settling.
    pub loosened: Vec<u32>,
    /// Numbers the limits.
    pub stamps: u64,
}

impl Graph {
    pub fn add_resource(&mut self, capacity: f64) -> u32 {
        let shares = Vec::new();
        self.resources.push(Resource { capacity, shares, highest_at_bound: 0.0, is_bottleneck: false });
        self.bottlenecks.push(Bottleneck::default());
        self.resources.len() as u32 - 1
    }

    /// Enters a flow with what holds it and with the resources it crosses.
    pub fn enter(&mut self, slot: u32) {
        let holder = self.flows[slot as usize].holder;
        if let Holder::Resource(resource) = holder {
            let bottleneck = &mut self.bottlenecks[resource as usize];
            bottleneck.members += 1;
            let flow = &mut self.flows[slot as usize];
            let level = flow.level_at_bound();
            flow.bound_entry = flow.bound_entry.wrapping_add(1);
            if level < f64::INFINITY {
                let entry = AtBound { level: Level(level), slot, entry: flow.bound_entry };
                let flows = &self.flows;
                bottleneck.bounds.push(entry, bottleneck.members as usize, |entry| entry.is_current(resource, flows));
            }
        }
        for number in 0..self.flows[slot as usize].links.len() {
            self.enter_link(Place { slot, link: number as u32 }, holder);
        }
    }

    fn enter_link(&mut self, place: Place, holder: Holder) {
        let flow = &mut self.flows[place.slot as usize];
        let (taking, level_at_bound) = (flow.taking(flow.links[place.link as usize].weight), flow.level_at_bound());
        let link = &mut flow.links[place.link as usize];
        let number = link.resource;
        let resource = &mut self.resources[number as usize];
        if holder == Holder::Bound {
            resource.highest_at_bound = resource.highest_at_bound.max(level_at_bound);
        }
        if let Some(share) = resource.share_mut(holder) {
            (link.previous, link.next) = (Place::NONE, share.first);
            let second = std::mem::replace(&mut share.first, place);
            share.count += 1;
            share.taking = share.taking.saturating_add(taking);
            self.flows[second.slot as usize].links[second.link as usize].previous = place;
            return;
        }
        (link.previous, link.next) = (Place::NONE, Place::NONE);
        let mut share = Share { holder, first: place, count: 1, taking, limit: -1.0, stamp: 0, coupled_at: u32::MAX };
        if let Holder::Resource(by) = holder {
            let bottleneck = &mut self.bottlenecks[by as usize];
            bottleneck.crossed += 1;
            if resource.is_bottleneck && by != number {
                share.coupled_at = bottleneck.couple(number);
            }
        }
        resource.shares.push(share);
    }

    /// Takes a flow out again.
    pub fn leave(&mut self, slot: u32) {
        let holder = self.flows[slot as usize].holder;
        if let Holder::Resource(resource) = holder {
            self.bottlenecks[resource as usize].members -= 1;
        }
        for number in 0..self.flows[slot as usize].links.len() {
            self.leave_link(slot, number, holder);
        }
    }

    fn leave_link(&mut self, slot: u32, number: usize, holder: Holder) {
        let flow = &self.flows[slot as usize];
        let Link { resource, weight, previous, next } = flow.links[number];
        let taking = flow.taking(weight);
        if next != Place::NONE {
            self.flows[next.slot as usize].links[next.link as usize].previous = previous;
        }
        if previous != Place::NONE {
            self.flows[previous.slot as usize].links[previous.link as usize].next = next;
        }
        let shares = &mut self.resources[resource as usize].shares;
        let Some(position) = shares.iter().position(|share| share.holder == holder) else { return };
        let share = &mut shares[position];
        share.count -= 1;
        share.taking = share.taking.saturating_sub(taking);
        if previous == Place::NONE {
            share.first = next;
        }
        if share.count == 0 {
            let coupled_at = share.coupled_at;
            shares.swap_remove(position);
            self.end_share(resource, holder, coupled_at);
        }
    }

    fn end_share(&mut self, resource: u32, holder: Holder, coupled_at: u32) {
        match holder {
            Holder::Nobody => {}
            Holder::Bound => self.resources[resource as usize].highest_at_bound = 0.0,
            Holder::Resource(by) => {
                self.bottlenecks[by as usize].crossed -= 1;
                self.uncouple(by, coupled_at);
            }
        }
    }

    pub fn uncouple(&mut self, by: u32, coupled_at: u32) {
        if coupled_at == u32::MAX {
            return;
        }
        let moved = self.bottlenecks[by as usize].uncouple(coupled_at);
        if let Some(share) = moved.and_then(|moved| self.resources[moved as usize].share_mut(Holder::Resource(by))) {
            share.coupled_at = coupled_at;
        }
    }

    /// Lets something else hold a flow.
    pub fn move_to(&mut self, slot: u32, holder: Holder) {
        self.leave(slot);
        self.flows[slot as usize].holder = holder;
        self.enter(slot);
    }

    /// Enters the flows of a share into a list, the last one that came first.
    pub fn list(&self, resource: u32, holder: Holder, into: &mut Vec<u32>) {
        let mut place = self.resources[resource as usize].share(holder).map_or(Place::NONE, |share| share.first);
        while place != Place::NONE {
            into.push(place.slot);
            place = self.flows[place.slot as usize].links[place.link as usize].next;
        }
    }

    /// The level that multiplies what the flows of a holder take.
    pub fn level(&self, holder: Holder) -> f64 {
        match holder {
            Holder::Nobody => 0.0,
            Holder::Bound => 1.0,
            Holder::Resource(resource) => self.bottlenecks[resource as usize].next_level,
        }
    }

    /// How much of a resource its flows use.
    pub fn usage(&self, resource: u32) -> f64 {
        let shares = &self.resources[resource as usize].shares;
        shares.iter().map(|share| self.level(share.holder) * in_units(share.taking)).sum()
    }
}

impl Bottleneck {
    /// The first of its flows to end, and when.
    pub fn first_end(&mut self, resource: u32, flows: &[Flow]) -> Option<(End, SimTime)> {
        if self.members == 0 || self.level <= 0.0 {
            return None;
        }
        let first = self.ends.peek(|entry| entry.is_current(resource, flows))?;
        Some((first, self.date_of(first.at)))
    }
}

impl End {
    pub fn is_current(&self, resource: u32, flows: &[Flow]) -> bool {
        let flow = &flows[self.slot as usize];
        flow.active && flow.version == self.version && flow.holder == Holder::Resource(resource)
    }
}

impl AtBound {
    pub fn is_current(&self, resource: u32, flows: &[Flow]) -> bool {
        let flow = &flows[self.slot as usize];
        flow.active && flow.holder == Holder::Resource(resource) && flow.bound_entry == self.entry
    }
}

impl Limit {
    pub fn is_current(&self, by: u32, resources: &[Resource]) -> bool {
        let share = resources[self.resource as usize].share(Holder::Resource(by));
        share.is_some_and(|share| share.stamp == self.stamp)
    }
}
