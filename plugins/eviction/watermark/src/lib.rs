//! Eviction `watermark`, for images: where room is needed, the least recently used go until no more than the part `low` of the
//! storage is held by images, so that it is not asked again soon.
//!
//! It is the image garbage collection of Kubernetes' kubelet (`imageGCLowThresholdPercent`, 80 by default). What differs: the
//! kubelet looks every five minutes whether more than `imageGCHighThresholdPercent` is in use, and here it is looked at when
//! room is needed; images that are younger than `imageMinimumGCAge` go too, since they are all that could make room. Uses are
//! containers that are started or reused, as with `lru`.

use hearth_policy_api::*;
use hearth_policy_toolbox::PriorityIndex;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Watermark>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Watermark`].
    pub struct Settings {
        /// the part of the storage that images may hold after an eviction
        low: number(0.0..=1.0) = 0.8;
    }
}

/// The policy and its items by their last use.
#[derive(Debug)]
pub struct Watermark {
    /// What items may hold after an eviction, in bytes of RAM and of disk.
    low: [u64; 2],
    held: [u64; 2],
    uses: u64,
    by_use: PriorityIndex<u64>,
    /// What each item holds. Looked up, never walked.
    sizes: rustc_hash::FxHashMap<u32, [u64; 2]>,
}

impl Policy for Watermark {
    const NAME: &'static str = "watermark";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the least recently used first, down to a part of the storage; for images";
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        let low = [context.ram, context.disk].map(|bytes| (bytes as f64 * settings.low) as u64);
        let sizes = rustc_hash::FxHashMap::default();
        Ok(Self { low, held: [0; 2], uses: 0, by_use: PriorityIndex::new(), sizes })
    }
}

impl Watermark {
    fn use_now(&mut self, id: u32) {
        self.uses += 1;
        self.by_use.set(id, self.uses);
    }
}

impl Eviction for Watermark {
    fn insert(&mut self, item: &EvictionItem) {
        self.remove(item.id, Removal::Ended, item.since);
        let size = [item.ram, item.disk];
        self.sizes.insert(item.id, size);
        self.held = [0, 1].map(|of| self.held[of] + size[of]);
        self.use_now(item.id);
    }

    fn touch(&mut self, id: u32, _touch: Touch, _now: u64) {
        if self.by_use.get(id).is_some() {
            self.use_now(id);
        }
    }

    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        self.by_use.remove(id);
        if let Some(size) = self.sizes.remove(&id) {
            self.held = [0, 1].map(|of| self.held[of] - size[of]);
        }
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        let (mut held, mut has_enough) = (self.held, false);
        for id in self.by_use.iter() {
            let goes = if has_enough {
                if held[0] <= self.low[0] && held[1] <= self.low[1] {
                    return;
                }
                victims.also(id)
            } else {
                let offer = victims.offer(id);
                has_enough = offer == Offer::Enough;
                offer != Offer::Pinned
            };
            if let (true, Some(size)) = (goes, self.sizes.get(&id)) {
                held = [0, 1].map(|of| held[of] - size[of]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::boundary::VictimSink;
    use hearth_policy_api::testkit::{self, item};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    /// Needs the first that is not pinned.
    struct One {
        pinned: u32,
        gone: Vec<u32>,
    }

    impl VictimSink for One {
        fn offer(&mut self, id: u32) -> Offer {
            if id == self.pinned {
                return Offer::Pinned;
            }
            self.gone.push(id);
            Offer::Enough
        }

        fn also(&mut self, id: u32) -> bool {
            let goes = id != self.pinned;
            self.gone.extend(goes.then_some(id));
            goes
        }
    }

    #[test]
    fn images_go_down_to_the_mark_and_those_in_use_stay() {
        let context = PolicyContext { disk: 100, ..PolicyContext::default() };
        let gone = |low: f64, pinned: u32| {
            let mut policy = Watermark::new(Settings { low }, &context).unwrap();
            (0..5).for_each(|id| policy.insert(&item(id, 0, 20)));
            policy.touch(0, Touch::Use, 0);
            let mut sink = One { pinned, gone: Vec::new() };
            policy.choose(&Need { disk: 1, ..Need::default() }, &mut Victims::new(&mut sink));
            sink.gone
        };
        assert_eq!(gone(1.0, 9), [1], "what is needed goes, and no more");
        assert_eq!(gone(0.8, 9), [1], "and 80 of 100 bytes are left");
        assert_eq!(gone(0.5, 9), [1, 2, 3], "0 was used again");
        assert_eq!(gone(0.5, 2), [1, 3, 4]);
        assert_eq!(gone(0.0, 3), [1, 2, 4, 0]);
    }
}
