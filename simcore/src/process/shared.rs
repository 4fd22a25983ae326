//! What a simulation and its processes share.

use std::cell::RefCell;

use super::Executor;
use crate::kernel::{Kernel, Model};

/// The parts of a simulation. Models and processes never run at the same time, so neither finds the other's part
/// borrowed.
pub(crate) struct Shared<M: Model> {
    pub kernel: RefCell<Kernel<M::Event>>,
    pub model: RefCell<M>,
    pub executor: Executor,
    /// The error of the first process that failed.
    pub failure: RefCell<Option<M::Error>>,
}
