//! What has come of each function, for policies that ask: what happens to attempts is counted here.

use std::collections::VecDeque;

use hearth_policy_api::End;
use hearth_simcore::time::SimTime;

use super::Service;
use super::attempts::{Attempt, AttemptKey};
use crate::function::FunctionId;
use crate::invocation::Start;
use crate::node::NodeId;
use crate::table::Table;

/// By function: who was let in when, in that order. Some may wait no longer, but the first does.
#[derive(Debug, Default)]
pub(crate) struct LetIn(Table<FunctionId, VecDeque<(AttemptKey, SimTime)>>);

impl LetIn {
    /// There is one more function.
    pub fn add_function(&mut self) {
        self.0.push(VecDeque::new());
    }
}

impl Service {
    /// An attempt was submitted.
    pub(super) fn count_arrival(&mut self, function: FunctionId, now: SimTime) {
        if let Some(histories) = self.cluster.histories_mut() {
            histories.arrived(function, now);
        }
    }

    /// An attempt was let in.
    #[inline(never)]
    pub(super) fn count_admission(&mut self, key: AttemptKey, function: FunctionId, now: SimTime) {
        let let_in = &mut self.let_in.0[function];
        let_in.push_back((key, now));
        let since = let_in.front().map_or(u64::MAX, |(_, date)| date.as_nanos());
        if let Some(histories) = self.cluster.histories_mut() {
            let record = histories.of(function);
            record.waiting += 1;
            record.waiting_since = since;
        }
    }

    /// An attempt has got a container on a node.
    #[inline(never)]
    pub(super) fn count_start(&mut self, (key, function): (AttemptKey, FunctionId), node: NodeId, start: Start) {
        self.count_out_of_waiting(key, function);
        let start_time = self.cluster.node(node).slowed(self.registry.function(function).startup_overhead);
        if let Some(histories) = self.cluster.histories_mut() {
            histories.began(function, (start == Start::Cold).then_some(start_time));
        }
    }

    /// An attempt has ended: in its container, or where it waited.
    pub(super) fn count_end(&mut self, key: AttemptKey, end: &End, is_in_container: bool) {
        if !is_in_container {
            self.count_out_of_waiting(key, FunctionId(end.function));
        } else if let Some(histories) = self.cluster.histories_mut() {
            histories.ended(end);
        }
    }

    /// A container of a function begins to start ahead of a request, or has done so or come to nothing.
    pub(super) fn count_starting(&mut self, function: FunctionId, begins: bool) {
        if let Some(histories) = self.cluster.histories_mut() {
            let starting = &mut histories.of(function).starting;
            *starting = if begins { *starting + 1 } else { *starting - 1 };
        }
    }

    /// An attempt waits no longer, though its stage may say so yet. Each is looked at once as it comes to the front.
    fn count_out_of_waiting(&mut self, key: AttemptKey, function: FunctionId) {
        let Self { attempts, let_in, cluster, .. } = self;
        let let_in = &mut let_in.0[function];
        let waits = |of: &AttemptKey| *of != key && attempts.get(*of).is_some_and(Attempt::waits);
        while let_in.front().is_some_and(|(of, _)| !waits(of)) {
            let_in.pop_front();
        }
        if let Some(histories) = cluster.histories_mut() {
            let record = histories.of(function);
            record.waiting -= 1;
            if record.waiting == 0 {
                // Of those that a head loses all at once some are looked at before they have left.
                let_in.clear();
            }
            record.waiting_since = let_in.front().map_or(u64::MAX, |(_, date)| date.as_nanos());
        }
    }
}
