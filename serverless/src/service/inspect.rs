//! What is to be seen of a service between two events, for who looks at a simulation. Looking changes nothing.

use std::collections::BTreeMap;

use hearth_simcore::kernel::{Kernel, Upcoming, UpcomingKind};
use hearth_simcore::network::Endpoint;
use hearth_simcore::time::SimTime;

use super::Service;
use super::attempts::{Attempt, AttemptKey, Stage};
use super::event::{Event, Happening, Message};
use crate::function::ImageId;
use crate::invocation::{InvocationRecord, Start};
use crate::metrics::Metrics;
use crate::node::{Container, ContainerId, NodeId};
use crate::table::Identifier;

/// Who is in which container.
type Places<'a> = BTreeMap<(NodeId, ContainerId), Vec<&'a InvocationRecord>>;

/// How a node stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeCondition {
    /// It takes invocations.
    Up,
    /// It goes on with what it has, and takes nobody any more.
    Draining,
    /// It is down, or off, or boots.
    Down,
}

impl NodeCondition {
    /// In a word, as in `up`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Draining => "draining",
            Self::Down => "down",
        }
    }
}

/// A node between two events. Bytes are bytes.
#[derive(Clone, PartialEq, Debug)]
pub struct InspectedNode {
    /// Its number.
    pub node: u32,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub condition: NodeCondition,
    /// Its cores.
    pub cores: u32,
    /// Invocations that hold a core of it.
    pub running: u32,
    /// Cores that are promised to invocations which wait there for their image.
    pub promised: u32,
    /// How many stand in its queue.
    pub queued: u32,
    /// Its RAM.
    pub ram: u64,
    /// RAM that nothing holds.
    pub free_ram: u64,
    /// Its disk.
    pub disk: u64,
    /// Disk that nothing holds.
    pub free_disk: u64,
    /// The names of the images in its RAM.
    pub images_in_ram: Vec<String>,
    /// The names of the images on its disk.
    pub images_on_disk: Vec<String>,
    /// Its containers, by number.
    pub containers: Vec<InspectedContainer>,
}

/// What a container is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContainerState {
    /// It starts, and an invocation waits for it.
    Starting,
    /// It starts ahead of a request.
    StartingAhead,
    /// It runs an invocation.
    Busy,
    /// It is idle.
    Idle,
    /// It is that of an instance, which starts or waits for requests.
    OfInstance,
}

impl ContainerState {
    /// In a word or two, as in `idle`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::StartingAhead => "starting ahead",
            Self::Busy => "busy",
            Self::Idle => "idle",
            Self::OfInstance => "of an instance",
        }
    }
}

/// A container between two events.
#[derive(Clone, PartialEq, Debug)]
pub struct InspectedContainer {
    /// Its number on its node.
    pub container: u32,
    /// Its node.
    pub node: u32,
    /// Its function.
    pub function: u32,
    /// What it is at.
    pub state: ContainerState,
    /// Since when.
    pub since: SimTime,
    /// When it was made.
    pub created: SimTime,
    /// The invocations that it starts for, or runs: several where an instance serves them, and one at the most otherwise.
    pub invocations: Vec<u64>,
    /// When its keep-alive is over, if it is idle and that ever is.
    pub expires: Option<SimTime>,
    /// RAM that it holds, in bytes.
    pub ram: u64,
}

/// Where an attempt at an invocation stands between two events.
#[derive(Clone, PartialEq, Debug)]
pub struct InspectedAttempt {
    /// What is known of its invocation.
    pub record: InvocationRecord,
    /// Which attempt it is, 1 for the first.
    pub attempt: u32,
    /// Where it stands, in words, as in `in the queue`.
    pub stage: &'static str,
    /// Whether it was let in and has no container.
    pub waits: bool,
    /// What it waits for, in words; `None` if it runs, or is gone.
    pub waits_for: Option<String>,
    /// Its place in the queue, if it has one: its rank, and its number of those of its rank.
    pub turn: Option<(u64, u64)>,
    /// How often admission has put it off.
    pub delays: u32,
    /// The number of its container on its node, while it has one.
    pub container: Option<u32>,
}

/// Something that is to come.
#[derive(Clone, PartialEq, Debug)]
pub struct UpcomingEvent {
    /// When; of what moves or computes, at its present rate. `None` where that is not known.
    pub date: Option<SimTime>,
    /// Whether another rate would make that another date.
    pub is_estimate: bool,
    /// Whether it happens only if something else is still to happen.
    pub in_background: bool,
    /// What it is, in words.
    pub what: String,
}

/// What can be counted between two events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// Attempts that were let in and have no container.
    Queue,
    /// Attempts that are in a container.
    Running,
    /// Attempts that wait on a node for their image, for a busy container, or in the queues of nodes, as an answer has it.
    Bound,
    /// Free cores of nodes that are up.
    FreeCores,
    /// Containers, whatever they do.
    Containers,
    /// Idle containers.
    Idle,
    /// Nodes that are up.
    NodesUp,
    /// Requests so far.
    Requests,
    /// Invocations that have ended, in whatever way.
    Ended,
    /// Starts in new containers so far.
    ColdStarts,
    /// Starts in idle containers so far.
    WarmStarts,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Queue,
        Self::Running,
        Self::Bound,
        Self::FreeCores,
        Self::Containers,
        Self::Idle,
        Self::NodesUp,
        Self::Requests,
        Self::Ended,
        Self::ColdStarts,
        Self::WarmStarts,
    ];

    /// What conditions call it.
    ///
    /// ```
    /// use hearth_serverless::experiment::Quantity;
    /// assert_eq!(Quantity::FreeCores.name(), "free_cores");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Running => "running",
            Self::Bound => "bound",
            Self::FreeCores => "free_cores",
            Self::Containers => "containers",
            Self::Idle => "idle",
            Self::NodesUp => "nodes_up",
            Self::Requests => "requests",
            Self::Ended => "ended",
            Self::ColdStarts => "cold_starts",
            Self::WarmStarts => "warm_starts",
        }
    }
}

/// Whether an answer of a policy holds for an attempt that has not started.
fn is_bound(attempt: &Attempt) -> bool {
    matches!(attempt.stage(), Stage::Bound { .. } | Stage::AwaitsContainer(_) | Stage::AwaitsCore)
}

impl Service {
    /// How a node stands.
    pub(crate) fn condition_of(&self, node: NodeId) -> NodeCondition {
        if self.cluster.up().contains(node) {
            NodeCondition::Up
        } else if self.node_pools.are_draining() && self.node_pools.is_draining(node) {
            NodeCondition::Draining
        } else {
            NodeCondition::Down
        }
    }

    /// All nodes, with what is on them.
    pub(crate) fn inspect_nodes(&self) -> Vec<InspectedNode> {
        let places = self.places(|_| true);
        self.cluster.nodes().names().map(|node| self.inspect_node_with(node, &places)).collect()
    }

    /// A node, with what is on it; `None` if there is none of that number.
    pub(crate) fn inspect_node(&self, node: NodeId) -> Option<InspectedNode> {
        self.cluster.nodes().find(node)?;
        Some(self.inspect_node_with(node, &self.places(|at| at == node)))
    }

    /// Who is in which container of these nodes.
    fn places(&self, of: impl Fn(NodeId) -> bool) -> Places<'_> {
        let mut places = Places::new();
        for (_, attempt) in self.attempts.iter() {
            if let Some(place) = attempt.place().filter(|(node, _)| of(*node)) {
                places.entry(place).or_default().push(&attempt.record);
            }
        }
        places
    }

    fn inspect_node_with(&self, node: NodeId, places: &Places<'_>) -> InspectedNode {
        let held = self.cluster.node(node);
        let with_image = |is_there: &dyn Fn(ImageId) -> bool| {
            let there = self.registry.images().named().filter(|(image, _)| is_there(*image));
            there.map(|(_, image)| image.name.clone()).collect()
        };
        InspectedNode {
            node: node.0,
            name: held.name.clone(),
            condition: self.condition_of(node),
            cores: held.cores,
            running: held.running,
            promised: held.promised.cores,
            queued: self.cluster.node_view(node).queued,
            ram: held.ram_capacity,
            free_ram: held.ram.free(),
            disk: held.disk_capacity,
            free_disk: held.disk.free(),
            images_in_ram: with_image(&|image| self.cluster.sites(image).in_ram().contains(node)),
            images_on_disk: with_image(&|image| self.cluster.sites(image).on_disk().contains(node)),
            containers: held
                .containers
                .iter()
                .map(|(position, container)| {
                    self.inspect_container((node, ContainerId::at(position)), container, places)
                })
                .collect(),
        }
    }

    fn inspect_container(
        &self,
        (node, container): (NodeId, ContainerId),
        held: &Container,
        places: &Places<'_>,
    ) -> InspectedContainer {
        let records = places.get(&(node, container)).map(Vec::as_slice).unwrap_or_default();
        let first =
            |date: &dyn Fn(&InvocationRecord) -> Option<SimTime>| records.iter().filter_map(|of| date(of)).min();
        let (state, since) = match &held.idle {
            Some(idle) => (ContainerState::Idle, idle.since),
            None if records.is_empty() && self.instances.serve(held.function) => {
                (ContainerState::OfInstance, held.created)
            }
            None if records.is_empty() => (ContainerState::StartingAhead, held.created),
            None => match first(&|record| record.started_at) {
                Some(started) => (ContainerState::Busy, started),
                None => (ContainerState::Starting, first(&|record| record.dispatched_at).unwrap_or(held.created)),
            },
        };
        let expires = held.idle.as_ref().map(|idle| idle.expires).filter(|expires| *expires != SimTime::MAX);
        let mut invocations: Vec<u64> = records.iter().map(|record| record.invocation).collect();
        invocations.sort_unstable();
        InspectedContainer {
            container: container.0,
            node: node.0,
            function: held.function.0,
            state,
            since,
            created: held.created,
            invocations,
            expires,
            ram: self.cluster.held_ram(held),
        }
    }

    /// All attempts that are under way and have been asked for, in the order in which they wait: those in the queue by their turn, then
    /// the others by the number of their invocation.
    pub(crate) fn inspect_attempts(&self, kernel: &Kernel<Event>) -> Vec<InspectedAttempt> {
        let is_there = |(_, attempt): &(AttemptKey, &Attempt)| {
            attempt.record.requested_at.is_some_and(|requested| requested <= kernel.now())
        };
        let mut attempts: Vec<_> = self.attempts.iter().filter(is_there).collect();
        attempts.sort_unstable_by_key(|(_, attempt)| {
            let turn = attempt.stage().has_turn().then(|| attempt.turn());
            (!attempt.waits(), turn.is_none(), turn, attempt.record.invocation, attempt.number())
        });
        attempts.into_iter().map(|(key, attempt)| self.inspect_attempt(key, attempt, kernel)).collect()
    }

    /// The attempt at an invocation that is under way, or the first of several.
    pub(crate) fn attempt_at(&self, invocation: u64) -> Option<AttemptKey> {
        let of_it = self.attempts.iter().filter(|(_, attempt)| attempt.record.invocation == invocation);
        of_it.min_by_key(|(_, attempt)| attempt.number()).map(|(key, _)| key)
    }

    /// An attempt, and what it waits for.
    pub(crate) fn inspect_attempt(
        &self,
        key: AttemptKey,
        attempt: &Attempt,
        kernel: &Kernel<Event>,
    ) -> InspectedAttempt {
        let is_placed = attempt.place().is_some();
        let has_ended = attempt.record.finished_at.is_some();
        let waits_for = (!is_placed && !has_ended)
            .then(|| self.why_unfinished(key, attempt, kernel).unwrap_or_else(|| self.why_queued()));
        InspectedAttempt {
            record: attempt.record.clone(),
            attempt: attempt.number(),
            stage: stage_in_words(attempt),
            waits: attempt.waits(),
            waits_for,
            turn: attempt.stage().has_turn().then(|| (attempt.turn().rank, attempt.turn().number)),
            delays: attempt.delays,
            container: attempt.place().map(|(_, container)| container.0),
        }
    }

    /// How much there is of something.
    pub(crate) fn measure(&self, quantity: Quantity) -> u64 {
        let (counts, metrics) = (self.attempts.counts(), &self.books.metrics);
        match quantity {
            Quantity::Queue => counts.waiting,
            Quantity::Running => counts.running,
            Quantity::Bound if counts.waiting == 0 => 0,
            Quantity::Bound => self.attempts.iter().filter(|(_, attempt)| is_bound(attempt)).count() as u64,
            Quantity::FreeCores => self.cluster.free_cores(),
            Quantity::Containers => self.cluster.nodes().iter().map(|node| node.containers.len() as u64).sum(),
            Quantity::Idle => self.cluster.views().iter().map(|view| u64::from(view.idle_containers)).sum(),
            Quantity::NodesUp => self.cluster.up().count() as u64,
            Quantity::Requests => self.policies.watch().requests(),
            Quantity::Ended => metrics.invocations(),
            Quantity::ColdStarts => metrics.cold_starts,
            Quantity::WarmStarts => metrics.warm_starts,
        }
    }

    /// The counts as they would be if the simulation had ended after this event, of those that have ended.
    pub(crate) fn metrics_so_far(&self, kernel: &Kernel<Event>, ended: &[InvocationRecord]) -> Metrics {
        let mut metrics = self.books.metrics.clone();
        let deadlines = self.registry.functions().iter().map(|function| function.limits.deadline);
        let mut folding = self.books.folding.begun_anew(deadlines);
        ended.iter().for_each(|record| folding.record(record));
        folding.settle(&mut metrics);
        metrics.unrecovered = self.recovery.unrecovered();
        metrics.energy = self.energy(kernel.now());
        metrics
    }

    /// What is to come, the earliest first, in words.
    pub(crate) fn upcoming(&self, kernel: &Kernel<Event>, most: usize) -> Vec<UpcomingEvent> {
        let one = |upcoming: Upcoming<'_, Event>| UpcomingEvent {
            date: upcoming.date,
            is_estimate: matches!(upcoming.kind, UpcomingKind::Transfer { rate, .. } if rate > 0.0),
            in_background: upcoming.kind == UpcomingKind::InBackground,
            what: self.upcoming_in_words(&upcoming, kernel),
        };
        kernel.upcoming().into_iter().take(most).map(one).collect()
    }

    fn upcoming_in_words(&self, upcoming: &Upcoming<'_, Event>, kernel: &Kernel<Event>) -> String {
        let what = match upcoming.event {
            Some(Event(happening)) => self.in_words(*happening),
            None => "a process goes on".to_owned(),
        };
        let host = |end: Endpoint| match end {
            Endpoint::Disk(host) => format!("the disk of {:?}", kernel.platform().host(host).name),
            Endpoint::Memory(host) => format!("{:?}", kernel.platform().host(host).name),
        };
        match upcoming.kind {
            UpcomingKind::Transfer { from, to, rate } if rate > 0.0 => {
                format!("{what} (from {} to {}, {:.1} MB/s)", host(from), host(to), rate / 1e6)
            }
            UpcomingKind::Transfer { from, to, .. } => format!("{what} (from {} to {})", host(from), host(to)),
            _ => what,
        }
    }

    /// What happens, in words.
    fn in_words(&self, happening: Happening) -> String {
        let who = |key: AttemptKey| match self.attempts.get(key) {
            Some(attempt) if attempt.number() > 1 => {
                format!("invocation {} (attempt {})", attempt.record.invocation, attempt.number())
            }
            Some(attempt) => format!("invocation {}", attempt.record.invocation),
            None => "an attempt that is gone".to_owned(),
        };
        let node = |node: NodeId| format!("node {:?}", self.cluster.node(node).name);
        let image = |image: ImageId| format!("image {:?}", self.registry.image(image).name);
        match happening {
            Happening::Arrival => "the next request".to_owned(),
            Happening::Message(message) => match message {
                Message::Request(key) => format!("{} is requested", who(key)),
                Message::Processed(key) => format!("the head has processed {}", who(key)),
                Message::AdmitAgain(key) => format!("{} asks for admission again", who(key)),
                Message::Downloaded(of) => format!("{} is on the head", image(of)),
                Message::Copied { node: to, image: of } => format!("{} is on the disk of {}", image(of), node(to)),
                Message::Loaded { node: to, image: of } => format!("{} is in the RAM of {}", image(of), node(to)),
                Message::Ended(key) => format!("the head hears of the end of {}", who(key)),
                Message::WaitOver(key) => format!("{} has waited long enough", who(key)),
                Message::Prewarm(_) => "a container is started ahead".to_owned(),
                Message::Prewarmed(_) => "a container that was started ahead is up".to_owned(),
                Message::InstanceReady(_) => "an instance is up".to_owned(),
                Message::Changed => "something has changed".to_owned(),
                Message::KeepAliveOver { node: at, container, .. } => {
                    format!("the keep-alive of container {} on {} is over", container.0, node(at))
                }
            },
            Happening::HeadProcessed(key) => format!("the head has processed {}", who(key)),
            Happening::StartupWork(key) => format!("the container of {} computes before it is up", who(key)),
            Happening::ContainerStarted(key) => format!("the container of {} is up", who(key)),
            Happening::StartupWorkAhead(_) => "a container that is started ahead computes before it is up".to_owned(),
            Happening::StepEnded(key) => format!("a step of {} ends", who(key)),
            Happening::InputArrived(key) => format!("data of {} arrives", who(key)),
            Happening::WorkflowRequested(_) => "a workflow is requested".to_owned(),
            Happening::BodyEnded(key) => format!("{} ends", who(key)),
            Happening::TimeLimit(key) => format!("{} reaches its time limit", who(key)),
            Happening::FaultBegins(number) => format!("fault {number} begins"),
            Happening::FaultEnds(number) => format!("fault {number} ends"),
            Happening::Crashed(key) => format!("the container of {} crashes", who(key)),
            Happening::Hedge(key) => format!("another attempt beside {}", who(key)),
            Happening::PolicyTimer => "a timer of a policy".to_owned(),
            Happening::InstanceAdvances(_) => "an instance gets on with its start".to_owned(),
            Happening::StationOpens(_) => "a station of the control plane is free".to_owned(),
            Happening::InstanceComputes(_) => "an instance computes before it is up".to_owned(),
            Happening::InstanceTriesAgain(_) => "the start of an instance is tried again".to_owned(),
            Happening::SnapshotMade(_) => "a snapshot is there".to_owned(),
            Happening::ScaleTick => "autoscalers are asked".to_owned(),
            Happening::NodeBooted(of) => format!("{} has booted", node(of)),
            Happening::PoolTick => "autoscalers of pools of nodes are asked".to_owned(),
        }
    }
}

fn stage_in_words(attempt: &Attempt) -> &'static str {
    let record = &attempt.record;
    match attempt.stage() {
        Stage::Requested if attempt.is_between_attempts() => "between attempts",
        Stage::Requested => "requested",
        Stage::Submitted => "asks admission",
        Stage::Delayed => "delayed by admission",
        Stage::Admitted => "admitted",
        Stage::AwaitsImage(_) => "waits for its image on the head",
        Stage::Queued => "in the queue",
        Stage::Bound { .. } => "waits for its image on a node",
        Stage::AwaitsContainer(_) => "waits for a busy container",
        Stage::AwaitsCore => "in the queues of nodes",
        Stage::AwaitsInstance(_) => "waits for an instance",
        Stage::Held(_) | Stage::Served(_) if record.finished_at.is_some() => "has ended, and the head has not heard",
        Stage::Held(_) | Stage::Served(_) if record.started_at.is_some() => "runs",
        Stage::Held(_) | Stage::Served(_) if record.start == Some(Start::Cold) => "its container starts",
        Stage::Held(_) | Stage::Served(_) => "begins",
        Stage::Ended => "has ended",
    }
}
