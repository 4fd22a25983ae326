//! One instance, from the wish for it to its end.

use std::collections::VecDeque;

use hearth_simcore::kernel::ActivityId;
use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::SimTime;

use super::fleet::DrawnStart;
use super::routing::Open;
use super::{InstanceKey, Seat};
use crate::cluster::{HeldContainer, Promise};
use crate::function::FunctionId;
use crate::node::{ContainerId, NodeId};
use crate::results::InstanceRecord;
use crate::service::attempts::AttemptKey;

/// An instance of a function.
#[derive(Debug)]
pub(super) struct Instance {
    pub function: FunctionId,
    /// Older ones have lower numbers.
    pub number: u64,
    pub stage: InstanceStage,
    /// Requests that it serves.
    pub serving: u32,
    /// Requests that wait at it, and since when they were let in.
    pub queue: VecDeque<(AttemptKey, SimTime)>,
    /// When it was wanted.
    pub wanted_at: SimTime,
    /// When it got its place on a node.
    pub placed_at: Option<SimTime>,
    /// When it began to take requests.
    pub ready_at: Option<SimTime>,
    /// When it was told to end.
    pub stopped_at: Option<SimTime>,
    /// How many requests it has begun to serve.
    pub requests: u64,
    /// How many starts have failed in its place, one after the other.
    pub failures: u32,
    pub start: HowStarted,
}

/// How an instance comes to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum HowStarted {
    /// It passes all of a start.
    #[default]
    New,
    /// It takes a paused container.
    Paused,
    /// It is restored from a snapshot.
    Snapshot,
    /// It takes a pod of a pool.
    Pod(FunctionId),
}

impl HowStarted {
    fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Paused => "paused",
            Self::Snapshot => "snapshot",
            Self::Pod(_) => "pod",
        }
    }
}

/// Where an instance stands.
#[derive(Debug)]
pub(super) enum InstanceStage {
    /// The one before it has failed to start: it is begun at a date, which does not keep the simulation going if there is no timer.
    BacksOff(SimTime, Option<EventHandle>),
    /// It looks into the pool of pods at this position.
    Searches(usize, EventHandle),
    /// It waits to be created.
    AwaitsCreation,
    /// It is being created.
    IsCreated(EventHandle),
    /// It has been created, and no node has room for it.
    AwaitsNode,
    /// It waits on a node for its image, with what is kept for it there.
    AwaitsImage(Promise),
    /// It has its place, and waits for the agent of the node.
    AwaitsAgent(HeldContainer),
    /// The agent of the node is at work for it.
    WithAgent(HeldContainer, EventHandle),
    /// What it is restored from is read from the disk of its node, and how it goes on then.
    Reads(HeldContainer, ActivityId, DrawnStart),
    /// Its container starts.
    Starts(HeldContainer, EventHandle),
    /// Its container computes what it does before it is up.
    Computes(HeldContainer),
    /// It takes requests.
    Ready(HeldContainer),
    /// It takes no more requests, and ends with its last.
    Stops(HeldContainer),
    /// It has no more requests, and is being removed or paused.
    Leaves(HeldContainer, EventHandle),
    /// It has ended.
    Ended,
}

impl Instance {
    /// An instance that is wanted from now on.
    pub fn new(function: FunctionId, number: u64, now: SimTime) -> Self {
        let (stage, queue) = (InstanceStage::AwaitsCreation, VecDeque::new());
        Self {
            function,
            number,
            stage,
            serving: 0,
            queue,
            wanted_at: now,
            placed_at: None,
            ready_at: None,
            stopped_at: None,
            requests: 0,
            failures: 0,
            start: HowStarted::New,
        }
    }

    /// How many requests are at it.
    pub fn load(&self) -> u32 {
        self.serving + self.queue.len() as u32
    }

    /// As a router knows it.
    pub fn as_open(&self, key: InstanceKey) -> Open {
        Open { number: self.number, key }
    }

    /// Its container, once it has its place.
    pub fn held(&self) -> Option<&HeldContainer> {
        match &self.stage {
            InstanceStage::AwaitsAgent(held)
            | InstanceStage::WithAgent(held, _)
            | InstanceStage::Reads(held, ..)
            | InstanceStage::Starts(held, _)
            | InstanceStage::Computes(held)
            | InstanceStage::Ready(held)
            | InstanceStage::Stops(held)
            | InstanceStage::Leaves(held, _) => Some(held),
            InstanceStage::BacksOff(..)
            | InstanceStage::Searches(..)
            | InstanceStage::AwaitsCreation
            | InstanceStage::IsCreated(_)
            | InstanceStage::AwaitsNode
            | InstanceStage::AwaitsImage(_)
            | InstanceStage::Ended => None,
        }
    }

    /// Where it is, once that has been decided.
    pub fn node(&self) -> Option<NodeId> {
        match &self.stage {
            InstanceStage::AwaitsImage(promise) => Some(promise.node()),
            _ => self.held().map(HeldContainer::node),
        }
    }

    /// Whether it takes no more requests, and has none.
    #[cfg(test)]
    pub fn has_no_request_left(&self) -> bool {
        matches!(self.stage, InstanceStage::Stops(_)) && self.load() == 0
    }

    /// What has come of it up to now.
    pub fn record(&self) -> InstanceRecord {
        InstanceRecord {
            number: self.number,
            function: self.function.number(),
            start: self.start.name(),
            node: self.node().map(|node| node.0),
            wanted_at: self.wanted_at,
            placed_at: self.placed_at,
            ready_at: self.ready_at,
            stopped_at: self.stopped_at,
            ended_at: None,
            requests: self.requests,
            why: None,
        }
    }

    /// Whether it takes requests.
    pub fn is_ready(&self) -> bool {
        matches!(self.stage, InstanceStage::Ready(_))
    }

    /// Whether it is to take requests and does not yet.
    pub fn is_starting(&self) -> bool {
        use InstanceStage::{Ended, Leaves, Ready, Stops};
        !matches!(self.stage, Ready(_) | Stops(_) | Leaves(..) | Ended)
    }

    /// A place in it, for a request that it serves.
    pub fn seat(&self, key: InstanceKey) -> Option<Seat> {
        let place = self.held().map(|held| (held.node(), held.id()));
        place.map(|(node, container): (NodeId, ContainerId)| Seat { node, container, instance: key })
    }
}
