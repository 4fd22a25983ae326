//! One run of a study, on this thread.

use std::path::Path;
use std::process;
use std::time::{Duration, Instant};

use hearth_serverless::Error;
use hearth_serverless::experiment::{Experiment, Results, StuckCall, Watchdog};
use hearth_serverless::policy::Catalog;
use hearth_serverless::results::Summary;
use hearth_serverless::scenario::Scenario;
use serde_json::Value;

use super::grid::Point;
use super::pool::Announce;
use super::store::Store;
use super::study::Study;
use crate::error::CommandError;
use crate::result_files::ResultFiles;
use crate::result_folder::manifest::State;
use crate::result_folder::runs_again;

/// Says which call of a policy does not come back and ends the process; runs that have ended are on the disk.
pub fn end(stuck: &StuckCall) -> ! {
    eprintln!("error: a simulation stopped: {stuck}");
    process::exit(1)
}

/// Runs one point on this thread and keeps what comes of it in the store, if there is one. `is_stuck` hears of a call of a
/// policy that does not come back, on another thread; it ends the process.
pub fn simulate(
    study: &Study,
    point: usize,
    store: Option<&Store>,
    catalog: &Catalog,
    announce: &Announce,
    is_stuck: impl FnOnce(StuckCall) + Send + 'static,
) -> Result<Value, CommandError> {
    let Point { settings, seed } = &study.points[point];
    let scenario = study.scenario(settings, Some(*seed))?;
    let limit = Duration::try_from_secs_f64(study.options.policy_timeout_s).unwrap_or(Duration::MAX);
    let _watchdog = (limit > Duration::ZERO).then(|| Watchdog::start(limit, is_stuck));
    let experiment = Experiment::prepare(&scenario, catalog).map_err(|error| study.wrong(error))?;
    let summary = match store {
        None => {
            let (results, _) = run(experiment.without_records(), announce)?;
            Summary::new(&results)
        }
        Some(store) => {
            let key = &study.keys[point];
            let folder = store.begin(key)?;
            let kept = run_into(&folder, study, point, &scenario, experiment, announce)
                .and_then(|summary| store.finish(key, &folder, &study.options).map(|()| summary));
            kept.inspect_err(|_| store.give_up(&folder))?
        }
    };
    // What is read from a file later is read from text, so that both are the same to the last digit.
    let text = serde_json::to_string(&summary).unwrap_or_default();
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

/// Runs an experiment; gives how many seconds it took, too.
fn run(experiment: Experiment, announce: &Announce) -> Result<(Results, f64), CommandError> {
    announce.begin(experiment.extent());
    let start = Instant::now();
    let (results, stopped) = experiment.run_until_stopped();
    match stopped {
        None => Ok((results, start.elapsed().as_secs_f64())),
        Some(Error::Interrupted) => Err(CommandError::Interrupted),
        Some(error) => Err(CommandError::Simulation(error.to_string())),
    }
}

/// Runs the experiment of a point and writes what comes of it into a folder.
fn run_into(
    folder: &Path,
    study: &Study,
    point: usize,
    scenario: &Scenario,
    experiment: Experiment,
    announce: &Announce,
) -> Result<Summary, CommandError> {
    let Point { settings, seed } = &study.points[point];
    let files = ResultFiles::new(folder, study.options.clone(), Some(study.record(point)));
    let wrong = |error| study.wrong(error);
    let value = study.text.resolved(&study.set(settings, Some(*seed))?).map_err(wrong)?;
    let value = runs_again::from(folder, value, study.text.base(), experiment.about())?;
    let inputs = study.inputs(runs_again::paths_of(scenario, experiment.about()).map_err(wrong)?)?;
    let experiment = files.open(experiment, &value, inputs, None)?;
    let (results, wall_s) = run(experiment, announce)?;
    let summary = Summary::new(&results);
    files.write(&results, &summary, State::Finished, wall_s)?;
    Ok(summary)
}
