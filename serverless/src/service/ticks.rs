//! Dates that are a period apart, at which somebody is asked.

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::{SimDuration, SimTime};

use super::event::Event;

/// Ticks at the multiples of a period.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    /// Nothing where there is none.
    period: Option<SimDuration>,
    /// The one that is on its way.
    next: Option<Tick>,
}

/// The next tick.
#[derive(Clone, Copy, Debug)]
struct Tick {
    at: SimTime,
    /// Whether it keeps the simulation going.
    is_awaited: bool,
}

impl Ticks {
    /// So far apart, in ns; 0 is never.
    pub fn set_period(&mut self, nanos: u64) {
        self.period = (nanos > 0).then(|| SimDuration::from_nanos(nanos));
    }

    /// Has the next tick come, which is this event. It keeps the simulation going if it is awaited.
    pub fn schedule(&mut self, tick: Event, is_awaited: bool, kernel: &mut Kernel<Event>) {
        let Some(period) = self.period else { return };
        match &mut self.next {
            Some(pending) if is_awaited && !pending.is_awaited => {
                // A second event of the same tick: the first happens only if something else does.
                pending.is_awaited = true;
                kernel.schedule_at(pending.at, tick);
            }
            Some(_) => {}
            None => {
                let periods = kernel.now().as_nanos() / period.as_nanos() + 1;
                let at = SimTime::from_nanos(periods.saturating_mul(period.as_nanos()));
                self.next = Some(Tick { at, is_awaited });
                if is_awaited {
                    kernel.schedule_at(at, tick);
                } else {
                    kernel.schedule_in_background(at, tick);
                }
            }
        }
    }

    /// Whether a tick is on its way.
    pub fn is_coming(&self) -> bool {
        self.next.is_some()
    }

    /// Takes the tick that is now; false if the event is the second one of a tick that has been.
    pub fn take(&mut self, now: SimTime) -> bool {
        let is_now = self.next.is_some_and(|tick| tick.at <= now);
        if is_now {
            self.next = None;
        }
        is_now
    }
}
