//! Checks eviction policies.

use proptest::prelude::*;

use super::alarms::{Alarms, Extent};
use super::asked::answer;
use super::fault::Fault;
use super::growth::{CYCLE, Exercise, Exert};
use super::history::{Checked, repeated};
use super::log::Log;
use super::setting::Setting;
use super::subject::Subject;
use crate::boundary::{EvictionObject, VictimSink, Victims};
use crate::{Creation, EvictionItem, EvictionRules, NONE, Need, Offer, Removal, Touch};

/// In most histories items are numbered below this, and numbers are used again.
const ITEMS: u32 = 12;
/// A policy that goes on offering after this many offers has lost its way.
const TOO_MANY: usize = 1000;

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// If the number is free: an image arrives, or a container is made.
    Begin { item: EvictionItem, creation: Creation },
    /// If the container is in use: it becomes idle.
    Idle { id: u32 },
    /// If the item may be evicted.
    Touch { id: u32, load: bool },
    /// If the item is there: a container is taken into use, or the item is gone.
    Leave { id: u32, taken: bool },
    /// For a share of what is there and not pinned, in 256ths.
    Choose { ram: u8, disk: u8, pinned: Vec<u32> },
}

/// What happens to a store in which the first so many items are at the beginning, images and idle containers in turn.
#[derive(Clone, Debug)]
pub(super) struct History {
    filled: u32,
    steps: Vec<Step>,
}

pub(super) struct Check {
    pub subject: Subject,
}

/// A step with items that are numbered below that.
fn step(items: u32) -> impl Strategy<Value = Step> {
    let id = move || 0..items;
    let function = prop_oneof![4 => 0..4_u32, 1 => Just(NONE)];
    let creation = prop_oneof![4 => Just(Creation::Invocation), 1 => Just(Creation::Prewarming)];
    let begin = (id(), function, 0..5_u64, 0..5_u64, 0..3_u64, creation)
        .prop_map(|(id, function, ram, disk, cost, creation)| begin(id, function, ram, disk, cost, creation));
    let pinned = proptest::collection::vec(id(), 0..3);
    prop_oneof![
        4 => begin,
        4 => id().prop_map(|id| Step::Idle { id }),
        2 => (id(), any::<bool>()).prop_map(|(id, load)| Step::Touch { id, load }),
        2 => (id(), any::<bool>()).prop_map(|(id, taken)| Step::Leave { id, taken }),
        2 => (any::<u8>(), any::<u8>(), pinned).prop_map(|(ram, disk, pinned)| Step::Choose { ram, disk, pinned }),
    ]
}

fn begin(id: u32, function: u32, ram: u64, disk: u64, cost: u64, creation: Creation) -> Step {
    Step::Begin {
        item: EvictionItem { id, function, ram, disk, cost, since: 0, expires: u64::MAX, ..EvictionItem::default() },
        creation,
    }
}

/// What the host knows of the store.
#[derive(Default)]
struct Store {
    now: u64,
    /// Whether the policy hears of containers that are in use.
    is_observed: bool,
    /// Those that may be evicted.
    items: Vec<EvictionItem>,
    /// Containers.
    in_use: Vec<EvictionItem>,
    /// An instance that hears late, if the policy says that this is enough.
    late: Option<Late>,
}

/// A policy that hears of idle containers when it is asked, and of those that the others have heard of.
struct Late {
    policy: EvictionObject,
    untold: Vec<EvictionItem>,
}

impl Late {
    fn insert(&mut self, item: &EvictionItem) -> Result<(), Fault> {
        self.untold.push(*item);
        // A storage holds images or containers, and of images it is told at once: here they share one.
        if item.function == NONE { self.tell() } else { Ok(()) }
    }

    fn touch(&mut self, id: u32, touch: Touch, now: u64) -> Result<(), Fault> {
        self.tell()?;
        answer("touch", || self.policy.touch(id, touch, now))
    }

    /// Has it hear of all.
    fn tell(&mut self) -> Result<(), Fault> {
        self.untold.drain(..).try_for_each(|item| answer("insert", || self.policy.insert(&item)))
    }

    fn remove(&mut self, id: u32, removal: Removal, now: u64) -> Result<(), Fault> {
        let untold = self.untold.iter().position(|item| item.id == id);
        match untold {
            Some(position) => drop(self.untold.remove(position)),
            None => answer("remove", || self.policy.remove(id, removal, now))?,
        }
        Ok(())
    }

    /// What it offers, after it has heard of all.
    fn choose(&mut self, need: &Need, mut sink: Sink<'_>) -> Result<Vec<u32>, Fault> {
        self.tell()?;
        answer("choose", || self.policy.choose(need, &mut Victims::new(&mut sink)))?;
        Ok(sink.offered)
    }
}

/// Takes offers as the host does, and notes what is wrong with them.
struct Sink<'a> {
    items: &'a [EvictionItem],
    pinned: &'a [u32],
    ram: u64,
    disk: u64,
    offered: Vec<u32>,
    accepted: Vec<u32>,
    offers: usize,
    fault: Option<String>,
}

impl Sink<'_> {
    fn is_enough(&self) -> bool {
        self.ram == 0 && self.disk == 0
    }

    fn wrong(&mut self, fault: String) -> Offer {
        self.fault.get_or_insert(fault);
        Offer::Enough
    }

    /// An offer that is at fault is told with the others.
    fn wrong_item(&mut self, id: u32, why: &str) -> Offer {
        self.offered.push(id);
        let comma = if why.starts_with("which") { "," } else { "" };
        self.wrong(format!("offers item {id}{comma} {why}"))
    }
}

impl VictimSink for Sink<'_> {
    fn also(&mut self, id: u32) -> bool {
        let is_short = !self.is_enough();
        // As an offer, but that it is welcome when there is enough.
        let (ram, disk) = (std::mem::replace(&mut self.ram, u64::MAX), std::mem::replace(&mut self.disk, u64::MAX));
        let is_taken = self.offer(id) == Offer::Accepted;
        (self.ram, self.disk) = (ram, disk);
        if is_taken
            && is_short
            && let Some(item) = self.items.iter().find(|item| item.id == id)
        {
            self.ram = self.ram.saturating_sub(item.ram);
            self.disk = self.disk.saturating_sub(item.disk);
        }
        is_taken
    }

    fn offer(&mut self, id: u32) -> Offer {
        self.offers += 1;
        if self.offers > TOO_MANY {
            return self.wrong(format!("offers on and on: {TOO_MANY} offers for {} items", self.items.len()));
        }
        if self.fault.is_some() {
            return Offer::Enough;
        }
        if self.is_enough() {
            return self.wrong_item(id, "when it has been told that there is enough");
        }
        let Some(item) = self.items.iter().find(|item| item.id == id) else {
            return self.wrong_item(id, "which is not there");
        };
        if self.offered.contains(&id) {
            return self.wrong_item(id, "twice");
        }
        self.offered.push(id);
        if self.pinned.contains(&id) {
            return Offer::Pinned;
        }
        self.ram = self.ram.saturating_sub(item.ram);
        self.disk = self.disk.saturating_sub(item.disk);
        self.accepted.push(id);
        if self.is_enough() { Offer::Enough } else { Offer::Accepted }
    }
}

impl Store {
    /// An empty store of a policy.
    fn of(policy: &mut EvictionObject, subject: &Subject, setting: &Setting) -> Result<Self, Fault> {
        let EvictionRules { observes_containers: is_observed, hears_late } = answer("rules", || policy.rules())?;
        let late = if hears_late && !is_observed {
            Some(Late { policy: subject.instance(setting, 1)?.0, untold: Vec::new() })
        } else {
            None
        };
        Ok(Self { is_observed, late, now: setting.begin, ..Self::default() })
    }

    fn is_container(&self, id: u32) -> bool {
        self.items.iter().any(|item| item.id == id && item.function != NONE)
    }

    fn has(&self, id: u32) -> bool {
        self.items.iter().any(|item| item.id == id)
    }

    fn is_in_use(&self, id: u32) -> bool {
        self.in_use.iter().any(|item| item.id == id)
    }

    fn apply(&mut self, policy: &mut EvictionObject, step: &Step, log: &mut Log) -> Result<(), Fault> {
        self.now += 1_000_000_000;
        match step {
            Step::Begin { item, creation } if !self.has(item.id) && !self.is_in_use(item.id) => {
                let item = EvictionItem { since: self.now, ..*item };
                if item.function == NONE {
                    self.insert(policy, item, log)
                } else {
                    self.create(policy, item, *creation, log)
                }
            }
            Step::Idle { id } if self.is_in_use(*id) => {
                let container = self.in_use.iter().position(|item| item.id == *id);
                let container = container.map(|position| self.in_use.remove(position));
                let expires = self.now + 600_000_000_000;
                container.map_or(Ok(()), |container| {
                    self.insert(policy, EvictionItem { since: self.now, expires, ..container }, log)
                })
            }
            // The host touches no containers, and one that hears late may not know of one.
            Step::Touch { id, load } if self.has(*id) && !(self.late.is_some() && self.is_container(*id)) => {
                let touch = if *load { Touch::Load } else { Touch::Use };
                log.note(format!("touch(item {id}, {touch:?})"));
                if let Some(late) = &mut self.late {
                    late.touch(*id, touch, self.now)?;
                }
                answer("touch", || policy.touch(*id, touch, self.now))
            }
            Step::Leave { id, .. } if self.is_in_use(*id) => self.end_in_use(policy, *id, log),
            Step::Leave { id, taken } if self.has(*id) => self.leave(policy, *id, *taken, log),
            Step::Choose { ram, disk, pinned } => {
                let evictable = self.items.iter().filter(|item| !pinned.contains(&item.id));
                let (all_ram, all_disk) =
                    evictable.fold((0, 0), |(ram, disk), item| (ram + item.ram, disk + item.disk));
                let share = |all: u64, share: u8| (all * u64::from(share)).div_ceil(255);
                self.choose(policy, share(all_ram, *ram), share(all_disk, *disk), pinned, log)
            }
            _ => Ok(()),
        }
    }

    fn create(
        &mut self,
        policy: &mut EvictionObject,
        container: EvictionItem,
        creation: Creation,
        log: &mut Log,
    ) -> Result<(), Fault> {
        self.in_use.push(container);
        if !self.is_observed {
            return Ok(());
        }
        let EvictionItem { id, function, ram, disk, cost, .. } = container;
        log.note(format!(
            "created(item {id}: {ram} B RAM, {disk} B disk, function {function}, cost {cost}, {creation:?})"
        ));
        answer("created", || policy.created(&container, creation))
    }

    fn insert(&mut self, policy: &mut EvictionObject, item: EvictionItem, log: &mut Log) -> Result<(), Fault> {
        let EvictionItem { id, function, ram, disk, cost, .. } = item;
        let whose = if function == NONE { "an image".to_owned() } else { format!("function {function}, cost {cost}") };
        log.note(format!("insert(item {id}: {ram} B RAM, {disk} B disk, {whose})"));
        self.items.push(item);
        if let Some(late) = &mut self.late {
            late.insert(&item)?;
        }
        answer("insert", || policy.insert(&item))
    }

    fn end_in_use(&mut self, policy: &mut EvictionObject, id: u32, log: &mut Log) -> Result<(), Fault> {
        self.in_use.retain(|item| item.id != id);
        if !self.is_observed {
            return Ok(());
        }
        log.note(format!("ended(item {id})"));
        answer("ended", || policy.ended(id, self.now))
    }

    /// A container is taken, if it is to be; all else is gone.
    fn leave(&mut self, policy: &mut EvictionObject, id: u32, taken: bool, log: &mut Log) -> Result<(), Fault> {
        let container = self.items.iter().find(|item| taken && item.id == id && item.function != NONE).copied();
        self.in_use.extend(container);
        self.remove(policy, id, if container.is_some() { Removal::Taken } else { Removal::Ended }, log)
    }

    fn remove(&mut self, policy: &mut EvictionObject, id: u32, removal: Removal, log: &mut Log) -> Result<(), Fault> {
        self.items.retain(|item| item.id != id);
        log.note(format!("remove(item {id}, {removal:?})"));
        if let Some(late) = &mut self.late {
            late.remove(id, removal, self.now)?;
        }
        answer("remove", || policy.remove(id, removal, self.now))
    }

    /// Needs so much, which all that are not pinned together can free.
    fn choose(
        &mut self,
        policy: &mut EvictionObject,
        ram: u64,
        disk: u64,
        pinned: &[u32],
        log: &mut Log,
    ) -> Result<(), Fault> {
        if ram == 0 && disk == 0 {
            return Ok(());
        }
        let pinned_here: Vec<u32> = pinned.iter().copied().filter(|id| self.has(*id)).collect();
        log.note(format!("choose({ram} B RAM, {disk} B disk; pinned: {pinned_here:?})"));
        let items = self.items.clone();
        let empty =
            || Sink { items: &items, pinned, ram, disk, offered: vec![], accepted: vec![], offers: 0, fault: None };
        let (need, mut sink) = (Need { now: self.now, ram, disk, ..Need::default() }, empty());
        answer("choose", || policy.choose(&need, &mut Victims::new(&mut sink)))?;
        let (ram, disk) = (sink.ram, sink.disk);
        let Sink { offered, accepted, fault, .. } = sink;
        log.note(format!("  offers {offered:?}"));
        if let Some(fault) = fault {
            return Err(fault.into());
        }
        if let Some(late) = &mut self.late {
            let offered_late = late.choose(&need, empty())?;
            if offered_late != offered {
                return Err(format!(
                    "says that it may hear late, and offers {offered_late:?} then: hears_late is for policies that order by \
                     the last time that a container became idle"
                ).into());
            }
        }
        if ram > 0 || disk > 0 {
            let left: Vec<u32> =
                items.iter().map(|item| item.id).filter(|id| !offered.contains(id) && !pinned.contains(id)).collect();
            return Err(format!(
                "frees too little: {ram} B RAM and {disk} B disk are missing, and items {left:?} are not offered"
            )
            .into());
        }
        accepted.into_iter().try_for_each(|id| self.remove(policy, id, Removal::Evicted, log))
    }

    /// Needs everything.
    fn choose_all(&mut self, policy: &mut EvictionObject, log: &mut Log) -> Result<(), Fault> {
        let (ram, disk) = self.items.iter().fold((0, 0), |(ram, disk), item| (ram + item.ram, disk + item.disk));
        self.choose(policy, ram, disk, &[], log)
    }
}

/// No order of an eviction policy names functions or nodes that the kit would know of.
const EXTENT: Extent = Extent { nodes: 1, functions: 4 };

/// A store, and the policy that it asks.
struct Asked {
    policy: EvictionObject,
    alarms: Alarms,
    store: Store,
}

impl Asked {
    fn new(subject: &Subject, setting: &Setting, log: &mut Log) -> Result<Self, Fault> {
        let (mut policy, mut alarms): (EvictionObject, _) = subject.instance(setting, 1)?;
        alarms.begin(setting.begin, EXTENT, log)?;
        let store = Store::of(&mut policy, subject, setting)?;
        Ok(Self { policy, alarms, store })
    }

    fn apply(&mut self, step: &Step, log: &mut Log) -> Result<(), Fault> {
        let Self { policy, alarms, store } = self;
        store.apply(policy, step, log)?;
        let now = store.now;
        alarms.go_off(now, EXTENT, log, |timer| policy.on_timer(timer, now))
    }

    /// The first so many items come.
    fn fill(&mut self, items: u32, log: &mut Log) -> Result<(), Fault> {
        if items == 0 {
            return Ok(());
        }
        let mut untold = Log::default();
        for id in 0..items {
            let function = if id % 2 == 0 { NONE } else { id % 4 };
            self.apply(&begin(id, function, 1, 1, 1, Creation::Invocation), &mut untold)?;
            self.apply(&Step::Idle { id }, &mut untold)?;
        }
        log.note(format!("(items 0 to {} are inserted, each of 1 B RAM and 1 B disk)", items - 1));
        Ok(())
    }
}

impl Checked for Check {
    type History = History;

    fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Most are of few items and many steps; some of many and few.
    fn histories(&self) -> BoxedStrategy<History> {
        let narrow = (Just(0), proptest::collection::vec(step(ITEMS), 0..60));
        let wide = (65..200_u32, proptest::collection::vec(step(250), 0..8));
        let parts = prop_oneof![15 => narrow.boxed(), 1 => wide.boxed()];
        parts.prop_map(|(filled, steps)| History { filled, steps }).boxed()
    }

    fn play(&self, setting: &Setting, history: &History, log: &mut Log) -> Result<(), Fault> {
        setting.note(log);
        let mut asked = Asked::new(&self.subject, setting, log)?;
        asked.fill(history.filled, log)?;
        history.steps.iter().try_for_each(|step| asked.apply(step, log))?;
        asked.store.choose_all(&mut asked.policy, log)
    }

    fn exercise(&self) -> Result<Exercise<'_>, Fault> {
        let mut asked = Asked::new(&self.subject, &self.subject.plain(), &mut Log::default())?;
        let steps: Vec<Step> = repeated(step(ITEMS), 4 * CYCLE);
        let mut call = 0_u32;
        Ok(Box::new(move |exert| {
            let mut log = Log::default();
            let Exert::Steps(count) = exert else { return asked.store.choose_all(&mut asked.policy, &mut log) };
            (0..count).try_for_each(|_| {
                log.clear();
                let id = call % ITEMS;
                let creation = if call.is_multiple_of(4) { Creation::Prewarming } else { Creation::Invocation };
                asked.apply(&begin(id, if id == 7 { NONE } else { id % 4 }, 2, 2, 1, creation), &mut log)?;
                let row = call as usize % CYCLE * 4;
                call = call.wrapping_add(1);
                steps[row..row + 4].iter().try_for_each(|step| asked.apply(step, &mut log))
            })
        }))
    }
}
