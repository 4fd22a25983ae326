//! The event queue: events by `(date, rank, order of scheduling)`, with O(1) cancellation and timers that are set and
//! cleared over and over.
//!
//! Events at one date fire in the order they were scheduled, those of [`Rank::Late`] after all others. An event that nobody
//! will take back lies in the agenda itself; one that somebody may, in a slot, of which the agenda has the number. A *timer*
//! stands in the agenda at the date it was set to first, and looks there whether it has been set to a later one since, or
//! cleared: setting and clearing it again costs a few stores, however often.

mod agenda;

use std::cmp::Ordering;

use self::agenda::Agenda;
use crate::time::SimTime;

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

/// Names a timer of an [`EventQueue`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerId(u32);

/// A queue of events of type `E`, by date.
///
/// ```
/// use hearth_simcore::queue::{EventQueue, Rank};
/// use hearth_simcore::time::SimTime;
/// let mut queue = EventQueue::new();
/// let at = SimTime::from_nanos(5);
/// queue.schedule(at, Rank::Late, "last");
/// queue.schedule(at, Rank::Normal, "first");
/// let cancelled = queue.schedule_cancellable(at, Rank::Normal, "never");
/// assert_eq!(queue.cancel(cancelled), Some("never"));
/// assert_eq!(queue.cancel(cancelled), None);
/// assert_eq!(queue.pop(), Some((at, "first")));
/// assert_eq!(queue.pop(), Some((at, "last")));
/// assert_eq!(queue.pop(), None);
/// ```
#[derive(Debug)]
pub struct EventQueue<E> {
    agenda: Agenda<E>,
    slots: Vec<Slot<E>>,
    free_slots: Vec<u32>,
    timers: Vec<Timer<E>>,
    free_timers: Vec<u32>,
    scheduled: u64,
    /// How many events are scheduled.
    live: usize,
    /// Entries of the agenda that stand for nothing any more.
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
struct Timer<E> {
    date: SimTime,
    /// Of the event that it is set for.
    order: u64,
    /// Of the entry that stands for it in the agenda, which is due no later than the event.
    entry: u64,
    entry_date: SimTime,
    event: Option<E>,
}

const LATE: u64 = 1 << 63;
/// The order of no event.
const NONE: u64 = u64::MAX;

#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    date: SimTime,
    /// The number of the scheduling, with the highest bit set for late events.
    order: u64,
    what: What<E>,
}

/// What an entry of the agenda stands for.
#[derive(Clone, Copy, Debug)]
enum What<E> {
    /// An event that is not taken back.
    Event(E),
    /// The event in a slot, if it is still there.
    Slot(u32),
    /// A timer, at the date that it had or at an earlier one.
    Timer(u32),
}

impl<E> Entry<E> {
    fn key(&self) -> u128 {
        (u128::from(self.date.as_nanos()) << 64) | u128::from(self.order)
    }
}

/// The earlier, the greater: heaps have their greatest on top.
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}
impl<E> PartialOrd for Entry<E> {
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
impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl<E> Eq for Entry<E> {}

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
            free_slots: Vec::new(),
            timers: Vec::new(),
            free_timers: Vec::new(),
            scheduled: 0,
            live: 0,
            stale: 0,
            sole: None,
        }
    }

    /// Schedules an event that will not be taken back.
    #[inline]
    pub fn schedule(&mut self, date: SimTime, rank: Rank, event: E) {
        let order = self.next_order(rank);
        self.live += 1;
        self.agenda.push(Entry { date, order, what: What::Event(event) });
    }

    /// Schedules an event that may be taken back.
    pub fn schedule_cancellable(&mut self, date: SimTime, rank: Rank, event: E) -> EventHandle {
        let order = self.next_order(rank);
        let slot = enter(&mut self.slots, &mut self.free_slots, Slot { order, event: Some(event) });
        self.live += 1;
        self.agenda.push(Entry { date, order, what: What::Slot(slot) });
        EventHandle { order, slot }
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
        self.live += 1;
    }

    /// Makes a timer, which is not set.
    pub fn add_timer(&mut self) -> TimerId {
        let fresh = Timer { date: SimTime::ZERO, order: NONE, entry: NONE, entry_date: SimTime::MAX, event: None };
        TimerId(enter(&mut self.timers, &mut self.free_timers, fresh))
    }

    /// Schedules the event of a timer; one that it was set for before is taken back.
    #[inline]
    pub fn set_timer(&mut self, timer: TimerId, date: SimTime, rank: Rank, event: E) {
        let order = self.next_order(rank);
        let held = &mut self.timers[timer.0 as usize];
        self.live += usize::from(held.order == NONE);
        (held.date, held.order, held.event) = (date, order, Some(event));
        // The entry that stands for it may not come later than the event.
        if (date, order) < (held.entry_date, held.entry) {
            self.stale += usize::from(held.entry != NONE);
            (held.entry, held.entry_date) = (order, date);
            self.agenda.push_timer(Entry { date, order, what: What::Timer(timer.0) });
        }
    }

    /// Takes back the event of a timer; `None` if it was not set, or has fired.
    #[inline]
    pub fn clear_timer(&mut self, timer: TimerId) -> Option<E> {
        let held = &mut self.timers[timer.0 as usize];
        held.order = NONE;
        let event = held.event.take();
        self.live -= usize::from(event.is_some());
        event
    }

    /// Forgets a timer: its name is that of another one from now on.
    pub fn remove_timer(&mut self, timer: TimerId) {
        self.clear_timer(timer);
        let held = &mut self.timers[timer.0 as usize];
        self.stale += usize::from(held.entry != NONE);
        (held.entry, held.entry_date) = (NONE, SimTime::MAX);
        self.free_timers.push(timer.0);
        self.compact();
    }

    /// Takes an event out before it fires; `None` if it has fired or was cancelled.
    pub fn cancel(&mut self, handle: EventHandle) -> Option<E> {
        self.slots.get(handle.slot as usize)?;
        let event = self.leave_if(handle.slot, handle.order)?;
        self.live -= 1;
        self.stale += 1;
        self.compact();
        Some(event)
    }

    /// Whether the event is still to fire.
    pub fn is_scheduled(&self, handle: EventHandle) -> bool {
        self.slots.get(handle.slot as usize).is_some_and(|slot| slot.order == handle.order)
    }

    /// The date of the earliest event.
    pub fn next_date(&mut self) -> Option<SimTime> {
        let entered = loop {
            let Some((entry, whereabouts)) = self.agenda.peek() else { break None };
            if is_due(&self.slots, &self.timers, entry) {
                break Some(entry.date);
            }
            if let Some(Entry { order, what, .. }) = self.agenda.take(whereabouts) {
                self.fire(order, what);
            }
        };
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
    #[inline(always)]
    pub fn pop_until(&mut self, horizon: SimTime) -> Option<(SimTime, E)> {
        loop {
            let Some((entry, whereabouts)) = self.agenda.peek() else { return self.pop_sole(horizon) };
            if let Some((date, order, _)) = &self.sole
                && (*date, *order) < (entry.date, entry.order)
            {
                return self.pop_sole(horizon);
            }
            if entry.date > horizon {
                return None;
            }
            let Entry { date, order, what } = self.agenda.take(whereabouts)?;
            if let Some(event) = self.fire(order, what) {
                self.live -= 1;
                return Some((date, event));
            }
        }
    }

    fn pop_sole(&mut self, horizon: SimTime) -> Option<(SimTime, E)> {
        let (date, _, event) = self.sole.take_if(|(date, ..)| *date <= horizon)?;
        self.live -= 1;
        Some((date, event))
    }

    /// All that is scheduled, the earliest first, with its date: for who looks at a simulation, since it takes as long as there are
    /// events.
    ///
    /// ```
    /// use hearth_simcore::queue::{EventQueue, Rank};
    /// use hearth_simcore::time::SimTime;
    /// let mut queue = EventQueue::new();
    /// queue.schedule(SimTime::from_nanos(7), Rank::Normal, "second");
    /// queue.schedule(SimTime::from_nanos(5), Rank::Normal, "first");
    /// let dates: Vec<_> = queue.pending().iter().map(|(date, event)| (date.as_nanos(), **event)).collect();
    /// assert_eq!((dates, queue.len()), (vec![(5, "first"), (7, "second")], 2));
    /// ```
    pub fn pending(&self) -> Vec<(SimTime, &E)> {
        let of_slots = self.agenda.iter().filter_map(|entry| match &entry.what {
            What::Event(event) => Some((entry.date, entry.order, event)),
            What::Slot(slot) => {
                let slot = self.slots.get(*slot as usize).filter(|slot| slot.order == entry.order)?;
                Some((entry.date, entry.order, slot.event.as_ref()?))
            }
            // At the date that it is set to now.
            What::Timer(_) => None,
        });
        let is_set = |timer: &&Timer<E>| timer.order != NONE;
        let of_timers = self.timers.iter().filter(is_set);
        let of_timers = of_timers.filter_map(|timer| Some((timer.date, timer.order, timer.event.as_ref()?)));
        let sole = self.sole.as_ref().map(|(date, order, event)| (*date, *order, event));
        let mut pending: Vec<_> = of_slots.chain(of_timers).chain(sole).collect();
        pending.sort_unstable_by_key(|(date, order, _)| (*date, *order));
        pending.into_iter().map(|(date, _, event)| (date, event)).collect()
    }

    /// How many events are scheduled.
    pub fn len(&self) -> usize {
        self.live
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

    /// The event of an entry that has been taken out of the agenda; `None` if it has been taken back, or put off.
    #[inline(always)]
    fn fire(&mut self, order: u64, what: What<E>) -> Option<E> {
        match what {
            What::Event(event) => Some(event),
            What::Slot(slot) => {
                let event = self.leave_if(slot, order);
                self.stale -= usize::from(event.is_none());
                event
            }
            What::Timer(timer) => self.fire_timer(timer, order),
        }
    }

    /// Takes the event of an order out of a slot, if it is still there.
    #[inline]
    fn leave_if(&mut self, slot: u32, order: u64) -> Option<E> {
        let held = &mut self.slots[slot as usize];
        if held.order != order {
            return None;
        }
        held.order = NONE;
        self.free_slots.push(slot);
        held.event.take()
    }

    /// The entry of a timer has been taken out: gives the event if that is due, and has another entry stand for one that is
    /// due later.
    fn fire_timer(&mut self, timer: u32, entry: u64) -> Option<E> {
        let held = &mut self.timers[timer as usize];
        if held.entry != entry {
            self.stale -= 1;
            return None;
        }
        (held.entry, held.entry_date) = (NONE, SimTime::MAX);
        if held.order == entry {
            held.order = NONE;
            return held.event.take();
        }
        if held.order != NONE {
            let (date, order) = (held.date, held.order);
            (held.entry, held.entry_date) = (order, date);
            self.agenda.push_timer(Entry { date, order, what: What::Timer(timer) });
        }
        None
    }

    /// Rebuilds the agenda when most of it stands for nothing, so that its size stays within twice what is needed.
    fn compact(&mut self) {
        if self.stale <= 64 || self.stale * 2 <= self.agenda.len() {
            return;
        }
        let mut entries = self.agenda.drain();
        entries.retain(|entry| is_needed(&self.slots, &self.timers, entry));
        for entry in entries {
            match entry.what {
                What::Timer(_) => self.agenda.push_timer(entry),
                What::Event(_) | What::Slot(_) => self.agenda.push(entry),
            }
        }
        self.stale = 0;
    }
}

/// Whether an entry stands for an event that is due at its date.
#[inline]
fn is_due<E>(slots: &[Slot<E>], timers: &[Timer<E>], entry: &Entry<E>) -> bool {
    match entry.what {
        What::Event(_) => true,
        What::Slot(slot) => slots[slot as usize].order == entry.order,
        What::Timer(timer) => timers[timer as usize].order == entry.order,
    }
}

/// Whether an entry stands for something, be it later.
fn is_needed<E>(slots: &[Slot<E>], timers: &[Timer<E>], entry: &Entry<E>) -> bool {
    match entry.what {
        What::Timer(timer) => timers[timer as usize].entry == entry.order,
        What::Event(_) | What::Slot(_) => is_due(slots, timers, entry),
    }
}

/// Puts something into a free place, or a new one.
fn enter<T>(places: &mut Vec<T>, free: &mut Vec<u32>, what: T) -> u32 {
    match free.pop() {
        Some(place) => {
            places[place as usize] = what;
            place
        }
        None => {
            places.push(what);
            places.len() as u32 - 1
        }
    }
}

#[cfg(test)]
mod tests;
