//! `hearth run`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use hearth_serverless::Error;
use hearth_serverless::experiment::Results;
use hearth_serverless::policy::{Monitor, StuckCall, Watchdog};
use hearth_serverless::results::Summary;
use hearth_simcore::time::SimDuration;
use hearth_simcore::units::{self, Dimension};

use super::selection::ScenarioArguments;
use crate::error::CommandError;
use crate::progress::Progress;
use crate::result_files::{InvocationsTable, ResultFiles, TableFormat, to_json};
use crate::table;

/// Whether to write the table of invocations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Invocations {
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

    /// Write summary.json, functions.csv, distributions.csv, timeseries.csv, invocations.csv and the scenario as it was
    /// run into this folder, which is made if it is not there.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Which invocations to write.
    #[arg(long, value_enum, default_value_t = Invocations::All)]
    invocations: Invocations,

    /// Write only this share of the invocations, chosen by chance: the same ones in every run of the seed.
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = parse_share)]
    sample: f64,

    /// How to write the invocations.
    #[arg(long, value_parser = TableFormat::parser(), default_value = "csv")]
    format: TableFormat,

    /// Length of the intervals of timeseries.csv, in simulated seconds or with a unit; 0 leaves it out.
    #[arg(long, value_name = "TIME", default_value = "1min", value_parser = parse_interval)]
    interval: SimDuration,

    /// Write what every container does, and how images move, into this file, for https://ui.perfetto.dev or
    /// chrome://tracing. `hearth report` draws it if it is timeline.json in the folder of the results.
    #[arg(long, value_name = "FILE")]
    timeline: Option<PathBuf>,

    /// Print the summary as JSON instead of tables.
    #[arg(long)]
    json: bool,

    /// Show no progress on a terminal.
    #[arg(long, short)]
    quiet: bool,

    /// End the run when one call of a policy takes longer than this, in seconds of real time or with a unit; 0 waits
    /// for ever.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_time)]
    policy_timeout: Duration,
}

/// Runs a scenario, writes its results and prints them.
pub fn run(arguments: &RunArguments) -> Result<(), CommandError> {
    let files = arguments.result_files();
    let start = Instant::now();
    let watchdog = arguments.watch_policies(files.clone(), start);
    let mut experiment = arguments.scenario.prepare()?;
    experiment = match &files {
        Some(files) => {
            let experiment = files.open(experiment)?;
            files.write_scenario(&arguments.scenario.resolved()?)?;
            experiment
        }
        None => experiment.without_records(),
    };
    if let Some(file) = &arguments.timeline {
        experiment = experiment.write_timeline(create(file)?);
    }
    let monitor = Monitor::of_this_thread();
    stop_on_interrupt(monitor.clone());
    let progress = (!arguments.quiet && !arguments.json).then(|| Progress::start(monitor, experiment.extent()));
    let start = Instant::now();
    let (results, stopped) = experiment.run_until_stopped();
    drop((watchdog, progress));
    let summary = Summary::new(&results, start.elapsed().as_secs_f64());
    match stopped {
        None => arguments.report(files.as_ref(), &results, &summary),
        Some(Error::Interrupted) => {
            arguments.report(files.as_ref(), &results, &summary.interrupted("Ctrl-C"))?;
            Err(CommandError::Interrupted)
        }
        Some(error) => {
            let summary = summary.interrupted(&error.to_string());
            arguments.write(files.as_ref(), &results, &summary)?;
            Err(CommandError::Simulation(error.to_string()))
        }
    }
}

/// A file that is written while the simulation runs.
fn create(path: &Path) -> Result<Box<dyn Write + Send>, CommandError> {
    let wrong = |error: io::Error| CommandError::Usage(format!("{} cannot be written: {error}", path.display()));
    File::create(path).map(|file| Box::new(BufWriter::new(file)) as _).map_err(wrong)
}

impl RunArguments {
    fn result_files(&self) -> Option<ResultFiles> {
        let table = InvocationsTable { format: self.format, share: self.sample };
        let invocations = (self.invocations == Invocations::All).then_some(table);
        let interval = (self.interval > SimDuration::ZERO).then_some(self.interval);
        self.output.as_deref().map(|folder| ResultFiles::new(folder, invocations, interval))
    }

    /// Ends the process, with what is known, when a policy does not come back.
    fn watch_policies(&self, files: Option<ResultFiles>, start: Instant) -> Option<Watchdog> {
        let limit = self.policy_timeout;
        (limit > Duration::ZERO).then(|| Watchdog::start(limit, move |stuck| end(&stuck, files.as_ref(), start)))
    }

    fn write(&self, files: Option<&ResultFiles>, results: &Results, summary: &Summary) -> Result<(), CommandError> {
        files.map_or(Ok(()), |files| files.write(results, summary))
    }

    fn report(&self, files: Option<&ResultFiles>, results: &Results, summary: &Summary) -> Result<(), CommandError> {
        self.write(files, results, summary)?;
        if let Some(stalled) = &summary.stalled {
            eprintln!("warning: {stalled}");
        }
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", to_json(summary))?;
        } else {
            write!(out, "{}", table::of_summary(results, summary))?;
            if let Some(folder) = &self.output {
                writeln!(out, "\nResults are in {}.", folder.display())?;
            }
        }
        Ok(())
    }
}

/// Writes what came of a simulation before the call that does not come back, says so and ends the process.
fn end(stuck: &StuckCall, files: Option<&ResultFiles>, start: Instant) -> ! {
    if let (Some(files), Some(results)) = (files, &stuck.results) {
        let summary = Summary::new(results, start.elapsed().as_secs_f64()).interrupted(&stuck.to_string());
        if let Err(error) = files.write(results, &summary) {
            eprintln!("error: {error}");
        }
    }
    eprintln!("error: the simulation stopped: {stuck}");
    process::exit(1)
}

/// The first Ctrl-C stops the simulation after the event that it handles, the second one ends the process.
fn stop_on_interrupt(monitor: Monitor) {
    let asked = AtomicBool::new(false);
    // Without a handler Ctrl-C ends the process at once, which is no reason not to run.
    let _ = ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            process::exit(130);
        }
        monitor.interrupt();
    });
}

/// A time on the clock of the wall: seconds, or with a unit.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let seconds = units::parse(text, Dimension::Time).map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// A simulated time.
pub fn parse_interval(text: &str) -> Result<SimDuration, String> {
    let seconds = units::parse(text, Dimension::Time).map_err(|error| error.to_string())?;
    Ok(SimDuration::from_secs_f64(seconds))
}

/// More than nothing, and at most all.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "expected a share above 0 and at most 1, like 0.01".to_owned())
}
