//! What is to be looked at when the level of a bottleneck changes: the other bottlenecks that its flows cross, and resources
//! that have room up to a limit.
//!
//! The law of limits: if no level is above its limit on a resource that is no bottleneck, the resource is not
//! overfull. For the limits, or the level where that is higher, times the shares add up to no more than the capacity.

use super::bottleneck::{Level, Limit};
use super::graph::{Graph, Holder, in_units};

impl Graph {
    /// Notes whether a resource is a bottleneck now: with all holders of flows that cross it, or none.
    pub fn note_bottleneck(&mut self, number: u32) {
        let is_bottleneck = self.bottlenecks[number as usize].members > 0;
        let before = std::mem::replace(&mut self.resources[number as usize].is_bottleneck, is_bottleneck);
        if before == is_bottleneck {
            return;
        }
        for position in 0..self.resources[number as usize].shares.len() {
            let share = &mut self.resources[number as usize].shares[position];
            let Holder::Resource(by) = share.holder else { continue };
            if is_bottleneck && by != number {
                share.coupled_at = self.bottlenecks[by as usize].couple(number);
            } else if !is_bottleneck {
                let coupled_at = std::mem::replace(&mut share.coupled_at, u32::MAX);
                share.limit = -1.0;
                self.uncouple(by, coupled_at);
            }
        }
    }

    /// Sets anew up to which levels of its holders a resource that is no bottleneck has room, if what was set may not hold.
    pub fn set_limits(&mut self, number: u32) {
        let resource = &self.resources[number as usize];
        if resource.is_bottleneck {
            return;
        }
        let (mut at_bound, mut used, mut promised, mut is_set) = (0.0, 0.0, 0.0, true);
        for share in &resource.shares {
            let (level, taking) = (self.level(share.holder), in_units(share.taking));
            if let Holder::Resource(_) = share.holder {
                used += level * taking;
                promised += level.max(share.limit) * taking;
                is_set &= share.limit >= level;
            } else {
                at_bound += level * taking;
            }
        }
        if is_set && promised + at_bound <= resource.capacity {
            return;
        }
        // Half of the way to where it would be full, so that some more flows find room under the same limits.
        let room = (resource.capacity - at_bound) / used;
        let factor = if room.is_finite() { 0.5 + 0.5 * room.max(1.0) } else { 1.0 };
        for position in 0..self.resources[number as usize].shares.len() {
            let holder = self.resources[number as usize].shares[position].holder;
            let Holder::Resource(by) = holder else { continue };
            let limit = self.level(holder) * factor;
            self.stamps += 1;
            let share = &mut self.resources[number as usize].shares[position];
            (share.limit, share.stamp) = (limit, self.stamps);
            let entry = Limit { level: Level(limit), stamp: self.stamps, resource: number };
            let (bottleneck, resources) = (&mut self.bottlenecks[by as usize], &self.resources);
            let crossed = bottleneck.crossed as usize;
            bottleneck.limits.push(entry, crossed, |entry| entry.is_current(by, resources));
        }
    }
}

#[cfg(test)]
impl Graph {
    /// Checks the law of limits, and that bottlenecks are listed with all other holders of flows that cross them.
    pub fn check_limits(&self) {
        for (number, resource) in self.resources.iter().enumerate() {
            assert_eq!(resource.is_bottleneck, self.bottlenecks[number].members > 0);
            let mut promised = 0.0;
            for share in &resource.shares {
                promised += self.level(share.holder).max(share.limit) * in_units(share.taking);
                if let Holder::Resource(by) = share.holder {
                    let is_listed = self.bottlenecks[by as usize].coupled.contains(&(number as u32));
                    assert_eq!(is_listed, resource.is_bottleneck && by as usize != number);
                }
            }
            let is_kept = resource.is_bottleneck || promised <= resource.capacity * (1.0 + 1e-9);
            assert!(is_kept, "resource {number} promises {promised} of {}", resource.capacity);
        }
    }
}
