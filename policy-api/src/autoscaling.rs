//! Autoscaling: how many instances a function has, and how many nodes a pool.

#[cfg(feature = "abi_stable")]
use abi_stable::StableAbi;

use crate::{ClusterView, ContainerEvent, NONE, NodePoolView, PoolScale};

/// Why an autoscaler is asked.
#[repr(u32)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScaleCause {
    /// A period is over.
    #[default]
    Tick,
    /// A request: one of a dormant function, or one that found no instance with room.
    Request,
}

/// How it stands with a function that is served by instances, when its autoscaler is asked.
///
/// An average over any span is the difference of an integral between two calls, divided by the time between them:
///
/// ```
/// use hearth_policy_api::ScaleView;
///
/// let before = ScaleView { now: 1_000_000_000, in_flight_seconds: 4.0, ..ScaleView::default() };
/// let view = ScaleView { now: 3_000_000_000, in_flight_seconds: 10.0, ..ScaleView::default() };
/// let seconds = (view.now - before.now) as f64 / 1e9;
/// assert_eq!((view.in_flight_seconds - before.in_flight_seconds) / seconds, 3.0);
/// ```
#[repr(C)]
#[cfg_attr(feature = "abi_stable", derive(StableAbi))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleView {
    /// Size of this record in bytes, as whoever has made it knows it.
    pub size: u32,
    /// The function's number.
    pub function: u32,
    /// The date, in ns.
    pub now: u64,
    /// How many requests an instance serves at once at the most; [`NONE`] is without limit.
    pub concurrency: u32,
    /// How many instances there are at the least.
    pub min_scale: u32,
    /// How many instances there are at the most; [`NONE`] is any number.
    pub max_scale: u32,
    /// Instances that take requests.
    pub ready: u32,
    /// Instances that have been asked for and are not up.
    pub starting: u32,
    /// Instances that take no more requests and end when theirs have.
    pub stopping: u32,
    /// The last answer, within the bounds; `min_scale` before the first.
    pub wanted: u32,
    /// Why the policy is asked.
    pub cause: ScaleCause,
    /// Requests that wait for an instance.
    pub waiting: u64,
    /// Requests in instances.
    pub running: u64,
    /// When the first of those that wait was let in, in ns; `u64::MAX` if nobody waits.
    pub waiting_since: u64,
    /// Requests let in so far.
    pub arrivals: u64,
    /// When the last of them was, in ns; `u64::MAX` before the first.
    pub last_arrival: u64,
    /// The integral over time, since the simulation began, of the requests that wait or are in instances, in requests x seconds.
    pub in_flight_seconds: f64,
    /// The same of those in instances alone.
    pub running_seconds: f64,
}

impl ScaleView {
    /// Requests that wait for an instance or are in one.
    pub fn in_flight(&self) -> u64 {
        self.waiting.saturating_add(self.running)
    }

    /// A number of instances as the host holds it: from [`min_scale`](Self::min_scale) to [`max_scale`](Self::max_scale), of which
    /// the latter counts where they contradict each other.
    ///
    /// ```
    /// use hearth_policy_api::ScaleView;
    /// let view = ScaleView { min_scale: 1, max_scale: 10, ..ScaleView::default() };
    /// assert_eq!([0, 7, 11].map(|wanted| view.within_bounds(wanted)), [1, 7, 10]);
    /// ```
    pub fn within_bounds(&self, wanted: u32) -> u32 {
        wanted.max(self.min_scale).min(self.max_scale)
    }
}

impl Default for ScaleView {
    /// A function whose instances serve one request at once, without bounds, that nobody has asked for.
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            function: 0,
            now: 0,
            concurrency: 1,
            min_scale: 0,
            max_scale: NONE,
            ready: 0,
            starting: 0,
            stopping: 0,
            wanted: 0,
            cause: ScaleCause::default(),
            waiting: 0,
            running: 0,
            waiting_since: u64::MAX,
            arrivals: 0,
            last_arrival: u64::MAX,
            in_flight_seconds: 0.0,
            running_seconds: 0.0,
        }
    }
}

/// How the host is to ask an autoscaling policy. With a period of 0, and not asked on requests, it is asked once about each function
/// that has no instances of its own accord: at its first request. That answer holds for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoscalingRules {
    /// How long it is from one tick to the next, in ns; 0 is never. All functions that are not dormant are asked about at each tick.
    pub period: u64,
    /// Whether to ask also when a request finds no instance with room.
    pub asked_on_requests: bool,
    /// Whether to call [`Autoscaling::on_container`].
    pub observes_containers: bool,
    /// Whether to call [`Autoscaling::scale_pool`]: only such a policy can be the one for pools of nodes.
    pub scales_pools: bool,
}

impl AutoscalingRules {
    /// The period of whoever names none, in ns: 2 s, as Knative has it.
    pub const PERIOD: u64 = 2_000_000_000;
}

impl Default for AutoscalingRules {
    /// Every two seconds, and at nothing else.
    fn default() -> Self {
        Self { period: Self::PERIOD, asked_on_requests: false, observes_containers: false, scales_pools: false }
    }
}

/// How many instances there are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// So many. The host holds it between [`ScaleView::min_scale`] and [`ScaleView::max_scale`]; what is left is at most
    /// [`MOST`](Self::MOST).
    pub wanted: u32,
}

impl Scale {
    /// The most instances of a function, whatever its bounds are. To want more of them ends a run with an error.
    pub const MOST: u32 = 1_000_000;
}

/// Decides how many instances a function has, how many nodes a pool, or both: a policy answers the question that it is for.
///
/// ```
/// use hearth_policy_api::{Autoscaling, Scale, ScaleView};
///
/// /// As many instances as the requests in flight fill.
/// struct Full;
///
/// impl Autoscaling for Full {
///     fn scale(&mut self, view: &ScaleView) -> Scale {
///         let wanted = view.in_flight().div_ceil(u64::from(view.concurrency.max(1)));
///         Scale { wanted: u32::try_from(wanted).unwrap_or(u32::MAX) }
///     }
/// }
/// let view = ScaleView { concurrency: 10, waiting: 5, running: 20, ..ScaleView::default() };
/// assert_eq!(Full.scale(&view), Scale { wanted: 3 });
/// ```
pub trait Autoscaling {
    /// How to ask this policy; read once, after construction.
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules::default()
    }

    /// How many instances a function is to have. A function is dormant before anybody asks for it, unless it begins with instances, and
    /// again from the tick on at which it has no instances, none are wanted and nobody waits. Asked at a request of a dormant function;
    /// at each tick, which are a [period](AutoscalingRules::period) apart from the begin of the simulation on, about each that is not
    /// dormant, by number; and when a request finds no instance with room, if the rules say so.
    fn scale(&mut self, view: &ScaleView) -> Scale {
        Scale { wanted: view.wanted }
    }

    /// Which nodes of a pool come and go. Called when [`AutoscalingRules::scales_pools`] is set, at each tick and for each pool, in
    /// their order; at ticks at which functions are asked about too, after these.
    fn scale_pool(&mut self, _pool: &NodePoolView<'_>) -> PoolScale {
        PoolScale::default()
    }

    /// A timer has gone off that this policy has set by [`Actions::wake_at`](crate::Actions::wake_at). The sets of a request's
    /// function and image are empty in the view.
    fn on_timer(&mut self, _timer: u64, _cluster: &ClusterView<'_>) {}

    /// Something has become of a container. Called when [`AutoscalingRules::observes_containers`] is set, for each change in the
    /// order in which they happen, before this policy is asked or told anything that comes after it.
    fn on_container(&mut self, _event: &ContainerEvent) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_counts_where_bounds_contradict_each_other() {
        let view = ScaleView { min_scale: 5, max_scale: 3, ..ScaleView::default() };
        assert_eq!([0, 4, 9].map(|wanted| view.within_bounds(wanted)), [3, 3, 3]);
    }

    #[test]
    fn counts_of_requests_do_not_overflow() {
        let view = ScaleView { waiting: u64::MAX, running: 2, ..ScaleView::default() };
        assert_eq!(view.in_flight(), u64::MAX);
    }
}
