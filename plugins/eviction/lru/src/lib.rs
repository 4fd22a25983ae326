//! Eviction `lru`: the least recently used item goes first.
//!
//! With `touch: use` (the default) starting or reusing a container uses its image. With `touch: load` only the arrival of
//! an image and its loading from disk into RAM count, as in WRENCH (the timing model, section 4). Idle containers are
//! used when they become idle, so the one idle longest goes first.

use hearth_policy_api::*;
use lru::LruCache;
use rustc_hash::FxBuildHasher;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Lru>();
export_policies!(POLICY);

choice! {
    /// What counts as using an image.
    pub enum Touched {
        /// Running a container of it, or loading it.
        Use = "use",
        /// Loading it.
        Load = "load",
    }
}

parameters! {
    /// What can be set of [`Lru`].
    pub struct Settings {
        /// what counts as using an image: running a container of it, or only loading it
        touch: choice(Touched) = Touched::Use;
    }
}

/// The policy and its items by recency.
#[derive(Debug)]
pub struct Lru {
    use_counts: bool,
    /// Whether an item can be evicted. A container that is taken nearly always comes back, so it stays, passed over: no
    /// memory is given back and asked for again with each invocation.
    items: LruCache<u32, bool, FxBuildHasher>,
}

impl Lru {
    /// An instance without items; `use_counts` tells whether [`Touch::Use`] does.
    pub fn new(use_counts: bool) -> Self {
        Self { use_counts, items: LruCache::unbounded_with_hasher(FxBuildHasher) }
    }
}

impl Policy for Lru {
    const NAME: &'static str = "lru";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the least recently used first";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::new(settings.touch == Touched::Use))
    }
}

impl Eviction for Lru {
    fn rules(&self) -> EvictionRules {
        EvictionRules { hears_late: true, ..EvictionRules::default() }
    }

    fn insert(&mut self, item: &EvictionItem) {
        match self.items.get_mut(&item.id) {
            Some(is_here) => *is_here = true,
            None => drop(self.items.put(item.id, true)),
        }
    }

    fn touch(&mut self, id: u32, touch: Touch, _now: u64) {
        if touch == Touch::Load || self.use_counts {
            self.items.promote(&id);
        }
    }

    fn remove(&mut self, id: u32, removal: Removal, _now: u64) {
        if removal != Removal::Taken {
            self.items.pop(&id);
        } else if let Some(is_here) = self.items.peek_mut(&id) {
            *is_here = false;
        }
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        victims.offer_all(self.items.iter().rev().filter(|(_, is_here)| **is_here).map(|(id, _)| *id));
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, RecordingSink, item};
    use proptest::prelude::*;

    use super::*;

    fn order(policy: &mut Lru) -> Vec<u32> {
        let mut sink = RecordingSink::default();
        policy.choose(&Need { ram: 1, ..Need::default() }, &mut Victims::new(&mut sink));
        sink.offered
    }

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn use_refreshes_an_image_only_when_it_is_to_count() {
        for (use_counts, expected) in [(true, [2, 3, 1]), (false, [1, 2, 3])] {
            let mut policy = Lru::new(use_counts);
            [1, 2, 3].into_iter().for_each(|id| policy.insert(&item(id, 1, 0)));
            policy.touch(1, Touch::Use, 0);
            assert_eq!(order(&mut policy), expected);
        }
    }

    #[test]
    fn a_pinned_item_is_passed_over_and_offering_stops_when_there_is_enough() {
        let mut policy = Lru::new(true);
        [1, 2, 3].into_iter().for_each(|id| policy.insert(&item(id, 1, 0)));
        let mut sink = RecordingSink { pinned: vec![1], enough_after: 1, ..RecordingSink::default() };
        policy.choose(&Need { ram: 1, ..Need::default() }, &mut Victims::new(&mut sink));
        assert_eq!((sink.offered, sink.accepted), (vec![1, 2], vec![2]));
    }

    proptest! {
        /// The order is that of a list in which every use moves an item to the end.
        #[test]
        fn the_order_is_that_of_the_last_uses(steps in proptest::collection::vec((0..4_u8, 0..8_u32), 0..200)) {
            let mut policy = Lru::new(true);
            let mut model: Vec<u32> = Vec::new();
            for (step, id) in steps {
                let was_there = model.contains(&id);
                match step {
                    0 if !was_there => {
                        policy.insert(&item(id, 1, 0));
                        model.push(id);
                    }
                    1 | 2 if was_there => {
                        policy.touch(id, if step == 1 { Touch::Use } else { Touch::Load }, 0);
                        model.retain(|other| *other != id);
                        model.push(id);
                    }
                    3 => {
                        policy.remove(id, if was_there && id % 2 == 0 { Removal::Taken } else { Removal::Evicted }, 0);
                        model.retain(|other| *other != id);
                    }
                    _ => {}
                }
                prop_assert_eq!(order(&mut policy), model.clone());
            }
        }
    }
}
