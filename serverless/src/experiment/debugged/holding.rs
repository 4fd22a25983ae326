//! Whether a condition holds after an event.

use hearth_policy_api::ContainerChange;

use super::Debugged;
use super::condition::{Condition, Milestone, Node};
use crate::decisions::Decision;
use crate::invocation::InvocationRecord;
use crate::node::NodeId;
use crate::service::Service;

impl Debugged {
    /// Whether a condition holds now: what happens holds after the event in which it did.
    pub fn holds(&mut self, condition: &Condition) -> bool {
        self.is_so(&condition.root)
    }

    fn is_so(&mut self, node: &Node) -> bool {
        match node {
            Node::Any(parts) => parts.iter().any(|part| self.is_so(part)),
            Node::All(parts) => parts.iter().all(|part| self.is_so(part)),
            Node::Not(part) => !self.is_so(part),
            Node::Measured(quantity, comparison, number) => comparison.holds(self.measure(*quantity), *number),
            Node::Stands(node, condition) => {
                self.with_service(|service| service.condition_of(NodeId(*node)) == *condition)
            }
            Node::Invocation(number, milestone) => self.has_come_to(*number, *milestone),
            Node::Start { is_cold, function } => {
                let change = if *is_cold { ContainerChange::Starting } else { ContainerChange::Taken };
                self.has_become(change, *function, None)
            }
            Node::Eviction { function, node } => self.has_become(ContainerChange::Evicted, *function, *node),
            Node::Latency(comparison, nanos, function) => self.has_ended(*function, |record| {
                let latency = record.requested_at.zip(record.finished_at).map(|(from, to)| to.since(from));
                latency.is_some_and(|latency| comparison.holds(latency.as_nanos(), *nanos))
            }),
            Node::EndedAs(outcome, function) => self.has_ended(*function, |record| record.outcome == *outcome),
            Node::Answered(slot, word) => {
                let calls = self.calls.look();
                let of_slot = |call: &&Decision| slot.is_none_or(|slot| slot == call.slot);
                calls.recent().iter().filter(of_slot).any(|call| call.is_told_by(word))
            }
        }
    }

    fn with_service<T>(&mut self, look: impl FnOnce(&mut Service) -> T) -> T {
        self.experiment.simulation.with_model_mut(|model, _| look(model.service()))
    }

    /// Whether that has become of a container in the last event.
    fn has_become(&self, change: ContainerChange, function: Option<u32>, node: Option<u32>) -> bool {
        self.calls.look().containers().iter().any(|event| {
            event.change == change
                && function.is_none_or(|function| function == event.function)
                && node.is_none_or(|node| node == event.node)
        })
    }

    /// Whether such an invocation has ended in the last event.
    fn has_ended(&self, function: Option<u32>, is_it: impl Fn(&InvocationRecord) -> bool) -> bool {
        let of_function =
            |record: &&InvocationRecord| function.is_none_or(|function| function == record.function.number());
        self.ended.iter().filter(of_function).any(is_it)
    }

    fn has_come_to(&mut self, number: u64, milestone: Milestone) -> bool {
        if let Some(record) = self.ended.iter().find(|record| record.invocation == number) {
            return has_passed(record, milestone);
        }
        let (now, has_ended) = (self.experiment.simulation.now(), self.numbers_ended.contains(&number));
        self.with_service(|service| match service.attempt_at(number) {
            Some(key) => service.attempts().get(key).is_some_and(|attempt| {
                let record = &attempt.record;
                record.requested_at.is_some_and(|date| date <= now)
                    && milestone != Milestone::Ended
                    && has_passed(record, milestone)
            }),
            None if !has_ended => false,
            None => {
                let mut kept = service.books().recorder.iter().flat_map(|recorder| recorder.kept());
                kept.any(|record| record.invocation == number && has_passed(record, milestone))
            }
        })
    }
}

fn has_passed(record: &InvocationRecord, milestone: Milestone) -> bool {
    match milestone {
        Milestone::Requested => record.requested_at.is_some(),
        Milestone::Submitted => record.submitted_at.is_some(),
        Milestone::Dispatched => record.dispatched_at.is_some(),
        Milestone::Started => record.started_at.is_some(),
        Milestone::Ended => true,
    }
}
