//! How long containers are idle, and what ends them then (the timing model, section 9).

use hearth_policy_api::Removal;
use hearth_simcore::kernel::Kernel;
use hearth_simcore::queue::{EventHandle, LaneId, Rank};
use hearth_simcore::time::SimDuration;

use super::Service;
use super::event::{Event, Happening, Message};
use super::prewarming::Prewarmings;
use crate::cluster::HeldContainer;
use crate::node::{ContainerId, NodeId, Spell};

/// With so many different keep-alive times, further ones get timers of their own instead of a lane.
const MAX_LANES: usize = 16;

/// Timers of containers that are idle, and containers that are to be.
#[derive(Debug, Default)]
pub(crate) struct KeepAlive {
    /// A lane of timers for each keep-alive time.
    lanes: Vec<(SimDuration, LaneId)>,
    pub(super) prewarmings: Prewarmings,
}

impl Service {
    /// Makes a container idle for a time.
    pub(crate) fn keep(&mut self, held: HeldContainer, keep_for: SimDuration, kernel: &mut Kernel<Event>) {
        let (now, spell) = (kernel.now(), self.cluster.next_spell());
        let over = Message::KeepAliveOver { node: held.node(), container: held.id(), spell };
        let expiry = (keep_for < SimDuration::MAX).then(|| self.set_keep_alive_timer(keep_for, over, kernel));
        let expires = if expiry.is_some() { (now + keep_for).as_nanos() } else { u64::MAX };
        self.cluster.keep(held, spell, (expires, expiry), &mut self.books, now);
    }

    /// Keep-alive timers go off after everything else of their date: a request that comes at the very end of a
    /// keep-alive still finds the container (the timing model, section 9).
    fn set_keep_alive_timer(&mut self, length: SimDuration, over: Message, kernel: &mut Kernel<Event>) -> EventHandle {
        let event = Event(Happening::Message(over));
        if let Some((_, lane)) = self.keep_alive.lanes.iter().find(|(of, _)| *of == length) {
            return kernel.schedule_in_lane(*lane, event);
        }
        if self.keep_alive.lanes.len() == MAX_LANES {
            return kernel.schedule_late(length, event);
        }
        let lane = kernel.add_lane(length, Rank::Late);
        self.keep_alive.lanes.push((length, lane));
        kernel.schedule_in_lane(lane, event)
    }

    pub(crate) fn keep_alive_over(
        &mut self,
        node: NodeId,
        container: ContainerId,
        spell: Spell,
        kernel: &mut Kernel<Event>,
    ) {
        // While the message waited for the head, the container may have been used or evicted.
        if self.cluster.is_idle_in(node, container, spell) {
            self.books.metrics.expired_containers += 1;
            self.cluster.end_idle(node, container, Removal::Ended, &mut self.books, kernel);
        }
    }
}
