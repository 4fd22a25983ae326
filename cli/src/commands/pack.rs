//! `hearth pack`.

use std::io::Write;
use std::path::PathBuf;
use std::thread;

use clap::Args;

use super::run::{POLICY_TIMEOUT, Plan, Told};
use super::selection::ScenarioArguments;
use crate::bundle::collect::{self, Found, OtherLibrary};
use crate::bundle::write;
use crate::error::CommandError;
use crate::isolation::{Isolated, inside};
use crate::noted::Noted;
use crate::output_choice::{Intervals, InvocationsTable, TableFormat};
use crate::result_folder::manifest::Options;
use crate::temporary;

/// The arguments of `hearth pack`. Packed is a scenario, which is run for that, or the folder of a run or a sweep.
#[derive(Debug, Args)]
pub struct PackArguments {
    #[command(flatten)]
    scenario: ScenarioArguments,

    /// The file to write, as in study.hearth.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,

    /// Replace a file that is there.
    #[arg(long)]
    overwrite: bool,

    /// Leave out the files of traces, which may be large or nobody's to give away: only their hashes are packed, and where they
    /// are.
    #[arg(long)]
    without_traces: bool,

    /// A library of policies for another platform than this one, as in linux-aarch64=arm/libmine.so or
    /// macos-aarch64=libmine.dylib; where several libraries are read, in the place of the one of the same name.
    #[arg(long = "library", value_name = "PLATFORM=FILE")]
    libraries: Vec<OtherLibrary>,

    /// Show no progress on a terminal.
    #[arg(long, short)]
    quiet: bool,
}

impl PackArguments {
    /// How it is done in a process of its own, if libraries may be opened.
    pub fn isolated(&self) -> Option<Isolated> {
        let base = &self.scenario.base;
        let runs = !base.scenario.is_dir() && self.scenario.may_open_libraries();
        runs.then(|| base.isolated(POLICY_TIMEOUT))
    }

    /// The runs that are packed.
    fn runs(&self) -> Result<Vec<Found>, CommandError> {
        let path = &self.scenario.base.scenario;
        if path.is_dir() {
            if self.scenario.sets_something() {
                let cure = "to change something, run its scenario";
                return Err(CommandError::Usage(format!("{}: is packed as it was run: {cure}", path.display())));
            }
            return collect::runs_in(path);
        }
        let results = temporary::folder()?;
        let table = InvocationsTable { format: TableFormat::Csv, sample: 1.0 };
        let options = Options {
            invocations: Some(table),
            time_series: Intervals::asked(None),
            timeline: None,
            policy_timeout_s: POLICY_TIMEOUT.as_secs_f64(),
            explain: false,
            noted: Noted::default(),
        };
        let plan = Plan {
            scenario: &self.scenario,
            options,
            output: Some(results.path()),
            overwrite: false,
            timeline: None,
            decisions: None,
            threads: thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN),
            quiet: self.quiet,
            told: Told::Nothing,
            called: None,
            handed_over: None,
        };
        plan.run()?;
        collect::runs_in(results.path())
    }
}

/// Writes a bundle.
pub fn run(arguments: &PackArguments) -> Result<(), CommandError> {
    let PackArguments { output, overwrite, without_traces, libraries, .. } = arguments;
    let target = output.display();
    if output.exists() && !overwrite {
        let cure = "replace it with --overwrite, or name another file";
        return Err(CommandError::Usage(format!("--output {target}: is there already: {cure}")));
    }
    let (contents, sources) = collect::fill(arguments.runs()?, *without_traces, libraries)?;
    write::write(&contents, &sources, output)?;
    let (runs, files) = (contents.runs.len(), contents.files.len() - contents.runs.len());
    let left_out = contents.files.len() - contents.packed().count();
    let left_out = if left_out > 0 { format!(", {left_out} of them left out") } else { String::new() };
    let size = std::fs::metadata(output)?.len().div_ceil(1000);
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (runs, files) = (counted(runs, "run"), counted(files, "file"));
    writeln!(inside::stdout(), "{target}: {runs} and {files} to read{left_out}, in {size} kB.")?;
    Ok(())
}
