//! Eviction `arc`, for images and for containers: Megiddo and Modha, "ARC: A Self-Tuning, Low Overhead Replacement Cache",
//! FAST 2003.
//!
//! - Two lists by last use: `T1` of what was used once since it came, and `T2` of what was used again; and beside each a list of
//!   *ghosts*, `B1` and `B2`, of what was evicted from it;
//! - `T1` is to hold `p` bytes: if it holds more, its oldest goes, else the oldest of `T2` (the paper's REPLACE);
//! - what comes back and is a ghost of `B1` raises `p`, a ghost of `B2` lowers it: by its size, times the size of the other
//!   ghost list by that of its own if that is more than one. It enters `T2`; what is no ghost enters `T1`;
//! - `T1` and `B1` hold no more than the storage does, all four no more than twice that: the oldest ghosts are forgotten.
//!
//! What is a hit: of an image each `Touch::Use` but the first, which is that of the request that fetched it; of a container
//! that it is taken into use again (`Removal::Taken`), but the first time if it was made ahead. It moves to `T2` then, where it
//! stays while it runs, counts and cannot be chosen, and is the last used when it comes back. Ghosts are known by image, and those of containers
//! by function, since their numbers are used again: of a function there is one ghost, that of its last container that was evicted.
//!
//! What differs:
//! - The paper's pages are equal. Here lists are weighed by bytes, and `p` and the bounds are of the bytes of the storage: the disk for
//!   images on one, else the RAM. Where containers and images share a RAM, the bounds are of all of it.
//! - Room is made before it is known to the policy for what. So `p` changes after the eviction that it should decide, and decides the
//!   next; and where `T1` holds `p` exactly `T2` gives way, if there is anything in it, also to a ghost of `B2`.
//! - What ends by itself (keep-alive is over, an image is dropped) was not evicted for want of room and leaves no ghost.

use hearth_policy_api::*;
use hearth_policy_toolbox::{Medium, RecencyList};
use rustc_hash::FxHashMap;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<AdaptiveReplacement>();
export_policies!(POLICY);

/// The policy and its four lists.
#[derive(Debug)]
pub struct AdaptiveReplacement {
    medium: Medium,
    /// Bytes of the storage: the paper's `c`.
    capacity: u64,
    /// Bytes that `once` is to hold: the paper's `p`.
    target: f64,
    /// `T1` and `B1`.
    once: Side,
    /// `T2` and `B2`.
    again: Side,
    /// Looked up, never walked.
    items: FxHashMap<u32, Item>,
}

/// What is there of one kind, and what was evicted from it.
#[derive(Debug, Default)]
struct Side {
    here: RecencyList<u32>,
    ghosts: RecencyList<Key>,
}

/// What is known again when it comes back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Key {
    Image(u32),
    Function(u32),
}

#[derive(Clone, Copy, Debug)]
struct Item {
    key: Key,
    bytes: u64,
    /// Whether its next use is the one that it was brought for, and no hit.
    is_awaited: bool,
    /// A container that runs cannot be evicted.
    is_evictable: bool,
}

impl Key {
    fn of(item: &EvictionItem) -> Self {
        if item.function == NONE { Self::Image(item.id) } else { Self::Function(item.function) }
    }
}

impl Side {
    /// Bytes of both lists.
    fn bytes(&self) -> u64 {
        self.here.bytes() + self.ghosts.bytes()
    }
}

impl Policy for AdaptiveReplacement {
    const NAME: &'static str = "arc";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the oldest of what was used once or of what was used again, in parts that adapt";
    type Parameters = ();

    fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        let medium = Medium::of(context);
        let (once, again, items) = (Side::default(), Side::default(), FxHashMap::default());
        Ok(Self { medium, capacity: medium.capacity(context), target: 0.0, once, again, items })
    }
}

impl AdaptiveReplacement {
    /// Something is there that was not: cases II, III and IV of the paper.
    fn enter(&mut self, item: &EvictionItem, is_awaited: bool, is_evictable: bool) {
        self.forget(item.id);
        let (key, bytes) = (Key::of(item), self.medium.bytes(item));
        let (of_once, of_again) = (self.once.ghosts.bytes() as f64, self.again.ghosts.bytes() as f64);
        // A ghost list with a ghost in it holds at least a byte.
        let side = if self.once.ghosts.remove(&key).is_some() {
            let step = bytes as f64 * (of_again / of_once).max(1.0);
            self.target = (self.target + step).min(self.capacity as f64);
            &mut self.again
        } else if self.again.ghosts.remove(&key).is_some() {
            let step = bytes as f64 * (of_once / of_again).max(1.0);
            self.target = (self.target - step).max(0.0);
            &mut self.again
        } else {
            &mut self.once
        };
        side.here.put(item.id, bytes);
        self.items.insert(item.id, Item { key, bytes, is_awaited, is_evictable });
        self.forget_ghosts();
    }

    /// A use of what is there: case I, unless it was brought for this use.
    fn use_again(&mut self, id: u32) {
        let Some(item) = self.items.get_mut(&id) else { return };
        if !std::mem::take(&mut item.is_awaited) {
            self.once.here.remove(&id);
            self.again.here.put(id, item.bytes);
        }
    }

    /// Takes an item out of its list; gives what is known of it, and whether it was in the first list.
    fn forget(&mut self, id: u32) -> Option<(Item, bool)> {
        let item = self.items.remove(&id)?;
        let was_once = self.once.here.remove(&id).is_some();
        self.again.here.remove(&id);
        Some((item, was_once))
    }

    fn forget_ghosts(&mut self) {
        let capacity = self.capacity;
        while self.once.bytes() > capacity && self.once.ghosts.pop_oldest().is_some() {}
        while self.once.bytes() + self.again.bytes() > capacity.saturating_mul(2)
            && self.again.ghosts.pop_oldest().is_some()
        {}
    }
}

impl Eviction for AdaptiveReplacement {
    fn rules(&self) -> EvictionRules {
        EvictionRules { observes_containers: true, ..EvictionRules::default() }
    }

    fn created(&mut self, container: &EvictionItem, creation: Creation) {
        self.enter(container, creation == Creation::Prewarming, false);
    }

    fn insert(&mut self, item: &EvictionItem) {
        match self.items.get_mut(&item.id) {
            // A container that comes back, to the list in which it was while it ran.
            Some(held) if !held.is_evictable && held.key == Key::of(item) => {
                held.is_evictable = true;
                let list = if self.once.here.contains(&item.id) { &mut self.once.here } else { &mut self.again.here };
                list.put(item.id, held.bytes);
            }
            _ => self.enter(item, item.function == NONE, true),
        }
    }

    fn touch(&mut self, id: u32, touch: Touch, _now: u64) {
        if touch == Touch::Use {
            self.use_again(id);
        }
    }

    fn remove(&mut self, id: u32, removal: Removal, _now: u64) {
        if removal == Removal::Taken {
            self.use_again(id);
            if let Some(item) = self.items.get_mut(&id) {
                item.is_evictable = false;
            }
        } else if let (Some((item, was_once)), Removal::Evicted) = (self.forget(id), removal) {
            let (side, other) =
                if was_once { (&mut self.once, &mut self.again) } else { (&mut self.again, &mut self.once) };
            other.ghosts.remove(&item.key);
            side.ghosts.put(item.key, item.bytes);
            self.forget_ghosts();
        }
    }

    fn ended(&mut self, id: u32, _now: u64) {
        self.forget(id);
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        let items = &self.items;
        let is_evictable = |(id, _): &(u32, u64)| items.get(id).is_some_and(|item| item.is_evictable);
        let mut once = self.once.here.iter().filter(is_evictable).peekable();
        let mut again = self.again.here.iter().filter(is_evictable).peekable();
        let mut once_bytes = self.once.here.bytes();
        loop {
            let from_once = once_bytes as f64 > self.target || again.peek().is_none();
            let next = if from_once { once.next().or_else(|| again.next()) } else { again.next() };
            let Some((id, bytes)) = next else { return };
            match victims.offer(id) {
                Offer::Enough => return,
                Offer::Accepted if self.once.here.contains(&id) => once_bytes -= bytes,
                Offer::Accepted | Offer::Pinned => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
