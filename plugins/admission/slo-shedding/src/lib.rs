//! Admission `slo-shedding`: a request is rejected when it is expected to miss its deadline, so that the cores work for
//! those who can still meet theirs.
//!
//! A request is let in if `now + wait + run ≤ deadline`, with
//!
//! - deadline = when it was made + `objective` (0 s) + `slowdown` (10) × mean run time of its function so far;
//! - wait = 0 while a core is free, else the invocations that wait and this one × mean run time of all / those running;
//! - run = mean run time of its function so far.
//!
//! Of a function that has never run nothing is known, and its requests are let in. This is early rejection as in Hao et al.,
//! "MittOS", SOSP 2017, with an estimate from means. What is not in it: cold starts, since admission sees neither idle
//! containers nor images; give them room with `objective`.

use hearth_policy_api::*;
use hearth_policy_toolbox::{Objective, RunTimes};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::admission::<SloShedding>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`SloShedding`].
    pub struct Settings {
        /// how long a request may take besides `slowdown` times its run
        objective: duration = 0;
        /// how many times the mean run of its function a request may take
        slowdown: number(0.0..=1e6) = 10.0;
    }
}

/// The policy and what it knows of run times.
#[derive(Debug)]
pub struct SloShedding {
    objective: Objective,
    times: RunTimes,
}

impl Policy for SloShedding {
    const NAME: &'static str = "slo-shedding";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "rejects requests that would miss their deadline";
    type Parameters = Settings;
    // One whose run alone takes longer than its objective is never let in.
    const CLAIMS: Claims = Claims { lets_in_when_idle: false, ..Claims::ALL };

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self {
            objective: Objective { fixed: settings.objective, slowdown: settings.slowdown },
            times: RunTimes::default(),
        })
    }
}

impl SloShedding {
    /// How long a request is expected to wait for a core, in ns.
    fn wait(&self, load: &AdmissionView<'_>) -> u64 {
        if load.free_cores > 0 {
            return 0;
        }
        let work = self.times.mean_of_all().unwrap_or(0).saturating_mul(load.waiting.saturating_add(1));
        work / load.running.max(1)
    }
}

impl Admission for SloShedding {
    fn rules(&self) -> AdmissionRules {
        AdmissionRules { observes_ends: true, ..AdmissionRules::default() }
    }

    fn on_end(&mut self, end: &End) {
        if end.is_of_whole_run() {
            self.times.add(end.function, end.run_time);
        }
    }

    fn admit(&mut self, request: &RequestView, load: &AdmissionView<'_>) -> AdmissionDecision {
        let Some(run) = self.times.mean(request.function) else {
            return AdmissionDecision::Admit;
        };
        let done_at = load.now.saturating_add(self.wait(load)).saturating_add(run);
        let deadline = self.objective.deadline(request, &self.times);
        match done_at.saturating_sub(deadline) {
            0 => AdmissionDecision::Admit,
            late => {
                let text = format!("it would be done {} s after its deadline", late as f64 / 1e9);
                AdmissionDecision::Reject(text)
            }
        }
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
    fn a_worked_example() {
        let mut policy = SloShedding::new(Settings::default(), &PolicyContext::default()).unwrap();
        let busy = |waiting| AdmissionView { now: 1_000, waiting, running: 4, ..AdmissionView::default() };
        let request = |function| RequestView { function, requested_at: 1_000, ..RequestView::default() };
        assert_eq!(policy.admit(&request(0), &busy(1_000)), AdmissionDecision::Admit, "nothing is known");
        for (function, run_time) in [(0, 10), (1, 30)] {
            policy.on_end(&End { function, run_time, ..End::default() });
        }
        // Function 0 may take 100 and runs for 10, so it may wait for 90: 18 runs of 20 on 4 cores.
        assert_eq!(policy.admit(&request(0), &busy(17)), AdmissionDecision::Admit);
        let refused = policy.admit(&request(0), &busy(18));
        assert_eq!(refused, AdmissionDecision::Reject("it would be done 0.000000005 s after its deadline".into()));
        assert_eq!(policy.admit(&request(1), &busy(18)), AdmissionDecision::Admit, "function 1 may take 300");
        let idle = AdmissionView { free_cores: 1, ..busy(18) };
        assert_eq!(policy.admit(&request(0), &idle), AdmissionDecision::Admit);
    }
}
