//! Eviction `landlord`: containers pay rent from a credit, and those whose credit is spent go first.
//!
//! Young, "On-Line File Caching", SODA 1998 (Algorithmica 33, 2002): a container's credit is its cost when it is used.
//! When room is needed, all pay `δ × size`, where δ is the least `credit / size`; those at zero go. Each container pays for
//! itself: that others of its function are used gives it no credit. LND of Fuerst and Sharma, "FaasCache", ASPLOS 2021,
//! section 4, is the same; with `clock: function` a use renews the credit of all idle containers of the function, as in the
//! authors' simulator.
//!
//! Nobody need be charged: with `clock` the sum of all δ so far, a container's `credit / size` is always
//! `priority - clock`, where `priority = clock + cost / size` was set at its last use. So the lowest priority goes first
//! and the clock is the highest priority evicted so far. Cost: the time that the container took to start, in s; size: the
//! RAM it holds, in MB. That is `greedy-dual` without counting uses.

use hearth_policy_api::*;
use hearth_policy_toolbox::{AgingIndex, Clock, aging_policy};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::eviction::<Landlord>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Landlord`].
    pub struct Settings {
        /// whose priority a use sets with the clock of now: the container's own, or those of all of its function
        clock: choice(Clock) = Clock::Container;
    }
}

aging_policy!(
    /// Those whose credit is spent first go first.
    Landlord(Settings), "landlord", "the least cost for its memory since its last use first",
    |settings| AgingIndex::with_clock(settings.clock, |clock, worth| clock + worth.cost / worth.size)
);

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, idle_container, offered_by};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    /// The rule as Young states it: identifier, credit and size of each.
    fn charge(tenants: &mut Vec<(u32, f64, f64)>) -> u32 {
        let rent = tenants.iter().map(|(_, credit, size)| credit / size).fold(f64::INFINITY, f64::min);
        tenants.iter_mut().for_each(|(_, credit, size)| *credit -= rent * *size);
        let first = tenants.iter().position(|(_, credit, _)| *credit <= 0.0).unwrap();
        tenants.remove(first).0
    }

    /// Two containers of one function are two tenants.
    #[test]
    fn one_who_is_not_used_pays_although_others_of_its_function_are() {
        let mut policy = Landlord::new(Settings::default(), &PolicyContext::default()).unwrap();
        let mut tenants = Vec::new();
        for (id, function) in [(0, 0), (1, 0), (2, 2), (3, 3)] {
            policy.insert(&idle_container(id, function, 2, 1));
            tenants.push((id, 2.0, 1.0));
        }
        // Container 0 is used before each eviction; 1 is of the same function and goes when its credit is spent.
        let mut evicted = Vec::new();
        for _ in 0..3 {
            policy.remove(0, Removal::Taken, 0);
            policy.insert(&idle_container(0, 0, 2, 1));
            tenants.retain(|(id, ..)| *id != 0);
            tenants.push((0, 2.0, 1.0));
            let first = charge(&mut tenants);
            assert_eq!(offered_by(&mut policy)[0], first);
            policy.remove(first, Removal::Evicted, 0);
            evicted.push(first);
        }
        assert_eq!(evicted, [1, 2, 3]);
    }

    #[test]
    fn the_clock_does_what_the_rent_does() {
        let mut policy = Landlord::new(Settings::default(), &PolicyContext::default()).unwrap();
        // Cost and size of each: credits last for 2, 0.5 and 4 units of rent.
        let kinds = [(4, 2), (2, 4), (8, 2)];
        let mut tenants = Vec::new();
        for (id, (cost, size)) in (0_u32..).zip(kinds) {
            policy.insert(&idle_container(id, id, cost, size));
            tenants.push((id, cost as f64, size as f64));
        }
        for comes_back in [1, 1, 0, 2, 1] {
            let evicted = charge(&mut tenants);
            assert_eq!(offered_by(&mut policy)[0], evicted);
            policy.remove(evicted, Removal::Evicted, 0);
            // A use, of one that is there or has gone, renews its credit.
            tenants.retain(|(id, ..)| *id != comes_back);
            policy.remove(comes_back, Removal::Taken, 0);
            let (cost, size) = kinds[comes_back as usize];
            policy.insert(&idle_container(comes_back, comes_back, cost, size));
            tenants.push((comes_back, cost as f64, size as f64));
        }
    }
}
