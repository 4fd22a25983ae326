//! Eviction `size`: what is large and little used goes first.
//!
//! Priority of a container: `clock + uses / size`, set when it becomes idle, with the uses of its function since that last had
//! no container on the node, and the RAM it holds (the disk, where it holds no RAM). The clock is the highest priority
//! evicted so far. This is SIZE of Fuerst and Sharma, "FaasCache: Keeping Serverless Computing Alive with Greedy-Dual
//! Caching", ASPLOS 2021, section 4: greedy-dual that does not look at the cost of a cold start. As there, `clock: function`
//! is the authors' simulator, in which a use sets the priorities of all idle containers of the function.

use hearth_policy_api::*;
use hearth_policy_toolbox::{AgingIndex, Clock, aging_policy};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Size>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Size`].
    pub struct Settings {
        /// whose priority a use sets with the clock of now: the container's own, or those of all of its function
        clock: choice(Clock) = Clock::Container;
    }
}

aging_policy!(
    /// Those largest for their use go first.
    Size(Settings), "size", "the largest for their use first, with aging",
    |settings| AgingIndex::with_clock(settings.clock, |clock, worth| clock + worth.uses / worth.size)
);

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, idle_container, offered_by};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn the_largest_goes_first_until_it_is_used_more() {
        let mut policy = Size::new(Settings::default(), &PolicyContext::default()).unwrap();
        // Priorities 1/4, 1/2 and 1/8.
        for (id, ram) in [(0, 4), (1, 2), (2, 8)] {
            policy.insert(&idle_container(id, id, 9 * u64::from(id), ram));
        }
        assert_eq!(offered_by(&mut policy), [2, 0, 1]);
        // 3 uses of 8 MB: 3/8, after 2/8.
        for _ in 0..2 {
            policy.remove(2, Removal::Taken, 0);
            policy.insert(&idle_container(2, 2, 0, 8));
        }
        assert_eq!(offered_by(&mut policy), [0, 2, 1]);
    }
}
