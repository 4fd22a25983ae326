//! What the tests across crates share.

use std::path::PathBuf;

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;

/// A path inside the project.
pub fn project_path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(relative)
}

/// Runs a scenario of the project with the built-in policies.
pub fn run_scenario(relative: &str) -> Results {
    let scenario = Scenario::read(&project_path(relative), &[]).unwrap_or_else(|error| panic!("{relative}: {error}"));
    let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN));
    let experiment = experiment.unwrap_or_else(|error| panic!("{relative}: {error}"));
    experiment.run().unwrap_or_else(|error| panic!("{relative}: {error}"))
}
