//! How many instances are wanted, from what was observed over both windows.

use crate::delay::MostOfWindow;

/// What the decision goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    /// How much of what is observed there is to be for each instance.
    pub target: f64,
    /// How much an instance can take.
    pub total: f64,
    /// How much more there is to be room for, lest requests pass the activator: 0 is never, and -1 always.
    pub target_burst_capacity: f64,
    /// How many times as many instances as are ready must be wanted for panic.
    pub panic_threshold: f64,
    pub max_scale_up_rate: f64,
    pub max_scale_down_rate: f64,
    /// How few instances there are that are more than none.
    pub activation_scale: u32,
    /// In ns.
    pub stable_window: u64,
    /// In ns.
    pub scale_down_delay: u64,
    /// Time between two ticks, in ns.
    pub tick: u64,
}

/// Averages over both windows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Observed {
    pub stable: f64,
    pub panic: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decision {
    pub wanted: u32,
    /// How many more requests there is room for than are to be left; below 0 requests pass the activator.
    pub excess_burst_capacity: f64,
}

/// What is remembered from one decision to the next.
#[derive(Clone, Debug)]
pub(crate) struct Decider {
    /// When it was last over the threshold, while it panics.
    panics_since: Option<u64>,
    /// The most that was wanted in this panic.
    most: u32,
    delay: Option<MostOfWindow>,
}

impl Decider {
    /// Of a function of which so many instances are ready: it begins with panic if there are several, so that they stay until there is
    /// enough to decide by.
    pub fn new(spec: &Spec, ready: u32, now: u64) -> Self {
        let intervals = spec.scale_down_delay.div_ceil(spec.tick.max(1));
        Self {
            panics_since: (ready > 1).then_some(now),
            most: ready,
            delay: (intervals > 0).then(|| MostOfWindow::new(intervals)),
        }
    }

    /// How many instances are wanted where so many are ready.
    pub fn decide(&mut self, spec: &Spec, ready: u32, observed: Observed, now: u64) -> Decision {
        let at_least_one = f64::from(ready.max(1));
        let (stable, panic) = ((observed.stable / spec.target).ceil(), (observed.panic / spec.target).ceil());
        let bounded = |wanted: f64| {
            let (fewest, most) = (at_least_one / spec.max_scale_down_rate, spec.max_scale_up_rate * at_least_one);
            let bounded = wanted.max(fewest.floor()).min(most.ceil()) as u32;
            if wanted > 0.0 && spec.activation_scale > 1 { bounded.max(spec.activation_scale) } else { bounded }
        };
        let is_over = panic / at_least_one >= spec.panic_threshold;
        self.consider_panic(is_over, spec.stable_window, now);
        let mut wanted = bounded(stable);
        if self.panics_since.is_some() {
            // Nothing ends while it panics.
            self.most = self.most.max(wanted).max(bounded(panic));
            wanted = self.most;
        }
        if let Some(delay) = &mut self.delay {
            wanted = delay.record(now / spec.tick.max(1), wanted);
        }
        Decision { wanted, excess_burst_capacity: excess_burst_capacity(spec, ready, observed) }
    }

    fn consider_panic(&mut self, is_over: bool, stable_window: u64, now: u64) {
        match self.panics_since {
            _ if is_over => self.panics_since = Some(now),
            Some(since) if since.saturating_add(stable_window) < now => (self.panics_since, self.most) = (None, 0),
            _ => {}
        }
    }
}

fn excess_burst_capacity(spec: &Spec, ready: u32, observed: Observed) -> f64 {
    match spec.target_burst_capacity {
        0.0 => 0.0,
        capacity if capacity > 0.0 => (f64::from(ready) * spec.total - capacity - observed.panic).floor(),
        _ => -1.0,
    }
}

#[cfg(test)]
mod tests;
