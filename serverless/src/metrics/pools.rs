//! Numbers of instances and nodes over time.

use hearth_simcore::time::SimTime;

use super::{Split, Window};

/// A number over time, summed up to the date of its last change: most events are none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NumberOverTime {
    pub count: u64,
    changed_at: SimTime,
    sum: Split,
}

impl NumberOverTime {
    /// The sum up to a date.
    pub fn sum_to(&self, date: SimTime, window: Window) -> Split {
        let mut sum = self.sum;
        if window.to() >= self.changed_at {
            sum.extend();
        }
        let Split { within, after } = window.split(self.changed_at, date);
        sum.add(Split { within: within * u128::from(self.count), after: after * u128::from(self.count) });
        sum
    }

    /// The number changes now.
    pub fn change(&mut self, now: SimTime, window: Window) {
        (self.sum, self.changed_at) = (self.sum_to(now, window), now);
    }
}

/// What nodes of a pool were on.
#[derive(Clone, Copy, Debug, Default)]
pub struct PoolUse {
    /// What a node costs by the hour.
    pub price_per_hour: f64,
    /// Nodes that began to boot.
    pub booted: u64,
    /// Nodes that went off.
    pub removed: u64,
    on: NumberOverTime,
}

impl PoolUse {
    /// Of a pool whose nodes cost so much by the hour.
    pub(crate) fn new(price_per_hour: f64) -> Self {
        Self { price_per_hour, ..Self::default() }
    }

    /// A node is on.
    pub(crate) fn node_on(&mut self, now: SimTime, window: Window) {
        self.on.change(now, window);
        self.on.count += 1;
    }

    /// A node is off.
    pub(crate) fn node_off(&mut self, now: SimTime, window: Window) {
        self.on.change(now, window);
        self.on.count -= 1;
        self.removed += 1;
    }

    /// How many nodes are on.
    pub fn nodes_on(&self) -> u64 {
        self.on.count
    }

    /// How long nodes were on within the window, in seconds, all together.
    pub fn node_seconds(&self, window: Window) -> f64 {
        self.on.sum_to(window.to(), window).within as f64 / 1e9
    }

    /// What they cost over that.
    pub fn cost(&self, window: Window) -> f64 {
        self.node_seconds(window) / 3600.0 * self.price_per_hour
    }
}
