//! What is to be learned: a scenario, and what is decided in it.

use hearth_policy_toolbox::KeepAliveFeatures;
use hearth_serverless::scenario::Scenario;

use crate::{AUTOSCALING_FEATURES, AutoscalingTask, KeepAliveTask, LearningError};

const KEEP_ALIVE: &str = include_str!("../scenarios/keep-alive.json");
const AUTOSCALING: &str = include_str!("../scenarios/autoscaling.json");

/// What is decided.
#[derive(Clone, PartialEq, Debug)]
pub enum Problem {
    /// How long idle containers are kept.
    KeepAlive(KeepAliveTask),
    /// How many instances functions have.
    Autoscaling(AutoscalingTask),
}

/// A scenario, and what is decided in it.
#[derive(Clone, Debug)]
pub struct Task {
    scenario: Scenario,
    problem: Problem,
}

impl Task {
    /// To decide how long idle containers are kept in a scenario, in which the keep-alive policy is replaced.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub fn keep_alive(scenario: Scenario, settings: KeepAliveTask) -> Result<Self, LearningError> {
        settings.check()?;
        Ok(Self { scenario, problem: Problem::KeepAlive(settings) })
    }

    /// To decide how many instances functions have in a scenario, in which the policy of autoscaling is replaced.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub fn autoscaling(scenario: Scenario, settings: AutoscalingTask) -> Result<Self, LearningError> {
        settings.check()?;
        Ok(Self { scenario, problem: Problem::Autoscaling(settings) })
    }

    /// The scenario of keep-alive for who has none.
    pub fn default_keep_alive() -> Scenario {
        Scenario::from_json(KEEP_ALIVE).expect("a scenario of the crate is right")
    }

    /// The scenario of autoscaling for who has none.
    pub fn default_autoscaling() -> Scenario {
        Scenario::from_json(AUTOSCALING).expect("a scenario of the crate is right")
    }

    /// The text of the scenario of keep-alive for who has none.
    pub fn keep_alive_text() -> &'static str {
        KEEP_ALIVE
    }

    /// The text of the scenario of autoscaling for who has none.
    pub fn autoscaling_text() -> &'static str {
        AUTOSCALING
    }

    /// The scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What is decided.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// What an observation is made of, by name and in order. Each number is from 0 to 1.
    pub fn features(&self) -> &'static [&'static str] {
        match self.problem {
            Problem::KeepAlive(_) => &KeepAliveFeatures::NAMES,
            Problem::Autoscaling(_) => &AUTOSCALING_FEATURES,
        }
    }

    /// How many actions there are.
    pub fn actions(&self) -> usize {
        match &self.problem {
            Problem::KeepAlive(task) => task.keep_for_s.len(),
            Problem::Autoscaling(task) => task.changes.len(),
        }
    }

    /// What the two costs are called of which rewards are made, with their units.
    pub fn costs(&self) -> [&'static str; 2] {
        match self.problem {
            Problem::KeepAlive(_) => ["cold_start_delay_s", "idle_memory_gb_s"],
            Problem::Autoscaling(_) => ["waiting_request_s", "instance_s"],
        }
    }

    pub(crate) fn weights(&self) -> [f64; 2] {
        match &self.problem {
            Problem::KeepAlive(task) => [task.cold_start_weight, task.idle_memory_weight],
            Problem::Autoscaling(task) => [task.waiting_weight, task.instance_weight],
        }
    }

    /// What is decided, in words.
    pub(crate) fn subject(&self) -> &'static str {
        match self.problem {
            Problem::KeepAlive(_) => "how long a container is kept",
            Problem::Autoscaling(_) => "how many instances a function has",
        }
    }
}
