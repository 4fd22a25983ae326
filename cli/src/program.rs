//! The program that this is: its arguments, and how it is started again.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A program that does what the `hearth` command does, and is none: an interpreter that has its library.
///
/// ```
/// let program = hearth_sim::Program {
///     start: vec!["/usr/bin/python3".into(), "/usr/bin/hearth".into()],
///     file: "/usr/bin/hearth".into(),
///     arguments: vec!["--help".into()],
/// };
/// assert_eq!(program.start.len(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct Program {
    /// The words that start it, before its arguments.
    pub start: Vec<OsString>,
    /// The file that people start.
    pub file: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

static PROGRAM: OnceLock<Program> = OnceLock::new();

/// Says which program this is, if it is not the one of this process's file. Counts once.
pub fn set(program: Program) {
    let _ = PROGRAM.set(program);
}

/// The name of this program, and its arguments.
pub fn arguments() -> Vec<OsString> {
    match PROGRAM.get() {
        Some(Program { file, arguments, .. }) => {
            [file.as_os_str().to_owned()].into_iter().chain(arguments.iter().cloned()).collect()
        }
        None => env::args_os().collect(),
    }
}

/// The file that people start.
///
/// # Errors
/// When the system does not tell.
pub fn file() -> std::io::Result<PathBuf> {
    PROGRAM.get().map_or_else(env::current_exe, |program| Ok(program.file.clone()))
}

/// What lies beside this program.
pub fn beside(name: &str) -> Option<PathBuf> {
    Some(file().ok()?.parent()?.join(name))
}

/// What starts this program again: a file, and the words that come first.
///
/// # Errors
/// When the system does not tell.
pub fn again() -> std::io::Result<(PathBuf, Vec<OsString>)> {
    if let Some(Program { start, .. }) = PROGRAM.get()
        && let [program, words @ ..] = start.as_slice()
    {
        return Ok((PathBuf::from(program), words.to_vec()));
    }
    // The program that runs, though another one may have come to its path meanwhile.
    let itself = Path::new("/proc/self/exe");
    let program = if itself.exists() { itself.to_owned() } else { env::current_exe()? };
    Ok((program, Vec::new()))
}

/// A command that starts this program again, to which arguments are added.
///
/// # Errors
/// When the system does not tell.
pub fn command() -> std::io::Result<Command> {
    let (program, words) = again()?;
    let mut command = Command::new(program);
    #[cfg(unix)]
    if words.is_empty()
        && let Some(name) = env::args_os().next()
    {
        use std::os::unix::process::CommandExt;
        command.arg0(name);
    }
    command.args(words);
    Ok(command)
}
