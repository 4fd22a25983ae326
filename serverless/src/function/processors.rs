//! What containers have of the processors of their node, where the service shares them.

/// What each container of a function has of the processors of its node, where these are
/// [shared](crate::service::ProcessorSharing::Shared) (the timing model, section 8).
///
/// ```
/// use hearth_serverless::prelude::*;
/// let processors = Processors::of_memory(512 * MB, 1769 * MB);
/// assert!((processors.limit - 0.2894).abs() < 1e-4);
/// assert_eq!(Processors::default().limit, 1.0);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Processors {
    /// So many cores a container may use at once at the most, positive.
    pub limit: f64,
    /// So many cores are kept for a container as long as it is there: a node takes no more than it has cores for. Not negative; what
    /// is beyond a millionth of a core is rounded.
    pub request: f64,
    /// Where processors are short, containers get them in proportion to their weights, positive.
    pub weight: f64,
    /// So many cores a computation of a body can use at once, positive.
    pub threads: f64,
    /// What a new container computes before it is up.
    pub startup: Option<StartupWork>,
}

/// What a new container computes before it is up, after its startup overhead.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StartupWork {
    /// Floating-point operations.
    pub flops: f64,
    /// So many cores the container may use at once while it does that, and does use if it gets them; positive.
    pub limit: f64,
}

impl Default for Processors {
    fn default() -> Self {
        Self { limit: 1.0, request: 0.0, weight: 1.0, threads: 1.0, startup: None }
    }
}

impl Processors {
    /// A core for so much RAM, as limit and as weight.
    pub fn of_memory(ram: u64, per_core: u64) -> Self {
        let limit = ram as f64 / per_core as f64;
        Self { limit, weight: limit, ..Self::default() }
    }

    /// What is kept for a container, in millionths of a core.
    pub(crate) fn reserved(&self) -> u64 {
        (self.request * MILLIONTHS).round() as u64
    }

    /// What is wrong with it, if something is.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        let is_positive = |number: f64| number > 0.0 && number <= MOST;
        match self {
            Self { limit, .. } if !is_positive(*limit) => Some("their limit is to be a positive number of cores"),
            Self { threads, .. } if !is_positive(*threads) => Some("their threads are to be a positive number"),
            Self { weight, .. } if !(MOST.recip()..=MOST).contains(weight) => {
                Some("their weight is to be from 0.000001 to 1000000")
            }
            Self { request, .. } if !(0.0..=MOST).contains(request) => {
                Some("their request is to be a number of cores that is not negative")
            }
            Self { request, limit, .. } if request > limit => Some("their request is more than their limit"),
            Self { startup: Some(StartupWork { flops, limit }), .. }
                if !is_positive(*limit) || !(0.0..).contains(flops) =>
            {
                Some("their work at the start is not to be negative, and its limit a positive number of cores")
            }
            _ => None,
        }
    }
}

/// Beyond any machine, and safe to reckon with.
const MOST: f64 = 1e6;

/// A core in millionths, in which reservations are counted.
pub(crate) const MILLIONTHS: f64 = 1e6;
