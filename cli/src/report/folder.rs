//! Reads what runs and sweeps have left in their folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hearth_serverless::results::{HeldColumn, HeldTable, Numbers, Summary, Values};
use serde::Deserialize;
use serde_json::Value;

use super::figure::{GanttChart, Span};
use crate::error::CommandError;
use crate::result_folder::claim::SWEEP;
use crate::result_folder::manifest::{self, Manifest, State};
use crate::sweep::grid::{Axis, Baseline, Grid, Point, Setting};
use crate::sweep::packed::scan::AllPacked;
use crate::sweep::store::RUNS;

/// A table of numbers, by column.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: BTreeMap<String, Vec<Option<f64>>>,
}

impl Table {
    /// A column, with `None` for empty fields; empty if there is no such column.
    pub fn column(&self, name: &str) -> &[Option<f64>] {
        self.columns.get(name).map_or(&[], Vec::as_slice)
    }
}

/// What is in the folder of a run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    /// `summary.json`.
    pub summary: Summary,
    /// The same as it stands there.
    pub written: Value,
    /// The numbers in it.
    pub numbers: Numbers,
    /// `scenario.json`, if the run wrote it.
    pub scenario: Option<Value>,
    /// `distributions.csv`.
    pub distributions: Table,
    /// `timeseries.csv`, if the run wrote it.
    pub series: Option<Table>,
    /// `timeline.json`, once it [has been read](Self::read_timeline).
    pub timeline: Option<GanttChart>,
}

/// What is in the folder of a sweep.
#[derive(Clone, Debug)]
pub struct SweepFolder {
    /// `sweep.json`.
    pub about: Value,
    /// What varied.
    pub grid: Grid,
    /// What the others are compared to.
    pub baseline: Option<Baseline>,
    /// The runs that are there, in the order of the grid.
    pub runs: Vec<(Point, RunFolder)>,
}

/// The folder of a run, or of a sweep.
#[derive(Clone, Debug)]
pub enum Folder {
    /// Of `hearth run`.
    Run(Box<RunFolder>),
    /// Of `hearth sweep` or `hearth compare`.
    Sweep(Box<SweepFolder>),
}

pub(super) fn wrong(path: &Path, problem: impl std::fmt::Display) -> CommandError {
    CommandError::Usage(format!("{}: {problem}", path.display()))
}

/// The files of a run.
enum RunFiles {
    /// In a folder of its own.
    Folder(PathBuf),
    /// Taken from where a worker has packed them; the folder is what they are called by in messages.
    Packed(PathBuf, BTreeMap<String, Vec<u8>>),
}

impl RunFiles {
    fn folder(&self) -> &Path {
        match self {
            Self::Folder(folder) | Self::Packed(folder, _) => folder,
        }
    }

    fn manifest(&self) -> Result<Option<Manifest>, CommandError> {
        match self {
            Self::Folder(folder) => Manifest::read(folder),
            Self::Packed(folder, files) => {
                let path = folder.join(manifest::NAME);
                files.get(manifest::NAME).map(|bytes| Manifest::from_json(&path, bytes)).transpose()
            }
        }
    }

    /// What is in a file, and what messages call it.
    fn read(&self, name: &str) -> Result<(PathBuf, Vec<u8>), CommandError> {
        let path = self.folder().join(name);
        let bytes = match self {
            Self::Folder(_) => read(&path)?,
            Self::Packed(_, files) => files.get(name).cloned().ok_or_else(|| wrong(&path, "is not there"))?,
        };
        Ok((path, bytes))
    }

    fn read_json<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<T, CommandError> {
        let (path, bytes) = self.read(name)?;
        parse_json(&path, &bytes)
    }

    fn read_table(&self, name: &str) -> Result<Table, CommandError> {
        let (path, bytes) = self.read(name)?;
        let unreadable = |error: csv::Error| wrong(&path, format!("cannot be read: {error}"));
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let names: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
        let mut columns = vec![Vec::new(); names.len()];
        for row in reader.records() {
            let row = row.map_err(unreadable)?;
            for (column, field) in columns.iter_mut().zip(&row) {
                column.push(field.parse().ok());
            }
        }
        Ok(Table { columns: names.into_iter().zip(columns).collect() })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    fs::read(path).map_err(|error| wrong(path, format!("cannot be read: {error}")))
}

fn parse_json<T: for<'de> Deserialize<'de>>(path: &Path, bytes: &[u8]) -> Result<T, CommandError> {
    serde_json::from_slice(bytes).map_err(|error| wrong(path, format!("is not what Hearth writes: {error}")))
}

/// An event of a trace, as far as it matters here.
#[derive(Deserialize)]
struct TraceEvent {
    ph: String,
    name: String,
    pid: u64,
    #[serde(default)]
    tid: u64,
    #[serde(default)]
    ts: f64,
    #[serde(default)]
    dur: f64,
    #[serde(default)]
    args: Value,
}

fn timeline_of(events: Vec<TraceEvent>) -> GanttChart {
    let mut timeline = GanttChart::default();
    for event in events {
        let TraceEvent { ph, name, pid, tid, ts, dur, args } = event;
        match ph.as_str() {
            "M" if name == "process_name" => {
                timeline.nodes.push((pid, args["name"].as_str().unwrap_or_default().to_owned()));
            }
            "X" => {
                let (begin, end) = (ts / 1e6, (ts + dur) / 1e6);
                let text = |name: &str| args[name].as_str();
                let function = text("function").unwrap_or_default().to_owned();
                let served = args["invocation"].as_u64().map_or_else(String::new, |invocation| {
                    let how: Vec<&str> = ["start", "outcome"].into_iter().filter_map(text).collect();
                    format!("invocation {invocation} ({})", how.join(", ").replace('_', " "))
                });
                timeline.spans.push(Span { row: (pid, tid), phase: name, function, served, begin, end });
            }
            _ => {}
        }
    }
    timeline
}

impl Table {
    /// A table in memory, of which numbers are read.
    pub fn of(held: &HeldTable) -> Self {
        let there = |column: &HeldColumn, row: usize| column.is_there.get(row).copied().unwrap_or(true);
        let numbers = |column: &HeldColumn| -> Vec<Option<f64>> {
            let of = |row: usize| match &column.values {
                Values::Number(values) => values.get(row).copied(),
                Values::Whole(values) => values.get(row).map(|value| *value as f64),
                _ => None,
            };
            (0..held.rows()).map(|row| of(row).filter(|_| there(column, row))).collect()
        };
        let column = |column: &HeldColumn| (column.description.head.name.clone(), numbers(column));
        Self { columns: held.columns().iter().map(column).collect() }
    }
}

impl RunFolder {
    /// What is known of a run by its summary, with tables that are in memory.
    pub fn in_memory(
        summary: Value,
        distributions: Option<&HeldTable>,
        series: Option<&HeldTable>,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            numbers: Numbers::read(&summary),
            summary: Summary::deserialize(&summary)?,
            written: summary,
            scenario: None,
            distributions: distributions.map_or_else(Table::default, Table::of),
            series: series.map(Table::of),
            timeline: None,
        })
    }

    fn read(files: &RunFiles) -> Result<Self, CommandError> {
        let folder = files.folder();
        let manifest = files.manifest()?.ok_or_else(|| wrong(folder, "has no run.json"))?;
        if manifest.state == State::Running {
            let problem = "the run there has not ended, or was killed: run it again, with --overwrite";
            return Err(wrong(folder, problem));
        }
        // What else lies in the folder is not of this run.
        let optional = |name: &'static str| manifest.lists(name).then_some(name);
        let written: Value = files.read_json("summary.json")?;
        Ok(Self {
            summary: files.read_json("summary.json")?,
            numbers: Numbers::read(&written),
            written,
            scenario: optional("scenario.json").map(|name| files.read_json(name)).transpose()?,
            distributions: files.read_table("distributions.csv")?,
            series: optional("timeseries.csv").map(|name| files.read_table(name)).transpose()?,
            timeline: None,
        })
    }

    /// Reads `timeline.json`, if the run in this folder wrote it: all of it, for a picture.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_timeline(&mut self, folder: &Path) -> Result<(), CommandError> {
        let files = RunFiles::Folder(folder.to_owned());
        if files.manifest()?.is_some_and(|manifest| manifest.lists("timeline.json")) {
            self.timeline = Some(timeline_of(files.read_json("timeline.json")?));
        }
        Ok(())
    }
}

impl SweepFolder {
    fn read(folder: &Path) -> Result<Self, CommandError> {
        let path = folder.join(SWEEP);
        let about: Value = parse_json(&path, &read(&path)?)?;
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let axis = |axis: &Value| Axis {
            name: axis["name"].as_str().unwrap_or_default().to_owned(),
            settings: texts(&axis["values"])
                .into_iter()
                .map(|label| Setting { label, overrides: Vec::new() })
                .collect(),
        };
        let axes = about["axes"].as_array().into_iter().flatten().map(axis).collect();
        let seeds = about["seeds"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        let grid = Grid { axes, seeds };
        let baseline = about["baseline"]["axis"].as_str().zip(about["baseline"]["value"].as_str());
        let baseline = baseline.map(|(axis, value)| grid.baseline(&format!("{axis}={value}"))).transpose()?;
        let (names, points) = (texts(&about["runs"]), grid.points());
        if names.len() != points.len() {
            return Err(wrong(&path, "is not what Hearth writes: runs and axes do not go together"));
        }
        let packed = AllPacked::read(folder)?;
        let mut runs = Vec::new();
        for (point, name) in points.into_iter().zip(names) {
            let run = folder.join(RUNS).join(&name);
            let files = match packed.files(&name)? {
                _ if run.is_dir() => RunFiles::Folder(run),
                Some(files) => RunFiles::Packed(run, files),
                None => continue,
            };
            runs.push((point, RunFolder::read(&files)?));
        }
        if runs.is_empty() {
            return Err(wrong(folder, "has no run that has ended"));
        }
        Ok(Self { about, grid, baseline, runs })
    }
}

impl Folder {
    /// Reads a folder.
    ///
    /// # Errors
    /// When it is not a folder of results, or a file of it cannot be read.
    pub fn read(folder: &Path) -> Result<Self, CommandError> {
        let has = |name: &str| folder.join(name).is_file();
        if has(SWEEP) {
            return SweepFolder::read(folder).map(|sweep| Self::Sweep(Box::new(sweep)));
        }
        if has(manifest::NAME) {
            return RunFolder::read(&RunFiles::Folder(folder.to_owned())).map(|run| Self::Run(Box::new(run)));
        }
        let problem =
            "holds no results: expected a folder that `hearth run --output` or `hearth sweep --output` has written";
        Err(wrong(folder, problem))
    }
}
