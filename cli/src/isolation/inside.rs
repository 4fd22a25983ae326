//! The process in which libraries are opened: what it says of itself to the one that waits for it. In other processes all of
//! this does nothing.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;
use std::thread;

use hearth_serverless::experiment::{About, Extent};
use hearth_serverless::policy::BrokenLibrary;
use hearth_simcore::time::SimTime;
use rustix::stdio::dup2_stdout;

use super::end::Note;
use super::page::{Page, Shared};
use super::{Told, forks};

/// What there is in the process inside and in no other.
#[derive(Debug)]
struct Inside {
    page: Shared,
    told: Told,
    /// Standard output, which no library has.
    out: File,
    /// The folder that the process was started in.
    folder: Option<PathBuf>,
}

static INSIDE: OnceLock<Inside> = OnceLock::new();

/// Takes the place that another process has made for this one, before anything else happens: what libraries print goes to standard
/// error from here on.
///
/// # Errors
/// When it was not started by another `hearth`.
pub fn begin(page: &Path) -> io::Result<()> {
    let shared = Shared::open(page)?;
    // Its name is needed no more.
    fs::remove_file(page)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    dup2_stdout(io::stderr())?;
    forks::end_those_of_libraries();
    let told = shared.noted().unwrap_or_default();
    shared.note(&Note::default());
    let inside = Inside { page: shared, told, out, folder: env::current_dir().ok() };
    INSIDE.get_or_init(|| inside).page.board.show_on_this_thread();
    Ok(())
}

fn page() -> Option<&'static Page> {
    INSIDE.get().map(|inside| &*inside.page)
}

/// Why the results of a run are made again up to an event, if that is what this process is for.
pub fn makes_again() -> Option<&'static str> {
    INSIDE.get()?.told.makes_again.as_deref()
}

/// What another process below this one is told.
pub fn told_below() -> Told {
    Told { broken: INSIDE.get().map(|inside| inside.told.broken.clone()).unwrap_or_default(), makes_again: None }
}

/// Libraries that have brought down a process before this one as they were opened.
pub fn broken_libraries() -> Vec<BrokenLibrary> {
    let broken = INSIDE.get().map(|inside| inside.told.broken.as_slice()).unwrap_or_default();
    let library = |(path, problem): &(PathBuf, String)| BrokenLibrary { path: path.clone(), problem: problem.clone() };
    broken.iter().map(library).collect()
}

/// Standard output.
pub fn stdout() -> Box<dyn Write> {
    match INSIDE.get() {
        Some(inside) => Box::new(&inside.out),
        None => Box::new(io::stdout().lock()),
    }
}

/// Says what a simulation is that begins.
pub fn note_simulation(about: &About, extent: Extent) {
    if let Some(page) = page() {
        let loaded = about.policies.iter().filter(|(_, record)| record.library.is_some());
        let policies = loaded.map(|(slot, record)| (slot.path().to_owned(), record.to_string()));
        let extent = Some((extent.requests, extent.end.map(SimTime::as_nanos)));
        page.note(&Note { policies: policies.collect(), doing: None, extent });
    }
}

/// Says what is going on besides simulations, as in "while checking …".
pub fn note_doing(what: &str) {
    if let Some(page) = page() {
        page.note(&Note { doing: Some(what.to_owned()), ..page.noted().unwrap_or_default() });
    }
}

/// Goes back to the folder that the process was started in, wherever a library has gone.
pub fn come_back() {
    if let Some(folder) = INSIDE.get().and_then(|inside| inside.folder.as_ref()) {
        // If the folder is not there any more, whatever is written next says so.
        let _ = env::set_current_dir(folder);
    }
}

/// Says that all results are written.
pub fn tell_of_results() {
    if let Some(page) = page() {
        page.tell_of_results();
    }
}

/// Says that all is done, and which exit code the process ends with.
pub fn tell_outcome(code: u8) {
    if let Some(page) = page() {
        page.tell_outcome(code);
    }
}

/// Leaves it to the process outside to end this one, which does not come back from a library: that knows whether anybody has asked
/// for it.
pub fn wait_for_the_end() {
    while page().is_some() {
        thread::park();
    }
}

/// Ends the process at once, also from a thread beside one that does not come back.
pub fn leave(code: u8) -> ! {
    let Some(page) = page() else { process::exit(code.into()) };
    page.tell_outcome(code);
    page.give_up();
    // What runs at the exit of a process may wait for the thread that does not come back.
    loop {
        thread::park();
    }
}
