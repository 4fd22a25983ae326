//! The test kit catches what it is for: every policy here is sound but for one defect, which its parameter names.

#![allow(clippy::incompatible_msrv, reason = "the test kit is built with the compiler of Hearth")]

mod admission;
mod allocation;
mod batch;
mod busy;
mod containers;
mod eviction;
mod keep_alive;
mod queues;
mod timers;

use std::sync::{Mutex, PoisonError};

use hearth_policy_api::testkit::{Options, check};
use hearth_policy_api::{ParameterValue, Parameters, PolicyDescriptor};

/// A defect, and what the kit must say of it.
type Row = (&'static str, &'static str);

/// Held while the kit runs: it asks how much memory the whole process has, and what another test frees meanwhile would
/// hide growth.
static ALONE: Mutex<()> = Mutex::new(());

fn fault(policy: &PolicyDescriptor, defect: &'static str) -> Option<String> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut parameters = Parameters::defaults(&policy.parameters());
    parameters.set("defect", ParameterValue::Choice(defect.to_owned())).unwrap();
    let options = Options { parameters: Some(parameters), ..Options::default() };
    check(policy, &options).err().map(|counterexample| counterexample.to_string())
}

fn check_rows(policy: &PolicyDescriptor, rows: &[Row]) {
    assert_eq!(fault(policy, "none"), None, "{policy:?} without a defect");
    for (defect, expected) in rows {
        let found = fault(policy, defect).unwrap_or_else(|| panic!("{policy:?}: {defect} is not caught"));
        assert!(found.contains(expected), "{policy:?}: {defect}: {found}");
        assert!(found.lines().count() < 25, "{defect}: the history is long: {found}");
    }
    // The table knows every defect that there is.
    let declared = policy.parameters().iter().map(|parameter| parameter.kind.to_string()).collect::<String>();
    assert_eq!(declared.matches(", ").count(), rows.len(), "{declared}");
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
            fn is(&self, defect: &str) -> bool {
                self.defect == defect
            }
        }
    };
}
use defective;

/// Even or odd, as the wall clock has it.
fn tick() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| u64::from(since.subsec_nanos()) / 7)
}
