//! Which functions of a scenario are served by instances, and which by the same ones.

use std::collections::BTreeMap;

use super::build::image_of;
use super::workload::Declared;
use crate::Simulation;
use crate::function::FunctionId;
use crate::scenario::{InstancesSection, Scenario, ScenarioError};
use crate::service::ServerlessComputeService;

/// Functions that are served by the same instances.
struct Together<'a> {
    functions: Vec<FunctionId>,
    section: &'a InstancesSection,
    /// What they are called, if they are an application.
    application: Option<&'a str>,
}

/// Applications: the first function of each, and its name; and the names of the pools of pods, which are the last functions.
type Named = (Vec<(FunctionId, String)>, Vec<String>);

/// Has those functions served by instances that are to be, those of the workload too.
pub(super) fn serve_by_instances(
    scenario: &Scenario,
    declared: &Declared,
    service: ServerlessComputeService,
    simulation: &mut Simulation,
) -> Result<Named, ScenarioError> {
    if let Some(section) = &scenario.service.control_plane {
        service.set_control_plane(simulation, &section.control_plane());
    }
    let mut pods = Vec::new();
    for (position, section) in scenario.service.pods.iter().enumerate() {
        let added = service.add_pods(simulation, section.pods(image_of(scenario, section.image.as_ref())));
        added.map_err(|error| ScenarioError::refused(format!("service.pods[{position}]"), error))?;
        pods.push(section.name.clone());
    }
    let mut applications = Vec::new();
    let together = served_together(scenario, declared)?;
    if !pods.is_empty() && together.is_empty() {
        let problem =
            "instances take them, and no function is served by such: give functions `instances`, or the service";
        return Err(ScenarioError::invalid("service.pods", problem));
    }
    for Together { functions, section, application } in together {
        if let (Some(name), Some(first)) = (application, functions.first()) {
            applications.push((*first, name.to_owned()));
        }
        let set = service.create_application(simulation, &functions, section.settings());
        set.map_err(|error| ScenarioError::refused("policies", error))?;
    }
    Ok((applications, pods))
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
        let (application, own) = match (of_scenario, of_trace) {
            (Some(application), _) => (Some((false, application.name.as_str())), application.instances.as_ref()),
            (None, Some(application)) => (Some((true, application.as_str())), None),
            (None, None) => (None, function.and_then(|function| function.instances.as_ref())),
        };
        let Some(section) = own.or(of_service) else { continue };
        check_somebody_says_how_many(scenario, section)?;
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

fn check_somebody_says_how_many(scenario: &Scenario, section: &InstancesSection) -> Result<(), ScenarioError> {
    let policies = &scenario.policies;
    if policies.autoscaling.is_none() && policies.controller.is_none() && section.min_scale == 0 {
        let problem = "functions are served by instances, and nobody says how many there are to be: name a policy, as in \
                       {\"use\": \"kpa\"}, or give the functions a min_scale";
        return Err(ScenarioError::invalid("policies.autoscaling", problem));
    }
    Ok(())
}
