//! `hearth report`.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::builder::{EnumValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use hearth_serverless::decisions::{Observation, Views};

use super::run::POLICY_TIMEOUT;
use super::selection::{PluginArguments, ScenarioArguments, Settings};
use super::why;
use crate::error::CommandError;
use crate::feature::PNG;
use crate::isolation::{Isolated, inside};
use crate::objects::is_named;
use crate::objects::location::{Location, Needed};
use crate::report::draw::to_svg;
use crate::report::drawn::DrawnFiles;
use crate::report::explore::{self, Explored};
use crate::report::figure::Figure;
use crate::report::folder::{Folder, RunFolder};
use crate::report::page::{self, RunOnPage};
use crate::report::{run_figures, stories, sweep_figures};

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// One page with everything, that needs no network.
    Html,
    /// A picture for each figure.
    Svg,
    /// A picture for each figure, in dots.
    Png,
}

impl Format {
    /// Reads a format from an argument; one that this build cannot write is refused.
    fn parser() -> impl TypedValueParser<Value = Self> {
        EnumValueParser::<Self>::new().try_map(|format| match format {
            Self::Html | Self::Svg => Ok(format),
            Self::Png => PNG.require(format),
        })
    }
}

/// The arguments of `hearth report`.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// The folder, or place in object storage, that `hearth run`, `hearth compare` or `hearth sweep` has written with --output;
    /// several of `hearth run` to see them beside each other.
    #[arg(required = true, value_name = "RESULT")]
    folders: Vec<PathBuf>,

    /// What to write: a page, or pictures.
    #[arg(long, value_parser = Format::parser(), default_value = "html")]
    format: Format,

    /// Where to: the file of the page, by default report.html in the folder, or beside.html in the first of several; or the
    /// folder of pictures, by default figures in it.
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,

    /// Tell the stories of the N slowest invocations of each run on the page as `hearth why` does, for which each run is made again.
    #[arg(long, value_name = "N", default_value_t = 0)]
    stories: usize,

    #[command(flatten)]
    plugins: PluginArguments,
}

impl ReportArguments {
    /// How it is done in a process of its own, if runs are made again and libraries may be opened.
    pub fn isolated(&self) -> Option<Isolated> {
        // What lies in object storage is not seen from here.
        let opens = |folder: &PathBuf| is_named(folder) || self.again(folder).may_open_libraries();
        let is_needed = self.stories > 0 && self.folders.iter().any(opens);
        is_needed.then(|| Isolated::within(POLICY_TIMEOUT, self.plugins.all_folders()))
    }

    /// The run of a folder, to be made again.
    fn again(&self, folder: &Path) -> ScenarioArguments {
        ScenarioArguments::of(folder.join("scenario.json"), &self.plugins, &Settings::default())
    }

    fn check(&self) -> Result<(), CommandError> {
        let wrong = |problem: &str| Err(CommandError::Usage(problem.to_owned()));
        if let Some(output) = self.output.as_deref().filter(|output| is_named(output)) {
            let cure =
                "name a path of this machine, or none: what is drawn of results in object storage comes to lie there";
            return wrong(&format!("--output {}: is in object storage: {cure}", output.display()));
        }
        if self.format != Format::Html {
            if self.folders.len() > 1 {
                return wrong("pictures are of one result: name one, or leave out --format");
            }
            if self.stories > 0 {
                return wrong("--stories: pictures tell none: leave out --format");
            }
        }
        Ok(())
    }
}

/// Writes a page or pictures of results.
pub fn run(arguments: &ReportArguments) -> Result<(), CommandError> {
    arguments.check()?;
    let open = |folder: &PathBuf| {
        let location = Location::open(folder, Needed::All)?;
        let read = location.named(Folder::read(location.folder()))?;
        Ok((location, read))
    };
    let mut results = arguments.folders.iter().map(open).collect::<Result<Vec<_>, CommandError>>()?.into_iter();
    let Some((location, folder)) = results.next() else { return Ok(()) };
    let others: Vec<(Location, Folder)> = results.collect();
    let drawn = match arguments.format {
        Format::Html => write_page(arguments, &location, folder, others),
        Format::Svg | Format::Png => write_pictures(arguments, &location, folder),
    };
    location.named(drawn).and_then(|()| location.hand_back())
}

/// Where drawings go: what was asked for, or a name in the folder; and what that is called.
fn target_of(arguments: &ReportArguments, location: &Location, name: &str) -> (PathBuf, PathBuf) {
    match &arguments.output {
        Some(output) => (output.clone(), output.clone()),
        None => (location.folder().join(name), location.name().join(name)),
    }
}

fn unwritable(file: &Path, problem: impl std::fmt::Display) -> CommandError {
    CommandError::Result { file: file.to_owned(), problem: problem.to_string() }
}

fn write_page(
    arguments: &ReportArguments,
    location: &Location,
    folder: Folder,
    others: Vec<(Location, Folder)>,
) -> Result<(), CommandError> {
    let name = if others.is_empty() { "report.html" } else { "beside.html" };
    let (target, called) = target_of(arguments, location, name);
    let claim = DrawnFiles::of(location.folder(), &folder, std::slice::from_ref(&target))?;
    let written = match folder {
        Folder::Run(run) => {
            let runs = runs_of(arguments, (location, run), others)?;
            page::of_runs(&runs, &mut page_file(&target)?)
        }
        Folder::Sweep(_) if !others.is_empty() => return Err(of_runs_alone(location)),
        Folder::Sweep(_) if arguments.stories > 0 => {
            let problem = "is a sweep: stories are told of a run, as of one of runs/";
            return Err(CommandError::Usage(format!("--stories: {} {problem}", location.name().display())));
        }
        Folder::Sweep(sweep) => page::of_sweep(&sweep, &mut page_file(&target)?),
    };
    written.map_err(|error| unwritable(&target, error))?;
    claim.note()?;
    writeln!(inside::stdout(), "The report is {}.", called.display())?;
    Ok(())
}

fn page_file(target: &Path) -> Result<BufWriter<File>, CommandError> {
    File::create(target).map(BufWriter::new).map_err(|error| unwritable(target, error))
}

fn of_runs_alone(location: &Location) -> CommandError {
    let problem = "is a sweep: a page of several results is of runs, and that of a sweep compares its runs by itself";
    CommandError::Usage(format!("{}: {problem}", location.name().display()))
}

/// Runs with their invocations, of which all together have the room of a page.
fn runs_of(
    arguments: &ReportArguments,
    first: (&Location, Box<RunFolder>),
    others: Vec<(Location, Folder)>,
) -> Result<Vec<RunOnPage>, CommandError> {
    let number = arguments.folders.len() as u64;
    let mut runs = vec![on_page(arguments, first.0, *first.1, number)?];
    for (location, folder) in others {
        let Folder::Run(run) = folder else { return Err(of_runs_alone(&location)) };
        runs.push(on_page(arguments, &location, *run, number)?);
    }
    // Folders of one name are told apart by their paths.
    let labels: Vec<String> = runs.iter().map(|run| run.label.clone()).collect();
    for run in &mut runs {
        if labels.iter().filter(|label| **label == run.label).count() > 1 {
            run.label.clone_from(&run.path);
        }
    }
    Ok(runs)
}

fn on_page(
    arguments: &ReportArguments,
    location: &Location,
    run: RunFolder,
    runs: u64,
) -> Result<RunOnPage, CommandError> {
    let (expected, slowest) = (run.summary.invocations, arguments.stories);
    let mut explored = location.named(explore::of_run(location.folder(), expected, runs, slowest))?;
    if let Some(explored) = explored.as_mut().ok().filter(|explored| !explored.slowest.is_empty()) {
        tell_stories(arguments, location, explored)?;
    }
    let path = location.name().display().to_string();
    let label = location.name().file_name().map_or_else(|| path.clone(), |name| name.to_string_lossy().into_owned());
    Ok(RunOnPage { label, path, run, explored })
}

/// Makes a run again, and has it tell of its slowest invocations.
fn tell_stories(arguments: &ReportArguments, location: &Location, explored: &mut Explored) -> Result<(), CommandError> {
    // Calls are counted, so that stories can say by which numbers they are named.
    let counted = Observation { decisions: Some(Views::None), ..Observation::default() };
    let (_, experiment) = arguments.again(location.folder()).read()?.prepare_observed(&counted)?;
    let told = experiment.telling_all(explored.slowest.iter().map(|slow| slow.invocation)).without_records();
    let results = why::run(told)?;
    stories::put(explored, &results).map_err(|problem| {
        let cure = "leave out --stories, or run it again";
        CommandError::Usage(format!("--stories: {}: {problem}: {cure}", location.name().display()))
    })
}

fn write_pictures(arguments: &ReportArguments, location: &Location, mut folder: Folder) -> Result<(), CommandError> {
    let (target, called) = target_of(arguments, location, "figures");
    fs::create_dir_all(&target).map_err(|error| unwritable(&target, error))?;
    let figures = match &mut folder {
        Folder::Run(run) => {
            run.read_timeline(location.folder())?;
            run_figures::of(run)
        }
        Folder::Sweep(sweep) => sweep_figures::of(sweep, &sweep_figures::comparison(sweep)),
    };
    let ending = if arguments.format == Format::Png { "png" } else { "svg" };
    let files: Vec<PathBuf> = figures.iter().map(|figure| target.join(format!("{}.{ending}", figure.name))).collect();
    let claim = DrawnFiles::of(location.folder(), &folder, &files)?;
    for (figure, file) in figures.iter().zip(&files) {
        write_picture(figure, arguments.format, file)?;
    }
    claim.note()?;
    writeln!(inside::stdout(), "{} pictures are in {}.", figures.len(), called.display())?;
    Ok(())
}

fn write_picture(figure: &Figure, format: Format, file: &Path) -> Result<(), CommandError> {
    let svg = to_svg(figure).map_err(|error| unwritable(file, error))?;
    let bytes = match format {
        #[cfg(feature = "png")]
        Format::Png => crate::report::png::to_png(&svg).map_err(|error| unwritable(file, error))?,
        _ => svg.into_bytes(),
    };
    fs::write(file, bytes).map_err(|error| unwritable(file, error))
}
