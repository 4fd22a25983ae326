//! Runs what opens libraries of policies in a process of its own, so that nothing that they do takes more with it than that.
//!
//! `hearth` starts itself again, with the same arguments and the place of a [`page`] of memory that both see. The process
//! [`inside`] does what the arguments say, and shows on the page which call to a policy it is in and how far the simulation is.
//! The one [`outside`] waits. However the other ends that has not said that it was done, it can say in which call that was, of
//! which policy and at which date; a call that does not come back it ends. What a run had written by then is made again: the
//! simulation, which is the same each time, goes to the event before.
//!
//! Of a sweep, each run is a process of its own ([`crate::sweep::apart`]) below the one that the sweep is in.

pub mod end;
#[cfg(unix)]
pub mod forks;
#[cfg(unix)]
pub mod inside;
#[cfg(not(unix))]
#[path = "inside_none.rs"]
pub mod inside;
#[cfg(unix)]
pub mod outside;
#[cfg(unix)]
pub mod page;

use std::env;
use std::ffi::OsString;
#[cfg(unix)]
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[cfg(unix)]
use hearth_serverless::experiment::Callee;
#[cfg(unix)]
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

#[cfg(unix)]
use self::end::UnexpectedEnd;
#[cfg(unix)]
use self::outside::{Apart, Ended, send_all};
#[cfg(unix)]
use crate::interrupt;
use crate::program;

/// The variable that turns it off.
const VARIABLE: &str = "HEARTH_ISOLATION";

/// The argument that says where the page of a process is, before all others.
pub const ARGUMENT: &str = "--isolated";

static IS_THE_PROGRAM: AtomicBool = AtomicBool::new(false);

/// Says that this process is one of `hearth`, so that it can be started again.
pub fn this_is_the_program() {
    IS_THE_PROGRAM.store(true, Ordering::Relaxed);
}

/// Whether libraries are opened in other processes: this is `hearth`, and not another program that uses its library, and nobody wants to
/// look at a library from within, as with a debugger.
pub fn is_on() -> bool {
    cfg!(unix) && IS_THE_PROGRAM.load(Ordering::Relaxed) && env::var_os(VARIABLE).is_none_or(|value| value != "off")
}

/// The arguments of this process, as they were given to the one outside.
pub fn own_arguments() -> Vec<OsString> {
    let mut arguments = program::arguments();
    take_page(&mut arguments);
    arguments.into_iter().skip(1).collect()
}

/// Takes the place of the page out of the arguments of a process, if it has one.
pub fn take_page(arguments: &mut Vec<OsString>) -> Option<PathBuf> {
    let [_, first, _, ..] = arguments.as_slice() else { return None };
    if first != ARGUMENT {
        return None;
    }
    arguments.drain(1..3).next_back().map(PathBuf::from)
}

/// How often half of the events are tried where it is not known which one it was that brought a process down.
#[cfg(unix)]
const HALVINGS: u32 = 6;

/// What a process is told on its page before it begins.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Told {
    /// Why the results of a run are made again up to an event.
    pub makes_again: Option<String>,
    /// Libraries in folders that have brought down processes before, with how they did.
    pub broken: Vec<(PathBuf, String)>,
}

/// What is done in a process of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Isolated {
    /// How long a call of a policy may take; 0 is for ever.
    pub limit: Duration,
    /// Whether it writes a folder of results, which are made again if it ends before.
    pub writes_results: bool,
    /// The folders in which libraries are looked for: one there that cannot be opened is passed over.
    pub plugin_folders: Vec<PathBuf>,
    /// Whether it reads standard input, which can be read once: every process that is started for it gets the same.
    pub reads_input: bool,
}

impl Isolated {
    /// One that writes no folder of a run.
    pub fn within(limit: Duration, plugin_folders: Vec<PathBuf>) -> Self {
        Self { limit, writes_results: false, plugin_folders, reads_input: false }
    }

    /// The library that brought the process down as it was opened, if nobody had asked for that one.
    #[cfg(unix)]
    fn passed_over(&self, end: &UnexpectedEnd) -> Option<(PathBuf, String)> {
        let Callee::Library(path) = &end.call.as_ref()?.callee else { return None };
        let path = PathBuf::from(path);
        let is_found = path.parent().is_some_and(|parent| self.plugin_folders.iter().any(|folder| folder == parent));
        is_found.then(|| (path, end.problem()))
    }
}

/// What is started, as often as need be.
#[cfg(unix)]
struct Startable<'a> {
    isolated: &'a Isolated,
    arguments: Vec<OsString>,
    input: Option<Vec<u8>>,
}

#[cfg(unix)]
impl<'a> Startable<'a> {
    fn new(isolated: &'a Isolated) -> io::Result<Self> {
        let input = isolated
            .reads_input
            .then(|| {
                let mut text = Vec::new();
                io::stdin().read_to_end(&mut text).map(|_| text)
            })
            .transpose()?;
        Ok(Self { isolated, arguments: program::arguments().into_iter().skip(1).collect(), input })
    }

    fn start(&self, told: Told, stop_before: u64, is_silent: bool) -> io::Result<Ended> {
        let (arguments, input) = (self.arguments.clone(), self.input.as_deref());
        Apart { arguments, told, stop_before, input, is_silent, limit: self.isolated.limit }.run(&|_| true)
    }

    /// Makes the results again that the process would have written; says of how much, if not of all.
    fn make_again(&self, end: &UnexpectedEnd, told: &Told) -> String {
        // Whose fault an end outside of calls is may have begun long before.
        let events = (0..if end.call.is_some() { 1 } else { HALVINGS }).map(|halvings| end.event >> halvings);
        let told = Told { makes_again: Some(end.to_string()), ..told.clone() };
        let makes = |event| matches!(self.start(told.clone(), event, true), Ok(Ended::Done(0)));
        match events.take_while(|event| *event > 0).find(|event| makes(*event)) {
            Some(event) if event == end.event => String::new(),
            Some(event) => format!("; the results are those of the first {event} events of {}", end.event),
            None => "; its results up to there cannot be made again".to_owned(),
        }
    }
}

/// Does what the arguments of this process say in another one, and gives its exit code.
#[cfg(unix)]
pub fn run(isolated: &Isolated) -> u8 {
    interrupt::stops(|| send_all(Signal::INT), || send_all(Signal::KILL));
    Startable::new(isolated).and_then(|startable| supervise(&startable)).unwrap_or_else(|error| {
        let program = program::arguments().into_iter().next().unwrap_or_default();
        eprintln!("error: {} cannot be started again: {error}", program.display());
        1
    })
}

#[cfg(unix)]
fn supervise(startable: &Startable<'_>) -> io::Result<u8> {
    let Startable { isolated, .. } = startable;
    let mut told = Told::default();
    let end = loop {
        match startable.start(told.clone(), u64::MAX, false)? {
            Ended::Done(code) => return Ok(code),
            Ended::Stopped => return Ok(interrupt::EXIT_CODE),
            Ended::Unexpectedly(_) if interrupt::is_asked() => return Ok(interrupt::EXIT_CODE),
            Ended::Unexpectedly(end) => match isolated.passed_over(&end) {
                Some(library) if !told.broken.contains(&library) => told.broken.push(library),
                _ => break end,
            },
        }
    };
    let begun = if end.event > 0 { "the simulation stopped: " } else { "" };
    let makes_again = isolated.writes_results && !end.has_results && end.event > 0;
    let of_results = if makes_again { startable.make_again(&end, &told) } else { String::new() };
    eprintln!("error: {begun}{end}{of_results}");
    Ok(1)
}

/// Does what the arguments say here, as there are no such processes on this system.
#[cfg(not(unix))]
pub fn run(_: &Isolated) -> u8 {
    1
}
