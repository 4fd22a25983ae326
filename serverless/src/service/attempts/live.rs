//! Invocations that have been requested and have not ended.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Waker;

use hearth_simcore::process::Process;
use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::SimTime;
use slotmap::new_key_type;

use super::{Stage, Turn};
use crate::call::{FunctionError, Input, Output};
use crate::function::Body;
use crate::invocation::{InvocationRecord, InvocationState, Outcome, Watched};
use crate::node::NodeId;

new_key_type! {
    /// Names a live invocation.
    pub(crate) struct InvocationKey;
}

/// An invocation on its way.
#[derive(Debug)]
pub(crate) struct LiveInvocation {
    pub record: InvocationRecord,
    pub(super) stage: Stage,
    /// Its place in the queue, once it has had one.
    pub(super) turn: Turn,
    pub delays: u32,
    /// A body of its own instead of the function's.
    pub body: Option<Body>,
    /// Another attempt was made beside it, or it is that one: no third is made.
    pub is_hedged: bool,
    /// Another attempt at the same invocation that is under way.
    pub twin: Option<InvocationKey>,
    /// Where another attempt goes on.
    pub checkpoint: Option<Box<Checkpoint>>,
    /// 1 for the first.
    pub attempt: u32,
    /// An attempt at it was billed.
    pub is_billed: bool,
    run: Option<Box<Run>>,
    pub caller: Option<Box<Caller>>,
}

/// The controller that waits for an invocation.
#[derive(Debug)]
pub(crate) struct Caller {
    /// What it hands to the closure.
    pub input: Input,
    /// What it sees.
    pub watched: Rc<RefCell<Watched>>,
}

/// The execution of a body.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// The position of the current step.
    pub step: usize,
    pub time_limit: Option<EventHandle>,
    pub process: Option<Process<()>>,
    pub storage: PrivateStorage,
    /// Bytes brought in from the registry so far.
    pub ingress: u64,
    /// Bytes sent to the registry so far.
    pub egress: u64,
    /// Transfers of data that the body cannot begin without.
    pub inputs_under_way: u32,
    /// When all of it was there.
    pub ready_at: Option<SimTime>,
    /// How often the node had been down when the body began.
    pub outages: u32,
    /// What the closure returned.
    pub result: Option<Result<Output, FunctionError>>,
}

/// What a body has saved.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    /// The position of the step after it.
    pub step: usize,
    /// Bytes of state in the registry.
    pub bytes: u64,
    storage: PrivateStorage,
    ingress: u64,
    egress: u64,
}

/// The files of an invocation in its container.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrivateStorage {
    /// Few files each: searched from the front.
    files: Vec<(Rc<str>, u64)>,
    pub used: u64,
}

impl PrivateStorage {
    pub fn size_of(&self, file: &str) -> Option<u64> {
        self.files.iter().find(|(name, _)| **name == *file).map(|(_, size)| *size)
    }

    /// What the storage would hold with the file written anew.
    pub fn used_with(&self, file: &str, size: u64) -> u64 {
        (self.used - self.size_of(file).unwrap_or(0)).saturating_add(size)
    }

    pub fn put(&mut self, file: Rc<str>, size: u64) {
        self.used = self.used_with(&file, size);
        match self.files.iter_mut().find(|(name, _)| *name == file) {
            Some((_, held)) => *held = size,
            None => self.files.push((file, size)),
        }
    }
}

impl LiveInvocation {
    /// An invocation that is requested, with a body of its own or its function's.
    #[inline]
    pub fn new(record: InvocationRecord, body: Option<Body>) -> Self {
        Self {
            record,
            stage: Stage::Requested,
            turn: Turn::default(),
            delays: 0,
            body,
            is_hedged: false,
            twin: None,
            checkpoint: None,
            attempt: 1,
            is_billed: false,
            run: None,
            caller: None,
        }
    }

    /// Forgets what came of the last attempt; its record is given anew.
    pub fn start_anew(&mut self) {
        (self.stage, self.turn, self.delays, self.run) = (Stage::Requested, Turn::default(), 0, None);
        (self.is_hedged, self.twin) = (false, None);
        self.attempt += 1;
    }

    /// What has come of its body so far, if that does more than let time pass.
    pub fn run(&self) -> Option<&Run> {
        self.run.as_deref()
    }

    /// The step before this one was a checkpoint: another attempt goes on here.
    pub fn save(&mut self, step: usize, bytes: u64) {
        let run = self.run_mut();
        let (storage, ingress, egress) = (run.storage.clone(), run.ingress, run.egress);
        self.checkpoint = Some(Box::new(Checkpoint { step, bytes, storage, ingress, egress }));
    }

    /// Goes on after the last checkpoint, if there is one; gives the bytes of its state.
    pub fn resume(&mut self) -> Option<u64> {
        let Checkpoint { step, bytes, storage, ingress, egress } = *self.checkpoint.clone()?;
        let run = self.run_mut();
        (run.step, run.storage, run.ingress, run.egress) = (step, storage, ingress, egress);
        Some(bytes)
    }

    /// The same, to be changed.
    pub fn run_mut(&mut self) -> &mut Run {
        self.run.get_or_insert_default()
    }

    /// It has ended: says so to the controller that waits for it.
    pub fn tell_caller(&mut self, now: SimTime) {
        let state = match self.record.outcome {
            Outcome::Completed => InvocationState::Completed,
            Outcome::TimedOut => InvocationState::TimedOut,
            Outcome::Rejected => InvocationState::Rejected,
            Outcome::Failed | Outcome::Lost | Outcome::Unfinished => InvocationState::Failed,
        };
        self.enter(state, self.record.finished_at.unwrap_or(now));
        let output = self.run_mut().result.take().and_then(Result::ok);
        if let Some(caller) = &self.caller {
            let mut watched = caller.watched.borrow_mut();
            watched.done = true;
            watched.failure = self.record.failure.clone();
            watched.output = output;
            watched.waiters.drain(..).for_each(Waker::wake);
        }
    }

    /// The node that it was dispatched to.
    pub fn node(&self) -> Option<NodeId> {
        self.record.node.map(NodeId)
    }

    /// Whether it holds a core, and its body has not ended.
    pub fn is_running(&self) -> bool {
        self.occupied().is_some() && self.record.finished_at.is_none()
    }

    /// Moves on to a state, for those who watch.
    pub fn enter(&self, state: InvocationState, now: SimTime) {
        if let Some(caller) = &self.caller {
            let history = &mut caller.watched.borrow_mut().history;
            if history.last().is_none_or(|(last, _)| *last != state) {
                history.push((state, now));
            }
        }
    }
}
