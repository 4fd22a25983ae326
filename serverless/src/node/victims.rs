//! Takes the victims that an eviction policy offers, and checks each.

use hearth_policy_api::{Need, Offer, VictimSink};

use crate::policy::PolicyFault;

/// What an offered item is to the storage.
pub(crate) enum Candidate {
    /// No such item was inserted.
    Unknown,
    /// In use now.
    Pinned,
    /// May go, and frees so many bytes.
    Evictable { ram: u64, disk: u64 },
}

/// The victims accepted so far for one need.
pub(crate) struct VictimList<F> {
    short_of_ram: u64,
    short_of_disk: u64,
    chosen: Vec<u32>,
    unknown: Option<u32>,
    look_up: F,
}

impl<F: Fn(u32) -> Candidate> VictimList<F> {
    pub fn new(need: &Need, look_up: F) -> Self {
        Self { short_of_ram: need.ram, short_of_disk: need.disk, chosen: Vec::new(), unknown: None, look_up }
    }

    fn is_enough(&self) -> bool {
        self.short_of_ram == 0 && self.short_of_disk == 0
    }

    /// The victims if they suffice, `None` if they do not.
    pub fn into_chosen(self) -> Result<Option<Vec<u32>>, PolicyFault> {
        if let Some(id) = self.unknown {
            return Err(PolicyFault::new(
                "choose",
                format!("offered {id} as a victim, which is not there to be evicted"),
            ));
        }
        Ok(self.is_enough().then_some(self.chosen))
    }
}

impl<F: Fn(u32) -> Candidate> VictimSink for VictimList<F> {
    fn offer(&mut self, id: u32) -> Offer {
        if self.is_enough() {
            return Offer::Enough;
        }
        let (ram, disk) = match (self.look_up)(id) {
            Candidate::Evictable { ram, disk } if !self.chosen.contains(&id) => (ram, disk),
            Candidate::Evictable { .. } | Candidate::Pinned => return Offer::Pinned,
            Candidate::Unknown => {
                self.unknown.get_or_insert(id);
                return Offer::Pinned;
            }
        };
        self.chosen.push(id);
        self.short_of_ram = self.short_of_ram.saturating_sub(ram);
        self.short_of_disk = self.short_of_disk.saturating_sub(disk);
        if self.is_enough() { Offer::Enough } else { Offer::Accepted }
    }
}
