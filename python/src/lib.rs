//! The extension module `hearth._hearth`: what the package `hearth` calls of the crates.

mod error;

use pyo3::prelude::*;

/// What the package `hearth` calls of the crates.
#[pymodule]
mod _hearth {
    #[pymodule_export]
    use crate::error::{HearthError, PolicyError, ScenarioError, SimulationError};

    /// The version of Hearth.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
