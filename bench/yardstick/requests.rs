//! Whole runs of scenarios with one invocation a request.

use std::error::Error;

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::results::Summary;
use hearth_serverless::scenario::Scenario;
use serde_json::Value;

use crate::measure;

/// All that `hearth run` does but reading the policies and printing.
pub fn run(scenario: &Scenario) -> Result<Results, Box<dyn Error>> {
    let experiment = Experiment::prepare(scenario, &Catalog::new(hearth_plugins::BUILT_IN))?.without_records();
    let results = experiment.run()?;
    Summary::new(&results);
    Ok(results)
}

/// Hold steps of a run for each of its requests, the best of several.
pub fn measure_requests(name: &str, requests: u64, scenario: &Value) -> Result<f64, Box<dyn Error>> {
    let scenario = Scenario::from_json(&scenario.to_string())?;
    let results = run(&scenario)?;
    assert_eq!(results.metrics.invocations(), requests);
    let cold = results.metrics.cold_starts;
    Ok(measure(&format!("{name} ({cold} cold)"), "request", requests, || run(&scenario).map(drop)))
}
