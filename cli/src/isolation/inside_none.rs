//! Where there are no such processes: libraries are opened in the one that there is.

use std::io::{self, Write};
use std::process;

use hearth_serverless::experiment::{About, Extent};
use hearth_serverless::policy::BrokenLibrary;

/// Why the results of a run are made again up to an event, if that is what this process is for.
pub fn makes_again() -> Option<&'static str> {
    None
}

/// Libraries that have brought down a process before this one.
pub fn broken_libraries() -> Vec<BrokenLibrary> {
    Vec::new()
}

/// Standard output.
pub fn stdout() -> Box<dyn Write> {
    Box::new(io::stdout().lock())
}

/// Says what a simulation is that begins.
pub fn note_simulation(_: &About, _: Extent) {}

/// Says what is going on besides simulations.
pub fn note_doing(_: &str) {}

/// Goes back to the folder that the process was started in.
pub fn come_back() {}

/// Says that all results are written.
pub fn tell_of_results() {}

/// Says that all is done.
pub fn tell_outcome(_: u8) {}

/// Leaves it to the process outside to end this one.
pub fn wait_for_the_end() {}

/// Ends the process at once.
pub fn leave(code: u8) -> ! {
    process::exit(code.into())
}
