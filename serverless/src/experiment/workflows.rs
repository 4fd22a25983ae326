//! Gives a service the workflows of a scenario, and finds the routes that their data will need.

use hearth_simcore::kernel::Kernel;
use hearth_simcore::network::{Endpoint, TransferError};
use hearth_simcore::platform::HostId;

use super::build::{body, check_path};
use crate::Simulation;
use crate::error::Error;
use crate::function::FunctionId;
use crate::scenario::{Scenario, ScenarioError, TaskSection, WorkflowSection, read_text};
use crate::service::ServerlessComputeService;
use crate::service::event::Event;
use crate::workflow::{Task, WfCommonsWorkflow, Work, Workflow, WorkflowId};

/// With more nodes than this not every route between two of them is looked for before the simulation runs.
const MAX_NODES: usize = 256;

/// Creates the workflows, whose functions are in the order of the scenario's.
pub(super) fn create_workflows(
    scenario: &Scenario,
    service: ServerlessComputeService,
    functions: &[FunctionId],
    simulation: &mut Simulation,
) -> Result<Vec<WorkflowId>, ScenarioError> {
    let create = |(position, section): (usize, &WorkflowSection)| {
        let place = format!("workflows[{position}]");
        let workflow = match &section.wfcommons {
            Some(file) => measured(scenario, section, file, functions, &place)?,
            None => written(scenario, section, functions),
        };
        check_data_routes(&workflow, &place, simulation)?;
        service.create_workflow(simulation, workflow).map_err(|error| ScenarioError::refused(place, error))
    };
    scenario.workflows.iter().enumerate().map(create).collect()
}

fn function_called(scenario: &Scenario, functions: &[FunctionId], name: &str) -> Option<FunctionId> {
    let position = scenario.functions.iter().position(|function| function.name == name)?;
    functions.get(position).copied()
}

fn written(scenario: &Scenario, section: &WorkflowSection, functions: &[FunctionId]) -> Workflow {
    section.workflow(|section: &TaskSection, task: &mut Task| {
        // Names were checked when the scenario was read.
        if let Some(function) = function_called(scenario, functions, &section.function) {
            task.function = function;
        }
        if let Some(steps) = &section.body {
            task.work = Work::Own(body(steps));
        }
    })
}

fn measured(
    scenario: &Scenario,
    section: &WorkflowSection,
    file: &std::path::Path,
    functions: &[FunctionId],
    place: &str,
) -> Result<Workflow, ScenarioError> {
    let file = scenario.base.join(file);
    let read = WfCommonsWorkflow::from_json(&read_text(&file)?);
    let read = read.map_err(|error| {
        ScenarioError::refused(format!("{place}.wfcommons"), Error::WfCommons { file: file.clone(), error })
    })?;
    let default = section.function.as_ref().and_then(|name| function_called(scenario, functions, name));
    let of = |task: &crate::workflow::WfCommonsTask| {
        task.kinds().find_map(|kind| function_called(scenario, functions, kind)).or(default)
    };
    if let Some(task) = read.tasks.iter().find(|task| of(task).is_none()) {
        let kinds: Vec<String> = task.kinds().map(|kind| format!("{kind:?}")).collect();
        let problem = format!(
            "no function is called {} for task {:?}: declare one, or name one for all others in \"function\"",
            kinds.join(" or "),
            task.id
        );
        return Err(ScenarioError::invalid(format!("{place}.wfcommons"), problem));
    }
    let mut workflow = read.to_workflow(&section.name, |task| of(task).unwrap_or(FunctionId(0)));
    workflow.deadline = section.deadline.map(|deadline| deadline.duration());
    Ok(workflow)
}

fn check_data_routes(workflow: &Workflow, place: &str, simulation: &mut Simulation) -> Result<(), ScenarioError> {
    let hands_on = workflow.tasks.iter().flat_map(|task| &task.after).any(|before| before.bytes > 0);
    let has_input = workflow.tasks.iter().any(|task| task.input > 0);
    simulation.with_model_mut(|model, kernel| {
        let service = model.service();
        let registry = Endpoint::Disk(service.registry().host());
        let nodes: Vec<HostId> = service.cluster().nodes().iter().map(|node| node.host).collect();
        if has_input {
            nodes.iter().try_for_each(|node| check_path(kernel, registry, Endpoint::Memory(*node)))?;
        }
        if !hands_on {
            return Ok(());
        }
        for (position, from) in nodes.iter().enumerate() {
            let targets = if nodes.len() <= MAX_NODES { &nodes[..] } else { &nodes[..position.min(1)] };
            for to in targets.iter().filter(|to| *to != from) {
                check_route(kernel, *from, *to, place)?;
                check_route(kernel, *to, *from, place)?;
            }
        }
        Ok(())
    })
}

/// Looks for a route without keeping it: there may be as many as pairs of nodes.
fn check_route(kernel: &Kernel<Event>, from: HostId, to: HostId, place: &str) -> Result<(), ScenarioError> {
    let platform = kernel.platform();
    if platform.route(from, to).is_some() {
        return Ok(());
    }
    let name = |host: HostId| platform.host(host).name.clone();
    let missing = TransferError::NoRoute { from: name(from), to: name(to) };
    Err(ScenarioError::refused(place, missing))
}
