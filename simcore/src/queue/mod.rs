//! The event queue: events by `(date, rank, order of scheduling)`, with O(1) cancellation and lanes.
//!
//! Events at one date fire in the order they were scheduled, those of [`Rank::Late`] after all others. A *lane* holds
//! timers of one constant length: they fall due in the order they were set, so a lane is a FIFO of which only the front
//! stands in the agenda, and a timer that is cancelled before it comes to the front never costs more than its place there.
//! Events of timers lie in their lane, all others in slots, of which the agenda has the numbers.

mod agenda;

use std::cmp::Ordering;
use std::collections::VecDeque;

use self::agenda::Agenda;
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
    /// Its slot, or the number of the timer in its lane.
    place: u32,
    lane: u32,
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
    agenda: Agenda,
    slots: Vec<Slot<E>>,
    free: Vec<u32>,
    lanes: Vec<Lane<E>>,
    /// Timers in lanes that were not cancelled.
    in_lanes: usize,
    scheduled: u64,
    /// Entries of the agenda whose event was cancelled.
    stale: usize,
    /// The event of [`EventQueue::schedule_sole`].
    sole: Option<(SimTime, u64, E)>,
}

#[derive(Debug)]
struct Slot<E> {
    /// Of the event that it holds; no two events have the same.
    order: u64,
    event: Option<E>,
}

#[derive(Debug)]
struct Lane<E> {
    length: SimDuration,
    rank: Rank,
    /// All timers of the lane that have not been popped; the front one is also in the agenda.
    timers: VecDeque<Timer<E>>,
    /// The number of the front one; numbers begin anew after the last.
    first: u32,
}

#[derive(Debug)]
struct Timer<E> {
    date: SimTime,
    order: u64,
    /// None if it was cancelled.
    event: Option<E>,
}

impl<E> Lane<E> {
    /// The timer of a number, if it is still the one of that order.
    fn find(&self, handle: EventHandle) -> Option<usize> {
        let position = handle.place.wrapping_sub(self.first) as usize;
        let timer = self.timers.get(position)?;
        (timer.order == handle.order && timer.event.is_some()).then_some(position)
    }
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
    /// Where its event is, if it is not of a lane.
    slot: u32,
    /// The lane of which it is the front.
    lane: u32,
}

impl Entry {
    fn key(&self) -> u128 {
        (u128::from(self.date.as_nanos()) << 64) | u128::from(self.order)
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
            agenda: Agenda::new(),
            slots: Vec::new(),
            free: Vec::new(),
            lanes: Vec::new(),
            in_lanes: 0,
            scheduled: 0,
            stale: 0,
            sole: None,
        }
    }

    /// Schedules an event.
    pub fn schedule(&mut self, date: SimTime, rank: Rank, event: E) -> EventHandle {
        let order = self.next_order(rank);
        let slot = self.enter(order, event);
        self.agenda.push(Entry { date, order, slot, lane: NO_LANE });
        EventHandle { order, place: slot, lane: NO_LANE }
    }

    /// Schedules the one event that may stand outside the agenda, which costs less: for a stream of events
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
        self.lanes.push(Lane { length, rank, timers: VecDeque::new(), first: 0 });
        LaneId(self.lanes.len() as u32 - 1)
    }

    /// Schedules an event at `now` plus the length of the lane. `now` must not go back between calls.
    pub fn schedule_in_lane(&mut self, lane: LaneId, now: SimTime, event: E) -> EventHandle {
        let order = self.next_order(self.lanes[lane.0 as usize].rank);
        let Lane { length, timers, first, .. } = &mut self.lanes[lane.0 as usize];
        let date = now + *length;
        let place = first.wrapping_add(timers.len() as u32);
        if timers.is_empty() {
            self.agenda.push(Entry { date, order, slot: 0, lane: lane.0 });
        }
        timers.push_back(Timer { date, order, event: Some(event) });
        self.in_lanes += 1;
        EventHandle { order, place, lane: lane.0 }
    }

    /// Takes an event out before it fires; `None` if it has fired or was cancelled.
    pub fn cancel(&mut self, handle: EventHandle) -> Option<E> {
        let (event, is_entered) = match self.lanes.get_mut(handle.lane as usize) {
            Some(lane) => {
                let position = lane.find(handle)?;
                self.in_lanes -= 1;
                (lane.timers[position].event.take(), position == 0)
            }
            None => {
                self.slots.get(handle.place as usize)?;
                (Some(self.leave_if(handle.place, handle.order)?), true)
            }
        };
        if is_entered {
            self.stale += 1;
            self.compact();
        }
        event
    }

    /// Whether the event is still to fire.
    pub fn is_scheduled(&self, handle: EventHandle) -> bool {
        match self.lanes.get(handle.lane as usize) {
            Some(lane) => lane.find(handle).is_some(),
            None => self.slots.get(handle.place as usize).is_some_and(|slot| slot.order == handle.order),
        }
    }

    /// The date of the earliest event.
    pub fn next_date(&mut self) -> Option<SimTime> {
        while let Some((&entry, whereabouts)) = self.agenda.peek()
            && !self.is_live(&entry)
        {
            self.agenda.take(whereabouts, entry.date);
            self.drop_stale(entry.lane);
        }
        let entered = self.agenda.peek().map(|(entry, _)| entry.date);
        match (&self.sole, entered) {
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
        loop {
            let Some((entry, whereabouts)) = self.agenda.peek() else { return self.pop_sole(horizon) };
            if let Some((date, order, _)) = &self.sole
                && (*date, *order) < (entry.date, entry.order)
            {
                return self.pop_sole(horizon);
            }
            let Entry { date, order, slot, lane } = *entry;
            if date > horizon {
                return None;
            }
            self.agenda.take(whereabouts, date);
            let event = if lane == NO_LANE { self.leave_if(slot, order) } else { self.advance_lane(lane) };
            match event {
                Some(event) => return Some((date, event)),
                // It was cancelled.
                None => self.stale -= 1,
            }
        }
    }

    fn pop_sole(&mut self, horizon: SimTime) -> Option<(SimTime, E)> {
        let (date, _, event) = self.sole.take_if(|(date, ..)| *date <= horizon)?;
        Some((date, event))
    }

    /// How many events are scheduled.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len() + self.in_lanes + usize::from(self.sole.is_some())
    }

    /// Whether no event is scheduled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn next_order(&mut self, rank: Rank) -> u64 {
        let late = if rank == Rank::Late { LATE } else { 0 };
        let order = self.scheduled | late;
        self.scheduled += 1;
        order
    }

    /// Puts an event into a slot.
    fn enter(&mut self, order: u64, event: E) -> u32 {
        let filled = Slot { order, event: Some(event) };
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = filled;
                slot
            }
            None => {
                self.slots.push(filled);
                self.slots.len() as u32 - 1
            }
        }
    }

    /// Takes the event of an order out of a slot, if it is still there.
    #[inline]
    fn leave_if(&mut self, slot: u32, order: u64) -> Option<E> {
        if self.slots[slot as usize].order == order { self.leave(slot) } else { None }
    }

    fn leave(&mut self, slot: u32) -> Option<E> {
        let held = &mut self.slots[slot as usize];
        held.order = NONE;
        self.free.push(slot);
        held.event.take()
    }

    #[inline]
    fn is_live(&self, entry: &Entry) -> bool {
        if entry.lane == NO_LANE {
            return self.slots[entry.slot as usize].order == entry.order;
        }
        let front = self.lanes[entry.lane as usize].timers.front();
        front.is_some_and(|timer| timer.event.is_some())
    }

    /// Takes the front timer off its lane, and puts the next one that was not cancelled into the agenda. Gives the event of the
    /// one that it took off.
    fn advance_lane(&mut self, lane: u32) -> Option<E> {
        let Lane { timers, first, .. } = self.lanes.get_mut(lane as usize)?;
        let front = timers.pop_front()?;
        *first = first.wrapping_add(1);
        while let Some(next) = timers.front() {
            if next.event.is_some() {
                self.agenda.push(Entry { date: next.date, order: next.order, slot: 0, lane });
                break;
            }
            timers.pop_front();
            *first = first.wrapping_add(1);
        }
        self.in_lanes -= usize::from(front.event.is_some());
        front.event
    }

    /// An entry has been taken out whose event was cancelled. A front of a lane still stands for it: the timers behind it are
    /// due no earlier.
    fn drop_stale(&mut self, lane: u32) {
        self.stale -= 1;
        self.advance_lane(lane);
    }

    /// Rebuilds the agenda when most of it is cancelled, so that its size stays within twice the live events.
    fn compact(&mut self) {
        if self.stale <= 64 || self.stale * 2 <= self.agenda.len() {
            return;
        }
        let entries = self.agenda.drain();
        let (live, stale): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| self.is_live(entry));
        live.into_iter().for_each(|entry| self.agenda.push(entry));
        self.stale = 0;
        stale.into_iter().for_each(|entry| drop(self.advance_lane(entry.lane)));
    }
}

#[cfg(test)]
mod tests;
