//! An experiment that is stopped where somebody wants, looked at, and gone on with, perhaps with other policies.

mod condition;
mod holding;

use hearth_simcore::time::SimTime;
use rustc_hash::FxHashSet;

pub use self::condition::{Condition, ConditionError};
use super::build::select_policies;
use super::{Experiment, Results, Run, Running};
use crate::decisions::{CallView, Decision, Observers, SharedCalls};
use crate::error::Error;
use crate::invocation::InvocationRecord;
use crate::node::NodeId;
use crate::policy::{Catalog, PolicyRecord, PolicySlot};
use crate::results::About;
use crate::scenario::{Scenario, ScenarioError};
use crate::service::{InspectedAttempt, InspectedNode, Quantity, UpcomingEvent};

/// Where a simulation is to be stopped.
#[derive(Clone, PartialEq, Debug)]
pub enum Until {
    /// After so many events.
    Events(u64),
    /// After the event with the next decision: a call of a policy that answers something, or asks for something.
    Decision,
    /// When all has happened that happens at the next date at which something does.
    NextDate,
    /// When all has happened that happens up to a date.
    Date(SimTime),
    /// After the first event after which it holds.
    Condition(Condition),
    /// At its end.
    End,
}

/// Why a simulation was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// It is where it was to be.
    Reached,
    /// One of the conditions holds that stop it wherever it was to go: its position among these.
    Breakpoint(usize),
    /// Somebody wanted it to pause.
    Paused,
    /// Nothing is left to happen.
    Ended,
    /// It cannot go on: see [`Debugged::failure`].
    Failed,
}

/// What is known of an invocation.
#[derive(Clone, PartialEq, Debug)]
pub struct InspectedInvocation {
    /// Its attempts that are under way, the first one first.
    pub attempts: Vec<InspectedAttempt>,
    /// Its record, if it has ended.
    pub ended: Option<InvocationRecord>,
}

/// What has happened in the event that was handled last.
#[derive(Debug)]
pub struct Happened<'a> {
    /// The calls of policies that have answered something, or asked for something, in their order. Their numbers are those that a log of
    /// decisions has.
    pub calls: Vec<Decision>,
    /// The invocations that have ended.
    pub ended: &'a [InvocationRecord],
}

/// Why policies could not be replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// The scenario that names them is wrong.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// One of them cannot come now, or cannot be made: all is as it was.
    #[error(transparent)]
    Refused(Error),
    /// One of them has done something wrong when it came, and the simulation cannot go on.
    #[error("{0}")]
    Failed(String),
    /// It has ended, so that no other policy makes a difference.
    #[error("the simulation has ended: another policy changes nothing any more")]
    HasEnded,
}

/// A simulation of a scenario that goes on by events. However it is stepped and looked at, the same comes of it as of
/// [`Experiment::run`]; only [`replace`](Self::replace) makes it another one.
///
/// ```
/// use hearth_serverless::experiment::{Condition, Debugged, Experiment, Stop, Until};
/// use hearth_serverless::policy::{Catalog, PolicySlot};
/// use hearth_serverless::results::Summary;
/// use hearth_serverless::scenario::Scenario;
/// let scenario = Scenario::from_json(r#"{
///     "format": "hearth-scenario/1",
///     "platform": {"hosts": [{"name": "node", "cores": 1, "speed": "10Gf", "ram": "1GB"}]},
///     "service": {"head": "node", "registry": "node", "nodes": ["node"], "container_startup_overhead": 1},
///     "functions": [{"name": "f", "ram_limit": "1GB", "body": [{"sleep": 5}]}],
///     "workload": {"invocations": [{"at": 1, "function": "f"}, {"at": 2, "function": "f"}]}
/// }"#)?;
/// let catalog = Catalog::new(hearth_plugins::BUILT_IN);
/// let mut debugged = Debugged::prepare(&scenario, &catalog)?;
/// let waits = Condition::parse("queue > 0", debugged.about())?;
/// assert_eq!(debugged.run(&Until::Condition(waits), &[], || false), Stop::Reached);
/// assert_eq!(debugged.now().as_secs_f64(), 2.0);
/// let waiting = &debugged.attempts()[0];
/// assert_eq!((waiting.record.invocation, waiting.stage), (1, "in the queue"));
/// assert!(debugged.last_call(PolicySlot::Admission).is_none(), "it lets everybody in");
/// let (call, view) = debugged.last_call(PolicySlot::NodeAllocation).ok_or("it has placed somebody")?;
/// assert_eq!(call.told().map(|answer| (answer.word, answer.nodes)), Some(("Node", vec![0])));
/// assert_eq!(view.nodes.len(), 1);
/// assert_eq!(debugged.run(&Until::End, &[], || false), Stop::Ended);
/// let (results, stopped) = debugged.finish();
/// assert!(stopped.is_none());
/// let undisturbed = Experiment::prepare(&scenario, &catalog)?.run()?;
/// assert_eq!(Summary::new(&results), Summary::new(&undisturbed));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Debugged {
    experiment: Experiment,
    catalog: Catalog,
    calls: SharedCalls,
    /// The invocations that have ended in the last event.
    ended: Vec<InvocationRecord>,
    /// The numbers of all that have ended.
    numbers_ended: FxHashSet<u64>,
    /// Up to where everything has happened that was to.
    reached: SimTime,
    has_ended: bool,
    failure: Option<Error>,
    /// What the policies are now.
    policies: Vec<(PolicySlot, PolicyRecord)>,
    /// For who watches policies and names one that does not come back.
    running: Running,
}

/// So many events are handled between two looks whether somebody wants a pause.
const BETWEEN_LOOKS: u64 = 256;

impl Debugged {
    /// Gets a scenario ready, at its begin.
    ///
    /// # Errors
    /// What is wrong, with its place in the scenario.
    pub fn prepare(scenario: &Scenario, catalog: &Catalog) -> Result<Self, ScenarioError> {
        let calls = SharedCalls::default();
        let mut experiment = Experiment::prepared(scenario, catalog, Observers::between_events(calls.clone()))
            .map_err(|error| scenario.explained(error))?;
        let policies = experiment.about.policies.clone();
        let reader = experiment.simulation.with_model_mut(|model, _| {
            let service = model.service();
            service.explain_nothing();
            service.books().recorder.iter_mut().for_each(|recorder| recorder.note_news());
            service.books().reader()
        });
        let running = Running::begin(&experiment.about, reader);
        Ok(Self {
            experiment,
            catalog: catalog.clone(),
            calls,
            ended: Vec::new(),
            numbers_ended: FxHashSet::default(),
            reached: SimTime::ZERO,
            has_ended: false,
            failure: None,
            policies,
            running,
        })
    }

    /// What the experiment is, as it began.
    pub fn about(&self) -> &About {
        &self.experiment.about
    }

    /// What is right, but likely not meant.
    pub fn warnings(&self) -> &[String] {
        self.experiment.warnings()
    }

    /// The policies that are there now.
    pub fn policies(&self) -> &[(PolicySlot, PolicyRecord)] {
        &self.policies
    }

    /// The date.
    pub fn now(&self) -> SimTime {
        self.experiment.simulation.now().max(self.reached)
    }

    /// How many events have been handled.
    pub fn events(&mut self) -> u64 {
        self.experiment.simulation.with_model_mut(|_, kernel| kernel.events_handled())
    }

    /// How many decisions of policies there have been.
    pub fn decisions(&self) -> u64 {
        self.calls.look().count()
    }

    /// Whether nothing is left to happen, or it cannot go on.
    pub fn is_over(&self) -> bool {
        self.has_ended || self.failure.is_some()
    }

    /// Why it cannot go on.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Goes on to where it is to be stopped, or to where one of `breakpoints` holds. `is_to_pause` is asked now and then.
    pub fn run(&mut self, until: &Until, breakpoints: &[Condition], mut is_to_pause: impl FnMut() -> bool) -> Stop {
        let (mut events, decisions) = (0_u64, self.decisions());
        let mut date = None;
        loop {
            let horizon = match until {
                Until::Date(date) => *date,
                Until::NextDate => date.unwrap_or(SimTime::MAX),
                Until::Events(0) => return Stop::Reached,
                _ => SimTime::MAX,
            };
            if !self.step(horizon) {
                let is_there = matches!(until, Until::Date(_)) || date.is_some();
                return match () {
                    () if self.failure.is_some() => Stop::Failed,
                    () if self.has_ended => Stop::Ended,
                    () if is_there => Stop::Reached,
                    () => Stop::Ended,
                };
            }
            events += 1;
            date = Some(self.experiment.simulation.now());
            if let Some(position) = breakpoints.iter().position(|condition| self.holds(condition)) {
                return Stop::Breakpoint(position);
            }
            let is_there = match until {
                Until::Events(count) => events == *count,
                Until::Decision => self.decisions() > decisions,
                Until::Condition(condition) => self.holds(condition),
                Until::NextDate | Until::Date(_) | Until::End => false,
            };
            if is_there {
                return Stop::Reached;
            }
            if events.is_multiple_of(BETWEEN_LOOKS) && is_to_pause() {
                return Stop::Paused;
            }
        }
    }

    /// Has the next event happen, if it is due by a date; false if none is, or it cannot go on.
    fn step(&mut self, horizon: SimTime) -> bool {
        if self.is_over() {
            return false;
        }
        let end = self.experiment.horizon.unwrap_or(SimTime::MAX);
        self.calls.begin();
        self.ended.clear();
        match self.experiment.simulation.step(horizon.min(end)) {
            Ok(true) => {
                self.note_ends();
                true
            }
            Ok(false) => {
                self.has_ended = horizon >= end || self.is_at_rest();
                // At the end the date is that of the last event, as in a run.
                self.reached = if self.has_ended { SimTime::ZERO } else { horizon };
                false
            }
            Err(error) => {
                self.note_ends();
                self.failure = Some(error);
                false
            }
        }
    }

    fn is_at_rest(&mut self) -> bool {
        self.experiment.simulation.with_model_mut(|_, kernel| kernel.is_at_rest())
    }

    fn note_ends(&mut self) {
        self.ended = self.experiment.simulation.with_model_mut(|model, _| {
            model.service().books().recorder.as_mut().map(|recorder| recorder.take_news()).unwrap_or_default()
        });
        self.numbers_ended.extend(self.ended.iter().map(|record| record.invocation));
    }

    /// What has happened in the event that was handled last; nothing if none is left, or none was by the date that is reached.
    pub fn happened(&self) -> Happened<'_> {
        Happened { calls: self.calls.look().recent().to_vec(), ended: &self.ended }
    }

    /// How much there is of something.
    pub fn measure(&mut self, quantity: Quantity) -> u64 {
        self.experiment.simulation.with_model_mut(|model, _| model.service().measure(quantity))
    }

    /// All nodes, with what is on them.
    pub fn nodes(&mut self) -> Vec<InspectedNode> {
        self.experiment.simulation.with_model_mut(|model, _| model.service().inspect_nodes())
    }

    /// A node by its number, if there is one.
    pub fn node(&mut self, node: u32) -> Option<InspectedNode> {
        self.experiment.simulation.with_model_mut(|model, _| model.service().inspect_node(NodeId(node)))
    }

    /// The attempts that are under way: those that wait in the order of their turns, then the others by their numbers.
    pub fn attempts(&mut self) -> Vec<InspectedAttempt> {
        self.experiment.simulation.with_model_mut(|model, kernel| model.service().inspect_attempts(kernel))
    }

    /// What is known of an invocation; `None` if it has not been requested.
    pub fn invocation(&mut self, invocation: u64) -> Option<InspectedInvocation> {
        self.experiment.simulation.with_model_mut(|model, kernel| {
            let service = model.service();
            let of_it = |attempt: &InspectedAttempt| attempt.record.invocation == invocation;
            let attempts: Vec<_> = service.inspect_attempts(kernel).into_iter().filter(of_it).collect();
            let kept = service.books().recorder.iter().flat_map(|recorder| recorder.kept());
            let ended = kept.filter(|record| record.invocation == invocation).last().cloned();
            (ended.is_some() || !attempts.is_empty()).then_some(InspectedInvocation { attempts, ended })
        })
    }

    /// What is to come as far as it is known, so much at the most, the earliest first.
    pub fn upcoming(&mut self, most: usize) -> Vec<UpcomingEvent> {
        self.experiment.simulation.with_model_mut(|model, kernel| model.service().upcoming(kernel, most))
    }

    /// The last call of the policy in a slot that has decided something, and what it saw then.
    pub fn last_call(&self, slot: PolicySlot) -> Option<(Decision, CallView)> {
        let calls = self.calls.look();
        calls.last(slot).map(|(decision, view)| (decision.clone(), view.clone()))
    }

    /// The invocations that have ended, by number.
    pub fn ended(&mut self) -> Vec<InvocationRecord> {
        let mut ended: Vec<InvocationRecord> = self.experiment.simulation.with_model_mut(|model, _| {
            let recorder = model.service().books().recorder.as_ref();
            recorder.into_iter().flat_map(|recorder| recorder.kept()).cloned().collect()
        });
        ended.sort_by_key(|record| record.invocation);
        ended
    }

    /// What has come of it so far, as if those had never been asked for that have not ended: the counts, and the records of those that have,
    /// in the order of requests.
    pub fn results_so_far(&mut self) -> Results {
        let mut ended = self.ended();
        ended.sort_by_key(|record| record.requested_at.unwrap_or(SimTime::MAX));
        let (about, ended_at) = (self.experiment.about.clone(), self.experiment.simulation.now());
        self.experiment.simulation.with_model_mut(|model, kernel| {
            let service = model.service();
            let metrics = service.metrics_so_far(kernel, &ended);
            let skipped_rows = service.work().workload().skipped_rows();
            Results {
                about,
                metrics,
                records: ended,
                events: kernel.events_handled(),
                ended_at,
                workflows: Vec::new(),
                stall: None,
                skipped_rows,
                time_series_interval: None,
                causes: None,
                found: Vec::new(),
                stories: Vec::new(),
                answered_instead: None,
            }
        })
    }

    /// Has the policies of another scenario in the place of those that are others there, with other parameters, or from another library, from
    /// this date on; gives which. The scenario is to differ in nothing else. A new instance knows nothing of what was decided before it
    /// came but what is there: it is told of workflows, containers, images, nodes, and links that are not whole, and is asked at once about
    /// who waits.
    ///
    /// # Errors
    /// [`ReplaceError`]: after all but [`ReplaceError::Failed`] everything is as it was.
    pub fn replace(&mut self, scenario: &Scenario) -> Result<Vec<(PolicySlot, PolicyRecord)>, ReplaceError> {
        if self.is_over() {
            return Err(ReplaceError::HasEnded);
        }
        let set = select_policies(scenario, &self.catalog).map_err(|error| scenario.explained(error))?;
        let records = set.records();
        let is_there = |of: &(PolicySlot, PolicyRecord)| self.policies.contains(of);
        let others: Vec<_> = records.into_iter().filter(|of| !is_there(of)).collect();
        let slots: Vec<PolicySlot> = others.iter().map(|(slot, _)| *slot).collect();
        if slots.is_empty() {
            return Ok(Vec::new());
        }
        let simulation = &mut self.experiment.simulation;
        let made = simulation.with_model_mut(|model, kernel| model.service().make_others(&slots, set, kernel));
        let made = made.map_err(|error| ReplaceError::Refused(*error))?;
        self.calls.begin();
        let installed = simulation.with_model_mut(|model, kernel| model.service().install_others(made, kernel));
        self.note_ends();
        if let Err(error) = installed {
            let problem = error.to_string();
            self.failure = Some(*error);
            return Err(ReplaceError::Failed(problem));
        }
        for (slot, record) in &others {
            match self.policies.iter_mut().find(|(of, _)| of == slot) {
                Some((_, held)) => held.clone_from(record),
                None => self.policies.push((*slot, record.clone())),
            }
        }
        let about = About { policies: self.policies.clone(), ..self.experiment.about.clone() };
        let reader = self.experiment.simulation.with_model_mut(|model, _| model.service().books().reader());
        self.running.is_now(&about, reader);
        Ok(others)
    }

    /// Runs what is left, and gives what has come of it and why it stopped before its end, if it did.
    pub fn finish(self) -> (Results, Option<Error>) {
        let Run { results, stopped, .. } = match self.failure {
            Some(failure) => self.experiment.concluded(Err(failure), Some(self.running)),
            None => self.experiment.run_shown(Some(self.running)),
        };
        (results, stopped)
    }
}
