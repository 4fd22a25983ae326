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

use std::path::Path;

use crate::error::CommandError;
use crate::objects::is_named;
use crate::objects::location::{Location, Needed};

/// Runs a scenario, writes its results and prints them; or runs a folder of results again.
pub fn run(arguments: &run::RunArguments) -> Result<(), CommandError> {
    match reproduce::folder_of(&arguments.scenario.base.scenario)? {
        Some(_) if arguments.output.as_deref().is_some_and(is_named) => {
            let cure = "name a folder of this machine, or none";
            Err(CommandError::Usage(format!("--output: what is run again is compared with what is there: {cure}")))
        }
        Some((folder, manifest)) => reproduce::reproduce(arguments, folder, &manifest),
        None => match &arguments.output {
            Some(output) if is_named(output) => run_into_objects(arguments, output),
            _ => arguments.plan().run(),
        },
    }
}

/// Runs a scenario into a folder that is handed over to object storage when the run has ended, however it has.
fn run_into_objects(arguments: &run::RunArguments, output: &Path) -> Result<(), CommandError> {
    let location = Location::open(output, Needed::Names)?;
    let plan = arguments.plan();
    let timeline = plan.timeline.map(|file| match file.strip_prefix(output) {
        Ok(inside) => location.folder().join(inside),
        Err(_) => file.to_owned(),
    });
    let plan = run::Plan { output: Some(location.folder()), timeline: timeline.as_deref(), ..plan };
    let outcome = location.named(plan.run());
    let handed_back = location.hand_back();
    outcome.and(handed_back)
}
