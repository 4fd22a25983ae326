//! Gives a service the workload of a scenario: invocations listed one by one, a trace or a generator.

use std::sync::{Arc, OnceLock};

use hearth_simcore::time::{SimDuration, SimTime};

use super::build::body;
use super::memory;
use crate::Simulation;
use crate::error::Error;
use crate::function::{Body, Function, FunctionId, Limits};
use crate::scenario::{ComputeSection, InvocationSection, Scenario, ScenarioError, WorkloadSection};
use crate::service::{RunTimeWork, ServerlessComputeService};
use crate::worker::Worker;
use crate::workflow::{Callee, WorkflowId};
use crate::workload::generate::Generator;
use crate::workload::{ArrivalSource, DeclaredFunction, OpenedTrace, PlannedInvocation, ReadAhead};

pub(super) fn known_requests(scenario: &Scenario) -> Option<u64> {
    let WorkloadSection { invocations, trace, generate, .. } = &scenario.workload;
    match (trace, generate) {
        // How many invocations a workflow has is drawn.
        _ if !scenario.workflows.is_empty() => None,
        (None, Some(generate)) => generate.requests,
        (None, None) => Some(invocations.len() as u64),
        (Some(_), _) => None,
    }
}

pub(super) fn known_end(scenario: &Scenario) -> Option<SimTime> {
    let WorkloadSection { trace, generate, .. } = &scenario.workload;
    let of_trace = trace.as_ref().and_then(|trace| trace.select.minutes).map(|minutes| 60.0 * minutes);
    let seconds = of_trace.or_else(|| generate.as_ref()?.duration_s);
    seconds.map(SimTime::from_secs_f64)
}

/// Functions as a service has them.
pub(super) struct Declared {
    /// Their names, by number.
    pub names: Vec<String>,
    /// The application of each of the last of them, as the trace tells that declares these.
    pub applications: Vec<String>,
}

/// Gives the service its workload, with the functions that it declares; gives all functions. `reader` is where a worker may be put that
/// reads it ahead.
pub(super) fn set_workload(
    scenario: &Scenario,
    service: ServerlessComputeService,
    functions: Vec<FunctionId>,
    workflows: &[WorkflowId],
    simulation: &mut Simulation,
    reader: &Arc<OnceLock<Worker>>,
) -> Result<Declared, ScenarioError> {
    let mut applications = Vec::new();
    let mut names: Vec<String> = scenario.functions.iter().map(|function| function.name.clone()).collect();
    let WorkloadSection { trace, generate, .. } = &scenario.workload;
    // Sources count the scenario's functions first, then its workflows, then the functions that they declare.
    let workflows = workflows.iter().copied().map(Callee::from);
    let mut callees: Vec<Callee> = functions.into_iter().map(Callee::from).chain(workflows).collect();
    let nodes = service.node_count(simulation);
    let mut register =
        |place: &str, declared: Vec<DeclaredFunction>| -> Result<(Vec<Callee>, Vec<String>), ScenarioError> {
            memory::check(place, nodes, names.len() + declared.len(), scenario.images.len())?;
            for function in declared {
                names.push(function.name.clone());
                let registered = service.register(simulation, declared_function(function));
                callees.push(registered.map_err(|error| ScenarioError::refused(place, error))?.into());
            }
            Ok((callees.clone(), names.clone()))
        };
    let (place, source, callees, names): (_, Box<dyn ArrivalSource>, _, _) = match (trace, generate) {
        (Some(trace), _) => {
            let place = "workload.trace";
            let wrong = |error| ScenarioError::refused(place, Error::Trace(error));
            let known = names_of_callees(scenario);
            let opened = trace.open(&scenario.base, &known, scenario.seed).map_err(wrong)?;
            check_bodies(scenario, &opened)?;
            let OpenedTrace { source, declared, .. } = opened;
            applications = opened.applications;
            let (callees, names) = register(place, declared)?;
            // Nobody can be stopped who waits for a pipe, so nothing is read from one before it is needed.
            let is_on_disk = trace.files(&scenario.base).map_err(wrong)?.iter().all(|file| file.is_file());
            let source: Box<dyn ArrivalSource> =
                if is_on_disk { Box::new(ReadAhead::new(source, Arc::clone(reader))) } else { source };
            (place, source, callees, names)
        }
        (None, Some(spec)) => {
            let known = names_of_callees(scenario);
            let others = spec.workflows.as_ref().map_or(scenario.functions.len(), Vec::len);
            let (generator, declared) = Generator::new(spec, others as u32, scenario.seed);
            let declares = !declared.is_empty();
            let (all, names) = register("workload.generate.functions.count", declared)?;
            let callees = match &spec.workflows {
                // Names were checked when the scenario was read.
                Some(chosen) => {
                    let position = |name: &String| known.iter().position(|known| known == name);
                    chosen.iter().filter_map(|name| all.get(position(name)?).copied()).collect()
                }
                None if declares => all[known.len()..].to_vec(),
                None => all[..scenario.functions.len()].to_vec(),
            };
            let source = ReadAhead::new(Box::new(generator), Arc::clone(reader));
            ("workload.generate", Box::new(source), callees, names)
        }
        (None, None) => {
            let planned = plan_workload(scenario, &callees);
            let set = service.set_workload(simulation, planned);
            set.map_err(|error| ScenarioError::refused("workload", error))?;
            return Ok(Declared { names, applications });
        }
    };
    if let Some(ComputeSection { share, speed }) = scenario.workload.compute {
        service.set_run_time_work(simulation, RunTimeWork { share, speed: speed.map(|speed| speed.0) });
    }
    let set = service.set_source(simulation, source, callees);
    set.map_err(|error| ScenarioError::refused(place, error))?;
    Ok(Declared { names, applications })
}

/// Refuses functions that do nothing because neither they nor the trace say what.
fn check_bodies(scenario: &Scenario, opened: &OpenedTrace) -> Result<(), ScenarioError> {
    if opened.has_run_times {
        return Ok(());
    }
    if scenario.workload.compute.is_some() {
        let problem = "the rows of the trace do not say how long requests run: it needs a column duration_s, or another in \
                       \"columns\"; or take this out";
        return Err(ScenarioError::invalid("workload.compute", problem));
    }
    let wrong = |who: &str, cure: &str| {
        let problem = format!("its rows do not say how long they run, and {who} no body: {cure}");
        Err(ScenarioError::invalid("workload.trace", problem))
    };
    if !opened.declared.is_empty() {
        return wrong(
            "functions that a trace declares have",
            "it needs a column duration_s, or another in \"columns\"",
        );
    }
    // Tasks of workflows may have bodies of their own instead.
    match scenario.functions.iter().position(|function| function.body.is_empty()) {
        Some(position) if scenario.workflows.is_empty() => {
            wrong(&format!("functions[{position}] has"), "give it one, or the trace a column duration_s")
        }
        _ => Ok(()),
    }
}

fn declared_function(declared: DeclaredFunction) -> Function {
    Function {
        name: declared.name,
        image: None,
        limits: Limits { ram: declared.ram, ..Limits::default() },
        startup_overhead: declared.startup_overhead,
        body: Body::Sleep(SimDuration::ZERO),
    }
}

/// Names of the scenario's functions, then of its workflows.
fn names_of_callees(scenario: &Scenario) -> Vec<String> {
    let functions = scenario.functions.iter().map(|function| function.name.clone());
    functions.chain(scenario.workflows.iter().map(|workflow| workflow.name.clone())).collect()
}

fn plan_workload(scenario: &Scenario, callees: &[Callee]) -> Vec<PlannedInvocation> {
    let names = names_of_callees(scenario);
    let by_name: rustc_hash::FxHashMap<&str, Callee> =
        names.iter().map(String::as_str).zip(callees.iter().copied()).collect();
    let invocations = scenario.workload.invocations.iter();
    // Names were checked when the scenario was read, and that there is one.
    let callee = |planned: &InvocationSection| {
        let name = planned.function.as_ref().or(planned.workflow.as_ref())?;
        by_name.get(name.as_str()).copied()
    };
    let known = invocations.filter_map(|planned| Some((planned, callee(planned)?)));
    known
        .map(|(planned, callee)| PlannedInvocation {
            at: planned.at.map(|date| SimTime::from_secs_f64(date.0)),
            after: planned.after.clone(),
            delay: planned.delay.duration(),
            callee,
            body: planned.body.as_deref().map(body),
        })
        .collect()
}
