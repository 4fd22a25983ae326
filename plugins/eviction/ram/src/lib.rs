//! Eviction `ram`, WRENCH's rule for idle containers that ends few and small ones (the timing model, section 5).
//!
//! Until the need is met: the smallest item that alone covers what is still needed, or else the largest. Size is RAM, or
//! disk where no RAM is needed. Of equals the one that arrived first goes first.

use std::collections::{BTreeMap, BTreeSet};

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
    by_ram: BTreeSet<Place>,
    by_disk: BTreeSet<Place>,
}

/// Bytes, the number of the arrival, and the item.
type Place = (u64, u64, u32);

impl Policy for Ram {
    const NAME: &'static str = "ram";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the smallest item that suffices, else the largest";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::default())
    }
}

impl Ram {
    fn item(&self, id: u32) -> Option<&EvictionItem> {
        self.items.get(&id).map(|(_, item)| item)
    }

    /// The next to go of those that have not been offered, when so much RAM and disk are still needed: the first in the order of
    /// size that covers both, or the first of the largest.
    fn next(&self, (ram, disk): (u64, u64), is_by_disk: bool, offered: &BTreeSet<u32>) -> Option<u32> {
        let (order, least) = if is_by_disk { (&self.by_disk, disk) } else { (&self.by_ram, ram) };
        let is_left = |place: &&Place| !offered.contains(&place.2);
        let covers = |place: &&Place| self.item(place.2).is_some_and(|item| item.ram >= ram && item.disk >= disk);
        let covering = order.range((least, 0, 0)..).filter(is_left).find(covers);
        let first_largest = || {
            let (largest, ..) = order.iter().rev().find(is_left)?;
            order.range((*largest, 0, 0)..).find(is_left)
        };
        covering.or_else(first_largest).map(|place| place.2)
    }
}

impl Eviction for Ram {
    fn insert(&mut self, item: &EvictionItem) {
        self.remove(item.id, Removal::Ended, 0);
        self.arrivals += 1;
        self.items.insert(item.id, (self.arrivals, *item));
        self.by_ram.insert((item.ram, self.arrivals, item.id));
        self.by_disk.insert((item.disk, self.arrivals, item.id));
    }

    fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}

    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        if let Some((arrival, item)) = self.items.remove(&id) {
            self.by_ram.remove(&(item.ram, arrival, id));
            self.by_disk.remove(&(item.disk, arrival, id));
        }
    }

    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) {
        let (mut left, mut offered) = ((need.ram, need.disk), BTreeSet::new());
        while let Some(id) = self.next(left, need.ram == 0, &offered) {
            offered.insert(id);
            match (victims.offer(id), self.item(id)) {
                (Offer::Enough, _) => return,
                (Offer::Accepted, Some(item)) => {
                    left = (left.0.saturating_sub(item.ram), left.1.saturating_sub(item.disk));
                }
                (Offer::Pinned | Offer::Accepted, _) => {}
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
        Need { now: 0, ram: bytes, disk: 0, ..Need::default() }
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
        let need = Need { now: 0, ram: 0, disk: 5, ..Need::default() };
        assert_eq!(chosen(&[(9, 1), (1, 6), (1, 5), (1, 5)], need, &[]), [2]);
        assert_eq!(chosen(&[(3, 0), (3, 0), (3, 0)], ram(5), &[]), [0, 1]);
    }

    /// The rule as it is written down, over a sorted list.
    fn plainly_chosen(items: &[EvictionItem], need: Need, pinned: &[u32]) -> Vec<u32> {
        let size = |item: &EvictionItem| if need.ram == 0 { item.disk } else { item.ram };
        let mut candidates = items.to_vec();
        candidates.sort_by_key(size);
        let (mut ram, mut disk, mut chosen) = (need.ram, need.disk, Vec::new());
        while let (Some(largest), true) = (candidates.last(), ram > 0 || disk > 0) {
            let covers = |item: &EvictionItem| item.ram >= ram && item.disk >= disk;
            let first_largest = || candidates.partition_point(|item| size(item) < size(largest));
            let position = candidates.iter().position(covers).unwrap_or_else(first_largest);
            let victim = candidates.remove(position);
            if !pinned.contains(&victim.id) {
                chosen.push(victim.id);
                (ram, disk) = (ram.saturating_sub(victim.ram), disk.saturating_sub(victim.disk));
            }
        }
        chosen
    }

    proptest! {
        #[test]
        fn an_index_finds_what_a_sorted_list_has(
            sizes in proptest::collection::vec((0..6_u64, 0..6_u64), 0..14),
            (ram, disk) in (0..20_u64, 0..20_u64),
            pinned in proptest::collection::vec(0..14_u32, 0..4),
        ) {
            prop_assume!(ram + disk > 0);
            let need = Need { now: 0, ram, disk, ..Need::default() };
            let items = sizes.iter().enumerate().map(|(id, &(ram, disk))| item(id as u32, ram, disk));
            prop_assert_eq!(chosen(&sizes, need, &pinned), plainly_chosen(&items.collect::<Vec<_>>(), need, &pinned));
        }

        #[test]
        fn what_all_items_together_cover_is_covered(
            sizes in proptest::collection::vec((0..20_u64, 0..20_u64), 0..12),
            need_ram in 0..60_u64,
            need_disk in 0..60_u64,
        ) {
            let need = Need { now: 0, ram: need_ram, disk: need_disk, ..Need::default() };
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
