//! A disk or a RAM with images, reservations of containers, and eviction of images (the timing model, section 4).

use hearth_policy_api::{Eviction, EvictionItem, NONE, Need, Removal, Touch};
use rustc_hash::FxHashMap;

use super::victims::{Candidate, VictimList};
use crate::function::ImageId;
use crate::policy::PolicyFault;

/// Which resource of a node a storage stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Medium {
    Ram,
    Disk,
}

#[derive(Debug)]
struct StoredImage {
    bytes: u64,
    /// Containers and transfers that need it here now.
    pins: u32,
    /// Whether it is complete; one that is still arriving is never evicted.
    complete: bool,
}

/// Space for images and reservations. Images that nothing pins may be evicted when room is needed.
#[derive(Debug)]
pub(crate) struct Storage {
    medium: Medium,
    capacity: u64,
    used: u64,
    /// Looked up by image, never walked.
    images: FxHashMap<ImageId, StoredImage>,
    unpinned_bytes: u64,
    eviction: Box<dyn Eviction>,
}

impl Storage {
    pub fn new(medium: Medium, capacity: u64, eviction: Box<dyn Eviction>) -> Self {
        Self {
            medium,
            capacity,
            used: 0,
            images: FxHashMap::default(),
            unpinned_bytes: 0,
            eviction,
        }
    }

    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    pub fn free(&self) -> u64 {
        self.capacity - self.used
    }

    /// Bytes of all images, also of those that are arriving.
    #[cfg(test)]
    pub fn image_bytes(&self) -> u64 {
        self.images.values().map(|stored| stored.bytes).sum()
    }

    /// Bytes of images that could be evicted.
    pub fn unpinned_bytes(&self) -> u64 {
        self.unpinned_bytes
    }

    /// Makes `bytes` of room by evicting images, and says which; or evicts nothing and gives `None` when that cannot
    /// be done.
    pub fn make_room(&mut self, bytes: u64, now: u64) -> Result<Option<Vec<ImageId>>, PolicyFault> {
        let short = bytes.saturating_sub(self.free());
        if short == 0 {
            return Ok(Some(Vec::new()));
        }
        if short > self.unpinned_bytes {
            return Ok(None);
        }
        let need = match self.medium {
            Medium::Ram => Need {
                now,
                ram: short,
                disk: 0,
            },
            Medium::Disk => Need {
                now,
                ram: 0,
                disk: short,
            },
        };
        let (images, medium) = (&self.images, self.medium);
        let mut victims = VictimList::new(&need, |id| match images.get(&ImageId(id)) {
            None => Candidate::Unknown,
            Some(stored) if stored.pins > 0 || !stored.complete => Candidate::Pinned,
            Some(stored) if medium == Medium::Ram => Candidate::Evictable {
                ram: stored.bytes,
                disk: 0,
            },
            Some(stored) => Candidate::Evictable {
                ram: 0,
                disk: stored.bytes,
            },
        });
        self.eviction.choose(&need, &mut victims);
        let chosen = victims.into_chosen()?;
        let evicted: Option<Vec<ImageId>> = chosen.map(|ids| ids.into_iter().map(ImageId).collect());
        for image in evicted.iter().flatten() {
            self.remove(*image, Removal::Evicted);
        }
        Ok(evicted)
    }

    /// Takes `bytes` for a container. The caller has made room.
    pub fn reserve(&mut self, bytes: u64) {
        self.used += bytes;
        debug_assert!(
            self.used <= self.capacity,
            "{:?}: {} of {} bytes",
            self.medium,
            self.used,
            self.capacity
        );
    }

    /// Gives back what [`Storage::reserve`] took.
    pub fn release(&mut self, bytes: u64) {
        self.used -= bytes;
    }

    /// Takes the room of an image that begins to arrive.
    pub fn begin(&mut self, image: ImageId, bytes: u64) {
        self.reserve(bytes);
        self.images.insert(
            image,
            StoredImage {
                bytes,
                pins: 0,
                complete: false,
            },
        );
    }

    /// The image has arrived and may be evicted from now on.
    pub fn complete(&mut self, image: ImageId) {
        let Some(stored) = self.images.get_mut(&image) else {
            return;
        };
        stored.complete = true;
        self.unpinned_bytes += stored.bytes;
        let (ram, disk) = match self.medium {
            Medium::Ram => (stored.bytes, 0),
            Medium::Disk => (0, stored.bytes),
        };
        self.eviction.insert(&EvictionItem {
            id: image.0,
            function: NONE,
            ram,
            disk,
            cost: 0,
        });
    }

    /// Keeps an image from eviction until it is unpinned as often.
    pub fn pin(&mut self, image: ImageId) {
        if let Some(stored) = self.images.get_mut(&image) {
            if stored.pins == 0 {
                self.unpinned_bytes -= stored.bytes;
            }
            stored.pins += 1;
        }
    }

    pub fn unpin(&mut self, image: ImageId) {
        if let Some(stored) = self.images.get_mut(&image) {
            stored.pins -= 1;
            if stored.pins == 0 {
                self.unpinned_bytes += stored.bytes;
            }
        }
    }

    pub fn touch(&mut self, image: ImageId, touch: Touch) {
        if self.images.contains_key(&image) {
            self.eviction.touch(image.0, touch);
        }
    }

    /// Drops an image that nothing pins; false if it is not here.
    pub fn drop_image(&mut self, image: ImageId) -> bool {
        self.remove(image, Removal::Ended)
    }

    fn remove(&mut self, image: ImageId, removal: Removal) -> bool {
        let Some(stored) = self.images.remove(&image) else {
            return false;
        };
        self.used -= stored.bytes;
        self.unpinned_bytes -= stored.bytes;
        self.eviction.remove(image.0, removal);
        true
    }
}
