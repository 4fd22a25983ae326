//! The subcommands, one file each.

pub mod completions;
pub mod man;
pub mod pack;
pub mod policies;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod schema;
pub mod selection;
pub mod sweep;
pub mod trace;
pub mod validate;
pub mod verify;

use crate::bundle;
use crate::error::CommandError;

/// Runs a scenario, writes its results and prints them; or runs a folder of results or a bundle again.
pub fn run(arguments: &run::RunArguments) -> Result<(), CommandError> {
    let scenario = &arguments.scenario.base.scenario;
    if bundle::is_one(scenario) {
        return verify::verify(arguments, scenario);
    }
    if arguments.inputs.is_some() {
        return Err(CommandError::Usage(format!("--inputs: {} is no bundle of `hearth pack`", scenario.display())));
    }
    match reproduce::folder_of(scenario)? {
        Some((folder, manifest)) => reproduce::reproduce(arguments, folder, &manifest),
        None if arguments.verify => {
            let cure = "name a bundle of `hearth pack`, or a folder of results";
            Err(CommandError::Usage(format!("--verify: {} has no results to compare with: {cure}", scenario.display())))
        }
        None => arguments.plan().run(),
    }
}
