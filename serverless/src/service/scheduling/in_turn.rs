//! Rounds in which those who wait may not all be passed: each decision is carried out before the next is made, and the
//! policy is shown as free only nodes on which the request could start and may (the timing model, section 5).

use hearth_policy_api::Placement;
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimTime;

use super::backfilling::{Backfilling, Reservation, Room};
use super::plan::{Choice, Wanted};
use super::{Entry, Plan, choice_of};
use crate::error::Error;
use crate::function::ImageId;
use crate::node::{Footprint, NodeId};
use crate::policy::Method;
use crate::service::Service;
use crate::service::attempts::{Attempt, Stage, Turn, Waiting, WaitingQueue};
use crate::service::event::Event;
use crate::service::explain::Queued;

/// For whom a place is kept.
#[derive(Debug)]
enum Held {
    Nobody,
    /// For the first that could not start; `None` where no date is known at which it can.
    First {
        need: Footprint,
        reservation: Option<Reservation>,
    },
}

/// What has become of one that was offered a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Offered {
    /// It has left the queue: it holds a core, or was rejected.
    Started,
    /// It has left the queue for a node on which it waits for its image.
    Bound,
    /// It has left the queue to wait for a busy container, or in the queues of nodes.
    Awaits,
    /// It stays in the queue, and its image is on the way to this node.
    Prepared(NodeId),
    /// It stays in the queue.
    Waits,
}

/// What comes of a node and a container that a policy has named.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// The request goes there.
    On(NodeId, Choice),
    /// Nothing can run there.
    Wrong(NodeId),
    /// It may start so on no node that was shown.
    InVain(NodeId),
}

/// Nodes that are not shown as free, with their free cores.
type Hidden = Vec<(NodeId, u32)>;

impl Service {
    /// Offers places to those who wait, in their order, until one must not be passed that cannot start.
    pub(in crate::service) fn schedule_in_turn(
        &mut self,
        plan: &mut Plan,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let is_strict = self.settings.backfilling == Backfilling::None;
        let is_anybody_ahead =
            self.attempts.is_anybody_bound() || self.attempts.is_container_awaited() || self.attempts.is_core_awaited();
        if is_strict && is_anybody_ahead {
            return Ok(());
        }
        let (since, mut held) = (self.cluster.round() + 1, Held::Nobody);
        let (mut position, mut last) = (0, None);
        while self.may_be_asked()
            && let Some((at, waiting)) = self.next_in_turn(position, last)
        {
            (position, last) = (at + 1, Some(waiting.turn));
            if self.rounds.has_let_wait(waiting.function, since) {
                continue;
            }
            let offered = self.offer(&waiting, at, &mut held, plan, kernel)?;
            match offered {
                Offered::Started => continue,
                Offered::Bound | Offered::Awaits if !is_strict => continue,
                _ if is_strict => return Ok(()),
                Offered::Bound | Offered::Awaits | Offered::Waits | Offered::Prepared(_) => {}
            }
            self.rounds.let_wait(waiting.function, self.cluster.round());
            if matches!(held, Held::Nobody) {
                let node = if let Offered::Prepared(node) = offered { Some(node) } else { None };
                let reservation = self.keep_place(&waiting, node, kernel.now());
                held = Held::First { need: self.footprint_of(&waiting), reservation };
            }
        }
        Ok(())
    }

    /// The next that waits: at a position or later in the queue of all, or after a turn among the first of each function.
    fn next_in_turn(&self, position: usize, last: Option<Turn>) -> Option<(usize, Waiting)> {
        match self.attempts.queue() {
            WaitingQueue::Ordered(queue) => {
                (position..queue.end()).find_map(|position| Some((position, queue.get(position)?)))
            }
            WaitingQueue::ByFunction(queues) => queues.next_head(last).map(|waiting| (0, waiting)),
        }
    }

    /// Asks the policy about one, and carries the answer out.
    fn offer(
        &mut self,
        waiting: &Waiting,
        position: usize,
        held: &mut Held,
        plan: &mut Plan,
        kernel: &mut Kernel<Event>,
    ) -> Result<Offered, Box<Error>> {
        self.cluster.begin_round();
        self.announce_changes();
        let hidden = self.hide(waiting, held, kernel.now());
        if !self.may_be_asked() {
            self.show(hidden);
            self.explain_queued(waiting.key, Queued::NoRoom, kernel.now());
            return Ok(Offered::Waits);
        }
        let answer = self.ask(waiting, kernel);
        let named = answer.as_ref().ok().and_then(choice_of);
        let place = named.map(|named| self.place_among_shown(named, waiting, &hidden, held, kernel.now()));
        self.show(hidden);
        match (answer?, place) {
            (_, Some(Place::On(node, choice))) => {
                if !self.cluster.can_take(node, waiting.function, choice) {
                    return Err(self.wrong_choice(node, waiting.function, choice, Method::Place));
                }
                self.start_on((node, choice), waiting, position, held, plan, kernel)
            }
            (_, Some(Place::Wrong(node))) => Err(self.wrong_node(node.0, Method::Place)),
            (_, Some(Place::InVain(node))) => {
                self.explain_queued(waiting.key, Queued::NoRoom, kernel.now());
                self.tell_of_requeue(waiting.key, node, kernel.now());
                Ok(Offered::Waits)
            }
            // Those that name a node have a place.
            (Placement::Node(node) | Placement::Warm { node, .. } | Placement::Cold { node }, None) => {
                Err(self.wrong_node(node, Method::Place))
            }
            (Placement::Wait, _) => {
                self.explain_stay(waiting.key, None, kernel.now());
                Ok(Offered::Waits)
            }
            (Placement::Busy { node, until }, _) => {
                let answer = self.check_busy(node, until)?;
                if !matches!(held, Held::Nobody) {
                    // The core that it would take over is one on which the first counts.
                    self.tell_of_wait_in_vain(waiting.key, kernel.now());
                    return Ok(Offered::Waits);
                }
                self.attempts.take_first(waiting.function);
                self.await_busy(waiting.key, answer, kernel)?;
                Ok(Offered::Awaits)
            }
            (Placement::Queue { nodes, until }, _) => {
                let answer = self.check_queue(&nodes, until)?;
                if !matches!(held, Held::Nobody) {
                    // The cores of these nodes are some on which the first may count.
                    self.tell_of_wait_in_vain(waiting.key, kernel.now());
                    return Ok(Offered::Waits);
                }
                self.attempts.take_first(waiting.function);
                self.queue_at_nodes(waiting.key, answer, kernel)?;
                Ok(match self.attempts.get(waiting.key).map(Attempt::stage) {
                    Some(Stage::AwaitsCore) => Offered::Awaits,
                    Some(Stage::Bound { .. }) => Offered::Bound,
                    _ => Offered::Started,
                })
            }
            (Placement::Reject(reason), _) => {
                let entry = Entry { key: waiting.key, function: waiting.function, position };
                self.attempts.take_first(waiting.function);
                self.settle_entry(entry, true)?;
                self.reject(waiting.key, reason.as_str(), kernel)?;
                Ok(Offered::Started)
            }
        }
    }

    /// What comes of a node and a container that a policy has named, while only nodes are shown on which somebody may start. A
    /// policy that has a picture of its own of the nodes does not see what is hidden: then it is the first that is shown. A new
    /// container takes longer than an idle one, so that it may not start where that might.
    fn place_among_shown(
        &mut self,
        (node, choice): (NodeId, Choice),
        waiting: &Waiting,
        hidden: &Hidden,
        held: &Held,
        now: SimTime,
    ) -> Place {
        let is_shown = self.cluster.free_core().contains(node);
        if !is_shown && hidden.iter().all(|(of, _)| *of != node) {
            return Place::Wrong(node);
        }
        let may_start = |node: &NodeId| choice != Choice::Cold || self.may_start(waiting, (*node, choice), held, now);
        if is_shown && may_start(&node) {
            return Place::On(node, choice);
        }
        let first = self.cluster.free_core().iter().find(may_start);
        self.cluster.note_change(node);
        // Its container is on the node that it has named.
        let choice = if choice == Choice::Cold { choice } else { Choice::Any };
        first.map_or(Place::InVain(node), |first| Place::On(first, choice))
    }

    /// Carries out what is to be done on a node.
    fn start_on(
        &mut self,
        (node, choice): (NodeId, Choice),
        waiting: &Waiting,
        position: usize,
        held: &mut Held,
        plan: &mut Plan,
        kernel: &mut Kernel<Event>,
    ) -> Result<Offered, Box<Error>> {
        let (end, need) = (self.expected_end(waiting, (node, choice), kernel.now()), self.footprint_of(waiting));
        self.attempts.take_first(waiting.function);
        let entry = Entry { key: waiting.key, function: waiting.function, position };
        let manner = self.manner();
        plan.decide(&Wanted::by(entry, &waiting.request), (node, choice), &mut self.cluster, manner);
        let is_undecided = plan.decisions.is_empty();
        self.take_back(plan);
        self.carry_out(plan, kernel)?;
        let Some(attempt) = self.attempts.get(waiting.key) else { return Ok(Offered::Started) };
        let offered = match attempt.stage() {
            Stage::Held(_) | Stage::Served(_) => Offered::Started,
            Stage::Bound { .. } => Offered::Bound,
            _ if is_undecided => Offered::Prepared(node),
            _ => Offered::Waits,
        };
        if matches!(offered, Offered::Started | Offered::Bound)
            && let Held::First { reservation: Some(reservation), .. } = held
            && reservation.node == node
        {
            // When it will start is not known while it waits for its image.
            reservation.make_room_for(if offered == Offered::Bound { SimTime::MAX } else { end }, need);
        }
        Ok(offered)
    }

    /// Takes the nodes out of the free ones on which somebody cannot start now, or may not.
    fn hide(&mut self, waiting: &Waiting, held: &Held, now: SimTime) -> Hidden {
        let may_start = |node: NodeId| self.may_start(waiting, (node, Choice::Any), held, now);
        let is_hidden = |node: &NodeId| !self.can_start(waiting, *node) || !may_start(*node);
        let nodes: Vec<NodeId> = self.cluster.free_core().iter().filter(is_hidden).collect();
        nodes.into_iter().map(|node| (node, self.cluster.hide(node))).collect()
    }

    fn show(&mut self, hidden: Hidden) {
        hidden.into_iter().for_each(|(node, cores)| self.cluster.show(node, cores));
    }

    fn footprint_of(&self, waiting: &Waiting) -> Footprint {
        self.registry.function(waiting.function).footprint()
    }

    fn image_of(&self, waiting: &Waiting) -> Option<ImageId> {
        self.registry.function(waiting.function).image
    }

    /// What a node has for somebody: all that is free or can be evicted, without the image that it needs itself.
    fn room(&self, waiting: &Waiting, node: NodeId) -> Room {
        let mut room = Room::of(self.cluster.node_view(node), self.cluster.node(node).processors);
        if let Some(image) = self.image_of(waiting) {
            let (held, described) = (self.cluster.node(node), self.registry.image(image));
            room.keep_image(Footprint {
                ram: if held.ram.holds_unused(image) { described.ram_footprint } else { 0 },
                disk: if held.disk.holds_unused(image) { described.size } else { 0 },
                processors: 0,
            });
        }
        room
    }

    /// What somebody takes of a node: its reservations, and its image where that is not yet.
    fn need(&self, waiting: &Waiting, node: NodeId) -> Footprint {
        let mut need = self.footprint_of(waiting);
        if let Some(image) = self.image_of(waiting) {
            let (sites, described) = (self.cluster.sites(image), self.registry.image(image));
            if !sites.in_ram().contains(node) && !sites.loading().contains(node) {
                need.ram = need.ram.saturating_add(described.ram_footprint);
            }
            if !sites.on_disk().contains(node) && !sites.copying().contains(node) {
                need.disk = need.disk.saturating_add(described.size);
            }
        }
        need
    }

    pub(in crate::service) fn can_start(&self, waiting: &Waiting, node: NodeId) -> bool {
        self.cluster.idle(waiting.function).contains(node) || self.room(waiting, node).holds(self.need(waiting, node))
    }

    /// Whether somebody that starts on a node leaves the first in the queue what is kept for it.
    fn may_start(&self, waiting: &Waiting, (node, choice): (NodeId, Choice), held: &Held, now: SimTime) -> bool {
        match held {
            Held::Nobody => true,
            Held::First { reservation: Some(reservation), .. } => {
                let end = self.expected_end(waiting, (node, choice), now);
                reservation.node != node || reservation.admits(end, self.need(waiting, node))
            }
            // It may have to wait for any node that is large enough.
            Held::First { reservation: None, need } => {
                let view = self.cluster.node_view(node);
                view.ram < need.ram || view.disk < need.disk
            }
        }
    }

    /// When somebody that starts on a node now will have ended at the latest.
    fn expected_end(&self, waiting: &Waiting, (node, choice): (NodeId, Choice), now: SimTime) -> SimTime {
        let function = self.registry.function(waiting.function);
        let is_warm = choice != Choice::Cold && self.cluster.idle(waiting.function).contains(node);
        let has_image = self.cluster.is_image_ready(node, function.image);
        let is_known = is_warm || (has_image && self.cluster.startup_work(waiting.function).is_none());
        if function.limits.time == hearth_simcore::time::SimDuration::ZERO || !is_known {
            return SimTime::MAX;
        }
        let starts = if is_warm { now } else { now + self.cluster.node(node).slowed(function.startup_overhead) };
        starts + function.limits.time
    }

    /// Keeps a place for somebody that cannot start: on the node to which its image is on the way, or else on the one
    /// that has room for it first, by expected ends.
    fn keep_place(&self, waiting: &Waiting, node: Option<NodeId>, now: SimTime) -> Option<Reservation> {
        let ends = self.rounds.expected_ends.as_deref()?;
        let stays = |function, node| self.attempts.awaits(function, node);
        // Cores that are free later are for those in the queue of the node.
        let has_queue = |node: NodeId| self.attempts.standing_at(node) > 0;
        let on = |node: NodeId| match has_queue(node) {
            true => None,
            false => ends.reserve(node, self.room(waiting, node), self.need(waiting, node), now, stays),
        };
        match node {
            Some(node) => on(node),
            None => self.cluster.up().iter().filter_map(on).min_by_key(|kept| (kept.date, kept.node)),
        }
    }
}
