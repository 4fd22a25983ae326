//! Eviction by what items are worth, with aging.

use hearth_policy_api::{Creation, EvictionItem, NONE, Removal, Victims, choice};
use ordered_float::OrderedFloat;
use rustc_hash::FxHashMap;

use crate::PriorityIndex;

/// What an [`AgingIndex`] knows of an item when it asks what the item is worth.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Worth {
    /// How many uses of the item's group have begun since the group last had no item: of containers their function's
    /// invocations, the first run of each counting. A container that is made ahead counts as the use it is made for.
    pub uses: f64,
    /// What it would cost to have the item again, in s; its size in GB where that is not known (images).
    pub cost: f64,
    /// Its size in MB: RAM, or disk for what holds no RAM.
    pub size: f64,
}

choice! {
    /// Whose priorities the use of a container sets anew. An image is alone in its group, so for images there is no difference.
    pub enum Clock {
        /// Its own: a container keeps the priority of its own last use, and ages while others of its function are used.
        Container = "container",
        /// Those of all idle containers of its function.
        Function = "function",
    }
}

/// Items by `clock + worth`, the lowest first: greedy-dual (Young 1994; Cao and Irani 1997 with sizes; Fuerst and Sharma,
/// ASPLOS 2021 for containers). Of equals, the one that was used longest ago.
///
/// Items form groups: the containers of a function, or an image alone. Uses are counted of the group; [`Clock`] says whose
/// priorities a use sets. The clock is the highest priority that was evicted, so what is not used falls behind.
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
    sets: Clock,
    clock: f64,
    /// How often a priority was set by a use; orders equals.
    uses: u64,
    /// Those that may be evicted, by priority and then by their last use.
    evictable: PriorityIndex<(OrderedFloat<f64>, u64)>,
    /// All that are there, also containers in use. Looked up, never walked.
    items: FxHashMap<u32, Held>,
    /// By group. Looked up, never walked.
    groups: FxHashMap<u32, Group>,
}

#[derive(Debug)]
struct Held {
    item: EvictionItem,
    last_use: u64,
    /// A container that was made ahead and has not been used: its first use is counted already.
    is_ahead: bool,
}

#[derive(Debug, Default)]
struct Group {
    uses: u64,
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
    /// An index of items whose priority is given by the clock and what is known of them, each by its own last use.
    pub fn new(priority: fn(f64, Worth) -> f64) -> Self {
        Self::with_clock(Clock::Container, priority)
    }

    /// The same with a choice of whose priorities a use sets.
    pub fn with_clock(sets: Clock, priority: fn(f64, Worth) -> f64) -> Self {
        let (items, groups) = (FxHashMap::default(), FxHashMap::default());
        Self { priority, sets, clock: 0.0, uses: 0, evictable: PriorityIndex::new(), items, groups }
    }

    /// A container was made, and is in use: its first use, unless it is made ahead of one.
    pub fn created(&mut self, container: &EvictionItem, creation: Creation) {
        self.join(container, creation == Creation::Prewarming);
    }

    /// A container has ended while it was in use.
    pub fn ended(&mut self, id: u32) {
        self.evictable.remove(id);
        self.leave(id);
    }

    /// An item may be evicted from now on: a container that has run an invocation, an image that has arrived. That sets its
    /// priority. One that is new counts as used once.
    pub fn insert(&mut self, item: &EvictionItem) {
        match self.items.get_mut(&item.id) {
            Some(held) if group(&held.item) == group(item) => held.item = *item,
            // The number of a container that ended while it was in use, and nobody said so, is used again.
            _ => self.join(item, false),
        }
        self.set_priorities(item.id);
    }

    /// An item was used while it was there.
    pub fn use_again(&mut self, id: u32) {
        if self.evictable.get(id).is_some() {
            self.count_use(id);
            self.set_priorities(id);
        }
    }

    /// An item is gone, or in use.
    pub fn remove(&mut self, id: u32, removal: Removal) {
        let place = self.evictable.remove(id);
        match (removal, place) {
            (Removal::Taken, _) => return self.count_use(id),
            (Removal::Evicted, Some((priority, _))) => self.clock = self.clock.max(priority.0),
            _ => {}
        }
        self.leave(id);
    }

    /// Offers all items, the lowest priority first, until there is enough.
    pub fn offer(&self, victims: &mut Victims<'_>) {
        victims.offer_all(self.evictable.iter());
    }

    fn join(&mut self, item: &EvictionItem, is_ahead: bool) {
        self.leave(item.id);
        self.items.insert(item.id, Held { item: *item, last_use: 0, is_ahead });
        let group = self.groups.entry(group(item)).or_default();
        group.items.push(item.id);
        group.uses += 1;
    }

    fn leave(&mut self, id: u32) {
        let Some(Held { item, .. }) = self.items.remove(&id) else { return };
        if let Some(members) = self.groups.get_mut(&group(&item)) {
            members.items.retain(|other| *other != id);
            if members.items.is_empty() {
                self.groups.remove(&group(&item));
            }
        }
    }

    /// Counts a use that begins.
    fn count_use(&mut self, id: u32) {
        let Some(held) = self.items.get_mut(&id) else { return };
        if !std::mem::take(&mut held.is_ahead)
            && let Some(group) = self.groups.get_mut(&group(&held.item))
        {
            group.uses += 1;
        }
    }

    /// Sets the priority of an item that was just used and may be evicted, and those of its group if they go with it.
    fn set_priorities(&mut self, used: u32) {
        let Some(held) = self.items.get_mut(&used) else { return };
        self.uses += 1;
        held.last_use = self.uses;
        let item = held.item;
        let Some(group) = self.groups.get(&group(&item)) else { return };
        let priority_of = |item: &EvictionItem| OrderedFloat((self.priority)(self.clock, worth(item, group.uses)));
        self.evictable.set(used, (priority_of(&item), self.uses));
        if self.sets == Clock::Container {
            return;
        }
        for id in &group.items {
            if let (Some(held), Some(_)) = (self.items.get(id), self.evictable.get(*id)) {
                self.evictable.set(*id, (priority_of(&held.item), held.last_use));
            }
        }
    }
}

/// An eviction policy that is an [`AgingIndex`]: with a rule, or with [parameters](hearth_policy_api::parameters) and the index that
/// they ask for.
///
/// ```
/// use hearth_policy_api::*;
/// use hearth_policy_toolbox::{AgingIndex, Clock, aging_policy};
/// aging_policy!(
///     /// Those that cost least to have again go first.
///     Cheapest, "cheapest", "what costs least to have again first", |_clock, worth| worth.cost
/// );
/// assert_eq!(Cheapest::NAME, "cheapest");
///
/// parameters! {
///     /// What can be set of [`BySize`].
///     pub struct Settings {
///         /// whether the largest go first
///         largest: flag = true;
///         /// whose priority a use sets
///         clock: choice(Clock) = Clock::Container;
///     }
/// }
/// aging_policy!(
///     /// The smallest go first, or the largest.
///     BySize(Settings), "by-size", "by size",
///     |settings| AgingIndex::with_clock(settings.clock, match settings.largest {
///         true => |_clock, worth| -worth.size,
///         false => |_clock, worth| worth.size,
///     })
/// );
/// assert_eq!(PolicyDescriptor::eviction::<BySize>().parameters().len(), 2);
/// ```
#[macro_export]
macro_rules! aging_policy {
    ($(#[$docs:meta])* $type:ident, $name:literal, $description:literal, $priority:expr) => {
        $crate::aging_policy!($(#[$docs])* $type(()), $name, $description, |_settings| $crate::AgingIndex::new($priority));
    };
    ($(#[$docs:meta])* $type:ident($settings:ty), $name:literal, $description:literal, $index:expr) => {
        $(#[$docs])*
        #[derive(Debug)]
        pub struct $type($crate::AgingIndex);

        impl $crate::export::Policy for $type {
            const NAME: &'static str = $name;
            const VERSION: &'static str = env!("CARGO_PKG_VERSION");
            const DESCRIPTION: &'static str = $description;
            type Parameters = $settings;

            fn new(
                settings: $settings,
                _context: &$crate::export::PolicyContext,
            ) -> Result<Self, $crate::export::PolicyError> {
                let index: fn($settings) -> $crate::AgingIndex = $index;
                Ok(Self(index(settings)))
            }
        }

        impl $crate::export::Eviction for $type {
            fn rules(&self) -> $crate::export::EvictionRules {
                $crate::export::EvictionRules { observes_containers: true, ..Default::default() }
            }

            fn created(&mut self, container: &$crate::export::EvictionItem, creation: $crate::export::Creation) {
                self.0.created(container, creation);
            }

            fn ended(&mut self, id: u32, _now: u64) {
                self.0.ended(id);
            }

            fn insert(&mut self, item: &$crate::export::EvictionItem) {
                self.0.insert(item);
            }

            fn touch(&mut self, id: u32, touch: $crate::export::Touch, _now: u64) {
                if touch == $crate::export::Touch::Use {
                    self.0.use_again(id);
                }
            }

            fn remove(&mut self, id: u32, removal: $crate::export::Removal, _now: u64) {
                self.0.remove(id, removal);
            }

            fn choose(&mut self, _need: &$crate::export::Need, victims: &mut $crate::export::Victims<'_>) {
                self.0.offer(victims);
            }
        }
    };
}

#[cfg(test)]
mod tests;
