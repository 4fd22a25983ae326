//! The slowest invocations of a run, of those that are on the page.

use std::cmp::Reverse;
use std::collections::BTreeSet;

/// An invocation whose story is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slow {
    /// Its number.
    pub invocation: u64,
    /// Its latency in nanoseconds.
    pub latency: u64,
}

/// The few that take longest; of those that take the same, the first ones.
#[derive(Clone, Debug, Default)]
pub struct Slowest {
    most: usize,
    held: BTreeSet<(u64, Reverse<u64>)>,
}

impl Slowest {
    /// Not more than so many.
    pub fn new(most: usize) -> Self {
        Self { most, held: BTreeSet::new() }
    }

    /// Takes one in, if it is among them so far.
    pub fn offer(&mut self, invocation: u64, latency: u64) {
        let own = (latency, Reverse(invocation));
        if self.held.len() < self.most || self.held.first().is_some_and(|least| *least < own) {
            self.held.insert(own);
            if self.held.len() > self.most {
                self.held.pop_first();
            }
        }
    }

    /// Those that there are, the slowest first.
    pub fn told(self) -> Vec<Slow> {
        self.held.into_iter().rev().map(|(latency, Reverse(invocation))| Slow { invocation, latency }).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_the_first_of_all_in_order(latencies in proptest::collection::vec(0..20_u64, 0..40), most in 0..6_usize) {
            let mut slowest = Slowest::new(most);
            let mut all: Vec<(u64, u64)> = (0..).zip(latencies).collect();
            all.iter().for_each(|(invocation, latency)| slowest.offer(*invocation, *latency));
            all.sort_by_key(|(invocation, latency)| (Reverse(*latency), *invocation));
            let told = slowest.told().into_iter().map(|slow| (slow.invocation, slow.latency));
            prop_assert_eq!(told.collect::<Vec<_>>(), all.into_iter().take(most).collect::<Vec<_>>());
        }
    }
}
