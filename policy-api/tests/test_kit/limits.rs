//! What the kit does not accuse, since a host takes it; and what no claim takes back.

use std::ffi::OsString;
use std::path::PathBuf;

use hearth_policy_api::testkit::{self, FaultKind, Options, SecondProcess};
use hearth_policy_api::*;

/// So many ns are a second.
const SECOND: u64 = 1_000_000_000;

hearth_policy_api::parameters! {
    /// What can be set.
    pub struct Wait {
        /// how long a request is delayed
        delay: duration = 20_000;
        /// how often at the most, before it is let in
        times: integer(0..=1000000) = 0;
        /// nobody is let in so soon after another one
        gap: duration = 0;
    }
}

/// Delays each request so often, and each after another for so long.
struct Patient {
    wait: Wait,
    next: u64,
}

impl Policy for Patient {
    const NAME: &'static str = "patient";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "delays";
    type Parameters = Wait;

    fn new(wait: Wait, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { wait, next: 0 })
    }
}

impl Admission for Patient {
    fn admit(&mut self, _request: &RequestView, view: &AdmissionView<'_>) -> AdmissionDecision {
        if u64::from(view.delays) < self.wait.times || view.now < self.next {
            return AdmissionDecision::Delay(self.wait.delay);
        }
        self.next = view.now + self.wait.gap;
        AdmissionDecision::Admit
    }
}

fn delayed(delay: u64, times: u64, gap: u64, claims: Claims) -> Option<(FaultKind, String)> {
    let policy = PolicyDescriptor::admission::<Patient>();
    let mut parameters = Parameters::defaults(&policy.parameters());
    parameters.set("delay", ParameterValue::Duration(delay)).unwrap();
    parameters.set("times", ParameterValue::Integer(times)).unwrap();
    parameters.set("gap", ParameterValue::Duration(gap)).unwrap();
    let options = Options { parameters: Some(parameters), claims: Some(claims), cases: 32, ..Options::default() };
    let _alone = super::alone();
    testkit::check(&policy, &options).err().map(|found| (found.kind, found.fault))
}

#[test]
fn short_delays_are_a_matter_of_claims_and_delays_of_centuries_of_the_host() {
    let without = Claims { sensible_times: false, ..Claims::ALL };
    let is_promised = |found: Option<(FaultKind, String)>| {
        matches!(found, Some((FaultKind::Promise(testkit::Claim::SensibleTimes), _)))
    };
    for (delay, times) in [(0, 3), (1_000, 500)] {
        assert!(is_promised(delayed(delay, times, 0, Claims::ALL)), "{times} times by {delay} ns");
        assert_eq!(delayed(delay, times, 0, without), None, "{times} times by {delay} ns");
    }
    assert_eq!(delayed(1_000, 50, 0, Claims::ALL), None, "few are no fault");
    let (longest, all) = (LONGEST_DELAY, Claims::ALL);
    assert_eq!(delayed(longest, 1, 0, all), None);
    for claims in [Claims::ALL, without] {
        let (kind, text) = delayed(longest + 1, 1, 0, claims).unwrap();
        assert_eq!(kind, FaultKind::Answer, "{text}");
        assert!(text.contains("more than a century"), "{text}");
    }
}

#[test]
fn whoever_is_let_in_within_the_hour_is_let_in_however_often_he_is_delayed() {
    assert_eq!(delayed(SECOND / 500, 0, 1800 * SECOND, Claims::ALL), None);
    let (kind, text) = delayed(SECOND, 0, 7200 * SECOND, Claims::ALL).unwrap();
    assert_eq!(kind, FaultKind::Promise(testkit::Claim::LetsInWhenIdle), "{text}");
}

hearth_policy_api::parameters! {
    /// What can be set.
    pub struct Ring {
        /// how many entries it keeps
        entries: integer(1..=1000000) = 1000;
    }
}

/// Remembers the last run times.
struct Remembers {
    entries: usize,
    run_times: std::collections::VecDeque<u64>,
}

impl Policy for Remembers {
    const NAME: &'static str = "remembers";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "keeps a table of run times";
    type Parameters = Ring;

    fn new(ring: Ring, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { entries: ring.entries as usize, run_times: Default::default() })
    }
}

impl KeepAlive for Remembers {
    fn on_idle(&mut self, completion: &Completion<'_>) -> Retention {
        self.run_times.push_back(completion.run_time);
        if self.run_times.len() > self.entries {
            self.run_times.pop_front();
        }
        Retention { keep_for: 60 * SECOND }
    }
}

#[test]
fn a_table_that_fills_up_is_no_leak() {
    let policy = PolicyDescriptor::keep_alive::<Remembers>();
    let found = |entries| {
        let mut parameters = Parameters::defaults(&policy.parameters());
        parameters.set("entries", ParameterValue::Integer(entries)).unwrap();
        let options = Options { parameters: Some(parameters), cases: 8, ..Options::default() };
        let _alone = super::alone();
        testkit::check(&policy, &options).err()
    };
    // It is full before the last window.
    assert_eq!(found(3_000), None);
    let found = found(1_000_000).unwrap();
    assert_eq!(found.kind, FaultKind::Promise(testkit::Claim::BoundedMemory), "{found}");
}

#[test]
fn a_second_process_that_is_named_and_plays_nothing_is_a_fault() {
    let policy = PolicyDescriptor::admission::<super::OpenDoor>();
    let itself = std::env::current_exe().unwrap();
    for (program, arguments) in [("/no/such/program".into(), Vec::new()), (itself, vec![OsString::from("--list")])] {
        let second = Some(SecondProcess::new(PathBuf::from(&program), arguments, Vec::new()));
        let _alone = super::alone();
        let found = testkit::check(&policy, &Options { cases: 4, second_process: second, ..Options::default() });
        let found = found.unwrap_err();
        assert!(found.kind == FaultKind::NotMade && found.fault.contains("hands nothing over"), "{program:?}: {found}");
    }
}
