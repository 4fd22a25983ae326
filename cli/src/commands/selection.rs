//! The arguments by which commands take a scenario, and set parts of it.

use std::path::PathBuf;

use clap::Args;
use hearth_serverless::experiment::Experiment;
use hearth_serverless::policy::{Catalog, PolicySlot};
use hearth_serverless::scenario::{Override, Scenario, ScenarioError};

use crate::error::CommandError;

/// A scenario and what is set in it.
#[derive(Debug, Args)]
pub struct ScenarioArguments {
    /// The scenario file (JSON).
    pub scenario: PathBuf,

    /// Set a value of the scenario, as in service.container_startup_overhead=2s or functions.0.time_limit=10.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// Use another policy, as in node_allocation=least-loaded or eviction.containers=ram.
    #[arg(long = "policy", value_name = "SLOT=NAME")]
    policy: Vec<String>,

    /// Draw all random numbers from this seed instead of the scenario's.
    #[arg(long)]
    seed: Option<u64>,
}

impl ScenarioArguments {
    /// Reads the scenario with everything that is set, and gets it ready.
    pub fn prepare(&self) -> Result<Experiment, CommandError> {
        let mut overrides = Vec::new();
        for assignment in &self.set {
            overrides.push(assignment.parse::<Override>().map_err(CommandError::Argument)?);
        }
        for choice in &self.policy {
            overrides.push(policy_override(choice)?);
        }
        if let Some(seed) = self.seed {
            overrides.push(format!("seed={seed}").parse::<Override>().map_err(CommandError::Argument)?);
        }
        let of_scenario = |error| match error {
            // These name their file, or the argument, themselves.
            ScenarioError::File { .. } | ScenarioError::Override { .. } => CommandError::Argument(error),
            error => CommandError::Scenario { file: self.scenario.clone(), error },
        };
        let scenario = Scenario::read(&self.scenario, &overrides).map_err(of_scenario)?;
        Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).map_err(of_scenario)
    }
}

/// `node_allocation=NAME` as the assignment it stands for. The parameters of the scenario are another policy's.
fn policy_override(choice: &str) -> Result<Override, CommandError> {
    let slots: Vec<&str> = PolicySlot::ALL.iter().map(|slot| slot.path()).collect();
    let wrong = |problem: String| {
        CommandError::Argument(ScenarioError::Invalid { place: format!("--policy {choice:?}"), problem })
    };
    let (slot, name) = choice.split_once('=').ok_or_else(|| wrong("expected SLOT=NAME".to_owned()))?;
    if !slots.contains(&slot) {
        return Err(wrong(format!("unknown slot {slot:?}: expected one of {}", slots.join(", "))));
    }
    let assignment = format!("policies.{slot}={}", serde_json::json!({ "use": name }));
    assignment.parse().map_err(CommandError::Argument)
}
