//! `hearth man`: the manual pages.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::error::CommandError;

/// The arguments of `hearth man`.
#[derive(Debug, Args)]
#[command(after_help = "To read them: hearth man man && man man/hearth-run.1")]
pub struct ManArguments {
    /// The folder to write them into.
    folder: PathBuf,
}

/// Writes a page for the command and for each subcommand.
pub fn write(arguments: &ManArguments) -> Result<(), CommandError> {
    let folder = &arguments.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(crate::command(), folder))
        .map_err(|error| CommandError::Result { file: folder.clone(), problem: error.to_string() })?;
    writeln!(std::io::stdout(), "The manual pages are in {}.", folder.display())?;
    Ok(())
}
