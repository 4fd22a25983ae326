//! Eviction `ram`, WRENCH's rule for idle containers that ends few and small ones (the timing model, section 5).
//!
//! Until the need is met: the smallest item that alone covers what is still needed, or else the largest. Size is RAM, or
//! disk where no RAM is needed. Of equals the one that arrived first goes first.

use std::collections::BTreeMap;

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Ram>();
export_policies!(POLICY);

/// The policy and its items.
#[derive(Debug, Default)]
pub struct Ram {
    arrivals: u64,
    /// With the number of their arrival.
    items: BTreeMap<u32, (u64, EvictionItem)>,
}

impl Policy for Ram {
    const NAME: &'static str = "ram";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the smallest item that suffices, else the largest";

    fn new(_parameters: &Parameters, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::default())
    }
}

impl Eviction for Ram {
    fn insert(&mut self, item: &EvictionItem) {
        self.arrivals += 1;
        self.items.insert(item.id, (self.arrivals, *item));
    }

    fn touch(&mut self, _id: u32, _touch: Touch) {}

    fn remove(&mut self, id: u32, _removal: Removal) {
        self.items.remove(&id);
    }

    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) {
        let size = |item: &EvictionItem| if need.ram == 0 { item.disk } else { item.ram };
        let mut candidates: Vec<(u64, EvictionItem)> = self.items.values().copied().collect();
        candidates.sort_by_key(|(arrival, item)| (size(item), *arrival));
        let (mut ram, mut disk) = (need.ram, need.disk);
        while let Some((_, largest)) = candidates.last() {
            let covers = |item: &EvictionItem| item.ram >= ram && item.disk >= disk;
            let first_largest = || candidates.partition_point(|(_, item)| size(item) < size(largest));
            let position = candidates.iter().position(|(_, item)| covers(item)).unwrap_or_else(first_largest);
            let (_, victim) = candidates.remove(position);
            match victims.offer(victim.id) {
                Offer::Enough => return,
                Offer::Pinned => {}
                Offer::Accepted => (ram, disk) = (ram.saturating_sub(victim.ram), disk.saturating_sub(victim.disk)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, SummingSink, item};
    use proptest::prelude::*;

    use super::*;

    fn chosen(sizes: &[(u64, u64)], need: Need, pinned: &[u32]) -> Vec<u32> {
        let mut policy = Ram::default();
        let items = sizes.iter().enumerate().map(|(id, &(ram, disk))| item(id as u32, ram, disk));
        let items: Vec<EvictionItem> = items.collect();
        items.iter().for_each(|item| policy.insert(item));
        let mut sink = SummingSink::new(&items, need, pinned);
        policy.choose(&need, &mut Victims::new(&mut sink));
        sink.accepted
    }

    fn ram(bytes: u64) -> Need {
        Need { now: 0, ram: bytes, disk: 0 }
    }

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn the_largest_goes_while_none_suffices_then_the_smallest_that_does() {
        // 11 of 1…7: 7 is the largest, then 4 is the smallest that covers the rest.
        let sizes: Vec<(u64, u64)> = (1..=7).map(|ram| (ram, 0)).collect();
        assert_eq!(chosen(&sizes, ram(11), &[]), [6, 3]);
        assert_eq!(chosen(&sizes, ram(11), &[6]), [5, 4]);
        assert_eq!(chosen(&sizes, ram(3), &[]), [2]);
    }

    #[test]
    fn disk_counts_where_no_ram_is_needed_and_the_first_of_equals_goes() {
        let need = Need { now: 0, ram: 0, disk: 5 };
        assert_eq!(chosen(&[(9, 1), (1, 6), (1, 5), (1, 5)], need, &[]), [2]);
        assert_eq!(chosen(&[(3, 0), (3, 0), (3, 0)], ram(5), &[]), [0, 1]);
    }

    proptest! {
        #[test]
        fn what_all_items_together_cover_is_covered(
            sizes in proptest::collection::vec((0..20_u64, 0..20_u64), 0..12),
            need_ram in 0..60_u64,
            need_disk in 0..60_u64,
        ) {
            let need = Need { now: 0, ram: need_ram, disk: need_disk };
            prop_assume!(need_ram + need_disk > 0);
            let sum = |of: fn(&(u64, u64)) -> u64, ids: &[u32]| -> u64 { ids.iter().map(|id| of(&sizes[*id as usize])).sum() };
            let all: Vec<u32> = (0..sizes.len() as u32).collect();
            let possible = sum(|size| size.0, &all) >= need_ram && sum(|size| size.1, &all) >= need_disk;
            let victims = chosen(&sizes, need, &[]);
            let met = sum(|size| size.0, &victims) >= need_ram && sum(|size| size.1, &victims) >= need_disk;
            prop_assert_eq!(met, possible);
        }
    }
}
