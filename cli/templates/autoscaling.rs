//! Autoscaling `policy-name`: as many instances as the requests in flight fill, and some more.

use hearth_policy_api::*;

// What the library exports; a library may have several policies.
export_policies!(PolicyDescriptor::autoscaling::<TypeName>());

parameters! {
    /// What can be set.
    pub struct Settings {
        /// how many instances are ready beyond those that are needed
        spare: integer(0..=1_000) = 0, "instances";
    }
}

/// The policy.
pub struct TypeName {
    spare: u64,
}

impl Policy for TypeName {
    const NAME: &'static str = "policy-name";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "as many instances as the requests in flight fill, and some more";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { spare: settings.spare })
    }
}

impl Autoscaling for TypeName {
    /// Asked every two seconds, and when a request finds no instance with room.
    fn rules(&self) -> AutoscalingRules {
        AutoscalingRules { period: nanos(2.0), asked_on_requests: true, ..AutoscalingRules::default() }
    }

    /// Asked about one function. The host holds the answer to the bounds of the function.
    fn scale(&mut self, view: &ScaleView) -> Scale {
        let needed = view.in_flight().div_ceil(u64::from(view.concurrency.max(1)));
        Scale { wanted: needed.saturating_add(self.spare).min(u64::from(Scale::MOST)) as u32 }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit;

    use super::*;

    #[test]
    fn requests_fill_instances() {
        let mut policy = TypeName { spare: 1 };
        let view = ScaleView { concurrency: 10, waiting: 5, running: 20, ..ScaleView::default() };
        assert_eq!(policy.scale(&view), Scale { wanted: 4 });
    }

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&PolicyDescriptor::autoscaling::<TypeName>());
    }
}
