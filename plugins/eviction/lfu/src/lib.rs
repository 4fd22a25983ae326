//! Eviction `lfu`: the least frequently used item goes first.
//!
//! Priority of an item: the uses of its function since that last had no container on the node, all its containers counting
//! together, or of an image since it arrived. The lowest goes first; of equals, the one whose last use is longest ago, so
//! among the containers of a function the one that is idle longest.
//!
//! Nothing ages: what was used often long ago stays, with as many containers as it once needed. `freq` and `greedy-dual` have
//! a clock against that.

use hearth_policy_api::*;
use hearth_policy_toolbox::{AgingIndex, Clock, aging_policy};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Lfu>();
export_policies!(POLICY);

aging_policy!(
    /// Those whose function was used least go first.
    Lfu(()), "lfu", "the least frequently used first",
    // A count is of the function at any time, not of a container at its last use.
    |_settings| AgingIndex::with_clock(Clock::Function, |_clock, worth| worth.uses)
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
    fn uses_of_the_function_count_and_time_decides_between_equals() {
        let mut policy = Lfu::new((), &PolicyContext::default()).unwrap();
        for (id, function) in [(0, 0), (1, 1), (2, 2)] {
            policy.insert(&idle_container(id, function, 1, 1));
        }
        // Function 0 runs again, and then function 2.
        for (id, function) in [(0, 0), (2, 2)] {
            policy.remove(id, Removal::Taken, 0);
            policy.insert(&idle_container(id, function, 1, 1));
        }
        assert_eq!(offered_by(&mut policy), [1, 0, 2]);
        // A second container counts with the first; the one idle longer goes first.
        policy.insert(&idle_container(4, 1, 1, 1));
        policy.insert(&idle_container(5, 1, 1, 1));
        assert_eq!(offered_by(&mut policy), [0, 2, 1, 4, 5]);
        [4, 5, 1].into_iter().for_each(|id| policy.remove(id, Removal::Ended, 0));
        policy.insert(&idle_container(1, 1, 1, 1));
        assert_eq!(offered_by(&mut policy), [1, 0, 2]);
        // A function whose last container has gone begins anew.
        policy.remove(2, Removal::Evicted, 0);
        policy.insert(&idle_container(3, 2, 1, 1));
        assert_eq!(offered_by(&mut policy), [1, 3, 0]);
    }
}
