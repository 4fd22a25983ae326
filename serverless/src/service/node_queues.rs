//! Queues at nodes: an invocation stands in the queues of nodes, and gets the first core that is free there (the timing model,
//! section 5).

use hearth_policy_api::Commitment;
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimTime;

use super::Service;
use super::attempts::{AttemptKey, NodeWait};
use super::event::{Event, Message};
use super::handover::set_wait_timer;
use crate::error::Error;
use crate::function::ImageId;
use crate::node::NodeId;
use crate::policy::{Method, Mistake, PolicySlot};

/// What is answered for one that is to stand in the queues of nodes.
#[derive(Debug)]
pub(crate) struct QueueAnswer {
    /// At least one, all up, and none twice.
    nodes: Vec<NodeId>,
    until: SimTime,
}

impl Service {
    /// Checks an answer that has somebody stand in the queues of nodes.
    pub(super) fn check_queue(&self, nodes: &[u32], until: u64) -> Result<QueueAnswer, Box<Error>> {
        let mistake = |cause| self.policies.error(Mistake::new(PolicySlot::NodeAllocation, Method::Place, cause));
        if self.policies.rules().commitment == Commitment::PerRound {
            return Err(self.binds_against_its_rules("to queue at nodes"));
        }
        if nodes.is_empty() {
            return Err(mistake("answered to queue at nodes, and names none".to_owned()));
        }
        if let Some(node) = nodes.iter().find(|node| !self.cluster.up().contains(NodeId(**node))) {
            return Err(self.wrong_node(*node, Method::Place));
        }
        let mut sorted = nodes.to_vec();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair.first() == pair.last()) {
            return Err(mistake(format!(
                "answered to queue at node {} twice",
                twice.first().copied().unwrap_or_default()
            )));
        }
        Ok(QueueAnswer { nodes: nodes.iter().copied().map(NodeId).collect(), until: SimTime::from_nanos(until) })
    }

    /// Has one that has been taken out of the queue of the head stand in those of nodes, or starts it at once where a core is free
    /// for it.
    pub(super) fn queue_at_nodes(
        &mut self,
        key: AttemptKey,
        answer: QueueAnswer,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        self.settle(key, kernel.now());
        let QueueAnswer { nodes, until } = answer;
        let (until, timer) = set_wait_timer(key, until, kernel);
        self.attempts.stand_at(key, NodeWait { nodes: nodes.clone(), until, timer })?;
        self.show_queues(&nodes);
        for node in nodes {
            let is_next = self.cluster.free_core().contains(node) && self.attempts.first_at(node) == Some(key);
            if is_next && self.start_first_at(key, node, kernel)? {
                break;
            }
        }
        Ok(())
    }

    /// Gives cores of nodes that are free to the first in the queues of these, before anybody in the queue of the head is asked
    /// about.
    #[inline(never)]
    pub(super) fn serve_node_queues(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        for node in self.cluster.queued_with_core() {
            while self.cluster.free_core().contains(node)
                && let Some(key) = self.attempts.first_at(node)
                && self.start_first_at(key, node, kernel)?
            {}
        }
        Ok(())
    }

    /// Starts the first in the queue of a node that has a free core: in an idle container of its function, in a new one, or once its
    /// image is there. False, and it keeps its places, if the node has no room for it.
    fn start_first_at(
        &mut self,
        key: AttemptKey,
        node: NodeId,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Box<Error>> {
        let waiting = self.waiting(key)?;
        if !self.can_start(&waiting, node) {
            return Ok(false);
        }
        let image = self.registry.function(waiting.function).image;
        let idle = self.cluster.first_idle(node, waiting.function, self.settings.reuse_most_recent);
        self.settle(key, kernel.now());
        let wait = self.attempts.stand_no_longer(key)?;
        let container = match image.filter(|_| idle.is_none() && !self.cluster.is_image_in_ram(node, image)) {
            Some(image) => {
                self.await_image_on(key, node, image, kernel)?;
                None
            }
            None if self.dispatch((key, waiting.function), node, idle, kernel)? => {
                self.attempts.get(key).and_then(|attempt| attempt.occupied().map(|occupied| occupied.container()))
            }
            None => {
                self.attempts.stand_at(key, wait)?;
                return Ok(false);
            }
        };
        self.has_stood(&wait, kernel);
        self.tell_of_delayed_start(key, node, container, kernel.now());
        Ok(true)
    }

    /// Binds one to a node on which its image is not in RAM, and sees to that.
    fn await_image_on(
        &mut self,
        key: AttemptKey,
        node: NodeId,
        image: ImageId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let function = self.attempts.under_way(key)?.record.function;
        let promise = self.cluster.promise(node, function);
        self.attempts.bind(key, promise, image)?;
        let is_on_disk = self.cluster.sites(image).on_disk().contains(node);
        let moves = if is_on_disk { self.load(node, image, kernel)? } else { self.copy(node, image, kernel)? };
        if !moves {
            self.rounds.stall(node, image);
        }
        Ok(())
    }

    /// One has left the queues of nodes.
    pub(super) fn has_stood(&mut self, wait: &NodeWait, kernel: &mut Kernel<Event>) {
        if let Some(timer) = wait.timer {
            kernel.cancel(timer);
        }
        self.show_queues(&wait.nodes);
    }

    /// Puts one that stands in the queues of nodes back into that of the head.
    pub(super) fn back_to_head(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        self.settle(key, kernel.now());
        let wait = self.attempts.stand_no_longer(key)?;
        self.has_stood(&wait, kernel);
        self.put_back(key, kernel.now())
    }

    /// A policy takes one back, if it stands in the queues of nodes.
    pub(super) fn take_back_ordered(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if self.attempts.node_wait(key).is_none() {
            return Ok(());
        }
        self.back_to_head(key, kernel)?;
        // A round is to ask about it, and those behind it may start.
        self.head.receive(Message::Changed);
        Ok(())
    }

    /// A node is down: who stands in its queue does no longer, and is asked about again if it stands in no other.
    pub(super) fn give_up_queue_of(&mut self, node: NodeId, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        for key in self.attempts.all_at(node) {
            if !self.attempts.drop_out(key, node)? {
                self.back_to_head(key, kernel)?;
            }
        }
        self.show_queues(&[node]);
        Ok(())
    }

    fn show_queues(&mut self, nodes: &[NodeId]) {
        for node in nodes {
            self.cluster.set_queued(*node, self.attempts.standing_at(*node));
        }
    }
}
