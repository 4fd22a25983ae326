//! Something summed up over intervals of simulated time, which become longer as more of it is seen.

use std::collections::VecDeque;

use hearth_simcore::time::{SimDuration, SimTime};

/// Not more intervals than this are kept apart.
const MOST: u64 = 240;

/// Lengths in nanoseconds, each of which divides the next.
const LENGTHS: [u64; 12] = [
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    60_000_000_000,
    600_000_000_000,
    3_600_000_000_000,
    6 * 3_600_000_000_000,
    24 * 3_600_000_000_000,
    7 * 24 * 3_600_000_000_000,
    70 * 24 * 3_600_000_000_000,
];

/// What can be summed up.
pub trait Summed: Clone + Default {
    /// Adds what another one holds.
    fn merge(&mut self, other: &Self);
}

/// Sums over intervals of time, which begin at multiples of their length: a millisecond at first, and longer when there would be more than
/// 240 from the first to the last in which something is.
///
/// ```
/// use hearth_serverless::results::{Intervals, Summed};
/// use hearth_simcore::time::SimTime;
/// #[derive(Clone, Default)]
/// struct Count(u64);
/// impl Summed for Count {
///     fn merge(&mut self, other: &Self) {
///         self.0 += other.0;
///     }
/// }
/// let mut counts = Intervals::<Count>::default();
/// for second in [1700000001.0, 1700000001.5, 1700000012.0] {
///     if let Some(count) = counts.at(SimTime::from_secs_f64(second)) {
///         count.0 += 1;
///     }
/// }
/// assert_eq!(counts.length().as_secs_f64(), 0.1);
/// let found: Vec<(f64, u64)> =
///     counts.all().filter(|(_, count)| count.0 > 0).map(|(begin, count)| (begin.as_secs_f64(), count.0)).collect();
/// assert_eq!(found, [(1700000001.0, 1), (1700000001.5, 1), (1700000012.0, 1)]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Intervals<T> {
    length: usize,
    /// The number of the first one that is held, counted from the begin of time.
    first: u64,
    held: VecDeque<T>,
}

impl<T: Summed> Intervals<T> {
    /// The interval that a date is in; none if it is further than 46 years from another one.
    pub fn at(&mut self, date: SimTime) -> Option<&mut T> {
        loop {
            let number = date.as_nanos() / self.nanos();
            if self.held.is_empty() {
                self.first = number;
            }
            let (first, last) = (self.first.min(number), (self.first + self.held.len() as u64).max(number + 1));
            if last - first <= MOST {
                return self.held_at(number);
            }
            if self.length + 1 == LENGTHS.len() {
                return None;
            }
            self.lengthen();
        }
    }

    fn held_at(&mut self, number: u64) -> Option<&mut T> {
        while number < self.first {
            self.held.push_front(T::default());
            self.first -= 1;
        }
        let position = (number - self.first) as usize;
        if self.held.len() <= position {
            self.held.resize(position + 1, T::default());
        }
        self.held.get_mut(position)
    }

    fn lengthen(&mut self) {
        let before = self.nanos();
        self.length += 1;
        let together = self.nanos() / before;
        let numbered = (self.first..).zip(std::mem::take(&mut self.held));
        self.first /= together;
        for (number, sum) in numbered {
            if let Some(own) = self.held_at(number / together) {
                own.merge(&sum);
            }
        }
    }

    fn nanos(&self) -> u64 {
        LENGTHS.get(self.length).copied().unwrap_or(u64::MAX)
    }

    /// How long each of them is.
    pub fn length(&self) -> SimDuration {
        SimDuration::from_nanos(self.nanos())
    }

    /// All from the first to the last one in which something is, with when each begins.
    pub fn all(&self) -> impl Iterator<Item = (SimTime, &T)> {
        (self.first..).zip(&self.held).map(|(number, sum)| (SimTime::from_nanos(number * self.nanos()), sum))
    }
}
