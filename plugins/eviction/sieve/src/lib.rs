//! Eviction `sieve`, for images: Zhang, Yang, Yue, Vigfusson and Rashmi, "SIEVE is Simpler than LRU: an Efficient
//! Turn-Key Eviction Algorithm for Web Caches", NSDI 2024.
//!
//! - Images stand in a queue in the order of their arrival, each with a bit that a use sets;
//! - a hand moves from the oldest to the newest and round again: it clears the bits that are set, and what it finds with
//!   none goes. It stays where it stopped.
//!
//! Unlike CLOCK, what is kept does not move, so new images are sieved fast. What differs: a container of an image is
//! nearly always started right after the image has arrived, for the request that fetched it. That first use does not set
//! the bit, as the paper's insertion does not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use hearth_policy_api::*;
use rustc_hash::FxBuildHasher;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Sieve>();
export_policies!(POLICY);

/// The policy, its queue and its hand.
#[derive(Debug, Default)]
pub struct Sieve {
    arrivals: u64,
    queue: BTreeMap<u64, u32>,
    /// Looked up, never walked.
    items: HashMap<u32, Item, FxBuildHasher>,
    /// What arrived until then, the hand has passed in this round.
    hand: u64,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    arrival: u64,
    uses: Uses,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Uses {
    /// Not even by the request that fetched it.
    None,
    /// Not since it was fetched, or since the hand passed.
    Unvisited,
    Visited,
}

impl Policy for Sieve {
    const NAME: &'static str = "sieve";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the oldest without a use since the hand passed; for images";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::default())
    }
}

impl Eviction for Sieve {
    fn insert(&mut self, item: &EvictionItem) {
        self.remove(item.id, Removal::Ended, 0);
        self.arrivals += 1;
        self.queue.insert(self.arrivals, item.id);
        self.items.insert(item.id, Item { arrival: self.arrivals, uses: Uses::None });
    }

    fn touch(&mut self, id: u32, touch: Touch, _now: u64) {
        if touch == Touch::Use
            && let Some(item) = self.items.get_mut(&id)
        {
            item.uses = if item.uses == Uses::None { Uses::Unvisited } else { Uses::Visited };
        }
    }

    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        if let Some(item) = self.items.remove(&id) {
            self.queue.remove(&item.arrival);
        }
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        let mut offered = BTreeSet::new();
        // In one round the hand clears or offers each, in the next it offers those it cleared.
        while offered.len() < self.queue.len() {
            let ahead = (Bound::Excluded(self.hand), Bound::Unbounded);
            let Some((&arrival, &id)) = self.queue.range(ahead).next() else {
                self.hand = 0;
                continue;
            };
            self.hand = arrival;
            if let Some(item) = self.items.get_mut(&id)
                && item.uses == Uses::Visited
            {
                item.uses = Uses::Unvisited;
            } else if offered.insert(id) && victims.offer(id) == Offer::Enough {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, RecordingSink, item};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    /// Evicts one and says which.
    fn evict(policy: &mut Sieve) -> u32 {
        let mut sink = RecordingSink { enough_after: 1, ..RecordingSink::default() };
        policy.choose(&Need { now: 0, ram: 0, disk: 1, ..Need::default() }, &mut Victims::new(&mut sink));
        policy.remove(sink.accepted[0], Removal::Evicted, 0);
        sink.accepted[0]
    }

    #[test]
    fn a_worked_example() {
        // A to G, oldest first, of which A, B and G were visited; then requests for H, A, D, I, B and J.
        let names = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];
        let number = |name: &str| names.iter().position(|other| *other == name).unwrap() as u32;
        let mut policy = Sieve::default();
        for name in ["A", "B", "C", "D", "E", "F", "G"] {
            policy.insert(&item(number(name), 0, 1));
            policy.touch(number(name), Touch::Use, 0);
        }
        for name in ["A", "B", "G"] {
            policy.touch(number(name), Touch::Use, 0);
        }
        let mut evicted = Vec::new();
        for name in ["H", "A", "D", "I", "B", "J"] {
            if policy.items.contains_key(&number(name)) {
                policy.touch(number(name), Touch::Use, 0);
                continue;
            }
            evicted.push(names[evict(&mut policy) as usize]);
            policy.insert(&item(number(name), 0, 1));
            policy.touch(number(name), Touch::Use, 0);
        }
        // The hand passes A and B, which lose their bits and get them again, and passes D, visited meanwhile.
        assert_eq!(evicted, ["C", "E", "F"]);
    }

    #[test]
    fn when_all_were_used_the_oldest_goes() {
        let mut policy = Sieve::default();
        for id in [4, 2, 7] {
            policy.insert(&item(id, 0, 1));
            policy.touch(id, Touch::Use, 0);
            policy.touch(id, Touch::Use, 0);
        }
        assert_eq!(evict(&mut policy), 4);
        assert_eq!(evict(&mut policy), 2, "the bits are cleared and the hand goes on");
    }
}
