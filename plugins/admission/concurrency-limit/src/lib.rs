//! Admission `concurrency-limit`: a request is rejected when `total` (1000) invocations are in flight already, or
//! `per_function` (no limit) of its function. In flight is who was let in and has not ended, waiting or running.
//!
//! The limits are those of AWS Lambda: the concurrency of an account, 1000 unless raised, and the reserved concurrency of a
//! function. What differs: reserving concurrency for one function takes nothing away from the others here.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::admission::<ConcurrencyLimit>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`ConcurrencyLimit`].
    pub struct Settings {
        /// how many may be in flight
        total: integer(1..=u64::MAX) = 1000, "invocations";
        /// how many of one function may be in flight
        per_function: integer(1..=u64::MAX) = u64::MAX, "invocations";
    }
}

/// The policy.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    total: u64,
    per_function: u64,
}

impl Policy for ConcurrencyLimit {
    const NAME: &'static str = "concurrency-limit";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "rejects requests when too many are in flight";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { total: settings.total, per_function: settings.per_function })
    }
}

impl Admission for ConcurrencyLimit {
    fn admit(&mut self, _request: &RequestView, load: &AdmissionView<'_>) -> AdmissionDecision {
        let in_flight = load.waiting + load.running;
        if in_flight >= self.total {
            let text = format!("{in_flight} invocations are in flight, the limit is {}", self.total);
            return AdmissionDecision::Reject(text);
        }
        let of_function = load.waiting_of_function + load.running_of_function;
        if of_function >= self.per_function {
            let limit = self.per_function;
            let text = format!("{of_function} invocations of the function are in flight, the limit is {limit}");
            return AdmissionDecision::Reject(text);
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
        let mut policy = ConcurrencyLimit { total: 5, per_function: 3 };
        let mut admits = |waiting, running, waiting_of_function, running_of_function| {
            let load = AdmissionView {
                waiting,
                running,
                waiting_of_function,
                running_of_function,
                ..AdmissionView::default()
            };
            policy.admit(&RequestView::default(), &load) == AdmissionDecision::Admit
        };
        assert!(admits(2, 2, 1, 1));
        assert!(!admits(2, 3, 1, 1));
        assert!(!admits(2, 2, 1, 2));
    }
}
