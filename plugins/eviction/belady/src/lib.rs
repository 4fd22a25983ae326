//! Eviction `belady`, for idle containers: an oracle, to compare others with. What is needed again furthest in the future goes first: Belady,
//! "A study of replacement algorithms for a virtual-storage computer", IBM Systems Journal 5(2), 1966.
//!
//! It is told the future by the file `requests`: a line `SECONDS,FUNCTION` for each invocation, in any order, after a line
//! `seconds,function` if there is one. The date is that from the start of the simulation, and the function its number: they are numbered from
//! 0, in the order in which the scenario declares them and after these its trace or generator. The path is relative to the folder in which
//! `hearth` is called.
//!
//! - A container is needed again at the next date of its function, that of now included. Of several idle ones of a function, the one that was used
//!   last is for the next, the one that was used before it for the one after that, and so on;
//! - what is needed later goes first, what is not needed again before all others; of equals the one that is idle longest.
//!
//! On one node, with containers of equal size and runs that do not overlap, nobody has fewer cold starts who keeps each container
//! until room is needed. Elsewhere it is a rule of thumb:
//! - Sizes differ, and the choice of who goes is then a knapsack: here the furthest goes first, whatever its size.
//! - The file does not say on which node an invocation will run, nor how long: an instance takes all for its own, and the run that
//!   will be over in time for a container that is in use now does not count.
//! - A request that came before and waits still is taken for one that is over. Where invocations wait, the dates at which they begin
//!   in a run like this are the better ones.
//!
//! There is no such policy for images: the file does not say which functions need one.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_policy_api::*;
use rustc_hash::FxHashMap;

use requests::Requests;

mod requests;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Belady>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Belady`].
    pub struct Settings {
        /// path of the file that says when functions are requested: lines SECONDS,FUNCTION with the number of the function
        requests: text = "";
    }
}

/// The policy, what is to come and what is idle.
#[derive(Debug, Default)]
pub struct Belady {
    requests: Arc<Requests>,
    /// How often a container has become idle.
    spells: u64,
    /// Idle containers by function, in the order in which they became idle.
    idle: BTreeMap<(u32, u64), u32>,
    /// Where each idle container is. Looked up, never walked.
    places: FxHashMap<u32, (u32, u64)>,
}

impl Policy for Belady {
    const NAME: &'static str = "belady";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str =
        "what a file says is needed again furthest in the future; an oracle for idle containers";
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        if matches!(context.slot, PolicySlot::ImagesInRam | PolicySlot::ImagesOnDisk | PolicySlot::ImagesOnHead) {
            let cause = "it is for eviction.containers: its file says when functions are requested, and not which need an image";
            return Err(PolicyError::new(cause));
        }
        if settings.requests.is_empty() {
            let cause = "requests: name the file that says when functions are requested, in lines SECONDS,FUNCTION";
            return Err(PolicyError::new(cause));
        }
        Ok(Self { requests: Requests::read(&settings.requests)?, ..Self::default() })
    }
}

impl Eviction for Belady {
    fn rules(&self) -> EvictionRules {
        EvictionRules { hears_late: true, ..EvictionRules::default() }
    }

    fn insert(&mut self, item: &EvictionItem) {
        self.remove(item.id, Removal::Ended, item.since);
        self.spells += 1;
        let place = (item.function, self.spells);
        self.idle.insert(place, item.id);
        self.places.insert(item.id, place);
    }

    fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}

    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        if let Some(place) = self.places.remove(&id) {
            self.idle.remove(&place);
        }
    }

    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) {
        let (mut group, mut dates) = (None, [].iter());
        let needed = self.idle.iter().rev().map(|((function, spell), id)| {
            if group.replace(function) != Some(function) {
                dates = self.requests.from(need.now, *function).iter();
            }
            (Reverse(dates.next().copied().unwrap_or(u64::MAX)), *spell, *id)
        });
        let mut order: Vec<(Reverse<u64>, u64, u32)> = needed.collect();
        order.sort_unstable();
        victims.offer_all(order.into_iter().map(|(_, _, id)| id));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use hearth_policy_api::testkit::{RecordingSink, idle_container, item};
    use proptest::prelude::*;

    use super::*;

    /// Knows that functions are requested at these seconds.
    fn policy(requests: &[(u32, u32)]) -> Belady {
        let lines: String = requests.iter().map(|(second, function)| format!("{second},{function}\n")).collect();
        Belady { requests: Arc::new(Requests::of_lines("", lines.as_bytes()).unwrap()), ..Belady::default() }
    }

    fn offered(policy: &mut Belady, second: u64, enough_after: usize) -> Vec<u32> {
        let mut sink = RecordingSink { enough_after, ..RecordingSink::default() };
        let need = Need { now: second * 1_000_000_000, ram: 1, ..Need::default() };
        policy.choose(&need, &mut Victims::new(&mut sink));
        sink.accepted
    }

    #[test]
    fn the_furthest_goes_first_and_never_is_further() {
        let mut policy = policy(&[(3, 0), (9, 0), (5, 1), (7, 2)]);
        (0..4).for_each(|function| policy.insert(&idle_container(10 + function, function, 1, 1)));
        policy.insert(&item(20, 1, 0));
        assert_eq!(offered(&mut policy, 0, 0), [13, 20, 12, 11, 10]);
        assert_eq!(offered(&mut policy, 4, 0), [13, 20, 10, 12, 11], "at 9, 7 and 5 s");
        assert_eq!(offered(&mut policy, 5, 1), [13]);
        policy.remove(13, Removal::Evicted, 0);
        policy.remove(20, Removal::Ended, 0);
        assert_eq!(offered(&mut policy, 6, 0), [11, 10, 12], "11 has had its last");
        assert_eq!(offered(&mut policy, 10, 0), [10, 11, 12], "idle longest first");
    }

    #[test]
    fn each_of_several_containers_is_for_a_request_of_its_own() {
        let mut policy = policy(&[(1, 0), (4, 0), (3, 1), (6, 1)]);
        for (id, function) in [(0, 0), (1, 1), (2, 0), (3, 1), (4, 0)] {
            policy.insert(&idle_container(id, function, 1, 1));
        }
        // 4 at 1 s, 3 at 3 s, 2 at 4 s, 1 at 6 s, and 0 is one too many.
        assert_eq!(offered(&mut policy, 0, 0), [0, 1, 2, 3, 4]);
        policy.remove(4, Removal::Taken, 0);
        assert_eq!(offered(&mut policy, 2, 0), [0, 1, 2, 3], "4 and 6 s for 2 and 1");
        policy.insert(&idle_container(4, 0, 1, 1));
        assert_eq!(offered(&mut policy, 2, 0), [0, 2, 1, 4, 3], "4 was used last now");
    }

    #[test]
    fn a_file_that_is_not_there_and_a_place_for_images_are_refused() {
        let made = |requests: &str, slot| {
            let context = PolicyContext { slot, ..PolicyContext::default() };
            Belady::new(Settings { requests: requests.to_owned() }, &context).map_err(|error| error.to_string())
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.csv").to_str().unwrap().to_owned();
        fs::write(&path, "seconds,function\n1,0\n2,zero\n").unwrap();
        let wrong = made(&path, PolicySlot::Containers).unwrap_err();
        assert!(
            wrong.starts_with(&format!("requests: {path}, line 3: found \"2,zero\", expected SECONDS,FUNCTION")),
            "{wrong}"
        );
        fs::write(&path, "seconds,function\n1,0\n").unwrap();
        assert_eq!(made(&path, PolicySlot::Containers).unwrap().requests.from(0, 0), [1_000_000_000]);
        for slot in [PolicySlot::ImagesInRam, PolicySlot::ImagesOnDisk, PolicySlot::ImagesOnHead] {
            assert!(made(&path, slot).unwrap_err().starts_with("it is for eviction.containers"));
        }
        assert!(made("", PolicySlot::Containers).unwrap_err().starts_with("requests: name the file"));
        assert!(made("/no/such/file", PolicySlot::Containers).unwrap_err().contains("/no/such/file cannot be read"));
    }

    /// The most hits that anybody has with so many places, who keeps what was requested until a place is needed: all choices are tried.
    fn most_hits(requests: &[u32], kept: &[u32], places: usize) -> usize {
        let Some((function, rest)) = requests.split_first() else { return 0 };
        if kept.contains(function) {
            return 1 + most_hits(rest, kept, places);
        }
        if kept.len() < places {
            return most_hits(rest, &[kept, &[*function]].concat(), places);
        }
        let without = |victim: usize| {
            let mut kept = kept.to_vec();
            kept[victim] = *function;
            most_hits(rest, &kept, places)
        };
        (0..places).map(without).max().unwrap_or(0)
    }

    /// Hits of the policy on the same requests, one a second.
    fn hits(requests: &[u32], places: usize) -> usize {
        let mut policy = policy(&(1..).zip(requests.iter().copied()).collect::<Vec<_>>());
        let mut kept: Vec<u32> = Vec::new();
        let mut hits = 0;
        for (second, function) in (1..).zip(requests) {
            // Its number is that of its place.
            let place = kept.iter().position(|other| other == function);
            hits += usize::from(place.is_some());
            let place = place.unwrap_or_else(|| {
                if kept.len() == places {
                    let victim = offered(&mut policy, second, 1)[0];
                    policy.remove(victim, Removal::Evicted, 0);
                    kept[victim as usize] = *function;
                    return victim as usize;
                }
                kept.push(*function);
                kept.len() - 1
            });
            policy.remove(place as u32, Removal::Taken, 0);
            policy.insert(&idle_container(place as u32, *function, 1, 1));
        }
        hits
    }

    #[test]
    fn a_worked_example() {
        // Three places: LRU has no hit at all, the oracle keeps 0 and 1, and then 3, at the cost of 2.
        let requests = [0, 1, 2, 3, 0, 1, 2, 3];
        assert_eq!(hits(&requests, 3), 3);
        assert_eq!(most_hits(&requests, &[], 3), 3);
    }

    proptest! {
        /// Nobody does better with equal sizes.
        #[test]
        fn nobody_has_more_hits(requests in proptest::collection::vec(0..5_u32, 1..10), places in 1..4_usize) {
            prop_assert_eq!(hits(&requests, places), most_hits(&requests, &[], places));
        }
    }
}
