//! A workflow as it is run: its tasks in order, the numbers of their instances, and what is drawn for a run.

use std::collections::BTreeMap;

use hearth_simcore::time::SimDuration;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::{Condition, Task, Work, Workflow, WorkflowProblem};
use crate::function::Body;

/// A workflow, and what follows from it.
#[derive(Debug)]
pub(super) struct Definition {
    pub workflow: Workflow,
    /// Positions of the tasks, each after those that it follows.
    order: Vec<usize>,
    pub dependents: Vec<Vec<usize>>,
    /// By task: the number of its first instance among all.
    first_instance: Vec<u32>,
}

impl Definition {
    /// A workflow that has been checked.
    pub fn new(workflow: Workflow) -> Result<Self, WorkflowProblem> {
        let order = workflow.order()?;
        let mut first_instance = Vec::with_capacity(workflow.tasks.len());
        let mut instances = 0;
        for task in &workflow.tasks {
            first_instance.push(instances);
            instances += task.map;
        }
        let dependents = workflow.dependents();
        Ok(Self { workflow, order, dependents, first_instance })
    }

    /// The task of an instance, and its number among those of the task.
    pub fn task_of(&self, instance: u32) -> (usize, u32) {
        let task = self.first_instance.partition_point(|first| *first <= instance) - 1;
        (task, instance - self.first_instance[task])
    }

    pub fn instances_of(&self, task: usize) -> std::ops::Range<u32> {
        let first = self.first_instance[task];
        first..first + self.workflow.tasks[task].map
    }

    pub fn instance_name(&self, instance: u32) -> String {
        let (task, number) = self.task_of(instance);
        self.workflow.tasks[task].instance_name(number)
    }

    /// Which tasks are done in a run: those whose condition holds and that follow nobody, or somebody who is done.
    pub fn draw_wanted(&self, random: &mut Pcg64Mcg) -> Vec<bool> {
        let tasks = &self.workflow.tasks;
        let mut choices: BTreeMap<&str, f64> = BTreeMap::new();
        let holds: Vec<bool> = tasks
            .iter()
            .map(|task| match &task.condition {
                Condition::Always => true,
                Condition::Chance(chance) => random.random::<f64>() < *chance,
                Condition::OneOf { choice, probability } => {
                    let left = choices.entry(choice).or_insert_with(|| random.random::<f64>());
                    let was_open = *left >= 0.0;
                    *left -= probability;
                    was_open && *left < 0.0
                }
            })
            .collect();
        let mut wanted = vec![false; tasks.len()];
        for &task in &self.order {
            let after = &tasks[task].after;
            wanted[task] = holds[task] && (after.is_empty() || after.iter().any(|before| wanted[before.task]));
        }
        wanted
    }

    pub fn draw_run_times(&self, random: &mut Pcg64Mcg) -> Vec<SimDuration> {
        let of_task = |task: &Task| match &task.work {
            Work::Drawn(distribution) => {
                let sampler = distribution.sampler();
                (0..task.map).map(|_| SimDuration::from_secs_f64(sampler.draw(random))).collect()
            }
            Work::OfFunction | Work::Own(_) => vec![SimDuration::ZERO; task.map as usize],
        };
        self.workflow.tasks.iter().flat_map(of_task).collect()
    }

    /// What an instance invokes, and with which body if not the function's.
    pub fn body(&self, task: usize, run_time: SimDuration) -> Option<Body> {
        match &self.workflow.tasks[task].work {
            Work::OfFunction => None,
            Work::Own(body) => Some(body.clone()),
            Work::Drawn(_) => Some(Body::Sleep(run_time)),
        }
    }
}
