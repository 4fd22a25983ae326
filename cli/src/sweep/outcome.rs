//! What came of the runs of a study: its tables and `sweep.json`, and what is printed of it.

use std::io::Write;

use hearth_serverless::results::{Metric, SinkError};
use serde_json::{Value, json};

use super::comparison::{Comparison, Run};
use super::grid::Baseline;
use super::store::Store;
use super::study::Study;
use super::warnings::{self, Warning};
use super::{json, tables, text};
use crate::error::CommandError;

/// What came of each run, by point.
#[derive(Debug)]
pub struct Outcome<'a> {
    study: &'a Study,
    /// Of those that have come to their end.
    summaries: Vec<Option<Value>>,
    /// The points that ended in an error, in order, with the error.
    failures: Vec<(usize, String)>,
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
    pub fn new(study: &'a Study, summaries: Vec<Option<Value>>, failures: Vec<(usize, String)>) -> Self {
        Self { study, summaries, failures }
    }

    /// How many runs have come to their end.
    pub fn finished(&self) -> usize {
        self.summaries.iter().flatten().count()
    }

    /// Whether nothing is left to do.
    pub fn is_whole(&self) -> bool {
        self.finished() + self.failures.len() == self.summaries.len()
    }

    /// The error that says which runs failed, if any did.
    ///
    /// # Errors
    /// That some failed.
    pub fn check_failures(&self) -> Result<(), CommandError> {
        let Some((point, error)) = self.failures.first() else { return Ok(()) };
        let first = format!("{}: {error}", self.study.describe(*point));
        Err(CommandError::Runs { failed: self.failures.len(), runs: self.summaries.len(), first })
    }

    /// What the runs warn of, once for each combination of values.
    fn warnings(&self) -> Vec<Warning> {
        let points = &self.study.points;
        let failure = |point: usize| self.failures.iter().find(|(other, _)| *other == point);
        let outcome = |point: usize| match (&self.summaries[point], failure(point)) {
            (Some(summary), _) => Some((points[point].seed, Ok(summary))),
            (None, Some((_, error))) => Some((points[point].seed, Err(error.clone()))),
            (None, None) => None,
        };
        let of_setting = |of: &[usize]| {
            let first = of.first().map(|point| self.study.grid.describe(&points[*point].settings));
            warnings::of_runs(&first.unwrap_or_default(), of.iter().copied().filter_map(outcome))
        };
        let all: Vec<usize> = (0..points.len()).collect();
        all.chunk_by(|one, next| points[*one].settings == points[*next].settings).flat_map(of_setting).collect()
    }

    /// Writes the tables of what is done into the store, if there is one; gives the comparison and what the runs warn of.
    pub fn write(&self, store: Option<&Store>) -> Result<(Comparison, Vec<Warning>), CommandError> {
        let study = self.study;
        let runs: Vec<Run> = (study.points.iter().zip(&self.summaries))
            .filter_map(|(point, summary)| Some(Run::new(point.clone(), summary.as_ref()?)))
            .collect();
        let comparison = Comparison::new(&study.grid, &runs, study.baseline);
        let warnings = self.warnings();
        if let Some(store) = store {
            let of_runs = tables::of_runs(&study.grid, &runs, &comparison.metrics);
            let of_comparison = tables::of_comparison(&study.grid, &comparison);
            for (of, table) in [("results", of_runs), ("comparison", of_comparison)] {
                let name = format!("{of}.{}", study.format.extension());
                let unwritable = |error: SinkError| CommandError::Result {
                    file: store.folder().join(&name),
                    problem: error.to_string(),
                };
                store.write(&name, &table.to_bytes(study.format).map_err(unwritable)?)?;
                store.remove(&format!("{of}.{}", study.format.other().extension()))?;
            }
            write_description(study, store, &warnings)?;
        }
        Ok((comparison, warnings))
    }

    /// Writes the tables of what is done, and prints what they come to.
    pub fn report(&self, store: Option<&Store>, shown: Shown<'_>) -> Result<(), CommandError> {
        let (comparison, warnings) = self.write(store)?;
        warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        let (grid, baseline) = (&self.study.grid, self.study.baseline);
        let mut out = std::io::stdout().lock();
        if shown.json {
            let metrics = if shown.metrics.is_empty() { &comparison.metrics } else { shown.metrics };
            let comparison = json::of_comparison(grid, &comparison, metrics, baseline, &warnings);
            writeln!(out, "{comparison:#}")?;
            return Ok(());
        }
        let metrics = if shown.metrics.is_empty() { text::usually_shown() } else { shown.metrics.to_vec() };
        write!(out, "{}", text::of_comparison(grid, &comparison, &metrics, baseline))?;
        if let Some(store) = store {
            writeln!(out, "\nResults are in {}.", store.folder().display())?;
        }
        Ok(())
    }
}
