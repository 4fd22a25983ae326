//! Eviction by what items are worth, with aging.

use hearth_policy_api::{EvictionItem, NONE, Offer, Removal, Victims};
use ordered_float::OrderedFloat;
use rustc_hash::FxHashMap;

use crate::PriorityIndex;

/// What an [`AgingIndex`] knows of an item when it asks what the item is worth.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Worth {
    /// Uses of the item's group since it last had no item.
    pub uses: f64,
    /// What it would cost to have the item again, in s; its size in GB where that is not known (images).
    pub cost: f64,
    /// Its size in MB: RAM, or disk for what holds no RAM.
    pub size: f64,
}

/// Items by `clock + worth`, the lowest first: greedy-dual (Young 1994; Cao and Irani 1997 with sizes; Fuerst and Sharma,
/// ASPLOS 2021 for containers).
///
/// Items form groups: the containers of a function, or an image alone. A use of one recomputes the priorities of all its
/// group with the clock of now. The clock is the highest priority that was evicted, so what is not used falls behind.
///
/// ```
/// use hearth_policy_api::testkit::{RecordingSink, item};
/// use hearth_policy_api::{Need, Removal, Victims};
/// use hearth_policy_toolbox::AgingIndex;
///
/// // Least frequently used, without aging: the clock does not enter.
/// let mut index = AgingIndex::new(|_clock, worth| worth.uses);
/// for id in [1, 2] {
///     index.insert(&item(id, 100_000_000, 0));
/// }
/// index.use_again(1);
/// let mut sink = RecordingSink::default();
/// index.offer(&mut Victims::new(&mut sink));
/// assert_eq!(sink.offered, [2, 1]);
/// ```
#[derive(Debug)]
pub struct AgingIndex {
    priority: fn(f64, Worth) -> f64,
    clock: f64,
    /// Those that may be evicted.
    evictable: PriorityIndex<OrderedFloat<f64>>,
    /// All that are there, also containers in use. Looked up, never walked.
    items: FxHashMap<u32, EvictionItem>,
    /// By group. Looked up, never walked.
    groups: FxHashMap<u32, Group>,
}

#[derive(Debug, Default)]
struct Group {
    uses: u64,
    /// In the order of coming.
    items: Vec<u32>,
}

/// Containers belong to their function, images to nobody else.
fn group(item: &EvictionItem) -> u32 {
    if item.function == NONE { item.id } else { item.function }
}

fn worth(item: &EvictionItem, uses: u64) -> Worth {
    let bytes = if item.ram > 0 { item.ram } else { item.disk };
    let cost = if item.cost > 0 { item.cost as f64 / 1e9 } else { bytes as f64 / 1e9 };
    // What takes no room must not be worth infinitely much.
    Worth { uses: uses as f64, cost, size: (bytes as f64 / 1e6).max(1e-6) }
}

impl AgingIndex {
    /// An index of items whose priority is given by the clock and what is known of them.
    pub fn new(priority: fn(f64, Worth) -> f64) -> Self {
        let (items, groups) = (FxHashMap::default(), FxHashMap::default());
        Self { priority, clock: 0.0, evictable: PriorityIndex::new(), items, groups }
    }

    /// An item may be evicted from now on: a container that has run an invocation, an image that has arrived. Counts as
    /// a use.
    pub fn insert(&mut self, item: &EvictionItem) {
        match self.items.insert(item.id, *item) {
            // The number of a container that ended while it was in use is used again.
            Some(old) if group(&old) != group(item) => self.leave_group(&old),
            _ => {}
        }
        let members = self.groups.entry(group(item)).or_default();
        if !members.items.contains(&item.id) {
            members.items.push(item.id);
        }
        self.evictable.set(item.id, OrderedFloat(0.0));
        self.count_use(group(item));
    }

    /// An item was used while it was there.
    pub fn use_again(&mut self, id: u32) {
        if let Some(item) = self.items.get(&id) {
            self.count_use(group(item));
        }
    }

    /// An item is gone, or in use.
    pub fn remove(&mut self, id: u32, removal: Removal) {
        let priority = self.evictable.remove(id);
        if removal == Removal::Taken {
            return;
        }
        if let (Removal::Evicted, Some(priority)) = (removal, priority) {
            self.clock = self.clock.max(priority.0);
        }
        if let Some(item) = self.items.remove(&id) {
            self.leave_group(&item);
        }
    }

    /// Offers all items, the lowest priority first, until there is enough.
    pub fn offer(&self, victims: &mut Victims<'_>) {
        for id in self.evictable.iter() {
            if victims.offer(id) == Offer::Enough {
                return;
            }
        }
    }

    fn count_use(&mut self, of: u32) {
        let Some(group) = self.groups.get_mut(&of) else { return };
        group.uses += 1;
        for id in &group.items {
            if let (Some(item), Some(_)) = (self.items.get(id), self.evictable.get(*id)) {
                self.evictable.set(*id, OrderedFloat((self.priority)(self.clock, worth(item, group.uses))));
            }
        }
    }

    fn leave_group(&mut self, item: &EvictionItem) {
        if let Some(members) = self.groups.get_mut(&group(item)) {
            members.items.retain(|id| *id != item.id);
            if members.items.is_empty() {
                self.groups.remove(&group(item));
            }
        }
    }
}

/// An eviction policy that is an [`AgingIndex`] with a rule; the rule may hang on parameters.
///
/// ```
/// use hearth_policy_api::*;
/// use hearth_policy_toolbox::aging_policy;
/// aging_policy!(
///     /// Those that cost least to have again go first.
///     Cheapest, "cheapest", "what costs least to have again first", |_clock, worth| worth.cost
/// );
/// assert_eq!(Cheapest::NAME, "cheapest");
///
/// aging_policy!(
///     /// The smallest go first, or the largest.
///     BySize, "by-size", "by size", [ParameterSpec::flag("largest", true, "whether the largest go first")],
///     |parameters| if parameters.flag("largest") { |_clock, worth| -worth.size } else { |_clock, worth| worth.size }
/// );
/// assert_eq!(BySize::PARAMETERS.len(), 1);
/// ```
#[macro_export]
macro_rules! aging_policy {
    ($(#[$docs:meta])* $type:ident, $name:literal, $description:literal, $priority:expr) => {
        $crate::aging_policy!($(#[$docs])* $type, $name, $description, [], |_parameters| $priority);
    };
    ($(#[$docs:meta])* $type:ident, $name:literal, $description:literal, [$($parameter:expr),*], $rule:expr) => {
        $(#[$docs])*
        #[derive(Debug)]
        pub struct $type($crate::AgingIndex);

        impl $crate::export::Policy for $type {
            const NAME: &'static str = $name;
            const VERSION: &'static str = env!("CARGO_PKG_VERSION");
            const DESCRIPTION: &'static str = $description;
            const PARAMETERS: &'static [$crate::export::ParameterSpec] = &[$($parameter),*];

            fn new(
                parameters: &$crate::export::Parameters,
                _context: &$crate::export::PolicyContext,
            ) -> Result<Self, $crate::export::PolicyError> {
                let rule: fn(&$crate::export::Parameters) -> fn(f64, $crate::Worth) -> f64 = $rule;
                Ok(Self($crate::AgingIndex::new(rule(parameters))))
            }
        }

        impl $crate::export::Eviction for $type {
            fn insert(&mut self, item: &$crate::export::EvictionItem) {
                self.0.insert(item);
            }

            fn touch(&mut self, id: u32, touch: $crate::export::Touch) {
                if touch == $crate::export::Touch::Use {
                    self.0.use_again(id);
                }
            }

            fn remove(&mut self, id: u32, removal: $crate::export::Removal) {
                self.0.remove(id, removal);
            }

            fn choose(&mut self, _need: &$crate::export::Need, victims: &mut $crate::export::Victims<'_>) {
                self.0.offer(victims);
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{RecordingSink, idle_container};

    use super::*;

    fn order(index: &AgingIndex) -> Vec<u32> {
        let mut sink = RecordingSink::default();
        index.offer(&mut Victims::new(&mut sink));
        sink.offered
    }

    fn priorities(index: &AgingIndex, ids: &[u32]) -> Vec<f64> {
        ids.iter().map(|id| index.evictable.get(*id).map_or(f64::NAN, |priority| priority.0)).collect()
    }

    /// Greedy-dual: clock + uses × cost ÷ size.
    fn greedy_dual() -> AgingIndex {
        AgingIndex::new(|clock, worth| clock + worth.uses * worth.cost / worth.size)
    }

    #[test]
    fn a_worked_example_of_greedy_dual() {
        let mut index = greedy_dual();
        // Function 0: two containers of 2 s and 4 MB; function 1: one of 6 s and 4 MB.
        index.insert(&idle_container(0, 0, 2, 4));
        index.insert(&idle_container(1, 0, 2, 4));
        index.insert(&idle_container(2, 1, 6, 4));
        assert_eq!(priorities(&index, &[0, 1, 2]), [1.0, 1.0, 1.5]);
        assert_eq!(order(&index), [0, 1, 2]);
        index.remove(0, Removal::Evicted);
        index.remove(1, Removal::Evicted);
        // The clock is 1 now, and function 0 begins anew.
        index.insert(&idle_container(0, 0, 2, 4));
        assert_eq!(priorities(&index, &[0, 2]), [1.5, 1.5]);
        assert_eq!(order(&index), [2, 0], "of equals, the one set first");
    }

    #[test]
    fn a_container_in_use_keeps_the_count_of_its_function_and_is_not_offered() {
        let mut index = greedy_dual();
        index.insert(&idle_container(0, 0, 4, 4));
        index.remove(0, Removal::Taken);
        assert_eq!(order(&index), []);
        index.insert(&idle_container(0, 0, 4, 4));
        assert_eq!(priorities(&index, &[0]), [2.0]);
        index.remove(0, Removal::Ended);
        index.insert(&idle_container(0, 0, 4, 4));
        assert_eq!(priorities(&index, &[0]), [1.0]);
    }

    #[test]
    fn a_number_that_another_function_uses_again_takes_the_old_container_away() {
        let mut index = greedy_dual();
        index.insert(&idle_container(0, 0, 4, 4));
        index.remove(0, Removal::Taken);
        index.insert(&idle_container(0, 1, 4, 4));
        assert!(!index.groups.contains_key(&0), "function 0 has no container any more");
        assert_eq!(priorities(&index, &[0]), [1.0]);
    }
}
