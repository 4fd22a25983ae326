//! How long calls into policies take, in real time: all calls of a policy that is slow are timed, of one that is fast a share, so that
//! the clock does not cost more than the policy.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::PolicySlot;

/// One call of so many is timed where calls are short.
const SHARE: u64 = 64;
/// Calls are short below this.
const SHORT: u64 = 20_000;

/// How much real time the policies in a slot have taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PolicyTime {
    /// The slot.
    pub slot: PolicySlot,
    /// How often they were called.
    pub calls: u64,
    /// How long that took in all, as measured of a share of the calls.
    pub time: Duration,
}

/// Counts calls and times some of them.
#[derive(Debug, Default)]
pub(super) struct Spent {
    calls: Cell<u64>,
    nanos: Cell<u64>,
    /// A call is timed when its number has none of these bits.
    untimed: Cell<u64>,
}

impl Spent {
    #[inline(always)]
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let call = self.calls.get();
        self.calls.set(call + 1);
        let begin = (call & self.untimed.get() == 0).then(Instant::now);
        let answer = work();
        if let Some(begin) = begin {
            self.add(begin);
        }
        answer
    }

    /// A call ends that is timed. The first ones, which are often slower than others, count for themselves alone.
    #[cold]
    fn add(&self, begin: Instant) {
        let nanos = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX).saturating_sub(clock());
        let nanos = self.nanos.get().saturating_add(nanos.saturating_mul(self.untimed.get() + 1));
        self.nanos.set(nanos);
        let calls = self.calls.get();
        if calls >= SHARE {
            self.untimed.set(if nanos / calls < SHORT { SHARE - 1 } else { 0 });
        }
    }

    pub fn time(&self, slot: PolicySlot) -> Option<PolicyTime> {
        let calls = self.calls.get();
        (calls > 0).then(|| PolicyTime { slot, calls, time: Duration::from_nanos(self.nanos.get()) })
    }
}

/// How long it takes to look at the clock, in ns.
fn clock() -> u64 {
    static CLOCK: OnceLock<u64> = OnceLock::new();
    *CLOCK.get_or_init(|| {
        let looks = (0..64).map(|_| u64::try_from(Instant::now().elapsed().as_nanos()).unwrap_or(0));
        looks.min().unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn slept(spent: &Spent, calls: u64, pause: Duration) {
        (0..calls).for_each(|_| spent.during(|| thread::sleep(pause)));
    }

    #[test]
    fn what_is_slow_is_timed_each_time() {
        let spent = Spent::default();
        slept(&spent, 100, Duration::from_micros(100));
        let time = spent.time(PolicySlot::Admission).unwrap();
        assert_eq!(time.calls, 100);
        assert!(time.time >= Duration::from_millis(10), "{time:?}");
    }

    #[test]
    fn what_is_fast_is_timed_now_and_then_and_counted_each_time() {
        let spent = Spent::default();
        let mut sum = 0;
        (0..10_000_u64).for_each(|call| spent.during(|| sum = std::hint::black_box(sum + call)));
        assert_eq!((spent.time(PolicySlot::Admission).unwrap().calls, spent.untimed.get()), (10_000, SHARE - 1));
        assert_eq!(Spent::default().time(PolicySlot::Admission), None);
    }
}
