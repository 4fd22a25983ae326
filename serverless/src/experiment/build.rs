//! Makes the service that a scenario describes: policies, images, files and functions.

use std::path::Path;
use std::rc::Rc;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::network::Endpoint;
use hearth_simcore::platform::HostId;

use super::memory;
use crate::Simulation;
use crate::decisions::Observers;
use crate::function::{Body, Function, FunctionId, Image, ImageId, Limits, Step};
use crate::node::NodePool;
use crate::policy::{Catalog, PolicyChoice, PolicySet, PolicySlot, SelectionError, default_policy};
use crate::quantity::Bytes;
use crate::scenario::{
    BackfillingName, ContainerReuse, FunctionSection, NodePoolSection, PoliciesSection, PolicySection,
    ProcessorSharingName, Scenario, ScenarioError, StepSection,
};
use crate::service::event::Event;
use crate::service::{Backfilling, ProcessorSharing, ServerlessComputeService};

pub(super) fn start_service(
    scenario: &Scenario,
    policies: PolicySet,
    observers: Observers,
    simulation: &mut Simulation,
) -> Result<ServerlessComputeService, ScenarioError> {
    let section = &scenario.service;
    ServerlessComputeService::builder(&section.head)
        .registry(&section.registry)
        .nodes(&section.nodes)
        .policies(policies)
        .observed(observers)
        .container_startup_overhead(section.container_startup_overhead.duration())
        .invocation_processing_overhead(section.invocation_processing_overhead.duration())
        .simulate_image_downloads(section.simulate_image_downloads)
        .reuse_most_recent(section.container_reuse == ContainerReuse::MostRecent)
        .backfilling(match section.backfilling {
            BackfillingName::Unlimited => Backfilling::Unlimited,
            BackfillingName::None => Backfilling::None,
            BackfillingName::Easy => Backfilling::Easy,
        })
        .processors(match section.processors {
            ProcessorSharingName::Dedicated => ProcessorSharing::Dedicated,
            ProcessorSharingName::Shared | ProcessorSharingName::PerMemory(_) => ProcessorSharing::Shared,
        })
        .keep_records(true)
        // Instances may be wanted before anybody says whether it is to be explained.
        .explain(true)
        .start(simulation)
        .map_err(|error| ScenarioError::refused("service", error))
}

/// Adds images, files and functions to the service.
pub(super) fn declare(
    scenario: &Scenario,
    service: ServerlessComputeService,
    simulation: &mut Simulation,
) -> Result<Vec<FunctionId>, ScenarioError> {
    let nodes = service.node_count(simulation);
    memory::check("images", nodes, 0, scenario.images.len())?;
    memory::check("functions", nodes, scenario.functions.len(), scenario.images.len())?;
    for (position, image) in scenario.images.iter().enumerate() {
        let ram_footprint = image.ram_footprint.unwrap_or(image.size).whole();
        let image = Image { name: image.name.clone(), size: image.size.whole(), ram_footprint };
        let added = service.create_image(simulation, image);
        added.map_err(|error| ScenarioError::refused(format!("images[{position}]"), error))?;
    }
    for (position, file) in scenario.files.iter().enumerate() {
        let added = service.create_file(simulation, &file.name, file.size.whole());
        added.map_err(|error| ScenarioError::refused(format!("files[{position}]"), error))?;
    }
    let register = |(position, section): (usize, &FunctionSection)| {
        let registered = service.register(simulation, function(scenario, section));
        registered.map_err(|error| ScenarioError::refused(format!("functions[{position}]"), error))
    };
    scenario.functions.iter().enumerate().map(register).collect()
}

/// Has nodes come and go that are to.
pub(super) fn set_node_pools(
    scenario: &Scenario,
    service: ServerlessComputeService,
    simulation: &mut Simulation,
) -> Result<(), ScenarioError> {
    let pools: Vec<NodePool> = scenario.service.node_pools.iter().map(NodePoolSection::node_pool).collect();
    if pools.is_empty() {
        return Ok(());
    }
    let set = service.set_node_pools(simulation, &pools);
    set.map_err(|error| ScenarioError::refused("service.node_pools", error))
}

pub(super) fn image_of(scenario: &Scenario, name: Option<&String>) -> Option<ImageId> {
    let position = scenario.images.iter().position(|image| Some(&image.name) == name)?;
    Some(ImageId(position as u32))
}

fn function(scenario: &Scenario, section: &FunctionSection) -> Function {
    let container = scenario.container_of(section);
    Function {
        name: section.name.clone(),
        image: image_of(scenario, container.image),
        limits: Limits {
            time: section.time_limit.duration(),
            ram: container.ram.whole(),
            disk: container.disk.whole(),
            ingress: section.ingress_limit.map(Bytes::whole),
            egress: section.egress_limit.map(Bytes::whole),
            deadline: section.deadline.map(|deadline| deadline.duration()),
            processors: container
                .processors
                .or(scenario.service.processors.of_functions())
                .map(|processors| processors.processors(container.ram)),
        },
        startup_overhead: container.startup_overhead.map(|overhead| overhead.duration()),
        body: body(&section.body),
    }
}

pub(super) fn body(steps: &[StepSection]) -> Body {
    let name = |file: &str| Rc::from(file);
    let step = |step: &StepSection| match step {
        StepSection::Sleep(time) => Step::Sleep(time.duration()),
        StepSection::Compute(work) => Step::Compute(work.0),
        StepSection::Write(file) => Step::Write(name(&file.file), file.size.whole()),
        StepSection::Create(file) => Step::Create(name(&file.file), file.size.whole()),
        StepSection::Read(file) => Step::Read(name(&file.file)),
        StepSection::Ingress(file) => Step::Ingress(name(&file.file)),
        StepSection::ReadRemote(file) => Step::ReadRemote(name(&file.file)),
        StepSection::Egress(file) => Step::Egress(name(&file.file)),
        StepSection::Checkpoint(size) => Step::Checkpoint(size.whole()),
        StepSection::Fail(message) => Step::Fail(name(message)),
    };
    Body::steps(steps.iter().map(step).collect::<Vec<_>>())
}

/// Finds the routes and disks that the scenario will need, and names the first that is missing.
pub(super) fn check_routes(scenario: &Scenario, simulation: &mut Simulation) -> Result<(), ScenarioError> {
    let bodies = scenario.functions.iter().map(|function| &function.body);
    let own_bodies = scenario.workload.invocations.iter().filter_map(|invocation| invocation.body.as_ref());
    let tasks = scenario.workflows.iter().flat_map(|workflow| &workflow.tasks);
    let of_tasks = tasks.filter_map(|task| task.body.as_ref());
    let steps = || bodies.clone().chain(own_bodies.clone()).chain(of_tasks.clone()).flatten();
    let of_pods = scenario.service.pods.iter().any(|pods| pods.image.is_some());
    let has_image = |function: &FunctionSection| scenario.container_of(function).image.is_some();
    let has_images = of_pods || scenario.functions.iter().any(has_image);
    let saves = |step: &StepSection| matches!(step, StepSection::Checkpoint(size) if size.whole() > 0);
    let reads = |step: &StepSection| matches!(step, StepSection::Ingress(_) | StepSection::ReadRemote(_));
    let reads_remote = steps().any(|step| reads(step) || saves(step));
    let sends = steps().any(|step| matches!(step, StepSection::Egress(_)) || saves(step));
    let writes = steps().any(|step| matches!(step, StepSection::Write(_) | StepSection::Read(_)));
    let of_functions = scenario.functions.iter().map(|function| function.instances.as_ref());
    let instances = of_functions.chain([scenario.service.instances.as_ref()]).flatten();
    let reads_snapshots =
        instances.filter_map(|instances| instances.snapshot.as_ref()?.size).any(|size| size.whole() > 0);
    simulation.with_model_mut(|model, kernel| {
        let service = model.service();
        let (head, registry) = (service.head_host(), service.registry().host());
        let mut check = |from: Endpoint, to: Endpoint| check_path(kernel, from, to);
        if has_images && scenario.service.simulate_image_downloads {
            check(Endpoint::Disk(registry), Endpoint::Disk(head))?;
        }
        for node in service.cluster().nodes().iter() {
            let disk = Endpoint::Disk(node.host);
            if has_images {
                check(Endpoint::Disk(head), disk)?;
            }
            if reads_remote {
                check(Endpoint::Disk(registry), disk)?;
            }
            if sends {
                check(disk, Endpoint::Disk(registry))?;
            }
            if reads_snapshots {
                check(disk, Endpoint::Memory(node.host))?;
            }
            if writes {
                check(Endpoint::Memory(node.host), disk)?;
            }
        }
        Ok(())
    })
}

pub(super) fn check_path(kernel: &mut Kernel<Event>, from: Endpoint, to: Endpoint) -> Result<(), ScenarioError> {
    let place = |host: HostId| kernel.platform().host(host).name.clone();
    let place = match (from, to) {
        (Endpoint::Disk(from), Endpoint::Disk(to)) if from != to => {
            format!("platform (from {:?} to {:?})", place(from), place(to))
        }
        _ => "platform".to_owned(),
    };
    kernel.check_path(from, to).map_err(|error| ScenarioError::refused(place, error))
}

pub(super) fn select_policies(scenario: &Scenario, catalog: &Catalog) -> Result<PolicySet, ScenarioError> {
    let PoliciesSection {
        controller,
        admission,
        node_allocation,
        keep_alive,
        eviction,
        autoscaling,
        cluster_autoscaling,
    } = &scenario.policies;
    let choose = |slot, section| choice(slot, section, &scenario.base);
    let wrong = |slot: PolicySlot| {
        move |error: SelectionError| ScenarioError::invalid(format!("policies.{}", slot.path()), error.to_string())
    };
    let evict = |slot, section| catalog.eviction(choose(slot, section)).map_err(wrong(slot));
    let (of_admission, of_allocation) = (PolicySlot::Admission, PolicySlot::NodeAllocation);
    let (of_keep_alive, of_autoscaling) = (PolicySlot::KeepAlive, PolicySlot::Autoscaling);
    let of_pools = PolicySlot::ClusterAutoscaling;
    let controller = controller.as_ref().map(|section| {
        let chosen = catalog.controller(chosen(section, &scenario.base, None));
        chosen.map_err(|error| ScenarioError::invalid("policies.controller".to_owned(), error.to_string()))
    });
    let controller = controller.transpose()?;
    let controls = |slot: PolicySlot, section: &Option<PolicySection>| {
        controller.as_ref().filter(|controller| section.is_none() && controller.is(slot.kind()))
    };
    let has_pools = !scenario.service.node_pools.is_empty();
    let mut slots = vec![
        (of_admission, admission),
        (of_allocation, node_allocation),
        (of_keep_alive, keep_alive),
        (of_autoscaling, autoscaling),
    ];
    slots.extend(has_pools.then_some((of_pools, cluster_autoscaling)));
    if let Some(controller) = &controller
        && slots.iter().all(|(slot, section)| controls(*slot, section).is_none())
    {
        let taken = slots.iter().filter(|(slot, _)| controller.is(slot.kind()));
        let taken: Vec<String> = taken.map(|(slot, _)| format!("policies.{}", slot.path())).collect();
        let problem = format!(
            "has nowhere to serve: there are other policies in {}; leave these out, or set them to null",
            taken.join(" and ")
        );
        return Err(ScenarioError::invalid("policies.controller".to_owned(), problem));
    }
    Ok(PolicySet {
        admission: match controls(of_admission, admission) {
            Some(controller) => controller.factory(),
            None => catalog.admission(choose(of_admission, admission)).map_err(wrong(of_admission))?,
        },
        node_allocation: match controls(of_allocation, node_allocation) {
            Some(controller) => controller.factory(),
            None => catalog.node_allocation(choose(of_allocation, node_allocation)).map_err(wrong(of_allocation))?,
        },
        keep_alive: match controls(of_keep_alive, keep_alive) {
            Some(controller) => controller.factory(),
            None => catalog.keep_alive(choose(of_keep_alive, keep_alive)).map_err(wrong(of_keep_alive))?,
        },
        containers: evict(PolicySlot::Containers, &eviction.containers)?,
        images_in_ram: evict(PolicySlot::ImagesInRam, &eviction.images_in_ram)?,
        images_on_disk: evict(PolicySlot::ImagesOnDisk, &eviction.images_on_disk)?,
        images_on_head: evict(PolicySlot::ImagesOnHead, &eviction.images_on_head)?,
        autoscaling: match (controls(of_autoscaling, autoscaling), autoscaling) {
            (Some(controller), _) => Some(controller.factory()),
            (None, Some(_)) => {
                Some(catalog.autoscaling(choose(of_autoscaling, autoscaling)).map_err(wrong(of_autoscaling))?)
            }
            (None, None) => None,
        },
        cluster_autoscaling: match (controls(of_pools, cluster_autoscaling), cluster_autoscaling) {
            (Some(controller), _) if has_pools => Some(controller.factory()),
            (None, Some(_)) => {
                Some(catalog.autoscaling(choose(of_pools, cluster_autoscaling)).map_err(wrong(of_pools))?)
            }
            _ => None,
        },
    })
}

/// What a scenario asks for in a slot; paths in it are relative to the scenario.
fn choice(slot: PolicySlot, section: &Option<PolicySection>, base: &Path) -> PolicyChoice {
    chosen(&section.clone().unwrap_or_default(), base, Some(default_policy(slot)))
}

fn chosen(section: &PolicySection, base: &Path, default: Option<&str>) -> PolicyChoice {
    let library = section.library.as_ref().map(|library| base.join(library));
    let default = default.filter(|_| library.is_none()).map(str::to_owned);
    PolicyChoice { name: section.name.clone().or(default), library, parameters: section.parameters.clone() }
}
