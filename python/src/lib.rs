//! The extension module `hearth._hearth`: what the package `hearth` calls of the crates.

mod error;
mod gym;

use pyo3::prelude::*;

/// What the package `hearth` calls of the crates.
#[pymodule]
mod _hearth {
    #[pymodule_export]
    use crate::error::{HearthError, PolicyError, ScenarioError, SimulationError};

    #[pymodule_export]
    use crate::gym::{Environments, Network, learning_scenarios};

    /// The version of Hearth.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
