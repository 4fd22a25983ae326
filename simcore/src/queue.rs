//! The event queue: a 4-ary heap on `(date, rank, order of scheduling)`, with O(1) cancellation and lanes.
//!
//! Events at one date fire in the order they were scheduled, those of [`Rank::Late`] after all others. A *lane* holds
//! timers of one constant length: they fall due in the order they were set, so a lane is a FIFO of which only the front
//! stands in the heap, and a timer that is cancelled before it comes to the front never costs a heap operation.

use std::cmp::Ordering;
use std::collections::VecDeque;

use dary_heap::QuaternaryHeap;

use crate::time::{SimDuration, SimTime};

/// Where an event stands among those of the same date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rank {
    /// In the order of scheduling.
    Normal,
    /// After all normal events of the date, also those that are scheduled at that date itself.
    Late,
}

/// Names a scheduled event, for cancelling it. A handle of an event that has fired or was cancelled is recognised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventHandle {
    order: u64,
    slot: u32,
}

/// Names a lane of an [`EventQueue`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaneId(u32);

/// A queue of events of type `E`, by date.
///
/// ```
/// use hearth_simcore::queue::{EventQueue, Rank};
/// use hearth_simcore::time::SimTime;
/// let mut queue = EventQueue::new();
/// let at = SimTime::from_nanos(5);
/// queue.schedule(at, Rank::Late, "last");
/// queue.schedule(at, Rank::Normal, "first");
/// let cancelled = queue.schedule(at, Rank::Normal, "never");
/// assert_eq!(queue.cancel(cancelled), Some("never"));
/// assert_eq!(queue.cancel(cancelled), None);
/// assert_eq!(queue.pop(), Some((at, "first")));
/// assert_eq!(queue.pop(), Some((at, "last")));
/// assert_eq!(queue.pop(), None);
/// ```
#[derive(Debug)]
pub struct EventQueue<E> {
    heap: QuaternaryHeap<Entry>,
    slots: Vec<Slot<E>>,
    free: Vec<u32>,
    lanes: Vec<Lane>,
    scheduled: u64,
    /// Entries in the heap whose event was cancelled.
    stale: usize,
    /// The event of [`EventQueue::schedule_sole`].
    sole: Option<(SimTime, u64, E)>,
}

#[derive(Debug)]
struct Slot<E> {
    /// Of the event that it holds; no two events have the same.
    order: u64,
    in_heap: bool,
    event: Option<E>,
}

#[derive(Debug)]
struct Lane {
    length: SimDuration,
    rank: Rank,
    /// All timers of the lane that have not been popped; the front one is also in the heap.
    entries: VecDeque<Entry>,
}

const NO_LANE: u32 = u32::MAX;
const LATE: u64 = 1 << 63;
/// The order of no event.
const NONE: u64 = u64::MAX;

#[derive(Clone, Copy, Debug)]
struct Entry {
    date: SimTime,
    /// The number of the scheduling, with the highest bit set for late events.
    order: u64,
    slot: u32,
    lane: u32,
}

impl Entry {
    fn key(&self) -> u128 {
        (u128::from(self.date.as_nanos()) << 64) | u128::from(self.order)
    }

    fn handle(&self) -> EventHandle {
        EventHandle { order: self.order, slot: self.slot }
    }
}

/// The earlier, the greater: heaps have their greatest on top.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    // Heaps compare with `<=` and `<`, which would go through `Ordering` otherwise.
    fn le(&self, other: &Self) -> bool {
        other.key() <= self.key()
    }

    fn lt(&self, other: &Self) -> bool {
        other.key() < self.key()
    }
}
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Entry {}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> EventQueue<E> {
    /// An empty queue.
    pub fn new() -> Self {
        Self {
            heap: QuaternaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            lanes: Vec::new(),
            scheduled: 0,
            stale: 0,
            sole: None,
        }
    }

    /// Schedules an event.
    pub fn schedule(&mut self, date: SimTime, rank: Rank, event: E) -> EventHandle {
        let entry = self.enter(date, rank, event, NO_LANE);
        self.push(entry);
        entry.handle()
    }

    /// Schedules the one event that may stand outside the heap, which costs no heap operation: for a stream of events
    /// each of which schedules the next. One that is there already is scheduled like any other.
    pub fn schedule_sole(&mut self, date: SimTime, event: E) {
        if self.sole.is_some() {
            self.schedule(date, Rank::Normal, event);
            return;
        }
        self.sole = Some((date, self.scheduled, event));
        self.scheduled += 1;
    }

    /// Makes a lane for timers of `length`, all of one rank.
    pub fn add_lane(&mut self, length: SimDuration, rank: Rank) -> LaneId {
        self.lanes.push(Lane { length, rank, entries: VecDeque::new() });
        LaneId(self.lanes.len() as u32 - 1)
    }

    /// Schedules an event at `now` plus the length of the lane. `now` must not go back between calls.
    pub fn schedule_in_lane(&mut self, lane: LaneId, now: SimTime, event: E) -> EventHandle {
        let (length, rank) = (self.lanes[lane.0 as usize].length, self.lanes[lane.0 as usize].rank);
        let entry = self.enter(now + length, rank, event, lane.0);
        let entries = &mut self.lanes[lane.0 as usize].entries;
        entries.push_back(entry);
        if entries.len() == 1 {
            self.push(entry);
        }
        entry.handle()
    }

    /// Takes an event out before it fires; `None` if it has fired or was cancelled.
    pub fn cancel(&mut self, handle: EventHandle) -> Option<E> {
        let slot = self.slots.get(handle.slot as usize)?;
        if slot.order != handle.order {
            return None;
        }
        let in_heap = slot.in_heap;
        let event = self.leave(handle.slot);
        if in_heap {
            self.stale += 1;
            self.compact();
        }
        event
    }

    /// Whether the event is still to fire.
    pub fn is_scheduled(&self, handle: EventHandle) -> bool {
        self.slots.get(handle.slot as usize).is_some_and(|slot| slot.order == handle.order)
    }

    /// The date of the earliest event.
    pub fn next_date(&mut self) -> Option<SimTime> {
        self.drop_stale();
        let in_heap = self.heap.peek().map(|entry| entry.date);
        match (&self.sole, in_heap) {
            (Some((sole, ..)), Some(date)) => Some(date.min(*sole)),
            (Some((sole, ..)), None) => Some(*sole),
            (None, date) => date,
        }
    }

    /// Takes out the earliest event.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        self.pop_until(SimTime::MAX)
    }

    /// Takes out the earliest event, unless it is due after this date.
    pub fn pop_until(&mut self, horizon: SimTime) -> Option<(SimTime, E)> {
        self.drop_stale();
        let top = self.heap.peek().map(|entry| (entry.date, entry.order));
        if let Some((date, order, _)) = self.sole
            && top.is_none_or(|top| (date, order) < top)
        {
            return if date <= horizon { self.sole.take().map(|(date, _, event)| (date, event)) } else { None };
        }
        if top?.0 > horizon {
            return None;
        }
        let entry = self.heap.pop()?;
        if entry.lane != NO_LANE {
            self.advance_lane(entry.lane);
        }
        let event = self.leave(entry.slot)?;
        Some((entry.date, event))
    }

    /// How many events are scheduled.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len() + usize::from(self.sole.is_some())
    }

    /// Whether no event is scheduled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn enter(&mut self, date: SimTime, rank: Rank, event: E, lane: u32) -> Entry {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { order: NONE, in_heap: false, event: None });
            self.slots.len() as u32 - 1
        });
        let late = if rank == Rank::Late { LATE } else { 0 };
        let order = self.scheduled | late;
        self.slots[slot as usize] = Slot { order, in_heap: false, event: Some(event) };
        self.scheduled += 1;
        Entry { date, order, slot, lane }
    }

    fn leave(&mut self, slot: u32) -> Option<E> {
        let held = &mut self.slots[slot as usize];
        held.order = NONE;
        self.free.push(slot);
        held.event.take()
    }

    fn push(&mut self, entry: Entry) {
        self.slots[entry.slot as usize].in_heap = true;
        self.heap.push(entry);
    }

    fn is_live(&self, entry: &Entry) -> bool {
        self.slots[entry.slot as usize].order == entry.order
    }

    /// Takes the front timer off its lane, and puts the next one that was not cancelled into the heap.
    fn advance_lane(&mut self, lane: u32) {
        let Some(lane) = self.lanes.get_mut(lane as usize) else {
            return;
        };
        lane.entries.pop_front();
        while let Some(&next) = lane.entries.front() {
            let slot = &mut self.slots[next.slot as usize];
            if slot.order == next.order {
                slot.in_heap = true;
                self.heap.push(next);
                return;
            }
            lane.entries.pop_front();
        }
    }

    fn drop_stale(&mut self) {
        while let Some(&entry) = self.heap.peek() {
            if self.is_live(&entry) {
                return;
            }
            self.heap.pop();
            self.stale -= 1;
            // A cancelled front still stands for its lane: the timers behind it are due no earlier.
            self.advance_lane(entry.lane);
        }
    }

    /// Rebuilds the heap when most of it is cancelled, so that its size stays within twice the live events.
    fn compact(&mut self) {
        if self.stale <= 64 || self.stale * 2 <= self.heap.len() {
            return;
        }
        let entries = std::mem::take(&mut self.heap).into_vec();
        let (live, stale): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| self.is_live(entry));
        self.heap = live.into();
        self.stale = 0;
        stale.into_iter().for_each(|entry| self.advance_lane(entry.lane));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    #[test]
    fn a_cancelled_front_of_a_lane_does_not_hide_the_timers_behind_it() {
        let mut queue = EventQueue::new();
        let lane = queue.add_lane(SimDuration::from_nanos(10), Rank::Normal);
        let first = queue.schedule_in_lane(lane, at(0), 1);
        let second = queue.schedule_in_lane(lane, at(1), 2);
        queue.schedule_in_lane(lane, at(2), 3);
        queue.cancel(first);
        queue.cancel(second);
        assert_eq!(queue.pop(), Some((at(12), 3)));
        assert_eq!(queue.pop(), None);
        queue.schedule_in_lane(lane, at(20), 4);
        assert_eq!(queue.pop(), Some((at(30), 4)));
    }

    #[test]
    fn many_cancelled_events_do_not_stay_in_the_heap() {
        let mut queue = EventQueue::new();
        for date in 0..10_000 {
            let handle = queue.schedule(at(date), Rank::Normal, date);
            queue.cancel(handle);
        }
        assert!(queue.heap.len() < 200, "{} entries", queue.heap.len());
        assert!(queue.is_empty());
    }

    #[derive(Debug, Clone)]
    enum Step {
        Schedule {
            delay: u64,
            late: bool,
        },
        /// Not to be cancelled.
        Sole {
            delay: u64,
        },
        InLane {
            lane: usize,
        },
        Cancel {
            pick: usize,
        },
        Pop,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..20u64, any::<bool>()).prop_map(|(delay, late)| Step::Schedule { delay, late }),
            2 => (0..20u64).prop_map(|delay| Step::Sole { delay }),
            4 => (0..3usize).prop_map(|lane| Step::InLane { lane }),
            3 => any::<usize>().prop_map(|pick| Step::Cancel { pick }),
            3 => Just(Step::Pop),
        ]
    }

    proptest! {
        /// The queue agrees with a list that is searched for its least (date, rank, order).
        #[test]
        fn pops_in_the_order_of_date_rank_and_scheduling(steps in proptest::collection::vec(step(), 0..400)) {
            let mut queue = EventQueue::new();
            let lanes: Vec<LaneId> = [0, 7, 15].map(|length| {
                queue.add_lane(SimDuration::from_nanos(length), if length == 7 { Rank::Late } else { Rank::Normal })
            }).to_vec();
            let mut model: Vec<(u64, bool, u64, EventHandle)> = Vec::new();
            let mut now = 0;
            for (number, step) in steps.into_iter().enumerate() {
                let number = number as u64;
                match step {
                    Step::Schedule { delay, late } => {
                        let rank = if late { Rank::Late } else { Rank::Normal };
                        let handle = queue.schedule(at(now + delay), rank, number);
                        model.push((now + delay, late, number, handle));
                    }
                    Step::Sole { delay } => {
                        queue.schedule_sole(at(now + delay), number);
                        // A handle that names nothing, so that this is never cancelled.
                        let handle = EventHandle { slot: u32::MAX, order: NONE };
                        model.push((now + delay, false, number, handle));
                    }
                    Step::InLane { lane } => {
                        let handle = queue.schedule_in_lane(lanes[lane], at(now), number);
                        model.push((now + [0, 7, 15][lane], lane == 1, number, handle));
                    }
                    Step::Cancel { pick } if !model.is_empty() => {
                        let pick = pick % model.len();
                        if model[pick].3.slot == u32::MAX {
                            continue;
                        }
                        let (_, _, event, handle) = model.swap_remove(pick);
                        prop_assert_eq!(queue.cancel(handle), Some(event));
                        prop_assert_eq!(queue.cancel(handle), None);
                    }
                    Step::Cancel { .. } => {}
                    Step::Pop => {
                        let least = model.iter().copied().min_by_key(|&(date, late, number, _)| (date, late, number));
                        let expected = least.map(|(date, _, number, _)| (at(date), number));
                        prop_assert_eq!(queue.next_date(), expected.map(|(date, _)| date));
                        prop_assert_eq!(queue.pop(), expected);
                        if let Some((date, number)) = expected {
                            now = date.as_nanos();
                            model.retain(|&(_, _, other, _)| other != number);
                        }
                    }
                }
                prop_assert_eq!(queue.len(), model.len());
            }
        }
    }
}
