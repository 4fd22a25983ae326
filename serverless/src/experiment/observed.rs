//! What is noted of the calls of policies while an experiment runs.

use std::io::Write;
use std::path::Path;
use std::rc::Rc;

use super::Experiment;
use crate::decisions::{
    DecisionLog, DecisionSink, DecisionsHeader, LogError, LoggedPolicy, Observation, Observers, PolicyLog, Recorder,
    Views,
};
use crate::error::Error;
use crate::policy::{Catalog, PolicyRecord, PolicySlot};
use crate::scenario::{Scenario, ScenarioError};
use crate::workload::compressed;

impl Experiment {
    /// Does the same as [`Experiment::prepare`], and notes what policies are asked and say from their making on, for
    /// [`Experiment::decide_into`] and [`Experiment::log_into`]. Nothing else comes of the experiment for it.
    ///
    /// # Errors
    /// What is wrong, with its place in the scenario.
    pub fn prepare_observed(
        scenario: &Scenario,
        catalog: &Catalog,
        observation: &Observation,
    ) -> Result<Self, ScenarioError> {
        let Observation { decisions, is_timed, log: _, instead } = observation.clone();
        let calls = decisions.or(instead.as_ref().map(|_| Views::None));
        let recorder = calls.map(|views| Rc::new(Recorder::new(views, is_timed, instead)));
        let log = observation.log.map(|level| Rc::new(PolicyLog::new(level)));
        let prepared = Self::prepared(scenario, catalog, Observers { recorder, log, calls: None });
        prepared.map_err(|error| scenario.explained(error))
    }

    pub(super) fn observers(&mut self) -> Observers {
        self.simulation.with_model_mut(|model, _| model.service().observers().clone())
    }

    /// What the log of decisions is of; none where no decisions are noted.
    pub fn decisions_header(&mut self) -> Option<DecisionsHeader> {
        let views = self.observers().recorder?.views();
        let slots: Vec<PolicySlot> = self.about.policies.iter().map(|(slot, _)| *slot).collect();
        let controllers = self.simulation.with_model_mut(|model, _| {
            let service = model.service();
            slots.iter().map(|slot| service.is_of_controller(*slot)).collect::<Vec<_>>()
        });
        let about = &self.about;
        let mut header = DecisionsHeader::new(views, about.name.clone(), about.seed);
        header.policies = about.policies.iter().zip(controllers).map(logged).collect();
        header.functions.clone_from(&about.functions);
        header.nodes.clone_from(&about.nodes);
        Some(header)
    }

    /// Passes each call of each policy on, in order, from the making of their instances on. [`Experiment::prepare_observed`] must have been
    /// asked to note them; nothing is passed on otherwise.
    ///
    /// # Errors
    /// When what was called already cannot be passed on.
    pub fn decide_into(mut self, sink: Box<dyn DecisionSink>) -> Result<Self, Error> {
        if let (Some(recorder), Some(header)) = (self.observers().recorder, self.decisions_header()) {
            recorder.set_sink(sink, &header).map_err(|error| Error::unwritten("decisions", &error))?;
        }
        Ok(self)
    }

    /// Writes what policies say by themselves ([`Actions::log`](hearth_policy_api::Actions::log)): a line for each, with the simulated date
    /// in seconds, the level and the slot. [`Experiment::prepare_observed`] must have been asked for a level; nothing is written otherwise.
    ///
    /// ```
    /// # use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
    /// use hearth_policy_api::{Actions, Completion, KeepAlive, LogLevel, Retention, boundary::KeepAliveObject};
    /// use hearth_serverless::decisions::Observation;
    /// use hearth_serverless::policy::{Factory, OwnPolicies};
    ///
    /// struct Talks(Actions);
    /// impl KeepAlive for Talks {
    ///     fn on_idle(&mut self, completion: &Completion<'_>) -> Retention {
    ///         self.0.log(LogLevel::Info, format_args!("node {} has an idle container", completion.node));
    ///         Retention { keep_for: 0 }
    ///     }
    /// }
    /// # let scenario = Scenario::from_json(r#"{"format": "hearth-scenario/1",
    /// #     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
    /// #     "service": {"head": "all", "registry": "all", "nodes": ["all"]}, "functions": [{"name": "f"}],
    /// #     "policies": {"keep_alive": {"use": "talks"}},
    /// #     "workload": {"invocations": [{"at": 1.5, "function": "f", "body": [{"sleep": "500ms"}]}]}}"#)?;
    /// let talks = Factory::<KeepAliveObject>::in_place("talks", |context| Talks(context.actions()));
    /// let own = OwnPolicies { keep_alive: vec![talks], ..OwnPolicies::default() };
    /// let catalog = Catalog::new(hearth_plugins::BUILT_IN).with_own(own);
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("policy.log");
    /// let observation = Observation { log: Some(LogLevel::Info), ..Observation::default() };
    /// let experiment = Experiment::prepare_observed(&scenario, &catalog, &observation)?;
    /// experiment.log_into(Box::new(std::fs::File::create(&path)?))?.run()?;
    /// assert_eq!(std::fs::read_to_string(&path)?, "2.000000000 info keep_alive: node 0 has an idle container\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When what was said already cannot be written.
    pub fn log_into(mut self, target: Box<dyn Write>) -> Result<Self, Error> {
        if let Some(log) = self.observers().log {
            log.set_target(target).map_err(|error| Error::unwritten("log of policies", &error))?;
        }
        Ok(self)
    }

    /// Nobody asks for what is noted any more.
    pub(super) fn begin_observation(&mut self) {
        let Observers { recorder, log, .. } = self.observers();
        recorder.iter().for_each(|recorder| recorder.begin());
        log.iter().for_each(|log| log.begin());
    }

    /// Nothing is called any more; the error of who could not take what was noted.
    pub(super) fn end_observation(&mut self) -> Option<Error> {
        self.simulation.with_model_mut(|model, _| model.service().end_observation())
    }
}

/// Opens a log of decisions, decompressing it if its name ends in `.gz` or `.zst`.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn open_decisions(path: &Path) -> Result<DecisionLog, LogError> {
    let lines = compressed::open(path).map_err(|problem| LogError { line: 0, problem })?;
    DecisionLog::new(lines)
}

fn logged(((slot, record), controller): (&(PolicySlot, PolicyRecord), bool)) -> LoggedPolicy {
    let PolicyRecord { name, version, library: _, library_sha256, parameters } = record.clone();
    LoggedPolicy { slot: *slot, name, version, controller, library_sha256, parameters }
}
