//! Eviction `gdsf` (greedy-dual-size-frequency), for images: what is large and little used goes first, with aging.
//!
//! Cherkasova, "Improving WWW Proxies Performance with Greedy-Dual-Size-Frequency Caching Policy", HP Laboratories
//! HPL-98-69R1, 1998:
//!
//! - priority of an image = `clock + uses × cost / size`, set at its arrival and at each start or reuse of a container of
//!   it; the lowest goes first; the clock is the highest priority evicted so far;
//! - `cost: one` (the default): 1 for each image, so small images stay and most starts find theirs. Right where the
//!   latency of a fetch counts more than its bytes;
//! - `cost: size`: the image's size, so `uses` alone decides and fewest bytes are fetched. Right where a thin link makes
//!   the time of a fetch proportional to its size. This is LFU with dynamic aging.
//!
//! What differs: the paper counts packets (2 + size / 536) for its second cost.

use hearth_policy_api::*;
use hearth_policy_toolbox::{AgingIndex, aging_policy};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Gdsf>();
export_policies!(POLICY);

choice! {
    /// What a fetch costs.
    pub enum Cost {
        /// The same for each image.
        One = "one",
        /// In proportion to its size.
        Size = "size",
    }
}

parameters! {
    /// What can be set of [`Gdsf`].
    pub struct Settings {
        /// what a fetch costs: the same for each image, or in proportion to its size
        cost: choice(Cost) = Cost::One;
    }
}

aging_policy!(
    /// The least used for their size go first.
    Gdsf(Settings), "gdsf", "the least used for their size first, with aging; for images",
    |settings| AgingIndex::new(match settings.cost {
        Cost::Size => |clock, worth| clock + worth.uses,
        Cost::One => |clock, worth| clock + worth.uses / worth.size,
    })
);

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, item, offered_by};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn a_worked_example() {
        for (cost, expected) in [(Cost::One, [0, 2, 1]), (Cost::Size, [2, 1, 0])] {
            let mut policy = Gdsf::new(Settings { cost }, &PolicyContext::default()).unwrap();
            // Sizes of 8, 1 and 2 MB; two more uses of the first, one more of the second.
            for (id, size) in [(0, 8_000_000), (1, 1_000_000), (2, 2_000_000)] {
                policy.insert(&item(id, 0, size));
            }
            policy.touch(0, Touch::Use, 0);
            policy.touch(0, Touch::Use, 0);
            policy.touch(1, Touch::Use, 0);
            policy.touch(2, Touch::Load, 0);
            // By uses for size: 3/8, 2/1 and 1/2; by uses 3, 2 and 1.
            assert_eq!(offered_by(&mut policy), expected, "{cost:?}");
        }
    }
}
