//! Gives a service the workload of a scenario: invocations listed one by one, a trace or a generator.

use hearth_simcore::time::{SimDuration, SimTime};

use super::build::body;
use crate::Simulation;
use crate::error::Error;
use crate::function::{Body, Function, FunctionId, Limits};
use crate::scenario::{Scenario, ScenarioError, WorkloadSection};
use crate::service::ServerlessComputeService;
use crate::workload::generate::Generator;
use crate::workload::{ArrivalSource, DeclaredFunction, OpenedTrace, PlannedInvocation};

pub(super) fn known_requests(scenario: &Scenario) -> Option<u64> {
    let WorkloadSection { invocations, trace, generate } = &scenario.workload;
    match (trace, generate) {
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

/// Gives the service its workload, with the functions that it declares; gives the names of all functions.
pub(super) fn set_workload(
    scenario: &Scenario,
    service: ServerlessComputeService,
    mut functions: Vec<FunctionId>,
    simulation: &mut Simulation,
) -> Result<Vec<String>, ScenarioError> {
    let mut names: Vec<String> = scenario.functions.iter().map(|function| function.name.clone()).collect();
    let WorkloadSection { trace, generate, .. } = &scenario.workload;
    let mut register =
        |place: &str, declared: Vec<DeclaredFunction>| -> Result<(Vec<FunctionId>, Vec<String>), ScenarioError> {
            for function in declared {
                names.push(function.name.clone());
                let registered = service.register(simulation, declared_function(function));
                functions.push(registered.map_err(|error| ScenarioError::refused(place, error))?);
            }
            Ok((functions.clone(), names.clone()))
        };
    let (place, source, functions, names): (_, Box<dyn ArrivalSource>, _, _) = match (trace, generate) {
        (Some(trace), _) => {
            let place = "workload.trace";
            let wrong = |error| ScenarioError::refused(place, Error::Trace(error));
            let known: Vec<String> = scenario.functions.iter().map(|function| function.name.clone()).collect();
            let OpenedTrace { source, declared } = trace.open(&scenario.base, &known, scenario.seed).map_err(wrong)?;
            let (functions, names) = register(place, declared)?;
            (place, source, functions, names)
        }
        (None, Some(spec)) => {
            let others = scenario.functions.len() as u32;
            let (generator, declared) = Generator::new(spec, others, scenario.seed);
            // Positions of a generator with functions of its own begin with these.
            let before = if declared.is_empty() { 0 } else { others as usize };
            let (functions, names) = register("workload.generate", declared)?;
            ("workload.generate", Box::new(generator), functions[before..].to_vec(), names)
        }
        (None, None) => {
            let planned = plan_workload(scenario, &functions);
            let set = service.set_workload(simulation, planned);
            set.map_err(|error| ScenarioError::refused("workload", error))?;
            return Ok(names);
        }
    };
    let set = service.set_source(simulation, source, functions);
    set.map_err(|error| ScenarioError::refused(place, error))?;
    Ok(names)
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

fn plan_workload(scenario: &Scenario, functions: &[FunctionId]) -> Vec<PlannedInvocation> {
    let names = scenario.functions.iter().map(|function| function.name.as_str());
    let by_name: rustc_hash::FxHashMap<&str, FunctionId> = names.zip(functions.iter().copied()).collect();
    let invocations = scenario.workload.invocations.iter();
    // Names were checked when the scenario was read.
    let known = invocations.filter_map(|planned| Some((planned, *by_name.get(planned.function.as_str())?)));
    known
        .map(|(planned, function)| PlannedInvocation {
            at: planned.at.map(|date| SimTime::from_secs_f64(date.0)),
            after: planned.after.clone(),
            delay: planned.delay.duration(),
            function,
            body: planned.body.as_deref().map(body),
        })
        .collect()
}
