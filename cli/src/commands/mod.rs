//! The subcommands, one file each.

pub mod completions;
pub mod man;
pub mod policies;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod schema;
pub mod selection;
pub mod sweep;
pub mod trace;
pub mod validate;

use crate::error::CommandError;

/// Runs a scenario, writes its results and prints them; or runs a folder of results again.
pub fn run(arguments: &run::RunArguments) -> Result<(), CommandError> {
    match reproduce::folder_of(&arguments.scenario.base.scenario)? {
        Some((folder, manifest)) => reproduce::reproduce(arguments, folder, &manifest),
        None => arguments.plan().run(),
    }
}
