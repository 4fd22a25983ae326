//! `hearth run BUNDLE`: runs again what is in a bundle, from that alone, and says whether the same comes of it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::ScenarioText;

use super::run::{Plan, RunArguments, Told};
use crate::bundle::contents::{Contents, PackedFile, PackedRun};
use crate::bundle::{this_platform, unpack};
use crate::error::CommandError;
use crate::hash::{self, hash_of};
use crate::isolation::inside;
use crate::objects::inputs::{brought, told};
use crate::output_choice::TableFormat;
use crate::plugin_folders::catalog_of;
use crate::progress::SweepProgress;
use crate::sweep::grid::Grid;
use crate::sweep::pool::{self, Announce, Control};
use crate::sweep::simulate::{self, Keep};
use crate::sweep::store::Store;
use crate::sweep::study::{OwnPolicyMaker, Study};
use crate::{sweep, temporary};

/// A bundle that is unpacked and has all that it needs.
#[derive(Debug)]
struct Unpacked {
    folder: PathBuf,
    contents: Contents,
    /// Hashes of libraries that are there for this platform, each with that of the one that the results are of.
    instead: Vec<(String, String)>,
}

/// What has come out another way.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Different {
    files: usize,
    first: String,
}

/// Runs again what is in a bundle, and compares.
///
/// # Errors
/// When the bundle is broken, lacks something, or something else comes of it.
pub fn verify(arguments: &RunArguments, bundle: &Path) -> Result<(), CommandError> {
    let name = bundle.display();
    if let Some(choice) = arguments.choice() {
        return Err(CommandError::Usage(format!("{choice}: {name} is run as it was")));
    }
    let folder = temporary::folder()?;
    let contents = unpack::unpack(bundle, folder.path())?;
    let this = env!("CARGO_PKG_VERSION");
    if contents.hearth != this {
        eprintln!("warning: {name} is of hearth {}, this is {this}", contents.hearth);
    }
    let unpacked = Unpacked::new(folder.path(), contents, arguments.inputs.as_deref())
        .map_err(|problem| CommandError::Usage(format!("{name}: {problem}")))?;
    let runs = &unpacked.contents.runs;
    let different = match (runs.as_slice(), &arguments.output) {
        ([run], output) => unpacked.run(arguments, run, output.as_deref())?,
        (_, Some(_)) => {
            let problem = "what comes of a bundle with several runs is compared, and not kept";
            return Err(CommandError::Usage(format!("--output: {problem}")));
        }
        (runs, None) => unpacked.run_all(runs, arguments.quiet)?,
    };
    let files: usize = runs.iter().map(|run| run.results.len()).sum();
    let of_runs = if runs.len() == 1 { String::new() } else { format!(" of {} runs", runs.len()) };
    if let Some(Different { files: different, first }) = different {
        return Err(CommandError::Differs(format!("{different} of {files} files{of_runs}: {first}")));
    }
    writeln!(inside::stdout(), "{name}: {files} files{of_runs} are the same, byte for byte.")?;
    Ok(())
}

impl Unpacked {
    /// Puts what was left out, and libraries for this platform, where scenarios look for them.
    fn new(folder: &Path, contents: Contents, inputs: Option<&Path>) -> Result<Self, String> {
        for file in &contents.files {
            if let Some(was) = &file.left_out {
                bring(file, was, folder, inputs)?;
            }
        }
        let this = this_platform();
        let mut instead = Vec::new();
        let libraries = contents.files.iter().filter(|file| file.stands_for.is_none());
        for (library, platform) in libraries.filter_map(|file| Some((file, file.platform.as_ref()?))) {
            if *platform == this {
                continue;
            }
            let others = || contents.files.iter().filter(|file| file.stands_for.as_ref() == Some(&library.name));
            let Some(other) = others().find(|file| file.platform.as_ref() == Some(&this)) else {
                let has: Vec<&str> =
                    others().filter_map(|file| file.platform.as_deref()).chain([platform.as_str()]).collect();
                let cure = format!("pack it with --library {this}=FILE");
                return Err(format!("{} is for {}, and not for {this}: {cure}", library.name, has.join(" and ")));
            };
            let copied = fs::copy(folder.join(&other.name), folder.join(&library.name));
            copied.map_err(|error| format!("{} cannot be unpacked: {error}", library.name))?;
            instead.push((other.sha256.clone(), library.sha256.clone()));
        }
        Ok(Self { folder: folder.to_owned(), contents, instead })
    }

    /// Runs the only one, into a folder that may be kept.
    fn run(
        &self,
        arguments: &RunArguments,
        run: &PackedRun,
        output: Option<&Path>,
    ) -> Result<Option<Different>, CommandError> {
        let results = output.map_or_else(|| self.folder.join("results"), Path::to_owned);
        let timeline = run.options.timeline.as_ref().map(|name| results.join(name));
        let decisions = run.options.noted.decisions_name().map(|name| results.join(name));
        let mut options = run.options.clone();
        options.policy_timeout_s = arguments.policy_timeout_s().unwrap_or(options.policy_timeout_s);
        let plan = Plan {
            scenario: &arguments.scenario.of_file(self.folder.join(&run.scenario)),
            options,
            output: Some(&results),
            overwrite: arguments.overwrite,
            timeline: timeline.as_deref(),
            decisions: decisions.as_deref(),
            threads: arguments.threads(),
            quiet: arguments.quiet,
            told: Told::Nothing,
            called: None,
            handed_over: None,
        };
        plan.run()?;
        self.difference(run, &results)
    }

    /// Runs all on all cores, each into a folder that is removed once it is compared.
    fn run_all(&self, runs: &[PackedRun], quiet: bool) -> Result<Option<Different>, CommandError> {
        let store = Store::open(&self.folder.join("results"), false)?;
        let control = Control::default();
        control.stop_on_interrupt();
        let progress = if quiet { None } else { SweepProgress::start(runs.len(), runs.len()) };
        let again = |catalog: &mut Catalog, job: usize, announce: &Announce| {
            let study = self.study(&runs[job], job)?;
            sweep::run::run(&study, 0, Keep::InFolder(&store), catalog, announce, |stuck| simulate::end(&stuck))?;
            let results = store.run_folder(&study.keys[0]);
            let difference = self.difference(&runs[job], &results);
            // What stays goes with the whole folder.
            let _ = fs::remove_dir_all(results);
            difference
        };
        let catalog = || catalog_of(Vec::new());
        let outcomes =
            pool::run_all(runs.len(), pool::threads(None), &control, SweepProgress::shows(progress), catalog, again)?;
        let mut all: Option<Different> = None;
        for (run, outcome) in runs.iter().zip(outcomes) {
            let difference = match outcome {
                None => return Err(CommandError::Interrupted),
                Some(Ok(difference)) => difference,
                Some(Err(error)) => Some(Different { files: run.results.len(), first: error.to_string() }),
            };
            let Some(Different { files, first }) = difference else { continue };
            let first = format!("of the run {}: {first}", run.name);
            all.get_or_insert(Different { files: 0, first }).files += files;
        }
        Ok(all)
    }

    /// A study of one run.
    fn study(&self, run: &PackedRun, number: usize) -> Result<Study, CommandError> {
        let name = self.folder.join(&run.scenario);
        let text = ScenarioText::read(&name).map_err(CommandError::Argument)?;
        let seed = text.with(&[]).map_err(|error| CommandError::in_scenario(&name, error))?.seed;
        let grid = Grid { axes: Vec::new(), seeds: vec![seed] };
        let hashes = self.contents.files.iter().filter(|file| file.platform.is_none());
        Ok(Study {
            text,
            overrides: Vec::new(),
            points: grid.points(),
            grid,
            baseline: None,
            options: run.options.clone(),
            format: TableFormat::Csv,
            plugin_folders: Vec::new(),
            // Nothing is kept by it.
            keys: vec![hash::of_parts(&[number.to_string()])],
            files: Vec::new(),
            hashes: hashes.map(|file| (self.folder.join(&file.name), file.sha256.clone())).collect(),
            own: OwnPolicyMaker::default(),
            copies: OnceLock::new(),
            name,
        })
    }

    /// What of a run has come out another way.
    fn difference(&self, run: &PackedRun, results: &Path) -> Result<Option<Different>, CommandError> {
        let mut all: Option<Different> = None;
        for file in &run.results {
            let path = results.join(&file.name);
            let problem = if path.is_file() {
                let (now, before) = (self.hash(&path)?, file.sha256.as_deref().unwrap_or("not known"));
                (now != before).then(|| format!("{}: its SHA-256 was {before} and is {now}", file.name))
            } else {
                Some(format!("{} is not written any more", file.name))
            };
            let Some(first) = problem else { continue };
            all.get_or_insert(Different { files: 0, first }).files += 1;
        }
        Ok(all)
    }

    /// The hash of a result, as if it was of the libraries of the platform that it was packed on.
    fn hash(&self, result: &Path) -> Result<String, CommandError> {
        if self.instead.is_empty() || !result.ends_with("summary.json") {
            return hash_of(result);
        }
        let mut text = fs::read_to_string(result)?;
        for (here, there) in &self.instead {
            text = text.replace(here, there);
        }
        Ok(hash::of_bytes(text.as_bytes())?)
    }
}

/// Puts a file that was left out of a bundle where scenarios look for it.
fn bring(file: &PackedFile, was: &Path, folder: &Path, inputs: Option<&Path>) -> Result<(), String> {
    let found = match (inputs, was.file_name()) {
        (Some(inputs), Some(name)) => inputs.join(name),
        _ => was.to_owned(),
    };
    let cure = format!("name the folder of the one with the SHA-256 {} by --inputs DIR", file.sha256);
    let missing = |error: CommandError| format!("{} was left out: {error}: {cure}", file.name);
    let found = brought(&found).map_err(missing)?;
    let wrong = |problem: String| format!("{} was left out: {} {problem}: {cure}", file.name, told(&found).display());
    let now = hash::of_file(&found).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if now != file.sha256 {
        return Err(wrong(format!("is another one, with the SHA-256 {now}")));
    }
    let place = folder.join(&file.name);
    let unusable = |error: std::io::Error| wrong(format!("cannot be used: {error}"));
    place.parent().map_or(Ok(()), fs::create_dir_all).map_err(unusable)?;
    let found = std::path::absolute(&found).map_err(unusable)?;
    link(&found, &place).map_err(unusable)
}

#[cfg(unix)]
fn link(to: &Path, from: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(to, from)
}

#[cfg(not(unix))]
fn link(to: &Path, from: &Path) -> std::io::Result<()> {
    fs::copy(to, from).map(drop)
}
