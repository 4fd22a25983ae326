//! Something summed up over intervals of simulated time, which become longer as more of it is seen.

use hearth_simcore::time::{SimDuration, SimTime};

/// Not more intervals than this are kept apart.
const MOST: usize = 240;

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

/// Sums over intervals of time, at most 240 of them in 46 years; they begin with a millisecond.
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
/// for second in [1.0, 1.5, 12.0] {
///     if let Some(count) = counts.at(SimTime::from_secs_f64(second)) {
///         count.0 += 1;
///     }
/// }
/// assert_eq!(counts.length().as_secs_f64(), 0.1);
/// assert_eq!((counts.all()[10].0, counts.all()[15].0, counts.all()[120].0), (1, 1, 1));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Intervals<T> {
    length: usize,
    held: Vec<T>,
}

impl<T: Summed> Intervals<T> {
    /// The interval that a date is in; none for dates that no clock of a computer has.
    pub fn at(&mut self, date: SimTime) -> Option<&mut T> {
        let date = date.as_nanos();
        while date / LENGTHS[self.length] >= MOST as u64 && self.length + 1 < LENGTHS.len() {
            self.lengthen();
        }
        let position = usize::try_from(date / LENGTHS[self.length]).ok().filter(|position| *position < MOST)?;
        if self.held.len() <= position {
            self.held.resize(position + 1, T::default());
        }
        self.held.get_mut(position)
    }

    fn lengthen(&mut self) {
        let together = (LENGTHS[self.length + 1] / LENGTHS[self.length]) as usize;
        self.length += 1;
        let merged = self.held.chunks(together).map(|chunk| {
            let mut sum = T::default();
            chunk.iter().for_each(|interval| sum.merge(interval));
            sum
        });
        self.held = merged.collect();
    }

    /// How long each of them is.
    pub fn length(&self) -> SimDuration {
        SimDuration::from_nanos(LENGTHS[self.length])
    }

    /// All from the begin of time to the last one in which something was.
    pub fn all(&self) -> &[T] {
        &self.held
    }
}
