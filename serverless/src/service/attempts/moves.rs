//! The ways of an attempt from one stage to the next, and the one way out.

use std::collections::btree_map;

use hearth_simcore::queue::EventHandle;

use super::{Attempt, AttemptKey, Attempts, Left, Misplaced, Stage, Turn, Waiting, WaitingQueue};
use crate::cluster::{Occupied, Promise};
use crate::function::{FunctionId, ImageId};
use crate::node::NodeId;
use crate::service::instances::{InstanceKey, Seat};
use crate::service::scheduling::Entry;

impl Attempts {
    /// The head has processed the request, and asks admission.
    #[inline]
    pub fn submit(&mut self, key: AttemptKey) -> Option<&mut Attempt> {
        let attempt = self.alive.get_mut(key)?;
        attempt.stage = Stage::Submitted;
        Some(attempt)
    }

    /// Admission lets it in.
    #[inline]
    pub fn admit(&mut self, key: AttemptKey) -> Result<(), Misplaced> {
        let attempt = self.under_way_mut(key)?;
        attempt.stage = Stage::Admitted;
        let function = attempt.record.function;
        self.counts[function].waiting += 1;
        self.all.waiting += 1;
        Ok(())
    }

    /// It is admitted, and waits for its image to be on the head.
    pub fn await_image(&mut self, key: AttemptKey, image: ImageId) -> Result<(), Misplaced> {
        let attempt = self.under_way_mut(key)?;
        attempt.stage = Stage::AwaitsImage(image);
        self.awaiting[image].push(key);
        Ok(())
    }

    /// The image is on the head that these have waited for, in the order of coming.
    pub fn image_is_here(&mut self, image: ImageId) -> Result<Vec<AttemptKey>, Misplaced> {
        let keys = std::mem::take(&mut self.awaiting[image]);
        for key in &keys {
            self.under_way_mut(*key)?.stage = Stage::Admitted;
        }
        Ok(keys)
    }

    /// It takes a place in the queue, behind those of its rank.
    pub fn enqueue(&mut self, mut waiting: Waiting, rank: u64) -> Result<(), Misplaced> {
        waiting.turn = Turn { rank, number: self.turns };
        self.turns += 1;
        self.under_way_mut(waiting.key)?.turn = waiting.turn;
        self.put_back(waiting)
    }

    /// It stands in the queue at its turn, as before.
    pub fn put_back(&mut self, waiting: Waiting) -> Result<(), Misplaced> {
        self.under_way_mut(waiting.key)?.stage = Stage::Queued;
        self.queue.insert(waiting);
        Ok(())
    }

    /// Has those who wait in the queue stand in another one, with their turns.
    pub fn replace_queue(&mut self, queue: WaitingQueue, waiting: Vec<Waiting>) {
        self.queue = queue;
        waiting.into_iter().for_each(|waiting| self.queue.insert(waiting));
    }

    /// It gets another rank, in the queue or where it has left that for.
    pub fn set_rank(&mut self, mut waiting: Waiting, rank: u64) -> Result<(), Misplaced> {
        let Waiting { key, function, turn, .. } = waiting;
        waiting.turn.rank = rank;
        let attempt = self.under_way_mut(key)?;
        attempt.turn = waiting.turn;
        match attempt.stage {
            Stage::Queued => {
                self.queue.take_out(key, function, turn);
                self.put_back(waiting)
            }
            Stage::AwaitsContainer(node) => {
                if let Some(wait) = self.busy_waits.remove((function, node), turn) {
                    self.busy_waits.insert((function, node), waiting.turn, key, wait);
                }
                Ok(())
            }
            Stage::AwaitsCore => {
                self.move_in_queues(key, turn);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A decision has been made about the first of a function, in a queue that gives such away at once.
    pub fn take_first(&mut self, function: FunctionId) {
        if let WaitingQueue::ByFunction(queues) = &mut self.queue
            && let Some(waiting) = queues.pop_head(function)
        {
            self.no_longer_queued(waiting.key);
        }
    }

    /// A decision has been carried out: takes who it was about out of a queue in which it has kept its place until now.
    pub fn take_decided(&mut self, entry: Entry) {
        if let WaitingQueue::Ordered(queue) = &mut self.queue {
            queue.remove(entry.position);
            self.no_longer_queued(entry.key);
        }
    }

    /// Closes gaps in the queue, once positions in it need not hold any more.
    pub fn close_gaps(&mut self) {
        if let WaitingQueue::Ordered(queue) = &mut self.queue {
            queue.close_gaps();
        }
    }

    /// Lays a list of all out for a policy that looks at everybody, without gaps.
    pub fn straighten(&mut self) {
        if let WaitingQueue::Ordered(queue) = &mut self.queue {
            queue.straighten();
        }
    }

    fn no_longer_queued(&mut self, key: AttemptKey) {
        if let Some(attempt) = self.alive.get_mut(key).filter(|attempt| matches!(attempt.stage, Stage::Queued)) {
            attempt.stage = Stage::Admitted;
        }
    }

    /// It waits on a node for its image, with what it is promised there.
    pub fn bind(&mut self, key: AttemptKey, promise: Promise, image: ImageId) -> Result<(), Misplaced> {
        let node = promise.node();
        self.under_way_mut(key)?.stage = Stage::Bound { promise, image };
        self.bound.entry((node, image)).or_default().push(key);
        Ok(())
    }

    /// Those that have waited on a node for an image there, with what they were promised, in the order of coming.
    pub fn unbind(&mut self, node: NodeId, image: ImageId) -> Result<Vec<(AttemptKey, Promise)>, Misplaced> {
        let keys = self.bound.remove(&(node, image)).unwrap_or_default();
        let mut unbound = Vec::with_capacity(keys.len());
        for key in keys {
            match std::mem::replace(&mut self.under_way_mut(key)?.stage, Stage::Admitted) {
                Stage::Bound { promise, .. } => unbound.push((key, promise)),
                other => debug_assert!(false, "{other:?} is among those that wait on a node"),
            }
        }
        Ok(unbound)
    }

    /// The images that somebody waits for on a node, in order.
    pub fn images_awaited_on(&self, node: NodeId) -> Vec<ImageId> {
        let of_node = (node, ImageId(0))..=(node, ImageId(u32::MAX));
        self.bound.range(of_node).map(|((_, image), _)| *image).collect()
    }

    /// It has a container and a core.
    #[inline]
    pub fn hold(&mut self, key: AttemptKey, occupied: Occupied) -> Result<&mut Attempt, Misplaced> {
        let Some(attempt) = self.alive.get_mut(key) else { return Err(Misplaced::here()) };
        debug_assert!(attempt.stage.waits(), "{:?} gets a container", attempt.stage);
        if let Some(held_on) = &mut self.held_on {
            held_on[occupied.node()].insert(key);
        }
        attempt.stage = Stage::Held(occupied);
        let counts = &mut self.counts[attempt.record.function];
        counts.waiting -= 1;
        counts.running += 1;
        self.all.waiting -= 1;
        self.all.running += 1;
        Ok(attempt)
    }

    /// It waits for an instance of its function, perhaps at this one.
    pub fn await_instance(&mut self, key: AttemptKey, at: Option<InstanceKey>) -> Result<(), Misplaced> {
        self.under_way_mut(key)?.stage = Stage::AwaitsInstance(at);
        Ok(())
    }

    /// It is in an instance of its function.
    pub fn sit_down(&mut self, key: AttemptKey, seat: Seat) -> Result<&mut Attempt, Misplaced> {
        let Some(attempt) = self.alive.get_mut(key) else { return Err(Misplaced::here()) };
        debug_assert!(attempt.stage.waits(), "{:?} gets into an instance", attempt.stage);
        if let Some(held_on) = &mut self.held_on {
            held_on[seat.node()].insert(key);
        }
        attempt.stage = Stage::Served(seat);
        let counts = &mut self.counts[attempt.record.function];
        counts.waiting -= 1;
        counts.running += 1;
        self.all.waiting -= 1;
        self.all.running += 1;
        self.seated += 1;
        Ok(attempt)
    }

    /// It leaves whatever stage it is in, and has ended. What it held of the cluster is given back.
    pub fn leave(&mut self, key: AttemptKey) -> Left {
        let Some(attempt) = self.alive.get_mut(key) else { return Left::Nothing };
        let (stage, function) = (std::mem::replace(&mut attempt.stage, Stage::Ended), attempt.record.function);
        if stage.waits() {
            self.counts[function].waiting -= 1;
            self.all.waiting -= 1;
        }
        match stage {
            Stage::Requested | Stage::Submitted | Stage::Delayed | Stage::Admitted | Stage::Ended => Left::Nothing,
            Stage::AwaitsImage(image) => {
                self.awaiting[image].retain(|other| *other != key);
                Left::Nothing
            }
            Stage::Queued => {
                let turn = attempt.turn;
                self.queue.take_out(key, function, turn);
                Left::Nothing
            }
            Stage::Bound { promise, image } => {
                self.no_longer_bound(key, promise.node(), image);
                Left::Promised(promise)
            }
            Stage::AwaitsContainer(node) => {
                let turn = attempt.turn;
                let timer = self.busy_waits.remove((function, node), turn).and_then(|wait| wait.timer);
                timer.map_or(Left::Nothing, Left::Timer)
            }
            Stage::AwaitsCore => {
                let turn = attempt.turn;
                self.node_queues.remove(key, turn).map_or(Left::Nothing, Left::Stood)
            }
            Stage::AwaitsInstance(at) => Left::Awaited(function, at),
            Stage::Served(seat) => {
                self.seated -= 1;
                self.no_longer_held(key, function, seat.node());
                Left::Seat(seat)
            }
            Stage::Held(occupied) => {
                self.no_longer_held(key, function, occupied.node());
                Left::Occupied(occupied)
            }
        }
    }

    /// The head has heard of its end: it leaves its container and core, which are not there if it has left before, with its node, or
    /// if it is in an instance. `None` if it is gone.
    #[inline]
    pub fn complete(&mut self, key: AttemptKey) -> Option<(&Attempt, Option<Occupied>)> {
        let attempt = self.alive.get_mut(key)?;
        let left = std::mem::replace(&mut attempt.stage, Stage::Ended);
        let Stage::Held(occupied) = left else {
            debug_assert!(matches!(left, Stage::Ended | Stage::Served(_)), "{left:?} has ended");
            if let Stage::Served(_) = left {
                attempt.stage = left;
            }
            return Some((attempt, None));
        };
        if let Some(held_on) = &mut self.held_on {
            held_on[occupied.node()].remove(&key);
        }
        self.counts[attempt.record.function].running -= 1;
        self.all.running -= 1;
        Some((attempt, Some(occupied)))
    }

    fn no_longer_held(&mut self, key: AttemptKey, function: FunctionId, node: NodeId) {
        if let Some(held_on) = &mut self.held_on {
            held_on[node].remove(&key);
        }
        self.counts[function].running -= 1;
        self.all.running -= 1;
    }

    fn no_longer_bound(&mut self, key: AttemptKey, node: NodeId, image: ImageId) {
        if let btree_map::Entry::Occupied(mut bound) = self.bound.entry((node, image)) {
            bound.get_mut().retain(|other| *other != key);
            if bound.get().is_empty() {
                bound.remove();
            }
        }
    }

    /// All that wait or are delayed leave, as if each did; gives them, what they were promised, and timers to be cancelled.
    pub fn empty(&mut self) -> (Vec<AttemptKey>, Vec<Promise>, Vec<EventHandle>) {
        let of_head = |attempt: &Attempt| attempt.stage.waits() || matches!(attempt.stage, Stage::Delayed);
        let keys: Vec<AttemptKey> =
            self.alive.iter().filter(|(_, attempt)| of_head(attempt)).map(|(key, _)| key).collect();
        self.queue.clear();
        self.awaiting.iter_mut().for_each(Vec::clear);
        self.bound.clear();
        let mut timers = self.busy_waits.clear();
        timers.extend(self.node_queues.clear());
        let mut promises = Vec::new();
        for key in &keys {
            if let Some(attempt) = self.alive.get_mut(*key)
                && let Stage::Bound { promise, .. } = std::mem::replace(&mut attempt.stage, Stage::Ended)
            {
                promises.push(promise);
            }
        }
        self.all.waiting = 0;
        self.counts.iter_mut().for_each(|counts| counts.waiting = 0);
        (keys, promises, timers)
    }
}
