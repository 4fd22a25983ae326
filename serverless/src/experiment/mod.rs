//! Runs a scenario: from the file's description to a simulation, and to its results.
//!
//! ```
//! use hearth_serverless::experiment::Experiment;
//! use hearth_serverless::policy::Catalog;
//! use hearth_serverless::scenario::Scenario;
//! let scenario = Scenario::from_json(r#"{
//!     "format": "hearth-scenario/1",
//!     "platform": {"hosts": [
//!         {"name": "head", "cores": 1, "speed": "10Gf"},
//!         {"name": "node", "count": 2, "cores": 4, "speed": "10Gf", "ram": "16GB"}]},
//!     "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
//!     "functions": [{"name": "greet", "ram_limit": "128MB", "body": [{"sleep": "250ms"}]}],
//!     "workload": {"invocations": [{"at": 0, "function": "greet"}, {"at": 1, "function": "greet"}]}
//! }"#)?;
//! let catalog = Catalog::new(hearth_plugins::BUILT_IN);
//! let results = Experiment::prepare(&scenario, &catalog)?.run()?;
//! assert_eq!((results.metrics.cold_starts, results.metrics.warm_starts), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod build;
mod debugged;
mod difference;
mod faults;
mod instances;
mod memory;
mod observed;
#[cfg(feature = "stepwise")]
mod stepwise;
mod warnings;
mod watchdog;
mod workflows;
mod workload;

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use hearth_simcore::network::NetworkModel;
use hearth_simcore::random::derive_seed;
use hearth_simcore::time::{SimDuration, SimTime};

use self::build::{check_routes, declare, select_policies, set_node_pools, start_service};
pub use self::debugged::{
    Condition, ConditionError, Debugged, Happened, InspectedInvocation, ReplaceError, Stop, Until,
};
pub use self::difference::{
    COMPARED, ComparedInvocations, ComparedRun, DifferenceBin, DifferenceError, DifferenceOptions, DifferencesOverTime,
    FunctionDifference, IntervalDifference, InvocationSide, PartedDecisions, PartedInvocation, RunDifference,
    difference_of,
};
use self::faults::set_faults;
use self::instances::serve_by_instances;
pub use self::observed::open_decisions;
#[cfg(feature = "stepwise")]
pub use self::stepwise::{Asker, Stepwise};
pub use self::warnings::hidden_policies;
use self::watchdog::Running;
pub use self::watchdog::{Monitor, StuckCall, Watchdog};
use self::workflows::create_workflows;
use self::workload::{known_end, known_requests, set_workload};
use crate::Simulation;
use crate::causes::{Sought, Undone};
use crate::decisions::{Observation, Observers};
use crate::error::Error;
use crate::function::FunctionId;
pub use crate::policy::{Board, Callee, LastingCall, PolicyTime, on_pause};
use crate::policy::{Catalog, PolicyRecord, PolicySlot};
pub use crate::results::{About, Results};
use crate::results::{
    Attempts, Extras, RecordSink, Recorder, TableTarget, TimeSeries, Timeline, WorkflowRuns, instance_table, node_table,
};
use crate::scenario::{NetworkModelName, Scenario, ScenarioError, StorageSharing};
use crate::service::event::ServiceModel;
pub use crate::service::{
    ContainerState, InspectedAttempt, InspectedContainer, InspectedNode, NodeCondition, Quantity, UpcomingEvent,
};
use crate::service::{Ended, ServerlessComputeService};
use crate::worker::Worker;

/// A scenario that is ready to run.
#[derive(Debug)]
pub struct Experiment {
    simulation: Simulation,
    service: ServerlessComputeService,
    horizon: Option<SimTime>,
    extent: Extent,
    about: About,
    /// The first function of each application, and its name.
    applications: Vec<(FunctionId, String)>,
    warnings: Vec<String>,
    /// Whether it is said what latencies are made of.
    is_explained: bool,
    /// Where a worker is put that reads ahead.
    reader: Arc<OnceLock<Worker>>,
}

/// How much there is to simulate, as far as that is known before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Extent {
    /// How many requests there will be.
    pub requests: Option<u64>,
    /// No request comes, or nothing happens, after this date.
    pub end: Option<SimTime>,
}

/// What has come of an experiment.
#[derive(Debug)]
pub struct Run {
    /// Its results up to its end, or to where it stopped.
    pub results: Results,
    /// Why it stopped before its end, if it did.
    pub stopped: Option<Error>,
    /// How much real time its policies took. Not part of the results, which are the same each time.
    pub times: Vec<PolicyTime>,
    /// The policies, which end when this is dropped.
    pub rest: Rest,
}

/// What is left of a simulation.
#[derive(Debug)]
pub struct Rest {
    simulation: Option<Box<Simulation>>,
    /// Who watches policies can name them as long as they are there.
    _running: Option<Running>,
}

thread_local! {
    /// Somebody has views of the simulation that runs here, for longer than a call.
    static IS_LENT: Cell<bool> = const { Cell::new(false) };
}

/// Has the simulation that runs on this thread never give its memory back: for a policy that has handed its views on to who keeps
/// them, which is a mistake, and is to be no worse than that.
///
/// ```
/// hearth_serverless::experiment::never_free();
/// ```
pub fn never_free() {
    IS_LENT.set(true);
}

impl Drop for Rest {
    fn drop(&mut self) {
        if IS_LENT.take() {
            std::mem::forget(self.simulation.take());
        }
    }
}

/// The policy that a scenario asks for in each slot, but for that of autoscaling where it asks for none.
///
/// # Errors
/// When there is no such policy, or its parameters are wrong.
pub fn chosen_policies(
    scenario: &Scenario,
    catalog: &Catalog,
) -> Result<Vec<(PolicySlot, PolicyRecord)>, ScenarioError> {
    let policies = select_policies(scenario, catalog)?;
    Ok(policies.records())
}

/// Whether libraries are opened for a scenario, or plugin folders searched; none is opened to find out.
///
/// ```
/// use hearth_serverless::experiment::opens_libraries;
/// use hearth_serverless::policy::Catalog;
/// use hearth_serverless::scenario::Scenario;
/// let opens = |policies: &str| {
///     let scenario = format!(r#"{{"format": "hearth-scenario/1",
///         "platform": {{"hosts": [{{"name": "head", "cores": 1, "speed": "1Gf", "ram": "1GB"}}]}},
///         "service": {{"head": "head", "registry": "head", "nodes": ["head"]}}, "functions": [],
///         "workload": {{"invocations": []}}, "policies": {policies}}}"#);
///     opens_libraries(&Scenario::from_json(&scenario).unwrap(), &Catalog::new(hearth_plugins::BUILT_IN))
/// };
/// assert!(!opens(r#"{"node_allocation": {"use": "random"}, "controller": {"use": "knative-autoscaler"}}"#));
/// // Of that name there is no policy of admission.
/// assert!(opens(r#"{"admission": {"use": "random"}}"#) && opens(r#"{"controller": {"use": "random"}}"#));
/// assert!(opens(r#"{"keep_alive": {"library": "mine.so"}}"#));
/// ```
pub fn opens_libraries(scenario: &Scenario, catalog: &Catalog) -> bool {
    scenario.policies.named().any(|(slot, policy)| {
        let is_elsewhere = |name: &String| match slot {
            Some(slot) => !catalog.is_built_in(slot.kind(), name),
            None => !catalog.has_controller(name),
        };
        policy.library.is_some() || policy.name.as_ref().is_some_and(is_elsewhere)
    })
}

impl Experiment {
    /// Builds the platform, the service and the workload of a scenario. Everything that can be wrong with the scenario
    /// is found here, before anything runs. The records of all invocations are kept; see
    /// [`Experiment::without_records`].
    ///
    /// # Errors
    /// What is wrong, with its place in the scenario.
    pub fn prepare(scenario: &Scenario, catalog: &Catalog) -> Result<Self, ScenarioError> {
        Self::prepare_observed(scenario, catalog, &Observation::default())
    }

    fn prepared(scenario: &Scenario, catalog: &Catalog, observers: Observers) -> Result<Self, ScenarioError> {
        let platform = scenario.build_platform()?;
        let network = match (scenario.network_model, scenario.storage_sharing) {
            (NetworkModelName::Fluid, StorageSharing::Reference) => NetworkModel::Fluid,
            (NetworkModelName::Fluid, StorageSharing::Fair) => NetworkModel::FairFluid,
            (NetworkModelName::Ideal, _) => NetworkModel::Ideal,
        };
        let mut simulation = Simulation::with_model(platform, scenario.seed, network, ServiceModel::default());
        let policies = select_policies(scenario, catalog)?;
        let records = policies.records();
        let is_looked_at = observers.calls.is_some();
        let service = start_service(scenario, policies, observers, &mut simulation)?;
        if is_looked_at {
            simulation.with_model_mut(|model, _| model.service().expect_others());
        }
        let functions = declare(scenario, service, &mut simulation)?;
        check_routes(scenario, &mut simulation)?;
        set_node_pools(scenario, service, &mut simulation)?;
        set_faults(scenario, service, &mut simulation)?;
        if let Some(events) = scenario.max_events_without_progress {
            service.set_max_events_without_progress(&mut simulation, events);
        }
        if let Some(section) = &scenario.prices {
            service.set_prices(&mut simulation, section.prices());
        }
        let workflows = create_workflows(scenario, service, &functions, &mut simulation)?;
        let reader = Arc::default();
        let mut declared = set_workload(scenario, service, functions, &workflows, &mut simulation, &reader)?;
        let (applications, pods) = serve_by_instances(scenario, &declared, service, &mut simulation)?;
        declared.names.extend(pods);
        let nodes = simulation.with_model_mut(|model, _| {
            model.service().cluster().nodes().iter().map(|node| node.name.clone()).collect()
        });
        let about = About {
            name: scenario.name.clone(),
            seed: scenario.seed,
            functions: declared.names,
            nodes,
            policies: records,
        };
        let warnings =
            simulation.with_model_mut(|model, _| warnings::of_workload(scenario, model.service().work().workload()));
        let horizon = scenario.horizon.map(|horizon| SimTime::from_secs_f64(horizon.0));
        let extent = Extent { requests: known_requests(scenario), end: known_end(scenario).or(horizon) };
        let is_explained = false;
        Ok(Self { simulation, service, horizon, extent, about, applications, warnings, is_explained, reader })
    }

    /// Has nobody placed before the round that follows the message.
    #[cfg(test)]
    pub(crate) fn never_placing_at_once(mut self) -> Self {
        self.simulation.with_model_mut(|model, _| model.service().never_place_at_once());
        self
    }

    /// Has instances that wait for a node tried after each message, whether or not there may be room.
    #[cfg(test)]
    pub(crate) fn always_trying_nodes(mut self) -> Self {
        self.simulation.with_model_mut(|model, _| model.service().always_try_nodes());
        self
    }

    /// Explains what the latency of each invocation is made of: [`InvocationRecord::causes`](crate::invocation::InvocationRecord::causes)
    /// where records are kept or passed on, and [`Results::causes`]. Nothing else of the results depends on it.
    pub fn explained(mut self) -> Self {
        self.is_explained = true;
        self
    }

    /// Explains, and tells the story of one invocation, by its number: [`Results::stories`].
    ///
    /// ```
    /// # use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
    /// use hearth_serverless::results::StoryEvent;
    /// # let scenario = Scenario::from_json(r#"{"format": "hearth-scenario/1",
    /// #     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
    /// #     "service": {"head": "all", "registry": "all", "nodes": ["all"]}, "functions": [{"name": "f"}],
    /// #     "workload": {"invocations": [{"at": 1.5, "function": "f", "body": [{"sleep": "1s"}]}]}}"#)?;
    /// # let catalog = Catalog::new(hearth_plugins::BUILT_IN);
    /// let results = Experiment::prepare(&scenario, &catalog)?.telling(0).run()?;
    /// let story = results.stories.first().ok_or("invocation 0 was requested")?;
    /// let is_told = |words: &str| {
    ///     story.events.iter().any(|event| matches!(event, StoryEvent::Told { what, .. } if what.contains(words)))
    /// };
    /// assert!(is_told("starts cold on all: its function had never had a container"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn telling(self, invocation: u64) -> Self {
        self.telling_all([invocation])
    }

    /// Explains, and tells the stories of some invocations, by their numbers, which takes one run for all: [`Results::stories`].
    pub fn telling_all(mut self, invocations: impl IntoIterator<Item = u64>) -> Self {
        let (invocations, functions) = (invocations.into_iter().collect(), self.about.functions.clone());
        self.simulation.with_model_mut(|model, _| model.service().tell_stories_of(invocations, functions));
        self.explained()
    }

    /// Explains, and keeps such ends of containers: [`Results::found`].
    pub fn seeking(mut self, sought: Sought) -> Self {
        self.simulation.with_model_mut(|model, _| model.service().seek_ends(sought));
        self.explained()
    }

    /// Explains, and has something happen otherwise than in a run of the same scenario, which this one is the same as up to then.
    ///
    /// ```
    /// # use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
    /// # let scenario = Scenario::from_json(r#"{"format": "hearth-scenario/1",
    /// #     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
    /// #     "service": {"head": "all", "registry": "all", "nodes": ["all"]}, "functions": [{"name": "f"}],
    /// #     "policies": {"keep_alive": {"use": "fixed", "parameters": {"timeout": "10s"}}},
    /// #     "workload": {"invocations": [{"at": 0, "function": "f"}, {"at": 60, "function": "f"}]}}"#)?;
    /// # let catalog = Catalog::new(hearth_plugins::BUILT_IN);
    /// // Keep-alive is 10 s, and there are invocations at 0 and 60 s.
    /// let results = Experiment::prepare(&scenario, &catalog)?.explained().run()?;
    /// let cold = results.records[1].causes.as_ref().and_then(|causes| causes.cold_start);
    /// let undone = cold.and_then(|cold| cold.end).and_then(|end| end.undone()).ok_or("its container had expired")?;
    /// let otherwise = Experiment::prepare(&scenario, &catalog)?.without(undone).run()?;
    /// assert_eq!((results.metrics.cold_starts, otherwise.metrics.cold_starts), (2, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn without(mut self, undone: Undone) -> Self {
        self.simulation.with_model_mut(|model, _| model.service().undo(undone));
        self.explained()
    }

    /// Does not keep the records of invocations, so that memory does not grow with their number.
    pub fn without_records(mut self) -> Self {
        self.simulation.with_model_mut(|model, _| model.service().books().recorder = None);
        self
    }

    /// Passes a share of the invocations on to a sink while the simulation runs, instead of keeping all; which ones
    /// depends on the seed and their numbers alone, so that runs with other policies give the same.
    pub fn record_to(mut self, sink: Box<dyn RecordSink>, share: f64) -> Self {
        let seed = derive_seed(self.about.seed, "sample of invocations");
        let mut recorder = Recorder::to_sink(sink, share, seed);
        self.simulation.with_model_mut(|model, _| {
            let service = model.service();
            // What waits already for its date was noted by the recorder before this one.
            service.attempts().iter().for_each(|(_, attempt)| {
                recorder.requested(attempt.record.requested_at.unwrap_or_default(), attempt.record.invocation);
            });
            service.books().recorder = Some(recorder);
        });
        self
    }

    /// Writes how the service stands at the end of every interval, as CSV or into memory, when the simulation ends. Whenever there would
    /// be more than `most_rows`, the interval doubles; [`Results::time_series_interval`] tells the one at the end.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn write_time_series(
        mut self,
        interval: SimDuration,
        most_rows: usize,
        target: impl Into<TableTarget>,
    ) -> Result<Self, Error> {
        let extras = self.simulation.with_model_mut(|model, _| Extras {
            processors: model.service().cluster().shares_processors(),
            instances: model.service().has_instances(),
            nodes: model.service().has_node_pools(),
        });
        let series = TimeSeries::new(interval.max(SimDuration::from_nanos(1)), most_rows, extras, target.into())?;
        self.simulation.with_model_mut(|model, _| model.service().books().series = Some(series));
        Ok(self)
    }

    /// Whether invocations are tried again, so that there are attempts to write.
    pub fn has_attempts(&mut self) -> bool {
        self.simulation.with_model_mut(|model, _| model.service().has_attempts())
    }

    /// Writes every attempt, in the order in which they end, as CSV or into memory.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn write_attempts(mut self, target: impl Into<TableTarget>) -> Result<Self, Error> {
        let attempts = Attempts::new(&self.about, target.into())?;
        self.simulation.with_model_mut(|model, _| model.service().books().attempts = Some(attempts));
        Ok(self)
    }

    /// Whether functions are served by instances, so that there are instances to write.
    pub fn has_instances(&mut self) -> bool {
        self.simulation.with_model_mut(|model, _| model.service().has_instances())
    }

    /// Writes every instance, in the order in which they end, as CSV or into memory.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn write_instances(mut self, target: impl Into<TableTarget>) -> Result<Self, Error> {
        let mut about = self.about.clone();
        for (function, application) in &self.applications {
            if let Some(name) = about.functions.get_mut(function.number() as usize) {
                name.clone_from(application);
            }
        }
        let instances = instance_table(&about, target.into())?;
        self.simulation.with_model_mut(|model, _| model.service().books().instances = Some(instances));
        Ok(self)
    }

    /// Whether nodes come and go, so that there is something to write of them.
    pub fn has_node_pools(&mut self) -> bool {
        self.simulation.with_model_mut(|model, _| model.service().has_node_pools())
    }

    /// Writes each time that a node of a pool was on, in the order in which they went off, as CSV or into memory.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn write_nodes(mut self, target: impl Into<TableTarget>) -> Result<Self, Error> {
        let nodes = node_table(&self.about, target.into())?;
        self.simulation.with_model_mut(|model, _| model.service().books().nodes = Some(nodes));
        Ok(self)
    }

    /// Whether there are workflows, so that there are runs to write.
    pub fn has_workflows(&mut self) -> bool {
        self.simulation.with_model_mut(|model, _| model.service().work().has_workflows())
    }

    /// Writes every run of a workflow, in the order in which they end, as CSV or into memory.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn write_workflows(mut self, target: impl Into<TableTarget>) -> Result<Self, Error> {
        let runs = WorkflowRuns::new(target.into())?;
        self.simulation.with_model_mut(|model, _| model.service().books().workflows = runs);
        Ok(self)
    }

    /// Writes what every container does, and how images move, as a trace for Perfetto and chrome://tracing.
    pub fn write_timeline(mut self, target: Box<dyn std::io::Write + Send>) -> Self {
        let about = &self.about;
        self.simulation.with_model_mut(|model, _| {
            let service = model.service();
            let images = service.registry().images().iter().map(|image| image.name.clone()).collect();
            service.books().timeline = Some(Timeline::new(about, images, target));
        });
        self
    }

    /// Runs it on so many threads, at most three, instead of on the current one alone: a trace is read, requests are generated
    /// and metrics folded beside the simulation, where there is more than a little of them. The same comes of it.
    pub fn on_threads(mut self, threads: NonZeroUsize) -> Self {
        if threads.get() > 1 {
            let worker = Worker::new();
            self.reader.get_or_init(|| worker.clone());
            let folder = if threads.get() > 2 { Worker::new() } else { worker };
            self.simulation.with_model_mut(|model, _| model.service().books().folding.set_worker(folder));
        }
        self
    }

    /// How much there is to simulate, as far as that is known before.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// What is right, but likely not meant: each with its place in the scenario, and what to do.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What the experiment is.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Runs it up to a date, and looks at the service in steps of so many seconds.
    #[cfg(test)]
    pub(crate) fn run_watched<E: From<Error>>(
        &mut self,
        until: SimTime,
        step_s: f64,
        look: impl Fn(&crate::service::Service) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut date = SimTime::ZERO;
        while date < until {
            self.simulation.run_until(date)?;
            self.simulation.with_model_mut(|model, _| look(model.service()))?;
            date = date + hearth_simcore::time::SimDuration::from_secs_f64(step_s);
        }
        Ok(())
    }

    /// Runs it to its end or horizon.
    ///
    /// # Errors
    /// When a policy gives an answer that cannot be followed.
    pub fn run(self) -> Result<Results, Error> {
        let (results, stopped) = self.run_until_stopped();
        stopped.map_or(Ok(results), Err)
    }

    /// Runs it to its end or horizon, or until a policy gives an answer that cannot be followed; gives what has come
    /// of it up to then, and why it stopped before its end, if it did.
    pub fn run_until_stopped(self) -> (Results, Option<Error>) {
        let Run { results, stopped, .. } = self.run_and_keep();
        (results, stopped)
    }

    /// Does the same and leaves the policies there, for who wants to have the results safe before they end.
    pub fn run_and_keep(mut self) -> Run {
        let reader = self.simulation.with_model_mut(|model, _| model.service().books().reader());
        let running = Running::begin(&self.about, reader);
        self.run_shown(Some(running))
    }

    /// Does the same, and says so to who watches the thread, if it is shown there.
    fn run_shown(mut self, running: Option<Running>) -> Run {
        if !self.is_explained {
            self.simulation.with_model_mut(|model, _| model.service().explain_nothing());
        }
        self.begin_observation();
        let run = match self.horizon {
            Some(horizon) => self.simulation.run_until(horizon),
            None => self.simulation.run(),
        };
        self.concluded(run, running)
    }

    /// What has come of it, now that it has run to its end or stopped before.
    fn concluded(mut self, run: Result<(), Error>, running: Option<Running>) -> Run {
        let about = &self.about;
        running.iter().for_each(|running| running.end(about));
        let unlogged = self.end_observation();
        let (skipped_rows, read, has_workflows) = self.simulation.with_model_mut(|model, _| {
            let service = model.service();
            (
                service.work().workload().skipped_rows(),
                service.work().workload().requests_read(),
                service.work().has_workflows(),
            )
        });
        let Ended { metrics, records, stall, causes, stories, found } = self.service.end(&mut self.simulation);
        let answered_instead = self.observers().recorder.and_then(|recorder| recorder.take_answered_instead());
        let events = self.simulation.with_model_mut(|_, kernel| kernel.events_handled());
        let ended_at = self.simulation.now();
        let (records, unwritten) = records.map_or_else(|error| (Vec::new(), Some(error)), |records| (records, None));
        let simulated = metrics.invocations();
        // A horizon cuts off what comes later, and a run of a workflow may not get to all of its tasks.
        let all_count = self.horizon.is_some() || has_workflows || read == simulated;
        let lost = (!all_count).then_some(Error::LostRequests { read, simulated });
        let workflows = self.service.workflow_records(&mut self.simulation);
        let time_series_interval = self.simulation.with_model_mut(|model, _| model.service().books().series_interval);
        let about = self.about;
        let results = Results {
            about,
            metrics,
            causes,
            stories,
            found,
            answered_instead,
            records,
            events,
            ended_at,
            workflows,
            stall,
            skipped_rows,
            time_series_interval,
        };
        let times = self.simulation.with_model_mut(|model, _| model.service().policy_times());
        let rest = Rest { simulation: Some(Box::new(self.simulation)), _running: running };
        Run { results, stopped: run.err().or(unwritten).or(unlogged).or(lost), times, rest }
    }
}
