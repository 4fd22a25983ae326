//! The containers of nodes, for policies that look at them: listed when one asks, with who is in each.

use hearth_policy_api::ContainerView;
use hearth_policy_api::abi::{CONTAINER_BUSY, CONTAINER_STARTING};
use hearth_policy_api::boundary::ContainerSource;
use hearth_simcore::time::SimTime;

use super::attempts::{AttemptKey, Attempts};
use crate::cluster::{Cluster, ContainerLists};
use crate::node::{Holder, NodeId};

/// What a policy can look at during one call.
#[derive(Debug)]
pub(crate) struct ShownContainers<'a> {
    cluster: &'a Cluster,
    attempts: &'a Attempts,
    lists: &'a ContainerLists,
    now: SimTime,
}

impl<'a> ShownContainers<'a> {
    /// Those of a cluster now, into lists of which nobody has any.
    #[inline]
    pub fn new(cluster: &'a Cluster, attempts: &'a Attempts, lists: &'a mut ContainerLists, now: SimTime) -> Self {
        lists.clear();
        Self { cluster, attempts, lists, now }
    }

    /// With who is in it, and since when.
    fn with_holder(&self, (view, holder): (ContainerView, Option<Holder>)) -> ContainerView {
        let Some(attempt) = holder.and_then(|holder| self.attempts.get(AttemptKey::from(holder))) else { return view };
        let record = &attempt.record;
        let (state, since) = match record.started_at {
            Some(started) => (CONTAINER_BUSY, started),
            None => (CONTAINER_STARTING, record.dispatched_at.unwrap_or(self.now)),
        };
        let (invocation, attempt, since) = (record.invocation, attempt.number(), since.as_nanos());
        ContainerView { state, invocation, attempt, since, ..view }
    }
}

impl ContainerSource for ShownContainers<'_> {
    fn containers_on(&self, node: u32) -> &[ContainerView] {
        let (node, nodes) = (NodeId(node), self.cluster.nodes().len());
        self.lists.of(node, nodes, |list| {
            list.extend(self.cluster.containers_on(node, self.now).map(|of| self.with_holder(of)));
        })
    }
}
