//! `plan.json`: a study as a file, from which any worker that sees the folder knows what to run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use hearth_serverless::scenario::{Override, ScenarioText};
use serde::{Deserialize, Serialize};

use super::grid::{Axis, Grid, Setting};
use super::study::{OwnPolicyMaker, Study};
use crate::error::CommandError;
use crate::objects::{inputs, is_named};
use crate::output_choice::TableFormat;
use crate::result_folder::manifest::{Input, Options, RunRecord};
use crate::result_folder::runs_again::placed;

/// The name of the file.
pub const NAME: &str = "plan.json";

/// The version of its format.
const FORMAT: &str = "hearth-plan/1";

/// Workers give so many signs of life, and file systems are slow.
pub const LEAST_STALE_AFTER: Duration = Duration::from_secs(1);

/// A worker is taken for dead after so long, unless somebody says otherwise.
pub const DEFAULT_STALE_AFTER: Duration = Duration::from_secs(120);

/// The scenario of all runs.
#[derive(Debug, Serialize, Deserialize)]
struct PlannedScenario {
    /// Where it was: relative paths in it start from the folder of this file.
    file: PathBuf,
    /// What was in it.
    text: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct PlannedSetting {
    label: String,
    set: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PlannedAxis {
    name: String,
    values: Vec<PlannedSetting>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PlannedBaseline {
    axis: String,
    value: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct NamedHash {
    name: String,
    sha256: String,
}

/// What says which version reads a plan.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: serde_json::Value,
    #[serde(default)]
    hearth: serde_json::Value,
}

/// `plan.json`. Paths are relative to its folder, or absolute.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    format: String,
    hearth: String,
    scenario: PlannedScenario,
    /// What is set in all runs.
    set: Vec<String>,
    axes: Vec<PlannedAxis>,
    seeds: Vec<u64>,
    baseline: Option<PlannedBaseline>,
    /// What each run writes.
    options: Options,
    /// The form of the tables.
    tables: TableFormat,
    /// Where policies are looked for.
    plugin_folders: Vec<PathBuf>,
    /// The files that scenarios read, as `sweep.json` names them.
    files: Vec<NamedHash>,
    /// The same and libraries of policies, with their paths.
    inputs: Vec<Input>,
    /// After how many seconds without a sign of life a worker is taken for dead.
    stale_after_s: f64,
    /// All runs.
    runs: Vec<RunRecord>,
}

/// Whether the plan in a folder may name libraries, or folders of them: told from its text, which may be that of very many runs.
pub fn may_name_libraries(folder: &Path) -> bool {
    // What lies in object storage is read once.
    is_named(folder)
        || fs::read_to_string(folder.join(NAME))
            .is_ok_and(|text| text.contains("library") || !text.contains("\"plugin_folders\": []"))
}

fn overrides(assignments: &[String]) -> Result<Vec<Override>, CommandError> {
    assignments.iter().map(|assignment| assignment.parse().map_err(CommandError::Argument)).collect()
}

fn assignments(overrides: &[Override]) -> Vec<String> {
    overrides.iter().map(ToString::to_string).collect()
}

/// What a study reads, by path with hashes, as it is told in `folder`.
///
/// # Errors
/// When a path is not UTF-8 text, which JSON cannot hold.
pub fn inputs_in(hashes: &BTreeMap<PathBuf, String>, folder: &Path) -> Result<Vec<Input>, CommandError> {
    let input = |(path, sha256): (&PathBuf, &String)| Ok(Input { path: place(path, folder)?, sha256: sha256.clone() });
    let mut inputs = hashes.iter().map(input).collect::<Result<Vec<_>, CommandError>>()?;
    inputs.sort_by(|one, other| one.path.cmp(&other.path));
    inputs.dedup();
    Ok(inputs)
}

fn place(path: &Path, folder: &Path) -> Result<PathBuf, CommandError> {
    let not_text = || CommandError::Usage(format!("{}: is not UTF-8 text, which a plan is", path.display()));
    placed(path, folder).map(PathBuf::from).ok_or_else(not_text)
}

impl Plan {
    /// The plan of a study that is to be in `folder`, where workers are taken for dead after some time.
    ///
    /// # Errors
    /// When a path is not UTF-8 text.
    pub fn of(study: &Study, folder: &Path, stale_after: Duration) -> Result<Self, CommandError> {
        let setting =
            |setting: &Setting| PlannedSetting { label: setting.label.clone(), set: assignments(&setting.overrides) };
        let axis =
            |axis: &Axis| PlannedAxis { name: axis.name.clone(), values: axis.settings.iter().map(setting).collect() };
        let baseline = study.baseline.map(|base| {
            let axis = &study.grid.axes[base.axis];
            PlannedBaseline { axis: axis.name.clone(), value: axis.settings[base.setting].label.clone() }
        });
        let named = |(name, sha256): &(String, String)| NamedHash { name: name.clone(), sha256: sha256.clone() };
        let plugin_folders = study.plugin_folders.iter().map(|path| place(path, folder));
        Ok(Self {
            format: FORMAT.to_owned(),
            hearth: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: PlannedScenario { file: place(&study.file(), folder)?, text: study.text.as_str().to_owned() },
            set: assignments(&study.overrides),
            axes: study.grid.axes.iter().map(axis).collect(),
            seeds: study.grid.seeds.clone(),
            baseline,
            options: study.options.clone(),
            tables: study.format,
            plugin_folders: plugin_folders.collect::<Result<_, CommandError>>()?,
            files: study.files.iter().map(named).collect(),
            inputs: inputs_in(&study.hashes, folder)?,
            stale_after_s: stale_after.as_secs_f64(),
            runs: (0..study.points.len()).map(|point| study.record(point)).collect(),
        })
    }

    /// As it stands in the file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The plan of a folder.
    ///
    /// # Errors
    /// When there is none, or it is none that this version of Hearth has written.
    pub fn read(folder: &Path) -> Result<Self, CommandError> {
        let path = folder.join(NAME);
        let wrong = |problem: String| CommandError::Usage(format!("{}: {problem}", path.display()));
        let bytes = fs::read(&path).map_err(|error| {
            wrong(format!("cannot be read: {error}: `hearth sweep SCENARIO --output DIR --plan` writes it"))
        })?;
        let this = env!("CARGO_PKG_VERSION");
        // A plan of very many runs is read once.
        let read = serde_json::from_slice::<Self>(&bytes);
        if let Ok(plan) = read
            && plan.format == FORMAT
            && plan.hearth == this
        {
            return Ok(plan);
        }
        // What a later format has is not known here.
        let Head { format, hearth } =
            serde_json::from_slice(&bytes).map_err(|error| wrong(format!("is not what Hearth writes: {error}")))?;
        if format != FORMAT {
            return Err(wrong(format!("found format {format}, expected {FORMAT:?}")));
        }
        if hearth != this {
            let cure = "work on it with that version, or plan again with --plan --resume";
            return Err(wrong(format!("was written by hearth {hearth}, this is {this}: {cure}")));
        }
        serde_json::from_slice(&bytes).map_err(|error| wrong(format!("is not what Hearth writes: {error}")))
    }

    /// The study that is planned in `folder`, what it reads, and after which time workers are taken for dead.
    ///
    /// # Errors
    /// When it makes no sense, because somebody has changed it.
    pub fn into_study(self, folder: &Path) -> Result<(Study, Vec<Input>, Duration), CommandError> {
        let path = folder.join(NAME);
        let wrong =
            |problem: &str| CommandError::Usage(format!("{}: is not what Hearth writes: {problem}", path.display()));
        let stale_after = Duration::try_from_secs_f64(self.stale_after_s).ok();
        let stale_after =
            stale_after.filter(|time| *time >= LEAST_STALE_AFTER).ok_or_else(|| wrong("stale_after_s"))?;
        check_options(&self.options).map_err(wrong)?;
        let file = folder.join(&self.scenario.file);
        let name = file.to_str().ok_or_else(|| wrong("its folder is not UTF-8 text"))?;
        let text = ScenarioText::read_from(name, self.scenario.text.as_bytes()).map_err(CommandError::Argument)?;
        let setting =
            |setting: PlannedSetting| Ok(Setting { overrides: overrides(&setting.set)?, label: setting.label });
        let axis = |axis: PlannedAxis| {
            let settings = axis.values.into_iter().map(setting).collect::<Result<_, CommandError>>()?;
            Ok(Axis { name: axis.name, settings })
        };
        let axes = self.axes.into_iter().map(axis).collect::<Result<_, CommandError>>()?;
        let grid = Grid { axes, seeds: self.seeds };
        let baseline = self.baseline.map(|base| grid.value(&base.axis, &base.value).ok_or_else(|| wrong("baseline")));
        let hash = |input: &Input| Ok((inputs::placed(folder, &input.path)?, input.sha256.clone()));
        let study = Study {
            overrides: overrides(&self.set)?,
            baseline: baseline.transpose()?,
            points: grid.points(),
            grid,
            options: self.options,
            format: self.tables,
            plugin_folders: self.plugin_folders.iter().map(|path| folder.join(path)).collect(),
            keys: self.runs.iter().map(|run| run.key.clone()).collect(),
            files: self.files.into_iter().map(|file| (file.name, file.sha256)).collect(),
            hashes: self.inputs.iter().map(hash).collect::<Result<_, CommandError>>()?,
            own: OwnPolicyMaker::default(),
            copies: OnceLock::new(),
            text,
            name: file,
        };
        let is_key = |key: &String| key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        let are_runs = study.points.len() == self.runs.len()
            && study.keys.iter().all(is_key)
            && self.runs.iter().enumerate().all(|(point, run)| study.is_recorded(point, run));
        if !are_runs {
            return Err(wrong("its runs are not those of its values and seeds"));
        }
        Ok((study, self.inputs, stale_after))
    }
}

fn check_options(options: &Options) -> Result<(), &'static str> {
    let Options { invocations, time_series, timeline, policy_timeout_s, explain: _, noted } = options;
    let is_share = invocations.is_none_or(|table| (0.0..=1.0).contains(&table.sample));
    let is_series = time_series.is_none_or(|series| series.interval_ns > 0 && series.most_rows > 1);
    let is_time = Duration::try_from_secs_f64(*policy_timeout_s).is_ok();
    if is_share && is_series && is_time && timeline.is_none() && noted.is_nothing() { Ok(()) } else { Err("options") }
}
