//! What policies that want to are told of the ends of attempts, and of places that came to nothing.

use hearth_policy_api::{Commitment, End, Ending, NONE, Start as StartView};
use hearth_simcore::time::{SimDuration, SimTime};

use super::Service;
use super::attempts::{Attempt, AttemptKey, Stage};
use crate::invocation::{InvocationRecord, Outcome, Start};
use crate::node::{ContainerId, NodeId};

/// Where an attempt was when it ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// In the queue, or on its way there.
    Nowhere,
    /// On a node, where it waited for its image.
    Node(NodeId),
    /// In a container of a node.
    Container {
        node: NodeId,
        container: ContainerId,
        /// Idle containers of the function there, this one included; 0 if it has ended.
        idle: u32,
    },
}

impl Place {
    /// Where an attempt is that was let in and has not ended; `None` for others.
    fn of(attempt: &Attempt) -> Option<Self> {
        match attempt.stage() {
            Stage::Held(occupied) => {
                Some(Self::Container { node: occupied.node(), container: occupied.container(), idle: 0 })
            }
            Stage::Served(seat) => Some(Self::Container { node: seat.node(), container: seat.container(), idle: 0 }),
            Stage::Bound { promise, .. } => Some(Self::Node(promise.node())),
            stage => stage.waits().then_some(Self::Nowhere),
        }
    }
}

/// How an attempt has ended of which the books say this.
fn ending_of(outcome: Outcome) -> Ending {
    match outcome {
        Outcome::Completed => Ending::Completed,
        Outcome::Failed => Ending::Failed,
        Outcome::TimedOut => Ending::TimedOut,
        Outcome::Rejected => Ending::Rejected,
        Outcome::Lost | Outcome::Unfinished => Ending::Lost,
    }
}

/// How long the body of an attempt has run up to now, or up to its end.
pub(super) fn run_time(record: &InvocationRecord, now: SimTime) -> SimDuration {
    record.started_at.map_or(SimDuration::ZERO, |started| record.finished_at.unwrap_or(now) - started)
}

impl Service {
    /// Tells the policies that want to hear what has become of containers.
    #[inline(always)]
    pub(crate) fn tell_of_containers(&mut self) {
        if self.cluster.has_news() {
            self.tell_news_of_containers();
        }
    }

    #[inline(never)]
    fn tell_news_of_containers(&mut self) {
        let Self { cluster, policies, .. } = self;
        cluster.tell_news(|event| policies.tell_of_container(event));
    }

    /// Tells policies that an attempt ends where it stands, if it was let in and its end has not been told before: for use
    /// before it leaves. One whose body had ended when its node was lost ends as its body did.
    pub(super) fn tell_of_end(&mut self, key: AttemptKey, ending: Ending, now: SimTime) {
        if !self.policies.hear_of_ends() {
            return;
        }
        let Some(attempt) = self.attempts.get(key) else { return };
        let Some(place) = Place::of(attempt) else { return };
        let had_ended = attempt.record.finished_at.is_some();
        let ending = if ending == Ending::Lost && had_ended { ending_of(attempt.record.outcome) } else { ending };
        self.tell_of_end_at(key, ending, place, now);
    }

    /// Tells policies that the head has heard of the end of an attempt, whose container is idle now.
    #[inline]
    pub(super) fn tell_of_completion(&mut self, key: AttemptKey, place: Place, now: SimTime) {
        if self.policies.hear_of_ends()
            && let Some(attempt) = self.attempts.get(key)
        {
            self.tell_of_end_at(key, ending_of(attempt.record.outcome), place, now);
        }
    }

    /// Tells node allocation that the node that it answered came to nothing, and that it will be asked again, if its answers
    /// bind.
    pub(super) fn tell_of_requeue(&mut self, key: AttemptKey, node: NodeId, now: SimTime) {
        let rules = self.policies.rules();
        if rules.observes_ends && rules.commitment == Commitment::UntilStarted {
            self.tell_of_end_at(key, Ending::Requeued, Place::Node(node), now);
        }
    }

    pub(super) fn tell_of_end_at(&mut self, key: AttemptKey, ending: Ending, place: Place, now: SimTime) {
        let Some(attempt) = self.attempts.get(key) else { return };
        let record = &attempt.record;
        let (node, container, idle_of_function) = match place {
            Place::Nowhere => (NONE, NONE, 0),
            Place::Node(node) => (node.0, NONE, 0),
            Place::Container { node, container, idle } => (node.0, container.0, idle),
        };
        let is_in_container = matches!(place, Place::Container { .. });
        let end = End {
            now: now.as_nanos(),
            invocation: record.invocation,
            attempt: attempt.number(),
            function: record.function.0,
            node,
            container,
            start: match record.start {
                None => StartView::None,
                Some(Start::Cold) => StartView::Cold,
                Some(Start::Warm) => StartView::Warm,
            },
            ending,
            started_at: record.started_at.map_or(u64::MAX, SimTime::as_nanos),
            run_time: run_time(record, now).as_nanos(),
            ram: if is_in_container { self.registry.function(record.function).limits.ram } else { 0 },
            idle_of_function,
            key: key.as_shown(),
            ..End::default()
        };
        if self.policies.see_history() && ending != Ending::Requeued {
            self.count_end(key, &end, is_in_container);
        }
        self.policies.tell_of_end(&end);
    }
}
