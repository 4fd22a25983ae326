//! The part of a simulation that sums over time are about (the timing model, section 12).

use hearth_simcore::time::{SimDuration, SimTime};

/// From the first request to the end of the last invocation. What comes after is the *drain*: idle containers wait for
/// their end, nodes for nothing.
///
/// While a simulation runs it goes up to the last end so far, and sums over time are kept apart for what is within and
/// what has come since; when one more invocation ends, what has come since is within.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window {
    first: Option<SimTime>,
    last: SimTime,
}

impl Window {
    /// The date of the first request; that of the end if there is none.
    pub fn from(self) -> SimTime {
        self.first.unwrap_or(self.last)
    }

    /// The date at which the last invocation ended, or the end of the simulation if one has not.
    pub fn to(self) -> SimTime {
        self.last
    }

    /// How long it is.
    pub fn length(self) -> SimDuration {
        self.to() - self.from()
    }

    /// Whether somebody has asked for an invocation.
    #[inline]
    pub(crate) fn has_begun(self) -> bool {
        self.first.is_some()
    }

    /// Somebody asks for an invocation.
    #[inline]
    pub(crate) fn request(&mut self, date: SimTime) {
        if self.first.is_none() {
            (self.first, self.last) = (Some(date), date);
        }
    }

    /// All up to a date is within.
    pub(crate) fn extend(&mut self, date: SimTime) {
        self.last = self.last.max(date);
    }

    /// The parts of a span that lie within and after, in nanoseconds; what is before the first request is neither.
    pub(crate) fn split(self, from: SimTime, to: SimTime) -> Split {
        let Some(first) = self.first else { return Split::default() };
        let within = self.last.min(to) - from.max(first);
        let after = to - from.max(self.last);
        Split { within: u128::from(within.as_nanos()), after: u128::from(after.as_nanos()) }
    }

    /// The parts of what was used evenly over a span.
    pub(crate) fn split_use(self, used: u128, from: SimTime, to: SimTime) -> Split {
        let Split { within, after } = self.split(from, to);
        let whole = u128::from((to - from).as_nanos()).max(1);
        let part = |nanos: u128| used.saturating_mul(nanos) / whole;
        let (within, before) = (part(within), part(whole - within - after));
        Split { within, after: used - within - before }
    }
}

/// A sum over time, in what it counts times nanoseconds: up to the last end of an invocation so far, and since then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Split {
    pub within: u128,
    pub after: u128,
}

impl Split {
    pub fn add(&mut self, other: Self) {
        self.within += other.within;
        self.after += other.after;
    }

    /// An invocation ends now.
    #[inline]
    pub fn extend(&mut self) {
        self.within += std::mem::take(&mut self.after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_span_is_split_at_the_first_request_and_the_last_end() {
        let mut window = Window::default();
        assert_eq!(window.split(at(0), at(5)), Split::default(), "nobody has asked for anything");
        window.request(at(10));
        window.request(at(12));
        window.extend(at(20));
        window.extend(at(15));
        assert_eq!((window.from(), window.to(), window.length()), (at(10), at(20), SimDuration::from_secs(10)));
        let split = |from, to| {
            let Split { within, after } = window.split(at(from), at(to));
            (within / 1_000_000_000, after / 1_000_000_000)
        };
        assert_eq!([split(0, 5), split(0, 13), split(12, 13), split(0, 30)], [(0, 0), (3, 0), (1, 0), (10, 10)]);
        assert_eq!([split(18, 20), split(18, 21), split(20, 21), split(25, 27)], [(2, 0), (2, 1), (0, 1), (0, 2)]);
    }
}
