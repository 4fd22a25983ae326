//! What is to happen, the earliest first: a ring of buckets for the near future, and a heap for what lies behind it.
//!
//! Time is cut into buckets so wide that about two events fall due in one, by what fell due lately, and the ring has two for
//! each event that is pending, timers apart: by Little's law that is several times as far as events are scheduled ahead on the
//! average. To enter an event and to take it out costs the same however many there are, as long as it lies in the ring; each
//! bucket is sorted when its time has come. (R. Brown, "Calendar queues", CACM 31(10), 1988, is the idea; here the ring never has
//! to hold all.)

use std::cmp::Reverse;

use dary_heap::QuaternaryHeap;
use slab::Slab;

use super::{Entry, What};
use crate::time::SimTime;

/// So many events are to fall due in a bucket.
const PER_BUCKET: u64 = 2;
const FEWEST_BUCKETS: usize = 256;
const MOST_BUCKETS: usize = 1 << 16;
/// After how many entries that have been taken out the buckets are looked at again, at the least.
const SPELL: usize = 1024;
/// No more entries than this are kept sorted while others come between them.
const MOST_CURRENT: usize = 64;

/// The place of no entry.
const NOTHING: u32 = u32::MAX;

/// Where the earliest entry is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whereabouts {
    Near,
    Far,
}

/// Entries by date and order.
#[derive(Debug)]
pub(super) struct Agenda<E> {
    near: Ring<E>,
    /// What lay behind the ring when it was entered.
    far: QuaternaryHeap<Entry<E>>,
    /// The date of the earliest of these.
    far_date: SimTime,
    /// How many of these were put there.
    put_behind: usize,
    /// The date of the last entry that was taken out.
    now: SimTime,
    /// How many have been taken out since the buckets were chosen, and the date then.
    taken: usize,
    since: SimTime,
}

impl<E> Agenda<E> {
    /// Without entries.
    pub fn new() -> Self {
        let (now, since) = (SimTime::ZERO, SimTime::ZERO);
        Self {
            near: Ring::new(),
            far: QuaternaryHeap::new(),
            far_date: SimTime::MAX,
            put_behind: 0,
            now,
            taken: 0,
            since,
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.near.len + self.far.len()
    }

    /// Takes an entry in. Hardly ever is it earlier than the last that was taken out, if that was for an event that was
    /// cancelled.
    #[inline]
    pub fn push(&mut self, entry: Entry<E>) {
        if self.near.is_empty_now() {
            self.near.catch_up(self.now);
        }
        match self.near.place(entry.date) {
            Place::Bucket(place) => self.near.push(place, entry),
            Place::Current => self.near.insert(entry),
            Place::Behind => self.push_far(entry),
        }
    }

    /// Takes in the entry of a timer, which is likely to be put off: the ring is for what happens.
    pub fn push_timer(&mut self, entry: Entry<E>) {
        self.put_behind += 1;
        self.push_far(entry);
    }

    fn push_far(&mut self, entry: Entry<E>) {
        self.far_date = self.far_date.min(entry.date);
        self.far.push(entry);
    }

    /// The earliest entry, and where it is.
    #[inline(always)]
    pub fn peek(&mut self) -> Option<(&Entry<E>, Whereabouts)> {
        match self.near.peek() {
            Some(near) if near.date < self.far_date => Some((near, Whereabouts::Near)),
            near => first_of(near, self.far.peek()),
        }
    }

    /// Takes out the entry that is the earliest, which has been looked at.
    #[inline(always)]
    pub fn take(&mut self, whereabouts: Whereabouts) -> Option<Entry<E>> {
        let entry = match whereabouts {
            Whereabouts::Near => self.near.pop(),
            Whereabouts::Far => self.pop_far(),
        }?;
        self.now = entry.date;
        self.taken += 1;
        if self.taken >= SPELL && self.taken >= self.near.len {
            self.choose_buckets();
        }
        Some(entry)
    }

    fn pop_far(&mut self) -> Option<Entry<E>> {
        let entry = self.far.pop();
        let is_timer = entry.as_ref().is_some_and(|entry| matches!(entry.what, What::Timer(_)));
        self.put_behind -= usize::from(is_timer);
        self.far_date = self.far.peek().map_or(SimTime::MAX, |far| far.date);
        entry
    }

    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry<E>> {
        self.near.iter().chain(&self.far)
    }

    /// Takes out all entries, in no order.
    pub fn drain(&mut self) -> Vec<Entry<E>> {
        (self.far_date, self.put_behind) = (SimTime::MAX, 0);
        let mut entries = std::mem::take(&mut self.far).into_vec();
        self.near.drain_into(&mut entries);
        entries
    }

    /// Chooses width and number of the buckets by what has fallen due lately and what is pending, if that is far from what
    /// they are.
    #[cold]
    fn choose_buckets(&mut self) {
        let gap = self.now.since(self.since).as_nanos() / self.taken as u64;
        (self.taken, self.since) = (0, self.now);
        let shift = gap.saturating_mul(PER_BUCKET).max(1).ilog2();
        let buckets = (2 * (self.len() - self.put_behind)).next_power_of_two().clamp(FEWEST_BUCKETS, MOST_BUCKETS);
        if self.near.is_like(shift, buckets) {
            return;
        }
        let mut entries = Vec::with_capacity(self.near.len);
        self.near.drain_into(&mut entries);
        self.near.rebuild(shift, buckets);
        entries.into_iter().for_each(|entry| self.push(entry));
    }
}

/// The earlier of two entries.
fn first_of<'a, E>(near: Option<&'a Entry<E>>, far: Option<&'a Entry<E>>) -> Option<(&'a Entry<E>, Whereabouts)> {
    match (near, far) {
        (Some(near), Some(far)) if far.key() < near.key() => Some((far, Whereabouts::Far)),
        (Some(near), _) => Some((near, Whereabouts::Near)),
        (None, far) => far.map(|far| (far, Whereabouts::Far)),
    }
}

/// Where an entry goes.
enum Place {
    /// In the bucket at this place.
    Bucket(usize),
    /// Among those of the current bucket.
    Current,
    /// Behind the ring.
    Behind,
}

/// Buckets of the near future.
#[derive(Debug)]
struct Ring<E> {
    /// The bucket of a number lies at the remainder of that: the place of its first entry, or nothing.
    buckets: Vec<u32>,
    /// Each entry with the place of the next of its bucket. All lie here, so that little memory is in use however many buckets
    /// there are.
    entries: Slab<(Entry<E>, u32)>,
    /// Which buckets have entries, a bit each.
    occupied: Vec<u64>,
    /// A bucket is two to this many nanoseconds wide.
    shift: u32,
    /// The number of the current bucket. All in the ring lie behind it, and less than a round.
    number: u64,
    /// The entries of the current bucket and of those before it, the earliest last.
    current: Vec<Entry<E>>,
    len: usize,
}

impl<E> Ring<E> {
    fn new() -> Self {
        let (buckets, occupied) = (vec![NOTHING; FEWEST_BUCKETS], vec![0; FEWEST_BUCKETS / 64]);
        Self { buckets, entries: Slab::new(), occupied, shift: 20, number: 0, current: Vec::new(), len: 0 }
    }

    /// Whether no entry of the current bucket is left.
    #[inline(always)]
    fn is_empty_now(&self) -> bool {
        self.current.is_empty()
    }

    /// Where an entry of a date goes.
    #[inline(always)]
    fn place(&self, date: SimTime) -> Place {
        let number = date.as_nanos() >> self.shift;
        let mask = self.buckets.len() - 1;
        if number > self.number {
            if number - self.number > mask as u64 { Place::Behind } else { Place::Bucket(number as usize & mask) }
        } else if self.current.len() >= MOST_CURRENT {
            Place::Behind
        } else {
            Place::Current
        }
    }

    #[inline(always)]
    fn push(&mut self, place: usize, entry: Entry<E>) {
        let next = self.buckets[place];
        self.buckets[place] = self.entries.insert((entry, next)) as u32;
        self.occupied[place / 64] |= 1 << (place % 64);
        self.len += 1;
    }

    fn insert(&mut self, entry: Entry<E>) {
        let position = self.current.partition_point(|other| other.key() > entry.key());
        self.current.insert(position, entry);
        self.len += 1;
    }

    /// Has the ring begin no earlier than it must: with the bucket before that of a date before which nothing is.
    #[inline]
    fn catch_up(&mut self, now: SimTime) {
        let before = (now.as_nanos() >> self.shift).saturating_sub(1);
        if self.len == 0 || before > self.number {
            self.number = before;
        }
    }

    #[inline(always)]
    fn peek(&mut self) -> Option<&Entry<E>> {
        if self.current.is_empty() && self.len > 0 {
            self.advance();
        }
        self.current.last()
    }

    /// All entries, in no order.
    fn iter(&self) -> impl Iterator<Item = &Entry<E>> {
        self.current.iter().chain(self.entries.iter().map(|(_, (entry, _))| entry))
    }

    /// Takes out the earliest entry, which has been looked at before.
    #[inline(always)]
    fn pop(&mut self) -> Option<Entry<E>> {
        let entry = self.current.pop()?;
        self.len -= 1;
        Some(entry)
    }

    /// Goes on to the next bucket that has entries.
    fn advance(&mut self) {
        let mask = self.buckets.len() - 1;
        let first = (self.number as usize).wrapping_add(1) & mask;
        let Some(place) = self.next_occupied(first).or_else(|| self.next_occupied(0)) else { return };
        self.number += 1 + (place.wrapping_sub(first) & mask) as u64;
        self.occupied[place / 64] &= !(1 << (place % 64));
        let mut next = std::mem::replace(&mut self.buckets[place], NOTHING);
        while let Some((entry, after)) = self.entries.try_remove(next as usize) {
            self.current.push(entry);
            next = after;
        }
        if self.current.len() > 1 {
            self.current.sort_unstable_by_key(|entry| Reverse(entry.key()));
        }
    }

    /// The first place with entries from a place on.
    fn next_occupied(&self, from: usize) -> Option<usize> {
        let mut word = from / 64;
        let mut bits = self.occupied.get(word)? & (u64::MAX << (from % 64));
        while bits == 0 {
            word += 1;
            bits = *self.occupied.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }

    /// Whether the buckets are nearly such.
    fn is_like(&self, shift: u32, buckets: usize) -> bool {
        let have = self.buckets.len();
        shift.abs_diff(self.shift) <= 1 && buckets <= 2 * have && have <= 4 * buckets
    }

    /// Other buckets, without entries.
    fn rebuild(&mut self, shift: u32, buckets: usize) {
        self.shift = shift;
        self.buckets = vec![NOTHING; buckets];
        self.occupied = vec![0; buckets / 64];
    }

    fn drain_into(&mut self, entries: &mut Vec<Entry<E>>) {
        entries.append(&mut self.current);
        entries.extend(self.entries.drain().map(|(entry, _)| entry));
        self.buckets.fill(NOTHING);
        self.occupied.fill(0);
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BinaryHeap;

    use proptest::prelude::*;

    use super::*;

    /// How far ahead entries are pushed: from nothing to hours, or all at one date.
    fn ahead() -> impl Strategy<Value = u64> {
        (0..44u32, any::<u64>()).prop_map(|(bits, random)| if bits < 4 { 0 } else { random & ((1 << bits) - 1) })
    }

    /// What is pushed, and how many are taken out then, and whether time goes on with these.
    fn steps() -> impl Strategy<Value = Vec<(Vec<u64>, usize, bool)>> {
        let step = (proptest::collection::vec(ahead(), 0..40), 0..40usize, prop::bool::weighted(0.9));
        proptest::collection::vec(step, 1..200)
    }

    proptest! {
        #[test]
        fn takes_out_in_the_order_of_a_heap(steps in steps(), burst in 0..3000u64) {
            let (mut agenda, mut heap) = (Agenda::new(), BinaryHeap::new());
            let (mut now, mut order) = (0, 0);
            let mut all = steps;
            // Enough of one distance that the buckets are chosen anew.
            all.insert(0, ((0..burst).map(|number| number * 1_000).collect(), 0, true));
            all.push((Vec::new(), usize::MAX, true));
            for (pushed, taken, goes_on) in all {
                for ahead in pushed {
                    let entry = Entry { date: SimTime::from_nanos(now + ahead), order, what: What::Event(()) };
                    order += 1;
                    agenda.push(entry);
                    heap.push(entry);
                }
                for _ in 0..taken {
                    prop_assert_eq!(agenda.len(), heap.len());
                    let expected = heap.pop();
                    let first = agenda.peek().map(|(entry, whereabouts)| (*entry, whereabouts));
                    prop_assert_eq!(first.map(|(entry, _)| entry), expected);
                    let Some((entry, whereabouts)) = first else { break };
                    agenda.take(whereabouts);
                    now = if goes_on { entry.date.as_nanos() } else { now };
                }
            }
            prop_assert_eq!(agenda.len(), 0);
        }
    }

    /// The ring holds what is pending where all is scheduled about as far ahead, whatever that is.
    #[test]
    fn what_is_pending_lies_in_the_ring() {
        for (pending, gap) in [(100, 1_000_000_000), (5_000, 20), (50_000, 3_000)] {
            let mut agenda = Agenda::new();
            let entry = |number: u64| {
                let date = SimTime::from_nanos(number * gap + number * 7919 % gap);
                Entry { date, order: number, what: What::Event(()) }
            };
            (0..pending).for_each(|number| agenda.push(entry(number)));
            for number in pending..pending + 200_000 {
                if let Some((_, whereabouts)) = agenda.peek() {
                    agenda.take(whereabouts);
                }
                agenda.push(entry(number));
            }
            assert_eq!((agenda.far.len(), agenda.len()), (0, pending as usize), "{pending} pending, {gap} ns apart");
            let near = &agenda.near;
            let in_bucket = |first: &u32| {
                std::iter::successors(near.entries.get(*first as usize), |(_, next)| near.entries.get(*next as usize))
                    .count()
            };
            let fullest = near.buckets.iter().map(in_bucket).max();
            assert!(fullest.is_some_and(|entries| entries <= 12), "{fullest:?} in a bucket");
        }
    }
}
