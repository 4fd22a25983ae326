//! A full resource as that which holds flows: all of them at one level, on one clock.

use std::cmp::Ordering;

use super::completions::LazyHeap;
use super::level_time::LevelTime;
use crate::time::{SimDuration, SimTime};

/// What 53 bits may be wrong by after a few operations.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// What a resource holds. One that holds nobody has no members.
#[derive(Debug, Default)]
pub(super) struct Bottleneck {
    /// How many flows it holds.
    pub members: u32,
    /// Their level since the last settling, and the one that is worked out.
    pub level: f64,
    pub next_level: f64,
    /// The level summed over time up to a date.
    clock: LevelTime,
    since: SimTime,
    /// The flows it holds by where the clock stands when they end.
    pub ends: LazyHeap<End>,
    /// The flows it holds by the level at which they reach their bound.
    pub bounds: LazyHeap<AtBound>,
    /// How many resources its flows cross, and those among them that hold others.
    pub crossed: u32,
    pub coupled: Vec<u32>,
    /// The others by the level up to which they have room.
    pub limits: LazyHeap<Limit>,
    /// The date entered for the first flow that ends, and its number.
    pub entered: Option<SimTime>,
    pub version: u32,
    /// The solve in which the resource is part of the region, and its place there.
    pub in_region: u64,
    pub place: u32,
    /// Whether its flows rise.
    pub rises: bool,
}

impl Bottleneck {
    /// Where the clock stands at a date.
    pub fn clock_at(&self, now: SimTime) -> LevelTime {
        self.clock.after(self.level, now.since(self.since).as_nanos() as f64)
    }

    /// Sets the clock forward to a date, from which on the level may be another.
    pub fn advance(&mut self, now: SimTime) {
        self.clock = self.clock_at(now);
        self.since = now;
    }

    /// Whether the level that is worked out differs from the one it had by more than rounding.
    pub fn has_changed(&self) -> bool {
        (self.next_level - self.level).abs() > 1e-12 * self.level
    }

    /// Gives its flows the level that was worked out; the clock stands at the date from which it counts.
    pub fn take_level(&mut self) {
        if self.members == 0 {
            (self.level, self.next_level, self.clock) = (0.0, 0.0, LevelTime::default());
            self.ends.clear();
            self.bounds.clear();
            self.limits.clear();
        } else if self.has_changed() {
            self.level = self.next_level;
        } else {
            self.next_level = self.level;
        }
    }

    /// When the clock stands somewhere if the level stays: the nearest nanosecond, and the later one of two that are as near.
    pub fn date_of(&self, end: LevelTime) -> SimTime {
        let nanos = end.since(self.clock) / self.level;
        // Sizes and bandwidths are often round numbers, so dates in the very middle between two nanoseconds are no rare
        // chance. The last bits may not decide about these.
        let rounding = 1e-5 + nanos * ROUNDING;
        // A float cast saturates at both ends.
        self.since + SimDuration::from_nanos((nanos + 0.5 + rounding) as u64)
    }

    /// Lists a resource that holds others among those its flows cross; gives the place in the list.
    pub fn couple(&mut self, resource: u32) -> u32 {
        self.coupled.push(resource);
        self.coupled.len() as u32 - 1
    }

    /// Takes out what is at a place of the list; gives what comes to stand there.
    pub fn uncouple(&mut self, place: u32) -> Option<u32> {
        self.coupled.swap_remove(place as usize);
        self.coupled.get(place as usize).copied()
    }
}

/// A level, not negative, in order.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Level(pub f64);

impl Eq for Level {}
impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Level {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Where the clock stands when a flow ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct End {
    pub at: LevelTime,
    /// The number of the start of the flow.
    pub started: u64,
    pub slot: u32,
    pub version: u32,
}

/// The level at which a flow reaches its bound.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct AtBound {
    pub level: Level,
    pub slot: u32,
    /// Which entry of the slot it is: only the last one counts, or a flow that comes and goes would have many.
    pub entry: u32,
}

/// Up to which level a resource that is no bottleneck has room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Limit {
    pub level: Level,
    pub stamp: u64,
    pub resource: u32,
}
