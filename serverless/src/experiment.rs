//! Runs a scenario: from the file's description to a simulation, and to its results.
//!
//! ```
//! use hearth_serverless::experiment::Experiment;
//! use hearth_serverless::policy::Catalog;
//! use hearth_serverless::scenario::Scenario;
//! let scenario = Scenario::from_json(r#"{
//!     "format": "hearth-scenario/1",
//!     "platform": {"hosts": [
//!         {"name": "head", "cores": 1, "speed": "10Gf"},
//!         {"name": "node", "count": 2, "cores": 4, "speed": "10Gf", "ram": "16GB"}]},
//!     "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
//!     "functions": [{"name": "greet", "ram_limit": "128MB", "body": [{"sleep": "250ms"}]}],
//!     "workload": {"invocations": [{"at": 0, "function": "greet"}, {"at": 1, "function": "greet"}]}
//! }"#)?;
//! let catalog = Catalog::new(hearth_plugins::BUILT_IN);
//! let results = Experiment::prepare(&scenario, &catalog)?.run()?;
//! assert_eq!((results.metrics.cold_starts, results.metrics.warm_starts), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::Path;
use std::rc::Rc;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::network::{Endpoint, NetworkModel};
use hearth_simcore::platform::HostId;
use hearth_simcore::random::derive_seed;
use hearth_simcore::time::{SimDuration, SimTime};

use crate::Simulation;
use crate::error::Error;
use crate::function::{Body, Function, FunctionId, Image, ImageId, Limits, Step};
use crate::invocation::InvocationRecord;
use crate::ledger::Books;
use crate::metrics::Metrics;
use crate::policy::{self, Catalog, PolicyChoice, PolicyRecord, PolicySet, PolicySlot, SelectionError};
use crate::results::{RecordSink, Recorder, TimeSeries};
use crate::scenario::quantity::Bytes;
use crate::scenario::{
    ContainerReuse, FunctionSection, NetworkModelName, PoliciesSection, PolicySection, Scenario, ScenarioError,
};
use crate::scenario::{StepSection, WorkloadSection};
use crate::service::ServerlessComputeService;
use crate::service::event::{Event, Services};
use crate::workload::generate::Generator;
use crate::workload::{ArrivalSource, DeclaredFunction, OpenedTrace, PlannedInvocation};

/// A scenario that is ready to run.
#[derive(Debug)]
pub struct Experiment {
    simulation: Simulation,
    service: ServerlessComputeService,
    horizon: Option<SimTime>,
    extent: Extent,
    about: About,
}

/// How much there is to simulate, as far as that is known before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Extent {
    /// How many requests there will be.
    pub requests: Option<u64>,
    /// No request comes, or nothing happens, after this date.
    pub end: Option<SimTime>,
}

/// What results say of the scenario they are of.
#[derive(Clone, Debug)]
pub struct About {
    /// The scenario's name.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// Names of the functions, by number.
    pub functions: Vec<String>,
    /// Names of the nodes, by number.
    pub nodes: Vec<String>,
    /// The policy in each slot.
    pub policies: Vec<(PolicySlot, PolicyRecord)>,
}

/// What came of an experiment.
#[derive(Clone, Debug)]
pub struct Results {
    /// What it was.
    pub about: About,
    /// The counts.
    pub metrics: Metrics,
    /// Every invocation in the order of requests, if they were kept.
    pub records: Vec<InvocationRecord>,
    /// Events that the engine handled.
    pub events: u64,
    /// The date at the end.
    pub ended_at: SimTime,
    /// Rows of a trace that were passed over because something was wrong with them.
    pub skipped_rows: u64,
}

impl Experiment {
    /// Builds the platform, the service and the workload of a scenario. Everything that can be wrong with the scenario
    /// is found here, before anything runs. The records of all invocations are kept; see
    /// [`Experiment::without_records`].
    ///
    /// # Errors
    /// What is wrong, with its place in the scenario.
    pub fn prepare(scenario: &Scenario, catalog: &Catalog) -> Result<Self, ScenarioError> {
        let platform = scenario.build_platform()?;
        let network = match scenario.network_model {
            NetworkModelName::Fluid => NetworkModel::Fluid,
            NetworkModelName::Ideal => NetworkModel::Ideal,
        };
        let mut simulation = Simulation::with_model(platform, scenario.seed, network, Services::default());
        let policies = select_policies(scenario, catalog)?;
        let records = PolicySlot::ALL.map(|slot| (slot, policies.record(slot).clone())).to_vec();
        let service = start_service(scenario, policies, &mut simulation)?;
        let functions = declare(scenario, service, &mut simulation)?;
        check_routes(scenario, service, &mut simulation)?;
        let names = set_workload(scenario, service, functions, &mut simulation)?;
        let nodes = simulation.with_model_mut(|services, _| {
            services.get_mut(service.index).cluster.nodes.iter().map(|node| node.name.clone()).collect()
        });
        let about =
            About { name: scenario.name.clone(), seed: scenario.seed, functions: names, nodes, policies: records };
        let horizon = scenario.horizon.map(|horizon| SimTime::from_secs_f64(horizon.0));
        let extent = Extent { requests: known_requests(scenario), end: known_end(scenario).or(horizon) };
        Ok(Self { simulation, service, horizon, extent, about })
    }

    /// Does not keep the records of invocations, so that memory does not grow with their number.
    pub fn without_records(mut self) -> Self {
        let service = self.service.index;
        self.simulation.with_model_mut(|services, _| services.get_mut(service).books.recorder = None);
        self
    }

    /// Passes a share of the invocations on to a sink while the simulation runs, instead of keeping all; which ones
    /// depends on the seed and their numbers alone, so that runs with other policies give the same.
    pub fn record_to(mut self, sink: Box<dyn RecordSink>, share: f64) -> Self {
        let (service, seed) = (self.service.index, derive_seed(self.about.seed, "sample of invocations"));
        let mut recorder = Recorder::to_sink(sink, share, seed);
        self.simulation.with_model_mut(|services, _| {
            let service = services.get_mut(service);
            // What waits already for its date was noted by the recorder before this one.
            service.live.values().for_each(|live| {
                recorder.requested(live.record.requested_at.unwrap_or_default(), live.record.invocation);
            });
            service.books.recorder = Some(recorder);
        });
        self
    }

    /// Writes how the service stands at the end of every interval, as CSV.
    ///
    /// # Errors
    /// When the target cannot be written.
    pub fn write_time_series(
        mut self,
        interval: SimDuration,
        target: Box<dyn std::io::Write + Send>,
    ) -> Result<Self, Error> {
        let series = TimeSeries::new(interval.max(SimDuration::from_nanos(1)), target)?;
        let service = self.service.index;
        self.simulation.with_model_mut(|services, _| services.get_mut(service).books.series = Some(series));
        Ok(self)
    }

    /// How much there is to simulate, as far as that is known before.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// What the experiment is.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Runs it up to a date, and looks at the service in steps of so many seconds.
    #[cfg(test)]
    pub(crate) fn run_watched<E: From<Error>>(
        &mut self,
        until: SimTime,
        step_s: f64,
        look: impl Fn(&crate::service::Service) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut date = SimTime::ZERO;
        while date < until {
            self.simulation.run_until(date)?;
            self.simulation.with_model_mut(|services, _| look(services.get_mut(self.service.index)))?;
            date = date + hearth_simcore::time::SimDuration::from_secs_f64(step_s);
        }
        Ok(())
    }

    /// Runs it to its end or horizon.
    ///
    /// # Errors
    /// When a policy gives an answer that cannot be followed.
    pub fn run(self) -> Result<Results, Error> {
        let (results, stopped) = self.run_until_stopped();
        stopped.map_or(Ok(results), Err)
    }

    /// Runs it to its end or horizon, or until a policy gives an answer that cannot be followed; gives what has come
    /// of it up to then, and why it stopped before its end, if it did.
    pub fn run_until_stopped(mut self) -> (Results, Option<Error>) {
        let about = &self.about;
        let service = self.service.index;
        self.simulation.with_model_mut(|services, _| policy::running(about, services.get_mut(service).books.reader()));
        let run = match self.horizon {
            Some(horizon) => self.simulation.run_until(horizon),
            None => self.simulation.run(),
        };
        policy::idle();
        let skipped_rows =
            self.simulation.with_model_mut(|services, _| services.get_mut(service).workload.skipped_rows());
        let (metrics, records) = self.service.end(&mut self.simulation);
        let events = self.simulation.with_model_mut(|_, kernel| kernel.events_handled());
        let ended_at = self.simulation.now();
        let (records, unwritten) = records.map_or_else(|error| (Vec::new(), Some(error)), |records| (records, None));
        (Results { about: self.about, metrics, records, events, ended_at, skipped_rows }, run.err().or(unwritten))
    }
}

impl Results {
    /// What had come of a simulation that cannot be asked any more.
    pub(crate) fn so_far(about: About, mut books: Books) -> Self {
        let (date, events) = (books.date, books.events);
        books.metrics.advance(date);
        // Who runs and waits is not in the books, so the time series ends with the last whole interval.
        let (metrics, records) = books.finish(|_| None);
        Self { about, metrics, records: records.unwrap_or_default(), events, ended_at: date, skipped_rows: 0 }
    }
}

fn start_service(
    scenario: &Scenario,
    policies: PolicySet,
    simulation: &mut Simulation,
) -> Result<ServerlessComputeService, ScenarioError> {
    let section = &scenario.service;
    ServerlessComputeService::builder(&section.head)
        .registry(&section.registry)
        .nodes(&section.nodes)
        .policies(policies)
        .container_startup_overhead(section.container_startup_overhead.duration())
        .invocation_processing_overhead(section.invocation_processing_overhead.duration())
        .simulate_image_downloads(section.simulate_image_downloads)
        .reuse_most_recent(section.container_reuse == ContainerReuse::MostRecent)
        .keep_records(true)
        .start(simulation)
        .map_err(|error| ScenarioError::refused("service", error))
}

/// Adds images, files and functions to the service.
fn declare(
    scenario: &Scenario,
    service: ServerlessComputeService,
    simulation: &mut Simulation,
) -> Result<Vec<FunctionId>, ScenarioError> {
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

fn function(scenario: &Scenario, section: &FunctionSection) -> Function {
    let position = |name: &String| scenario.images.iter().position(|image| image.name == *name);
    Function {
        name: section.name.clone(),
        image: section.image.as_ref().and_then(position).map(|position| ImageId(position as u32)),
        limits: Limits {
            time: section.time_limit.duration(),
            ram: section.ram_limit.whole(),
            disk: section.disk_limit.whole(),
            ingress: section.ingress_limit.map(Bytes::whole),
            egress: section.egress_limit.map(Bytes::whole),
        },
        startup_overhead: section.container_startup_overhead.map(|overhead| overhead.duration()),
        body: body(&section.body),
    }
}

fn body(steps: &[StepSection]) -> Body {
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
        StepSection::Fail(message) => Step::Fail(name(message)),
    };
    Body::steps(steps.iter().map(step).collect::<Vec<_>>())
}

fn known_requests(scenario: &Scenario) -> Option<u64> {
    let WorkloadSection { invocations, trace, generate } = &scenario.workload;
    match (trace, generate) {
        (None, Some(generate)) => generate.requests,
        (None, None) => Some(invocations.len() as u64),
        (Some(_), _) => None,
    }
}

fn known_end(scenario: &Scenario) -> Option<SimTime> {
    let WorkloadSection { trace, generate, .. } = &scenario.workload;
    let of_trace = trace.as_ref().and_then(|trace| trace.select.minutes).map(|minutes| 60.0 * minutes);
    let seconds = of_trace.or_else(|| generate.as_ref()?.duration_s);
    seconds.map(SimTime::from_secs_f64)
}

/// Gives the service its workload, with the functions that it declares; gives the names of all functions.
fn set_workload(
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

/// Finds the routes and disks that the scenario will need, and names the first that is missing.
fn check_routes(
    scenario: &Scenario,
    service: ServerlessComputeService,
    simulation: &mut Simulation,
) -> Result<(), ScenarioError> {
    let bodies = scenario.functions.iter().map(|function| &function.body);
    let own_bodies = scenario.workload.invocations.iter().filter_map(|invocation| invocation.body.as_ref());
    let steps = || bodies.clone().chain(own_bodies.clone()).flatten();
    let has_images = scenario.functions.iter().any(|function| function.image.is_some());
    let reads_remote = steps().any(|step| matches!(step, StepSection::Ingress(_) | StepSection::ReadRemote(_)));
    let sends = steps().any(|step| matches!(step, StepSection::Egress(_)));
    let writes = steps().any(|step| matches!(step, StepSection::Write(_) | StepSection::Read(_)));
    simulation.with_model_mut(|services, kernel| {
        let service = services.get_mut(service.index);
        let (head, registry) = (service.head, service.registry);
        let mut check = |from: Endpoint, to: Endpoint| check_path(kernel, from, to);
        if has_images && scenario.service.simulate_image_downloads {
            check(Endpoint::Disk(registry), Endpoint::Disk(head))?;
        }
        for node in &service.cluster.nodes {
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
            if writes {
                check(Endpoint::Memory(node.host), disk)?;
            }
        }
        Ok(())
    })
}

fn check_path(kernel: &mut Kernel<Event>, from: Endpoint, to: Endpoint) -> Result<(), ScenarioError> {
    let place = |host: HostId| kernel.platform().host(host).name.clone();
    let place = match (from, to) {
        (Endpoint::Disk(from), Endpoint::Disk(to)) if from != to => {
            format!("platform (from {:?} to {:?})", place(from), place(to))
        }
        _ => "platform".to_owned(),
    };
    kernel.check_path(from, to).map_err(|error| ScenarioError::refused(place, error))
}

fn select_policies(scenario: &Scenario, catalog: &Catalog) -> Result<PolicySet, ScenarioError> {
    let PoliciesSection { admission, node_allocation, keep_alive, eviction } = &scenario.policies;
    let choose = |slot, section| choice(slot, section, &scenario.base);
    let wrong = |slot: PolicySlot| {
        move |error: SelectionError| ScenarioError::invalid(format!("policies.{}", slot.path()), error.to_string())
    };
    let evict = |slot, section| catalog.eviction(choose(slot, section)).map_err(wrong(slot));
    let (of_admission, of_allocation, of_keep_alive) =
        (PolicySlot::Admission, PolicySlot::NodeAllocation, PolicySlot::KeepAlive);
    Ok(PolicySet {
        admission: catalog.admission(choose(of_admission, admission)).map_err(wrong(of_admission))?,
        node_allocation: catalog
            .node_allocation(choose(of_allocation, node_allocation))
            .map_err(wrong(of_allocation))?,
        keep_alive: catalog.keep_alive(choose(of_keep_alive, keep_alive)).map_err(wrong(of_keep_alive))?,
        containers: evict(PolicySlot::Containers, &eviction.containers)?,
        images_in_ram: evict(PolicySlot::ImagesInRam, &eviction.images_in_ram)?,
        images_on_disk: evict(PolicySlot::ImagesOnDisk, &eviction.images_on_disk)?,
        images_on_head: evict(PolicySlot::ImagesOnHead, &eviction.images_on_head)?,
    })
}

/// What a scenario asks for in a slot; paths in it are relative to the scenario.
fn choice(slot: PolicySlot, section: &Option<PolicySection>, base: &Path) -> PolicyChoice {
    let section = section.clone().unwrap_or_default();
    let library = section.library.map(|library| base.join(library));
    let default = || library.is_none().then(|| slot.default_name().to_owned());
    PolicyChoice { name: section.name.or_else(default), library, parameters: section.parameters }
}
