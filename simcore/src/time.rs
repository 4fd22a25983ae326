//! Simulated time: unsigned 64-bit nanoseconds, so that no two dates are ever compared as floating-point numbers.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::{Add, AddAssign, Sub};

/// A date in simulated time: nanoseconds since the start of the simulation.
///
/// ```
/// use hearth_simcore::time::{SimDuration, SimTime};
/// let date = SimTime::ZERO + SimDuration::from_secs_f64(1.5);
/// assert_eq!(date.as_nanos(), 1_500_000_000);
/// assert_eq!(date.to_string(), "1.500000000");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
// One more than the nanoseconds: so that a date that may not be known (five of each invocation) takes no more room.
pub struct SimTime(NonZeroU64);

/// A span of simulated time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct SimDuration(u64);

const NANOS_PER_SEC: u64 = 1_000_000_000;

impl SimTime {
    /// The start of every simulation.
    pub const ZERO: SimTime = SimTime(NonZeroU64::MIN);
    /// A date no event reaches: 2⁶⁴ − 2 ns, a good 584 years.
    pub const MAX: SimTime = SimTime(NonZeroU64::MAX);

    /// The date `nanos` nanoseconds after the start, [`SimTime::MAX`] at the most.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(nanos))
    }

    /// The date `seconds` after the start, to the nearest nanosecond; see [`SimDuration::from_secs_f64`].
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self::from_nanos(SimDuration::from_secs_f64(seconds).0)
    }

    /// Nanoseconds since the start.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0.get() - 1
    }

    /// Seconds since the start.
    pub fn as_secs_f64(self) -> f64 {
        self.as_nanos() as f64 / NANOS_PER_SEC as f64
    }

    /// The span from `earlier` to this date; zero if `earlier` is later.
    pub const fn since(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0.get().saturating_sub(earlier.0.get()))
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: SimDuration = SimDuration(0);
    /// Longer than any simulation.
    pub const MAX: SimDuration = SimDuration(u64::MAX);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of `seconds` whole seconds, saturating at [`SimDuration::MAX`].
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SEC))
    }

    /// A span of `seconds`, to the nearest nanosecond. Negative and not-a-number give zero, too large gives
    /// [`SimDuration::MAX`]: callers check input where it enters.
    pub fn from_secs_f64(seconds: f64) -> Self {
        // A float cast saturates at both ends and turns NaN into zero.
        Self((seconds * NANOS_PER_SEC as f64).round() as u64)
    }

    /// A span of `seconds`, to the nearest nanosecond; `None` for what is negative, not a number, or too long.
    ///
    /// ```
    /// use hearth_simcore::time::SimDuration;
    /// assert_eq!(SimDuration::checked_from_secs_f64(1.5).map(SimDuration::as_nanos), Some(1_500_000_000));
    /// assert_eq!(SimDuration::checked_from_secs_f64(2e10), None);
    /// ```
    pub fn checked_from_secs_f64(seconds: f64) -> Option<Self> {
        let nanos = (seconds * NANOS_PER_SEC as f64).round();
        // The cast of the greatest number of nanoseconds is rounded up to 2⁶⁴, which is too many.
        (nanos >= 0.0 && nanos < u64::MAX as f64).then_some(Self(nanos as u64))
    }

    /// The span in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The span in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }
}

impl Default for SimTime {
    /// The start.
    fn default() -> Self {
        Self::ZERO
    }
}

impl fmt::Debug for SimTime {
    /// Like a span: the nanoseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimTime").field(&self.as_nanos()).finish()
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    /// Saturates at [`SimTime::MAX`], which is never reached.
    fn add(self, span: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(span.0))
    }
}

impl Sub for SimTime {
    type Output = SimDuration;
    fn sub(self, earlier: SimTime) -> SimDuration {
        self.since(earlier)
    }
}

impl Add for SimDuration {
    type Output = SimDuration;
    fn add(self, other: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_add(other.0))
    }
}

impl AddAssign for SimDuration {
    fn add_assign(&mut self, other: SimDuration) {
        *self = *self + other;
    }
}

fn write_seconds(nanos: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}.{:09}", nanos / NANOS_PER_SEC, nanos % NANOS_PER_SEC)
}

impl fmt::Display for SimTime {
    /// Seconds with nine decimals, exact.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(self.as_nanos(), f)
    }
}

impl fmt::Display for SimDuration {
    /// Seconds with nine decimals, exact.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_to_the_nearest_nanosecond_and_never_wrap() {
        assert_eq!(SimDuration::from_secs_f64(0.1).as_nanos(), 100_000_000);
        assert_eq!(SimDuration::from_secs_f64(1.4e-9).as_nanos(), 1);
        assert_eq!(SimDuration::from_secs_f64(-1.0), SimDuration::ZERO);
        assert_eq!(SimDuration::from_secs_f64(f64::NAN), SimDuration::ZERO);
        assert_eq!(SimDuration::from_secs_f64(1e300), SimDuration::MAX);
        assert_eq!(SimTime::MAX + SimDuration::from_secs(1), SimTime::MAX);
    }
}
