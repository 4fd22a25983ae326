//! What is counted of functions because a policy is shown it: idle containers by node, and what has come of each function.

use hearth_policy_api::{FunctionHistory, Records};

use super::Cluster;
use super::histories::Histories;
use super::idle_counts::IdleCounts;
use crate::function::FunctionId;
use crate::node::NodeId;

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub idle: IdleCounts,
    pub histories: Option<Histories>,
}

impl Counts {
    /// A container of a function has become idle on a node, which has so many of these.
    #[inline(never)]
    pub fn becomes_idle(&mut self, node: NodeId, function: FunctionId, idle: u32) {
        self.idle.set(node, function, idle);
        if let Some(histories) = &mut self.histories {
            histories.of(function).idle += 1;
        }
    }

    /// A container of a function is idle no longer on a node, which has so many left.
    #[inline(never)]
    pub fn is_no_longer_idle(&mut self, node: NodeId, function: FunctionId, left: u32) {
        self.idle.set(node, function, left);
        if let Some(histories) = &mut self.histories {
            histories.of(function).idle -= 1;
        }
    }
}

impl Cluster {
    /// Counts from now on what comes of each function. There is none yet.
    pub fn keep_histories(&mut self) {
        self.counts.get_or_insert_default().histories = Some(Histories::default());
    }

    /// What has come of functions, if it is counted.
    pub fn histories_mut(&mut self) -> Option<&mut Histories> {
        self.counts.as_mut()?.histories.as_mut()
    }

    /// What has come of each function, for somebody who asks for it.
    #[inline]
    pub fn histories_if(&self, sees_history: bool) -> Records<'_, FunctionHistory> {
        if sees_history { self.histories() } else { Records::new(&[]) }
    }

    /// What has come of each function, if it is counted.
    pub fn histories(&self) -> Records<'_, FunctionHistory> {
        let counted = self.counts.as_ref().and_then(|counts| counts.histories.as_ref());
        Records::new(counted.map_or(&[], Histories::records))
    }
}
