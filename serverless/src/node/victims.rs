//! Takes the victims that an eviction policy offers, and checks each.

use hearth_policy_api::boundary::VictimSink;
use hearth_policy_api::{Need, Offer};

/// What an offered item is to the storage.
pub(crate) enum Candidate {
    /// No such item was inserted.
    Unknown,
    /// In use now.
    Pinned,
    /// May go, and frees so many bytes.
    Evictable { ram: u64, disk: u64 },
}

/// The victims accepted so far for one need. There is enough to meet it, or the policy would not have been asked.
pub(crate) struct VictimList<'a, F> {
    short_of_ram: u64,
    short_of_disk: u64,
    chosen: &'a mut Vec<u32>,
    pinned: Vec<u32>,
    wrong: Option<String>,
    look_up: F,
}

impl<'a, F: Fn(u32) -> Candidate> VictimList<'a, F> {
    /// An empty list, in a buffer that is kept from need to need.
    pub fn new(need: &Need, chosen: &'a mut Vec<u32>, look_up: F) -> Self {
        chosen.clear();
        let (short_of_ram, short_of_disk) = (need.ram, need.disk);
        Self { short_of_ram, short_of_disk, chosen, pinned: Vec::new(), wrong: None, look_up }
    }

    fn is_enough(&self) -> bool {
        self.short_of_ram == 0 && self.short_of_disk == 0
    }

    /// Checks that the victims, which are in the buffer then, suffice.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn finish(self) -> Result<(), String> {
        match self.wrong {
            Some(cause) => Err(cause),
            None if self.is_enough() => Ok(()),
            None => Err(format!(
                "offered too few victims: {} B of RAM and {} B of disk are still to be freed, and there are others to free \
                 them",
                self.short_of_ram, self.short_of_disk
            )),
        }
    }

    fn take(&mut self, id: u32, ram: u64, disk: u64) {
        self.chosen.push(id);
        self.short_of_ram = self.short_of_ram.saturating_sub(ram);
        self.short_of_disk = self.short_of_disk.saturating_sub(disk);
    }
}

impl<F: Fn(u32) -> Candidate> VictimList<'_, F> {
    /// What an item is that is offered for the first time; `None`, and a fault is noted, if it was offered before.
    fn candidate(&mut self, id: u32) -> Option<Candidate> {
        if self.chosen.contains(&id) || self.pinned.contains(&id) {
            self.wrong.get_or_insert_with(|| format!("offered {id} as a victim twice"));
            return None;
        }
        let candidate = (self.look_up)(id);
        match candidate {
            Candidate::Evictable { .. } => {}
            Candidate::Pinned => self.pinned.push(id),
            Candidate::Unknown => {
                self.wrong.get_or_insert_with(|| format!("offered {id} as a victim, which is not there to be evicted"));
            }
        }
        Some(candidate)
    }
}

impl<F: Fn(u32) -> Candidate> VictimSink for VictimList<'_, F> {
    fn also(&mut self, id: u32) -> bool {
        if self.wrong.is_some() {
            return false;
        }
        let candidate = self.candidate(id);
        if let Some(Candidate::Evictable { ram, disk }) = candidate {
            self.take(id, ram, disk);
            return true;
        }
        false
    }

    fn offer(&mut self, id: u32) -> Offer {
        if self.is_enough() || self.wrong.is_some() {
            return Offer::Enough;
        }
        match self.candidate(id) {
            Some(Candidate::Evictable { ram, disk }) => {
                self.take(id, ram, disk);
                if self.is_enough() { Offer::Enough } else { Offer::Accepted }
            }
            Some(Candidate::Pinned) => Offer::Pinned,
            // Nothing more is wanted of a policy that offers such things.
            Some(Candidate::Unknown) | None => Offer::Enough,
        }
    }
}
