//! Clocks that say for how long the service has been in each of a few states: who waits notes where they stand, and knows later what
//! it has waited for, however many wait.

use hearth_simcore::time::{SimDuration, SimTime};

/// What keeps those in the queue from being placed, whoever they are; the first that holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// The head is down.
    HeadDown,
    /// No node has a free core.
    CoresBusy,
    /// The head processes a request.
    HeadBusy,
    /// Nothing does: it is up to the policy.
    Open,
}

/// How long each has lasted up to a date.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Lasted {
    pub head_down: SimDuration,
    pub cores_busy: SimDuration,
    pub head_busy: SimDuration,
}

impl Lasted {
    /// How long each has lasted since another time.
    pub fn since(self, earlier: Self) -> Self {
        let between =
            |later: SimDuration, earlier: SimDuration| SimDuration::from_nanos(later.as_nanos() - earlier.as_nanos());
        Self {
            head_down: between(self.head_down, earlier.head_down),
            cores_busy: between(self.cores_busy, earlier.cores_busy),
            head_busy: between(self.head_busy, earlier.head_busy),
        }
    }
}

/// The clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    standing: Standing,
    date: SimTime,
    lasted: Lasted,
}

impl Default for Clocks {
    fn default() -> Self {
        Self { standing: Standing::Open, date: SimTime::ZERO, lasted: Lasted::default() }
    }
}

impl Clocks {
    /// Time has moved on; things have stood as they do.
    #[inline]
    pub fn advance(&mut self, now: SimTime) {
        let passed = now.since(self.date);
        self.date = now;
        match self.standing {
            Standing::HeadDown => self.lasted.head_down += passed,
            Standing::CoresBusy => self.lasted.cores_busy += passed,
            Standing::HeadBusy => self.lasted.head_busy += passed,
            Standing::Open => {}
        }
    }

    /// From now on things stand so.
    #[inline]
    pub fn stand(&mut self, standing: Standing) {
        self.standing = standing;
    }

    /// How long each has lasted.
    #[inline]
    pub fn lasted(&self) -> Lasted {
        self.lasted
    }
}
