//! What becomes of containers, as the kit tells policies that want to hear of it.

use std::collections::{BTreeMap, VecDeque};

use super::log::Log;
use crate::{ContainerChange, ContainerEvent};

/// Which containers there are, by node and number: of which function, and who is in each.
pub(super) type Containers = BTreeMap<(u32, u32), (u32, Inside)>;

/// Who is in a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    Nobody,
    /// An attempt at an invocation.
    Attempt(u64, u32),
}

/// What a policy has been told of.
#[derive(Debug, Default)]
pub(super) struct Census {
    told: Containers,
    /// The containers that are made up for policies that see no cluster, oldest first.
    made_up: VecDeque<(u32, u32)>,
    count: u32,
}

impl Census {
    /// What has happened if these are the containers now; those that are gone from nodes that are down are lost.
    pub fn changes(&mut self, now: u64, there: Containers, is_up: impl Fn(u32) -> bool) -> Vec<ContainerEvent> {
        use ContainerChange as Change;
        let before = std::mem::replace(&mut self.told, there);
        let mut events = Vec::new();
        let mut add = |key: (u32, u32), function, changes: &[Change]| {
            let event = |change: &Change| ContainerEvent {
                change: *change,
                now,
                node: key.0,
                container: key.1,
                function,
                ..ContainerEvent::default()
            };
            events.extend(changes.iter().map(event));
        };
        for (key, (function, inside)) in &before {
            if !self.told.contains_key(key) {
                let end = match inside {
                    _ if !is_up(key.0) => Change::Lost,
                    Inside::Nobody => Change::Expired,
                    Inside::Attempt(..) => Change::Crashed,
                };
                add(*key, *function, &[end]);
            }
        }
        for (key, (function, inside)) in &self.told {
            let changes: &[Change] = match (before.get(key).map(|(_, inside)| *inside), inside) {
                (None, Inside::Attempt(..)) => &[Change::Starting, Change::Up],
                (None, Inside::Nobody) => &[Change::StartingAhead, Change::Idle],
                (Some(Inside::Nobody), Inside::Attempt(..)) => &[Change::Taken],
                (Some(Inside::Attempt(..)), Inside::Nobody) => &[Change::Idle],
                (Some(was @ Inside::Attempt(..)), is) if was != *is => &[Change::Idle, Change::Taken],
                _ => &[],
            };
            add(*key, *function, changes);
        }
        events
    }

    /// Makes up a container of a function that runs on a node, and the end of one that is idle if there are many.
    pub fn make_up(&mut self, function: u32, node: u32, now: u64) -> ((u32, u32), Vec<ContainerEvent>) {
        let mut there = self.told.clone();
        if self.made_up.len() > 4
            && let Some(oldest) = self.made_up.pop_front()
        {
            there.remove(&oldest);
        }
        let key = (node, self.count % 2);
        self.count += 1;
        // Its number may be one of a container that is still there.
        there.remove(&key);
        self.made_up.retain(|other| *other != key);
        let mut events = self.changes(now, there.clone(), |_| true);
        there.insert(key, (function, Inside::Attempt(0, 0)));
        events.extend(self.changes(now, there, |_| true));
        (key, events)
    }

    /// A container that was made up is kept, or not.
    pub fn settle(&mut self, key: (u32, u32), is_kept: bool, now: u64) -> Option<ContainerEvent> {
        let (function, _) = self.told.remove(&key)?;
        if is_kept {
            self.told.insert(key, (function, Inside::Nobody));
            self.made_up.push_back(key);
        }
        let change = if is_kept { ContainerChange::Idle } else { ContainerChange::NotKept };
        Some(ContainerEvent { change, now, node: key.0, container: key.1, function, ..ContainerEvent::default() })
    }
}

/// Notes what is told.
pub(super) fn note(log: &mut Log, event: &ContainerEvent) {
    let ContainerEvent { change, node, container, function, .. } = event;
    log.note(format!("on_container({change:?}: container {container} of function {function} on node {node})"));
}
