//! Eviction `random`: items go in an order drawn at random, each as likely as the others. What others are to be better
//! than.

use std::collections::HashMap;

use hearth_policy_api::*;
use hearth_policy_toolbox::random_stream;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rustc_hash::FxBuildHasher;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Random>();
export_policies!(POLICY);

/// The policy, its items and its stream of random numbers.
#[derive(Debug)]
pub struct Random {
    stream: Pcg64Mcg,
    items: Vec<u32>,
    /// By item: where it is. Looked up, never walked.
    places: HashMap<u32, usize, FxBuildHasher>,
}

impl Random {
    fn swap(&mut self, one: usize, other: usize) {
        self.items.swap(one, other);
        for place in [one, other] {
            self.places.insert(self.items[place], place);
        }
    }
}

impl Policy for Random {
    const NAME: &'static str = "random";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "any, drawn at random";
    type Parameters = ();

    fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { stream: random_stream(context.seed), items: Vec::new(), places: HashMap::default() })
    }
}

impl Eviction for Random {
    fn insert(&mut self, item: &EvictionItem) {
        if !self.places.contains_key(&item.id) {
            self.places.insert(item.id, self.items.len());
            self.items.push(item.id);
        }
    }

    fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}

    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        if let Some(&place) = self.places.get(&id) {
            self.swap(place, self.items.len() - 1);
            self.items.pop();
            self.places.remove(&id);
        }
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        // The next of a shuffle, as often as one is needed.
        for place in 0..self.items.len() {
            let drawn = self.stream.random_range(place..self.items.len());
            self.swap(place, drawn);
            if victims.offer(self.items[place]) == Offer::Enough {
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

    /// Which goes first of five, after two others were removed.
    fn first(seed: u64) -> u32 {
        let mut policy = Random::new((), &PolicyContext { seed, nodes: 1, ..PolicyContext::default() }).unwrap();
        (0..7).for_each(|id| policy.insert(&item(id, 1, 0)));
        policy.remove(0, Removal::Evicted, 0);
        policy.remove(6, Removal::Ended, 0);
        let mut sink = RecordingSink::default();
        policy.choose(&Need { now: 0, ram: 9, disk: 0, ..Need::default() }, &mut Victims::new(&mut sink));
        let mut offered = sink.offered.clone();
        offered.sort_unstable();
        assert_eq!(offered, [1, 2, 3, 4, 5], "each once");
        sink.offered[0]
    }

    #[test]
    fn each_is_as_likely_as_the_others() {
        let mut counts = [0; 7];
        (0..5_000).for_each(|seed| counts[first(seed) as usize] += 1);
        assert!(counts[1..6].iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
        assert_eq!(first(3), first(3));
    }
}
