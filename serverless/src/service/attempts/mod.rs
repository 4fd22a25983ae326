//! All attempts at invocations that are under way. Each stands in exactly one [`Stage`]; it moves on by the methods here,
//! and leaves by one door, which gives back what it held.

mod attempt;
mod busy;
mod execution;
mod invocation;
mod moves;
mod node_queues;
mod ordered;
mod queue;
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;

use hearth_simcore::queue::EventHandle;
use slotmap::SlotMap;

pub(crate) use attempt::{Attempt, AttemptKey};
pub(crate) use busy::BusyWait;
pub(crate) use invocation::{Caller, InvocationKey, LiveInvocation};
pub(crate) use node_queues::NodeWait;
pub(crate) use queue::{Turn, Waiting, WaitingQueue};
pub(crate) use stage::Stage;

use self::busy::BusyWaits;
use self::node_queues::NodeQueues;
use crate::cluster::{Occupied, Promise};
use crate::error::Error;
use crate::function::{Body, FunctionId, ImageId};
use crate::invocation::InvocationRecord;
use crate::node::NodeId;
use crate::service::explain::{Explained, Site};
use crate::service::instances::{InstanceKey, Seat};
use crate::table::Table;

/// How many attempts are in stages of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Admitted, and without a container.
    pub waiting: u64,
    /// With a container.
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
    /// A timer, which is to be cancelled.
    Timer(EventHandle),
    /// Its places in the queues of nodes.
    Stood(NodeWait),
    /// Its container and core.
    Occupied(Occupied),
    /// Its place in an instance.
    Seat(Seat),
    /// Its place in the queue for an instance of a function, or at one.
    Awaited(FunctionId, Option<InstanceKey>),
}

/// An attempt is not where it must be, as this line of the program has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misplaced(&'static Location<'static>);

impl Misplaced {
    #[cold]
    #[track_caller]
    fn here() -> Self {
        debug_assert!(false, "an attempt is not where it must be");
        Self(Location::caller())
    }
}

impl From<Misplaced> for Box<Error> {
    fn from(Misplaced(place): Misplaced) -> Self {
        Box::new(Error::Internal { what: "an attempt at an invocation is not where it must be", place })
    }
}

/// The attempts that are under way.
#[derive(Debug)]
pub(crate) struct Attempts {
    alive: SlotMap<AttemptKey, Attempt>,
    /// What is known of invocations beyond their attempts, where there is something.
    invocations: SlotMap<InvocationKey, LiveInvocation>,
    queue: WaitingQueue,
    /// How many have entered the queue.
    turns: u64,
    /// Who waits for an image to be on the head.
    awaiting: Table<ImageId, Vec<AttemptKey>>,
    /// Who waits on a node for an image there; no list is empty.
    bound: BTreeMap<(NodeId, ImageId), Vec<AttemptKey>>,
    /// Who waits for a busy container.
    busy_waits: BusyWaits,
    /// Who stands in the queues of nodes.
    node_queues: NodeQueues,
    counts: Table<FunctionId, Counts>,
    all: Counts,
    /// How many of those that run are in instances, and hold no core.
    seated: u64,
    /// Who is in a container of each node, in the order of `alive`; only where nodes can fail, or instances crash.
    held_on: Option<Table<NodeId, BTreeSet<AttemptKey>>>,
}

impl Attempts {
    /// None, with the queue that suits the policy.
    pub fn new(queue: WaitingQueue) -> Self {
        Self {
            alive: SlotMap::with_key(),
            invocations: SlotMap::with_key(),
            queue,
            turns: 0,
            awaiting: Table::default(),
            bound: BTreeMap::new(),
            busy_waits: BusyWaits::default(),
            node_queues: NodeQueues::default(),
            counts: Table::default(),
            all: Counts::default(),
            seated: 0,
            held_on: None,
        }
    }

    /// Notes from now on who is in a container of which node. Nobody is yet.
    pub fn note_places(&mut self, nodes: usize) {
        self.held_on.get_or_insert_with(|| vec![BTreeSet::new(); nodes].into());
    }

    /// Who is in a container of a node.
    pub fn held_on(&self, node: NodeId) -> Vec<AttemptKey> {
        self.held_on.as_ref().map_or(Vec::new(), |held_on| held_on[node].iter().copied().collect())
    }

    /// Who is in an instance on a node, in the order of `alive`.
    pub fn in_instance(&self, node: NodeId, instance: InstanceKey) -> Vec<AttemptKey> {
        let is_there = |key: &AttemptKey| {
            self.alive.get(*key).and_then(Attempt::seat).is_some_and(|seat| seat.instance() == instance)
        };
        match &self.held_on {
            Some(held_on) => held_on[node].iter().copied().filter(is_there).collect(),
            None => self.alive.keys().filter(is_there).collect(),
        }
    }

    pub fn add_image(&mut self) {
        self.awaiting.push(Vec::new());
    }

    pub fn add_function(&mut self) {
        self.counts.push(Counts::default());
    }

    /// An attempt at an invocation is made: its request is on its way.
    #[inline]
    pub fn request(&mut self, record: InvocationRecord, body: Option<Body>) -> AttemptKey {
        // Made in its place, not moved there.
        self.alive.insert_with_key(|_| Attempt::new(record, body))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.alive.len()
    }

    /// An attempt, unless it is gone: an event may come later than that.
    #[inline]
    pub fn get(&self, key: AttemptKey) -> Option<&Attempt> {
        self.alive.get(key)
    }

    /// An attempt to be changed, unless it is gone.
    #[inline]
    pub fn get_mut(&mut self, key: AttemptKey) -> Option<&mut Attempt> {
        self.alive.get_mut(key)
    }

    /// An attempt that the caller has been given, and that is therefore under way.
    ///
    /// # Errors
    /// When it is not.
    #[inline]
    #[track_caller]
    pub fn under_way(&self, key: AttemptKey) -> Result<&Attempt, Misplaced> {
        match self.alive.get(key) {
            Some(attempt) => Ok(attempt),
            None => Err(Misplaced::here()),
        }
    }

    /// An attempt that is under way, to be changed.
    ///
    /// # Errors
    /// When it is not.
    #[inline]
    #[track_caller]
    pub fn under_way_mut(&mut self, key: AttemptKey) -> Result<&mut Attempt, Misplaced> {
        match self.alive.get_mut(key) {
            Some(attempt) => Ok(attempt),
            None => Err(Misplaced::here()),
        }
    }

    /// An attempt that was dispatched, and its node.
    ///
    /// # Errors
    /// When it is not under way, or was not dispatched.
    #[inline]
    #[track_caller]
    pub fn dispatched(&self, key: AttemptKey) -> Result<(&Attempt, NodeId), Misplaced> {
        match self.alive.get(key).and_then(|attempt| Some((attempt, attempt.node()?))) {
            Some(dispatched) => Ok(dispatched),
            None => Err(Misplaced::here()),
        }
    }

    /// None is explained any more.
    pub fn explain_nothing(&mut self) {
        self.alive.values_mut().for_each(|attempt| attempt.explained = None);
    }

    /// Where all attempts stand that are explained, and what is known of their time.
    pub fn explain_each(&mut self, mut explain: impl FnMut(&Stage, &mut Explained)) {
        for (stage, explained) in self.alive.values_mut().filter_map(Attempt::explained_mut) {
            explain(stage, explained);
        }
    }

    /// The same for those in a queue in which places are decided anew in each round, for whom an image is brought somewhere.
    pub fn explain_prepared(&mut self, site: Site, mut explain: impl FnMut(&Stage, &mut Explained)) {
        if let WaitingQueue::Ordered(_) = self.queue {
            let all = self.alive.values_mut().filter_map(Attempt::explained_mut);
            all.filter(|(_, explained)| explained.prepared == Some(site))
                .for_each(|(stage, explained)| explain(stage, explained));
        }
    }

    /// Who waits for an image to be on the head.
    pub fn awaiting_image(&self, image: ImageId) -> Vec<AttemptKey> {
        self.awaiting[image].clone()
    }

    /// Who waits on a node for an image there.
    pub fn bound_at(&self, node: NodeId, image: ImageId) -> Vec<AttemptKey> {
        self.bound.get(&(node, image)).cloned().unwrap_or_default()
    }

    /// All attempts.
    pub fn iter(&self) -> impl Iterator<Item = (AttemptKey, &Attempt)> {
        self.alive.iter()
    }

    /// How many wait and run, of all functions.
    #[inline]
    pub fn counts(&self) -> Counts {
        self.all
    }

    /// How many hold a core.
    #[inline]
    pub fn holding_cores(&self) -> u64 {
        self.all.running - self.seated
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

    /// Forgets an attempt, which has left, and its invocation with its last attempt.
    #[inline]
    #[track_caller]
    pub fn remove(&mut self, key: AttemptKey) -> Result<Attempt, Misplaced> {
        let Some(ended) = self.alive.remove(key) else { return Err(Misplaced::here()) };
        if let Some(of) = ended.invocation {
            self.remove_from(of, key);
        }
        debug_assert!(matches!(ended.stage, Stage::Ended), "{:?} is forgotten", ended.stage);
        Ok(ended)
    }

    /// Forgets an attempt, which has left, whatever it was.
    #[inline]
    pub fn forget(&mut self, key: AttemptKey) {
        if let Some(ended) = self.alive.remove(key)
            && let Some(of) = ended.invocation
        {
            self.remove_from(of, key);
        }
    }

    /// Forgets all attempts, at the end of the simulation.
    pub fn drain(&mut self) -> impl Iterator<Item = Attempt> {
        self.alive.drain().map(|(_, attempt)| attempt)
    }
}
