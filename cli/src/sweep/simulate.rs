//! One run of a study, on this thread.

use std::path::Path;
use std::time::{Duration, Instant};

use hearth_serverless::Error;
use hearth_serverless::experiment::{Experiment, Rest, Results, Run, StuckCall, Watchdog};
use hearth_serverless::policy::Catalog;
use hearth_serverless::results::Summary;
use hearth_serverless::scenario::Scenario;
use serde_json::Value;

use super::grid::Point;
use super::packed::runs;
use super::packed::writer::Writer;
use super::pool::Announce;
use super::store::Store;
use super::study::Study;
use crate::error::{CommandError, with_date};
use crate::isolation::inside;
use crate::noted::OpenDecisions;
use crate::result_files::{Named, ResultFiles, Took};
use crate::result_folder::manifest::State;
use crate::result_folder::runs_again;
use crate::result_place::Place;

/// Says which call of a policy does not come back and ends the process; runs that have ended are on the disk.
pub fn end(stuck: &StuckCall) -> ! {
    eprintln!("error: a simulation stopped: {stuck}");
    inside::leave(1)
}

/// The numbers of a run.
#[derive(Debug)]
pub enum Summarised {
    /// Of this process.
    Here(Box<Summary>),
    /// Of another one, which has told them as text.
    #[cfg(unix)]
    Apart(Value),
}

impl Summarised {
    /// As they are read from text, so that they are the same to the last digit wherever they come from.
    pub fn value(self) -> Value {
        match self {
            Self::Here(summary) => {
                let text = serde_json::to_string(&summary).unwrap_or_default();
                serde_json::from_str(&text).unwrap_or_default()
            }
            #[cfg(unix)]
            Self::Apart(summary) => summary,
        }
    }
}

/// Where what comes of a run is kept.
#[derive(Clone, Copy, Debug)]
pub enum Keep<'a> {
    /// Nowhere.
    Nowhere,
    /// In a folder of its own.
    InFolder(&'a Store),
    /// In the file of a worker on the plan in this folder.
    Packed(&'a Writer, &'a Path),
    /// In this file, to be appended to that of a worker on the plan in this folder.
    #[cfg(unix)]
    Record(&'a Path, &'a Path),
}

/// Runs one point, whose scenario this is, on this thread and keeps what comes of it. `is_stuck` hears of a call of a policy that does not come back, on
/// another thread; it ends the process.
pub fn simulate(
    study: &Study,
    point: usize,
    scenario: &Scenario,
    keep: Keep<'_>,
    catalog: &Catalog,
    announce: &Announce,
    is_stuck: impl FnOnce(StuckCall) + Send + 'static,
) -> Result<Summarised, CommandError> {
    let limit = Duration::try_from_secs_f64(study.options.policy_timeout_s).unwrap_or(Duration::MAX);
    let _watchdog = (limit > Duration::ZERO).then(|| Watchdog::start(limit, is_stuck));
    let experiment = Experiment::prepare(scenario, catalog).map_err(|error| study.wrong(error))?;
    study.check_libraries(experiment.about())?;
    let key = &study.keys[point];
    match keep {
        Keep::Nowhere => {
            let (results, ..) = run(experiment.without_records(), announce)?;
            Ok(Summarised::Here(Box::new(Summary::new(&results))))
        }
        Keep::InFolder(store) => {
            let folder = store.begin(key)?;
            let summary = run_into(Place::Folder(folder.clone()), study, point, scenario, experiment, announce)?;
            store.finish(key, &folder, &study.options)?;
            Ok(summary)
        }
        Keep::Packed(writer, plan) => {
            let place = Place::in_memory(Store::shared(plan).run_folder(key));
            let summary = run_into(place.clone(), study, point, scenario, experiment, announce)?;
            writer.append(&mut runs::packed(key, &place.take())?)?;
            Ok(summary)
        }
        #[cfg(unix)]
        Keep::Record(file, plan) => {
            let place = Place::in_memory(Store::shared(plan).run_folder(key));
            let summary = run_into(place.clone(), study, point, scenario, experiment, announce)?;
            let mut record = runs::packed(key, &place.take())?;
            let written = std::fs::File::create(file).and_then(|mut target| record.append_to(&mut target, 0));
            written.map_err(|error| CommandError::Result { file: file.to_owned(), problem: error.to_string() })?;
            Ok(summary)
        }
    }
}

/// Runs an experiment; gives how many seconds it took, and its policies, too.
fn run(experiment: Experiment, announce: &Announce) -> Result<(Results, Took, Rest), CommandError> {
    announce.begin(experiment.extent());
    inside::note_simulation(experiment.about(), experiment.extent());
    let start = Instant::now();
    let Run { results, stopped, times, rest } = experiment.run_and_keep();
    inside::come_back();
    match stopped {
        None => Ok((results, Took { wall_s: start.elapsed().as_secs_f64(), policies: times }, rest)),
        Some(Error::Interrupted) => Err(CommandError::Interrupted),
        Some(error) => Err(CommandError::Simulation(with_date(&error, &results))),
    }
}

/// Runs the experiment of a point and writes what comes of it.
fn run_into(
    place: Place,
    study: &Study,
    point: usize,
    scenario: &Scenario,
    experiment: Experiment,
    announce: &Announce,
) -> Result<Summarised, CommandError> {
    let Point { settings, seed } = &study.points[point];
    let files = ResultFiles::new(place.clone(), study.options.clone(), Some(study.record(point)));
    let wrong = |error| study.wrong(error);
    let value = study.text.resolved(&study.set(settings, Some(*seed))?).map_err(wrong)?;
    let value = runs_again::from(place.folder(), value, study.text.base(), experiment.about())?;
    let inputs = study.inputs(runs_again::paths_of(scenario, experiment.about()).map_err(wrong)?)?;
    let experiment = files.open(experiment, &value, inputs, Named::default(), &OpenDecisions::default())?;
    let (results, took, rest) = run(experiment, announce)?;
    let summary = Summary::new(&results);
    files.write(&results, &summary, State::Finished, &took)?;
    drop(rest);
    Ok(Summarised::Here(Box::new(summary)))
}
