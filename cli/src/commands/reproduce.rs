//! `hearth run DIR`: runs again what is in a folder of results, and says whether the same comes of it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use super::run::{Plan, RunArguments, Told};
use crate::error::CommandError;
use crate::hash;
use crate::hash::hash_of;
use crate::isolation::inside;
use crate::objects::inputs::brought;
use crate::result_folder::claim;
use crate::result_folder::manifest::{Manifest, State};
use crate::temporary;

/// The folder of results, with its manifest, that is named instead of a scenario's file.
///
/// # Errors
/// When it cannot be run again.
pub fn folder_of(path: &Path) -> Result<Option<(&Path, Manifest)>, CommandError> {
    if !path.is_dir() {
        return Ok(None);
    }
    let wrong = |problem: &str| CommandError::Usage(format!("{}: {problem}", path.display()));
    if path.join(claim::SWEEP).is_file() {
        return Err(wrong("is the folder of a sweep: name one of its runs, runs/…, or the scenario's file"));
    }
    match Manifest::read(path)? {
        Some(manifest) => Ok(Some((path, manifest))),
        None => Ok(None),
    }
}

/// Runs it again, into the folder of `--output` or one that is removed afterwards, and compares file by file.
///
/// # Errors
/// When it cannot be run again, or something else comes of it.
pub fn reproduce(arguments: &RunArguments, folder: &Path, manifest: &Manifest) -> Result<(), CommandError> {
    let scenario = folder.join("scenario.json");
    if let Some(choice) = arguments.choice() {
        let cure = format!("to change something, run {}", scenario.display());
        return Err(CommandError::Usage(format!("{choice}: {} is run as it was: {cure}", folder.display())));
    }
    if matches!(manifest.state, State::Running | State::Interrupted) {
        let cure = format!("run {}", scenario.display());
        let problem = "the run there did not come to its end, so there is nothing to compare with";
        return Err(CommandError::Usage(format!("{}: {problem}: {cure}", folder.display())));
    }
    if arguments.output.as_ref().is_some_and(|output| claim::is_same(output, folder)) {
        let cure = "name another folder, or none";
        return Err(CommandError::Usage(format!("--output {}: holds what is compared with: {cure}", folder.display())));
    }
    warn_of_changes(folder, manifest);
    let for_now;
    let output = match &arguments.output {
        Some(output) => output.as_path(),
        None => {
            for_now = temporary::folder()?;
            for_now.path()
        }
    };
    let timeline = manifest.options.timeline.as_ref().map(|name| output.join(name));
    let decisions = manifest.options.noted.decisions_name().map(|name| output.join(name));
    let mut options = manifest.options.clone();
    options.policy_timeout_s = arguments.policy_timeout_s().unwrap_or(options.policy_timeout_s);
    let plan = Plan {
        scenario: &arguments.scenario.of_file(scenario),
        options,
        output: Some(output),
        called: Some(output),
        handed_over: None,
        overwrite: arguments.overwrite,
        timeline: timeline.as_deref(),
        decisions: decisions.as_deref(),
        threads: arguments.threads(),
        quiet: arguments.quiet,
        told: Told::Nothing,
    };
    match plan.run() {
        // A run that stopped stops again, and leaves the same files.
        Err(CommandError::Simulation(_)) if manifest.state == State::Stopped => {}
        outcome => outcome?,
    }
    compare(folder, manifest, output)
}

/// Says what is not as it was when the folder was written.
fn warn_of_changes(folder: &Path, manifest: &Manifest) {
    let this = env!("CARGO_PKG_VERSION");
    if manifest.hearth != this {
        eprintln!("warning: {} was written by hearth {}, this is {this}", folder.display(), manifest.hearth);
    }
    let outputs = manifest.files.iter().filter_map(|file| Some((folder.join(&file.name), file.sha256.as_ref()?)));
    let inputs = manifest.inputs.iter().map(|input| (input.path.clone(), &input.sha256));
    for (path, before) in inputs.chain(outputs) {
        // What cannot be brought here is told of when it is read.
        match hash::of_file(&brought(&path).unwrap_or_else(|_| path.clone())) {
            Ok(now) if now == *before => {}
            Ok(now) => {
                eprintln!("warning: {} is not what it was: its SHA-256 was {before} and is {now}", path.display());
            }
            Err(error) => eprintln!("warning: {} cannot be read: {error}", path.display()),
        }
    }
}

/// Compares what came of a run with what came of it before.
fn compare(before: &Path, manifest: &Manifest, now: &Path) -> Result<(), CommandError> {
    // The scenario's paths may be told in another way.
    let leave_out = ["scenario.json"].into_iter().chain(manifest.options.noted.unlike_itself()).collect::<Vec<_>>();
    let names = manifest.files.iter().map(|file| file.name.as_str()).filter(|name| !leave_out.contains(name));
    let (mut same, mut first, mut different) = (0, None, 0);
    for name in names {
        match difference(&before.join(name), &now.join(name))? {
            None => same += 1,
            Some(place) => {
                different += 1;
                first.get_or_insert_with(|| format!("{} {place}", before.join(name).display()));
            }
        }
    }
    if let Some(first) = first {
        let of = same + different;
        return Err(CommandError::Differs(format!("{different} of {of} files: {first}")));
    }
    writeln!(inside::stdout(), "{}: {same} files are the same, byte for byte.", before.display())?;
    Ok(())
}

/// Where two files differ for the first time, in words; `None` if they are the same.
fn difference(before: &Path, now: &Path) -> Result<Option<String>, CommandError> {
    let is_there = [before, now].map(Path::is_file);
    match is_there {
        [true, true] => {}
        [true, false] => return Ok(Some("is not written any more".to_owned())),
        [false, _] => return Ok(Some("is gone".to_owned())),
    }
    if hash_of(before)? == hash_of(now)? {
        return Ok(None);
    }
    if before.extension().is_some_and(|extension| extension == "parquet") {
        return Ok(Some("differs".to_owned()));
    }
    let open = |path: &Path| {
        let unreadable = |error: io::Error| CommandError::Usage(format!("{} cannot be read: {error}", path.display()));
        File::open(path).map(BufReader::new).map_err(unreadable)
    };
    let (mut before, mut now) = (open(before)?, open(now)?);
    let mut lines = [Vec::new(), Vec::new()];
    let mut number = 0_u64;
    loop {
        number += 1;
        lines.iter_mut().for_each(Vec::clear);
        let read = before.read_until(b'\n', &mut lines[0]).and_then(|_| now.read_until(b'\n', &mut lines[1]));
        read.map_err(|error| CommandError::Usage(format!("results cannot be read: {error}")))?;
        if lines[0] != lines[1] {
            let [before, now] = lines.each_ref().map(|line| shown(line));
            return Ok(Some(format!("differs first in line {number}, which was\n  {before}\nand is\n  {now}")));
        }
        if lines[0].is_empty() {
            return Ok(None);
        }
    }
}

/// A line, or the begin of one that is long.
fn shown(line: &[u8]) -> String {
    const MOST: usize = 200;
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    match text.char_indices().nth(MOST) {
        _ if line.is_empty() => "(no line)".to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
