//! The exceptions: their text is that of the command's errors.

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(hearth, HearthError, PyException, "Anything that goes wrong in Hearth.");
create_exception!(
    hearth,
    ScenarioError,
    HearthError,
    "A scenario, or an argument, is wrong: where, and what to do about it."
);
create_exception!(hearth, SimulationError, HearthError, "A simulation ended before its end.");
create_exception!(
    hearth,
    PolicyError,
    SimulationError,
    "A policy ended a simulation: in which call, and at which simulated date."
);

/// An error of a scenario or an argument.
pub fn wrong(error: impl std::fmt::Display) -> PyErr {
    ScenarioError::new_err(error.to_string())
}
