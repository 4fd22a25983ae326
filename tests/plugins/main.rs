//! Compiled policies from outside: loaded and built in give the same bytes, they are found where they should be, and
//! nothing that one does brings `hearth` down.

#[path = "../command_line/archive.rs"]
mod archive;
mod author;
mod contained;
mod debugged;
mod destructive;
mod files;
mod found;
mod frozen;
mod grown;
mod languages;
mod metadata;
mod packed;
mod refused;
mod replayed;
mod same_bytes;
mod statics;
mod trial;
mod workshop;

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use workshop::library;

fn misbehaving() -> String {
    library("hearth-test-misbehaving").display().to_string()
}

fn project_path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(relative)
}

fn quickstart() -> String {
    project_path("examples/quickstart.json").display().to_string()
}

fn hearth(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    command.env_remove("HEARTH_PLUGIN_PATH").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What the command says on standard error, which must be one message, and its exit code.
fn failure(arguments: &[&str]) -> (i32, String) {
    let output = hearth(arguments);
    let message = text(&output.stderr);
    assert!(message.starts_with("error: "), "{arguments:?}: {message:?}");
    assert_eq!(message.matches("error:").count(), 1, "{message}");
    assert!(!message.contains("panicked at") && !message.contains("backtrace"), "{message}");
    (output.status.code().unwrap_or(-1), message.trim_start_matches("error: ").trim_end().to_owned())
}
