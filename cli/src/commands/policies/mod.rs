//! `hearth policies`: what there is, and the tools of a policy's author.

mod check;
mod interface;
mod kind;
mod languages;
mod list;
mod new;
mod replay;

use clap::{Args, Subcommand};

use super::run::POLICY_TIMEOUT;
use super::selection::PluginArguments;
use crate::error::CommandError;
use crate::isolation::Isolated;

/// The arguments of `hearth policies`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PoliciesArguments {
    #[command(flatten)]
    plugins: PluginArguments,

    #[command(subcommand)]
    command: Option<PoliciesCommand>,
}

#[derive(Debug, Subcommand)]
enum PoliciesCommand {
    /// Write a folder with a small policy, in one of several languages, that builds, passes the checks and runs.
    New(new::NewArguments),
    /// Hold the policies of a library to what they owe the simulator, over random histories.
    Check(check::CheckArguments),
    /// Call a policy again as a log of decisions says that one was called, and compare the answers: exit code 1 at the first that differs.
    Replay(replay::ReplayArguments),
}

impl PoliciesArguments {
    /// How it is done in a process of its own, if libraries are opened.
    pub fn isolated(&self) -> Option<Isolated> {
        let opens = match &self.command {
            None => self.plugins.are_there(),
            Some(PoliciesCommand::New(_)) => false,
            Some(PoliciesCommand::Replay(arguments)) => arguments.may_open_libraries(),
            // The second process of a check is waited for by the first.
            Some(PoliciesCommand::Check(arguments)) => arguments.library.is_some() && arguments.play.is_none(),
        };
        let folders = || match &self.command {
            Some(PoliciesCommand::Replay(arguments)) => arguments.folders(),
            _ => self.plugins.all_folders(),
        };
        opens.then(|| Isolated::within(POLICY_TIMEOUT, folders()))
    }
}

/// Runs `hearth policies`.
pub fn run(arguments: &PoliciesArguments) -> Result<(), CommandError> {
    match &arguments.command {
        None => list::list(&arguments.plugins),
        Some(PoliciesCommand::New(arguments)) => new::new(arguments),
        Some(PoliciesCommand::Check(arguments)) => check::check(arguments),
        Some(PoliciesCommand::Replay(arguments)) => replay::replay(arguments),
    }
}
