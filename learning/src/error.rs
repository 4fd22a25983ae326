//! What can go wrong.

use hearth_serverless::Error;
use hearth_serverless::scenario::ScenarioError;

/// Why an environment cannot be made, or go on.
#[derive(Debug, thiserror::Error)]
pub enum LearningError {
    /// The scenario is wrong.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The simulation stopped before its end.
    #[error(transparent)]
    Simulation(#[from] Error),
    /// A setting of the task makes no sense.
    #[error("{0}")]
    Setting(
        /// Which one, what was found and what is expected.
        String,
    ),
    /// There is nothing to decide.
    #[error("the scenario ends without a decision on {0}: it is to have requests, and functions that are served so")]
    NothingToDecide(
        /// What would have been decided.
        &'static str,
    ),
    /// There is no such action.
    #[error("action {action}: expected 0 to {}", actions - 1)]
    Action {
        /// What was given.
        action: i64,
        /// How many there are.
        actions: usize,
    },
    /// No episode is under way.
    #[error("no episode is under way: reset the environment first")]
    NotUnderWay,
    /// What is given for the environments of a fleet is not one for each.
    #[error("{given} {what} for {environments} environments: give one for each")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many were given.
        given: usize,
        /// How many environments there are.
        environments: usize,
    },
    /// A thread of a fleet has ended by a mistake of the simulator, which it has told on standard error.
    #[error("a thread with environments has panicked: that is a mistake of Hearth, please report it")]
    ThreadEnded,
}

/// Whether a weight of costs is one.
pub(crate) fn check_weight(name: &str, weight: f64) -> Result<(), LearningError> {
    if weight.is_finite() && weight >= 0.0 {
        return Ok(());
    }
    Err(LearningError::Setting(format!("{name} is {weight}: expected a number from 0 on")))
}
