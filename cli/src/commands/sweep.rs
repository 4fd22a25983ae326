//! `hearth compare` and `hearth sweep`.

use std::collections::BTreeMap;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{process, thread};

use clap::Args;
use hearth_serverless::Error;
use hearth_serverless::experiment::{Experiment, StuckCall, Watchdog, chosen_policies};
use hearth_serverless::policy::Catalog;
use hearth_serverless::results::{Metric, SinkError, Summary};
use hearth_serverless::scenario::{Override, Scenario, ScenarioText};
use hearth_simcore::time::SimDuration;
use serde_json::{Value, json};

use super::run::{Invocations, parse_interval, parse_share, parse_time};
use super::selection::ScenarioBase;
use crate::assignment::seed_override;
use crate::error::CommandError;
use crate::hash;
use crate::hash::hash_of;
use crate::metric;
use crate::output_choice::{Intervals, InvocationsTable, TableFormat};
use crate::progress::SweepProgress;
use crate::result_files::ResultFiles;
use crate::result_folder::manifest::{Input, Options, RunRecord, State};
use crate::result_folder::runs_again;
use crate::sweep::comparison::{Comparison, Run};
use crate::sweep::grid::{Baseline, Grid, Point};
use crate::sweep::pool::{self, Announce, Control};
use crate::sweep::store::Store;
use crate::sweep::warnings::{self, Warning};
use crate::sweep::{json, tables, text};

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

/// The arguments of `hearth sweep`.
#[derive(Debug, Args)]
pub struct SweepArguments {
    /// One of several policies, as in keep_alive=fixed,timeout=20min or eviction.containers=./libmine.so.
    #[arg(long = "policy", value_name = "SLOT=POLICY")]
    policies: Vec<String>,

    /// Write every run, as soon as it has ended, and the tables into this folder.
    #[arg(long, value_name = "DIR", required = true)]
    output: Option<PathBuf>,

    #[command(flatten)]
    grid: GridArguments,
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
    Sweep::new(grid, policies, output.as_ref(), first.map(String::as_str))?.run()
}

/// Runs a scenario with every combination of some values.
pub fn sweep(arguments: &SweepArguments) -> Result<(), CommandError> {
    let SweepArguments { policies, output, grid } = arguments;
    Sweep::new(grid, policies, output.as_ref(), grid.baseline.as_deref())?.run()
}

/// Everything that is to be run.
struct Sweep<'a> {
    arguments: &'a GridArguments,
    text: ScenarioText,
    overrides: Vec<Override>,
    grid: Grid,
    baseline: Option<Baseline>,
    store: Option<Store>,
    points: Vec<Point>,
    /// The numbers that are to be shown; empty for the usual ones.
    asked: Vec<&'static Metric>,
    /// By point: the hash of all that its run depends on.
    keys: Vec<String>,
    /// Names and hashes of the files that the scenarios read.
    files: Vec<(String, String)>,
    /// The hashes of those files, and of libraries of policies, by path.
    hashes: BTreeMap<PathBuf, String>,
}

impl<'a> Sweep<'a> {
    /// Reads the scenario with every combination of values, so that a mistake in one is found before anything runs.
    fn new(
        arguments: &'a GridArguments,
        policies: &[String],
        output: Option<&PathBuf>,
        baseline: Option<&str>,
    ) -> Result<Self, CommandError> {
        let base = &arguments.base;
        let asked = arguments.metrics.iter().map(|name| metric::asked_for(name));
        let asked = asked.collect::<Result<Vec<_>, _>>().map_err(CommandError::Usage)?;
        let overrides = base.overrides()?;
        let text = base.read()?;
        let scenario = text.with(&overrides).map_err(|error| base.wrong(error))?;
        let seeds = arguments.seeds.as_ref().map_or_else(|| vec![scenario.seed], |seeds| seeds.to_vec());
        let grid = Grid::new(policies, &arguments.vary, seeds)?;
        let baseline = baseline.map(|baseline| grid.baseline(baseline)).transpose()?;
        let points = grid.points();
        let mut sweep = Self {
            arguments,
            text,
            overrides,
            grid,
            baseline,
            store: None,
            points,
            asked,
            keys: Vec::new(),
            files: Vec::new(),
            hashes: BTreeMap::new(),
        };
        sweep.find_keys()?;
        sweep.check_values()?;
        sweep.store = output.map(|folder| Store::open(folder, arguments.resume)).transpose()?;
        Ok(sweep)
    }

    fn set(&self, settings: &[usize], seed: Option<u64>) -> Result<Vec<Override>, CommandError> {
        let seed = seed.map(seed_override).transpose()?;
        Ok(self.overrides.iter().cloned().chain(self.grid.overrides(settings)).chain(seed).collect())
    }

    fn scenario(&self, settings: &[usize], seed: Option<u64>) -> Result<Scenario, CommandError> {
        let overrides = self.set(settings, seed)?;
        self.text.with(&overrides).map_err(|error| self.arguments.base.wrong(error))
    }

    fn find_keys(&mut self) -> Result<(), CommandError> {
        let catalog = self.arguments.base.plugins.catalog();
        let mut hashes = std::mem::take(&mut self.hashes);
        let mut names = BTreeMap::new();
        let mut keys = Vec::new();
        for settings in self.grid.combinations() {
            let scenario = self.scenario(&settings, None)?;
            let policies = chosen_policies(&scenario, &catalog).map_err(|error| self.arguments.base.wrong(error))?;
            let mut parts = vec![env!("CARGO_PKG_VERSION").to_owned(), self.text.as_str().to_owned()];
            let assignments = self.overrides.iter().cloned().chain(self.grid.overrides(&settings));
            parts.extend(assignments.map(|assignment| assignment.to_string()));
            for (slot, record) in policies {
                if let Some((path, hash)) = record.library.as_ref().zip(record.library_sha256.as_ref()) {
                    hashes.insert(path.clone(), hash.clone());
                }
                parts.push(format!("{}={} {} {:?}", slot.path(), record.name, record.version, record.library_sha256));
            }
            for file in scenario.files().map_err(|error| self.arguments.base.wrong(error))? {
                let hash = match hashes.entry(file.clone()) {
                    std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                    std::collections::btree_map::Entry::Vacant(entry) => entry.insert(hash_of(&file)?),
                };
                parts.push(hash.clone());
                let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                names.insert(name, hash.clone());
            }
            for seed in &self.grid.seeds {
                keys.push(hash::of_parts(&parts.iter().cloned().chain([seed.to_string()]).collect::<Vec<_>>()));
            }
        }
        (self.keys, self.files, self.hashes) = (keys, names.into_iter().collect(), hashes);
        Ok(())
    }

    /// Gets each value ready once, with the first of all others.
    fn check_values(&self) -> Result<(), CommandError> {
        let catalog = self.arguments.base.plugins.catalog();
        let first = vec![0; self.grid.axes.len()];
        let mut combinations = vec![first.clone()];
        for (position, axis) in self.grid.axes.iter().enumerate() {
            for setting in 1..axis.settings.len() {
                let mut settings = first.clone();
                settings[position] = setting;
                combinations.push(settings);
            }
        }
        let mut warnings = std::collections::BTreeSet::new();
        for settings in combinations {
            let scenario = self.scenario(&settings, None)?;
            let prepared = Experiment::prepare(&scenario, &catalog);
            let experiment = prepared.map_err(|error| self.arguments.base.wrong(error))?;
            warnings.extend(experiment.warnings().iter().cloned());
        }
        warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        Ok(())
    }

    /// The table of invocations of each run, if it is asked for.
    fn invocations(&self) -> Option<InvocationsTable> {
        let table = InvocationsTable { format: self.arguments.format, sample: self.arguments.sample };
        (self.arguments.invocations == Invocations::All).then_some(table)
    }

    fn record(&self, point: usize) -> RunRecord {
        let Point { settings, seed } = &self.points[point];
        let names = self.grid.axes.iter().map(|axis| axis.name.clone());
        let settings = names.zip(self.grid.labels(settings).into_iter().map(str::to_owned)).collect();
        RunRecord { key: self.keys[point].clone(), settings, seed: *seed }
    }

    fn options(&self) -> Options {
        let policy_timeout_s = self.arguments.policy_timeout.as_secs_f64();
        Options {
            invocations: self.invocations(),
            time_series: Intervals::asked(Some(self.arguments.interval)),
            timeline: None,
            policy_timeout_s,
        }
    }

    /// What a run reads, with the hashes of what it was when the sweep began.
    fn inputs(&self, paths: Vec<PathBuf>) -> Result<Vec<Input>, CommandError> {
        let known = |path: &PathBuf| {
            let is_it = |other: &&PathBuf| std::path::absolute(other).is_ok_and(|other| other == *path);
            self.hashes.keys().find(is_it).and_then(|other| self.hashes.get(other)).cloned()
        };
        let input = |path: PathBuf| Ok(Input { sha256: known(&path).map_or_else(|| hash_of(&path), Ok)?, path });
        paths.into_iter().map(input).collect()
    }

    /// What the whole is, for who finds the folder.
    fn describe(&self, warnings: &[Warning]) -> Value {
        let axes: Vec<Value> = (self.grid.axes.iter())
            .map(|axis| {
                let labels: Vec<&str> = axis.settings.iter().map(|setting| setting.label.as_str()).collect();
                json!({"name": axis.name, "values": labels})
            })
            .collect();
        let baseline = self.baseline.map(|Baseline { axis, setting }| {
            json!({"axis": self.grid.axes[axis].name, "value": self.grid.axes[axis].settings[setting].label})
        });
        let runs: Vec<&str> = self.keys.iter().map(|key| &key[..16]).collect();
        let set: Vec<String> = self.overrides.iter().map(ToString::to_string).collect();
        let files: Vec<Value> = self.files.iter().map(|(name, hash)| json!({"name": name, "sha256": hash})).collect();
        json!({
            "format": "hearth-sweep/1",
            "hearth": env!("CARGO_PKG_VERSION"),
            "axes": axes,
            "seeds": self.grid.seeds,
            "baseline": baseline,
            "runs": runs,
            "set": set,
            "files": files,
            "warnings": warnings.iter().map(Warning::to_json).collect::<Vec<_>>(),
            "scenario": serde_json::from_str::<Value>(self.text.as_str()).unwrap_or_default(),
        })
    }

    fn run(&self) -> Result<(), CommandError> {
        self.write_description(&[])?;
        let options = self.options();
        let finished = |key: &String| self.store.as_ref()?.finished(key, &options);
        let known: Vec<Option<Value>> = self.keys.iter().map(finished).collect();
        let missing: Vec<usize> = (0..self.points.len()).filter(|point| known[*point].is_none()).collect();
        let control = Control::default();
        control.stop_on_interrupt();
        let progress = if self.arguments.quiet { None } else { SweepProgress::start(missing.len()) };
        let threads = self.arguments.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let catalog = || self.arguments.base.plugins.catalog();
        let run =
            |catalog: &mut Catalog, job: usize, announce: &Announce| self.simulate(missing[job], catalog, announce);
        let outcomes = pool::run_all(missing.len(), threads, &control, progress, catalog, run)?;
        let mut summaries = known;
        let mut failures = Vec::new();
        for (point, outcome) in missing.into_iter().zip(outcomes) {
            match outcome {
                Some(Ok(summary)) => summaries[point] = Some(summary),
                Some(Err(error)) => failures.push((point, error)),
                None => {}
            }
        }
        self.report(&summaries, &failures)?;
        let (finished, runs) = (summaries.iter().flatten().count(), self.points.len());
        if let Some((point, error)) = failures.first() {
            let Point { settings, seed } = &self.points[*point];
            let first = format!("{} seed={seed}: {error}", self.grid.describe(settings));
            return Err(CommandError::Runs { failed: failures.len(), runs, first: first.trim_start().to_owned() });
        }
        if finished < runs {
            return Err(CommandError::SweepInterrupted { finished, runs, kept: self.store.is_some() });
        }
        Ok(())
    }

    /// Runs one point on this thread and keeps what comes of it.
    fn simulate(&self, point: usize, catalog: &Catalog, announce: &Announce) -> Result<Value, CommandError> {
        let Point { settings, seed } = &self.points[point];
        let scenario = self.scenario(settings, Some(*seed))?;
        let limit = self.arguments.policy_timeout;
        let _watchdog = (limit > Duration::ZERO).then(|| Watchdog::start(limit, |stuck| end(&stuck)));
        let wrong = |error| self.arguments.base.wrong(error);
        let mut experiment = Experiment::prepare(&scenario, catalog).map_err(wrong)?;
        let mut files = None;
        experiment = match &self.store {
            Some(store) => {
                let folder = store.folder_in_progress(&self.keys[point])?;
                let of_run = ResultFiles::new(&folder, self.options(), Some(self.record(point)));
                let value = self.text.resolved(&self.set(settings, Some(*seed))?).map_err(wrong)?;
                let value = runs_again::from(&folder, value, self.text.base(), experiment.about())?;
                let inputs = self.inputs(runs_again::paths_of(&scenario, experiment.about()).map_err(wrong)?)?;
                let opened = of_run.open(experiment, &value, inputs, None)?;
                files = Some(of_run);
                opened
            }
            None => experiment.without_records(),
        };
        announce.begin(experiment.extent());
        let start = Instant::now();
        let (results, stopped) = experiment.run_until_stopped();
        match stopped {
            None => {}
            Some(Error::Interrupted) => return Err(CommandError::Interrupted),
            Some(error) => return Err(CommandError::Simulation(error.to_string())),
        }
        let summary = Summary::new(&results);
        if let (Some(files), Some(store)) = (&files, &self.store) {
            files.write(&results, &summary, State::Finished, start.elapsed().as_secs_f64())?;
            store.finish(&self.keys[point])?;
        }
        // What is read from a file later is read from text, so that both are the same to the last digit.
        let text = serde_json::to_string(&summary).unwrap_or_default();
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn write_description(&self, warnings: &[Warning]) -> Result<(), CommandError> {
        let Some(store) = &self.store else { return Ok(()) };
        let text = serde_json::to_string_pretty(&self.describe(warnings)).unwrap_or_default();
        store.write("sweep.json", (text + "\n").as_bytes())
    }

    /// What the runs warn of, once for each combination of values.
    fn warnings(&self, summaries: &[Option<Value>], failures: &[(usize, CommandError)]) -> Vec<Warning> {
        let failure = |point: usize| failures.iter().find(|(other, _)| *other == point);
        let outcome = |point: usize| match (&summaries[point], failure(point)) {
            (Some(summary), _) => Some((self.points[point].seed, Ok(summary))),
            (None, Some((_, error))) => Some((self.points[point].seed, Err(error.to_string()))),
            (None, None) => None,
        };
        let points: Vec<usize> = (0..self.points.len()).collect();
        let of_setting = |points: &[usize]| {
            let first = points.first().map(|point| self.grid.describe(&self.points[*point].settings));
            warnings::of_runs(&first.unwrap_or_default(), points.iter().copied().filter_map(outcome))
        };
        points
            .chunk_by(|one, next| self.points[*one].settings == self.points[*next].settings)
            .flat_map(of_setting)
            .collect()
    }

    /// Writes and prints the tables of what is done.
    fn report(&self, summaries: &[Option<Value>], failures: &[(usize, CommandError)]) -> Result<(), CommandError> {
        let runs: Vec<Run> = (self.points.iter().zip(summaries))
            .filter_map(|(point, summary)| Some(Run::new(point.clone(), summary.as_ref()?)))
            .collect();
        let comparison = Comparison::new(&self.grid, &runs, self.baseline);
        if let Some(store) = &self.store {
            let format = self.arguments.format;
            let of_runs = tables::of_runs(&self.grid, &runs, &comparison.metrics);
            let of_comparison = tables::of_comparison(&self.grid, &comparison);
            for (of, table) in [("results", of_runs), ("comparison", of_comparison)] {
                let name = format!("{of}.{}", format.extension());
                let unwritable = |error: SinkError| CommandError::Result {
                    file: store.folder().join(&name),
                    problem: error.to_string(),
                };
                store.write(&name, &table.to_bytes(format).map_err(unwritable)?)?;
                store.remove(&format!("{of}.{}", format.other().extension()))?;
            }
        }
        let warnings = self.warnings(summaries, failures);
        self.write_description(&warnings)?;
        warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        self.print(&comparison, &warnings)
    }

    fn print(&self, comparison: &Comparison, warnings: &[Warning]) -> Result<(), CommandError> {
        let (grid, asked) = (&self.grid, &self.asked);
        let mut out = std::io::stdout().lock();
        if self.arguments.json {
            let metrics = if asked.is_empty() { &comparison.metrics } else { asked };
            let comparison = json::of_comparison(grid, comparison, metrics, self.baseline, warnings);
            writeln!(out, "{comparison:#}")?;
            return Ok(());
        }
        let metrics = if asked.is_empty() { text::usually_shown() } else { asked.clone() };
        write!(out, "{}", text::of_comparison(grid, comparison, &metrics, self.baseline))?;
        if let Some(store) = &self.store {
            writeln!(out, "\nResults are in {}.", store.folder().display())?;
        }
        Ok(())
    }
}

/// Says which call of a policy does not come back and ends the process; runs that have ended are on the disk.
fn end(stuck: &StuckCall) -> ! {
    eprintln!("error: a simulation stopped: {stuck}");
    process::exit(1)
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
    fn seeds_are_ranges_and_lists() {
        assert_eq!(parse_seeds("1..3,7").unwrap()[..], [1, 2, 3, 7]);
        for wrong in ["", "1..", "3..1", "a", "1,1", "0..99999999"] {
            assert!(parse_seeds(wrong).is_err(), "{wrong}");
        }
    }
}
