//! Controller `knative-autoscaler`: each function is scaled by the concurrency of a window of time, and requests wait for its containers,
//! as in Knative Serving: the [Knative Pod Autoscaler](https://knative.dev/docs/serving/autoscaling/) and its activator. It is for
//! node allocation and keep-alive together (`"controller": {"use": "knative-autoscaler"}`).
//!
//! - Every `period` (2 s) the requests of each function that are under way, in a container or waiting for one, are counted. Their mean
//!   over the stable window (`window`, 60 s), divided by `target` (1 request a container), rounded up, is how many containers are
//!   wanted; likewise over the panic window, a tenth as long.
//! - If the panic window wants at least `panic` (2) times as many as there are, the function panics: what it wants is the more of both
//!   windows, and it never shrinks, until nothing of the kind has been seen for a stable window.
//! - What is missing is started, on the node with the most free RAM, without evicting anything; what is too much and idle is ended,
//!   the one that is idle longest first. The last container of a function goes only after `grace` (30 s) without a request.
//! - There are at least `min_scale` (0) containers of each function, and at most `max_scale` (0: any number).
//! - A request takes an idle container of its function, of several nodes the first. Where there is none it waits for one (the
//!   activator); one that finds no container at all has the first started at once.
//!
//! What differs from Knative: a container serves one request at a time; counts are taken at each period, not averaged within it; a
//! function whose image is on no node yet, or for which there is no room beside idle containers of others, has its first container
//! started as `least-loaded` would, since containers are started ahead only where the image is and nothing is evicted for them; a request that waits is asked about again each period.

use std::collections::{BTreeMap, VecDeque};

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = controller!(KnativeAutoscaler: node_allocation, keep_alive);
export_policies!(POLICY);

/// No more containers of a function are started at once (`max-scale-up-rate` is 1000 in Knative).
const MOST_AT_ONCE: u64 = 1_000;

parameters! {
    /// What can be set of [`KnativeAutoscaler`].
    #[derive(Clone, Copy, Debug)]
    pub struct Settings {
        /// how many requests under way there are to be for each container
        target: number(0.01..=1_000.0) = 1.0, "requests";
        /// how often requests are counted
        period: duration = 2_000_000_000;
        /// the stable window
        window: duration = 60_000_000_000;
        /// how many times as many containers as there are must be wanted for panic
        panic: number(1.0..=1_000.0) = 2.0;
        /// how long the last container stays without a request
        grace: duration = 30_000_000_000;
        /// how many containers of each function there are at the least
        min_scale: integer(0..=1_000_000) = 0, "containers";
        /// how many containers of each function there are at the most; 0 for any number
        max_scale: integer(0..=1_000_000) = 0, "containers";
    }
}

/// The policy.
#[derive(Debug)]
pub struct KnativeAutoscaler {
    settings: Settings,
    actions: Actions,
    /// By function.
    scales: BTreeMap<u32, Scale>,
    /// Of how many functions the bounds have been said.
    bounded: u32,
}

/// What is known of a function.
#[derive(Debug, Default)]
struct Scale {
    /// The last counts of a stable window, the newest last.
    counts: VecDeque<u64>,
    /// The last date at which somebody was under way.
    last_busy: u64,
    /// Until when it panics.
    panics_until: u64,
    /// The most that has been wanted since it panics.
    most: u64,
    /// When the first container was last started for who waits.
    poked_at: Option<u64>,
}

impl Policy for KnativeAutoscaler {
    const NAME: &'static str = "knative-autoscaler";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "scales each function by the concurrency of a window of time";
    // Who waits for a container that is starting leaves cores free.
    const CLAIMS: Claims = Claims { work_conserving: false, ..Claims::ALL };
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        if settings.period == 0 || settings.window < settings.period {
            return Err(PolicyError::new("the parameter period must be more than 0, and window no shorter"));
        }
        let actions = context.actions();
        if settings.max_scale > 0 && settings.max_scale < settings.min_scale {
            return Err(PolicyError::new("the parameter max_scale must be 0, or no less than min_scale"));
        }
        actions.wake_at(0, 0);
        Ok(Self { settings, actions, scales: BTreeMap::new(), bounded: 0 })
    }
}

impl Scale {
    /// How many containers are wanted at a date at which so many are under way and there are so many containers.
    fn wanted(&mut self, settings: &Settings, under_way: u64, ready: u64, now: u64) -> u64 {
        let stable = (settings.window / settings.period).max(1) as usize;
        self.counts.push_back(under_way);
        while self.counts.len() > stable {
            self.counts.pop_front();
        }
        let over = |counts: usize| {
            let counts = counts.clamp(1, self.counts.len());
            let sum: u64 = self.counts.iter().rev().take(counts).sum();
            (sum as f64 / counts as f64 / settings.target).ceil() as u64
        };
        let (calm, hasty) = (over(stable), over(stable / 10));
        if hasty as f64 >= settings.panic * ready.max(1) as f64 {
            if now >= self.panics_until {
                self.most = 0;
            }
            self.panics_until = now.saturating_add(settings.window);
        }
        if under_way > 0 {
            self.last_busy = now;
        }
        if now < self.panics_until {
            self.most = self.most.max(calm).max(hasty).max(ready);
            return self.most;
        }
        let is_last_kept = now.saturating_sub(self.last_busy) < settings.grace;
        calm.max(u64::from(is_last_kept && ready > 0)).max(settings.min_scale)
    }
}

impl KnativeAutoscaler {
    /// Says the bounds of functions that are new.
    fn set_bounds(&mut self, functions: u32) {
        let Settings { min_scale, max_scale, .. } = self.settings;
        if (min_scale, max_scale) == (0, 0) {
            return;
        }
        let ceiling = if max_scale == 0 { u32::MAX } else { max_scale as u32 };
        for function in self.bounded..functions {
            self.actions.keep_between(function, min_scale as u32, ceiling);
        }
        self.bounded = self.bounded.max(functions);
    }
}

impl NodeAllocation for KnativeAutoscaler {
    fn rules(&self) -> AllocationRules {
        AllocationRules { sees_history: true, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let ready = cluster.idle_container.iter().find(|node| cluster.free_core.contains(*node));
        if let Some(node) = ready {
            return Placement::Node(node);
        }
        let history = cluster.history(request.function);
        let is_any_there = history.busy + history.idle + history.starting > 0;
        let poked_at = &mut self.scales.entry(request.function).or_default().poked_at;
        let found_no_room = poked_at.is_some_and(|date| date < cluster.now);
        let is_image_anywhere = cluster.image_in_ram.iter().any(|node| cluster.up.contains(node));
        if !is_any_there && (found_no_room || !is_image_anywhere) {
            // Nobody can start one ahead.
            let roomy = cluster.free_core.iter().filter_map(|node| Some((node, cluster.nodes.get(node as usize)?)));
            let roomy = roomy.filter(|(_, view)| view.can_make_room(request));
            return roomy.min_by_key(|(node, view)| (view.running, *node)).map(|(node, _)| node).into();
        }
        if is_any_there {
            *poked_at = None;
        } else if poked_at.replace(cluster.now).is_none() {
            // One of those that are asked about in the same round is enough.
            self.actions.start_containers(request.function, NONE, 1, u64::MAX);
        }
        Placement::busy_anywhere(cluster.now.saturating_add(self.settings.period))
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.set_bounds(cluster.histories.len() as u32);
        for (function, history) in (0..).zip(cluster.histories.iter()) {
            if history.arrivals == 0 {
                continue;
            }
            let ready = u64::from(history.busy) + u64::from(history.idle) + u64::from(history.starting);
            let under_way = u64::from(history.busy) + history.waiting;
            let scale = self.scales.entry(function).or_default();
            let wanted = scale.wanted(&self.settings, under_way, ready, cluster.now);
            if wanted > ready {
                let missing = (wanted - ready).min(MOST_AT_ONCE) as u32;
                self.actions.start_containers(function, NONE, missing, u64::MAX);
            } else if wanted < ready {
                let too_many = (ready - wanted).min(u64::from(history.idle)) as u32;
                self.actions.end_containers(function, NONE, too_many);
            }
        }
        self.actions.wake_at(timer, cluster.now.saturating_add(self.settings.period));
    }
}

impl KeepAlive for KnativeAutoscaler {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules { sees_history: true, ..KeepAliveRules::default() }
    }

    fn on_idle(&mut self, _completion: &Completion<'_>) -> Retention {
        Retention { keep_for: u64::MAX }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit;

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    /// Windows of 20 s and 2 s, counted every second: what is wanted of what is there after each count.
    #[test]
    fn windows_panic_and_grace_are_knatives() {
        let settings =
            Settings { target: 2.0, period: 1, window: 20, panic: 2.0, grace: 5, min_scale: 0, max_scale: 0 };
        let mut scale = Scale::default();
        let mut wanted = |counts: &[u64], ready: u64, from: u64| -> Vec<u64> {
            (from..).zip(counts).map(|(now, count)| scale.wanted(&settings, *count, ready, now)).collect()
        };
        // Half as many containers as requests, rounded up.
        assert_eq!(wanted(&[3, 3, 3], 2, 100), [2, 2, 2]);
        // The mean of the last two is 6.5 and 10 requests: with two containers it panics at 5 wanted, and not before.
        assert_eq!(wanted(&[10], 2, 103), [4]);
        assert_eq!(wanted(&[10], 3, 104), [5]);
        assert_eq!(wanted(&[10], 2, 105), [5]);
        // Nothing comes any more, and it does not shrink for the length of the window since the last sign of panic.
        assert_eq!(wanted(&[0; 19], 5, 106), [5; 19]);
        // What is left of the stable window is nothing but zeros, and the grace has passed.
        assert_eq!(wanted(&[0; 2], 5, 125), [0, 0]);
        // The last container stays for a grace.
        assert_eq!(wanted(&[1, 0, 0], 1, 127), [1, 1, 1]);
        assert_eq!(wanted(&[0; 18], 1, 130)[16..], [1, 0], "the request of 127 leaves the window of 20 s at 147");
    }
}
