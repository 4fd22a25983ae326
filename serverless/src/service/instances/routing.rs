//! Which instance takes a request.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use hearth_simcore::random::stream;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rustc_hash::FxHashMap;

use super::InstanceKey;
use crate::function::Routing;

/// An instance with room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Open {
    /// Its number: those that are older have lower ones.
    pub number: u64,
    pub key: InstanceKey,
}

/// The instances of a function that have room, in the form that suits the way to choose.
#[derive(Debug)]
pub(super) enum Router {
    /// By load and age.
    LeastLoaded(BTreeSet<(u32, Open)>),
    /// By age; the second is the number of the last one that was chosen, where they take turns.
    ByAge(BTreeMap<u64, InstanceKey>, Option<u64>),
    RandomOfTwo(Drawn),
}

/// Those among which is drawn.
#[derive(Debug)]
pub(super) struct Drawn {
    open: Vec<(u32, Open)>,
    /// Where each stands; looked up, never walked.
    positions: FxHashMap<u64, usize>,
    random: Pcg64Mcg,
}

impl Router {
    pub fn new(routing: Routing, seed: u64, function: u32) -> Self {
        match routing {
            Routing::LeastLoaded => Self::LeastLoaded(BTreeSet::new()),
            Routing::First => Self::ByAge(BTreeMap::new(), None),
            Routing::RoundRobin => Self::ByAge(BTreeMap::new(), Some(0)),
            Routing::RandomOfTwo => Self::RandomOfTwo(Drawn {
                open: Vec::new(),
                positions: FxHashMap::default(),
                random: stream(seed, &format!("routing of function {function}")),
            }),
        }
    }

    /// An instance has room, with so many requests.
    pub fn open(&mut self, load: u32, open: Open) {
        match self {
            Self::LeastLoaded(by_load) => drop(by_load.insert((load, open))),
            Self::ByAge(by_age, _) => drop(by_age.insert(open.number, open.key)),
            Self::RandomOfTwo(drawn) => {
                drawn.positions.insert(open.number, drawn.open.len());
                drawn.open.push((load, open));
            }
        }
    }

    /// An instance that had room with so many requests has none, or another number of them.
    pub fn close(&mut self, load: u32, open: Open) {
        match self {
            Self::LeastLoaded(by_load) => drop(by_load.remove(&(load, open))),
            Self::ByAge(by_age, _) => drop(by_age.remove(&open.number)),
            Self::RandomOfTwo(drawn) => {
                if let Some(position) = drawn.positions.remove(&open.number) {
                    drawn.open.swap_remove(position);
                    if let Some((_, moved)) = drawn.open.get(position) {
                        drawn.positions.insert(moved.number, position);
                    }
                }
            }
        }
    }

    /// An instance has room with another number of requests than before, which is given first.
    #[inline]
    pub fn keep_open(&mut self, (before, after): (u32, u32), open: Open) {
        match self {
            Self::ByAge(..) => {}
            Self::LeastLoaded(_) | Self::RandomOfTwo(_) => {
                self.close(before, open);
                self.open(after, open);
            }
        }
    }

    /// Those that have room.
    #[cfg(test)]
    pub fn keys(&self) -> BTreeSet<InstanceKey> {
        match self {
            Self::LeastLoaded(by_load) => by_load.iter().map(|(_, open)| open.key).collect(),
            Self::ByAge(by_age, _) => by_age.values().copied().collect(),
            Self::RandomOfTwo(drawn) => drawn.open.iter().map(|(_, open)| open.key).collect(),
        }
    }

    /// The one that takes the next request, if any has room.
    pub fn choose(&mut self) -> Option<InstanceKey> {
        match self {
            Self::LeastLoaded(by_load) => by_load.first().map(|(_, open)| open.key),
            Self::ByAge(by_age, None) => by_age.first_key_value().map(|(_, key)| *key),
            Self::ByAge(by_age, Some(last)) => {
                let next = by_age.range((Bound::Excluded(*last), Bound::Unbounded)).next();
                let (number, key) = next.or_else(|| by_age.first_key_value())?;
                *last = *number;
                Some(*key)
            }
            Self::RandomOfTwo(Drawn { open, random, .. }) => {
                let count = open.len();
                let position = if count > 1 { random.random_range(0..count) } else { 0 };
                let first = *open.get(position)?;
                let other = if count > 1 { random.random_range(0..count - 1) } else { 0 };
                // Any but the first.
                let second = open.get(if other < position { other } else { other + 1 }).copied().unwrap_or(first);
                Some(first.min(second).1.key)
            }
        }
    }
}
