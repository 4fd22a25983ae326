//! `hearth validate`.

use std::io::Write;

use clap::Args;

use super::run::POLICY_TIMEOUT;
use super::selection::ScenarioArguments;
use crate::error::CommandError;
use crate::isolation::{Isolated, inside};

/// The arguments of `hearth validate`.
#[derive(Debug, Args)]
pub struct ValidateArguments {
    #[command(flatten)]
    scenario: ScenarioArguments,
}

impl ValidateArguments {
    /// How it is done in a process of its own, if libraries may be opened.
    pub fn isolated(&self) -> Option<Isolated> {
        self.scenario.may_open_libraries().then(|| self.scenario.base.isolated(POLICY_TIMEOUT))
    }
}

/// Checks everything that can be wrong with a scenario before it runs.
pub fn validate(arguments: &ValidateArguments) -> Result<(), CommandError> {
    let (_, experiment) = arguments.scenario.read()?.prepare()?;
    let about = experiment.about();
    let (functions, nodes) = (about.functions.len(), about.nodes.len());
    let file = arguments.scenario.base.name();
    let file = file.display();
    writeln!(inside::stdout(), "{file} is valid: {functions} functions on {nodes} nodes.")?;
    Ok(())
}
