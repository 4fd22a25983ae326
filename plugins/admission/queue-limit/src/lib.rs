//! Admission `queue-limit`: a request that would have to wait is rejected when `limit` invocations wait already, or
//! `per_function` of its function. Waiting is who was let in and has no container yet.
//!
//! A request need not wait if a node with a free core has an idle container of its function or can make room for a new one,
//! and there are more free cores than invocations that wait for one. It is let in then, also with a limit of 0, which lets
//! nobody wait: with `c` cores and one kind of request that is the queue M/M/c/c of Erlang's loss formula, and with another
//! limit M/M/c/(c + limit). That the image has to come first does not count as waiting before it does: a limit of 0 would
//! let nobody in ever.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::admission::<QueueLimit>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`QueueLimit`].
    pub struct Settings {
        /// how many may wait
        limit: integer(0..=u64::MAX) = 1000, "invocations";
        /// how many of one function may wait
        per_function: integer(0..=u64::MAX) = u64::MAX, "invocations";
    }
}

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
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { limit: settings.limit, per_function: settings.per_function })
    }
}

impl QueueLimit {
    fn reject(&self, load: &AdmissionView<'_>) -> AdmissionDecision {
        let Self { limit, per_function } = self;
        let reason = if load.waiting >= *limit {
            format!("{} invocations wait, the limit is {limit}", load.waiting)
        } else {
            format!("{} invocations of the function wait, the limit is {per_function}", load.waiting_of_function)
        };
        AdmissionDecision::Reject(reason)
    }
}

impl Admission for QueueLimit {
    fn admit(&mut self, request: &RequestView, load: &AdmissionView<'_>) -> AdmissionDecision {
        let is_full = load.waiting >= self.limit || load.waiting_of_function >= self.per_function;
        if is_full && !load.has_place_for(request) { self.reject(load) } else { AdmissionDecision::Admit }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, Options, TestCluster};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
        // A limit of 0 lets somebody in when the cluster is idle, too.
        for name in ["limit", "per_function"] {
            let mut parameters = Parameters::defaults(&POLICY.parameters());
            parameters.set(name, ParameterValue::Integer(0)).unwrap();
            testkit::check(&POLICY, &Options { parameters: Some(parameters), ..Options::default() }).unwrap();
        }
    }

    #[test]
    fn who_need_not_wait_is_let_in_whatever_the_limit() {
        let mut policy = QueueLimit { limit: 0, per_function: 0 };
        let request = RequestView { ram_limit: 100, ..RequestView::default() };
        let mut admits = |cluster: &TestCluster, placed, waiting, free_cores| {
            let cluster = cluster.view();
            let load = AdmissionView {
                waiting,
                waiting_of_function: waiting,
                placed,
                free_cores,
                cluster: &cluster,
                ..AdmissionView::default()
            };
            policy.admit(&request, &load) == AdmissionDecision::Admit
        };
        let mut cluster = TestCluster::new(2);
        cluster.take_cores(1);
        assert!(admits(&cluster, 0, 0, 8));
        assert!(!admits(&cluster, 0, 8, 8), "all free cores are for those who wait");
        assert!(admits(&cluster, 3, 8, 6), "three of them have theirs already");
        cluster.nodes[0].free_ram = 99;
        assert!(!admits(&cluster, 0, 0, 8), "there is no room where a core is free");
        cluster.idle_container.insert(0);
        assert!(admits(&cluster, 0, 0, 8), "an idle container needs none");
        cluster.take_cores(0);
        assert!(!admits(&cluster, 0, 0, 0));
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
