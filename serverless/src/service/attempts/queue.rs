//! The invocations that wait for a place, in the order of turns.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use hearth_policy_api::RequestView;

use super::attempt::AttemptKey;
use super::ordered::OrderedQueue;
use crate::function::FunctionId;
use crate::table::Identifier;

/// A place in the queue; the lower comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Turn {
    /// What the node allocation policy says of the request.
    pub rank: u64,
    /// The earlier an admitted invocation's image was on the head, the lower.
    pub number: u64,
}

/// A waiting invocation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Waiting {
    /// Its place in the queue.
    pub turn: Turn,
    pub function: FunctionId,
    pub key: AttemptKey,
    /// What policies see of it.
    pub request: RequestView,
}

impl Waiting {
    /// An invocation that has no place in the queue yet.
    pub fn new(key: AttemptKey, request: RequestView) -> Self {
        let request = RequestView { key: key.as_shown(), ..request };
        Self { turn: Turn::default(), function: FunctionId(request.function), key, request }
    }
}

/// Those who wait for a place, in the form that suits the policy.
#[derive(Debug)]
pub(crate) enum WaitingQueue {
    /// For policies that decide anew in each round.
    Ordered(OrderedQueue),
    /// For policies whose answers bind.
    ByFunction(FunctionQueues),
}

impl WaitingQueue {
    /// An empty one for policies that decide anew in each round.
    pub fn ordered() -> Self {
        Self::Ordered(OrderedQueue::default())
    }

    /// An empty one for policies whose answers bind.
    pub fn by_function() -> Self {
        Self::ByFunction(FunctionQueues::default())
    }

    pub fn insert(&mut self, waiting: Waiting) {
        match self {
            Self::Ordered(queue) => queue.insert(waiting),
            Self::ByFunction(queues) => queues.insert(waiting),
        }
    }

    /// Takes an invocation out, wherever it stands; false if it is not there.
    pub fn take_out(&mut self, key: AttemptKey, function: FunctionId, turn: Turn) -> bool {
        match self {
            Self::Ordered(queue) => queue.take_out(key, turn),
            Self::ByFunction(queues) => queues.take_out(key, function, turn),
        }
    }

    /// Takes everybody out.
    pub fn clear(&mut self) {
        match self {
            Self::Ordered(_) => *self = Self::ordered(),
            Self::ByFunction(_) => *self = Self::by_function(),
        }
    }

    /// Tells of each function of which somebody waits, in no order that means anything: how many, and what policies see of the first.
    pub fn for_each_function(&self, mut tell: impl FnMut(FunctionId, u64, &RequestView)) {
        match self {
            Self::Ordered(queue) => queue.for_each_function(tell),
            Self::ByFunction(queues) => {
                queues.heads().for_each(|(first, count)| tell(first.function, count as u64, &first.request));
            }
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Ordered(queue) => queue.len(),
            Self::ByFunction(queues) => queues.len(),
        }
    }
}

/// A list for each function, for policies that are asked for the first of each function only: a round costs as much
/// as it places, plus one question for each function that waits.
#[derive(Debug, Default)]
pub(crate) struct FunctionQueues {
    by_function: Vec<VecDeque<Waiting>>,
    /// The first of each function, by turn.
    heads: BTreeMap<Turn, FunctionId>,
    waiting: usize,
}

impl FunctionQueues {
    pub fn len(&self) -> usize {
        self.waiting
    }

    pub fn insert(&mut self, waiting: Waiting) {
        let function = waiting.function.position();
        if self.by_function.len() <= function {
            self.by_function.resize_with(function + 1, VecDeque::new);
        }
        let queue = &mut self.by_function[function];
        let position = queue.partition_point(|entry| entry.turn < waiting.turn);
        if position == 0 {
            if let Some(head) = queue.front() {
                self.heads.remove(&head.turn);
            }
            self.heads.insert(waiting.turn, waiting.function);
        }
        queue.insert(position, waiting);
        self.waiting += 1;
    }

    /// The first of its function that has its turn after `last`.
    pub fn next_head(&self, last: Option<Turn>) -> Option<Waiting> {
        let after = last.map_or(Bound::Unbounded, Bound::Excluded);
        let (_, function) = self.heads.range((after, Bound::Unbounded)).next()?;
        self.by_function[function.position()].front().copied()
    }

    /// The first of each function, in the order of turns, with how many wait of it.
    pub fn heads(&self) -> impl Iterator<Item = (&Waiting, usize)> {
        let queues = self.heads.values().filter_map(|function| self.by_function.get(function.position()));
        queues.filter_map(|queue| Some((queue.front()?, queue.len())))
    }

    /// Takes out an invocation, wherever it stands; false if it is not there.
    pub fn take_out(&mut self, key: AttemptKey, function: FunctionId, turn: Turn) -> bool {
        let Some(queue) = self.by_function.get_mut(function.position()) else { return false };
        let position = queue.partition_point(|entry| entry.turn < turn);
        if queue.get(position).is_none_or(|entry| entry.key != key) {
            return false;
        }
        if position == 0 {
            return self.pop_head(function).is_some();
        }
        self.waiting -= 1;
        queue.remove(position).is_some()
    }

    /// Takes out the first of a function.
    pub fn pop_head(&mut self, function: FunctionId) -> Option<Waiting> {
        let queue = self.by_function.get_mut(function.position())?;
        let head = queue.pop_front()?;
        self.heads.remove(&head.turn);
        if let Some(next) = queue.front() {
            self.heads.insert(next.turn, function);
        }
        self.waiting -= 1;
        Some(head)
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    fn waiting(number: u64, function: u32) -> Waiting {
        let turn = Turn { rank: 0, number };
        let key = SlotMap::<AttemptKey, ()>::with_key().insert(());
        let (function, request) = (FunctionId(function), RequestView::default());
        Waiting { turn, function, key, request }
    }

    #[test]
    fn only_the_first_of_each_function_is_offered() {
        let mut queues = FunctionQueues::default();
        for (turn, function) in [(5, 0), (1, 0), (2, 1), (3, 0)] {
            queues.insert(waiting(turn, function));
        }
        assert_eq!(queues.next_head(None).map(|head| head.turn.number), Some(1));
        assert_eq!(queues.next_head(Some(Turn { rank: 0, number: 1 })).map(|head| head.turn.number), Some(2));
        assert_eq!(queues.next_head(Some(Turn { rank: 0, number: 2 })), None);
        queues.pop_head(FunctionId(0));
        assert_eq!(queues.next_head(Some(Turn { rank: 0, number: 2 })).map(|head| head.turn.number), Some(3));
        assert_eq!(queues.len(), 3);
    }
}
