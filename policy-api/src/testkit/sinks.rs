//! Sinks for victims, for unit tests of a rule.

use crate::boundary::{VictimSink, Victims};
use crate::{Eviction, EvictionItem, NONE, Need, Offer};

/// An item to evict.
pub fn item(id: u32, ram: u64, disk: u64) -> EvictionItem {
    EvictionItem { id, function: NONE, ram, disk, cost: 0, since: 0, expires: u64::MAX, ..EvictionItem::default() }
}

/// An idle container of a function, that took so many seconds to start and holds so many MB, which is kept for ever.
///
/// ```
/// let container = hearth_policy_api::testkit::idle_container(0, 7, 2, 512);
/// assert_eq!((container.function, container.cost, container.ram), (7, 2_000_000_000, 512_000_000));
/// ```
pub fn idle_container(id: u32, function: u32, seconds: u64, megabytes: u64) -> EvictionItem {
    EvictionItem { function, cost: seconds * 1_000_000_000, ..item(id, megabytes * 1_000_000, 0) }
}

/// All items in the order in which a policy offers them when nothing is ever enough.
///
/// ```
/// use hearth_policy_api::testkit::{item, offered_by};
/// # use hearth_policy_api::*;
/// # struct Last(Vec<u32>);
/// # impl Eviction for Last {
/// #     fn insert(&mut self, item: &EvictionItem) { self.0.insert(0, item.id); }
/// #     fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}
/// #     fn remove(&mut self, _id: u32, _removal: Removal, _now: u64) {}
/// #     fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
/// #         self.0.iter().for_each(|id| drop(victims.offer(*id)));
/// #     }
/// # }
/// # let mut policy = Last(Vec::new());
/// [3, 1].map(|id| policy.insert(&item(id, 1, 0)));
/// assert_eq!(offered_by(&mut policy), [1, 3]);
/// ```
pub fn offered_by(policy: &mut impl Eviction) -> Vec<u32> {
    let mut sink = RecordingSink::default();
    policy.choose(&Need { now: 0, ram: 1, disk: 1, ..Need::default() }, &mut Victims::new(&mut sink));
    sink.offered
}

/// Notes what is offered; never has enough unless told so.
#[derive(Debug, Default)]
pub struct RecordingSink {
    /// Items that do not count.
    pub pinned: Vec<u32>,
    /// How many accepted items are enough; 0 is never.
    pub enough_after: usize,
    /// All that was offered, in order.
    pub offered: Vec<u32>,
    /// What counted.
    pub accepted: Vec<u32>,
}

impl VictimSink for RecordingSink {
    fn offer(&mut self, id: u32) -> Offer {
        self.offered.push(id);
        if self.pinned.contains(&id) {
            return Offer::Pinned;
        }
        self.accepted.push(id);
        if self.accepted.len() == self.enough_after { Offer::Enough } else { Offer::Accepted }
    }
}

/// Adds up what is offered until a need is met, as the simulator does.
#[derive(Debug)]
pub struct SummingSink {
    items: Vec<EvictionItem>,
    pinned: Vec<u32>,
    ram: u64,
    disk: u64,
    /// What counted, in order.
    pub accepted: Vec<u32>,
}

impl SummingSink {
    /// A sink for a need, over the items there are.
    pub fn new(items: &[EvictionItem], need: Need, pinned: &[u32]) -> Self {
        let (items, pinned) = (items.to_vec(), pinned.to_vec());
        Self { items, pinned, ram: need.ram, disk: need.disk, accepted: Vec::new() }
    }
}

impl VictimSink for SummingSink {
    fn offer(&mut self, id: u32) -> Offer {
        let Some(item) = self.items.iter().find(|item| item.id == id) else {
            return Offer::Pinned;
        };
        if self.pinned.contains(&id) || self.accepted.contains(&id) {
            return Offer::Pinned;
        }
        self.accepted.push(id);
        self.ram = self.ram.saturating_sub(item.ram);
        self.disk = self.disk.saturating_sub(item.disk);
        if self.ram == 0 && self.disk == 0 { Offer::Enough } else { Offer::Accepted }
    }
}
