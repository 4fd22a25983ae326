//! `hearth completions`: what a shell completes.

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use crate::error::CommandError;

/// The arguments of `hearth completions`.
#[derive(Debug, Args)]
#[command(after_help = "For bash: hearth completions bash > ~/.local/share/bash-completion/completions/hearth")]
pub struct CompletionsArguments {
    /// The shell they are for.
    shell: Shell,
}

/// Prints the completions of a shell.
pub fn print(arguments: &CompletionsArguments) -> Result<(), CommandError> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::command(), "hearth", &mut text);
    Ok(std::io::stdout().write_all(&text)?)
}
