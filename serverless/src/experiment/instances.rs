//! Which functions of a scenario are served by instances, and which by the same ones.

use std::collections::BTreeMap;

use super::workload::Declared;
use crate::Simulation;
use crate::function::FunctionId;
use crate::scenario::{InstancesSection, ProcessorsSection, Scenario, ScenarioError};
use crate::service::ServerlessComputeService;

/// Functions that are served by the same instances.
struct Together<'a> {
    functions: Vec<FunctionId>,
    section: &'a InstancesSection,
    /// What they are called, if they are an application.
    application: Option<&'a str>,
}

/// Has those functions served by instances that are to be, those of the workload too. Gives the applications: the first function of each,
/// and its name.
pub(super) fn serve_by_instances(
    scenario: &Scenario,
    declared: &Declared,
    service: ServerlessComputeService,
    simulation: &mut Simulation,
) -> Result<Vec<(FunctionId, String)>, ScenarioError> {
    if let Some(section) = &scenario.service.control_plane {
        service.set_control_plane(simulation, &section.control_plane());
    }
    let mut applications = Vec::new();
    for Together { functions, section, application } in served_together(scenario, declared)? {
        if let (Some(name), Some(first)) = (application, functions.first()) {
            applications.push((*first, name.to_owned()));
        }
        let set = service.create_application(simulation, &functions, section.settings());
        set.map_err(|error| ScenarioError::refused("policies", error))?;
    }
    Ok(applications)
}

/// Whom instances serve, in the order of the first functions.
fn served_together<'a>(scenario: &'a Scenario, declared: &'a Declared) -> Result<Vec<Together<'a>>, ScenarioError> {
    let of_service = scenario.service.instances.as_ref();
    let mut all: Vec<Together<'_>> = Vec::new();
    let mut positions: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    let by_trace = declared.names.len() - declared.applications.len();
    for number in 0..declared.names.len() {
        let (function, id) = (scenario.functions.get(number), FunctionId(number as u32));
        let of_scenario = function.and_then(|function| scenario.application_of(function));
        let of_trace = number.checked_sub(by_trace).and_then(|number| declared.applications.get(number));
        let (application, own, startup) = match (of_scenario, of_trace) {
            (Some(application), _) => {
                let place = || format!("applications[{}]", position_of(scenario, &application.name));
                check_startup(application.processors, place)?;
                (Some((false, application.name.as_str())), application.instances.as_ref(), None)
            }
            (None, Some(application)) => (Some((true, application.as_str())), None, None),
            (None, None) => {
                let own = function.and_then(|function| function.instances.as_ref());
                (None, own, function.and_then(|function| function.processors))
            }
        };
        let Some(section) = own.or(of_service) else { continue };
        check_somebody_says_how_many(scenario, section)?;
        check_startup(startup, || format!("functions[{number}]"))?;
        let position = application.and_then(|application| positions.get(&application));
        if let Some(together) = position.and_then(|position| all.get_mut(*position)) {
            together.functions.push(id);
            continue;
        }
        if let Some(application) = application {
            positions.insert(application, all.len());
        }
        all.push(Together { functions: vec![id], section, application: application.map(|(_, name)| name) });
    }
    Ok(all)
}

fn position_of(scenario: &Scenario, application: &str) -> usize {
    scenario.applications.iter().position(|other| other.name == application).unwrap_or_default()
}

fn check_somebody_says_how_many(scenario: &Scenario, section: &InstancesSection) -> Result<(), ScenarioError> {
    let policies = &scenario.policies;
    if policies.autoscaling.is_none() && policies.controller.is_none() && section.min_scale == 0 {
        let problem = "functions are served by instances, and nobody says how many there are to be: name a policy, as in \
                       {\"use\": \"kpa\"}, or give the functions a min_scale";
        return Err(ScenarioError::invalid("policies.autoscaling", problem));
    }
    Ok(())
}

fn check_startup(processors: Option<ProcessorsSection>, place: impl Fn() -> String) -> Result<(), ScenarioError> {
    if processors.and_then(|processors| processors.startup).is_none() {
        return Ok(());
    }
    let problem = "instances are not started by work of processors: give the time as a phase of their start";
    Err(ScenarioError::invalid(format!("{}.processors.startup", place()), problem))
}
