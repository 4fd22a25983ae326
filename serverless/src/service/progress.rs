//! Notices when time passes and nothing comes of it: requests that admission delays again and again, transfers that begin
//! anew after each failure of a link.

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimTime;

use super::event::{Event, Happening, Message, ServiceModel};
use crate::error::Error;

/// After how many events that move no invocation on a simulation stops. A thousand nodes that each fail once a day need
/// more than thirteen years of silence for as many, a policy that delays by a nanosecond a few seconds of real time.
pub const DEFAULT_EVENTS_WITHOUT_PROGRESS: u64 = 10_000_000;

/// More invocations under way are more than machines hold.
const MAX_UNDER_WAY: usize = 50_000_000;

/// Counts events that move no invocation on.
#[derive(Debug)]
pub(crate) struct Progress {
    limit: u64,
    /// Events since the last that moved one on.
    quiet: u64,
    /// The date of that one.
    since: SimTime,
}

impl Default for Progress {
    fn default() -> Self {
        Self { limit: DEFAULT_EVENTS_WITHOUT_PROGRESS, quiet: 0, since: SimTime::ZERO }
    }
}

impl Progress {
    /// Sets after how many it is too many; 0 for never.
    pub fn set_limit(&mut self, events: u64) {
        self.limit = if events == 0 { u64::MAX } else { events };
    }

    /// Notes an event; true if there have been too many.
    #[inline]
    pub fn is_missing(&mut self, event: Happening, now: SimTime) -> bool {
        if event.moves_on() {
            (self.quiet, self.since) = (0, now);
            return false;
        }
        self.quiet += 1;
        self.quiet > self.limit
    }
}

impl Happening {
    /// Whether an invocation has come closer to its end, or an image to where it is needed.
    #[inline]
    fn moves_on(self) -> bool {
        match self {
            Self::Message(message) => match message {
                Message::Request(_)
                | Message::Processed(_)
                | Message::Downloaded(_)
                | Message::Copied { .. }
                | Message::Loaded { .. }
                | Message::InstanceReady(_)
                | Message::Ended(_) => true,
                Message::AdmitAgain(_)
                | Message::WaitOver(_)
                | Message::Changed
                | Message::Prewarm(_)
                | Message::Prewarmed(_)
                | Message::KeepAliveOver { .. } => false,
            },
            Self::Arrival
            | Self::HeadProcessed(_)
            | Self::StartupWork(_)
            | Self::ContainerStarted(_)
            | Self::StepEnded(_)
            | Self::InputArrived(_)
            | Self::WorkflowRequested(_)
            | Self::BodyEnded(_)
            | Self::TimeLimit(_)
            | Self::Crashed(_) => true,
            Self::StartupWorkAhead(_)
            | Self::FaultBegins(_)
            | Self::FaultEnds(_)
            | Self::Hedge(_)
            | Self::PolicyTimer
            | Self::InstanceAdvances(_)
            | Self::StationOpens(_)
            | Self::InstanceComputes(_)
            | Self::InstanceTriesAgain(_)
            | Self::SnapshotMade(_)
            | Self::ScaleTick
            | Self::NodeBooted(_)
            | Self::PoolTick => false,
        }
    }
}

impl ServiceModel {
    /// Why the simulation stops although there is time left: events come, and no invocation moves on.
    #[cold]
    pub(super) fn no_progress(&mut self, kernel: &Kernel<Event>) -> Error {
        let Progress { quiet, since, .. } = self.progress;
        let waiting = self.service().who_waits(kernel);
        Error::NoProgress { events: quiet - 1, since, waiting }
    }
}

impl super::Service {
    /// Refuses to hold more invocations than memory does.
    #[inline]
    pub(crate) fn check_under_way(&self) -> Result<(), Box<Error>> {
        if self.attempts.len() > MAX_UNDER_WAY { Err(Error::TooManyUnderWay(MAX_UNDER_WAY).into()) } else { Ok(()) }
    }
}
