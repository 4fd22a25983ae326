//! Eviction.

use super::*;

defective!(
    Evictor,
    BTreeMap<u32, EvictionItem>,
    [
        "knows 64 items",
        "stops at pinned ones",
        "takes items out as it chooses",
        "counts touches twice",
        "skips items of disk alone",
        "ranks by an address of a static",
    ]
);

impl Eviction for Evictor {
    fn insert(&mut self, item: &EvictionItem) {
        if self.is("knows 64 items") {
            let _item = [0_u64; 64][item.id as usize];
        }
        self.state.insert(item.id, *item);
    }

    fn touch(&mut self, id: u32, _touch: Touch, _now: u64) {
        if self.is("counts touches twice") {
            let item = self.state.remove(&id).expect("it is there");
            self.state.insert(id + 1000, item);
            self.state.insert(id, item);
        }
    }

    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        self.state.remove(&id);
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        let mut items: Vec<EvictionItem> = self.state.values().copied().collect();
        match self.defect {
            "ranks by an address of a static" => {
                let address = std::ptr::from_ref(&PLACE) as u64 / 4096;
                let by = address.checked_rem(items.len() as u64).unwrap_or(0) as usize;
                items.rotate_left(by);
            }
            "counts touches twice" => items.sort_by_key(|item| item.id),
            "skips items of disk alone" => items.retain(|item| item.ram > 0),
            _ => {}
        }
        for item in items {
            if self.is("takes items out as it chooses") {
                self.state.remove(&item.id);
            }
            match victims.offer(item.id) {
                Offer::Enough => return,
                Offer::Pinned if self.is("stops at pinned ones") => return,
                _ => {}
            }
        }
    }
}

#[test]
fn seeds_of_eviction_are_caught() {
    check_everywhere(
        "evicts",
        &[
            ("knows 64 items", "failed in insert: panicked: index out of bounds"),
            ("stops at pinned ones", "frees too little"),
            ("takes items out as it chooses", "frees too little"),
            ("counts touches twice", "offers item "),
            ("skips items of disk alone", "frees too little"),
            ("ranks by an address of a static", "does not do the same in a second process"),
        ],
    );
}
