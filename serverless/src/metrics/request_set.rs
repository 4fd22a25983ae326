//! Which requests something happened to, in a few bytes: enough to tell whether it were the same in two runs.

/// A set of invocations as their count and the sum of hashes of their numbers. Sets of the same requests are equal in
/// whatever order they come; different ones are equal by a chance of one in 2⁶⁴.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestSet {
    count: u64,
    sum: u64,
}

impl RequestSet {
    /// Takes one in, that is not in it.
    pub(crate) fn add(&mut self, invocation: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(mixed(invocation));
    }

    /// How many there are.
    pub fn count(self) -> u64 {
        self.count
    }

    /// Sixteen hexadecimal digits that are the same for the same requests.
    pub fn fingerprint(self) -> String {
        format!("{:016x}", self.sum)
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(numbers: impl IntoIterator<Item = u64>) -> RequestSet {
        let mut set = RequestSet::default();
        numbers.into_iter().for_each(|number| set.add(number));
        set
    }

    proptest! {
        #[test]
        fn sets_are_equal_when_their_members_are(
            one in prop::collection::btree_set(0_u64..12, 0..8),
            other in prop::collection::btree_set(0_u64..12, 0..8),
        ) {
            let backwards: BTreeSet<u64> = one.iter().copied().collect();
            prop_assert_eq!(set(one.iter().copied()), set(backwards.into_iter().rev()));
            prop_assert_eq!(one == other, set(one.iter().copied()).fingerprint() == set(other.iter().copied()).fingerprint());
        }
    }
}
