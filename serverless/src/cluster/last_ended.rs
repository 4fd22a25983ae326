//! How containers have ended, and which are spared that; noted only where a run is explained.

use hearth_policy_api::ContainerChange;
use hearth_simcore::time::SimTime;

use super::Cluster;
use crate::causes::{ContainerEnd, Sought};
use crate::function::FunctionId;
use crate::node::{ContainerId, NodeId};
use crate::table::Table;

/// What is noted.
#[derive(Debug, Default)]
pub(super) struct LastEnds {
    /// The container of each function that has ended last.
    of: Table<FunctionId, Option<ContainerEnd>>,
    /// Containers are evicted for one of this function.
    evicting_for: Option<FunctionId>,
    /// Which ends are to be kept, and those there were.
    sought: Option<Sought>,
    found: Vec<ContainerEnd>,
    spared: Option<Spared>,
}

/// A container that does not end.
#[derive(Clone, Copy, Debug)]
struct Spared {
    node: NodeId,
    container: ContainerId,
    /// When it would have ended.
    at: SimTime,
    /// It would have.
    is_due: bool,
}

impl Cluster {
    /// Notes from now on how containers end. There are none yet.
    pub fn note_ends(&mut self) {
        let of = vec![None; self.specs.len()].into();
        self.last_ends = Some(Box::new(LastEnds { of, ..LastEnds::default() }));
    }

    /// Notes it no longer.
    pub fn note_no_ends(&mut self) {
        self.last_ends = None;
    }

    /// The end of the container of a function that has ended last, if any has, and it was noted.
    pub fn last_ended(&self, function: FunctionId) -> Option<ContainerEnd> {
        self.last_ends.as_ref().and_then(|ends| ends.of.find(function).copied().flatten())
    }

    /// Keeps such ends.
    pub fn seek_ends(&mut self, sought: Sought) {
        if let Some(ends) = &mut self.last_ends {
            ends.sought = Some(sought);
        }
    }

    /// Those there were, in the order of dates.
    pub fn take_found_ends(&mut self) -> Vec<ContainerEnd> {
        self.last_ends.as_mut().map_or(Vec::new(), |ends| std::mem::take(&mut ends.found))
    }

    /// Has a container stay that would end at a date, until it is taken.
    pub fn spare(&mut self, node: NodeId, container: ContainerId, at: SimTime) {
        if let Some(ends) = &mut self.last_ends {
            ends.spared = Some(Spared { node, container, at, is_due: false });
        }
    }

    /// Whether a container that would end now stays.
    #[inline]
    pub fn spares(&mut self, node: NodeId, container: ContainerId, now: SimTime) -> bool {
        let Some(spared) = self.last_ends.as_mut().and_then(|ends| ends.spared.as_mut()) else { return false };
        let is_it = spared.node == node && spared.container == container && (spared.is_due || spared.at == now);
        spared.is_due |= is_it;
        is_it
    }

    /// The container of a node that stays, or would end now.
    pub(super) fn spared_on(&self, node: NodeId, now: SimTime) -> Option<ContainerId> {
        let spared = self.last_ends.as_ref()?.spared.filter(|spared| spared.is_due || spared.at == now)?;
        (spared.node == node).then_some(spared.container)
    }

    /// A container is taken: it has stayed for long enough, if it was one that was to stay.
    #[inline]
    pub(super) fn spare_no_longer(&mut self, node: NodeId, container: ContainerId) {
        if let Some(ends) = &mut self.last_ends {
            ends.spared = ends.spared.filter(|it| !it.is_due || (it.node, it.container) != (node, container));
        }
    }

    /// Containers are evicted for one of a function from now on, or for nobody.
    pub(super) fn evict_for(&mut self, function: Option<FunctionId>) {
        if let Some(ends) = &mut self.last_ends {
            ends.evicting_for = function;
        }
    }

    /// A container ends.
    #[inline(always)]
    pub(super) fn note_end(
        &mut self,
        why: ContainerChange,
        function: FunctionId,
        place: (NodeId, ContainerId),
        at: SimTime,
    ) {
        if self.last_ends.is_some() && why.is_end() {
            self.note_this_end(why, function, place, at);
        }
    }

    #[inline(never)]
    fn note_this_end(
        &mut self,
        why: ContainerChange,
        function: FunctionId,
        (node, container): (NodeId, ContainerId),
        at: SimTime,
    ) {
        if let Some(ends) = &mut self.last_ends {
            while ends.of.find(function).is_none() {
                ends.of.push(None);
            }
            let evicted_for = ends.evicting_for.filter(|_| why == ContainerChange::Evicted);
            let (node, container, why) = (node.0, container.0, why.into());
            let end = ContainerEnd { function, node, container, at, why, evicted_for };
            if ends.sought.is_some_and(|sought| sought.is(&end)) {
                ends.found.push(end);
            }
            ends.of[function] = Some(end);
        }
    }
}
