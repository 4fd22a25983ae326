//! Eviction `greedy-dual`: the containers that save least cold-start time for the memory they hold go first.
//!
//! Fuerst and Sharma, "FaasCache: Keeping Serverless Computing Alive with Greedy-Dual Caching", ASPLOS 2021, section 4.1:
//!
//! - priority of a container = `clock + uses × cost / size`, set when it becomes idle with the clock and the uses of then;
//! - `uses`: invocations of its function that have begun on the node since the function last had no container there, in all
//!   its containers, the first run of each included;
//! - `cost`: the time that the container took to start, in s; `size`: the RAM it holds, in MB;
//! - the lowest goes first; of equals, the one that was used longest ago;
//! - `clock`: the highest priority evicted so far, 0 at the begin. It ages what is not used.
//!
//! In the paper each container has a clock of its own, so of a function whose load has gone down the containers that are no
//! longer needed age. With `clock: function` each use sets the priorities of all idle containers of
//! the function with the clock of now, as the authors' simulator does; then surplus containers of a busy function never go.
//!
//! What differs: the paper evicts in batches in the background to have a free buffer, here eviction happens when room is
//! needed; it sets a priority when a run begins, here that happens when it ends, which is the last use that `lru` goes by;
//! its simulator forgets the uses of a container with the container; the paper's cost includes the initialisation of the
//! function, here it is all of the container's start. With a keep-alive policy that never ends containers (`fixed` with a
//! timeout of years) this is the paper's; with any other the two work together. Each node has a clock and counts of its own,
//! as in the paper.

use hearth_policy_api::*;
use hearth_policy_toolbox::{AgingIndex, Clock, aging_policy};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<GreedyDual>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`GreedyDual`].
    pub struct Settings {
        /// whose priority a use sets with the clock of now: the container's own, or those of all of its function
        clock: choice(Clock) = Clock::Container;
    }
}

aging_policy!(
    /// Those worth least for their memory go first.
    GreedyDual(Settings), "greedy-dual", "the least cost and use for its memory first, with aging",
    |settings| AgingIndex::with_clock(settings.clock, |clock, worth| {
        clock + worth.uses * worth.cost / worth.size
    })
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
        let mut policy = GreedyDual::new(Settings::default(), &PolicyContext::default()).unwrap();
        // Functions of 2 s for 4 MB, 6 s for 4 MB and 1 s for 1 MB: priorities 0.5, 1.5 and 1.
        for (id, cost, ram) in [(0, 2, 4), (1, 6, 4), (2, 1, 1)] {
            policy.insert(&idle_container(id, id, cost, ram));
        }
        assert_eq!(offered_by(&mut policy), [0, 2, 1]);
        policy.remove(0, Removal::Evicted, 0);
        policy.remove(2, Removal::Evicted, 0);
        // The clock is 1: function 0 comes back with 1.5, after function 1, whose 1.5 is older.
        policy.insert(&idle_container(0, 0, 2, 4));
        assert_eq!(offered_by(&mut policy), [1, 0]);
        // A second use of function 1 with the clock of now: 1 + 2 × 1.5.
        policy.remove(1, Removal::Taken, 0);
        policy.insert(&idle_container(1, 1, 6, 4));
        assert_eq!(offered_by(&mut policy), [0, 1]);
    }
}
