//! One attempt at an invocation.

use std::rc::Rc;

use hearth_simcore::time::SimTime;
use slotmap::{Key, KeyData, new_key_type};

use super::execution::Execution;
use super::invocation::InvocationKey;
use super::{Stage, Turn};
use crate::causes::ColdStart;
use crate::cluster::Occupied;
use crate::function::Body;
use crate::function::call::FunctionError;
use crate::invocation::{InvocationRecord, Outcome};
use crate::node::{ContainerId, Holder, NodeId};
use crate::service::explain::Explained;
use crate::service::instances::Seat;

new_key_type! {
    /// Names an attempt that is under way.
    pub(crate) struct AttemptKey;
}

impl AttemptKey {
    /// What policies name the attempt by.
    pub fn as_shown(self) -> u64 {
        self.data().as_ffi()
    }

    /// The attempt that a policy names; there need not be such a one.
    pub fn named(key: u64) -> Self {
        Self::from(KeyData::from_ffi(key))
    }
}

impl From<AttemptKey> for Holder {
    /// The name by which nodes know who is in a container.
    fn from(key: AttemptKey) -> Self {
        Self(key.data())
    }
}

impl From<Holder> for AttemptKey {
    fn from(Holder(key): Holder) -> Self {
        key.into()
    }
}

/// An attempt at an invocation, on its way.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub record: InvocationRecord,
    pub(super) stage: Stage,
    /// Its place in the queue, once it has had one.
    pub(super) turn: Turn,
    pub delays: u32,
    /// 1 for the first.
    pub(super) number: u32,
    /// A body of its own instead of the function's.
    pub body: Option<Body>,
    /// What it has in common with other attempts, if that is more than nothing.
    pub(super) invocation: Option<InvocationKey>,
    execution: Option<Box<Execution>>,
    /// What its time is spent on; only where a run is explained.
    pub explained: Option<Box<Explained>>,
}

impl Attempt {
    /// The first attempt, which is requested, with a body of its own or its function's.
    #[inline]
    pub(super) fn new(record: InvocationRecord, body: Option<Body>) -> Self {
        Self {
            record,
            stage: Stage::Requested,
            turn: Turn::default(),
            delays: 0,
            number: 1,
            body,
            invocation: None,
            execution: None,
            explained: None,
        }
    }

    /// Another attempt at the same invocation, which is requested.
    pub(super) fn again(&self, number: u32) -> Self {
        let InvocationRecord { invocation, function, requested_at, submitted_at, .. } = self.record;
        let record = InvocationRecord { requested_at, submitted_at, ..InvocationRecord::new(invocation, function) };
        Self { number, invocation: self.invocation, ..Self::new(record, self.body.clone()) }
    }

    /// Which attempt at its invocation it is, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Where it stands and what is known of its time, if it is explained.
    #[inline]
    pub fn explained_mut(&mut self) -> Option<(&Stage, &mut Explained)> {
        let explained = self.explained.as_deref_mut()?;
        Some((&self.stage, explained))
    }

    /// Whether its story is told.
    pub fn is_told(&self) -> bool {
        self.explained.as_ref().is_some_and(|explained| explained.telling.is_some())
    }

    /// Why it starts cold, if it does and that is explained.
    pub fn cold_start(&self) -> Option<ColdStart> {
        self.explained.as_ref().and_then(|explained| explained.causes.cold_start)
    }

    /// Whether more is known of its invocation than it says.
    #[inline]
    pub fn has_more_known(&self) -> bool {
        self.invocation.is_some()
    }

    /// Where it stands.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Its container and core, while it has them.
    #[inline]
    pub fn occupied(&self) -> Option<&Occupied> {
        if let Stage::Held(occupied) = &self.stage { Some(occupied) } else { None }
    }

    /// Its place in an instance, while it has one.
    pub fn seat(&self) -> Option<&Seat> {
        if let Stage::Served(seat) = &self.stage { Some(seat) } else { None }
    }

    /// Where its container is, while it has one.
    #[inline]
    pub fn place(&self) -> Option<(NodeId, ContainerId)> {
        match &self.stage {
            Stage::Held(occupied) => Some((occupied.node(), occupied.container())),
            Stage::Served(seat) => Some((seat.node(), seat.container())),
            _ => None,
        }
    }

    /// Whether it was let in and has no container.
    pub fn waits(&self) -> bool {
        self.stage.waits()
    }

    /// Whether it is in a container, and its body has not ended.
    #[inline]
    pub fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Held(_) | Stage::Served(_)) && self.record.finished_at.is_none()
    }

    /// The head has not heard of it, and it is not the first attempt.
    pub fn is_between_attempts(&self) -> bool {
        matches!(self.stage, Stage::Requested) && self.number > 1
    }

    /// Its place in the queue, once it has had one.
    pub fn turn(&self) -> Turn {
        self.turn
    }

    /// The node that it was dispatched to.
    pub fn node(&self) -> Option<NodeId> {
        self.record.node.map(NodeId)
    }

    /// How far its body is, if that does more than let time pass.
    pub fn execution(&self) -> Option<&Execution> {
        self.execution.as_deref()
    }

    /// How far its body is, to be changed, if that does more than let time pass.
    pub fn execution_if_any(&mut self) -> Option<&mut Execution> {
        self.execution.as_deref_mut()
    }

    /// How far its body is, to be changed; from now on it is one that does more than let time pass.
    pub fn execution_mut(&mut self) -> &mut Execution {
        self.execution.get_or_insert_default()
    }

    /// Its body has failed, and ends as soon as it is told to.
    pub fn fail(&mut self, failure: FunctionError) {
        self.execution_mut().result = Some(Err(failure));
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
