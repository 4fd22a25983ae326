//! What every engine is told of a plan.

use super::sizing::Tasks;

/// A plan that is to be handed to an engine.
#[derive(Clone, Debug)]
pub struct Job {
    /// The program, as workers find it.
    pub hearth: String,
    /// The folder of the plan: an absolute path.
    pub plan: String,
    /// How it is cut.
    pub tasks: Tasks,
    /// The cores of a task.
    pub cores: usize,
    /// The memory of a task, in bytes.
    pub memory: Option<u64>,
    /// What is passed on to the engine.
    pub options: Vec<String>,
}
