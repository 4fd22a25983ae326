//! All attempts at invocations that are under way. Each stands in exactly one [`Stage`]; it moves on by the methods here,
//! and leaves by one door, which gives back what it held.

mod live;
mod queue;
mod stage;

use std::rc::Rc;

use hearth_simcore::time::SimTime;
use rustc_hash::FxHashMap;
use slotmap::SlotMap;

pub(crate) use live::{Caller, InvocationKey, LiveInvocation};
pub(crate) use queue::{Turn, Waiting, WaitingQueue};
pub(crate) use stage::Stage;

use super::scheduling::Entry;
use crate::cluster::{Occupied, Promise};
use crate::function::{Body, FunctionId, ImageId};
use crate::invocation::{InvocationRecord, Outcome};
use crate::node::NodeId;
use crate::table::Table;

/// How many attempts are in stages of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Admitted, and without a container.
    pub waiting: u64,
    /// With a container and a core.
    pub running: u64,
}

/// What an attempt held that has left; to be given back to the cluster.
#[must_use]
#[derive(Debug)]
pub(crate) enum Left {
    /// Nothing of a node.
    Nothing,
    /// What it was promised.
    Promised(Promise),
    /// Its container and core.
    Occupied(Occupied),
}

/// The attempts that are under way.
#[derive(Debug)]
pub(crate) struct Attempts {
    alive: SlotMap<InvocationKey, LiveInvocation>,
    queue: WaitingQueue,
    /// How many have entered the queue.
    turns: u64,
    /// Who waits for an image to be on the head.
    awaiting: Table<ImageId, Vec<InvocationKey>>,
    /// Who waits on a node for an image there. Looked up, never walked.
    bound: FxHashMap<(NodeId, ImageId), Vec<InvocationKey>>,
    counts: Table<FunctionId, Counts>,
    all: Counts,
}

impl Attempts {
    /// None, with the queue that suits the policy.
    pub fn new(queue: WaitingQueue) -> Self {
        let (alive, awaiting, counts) = (SlotMap::with_key(), Table::default(), Table::default());
        Self { alive, queue, turns: 0, awaiting, bound: FxHashMap::default(), counts, all: Counts::default() }
    }

    pub fn add_image(&mut self) {
        self.awaiting.push(Vec::new());
    }

    pub fn add_function(&mut self) {
        self.counts.push(Counts::default());
    }

    /// An attempt at an invocation is made: its request is on its way.
    #[inline]
    pub fn request(&mut self, record: InvocationRecord, body: Option<Body>) -> InvocationKey {
        // Made in its place, not moved there.
        self.alive.insert_with_key(|_| LiveInvocation::new(record, body))
    }

    /// Another attempt is made, with what is known of the invocation.
    pub fn request_again(&mut self, attempt: LiveInvocation) -> InvocationKey {
        debug_assert!(matches!(attempt.stage, Stage::Requested), "an attempt that is made anew holds nothing");
        self.alive.insert(attempt)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.alive.len()
    }

    /// An attempt, unless it has ended: an event may come later than that.
    #[inline]
    pub fn get(&self, key: InvocationKey) -> Option<&LiveInvocation> {
        self.alive.get(key)
    }

    /// An attempt to be changed, unless it has ended.
    #[inline]
    pub fn get_mut(&mut self, key: InvocationKey) -> Option<&mut LiveInvocation> {
        self.alive.get_mut(key)
    }

    /// All attempts.
    pub fn iter(&self) -> impl Iterator<Item = (InvocationKey, &LiveInvocation)> {
        self.alive.iter()
    }

    /// How many wait and run, of all functions.
    #[inline]
    pub fn counts(&self) -> Counts {
        self.all
    }

    /// How many wait and run of a function.
    pub fn counts_of(&self, function: FunctionId) -> Counts {
        self.counts[function]
    }

    /// Those that wait for a place.
    #[inline]
    pub fn queue(&self) -> &WaitingQueue {
        &self.queue
    }

    /// Whether somebody waits on a node for an image there.
    pub fn is_bound(&self, node: NodeId, image: ImageId) -> bool {
        self.bound.contains_key(&(node, image))
    }

    /// Whether anybody waits on a node.
    pub fn is_anybody_bound(&self) -> bool {
        !self.bound.is_empty()
    }

    /// The head has processed the request, and asks admission.
    #[inline]
    pub fn submit(&mut self, key: InvocationKey) -> Option<&mut LiveInvocation> {
        let live = self.alive.get_mut(key)?;
        live.stage = Stage::Submitted;
        Some(live)
    }

    /// Admission lets it in.
    #[inline]
    pub fn admit(&mut self, key: InvocationKey) {
        let Some(live) = self.present(key) else { return };
        live.stage = Stage::Admitted;
        let function = live.record.function;
        self.counts[function].waiting += 1;
        self.all.waiting += 1;
    }

    /// It is admitted, and waits for its image to be on the head.
    pub fn await_image(&mut self, key: InvocationKey, image: ImageId) {
        let Some(live) = self.present(key) else { return };
        live.stage = Stage::AwaitsImage(image);
        self.awaiting[image].push(key);
    }

    /// The image is on the head that these have waited for, in the order of coming.
    pub fn image_is_here(&mut self, image: ImageId) -> Vec<InvocationKey> {
        let keys = std::mem::take(&mut self.awaiting[image]);
        for key in &keys {
            if let Some(live) = self.present(*key) {
                live.stage = Stage::Admitted;
            }
        }
        keys
    }

    /// It takes a place in the queue, behind those of its rank.
    pub fn enqueue(&mut self, mut waiting: Waiting, rank: u64) {
        waiting.turn = Turn { rank, number: self.turns };
        self.turns += 1;
        if let Some(live) = self.present(waiting.key) {
            live.turn = waiting.turn;
        }
        self.put_back(waiting);
    }

    /// It stands in the queue at its turn, as before.
    pub fn put_back(&mut self, waiting: Waiting) {
        let Some(live) = self.present(waiting.key) else { return };
        live.stage = Stage::Queued;
        self.queue.insert(waiting);
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

    fn no_longer_queued(&mut self, key: InvocationKey) {
        if let Some(live) = self.alive.get_mut(key).filter(|live| matches!(live.stage, Stage::Queued)) {
            live.stage = Stage::Admitted;
        }
    }

    /// It waits on a node for its image, with what it is promised there.
    pub fn bind(&mut self, key: InvocationKey, promise: Promise, image: ImageId) {
        let node = promise.node();
        let Some(live) = self.present(key) else { return };
        live.stage = Stage::Bound { promise, image };
        self.bound.entry((node, image)).or_default().push(key);
    }

    /// Those that have waited on a node for an image there, with what they were promised, in the order of coming.
    pub fn unbind(&mut self, node: NodeId, image: ImageId) -> Vec<(InvocationKey, Promise)> {
        let keys = self.bound.remove(&(node, image)).unwrap_or_default();
        let promise = |key: InvocationKey| {
            let live = self.alive.get_mut(key)?;
            match std::mem::replace(&mut live.stage, Stage::Admitted) {
                Stage::Bound { promise, .. } => Some((key, promise)),
                stage => {
                    live.stage = stage;
                    None
                }
            }
        };
        keys.into_iter().filter_map(promise).collect()
    }

    /// The images that somebody waits for on a node, in order.
    pub fn images_awaited_on(&self, node: NodeId) -> Vec<ImageId> {
        let mut images: Vec<ImageId> =
            self.bound.keys().filter(|(on, _)| *on == node).map(|(_, image)| *image).collect();
        images.sort_unstable();
        images
    }

    /// It has a container and a core.
    #[inline]
    pub fn hold(&mut self, key: InvocationKey, occupied: Occupied) -> Option<&mut LiveInvocation> {
        let Some(live) = self.alive.get_mut(key) else {
            debug_assert!(false, "an attempt that gets a container is under way");
            return None;
        };
        debug_assert!(live.stage.waits(), "{:?} gets a container", live.stage);
        live.stage = Stage::Held(occupied);
        let counts = &mut self.counts[live.record.function];
        counts.waiting -= 1;
        counts.running += 1;
        self.all.waiting -= 1;
        self.all.running += 1;
        Some(live)
    }

    /// It leaves whatever stage it is in, and has ended. What it held of the cluster is given back.
    pub fn leave(&mut self, key: InvocationKey) -> Left {
        let Some(live) = self.alive.get_mut(key) else { return Left::Nothing };
        let (stage, function) = (std::mem::replace(&mut live.stage, Stage::Ended), live.record.function);
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
                let turn = live.turn;
                self.queue.take_out(key, function, turn);
                Left::Nothing
            }
            Stage::Bound { promise, image } => {
                self.bound.entry((promise.node(), image)).or_default().retain(|other| *other != key);
                Left::Promised(promise)
            }
            Stage::Held(occupied) => {
                self.counts[function].running -= 1;
                self.all.running -= 1;
                Left::Occupied(occupied)
            }
        }
    }

    /// All that wait or are delayed leave, as if each did; gives them, and what they were promised.
    pub fn empty(&mut self) -> (Vec<InvocationKey>, Vec<Promise>) {
        let of_head = |live: &LiveInvocation| live.stage.waits() || matches!(live.stage, Stage::Delayed);
        let keys: Vec<InvocationKey> =
            self.alive.iter().filter(|(_, live)| of_head(live)).map(|(key, _)| key).collect();
        self.queue.clear();
        self.awaiting.iter_mut().for_each(Vec::clear);
        self.bound.clear();
        let mut promises = Vec::new();
        for key in &keys {
            if let Some(live) = self.alive.get_mut(*key)
                && let Stage::Bound { promise, .. } = std::mem::replace(&mut live.stage, Stage::Ended)
            {
                promises.push(promise);
            }
        }
        self.all.waiting = 0;
        self.counts.iter_mut().for_each(|counts| counts.waiting = 0);
        (keys, promises)
    }

    /// Forgets an attempt, which has left.
    #[inline]
    pub fn remove(&mut self, key: InvocationKey) -> Option<LiveInvocation> {
        let ended = self.alive.remove(key)?;
        debug_assert!(matches!(ended.stage, Stage::Ended), "{:?} is forgotten", ended.stage);
        Some(ended)
    }

    /// Forgets all attempts, at the end of the simulation.
    pub fn drain(&mut self) -> impl Iterator<Item = LiveInvocation> {
        self.alive.drain().map(|(_, live)| live)
    }

    /// An attempt that a caller knows to be under way.
    #[inline]
    fn present(&mut self, key: InvocationKey) -> Option<&mut LiveInvocation> {
        let live = self.alive.get_mut(key);
        debug_assert!(live.is_some(), "an attempt that moves on is under way");
        live
    }
}

impl LiveInvocation {
    /// Where it stands.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Its container and core, while it has them.
    #[inline]
    pub fn occupied(&self) -> Option<&Occupied> {
        if let Stage::Held(occupied) = &self.stage { Some(occupied) } else { None }
    }

    /// The head has not heard of it, and it is not the first attempt.
    pub fn is_between_attempts(&self) -> bool {
        matches!(self.stage, Stage::Requested) && self.attempt > 1
    }

    /// Its place in the queue, once it has had one.
    pub fn turn(&self) -> Turn {
        self.turn
    }

    /// Admission has put it off.
    pub fn delay(&mut self) {
        self.delays += 1;
        self.stage = Stage::Delayed;
    }

    /// It has ended, in this way, and why.
    pub fn end(&mut self, outcome: Outcome, failure: Rc<str>, now: SimTime) {
        self.record.outcome = outcome;
        self.record.failure = Some(failure);
        self.record.finished_at = Some(now);
    }
}
