//! How long containers are idle, and what ends them then (the timing model, section 9).

use hearth_policy_api::ContainerChange;
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimDuration;

use super::Service;
use super::event::{Event, Happening, Message};
use super::prewarming::Prewarmings;
use crate::cluster::HeldContainer;
use crate::node::{ContainerId, NodeId, Spell};

/// Containers that are to be there ahead of requests.
#[derive(Debug, Default)]
pub(crate) struct KeepAlive {
    pub(super) prewarmings: Prewarmings,
}

impl Service {
    /// Makes a container idle for a time. Keep-alive timers go off after everything else of their date: a request that comes at
    /// the very end of a keep-alive still finds the container (the timing model, section 9).
    pub(crate) fn keep(&mut self, held: HeldContainer, keep_for: SimDuration, kernel: &mut Kernel<Event>) {
        let over =
            |node, container, spell| Event(Happening::Message(Message::KeepAliveOver { node, container, spell }));
        self.cluster.keep(held, keep_for, over, &mut self.books, kernel);
    }

    pub(crate) fn keep_alive_over(
        &mut self,
        node: NodeId,
        container: ContainerId,
        spell: Spell,
        kernel: &mut Kernel<Event>,
    ) {
        // While the message waited for the head, the container may have been used or evicted.
        if self.cluster.is_idle_in(node, container, spell)
            && !self.stays_beyond_keep_alive(node, container, spell)
            && !self.cluster.spares(node, container, kernel.now())
        {
            self.books.metrics.expired_containers += 1;
            self.cluster.end_idle(node, container, ContainerChange::Expired, &mut self.books, kernel);
        }
    }
}
