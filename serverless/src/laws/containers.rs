//! Eviction hears of the whole life of each container, if it wants to; or late, if that is enough.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use hearth_eviction_lru::Lru;
use hearth_policy_api::{
    Creation, Eviction, EvictionItem, EvictionRules, Need, Offer, Policy, PolicyContext, PolicyDescriptor, PolicyError,
    Removal, Touch, Victims,
};
use proptest::prelude::*;
use serde_json::json;

use super::checks::{check_conservation, files_of};
use super::scenarios::{faults, scenario};
use super::{cases, run, run_with};
use crate::invocation::Start;
use crate::service::Service;

/// What a policy has been told of the containers of a node.
#[derive(Default)]
struct Told {
    /// By number: the function, the date of creation and whether it is idle.
    containers: BTreeMap<u32, (u32, u64, bool)>,
    cold_starts: u64,
    /// The date of the last call.
    now: u64,
}

impl Told {
    /// A call at a date.
    fn at(&mut self, now: u64) {
        assert!(self.now <= now, "told of {now} after {}", self.now);
        self.now = now;
    }
}

thread_local! {
    /// By node, in the order in which the instances were made.
    static TOLD: RefCell<Vec<Rc<RefCell<Told>>>> = const { RefCell::new(Vec::new()) };
}

/// Remembers what it is told, and fails when that makes no sense. Evicts what was made first.
struct Witness(Rc<RefCell<Told>>);

impl Policy for Witness {
    const NAME: &'static str = "witness";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "remembers what it is told";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        let told = Rc::<RefCell<Told>>::default();
        TOLD.with_borrow_mut(|all| all.push(Rc::clone(&told)));
        Ok(Self(told))
    }
}

impl Eviction for Witness {
    fn rules(&self) -> EvictionRules {
        EvictionRules { observes_containers: true, ..EvictionRules::default() }
    }

    fn created(&mut self, item: &EvictionItem, creation: Creation) {
        let mut told = self.0.borrow_mut();
        told.at(item.since);
        told.cold_starts += u64::from(creation == Creation::Invocation);
        let before = told.containers.insert(item.id, (item.function, item.since, false));
        assert!(before.is_none() && item.expires == u64::MAX, "{item:?} is there already: {before:?}");
    }

    fn insert(&mut self, item: &EvictionItem) {
        let mut told = self.0.borrow_mut();
        told.at(item.since);
        let container = told.containers.get_mut(&item.id).expect("made before it is idle");
        assert!(container.0 == item.function && container.1 <= item.since && !container.2, "{item:?}: {container:?}");
        container.2 = true;
    }

    fn touch(&mut self, id: u32, _touch: Touch, _now: u64) {
        panic!("container {id} is touched");
    }

    fn remove(&mut self, id: u32, removal: Removal, now: u64) {
        let mut told = self.0.borrow_mut();
        told.at(now);
        let container = told.containers.get_mut(&id).expect("made before it goes");
        assert!(std::mem::take(&mut container.2), "container {id} is not idle: {removal:?}");
        if removal != Removal::Taken {
            told.containers.remove(&id);
        }
    }

    fn ended(&mut self, id: u32, now: u64) {
        let mut told = self.0.borrow_mut();
        told.at(now);
        let container = told.containers.remove(&id).expect("made before it ends");
        assert!(!container.2, "container {id} is idle");
    }

    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) {
        self.0.borrow_mut().at(need.now);
        let idle =
            self.0.borrow().containers.iter().filter(|(_, told)| told.2).map(|(id, told)| (told.1, *id)).collect();
        let mut idle: Vec<(u64, u32)> = idle;
        idle.sort_unstable();
        idle.iter().find(|(_, id)| victims.offer(*id) == Offer::Enough);
    }
}

/// What was told is what is there.
fn check(service: &Service) -> Result<(), TestCaseError> {
    check_conservation(service)?;
    let told: Vec<_> = TOLD.with_borrow(Clone::clone);
    for (node, told) in service.cluster().nodes().iter().zip(told) {
        let there: Vec<(u32, u32, bool)> =
            node.containers.iter().map(|(id, held)| (id as u32, held.function.0, held.idle.is_some())).collect();
        let told = told.borrow();
        let told: Vec<(u32, u32, bool)> =
            told.containers.iter().map(|(id, (function, _, is_idle))| (*id, *function, *is_idle)).collect();
        prop_assert_eq!(told, there);
    }
    Ok(())
}

/// What `lru` is, told of each use.
struct TellAll(Lru);

impl Policy for TellAll {
    const NAME: &'static str = Lru::NAME;
    const VERSION: &'static str = Lru::VERSION;
    const DESCRIPTION: &'static str = Lru::DESCRIPTION;
    type Parameters = <Lru as Policy>::Parameters;

    fn new(parameters: Self::Parameters, context: &PolicyContext) -> Result<Self, PolicyError> {
        <Lru as Policy>::new(parameters, context).map(Self)
    }
}

impl Eviction for TellAll {
    fn insert(&mut self, item: &EvictionItem) {
        self.0.insert(item);
    }

    fn touch(&mut self, id: u32, touch: Touch, now: u64) {
        self.0.touch(id, touch, now);
    }

    fn remove(&mut self, id: u32, removal: Removal, now: u64) {
        self.0.remove(id, removal, now);
    }

    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) {
        self.0.choose(need, victims);
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn who_hears_late_evicts_what_it_would_have_evicted(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["policies"]["eviction"]["containers"] = json!({"use": "lru"});
        let others = hearth_plugins::BUILT_IN.iter().filter(|policy| policy.name() != Lru::NAME).copied();
        let told_all: Vec<PolicyDescriptor> = others.chain([PolicyDescriptor::eviction::<TellAll>()]).collect();
        let Some(late) = run(&scenario) else { return Ok(()) };
        let Some(at_once) = run_with(&scenario, &told_all, check_conservation) else { return Ok(()) };
        prop_assert_eq!(files_of(&late?), files_of(&at_once?));
    }

    #[test]
    fn eviction_hears_of_all_that_becomes_of_containers(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        let has_faults = faults.is_some();
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["policies"]["eviction"]["containers"] = json!({"use": "witness"});
        TOLD.with_borrow_mut(Vec::clear);
        let policies = [&[PolicyDescriptor::eviction::<Witness>()], hearth_plugins::BUILT_IN].concat();
        let Some(results) = run_with(&scenario, &policies, check) else { return Ok(()) };
        let results = results?;
        let made: u64 = TOLD.with_borrow(|all| all.iter().map(|told| told.borrow().cold_starts).sum());
        let cold = results.records.iter().filter(|record| record.start == Some(Start::Cold)).count() as u64;
        // An invocation that is tried again may start cold more than once.
        prop_assert!(made == cold || has_faults && made > cold, "{made} containers were made for {cold} cold starts");
    }
}
