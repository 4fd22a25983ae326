//! A sweep whose runs are kept in memory, here or by whoever does them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hearth_serverless::results::{HeldTable, Metric};
use hearth_serverless::scenario::{Override, ScenarioText};
use serde_json::Value;

use super::{Control, OwnPolicyMaker, Picture, undrawn};
use crate::error::CommandError;
use crate::metric;
use crate::noted::Noted;
use crate::output_choice::TableFormat;
use crate::report::draw::DrawError;
use crate::report::figure::Figure;
use crate::report::folder::{RunFolder, SweepFolder};
use crate::report::{page, sweep_figures};
use crate::result_folder::manifest::Options;
use crate::sweep::comparison::{Comparison, Run};
use crate::sweep::grid::{Axis, Grid, Point, Setting};
use crate::sweep::outcome::Outcome;
use crate::sweep::planned::PlannedRun;
use crate::sweep::pool::{self, Announce};
use crate::sweep::simulate::{Keep, simulate};
use crate::sweep::study::Study;
use crate::sweep::tables::{self, RunsTable};
use crate::sweep::warnings::Warning;
use crate::sweep::{json, text};

/// Something that varies: its name, and by label what each value sets.
#[derive(Clone, Debug)]
pub struct AxisSpec {
    /// What it is called: `policy`, or the path in the scenario.
    pub name: String,
    /// The values.
    pub values: Vec<(String, Vec<Override>)>,
}

/// What is to be run.
#[derive(Debug)]
pub struct SweepSpec {
    /// The scenario as messages call it.
    pub name: PathBuf,
    /// The scenario.
    pub text: ScenarioText,
    /// What is set in all runs.
    pub overrides: Vec<Override>,
    /// What varies; the last varies fastest.
    pub axes: Vec<AxisSpec>,
    /// The seeds; without any that of the scenario.
    pub seeds: Vec<u64>,
    /// The value that others are compared to: a policy's label, or `path=label`.
    pub baseline: Option<String>,
    /// Policies of the program.
    pub own: OwnPolicyMaker,
    /// How long a call of a policy may take, in seconds; 0 is for ever.
    pub policy_timeout_s: f64,
}

/// Many runs of one scenario.
///
/// ```
/// use hearth_serverless::scenario::ScenarioText;
/// use hearth_sim::in_memory::{AxisSpec, Control, OwnPolicyMaker, Shown, Sweep, SweepSpec};
/// let path = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/quickstart.json"));
/// let setting = |policy: &str| Ok::<_, hearth_sim::CommandError>((policy.to_owned(), hearth_sim::policy_overrides(policy)?));
/// let policies = vec![setting("keep_alive=fixed")?, setting("keep_alive=no-keep-alive")?];
/// let sweep = Sweep::new(SweepSpec {
///     name: path.to_owned(),
///     text: ScenarioText::read(path)?,
///     overrides: Vec::new(),
///     axes: vec![AxisSpec { name: "policy".to_owned(), values: policies }],
///     seeds: vec![1, 2],
///     baseline: Some("keep_alive=fixed".to_owned()),
///     own: OwnPolicyMaker::default(),
///     policy_timeout_s: 10.0,
/// })?;
/// let summaries = sweep.run(None, &Control::default(), |_, _| ())?;
/// let outcome = sweep.outcome(summaries)?;
/// assert_eq!(outcome.runs()?.rows(), 4);
/// assert!(outcome.text(&Shown::named(&[])?).contains("Differences to keep_alive=fixed, seed by seed"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Sweep {
    study: Study,
    warnings: Vec<String>,
}

impl Sweep {
    /// Reads the scenario with every combination of values, so that a mistake in one is found before anything runs.
    ///
    /// # Errors
    /// When something is wrong with them.
    pub fn new(spec: SweepSpec) -> Result<Self, CommandError> {
        let SweepSpec { name, text, overrides, axes, mut seeds, baseline, own, policy_timeout_s } = spec;
        let axis = |AxisSpec { name, values }| {
            let setting = |(label, overrides)| Setting { label, overrides };
            Axis { name, settings: values.into_iter().map(setting).collect() }
        };
        let axes: Vec<Axis> = axes.into_iter().map(axis).collect();
        if seeds.is_empty() {
            let first = axes.iter().filter_map(|axis| axis.settings.first()).flat_map(|first| first.overrides.clone());
            let all: Vec<Override> = overrides.iter().cloned().chain(first).collect();
            let scenario = text.with(&all).map_err(|error| CommandError::in_scenario(&name, error))?;
            seeds.push(scenario.seed);
        }
        let grid = Grid::of_axes(axes, seeds)?;
        let baseline = baseline.map(|baseline| grid.baseline(&baseline)).transpose()?;
        let (time_series, timeline, explain) = (None, None, false);
        let options =
            Options { invocations: None, time_series, timeline, policy_timeout_s, explain, noted: Noted::default() };
        let mut study = Study {
            name,
            text,
            overrides,
            points: grid.points(),
            grid,
            baseline,
            options,
            format: TableFormat::Csv,
            plugin_folders: Vec::new(),
            own,
            keys: Vec::new(),
            files: Vec::new(),
            hashes: BTreeMap::new(),
            copies: OnceLock::new(),
        };
        study.find_keys()?;
        let warnings = study.check_values()?;
        Ok(Self { study, warnings })
    }

    /// What is right, but likely not meant.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// All runs, in the order of the tables.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = PlannedRun> + '_ {
        (0..self.study.points.len()).map(|point| {
            let record = self.study.record(point);
            PlannedRun { key: record.key, settings: record.settings.into_iter().collect(), seed: record.seed }
        })
    }

    /// What is set in the scenario for a run, as text that is read as it was given.
    ///
    /// # Errors
    /// When there is no such run.
    pub fn assignments(&self, run: usize) -> Result<Vec<String>, CommandError> {
        let Some(Point { settings, seed }) = self.study.points.get(run) else {
            return Err(CommandError::Usage(format!("there is no run {run}: there are {}", self.study.points.len())));
        };
        Ok(self.study.set(settings, Some(*seed))?.iter().map(ToString::to_string).collect())
    }

    /// The libraries of policies and the files that the runs read, with the SHA-256 of each.
    pub fn inputs(&self) -> impl Iterator<Item = (&PathBuf, &String)> {
        self.study.hashes.iter()
    }

    /// Whether what runs read is a library of policies.
    #[must_use]
    pub fn is_library(&self, path: &Path) -> bool {
        path.extension() == Some(std::ffi::OsStr::new(std::env::consts::DLL_EXTENSION))
    }

    /// Does all runs on so many threads, or one for each core, and gives the summary of each as JSON, or why it failed; nothing of those that did not run
    /// because all was stopped. `look` is called now and then with how many have ended and how much of others is done.
    ///
    /// # Errors
    /// When something goes wrong that is no failure of a single run.
    pub fn run(
        &self,
        threads: Option<std::num::NonZeroUsize>,
        control: &Control,
        look: impl FnMut(usize, f64),
    ) -> Result<Vec<Option<Result<String, String>>>, CommandError> {
        let study = &self.study;
        let run = |catalog: &mut _, point: usize, announce: &Announce| {
            let scenario = study.scenario_of(point)?;
            let is_stuck = |stuck| crate::sweep::simulate::end(&stuck);
            let summary = simulate(study, point, &scenario, Keep::Nowhere, catalog, announce, is_stuck)?;
            Ok(summary.value().to_string())
        };
        let threads = pool::threads(threads);
        let outcomes = pool::run_all(study.points.len(), threads, control, look, || study.catalog(), run)?;
        Ok(outcomes.into_iter().map(|outcome| outcome.map(|run| run.map_err(|error| error.to_string()))).collect())
    }

    /// What has come of the runs, whose summaries these are, or why they failed.
    ///
    /// # Errors
    /// When a summary is not one.
    pub fn outcome(&self, summaries: Vec<Option<Result<String, String>>>) -> Result<SweepOutcome, CommandError> {
        let study = &self.study;
        let (mut runs, mut failures, mut folders) = (Vec::new(), Vec::new(), Vec::new());
        for (position, (point, summary)) in study.points.iter().zip(summaries).enumerate() {
            runs.push(match summary {
                None => None,
                Some(Err(error)) => {
                    failures.push((position, error));
                    None
                }
                Some(Ok(summary)) => {
                    let wrong = |error| CommandError::Usage(format!("{}: {error}", study.describe(position)));
                    let summary: Value = serde_json::from_str(&summary).map_err(wrong)?;
                    let run = Run::new(point.clone(), &summary);
                    folders.push((point.clone(), RunFolder::in_memory(summary, None, None).map_err(wrong)?));
                    Some(run)
                }
            });
        }
        let outcome = Outcome::new(study, runs.clone(), failures);
        let (comparison, warnings) = outcome.write(None)?;
        let (grid, baseline) = (study.grid.clone(), study.baseline);
        let folder = SweepFolder { about: Value::Null, grid, baseline, runs: folders };
        Ok(SweepOutcome { folder, comparison, warnings, runs: runs.into_iter().flatten().collect() })
    }
}

/// What has come of a sweep.
#[derive(Clone, Debug)]
pub struct SweepOutcome {
    folder: SweepFolder,
    comparison: Comparison,
    warnings: Vec<Warning>,
    runs: Vec<Run>,
}

/// Which numbers are shown.
#[derive(Clone, Debug, Default)]
pub struct Shown(Vec<&'static Metric>);

impl Shown {
    /// Those of these names; without any, the usual ones.
    ///
    /// # Errors
    /// When there is no such number.
    pub fn named(names: &[String]) -> Result<Self, CommandError> {
        let asked = metric::all_asked_for(names)?;
        Ok(Self(if asked.is_empty() { text::usually_shown() } else { asked }))
    }
}

impl SweepOutcome {
    /// What one should know of the runs before their numbers are believed.
    pub fn warnings(&self) -> impl Iterator<Item = String> + '_ {
        self.warnings.iter().map(ToString::to_string)
    }

    /// The comparison as the command prints it.
    #[must_use]
    pub fn text(&self, shown: &Shown) -> String {
        text::of_comparison(&self.folder.grid, &self.comparison, &shown.0, self.folder.baseline)
    }

    /// The comparison as `--json` prints it, of all numbers.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let SweepFolder { grid, baseline, .. } = &self.folder;
        json::of_comparison(grid, &self.comparison, &self.comparison.metrics, *baseline, &self.warnings)
    }

    /// One row a run: the columns of `results.csv`.
    ///
    /// # Errors
    /// When a row does not fit, which is a mistake of this program.
    pub fn runs(&self) -> Result<HeldTable, CommandError> {
        let names: BTreeSet<&'static str> =
            self.runs.iter().flat_map(|run| run.numbers.iter()).map(|(name, _)| name).collect();
        let metrics = names.into_iter().filter_map(Metric::find).collect();
        let mut table = RunsTable::in_memory(&self.folder.grid, metrics);
        let rows = self.runs.iter().try_for_each(|run| table.row(run));
        rows.map_err(|error| CommandError::Usage(error.to_string()))?;
        Ok(table.into_held())
    }

    /// One row a combination of values and a number: the columns of `comparison.csv`. Of all numbers, if none are named; of
    /// `differences` the rows alone that are compared to a baseline.
    ///
    /// # Errors
    /// When a row does not fit, which is a mistake of this program.
    pub fn comparison(&self, shown: Option<&Shown>, differences: bool) -> Result<HeldTable, CommandError> {
        let mut comparison = self.comparison.clone();
        if let Some(shown) = shown {
            comparison.metrics.retain(|metric| shown.0.iter().any(|shown| shown.name == metric.name));
        }
        comparison.rows.retain(|row| !differences || row.baseline.is_some());
        let table = tables::of_comparison(&self.folder.grid, &comparison).to_held();
        table.map_err(|error| CommandError::Usage(error.to_string()))
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = sweep_figures::of(&self.folder, &self.comparison);
        figures.retain(|figure| !figure.content.is_empty());
        figures
    }

    /// All figures.
    ///
    /// # Errors
    /// When one cannot be drawn, which is a mistake of this program.
    pub fn pictures(&self) -> Result<Vec<Picture>, CommandError> {
        self.figures().iter().map(Picture::of).collect::<Result<_, DrawError>>().map_err(|error| undrawn(&error))
    }

    /// HTML that needs nothing else, for a notebook: the table, and a few figures.
    ///
    /// # Errors
    /// When a figure cannot be drawn, which is a mistake of this program.
    pub fn html(&self) -> Result<String, CommandError> {
        const MOST: usize = 3;
        let mut figures = self.figures();
        figures.truncate(MOST);
        page::part_of_sweep(&self.folder, &self.comparison, &figures).map_err(|error| undrawn(&error))
    }
}
