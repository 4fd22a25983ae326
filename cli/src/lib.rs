//! The `hearth` command, as a library: the program is [`main`], its arguments are [`command`].
//!
//! Programs that hand the runs of a sweep to executors of their own use [`PlannedSweep`].
//!
//! Features: `parquet` (tables as Parquet) and `png` (figures in dots). Without them the program is built in half the
//! time, and says which one it lacks when it is asked for such a file.

mod assignment;
mod commands;
mod error;
mod feature;
mod hash;
mod interrupt;
mod metric;
mod output_choice;
mod plugin_folders;
mod progress;
mod report;
mod result_files;
mod result_folder;
mod result_place;
mod sweep;
mod table;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use crate::error::CommandError;
pub use crate::sweep::planned::{Part, PlannedRun, PlannedSweep};
pub use crate::sweep::share::Share;
pub use crate::sweep::status::Status;
pub use crate::sweep::work::Work;

/// Simulate serverless platforms: cold starts, placement, eviction, keep-alive.
#[derive(Debug, Parser)]
#[command(name = "hearth", version, about, long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario and print what came of it.
    Run(commands::run::RunArguments),
    /// Compare policies on a scenario: means over seeds, and differences to the first.
    Compare(commands::sweep::CompareArguments),
    /// Run a scenario with every combination of policies, values and seeds.
    Sweep(commands::sweep::SweepCommand),
    /// Draw what came of a run or a sweep: one page, or pictures.
    Report(commands::report::ReportArguments),
    /// Check a scenario without running it.
    Validate(commands::validate::ValidateArguments),
    /// List the policies there are, with their parameters; write and check policies.
    Policies(commands::policies::PoliciesArguments),
    /// Make traces, turn one format into another, and tell what is in one.
    Trace(commands::trace::TraceArguments),
    /// Print the JSON Schema of scenarios.
    Schema,
    /// Print what a shell completes.
    Completions(commands::completions::CompletionsArguments),
    /// Write the manual pages.
    Man(commands::man::ManArguments),
}

/// What the command takes: for manual pages and completions.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Does what the arguments of this process say, and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    // clap prints its own errors, beginning with `error:`, and exits with 2.
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Run(arguments) => commands::run(&arguments),
        Command::Compare(arguments) => commands::sweep::compare(&arguments),
        Command::Sweep(arguments) => commands::sweep::sweep(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Validate(arguments) => commands::validate::validate(&arguments),
        Command::Policies(arguments) => commands::policies::run(&arguments),
        Command::Trace(arguments) => commands::trace::run(&arguments),
        Command::Schema => commands::schema::print(),
        Command::Completions(arguments) => commands::completions::print(&arguments),
        Command::Man(arguments) => commands::man::write(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has heard enough.
        Err(CommandError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
