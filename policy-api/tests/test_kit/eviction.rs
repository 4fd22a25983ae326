use std::collections::{BTreeMap, HashSet};

use hearth_policy_api::*;

use super::{check_rows, defective, tick};

#[derive(Default)]
struct State {
    items: Vec<EvictionItem>,
    in_use: Vec<u32>,
    history: Vec<u32>,
    retired: HashSet<u32>,
    uses: BTreeMap<u32, u32>,
}

defective!(
    Evictor,
    State,
    [
        "keeps what was taken",
        "frees too little",
        "counts pinned ones",
        "ignores disk",
        "offers twice",
        "offers when there is enough",
        "loses what is touched",
        "loses numbers that are used again",
        "grows with every item",
        "the order of a hash set",
        "the clock",
        "goes on for ever about pinned ones",
        "offers what is in use",
        "forgets that a container in use ended",
        "grows with every container",
        "hears late and counts uses",
        "has one go twice",
        "has go what is not there",
    ]
);

impl Eviction for Evictor {
    fn insert(&mut self, item: &EvictionItem) {
        if self.is("grows with every item") {
            self.state.history.extend([item.id; 8]);
        }
        if self.is("loses numbers that are used again") && self.state.retired.contains(&item.id) {
            return;
        }
        *self.state.uses.entry(item.id).or_insert(0) += 1;
        self.state.in_use.retain(|id| *id != item.id);
        self.state.items.retain(|other| other.id != item.id);
        self.state.items.push(*item);
    }

    fn rules(&self) -> EvictionRules {
        let hears_late = self.is("hears late and counts uses");
        EvictionRules { observes_containers: !hears_late, hears_late }
    }

    fn created(&mut self, container: &EvictionItem, _creation: Creation) {
        if self.is("grows with every container") {
            self.state.history.extend([container.id; 8]);
        }
        if self.is("offers what is in use") {
            self.state.items.push(*container);
        }
        assert!(!self.state.in_use.contains(&container.id), "it is in use already");
        self.state.in_use.push(container.id);
    }

    fn ended(&mut self, id: u32, _now: u64) {
        if !self.is("forgets that a container in use ended") {
            self.state.in_use.retain(|other| *other != id);
        }
    }

    fn touch(&mut self, id: u32, _touch: Touch, _now: u64) {
        let touched = self.state.items.iter().position(|item| item.id == id);
        let Some(item) = touched.map(|position| self.state.items.remove(position)) else { return };
        if !self.is("loses what is touched") {
            self.state.items.push(item);
        }
    }

    fn remove(&mut self, id: u32, removal: Removal, _now: u64) {
        if self.is("keeps what was taken") && removal == Removal::Taken {
            return;
        }
        self.state.items.retain(|item| item.id != id);
        self.state.retired.insert(id);
        if removal == Removal::Taken {
            self.state.in_use.push(id);
        }
    }

    fn choose(&mut self, need: &Need, victims: &mut Victims<'_>) {
        let mut order: Vec<EvictionItem> = self.state.items.clone();
        match self.defect {
            "the order of a hash set" => {
                let ids: HashSet<u32> = order.iter().map(|item| item.id).collect();
                let position = |item: &EvictionItem| ids.iter().position(|id| *id == item.id);
                order.sort_by_key(position);
            }
            "hears late and counts uses" => order.sort_by_key(|item| self.state.uses.get(&item.id).copied()),
            "the clock" if tick().is_multiple_of(2) => order.reverse(),
            _ => {}
        }
        let (mut ram, mut disk) = (0, 0);
        for item in order {
            let mut offer = victims.offer(item.id);
            while offer == Offer::Pinned && self.is("goes on for ever about pinned ones") {
                offer = victims.offer(item.id);
            }
            if offer != Offer::Pinned || self.is("counts pinned ones") {
                (ram, disk) = (ram + item.ram, disk + item.disk);
            }
            let done = match self.defect {
                "frees too little" => true,
                "counts pinned ones" => ram >= need.ram && disk >= need.disk,
                "ignores disk" => ram >= need.ram && need.ram > 0,
                "offers when there is enough" => false,
                _ => offer == Offer::Enough,
            };
            if self.is("offers twice") && !done {
                victims.offer(item.id);
            }
            if done && self.is("has one go twice") {
                victims.also(item.id);
            }
            if done && self.is("has go what is not there") {
                victims.also(4_000_000_000);
            }
            if done {
                return;
            }
        }
    }
}

#[test]
fn defects_of_eviction_are_caught() {
    check_rows(
        &PolicyDescriptor::eviction::<Evictor>(),
        &[
            ("keeps what was taken", "which is not there"),
            ("frees too little", "frees too little"),
            ("counts pinned ones", "frees too little"),
            ("ignores disk", "frees too little"),
            ("offers twice", "twice"),
            ("offers when there is enough", "when it has been told that there is enough"),
            ("loses what is touched", "frees too little"),
            ("loses numbers that are used again", "frees too little"),
            ("grows with every item", "memory grows with the number of calls"),
            ("the order of a hash set", "does not do the same"),
            ("the clock", "does not do the same"),
            ("goes on for ever about pinned ones", "twice"),
            ("offers what is in use", "which is not there"),
            ("forgets that a container in use ended", "it is in use already"),
            ("grows with every container", "memory grows with the number of calls"),
            ("hears late and counts uses", "says that it may hear late"),
            ("has one go twice", "twice"),
            ("has go what is not there", "which is not there"),
        ],
    );
}
