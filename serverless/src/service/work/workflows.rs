//! Runs of workflows in the service: what begins when, and what is done when all has ended (the timing model, section 13).

use std::rc::Rc;

use hearth_policy_api::{PolicySlot, Records, Slice, TaskView, WorkflowView};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::network::Endpoint;
use hearth_simcore::time::SimDuration;

use crate::error::Error;
use crate::function::call::FunctionError;
use crate::node::NodeId;
use crate::service::Service;
use crate::service::attempts::{Attempt, AttemptKey};
use crate::service::event::{Event, Happening, Message};
use crate::service::explain::Timed;
use crate::workflow::{Consequence, Inputs, TaskEnd, TaskRequest, Workflow, WorkflowId};

/// What remains of an invocation that has ended for the tasks after it.
pub(in crate::service) fn task_end(attempt: &Attempt) -> TaskEnd {
    let (ready, outages) = attempt.execution().map_or((None, 0), |of_task| (of_task.ready_at, of_task.outages));
    TaskEnd::new(&attempt.record, ready, outages)
}

impl Service {
    /// Takes a workflow in.
    pub(crate) fn create_workflow(&mut self, workflow: Workflow) -> Result<WorkflowId, Error> {
        let name = workflow.name.clone();
        if self.work.workflows.has(&name) {
            return Err(Error::DuplicateName { what: "workflow", name });
        }
        if let Some(foreign) =
            workflow.tasks.iter().find(|task| self.registry.functions().find(task.function).is_none())
        {
            return Err(Error::ForeignFunction(foreign.function));
        }
        let wrong = |problem| Error::Workflow { workflow: name.clone(), problem };
        workflow.check().map_err(wrong)?;
        let as_shown = workflow.clone();
        let id = self.work.workflows.add(workflow).map_err(wrong)?;
        self.tell_of_workflow(id, &as_shown, None);
        match self.policies.watch().take_mistake() {
            Some(mistake) => Err(*self.policies.error(mistake)),
            None => Ok(id),
        }
    }

    /// Shows all workflows to the policy in a slot.
    pub(in crate::service) fn tell_of_workflows(&mut self, slot: PolicySlot) {
        let workflows: Vec<_> = self.work.workflows.all().map(|(id, workflow)| (id, workflow.clone())).collect();
        workflows.iter().for_each(|(id, workflow)| self.tell_of_workflow(*id, workflow, Some(slot)));
    }

    /// Shows a workflow to the policies that want to see it, or to one of these.
    fn tell_of_workflow(&mut self, id: WorkflowId, workflow: &Workflow, only: Option<PolicySlot>) {
        let after: Vec<Vec<u32>> =
            workflow.tasks.iter().map(|task| task.after.iter().map(|before| before.task as u32).collect()).collect();
        let mut followers = vec![Vec::new(); workflow.tasks.len()];
        for (task, before) in (0..).zip(&after) {
            for before in before {
                if let Some(followers) = followers.get_mut(*before as usize) {
                    followers.push(task);
                }
            }
        }
        let lists = workflow.tasks.iter().zip(after.iter().zip(&followers));
        let tasks: Vec<TaskView<'_>> = lists
            .map(|(task, (after, followers))| TaskView {
                function: task.function.number(),
                instances: task.map,
                after: Slice::new(after),
                followers: Slice::new(followers),
                ..TaskView::default()
            })
            .collect();
        let view = WorkflowView {
            workflow: id.number(),
            deadline: workflow.deadline.map_or(u64::MAX, SimDuration::as_nanos),
            tasks: Records::new(&tasks),
            ..WorkflowView::default()
        };
        self.policies.tell_of_workflow(&view, only);
    }

    /// A run of a workflow is requested: what follows nobody begins.
    pub(crate) fn begin_run(
        &mut self,
        workflow: WorkflowId,
        position: Option<u32>,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        self.check_under_way()?;
        let first = self.work.workload.take_numbers(self.work.workflows.instances(workflow));
        let ready = self.work.workflows.begin(workflow, position, first, kernel.now(), kernel.seed());
        let requests: Vec<TaskRequest> =
            ready.into_iter().flat_map(|task| self.work.workflows.begin_task(first, task)).collect();
        if requests.is_empty() {
            return self.finish_run(first, kernel);
        }
        let request = |(number, function, body)| self.request(number, function, body, kernel.now());
        let keys: Vec<AttemptKey> = requests.into_iter().map(request).collect();
        keys.into_iter().for_each(|key| self.head.receive(Message::Request(key)));
        Ok(())
    }

    /// An invocation has ended that may be part of a workflow: begins what waited only for it.
    pub(crate) fn task_ended(
        &mut self,
        invocation: u64,
        end: TaskEnd,
        failure: Option<&Rc<str>>,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let consequence = self.work.workflows.end(invocation, end, failure.map(|failure| &**failure));
        let Some(Consequence { first, ready, is_over }) = consequence else { return Ok(()) };
        for task in ready {
            for (number, function, body) in self.work.workflows.begin_task(first, task) {
                let key = self.request(number, function, body, kernel.now());
                kernel.schedule(SimDuration::ZERO, Event(Happening::Message(Message::Request(key))));
            }
        }
        if is_over { self.finish_run(first, kernel) } else { Ok(()) }
    }

    /// Nothing of a run is under way any more.
    fn finish_run(&mut self, first: u64, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let finished = self.work.workflows.finish(first);
        let (record, position) =
            finished.ok_or_else(|| Error::internal("the run of a workflow ends that has not begun"))?;
        self.books.end_workflow(record)?;
        if let Some(position) = position {
            self.release_dependents(u64::from(position), kernel)?;
        }
        Ok(())
    }

    /// Begins to bring the data of a task of a workflow to its node, and sets its time limit; false if there is none to
    /// bring.
    pub(in crate::service) fn fetch_inputs(
        &mut self,
        key: AttemptKey,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Box<Error>> {
        let (attempt, node) = self.attempts.dispatched(key)?;
        let limit = self.registry.function(attempt.record.function).limits.time;
        let all = self.cluster.nodes();
        let of_node = |node: u32| all.get(node as usize).map(|node| (node.outages, node.name.as_str()));
        let Some(inputs) = self.work.workflows.inputs(attempt.record.invocation, node.0, of_node) else {
            return Ok(false);
        };
        let (to, outages) = (self.cluster.node(node).host, self.cluster.node(node).outages);
        self.attempts.under_way_mut(key)?.execution_mut().outages = outages;
        let mut sources = Vec::new();
        match inputs {
            Ok(Inputs { registry, nodes }) => {
                sources.extend((registry > 0).then_some((Endpoint::Disk(self.registry.host()), registry)));
                let memory = |node: u32| Endpoint::Memory(self.cluster.node(NodeId(node)).host);
                sources.extend(nodes.into_iter().map(|(node, bytes)| (memory(node), bytes)));
                if sources.is_empty() {
                    return Ok(false);
                }
            }
            Err(lost) => self.attempts.under_way_mut(key)?.fail(FunctionError::new(lost)),
        }
        self.set_time_limit(key, limit, kernel)?;
        let (mut under_way, mut all) = (0, None::<Timed>);
        for (from, bytes) in &sources {
            let arrived = Event(Happening::InputArrived(key));
            if let Some(timed) = self.data_transfer((*from, Endpoint::Memory(to)), *bytes, kernel) {
                all = Some(all.map_or(timed, |all| all.beside(timed)));
            }
            let started = kernel.transfer(*from, Endpoint::Memory(to), *bytes, arrived).map(drop);
            if !self.is_up(key, started)? {
                break;
            }
            self.books.metrics.workflows.data.add(*bytes);
            under_way += 1;
        }
        self.explain_doing(key, all, kernel.now());
        if sources.is_empty() || under_way < sources.len() {
            // Data is lost, or out of reach. Whoever started the body is still at work: the end waits for its turn.
            kernel.schedule(SimDuration::ZERO, Event(Happening::BodyEnded(key)));
        }
        self.attempts.under_way_mut(key)?.execution_mut().inputs_under_way = under_way as u32;
        Ok(true)
    }

    /// Data has arrived that a body needs, unless its attempt has ended; it begins with the last of it.
    pub(crate) fn input_arrived(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(attempt) = self.attempts.get_mut(key).filter(|attempt| Attempt::is_running(attempt)) else {
            return Ok(());
        };
        let execution = attempt.execution_mut();
        execution.inputs_under_way -= 1;
        if execution.inputs_under_way > 0 || execution.result.is_some() {
            return Ok(());
        }
        execution.ready_at = Some(kernel.now());
        self.begin_body(key, kernel)
    }
}
