//! Sinks for victims, for unit tests of a rule.

use crate::boundary::VictimSink;
use crate::{EvictionItem, NONE, Need, Offer};

/// An item to evict.
pub fn item(id: u32, ram: u64, disk: u64) -> EvictionItem {
    EvictionItem { id, function: NONE, ram, disk, cost: 0, since: 0, expires: u64::MAX }
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
