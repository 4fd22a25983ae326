//! One run, on a thread of its own, while the one that asked for it hears Ctrl-C and shows how far it is.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hearth_serverless::Error;
use hearth_serverless::experiment::{Experiment, Extent, Monitor, PolicyTime, Run, on_pause};
use hearth_serverless::policy::PolicySlot;
use hearth_serverless::results::{
    HeldTable, InvocationBatches, RunTable, Summary, TablePlace, hold_distributions, hold_functions,
};
use hearth_sim::in_memory::{RunPictures, run_text};
use hearth_sim::with_date;
use hearth_simcore::time::SimDuration;
use pyo3::prelude::*;
use serde_json::Value;

use crate::error::{HearthError, PolicyError, SimulationError, wrong};
use crate::policy::{Given, Session};
use crate::source::{Source, catalog};
use crate::table::Columns;

/// How often Ctrl-C is looked for.
const PAUSE: Duration = Duration::from_millis(20);

/// After how long a call is told again to end, which may have begun when others were told.
pub const AGAIN: Duration = Duration::from_secs(1);

/// Room for policies that call themselves.
const STACK: usize = 64 << 20;

/// How a run is done.
#[derive(Clone, Debug, FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    /// Whether invocations are kept, and which share of them.
    sample: f64,
    /// The interval of the time series in seconds; without it there is none.
    interval_s: Option<f64>,
    /// Rows beyond which that is doubled.
    most_rows: usize,
    /// On how many threads.
    threads: Option<NonZeroUsize>,
    /// From where libraries are read instead, by path.
    copies: Vec<(PathBuf, PathBuf)>,
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
struct Ended {
    summary: String,
    text: String,
    /// Why it stopped before its end, and whether a policy is the reason.
    stopped: Option<(bool, String)>,
    wall_s: f64,
    policy_times: Vec<(&'static str, u64, f64)>,
    interval_s: Option<f64>,
    warnings: Vec<String>,
    tables: Vec<(RunTable, HeldTable)>,
}

/// What the thread of a run says.
enum Said {
    Began(Monitor, Extent),
    Ended(Box<PyResult<Ended>>),
}

/// The tables of a run that is to be.
enum Invocations {
    /// None.
    Left,
    /// They are kept, a share of them.
    Kept(f64),
    /// They are handed on, so many at a time.
    Streamed(usize, SyncSender<HeldTable>),
}

/// Does a run on this thread.
fn simulate(
    source: &Source,
    given: &[Given],
    session: &Session,
    options: &Options,
    invocations: Invocations,
    say: &Sender<Said>,
) -> PyResult<Ended> {
    let catalog = catalog(crate::policy::own_policies(given, session), &options.copies);
    let (_, mut experiment, warnings) = source.prepare(&catalog).map_err(|error| session.as_cause_of(error))?;
    let mut places = Places::default();
    let kept = TablePlace::default();
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
    experiment = with_invocations(experiment, invocations, &kept, !given.is_empty());
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
    let Places { series, attempts, instances, nodes, workflows } = places;
    let others = [
        (RunTable::Invocations, is_kept.then_some(kept)),
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

fn with_invocations(experiment: Experiment, invocations: Invocations, kept: &TablePlace, is_held: bool) -> Experiment {
    match invocations {
        Invocations::Left => experiment.without_records(),
        Invocations::Kept(share) => {
            let place = kept.clone();
            let batches = InvocationBatches::new(experiment.about(), usize::MAX, move |table| {
                place.put(table);
                Ok(())
            });
            experiment.record_to(Box::new(batches), share)
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

/// What comes next, within a pause.
fn next<T>(receiver: &Mutex<Receiver<T>>) -> Result<T, RecvTimeoutError> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(PAUSE)
}

/// A run that is under way on a thread of its own.
struct UnderWay {
    said: Mutex<Receiver<Said>>,
    monitor: Option<(Monitor, Extent)>,
    thread: thread::JoinHandle<()>,
}

impl UnderWay {
    fn start(
        source: Source,
        given: Vec<Given>,
        session: Session,
        options: Options,
        invocations: Invocations,
    ) -> PyResult<Self> {
        let (say, said) = mpsc::channel();
        let run = move || {
            let work = || simulate(&source, &given, &session, &options, invocations, &say);
            // One state of the interpreter for the whole run, and not for each call of a policy.
            let ended = if given.is_empty() { work() } else { Python::attach(|py| py.detach(work)) };
            let _ = say.send(Said::Ended(Box::new(ended)));
        };
        let thread = thread::Builder::new().name("hearth".to_owned()).stack_size(STACK).spawn(run)?;
        Ok(Self { said: Mutex::new(said), monitor: None, thread })
    }

    /// Waits until it has ended. Ctrl-C ends it, and raises `KeyboardInterrupt`.
    fn wait(mut self, py: Python<'_>, progress: Option<&Py<PyAny>>, session: &Session) -> PyResult<Ended> {
        let mut interrupt = None;
        let mut stopped = Instant::now();
        loop {
            let said = py.detach(|| {
                let said = next(&self.said);
                session.lending().ask();
                said
            });
            session.lending().got();
            match said {
                Ok(Said::Began(monitor, extent)) => {
                    if interrupt.is_some() {
                        monitor.interrupt();
                    }
                    self.monitor = Some((monitor, extent));
                }
                Ok(Said::Ended(ended)) => {
                    let _ = py.detach(|| self.thread.join());
                    return interrupt.map_or(*ended, Err);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let problem = "the simulation has ended in a panic, which is told above: please report it";
                    return Err(HearthError::new_err(problem));
                }
            }
            let looked = py.check_signals().and_then(|()| self.show(py, progress));
            let is_interrupted = looked.is_err();
            if let Err(error) = looked {
                interrupt.get_or_insert(error);
            }
            if is_interrupted || interrupt.is_some() && stopped.elapsed() > AGAIN {
                stopped = Instant::now();
                self.stop(py, session);
            }
        }
    }

    fn stop(&self, py: Python<'_>, session: &Session) {
        if let Some((monitor, _)) = &self.monitor {
            monitor.interrupt();
        }
        session.interrupt(py);
    }

    fn show(&self, py: Python<'_>, progress: Option<&Py<PyAny>>) -> PyResult<()> {
        let (Some(progress), Some((monitor, extent))) = (progress, &self.monitor) else { return Ok(()) };
        let (now, requests) = (monitor.now().as_secs_f64(), monitor.requests());
        let by_requests = extent.requests.map(|all| requests as f64 / all.max(1) as f64);
        let by_date = extent.end.map(|end| now / end.as_secs_f64().max(f64::MIN_POSITIVE));
        progress.call1(py, (by_requests.or(by_date).map(|share| share.clamp(0.0, 1.0)), now, requests)).map(drop)
    }
}

impl Ended {
    /// As Python takes it; as an exception if it stopped before its end.
    fn into_run(self, py: Python<'_>, session: &Session) -> PyResult<RunResult> {
        let Self { summary, text, stopped, wall_s, policy_times, interval_s, warnings, tables } = self;
        let hold = |(table, held): (RunTable, HeldTable)| {
            let name = table.file().trim_end_matches(".csv");
            Ok::<_, PyErr>((name, Py::new(py, Columns::new(held.clone())?)?, held))
        };
        let mut pictured = (None, None);
        let mut columns = Vec::new();
        for (name, table, held) in tables.into_iter().map(hold).collect::<PyResult<Vec<_>>>()? {
            match name {
                "distributions" => pictured.0 = Some(held),
                "timeseries" => pictured.1 = Some(held),
                _ => {}
            }
            columns.push((name, table));
        }
        let instances = session.instances(py);
        let run = RunResult { summary, text, warnings, wall_s, policy_times, interval_s, columns, instances, pictured };
        let Some((is_of_policy, text)) = stopped else { return Ok(run) };
        let error = if is_of_policy { PolicyError::new_err(text) } else { SimulationError::new_err(text) };
        error.value(py).setattr("run", Py::new(py, run)?)?;
        Err(session.as_cause_of(error))
    }
}

/// What has come of a run.
#[pyclass(frozen, module = "hearth._hearth")]
pub struct RunResult {
    /// The summary, as JSON.
    #[pyo3(get)]
    summary: String,
    /// What the command prints.
    #[pyo3(get)]
    text: String,
    #[pyo3(get)]
    warnings: Vec<String>,
    /// Seconds of real time.
    #[pyo3(get)]
    wall_s: f64,
    /// By slot: calls and seconds of real time.
    #[pyo3(get)]
    policy_times: Vec<(&'static str, u64, f64)>,
    /// The interval of the time series.
    #[pyo3(get)]
    interval_s: Option<f64>,
    columns: Vec<(&'static str, Py<Columns>)>,
    /// The policies in Python that served: slot, node and object.
    instances: Vec<(&'static str, Option<u32>, Py<PyAny>)>,
    /// What figures are made of: distributions and time series.
    pictured: (Option<HeldTable>, Option<HeldTable>),
}

impl RunResult {
    fn figures(&self) -> PyResult<RunPictures> {
        let summary: Value = serde_json::from_str(&self.summary).map_err(wrong)?;
        let (distributions, series) = &self.pictured;
        let empty = HeldTable::default();
        RunPictures::new(summary, distributions.as_ref().unwrap_or(&empty), series.as_ref()).map_err(wrong)
    }
}

#[pymethods]
impl RunResult {
    /// The table of a name; nothing if the run has none.
    fn table(&self, py: Python<'_>, name: &str) -> Option<Py<Columns>> {
        let is_it = |(of, _): &&(&str, Py<Columns>)| *of == name;
        self.columns.iter().find(is_it).map(|(_, columns)| columns.clone_ref(py))
    }

    /// The policies in Python that served: slot, node and object.
    fn instances(&self, py: Python<'_>) -> Vec<(&'static str, Option<u32>, Py<PyAny>)> {
        self.instances.iter().map(|(slot, node, object)| (*slot, *node, object.clone_ref(py))).collect()
    }

    /// All figures: name, title, note and SVG.
    fn pictures(&self, py: Python<'_>) -> PyResult<Vec<(String, String, String, String)>> {
        py.detach(|| {
            let pictures = self.figures()?.all().map_err(wrong)?;
            Ok(pictures.into_iter().map(|picture| (picture.name, picture.title, picture.note, picture.svg)).collect())
        })
    }

    /// What a notebook shows.
    fn html(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.figures()?.html(&self.text).map_err(wrong))
    }
}

/// Runs a scenario.
#[pyfunction]
#[pyo3(signature = (source, policies, options, progress=None))]
pub fn run(
    py: Python<'_>,
    source: &Source,
    policies: Vec<Given>,
    options: Options,
    progress: Option<Py<PyAny>>,
) -> PyResult<RunResult> {
    let session = Session::keeping();
    let share = options.sample;
    let invocations = if share > 0.0 { Invocations::Kept(share) } else { Invocations::Left };
    let under_way = UnderWay::start(source.clone(), policies, session.clone(), options, invocations)?;
    under_way.wait(py, progress.as_ref(), &session)?.into_run(py, &session)
}

/// The summary of a run, as JSON: what a worker of a sweep does.
#[pyfunction]
pub fn summarise(
    py: Python<'_>,
    source: &Source,
    policies: Vec<Given>,
    copies: Vec<(PathBuf, PathBuf)>,
) -> PyResult<String> {
    let options = Options { sample: 0.0, interval_s: None, most_rows: 0, threads: NonZeroUsize::new(1), copies };
    Ok(run(py, source, policies, options, None)?.summary)
}

/// Invocations of a run that come as it goes on.
#[pyclass(module = "hearth._hearth")]
pub struct Stream {
    batches: Option<Mutex<Receiver<HeldTable>>>,
    under_way: Option<UnderWay>,
    session: Session,
    /// Whether a table was handed on.
    has_begun: bool,
    /// What came of it, once it has ended.
    run: Option<Py<RunResult>>,
}

impl Stream {
    /// Waits for the end of the run.
    fn end(&mut self, py: Python<'_>) -> PyResult<()> {
        self.batches = None;
        if let Some(under_way) = self.under_way.take() {
            let run = under_way.wait(py, None, &self.session)?.into_run(py, &self.session)?;
            self.run = Some(Py::new(py, run)?);
        }
        Ok(())
    }
}

#[pymethods]
impl Stream {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Columns>> {
        loop {
            let Some(batches) = &self.batches else { return Ok(None) };
            let lending = self.session.lending();
            let next = py.detach(|| {
                let next = next(batches);
                lending.ask();
                next
            });
            lending.got();
            match next {
                // The last table may be empty, and says only as the first what the columns are.
                Ok(table) if table.rows() == 0 && self.has_begun => {}
                Ok(table) => {
                    self.has_begun = true;
                    return Columns::new(table).map(Some);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = py.check_signals() {
                        self.close(py);
                        return Err(error);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.end(py)?;
                    return Ok(None);
                }
            }
        }
    }

    /// Ends the run before its end.
    fn close(&mut self, py: Python<'_>) {
        // Who has nobody to hand invocations to stops.
        self.batches = None;
        if let Some(under_way) = self.under_way.take() {
            under_way.stop(py, &self.session);
            let _ = under_way.wait(py, None, &self.session);
        }
    }

    /// What came of the run, once all invocations have been taken.
    #[getter]
    fn run(&self, py: Python<'_>) -> Option<Py<RunResult>> {
        self.run.as_ref().map(|run| run.clone_ref(py))
    }
}

/// So many tables wait for whoever takes them.
const WAITING: usize = 2;

/// Runs a scenario, and hands its invocations on, so many at a time.
#[pyfunction]
pub fn stream(source: &Source, policies: Vec<Given>, options: Options, rows: usize) -> PyResult<Stream> {
    let (sender, batches) = mpsc::sync_channel(WAITING);
    let session = Session::default();
    let invocations = Invocations::Streamed(rows, sender);
    let under_way = UnderWay::start(source.clone(), policies, session.clone(), options, invocations)?;
    let (batches, under_way) = (Some(Mutex::new(batches)), Some(under_way));
    Ok(Stream { batches, under_way, session, has_begun: false, run: None })
}

/// The slots of policies, as scenarios name them.
#[pyfunction]
pub fn slots() -> Vec<(&'static str, String)> {
    PolicySlot::ALL.iter().map(|slot| (slot.path(), slot.kind().to_string())).collect()
}
