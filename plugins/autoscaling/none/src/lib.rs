//! Autoscaling `none`: each function has as many instances as its least number (`min_scale`) demands, whatever comes, and each pool as many
//! nodes as at the begin.
//!
//! It is what a scenario has that names no autoscaling. A function without a least number has no instance, and its requests wait.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::autoscaling::<Nothing>();
export_policies!(POLICY);

/// The policy.
#[derive(Debug)]
pub struct Nothing;

impl Policy for Nothing {
    const NAME: &'static str = "none";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "as many instances as the bounds of each function demand; no nodes come or go";
    // Nobody gets an instance or a node by waiting.
    const CLAIMS: Claims = Claims { work_conserving: false, ..Claims::ALL };
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl Autoscaling for Nothing {
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: 0, scales_pools: true, ..AutoscalingRules::default() }
    }

    fn scale(&mut self, view: &ScaleView) -> Scale {
        Scale { wanted: view.min_scale }
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

    #[test]
    fn nothing_but_the_least_number_counts() {
        let view = ScaleView { waiting: 7, running: 3, ready: 5, ..ScaleView::default() };
        assert_eq!(Nothing.scale(&view).wanted, 0);
        assert_eq!(Nothing.scale(&ScaleView { min_scale: 2, ..view }).wanted, 2);
        let rules = Nothing.rules();
        assert_eq!((rules.period, rules.asked_on_requests), (0, false), "nobody need ask");
    }
}
