//! A library in C that is compiled as a test wants it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{project_path, text};

/// Compiles the trial with these definitions and more arguments; none without a compiler.
pub fn trial(folder: &Path, file: &str, arguments: &[&str]) -> Option<PathBuf> {
    let library = folder.join(file);
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-shared", "-fPIC", "-I"]).arg(project_path("policy-api/include"));
    compiler.arg("-o").arg(&library).arg(project_path("tests/plugins/trial.c")).args(arguments);
    let Ok(output) = compiler.output() else {
        println!("left out: there is no C compiler");
        return None;
    };
    assert!(output.status.success(), "{}", text(&output.stderr));
    Some(library)
}
