//! Eviction `fifo`: the item that arrived first goes first, however often it was used.

use std::collections::BTreeMap;

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Fifo>();
export_policies!(POLICY);

/// The policy and its items by arrival.
#[derive(Debug, Default)]
pub struct Fifo {
    arrivals: u64,
    by_arrival: BTreeMap<u64, u32>,
    arrival_of: BTreeMap<u32, u64>,
}

impl Policy for Fifo {
    const NAME: &'static str = "fifo";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the oldest first";

    fn new(_parameters: &Parameters, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::default())
    }
}

impl Eviction for Fifo {
    fn insert(&mut self, item: &EvictionItem) {
        self.arrivals += 1;
        self.by_arrival.insert(self.arrivals, item.id);
        self.arrival_of.insert(item.id, self.arrivals);
    }

    fn touch(&mut self, _id: u32, _touch: Touch) {}

    fn remove(&mut self, id: u32, _removal: Removal) {
        if let Some(arrival) = self.arrival_of.remove(&id) {
            self.by_arrival.remove(&arrival);
        }
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        for id in self.by_arrival.values() {
            if victims.offer(*id) == Offer::Enough {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, item, offered_by};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn use_does_not_save_an_item_but_coming_back_does() {
        let mut policy = Fifo::default();
        [3, 1, 2].into_iter().for_each(|id| policy.insert(&item(id, 1, 0)));
        policy.touch(3, Touch::Use);
        policy.remove(1, Removal::Ended);
        policy.insert(&item(1, 1, 0));
        assert_eq!(offered_by(&mut policy), [3, 2, 1]);
    }
}
