//! The command, in an interpreter.

use std::ffi::OsString;
use std::path::PathBuf;

use hearth_sim::{Program, main_of};
use pyo3::prelude::*;

/// Does what the arguments of the command say, and gives the exit code for it. `start` are the words that start this program again, and
/// `file` is what people start.
#[pyfunction]
pub fn command(py: Python<'_>, start: Vec<OsString>, file: PathBuf, arguments: Vec<OsString>) -> u8 {
    py.detach(|| main_of(Program { start, file, arguments }))
}
