use hearth_policy_api::testkit::{RecordingSink, item, offered_by};
use proptest::prelude::*;

use super::*;

fn policy(slot: PolicySlot, capacity: u64) -> AdaptiveReplacement {
    let context = PolicyContext { slot, ram: capacity, disk: capacity, ..PolicyContext::default() };
    AdaptiveReplacement::new((), &context).unwrap()
}

/// What a policy offers first, if there is anything, and hears of as evicted.
fn evict(policy: &mut impl Eviction) -> u32 {
    let mut sink = RecordingSink { enough_after: 1, ..RecordingSink::default() };
    policy.choose(&Need { ram: 1, disk: 1, ..Need::default() }, &mut Victims::new(&mut sink));
    policy.remove(sink.accepted[0], Removal::Evicted, 0);
    sink.accepted[0]
}

/// A full storage of pages of one byte, by whom they are.
trait Pages {
    fn request(&mut self, page: u32) -> IsHit;
}

type IsHit = bool;

/// Images on a disk.
struct Images(AdaptiveReplacement);

impl Pages for Images {
    fn request(&mut self, page: u32) -> IsHit {
        let Self(policy) = self;
        let is_hit = policy.items.contains_key(&page);
        if !is_hit {
            if policy.items.len() as u64 == policy.capacity {
                evict(policy);
            }
            policy.insert(&item(page, 0, 1));
        }
        policy.touch(page, Touch::Use, 0);
        is_hit
    }
}

/// Containers, a function each, that have the lowest number that is free.
struct Containers {
    policy: AdaptiveReplacement,
    functions: Vec<Option<u32>>,
}

impl Containers {
    fn new(capacity: u64) -> Self {
        Self { policy: policy(PolicySlot::Containers, capacity), functions: vec![None; capacity as usize] }
    }
}

impl Pages for Containers {
    fn request(&mut self, page: u32) -> IsHit {
        let found = self.functions.iter().position(|function| *function == Some(page));
        let container = |id: usize| EvictionItem { function: page, ..item(id as u32, 1, 0) };
        let id = found.unwrap_or_else(|| {
            let free = self.functions.iter().position(|function| function.is_none());
            let id = free.unwrap_or_else(|| evict(&mut self.policy) as usize);
            self.functions[id] = Some(page);
            id
        });
        match found {
            Some(_) => self.policy.remove(id as u32, Removal::Taken, 0),
            None => self.policy.created(&container(id), Creation::Invocation),
        }
        self.policy.insert(&container(id));
        found.is_some()
    }
}

/// The paper's figure 4, line by line, over pages in vectors of which the first is the least recently used. Two lines are
/// other, as the comment of the crate says: REPLACE is before the adaptation in cases II and III, and asks whether `T2` is empty instead of
/// whether the page is in `B2`.
#[derive(Debug, Default)]
struct Paper {
    c: usize,
    p: f64,
    t1: Vec<u32>,
    t2: Vec<u32>,
    b1: Vec<u32>,
    b2: Vec<u32>,
}

impl Paper {
    fn replace(&mut self) {
        if !self.t1.is_empty() && (self.t1.len() as f64 > self.p || self.t2.is_empty()) {
            let lru = self.t1.remove(0);
            self.b1.push(lru);
        } else {
            let lru = self.t2.remove(0);
            self.b2.push(lru);
        }
    }

    fn request(&mut self, x: u32) -> IsHit {
        let c = self.c;
        if self.t1.contains(&x) || self.t2.contains(&x) {
            self.t1.retain(|page| *page != x);
            self.t2.retain(|page| *page != x);
            self.t2.push(x);
            return true;
        }
        if self.b1.contains(&x) {
            self.replace();
            let (b1, b2) = (self.b1.len() as f64, self.b2.len() as f64);
            let delta = if b1 >= b2 { 1.0 } else { b2 / b1 };
            self.p = (self.p + delta).min(c as f64);
            self.b1.retain(|page| *page != x);
            self.t2.push(x);
        } else if self.b2.contains(&x) {
            self.replace();
            let (b1, b2) = (self.b1.len() as f64, self.b2.len() as f64);
            let delta = if b2 >= b1 { 1.0 } else { b1 / b2 };
            self.p = (self.p - delta).max(0.0);
            self.b2.retain(|page| *page != x);
            self.t2.push(x);
        } else {
            if self.t1.len() + self.b1.len() == c {
                if self.t1.len() < c {
                    self.b1.remove(0);
                    self.replace();
                } else {
                    self.t1.remove(0);
                }
            } else {
                let all = self.t1.len() + self.t2.len() + self.b1.len() + self.b2.len();
                if all >= c {
                    if all == 2 * c {
                        self.b2.remove(0);
                    }
                    self.replace();
                }
            }
            self.t1.push(x);
        }
        false
    }
}

fn ids(list: &RecencyList<u32>) -> Vec<u32> {
    list.iter().map(|(id, _)| id).collect()
}

fn keys(list: &RecencyList<Key>) -> Vec<u32> {
    list.iter().map(|(Key::Image(id) | Key::Function(id), _)| id).collect()
}

#[test]
fn a_worked_example() {
    let mut images = Images(policy(PolicySlot::ImagesOnDisk, 4));
    let lists = |Images(policy): &Images| {
        let here = [ids(&policy.once.here), ids(&policy.again.here)];
        (here, [keys(&policy.once.ghosts), keys(&policy.again.ghosts)], policy.target)
    };
    let mut hits = Vec::new();
    let mut request = |images: &mut Images, pages: &[u32]| hits.extend(pages.iter().map(|page| images.request(*page)));
    request(&mut images, &[1, 2, 3, 4, 1, 2]);
    assert_eq!(lists(&images), ([vec![3, 4], vec![1, 2]], [vec![], vec![]], 0.0));
    // T1 holds more than p = 0: its oldest goes. 3 comes back, for which 4 has gone, and p is raised.
    request(&mut images, &[5, 3]);
    assert_eq!(lists(&images), ([vec![5], vec![1, 2, 3]], [vec![4], vec![]], 1.0));
    // T1 holds p, so T2 gives way; then T1 holds more.
    request(&mut images, &[6, 7]);
    assert_eq!(lists(&images), ([vec![6, 7], vec![2, 3]], [vec![4, 5], vec![1]], 1.0));
    // 6 goes, and 1 comes back, the one ghost of B2 beside three of B1: p is lowered by 3/1, but not below 0.
    request(&mut images, &[1]);
    assert_eq!(lists(&images), ([vec![7], vec![2, 3, 1]], [vec![4, 5, 6], vec![]], 0.0));
    // T1 and B1 hold four: the oldest ghost is forgotten.
    request(&mut images, &[8]);
    assert_eq!(lists(&images), ([vec![8], vec![2, 3, 1]], [vec![5, 6, 7], vec![]], 0.0));
    let at_hits: Vec<usize> = (0..hits.len()).filter(|at| hits[*at]).collect();
    assert_eq!(at_hits, [4, 5]);
}

#[test]
fn lists_are_weighed_by_bytes() {
    let mut policy = policy(PolicySlot::ImagesInRam, 100);
    (0..3).for_each(|id| policy.insert(&item(id, 30, 0)));
    (0..2).for_each(|_| policy.touch(0, Touch::Use, 0));
    (0..3).for_each(|_| policy.touch(1, Touch::Load, 0));
    assert_eq!(evict(&mut policy), 1, "what is loaded is not used");
    policy.insert(&item(1, 30, 0));
    assert_eq!(policy.target, 30.0, "as many bytes as the ghost had");
    assert_eq!(evict(&mut policy), 0, "image 2 has the 30 B that are for what was used once");
    policy.insert(&item(3, 1, 0));
    assert_eq!(offered_by(&mut policy), [2, 1, 3], "and when it has gone, what is left of them is below the mark");
}

#[test]
fn what_runs_counts_and_is_not_chosen_and_what_ends_leaves_no_ghost() {
    let mut policy = policy(PolicySlot::Containers, 4);
    let container = |id, function| EvictionItem { function, ..item(id, 1, 0) };
    policy.created(&container(0, 7), Creation::Prewarming);
    policy.created(&container(1, 8), Creation::Invocation);
    [0, 1].into_iter().for_each(|id| policy.insert(&container(id, 7 + id)));
    [0, 1].into_iter().for_each(|id| policy.remove(id, Removal::Taken, 0));
    assert_eq!((ids(&policy.once.here), ids(&policy.again.here)), (vec![0], vec![1]), "0 was made for this use");
    assert!(offered_by(&mut policy).is_empty());
    policy.insert(&container(1, 8));
    assert_eq!(offered_by(&mut policy), [1]);
    policy.insert(&container(0, 7));
    [0, 1].into_iter().for_each(|id| policy.remove(id, Removal::Taken, 0));
    [1, 0].into_iter().for_each(|id| policy.insert(&container(id, 7 + id)));
    assert_eq!(offered_by(&mut policy), [1, 0], "in the order in which they came back");
    policy.remove(0, Removal::Taken, 0);
    policy.remove(1, Removal::Ended, 0);
    policy.ended(0, 0);
    assert_eq!((policy.items.len(), policy.once.bytes() + policy.again.bytes()), (0, 0));
}

#[test]
fn a_function_has_one_ghost_in_the_list_of_its_last_container() {
    let mut policy = policy(PolicySlot::Containers, 4);
    let container = |id| EvictionItem { function: 7, ..item(id, 1, 0) };
    for id in [0, 1] {
        policy.created(&container(id), Creation::Invocation);
        policy.insert(&container(id));
    }
    policy.remove(1, Removal::Taken, 0);
    policy.insert(&container(1));
    assert_eq!(evict(&mut policy), 0);
    assert_eq!((keys(&policy.once.ghosts), keys(&policy.again.ghosts)), (vec![7], vec![]));
    assert_eq!(evict(&mut policy), 1);
    assert_eq!((keys(&policy.once.ghosts), keys(&policy.again.ghosts)), (vec![], vec![7]));
}

/// Requests with some locality: of few pages most often, and of all.
fn requests() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(prop_oneof![2 => 0..4_u32, 2 => 0..9_u32, 1 => 0..20_u32], 0..200)
}

proptest! {
    /// On equal pages the policy does what the paper's pseudocode does, with images and with containers.
    #[test]
    fn it_is_the_paper_on_equal_pages(capacity in 1..8_usize, requests in requests()) {
        let mut paper = Paper { c: capacity, ..Paper::default() };
        let mut images = Images(policy(PolicySlot::ImagesOnDisk, capacity as u64));
        let mut containers = Containers::new(capacity as u64);
        for page in requests {
            let is_hit = paper.request(page);
            prop_assert_eq!((images.request(page), containers.request(page)), (is_hit, is_hit));
            let function = |id: &u32| containers.functions[*id as usize].unwrap();
            for policy in [&images.0, &containers.policy] {
                prop_assert_eq!(policy.target, paper.p);
                prop_assert_eq!(keys(&policy.once.ghosts), paper.b1.clone());
                prop_assert_eq!(keys(&policy.again.ghosts), paper.b2.clone());
            }
            prop_assert_eq!((ids(&images.0.once.here), ids(&images.0.again.here)), (paper.t1.clone(), paper.t2.clone()));
            let once: Vec<u32> = ids(&containers.policy.once.here).iter().map(function).collect();
            let again: Vec<u32> = ids(&containers.policy.again.here).iter().map(function).collect();
            prop_assert_eq!((once, again), (paper.t1.clone(), paper.t2.clone()));
        }
    }

    /// Whatever the sizes are, and whatever choosing offers, the bounds hold and choosing changes nothing.
    #[test]
    fn the_bounds_hold_for_images_of_any_size(sizes in proptest::collection::vec(0..40_u64, 12), requests in requests()) {
        let mut policy = policy(PolicySlot::ImagesOnDisk, 60);
        for page in requests {
            let image = page % 12;
            let size = sizes[image as usize];
            let image = item(image, 0, size);
            while !policy.items.contains_key(&image.id) && policy.once.here.bytes() + policy.again.here.bytes() + size > 60 {
                let before = format!("{policy:?}");
                let offered = offered_by(&mut policy);
                prop_assert_eq!(format!("{policy:?}"), before);
                prop_assert_eq!(evict(&mut policy), offered[0]);
            }
            if !policy.items.contains_key(&image.id) {
                policy.insert(&image);
            }
            policy.touch(image.id, Touch::Use, 0);
            prop_assert!(policy.once.bytes() <= 60 || policy.once.ghosts.is_empty());
            prop_assert!(policy.once.bytes() + policy.again.bytes() <= 120);
            prop_assert!((0.0..=60.0).contains(&policy.target));
            for (key, _) in policy.once.ghosts.iter().chain(policy.again.ghosts.iter()) {
                let Key::Image(id) = key else { panic!("{key:?}") };
                prop_assert!(!policy.items.contains_key(&id));
            }
            prop_assert_eq!(policy.once.here.len() + policy.again.here.len(), policy.items.len());
        }
    }
}
