//! Admission `queue-limit`: a request is rejected when `limit` invocations wait already, or `per_function` of its
//! function. Waiting is who was let in and has no container yet.

use hearth_policy_api::{
    Admission, AdmissionDecision, AdmissionView, Constructor, ParameterKind, ParameterSpec, ParameterValue,
    PolicyDescriptor, RequestView,
};

/// The policy as scenarios know it.
pub static POLICY: PolicyDescriptor = PolicyDescriptor {
    name: "queue-limit",
    version: env!("CARGO_PKG_VERSION"),
    description: "rejects requests when too many wait",
    parameters: &[
        ParameterSpec {
            name: "limit",
            kind: ParameterKind::Integer { min: 0, max: u64::MAX },
            default: ParameterValue::Integer(1000),
            help: "how many invocations may wait",
        },
        ParameterSpec {
            name: "per_function",
            kind: ParameterKind::Integer { min: 0, max: u64::MAX },
            default: ParameterValue::Integer(u64::MAX),
            help: "how many invocations of one function may wait",
        },
    ],
    constructor: Constructor::Admission(|parameters, _| {
        let (limit, per_function) = (parameters.integer("limit"), parameters.integer("per_function"));
        Ok(Box::new(QueueLimit { limit, per_function }))
    }),
};

/// The policy.
#[derive(Debug)]
pub struct QueueLimit {
    limit: u64,
    per_function: u64,
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
    use super::*;

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
