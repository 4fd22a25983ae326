//! `hearth validate`.

use std::io::Write;

use clap::Args;

use super::selection::ScenarioArguments;
use crate::error::CommandError;

/// The arguments of `hearth validate`.
#[derive(Debug, Args)]
pub struct ValidateArguments {
    #[command(flatten)]
    scenario: ScenarioArguments,
}

/// Checks everything that can be wrong with a scenario before it runs.
pub fn validate(arguments: &ValidateArguments) -> Result<(), CommandError> {
    let (_, experiment) = arguments.scenario.read()?.prepare()?;
    let about = experiment.about();
    let (functions, nodes) = (about.functions.len(), about.nodes.len());
    let file = arguments.scenario.base.name();
    let file = file.display();
    writeln!(std::io::stdout(), "{file} is valid: {functions} functions on {nodes} nodes.")?;
    Ok(())
}
