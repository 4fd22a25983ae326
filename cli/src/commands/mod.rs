//! The subcommands, one file each.

pub mod completions;
pub mod debug;
pub mod diff;
pub mod man;
pub mod pack;
pub mod platforms;
pub mod policies;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod run_into_objects;
pub mod schema;
pub mod selection;
pub mod sweep;
pub mod trace;
pub mod validate;
pub mod verify;
pub mod why;

use crate::bundle;
use crate::error::CommandError;
use crate::objects::is_named;

/// Runs a scenario, writes its results and prints them; or runs a folder of results or a bundle again.
pub fn run(arguments: &run::RunArguments) -> Result<(), CommandError> {
    let scenario = &arguments.scenario.base.scenario;
    let compares = |problem: &str| {
        let cure = "name a folder of this machine, or none";
        CommandError::Usage(format!("--output: {problem} is compared with what is there: {cure}"))
    };
    let is_named_output = arguments.output.as_deref().is_some_and(is_named);
    if bundle::is_one(scenario) {
        if is_named_output {
            return Err(compares("what is in a bundle"));
        }
        return verify::verify(arguments, scenario);
    }
    if arguments.inputs.is_some() {
        return Err(CommandError::Usage(format!("--inputs: {} is no bundle of `hearth pack`", scenario.display())));
    }
    match reproduce::folder_of(scenario)? {
        Some(_) if is_named_output => Err(compares("what is run again")),
        Some((folder, manifest)) => reproduce::reproduce(arguments, folder, &manifest),
        None if arguments.verify => {
            let cure = "name a bundle of `hearth pack`, or a folder of results";
            Err(CommandError::Usage(format!("--verify: {} has no results to compare with: {cure}", scenario.display())))
        }
        None => match &arguments.output {
            Some(output) if is_named(output) => run_into_objects::run(arguments, output),
            _ => arguments.plan().run(),
        },
    }
}
