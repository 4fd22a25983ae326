//! Containers of a node.

use hearth_simcore::kernel::ShareId;
use hearth_simcore::queue::TimerId;
use hearth_simcore::time::SimTime;
use slotmap::KeyData;

use crate::function::FunctionId;

/// Names a container within its node; the number of one that has ended is used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ContainerId(pub u32);

/// Names the containers of one function on one node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PoolId(pub u32);

/// Tells the times apart that containers are idle; events stay small with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Spell(u32);

impl Spell {
    /// The next one. When all numbers have been used, the first spells are long over.
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// Names who is in a container, for who keeps the names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Holder(pub KeyData);

/// A container: busy with an invocation, or idle.
#[derive(Debug)]
pub(crate) struct Container {
    pub function: FunctionId,
    /// Those of its function on the node.
    pub pool: PoolId,
    /// When it was made.
    pub created: SimTime,
    /// Who is in it, or was last; nobody yet while it starts ahead.
    pub holder: Option<Holder>,
    /// The timer that ends it when it has been idle for so long; none as long as it was never to be ended so.
    pub timer: Option<TimerId>,
    /// Its share of the processors of its node, once something has computed in it.
    pub share: Option<Box<Share>>,
    /// Set while it is idle.
    pub idle: Option<Idle>,
}

/// A container's share of the processors of its node.
#[derive(Debug)]
pub(crate) struct Share {
    pub id: ShareId,
    /// What has been counted of what it has used, in cores times seconds, and up to when.
    pub counted: f64,
    pub counted_at: SimTime,
}

/// An idle container's place among those of its function on the node, in the order of becoming idle.
#[derive(Debug)]
pub(crate) struct Idle {
    pub spell: Spell,
    /// Since when.
    pub since: SimTime,
    /// When it is ended if it has been idle until then.
    pub expires: SimTime,
    /// Whether the eviction policy has heard of it.
    pub is_told: bool,
    pub older: Option<ContainerId>,
    pub newer: Option<ContainerId>,
    /// The round in which a decision took it; the decision is carried out at the end of the round.
    pub planned_in: u64,
}
