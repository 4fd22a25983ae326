//! Workflows: functions that follow one another, hand data on, fan out and branch (the timing model, section 13).

mod definition;
mod record;
mod runs;
mod wfcommons;

use hearth_simcore::time::SimDuration;

use crate::distribution::Distribution;
use crate::function::{Body, FunctionId};

pub use record::{PathTimes, WorkflowOutcome, WorkflowRecord};
pub(crate) use runs::{Consequence, Inputs, TaskEnd, TaskOfRun, TaskRequest, Workflows};
pub use wfcommons::{WfCommonsError, WfCommonsTask, WfCommonsWorkflow};

/// No workflow has more instances of tasks: a larger number is a slip of the pen.
pub(crate) const MAX_INSTANCES: u64 = 1_000_000;

/// Names a workflow of a service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WorkflowId(pub(crate) u32);

impl WorkflowId {
    /// Its number: workflows are numbered from 0 in the order in which they were created.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// What an invocation or arrival asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Callee {
    /// A function.
    Function(FunctionId),
    /// A run of a workflow.
    Workflow(WorkflowId),
}

impl From<FunctionId> for Callee {
    fn from(function: FunctionId) -> Self {
        Self::Function(function)
    }
}

impl From<WorkflowId> for Callee {
    fn from(workflow: WorkflowId) -> Self {
        Self::Workflow(workflow)
    }
}

/// A directed acyclic graph of tasks, each of which invokes a function.
///
/// ```
/// use hearth_serverless::prelude::*;
/// use hearth_serverless::workflow::{Dependency, Task, Workflow};
/// # let platform = PlatformBuilder::new()
/// #     .host("head", HostSpec::new(1, 1e9)).host("node", HostSpec::new(4, 1e9).ram(8 * GB)).build()?;
/// # let mut simulation = Simulation::new(platform, 42);
/// # let service = ServerlessComputeService::builder("head").nodes(&["node"])
/// #     .policies(PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN))?).start(&mut simulation)?;
/// # let body = Body::steps([Step::Sleep(secs(2))]);
/// # let limits = Limits { ram: 128 * MB, ..Limits::default() };
/// # let function = Function { name: "work".to_owned(), image: None, limits, startup_overhead: None, body };
/// let function = service.register(&mut simulation, function)?;
/// // One task, then three instances of another, each of which gets a megabyte.
/// let split = Task::new("split", function);
/// let work = Task { after: vec![Dependency { task: 0, bytes: MB }], map: 3, ..Task::new("work", function) };
/// let workflow = Workflow { name: "fan-out".to_owned(), tasks: vec![split, work], deadline: Some(secs(10)) };
/// let workflow = service.create_workflow(&mut simulation, workflow)?;
/// let callee = workflow.into();
/// let run = PlannedInvocation { at: None, after: vec![], delay: SimDuration::ZERO, callee, body: None };
/// service.set_workload(&mut simulation, vec![run])?;
/// simulation.run()?;
/// let runs = service.workflow_records(&mut simulation);
/// assert_eq!((runs[0].tasks, runs[0].makespan()), (4, Some(secs(4))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Workflow {
    /// Its name, unique within the service.
    pub name: String,
    /// What is to be done; a task may come before those that it follows.
    pub tasks: Vec<Task>,
    /// How long a run may take; nothing is stopped that takes longer.
    pub deadline: Option<SimDuration>,
}

/// A node of a [`Workflow`].
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name, unique within the workflow.
    pub name: String,
    /// What each instance invokes.
    pub function: FunctionId,
    /// What each instance does.
    pub work: Work,
    /// Which tasks must have ended before.
    pub after: Vec<Dependency>,
    /// How many instances there are, beside one another.
    pub map: u32,
    /// Bytes that each instance takes from the disk of the registry.
    pub input: u64,
    /// Whether it is done in every run.
    pub condition: Condition,
}

impl Task {
    /// One instance, in every run, that follows nobody and does what its function does.
    pub fn new(name: &str, function: FunctionId) -> Self {
        let (work, condition) = (Work::OfFunction, Condition::Always);
        Self { name: name.to_owned(), function, work, after: Vec::new(), map: 1, input: 0, condition }
    }

    /// The name of one of its instances.
    pub(crate) fn instance_name(&self, instance: u32) -> String {
        if self.map == 1 { self.name.clone() } else { format!("{}[{instance}]", self.name) }
    }
}

/// What an instance of a task does.
#[derive(Clone, Debug)]
pub enum Work {
    /// What its function does.
    OfFunction,
    /// This.
    Own(Body),
    /// It lets time pass, in seconds, drawn for each instance when the run is requested.
    Drawn(Distribution),
}

/// A task that another one follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dependency {
    /// Its position in the workflow.
    pub task: usize,
    /// Bytes that each of its instances hands to each instance that follows.
    pub bytes: u64,
}

/// Whether a task is done in a run; drawn when the run is requested. A task that follows others is not done if none of
/// those is; of those that are not done nothing is awaited.
#[derive(Clone, PartialEq, Debug)]
pub enum Condition {
    /// It is.
    Always,
    /// With this chance.
    Chance(f64),
    /// With this chance, and then no other task of the same choice is.
    OneOf {
        /// The name of the choice.
        choice: String,
        /// The chance; those of a choice add up to 1 at the most.
        probability: f64,
    },
}

/// What is wrong with a workflow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkflowProblem {
    /// The position of the task that it is about.
    pub task: Option<usize>,
    /// Which of its fields.
    pub field: &'static str,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl std::fmt::Display for WorkflowProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(task) = self.task {
            write!(f, "tasks[{task}].")?;
        }
        write!(f, "{}: {}", self.field, self.problem)
    }
}

impl Workflow {
    /// How many instances its tasks have in all.
    pub(crate) fn instances(&self) -> u64 {
        self.tasks.iter().map(|task| u64::from(task.map)).sum()
    }

    /// Checks what types cannot: names that repeat, numbers that make no sense, orders that cannot be.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), WorkflowProblem> {
        let of_all = |problem: &str| WorkflowProblem { task: None, field: "tasks", problem: problem.to_owned() };
        if self.tasks.is_empty() {
            return Err(of_all("there are none: a workflow needs at least one"));
        }
        if self.instances() > MAX_INSTANCES {
            return Err(of_all(&format!("have more than {MAX_INSTANCES} instances in all")));
        }
        let mut names = std::collections::BTreeMap::new();
        for (position, task) in self.tasks.iter().enumerate() {
            let wrong = |field, problem: String| WorkflowProblem { task: Some(position), field, problem };
            if task.name.is_empty() {
                return Err(wrong("name", "is empty: give it a name".to_owned()));
            }
            if let Some(first) = names.insert(task.name.as_str(), position) {
                let problem = format!("{:?} is the name of task {first} already: names must differ", task.name);
                return Err(wrong("name", problem));
            }
            if task.map == 0 {
                return Err(wrong("map", "must be at least 1".to_owned()));
            }
            if let Some(unknown) = task.after.iter().find(|dependency| dependency.task >= self.tasks.len()) {
                return Err(wrong("after", format!("there is no task {}", unknown.task)));
            }
            let mut before: Vec<usize> = task.after.iter().map(|dependency| dependency.task).collect();
            before.sort_unstable();
            if let Some(twice) = before.windows(2).find(|pair| pair[0] == pair[1]) {
                let name = self.tasks.get(twice[0]).map_or("", |task| task.name.as_str());
                return Err(wrong("after", format!("names task {name:?} twice: name it once, with all its data")));
            }
            if let Work::Drawn(distribution) = &task.work {
                distribution.check().map_err(|problem| wrong("run_time", problem))?;
            }
            if let Condition::Chance(chance) | Condition::OneOf { probability: chance, .. } = task.condition
                && !(0.0..=1.0).contains(&chance)
            {
                return Err(wrong("probability", "must be from 0 to 1".to_owned()));
            }
        }
        self.check_choices()?;
        self.order().map(drop)
    }

    fn check_choices(&self) -> Result<(), WorkflowProblem> {
        let mut sums = std::collections::BTreeMap::new();
        for (position, task) in self.tasks.iter().enumerate() {
            let Condition::OneOf { choice, probability } = &task.condition else { continue };
            let sum = sums.entry(choice.as_str()).or_insert(0.0);
            *sum += probability;
            // Room for sums like that of ten tenths.
            if *sum > 1.0 + 1e-9 {
                let problem = format!("makes those of choice {choice:?} add up to {sum}: 1 is the most");
                return Err(WorkflowProblem { task: Some(position), field: "probability", problem });
            }
        }
        Ok(())
    }

    /// The positions of the tasks in an order in which each comes after those that it follows.
    ///
    /// # Errors
    /// When there is a cycle.
    pub(crate) fn order(&self) -> Result<Vec<usize>, WorkflowProblem> {
        let dependents = self.dependents();
        let mut missing: Vec<usize> = self.tasks.iter().map(|task| task.after.len()).collect();
        let mut order: Vec<usize> = (0..self.tasks.len()).filter(|task| missing[*task] == 0).collect();
        let mut next = 0;
        while let Some(&task) = order.get(next) {
            next += 1;
            for &dependent in &dependents[task] {
                missing[dependent] -= 1;
                if missing[dependent] == 0 {
                    order.push(dependent);
                }
            }
        }
        match missing.iter().position(|missing| *missing > 0) {
            None => Ok(order),
            Some(task) => {
                let problem = "is part of a cycle, or follows one, so that it can never begin".to_owned();
                Err(WorkflowProblem { task: Some(task), field: "after", problem })
            }
        }
    }

    /// By task: the positions of those that follow it.
    pub(crate) fn dependents(&self) -> Vec<Vec<usize>> {
        let mut dependents = vec![Vec::new(); self.tasks.len()];
        for (position, task) in self.tasks.iter().enumerate() {
            task.after.iter().for_each(|dependency| dependents[dependency.task].push(position));
        }
        dependents
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str, after: &[usize]) -> Task {
        let after = after.iter().map(|task| Dependency { task: *task, bytes: 0 }).collect();
        Task { after, ..Task::new(name, FunctionId(0)) }
    }

    fn workflow(tasks: Vec<Task>) -> Workflow {
        Workflow { name: "w".to_owned(), tasks, deadline: None }
    }

    #[test]
    fn tasks_come_after_those_that_they_follow_wherever_they_stand() {
        let diamond =
            workflow(vec![task("join", &[1, 2]), task("left", &[3]), task("right", &[3]), task("split", &[])]);
        assert_eq!(diamond.order(), Ok(vec![3, 1, 2, 0]));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let problem = |tasks: Vec<Task>| {
            let WorkflowProblem { task, field, problem } = workflow(tasks).check().unwrap_err();
            (task, field, problem)
        };
        let one_of = |probability| Condition::OneOf { choice: "size".to_owned(), probability };
        let chance = |condition| Task { condition, ..task("a", &[]) };
        assert_eq!(problem(vec![]).2, "there are none: a workflow needs at least one");
        assert_eq!(problem(vec![task("a", &[]), task("a", &[])]).0, Some(1));
        assert_eq!(problem(vec![task("", &[])]).1, "name");
        assert_eq!(problem(vec![Task { map: 0, ..task("a", &[]) }]).1, "map");
        assert_eq!(problem(vec![task("a", &[1])]).2, "there is no task 1");
        let twice = problem(vec![task("a", &[]), task("b", &[0, 0])]);
        assert_eq!(twice, (Some(1), "after", "names task \"a\" twice: name it once, with all its data".to_owned()));
        assert_eq!(problem(vec![chance(Condition::Chance(1.5))]).1, "probability");
        let sum = problem(vec![chance(one_of(0.7)), Task { name: "b".to_owned(), ..chance(one_of(0.4)) }]);
        assert_eq!((sum.0, sum.2.starts_with("makes those of choice \"size\" add up to 1.1")), (Some(1), true));
        let cycle = problem(vec![task("a", &[]), task("b", &[0, 2]), task("c", &[1])]);
        assert_eq!((cycle.0, cycle.1), (Some(1), "after"));
        let many = vec![Task { map: u32::MAX, ..task("a", &[]) }];
        assert_eq!(problem(many).2, "have more than 1000000 instances in all");
        let drawn = Work::Drawn(Distribution::Constant(-1.0));
        assert_eq!(problem(vec![Task { work: drawn, ..task("a", &[]) }]).1, "run_time");
    }
}
