//! What a run is asked to do otherwise, so that it can be seen what would have been.

use hearth_policy_api::ContainerChange;
use hearth_simcore::time::SimTime;

use super::ColdStartCause;
use crate::function::FunctionId;

/// Something that happened in a run, and is not to happen in another one of the same scenario, which is the same up to then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undone {
    /// A container did not end, by keep-alive, eviction or an order of a policy: it stays until it is taken.
    ContainerEnd {
        /// The number of its node.
        node: u32,
        /// Its number there.
        container: u32,
        /// When it ended.
        at: SimTime,
    },
    /// A fault did not come about this time.
    Fault {
        /// Its number in the plan.
        number: u32,
        /// When it did.
        at: SimTime,
    },
}

/// Which ends of containers are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sought {
    /// Of the function of this number.
    pub function: u32,
    /// On the node of this number, or on any.
    pub node: Option<u32>,
    /// Not before this date.
    pub from: SimTime,
    /// Before this date.
    pub to: SimTime,
}

/// The end of a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContainerEnd {
    /// Its function.
    pub function: FunctionId,
    /// The number of its node.
    pub node: u32,
    /// Its number there.
    pub container: u32,
    /// When it ended.
    pub at: SimTime,
    /// Why.
    pub why: ColdStartCause,
    /// The function for whose container it was evicted, if it was.
    pub evicted_for: Option<FunctionId>,
}

impl Sought {
    /// Whether the end of a container is one of those.
    pub(crate) fn is(&self, end: &ContainerEnd) -> bool {
        let is_there = self.node.is_none_or(|node| node == end.node);
        end.function.0 == self.function && is_there && self.from <= end.at && end.at < self.to
    }
}

impl ContainerEnd {
    /// What has it happen otherwise; `None` if it was a fault's doing.
    pub fn undone(&self) -> Option<Undone> {
        let Self { node, container, at, .. } = *self;
        let is_by_choice =
            !matches!(self.why, ColdStartCause::Crashed | ColdStartCause::Lost | ColdStartCause::Stopped);
        is_by_choice.then_some(Undone::ContainerEnd { node, container, at })
    }
}

impl From<ContainerChange> for ColdStartCause {
    /// Why there is no container after one has ended so.
    fn from(why: ContainerChange) -> Self {
        match why {
            ContainerChange::NotKept => Self::NotKept,
            ContainerChange::Expired => Self::Expired,
            ContainerChange::Evicted => Self::Evicted,
            ContainerChange::Crashed => Self::Crashed,
            ContainerChange::Lost => Self::Lost,
            ContainerChange::Stopped => Self::Stopped,
            _ => Self::Removed,
        }
    }
}
