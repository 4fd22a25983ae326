//! `hearth debug`: a simulation that is stopped, looked at, changed, and gone on with in several futures.
//!
//! What is said is read by [`command`]; an [`engine`] does it with one simulation, and [`text`] says what is to be seen. Each branch is
//! such an engine, most often in a process of its own ([`apart`]; elsewhere [`in_place`]), to which [`branches`] speaks over a [`link`].
//! [`lines`] takes commands line by line, and `screen` shows everything at once.

#[cfg(unix)]
mod apart;
mod branches;
mod command;
mod compared;
mod engine;
#[cfg(any(not(unix), test))]
mod in_place;
mod lines;
mod link;
#[cfg(all(unix, feature = "screen"))]
mod screen;
mod text;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::branches::Branches;
use self::lines::Source;
use hearth_serverless::experiment::Debugged;
use hearth_serverless::scenario::{Override, Scenario};

use crate::error::CommandError;

/// Where what policies print goes, if it would spoil a screen.
type Log = Option<PathBuf>;

/// A scenario that is debugged, and what is set in it.
pub trait Debuggable {
    /// The scenario, with this set besides.
    fn with(&self, more: &[Override]) -> Result<Scenario, CommandError>;

    /// Gets it ready, at its begin.
    fn prepare(&self) -> Result<Debugged, CommandError>;
}

/// Reads the scenario, once: in the process of the simulation.
pub type Read<'a> = &'a dyn Fn() -> Result<Box<dyn Debuggable>, CommandError>;

/// How it is debugged.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file of commands, if they are in one.
    pub commands: Option<PathBuf>,
    /// Whether commands are asked for line by line on a terminal, too.
    pub is_plain: bool,
    /// How long a call of a policy may take; nothing is for ever.
    pub policy_timeout: Duration,
    /// Whether the scenario comes from standard input.
    pub is_input_taken: bool,
}

/// Debugs a scenario.
pub fn run(options: &Options, read: Read<'_>) -> Result<(), CommandError> {
    let commands = options.commands.as_deref();
    if options.is_input_taken && commands.is_none_or(|file| file == Path::new("-")) {
        let problem = "the scenario comes from standard input, and commands cannot: name a file with --commands";
        return Err(CommandError::Usage(problem.to_owned()));
    }
    let source = match commands {
        Some(file) => Source::of_file(file)?,
        None => Source::of_input()?,
    };
    let has_screen = matches!(source, Source::Person) && !options.is_plain && io::stdout().is_terminal();
    if has_screen && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb") {
        return on_screen(options, read, source);
    }
    lines::run(start(options, read, &None)?, source)
}

/// On the whole terminal. What policies print is shown when that is given back.
#[cfg(all(unix, feature = "screen"))]
fn on_screen(options: &Options, read: Read<'_>, _source: Source) -> Result<(), CommandError> {
    let log = tempfile::NamedTempFile::new()?;
    let branches = start(options, read, &Some(log.path().to_owned()))?;
    let shown = screen::run(branches);
    let printed = std::fs::read(log.path())?;
    io::Write::write_all(&mut io::stderr(), &printed)?;
    shown
}

/// This build has no screen, or this system none that is known.
#[cfg(not(all(unix, feature = "screen")))]
fn on_screen(options: &Options, read: Read<'_>, source: Source) -> Result<(), CommandError> {
    eprintln!("this build of hearth has no screen (feature `screen`): commands are asked for line by line");
    lines::run(start(options, read, &None)?, source)
}

#[cfg(unix)]
fn start(options: &Options, read: Read<'_>, log: &Log) -> Result<Branches, CommandError> {
    apart::start(options, read, log)
}

/// In this process, in which everything stays that the simulation needs.
#[cfg(not(unix))]
fn start(_options: &Options, read: Read<'_>, _log: &Log) -> Result<Branches, CommandError> {
    use self::engine::Engine;
    use self::in_place::{InPlace, NoForks};
    let chosen: &'static dyn Debuggable = Box::leak(read()?);
    let mut first = InPlace::new(Engine::new(chosen.prepare()?, chosen), crate::interrupt::take);
    let status = first.status();
    Ok(Branches::new(Box::new(first), status, Box::new(NoForks)))
}
