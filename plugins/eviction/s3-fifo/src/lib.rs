//! Eviction `s3-fifo`, for images: Yang, Zhang, Qiu, Yue and Rashmi, "FIFO Queues are All You Need for Cache Eviction",
//! SOSP 2023.
//!
//! - Two queues: a *small* one that is to hold `small` of the bytes (the paper's 10 %), and the *main* one; and a *ghost*
//!   list of as many images as the main queue holds, which are not there any more;
//! - each image has a counter from 0 to 3, one more with each use;
//! - a new image enters the small queue, or the main one if it is in the ghost list;
//! - while the small queue holds more than its part (or the main one is empty), its oldest leaves: into the main queue with
//!   a counter of 0 if its counter is above 1, else it goes and is remembered in the ghost list;
//! - otherwise the oldest of the main queue: with a counter above 0 it goes to the back with one less, else it goes.
//!
//! What differs: parts are of the bytes that images hold now, since a policy is not told the storage's size; a container of
//! an image is nearly always started right after the image has arrived, for the request that fetched it, and that first
//! use is not counted, as the paper's insertion is not.

use std::collections::{HashMap, VecDeque};

use hearth_policy_api::*;
use rustc_hash::FxBuildHasher;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<S3Fifo>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`S3Fifo`].
    pub struct Settings {
        /// the part of the bytes that new images are to have
        small: number(0.0..=1.0) = 0.1;
    }
}

/// The policy, its two queues and its ghosts.
#[derive(Debug)]
pub struct S3Fifo {
    /// The part of the bytes that the small queue is to hold.
    small_part: f64,
    small: Queue,
    main: Queue,
    ghosts: VecDeque<u32>,
    /// Looked up, never walked.
    items: HashMap<u32, Item, FxBuildHasher>,
}

/// Images in the order of arrival.
#[derive(Debug, Default)]
struct Queue {
    ids: VecDeque<u32>,
    bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    bytes: u64,
    /// Whether the request that fetched it has used it.
    is_started: bool,
    counter: u8,
}

const MAX_COUNTER: u8 = 3;

impl Queue {
    fn push(&mut self, id: u32, bytes: u64) {
        self.ids.push_back(id);
        self.bytes += bytes;
    }

    /// Whether it was there.
    fn remove(&mut self, id: u32, bytes: u64) -> bool {
        let place = self.ids.iter().position(|other| *other == id);
        if let Some(place) = place {
            self.ids.remove(place);
            self.bytes -= bytes;
        }
        place.is_some()
    }
}

impl Policy for S3Fifo {
    const NAME: &'static str = "s3-fifo";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "what is not used again soon after it came first; for images";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        let (small, main) = (Queue::default(), Queue::default());
        let (ghosts, items) = (VecDeque::new(), HashMap::default());
        Ok(Self { small_part: settings.small, small, main, ghosts, items })
    }
}

impl S3Fifo {
    fn bytes(&self, id: u32) -> u64 {
        self.items.get(&id).map_or(0, |item| item.bytes)
    }

    /// Lets the next image leave its queue to which nobody grants another turn: from the small queue or the main one.
    fn next_out(&mut self) -> Option<(u32, IsSmall)> {
        loop {
            let all = (self.small.bytes + self.main.bytes) as f64;
            let is_small_full = self.small.bytes as f64 > self.small_part * all || self.main.ids.is_empty();
            let from_small = is_small_full && !self.small.ids.is_empty();
            let queue = if from_small { &mut self.small } else { &mut self.main };
            let id = queue.ids.pop_front()?;
            let Some(item) = self.items.get_mut(&id) else { continue };
            queue.bytes -= item.bytes;
            if from_small && item.counter > 1 {
                item.counter = 0;
                self.main.push(id, item.bytes);
            } else if !from_small && item.counter > 0 {
                item.counter -= 1;
                self.main.push(id, item.bytes);
            } else {
                return Some((id, from_small));
            }
        }
    }
}

/// Whether an image left the small queue.
type IsSmall = bool;

impl Eviction for S3Fifo {
    fn insert(&mut self, item: &EvictionItem) {
        self.remove(item.id, Removal::Ended, 0);
        let bytes = if item.disk > 0 { item.disk } else { item.ram };
        self.items.insert(item.id, Item { bytes, is_started: false, counter: 0 });
        match self.ghosts.iter().position(|ghost| *ghost == item.id) {
            Some(place) => {
                self.ghosts.remove(place);
                self.main.push(item.id, bytes);
            }
            None => self.small.push(item.id, bytes),
        }
    }

    fn touch(&mut self, id: u32, touch: Touch, _now: u64) {
        if touch == Touch::Use
            && let Some(item) = self.items.get_mut(&id)
        {
            if item.is_started {
                item.counter = (item.counter + 1).min(MAX_COUNTER);
            }
            item.is_started = true;
        }
    }

    fn remove(&mut self, id: u32, removal: Removal, _now: u64) {
        let bytes = self.bytes(id);
        if self.items.remove(&id).is_none() {
            return;
        }
        if self.small.remove(id, bytes) {
            if removal == Removal::Evicted {
                self.ghosts.push_back(id);
            }
        } else {
            self.main.remove(id, bytes);
        }
        while self.ghosts.len() > self.main.ids.len().max(1) {
            self.ghosts.pop_front();
        }
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        // What left comes back to the front of its queue: the host says of each whether it is evicted.
        let mut left = Vec::new();
        while let Some((id, is_small)) = self.next_out() {
            left.push((id, is_small));
            if victims.offer(id) == Offer::Enough {
                break;
            }
        }
        for (id, is_small) in left.into_iter().rev() {
            let bytes = self.bytes(id);
            let queue = if is_small { &mut self.small } else { &mut self.main };
            queue.ids.push_front(id);
            queue.bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, RecordingSink, item};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    fn policy() -> S3Fifo {
        S3Fifo::new(Settings::default(), &PolicyContext::default()).unwrap()
    }

    /// An image comes and is used so often after that.
    fn insert(policy: &mut S3Fifo, id: u32, uses: u32) {
        policy.insert(&item(id, 0, 10));
        (0..=uses).for_each(|_| policy.touch(id, Touch::Use, 0));
    }

    /// Evicts one and says which.
    fn evict(policy: &mut S3Fifo) -> u32 {
        let mut sink = RecordingSink { enough_after: 1, ..RecordingSink::default() };
        policy.choose(&Need { now: 0, ram: 0, disk: 1, ..Need::default() }, &mut Victims::new(&mut sink));
        policy.remove(sink.accepted[0], Removal::Evicted, 0);
        sink.accepted[0]
    }

    #[test]
    fn a_worked_example() {
        let mut policy = policy();
        for (id, uses) in [(0, 2), (1, 0), (2, 1), (3, 0)] {
            insert(&mut policy, id, uses);
        }
        // 0 was used more than once and moves to the main queue; 1 was not.
        assert_eq!(evict(&mut policy), 1);
        assert_eq!((policy.main.ids.as_slices().0, policy.small.ids.len()), (&[0][..], 2));
        // 1 comes back from the ghosts into the main queue.
        insert(&mut policy, 1, 0);
        assert_eq!(policy.main.ids, [0, 1]);
        assert_eq!(evict(&mut policy), 2, "one use is not enough");
        assert_eq!(evict(&mut policy), 3);
        // The small queue is empty: now the main one, where 1 has a use to spend.
        policy.touch(0, Touch::Use, 0);
        assert_eq!(evict(&mut policy), 1);
        assert_eq!(evict(&mut policy), 0);
    }

    #[test]
    fn what_is_pinned_stays_where_it_is() {
        let mut policy = policy();
        (0..3).for_each(|id| insert(&mut policy, id, 0));
        let mut sink = RecordingSink { pinned: vec![0, 1], enough_after: 1, ..RecordingSink::default() };
        policy.choose(&Need { now: 0, ram: 0, disk: 1, ..Need::default() }, &mut Victims::new(&mut sink));
        assert_eq!(sink.accepted, [2]);
        policy.remove(2, Removal::Evicted, 0);
        assert_eq!((policy.small.ids.as_slices().0, policy.small.bytes), (&[0, 1][..], 20));
    }
}
