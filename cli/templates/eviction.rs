//! Eviction `policy-name`: what has been there longest goes first.

use std::collections::VecDeque;

use hearth_policy_api::*;

// What the library exports; a library may have several policies.
export_policies!(PolicyDescriptor::eviction::<TypeName>());

/// The policy: its items, from the oldest to the newest. Each storage of each node has an instance of its own.
#[derive(Default)]
pub struct TypeName {
    items: VecDeque<u32>,
}

impl Policy for TypeName {
    const NAME: &'static str = "policy-name";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "what has been there longest goes first";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::default())
    }
}

impl Eviction for TypeName {
    /// An item (an idle container or an image) may be evicted from now on.
    fn insert(&mut self, item: &EvictionItem) {
        self.items.push_back(item.id);
    }

    /// An item was used.
    fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}

    /// An item is gone, evicted or not.
    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        self.items.retain(|other| *other != id);
    }

    /// Offers victims, the best first, until there is enough.
    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        victims.offer_all(self.items.iter().copied());
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, RecordingSink, item};

    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let mut policy = TypeName::default();
        [5, 3, 4].into_iter().for_each(|id| policy.insert(&item(id, 1, 0)));
        let mut sink = RecordingSink { enough_after: 2, ..RecordingSink::default() };
        policy.choose(&Need { ram: 2, ..Need::default() }, &mut Victims::new(&mut sink));
        assert_eq!(sink.accepted, [5, 3]);
    }

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&PolicyDescriptor::eviction::<TypeName>());
    }
}
