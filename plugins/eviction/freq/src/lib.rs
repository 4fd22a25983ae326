//! Eviction `freq`: the containers that save least cold-start time go first, however much memory they hold.
//!
//! FREQ of Fuerst and Sharma, "FaasCache: Keeping Serverless Computing Alive with Greedy-Dual Caching", ASPLOS 2021, section
//! 4: priority of a container = `clock + uses × cost`, set when it becomes idle. That is `greedy-dual` without sizes, and all
//! else is said there: uses, cost, the clock and its parameter. `lfu` is without cost and clock.

use hearth_policy_api::*;
use hearth_policy_toolbox::{AgingIndex, Clock, aging_policy};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Freq>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Freq`].
    pub struct Settings {
        /// whose priority a use sets with the clock of now: the container's own, or those of all of its function
        clock: choice(Clock) = Clock::Container;
    }
}

aging_policy!(
    /// Those that save least go first.
    Freq(Settings), "freq", "the least cost and use first, with aging",
    |settings| AgingIndex::with_clock(settings.clock, |clock, worth| clock + worth.uses * worth.cost)
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
    fn a_worked_example() {
        let mut policy = Freq::new(Settings::default(), &PolicyContext::default()).unwrap();
        // Starts of 2, 6 and 1 s, whatever the memory; then function 2 runs twice more.
        for (id, cost, ram) in [(0, 2, 1), (1, 6, 400), (2, 1, 4)] {
            policy.insert(&idle_container(id, id, cost, ram));
        }
        assert_eq!(offered_by(&mut policy), [2, 0, 1]);
        for _ in 0..2 {
            policy.remove(2, Removal::Taken, 0);
            policy.insert(&idle_container(2, 2, 1, 4));
        }
        assert_eq!(offered_by(&mut policy), [0, 2, 1]);
        // The clock is 2 then: a start of 3 s is worth 5, after the three uses of 1 s.
        policy.remove(0, Removal::Evicted, 0);
        policy.insert(&idle_container(3, 3, 3, 1));
        assert_eq!(offered_by(&mut policy), [2, 3, 1]);
    }
}
