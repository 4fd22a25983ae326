//! `hearth compare` and `hearth sweep`.

mod collect;
mod on;
mod status;
mod work;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches, Parser, Subcommand};
use hearth_serverless::policy::Catalog;
use hearth_serverless::results::Metric;
use hearth_serverless::scenario::Override;
use hearth_simcore::time::SimDuration;
use serde_json::Value;

use super::run::{Invocations, parse_interval, parse_share, parse_time};
use super::selection::ScenarioBase;
use crate::error::CommandError;
use crate::isolation::{Isolated, inside};
use crate::metric;
use crate::noted::Noted;
use crate::objects::inputs::told_in;
use crate::objects::is_named;
use crate::output_choice::{Intervals, InvocationsTable, TableFormat};
use crate::progress::SweepProgress;
use crate::result_folder::manifest::Options;
use crate::sweep::comparison::Run;
use crate::sweep::grid::Grid;
use crate::sweep::outcome::{self, Outcome, Shown};
use crate::sweep::plan::{DEFAULT_STALE_AFTER, LEAST_STALE_AFTER};
use crate::sweep::planned::{Part, PlannedSweep};
use crate::sweep::pool::{self, Announce, Control};
use crate::sweep::run;
use crate::sweep::simulate::{self, Keep};
use crate::sweep::store::Store;
use crate::sweep::study::{OwnPolicyMaker, Study};

/// The arguments that `hearth compare` and `hearth sweep` share.
#[derive(Debug, Args)]
pub struct GridArguments {
    #[command(flatten)]
    base: ScenarioBase,

    /// Vary a value of the scenario, as in platform.hosts[node].ram=4GB,8GB; several make every combination. PATH=@FILE
    /// takes the values of an object in a JSON file, with their names.
    #[arg(long, value_name = "PATH=V1,V2,…")]
    vary: Vec<String>,

    /// Run everything with each of these seeds, as in 1..10 or 1,5,7; all policies meet the same requests.
    #[arg(long, value_name = "SEEDS", value_parser = parse_seeds)]
    seeds: Option<Seeds>,

    /// What the others are compared to: one of the policies, or PATH=VALUE of something that varies.
    #[arg(long, value_name = "POLICY or PATH=VALUE")]
    baseline: Option<String>,

    /// Go on with what is in the folder already, instead of refusing to: runs that are there are not run again.
    #[arg(long, requires = "output")]
    resume: bool,

    /// How many simulations run at once; without it, one for each core.
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<NonZeroUsize>,

    /// Show this number of the summaries, as in latency_p99; without it, some that are often wanted.
    #[arg(long = "metric", value_name = "NAME")]
    metrics: Vec<String>,

    /// Which invocations of each run to write.
    #[arg(long, value_enum, default_value_t = Invocations::None)]
    invocations: Invocations,

    /// Write only this share of the invocations, chosen by chance: the same ones in every run of the seed.
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = parse_share)]
    sample: f64,

    /// Print the comparison as JSON, with every number unless some are named, instead of tables.
    #[arg(long)]
    json: bool,

    /// How to write the tables of runs, of invocations and of the comparison.
    #[arg(long, value_parser = TableFormat::parser(), default_value = "csv")]
    format: TableFormat,

    /// Length of the intervals of each run's timeseries.csv, in simulated seconds or with a unit; 0 leaves it out. Beyond
    /// 100 000 intervals it doubles.
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = parse_interval)]
    interval: SimDuration,

    /// Show no progress on a terminal.
    #[arg(long, short)]
    quiet: bool,

    /// End everything when one call of a policy takes longer than this, in seconds of real time or with a unit; 0 waits
    /// for ever.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_time)]
    policy_timeout: Duration,
}

/// The arguments of `hearth compare`.
#[derive(Debug, Args)]
pub struct CompareArguments {
    /// One of the alternatives, as in keep_alive=fixed,timeout=20min or eviction.containers=./libmine.so; the first is
    /// the baseline unless another is named.
    #[arg(long = "policy", value_name = "SLOT=POLICY", required = true)]
    policies: Vec<String>,

    /// Write every run, and the tables, into this folder.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    #[command(flatten)]
    grid: GridArguments,
}

/// The arguments of `hearth sweep` with a scenario.
#[derive(Debug, Args)]
pub struct SweepArguments {
    /// One of several policies, as in keep_alive=fixed,timeout=20min or eviction.containers=./libmine.so.
    #[arg(long = "policy", value_name = "SLOT=POLICY")]
    policies: Vec<String>,

    /// Write every run, as soon as it has ended, and the tables into this folder; with --plan also s3://BUCKET/PREFIX, gs://… or
    /// az://….
    #[arg(long, value_name = "DIR", required = true)]
    output: Option<PathBuf>,

    /// Run nothing, but write a plan into the folder, on which any number of `hearth sweep work DIR` on any machines work.
    #[arg(long, group = "planning", conflicts_with_all = ["json", "metrics", "jobs"])]
    plan: bool,

    /// Workers on the plan that give no sign of life for so long are taken for dead, in seconds or with a unit.
    #[arg(long, value_name = "TIME", default_value = "2min", value_parser = parse_stale_after, requires = "planning")]
    stale_after: Duration,

    #[command(flatten)]
    engine: on::EngineArguments,

    #[command(flatten)]
    grid: GridArguments,
}

/// What is done with the plan of a sweep.
#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// Do a share of the runs of a plan, or whatever is open.
    Work(work::WorkArguments),
    /// Say how far the runs of a plan are.
    Status(status::StatusArguments),
    /// Write the tables of a plan whose runs are done, and print what they come to.
    Collect(collect::CollectArguments),
}

/// `hearth sweep SCENARIO`, or what is done with a plan.
#[derive(Debug)]
pub enum SweepCommand {
    /// A scenario is run, or planned.
    Scenario(Box<SweepArguments>),
    /// Something is done with a plan.
    Plan(PlanCommand),
}

// A scenario is no subcommand, and where there is a subcommand nothing else is asked for: no derived form says that.
impl FromArgMatches for SweepCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match matches.subcommand_name() {
            Some(_) => PlanCommand::from_arg_matches(matches).map(Self::Plan),
            None => SweepArguments::from_arg_matches(matches).map(|arguments| Self::Scenario(Box::new(arguments))),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SweepCommand {
    fn augment_args(command: Command) -> Command {
        PlanCommand::augment_subcommands(SweepArguments::augment_args(command))
            .args_conflicts_with_subcommands(true)
            .subcommand_negates_reqs(true)
            .subcommand_required(false)
            .disable_help_subcommand(true)
            .after_help(
                "The first word after `hearth sweep` is a scenario, or one of the commands for a plan: a scenario in a file \
                 called work, status or collect is ./work, ./status or ./collect.",
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Seeds in the order in which they were given.
type Seeds = std::sync::Arc<[u64]>;

/// Compares policies on one scenario.
pub fn compare(arguments: &CompareArguments) -> Result<(), CommandError> {
    let CompareArguments { policies, output, grid } = arguments;
    let first = grid.baseline.as_ref().or(policies.first());
    if let ([only], None) = (policies.as_slice(), &grid.baseline) {
        return Err(CommandError::Usage(format!(
            "--policy {only:?} is alone, and compared to nothing: name another --policy, or --baseline PATH=VALUE of \
             something that varies"
        )));
    }
    grid.run(policies, output.as_ref(), first.map(String::as_str))
}

/// Runs a scenario with every combination of some values, or plans that, or does something with a plan.
pub fn sweep(command: &SweepCommand) -> Result<(), CommandError> {
    match command {
        SweepCommand::Plan(PlanCommand::Work(arguments)) => work::run(arguments),
        SweepCommand::Plan(PlanCommand::Status(arguments)) => status::run(arguments),
        SweepCommand::Plan(PlanCommand::Collect(arguments)) => collect::run(arguments),
        SweepCommand::Scenario(arguments) if arguments.engine.on.is_some() => {
            let folder = arguments.output.as_deref().unwrap_or(Path::new("."));
            refuse_objects(folder, "--on writes files for the engine beside the plan")?;
            let planned = arguments.write_plan()?;
            let folder = arguments.output.as_deref().unwrap_or(planned.folder());
            arguments.engine.on.map_or(Ok(()), |engine| arguments.engine.hand_over(engine, &planned, folder))
        }
        SweepCommand::Scenario(arguments) if arguments.plan => {
            let planned = arguments.write_plan()?;
            let (runs, folder) =
                (planned.runs().len(), arguments.output.as_deref().unwrap_or(planned.folder()).display());
            writeln!(inside::stdout(), "{runs} runs are planned in {folder}: `hearth sweep work {folder}` does them.")?;
            Ok(())
        }
        SweepCommand::Scenario(arguments) => {
            let SweepArguments { policies, output, grid, .. } = &**arguments;
            grid.run(policies, output.as_ref(), grid.baseline.as_deref())
        }
    }
}

impl CompareArguments {
    /// How it is done in a process of its own, if libraries may be opened.
    pub fn isolated(&self) -> Option<Isolated> {
        self.grid.isolated(&self.policies)
    }
}

impl SweepCommand {
    /// How it is done in a process of its own, if libraries may be opened.
    pub fn isolated(&self) -> Option<Isolated> {
        match self {
            Self::Scenario(arguments) => arguments.grid.isolated(&arguments.policies),
            Self::Plan(PlanCommand::Work(arguments)) => arguments.isolated(),
            Self::Plan(PlanCommand::Status(_) | PlanCommand::Collect(_)) => None,
        }
    }
}

impl SweepArguments {
    fn write_plan(&self) -> Result<PlannedSweep, CommandError> {
        let study = study(&self.grid, &self.policies, self.grid.baseline.as_deref())?;
        // The parser does not do without it.
        let folder = self.output.as_deref().unwrap_or(Path::new("."));
        PlannedSweep::write(study, folder, self.grid.resume, self.stale_after)
    }
}

/// Only the arguments of `hearth sweep` with a scenario.
#[derive(Debug, Parser)]
#[command(name = "hearth sweep", no_binary_name = true)]
struct PlanArguments {
    #[command(flatten)]
    sweep: SweepArguments,
}

impl PlannedSweep {
    /// Plans a sweep into a folder, and runs nothing. The arguments are those of `hearth sweep`: a scenario, `--output DIR`,
    /// and what varies.
    ///
    /// # Errors
    /// When an argument or the scenario is wrong, or the folder cannot be used.
    pub fn plan<Argument: Into<OsString> + Clone>(
        arguments: impl IntoIterator<Item = Argument>,
    ) -> Result<Self, CommandError> {
        let arguments = PlanArguments::try_parse_from(arguments);
        arguments.map_err(|error| CommandError::Usage(error.to_string().trim_end().to_owned()))?.sweep.write_plan()
    }
}

/// A time after which a worker is taken for dead.
fn parse_stale_after(text: &str) -> Result<Duration, String> {
    let least = LEAST_STALE_AFTER;
    let time = parse_time(text)?;
    if time < least { Err(format!("expected at least {} s, found {text:?}", least.as_secs())) } else { Ok(time) }
}

/// What needs a folder of this machine.
fn refuse_objects(output: &Path, why: &str) -> Result<(), CommandError> {
    if !is_named(output) {
        return Ok(());
    }
    let cure = "write the plan there with --plan, and have workers do it: `hearth sweep work`";
    Err(CommandError::OutputFolder {
        folder: output.to_owned(),
        problem: format!("is in object storage, and {why}: {cure}"),
    })
}

/// The first of the platforms that vary, without which a scenario may be none; nothing if they do not.
fn first_platform(vary: &[String]) -> Result<Vec<Override>, CommandError> {
    let Some(platforms) = vary.iter().find(|vary| vary.starts_with("base=")) else { return Ok(Vec::new()) };
    let grid = Grid::new(&[], std::slice::from_ref(platforms), Vec::new())?;
    Ok(grid.axes.into_iter().flat_map(|axis| axis.settings).next().map_or(Vec::new(), |first| first.overrides))
}

/// Reads the scenario with every combination of values, so that a mistake in one is found before anything runs.
fn study(arguments: &GridArguments, policies: &[String], baseline: Option<&str>) -> Result<Study, CommandError> {
    let base = &arguments.base;
    let overrides = base.overrides()?;
    let text = base.read()?;
    let platform = first_platform(&arguments.vary)?;
    let with_platform: Vec<_> = overrides.iter().cloned().chain(platform).collect();
    let scenario = text.with(&with_platform).map_err(|error| base.wrong(error))?;
    let seeds = arguments.seeds.as_ref().map_or_else(|| vec![scenario.seed], |seeds| seeds.to_vec());
    let grid = Grid::new(policies, &arguments.vary, seeds)?;
    let baseline = baseline.map(|baseline| grid.baseline(baseline)).transpose()?;
    let mut study = Study {
        name: base.name(),
        text,
        overrides,
        points: grid.points(),
        grid,
        baseline,
        options: arguments.options(),
        format: arguments.format,
        plugin_folders: base.plugins.folders(),
        keys: Vec::new(),
        files: Vec::new(),
        hashes: BTreeMap::new(),
        own: OwnPolicyMaker::default(),
        copies: OnceLock::new(),
    };
    study.find_keys()?;
    study.check_values()?.into_iter().for_each(|warning| eprintln!("warning: {}", told_in(warning)));
    Ok(study)
}

impl GridArguments {
    fn isolated(&self, policies: &[String]) -> Option<Isolated> {
        let opens = self.base.may_open_libraries(policies, &self.vary);
        opens.then(|| self.base.isolated(self.policy_timeout))
    }

    /// What each run writes.
    fn options(&self) -> Options {
        let table = InvocationsTable { format: self.format, sample: self.sample };
        Options {
            invocations: (self.invocations == Invocations::All).then_some(table),
            time_series: Intervals::asked(Some(self.interval)),
            timeline: None,
            policy_timeout_s: self.policy_timeout.as_secs_f64(),
            explain: false,
            noted: Noted::default(),
        }
    }

    /// Runs everything on the cores of this machine.
    fn run(&self, policies: &[String], output: Option<&PathBuf>, baseline: Option<&str>) -> Result<(), CommandError> {
        let metrics = metric::all_asked_for(&self.metrics)?;
        let study = study(self, policies, baseline)?;
        if let Some(output) = output.filter(|output| is_named(output)) {
            return self.run_in_objects(study, output, &metrics);
        }
        let store = output.map(|folder| Store::open(folder, self.resume)).transpose()?;
        if let Some(store) = &store {
            outcome::write_description(&study, store, &[])?;
        }
        let as_run = |point: usize, summary: &Value| Run::new(study.points[point].clone(), summary);
        let finished =
            |(point, key): (usize, &String)| Some(as_run(point, &store.as_ref()?.finished(key, &study.options)?));
        let known: Vec<Option<Run>> = study.keys.iter().enumerate().map(finished).collect();
        let missing: Vec<usize> = (0..study.points.len()).filter(|point| known[*point].is_none()).collect();
        let control = Control::default();
        control.stop_on_interrupt();
        let progress = if self.quiet { None } else { SweepProgress::start(missing.len(), missing.len()) };
        let run = |catalog: &mut Catalog, job: usize, announce: &Announce| {
            let is_stuck = |stuck| simulate::end(&stuck);
            let keep = store.as_ref().map_or(Keep::Nowhere, Keep::InFolder);
            let summary = run::run(&study, missing[job], keep, catalog, announce, is_stuck)?;
            Ok(as_run(missing[job], &summary.value()))
        };
        let threads = pool::threads(self.jobs);
        let outcomes =
            pool::run_all(missing.len(), threads, &control, SweepProgress::shows(progress), || study.catalog(), run)?;
        let mut runs = known;
        let mut failures = Vec::new();
        for (point, outcome) in missing.into_iter().zip(outcomes) {
            match outcome {
                Some(Ok(run)) => runs[point] = Some(run),
                Some(Err(error)) => failures.push((point, told_in(error.to_string()))),
                None => {}
            }
        }
        let outcome = Outcome::new(&study, runs, failures);
        outcome.report(store.as_ref(), Shown { metrics: &metrics, json: self.json })?;
        outcome.check_failures()?;
        let (finished, runs) = (outcome.finished(), study.points.len());
        if finished < runs {
            return Err(CommandError::SweepInterrupted { finished, runs, kept: store.is_some() });
        }
        Ok(())
    }
}

impl GridArguments {
    /// The same where results are kept in object storage: as a plan of which this process does all, and what comes of it.
    fn run_in_objects(&self, study: Study, output: &Path, metrics: &[&'static Metric]) -> Result<(), CommandError> {
        let planned = PlannedSweep::write(study, output, self.resume, DEFAULT_STALE_AFTER)?;
        let control = Control::default();
        control.stop_on_interrupt();
        let all = Part::Runs((0..planned.runs().len()).collect());
        planned.check_part(&all)?;
        // Without a plan those that have failed are run again, as in a folder.
        let work = planned.work_under(&all, pool::threads(self.jobs), true, &control, !self.quiet)?;
        if work.is_interrupted {
            let (finished, runs) = (work.done + work.there, work.runs);
            return Err(CommandError::SweepInterrupted { finished, runs, kept: true });
        }
        collect::collect(&planned, output, false, Shown { metrics, json: self.json })
    }
}

/// `1..10` (both included), `1,5,7` or a mixture.
fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let wrong = || format!("expected seeds such as 1..10 or 1,5,7, found {text:?}");
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
    let mut seeds: Vec<u64> = Vec::new();
    for part in text.split(',') {
        match part.split_once("..") {
            None => seeds.push(number(part)?),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last || last - first >= 1_000_000 {
                    return Err(wrong());
                }
                seeds.extend(first..=last);
            }
        }
    }
    let distinct: std::collections::BTreeSet<u64> = seeds.iter().copied().collect();
    if distinct.len() < seeds.len() {
        return Err("a seed is given twice".to_owned());
    }
    Ok(seeds.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_taken_for_dead_after_the_time_that_the_help_tells() {
        let arguments = PlanArguments::try_parse_from(["scenario.json", "--output", "plan"]).unwrap();
        assert_eq!(arguments.sweep.stale_after, DEFAULT_STALE_AFTER);
    }

    #[test]
    fn seeds_are_ranges_and_lists() {
        assert_eq!(parse_seeds("1..3,7").unwrap()[..], [1, 2, 3, 7]);
        for wrong in ["", "1..", "3..1", "a", "1,1", "0..99999999"] {
            assert!(parse_seeds(wrong).is_err(), "{wrong}");
        }
    }
}
