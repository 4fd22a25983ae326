//! What is shown of the kit's cluster on demand: what has come of functions and how it stands with them, and containers.

use super::Model;
use super::ends::{Idle, Running};
use crate::abi::{CONTAINER_BUSY, CONTAINER_STARTING};
use crate::{ContainerView, FunctionHistory, RequestView};

impl Model {
    /// What has come of each function, as the policy sees it.
    pub fn shown_histories(&self) -> Vec<FunctionHistory> {
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

    /// The containers of each node, by number. Containers end by themselves at no date that is known.
    pub(super) fn shown_containers(&self) -> Vec<Vec<ContainerView>> {
        let of = |function: usize, container: u32| {
            let spec = &self.functions[function];
            let (function, ram, disk) = (function as u32, spec.ram, spec.disk);
            ContainerView { function, container, ram, disk, ..ContainerView::default() }
        };
        let running = |running: &Running| {
            let RequestView { invocation, attempt, function, .. } = running.request;
            let state = if running.is_starting() { CONTAINER_STARTING } else { CONTAINER_BUSY };
            let Running { container, since, created, .. } = *running;
            ContainerView { state, invocation, attempt, since, created, ..of(function as usize, container) }
        };
        let idle = |&Idle { function, container, since, created }: &Idle| ContainerView {
            since,
            created,
            ..of(function, container)
        };
        let on = |node: &super::Node| {
            let mut containers: Vec<ContainerView> =
                node.running.iter().map(running).chain(node.idle.iter().map(idle)).collect();
            containers.sort_by_key(|container| container.container);
            containers
        };
        self.nodes.iter().map(on).collect()
    }
}
