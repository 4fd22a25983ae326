//! How many containers of a function there are at the least and at the most, where a policy has said so (the timing model,
//! section 14).

use std::collections::BTreeMap;

use hearth_policy_api::{ContainerChange, Placement};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimDuration;

use super::Service;
use super::event::{Event, Message};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::function::FunctionId;
use crate::node::{ContainerId, NodeId, Spell};

/// The bounds of functions, of those that have any.
#[derive(Debug, Default)]
pub(crate) struct ContainerBounds {
    by_function: BTreeMap<FunctionId, Bounds>,
    /// By function: the containers that stay beyond their keep-alive, in the order in which it was over, and in which spell. Some may
    /// be in use or gone.
    staying: BTreeMap<FunctionId, Vec<(NodeId, ContainerId, Spell)>>,
}

/// How many containers there are to be, whether idle, in use or being started.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    floor: u32,
    ceiling: u32,
}

impl ContainerBounds {
    /// Sets those of a function; from nothing to [`u32::MAX`] are none.
    pub fn set(&mut self, function: FunctionId, floor: u32, ceiling: u32) {
        if (floor, ceiling) == (0, u32::MAX) {
            self.by_function.remove(&function);
        } else {
            self.by_function.insert(function, Bounds { floor, ceiling });
        }
    }

    /// How many containers of a function there are to be at the least.
    pub fn floor(&self, function: FunctionId) -> u32 {
        self.by_function.get(&function).map_or(0, |bounds| bounds.floor)
    }

    /// How many containers of a function there may be.
    #[inline]
    pub fn ceiling(&self, function: FunctionId) -> u32 {
        self.by_function.get(&function).map_or(u32::MAX, |bounds| bounds.ceiling)
    }

    /// Whether any function has bounds.
    #[inline]
    pub fn are_set(&self) -> bool {
        !self.by_function.is_empty()
    }

    /// What an answer comes to: who would need a container more than there may be waits.
    #[inline]
    pub fn within(&self, function: FunctionId, answer: Placement, cluster: &Cluster) -> Placement {
        if self.are_set() { self.bounded(function, answer, cluster) } else { answer }
    }

    #[cold]
    fn bounded(&self, function: FunctionId, answer: Placement, cluster: &Cluster) -> Placement {
        let needs_another = match answer {
            Placement::Node(node) => !cluster.idle(function).contains(NodeId(node)),
            Placement::Cold { .. } => true,
            _ => false,
        };
        if needs_another && cluster.container_count(function) >= self.ceiling(function) {
            Placement::Wait
        } else {
            answer
        }
    }
}

impl Service {
    /// Whether there may be another container of a function.
    #[inline]
    pub(super) fn may_have_another(&self, function: FunctionId) -> bool {
        !self.bounds.are_set() || self.cluster.container_count(function) < self.bounds.ceiling(function)
    }

    /// The keep-alive of an idle container is over: whether it stays, since there would be too few without it.
    pub(super) fn stays_beyond_keep_alive(&mut self, node: NodeId, container: ContainerId, spell: Spell) -> bool {
        let function = self.cluster.node(node).container(container).map(|held| held.function);
        let Some(function) = function.filter(|function| self.is_at_floor(*function)) else { return false };
        self.bounds.staying.entry(function).or_default().push((node, container, spell));
        true
    }

    /// Whether a container of a function that is idle and would end stays, since there would be too few without it.
    pub(super) fn is_at_floor(&self, function: FunctionId) -> bool {
        self.bounds.are_set() && self.cluster.container_count(function) <= self.bounds.floor(function)
    }

    /// Sees to it that there are as many containers as there are to be, and that the head reads what comes of that.
    #[cold]
    pub(super) fn look_at_bounds(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if self.cluster.take_due_bounds() && self.bounds.are_set() {
            self.keep_bounds(kernel);
            self.work_off_mailbox(kernel)?;
        }
        Ok(())
    }

    /// Has as many containers of each function as there are to be, as far as there is room, and ends those that have stayed beyond
    /// their keep-alive and are not needed any more. After something has come of containers, nodes or images.
    fn keep_bounds(&mut self, kernel: &mut Kernel<Event>) {
        let mut has_ended = false;
        let is_off = |(function, bounds): &(&FunctionId, &Bounds)| {
            self.cluster.container_count(**function) < bounds.floor || self.bounds.staying.contains_key(function)
        };
        let off = self.bounds.by_function.iter().filter(is_off);
        let off: Vec<(FunctionId, u32)> = off.map(|(function, bounds)| (*function, bounds.floor)).collect();
        for (function, floor) in off {
            while self.cluster.container_count(function) < floor
                && let Some(node) = self.cluster.roomiest(function)
                && self.begin_start_ahead(function, node, SimDuration::MAX, kernel)
            {}
            has_ended |= self.end_overdue(function, floor, kernel);
        }
        if has_ended {
            // What they held is free for those who wait.
            self.head.receive(Message::Changed);
        }
    }

    /// Ends idle containers of a function that have stayed beyond their keep-alive, those whose keep-alive was over first, down to so
    /// many.
    pub(super) fn end_overdue(&mut self, function: FunctionId, floor: u32, kernel: &mut Kernel<Event>) -> bool {
        let mut has_ended = false;
        let Some(mut staying) = self.bounds.staying.remove(&function) else { return false };
        staying.retain(|(node, container, spell)| self.cluster.is_idle_in(*node, *container, *spell));
        let too_many = self.cluster.container_count(function).saturating_sub(floor) as usize;
        for (node, container, _) in staying.drain(..too_many.min(staying.len())) {
            if self.cluster.spares(node, container, kernel.now()) {
                continue;
            }
            self.books.metrics.expired_containers += 1;
            let why = ContainerChange::Expired;
            has_ended |= self.cluster.end_idle(node, container, why, &mut self.books, kernel);
        }
        if !staying.is_empty() {
            self.bounds.staying.insert(function, staying);
        }
        has_ended
    }
}
