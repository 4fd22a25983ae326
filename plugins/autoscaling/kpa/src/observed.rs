//! What is observed of a function, over both windows.

use hearth_policy_api::ScaleView;

use crate::buckets::Buckets;
use crate::decider::Observed;
use crate::{Aggregation, Metric, SECOND, Settings};

/// Observes a function.
#[derive(Clone, Debug)]
pub(crate) struct Observer {
    metric: Metric,
    stable: Buckets,
    panic: Buckets,
    /// Up to which date it has observed, in ns, and how much there had been up to then.
    up_to: (u64, f64),
    /// What has been counted already of the next second.
    counted: f64,
}

impl Observer {
    /// Begins with a function as it is.
    pub fn new(settings: &Settings, view: &ScaleView) -> Self {
        let (stable, panic) = settings.windows();
        let is_weighted = settings.aggregation == Aggregation::WeightedExponential;
        Self {
            metric: settings.metric,
            stable: Buckets::new(stable, is_weighted),
            panic: Buckets::new(panic, is_weighted),
            up_to: (view.now, amount(settings.metric, view)),
            counted: 0.0,
        }
    }

    /// Takes note of what has been since the last time. Of a function without instances that nobody asks for nothing is heard, so that
    /// the windows begin anew with the next request.
    pub fn observe(&mut self, view: &ScaleView) {
        let ((from, before), amount) = (self.up_to, amount(self.metric, view));
        let (to, added) = (view.now, amount - before);
        if to <= from {
            return;
        }
        self.up_to = (to, amount);
        if view.ready == 0 && view.in_flight() == 0 && added <= 0.0 {
            return;
        }
        let (first, last) = (from / SECOND + 1, to.div_ceil(SECOND));
        // What is out of the window is forgotten at once.
        for second in first.max(last.saturating_sub(self.stable.length()))..=last {
            let (begin, end) = (from.max((second - 1) * SECOND), to.min(second * SECOND));
            let share = end.saturating_sub(begin) as f64 / (to - from) as f64;
            let value = (added * share).max(0.0);
            let counted = value.min(self.counted);
            self.counted = if end == second * SECOND { 0.0 } else { self.counted - counted };
            self.record(second, value - counted);
        }
    }

    /// A request has come to a function of which nothing is wanted: it counts in this second, and not once more in the next.
    pub fn poke(&mut self, now: u64) {
        self.record(now / SECOND, 1.0);
        self.counted = 1.0;
    }

    fn record(&mut self, second: u64, value: f64) {
        self.stable.record(second, value);
        self.panic.record(second, value);
    }

    /// The averages over both windows, if there has been anything in the stable one.
    pub fn averages(&self, now: u64) -> Option<Observed> {
        let second = now / SECOND;
        let average = |buckets: &Buckets| buckets.average(second);
        (!self.stable.is_empty(second)).then(|| Observed { stable: average(&self.stable), panic: average(&self.panic) })
    }
}

/// How much of what is observed there has been up to now.
fn amount(metric: Metric, view: &ScaleView) -> f64 {
    match metric {
        Metric::Concurrency => view.in_flight_seconds,
        Metric::Rps => view.arrivals as f64,
    }
}
