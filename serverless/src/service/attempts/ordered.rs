//! The invocations that wait for a policy which looks at everybody in each round: one list in the order of turns.

use std::collections::{BTreeSet, VecDeque};

use hearth_policy_api::RequestView;

use super::attempt::AttemptKey;
use super::queue::{Turn, Waiting};
use crate::function::FunctionId;
use crate::table::Identifier;

/// The list. An invocation that leaves leaves a gap, so that positions hold during a round.
#[derive(Debug, Default)]
pub(crate) struct OrderedQueue {
    places: VecDeque<Place>,
    /// What policies see of those who stand there: a list of its own, to be shown as it is.
    requests: VecDeque<RequestView>,
    /// How many have been taken off the front since the gaps were noted.
    taken_off: usize,
    /// The positions of gaps, counted with those who were taken off the front; some may be among these.
    gaps: Vec<usize>,
    /// How many wait, by function.
    of_function: Vec<usize>,
    /// The functions of which somebody waits.
    functions: BTreeSet<FunctionId>,
    waiting: usize,
}

/// A place in the list.
#[derive(Clone, Copy, Debug)]
struct Place {
    turn: Turn,
    key: AttemptKey,
    /// It is a gap.
    is_gap: bool,
}

impl OrderedQueue {
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// The functions of which somebody waits, by ascending number.
    pub fn functions(&self) -> &BTreeSet<FunctionId> {
        &self.functions
    }

    /// Tells of each function of which somebody waits: how many, and what policies see of the first.
    pub fn for_each_function(&self, mut tell: impl FnMut(FunctionId, u64, &RequestView)) {
        let mut left = self.functions.clone();
        for position in 0..self.end() {
            let Some((_, request)) = self.at(position) else { continue };
            let function = FunctionId(request.function);
            if left.remove(&function) {
                tell(function, self.of_function.get(function.position()).map_or(0, |count| *count as u64), request);
            }
            if left.is_empty() {
                break;
            }
        }
    }

    pub fn insert(&mut self, waiting: Waiting) {
        let Waiting { turn, function, key, request } = waiting;
        let place = Place { turn, key, is_gap: false };
        if self.places.back().is_none_or(|last| last.turn < turn) {
            self.places.push_back(place);
            self.requests.push_back(request);
        } else {
            self.close_all_gaps();
            let position = self.places.partition_point(|place| place.turn < turn);
            self.places.insert(position, place);
            self.requests.insert(position, request);
        }
        self.waiting += 1;
        let function_position = function.position();
        if self.of_function.len() <= function_position {
            self.of_function.resize(function_position + 1, 0);
        }
        let of_function = &mut self.of_function[function_position];
        *of_function += 1;
        if *of_function == 1 {
            self.functions.insert(function);
        }
    }

    /// One past the last position.
    pub fn end(&self) -> usize {
        self.places.len()
    }

    /// Who stands at a position, and what policies see of it, unless it has left.
    #[inline]
    pub fn at(&self, position: usize) -> Option<(AttemptKey, &RequestView)> {
        let place = self.places.get(position).filter(|place| !place.is_gap)?;
        Some((place.key, self.requests.get(position)?))
    }

    /// The invocation at a position, unless it has left.
    pub fn get(&self, position: usize) -> Option<Waiting> {
        let (key, request) = self.at(position)?;
        Some(Waiting { turn: self.places[position].turn, ..Waiting::new(key, *request) })
    }

    pub fn remove(&mut self, position: usize) {
        if let Some(place) = self.places.get_mut(position)
            && !std::mem::replace(&mut place.is_gap, true)
        {
            self.gaps.push(self.taken_off + position);
            self.waiting -= 1;
            let function = FunctionId(self.requests[position].function);
            let of_function = &mut self.of_function[function.position()];
            *of_function -= 1;
            if *of_function == 0 {
                self.functions.remove(&function);
            }
        }
    }

    /// Takes out an invocation, wherever it stands; false if it is not there.
    pub fn take_out(&mut self, key: AttemptKey, turn: Turn) -> bool {
        let position = self.places.partition_point(|place| place.turn < turn);
        let is_there = self.places.get(position).is_some_and(|place| place.key == key && !place.is_gap);
        if is_there {
            self.remove(position);
        }
        is_there
    }

    /// Closes gaps, once positions need not hold any more: those in front, and all once they are more than who waits.
    pub fn close_gaps(&mut self) {
        while self.places.front().is_some_and(|place| place.is_gap) {
            self.places.pop_front();
            self.requests.pop_front();
            self.taken_off += 1;
        }
        if self.gaps.len() > self.waiting + 16 {
            self.close_all_gaps();
        }
    }

    /// Closes all gaps.
    pub fn close_all_gaps(&mut self) {
        const FEW: usize = 8;
        let mut gaps = std::mem::take(&mut self.gaps);
        gaps.retain(|gap| *gap >= self.taken_off);
        if gaps.len() <= FEW {
            gaps.sort_unstable();
            for gap in gaps.drain(..).rev() {
                self.places.remove(gap - self.taken_off);
                self.requests.remove(gap - self.taken_off);
            }
        } else {
            let mut places = self.places.iter();
            self.requests.retain(|_| places.next().is_some_and(|place| !place.is_gap));
            self.places.retain(|place| !place.is_gap);
            gaps.clear();
        }
        self.taken_off = 0;
        self.gaps = gaps;
    }

    /// Closes all gaps and lays the requests out side by side, as [`Self::requests`] shows them.
    pub fn straighten(&mut self) {
        self.close_all_gaps();
        if !self.requests.as_slices().1.is_empty() {
            // With as much room behind them as they take, this is seldom to be done again.
            self.requests.reserve(self.requests.len());
            self.requests.make_contiguous();
        }
    }

    /// All requests by position, once the list has been [straightened](Self::straighten).
    pub fn requests(&self) -> &[RequestView] {
        debug_assert!(self.requests.len() == self.waiting && self.requests.as_slices().1.is_empty());
        self.requests.as_slices().0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use slotmap::SlotMap;

    use super::*;

    fn waiting(number: u64, function: u32, keys: &mut SlotMap<AttemptKey, ()>) -> Waiting {
        let request = RequestView { invocation: number, function, ..RequestView::default() };
        Waiting { turn: Turn { rank: 0, number }, ..Waiting::new(keys.insert(()), request) }
    }

    fn order(queue: &OrderedQueue) -> Vec<u64> {
        (0..queue.end()).filter_map(|position| queue.get(position)).map(|entry| entry.turn.number).collect()
    }

    #[test]
    fn one_that_is_put_back_stands_at_its_old_place() {
        let (mut queue, mut keys) = (OrderedQueue::default(), SlotMap::with_key());
        [1, 2, 4].into_iter().for_each(|turn| queue.insert(waiting(turn, 0, &mut keys)));
        queue.remove(1);
        queue.insert(waiting(3, 1, &mut keys));
        queue.insert(waiting(0, 1, &mut keys));
        assert_eq!(order(&queue), [0, 1, 3, 4]);
        assert_eq!(queue.len(), 4);
    }

    #[test]
    fn the_gaps_that_many_leave_are_closed() {
        let (mut queue, mut keys) = (OrderedQueue::default(), SlotMap::with_key());
        (0..100).for_each(|turn| queue.insert(waiting(turn, 0, &mut keys)));
        (1..99).for_each(|position| queue.remove(position));
        queue.close_gaps();
        assert_eq!((queue.end(), queue.len()), (2, 2));
        assert_eq!(order(&queue), [0, 99]);
    }

    /// What can happen to the queue.
    #[derive(Clone, Debug)]
    enum Step {
        Comes { rank: u64, function: u32 },
        Leaves(usize),
        IsTakenOut(usize),
        RoundEnds,
        RoundOfAllBegins,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (prop::sample::select(vec![5_u64, 5, 5, 2]), 0..4_u32).prop_map(|(rank, function)| Step::Comes { rank, function }),
            3 => any::<usize>().prop_map(Step::Leaves),
            1 => any::<usize>().prop_map(Step::IsTakenOut),
            1 => Just(Step::RoundEnds),
            1 => Just(Step::RoundOfAllBegins),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_sorted_list(steps in proptest::collection::vec(step(), 0..300)) {
            let (mut queue, mut keys, mut list) = (OrderedQueue::default(), SlotMap::with_key(), Vec::<Waiting>::new());
            for (number, step) in (0..).zip(steps) {
                match step {
                    Step::Comes { rank, function } => {
                        let mut waiting = waiting(number, function, &mut keys);
                        waiting.turn.rank = rank;
                        queue.insert(waiting);
                        list.push(waiting);
                        list.sort_by_key(|waiting| waiting.turn);
                    }
                    Step::Leaves(which) if queue.end() > 0 => {
                        let position = which % queue.end();
                        if let Some(left) = queue.get(position) {
                            list.retain(|waiting| waiting.key != left.key);
                        }
                        queue.remove(position);
                    }
                    Step::IsTakenOut(which) if !list.is_empty() => {
                        let out = list.remove(which % list.len());
                        prop_assert!(queue.take_out(out.key, out.turn));
                        prop_assert!(!queue.take_out(out.key, out.turn));
                    }
                    Step::RoundEnds => queue.close_gaps(),
                    Step::RoundOfAllBegins => {
                        queue.straighten();
                        let requests: Vec<RequestView> = list.iter().map(|waiting| waiting.request).collect();
                        prop_assert_eq!(queue.requests(), requests.as_slice());
                    }
                    Step::Leaves(_) | Step::IsTakenOut(_) => {}
                }
                let all: Vec<Waiting> = (0..queue.end()).filter_map(|position| queue.get(position)).collect();
                prop_assert_eq!(&all, &list);
                prop_assert_eq!(queue.len(), list.len());
                let functions: BTreeSet<FunctionId> = list.iter().map(|waiting| waiting.function).collect();
                prop_assert_eq!(queue.functions(), &functions);
            }
        }
    }
}
