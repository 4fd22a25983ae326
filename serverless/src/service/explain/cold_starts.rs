//! Why there is no container for those that have a cold start.

use crate::causes::{ColdStart, ColdStartCause, ContainerEnd};
use crate::cluster::Cluster;
use crate::function::FunctionId;
use crate::node::NodeId;
use crate::table::Table;

/// Of a function.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// It has had a container, or an instance.
    any: bool,
    /// The most of its invocations that were in containers at once, or of its instances that there were.
    most: u64,
}

/// What is noted of functions.
#[derive(Debug, Default)]
pub(super) struct ColdStarts(Table<FunctionId, Seen>);

impl ColdStarts {
    fn seen(&mut self, function: FunctionId) -> &mut Seen {
        while self.0.find(function).is_none() {
            self.0.push(Seen::default());
        }
        &mut self.0[function]
    }

    /// So many invocations of a function are in containers now, or so many of its instances are there.
    #[inline]
    pub fn are_there(&mut self, function: FunctionId, now: u64) {
        let seen = self.seen(function);
        seen.any = true;
        seen.most = seen.most.max(now);
    }

    /// Why one of a function starts in a new container on a node, when there are so many in containers with it.
    pub fn of_start(&mut self, function: FunctionId, node: NodeId, with_it: u64, cluster: &Cluster) -> ColdStart {
        let idle = cluster.idle(function);
        if idle.contains(node) {
            return ColdStart { node: Some(node.0), ..ColdStart::of(ColdStartCause::PassedOver) };
        }
        if let Some(elsewhere) = idle.iter().next() {
            return ColdStart { node: Some(elsewhere.0), ..ColdStart::of(ColdStartCause::OnOtherNode) };
        }
        self.of_last_ended(function, with_it, cluster.last_ended(function))
    }

    /// Why there is to be another container of a function of which there are so many with it, and none is idle.
    pub fn of_last_ended(&mut self, function: FunctionId, with_it: u64, last: Option<ContainerEnd>) -> ColdStart {
        let Seen { any, most } = *self.seen(function);
        if !any {
            return ColdStart::of(ColdStartCause::First);
        }
        let Some(last) = last.filter(|_| with_it <= most) else {
            return ColdStart::of(ColdStartCause::Concurrency);
        };
        ColdStart { cause: last.why, end: Some(last), node: Some(last.node) }
    }
}
