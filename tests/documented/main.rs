//! Every command that the documentation prints works, in a fresh clone and in the order printed: blocks of `sh` are run,
//! and what stands in a line is held against what commands take.
//!
//! Three comments in the documents steer this, which nobody sees on a page: `<!-- not run: REASON -->` leaves out the block
//! that follows, `<!-- needs: PROGRAM -->` does where that is not installed, `<!-- file: PATH -->` says that the reader saves the
//! block that follows as this file.
//!
//! `hearth` is the program that this test was built with; Cargo is stood for by `cargo.sh`, which runs that program
//! instead of building another, and `hearth.sh` makes studies short.

#![cfg(unix)]

mod document;
mod mentioned;

use std::cmp::Reverse;
use std::fs;
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use document::{Document, Step};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The files that a clone would have, with their content of now.
fn tracked_files() -> Vec<PathBuf> {
    let mut git = Command::new("git");
    let output = git.args(["ls-files", "-z"]).current_dir(project()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    names.split_terminator('\0').map(PathBuf::from).filter(|file| project().join(file).exists()).collect()
}

fn documents() -> Vec<Document> {
    let is_document = |file: &&PathBuf| file.extension().is_some_and(|ending| ending == "md");
    tracked_files()
        .iter()
        .filter(is_document)
        .map(|file| Document::read(file, &fs::read_to_string(project().join(file)).unwrap()))
        .collect()
}

/// A clone, and beside it a folder with the commands `hearth` and `cargo`.
struct Workplace {
    clone: PathBuf,
    programs: PathBuf,
    _folder: tempfile::TempDir,
}

impl Workplace {
    fn set_up() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clone, programs) = (folder.path().join("hearth"), folder.path().join("programs"));
        for file in tracked_files() {
            let target = clone.join(&file);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(project().join(&file), target).unwrap();
        }
        fs::create_dir(&programs).unwrap();
        for (name, script) in [("hearth", include_str!("hearth.sh")), ("cargo", include_str!("cargo.sh"))] {
            let program = programs.join(name);
            fs::write(&program, script).unwrap();
            fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { clone: clone.canonicalize().unwrap(), programs, _folder: folder }
    }

    /// Runs a script in the clone; what it said if it failed.
    fn run(&self, script: &str) -> Result<(), String> {
        let path = format!("{}:{}", self.programs.display(), std::env::var("PATH").unwrap());
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut shell = Command::new("sh");
        shell.current_dir(&self.clone).args(["-eux", "-c", script]).env("PATH", path);
        for (name, value) in [
            ("HEARTH", Path::new(env!("CARGO_BIN_EXE_hearth"))),
            ("REAL_CARGO", Path::new(env!("CARGO"))),
            ("PROJECT", &project()),
            ("CLONE", &self.clone),
            ("PROJECT_TARGET", target),
            // The same as that of the tests that build policies as authors do.
            ("AUTHORS_TARGET", &target.join("tmp/plugins")),
            // Beside the server of whoever runs this.
            ("HQ_SERVER_DIR", &self.clone.with_file_name("hyperqueue")),
        ] {
            shell.env(name, value);
        }
        // A test runs under Cargo, whose variables are not for those that it calls.
        for name in
            ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_CRATE_NAME", "HEARTH_PLUGIN_PATH"]
        {
            shell.env_remove(name);
        }
        let output = shell.output().unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }
}

/// What a reader of a document types, from first to last.
fn script(document: &Document) -> String {
    let typed = document.steps.iter().filter_map(|step| match step {
        Step::Run(text) => Some(text.clone()),
        Step::Save { file, text } => Some(format!("cat > {file} <<'END OF FILE'\n{text}END OF FILE\n")),
        Step::LeaveOut { .. } => None,
    });
    typed.collect()
}

/// Runs the script of a document in a clone of its own; what is wrong with it.
fn fault(document: &Document, script: &str) -> Option<String> {
    // They share a folder of what is built, and libraries in it may have the same name.
    static BUILDING: Mutex<()> = Mutex::new(());
    let _turn = ["cargo build", "cargo test", "cargo rustc"]
        .iter()
        .any(|build| script.contains(build))
        .then(|| BUILDING.lock().unwrap_or_else(PoisonError::into_inner));
    let said = Workplace::set_up().run(script).err()?;
    Some(format!("{} does not run as printed:\n{said}", document.file))
}

#[test]
fn every_block_of_commands_runs_in_a_fresh_clone() {
    let documents = documents();
    let mut scripts: Vec<_> = documents.iter().map(|document| (document, script(document))).collect();
    scripts.retain(|(_, script)| !script.is_empty());
    // The longest first, so that nobody is left with one of them alone at the end.
    scripts.sort_by_key(|(_, script)| Reverse(script.len()));
    let next = AtomicUsize::new(0);
    let one_after_another = || {
        let taken = std::iter::from_fn(|| scripts.get(next.fetch_add(1, Ordering::Relaxed)));
        taken.filter_map(|(document, script)| fault(document, script)).collect::<Vec<_>>()
    };
    let faults: Vec<_> = thread::scope(|scope| {
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        let readers: Vec<_> = (0..count).map(|_| scope.spawn(one_after_another)).collect();
        readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    let steps = || documents.iter().flat_map(|document| document.steps.iter().map(move |step| (&document.file, step)));
    let is_command = |line: &&str| !line.trim_start().starts_with('#');
    let lines = |step: &Step| match step {
        Step::Run(text) => text.lines().filter(is_command).count(),
        Step::Save { .. } | Step::LeaveOut { .. } => 0,
    };
    let (commands, files) = (steps().map(|(_, step)| lines(step)).sum::<usize>(), scripts.len());
    println!("{commands} lines of commands in {files} files run; blocks left out:");
    for (file, step) in steps() {
        if let Step::LeaveOut { text, reason } = step {
            println!("  {file}: {} ({reason})", text.trim());
        }
    }
    assert!(commands >= 15 && files >= 7, "only {commands} in {files}: the documents have more");
}

#[test]
fn commands_in_the_text_name_what_there_is() {
    let known = mentioned::Known::look_up(&project());
    let mut wrong = Vec::new();
    let mut mentions = 0;
    for document in documents() {
        let blocks = document.steps.iter().filter_map(|step| match step {
            Step::LeaveOut { text, .. } => Some(text.lines()),
            Step::Run(_) | Step::Save { .. } => None,
        });
        for command in blocks.flatten().chain(document.mentions.iter().map(String::as_str)) {
            mentions += 1;
            wrong.extend(known.fault(command).map(|fault| format!("{}: `{command}`: {fault}", document.file)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(mentions >= 20, "only {mentions} are found");
}
