//! Autoscaling `concurrency`: as many instances as the requests in flight fill, each with `target` requests.
//!
//! Those that wait count as those that are served. There are no windows: at each tick, which are `period` (2 s) apart, the number of
//! that moment counts, and a request that finds no instance with room is never a reason for fewer than there were. With `target` 0, the
//! default, it is what an instance of the function serves at once at the most, and `unlimited` (100) where that is without limit.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::autoscaling::<Concurrency>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Concurrency`].
    #[derive(Clone, Copy, Debug)]
    pub struct Settings {
        /// how many requests there are to be in flight for each instance; 0 for as many as it serves
        target: number(0.0..=1_000_000.0) = 0.0, "requests";
        /// how many where an instance serves any number
        unlimited: number(0.01..=1_000_000.0) = 100.0, "requests";
        /// how long it is from one tick to the next
        period: duration = 2_000_000_000;
    }
}

/// The policy.
#[derive(Debug)]
pub struct Concurrency {
    settings: Settings,
}

impl Policy for Concurrency {
    const NAME: &'static str = "concurrency";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "as many instances as the requests in flight fill";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        if settings.period == 0 {
            return Err(PolicyError::new("the parameter period must be more than 0, or nothing would ever shrink"));
        }
        Ok(Self { settings })
    }
}

impl Autoscaling for Concurrency {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: self.settings.period, asked_on_requests: true, ..AutoscalingRules::default() }
    }

    fn scale(&mut self, view: &ScaleView) -> Scale {
        let Settings { target, unlimited, .. } = self.settings;
        let target = match view.concurrency {
            _ if target > 0.0 => target,
            u32::MAX => unlimited,
            concurrency => f64::from(concurrency.max(1)),
        };
        let filled = (view.in_flight() as f64 / target).ceil().min(f64::from(Scale::MOST)) as u32;
        Scale { wanted: if view.cause == ScaleCause::Request { filled.max(view.wanted) } else { filled } }
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

    fn wanted(target: f64, view: ScaleView) -> u32 {
        Concurrency { settings: Settings { target, ..Settings::default() } }.scale(&view).wanted
    }

    #[test]
    fn requests_in_flight_fill_instances() {
        let view = ScaleView { concurrency: 10, waiting: 5, running: 20, ..ScaleView::default() };
        assert_eq!(wanted(0.0, view), 3);
        assert_eq!(wanted(5.0, view), 5);
        assert_eq!(wanted(0.0, ScaleView { concurrency: u32::MAX, ..view }), 1, "of an unlimited number 100 are meant");
        assert_eq!(wanted(0.0, ScaleView { waiting: 0, running: 0, ..view }), 0);
    }

    #[test]
    fn only_ticks_have_instances_end() {
        let view = ScaleView { waiting: 1, wanted: 8, ..ScaleView::default() };
        assert_eq!(wanted(0.0, ScaleView { cause: ScaleCause::Request, ..view }), 8);
        assert_eq!(wanted(0.0, view), 1);
    }
}
