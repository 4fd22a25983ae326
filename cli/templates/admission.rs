//! Admission `policy-name`: a request is rejected when too many wait already.

use hearth_policy_api::*;

// What the library exports; a library may have several policies.
export_policies!(PolicyDescriptor::admission::<TypeName>());

parameters! {
    /// What can be set.
    pub struct Settings {
        /// how many may wait
        limit: integer(1..=u64::MAX) = 100, "invocations";
    }
}

/// The policy.
pub struct TypeName {
    limit: u64,
}

impl Policy for TypeName {
    const NAME: &'static str = "policy-name";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "rejects requests when too many wait";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { limit: settings.limit })
    }
}

impl Admission for TypeName {
    /// Asked once for each request, and again after each delay.
    fn admit(&mut self, _request: &RequestView, load: &AdmissionView<'_>) -> AdmissionDecision {
        if load.waiting < self.limit {
            AdmissionDecision::Admit
        } else {
            AdmissionDecision::Reject(format!("{} invocations wait", load.waiting))
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit;

    use super::*;

    #[test]
    fn the_one_too_many_is_rejected() {
        let mut policy = TypeName { limit: 2 };
        let mut admits = |waiting| {
            let load = AdmissionView { waiting, ..AdmissionView::default() };
            policy.admit(&RequestView::default(), &load) == AdmissionDecision::Admit
        };
        assert!(admits(1) && !admits(2));
    }

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&PolicyDescriptor::admission::<TypeName>());
    }
}
