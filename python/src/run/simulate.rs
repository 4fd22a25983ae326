//! A run on this thread: how it is done, and what is taken of it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, SyncSender};
use std::thread;
use std::time::Instant;

use hearth_serverless::Error;
use hearth_serverless::experiment::{Experiment, Extent, Monitor, PolicyTime, Run, on_pause};
use hearth_serverless::results::{
    HeldTable, InvocationBatches, RecordSink, RunTable, Summary, TablePlace, hold_cause_totals, hold_distributions,
    hold_functions,
};
use hearth_sim::in_memory::run_text;
use hearth_sim::with_date;
use hearth_simcore::time::SimDuration;
use pyo3::prelude::*;

use crate::error::HearthError;
use crate::policy::{Given, Session, own_policies};
use crate::source::{Source, catalog};

/// How a run is done.
#[derive(Clone, Debug, FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    /// Whether invocations are kept, and which share of them.
    pub(super) sample: f64,
    /// The interval of the time series in seconds; without it there is none.
    pub(super) interval_s: Option<f64>,
    /// Rows beyond which that is doubled.
    pub(super) most_rows: usize,
    /// On how many threads.
    pub(super) threads: Option<NonZeroUsize>,
    /// Whether it is said what latencies are made of.
    pub(super) explain: bool,
    /// From where libraries are read instead, by path.
    pub(super) copies: Vec<(PathBuf, PathBuf)>,
}

/// Where tables are put.
#[derive(Debug, Default)]
struct Places {
    series: Option<TablePlace>,
    attempts: Option<TablePlace>,
    instances: Option<TablePlace>,
    nodes: Option<TablePlace>,
    workflows: Option<TablePlace>,
}

/// What has come of a run, before it is Python's.
pub(super) struct Ended {
    pub(super) summary: String,
    pub(super) text: String,
    /// Why it stopped before its end, and whether a policy is the reason.
    pub(super) stopped: Option<(bool, String)>,
    pub(super) wall_s: f64,
    pub(super) policy_times: Vec<(&'static str, u64, f64)>,
    pub(super) interval_s: Option<f64>,
    pub(super) warnings: Vec<String>,
    pub(super) tables: Vec<(RunTable, HeldTable)>,
}

/// What the thread of a run says.
pub(super) enum Said {
    Began(Monitor, Extent),
    Ended(Box<PyResult<Ended>>),
}

/// The tables of a run that is to be.
pub(super) enum Invocations {
    /// None.
    Left,
    /// They are kept, a share of them.
    Kept(f64),
    /// They are handed on, so many at a time.
    Streamed(usize, SyncSender<HeldTable>),
}

/// Does a run on this thread.
pub(super) fn simulate(
    source: &Source,
    given: &[Given],
    session: &Session,
    options: &Options,
    invocations: Invocations,
    say: &Sender<Said>,
) -> PyResult<Ended> {
    let catalog = catalog(own_policies(given, session), &options.copies);
    let (_, mut experiment, warnings) = source.prepare(&catalog).map_err(|error| session.as_cause_of(error))?;
    let mut places = Places::default();
    let (kept, causes) = (TablePlace::default(), TablePlace::default());
    let unheld = |error: Error| HearthError::new_err(error.to_string());
    if let Some(interval) = options.interval_s {
        let place = places.series.insert(TablePlace::default()).clone();
        let interval = SimDuration::from_secs_f64(interval);
        experiment = experiment.write_time_series(interval, options.most_rows, place).map_err(unheld)?;
    }
    if experiment.has_attempts() {
        let place = places.attempts.insert(TablePlace::default()).clone();
        experiment = experiment.write_attempts(place).map_err(unheld)?;
    }
    if experiment.has_instances() {
        let place = places.instances.insert(TablePlace::default()).clone();
        experiment = experiment.write_instances(place).map_err(unheld)?;
    }
    if experiment.has_node_pools() {
        let place = places.nodes.insert(TablePlace::default()).clone();
        experiment = experiment.write_nodes(place).map_err(unheld)?;
    }
    if experiment.has_workflows() {
        let place = places.workflows.insert(TablePlace::default()).clone();
        experiment = experiment.write_workflows(place).map_err(unheld)?;
    }
    let is_kept = matches!(invocations, Invocations::Kept(_));
    if options.explain {
        experiment = experiment.explained();
    }
    let of_causes = options.explain.then_some(&causes);
    experiment = with_invocations(experiment, invocations, (&kept, of_causes), !given.is_empty());
    let threads = options.threads.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    experiment = experiment.on_threads(threads);
    let monitor = Monitor::of_this_thread();
    // Who does not listen any more has been told to stop.
    let _ = say.send(Said::Began(monitor, experiment.extent()));
    let begin = Instant::now();
    let Run { results, stopped, times, rest } = if given.is_empty() {
        experiment.run_and_keep()
    } else {
        // Policies are called all the time: the interpreter is held, and lent to others now and then.
        let lends = session.clone();
        on_pause(move || Python::attach(|py| lends.lending().lend(py)));
        session.lending().hold(Monitor::of_this_thread());
        let run = Python::attach(|_| experiment.run_and_keep());
        session.lending().release();
        run
    };
    let wall_s = begin.elapsed().as_secs_f64();
    let stopped = stopped.map(|error| (matches!(error, Error::Policy { .. }), with_date(&error, &results)));
    let summary = Summary::new(&results);
    let summary = stopped.iter().fold(summary, |summary, (_, why)| summary.interrupted(why));
    let slot = |time: &PolicyTime| (time.slot.path(), time.calls, time.time.as_secs_f64());
    let policy_times = times.iter().map(slot).collect();
    let text = run_text(&results, &summary, wall_s, times);
    let interval_s = results.time_series_interval.map(SimDuration::as_secs_f64);
    let unfit = |error| HearthError::new_err(format!("{error}: please report it"));
    let mut tables = vec![
        (RunTable::Functions, hold_functions(&results).map_err(unfit)?),
        (RunTable::Distributions, hold_distributions(&results).map_err(unfit)?),
    ];
    if options.explain {
        tables.push((RunTable::CauseTotals, hold_cause_totals(&results).map_err(unfit)?));
    }
    let Places { series, attempts, instances, nodes, workflows } = places;
    let others = [
        (RunTable::Invocations, is_kept.then_some(kept)),
        (RunTable::Causes, (is_kept && options.explain).then_some(causes)),
        (RunTable::TimeSeries, series),
        (RunTable::Attempts, attempts),
        (RunTable::Instances, instances),
        (RunTable::Nodes, nodes),
        (RunTable::Workflows, workflows),
    ];
    tables.extend(others.into_iter().filter_map(|(table, place)| Some((table, place?.take()?))));
    drop(rest);
    let summary = serde_json::to_string(&summary).unwrap_or_default();
    Ok(Ended { summary, text, stopped, wall_s, policy_times, interval_s, warnings, tables })
}

fn with_invocations(
    experiment: Experiment,
    invocations: Invocations,
    (kept, causes): (&TablePlace, Option<&TablePlace>),
    is_held: bool,
) -> Experiment {
    match invocations {
        Invocations::Left => experiment.without_records(),
        Invocations::Kept(share) => {
            let put = |place: &TablePlace| {
                let place = place.clone();
                move |table| {
                    place.put(table);
                    Ok(())
                }
            };
            let batches = InvocationBatches::new(experiment.about(), usize::MAX, put(kept));
            let mut sinks: Vec<Box<dyn RecordSink>> = vec![Box::new(batches)];
            if let Some(causes) = causes {
                sinks.push(Box::new(InvocationBatches::of_causes(experiment.about(), usize::MAX, put(causes))));
            }
            experiment.record_to(Box::new(sinks), share)
        }
        Invocations::Streamed(rows, sender) => {
            // Who takes them may wait for the interpreter, which policies hold.
            let batches = InvocationBatches::new(experiment.about(), rows, move |table| {
                let send = || sender.send(table);
                Ok(if is_held { Python::attach(|py| py.detach(send)) } else { send() }?)
            });
            experiment.record_to(Box::new(batches), 1.0)
        }
    }
}
