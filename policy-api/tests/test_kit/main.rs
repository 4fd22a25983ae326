//! The test kit catches what it is for: every policy here is sound but for one defect, which its parameter names.

#![allow(clippy::incompatible_msrv, reason = "the test kit is built with the compiler of Hearth")]

mod admission;
mod allocation;
mod autoscaling;
mod batch;
mod busy;
mod containers;
mod controllers;
mod eviction;
mod keep_alive;
mod limits;
mod newer;
mod outside;
mod pools;
mod queues;
mod timers;

use std::sync::{Mutex, PoisonError};

use hearth_policy_api::testkit::{Options, SecondProcess, check};
use hearth_policy_api::{
    Admission, AdmissionDecision, AdmissionView, ParameterValue, Parameters, Policy, PolicyContext, PolicyDescriptor,
    PolicyError, RequestView,
};

/// A defect, and what the kit must say of it.
type Row = (&'static str, &'static str);

/// No history of a defect has more lines: those of the smallest cluster, and what is told and answered in a few steps.
const LONGEST_HISTORY: usize = 80;

/// Held while the kit runs: it asks how much memory the whole process has, and what another test frees meanwhile would
/// hide growth.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn parameters_with(policy: &PolicyDescriptor, defect: &str) -> Parameters {
    let mut parameters = Parameters::defaults(&policy.parameters());
    parameters.set("defect", ParameterValue::Choice(defect.to_owned())).unwrap();
    parameters
}

fn check_rows(policy: &PolicyDescriptor, rows: &[Row]) {
    check_rows_with(policy, rows, |_| None);
}

/// Checks the policy without a defect and with each, in a second process if there is one.
fn check_rows_with(policy: &PolicyDescriptor, rows: &[Row], second: impl Fn(&str) -> Option<SecondProcess>) {
    let fault = |defect: &str| {
        let _alone = alone();
        let (parameters, second_process) = (Some(parameters_with(policy, defect)), second(defect));
        check(policy, &Options { parameters, second_process, ..Options::default() }).err()
    };
    if let Some(found) = fault("none") {
        panic!("{policy:?} without a defect: {found}");
    }
    let problem = |(defect, expected): &Row| {
        let Some(found) = fault(defect) else { return Some(format!("{defect} is not caught")) };
        let is_right = found.fault.contains(expected) && found.history.len() <= LONGEST_HISTORY;
        (!is_right).then(|| format!("{defect}: {found}"))
    };
    let problems: Vec<String> = rows.iter().filter_map(problem).collect();
    assert!(problems.is_empty(), "{policy:?}: {}", problems.join("\n\n"));
    // The table knows every defect that there is.
    let declared = policy.parameters().iter().map(|parameter| parameter.kind.to_string()).collect::<String>();
    assert_eq!(declared.matches(", ").count(), rows.len(), "{declared}");
}

/// Lets everybody in.
struct OpenDoor;

impl Policy for OpenDoor {
    const NAME: &'static str = "open-door";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "lets everybody in";
    type Parameters = ();
    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl Admission for OpenDoor {
    fn admit(&mut self, _request: &RequestView, _view: &AdmissionView<'_>) -> AdmissionDecision {
        AdmissionDecision::Admit
    }
}

/// Declares a policy that is sound but for a defect.
macro_rules! defective {
    ($policy:ident, $state:ty, [$($defect:literal),+ $(,)?]) => {
        pub struct $policy {
            defect: &'static str,
            state: $state,
        }

        impl Policy for $policy {
            const NAME: &'static str = "defective";
            const VERSION: &'static str = "1.0.0";
            const DESCRIPTION: &'static str = "sound but for a defect";
            type Parameters = Defects;

            fn new(defects: Defects, _context: &PolicyContext) -> Result<Self, PolicyError> {
                Ok(Self { defect: defects.defect, state: Default::default() })
            }
        }

        hearth_policy_api::parameters! {
            /// What is wrong.
            pub struct Defects {
                /// what is wrong with it
                defect: word("none", $($defect),+) = "none";
            }
        }

        impl $policy {
            #[allow(dead_code, reason = "some look at the word itself")]
            fn is(&self, defect: &str) -> bool {
                self.defect == defect
            }
        }
    };
}
use defective;

/// Keeps memory that nobody frees, also where the compiler would see that nobody reads it.
fn leak<T>(kept: T) {
    std::hint::black_box(Box::leak(Box::new(kept)));
}

/// Even or odd, as the wall clock has it.
fn tick() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| u64::from(since.subsec_nanos()) / 7)
}
