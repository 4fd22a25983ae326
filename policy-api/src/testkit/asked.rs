//! Calls a policy.

use super::fault::{Fault, FaultKind};
use super::stopwatch;
use crate::boundary::Called;

/// Calls the policy: its answer, or what to say of its failure.
pub(super) fn answer<T>(call: &'static str, ask: impl FnOnce() -> Called<T>) -> Result<T, Fault> {
    let called = stopwatch::during(call, ask);
    called.map_err(|failure| Fault::new(FaultKind::Call, format!("failed in {call}: {failure}")))
}
