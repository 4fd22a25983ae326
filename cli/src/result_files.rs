//! The files that a run writes.

use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearth_serverless::experiment::{Experiment, PolicyTime, Results};
#[cfg(feature = "parquet")]
use hearth_serverless::results::InvocationsParquet;
use hearth_serverless::results::{
    About, InvocationsCsv, RecordSink, SinkError, Summary, write_cause_totals, write_distributions, write_functions,
};
use hearth_simcore::time::SimDuration;
use serde_json::Value;

use crate::error::CommandError;
use crate::noted::{OpenDecisions, POLICY_LOG, log_to};
use crate::output_choice::{InvocationsTable, TableFormat};
use crate::result_folder::lock::FolderLock;
use crate::result_folder::manifest::{self, Input, Manifest, Options, Output, PolicyTook, RunRecord, State};
use crate::result_place::Place;

/// How much real time a run took.
#[derive(Clone, PartialEq, Debug)]
pub struct Took {
    /// All of it, in seconds.
    pub wall_s: f64,
    /// What its policies took of it.
    pub policies: Vec<PolicyTime>,
}

/// The names of files in the folder that were chosen.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// That of the timeline.
    pub timeline: Option<String>,
    /// That of the log of decisions.
    pub decisions: Option<String>,
}

/// Where results go, and what is known of them.
#[derive(Clone, Debug)]
pub struct ResultFiles {
    place: Place,
    manifest: Arc<Mutex<Manifest>>,
    /// Of a folder that others could write into; until the results are there.
    lock: Arc<Mutex<Option<FolderLock>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the locks here is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ResultFiles {
    /// Files in a place; those of a run of a sweep say which one it is.
    pub fn new(place: Place, options: Options, sweep: Option<RunRecord>) -> Self {
        let manifest = Arc::new(Mutex::new(Manifest::new(options, sweep)));
        Self { place, manifest, lock: Arc::default() }
    }

    /// Keeps the folder locked until the results are there.
    pub fn hold(&self, lock: FolderLock) {
        *locked(&self.lock) = Some(lock);
    }

    fn unusable(&self, problem: impl ToString) -> CommandError {
        CommandError::OutputFolder { folder: self.place.folder().to_owned(), problem: problem.to_string() }
    }

    /// Makes the files in their place, which is there, before the simulation starts: who cannot write them hears of it at
    /// once. The experiment writes into some of them while it runs. `named` are the names of files that have no other.
    pub fn open(
        &self,
        mut experiment: Experiment,
        scenario: &Value,
        inputs: Vec<Input>,
        named: Named,
        decisions: &OpenDecisions,
    ) -> Result<Experiment, CommandError> {
        let options = {
            let mut manifest = locked(&self.manifest);
            manifest.inputs = inputs;
            manifest.options.timeline = named.timeline;
            // What is written elsewhere is not this folder's.
            let of_decisions = named.decisions.is_some();
            let noted = &mut manifest.options.noted;
            noted.decisions = noted.decisions.take().filter(|_| of_decisions);
            if let Some(noted) = &mut noted.decisions {
                noted.name = named.decisions;
            }
            let names = names_of(&manifest.options, &mut experiment);
            manifest.files = names.into_iter().map(|name| Output { name, sha256: None }).collect();
            // Whatever happens from here on, these files are known to be this run's.
            self.write_manifest(&manifest)?;
            manifest.options.clone()
        };
        self.write_scenario(scenario)?;
        ["summary.json", "functions.csv", "distributions.csv"]
            .iter()
            .chain(options.explain.then_some(&"cause_totals.csv"))
            .try_for_each(|name| self.create(name).map(drop))?;
        if let Some(intervals) = options.time_series {
            let file = Box::new(BufWriter::new(self.create("timeseries.csv")?));
            let written = experiment.write_time_series(intervals.length(), intervals.most_rows, file);
            experiment = written.map_err(|error| self.unusable(error))?;
        }
        if experiment.has_attempts() {
            let file = Box::new(BufWriter::new(self.create("attempts.csv")?));
            experiment = experiment.write_attempts(file).map_err(|error| self.unusable(error))?;
        }
        if experiment.has_instances() {
            let file = Box::new(BufWriter::new(self.create("instances.csv")?));
            experiment = experiment.write_instances(file).map_err(|error| self.unusable(error))?;
        }
        if experiment.has_node_pools() {
            let file = Box::new(BufWriter::new(self.create("nodes.csv")?));
            experiment = experiment.write_nodes(file).map_err(|error| self.unusable(error))?;
        }
        if experiment.has_workflows() {
            let file = Box::new(BufWriter::new(self.create("workflows.csv")?));
            experiment = experiment.write_workflows(file).map_err(|error| self.unusable(error))?;
        }
        if let Some(name) = &options.timeline {
            experiment = experiment.write_timeline(Box::new(BufWriter::new(self.create(name)?)));
        }
        if let Some(name) = options.noted.decisions_name() {
            let opened = decisions.open(experiment, name.as_ref(), self.create(name)?);
            experiment = opened.map_err(|error| self.unusable(error))?;
        }
        if options.noted.policy_log.is_some() {
            let logs = log_to(experiment, self.create(POLICY_LOG)?);
            experiment = logs.map_err(|error| self.unusable(error))?;
        }
        let Some(InvocationsTable { format, sample }) = options.invocations else {
            return Ok(experiment.without_records());
        };
        let mut sinks = vec![self.sink(experiment.about(), Rows::Invocations, format)?];
        if options.explain {
            sinks.push(self.sink(experiment.about(), Rows::Causes, format)?);
        }
        Ok(experiment.record_to(Box::new(sinks), sample))
    }

    /// What writes these rows into their file.
    fn sink(&self, about: &About, rows: Rows, format: TableFormat) -> Result<Box<dyn RecordSink>, CommandError> {
        let file = self.create(&rows.file(format))?;
        let sink: Result<Box<dyn RecordSink>, SinkError> = match format {
            TableFormat::Csv => {
                let begin = match rows {
                    Rows::Invocations => InvocationsCsv::new,
                    Rows::Causes => InvocationsCsv::of_causes,
                };
                begin(about, file).map(|sink| Box::new(sink) as _)
            }
            #[cfg(not(feature = "parquet"))]
            TableFormat::Parquet => return Err(crate::feature::PARQUET.missing()),
            #[cfg(feature = "parquet")]
            TableFormat::Parquet => {
                let begin = match rows {
                    Rows::Invocations => InvocationsParquet::new,
                    Rows::Causes => InvocationsParquet::of_causes,
                };
                begin(about, BufWriter::new(file)).map(|sink| Box::new(sink) as _)
            }
        };
        sink.map_err(|error| self.unusable(error))
    }

    fn create(&self, name: &str) -> Result<Box<dyn Write + Send>, CommandError> {
        let file = self.place.create(name);
        file.map_err(|error| self.unusable(format!("{name} cannot be written there: {error}")))
    }

    /// Writes the scenario with everything that was set in it.
    fn write_scenario(&self, scenario: &Value) -> Result<(), CommandError> {
        let text = serde_json::to_string_pretty(scenario).unwrap_or_default();
        self.write_file("scenario.json", |mut file| Ok(writeln!(file, "{text}")?))
    }

    /// Writes what is known at the end, how the run ended, and how long it took.
    pub fn write(&self, results: &Results, summary: &Summary, state: State, took: &Took) -> Result<(), CommandError> {
        self.write_file("functions.csv", |file| write_functions(results, BufWriter::new(file)).map_err(Into::into))?;
        self.write_file("distributions.csv", |file| {
            write_distributions(results, BufWriter::new(file)).map_err(Into::into)
        })?;
        if results.causes.is_some() {
            self.write_file("cause_totals.csv", |file| {
                write_cause_totals(results, BufWriter::new(file)).map_err(Into::into)
            })?;
        }
        self.write_file("summary.json", |mut file| Ok(writeln!(file, "{}", to_json(summary))?))?;
        let mut manifest = locked(&self.manifest);
        manifest.state = state;
        manifest.wall_s = Some(took.wall_s);
        manifest.policy_times = took.policies.iter().map(PolicyTook::of).collect();
        manifest.time_series_interval_s = results.time_series_interval.map(SimDuration::as_secs_f64);
        for file in &mut manifest.files {
            let unreadable = |error: io::Error| self.unusable(format!("{} cannot be read: {error}", file.name));
            file.sha256 = Some(self.place.hash(&file.name).map_err(unreadable)?);
        }
        self.write_manifest(&manifest)?;
        *locked(&self.lock) = None;
        Ok(())
    }

    fn write_manifest(&self, manifest: &Manifest) -> Result<(), CommandError> {
        match &self.place {
            Place::Folder(folder) => manifest.write(folder),
            Place::Memory(..) => {
                self.write_file(manifest::NAME, |mut file| Ok(file.write_all(manifest.to_json().as_bytes())?))
            }
        }
    }

    fn write_file(
        &self,
        name: &str,
        write: impl FnOnce(Box<dyn Write + Send>) -> Result<(), SinkError>,
    ) -> Result<(), CommandError> {
        let written = self.place.create(name).map_err(Into::into).and_then(write);
        let file = || self.place.folder().join(name);
        written.map_err(|error| CommandError::Result { file: file(), problem: error.to_string() })
    }
}

/// What the rows of a table of invocations are.
#[derive(Clone, Copy, Debug)]
enum Rows {
    /// What came of them.
    Invocations,
    /// What their latencies are made of.
    Causes,
}

impl Rows {
    /// The name of their file.
    fn file(self, format: TableFormat) -> String {
        let name = match self {
            Self::Invocations => "invocations",
            Self::Causes => "causes",
        };
        format!("{name}.{}", format.extension())
    }
}

/// The names of the files that a run writes beside its manifest.
fn names_of(options: &Options, experiment: &mut Experiment) -> Vec<String> {
    let always = ["scenario.json", "summary.json", "functions.csv", "distributions.csv"];
    let mut names: Vec<String> = always.map(str::to_owned).to_vec();
    names.extend(options.time_series.map(|_| "timeseries.csv".to_owned()));
    names.extend(experiment.has_attempts().then(|| "attempts.csv".to_owned()));
    names.extend(experiment.has_instances().then(|| "instances.csv".to_owned()));
    names.extend(experiment.has_node_pools().then(|| "nodes.csv".to_owned()));
    names.extend(experiment.has_workflows().then(|| "workflows.csv".to_owned()));
    names.extend(options.timeline.clone());
    names.extend(options.noted.names().map(str::to_owned));
    names.extend(options.invocations.map(|table| Rows::Invocations.file(table.format)));
    names.extend(options.explain.then(|| "cause_totals.csv".to_owned()));
    let of_causes = options.invocations.filter(|_| options.explain);
    names.extend(of_causes.map(|table| Rows::Causes.file(table.format)));
    names
}

/// A summary as JSON.
pub fn to_json(summary: &Summary) -> String {
    to_json_of(summary)
}

/// The same of what else has numbers, text and maps with text as keys.
pub fn to_json_of(value: &impl serde::Serialize) -> String {
    // There is nothing in it that JSON cannot hold.
    serde_json::to_string_pretty(value).unwrap_or_default()
}
