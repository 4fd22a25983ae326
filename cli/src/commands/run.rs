//! `hearth run`.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use hearth_serverless::experiment::Results;
use hearth_serverless::results::{Summary, write_invocations};

use super::selection::ScenarioArguments;
use crate::error::CommandError;
use crate::table;

/// Whether to write the table of invocations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Invocations {
    /// Write every invocation.
    All,
    /// Leave it out, so that memory does not grow with the number of invocations.
    None,
}

/// The arguments of `hearth run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    scenario: ScenarioArguments,

    /// Write summary.json and invocations.csv into this folder, which is made if it is not there.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Which invocations to write.
    #[arg(long, value_enum, default_value_t = Invocations::All)]
    invocations: Invocations,

    /// Print the summary as JSON instead of tables.
    #[arg(long)]
    json: bool,
}

/// Runs a scenario, writes its results and prints them.
pub fn run(arguments: &RunArguments) -> Result<(), CommandError> {
    let mut experiment = arguments.scenario.prepare()?;
    let keep = arguments.output.is_some() && arguments.invocations == Invocations::All;
    if !keep {
        experiment = experiment.without_records();
    }
    let files = arguments.output.as_deref().map(|folder| ResultFiles::create(folder, keep)).transpose()?;
    let start = Instant::now();
    let results = experiment.run().map_err(CommandError::Simulation)?;
    let summary = Summary::new(&results, start.elapsed().as_secs_f64());
    if let Some(files) = files {
        files.write(&results, &summary)?;
    }
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", to_json(&summary))?;
    } else {
        write!(out, "{}", table::of_summary(&results, &summary))?;
        if let Some(folder) = &arguments.output {
            writeln!(out, "\nResults are in {}.", folder.display())?;
        }
    }
    Ok(())
}

fn to_json(summary: &Summary) -> String {
    // Numbers, text and maps with text as keys: there is nothing in a summary that JSON cannot hold.
    serde_json::to_string_pretty(summary).unwrap_or_default()
}

/// The files of results, opened before the simulation starts: who cannot write them hears of it at once.
struct ResultFiles {
    summary: (PathBuf, fs::File),
    invocations: Option<(PathBuf, fs::File)>,
}

impl ResultFiles {
    fn create(folder: &Path, invocations: bool) -> Result<Self, CommandError> {
        let unusable = |problem: String| CommandError::OutputFolder { folder: folder.to_owned(), problem };
        fs::create_dir_all(folder).map_err(|error| unusable(format!("the folder cannot be made: {error}")))?;
        let open = |name: &str| {
            let path = folder.join(name);
            match fs::File::create(&path) {
                Ok(file) => Ok((path, file)),
                Err(error) => Err(unusable(format!("{name} cannot be written there: {error}"))),
            }
        };
        let invocations = if invocations { Some(open("invocations.csv")?) } else { None };
        Ok(Self { summary: open("summary.json")?, invocations })
    }

    fn write(self, results: &Results, summary: &Summary) -> Result<(), CommandError> {
        if let Some((path, file)) = self.invocations {
            write_invocations(results, BufWriter::new(file))
                .map_err(|error| CommandError::Result { file: path, problem: error.to_string() })?;
        }
        let (path, mut file) = self.summary;
        writeln!(file, "{}", to_json(summary))
            .map_err(|error| CommandError::Result { file: path, problem: error.to_string() })
    }
}
