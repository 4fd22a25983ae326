//! What has come of functions on the kit's cluster, and how it stands with them.

use super::Model;
use crate::{FunctionHistory, RequestView};

impl Model {
    /// What has come of each function, as the policy sees it.
    pub(super) fn shown_histories(&self) -> Vec<FunctionHistory> {
        let of = |(number, counted): (u32, &FunctionHistory)| {
            let is_of = |request: &&RequestView| request.function == number;
            let awaiting = self.awaiting.iter().map(|wait| &wait.request);
            let bound = self.nodes.iter().flat_map(|node| &node.bound);
            let standing = self.standing.iter().map(|stand| &stand.request);
            let waiting: Vec<&RequestView> =
                self.queue.iter().chain(awaiting).chain(standing).chain(bound).filter(is_of).collect();
            let running = self.nodes.iter().flat_map(|node| &node.running).filter(|one| one.request.function == number);
            let idle = self.nodes.iter().flat_map(|node| &node.idle).filter(|idle| idle.function == number as usize);
            FunctionHistory {
                busy: running.count() as u32,
                idle: idle.count() as u32,
                waiting: waiting.len() as u64,
                waiting_since: waiting.iter().map(|request| request.submitted_at).min().unwrap_or(u64::MAX),
                ..*counted
            }
        };
        self.histories.iter().flat_map(|histories| (0..).zip(histories.records()).map(of)).collect()
    }
}
