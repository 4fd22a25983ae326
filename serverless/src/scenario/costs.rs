//! What a run costs, as a scenario says it: the power of hosts.

use schemars::JsonSchema;
use serde::Deserialize;

use super::ScenarioError;

/// Far beyond any price or machine, and safe to multiply.
const MAX: f64 = 1e9;

/// Refuses what is no amount: below 0, or beyond reason.
fn check_amount(amount: f64, place: impl FnOnce() -> String) -> Result<(), ScenarioError> {
    if amount.is_sign_positive() && amount <= MAX {
        return Ok(());
    }
    Err(ScenarioError::invalid(place(), format!("found {amount}, expected a number from 0 to {MAX:e}")))
}

/// The electric power of a host in watts, linear in the cores that are busy.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "power: an object, as in {\"idle\": 90, \"busy\": 220}")]
pub struct PowerSection {
    /// Watts while no core is busy.
    #[schemars(range(min = 0, max = 1e9))]
    pub idle: f64,
    /// Watts while all cores are busy, not less than `idle`.
    #[schemars(range(min = 0, max = 1e9))]
    pub busy: f64,
}

impl PowerSection {
    /// Checks the numbers of a host at this position.
    pub(super) fn check(&self, position: usize) -> Result<(), ScenarioError> {
        let place = |field: &str| format!("platform.hosts[{position}].power.{field}");
        check_amount(self.idle, || place("idle"))?;
        check_amount(self.busy, || place("busy"))?;
        if self.busy < self.idle {
            let problem = format!("found {}, expected at least the {} of \"idle\"", self.busy, self.idle);
            return Err(ScenarioError::invalid(place("busy"), problem));
        }
        Ok(())
    }
}
