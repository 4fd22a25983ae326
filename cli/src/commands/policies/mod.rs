//! `hearth policies`: what there is, and the tools of a policy's author.

mod list;

use clap::Args;

use super::selection::PluginArguments;
use crate::error::CommandError;

/// The arguments of `hearth policies`.
#[derive(Debug, Args)]
pub struct PoliciesArguments {
    #[command(flatten)]
    plugins: PluginArguments,
}

/// Runs `hearth policies`.
pub fn run(arguments: &PoliciesArguments) -> Result<(), CommandError> {
    list::list(&arguments.plugins)
}
