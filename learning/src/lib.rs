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
//! let mut environment = Environment::new(&task)?;
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
mod error;
mod fleet;
mod keep_alive;
mod question;
mod task;

pub use autoscaling::{AUTOSCALING_FEATURES, AutoscalingTask};
pub use environment::{Environment, EpisodeEnd, Step};
pub use error::LearningError;
pub use fleet::{Batch, Fleet};
pub use keep_alive::KeepAliveTask;
pub use task::{Problem, Task};
