//! What became of the container of each function that ended last; noted only where a run is explained.

use hearth_policy_api::ContainerChange;
use hearth_simcore::time::SimTime;

use super::Cluster;
use crate::function::FunctionId;
use crate::node::NodeId;
use crate::table::Table;

/// The end of a container.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastEnded {
    pub why: ContainerChange,
    pub at: SimTime,
    pub node: NodeId,
    /// The function for whose container it was evicted, if it was.
    pub evicted_for: Option<FunctionId>,
}

/// What is noted.
#[derive(Debug, Default)]
pub(super) struct LastEnds {
    of: Table<FunctionId, Option<LastEnded>>,
    /// Containers are evicted for one of this function.
    evicting_for: Option<FunctionId>,
}

impl Cluster {
    /// Notes from now on how containers end. There are none yet.
    pub fn note_ends(&mut self) {
        let functions = self.specs.len();
        self.last_ends = Some(Box::new(LastEnds { of: vec![None; functions].into(), evicting_for: None }));
    }

    /// Notes it no longer.
    pub fn note_no_ends(&mut self) {
        self.last_ends = None;
    }

    /// The end of the container of a function that has ended last, if any has, and it was noted.
    pub fn last_ended(&self, function: FunctionId) -> Option<LastEnded> {
        self.last_ends.as_ref().and_then(|ends| ends.of.find(function).copied().flatten())
    }

    /// Containers are evicted for one of a function from now on, or for nobody.
    pub(super) fn evict_for(&mut self, function: Option<FunctionId>) {
        if let Some(ends) = &mut self.last_ends {
            ends.evicting_for = function;
        }
    }

    /// A container ends.
    #[inline]
    pub(super) fn note_end(&mut self, why: ContainerChange, function: FunctionId, node: NodeId, at: SimTime) {
        if let Some(ends) = &mut self.last_ends
            && why.is_end()
        {
            while ends.of.find(function).is_none() {
                ends.of.push(None);
            }
            let evicted_for = ends.evicting_for.filter(|_| why == ContainerChange::Evicted);
            ends.of[function] = Some(LastEnded { why, at, node, evicted_for });
        }
    }
}
