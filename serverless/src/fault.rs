//! What goes wrong on a platform, and when (the timing model, section 11).

use hearth_simcore::platform::{HostId, LinkId};
use hearth_simcore::time::{SimDuration, SimTime};
use rand_pcg::Pcg64Mcg;

use crate::distribution::Distribution;

/// Something that is wrong for a while.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fault {
    /// A host is down: nothing runs on it, and nothing moves from or to it.
    HostDown {
        /// The host: a node, the head, or any other.
        host: HostId,
        /// Whether what is on its disk is lost; otherwise it is there when the host is back.
        disk_lost: bool,
    },
    /// A node needs a multiple of the time for everything that begins on it.
    NodeSlow {
        /// The node's host.
        host: HostId,
        /// The multiple.
        factor: f64,
    },
    /// The images on the disk of a node are lost, at once and for good.
    DiskLost {
        /// The node's host.
        host: HostId,
    },
    /// Nothing moves over a link.
    LinkDown {
        /// The link.
        link: LinkId,
    },
    /// A link has a part of its bandwidth.
    LinkDegraded {
        /// The link.
        link: LinkId,
        /// The part, above 0.
        part: f64,
    },
}

/// When something is wrong.
#[derive(Clone, PartialEq, Debug)]
pub enum Timing {
    /// From a date on, for ever or up to another.
    Once {
        /// The first date.
        at: SimTime,
        /// The last date.
        until: Option<SimTime>,
    },
    /// Again and again, by chance.
    Drawn {
        /// How long it is right, in seconds.
        between: Distribution,
        /// How long it is wrong, in seconds.
        repair: Distribution,
        /// The stream of its random numbers; each needs its own.
        random: Pcg64Mcg,
    },
}

/// A fault and when it happens.
///
/// ```
/// use hearth_serverless::fault::{Fault, FaultPlan, PlannedFault, Timing};
/// use hearth_serverless::prelude::*;
/// # let platform = PlatformBuilder::new()
/// #     .host("head", HostSpec::new(1, 1e9)).group("node", 2, HostSpec::new(4, 1e9).ram(8 * GB)).build()?;
/// let host = platform.host_by_name("node-1").ok_or("no such host")?;
/// # let mut simulation = Simulation::new(platform, 42);
/// # let service = ServerlessComputeService::builder("head").nodes(&["node-*"])
/// #     .policies(PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN))?).start(&mut simulation)?;
/// // Node 1 is down from 10 s to 15 s.
/// let (at, until) = (SimTime::from_secs_f64(10.0), Some(SimTime::from_secs_f64(15.0)));
/// let fault = Fault::HostDown { host, disk_lost: false };
/// service.set_faults(
///     &mut simulation,
///     FaultPlan { faults: vec![PlannedFault { fault, timing: Timing::Once { at, until } }], ..FaultPlan::default() },
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct PlannedFault {
    /// What goes wrong.
    pub fault: Fault,
    /// When.
    pub timing: Timing,
}

/// Everything that goes wrong.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FaultPlan {
    /// Hosts, links and disks.
    pub faults: Vec<PlannedFault>,
    /// The chance that the container of an invocation crashes at the end of its run.
    pub crash_per_invocation: f64,
    /// How often containers that run crash, per second of running.
    pub crash_per_second: f64,
    /// Whether those that wait are lost when the head goes down; otherwise they wait on.
    pub queue_lost: bool,
}

/// When an invocation is asked for a second time while the first is still under way: a hedged request (Dean and Barroso,
/// "The Tail at Scale", CACM 56(2), 2013). The first to complete counts, the other is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HedgePolicy {
    /// So long after an attempt was submitted.
    pub after: SimDuration,
}

/// How many copies of an image are to be within reach once nodes that had it are down, or have lost it with their disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplicationPolicy {
    /// On so many nodes that are up.
    pub copies: u32,
}

/// Which invocations are tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryOn {
    /// Those whose node, container or head failed.
    pub lost: bool,
    /// Those whose body failed.
    pub failed: bool,
    /// Those that reached their time limit.
    pub timed_out: bool,
}

/// How invocations are tried again that do not end well.
///
/// ```
/// use hearth_serverless::fault::{RetryOn, RetryPolicy};
/// use hearth_simcore::time::SimDuration;
/// let policy = RetryPolicy {
///     max_attempts: 4,
///     backoff: SimDuration::from_secs(1),
///     factor: 2.0,
///     max_backoff: SimDuration::from_secs(3),
///     jitter: 0.0,
///     on: RetryOn { lost: true, failed: false, timed_out: false },
///     deadline: None,
/// };
/// let pauses: Vec<f64> = (1..4).map(|attempt| policy.pause(attempt, 0.5).as_secs_f64()).collect();
/// assert_eq!(pauses, [1.0, 2.0, 3.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RetryPolicy {
    /// How often an invocation is tried at the most, the first time included.
    pub max_attempts: u32,
    /// The pause before the second attempt.
    pub backoff: SimDuration,
    /// By what each further pause is longer than the one before; 1 keeps it constant.
    pub factor: f64,
    /// The longest pause.
    pub max_backoff: SimDuration,
    /// The part of a pause that is drawn: a pause is shorter by anything up to this part, equally likely.
    pub jitter: f64,
    /// What is tried again.
    pub on: RetryOn,
    /// No attempt begins so long after the request.
    pub deadline: Option<SimDuration>,
}

impl RetryPolicy {
    /// The pause after an attempt, of which the first is 1, with a random number from 0 to 1.
    pub fn pause(&self, attempt: u32, random: f64) -> SimDuration {
        let pause = self.pauses().seconds_after(attempt);
        SimDuration::from_secs_f64(pause * (1.0 - self.jitter * random))
    }

    fn pauses(&self) -> Pauses {
        let Self { backoff: first, factor, max_backoff: longest, .. } = *self;
        Pauses { first, factor, longest }
    }
}

/// Pauses between attempts, each longer than the one before.
///
/// ```
/// use hearth_serverless::fault::Pauses;
/// use hearth_simcore::time::SimDuration;
/// let pauses = Pauses { first: SimDuration::from_secs(10), factor: 2.0, longest: SimDuration::from_secs(300) };
/// let lengths: Vec<f64> = (1..8).map(|attempt| pauses.after(attempt).as_secs_f64()).collect();
/// assert_eq!(lengths, [10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pauses {
    /// The first.
    pub first: SimDuration,
    /// By what each is longer than the one before; 1 keeps them constant.
    pub factor: f64,
    /// The longest.
    pub longest: SimDuration,
}

impl Pauses {
    /// No pauses at all.
    pub const NONE: Self = Self { first: SimDuration::ZERO, factor: 1.0, longest: SimDuration::ZERO };

    /// The pause after an attempt, of which the first is 1.
    pub fn after(&self, attempt: u32) -> SimDuration {
        SimDuration::from_secs_f64(self.seconds_after(attempt))
    }

    fn seconds_after(&self, attempt: u32) -> f64 {
        let (first, longest) = (self.first.as_secs_f64(), self.longest.as_secs_f64());
        let mut pause = first.min(longest);
        for _ in 1..attempt {
            // Products, which are the same on every machine as powers need not be.
            let longer = (pause * self.factor).min(longest);
            if longer == pause {
                break;
            }
            pause = longer;
        }
        pause
    }
}
