//! What came of the runs of a study: its tables and `sweep.json`, and what is printed of it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use hearth_serverless::results::{Metric, Numbers, SinkError};
use serde_json::{Value, json};

use super::comparison::{Comparison, Run};
use super::grid::{Baseline, Point};
use super::packed::runs::Runs;
use super::store::Store;
use super::study::Study;
use super::tables::RunsTable;
use super::warnings::{self, Collected, Warning};
use super::{json, tables, text};
use crate::error::CommandError;
use crate::isolation::inside;

/// What came of the runs of a study.
#[derive(Debug)]
pub struct Outcome<'a> {
    study: &'a Study,
    ended: Ended<'a>,
    /// How many have come to their end.
    finished: usize,
    /// All numbers that they have.
    names: BTreeSet<&'static str>,
    /// The points that ended in an error, in order, with the error.
    failures: Vec<(usize, String)>,
}

/// The runs that have come to their end.
#[derive(Debug)]
enum Ended<'a> {
    /// By point.
    Here(Vec<Option<Run>>),
    /// As workers have left them.
    OnDisk(Runs<'a>),
}

/// What a study is, for who finds its folder.
fn describe(study: &Study, warnings: &[Warning]) -> Value {
    let grid = &study.grid;
    let axes: Vec<Value> = (grid.axes.iter())
        .map(|axis| {
            let labels: Vec<&str> = axis.settings.iter().map(|setting| setting.label.as_str()).collect();
            json!({"name": axis.name, "values": labels})
        })
        .collect();
    let baseline = study.baseline.map(|Baseline { axis, setting }| {
        json!({"axis": grid.axes[axis].name, "value": grid.axes[axis].settings[setting].label})
    });
    let runs: Vec<&str> = study.keys.iter().map(|key| &key[..16]).collect();
    let set: Vec<String> = study.overrides.iter().map(ToString::to_string).collect();
    let files: Vec<Value> = study.files.iter().map(|(name, hash)| json!({"name": name, "sha256": hash})).collect();
    json!({
        "format": "hearth-sweep/1",
        "hearth": env!("CARGO_PKG_VERSION"),
        "axes": axes,
        "seeds": grid.seeds,
        "baseline": baseline,
        "runs": runs,
        "set": set,
        "files": files,
        "warnings": warnings.iter().map(Warning::to_json).collect::<Vec<_>>(),
        "scenario": serde_json::from_str::<Value>(study.text.as_str()).unwrap_or_default(),
    })
}

/// Writes `sweep.json`.
pub fn write_description(study: &Study, store: &Store, warnings: &[Warning]) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(&describe(study, warnings)).unwrap_or_default();
    store.write("sweep.json", (text + "\n").as_bytes())
}

/// What is printed of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The numbers that were asked for; empty for the usual ones.
    pub metrics: &'a [&'static Metric],
    /// Whether as JSON.
    pub json: bool,
}

impl<'a> Outcome<'a> {
    /// Of these runs, by point.
    pub fn new(study: &'a Study, runs: Vec<Option<Run>>, failures: Vec<(usize, String)>) -> Self {
        let names = runs.iter().flatten().flat_map(|run| run.numbers.iter()).map(|(name, _)| name).collect();
        Self { study, finished: runs.iter().flatten().count(), ended: Ended::Here(runs), names, failures }
    }

    /// Of the runs that workers on a plan have done so far.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn read(study: &'a Study, plan: &Path) -> Result<Self, CommandError> {
        let mut names = BTreeSet::new();
        let note = |summary: &[u8]| {
            let summary: Value = serde_json::from_slice(summary).unwrap_or_default();
            names.extend(Numbers::read(&summary).iter().map(|(name, _)| name));
        };
        let runs = Runs::read_with(study, plan, note)?;
        let mut failures = Vec::new();
        for point in 0..study.points.len() {
            failures.extend(runs.failure(point)?.map(|error| (point, error)));
        }
        let finished = (0..study.points.len()).filter(|point| runs.seconds(*point).is_some()).count();
        Ok(Self { study, ended: Ended::OnDisk(runs), finished, names, failures })
    }

    /// The run of a point, if it has ended.
    fn run(&self, point: usize) -> Result<Option<Cow<'_, Run>>, CommandError> {
        match &self.ended {
            Ended::Here(runs) => Ok(runs.get(point).and_then(Option::as_ref).map(Cow::Borrowed)),
            Ended::OnDisk(runs) => {
                let summary = runs.summary(point)?;
                Ok(summary.map(|summary| Cow::Owned(Run::new(self.study.points[point].clone(), &summary))))
            }
        }
    }

    /// How many runs have come to their end.
    pub fn finished(&self) -> usize {
        self.finished
    }

    /// How many have neither ended nor failed.
    pub fn missing(&self) -> usize {
        self.study.points.len() - self.finished - self.failures.len()
    }

    /// Gives each run a folder of its own, as one machine does.
    ///
    /// # Errors
    /// When one cannot be read or written.
    pub fn unpack(&self, store: &Store) -> Result<(), CommandError> {
        match &self.ended {
            Ended::Here(_) => Ok(()),
            Ended::OnDisk(runs) => {
                store.make_room_for_runs()?;
                runs.unpack(store)
            }
        }
    }

    /// The error that says which runs failed, if any did.
    ///
    /// # Errors
    /// That some failed.
    pub fn check_failures(&self) -> Result<(), CommandError> {
        let Some((point, error)) = self.failures.first() else { return Ok(()) };
        let first = format!("{}: {error}", self.study.describe(*point));
        Err(CommandError::Runs { failed: self.failures.len(), runs: self.study.points.len(), first })
    }

    /// Compares the runs, and shows each to `see`; gives what they warn of, too.
    fn compare(
        &self,
        mut see: impl FnMut(&Run) -> Result<(), CommandError>,
    ) -> Result<(Comparison, Vec<Warning>), CommandError> {
        let study = self.study;
        let mut warnings = Collected::default();
        let mut failures = self.failures.iter().peekable();
        let see = |point: usize, run: Option<&Run>| {
            let Point { settings, seed } = &study.points[point];
            let failure = failures.next_if(|(failed, _)| *failed == point);
            let of_failure;
            let told = match (run, failure) {
                (Some(run), _) => &run.warnings,
                (None, Some((_, error))) => {
                    of_failure = warnings::of_failure(error.clone());
                    &of_failure
                }
                (None, None) => return Ok(()),
            };
            warnings.add(settings, *seed, told, || study.grid.describe(settings));
            run.map_or(Ok(()), &mut see)
        };
        let comparison = Comparison::read(&study.grid, study.baseline, |point| self.run(point), see)?;
        Ok((comparison, warnings.finish()))
    }

    /// Writes the tables of what is done into the store, if there is one; gives the comparison and what the runs warn of.
    pub fn write(&self, store: Option<&Store>) -> Result<(Comparison, Vec<Warning>), CommandError> {
        let study = self.study;
        let Some(store) = store else { return self.compare(|_| Ok(())) };
        let (format, ending) = (study.format, study.format.extension());
        let unwritable = |name: &str, error: SinkError| CommandError::Result {
            file: store.folder().join(name),
            problem: error.to_string(),
        };
        let mut compared = None;
        let of_runs = format!("results.{ending}");
        store.write_with(&of_runs, |file| {
            let unwritable = |error| unwritable(&of_runs, error);
            let metrics = self.names.iter().filter_map(|name| Metric::find(name)).collect();
            let mut table = RunsTable::new(&study.grid, metrics, format, file).map_err(unwritable)?;
            compared = Some(self.compare(|run| table.row(run).map_err(unwritable))?);
            table.finish().map_err(unwritable)
        })?;
        let (comparison, warnings) = match compared {
            Some(compared) => compared,
            None => self.compare(|_| Ok(()))?,
        };
        let of_comparison = format!("comparison.{ending}");
        let table = tables::of_comparison(&study.grid, &comparison).to_bytes(format);
        store.write(&of_comparison, &table.map_err(|error| unwritable(&of_comparison, error))?)?;
        for of in ["results", "comparison"] {
            store.remove(&format!("{of}.{}", format.other().extension()))?;
        }
        write_description(study, store, &warnings)?;
        Ok((comparison, warnings))
    }

    /// Writes the tables of what is done, and prints what they come to.
    pub fn report(&self, store: Option<&Store>, shown: Shown<'_>) -> Result<(), CommandError> {
        let (comparison, warnings) = self.write(store)?;
        warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        let (grid, baseline) = (&self.study.grid, self.study.baseline);
        let mut out = inside::stdout();
        if shown.json {
            let metrics = if shown.metrics.is_empty() { &comparison.metrics } else { shown.metrics };
            let comparison = json::of_comparison(grid, &comparison, metrics, baseline, &warnings);
            writeln!(out, "{comparison:#}")?;
            return Ok(());
        }
        let metrics = if shown.metrics.is_empty() { text::usually_shown() } else { shown.metrics.to_vec() };
        write!(out, "{}", text::of_comparison(grid, &comparison, &metrics, baseline))?;
        if let Some(store) = store {
            writeln!(out, "\nResults are in {}.", store.name().display())?;
        }
        Ok(())
    }
}
