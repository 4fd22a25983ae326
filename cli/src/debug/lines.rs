//! The debugger without a screen: commands line by line, from a file, a pipe or a person.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use super::branches::Branches;
use super::engine::{Answer, Problem};
use super::text;
use crate::error::CommandError;
use crate::interrupt;

/// Whether somebody is asked for the next command.
static IS_AT_PROMPT: AtomicBool = AtomicBool::new(false);

/// Where commands come from.
pub enum Source {
    /// A file of them, or what is not typed: each is shown before what comes of it, and the first that is wrong ends it.
    Script { name: PathBuf, lines: Vec<String> },
    /// Somebody who types them.
    Person,
}

impl Source {
    /// The commands in a file, or `-` for standard input.
    pub fn of_file(path: &Path) -> Result<Self, CommandError> {
        if path == Path::new("-") {
            return Self::of_input();
        }
        let text = fs::read_to_string(path);
        let text = text
            .map_err(|error| CommandError::Usage(format!("--commands {}: cannot be read: {error}", path.display())))?;
        Ok(Self::Script { name: path.to_owned(), lines: text.lines().map(str::to_owned).collect() })
    }

    /// What standard input gives.
    pub fn of_input() -> Result<Self, CommandError> {
        if io::stdin().is_terminal() {
            return Ok(Self::Person);
        }
        let text = io::read_to_string(io::stdin());
        let text = text.map_err(|error| CommandError::Usage(format!("standard input cannot be read: {error}")))?;
        Ok(Self::Script { name: "standard input".into(), lines: text.lines().map(str::to_owned).collect() })
    }
}

/// Does what the commands say.
pub fn run(mut branches: Branches, source: Source) -> Result<(), CommandError> {
    interrupt::stops(
        || {
            if IS_AT_PROMPT.load(Ordering::SeqCst) {
                process::exit(interrupt::EXIT_CODE.into());
            }
        },
        || {},
    );
    match source {
        Source::Script { name, lines } => script(&mut branches, &name, &lines),
        Source::Person => person(&mut branches),
    }
}

fn print(answer: &Answer) -> io::Result<()> {
    let mut out = io::stdout().lock();
    answer.lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    out.flush()
}

fn script(branches: &mut Branches, name: &Path, lines: &[String]) -> Result<(), CommandError> {
    for (number, line) in (1..).zip(lines) {
        if line.trim().is_empty() {
            continue;
        }
        writeln!(io::stdout(), "> {}", line.trim())?;
        let answer = branches.execute(line, &mut interrupt::is_asked);
        print(&answer)?;
        if interrupt::is_asked() {
            return Err(CommandError::Stopped);
        }
        let at = format!("{}:{number}", name.display());
        match answer.problem {
            Some(Problem::Wrong(problem)) => return Err(CommandError::Usage(format!("{at}: {problem}"))),
            Some(Problem::Unexpected(problem)) => {
                return Err(CommandError::OfARun { error: format!("{at}: {problem}"), code: 1 });
            }
            None => {}
        }
        if branches.has_quit() {
            break;
        }
    }
    match &branches.status().failure {
        Some(failure) => Err(CommandError::Simulation(failure.clone())),
        None => Ok(()),
    }
}

fn person(branches: &mut Branches) -> Result<(), CommandError> {
    println!("`help` lists the commands, `quit` ends.");
    while !branches.has_quit() {
        print!("{} {}> ", branches.name(), text::seconds(branches.status().date));
        io::stdout().flush()?;
        let mut line = String::new();
        IS_AT_PROMPT.store(true, Ordering::SeqCst);
        let length = io::stdin().lock().read_line(&mut line)?;
        IS_AT_PROMPT.store(false, Ordering::SeqCst);
        if length == 0 {
            println!();
            break;
        }
        let answer = branches.execute(&line, &mut interrupt::take);
        print(&answer)?;
        if let Some(problem) = answer.said() {
            eprintln!("error: {problem}");
        }
    }
    Ok(())
}
