//! Those that wait for a busy container of their function to become free: they have left the queue, and keep their turn.

use std::collections::BTreeMap;

use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::SimTime;

use super::{AttemptKey, Attempts, Misplaced, Stage, Turn};
use crate::function::FunctionId;
use crate::node::NodeId;

/// Which containers are waited for: those of a function, on a node or anywhere.
pub(crate) type Place = (FunctionId, Option<NodeId>);

/// One that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BusyWait {
    /// When it is asked about again.
    pub until: SimTime,
    /// What tells the head that this date has come.
    pub timer: Option<EventHandle>,
}

/// All that wait, by what they wait for and by turn; no list is empty.
#[derive(Debug, Default)]
pub(super) struct BusyWaits {
    by_place: BTreeMap<Place, BTreeMap<Turn, (AttemptKey, BusyWait)>>,
}

impl BusyWaits {
    pub fn insert(&mut self, place: Place, turn: Turn, key: AttemptKey, wait: BusyWait) {
        self.by_place.entry(place).or_default().insert(turn, (key, wait));
    }

    pub fn remove(&mut self, place: Place, turn: Turn) -> Option<BusyWait> {
        let waits = self.by_place.get_mut(&place)?;
        let (_, wait) = waits.remove(&turn)?;
        if waits.is_empty() {
            self.by_place.remove(&place);
        }
        Some(wait)
    }

    /// Takes everybody out; gives the timers.
    pub fn clear(&mut self) -> Vec<EventHandle> {
        let waits = std::mem::take(&mut self.by_place).into_values().flat_map(BTreeMap::into_values);
        waits.filter_map(|(_, wait)| wait.timer).collect()
    }

    fn first_but(&self, not: Option<AttemptKey>, place: Place) -> Option<(Turn, AttemptKey)> {
        let mut waits = self.by_place.get(&place)?.iter().map(|(turn, (key, _))| (*turn, *key));
        waits.find(|(_, key)| Some(*key) != not)
    }
}

impl Attempts {
    /// It waits for a container of its function that is in use.
    pub fn await_container(&mut self, key: AttemptKey, node: Option<NodeId>, wait: BusyWait) -> Result<(), Misplaced> {
        let attempt = self.under_way_mut(key)?;
        attempt.stage = Stage::AwaitsContainer(node);
        let (function, turn) = (attempt.record.function, attempt.turn);
        self.busy_waits.insert((function, node), turn, key, wait);
        Ok(())
    }

    /// It waits for a container no longer, and is being given a place; gives its timer.
    pub fn stop_awaiting(&mut self, key: AttemptKey) -> Result<Option<EventHandle>, Misplaced> {
        let attempt = self.under_way_mut(key)?;
        let Stage::AwaitsContainer(node) = attempt.stage else { return Err(Misplaced::here()) };
        attempt.stage = Stage::Admitted;
        let (function, turn) = (attempt.record.function, attempt.turn);
        Ok(self.busy_waits.remove((function, node), turn).and_then(|wait| wait.timer))
    }

    /// Whether anybody waits for a busy container.
    #[inline]
    pub fn is_container_awaited(&self) -> bool {
        !self.busy_waits.by_place.is_empty()
    }

    /// Whether somebody waits for a busy container of a function who would take one on a node.
    pub fn awaits(&self, function: FunctionId, node: NodeId) -> bool {
        self.first_awaiting(function, node, None).is_some()
    }

    /// Who is the first to get a container of a function that becomes free on a node, but for one who is not to.
    pub fn first_awaiting(&self, function: FunctionId, node: NodeId, not: Option<AttemptKey>) -> Option<AttemptKey> {
        let firsts = [None, Some(node)].map(|node| self.busy_waits.first_but(not, (function, node)));
        firsts.into_iter().flatten().min().map(|(_, key)| key)
    }

    /// Who waits for these containers, in the order of turns.
    pub fn awaiting(&self, place: Place) -> Vec<AttemptKey> {
        let waits = self.busy_waits.by_place.get(&place);
        waits.into_iter().flat_map(BTreeMap::values).map(|(key, _)| *key).collect()
    }

    /// The functions of which a busy container is awaited on a node.
    pub fn functions_awaited_on(&self, node: NodeId) -> Vec<FunctionId> {
        let places = self.busy_waits.by_place.keys();
        places.filter(|(_, on)| *on == Some(node)).map(|(function, _)| *function).collect()
    }

    /// Whether it waits for a busy container, until a date that has come.
    pub fn has_waited_long_enough(&self, key: AttemptKey, now: SimTime) -> bool {
        let wait = self.alive.get(key).and_then(|attempt| {
            let Stage::AwaitsContainer(node) = attempt.stage else { return None };
            self.busy_waits.by_place.get(&(attempt.record.function, node))?.get(&attempt.turn)
        });
        wait.is_some_and(|(_, wait)| wait.until <= now)
    }

    /// Whether those in the lists are those whose stage says so.
    #[cfg(test)]
    pub fn are_busy_waits_of_attempts(&self) -> bool {
        let stands_there = |(place, waits): (&Place, &BTreeMap<Turn, (AttemptKey, BusyWait)>)| {
            let is_of = |(turn, (key, _)): (&Turn, &(AttemptKey, BusyWait))| {
                self.alive.get(*key).is_some_and(|attempt| {
                    let waits_there = matches!(attempt.stage, Stage::AwaitsContainer(node) if node == place.1);
                    waits_there && attempt.record.function == place.0 && attempt.turn == *turn
                })
            };
            !waits.is_empty() && waits.iter().all(is_of)
        };
        let says = self.alive.values().filter(|attempt| matches!(attempt.stage, Stage::AwaitsContainer(_))).count();
        let listed: usize = self.busy_waits.by_place.values().map(BTreeMap::len).sum();
        says == listed && self.busy_waits.by_place.iter().all(stands_there)
    }
}
