//! Admission `always`: everybody is let in.

use hearth_policy_api::{Admission, AdmissionDecision, AdmissionView, Constructor, PolicyDescriptor, RequestView};

/// The policy as scenarios know it.
pub static POLICY: PolicyDescriptor = PolicyDescriptor {
    name: "always",
    version: env!("CARGO_PKG_VERSION"),
    description: "lets everybody in",
    parameters: &[],
    constructor: Constructor::Admission(|_, _| Ok(Box::new(Always))),
};

/// The policy; it keeps no state.
#[derive(Debug)]
pub struct Always;

impl Admission for Always {
    fn admit(&mut self, _request: &RequestView, _load: &AdmissionView) -> AdmissionDecision {
        AdmissionDecision::Admit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_may_wait() {
        let load = AdmissionView { waiting: u64::MAX, ..AdmissionView::default() };
        assert_eq!(Always.admit(&RequestView::default(), &load), AdmissionDecision::Admit);
    }
}
