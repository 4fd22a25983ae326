use hearth_policy_api::testkit::{RecordingSink, item};
use proptest::prelude::*;

use super::*;

/// A policy for a disk of so many bytes, of which so many are for the window and so many for what is protected.
fn policy(capacity: u64, window: u64, protected: u64) -> WindowTinyLfu {
    let part = |part: u64, of: u64| ((part as f64 + 0.5) / of.max(1) as f64).min(1.0);
    let settings = Settings { window: part(window, capacity), protected: part(protected, capacity - window) };
    let context = PolicyContext { slot: PolicySlot::ImagesOnDisk, disk: capacity, ..PolicyContext::default() };
    let policy = WindowTinyLfu::new(settings, &context).unwrap();
    assert_eq!((policy.window_bytes, policy.protected_bytes), (window, protected.min(capacity - window)));
    policy
}

/// Evicts one and says which.
fn evict(policy: &mut WindowTinyLfu) -> u32 {
    let mut sink = RecordingSink { enough_after: 1, ..RecordingSink::default() };
    policy.choose(&Need { disk: 1, ..Need::default() }, &mut Victims::new(&mut sink));
    policy.remove(sink.accepted[0], Removal::Evicted, 0);
    sink.accepted[0]
}

/// Requests an image of one byte from a disk of so many; says what was evicted for it.
fn request(policy: &mut WindowTinyLfu, capacity: usize, image: u32) -> Option<u32> {
    let is_here = policy.items.contains_key(&image);
    let evicted = (!is_here && policy.items.len() == capacity).then(|| evict(policy));
    if !is_here {
        policy.insert(&item(image, 0, 1));
    }
    policy.touch(image, Touch::Use, 0);
    evicted
}

/// Requests all of them, and says what was evicted.
fn request_all(policy: &mut WindowTinyLfu, capacity: usize, images: &[u32]) -> Vec<u32> {
    images.iter().filter_map(|image| request(policy, capacity, *image)).collect()
}

fn ids(list: &RecencyList<u32>) -> Vec<u32> {
    list.iter().map(|(id, _)| id).collect()
}

fn lists(policy: &WindowTinyLfu) -> [Vec<u32>; 3] {
    [&policy.window, &policy.probation, &policy.protected].map(ids)
}

#[test]
fn a_worked_example() {
    let mut policy = policy(4, 1, 1);
    let evicted = |images: &[u32], policy: &mut WindowTinyLfu| request_all(policy, 4, images);
    assert!(evicted(&[0, 1, 2, 3], &mut policy).is_empty());
    assert_eq!(lists(&policy), [vec![3], vec![0, 1, 2], vec![]]);
    // Used again in the main part: protected, where there is room for one.
    assert!(evicted(&[1, 2], &mut policy).is_empty());
    assert_eq!(lists(&policy), [vec![3], vec![0, 1], vec![2]]);
    // 3 leaves the window and was used once, as 0: it loses.
    assert_eq!(evicted(&[4], &mut policy), [3]);
    // 4 was used twice when it leaves the window, and wins.
    assert_eq!(evicted(&[4, 5], &mut policy), [0]);
    assert_eq!(lists(&policy), [vec![5], vec![1, 4], vec![2]]);
    // 5 was used once and 1 twice.
    assert_eq!(evicted(&[6], &mut policy), [5]);
    // 0 was used once before and is remembered: twice is no more than 1 was.
    assert_eq!(evicted(&[0, 3], &mut policy), [6, 0]);
    assert_eq!(evicted(&[0, 3], &mut policy), [3, 1], "three times is");
    assert_eq!(lists(&policy), [vec![3], vec![4, 0], vec![2]]);
}

#[test]
fn a_contest_is_held_for_each_that_is_to_go_and_choosing_changes_nothing() {
    let mut policy = policy(10, 2, 4);
    request_all(&mut policy, 10, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3, 8, 8]);
    assert_eq!(lists(&policy), [vec![9, 8], vec![0, 1, 2, 4, 5, 6, 7], vec![3]]);
    let before = format!("{policy:?}");
    let offered = |policy: &mut WindowTinyLfu, disk: u64, pinned: &[u32]| {
        let mut sink = RecordingSink { pinned: pinned.to_vec(), ..RecordingSink::default() };
        policy.choose(&Need { disk, ..Need::default() }, &mut Victims::new(&mut sink));
        sink.offered
    };
    // 9 was used as often as 0 and loses; then the window has room for a byte.
    assert_eq!(offered(&mut policy, 1, &[]), [9, 0, 1, 2, 4, 5, 6, 7, 3, 8]);
    // Not for two: 8, used more often, wins against 0 and is the last of probation.
    assert_eq!(offered(&mut policy, 2, &[]), [9, 0, 1, 2, 4, 5, 6, 7, 8, 3]);
    assert_eq!(offered(&mut policy, 0, &[]), [0, 1, 2, 4, 5, 6, 7, 3, 9, 8], "nothing is to come");
    assert_eq!(offered(&mut policy, 1, &[9]), [9, 0, 1, 2, 4, 5, 6, 7, 8, 3], "9 stays, and the window has no room");
    assert_eq!(format!("{policy:?}"), before);
}

#[test]
fn what_is_pinned_is_passed_over_on_either_side() {
    let mut policy = policy(4, 1, 1);
    request_all(&mut policy, 4, &[0, 1, 2, 3, 3]);
    let offered = |policy: &mut WindowTinyLfu, pinned: &[u32]| {
        let mut sink = RecordingSink { pinned: pinned.to_vec(), ..RecordingSink::default() };
        policy.choose(&Need { disk: 1, ..Need::default() }, &mut Victims::new(&mut sink));
        sink.offered
    };
    assert_eq!(offered(&mut policy, &[0]), [0, 1, 2, 3], "3 wins against 1");
    assert_eq!(offered(&mut policy, &[0, 1, 2]), [0, 1, 2, 3], "and against nobody");
    let mut policy = super::tests::policy(4, 1, 1);
    request_all(&mut policy, 4, &[0, 1, 2, 3]);
    assert_eq!(offered(&mut policy, &[3]), [3, 0, 1, 2]);
}

#[test]
fn the_last_image_is_in_the_window_however_large_it_is() {
    let mut policy = policy(100, 1, 79);
    [0, 1, 2].into_iter().for_each(|id| policy.insert(&item(id, 0, 30)));
    assert_eq!(lists(&policy), [vec![2], vec![0, 1], vec![]]);
    (0..3).for_each(|_| policy.touch(2, Touch::Load, 0));
    assert_eq!(evict(&mut policy), 2, "it was used as often as 0: being loaded does not count");
    policy.insert(&item(3, 0, 10));
    (0..2).for_each(|_| policy.touch(3, Touch::Use, 0));
    assert_eq!(evict(&mut policy), 0);
}

/// W-TinyLFU on equal pages, as the paper describes it, in vectors of which the first is the least recently used, with exact counts in place
/// of the sketch. The page that comes is counted after the contest, as the comment of the crate says.
struct Paper {
    capacity: usize,
    window_size: usize,
    protected_size: usize,
    window: Vec<u32>,
    probation: Vec<u32>,
    protected: Vec<u32>,
    counts: [u64; 24],
    added: usize,
    most: usize,
}

impl Paper {
    fn add(&mut self, page: u32) {
        self.most = self.most.max(self.window.len() + self.probation.len() + self.protected.len());
        self.counts[page as usize] = (self.counts[page as usize] + 1).min(15);
        self.added += 1;
        if self.added == 10 * self.most {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.added /= 2;
        }
    }

    fn request(&mut self, page: u32) -> Option<u32> {
        if let Some(place) = self.window.iter().position(|other| *other == page) {
            self.window.remove(place);
            self.window.push(page);
            self.add(page);
            return None;
        }
        if let Some(place) = self.protected.iter().position(|other| *other == page) {
            self.protected.remove(place);
            self.protected.push(page);
            self.add(page);
            return None;
        }
        if let Some(place) = self.probation.iter().position(|other| *other == page) {
            self.probation.remove(place);
            self.protected.push(page);
            if self.protected.len() > self.protected_size {
                let demoted = self.protected.remove(0);
                self.probation.push(demoted);
            }
            self.add(page);
            return None;
        }
        let mut evicted = None;
        self.window.push(page);
        if self.window.len() > self.window_size {
            let candidate = self.window.remove(0);
            let main = self.probation.len() + self.protected.len();
            if main < self.capacity - self.window_size {
                self.probation.push(candidate);
            } else {
                let segment = if self.probation.is_empty() { &mut self.protected } else { &mut self.probation };
                match segment.first().copied() {
                    Some(victim) if self.counts[candidate as usize] > self.counts[victim as usize] => {
                        segment.remove(0);
                        self.probation.push(candidate);
                        evicted = Some(victim);
                    }
                    _ => evicted = Some(candidate),
                }
            }
        }
        self.add(page);
        evicted
    }
}

proptest! {
    /// On equal pages, with counters that nobody shares, the policy does what the paper says.
    #[test]
    fn it_is_the_paper_on_equal_pages(
        window_size in 1..5_usize,
        main_size in 0..10_usize,
        protected_size in 0..10_usize,
        pages in proptest::collection::vec(prop_oneof![1 => 0..4_u32, 2 => 0..12_u32, 1 => 0..24_u32], 0..400),
    ) {
        let (capacity, protected_size) = (window_size + main_size, protected_size.min(main_size));
        let mut policy = policy(capacity as u64, window_size as u64, protected_size as u64);
        let (window, probation, protected) = (Vec::new(), Vec::new(), Vec::new());
        let mut paper =
            Paper { capacity, window_size, protected_size, window, probation, protected, counts: [0; 24], added: 0, most: 0 };
        for page in pages {
            prop_assert_eq!(request(&mut policy, capacity, page), paper.request(page));
            let expected = [&paper.window, &paper.probation, &paper.protected].map(Clone::clone);
            prop_assert_eq!(lists(&policy), expected);
            for other in 0..24 {
                prop_assert_eq!(policy.sketch.frequency(other), paper.counts[other as usize]);
            }
        }
    }

    /// Whatever the sizes are and whatever is pinned, all is offered, each once, and the parts hold what they are to hold.
    #[test]
    fn all_images_of_any_size_are_offered(
        sizes in proptest::collection::vec(0..40_u64, 24),
        pages in proptest::collection::vec((0..24_u32, 0..24_u32, 0..80_u64), 0..200),
    ) {
        let (mut policy, mut most) = (policy(100, 15, 50), 0);
        let held = |policy: &WindowTinyLfu| policy.window.bytes() + policy.probation.bytes() + policy.protected.bytes();
        for (page, pinned, need) in pages {
            let size = sizes[page as usize];
            while !policy.items.contains_key(&page) && held(&policy) + size > 100 {
                let before = format!("{policy:?}");
                let mut sink = RecordingSink { pinned: vec![pinned], ..RecordingSink::default() };
                policy.choose(&Need { disk: need, ..Need::default() }, &mut Victims::new(&mut sink));
                prop_assert_eq!(format!("{policy:?}"), before);
                sink.offered.sort_unstable();
                let mut all = lists(&policy).concat();
                all.sort_unstable();
                prop_assert_eq!(sink.offered, all);
                evict(&mut policy);
            }
            if !policy.items.contains_key(&page) {
                policy.insert(&item(page, 0, size));
                let main = policy.probation.bytes() + policy.protected.bytes();
                let has_room = policy.window.oldest().is_some_and(|(_, bytes)| main + bytes <= 85);
                prop_assert!(policy.window.bytes() <= 15 || policy.window.len() == 1 || !has_room);
            }
            policy.touch(page, Touch::Use, 0);
            prop_assert_eq!(lists(&policy).concat().len(), policy.items.len());
            prop_assert!(policy.protected.bytes() <= 50 && policy.probation.bytes() + policy.protected.bytes() <= 85);
            most = policy.items.len().max(most);
            prop_assert_eq!(policy.most, most);
        }
    }
}
