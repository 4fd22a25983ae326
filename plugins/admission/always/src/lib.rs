//! Admission `always`: everybody is let in.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::admission::<Always>();
export_policies!(POLICY);

/// The policy; it keeps no state.
#[derive(Debug)]
pub struct Always;

impl Policy for Always {
    const NAME: &'static str = "always";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "lets everybody in";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl Admission for Always {
    fn admit(&mut self, _request: &RequestView, _load: &AdmissionView<'_>) -> AdmissionDecision {
        AdmissionDecision::Admit
    }

    fn rules(&self) -> AdmissionRules {
        AdmissionRules { admits_all: true, ..AdmissionRules::default() }
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
    fn any_number_may_wait() {
        let load = AdmissionView { waiting: u64::MAX, ..AdmissionView::default() };
        assert_eq!(Always.admit(&RequestView::default(), &load), AdmissionDecision::Admit);
    }
}
