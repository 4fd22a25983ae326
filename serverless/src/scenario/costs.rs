//! What a run costs, as a scenario says it: prices, and the power of hosts.

use schemars::JsonSchema;
use serde::Deserialize;

use super::ScenarioError;
use crate::metrics::Prices;
use crate::quantity::Seconds;

/// Far beyond any price or machine, and safe to multiply.
const MAX: f64 = 1e9;

/// Refuses what is no amount: below 0, or beyond reason.
pub(super) fn check_amount(amount: f64, place: impl FnOnce() -> String) -> Result<(), ScenarioError> {
    if amount.is_sign_positive() && amount <= MAX {
        return Ok(());
    }
    let found = if amount.abs() < 1e16 { amount.to_string() } else { format!("{amount:e}") };
    Err(ScenarioError::invalid(place(), format!("found {found}, expected a number from 0 to {MAX:e}")))
}

/// What a provider asks for. What is left out is as with AWS Lambda (x86, US East, the first tier), and so is the name.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "prices: an object, as in {\"per_gib_second\": 0.00002}")]
pub struct PricesSection {
    /// What results call them.
    pub name: String,
    /// What money is counted in.
    pub currency: String,
    /// For each request of which an attempt is billed.
    #[schemars(range(min = 0, max = 1e9))]
    pub per_request: f64,
    /// For a GiB (2³⁰ bytes) of a function's RAM limit over a second.
    #[schemars(range(min = 0, max = 1e9))]
    pub per_gib_second: f64,
    /// The time of each attempt is rounded up to a multiple of this; 0 is not rounded.
    pub billing_granularity: Seconds,
    /// The least time that an attempt is billed for.
    pub minimum: Seconds,
    /// Whether the time that a new container takes to start is billed.
    pub cold_starts_billed: bool,
}

impl Default for PricesSection {
    fn default() -> Self {
        let prices = Prices::default();
        Self {
            name: prices.name,
            currency: prices.currency,
            per_request: prices.per_request,
            per_gib_second: prices.per_gib_second,
            billing_granularity: Seconds(prices.billing_granularity.as_secs_f64()),
            minimum: Seconds(prices.minimum.as_secs_f64()),
            cold_starts_billed: prices.cold_starts_billed,
        }
    }
}

impl PricesSection {
    /// Checks the numbers.
    pub(super) fn check(&self) -> Result<(), ScenarioError> {
        check_amount(self.per_request, || "prices.per_request".to_owned())?;
        check_amount(self.per_gib_second, || "prices.per_gib_second".to_owned())
    }

    pub(crate) fn prices(&self) -> Prices {
        Prices {
            name: self.name.clone(),
            currency: self.currency.clone(),
            per_request: self.per_request,
            per_gib_second: self.per_gib_second,
            billing_granularity: self.billing_granularity.duration(),
            minimum: self.minimum.duration(),
            cold_starts_billed: self.cold_starts_billed,
        }
    }
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
