//! How a service is set up on a platform.

use std::rc::Rc;

use hearth_policy_api::{Commitment, NONE};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::platform::{HostId, Platform};
use hearth_simcore::simulation::UnknownHost;
use hearth_simcore::time::SimDuration;

use super::Service;
use super::attempts::{Attempts, Counts, WaitingQueue};
use super::bounds::ContainerBounds;
use super::event::{Event, ServiceModel};
use super::head::Head;
use super::history::LetIn;
use super::images::HeadImages;
use super::instances::Instances;
use super::keep_alive::KeepAlive;
use super::node_pools::NodePools;
use super::orders::PolicyTimers;
use super::policies::{Hears, Objects, Policies};
use super::recovery::Recovery;
use super::registry::Registry;
use super::running::Bodies;
use super::scheduling::{Backfilling, Rounds};
use super::work::Work;
use super::{ProcessorSharing, Settings};
use crate::Simulation;
use crate::causes::{CauseTotals, ContainerEnd};
use crate::cluster::{Cluster, ContainerLists};
use crate::decisions::Observers;
use crate::error::Error;
use crate::fault::{FaultPlan, HedgePolicy, ReplicationPolicy, RetryPolicy};
use crate::function::{Function, FunctionId, Image, ImageId, Pods};
use crate::invocation::{InvocationRecord, Stall};
use crate::ledger::Ledger;
use crate::metrics::{Cost, Metrics, Prices};
use crate::node::{ContainerEviction, ImageStorage, Medium, Node, NodePool};
use crate::policy::{PolicySet, PolicySlot, Storage, Watch, Workshop};
use crate::results::{Recorder, Standing, Story};
use crate::workflow::{Callee, Workflow, WorkflowId, WorkflowRecord};
use crate::workload::{ArrivalSource, PlannedInvocation, Workload};

/// A handle on a serverless compute service of a [`Simulation`].
///
/// A head host takes requests in and stores images; compute nodes run one invocation per core in containers, with
/// images and containers' data in their RAM and on their disk. Set one up with [`ServerlessComputeService::builder`]
/// and use it through a [`crate::FunctionManager`].
///
/// # Panics
/// Methods that take a simulation panic when no service was started in it: the handle is of another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerlessComputeService(());

impl ServerlessComputeService {
    /// Begins to set up a service whose head is this host. It needs nodes and policies.
    pub fn builder(head: &str) -> ServiceBuilder {
        ServiceBuilder {
            head: head.to_owned(),
            registry: head.to_owned(),
            nodes: Vec::new(),
            policies: None,
            settings: Settings {
                startup_overhead: SimDuration::ZERO,
                processing_overhead: SimDuration::ZERO,
                reuse_most_recent: true,
                backfilling: Backfilling::Unlimited,
                processors: ProcessorSharing::Dedicated,
            },
            simulate_downloads: true,
            keep_records: false,
            explains: false,
            observers: Observers::default(),
        }
    }

    /// Adds an image to the registry.
    ///
    /// # Errors
    /// When there is one of that name.
    pub fn create_image(&self, simulation: &mut Simulation, image: Image) -> Result<ImageId, Error> {
        simulation.with_model_mut(|model, _| model.service().add_image(image))
    }

    /// Adds a file to the registry.
    ///
    /// # Errors
    /// When there is one of that name.
    pub fn create_file(&self, simulation: &mut Simulation, name: &str, size: u64) -> Result<(), Error> {
        simulation.with_model_mut(|model, _| model.service().add_file(name, size))
    }

    /// Registers a function before the simulation runs; processes use [`crate::FunctionManager::register`].
    ///
    /// # Errors
    /// When there is one of that name, or no node could ever run it.
    pub fn register(&self, simulation: &mut Simulation, function: Function) -> Result<FunctionId, Error> {
        simulation.with_model_mut(|model, _| model.service().register(function))
    }

    /// Has nodes come and go in pools, before anybody asks for anything: once for all pools.
    ///
    /// # Errors
    /// When a host is unknown, no node of the service, its head or registry, or in two pools, or there are not enough of them.
    pub fn set_node_pools(&self, simulation: &mut Simulation, pools: &[NodePool]) -> Result<(), Error> {
        simulation.with_model_mut(|model, kernel| model.service().set_node_pools(pools, kernel).map_err(|error| *error))
    }

    /// Adds a pool of generic containers, after those that instances look into before. Call it before there are instances.
    ///
    /// # Errors
    /// When there is a function of that name, or no node could ever hold one of them.
    pub fn add_pods(&self, simulation: &mut Simulation, pods: Pods) -> Result<(), Error> {
        simulation.with_model_mut(|model, kernel| model.service().add_pods(&pods, kernel).map_err(|error| *error))
    }

    /// Takes a workflow in, whose functions are registered; [`Workflow`] has an example.
    ///
    /// # Errors
    /// When there is one of that name, or it makes no sense.
    pub fn create_workflow(&self, simulation: &mut Simulation, workflow: Workflow) -> Result<WorkflowId, Error> {
        simulation.with_model_mut(|model, _| model.service().create_workflow(workflow))
    }

    /// What came of the runs of workflows that have ended, in the order of their ends; call it once.
    pub fn workflow_records(&self, simulation: &mut Simulation) -> Vec<WorkflowRecord> {
        simulation.with_model_mut(|model, _| model.service().books.take_workflow_records())
    }

    /// Gives the service its workload, before the simulation runs.
    ///
    /// # Errors
    /// When an invocation names a callee or a predecessor that is not there.
    pub fn set_workload(&self, simulation: &mut Simulation, planned: Vec<PlannedInvocation>) -> Result<(), Error> {
        simulation.with_model_mut(|model, kernel| {
            let service = model.service();
            for (position, invocation) in planned.iter().enumerate() {
                service.check_callee(invocation.callee)?;
                if let Some(&predecessor) = invocation.after.iter().find(|predecessor| **predecessor >= planned.len()) {
                    return Err(Error::UnknownPredecessor { position, predecessor });
                }
            }
            service.work.set_workload(Workload::new(planned));
            Ok(service.pull_arrival(kernel)?)
        })
    }

    /// Gives the service a stream of invocations, before the simulation runs. `callees` are the functions and workflows
    /// that the source's positions stand for.
    ///
    /// # Errors
    /// When a callee is not the service's, or the first invocation cannot be read.
    pub fn set_source(
        &self,
        simulation: &mut Simulation,
        source: Box<dyn ArrivalSource>,
        callees: Vec<Callee>,
    ) -> Result<(), Error> {
        simulation.with_model_mut(|model, kernel| {
            let service = model.service();
            callees.iter().try_for_each(|callee| service.check_callee(*callee))?;
            service.work.set_workload(Workload::streamed(source, callees));
            Ok(service.pull_arrival(kernel)?)
        })
    }

    /// Ends the books: call it once, after the simulation has run. Gives the counts, and the record of every
    /// invocation if they were [kept](ServiceBuilder::keep_records), in the order of requests.
    pub fn close(&self, simulation: &mut Simulation) -> (Metrics, Vec<InvocationRecord>) {
        // What is kept in memory cannot fail to be written.
        let ended = self.end(simulation);
        (ended.metrics, ended.records.unwrap_or_default())
    }

    /// How many compute nodes it has.
    pub(crate) fn node_count(&self, simulation: &mut Simulation) -> usize {
        simulation.with_model_mut(|model, _| model.service().cluster.nodes().len())
    }

    /// Has the simulation stop with [`Error::NoProgress`] after so many events in a row of which none has moved an
    /// invocation on, whatever is still to come; with 0 never. Without this it is after
    /// [`DEFAULT_EVENTS_WITHOUT_PROGRESS`](crate::DEFAULT_EVENTS_WITHOUT_PROGRESS).
    pub fn set_max_events_without_progress(&self, simulation: &mut Simulation, events: u64) {
        simulation.with_model_mut(|model, _| model.progress.set_limit(events));
    }

    /// Sets what goes wrong on the platform; see [`crate::fault::PlannedFault`] for an example.
    pub fn set_faults(&self, simulation: &mut Simulation, plan: FaultPlan) {
        simulation.with_model_mut(|model, kernel| model.service().set_faults(plan, kernel));
    }

    /// Has invocations tried again that do not end well.
    pub fn set_retries(&self, simulation: &mut Simulation, policy: RetryPolicy) {
        simulation.with_model_mut(|model, kernel| {
            model.service().recovery.set_retries(policy, kernel.seed());
        });
    }

    /// Has invocations asked for a second time that take long.
    pub fn set_hedging(&self, simulation: &mut Simulation, policy: HedgePolicy) {
        simulation.with_model_mut(|model, _| model.service().recovery.set_hedging(policy));
    }

    /// Has images copied to other nodes when copies are lost.
    pub fn set_replication(&self, simulation: &mut Simulation, policy: ReplicationPolicy) {
        simulation.with_model_mut(|model, _| model.service().recovery.set_replication(policy));
    }

    /// Counts what invocations cost, from now on.
    pub fn set_prices(&self, simulation: &mut Simulation, prices: Prices) {
        let cost = Some(Box::new(Cost::new(prices)));
        simulation.with_model_mut(|model, _| model.service().books.metrics.cost = cost);
    }

    /// Ends the books, as [`close`](Self::close), where invocations may have been written elsewhere. Tells also what the
    /// service waited for.
    pub(crate) fn end(&self, simulation: &mut Simulation) -> Ended {
        simulation.with_model_mut(|model, kernel| {
            let service = model.service();
            let (stall, unwritten) =
                service.close(kernel).map_or_else(|error| (None, Err(error)), |stall| (stall, Ok(())));
            let Counts { waiting: queued, running } = service.attempts.counts();
            let (processors, instances) = (service.cluster.processors_in_use(kernel), service.instances.counts());
            let (causes, stories) = (service.take_cause_totals(), service.take_stories());
            let found = service.take_found_ends();
            let (metrics, records) = service.books.finish(|metrics| {
                Some((kernel.now(), Standing { processors, instances, ..Standing::of(metrics, running, queued) }))
            });
            Ended { metrics, records: unwritten.and(records), stall, causes, stories, found }
        })
    }
}

/// What came of a service.
pub(crate) struct Ended {
    pub metrics: Metrics,
    pub records: Result<Vec<InvocationRecord>, Error>,
    /// What it waited for, if it could not go on.
    pub stall: Option<Stall>,
    /// What the latency of all was made of, where that was asked for.
    pub causes: Option<CauseTotals>,
    /// The stories that were asked for.
    pub stories: Vec<Story>,
    /// Ends of containers that were sought.
    pub found: Vec<ContainerEnd>,
}

/// Sets up a [`ServerlessComputeService`].
///
/// ```
/// use hearth_serverless::prelude::*;
/// let platform = PlatformBuilder::new()
///     .host("head", HostSpec::new(1, 1e9))
///     .group("node", 2, HostSpec::new(4, 1e9).ram(8 * GB))
///     .build()?;
/// let mut simulation = Simulation::new(platform, 42);
/// let service = ServerlessComputeService::builder("head")
///     .nodes(&["node-*"])
///     .policies(PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN))?)
///     .container_startup_overhead(secs(2))
///     .keep_records(true)
///     .start(&mut simulation)?;
/// let function = Function {
///     name: "greet".to_owned(),
///     image: None,
///     limits: Limits { ram: 128 * MB, ..Limits::default() },
///     startup_overhead: None,
///     body: Body::steps([Step::Sleep(secs(1))]),
/// };
/// let function = service.register(&mut simulation, function)?;
/// let callee = function.into();
/// let first = PlannedInvocation { at: None, after: vec![], delay: SimDuration::ZERO, callee, body: None };
/// let second = PlannedInvocation { after: vec![0], ..first.clone() };
/// service.set_workload(&mut simulation, vec![first, second])?;
/// simulation.run()?;
/// let (metrics, records) = service.close(&mut simulation);
/// assert_eq!((metrics.cold_starts, metrics.warm_starts), (1, 1));
/// assert_eq!(records[1].finished_at, Some(SimTime::from_secs_f64(4.0)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ServiceBuilder {
    head: String,
    registry: String,
    nodes: Vec<String>,
    policies: Option<PolicySet>,
    settings: Settings,
    simulate_downloads: bool,
    keep_records: bool,
    explains: bool,
    observers: Observers,
}

impl ServiceBuilder {
    /// Adds compute nodes: names of hosts, or `group-*` for all hosts of that prefix.
    pub fn nodes<T: AsRef<str>>(mut self, nodes: &[T]) -> Self {
        self.nodes.extend(nodes.iter().map(|node| node.as_ref().to_owned()));
        self
    }

    /// The host whose disk holds the remote images and files; without it, the head.
    pub fn registry(mut self, host: &str) -> Self {
        host.clone_into(&mut self.registry);
        self
    }

    /// Has these look at the calls of its policies.
    pub(crate) fn observed(mut self, observers: Observers) -> Self {
        self.observers = observers;
        self
    }

    /// The policies.
    pub fn policies(mut self, policies: PolicySet) -> Self {
        self.policies = Some(policies);
        self
    }

    /// Time that a new container takes to start, where its function says nothing else. Without it, none.
    pub fn container_startup_overhead(mut self, overhead: SimDuration) -> Self {
        self.settings.startup_overhead = overhead;
        self
    }

    /// Time that the head takes for each request. Without it, none.
    pub fn invocation_processing_overhead(mut self, overhead: SimDuration) -> Self {
        self.settings.processing_overhead = overhead;
        self
    }

    /// Whether images come from the registry (the default) or are on the head from the start.
    pub fn simulate_image_downloads(mut self, simulate: bool) -> Self {
        self.simulate_downloads = simulate;
        self
    }

    /// Whether a warm start takes the idle container that was used last (the default) or the one idle longest.
    pub fn reuse_most_recent(mut self, most_recent: bool) -> Self {
        self.settings.reuse_most_recent = most_recent;
        self
    }

    /// Who may start before somebody that waits longer and cannot start: everybody, unless this says otherwise.
    pub fn backfilling(mut self, backfilling: Backfilling) -> Self {
        self.settings.backfilling = backfilling;
        self
    }

    /// What invocations have of the processors of their node: a core each, unless this says otherwise.
    pub fn processors(mut self, sharing: ProcessorSharing) -> Self {
        self.settings.processors = sharing;
        self
    }

    /// Keeps the record of every invocation, for [`ServerlessComputeService::close`].
    pub fn keep_records(mut self, keep: bool) -> Self {
        self.keep_records = keep;
        self
    }

    /// Explains what the latency of each invocation is made of: [`InvocationRecord::causes`] where records are kept. Nothing else
    /// depends on it.
    pub fn explain(mut self, explains: bool) -> Self {
        self.explains = explains;
        self
    }

    /// Puts the service on the platform of a simulation.
    ///
    /// # Errors
    /// When a host is unknown, listed twice or lacks a disk, there are no nodes, or a policy cannot be made or does not go
    /// with the choice of backfilling.
    pub fn start(self, simulation: &mut Simulation) -> Result<ServerlessComputeService, Error> {
        let context = simulation.context(&self.head)?.downgrade();
        simulation.with_model_mut(|model, kernel| {
            let service = self.build(context, kernel)?;
            if !model.start(service) {
                return Err(Error::SecondService);
            }
            // Timers that policies set when they are made.
            model.service().follow_orders(kernel).map_err(|error| *error)?;
            Ok(ServerlessComputeService(()))
        })
    }

    fn build(
        self,
        context: hearth_simcore::process::WeakContext<ServiceModel>,
        kernel: &Kernel<Event>,
    ) -> Result<Service, Error> {
        let platform = Rc::clone(kernel.platform());
        let head = find_host(&platform, &self.head)?;
        let registry = find_host(&platform, &self.registry)?;
        let hosts = self.node_hosts(&platform)?;
        let policies = self.policies.ok_or_else(|| unsuitable(&self.head, "head", "the service has no policies"))?;
        let workshop = Workshop {
            policies: &policies,
            seed: kernel.seed(),
            nodes: hosts.len() as u32,
            watch: Watch::observed(self.observers),
        };
        let node = |(number, host): (usize, &HostId)| make_node(&platform, *host, number as u32, &workshop);
        let nodes = hosts.iter().enumerate().map(node).collect::<Result<_, _>>()?;
        let head_disk = platform.host(head).disk().map_or(0, |disk| disk.capacity);
        let eviction = workshop
            .eviction(PolicySlot::ImagesOnHead, &Storage { host: &self.head, node: NONE, ram: 0, disk: head_disk })?;
        let head_storage = ImageStorage::new(Medium::Disk, head_disk, eviction);
        let mut node_allocation = workshop.make(PolicySlot::NodeAllocation, &policies.node_allocation)?;
        let mut keep_alive = workshop.make(PolicySlot::KeepAlive, &policies.keep_alive)?;
        let wrong = |mistake| Error::policy(&policies, mistake);
        let rules = node_allocation.rules().map_err(wrong)?;
        let backfilling = self.settings.backfilling;
        let is_batch = node_allocation.is_batch();
        if is_batch && backfilling != Backfilling::Unlimited {
            let policy = policies.describe(PolicySlot::NodeAllocation);
            return Err(Error::BatchBackfilling { backfilling: backfilling.name(), policy });
        }
        let of_keep_alive = keep_alive.rules().map_err(wrong)?;
        let mut admission = workshop.make(PolicySlot::Admission, &policies.admission)?;
        let of_admission = admission.rules().map_err(wrong)?;
        let autoscaling = policies.autoscaling.as_ref();
        let autoscaling = autoscaling.map(|factory| workshop.make(PolicySlot::Autoscaling, factory));
        let mut autoscaling = autoscaling.transpose()?;
        let of_autoscaling = autoscaling.as_mut().map(|of| of.rules().map_err(wrong)).transpose()?;
        let cluster_autoscaling = policies.cluster_autoscaling.as_ref();
        let cluster_autoscaling =
            cluster_autoscaling.map(|factory| workshop.make(PolicySlot::ClusterAutoscaling, factory));
        let mut cluster_autoscaling = cluster_autoscaling.transpose()?;
        let of_cluster_autoscaling = cluster_autoscaling.as_mut().map(|of| of.rules().map_err(wrong)).transpose()?;
        let is_named = policies.cluster_autoscaling.as_ref().is_some_and(|factory| !factory.is_of_controller);
        if is_named && of_cluster_autoscaling.is_some_and(|rules| !rules.scales_pools) {
            let policy = policies.describe(PolicySlot::ClusterAutoscaling);
            return Err(Error::NoClusterAutoscaler(policy));
        }
        let hears = Hears {
            admission_of_nobody: of_admission.admits_all,
            admission_of_ends: of_admission.observes_ends,
            keep_alive_of_arrivals: of_keep_alive.observes_arrivals,
            admission_of_history: of_admission.sees_history,
            keep_alive_of_history: of_keep_alive.sees_history,
            anybody_of_history: rules.sees_history || of_admission.sees_history || of_keep_alive.sees_history,
            admission_of_containers: of_admission.observes_containers,
            keep_alive_of_containers: of_keep_alive.observes_containers,
            admission_of_workflows: of_admission.sees_workflows,
            keep_alive_of_workflows: of_keep_alive.sees_workflows,
            autoscaling: of_autoscaling.unwrap_or(Hears::NO_AUTOSCALING),
            cluster_autoscaling: of_cluster_autoscaling
                .filter(|rules| rules.scales_pools)
                .unwrap_or(Hears::NO_AUTOSCALING),
        };
        let queue = match (is_batch, rules.commitment) {
            (false, Commitment::UntilStarted) => WaitingQueue::by_function(),
            _ => WaitingQueue::ordered(),
        };
        let mut cluster = Cluster::new(nodes, rules.observes);
        // Nobody else is asked about everybody again in each round, on all nodes.
        let is_asked_again = (is_batch, rules.commitment) == (false, Commitment::PerRound);
        if rules.answers_hold && is_asked_again && backfilling == Backfilling::Unlimited {
            cluster.name_contents();
        }
        if self.settings.processors == ProcessorSharing::Shared {
            cluster.share_processors();
        }
        if hears.anybody_of_history {
            cluster.keep_histories();
        }
        let others_observe = hears.keep_alive_of_containers
            || hears.autoscaling.observes_containers
            || hears.cluster_autoscaling.observes_containers;
        if rules.observes_containers || hears.admission_of_containers || others_observe {
            cluster.note_containers();
        }
        if self.explains {
            cluster.note_ends();
        }
        let mut books = Ledger::default();
        books.metrics.processors = cluster.shares_processors().then(Box::default);
        books.recorder = self.keep_records.then(Recorder::in_memory);
        let watch = workshop.watch;
        let objects = Objects { admission, node_allocation, keep_alive, autoscaling, cluster_autoscaling };
        Ok(Service {
            settings: self.settings,
            head: Head::new(head, HeadImages::new(head_storage, self.simulate_downloads)),
            registry: Registry::new(registry),
            cluster,
            attempts: Attempts::new(queue),
            let_in: LetIn::default(),
            rounds: Rounds::new(backfilling, hosts.len()),
            policies: Policies::new(policies, objects, rules, hears, watch),
            container_lists: ContainerLists::default(),
            bounds: ContainerBounds::default(),
            instances: Instances::default(),
            node_pools: NodePools::default(),
            keep_alive: KeepAlive::default(),
            timers: PolicyTimers::default(),
            recovery: Recovery::default(),
            work: Work::default(),
            bodies: Bodies::new(context),
            explain: self.explains.then(Box::default),
            books,
        })
    }

    fn node_hosts(&self, platform: &Platform) -> Result<Vec<HostId>, Error> {
        let mut hosts = Vec::new();
        for name in &self.nodes {
            let matching = platform.hosts_matching(name);
            if matching.is_empty() {
                return Err(UnknownHost(name.clone()).into());
            }
            hosts.extend(matching);
        }
        let mut seen = rustc_hash::FxHashSet::default();
        if let Some(twice) = hosts.iter().find(|host| !seen.insert(**host)) {
            return Err(Error::DuplicateNode(platform.host(*twice).name.clone()));
        }
        if hosts.is_empty() {
            return Err(unsuitable(&self.head, "the head of a service", "the service has no compute nodes: add some"));
        }
        Ok(hosts)
    }
}

fn find_host(platform: &Platform, name: &str) -> Result<HostId, Error> {
    platform.host_by_name(name).ok_or_else(|| UnknownHost(name.to_owned()).into())
}

fn unsuitable(host: &str, role: &'static str, reason: &str) -> Error {
    Error::UnsuitableHost { host: host.to_owned(), role, reason: reason.to_owned() }
}

fn make_node(platform: &Platform, id: HostId, number: u32, workshop: &Workshop<'_>) -> Result<Node, Error> {
    let host = platform.host(id);
    let disk_capacity = host.disk().map_or(0, |disk| disk.capacity);
    let all = Storage { host: &host.name, node: number, ram: host.ram, disk: disk_capacity };
    let ram = workshop.eviction(PolicySlot::ImagesInRam, &Storage { disk: 0, ..all })?;
    let ram = ImageStorage::new(Medium::Ram, host.ram, ram);
    let disk = workshop.eviction(PolicySlot::ImagesOnDisk, &Storage { ram: 0, ..all })?;
    let disk = ImageStorage::new(Medium::Disk, disk_capacity, disk);
    let containers = ContainerEviction::new(workshop.eviction(PolicySlot::Containers, &all)?);
    let containers = containers.map_err(|mistake| Error::policy(workshop.policies, mistake))?;
    Ok(Node::new(host, id, ram, disk, containers))
}
