//! Environments for policies that learn: a simulation of Hearth stops at each decision, shows what a policy may know, and goes on
//! with an action.
//!
//! A [`Task`] is a scenario and what is decided in it: how long idle containers are kept ([`KeepAliveTask`]), or how many instances
//! a function has ([`AutoscalingTask`]). An [`Environment`] plays episodes of it, a [`Fleet`] many at once on several threads. An
//! episode is the scenario from its begin to its end with a seed: the same seed gives the same requests whatever is decided, which
//! are those of every other run of the scenario with that seed. Who decides serves in the place of a policy, asked over the same way,
//! so the same answers as a policy's give the same results.
//!
//! ```
//! use hearth_learning::{Environment, KeepAliveTask, Task};
//! let task = Task::keep_alive(Task::default_keep_alive(), KeepAliveTask::default())?;
//! let mut environment = Environment::new(&task);
//! environment.reset(7)?;
//! let mut reward = 0.0;
//! loop {
//!     // Each container is kept for ten seconds.
//!     let step = environment.step(2)?;
//!     reward += step.reward;
//!     if step.terminated {
//!         break;
//!     }
//! }
//! let results = environment.results().expect("it has ended");
//! assert!(reward < 0.0 && results.metrics.warm_starts > 0);
//! # Ok::<(), hearth_learning::LearningError>(())
//! ```

mod autoscaling;
mod environment;
mod fleet;
mod keep_alive;
mod task;

use hearth_serverless::Error;
use hearth_serverless::scenario::ScenarioError;

pub use autoscaling::{AUTOSCALING_FEATURES, AutoscalingTask};
pub use environment::{Environment, EpisodeEnd, Step};
pub use fleet::{Batch, Fleet};
pub use keep_alive::KeepAliveTask;
pub use task::{Problem, Task};

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
