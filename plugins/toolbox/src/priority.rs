//! Items by priority.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

/// Numbered items in the order of their priorities, the lowest first; of one priority, the one whose priority was set
/// first. Setting, removing and finding the first take logarithmic time.
///
/// ```
/// use hearth_policy_toolbox::PriorityIndex;
/// let mut index = PriorityIndex::new();
/// for (item, priority) in [(7, 3), (8, 1), (9, 3)] {
///     index.set(item, priority);
/// }
/// index.set(8, 5);
/// assert_eq!(index.iter().collect::<Vec<_>>(), [7, 9, 8]);
/// assert_eq!(index.remove(7), Some(3));
/// assert_eq!(index.first(), Some((9, 3)));
/// ```
#[derive(Clone, Debug)]
pub struct PriorityIndex<P> {
    order: BTreeSet<(P, u64, u32)>,
    /// Looked up by item, never walked.
    places: FxHashMap<u32, (P, u64)>,
    sets: u64,
}

impl<P: Ord + Copy> Default for PriorityIndex<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Ord + Copy> PriorityIndex<P> {
    /// An index without items.
    pub fn new() -> Self {
        Self { order: BTreeSet::new(), places: FxHashMap::default(), sets: 0 }
    }

    /// Gives an item a priority, as the last of those that have it.
    pub fn set(&mut self, item: u32, priority: P) {
        self.remove(item);
        self.sets += 1;
        self.order.insert((priority, self.sets, item));
        self.places.insert(item, (priority, self.sets));
    }

    /// Takes an item out and says what priority it had.
    pub fn remove(&mut self, item: u32) -> Option<P> {
        let (priority, number) = self.places.remove(&item)?;
        self.order.remove(&(priority, number, item));
        Some(priority)
    }

    /// The priority of an item.
    pub fn get(&self, item: u32) -> Option<P> {
        self.places.get(&item).map(|(priority, _)| *priority)
    }

    /// The item with the lowest priority.
    pub fn first(&self) -> Option<(u32, P)> {
        self.order.first().map(|(priority, _, item)| (*item, *priority))
    }

    /// All items, the lowest priority first.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.order.iter().map(|(_, _, item)| *item)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The order is that of a list sorted by priority, stable in the order of setting.
        #[test]
        fn items_come_in_the_order_of_a_stable_sort(steps in proptest::collection::vec((0..8_u32, proptest::option::of(0..4_u8)), 0..100)) {
            let mut index = PriorityIndex::new();
            let mut model: Vec<(u32, u8)> = Vec::new();
            for (item, priority) in steps {
                let held = model.iter().find(|(other, _)| *other == item).map(|(_, priority)| *priority);
                prop_assert_eq!(index.get(item), held);
                model.retain(|(other, _)| *other != item);
                match priority {
                    Some(priority) => {
                        index.set(item, priority);
                        model.push((item, priority));
                    }
                    None => prop_assert_eq!(index.remove(item), held),
                }
                let mut sorted = model.clone();
                sorted.sort_by_key(|(_, priority)| *priority);
                prop_assert_eq!(index.iter().collect::<Vec<_>>(), sorted.iter().map(|(item, _)| *item).collect::<Vec<_>>());
            }
        }
    }
}
