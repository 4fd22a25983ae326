//! Eviction `w-tinylfu`, for images: Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", ACM
//! Transactions on Storage 13(4), 2017: W-TinyLFU, which has a window before it.
//!
//! - A *window* of the part `window` of the storage for what came last, and the *main* part for the rest; both by last use;
//! - the main part is segmented: what is used again in its *probation* goes to its *protected* list, which is to hold the part
//!   `protected` of it; what it holds more goes back to probation, the oldest first;
//! - what leaves the window goes to probation as long as there is room. If not, it is the *candidate*, and the oldest of probation
//!   (if there is none, of the protected) the *victim*: the one that was used less often goes, and of equals the candidate;
//! - how often something was used a count-min sketch tells: four rows of counters of four bits, with minimal increment. After ten additions
//!   for each image of a full storage all counters are halved.
//!
//! A use is a `Touch::Use` of an image. The arrival counts as the use of the request that fetched it, and the first `Touch::Use`, which is
//! of the same, does not. Hashes are fixed. Of containers a window and a contest of frequencies make no sense: all idle ones of a
//! function are used equally often, so surplus ones of a popular function would stay.
//!
//! What differs:
//! - No policy can refuse what comes: the paper's admission is the choice of who goes. So a new image always enters the window,
//!   and at the next eviction it is the candidate if it has left the window by then.
//! - Pages are equal in the paper. Here parts are of the bytes of the storage, and a contest is between two images whatever their
//!   sizes. Who wins stays in the window until the next arrival. The image that came last is in the window, however large it is.
//! - Which images come is not known when room is made; what is needed is taken to be for the window. The use that brings an image is
//!   counted when it has arrived, after the contest.
//! - How many images a full storage holds is not known either: it is the most that it has held so far, and the sketch widens with that. There is
//!   no doorkeeper, a filter before the sketch, which saves memory where most keys are seen once.

use std::collections::VecDeque;

use hearth_policy_api::*;
use hearth_policy_toolbox::{Medium, RecencyList};
use rustc_hash::FxHashMap;

use sketch::FrequencySketch;

mod sketch;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<WindowTinyLfu>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`WindowTinyLfu`].
    pub struct Settings {
        /// the part of the storage for images that came last
        window: number(0.0..=1.0) = 0.01;
        /// the part of the rest for images that were used again there
        protected: number(0.0..=1.0) = 0.8;
    }
}

/// The policy, its three lists and its sketch.
#[derive(Debug)]
pub struct WindowTinyLfu {
    medium: Medium,
    /// Bytes that the window, the main part and the protected list in it are to hold.
    window_bytes: u64,
    main_bytes: u64,
    protected_bytes: u64,
    window: RecencyList<u32>,
    probation: RecencyList<u32>,
    protected: RecencyList<u32>,
    sketch: FrequencySketch,
    /// The most images that were there at once.
    most: usize,
    /// Looked up, never walked.
    items: FxHashMap<u32, Item>,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    /// The image, or the function of a container.
    key: u32,
    bytes: u64,
    /// Whether the request that fetched it has used it.
    is_started: bool,
}

/// Additions to the sketch for each image until it ages.
const SAMPLE: u64 = 10;

impl Policy for WindowTinyLfu {
    const NAME: &'static str = "w-tinylfu";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the less used of the oldest of a window and of the main part; for images";
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        let medium = Medium::of(context);
        let part = |part: f64, bytes: u64| (bytes as f64 * part) as u64;
        let capacity = medium.capacity(context);
        let window_bytes = part(settings.window, capacity);
        let main_bytes = capacity.saturating_sub(window_bytes);
        Ok(Self {
            medium,
            window_bytes,
            main_bytes,
            protected_bytes: part(settings.protected, main_bytes),
            window: RecencyList::new(),
            probation: RecencyList::new(),
            protected: RecencyList::new(),
            sketch: FrequencySketch::new(),
            most: 0,
            items: FxHashMap::default(),
        })
    }
}

impl WindowTinyLfu {
    fn count(&mut self, key: u32) {
        self.sketch.add(key, SAMPLE * self.most as u64);
    }

    fn frequency(&self, id: u32) -> u64 {
        self.items.get(&id).map_or(0, |item| self.sketch.frequency(item.key))
    }

    /// Lets what the window holds beyond its part go to probation, as far as there is room: without a contest. What came last stays.
    fn leave_window(&mut self) {
        while self.window.bytes() > self.window_bytes
            && self.window.len() > 1
            && let Some((id, bytes)) = self.window.oldest()
            && self.probation.bytes() + self.protected.bytes() + bytes <= self.main_bytes
        {
            self.window.remove(&id);
            self.probation.put(id, bytes);
        }
    }

    /// Puts what was used in its place.
    fn promote(&mut self, id: u32, bytes: u64) {
        if self.window.contains(&id) {
            self.window.put(id, bytes);
            return;
        }
        self.probation.remove(&id);
        self.protected.put(id, bytes);
        while self.protected.bytes() > self.protected_bytes
            && let Some((id, bytes)) = self.protected.pop_oldest()
        {
            self.probation.put(id, bytes);
        }
    }
}

impl Eviction for WindowTinyLfu {
    fn insert(&mut self, item: &EvictionItem) {
        self.remove(item.id, Removal::Ended, item.since);
        let key = if item.function == NONE { item.id } else { item.function };
        let bytes = self.medium.bytes(item);
        self.items.insert(item.id, Item { key, bytes, is_started: false });
        self.most = self.most.max(self.items.len());
        self.sketch.widen(self.most);
        self.count(key);
        self.window.put(item.id, bytes);
        self.leave_window();
    }

    fn touch(&mut self, id: u32, touch: Touch, _now: u64) {
        if touch == Touch::Use
            && let Some(item) = self.items.get_mut(&id)
            && std::mem::replace(&mut item.is_started, true)
        {
            let Item { key, bytes, .. } = *item;
            self.count(key);
            self.promote(id, bytes);
        }
    }

    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        if self.items.remove(&id).is_some() {
            self.window.remove(&id);
            self.probation.remove(&id);
            self.protected.remove(&id);
        }
    }

    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) {
        // What would be in the lists, were it not that the host has to say what is evicted.
        let mut window = self.window.iter().peekable();
        let mut window_bytes = self.window.bytes().saturating_add(self.medium.needed(need));
        let (mut probation, mut protected) = (self.probation.iter(), self.protected.iter());
        let mut winners = VecDeque::new();
        let mut victim = None;
        loop {
            let in_main = || probation.next().or_else(|| winners.pop_front()).or_else(|| protected.next());
            victim = victim.or_else(in_main);
            let is_over = window_bytes > self.window_bytes;
            let from_window = match (window.peek(), victim) {
                (None, None) => return,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some((candidate, _)), Some((victim, _))) => {
                    is_over && self.frequency(*candidate) <= self.frequency(victim)
                }
            };
            let Some((id, bytes)) = (if from_window { window.next() } else { victim.take() }) else { return };
            match victims.offer(id) {
                Offer::Enough => return,
                Offer::Pinned => {}
                Offer::Accepted if from_window => window_bytes = window_bytes.saturating_sub(bytes),
                Offer::Accepted if is_over => {
                    if let Some((winner, bytes)) = window.next() {
                        window_bytes = window_bytes.saturating_sub(bytes);
                        winners.push_back((winner, bytes));
                    }
                }
                Offer::Accepted => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
