//! Episodes of a task, one after the other.

use std::fmt;
use std::rc::Rc;

use hearth_policy_api::PolicyContext;
use hearth_policy_api::boundary::{AutoscalingObject, KeepAliveObject};
use hearth_serverless::experiment::{Asker, Experiment, Results, Stepwise};
use hearth_serverless::policy::{Catalog, Factory, OwnPolicies};
use hearth_serverless::scenario::{PolicySection, Scenario, ScenarioError};

use crate::question::Shared;
use crate::{LearningError, Problem, Task, autoscaling, keep_alive};

/// What results call the policy whose place is taken.
const NAME: &str = "environment";

/// What came of an action.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Step {
    /// What has been gained since the action, up to the next decision or the end: less than 0, as it is what that cost.
    pub reward: f64,
    /// The episode has ended.
    pub terminated: bool,
}

/// What came of an episode.
#[derive(Clone, PartialEq, Debug)]
pub struct EpisodeEnd {
    /// The seed of the scenario.
    pub seed: u64,
    /// How many decisions there were.
    pub decisions: u64,
    /// The sum of all rewards.
    pub reward: f64,
    /// What it cost, in the units of [`Task::costs`].
    pub costs: [f64; 2],
    /// Invocations.
    pub invocations: u64,
    /// Of these, started in a container that was made for them.
    pub cold_starts: u64,
}

struct Episode {
    stepwise: Stepwise<(), usize>,
    shared: Rc<Shared>,
    /// What it had cost at the last decision.
    paid: [f64; 2],
    seed: u64,
    decisions: u64,
    reward: f64,
}

/// Plays episodes of a task, one after the other. It stays on its thread; a [`Fleet`](crate::Fleet) has many on several.
pub struct Environment {
    task: Task,
    /// The scenario, with the policy that asks.
    scenario: Scenario,
    catalog: Catalog,
    episode: Option<Episode>,
    ended: Option<(Results, EpisodeEnd)>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("is_under_way", &self.episode.is_some()).finish_non_exhaustive()
    }
}

impl Environment {
    /// An environment in which no episode is under way.
    ///
    /// # Errors
    /// When something is wrong with the scenario that shows before it runs.
    pub fn new(task: &Task) -> Result<Self, LearningError> {
        let environment = Self::unchecked(task);
        environment.prepare(&Rc::default())?;
        Ok(environment)
    }

    /// One of a task of which there has been one before.
    pub(crate) fn unchecked(task: &Task) -> Self {
        let mut scenario = task.scenario().clone();
        let section = Some(PolicySection { name: Some(NAME.to_owned()), ..PolicySection::default() });
        match task.problem() {
            Problem::KeepAlive(_) => scenario.policies.keep_alive = section,
            Problem::Autoscaling(_) => scenario.policies.autoscaling = section,
        }
        let catalog = Catalog::new(hearth_plugins::BUILT_IN);
        Self { task: task.clone(), scenario, catalog, episode: None, ended: None }
    }

    /// Its task.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Begins an episode: the scenario with this seed. One that is under way is stopped.
    ///
    /// # Errors
    /// When the scenario is wrong, or there is nothing to decide in it.
    pub fn reset(&mut self, seed: u64) -> Result<(), LearningError> {
        (self.episode, self.ended) = (None, None);
        self.scenario.seed = seed;
        let shared = Rc::new(Shared::default());
        let mut stepwise = self.prepare(&shared)?;
        if stepwise.begin().is_none() {
            let (_, stopped) = stepwise.end();
            return Err(stopped.map_or(LearningError::NothingToDecide(self.task.subject()), LearningError::from));
        }
        let paid = [0.0, 0.0];
        self.episode = Some(Episode { stepwise, shared, paid, seed, decisions: 0, reward: 0.0 });
        Ok(())
    }

    fn prepare(&self, shared: &Rc<Shared>) -> Result<Stepwise<(), usize>, ScenarioError> {
        Stepwise::prepare(|asker: Asker<(), usize>| {
            let own = own_policies(self.task.problem(), asker, shared);
            let catalog = self.catalog.clone().with_own(own);
            Ok(Experiment::prepare(&self.scenario, &catalog)?.without_records())
        })
    }

    /// Decides, and goes on to the next decision or the end.
    ///
    /// # Errors
    /// When there is no such action, no episode is under way, or the simulation stops before its end.
    pub fn step(&mut self, action: usize) -> Result<Step, LearningError> {
        let actions = self.task.actions();
        if action >= actions {
            return Err(LearningError::Action { action: i64::try_from(action).unwrap_or(i64::MAX), actions });
        }
        let episode = self.episode.as_mut().ok_or(LearningError::NotUnderWay)?;
        let terminated = episode.stepwise.answer(action).is_none();
        let costs = episode.shared.costs();
        let weights = self.task.weights();
        let cost: f64 = (0..2).map(|of| weights[of] * (costs[of] - episode.paid[of])).sum();
        // Not -0.
        let reward = 0.0 - cost;
        episode.paid = costs;
        episode.decisions += 1;
        episode.reward += reward;
        if terminated {
            self.finish()?;
        }
        Ok(Step { reward, terminated })
    }

    fn finish(&mut self) -> Result<(), LearningError> {
        let Episode { stepwise, shared, seed, decisions, reward, .. } =
            self.episode.take().ok_or(LearningError::NotUnderWay)?;
        let (results, stopped) = stepwise.end();
        if let Some(error) = stopped {
            return Err(error.into());
        }
        let invocations = results.metrics.invocations();
        let cold_starts = results.metrics.cold_starts;
        let end = EpisodeEnd { seed, decisions, reward, costs: shared.costs(), invocations, cold_starts };
        self.ended = Some((results, end));
        Ok(())
    }

    /// Writes what is seen at the decision that is due: a number for each of [`Task::features`]. They are 0 where no decision is due.
    pub fn observe(&self, target: &mut [f32]) {
        target.fill(0.0);
        if let Some(Episode { shared, .. }) = &self.episode {
            target.iter_mut().zip(shared.observation.borrow().iter()).for_each(|(to, from)| *to = *from);
        }
    }

    /// The results of the episode that has ended; those of its requests one by one are not among them.
    pub fn results(&self) -> Option<&Results> {
        self.ended.as_ref().map(|(results, _)| results)
    }

    /// What came of the episode that has ended.
    pub fn end(&self) -> Option<&EpisodeEnd> {
        self.ended.as_ref().map(|(_, end)| end)
    }
}

fn own_policies(problem: &Problem, asker: Asker<(), usize>, shared: &Rc<Shared>) -> OwnPolicies {
    let mut own = OwnPolicies::default();
    let shared = Rc::clone(shared);
    match problem.clone() {
        Problem::KeepAlive(task) => {
            let make = move |_: &PolicyContext| keep_alive::Asks::new(&task, asker.clone(), Rc::clone(&shared));
            own.keep_alive.push(Factory::<KeepAliveObject>::in_place(NAME, make));
        }
        Problem::Autoscaling(task) => {
            let make = move |_: &PolicyContext| autoscaling::Asks::new(&task, asker.clone(), Rc::clone(&shared));
            own.autoscaling.push(Factory::<AutoscalingObject>::in_place(NAME, make));
        }
    }
    own
}

#[cfg(test)]
pub(crate) mod tests {
    use hearth_policy_toolbox::{KeepAliveFeatures, Network};
    use hearth_serverless::results::Summary;
    use serde_json::{Value, json};

    use super::*;
    use crate::{AutoscalingTask, KeepAliveTask};

    /// Something made with an asker that nobody answers.
    pub(crate) fn with_asker<T>(make: impl FnOnce(Asker<(), usize>) -> T) -> T {
        let mut made = None;
        let scenario = Task::default_keep_alive();
        let prepared: Result<_, ScenarioError> = Stepwise::prepare(|asker| {
            made = Some(make(asker));
            Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN))
        });
        drop(prepared.unwrap());
        made.unwrap()
    }

    pub(crate) fn keep_alive() -> Task {
        Task::keep_alive(Task::default_keep_alive(), KeepAliveTask::default()).unwrap()
    }

    /// The summary of results without what the policies were called.
    fn summary(results: &Results) -> Value {
        let mut summary = serde_json::to_value(Summary::new(results)).unwrap();
        summary["policies"] = Value::Null;
        summary
    }

    /// The results of a scenario with this policy in a slot, on the usual way.
    fn with_policy(mut scenario: Scenario, seed: u64, slot: &str, policy: &Value) -> Results {
        let section = Some(serde_json::from_value(policy.clone()).unwrap());
        match slot {
            "keep_alive" => scenario.policies.keep_alive = section,
            _ => scenario.policies.autoscaling = section,
        }
        scenario.seed = seed;
        Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap()
    }

    fn play(environment: &mut Environment, seed: u64, mut decide: impl FnMut(&[f32]) -> usize) -> EpisodeEnd {
        let mut observation = vec![0.0; environment.task().features().len()];
        environment.reset(seed).unwrap();
        let mut reward = 0.0;
        loop {
            environment.observe(&mut observation);
            assert!(observation.iter().all(|number| (0.0..=1.0).contains(number)), "{observation:?}");
            let step = environment.step(decide(&observation)).unwrap();
            reward += step.reward;
            if step.terminated {
                break;
            }
        }
        let end = environment.end().unwrap().clone();
        assert_eq!(end.reward, reward);
        end
    }

    #[test]
    fn a_constant_action_is_the_policy_fixed_of_that_time() {
        let mut environment = Environment::new(&keep_alive()).unwrap();
        let mut latencies = Vec::new();
        for (seed, action) in [(1, 0), (1, 3), (2, 3), (3, 8)] {
            let end = play(&mut environment, seed, |_| action);
            let seconds = KeepAliveTask::default().keep_for_s[action];
            let fixed = json!({"use": "fixed", "parameters": {"timeout": format!("{seconds}s")}});
            let expected = with_policy(Task::default_keep_alive(), seed, "keep_alive", &fixed);
            assert_eq!(summary(environment.results().unwrap()), summary(&expected));
            let metrics = &expected.metrics;
            let waited = metrics.cold_start_delay.mean() * metrics.cold_start_delay.count() as f64;
            let close =
                |found: f64, expected: f64| assert!((found - expected).abs() <= 1e-9 * expected, "{found} {expected}");
            close(end.costs[0], waited);
            if seconds > 0.0 {
                close(end.costs[1], metrics.idle_byte_seconds() / 1e9);
            }
            close(-end.reward, end.costs[0] + 0.01 * end.costs[1]);
            assert_eq!((end.decisions, end.cold_starts), (end.invocations, metrics.cold_starts));
            latencies.push(metrics.latency.mean());
        }
        assert!(latencies[0] > latencies[1] && latencies[1] != latencies[2]);
    }

    /// A network that follows one feature, and knows nothing of the others.
    fn network(feature: &str, actions: &[f64]) -> String {
        let features = KeepAliveFeatures::NAMES;
        let weights = actions.iter().enumerate().map(|(action, _)| {
            let weight = |name: &&str| if *name == feature { 1.0 + action as f64 } else { 0.0 };
            features.iter().map(weight).collect::<Vec<f64>>()
        });
        let biases: Vec<f64> = (0..actions.len()).map(|action| -0.1 * (action * action) as f64).collect();
        let layers = json!([{"weights": weights.collect::<Vec<_>>(), "biases": biases, "activation": "none"}]);
        json!({"format": "hearth-network/1", "decides": "keep_for_s", "features": features, "actions": actions, "layers": layers})
            .to_string()
    }

    #[test]
    fn a_network_decides_here_as_it_does_as_a_policy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.json");
        let actions = KeepAliveTask::default().keep_for_s;
        for feature in ["mean_idle_time", "ram", "cold_start_share"] {
            let text = network(feature, &actions);
            std::fs::write(&path, &text).unwrap();
            let mut network = Network::from_json(&text, &hearth_keep_alive_learned::SHAPE).unwrap();
            let mut taken = vec![0; actions.len()];
            let mut environment = Environment::new(&keep_alive()).unwrap();
            play(&mut environment, 5, |observation| {
                let time = network.choose(observation);
                let action = actions.iter().position(|of| *of == time).unwrap();
                taken[action] += 1;
                action
            });
            assert!(taken.iter().filter(|times| **times > 0).count() > 1, "{feature}: {taken:?}");
            let learned = json!({"use": "learned", "parameters": {"network": path}});
            let expected = with_policy(Task::default_keep_alive(), 5, "keep_alive", &learned);
            assert_eq!(summary(environment.results().unwrap()), summary(&expected), "{feature}");
        }
    }

    #[test]
    fn no_change_of_instances_is_the_policy_none_once_one_is_there() {
        let scenario = Task::default_autoscaling();
        let settings = AutoscalingTask { changes: vec![0, 1, 5], ..AutoscalingTask::default() };
        let mut environment = Environment::new(&Task::autoscaling(scenario, settings).unwrap()).unwrap();
        let (mut decisions, mut most) = (0, 0.0_f32);
        let end = play(&mut environment, 3, |observation| {
            decisions += 1;
            most = most.max(observation[1]);
            match decisions {
                1 => 2,
                _ => usize::from(observation[4] > 0.0),
            }
        });
        let metrics = &environment.results().unwrap().metrics;
        assert!(end.invocations > 10_000 && end.decisions > 400 && most > 0.2, "{end:?} {most}");
        // Instances that last to the end are looked at every two seconds.
        let seconds = metrics.instance_seconds();
        assert!((end.costs[1] / seconds - 1.0).abs() < 0.05, "{} of {seconds}", end.costs[1]);
        let waited = metrics.waiting.mean() * metrics.waiting.count() as f64;
        assert!((end.costs[0] / waited - 1.0).abs() < 0.05, "{} of {waited}", end.costs[0]);
    }

    #[test]
    fn the_same_seed_gives_the_same_requests_whatever_is_decided() {
        let mut environment = Environment::new(&keep_alive()).unwrap();
        let mut of = |seed: u64, action: usize| {
            let end = play(&mut environment, seed, |_| action);
            let results = environment.results().unwrap();
            (
                end.invocations,
                results.metrics.functions.iter().map(|of| of.invocations()).collect::<Vec<_>>(),
                end.reward,
            )
        };
        let (short, long, other) = (of(4, 1), of(4, 7), of(5, 1));
        assert_eq!((short.0, &short.1), (long.0, &long.1));
        assert!(short.1 != other.1 && short.2 != long.2);
        assert_eq!(of(4, 1), short, "again");
    }

    #[test]
    fn an_episode_may_be_left_and_what_is_wrong_is_said() {
        let mut environment = Environment::new(&keep_alive()).unwrap();
        assert_eq!(
            environment.step(0).unwrap_err().to_string(),
            "no episode is under way: reset the environment first"
        );
        environment.reset(1).unwrap();
        assert!(!environment.step(3).unwrap().terminated && environment.end().is_none());
        assert_eq!(environment.step(9).unwrap_err().to_string(), "action 9: expected 0 to 8");
        environment.reset(1).unwrap();
        environment.step(0).unwrap();
        let mut idle = Task::default_keep_alive();
        idle.workload = serde_json::from_value(json!({"invocations": []})).unwrap();
        let task = Task::keep_alive(idle, KeepAliveTask::default()).unwrap();
        let problem = Environment::new(&task).unwrap().reset(1).unwrap_err().to_string();
        assert!(
            problem.starts_with("the scenario ends without a decision on how long a container is kept"),
            "{problem}"
        );
        let settings = KeepAliveTask { keep_for_s: vec![1.0, f64::NAN], ..KeepAliveTask::default() };
        let problem = Task::keep_alive(Task::default_keep_alive(), settings).unwrap_err().to_string();
        assert_eq!(problem, "keep_for_s has NaN s: expected times from 0 on");
        let settings = KeepAliveTask { idle_memory_weight: -1.0, ..KeepAliveTask::default() };
        let problem = Task::keep_alive(Task::default_keep_alive(), settings).unwrap_err().to_string();
        assert_eq!(problem, "idle_memory_weight is -1: expected a number from 0 on");
        let mut wrong = Task::default_keep_alive();
        wrong.policies.node_allocation = serde_json::from_value(json!({"use": "nowhere"})).unwrap();
        let task = Task::keep_alive(wrong, KeepAliveTask::default()).unwrap();
        let problem = Environment::new(&task).unwrap_err().to_string();
        assert!(
            problem.starts_with("policies.node_allocation: unknown node allocation policy \"nowhere\""),
            "{problem}"
        );
    }
}
