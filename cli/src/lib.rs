//! The `hearth` command, as a library: the program is [`main`], its arguments are [`command`].
//!
//! Programs that hand the runs of a sweep to executors of their own use [`PlannedSweep`].
//!
//! Features: `parquet` (tables as Parquet), `png` (figures in dots) and `object-storage` (results and traces in `s3://…`, `gs://…` and `az://…`). Without them the
//! program is built in half the time, and says which one it lacks when it is asked for such a file. `screen` (`hearth debug` on a whole terminal) is on by default.

mod assignment;
mod bundle;
mod commands;
mod debug;
mod difference;
mod error;
mod feature;
mod hash;
pub mod in_memory;
mod interrupt;
mod isolation;
mod metric;
mod noted;
mod objects;
mod output_choice;
mod plugin_folders;
mod program;
mod progress;
mod report;
mod result_files;
mod result_folder;
mod result_place;
mod sweep;
mod table;
mod temporary;
mod why;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use crate::assignment::policy_overrides;
pub use crate::error::{CommandError, with_date};
use crate::isolation::Isolated;
pub use crate::program::Program;
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
    /// Say why invocations took as long as they did: what their latencies are made of, or the story of one.
    Why(commands::why::WhyArguments),
    /// Run two scenarios, or make two runs again, and say where they part: decisions, and whose latency became another.
    Diff(commands::diff::DiffArguments),
    /// Pack what was run into one file, which `hearth run FILE --verify` runs again anywhere.
    Pack(commands::pack::PackArguments),
    /// Draw what came of a run or a sweep: one page, or pictures.
    Report(commands::report::ReportArguments),
    /// Stop a run where you like, look at it, change policies, and try several futures.
    Debug(commands::debug::DebugArguments),
    /// Check a scenario without running it.
    Validate(commands::validate::ValidateArguments),
    /// List the platforms that scenarios can be written over by name, and where their numbers come from.
    Platforms(commands::platforms::PlatformsArguments),
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
    ExitCode::from(run_program())
}

/// Does what the arguments of a program say that has this library, in the place of `hearth`, and gives the exit code for it.
#[must_use]
pub fn main_of(program: Program) -> u8 {
    program::set(program);
    run_program()
}

fn run_program() -> u8 {
    isolation::this_is_the_program();
    let mut arguments = program::arguments();
    if let Some(page) = isolation::take_page(&mut arguments) {
        return inside_of(&page, arguments);
    }
    // clap prints its own errors, beginning with `error:`, and exits with 2.
    let Arguments { command } = Arguments::parse_from(arguments);
    match command.isolated() {
        Some(isolated) => isolation::run(&isolated),
        None => code_of(run(command)),
    }
}

/// What the system says of a file that somebody has closed.
#[cfg(unix)]
const NOT_OPEN: &str = "(os error 9)";

/// Does what the arguments say in the process that opens libraries.
#[cfg(unix)]
fn inside_of(page: &Path, arguments: Vec<OsString>) -> u8 {
    if let Err(error) = isolation::inside::begin(page) {
        eprintln!("error: {}: {error}: only hearth itself starts a process so", isolation::ARGUMENT);
        return 2;
    }
    let outcome = if arguments.get(1).is_some_and(|first| first == sweep::apart::ARGUMENT) {
        sweep::apart::run()
    } else {
        run(Arguments::parse_from(arguments).command)
    };
    if let Err(error) = &outcome
        && error.to_string().contains(NOT_OPEN)
    {
        // Nothing of Hearth's closes a file and uses it. The process outside says it.
        isolation::inside::note_doing("after a library had closed files that are not its own");
        return 1;
    }
    let code = code_of(outcome);
    isolation::inside::tell_outcome(code);
    code
}

#[cfg(not(unix))]
fn inside_of(_: &Path, _: Vec<OsString>) -> u8 {
    2
}

/// Says what is wrong, if anything is; gives the exit code for it. Nothing is done after that.
fn code_of(outcome: Result<(), CommandError>) -> u8 {
    let code = match outcome {
        Ok(()) => 0,
        // Whoever reads our output has heard enough.
        Err(CommandError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            eprintln!("error: {}", objects::inputs::told_in(error.to_string()));
            error.exit_code()
        }
    };
    objects::inputs::clear();
    code
}

fn run(command: Command) -> Result<(), CommandError> {
    match command {
        Command::Run(arguments) => commands::run(&arguments),
        Command::Compare(arguments) => commands::sweep::compare(&arguments),
        Command::Sweep(arguments) => commands::sweep::sweep(&arguments),
        Command::Why(arguments) => commands::why::why(&arguments),
        Command::Diff(arguments) => commands::diff::diff(&arguments),
        Command::Pack(arguments) => commands::pack::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Debug(arguments) => commands::debug::run(&arguments),
        Command::Validate(arguments) => commands::validate::validate(&arguments),
        Command::Platforms(arguments) => commands::platforms::run(&arguments),
        Command::Policies(arguments) => commands::policies::run(&arguments),
        Command::Trace(arguments) => commands::trace::run(&arguments),
        Command::Schema => commands::schema::print(),
        Command::Completions(arguments) => commands::completions::print(&arguments),
        Command::Man(arguments) => commands::man::write(&arguments),
    }
}

impl Command {
    /// How it is run in a process of its own, if libraries may be opened in it.
    fn isolated(&self) -> Option<Isolated> {
        match self {
            Self::Run(arguments) => arguments.isolated(),
            Self::Compare(arguments) => arguments.isolated(),
            Self::Sweep(command) => command.isolated(),
            Self::Why(arguments) => arguments.isolated(),
            Self::Diff(arguments) => arguments.isolated(),
            Self::Report(arguments) => arguments.isolated(),
            Self::Pack(arguments) => arguments.isolated(),
            Self::Validate(arguments) => arguments.isolated(),
            Self::Policies(arguments) => arguments.isolated(),
            // It sees to that by itself.
            Self::Debug(_)
            | Self::Platforms(_)
            | Self::Trace(_)
            | Self::Schema
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
        .filter(|_| isolation::is_on())
    }
}
