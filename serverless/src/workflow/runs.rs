//! The runs of a service's workflows: which tasks are done, where their data is, and where the time of a run went.

use std::collections::BTreeMap;

use hearth_simcore::random::stream;
use hearth_simcore::time::{SimDuration, SimTime};

use super::definition::Definition;
use super::{PathTimes, Workflow, WorkflowId, WorkflowOutcome, WorkflowProblem, WorkflowRecord};
use crate::function::{Body, FunctionId};
use crate::invocation::{InvocationRecord, Outcome};

/// The workflows of a service, and their runs that are under way.
#[derive(Debug, Default)]
pub(crate) struct Workflows {
    definitions: Vec<Definition>,
    /// By the number of their first invocation.
    runs: BTreeMap<u64, WorkflowRun>,
    requested: u64,
}

/// A run that is under way.
#[derive(Debug)]
struct WorkflowRun {
    number: u64,
    workflow: u32,
    /// Its position in a listed workload.
    position: Option<u32>,
    requested_at: SimTime,
    tasks: Vec<TaskState>,
    instances: Vec<Instance>,
    requested: u64,
    under_way: u64,
    /// How many instances have ended.
    ended: u64,
    /// The instance that ended last.
    last: Option<u32>,
    failure: Option<String>,
}

/// A task of a run.
#[derive(Clone, Copy, Debug)]
struct TaskState {
    /// Whether its condition holds.
    is_wanted: bool,
    /// How many tasks must still end before it.
    missing: u32,
    /// How many of its instances have not completed.
    open: u32,
    /// The instance that ended last.
    last: u32,
}

/// An instance of a task: an invocation.
#[derive(Clone, Copy, Debug, Default)]
struct Instance {
    /// How long it runs, where that is drawn.
    run_time: SimDuration,
    end: Option<TaskEnd>,
    /// How many of the run had ended before it.
    rank: u64,
}

/// What remains of an invocation for those that follow it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskEnd {
    outcome: Outcome,
    node: u32,
    /// How often its node had been down: once more, and its data is gone.
    outages: u32,
    dispatched: SimTime,
    started: SimTime,
    /// When its data was there.
    ready: SimTime,
    finished: SimTime,
}

impl TaskEnd {
    /// An invocation that has ended, whose data was there at this date and whose node had been down so often.
    pub fn new(record: &InvocationRecord, ready: Option<SimTime>, outages: u32) -> Self {
        let finished = record.finished_at.unwrap_or_default();
        let started = record.started_at.unwrap_or(finished);
        Self {
            outcome: record.outcome,
            node: record.node.unwrap_or(u32::MAX),
            outages,
            dispatched: record.dispatched_at.unwrap_or(started),
            started,
            ready: ready.unwrap_or(started),
            finished,
        }
    }
}

/// Where the data of a task is, with the bytes.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub registry: u64,
    /// By node, but for the task's own.
    pub nodes: BTreeMap<u32, u64>,
}

impl WorkflowRun {
    /// The chain of instances that each waited for the one before it last, from the first to the last of a run.
    fn critical_path(&self, definition: &Definition) -> Vec<u32> {
        let mut path: Vec<u32> = self.last.into_iter().collect();
        while let Some(&instance) = path.last() {
            let before = definition.workflow.tasks[definition.task_of(instance).0]
                .after
                .iter()
                .map(|dependency| dependency.task);
            let before = before.filter(|task| self.tasks[*task].is_wanted).map(|task| self.tasks[task].last);
            let Some(last) = before.max_by_key(|instance| self.instances[*instance as usize].rank) else { break };
            path.push(last);
        }
        path.reverse();
        path
    }

    fn times(&self, path: &[u32]) -> PathTimes {
        let mut times = PathTimes::default();
        let mut before = self.requested_at;
        for end in path.iter().filter_map(|instance| self.instances[*instance as usize].end) {
            times.waiting += end.dispatched - before;
            times.starting += end.started - end.dispatched;
            times.transfer += end.ready - end.started;
            times.running += end.finished - end.ready;
            before = end.finished;
        }
        times
    }
}

/// Which task of which run an invocation is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskOfRun {
    pub workflow: WorkflowId,
    /// The number of the run.
    pub run: u64,
    /// The position of the task in the workflow.
    pub task: u32,
}

/// What an instance of a task asks for: the number of the invocation, the function, and a body of its own.
pub(crate) type TaskRequest = (u64, FunctionId, Option<Body>);

/// What the end of an invocation sets in motion.
#[derive(Debug)]
pub(crate) struct Consequence {
    /// The number of the run's first invocation.
    pub first: u64,
    /// Tasks that waited only for it.
    pub ready: Vec<usize>,
    /// Whether nothing of the run is under way any more.
    pub is_over: bool,
}

impl Workflows {
    /// Takes a workflow in that has been checked.
    pub fn add(&mut self, workflow: Workflow) -> Result<WorkflowId, WorkflowProblem> {
        self.definitions.push(Definition::new(workflow)?);
        Ok(WorkflowId(self.definitions.len() as u32 - 1))
    }

    /// All workflows.
    pub fn all(&self) -> impl Iterator<Item = (WorkflowId, &Workflow)> {
        (0..).map(WorkflowId).zip(self.definitions.iter().map(|definition| &definition.workflow))
    }

    /// Whether there is a workflow of this name.
    pub fn has(&self, name: &str) -> bool {
        self.definitions.iter().any(|definition| definition.workflow.name == name)
    }

    /// How many instances the tasks of a workflow have.
    pub fn instances(&self, workflow: WorkflowId) -> u64 {
        self.definitions.get(workflow.0 as usize).map_or(0, |definition| definition.workflow.instances())
    }

    /// Begins a run whose invocations have the numbers from `first` on; gives the tasks that follow nobody.
    pub fn begin(
        &mut self,
        workflow: WorkflowId,
        position: Option<u32>,
        first: u64,
        requested_at: SimTime,
        seed: u64,
    ) -> Vec<usize> {
        let Some(definition) = self.definitions.get(workflow.0 as usize) else { return Vec::new() };
        let number = self.requested;
        // One stream for each run, so that all policies meet the same runs, whatever is under way beside them.
        let mut random = stream(seed, &format!("workflow run {number}"));
        let wanted = definition.draw_wanted(&mut random);
        let state = |(task, is_wanted): (usize, &bool)| {
            let described = &definition.workflow.tasks[task];
            let missing = described.after.iter().filter(|before| wanted[before.task]).count() as u32;
            TaskState { is_wanted: *is_wanted, missing, open: described.map, last: 0 }
        };
        let tasks: Vec<TaskState> = wanted.iter().enumerate().map(state).collect();
        let is_ready = |task: &usize| tasks[*task].is_wanted && tasks[*task].missing == 0;
        let ready = (0..tasks.len()).filter(is_ready).collect();
        let run_times = definition.draw_run_times(&mut random).into_iter();
        let instances = run_times.map(|run_time| Instance { run_time, ..Instance::default() }).collect();
        let (requested, under_way, ended, last, failure) = (0, 0, 0, None, None);
        let workflow = workflow.0;
        let run = WorkflowRun {
            number,
            workflow,
            position,
            requested_at,
            tasks,
            instances,
            requested,
            under_way,
            ended,
            last,
            failure,
        };
        self.requested += 1;
        self.runs.insert(first, run);
        ready
    }

    /// Begins with all instances of a task; says what they ask for.
    pub fn begin_task(&mut self, first: u64, task: usize) -> Vec<TaskRequest> {
        let Some(run) = self.runs.get_mut(&first) else { return Vec::new() };
        let definition = &self.definitions[run.workflow as usize];
        let (function, range) = (definition.workflow.tasks[task].function, definition.instances_of(task));
        run.requested += range.len() as u64;
        run.under_way += range.len() as u64;
        let body = |instance: u32| definition.body(task, run.instances[instance as usize].run_time);
        range.map(|instance| (first + u64::from(instance), function, body(instance))).collect()
    }

    /// Notes the end of an invocation; `None` if it is not part of a run. Once one has not completed, nothing follows.
    pub fn end(&mut self, invocation: u64, end: TaskEnd, failure: Option<&str>) -> Option<Consequence> {
        let (first, instance) = self.find(invocation)?;
        let run = self.runs.get_mut(&first)?;
        let definition = &self.definitions[run.workflow as usize];
        run.under_way -= 1;
        let ended = &mut run.instances[instance as usize];
        (ended.end, ended.rank) = (Some(end), run.ended);
        run.ended += 1;
        run.last = Some(instance);
        let mut ready = Vec::new();
        if end.outcome == Outcome::Completed {
            let (task, _) = definition.task_of(instance);
            let state = &mut run.tasks[task];
            state.open -= 1;
            if state.open == 0 {
                state.last = instance;
                for &dependent in &definition.dependents[task] {
                    let following = &mut run.tasks[dependent];
                    following.missing -= 1;
                    ready.extend((following.missing == 0 && following.is_wanted).then_some(dependent));
                }
            }
        } else if run.failure.is_none() {
            let why = failure.map_or(String::new(), |failure| format!(": {failure}"));
            run.failure = Some(format!("task {:?} {}{why}", definition.instance_name(instance), end.outcome.as_str()));
        }
        if run.failure.is_some() {
            ready.clear();
        }
        Some(Consequence { first, is_over: run.under_way == 0 && ready.is_empty(), ready })
    }

    /// Ends a run; gives its record, and its position in a listed workload.
    pub fn finish(&mut self, first: u64) -> Option<(WorkflowRecord, Option<u32>)> {
        let run = self.runs.remove(&first)?;
        let outcome = if run.failure.is_some() { WorkflowOutcome::Failed } else { WorkflowOutcome::Completed };
        Some((self.record(first, &run, outcome), run.position))
    }

    /// Whether runs are under way.
    pub fn is_running(&self) -> bool {
        !self.runs.is_empty()
    }

    pub fn len(&self) -> usize {
        self.definitions.len()
    }

    fn definition(&self, run: &WorkflowRun) -> &Definition {
        &self.definitions[run.workflow as usize]
    }

    /// The run that an invocation is part of, by the number of its first invocation, and which instance it is.
    fn find(&self, invocation: u64) -> Option<(u64, u32)> {
        let (&first, run) = self.runs.range(..=invocation).next_back()?;
        let instance = invocation - first;
        (instance < run.instances.len() as u64).then_some((first, instance as u32))
    }

    /// Which task an invocation is; `None` if it is not part of a run that is under way.
    pub fn task_of(&self, invocation: u64) -> Option<TaskOfRun> {
        let (first, instance) = self.find(invocation)?;
        let run = self.runs.get(&first)?;
        let (task, _) = self.definition(run).task_of(instance);
        Some(TaskOfRun { workflow: WorkflowId(run.workflow), run: run.number, task: task as u32 })
    }

    /// Where the data is that an invocation needs which runs on a node; `None` if it is not part of a workflow. `nodes`
    /// tells how often a node has been down, and its name.
    ///
    /// # Errors
    /// When data has been lost.
    pub fn inputs<'a>(
        &self,
        invocation: u64,
        node: u32,
        nodes: impl Fn(u32) -> Option<(u32, &'a str)>,
    ) -> Option<Result<Inputs, String>> {
        let (first, instance) = self.find(invocation)?;
        let run = self.runs.get(&first)?;
        let definition = self.definition(run);
        let task = &definition.workflow.tasks[definition.task_of(instance).0];
        let mut inputs = Inputs { registry: task.input, ..Inputs::default() };
        let with_data = task.after.iter().filter(|before| before.bytes > 0 && run.tasks[before.task].is_wanted);
        for before in with_data {
            for source in definition.instances_of(before.task) {
                let Some(end) = run.instances[source as usize].end else { continue };
                let Some((outages, name)) = nodes(end.node) else { continue };
                if outages != end.outages {
                    let task = definition.instance_name(source);
                    return Some(Err(format!("the data of task {task:?} was lost with node {name:?}")));
                }
                if end.node != node {
                    let bytes = inputs.nodes.entry(end.node).or_default();
                    *bytes = bytes.saturating_add(before.bytes);
                }
            }
        }
        Some(Ok(inputs))
    }

    /// The record of a run as it stands.
    fn record(&self, first: u64, run: &WorkflowRun, outcome: WorkflowOutcome) -> WorkflowRecord {
        let definition = self.definition(run);
        let path = if outcome == WorkflowOutcome::Completed { run.critical_path(definition) } else { Vec::new() };
        let last = run.last.and_then(|instance| run.instances[instance as usize].end);
        let finished = last.map_or(run.requested_at, |end| end.finished);
        WorkflowRecord {
            run: run.number,
            workflow: WorkflowId(run.workflow),
            name: definition.workflow.name.clone(),
            first_invocation: first,
            requested_at: Some(run.requested_at),
            finished_at: (outcome != WorkflowOutcome::Unfinished).then_some(finished),
            outcome,
            failure: run.failure.clone(),
            deadline: definition.workflow.deadline,
            tasks: run.requested,
            not_run: run.instances.len() as u64 - run.requested,
            times: run.times(&path),
            critical_path: path.iter().map(|instance| definition.instance_name(*instance)).collect(),
        }
    }

    /// The records of runs that have not ended, and will not.
    pub fn unfinished(&mut self) -> Vec<WorkflowRecord> {
        let runs = std::mem::take(&mut self.runs);
        runs.iter().map(|(first, run)| self.record(*first, run, WorkflowOutcome::Unfinished)).collect()
    }

    /// The record of a run that was never requested.
    pub fn unasked(&mut self, workflow: WorkflowId) -> WorkflowRecord {
        let workflow_of = &self.definitions[workflow.0 as usize].workflow;
        self.requested += 1;
        WorkflowRecord {
            run: self.requested - 1,
            workflow,
            name: workflow_of.name.clone(),
            first_invocation: 0,
            requested_at: None,
            finished_at: None,
            outcome: WorkflowOutcome::Unfinished,
            failure: None,
            deadline: workflow_of.deadline,
            tasks: 0,
            not_run: workflow_of.instances(),
            times: PathTimes::default(),
            critical_path: Vec::new(),
        }
    }
}
