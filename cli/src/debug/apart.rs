//! Branches in processes of their own. The first is a copy of the debugger's process, in which libraries are opened; each other one is a
//! copy of a branch, with all that is in its memory, policies of libraries among that. A branch waits for what it is asked while others
//! go on; what a library does to its process it does to that branch alone.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use hearth_serverless::experiment::{Monitor, Watchdog};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use super::branches::{Branches, FIRST};
use super::engine::{Engine, Status};
use super::link::{Fork, Gone, Link, Reply, Request};
use super::{Debuggable, Log, Options, Read};
use crate::error::CommandError;
use crate::isolation::forks;

/// How long a branch that was made may take to say that it is there.
const MOST_WAIT: Duration = Duration::from_secs(20);
/// How long the system may take to say how a process has ended that has let its files go.
const MOST_DYING: Duration = Duration::from_secs(2);
/// How often one that runs says how far it is.
const BETWEEN_REPORTS: Duration = Duration::from_millis(100);

fn send(mut stream: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message).map_err(io::Error::other)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn understand<T: DeserializeOwned>(line: &[u8]) -> io::Result<T> {
    serde_json::from_slice(line).map_err(io::Error::other)
}

/// Starts the first branch.
///
/// # Errors
/// What is wrong with the scenario, or that there cannot be another process.
pub fn start(options: &Options, read: Read<'_>, log: &Log) -> Result<Branches, CommandError> {
    let failed =
        |error: io::Error| CommandError::Usage(format!("a process for the simulation cannot be started: {error}"));
    let folder = tempfile::Builder::new().prefix("hearth-").tempdir().map_err(failed)?;
    let socket = folder.path().join("branches");
    let listener = UnixListener::bind(&socket).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    io::stdout().flush()?;
    let Some(process) = forks::fork().map_err(failed)? else {
        drop(listener);
        let code = catch_unwind(AssertUnwindSafe(|| be_first(options, read, &socket, log))).unwrap_or(101);
        forks::leave(code);
    };
    let forks = Processes { listener, _folder: folder, first: Some(process) };
    let (link, reply) = forks.accept().map_err(|problem| CommandError::Usage(problem.0))?;
    match reply {
        Reply::Here { status, .. } => Ok(Branches::new(Box::new(link), status, Box::new(forks))),
        Reply::Refused { problem, code } => Err(CommandError::OfARun { error: problem, code }),
        _ => Err(CommandError::Usage(
            "the process of the simulation has said something else than that it is there".to_owned(),
        )),
    }
}

/// The debugger's end of the way to a branch.
struct Connection {
    reader: BufReader<UnixStream>,
    /// What has come of a line.
    begun: Vec<u8>,
    /// The process, if it is one that this process can wait for.
    process: Option<Pid>,
}

impl Connection {
    fn gone(&self) -> Gone {
        let status = self.process.and_then(status_of);
        let how = match status.map(|(_, status)| (status.terminating_signal(), status.exit_status())) {
            Some((Some(signal), _)) => format!("signal {signal} has ended its process"),
            Some((None, Some(code))) => format!("its process has ended with code {code}"),
            _ => "its process has ended".to_owned(),
        };
        Gone(format!("{how}, and not as the debugger wanted: a policy of a library may have done that"))
    }

    fn next(&mut self, within: Duration) -> io::Result<Option<Reply>> {
        // No time at all would be for ever.
        self.reader.get_ref().set_read_timeout(Some(within.max(Duration::from_millis(1))))?;
        match self.reader.read_until(b'\n', &mut self.begun) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) if self.begun.last() != Some(&b'\n') => Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => understand(&std::mem::take(&mut self.begun)).map(Some),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// How a process has ended, which is about to be known.
fn status_of(process: Pid) -> Option<(Pid, WaitStatus)> {
    let since = Instant::now();
    loop {
        match waitpid(Some(process), WaitOptions::NOHANG) {
            Ok(None) if since.elapsed() < MOST_DYING => thread::sleep(Duration::from_millis(2)),
            other => return other.ok().flatten(),
        }
    }
}

impl Link for Connection {
    fn send(&mut self, request: &Request) -> Result<(), Gone> {
        send(self.reader.get_ref(), request).map_err(|_| self.gone())
    }

    fn receive(&mut self, within: Duration) -> Result<Option<Reply>, Gone> {
        self.next(within).map_err(|_| self.gone())
    }
}

/// Makes branches, and hears from each as it begins.
struct Processes {
    listener: UnixListener,
    _folder: TempDir,
    /// The process of the first branch.
    first: Option<Pid>,
}

impl Processes {
    /// The next branch that says that it is there, or why it is not.
    fn accept(&self) -> Result<(Connection, Reply), Gone> {
        let since = Instant::now();
        let unheard = |error: io::Error| Gone(format!("its process cannot be heard: {error}"));
        let stream = loop {
            match self.listener.accept() {
                Ok((stream, _)) => break stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock && since.elapsed() < MOST_WAIT => {
                    thread::sleep(Duration::from_millis(2));
                }
                Err(error) => return Err(unheard(error)),
            }
        };
        stream.set_nonblocking(false).map_err(unheard)?;
        let mut connection = Connection { reader: BufReader::new(stream), begun: Vec::new(), process: self.first };
        loop {
            if let Some(reply) = connection.receive(MOST_WAIT)? {
                return Ok((connection, reply));
            }
        }
    }
}

impl Fork for Processes {
    fn fork(&mut self, from: &mut dyn Link, name: &str) -> Result<(Box<dyn Link>, Status), String> {
        // The process of the first branch is the only one that this one has made.
        self.first = None;
        from.send(&Request::Branch(name.to_owned())).map_err(|gone| gone.to_string())?;
        loop {
            match from.receive(MOST_WAIT).map_err(|gone| gone.to_string())? {
                Some(Reply::Status(_)) => break,
                Some(Reply::Refused { problem, .. }) => return Err(problem),
                Some(_) => {}
                None => return Err("the branch does not answer".to_owned()),
            }
        }
        match self.accept().map_err(|gone| gone.to_string())? {
            (link, Reply::Here { status, .. }) => Ok((Box::new(link), status)),
            _ => Err("the new branch has said something else than that it is there".to_owned()),
        }
    }
}

/// Is the first branch, in a process that is a copy of the debugger's; gives the exit code.
fn be_first(options: &Options, read: Read<'_>, socket: &Path, log: &Log) -> u8 {
    forks::ignore_interrupts();
    forks::forget_ended();
    forks::end_those_of_libraries();
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let Ok(stream) = UnixStream::connect(socket) else { return 1 };
    match branch_out(options, read, (socket, log), &stream) {
        Ok(()) => 0,
        Err(error) => {
            let (problem, code) = (error.to_string(), error.exit_code());
            // Whom there is nobody to tell it to needs not be told.
            let _ = send(&stream, &Reply::Refused { problem, code });
            code
        }
    }
}

fn branch_out(
    options: &Options,
    read: Read<'_>,
    (socket, log): (&Path, &Log),
    stream: &UnixStream,
) -> Result<(), CommandError> {
    let chosen = read()?;
    // What is printed is the debugger's.
    dup2_stdout(io::stderr()).map_err(io::Error::from)?;
    let watchdog = watch(options, stream);
    let debugged = chosen.prepare()?;
    // What comes from there is the debugger's, too, unless it is a trace, which is open by now.
    dup2_stdin(File::open("/dev/null")?).map_err(io::Error::from)?;
    if let Some(log) = log {
        let log = File::options().create(true).append(true).open(log)?;
        dup2_stdout(&log).map_err(io::Error::from)?;
        dup2_stderr(&log).map_err(io::Error::from)?;
    }
    let can_fork = can_be_read_by_several(&*chosen);
    let mut engine = Engine::new(debugged, &*chosen);
    let mut branch = Process { options, socket: socket.to_owned(), watchdog, can_fork };
    branch.serve(&mut engine, stream.try_clone()?, FIRST)?;
    Ok(())
}

/// That all files that are read can be read from any place: of what can be read once, two branches would each get a part.
fn can_be_read_by_several(chosen: &dyn Debuggable) -> Result<(), String> {
    let scenario = chosen.with(&[]).map_err(|error| error.to_string())?;
    let files = scenario.files().map_err(|error| error.to_string())?;
    match files.iter().find(|path| !path.is_file()) {
        Some(path) => {
            let cure = "write it into a file first";
            Err(format!("{} can be read once, and not by two branches: {cure}", path.display()))
        }
        None => Ok(()),
    }
}

/// Ends the branch when a call of a policy does not come back, and says so.
fn watch(options: &Options, stream: &UnixStream) -> Option<Watchdog> {
    let limit = options.policy_timeout;
    let stream = stream.try_clone().ok()?;
    (limit > Duration::ZERO).then(|| {
        Watchdog::start(limit, move |stuck| {
            let _ = send(&stream, &Reply::Ends(stuck.to_string()));
            forks::leave(1);
        })
    })
}

/// A branch's own process.
struct Process<'a> {
    options: &'a Options,
    socket: PathBuf,
    watchdog: Option<Watchdog>,
    /// Why it cannot be copied, if it cannot.
    can_fork: Result<(), String>,
}

/// The branch's end of the way to the debugger.
struct Ear(BufReader<UnixStream>);

impl Ear {
    /// What it is asked next; `None` once there is nobody any more.
    fn hear(&mut self) -> io::Result<Option<Request>> {
        let mut line = Vec::new();
        if self.0.read_until(b'\n', &mut line)? == 0 { Ok(None) } else { understand(&line).map(Some) }
    }

    /// Whether there is something to hear.
    fn is_spoken_to(&self) -> bool {
        if !self.0.buffer().is_empty() {
            return true;
        }
        let mut ends = [PollFd::new(self.0.get_ref(), PollFlags::IN)];
        poll(&mut ends, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|count| count > 0)
    }

    fn say(&self, reply: &Reply) -> io::Result<()> {
        send(self.0.get_ref(), reply)
    }
}

impl Process<'_> {
    /// Does what it is asked until there is nobody any more.
    fn serve(&mut self, engine: &mut Engine<'_>, stream: UnixStream, name: &str) -> io::Result<()> {
        let mut ear = Ear(BufReader::new(stream));
        ear.say(&Reply::Here { name: name.to_owned(), status: engine.status() })?;
        while let Some(request) = ear.hear()? {
            let reply = match request {
                Request::Do(line) => Self::run(engine, &line, &mut ear),
                Request::Panes(wanted) => Reply::Panes(Box::new(engine.panes(&wanted))),
                Request::Outcome => Reply::Outcome(Box::new(engine.outcome())),
                Request::Status => Reply::Status(engine.status()),
                // It has stopped already.
                Request::Pause => continue,
                Request::Branch(name) => match self.fork(&name) {
                    Ok(None) => Reply::Status(engine.status()),
                    Ok(Some(copy)) => {
                        ear = Ear(BufReader::new(copy));
                        Reply::Here { name, status: engine.status() }
                    }
                    Err(problem) => Reply::Refused { problem, code: 1 },
                },
            };
            ear.say(&reply)?;
        }
        Ok(())
    }

    fn run(engine: &mut Engine<'_>, line: &str, ear: &mut Ear) -> Reply {
        let (monitor, mut told) = (Monitor::of_this_thread(), Instant::now());
        let answer = engine.execute(line, || {
            if ear.is_spoken_to() {
                match ear.hear() {
                    // Nothing else is asked of one that is at something.
                    Ok(Some(_)) => return true,
                    Ok(None) | Err(_) => forks::leave(0),
                }
            }
            if told.elapsed() >= BETWEEN_REPORTS {
                told = Instant::now();
                let _ = ear.say(&Reply::Running { date: monitor.now().as_nanos(), requests: monitor.requests() });
            }
            false
        });
        Reply::Done { answer, status: engine.status() }
    }

    /// Makes a copy of this process; in that gives its way to the debugger.
    fn fork(&mut self, name: &str) -> Result<Option<UnixStream>, String> {
        self.can_fork.clone().map_err(|problem| format!("branch {name} cannot be made: {problem}"))?;
        let failed = |error: io::Error| format!("branch {name} cannot be made: {error}");
        match forks::fork().map_err(failed)? {
            Some(_) => Ok(None),
            None => {
                let Ok(stream) = UnixStream::connect(&self.socket) else { forks::leave(1) };
                // The thread that looks after the calls of policies is not in the copy.
                self.watchdog = watch(self.options, &stream);
                Ok(Some(stream))
            }
        }
    }
}
