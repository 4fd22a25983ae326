//! Eviction `fifo`: the item that arrived first goes first, however often it was used.
//!
//! An image arrives when it is on the storage, a container when it is made: being used and becoming idle again does not make
//! it younger.

use std::collections::BTreeMap;

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Fifo>();
export_policies!(POLICY);

/// The policy and its items by arrival.
#[derive(Debug, Default)]
pub struct Fifo {
    arrivals: u64,
    by_arrival: BTreeMap<u64, Place>,
    arrival_of: BTreeMap<u32, u64>,
}

#[derive(Debug)]
struct Place {
    id: u32,
    /// A container that is in use keeps its place, and is passed over.
    is_evictable: bool,
}

impl Fifo {
    fn arrive(&mut self, id: u32, is_evictable: bool) {
        self.forget(id);
        self.arrivals += 1;
        self.by_arrival.insert(self.arrivals, Place { id, is_evictable });
        self.arrival_of.insert(id, self.arrivals);
    }

    fn place(&mut self, id: u32) -> Option<&mut Place> {
        self.by_arrival.get_mut(self.arrival_of.get(&id)?)
    }

    fn forget(&mut self, id: u32) {
        if let Some(arrival) = self.arrival_of.remove(&id) {
            self.by_arrival.remove(&arrival);
        }
    }
}

impl Policy for Fifo {
    const NAME: &'static str = "fifo";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the oldest first";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::default())
    }
}

impl Eviction for Fifo {
    fn rules(&self) -> EvictionRules {
        EvictionRules { observes_containers: true, ..EvictionRules::default() }
    }

    fn created(&mut self, container: &EvictionItem, _creation: Creation) {
        self.arrive(container.id, false);
    }

    fn insert(&mut self, item: &EvictionItem) {
        match self.place(item.id) {
            Some(place) => place.is_evictable = true,
            None => self.arrive(item.id, true),
        }
    }

    fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}

    fn remove(&mut self, id: u32, removal: Removal, _now: u64) {
        if removal != Removal::Taken {
            self.forget(id);
        } else if let Some(place) = self.place(id) {
            place.is_evictable = false;
        }
    }

    fn ended(&mut self, id: u32, _now: u64) {
        self.forget(id);
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        victims.offer_all(self.by_arrival.values().filter(|place| place.is_evictable).map(|place| place.id));
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, idle_container, item, offered_by};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn use_does_not_save_an_image_but_coming_back_does() {
        let mut policy = Fifo::default();
        [3, 1, 2].into_iter().for_each(|id| policy.insert(&item(id, 1, 0)));
        policy.touch(3, Touch::Use, 0);
        policy.remove(1, Removal::Ended, 0);
        policy.insert(&item(1, 1, 0));
        assert_eq!(offered_by(&mut policy), [3, 2, 1]);
    }

    #[test]
    fn containers_go_in_the_order_of_their_creation_whenever_they_become_idle() {
        let mut policy = Fifo::default();
        let container = |id| idle_container(id, 0, 1, 1);
        [4, 2, 3].into_iter().for_each(|id| policy.created(&container(id), Creation::Invocation));
        assert_eq!(offered_by(&mut policy), [], "all run");
        [3, 4, 2].into_iter().for_each(|id| policy.insert(&container(id)));
        assert_eq!(offered_by(&mut policy), [4, 2, 3]);
        policy.remove(4, Removal::Taken, 0);
        assert_eq!(offered_by(&mut policy), [2, 3]);
        policy.insert(&container(4));
        assert_eq!(offered_by(&mut policy), [4, 2, 3], "a use does not make it younger");
        // A number is used again by another container, once the first has ended, in use or idle.
        policy.remove(4, Removal::Taken, 0);
        policy.ended(4, 0);
        policy.remove(2, Removal::Evicted, 0);
        [2, 4].into_iter().for_each(|id| policy.created(&container(id), Creation::Prewarming));
        [4, 2].into_iter().for_each(|id| policy.insert(&container(id)));
        assert_eq!(offered_by(&mut policy), [3, 2, 4]);
    }
}
