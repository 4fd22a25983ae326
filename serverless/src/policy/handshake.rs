//! How the thread of a simulation shows which call to a policy it is in, and how another thread stops it there for good.
//!
//! # Why no call is both left and seized
//! All is said by one word: the number of the call, what it is (nothing between calls), and whether it is seized. The
//! simulation alone begins a call (a store) and leaves it (a swap); the watchdog alone seizes one (a compare-and-exchange
//! with the word that it has seen). The changes of one word have one order, in which a swap and an exchange come right
//! after the word that they read. No two calls have the same word, so an exchange that succeeds stands between the
//! beginning of that call and its end: the swap that leaves reads the mark, and the simulation stays. If it has left
//! before, the word is another and the exchange fails. Nothing hangs on how long anybody waits.
//!
//! What the simulation wrote before a call is there for who seizes the call: the store releases, the exchange acquires.
//! Leaving orders nothing, since who leaves a call that is seized touches nothing any more, and who does not seize has
//! nothing to read. A test has `loom` try all the orders that the memory model allows.

use std::sync::atomic::{AtomicU64, Ordering};

/// The word as the machine has it, or a model of it.
pub(super) trait Word {
    /// What the thread that begins and leaves calls wrote last.
    fn written(&self) -> u64;
    fn load(&self, order: Ordering) -> u64;
    fn store(&self, word: u64, order: Ordering);
    fn swap(&self, word: u64, order: Ordering) -> u64;
    /// Whether the word was `seen` and is `new` now.
    fn exchange(&self, seen: u64, new: u64, order: Ordering) -> bool;
}

impl Word for AtomicU64 {
    #[inline(always)]
    fn written(&self) -> u64 {
        self.load(Ordering::Relaxed)
    }

    fn load(&self, order: Ordering) -> u64 {
        self.load(order)
    }

    #[inline(always)]
    fn store(&self, word: u64, order: Ordering) {
        self.store(word, order);
    }

    #[inline(always)]
    fn swap(&self, word: u64, order: Ordering) -> u64 {
        self.swap(word, order)
    }

    fn exchange(&self, seen: u64, new: u64, order: Ordering) -> bool {
        self.compare_exchange(seen, new, order, Ordering::Relaxed).is_ok()
    }
}

const SEIZED: u64 = 1 << 16;
const NUMBER: u64 = 1 << 17;

/// The word that both sides look at.
#[derive(Debug, Default)]
#[repr(transparent)]
pub(super) struct Handshake<W = AtomicU64>(W);

/// A call that lasts until it is ended. Where an exception takes the stack away instead, as one of C++ that nobody catches, it lasts
/// on: that is what others are to see.
#[must_use]
pub(super) struct Lasting<'a, W: Word = AtomicU64> {
    handshake: &'a Handshake<W>,
    /// What the word becomes.
    between: u64,
}

/// A call that another thread has seen to last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seen(u64);

impl Seen {
    /// What [`Handshake::begin`] was told.
    pub(super) fn what(self) -> u16 {
        self.0 as u16
    }

    /// Which one it is, of all calls.
    pub(super) fn number(self) -> u64 {
        self.0 / NUMBER
    }
}

impl<W: Word> Handshake<W> {
    /// The simulation begins a call; `what` it is must not be 0.
    #[inline(always)]
    pub fn begin(&self, what: u16) -> Lasting<'_, W> {
        // Of a call that was not left, only the number counts.
        let between = (self.0.written() & !(NUMBER - 1)) + NUMBER;
        self.0.store(between | u64::from(what), Ordering::Release);
        Lasting { handshake: self, between }
    }

    /// The call that lasts and is nobody's yet, as far as another thread can see.
    pub fn look(&self) -> Option<Seen> {
        let word = self.0.load(Ordering::Relaxed);
        (word as u16 != 0 && word & SEIZED == 0).then_some(Seen(word))
    }

    /// The call that lasts, though somebody may keep it.
    pub fn look_at_any(&self) -> Option<Seen> {
        let word = self.0.load(Ordering::Relaxed);
        (word as u16 != 0).then_some(Seen(word & !SEIZED))
    }

    /// Keeps the simulation in this call for good; false if it has left, or if somebody else keeps it. What it wrote before can be read now, and it
    /// neither reads nor writes any more but in the call itself.
    pub fn seize(&self, seen: Seen) -> bool {
        self.0.exchange(seen.0, seen.0 | SEIZED, Ordering::Acquire)
    }
}

impl<W: Word> Lasting<'_, W> {
    /// Leaves the call; true if it is seized: then the thread must not go on.
    #[inline(always)]
    fn leave(&mut self) -> bool {
        self.handshake.0.swap(self.between, Ordering::Relaxed) & SEIZED != 0
    }
}

impl<W: Word> Lasting<'_, W> {
    /// The call has come back.
    #[inline(always)]
    pub fn end(mut self) {
        if self.leave() {
            stay();
        }
    }
}

/// Does nothing until the process ends.
#[cold]
fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    /// A word of which `loom` tries the orders. It forgets that another thread has looked at a word once this one reads it,
    /// and then tries no other order of the two, so what a thread wrote itself is kept beside it.
    #[derive(Default)]
    struct Modelled {
        word: loom::sync::atomic::AtomicU64,
        written: std::sync::atomic::AtomicU64,
    }

    impl Word for Modelled {
        fn written(&self) -> u64 {
            self.written.load(Ordering::Relaxed)
        }

        fn load(&self, order: Ordering) -> u64 {
            self.word.load(order)
        }

        fn store(&self, word: u64, order: Ordering) {
            self.written.store(word, Ordering::Relaxed);
            self.word.store(word, order);
        }

        fn swap(&self, word: u64, order: Ordering) -> u64 {
            self.written.store(word, Ordering::Relaxed);
            self.word.swap(word, order)
        }

        fn exchange(&self, seen: u64, new: u64, order: Ordering) -> bool {
            self.word.compare_exchange(seen, new, order, Ordering::Relaxed).is_ok()
        }
    }

    /// What lies between the two: `loom` ends a model in which two threads could touch the books at once.
    #[derive(Default)]
    struct Shared {
        handshake: Handshake<Modelled>,
        books: UnsafeCell<()>,
        /// What is written in the books.
        entries: loom::sync::atomic::AtomicU64,
    }

    impl Shared {
        fn write(&self) {
            self.books.with_mut(|_| ());
            self.entries.store(self.entries.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }

        /// Between two entries a call with the number of the entries so far.
        fn simulate(&self) {
            for call in 1..=3 {
                self.write();
                // One that is ended stays for good, which no model comes to the end of.
                let mut lasting = self.handshake.begin(call);
                if lasting.leave() {
                    return;
                }
            }
            self.write();
        }
    }

    #[test]
    fn the_books_are_taken_from_who_stands_still_and_from_nobody_else() {
        static SEIZED_ONCE: AtomicBool = AtomicBool::new(false);
        static MISSED_ONCE: AtomicBool = AtomicBool::new(false);
        loom::model(|| {
            let shared = Arc::new(Shared::default());
            let simulated = Arc::clone(&shared);
            let simulation = thread::spawn(move || simulated.simulate());
            if let Some(seen) = shared.handshake.look() {
                if shared.handshake.seize(seen) {
                    shared.books.with_mut(|_| ());
                    let entries = shared.entries.load(Ordering::Relaxed);
                    assert_eq!(entries, u64::from(seen.what()), "what was written before the call is there");
                    SEIZED_ONCE.store(true, Ordering::Relaxed);
                } else {
                    MISSED_ONCE.store(true, Ordering::Relaxed);
                }
            }
            simulation.join().unwrap();
        });
        assert!(SEIZED_ONCE.load(Ordering::Relaxed) && MISSED_ONCE.load(Ordering::Relaxed), "both come to pass");
    }
}
