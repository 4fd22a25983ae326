//! A disk or a RAM with images, reservations of containers, and eviction of images (the timing model, section 4).

use hearth_policy_api::boundary::EvictionObject;
use hearth_policy_api::{EvictionItem, NONE, Need, Removal, Touch};
use hearth_simcore::time::SimTime;
use rustc_hash::FxHashMap;

use super::victims::{Candidate, VictimList};
use crate::function::ImageId;
use crate::policy::{Hosted, Method, Mistake};

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
pub(crate) struct ImageStorage {
    medium: Medium,
    capacity: u64,
    used: u64,
    /// Looked up by image, never walked.
    images: FxHashMap<ImageId, StoredImage>,
    unpinned_bytes: u64,
    eviction: Hosted<EvictionObject>,
}

impl ImageStorage {
    pub fn new(medium: Medium, capacity: u64, eviction: Hosted<EvictionObject>) -> Self {
        Self { medium, capacity, used: 0, images: FxHashMap::default(), unpinned_bytes: 0, eviction }
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
    pub fn make_room(&mut self, bytes: u64, now: u64) -> Result<Option<Vec<ImageId>>, Mistake> {
        let short = bytes.saturating_sub(self.free());
        if short == 0 {
            return Ok(Some(Vec::new()));
        }
        if short > self.unpinned_bytes {
            return Ok(None);
        }
        let need = match self.medium {
            Medium::Ram => Need { now, ram: short, disk: 0, ..Need::default() },
            Medium::Disk => Need { now, ram: 0, disk: short, ..Need::default() },
        };
        let (images, medium) = (&self.images, self.medium);
        let mut chosen = Vec::new();
        let mut victims = VictimList::new(&need, &mut chosen, |id| match images.get(&ImageId(id)) {
            None => Candidate::Unknown,
            Some(stored) if stored.pins > 0 || !stored.complete => Candidate::Pinned,
            Some(stored) if medium == Medium::Ram => Candidate::Evictable { ram: stored.bytes, disk: 0 },
            Some(stored) => Candidate::Evictable { ram: 0, disk: stored.bytes },
        });
        self.eviction.choose(&need, &mut victims)?;
        victims.finish().map_err(|cause| self.eviction.mistake(Method::Choose, cause))?;
        let evicted: Vec<ImageId> = chosen.into_iter().map(ImageId).collect();
        evicted.iter().for_each(|image| {
            self.remove(*image, Removal::Evicted);
        });
        Ok(Some(evicted))
    }

    /// Takes `bytes` for a container. The caller has made room.
    pub fn reserve(&mut self, bytes: u64) {
        self.used += bytes;
        debug_assert!(self.used <= self.capacity, "{:?}: {} of {} bytes", self.medium, self.used, self.capacity);
    }

    /// Gives back what [`ImageStorage::reserve`] took.
    pub fn release(&mut self, bytes: u64) {
        self.used -= bytes;
    }

    /// Takes the room of an image that begins to arrive.
    pub fn begin(&mut self, image: ImageId, bytes: u64) {
        self.reserve(bytes);
        self.images.insert(image, StoredImage { bytes, pins: 0, complete: false });
    }

    /// The image has arrived and may be evicted from this date on.
    pub fn complete(&mut self, image: ImageId, since: SimTime) {
        let Some(stored) = self.images.get_mut(&image) else {
            return;
        };
        stored.complete = true;
        let bytes = stored.bytes;
        self.unpinned_bytes += bytes;
        self.tell_of(image, bytes, since);
    }

    /// An image that was arriving will not.
    pub fn abort(&mut self, image: ImageId) {
        if let Some(stored) = self.images.remove(&image) {
            self.used -= stored.bytes;
        }
    }

    /// Whether an image is here and could be evicted.
    pub fn holds_unused(&self, image: ImageId) -> bool {
        self.images.get(&image).is_some_and(|stored| stored.pins == 0 && stored.complete)
    }

    /// Drops an image unless something needs it; false if it stays or is not here.
    pub fn drop_unpinned(&mut self, image: ImageId) -> bool {
        let is_free = self.images.get(&image).is_some_and(|stored| stored.pins == 0 && stored.complete);
        is_free && self.remove(image, Removal::Ended)
    }

    /// Has another policy decide what goes. It is told of the images that are here, by number: when each came is not known any more.
    pub fn replace_eviction(&mut self, eviction: Hosted<EvictionObject>, now: SimTime) {
        self.eviction = eviction;
        let complete = self.images.iter().filter(|(_, stored)| stored.complete);
        let mut here: Vec<(ImageId, u64)> = complete.map(|(image, stored)| (*image, stored.bytes)).collect();
        here.sort_unstable_by_key(|(image, _)| image.0);
        here.into_iter().for_each(|(image, bytes)| self.tell_of(image, bytes, now));
    }

    fn tell_of(&mut self, image: ImageId, bytes: u64, since: SimTime) {
        let (ram, disk) = match self.medium {
            Medium::Ram => (bytes, 0),
            Medium::Disk => (0, bytes),
        };
        let (id, since) = (image.0, since.as_nanos());
        self.eviction.insert(&EvictionItem {
            id,
            function: NONE,
            ram,
            disk,
            cost: 0,
            since,
            expires: u64::MAX,
            ..EvictionItem::default()
        });
    }

    /// A timer of the policy has gone off.
    pub fn on_timer(&mut self, timer: u64, now: SimTime) {
        self.eviction.on_timer(timer, now.as_nanos());
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

#[cfg(test)]
mod tests {
    use hearth_eviction_lru::Lru;
    use hearth_policy_api::boundary::Seat;
    use hearth_policy_api::{Eviction, Offer, Victims, boundary};

    use super::*;
    use crate::policy::{PolicySlot, Watch};

    fn hosted(policy: impl Eviction + 'static) -> Hosted<EvictionObject> {
        Hosted::new(boundary::eviction(policy, &Seat::default()), PolicySlot::ImagesOnDisk, Watch::new())
    }

    /// A disk of 100 bytes with images 0, 1 and 2 of 30 bytes each, loaded in this order.
    fn disk() -> ImageStorage {
        let mut disk = ImageStorage::new(Medium::Disk, 100, hosted(Lru::new(true)));
        for image in [0, 1, 2].map(ImageId) {
            disk.begin(image, 30);
            disk.complete(image, SimTime::ZERO);
        }
        disk
    }

    fn images(numbers: &[u32]) -> Option<Vec<ImageId>> {
        Some(numbers.iter().copied().map(ImageId).collect())
    }

    #[test]
    fn as_many_images_go_as_the_need_takes_and_no_more() {
        let mut disk = disk();
        assert_eq!(disk.make_room(10, 0), Ok(images(&[])));
        assert_eq!(disk.make_room(11, 0), Ok(images(&[0])));
        assert_eq!(disk.make_room(100, 0), Ok(images(&[1, 2])));
        assert_eq!((disk.free(), disk.unpinned_bytes()), (100, 0));
    }

    #[test]
    fn pinned_and_arriving_images_stay_and_nothing_goes_in_vain() {
        let mut disk = disk();
        disk.pin(ImageId(0));
        disk.begin(ImageId(3), 10);
        assert_eq!(disk.make_room(61, 0), Ok(None));
        assert_eq!(disk.free(), 0);
        assert_eq!(disk.make_room(30, 0), Ok(images(&[1])));
        disk.unpin(ImageId(0));
        assert_eq!(disk.make_room(90, 0), Ok(images(&[0, 2])));
        assert_eq!(disk.make_room(91, 0), Ok(None), "image 3 is still arriving");
    }

    #[test]
    fn reservations_are_never_evicted() {
        let mut disk = disk();
        assert_eq!(disk.make_room(40, 0), Ok(images(&[0])));
        disk.reserve(40);
        assert_eq!(disk.make_room(61, 0), Ok(None));
        disk.release(40);
        assert_eq!(disk.make_room(61, 0), Ok(images(&[1])));
    }

    /// Offers an image that is not there, and the first one twice.
    #[derive(Debug)]
    struct Confused {
        offers: Vec<u32>,
    }

    impl Eviction for Confused {
        fn insert(&mut self, _item: &EvictionItem) {}
        fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}
        fn remove(&mut self, _id: u32, _removal: Removal, _now: u64) {}
        fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
            for id in &self.offers {
                victims.offer(*id);
            }
        }
    }

    #[test]
    fn victims_that_are_not_there_or_offered_twice_or_too_few_are_mistakes() {
        let storage = |offers: &[u32]| {
            let mut disk = ImageStorage::new(Medium::Disk, 60, hosted(Confused { offers: offers.to_vec() }));
            for image in [0, 1].map(ImageId) {
                disk.begin(image, 30);
                disk.complete(image, SimTime::ZERO);
            }
            disk
        };
        let mistake = storage(&[0, 7, 1]).make_room(60, 0).unwrap_err().into_inner();
        assert_eq!(
            (mistake.method, mistake.cause.as_str()),
            ("choose", "offered 7 as a victim, which is not there to be evicted")
        );
        let cause = |offers: &[u32]| storage(offers).make_room(60, 0).unwrap_err().into_inner().cause;
        assert_eq!(cause(&[0, 0, 1]), "offered 0 as a victim twice");
        let too_few = "offered too few victims: 0 B of RAM and 30 B of disk are still to be freed, and there are others to free \
                       them";
        assert_eq!(cause(&[0]), too_few);
        assert_eq!(storage(&[0, 1]).make_room(60, 0), Ok(images(&[0, 1])));
    }

    /// Evicts the others, too.
    struct AndTheRest;

    impl Eviction for AndTheRest {
        fn insert(&mut self, _item: &EvictionItem) {}
        fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}
        fn remove(&mut self, _id: u32, _removal: Removal, _now: u64) {}
        fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
            assert_eq!(victims.offer(0), Offer::Enough);
            assert_eq!([1, 2].map(|id| victims.also(id)), [false, true]);
        }
    }

    #[test]
    fn more_goes_than_was_asked_for_but_nothing_that_is_needed() {
        let mut disk = ImageStorage::new(Medium::Disk, 90, hosted(AndTheRest));
        for image in [0, 1, 2].map(ImageId) {
            disk.begin(image, 30);
            disk.complete(image, SimTime::ZERO);
        }
        disk.pin(ImageId(1));
        assert_eq!(disk.make_room(10, 0), Ok(images(&[0, 2])));
        assert_eq!((disk.free(), disk.unpinned_bytes()), (60, 0));
    }
}
