//! `hearth report`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::builder::{EnumValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::error::CommandError;
use crate::feature::PNG;
use crate::objects::is_named;
use crate::objects::location::{Location, Needed};
use crate::report::draw::{DrawError, to_svg};
use crate::report::drawn::DrawnFiles;
use crate::report::figure::Figure;
use crate::report::folder::Folder;
use crate::report::{page, run_figures, sweep_figures};

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
    /// The folder, or place in object storage, that `hearth run`, `hearth compare` or `hearth sweep` has written with --output.
    folder: PathBuf,

    /// What to write: a page, or pictures.
    #[arg(long, value_parser = Format::parser(), default_value = "html")]
    format: Format,

    /// Where to: the file of the page, by default report.html in the folder; or the folder of pictures, by default
    /// figures in it.
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
}

/// Writes a page or pictures of results.
pub fn run(arguments: &ReportArguments) -> Result<(), CommandError> {
    if let Some(output) = arguments.output.as_deref().filter(|output| is_named(output)) {
        let cure =
            "name a path of this machine, or none: what is drawn of results in object storage comes to lie there";
        return Err(CommandError::Usage(format!("--output {}: is in object storage: {cure}", output.display())));
    }
    let location = Location::open(&arguments.folder, Needed::All)?;
    let folder = location.named(Folder::read(location.folder()))?;
    let drawn = match arguments.format {
        Format::Html => write_page(arguments, &location, &folder),
        Format::Svg | Format::Png => write_pictures(arguments, &location, &folder),
    };
    location.named(drawn).and_then(|()| location.hand_back())
}

/// Where drawings go: what was asked for, or a name in the folder; and what that is called.
fn target_of(arguments: &ReportArguments, location: &Location, name: &str) -> (PathBuf, PathBuf) {
    match &arguments.output {
        Some(output) => (output.clone(), output.clone()),
        None => (location.folder().join(name), arguments.folder.join(name)),
    }
}

fn unwritable(file: &Path, problem: impl std::fmt::Display) -> CommandError {
    CommandError::Result { file: file.to_owned(), problem: problem.to_string() }
}

fn write_page(arguments: &ReportArguments, location: &Location, folder: &Folder) -> Result<(), CommandError> {
    let (target, called) = target_of(arguments, location, "report.html");
    let page: Result<String, DrawError> = match folder {
        Folder::Run(run) => page::of_run(run, &run_figures::of(run)),
        Folder::Sweep(sweep) => {
            let comparison = sweep_figures::comparison(sweep);
            page::of_sweep(sweep, &comparison, &sweep_figures::of(sweep, &comparison))
        }
    };
    let page = page.map_err(|error| unwritable(&target, error))?;
    let claim = DrawnFiles::of(location.folder(), folder, std::slice::from_ref(&target))?;
    fs::write(&target, page).map_err(|error| unwritable(&target, error))?;
    claim.note()?;
    writeln!(std::io::stdout(), "The report is {}.", called.display())?;
    Ok(())
}

fn write_pictures(arguments: &ReportArguments, location: &Location, folder: &Folder) -> Result<(), CommandError> {
    let (target, called) = target_of(arguments, location, "figures");
    fs::create_dir_all(&target).map_err(|error| unwritable(&target, error))?;
    let figures = match folder {
        Folder::Run(run) => run_figures::of(run),
        Folder::Sweep(sweep) => sweep_figures::of(sweep, &sweep_figures::comparison(sweep)),
    };
    let ending = if arguments.format == Format::Png { "png" } else { "svg" };
    let files: Vec<PathBuf> = figures.iter().map(|figure| target.join(format!("{}.{ending}", figure.name))).collect();
    let claim = DrawnFiles::of(location.folder(), folder, &files)?;
    for (figure, file) in figures.iter().zip(&files) {
        write_picture(figure, arguments.format, file)?;
    }
    claim.note()?;
    writeln!(std::io::stdout(), "{} pictures are in {}.", figures.len(), called.display())?;
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
