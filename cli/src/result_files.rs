//! The files that a run writes.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::{EnumValueParser, TypedValueParser};
use hearth_serverless::experiment::{Experiment, Results};
#[cfg(feature = "parquet")]
use hearth_serverless::results::InvocationsParquet;
use hearth_serverless::results::{
    InvocationsCsv, RecordSink, SinkError, Summary, write_distributions, write_functions,
};
use hearth_simcore::time::SimDuration;
use serde_json::Value;

use crate::error::CommandError;
use crate::feature::PARQUET;

/// How the table of invocations is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum TableFormat {
    /// Text.
    Csv,
    /// Columns: Parquet.
    Parquet,
}

impl TableFormat {
    /// Reads a format from an argument; one that this build cannot write is refused.
    pub fn parser() -> impl TypedValueParser<Value = Self> {
        EnumValueParser::<Self>::new().try_map(|format| match format {
            Self::Csv => Ok(format),
            Self::Parquet => PARQUET.require(format),
        })
    }

    /// How names of its files end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// Which invocations are written, and how.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct InvocationsTable {
    /// The form of the table.
    pub format: TableFormat,
    /// Which share of all invocations is in it.
    pub share: f64,
}

/// Where results go.
#[derive(Clone, Debug)]
pub struct ResultFiles {
    folder: PathBuf,
    invocations: Option<InvocationsTable>,
    /// Of the time series, if there is one.
    interval: Option<SimDuration>,
}

impl ResultFiles {
    /// Files in a folder, with or without the table of invocations and the time series.
    pub fn new(folder: &Path, invocations: Option<InvocationsTable>, interval: Option<SimDuration>) -> Self {
        Self { folder: folder.to_owned(), invocations, interval }
    }

    fn unusable(&self, problem: String) -> CommandError {
        CommandError::OutputFolder { folder: self.folder.clone(), problem }
    }

    /// Makes folder and files, before the simulation starts: who cannot write them hears of it at once. The experiment
    /// writes into some of them while it runs.
    pub fn open(&self, experiment: Experiment) -> Result<Experiment, CommandError> {
        let folder = fs::create_dir_all(&self.folder);
        folder.map_err(|error| self.unusable(format!("the folder cannot be made: {error}")))?;
        ["summary.json", "functions.csv", "distributions.csv"]
            .iter()
            .try_for_each(|name| self.create(name).map(drop))?;
        let experiment = match self.interval {
            Some(interval) => {
                let file = Box::new(BufWriter::new(self.create("timeseries.csv")?));
                experiment.write_time_series(interval, file).map_err(|error| self.unusable(error.to_string()))?
            }
            None => experiment,
        };
        let mut experiment = experiment;
        if experiment.has_attempts() {
            let file = Box::new(BufWriter::new(self.create("attempts.csv")?));
            experiment = experiment.write_attempts(file).map_err(|error| self.unusable(error.to_string()))?;
        }
        if experiment.has_workflows() {
            let file = Box::new(BufWriter::new(self.create("workflows.csv")?));
            experiment = experiment.write_workflows(file).map_err(|error| self.unusable(error.to_string()))?;
        }
        let Some(InvocationsTable { format, share }) = self.invocations else {
            return Ok(experiment.without_records());
        };
        let about = experiment.about();
        let sink: Result<Box<dyn RecordSink>, SinkError> = match format {
            TableFormat::Csv => {
                InvocationsCsv::new(about, self.create("invocations.csv")?).map(|sink| Box::new(sink) as _)
            }
            #[cfg(not(feature = "parquet"))]
            TableFormat::Parquet => return Err(PARQUET.missing()),
            #[cfg(feature = "parquet")]
            TableFormat::Parquet => {
                let file = BufWriter::new(self.create("invocations.parquet")?);
                InvocationsParquet::new(about, file).map(|sink| Box::new(sink) as _)
            }
        };
        Ok(experiment.record_to(sink.map_err(|error| self.unusable(error.to_string()))?, share))
    }

    fn create(&self, name: &str) -> Result<File, CommandError> {
        let file = File::create(self.folder.join(name));
        file.map_err(|error| self.unusable(format!("{name} cannot be written there: {error}")))
    }

    /// Writes the scenario with everything that was set in it.
    pub fn write_scenario(&self, scenario: &Value) -> Result<(), CommandError> {
        let text = serde_json::to_string_pretty(scenario).unwrap_or_default();
        self.write_file("scenario.json", |mut file| Ok(writeln!(file, "{text}")?))
    }

    /// Writes what is known at the end.
    pub fn write(&self, results: &Results, summary: &Summary) -> Result<(), CommandError> {
        self.write_file("functions.csv", |file| write_functions(results, BufWriter::new(file)).map_err(Into::into))?;
        self.write_file("distributions.csv", |file| {
            write_distributions(results, BufWriter::new(file)).map_err(Into::into)
        })?;
        self.write_file("summary.json", |mut file| Ok(writeln!(file, "{}", to_json(summary))?))
    }

    fn write_file(&self, name: &str, write: impl FnOnce(File) -> Result<(), SinkError>) -> Result<(), CommandError> {
        let path = self.folder.join(name);
        let written = File::create(&path).map_err(Into::into).and_then(write);
        written.map_err(|error| CommandError::Result { file: path, problem: error.to_string() })
    }
}

/// A summary as JSON.
pub fn to_json(summary: &Summary) -> String {
    // Numbers, text and maps with text as keys: there is nothing in a summary that JSON cannot hold.
    serde_json::to_string_pretty(summary).unwrap_or_default()
}
