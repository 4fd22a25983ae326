//! Items by their last use, and what storage they lie in.

use std::collections::BTreeMap;
use std::hash::Hash;

use hearth_policy_api::{EvictionItem, Need, PolicyContext, PolicySlot};
use rustc_hash::FxHashMap;

/// A list in the order of last use that knows how many bytes its items hold: the LRU list of which ARC, segmented LRU and
/// others are built. All steps take logarithmic time.
///
/// ```
/// use hearth_policy_toolbox::RecencyList;
/// let mut list = RecencyList::new();
/// for (item, bytes) in [('a', 10), ('b', 20), ('c', 30)] {
///     list.put(item, bytes);
/// }
/// list.put('a', 11);
/// assert_eq!((list.bytes(), list.remove(&'b')), (61, Some(20)));
/// assert_eq!(list.iter().collect::<Vec<_>>(), [('c', 30), ('a', 11)]);
/// assert_eq!(list.pop_oldest(), Some(('c', 30)));
/// ```
#[derive(Clone, Debug)]
pub struct RecencyList<K> {
    order: BTreeMap<u64, (K, u64)>,
    /// Looked up by item, never walked.
    places: FxHashMap<K, u64>,
    uses: u64,
    bytes: u64,
}

impl<K: Copy + Eq + Hash> Default for RecencyList<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Copy + Eq + Hash> RecencyList<K> {
    /// A list without items.
    pub fn new() -> Self {
        Self { order: BTreeMap::new(), places: FxHashMap::default(), uses: 0, bytes: 0 }
    }

    /// Puts an item that holds so many bytes in the last place, that of the item used last, from wherever it is.
    pub fn put(&mut self, item: K, bytes: u64) {
        self.remove(&item);
        self.uses += 1;
        self.order.insert(self.uses, (item, bytes));
        self.places.insert(item, self.uses);
        self.bytes += bytes;
    }

    /// Takes an item out and says how many bytes it holds.
    pub fn remove(&mut self, item: &K) -> Option<u64> {
        let (_, bytes) = self.order.remove(&self.places.remove(item)?)?;
        self.bytes -= bytes;
        Some(bytes)
    }

    /// Takes the item out that was used longest ago.
    pub fn pop_oldest(&mut self) -> Option<(K, u64)> {
        let (item, _) = self.oldest()?;
        self.remove(&item).map(|bytes| (item, bytes))
    }

    /// The item that was used longest ago, and its bytes.
    pub fn oldest(&self) -> Option<(K, u64)> {
        self.order.first_key_value().map(|(_, item)| *item)
    }

    /// Whether an item is here.
    pub fn contains(&self, item: &K) -> bool {
        self.places.contains_key(item)
    }

    /// The bytes of all items.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// All items with their bytes, the one that was used longest ago first.
    pub fn iter(&self) -> impl Iterator<Item = (K, u64)> {
        self.order.values().copied()
    }
}

/// What an eviction policy that counts bytes counts them of.
///
/// ```
/// use hearth_policy_api::{EvictionItem, Need, PolicyContext, PolicySlot};
/// use hearth_policy_toolbox::Medium;
/// let context = PolicyContext { slot: PolicySlot::ImagesOnDisk, ram: 5, disk: 9, ..PolicyContext::default() };
/// let medium = Medium::of(&context);
/// assert_eq!((medium, medium.capacity(&context)), (Medium::Disk, 9));
/// assert_eq!(medium.bytes(&EvictionItem { ram: 1, disk: 2, ..EvictionItem::default() }), 2);
/// assert_eq!(medium.needed(&Need { ram: 1, disk: 3, ..Need::default() }), 3);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Medium {
    /// Images in RAM, and containers.
    Ram,
    /// Images on a disk, that of the head too.
    Disk,
}

impl Medium {
    /// That of the slot that the policy fills.
    pub fn of(context: &PolicyContext) -> Self {
        match context.slot {
            PolicySlot::ImagesOnDisk | PolicySlot::ImagesOnHead => Self::Disk,
            _ => Self::Ram,
        }
    }

    /// Bytes of the storage.
    pub fn capacity(self, context: &PolicyContext) -> u64 {
        match self {
            Self::Ram => context.ram,
            Self::Disk => context.disk,
        }
    }

    /// Bytes of an item; at least one, so that what holds nothing does not gather in a list that is bounded by bytes.
    pub fn bytes(self, item: &EvictionItem) -> u64 {
        match self {
            Self::Ram => item.ram.max(1),
            Self::Disk => item.disk.max(1),
        }
    }

    /// Bytes that are to be freed.
    pub fn needed(self, need: &Need) -> u64 {
        match self {
            Self::Ram => need.ram,
            Self::Disk => need.disk,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The order is that of a vector in which each use moves an item to the end.
        #[test]
        fn items_come_in_the_order_of_last_use(steps in proptest::collection::vec((0..4_u8, 0..6_u32, 0..9_u64), 0..100)) {
            let (mut list, mut model) = (RecencyList::new(), Vec::<(u32, u64)>::new());
            for (step, item, bytes) in steps {
                let held = model.iter().find(|(other, _)| *other == item).map(|(_, bytes)| *bytes);
                prop_assert_eq!(list.contains(&item), held.is_some());
                match step {
                    0 => prop_assert_eq!(list.remove(&item), held),
                    1 => prop_assert_eq!(list.pop_oldest(), model.first().copied()),
                    _ => list.put(item, bytes),
                }
                match step {
                    1 if model.is_empty() => {}
                    1 => drop(model.remove(0)),
                    _ => model.retain(|(other, _)| *other != item),
                }
                model.extend((step > 1).then_some((item, bytes)));
                prop_assert_eq!(list.iter().collect::<Vec<_>>(), model.clone());
                prop_assert_eq!(list.bytes(), model.iter().map(|(_, bytes)| bytes).sum::<u64>());
                prop_assert_eq!((list.oldest(), list.len()), (model.first().copied(), model.len()));
            }
        }
    }
}
