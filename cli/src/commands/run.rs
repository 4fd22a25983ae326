//! `hearth run`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use hearth_serverless::Error;
use hearth_serverless::experiment::{Callee, Experiment, Monitor, Results, Run, StuckCall, Watchdog};
use hearth_serverless::results::{Summary, Unit};
use hearth_simcore::time::SimDuration;
use hearth_simcore::units::{self, Dimension};

use super::selection::{ChosenScenario, ScenarioArguments};
use crate::bundle;
use crate::error::{CommandError, with_date};
use crate::isolation::{Isolated, inside};
use crate::noted::{NotedArguments, OpenDecisions, log_to_standard_error};
use crate::objects::inputs::told_in;
use crate::objects::location::Location;
use crate::output_choice::{Intervals, InvocationsTable, TableFormat};
use crate::progress::Progress;
use crate::result_files::{Named, ResultFiles, Took, to_json};
use crate::result_folder::manifest::{Options, State};
use crate::result_folder::{claim, runs_again};
use crate::result_place::Place;
use crate::why::{ranking, totals};
use crate::{interrupt, table};

/// How long a call of a policy may take, if nothing else is said.
pub const POLICY_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether to write the table of invocations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Invocations {
    /// Write every invocation.
    All,
    /// Leave it out, so that memory does not grow with the number of invocations.
    None,
}

/// The arguments of `hearth run`. The scenario may be a folder of results or a bundle, which is run again and compared.
#[derive(Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    pub scenario: ScenarioArguments,

    /// Write summary.json, functions.csv, distributions.csv, timeseries.csv, invocations.csv, the scenario as it was run
    /// and run.json, which says what the run was, into this folder, which is made if it is not there; or into s3://BUCKET/PREFIX, gs://… or
    /// az://… when the run has ended.
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Replace the run that is in the folder of --output: its files are removed, and no others. Replace the file of
    /// --timeline, too.
    #[arg(long)]
    pub overwrite: bool,

    /// Which invocations to write; without it, all.
    #[arg(long, value_enum)]
    invocations: Option<Invocations>,

    /// Write only this share of the invocations, chosen by chance: the same ones in every run of the seed.
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    sample: Option<f64>,

    /// How to write the invocations; without it, as CSV.
    #[arg(long, value_parser = TableFormat::parser())]
    format: Option<TableFormat>,

    /// Length of the intervals of timeseries.csv, in simulated seconds or with a unit; 0 leaves it out. Beyond 100 000
    /// intervals it doubles. Without it, it is 1min and doubles beyond 10 000.
    #[arg(long, value_name = "TIME", value_parser = parse_interval)]
    interval: Option<SimDuration>,

    /// Write what every container does, and how images move, into this file, for https://ui.perfetto.dev or
    /// chrome://tracing. `hearth report` draws it if it is timeline.json in the folder of the results.
    #[arg(long, value_name = "FILE")]
    timeline: Option<PathBuf>,

    /// Say what the latency of each invocation is made of: a table of causes, and with --output causes.csv, in which the causes
    /// of each invocation add up to its latency, and cause_totals.csv. `hearth why` tells more.
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    noted: NotedArguments,

    /// Print the summary as JSON instead of tables.
    #[arg(long)]
    json: bool,

    /// Show no progress on a terminal.
    #[arg(long, short)]
    pub quiet: bool,

    /// End the run when one call of a policy takes longer than this, in seconds of real time or with a unit; 0 waits
    /// for ever. Without it, 10s.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    policy_timeout: Option<Duration>,

    /// Run on so many threads, at most 3: long traces are read, requests generated and metrics folded beside the simulation.
    /// The results are the same with any number. Without it, as many as there are cores for.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// Run again what `hearth pack` has packed, or what is in a folder of results, and compare what comes of it: exit code 1 if
    /// it is not the same, byte for byte. That is done without this argument, too; with it, a scenario is refused.
    #[arg(long)]
    pub verify: bool,

    /// Look in this folder for traces that were left out of a bundle, instead of where they were.
    #[arg(long, value_name = "DIR")]
    pub inputs: Option<PathBuf>,
}

impl RunArguments {
    /// What they ask for.
    pub fn plan(&self) -> Plan<'_> {
        let table =
            InvocationsTable { format: self.format.unwrap_or(TableFormat::Csv), sample: self.sample.unwrap_or(1.0) };
        let options = Options {
            invocations: (self.invocations != Some(Invocations::None)).then_some(table),
            time_series: Intervals::asked(self.interval),
            timeline: None,
            policy_timeout_s: self.policy_timeout.unwrap_or(POLICY_TIMEOUT).as_secs_f64(),
            explain: self.explain,
            noted: self.noted.noted(),
        };
        Plan {
            scenario: &self.scenario,
            options,
            output: self.output.as_deref(),
            called: self.output.as_deref(),
            handed_over: None,
            overwrite: self.overwrite,
            timeline: self.timeline.as_deref(),
            decisions: self.noted.decisions.as_deref(),
            threads: self.threads(),
            quiet: self.quiet || self.json,
            told: if self.json { Told::Json } else { Told::Table },
        }
    }

    /// On how many threads it runs: those asked for, or as many as the machine has cores for.
    pub fn threads(&self) -> NonZeroUsize {
        self.threads.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
    }

    /// How it is run in a process of its own, if libraries may be opened.
    pub fn isolated(&self) -> Option<Isolated> {
        let base = &self.scenario.base;
        let isolated = base.isolated(self.policy_timeout.unwrap_or(POLICY_TIMEOUT));
        let is_again = base.scenario.is_dir() || bundle::is_one(&base.scenario);
        let writes_results = self.output.is_some() && !is_again;
        self.scenario.may_open_libraries().then_some(Isolated { writes_results, ..isolated })
    }

    /// The limit of calls to policies that was asked for, in seconds.
    pub fn policy_timeout_s(&self) -> Option<f64> {
        self.policy_timeout.map(|limit| limit.as_secs_f64())
    }

    /// One of the arguments that would make a run another one, if there is any.
    pub fn choice(&self) -> Option<&'static str> {
        let choices = [
            (self.scenario.sets_something(), "--platform, --set, --policy, --seed, --lenient or --from-first"),
            (self.invocations.is_some(), "--invocations"),
            (self.sample.is_some(), "--sample"),
            (self.format.is_some(), "--format"),
            (self.interval.is_some(), "--interval"),
            (self.timeline.is_some(), "--timeline"),
            (self.explain, "--explain"),
            (!self.noted.noted().is_nothing(), "--decisions or --policy-log"),
            (self.json, "--json"),
        ];
        choices.into_iter().find(|(is_chosen, _)| *is_chosen).map(|(_, name)| name)
    }
}

/// What is printed of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// A table for people.
    Table,
    /// The summary.
    Json,
    /// Nothing.
    Nothing,
}

/// What is run, and where the results go.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The scenario.
    pub scenario: &'a ScenarioArguments,
    /// How it is run.
    pub options: Options,
    /// The folder of the results.
    pub output: Option<&'a Path>,
    /// What people are told that it is.
    pub called: Option<&'a Path>,
    /// Where the folder is a copy of, and handed back to before anybody is told of it.
    pub handed_over: Option<&'a Location>,
    /// Whether a run in that folder is replaced.
    pub overwrite: bool,
    /// The file of the timeline.
    pub timeline: Option<&'a Path>,
    /// The file of the log of decisions, if one is written.
    pub decisions: Option<&'a Path>,
    /// On how many threads it runs.
    pub threads: NonZeroUsize,
    /// Whether no progress is shown.
    pub quiet: bool,
    /// What is printed.
    pub told: Told,
}

impl Plan<'_> {
    /// Runs it, writes what came of it and prints it.
    pub fn run(&self) -> Result<(), CommandError> {
        let makes_again = inside::makes_again();
        let files =
            self.output.map(|folder| ResultFiles::new(Place::Folder(folder.to_owned()), self.options.clone(), None));
        let start = Instant::now();
        let decisions = OpenDecisions::default();
        let watchdog = self.watch_policies(files.clone(), decisions.clone(), start);
        let chosen = self.scenario.read()?;
        let experiment = self.open(files.as_ref(), &decisions, &chosen)?.on_threads(self.threads);
        let monitor = Monitor::of_this_thread();
        let stopped = monitor.clone();
        interrupt::stops(move || stopped.interrupt(), || {});
        inside::note_simulation(experiment.about(), experiment.extent());
        let progress = (!self.quiet && makes_again.is_none()).then(|| Progress::start(monitor, experiment.extent()));
        let start = Instant::now();
        let Run { results, stopped, times, rest } = experiment.run_and_keep();
        drop(progress);
        inside::come_back();
        let took = Took { wall_s: start.elapsed().as_secs_f64(), policies: times };
        let summary = Summary::new(&results);
        let write = |summary: &Summary, state| {
            files.as_ref().map_or(Ok(()), |files| files.write(&results, summary, state, &took))?;
            self.handed_over.map_or(Ok(()), Location::hand_back_or_keep)?;
            inside::tell_of_results();
            Ok::<(), CommandError>(())
        };
        let outcome = match stopped {
            None => {
                write(&summary, State::Finished)?;
                self.tell(&results, &summary, &took)
            }
            Some(Error::Interrupted) if makes_again.is_some() => {
                write(&summary.interrupted(makes_again.unwrap_or_default()), State::Stopped)
            }
            Some(Error::Interrupted) => {
                let summary = summary.interrupted("Ctrl-C");
                write(&summary, State::Interrupted)?;
                self.tell(&results, &summary, &took)?;
                Err(CommandError::Interrupted)
            }
            Some(error) => {
                let error = told_in(with_date(&error, &results));
                write(&summary.interrupted(&error), State::Stopped)?;
                Err(CommandError::Simulation(error))
            }
        };
        // Policies end when nothing can be lost by that any more.
        drop(rest);
        drop(watchdog);
        outcome
    }

    /// Gets the simulation ready, with the files that it writes into.
    fn open(
        &self,
        files: Option<&ResultFiles>,
        decisions: &OpenDecisions,
        chosen: &ChosenScenario<'_>,
    ) -> Result<Experiment, CommandError> {
        let mut observation = self.options.noted.observation();
        observation.decisions = observation.decisions.filter(|_| self.decisions.is_some());
        let (scenario, experiment) = chosen.prepare_observed(&observation)?;
        let experiment = if self.options.explain { experiment.explained() } else { experiment };
        let Some((folder, files)) = self.output.zip(files) else {
            let experiment = log_to_standard_error(experiment.without_records()).map_err(unlogged)?;
            let experiment = match self.timeline {
                Some(file) => experiment.write_timeline(self.create(file)?),
                None => experiment,
            };
            return self.decide_outside(experiment, self.decisions, decisions);
        };
        let wrong = |error| self.scenario.base.wrong(error);
        let paths = runs_again::paths_of(&scenario, experiment.about()).map_err(wrong)?;
        let inside = |argument, file| name_inside(folder, argument, file);
        let timeline = self.timeline.map(|file| inside("--timeline", file)).transpose()?.flatten();
        let noted = self.decisions.map(|file| inside("--decisions", file)).transpose()?.flatten();
        if timeline.is_some() && timeline == noted {
            return Err(CommandError::Usage("--decisions and --timeline name one file: name two".to_owned()));
        }
        let overwrites = self.overwrite || inside::makes_again().is_some();
        let named: Vec<&str> = [&timeline, &noted].into_iter().flatten().map(String::as_str).collect();
        files.hold(claim::for_run(folder, overwrites, &paths, &named)?);
        let text = chosen.resolved(folder, experiment.about())?;
        let outside = self.timeline.filter(|_| timeline.is_none()).map(|file| self.create(file)).transpose()?;
        let noted_outside = self.decisions.filter(|_| noted.is_none());
        let inputs = runs_again::inputs(paths, experiment.about())?;
        let named = Named { timeline, decisions: noted };
        let experiment = files.open(experiment, &text, inputs, named, decisions)?;
        let experiment = match outside {
            Some(file) => experiment.write_timeline(file),
            None => experiment,
        };
        self.decide_outside(experiment, noted_outside, decisions)
    }

    /// Has decisions written into a file that is none of the results.
    fn decide_outside(
        &self,
        experiment: Experiment,
        path: Option<&Path>,
        decisions: &OpenDecisions,
    ) -> Result<Experiment, CommandError> {
        let Some(path) = path else { return Ok(experiment) };
        decisions.open(experiment, path, self.create(path)?).map_err(unlogged)
    }

    /// A file that is written while the simulation runs.
    fn create(&self, path: &Path) -> Result<Box<dyn Write + Send>, CommandError> {
        if path.is_file() && !self.overwrite && inside::makes_again().is_none() {
            let cure = "replace it with --overwrite, or name another file";
            return Err(CommandError::Usage(format!("{} is there already: {cure}", path.display())));
        }
        let wrong = |error: io::Error| CommandError::Usage(format!("{} cannot be written: {error}", path.display()));
        File::create(path).map(|file| Box::new(BufWriter::new(file)) as _).map_err(wrong)
    }

    /// Ends the process, with what is known, when a policy does not come back.
    fn watch_policies(&self, files: Option<ResultFiles>, decisions: OpenDecisions, start: Instant) -> Option<Watchdog> {
        let limit = Duration::try_from_secs_f64(self.options.policy_timeout_s).unwrap_or_default();
        (limit > Duration::ZERO)
            .then(|| Watchdog::start(limit, move |stuck| end(&stuck, files.as_ref(), &decisions, start)))
    }

    fn tell(&self, results: &Results, summary: &Summary, took: &Took) -> Result<(), CommandError> {
        if self.told == Told::Nothing {
            return Ok(());
        }
        if let Some(stalled) = &summary.stalled {
            eprintln!("warning: {stalled}");
        }
        let mut out = inside::stdout();
        if self.told == Told::Json {
            writeln!(out, "{}", to_json(summary))?;
            return Ok(());
        }
        write!(out, "{}", table::of_summary(results, summary, took))?;
        if self.options.explain {
            write!(out, "\n{}", ranking::as_text(&totals::of_results(results)?, None, 5))?;
        }
        if let Some(folder) = self.called {
            writeln!(out, "\nResults are in {}.", folder.display())?;
            let asked = self.options.time_series.map(Intervals::length);
            if let Some(interval) = results.time_series_interval.filter(|interval| Some(*interval) != asked) {
                let length = Unit::Seconds.shown(interval.as_secs_f64());
                writeln!(out, "The run is long: timeseries.csv has a row for every {length}.")?;
            }
        }
        Ok(())
    }
}

/// The name of a file that lies in a folder, which is made if need be; `None` if it lies elsewhere.
fn name_inside(folder: &Path, argument: &str, file: &Path) -> Result<Option<String>, CommandError> {
    let wrong = |problem: String| CommandError::Usage(format!("{argument} {}: {problem}", file.display()));
    let made = std::fs::create_dir_all(folder);
    made.map_err(|error| CommandError::OutputFolder {
        folder: folder.to_owned(),
        problem: format!("the folder cannot be made: {error}"),
    })?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !claim::is_same(parent, folder) {
        return Ok(None);
    }
    let name = file.file_name().and_then(|name| name.to_str()).ok_or_else(|| wrong("names no file".to_owned()))?;
    if claim::OF_A_RUN.contains(&name) {
        let usual = if argument == "--timeline" { "timeline.json" } else { "decisions.jsonl" };
        return Err(wrong(format!("is the name of another file of the results: name it {usual}")));
    }
    Ok(Some(name.to_owned()))
}

fn unlogged(error: Error) -> CommandError {
    CommandError::Usage(error.to_string())
}

/// Writes what came of a simulation before the call that does not come back, says so and ends the process.
fn end(stuck: &StuckCall, files: Option<&ResultFiles>, decisions: &OpenDecisions, start: Instant) -> ! {
    if matches!(stuck.call.callee, Callee::Library(_)) {
        inside::wait_for_the_end();
    }
    if let Err(error) = decisions.finish() {
        eprintln!("error: the decisions cannot be written: {error}");
    }
    if let (Some(files), Some(results)) = (files, &stuck.results) {
        let summary = Summary::new(results).interrupted(&stuck.to_string());
        let took = Took { wall_s: start.elapsed().as_secs_f64(), policies: Vec::new() };
        if let Err(error) = files.write(results, &summary, State::Interrupted, &took) {
            eprintln!("error: {error}");
        }
    }
    eprintln!("error: the simulation stopped: {stuck}");
    inside::leave(1)
}

/// A wall-clock time: seconds, or with a unit.
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
