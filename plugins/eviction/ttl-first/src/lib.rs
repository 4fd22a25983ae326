//! Eviction `ttl-first`: the containers nearest the end of their keep-alive go first; those kept for ever go last, and of
//! equals the one that has been idle longest.
//!
//! What the keep-alive policy would end soonest is what it expects least of. With `fixed` this is `lru`.

use hearth_policy_api::*;
use hearth_policy_toolbox::PriorityIndex;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<TtlFirst>();
export_policies!(POLICY);

/// The policy and its items by the date at which their keep-alive is over.
#[derive(Debug, Default)]
pub struct TtlFirst(PriorityIndex<u64>);

impl Policy for TtlFirst {
    const NAME: &'static str = "ttl-first";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the nearest to the end of its keep-alive first";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::default())
    }
}

impl Eviction for TtlFirst {
    fn insert(&mut self, item: &EvictionItem) {
        self.0.set(item.id, item.expires);
    }

    fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}

    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        self.0.remove(id);
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        victims.offer_all(self.0.iter());
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, item, offered_by};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn the_end_of_the_keep_alive_decides_and_then_the_age() {
        let mut policy = TtlFirst::default();
        for (id, expires) in [(0, u64::MAX), (1, 30), (2, 20), (3, 30)] {
            policy.insert(&EvictionItem { expires, ..item(id, 1, 0) });
        }
        assert_eq!(offered_by(&mut policy), [2, 1, 3, 0]);
    }
}
