//! Admission `queue-limit`: a request is rejected when `limit` invocations wait already, or `per_function` of its
//! function. Waiting is who was let in and has no container yet.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::admission::<QueueLimit>();
export_policies!(POLICY);

/// The policy.
#[derive(Debug)]
pub struct QueueLimit {
    limit: u64,
    per_function: u64,
}

impl Policy for QueueLimit {
    const NAME: &'static str = "queue-limit";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "rejects requests when too many wait";
    const PARAMETERS: &'static [ParameterSpec] = &[
        ParameterSpec::integer("limit", 0..=u64::MAX, 1000, "how many may wait").unit("invocations"),
        ParameterSpec::integer("per_function", 0..=u64::MAX, u64::MAX, "how many of one function may wait")
            .unit("invocations"),
    ];

    fn new(parameters: &Parameters, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { limit: parameters.integer("limit"), per_function: parameters.integer("per_function") })
    }
}

impl Admission for QueueLimit {
    fn admit(&mut self, _request: &RequestView, load: &AdmissionView) -> AdmissionDecision {
        let reject = |text: String| AdmissionDecision::Reject(text.into());
        if load.waiting >= self.limit {
            return reject(format!("{} invocations wait, the limit is {}", load.waiting, self.limit));
        }
        if load.waiting_of_function >= self.per_function {
            let (waiting, limit) = (load.waiting_of_function, self.per_function);
            return reject(format!("{waiting} invocations of the function wait, the limit is {limit}"));
        }
        AdmissionDecision::Admit
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
    fn the_one_over_either_limit_is_rejected() {
        let mut policy = QueueLimit { limit: 5, per_function: 2 };
        let mut admits = |waiting, waiting_of_function| {
            let load = AdmissionView { waiting, waiting_of_function, ..AdmissionView::default() };
            policy.admit(&RequestView::default(), &load) == AdmissionDecision::Admit
        };
        assert!(admits(4, 1));
        assert!(!admits(5, 1));
        assert!(!admits(4, 2));
    }
}
