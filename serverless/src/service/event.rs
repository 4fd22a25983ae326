//! What happens to a service, and the model that hands it on.

use hearth_simcore::kernel::{Kernel, Model};

use super::Service;
use super::attempts::AttemptKey;
use super::instances::{InstanceKey, Which};
use super::progress::Progress;
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::node::{ContainerId, NodeId, Spell};

/// An event of the service.
#[derive(Clone, Copy, Debug)]
pub struct Event(pub(crate) Happening);

/// What can happen to a service.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happening {
    /// The next invocation of the workload is due.
    Arrival,
    /// A message reaches the head.
    Message(Message),
    /// The head has processed a request.
    HeadProcessed(AttemptKey),
    /// The startup overhead of the container of an invocation is over: it computes before it is up.
    StartupWork(AttemptKey),
    /// The container of an invocation has started.
    ContainerStarted(AttemptKey),
    /// The startup overhead of a container that is started ahead is over.
    StartupWorkAhead(u32),
    /// What the current step of a body waits for has come to pass.
    StepEnded(AttemptKey),
    /// Data has arrived that a body cannot begin without.
    InputArrived(AttemptKey),
    /// A run of the workload's workflow at this position is requested.
    WorkflowRequested(u32),
    /// A body has come to its end.
    BodyEnded(AttemptKey),
    /// An invocation has reached its time limit.
    TimeLimit(AttemptKey),
    /// A fault comes into effect: its number in the plan.
    FaultBegins(u32),
    /// It is over.
    FaultEnds(u32),
    /// The container of an invocation crashes.
    Crashed(AttemptKey),
    /// An attempt has lasted so long that another one is to be made beside it.
    Hedge(AttemptKey),
    /// A timer of a policy may have gone off.
    PolicyTimer,
    /// A station of the control plane is done with an instance, or what else takes time.
    InstanceAdvances(InstanceKey),
    /// A station of the control plane can take the next instance.
    StationOpens(Which),
    /// The phases of a start of an instance are over: it computes before it is up.
    InstanceComputes(InstanceKey),
    /// The pause is over after a start of an instance that has failed.
    InstanceTriesAgain(InstanceKey),
    /// What the start of an instance has come to is there for others.
    SnapshotMade(InstanceKey),
    /// Autoscalers are asked.
    ScaleTick,
    /// A node of a pool has booted.
    NodeBooted(NodeId),
    /// It is asked which nodes of pools come and go.
    PoolTick,
}

/// What an interrupted transfer was for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Interrupted {
    Step(AttemptKey),
    Download(ImageId),
    Copy { node: NodeId, image: ImageId },
    Load { node: NodeId, image: ImageId },
}

impl Happening {
    /// What comes to nothing if the transfer is interrupted whose end this was to be.
    pub fn interrupted(self) -> Option<Interrupted> {
        match self {
            Self::StepEnded(key) | Self::InputArrived(key) => Some(Interrupted::Step(key)),
            Self::Message(Message::Downloaded(image)) => Some(Interrupted::Download(image)),
            Self::Message(Message::Copied { node, image }) => Some(Interrupted::Copy { node, image }),
            Self::Message(Message::Loaded { node, image }) => Some(Interrupted::Load { node, image }),
            _ => None,
        }
    }
}

/// What the head is told; it handles one message after the other (the timing model, section 1).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Message {
    Request(AttemptKey),
    /// A request that the head has processed.
    Processed(AttemptKey),
    /// A delayed request asks for admission again.
    AdmitAgain(AttemptKey),
    Downloaded(ImageId),
    Copied {
        node: NodeId,
        image: ImageId,
    },
    Loaded {
        node: NodeId,
        image: ImageId,
    },
    Ended(AttemptKey),
    /// The date has come until which an attempt was to wait for a busy container, or to stand in the queues of nodes.
    WaitOver(AttemptKey),
    /// A container of the function is to be started ahead of its next request.
    Prewarm(FunctionId),
    /// It is up.
    Prewarmed(u32),
    /// An instance is up.
    InstanceReady(InstanceKey),
    /// A node or link has gone or come, or a container has crashed.
    Changed,
    /// The keep-alive of a container is over that has been idle in this spell.
    KeepAliveOver {
        node: NodeId,
        container: ContainerId,
        spell: Spell,
    },
}

/// The model behind a [`crate::Simulation`]: the service on its platform.
#[derive(Debug, Default)]
pub struct ServiceModel {
    service: Option<Box<Service>>,
    pub(crate) progress: Progress,
}

impl ServiceModel {
    /// Takes the service in; false if there is one already.
    pub(crate) fn start(&mut self, service: Service) -> bool {
        let is_first = self.service.is_none();
        if is_first {
            self.service = Some(Box::new(service));
        }
        is_first
    }

    /// The service. Whoever asks has a handle on it, or an event of it.
    ///
    /// # Panics
    /// When none was started in this simulation: the handle is of another one.
    #[track_caller]
    #[inline]
    pub(crate) fn service(&mut self) -> &mut Service {
        match &mut self.service {
            Some(service) => service,
            None => no_service(),
        }
    }
}

#[cold]
#[track_caller]
fn no_service() -> ! {
    panic!("no service was started in this simulation: the handle is of a service of another one")
}

impl Model for ServiceModel {
    type Event = Event;
    type Error = Error;

    // Compiled into the loop over events, though there is one that steps from one event to the next, too.
    #[inline(always)]
    fn handle(&mut self, event: Event, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        let Event(what) = event;
        let is_missing = self.progress.is_missing(what, kernel.now());
        let service = match &mut self.service {
            Some(service) if !is_missing => service,
            _ => return Err(self.no_progress(kernel)),
        };
        if service.policies.watch().advance(kernel.now(), kernel.events_handled()) {
            return Err(Error::Interrupted);
        }
        service.note_date(kernel.now());
        service.note_time(kernel);
        service.books.date = kernel.now();
        service.books.events = kernel.events_handled();
        let handled = service.step(what, kernel);
        service.note_standing(kernel);
        // What a policy did wrong comes first: it may be the cause of the error.
        if service.policies.watch().has_mistake() {
            return Err(*service.mistake_in_passing(handled));
        }
        handled.map_err(|error| *error)
    }
}

impl Service {
    /// Has happen what happens, and then the head read what it has been told.
    #[inline(always)]
    pub(super) fn step(&mut self, what: Happening, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        self.apply(what, kernel)?;
        self.work_off_mailbox(kernel)?;
        if self.bounds.are_set() {
            self.look_at_bounds(kernel)?;
        }
        if self.node_pools.are_there() {
            self.look_at_pools(kernel)?;
        }
        self.tell_of_containers();
        if self.policies.watch().orders().are_there() || self.timers.are_set() {
            self.follow_orders(kernel)
        } else {
            Ok(())
        }
    }

    /// Does what policies have asked for, until they ask for nothing more.
    #[cold]
    #[inline(never)]
    pub(super) fn follow_orders(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        while self.policies.watch().orders().are_there() {
            self.carry_out_orders(kernel)?;
            self.look_at_bounds(kernel)?;
            self.work_off_mailbox(kernel)?;
            self.tell_of_containers();
        }
        self.schedule_timers(kernel);
        Ok(())
    }

    /// The error for a mistake that a policy made in a call without an answer, or what else went wrong.
    #[cold]
    fn mistake_in_passing(&self, handled: Result<(), Box<Error>>) -> Box<Error> {
        let mistake = self.policies.watch().take_mistake().map(|mistake| self.policies.error(mistake));
        let unlogged = || self.end_observation().map(Box::new);
        mistake
            .or(handled.err())
            .or_else(unlogged)
            .unwrap_or_else(|| Error::internal("a policy made a mistake that nobody knows").into())
    }

    /// Changes what an event changes. What the head is to hear of it waits in its mailbox.
    #[inline(always)]
    fn apply(&mut self, what: Happening, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        match what {
            Happening::Arrival => self.arrive(kernel),
            Happening::BodyEnded(key) => self.body_ended(key, kernel),
            Happening::Message(message) => {
                self.explain_message(message, kernel.now());
                self.head.receive(message);
                Ok(())
            }
            rarer => self.apply_rarer(rarer, kernel),
        }
    }

    /// The same for what does not happen to every invocation: apart, so that the common ones are compiled into the loop.
    #[inline(never)]
    fn apply_rarer(&mut self, what: Happening, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        match what {
            Happening::Arrival | Happening::BodyEnded(_) | Happening::Message(_) => {}
            Happening::HeadProcessed(key) => {
                self.explain_processed(key, kernel.now());
                self.head.processed(key, kernel);
            }
            Happening::StartupWork(key) => self.begin_startup_work(key, kernel)?,
            Happening::ContainerStarted(key) => self.container_started(key, kernel)?,
            Happening::StartupWorkAhead(starting) => self.begin_startup_work_ahead(starting, kernel),
            Happening::StepEnded(key) => self.step_ended(key, kernel)?,
            Happening::InputArrived(key) => self.input_arrived(key, kernel)?,
            Happening::WorkflowRequested(position) => self.begin_planned_run(position, kernel)?,
            Happening::TimeLimit(key) => self.time_limit_reached(key, kernel)?,
            Happening::FaultBegins(number) => {
                self.fault_begins(number, kernel)?;
                self.announce_nodes();
            }
            Happening::FaultEnds(number) => {
                self.fault_ends(number, kernel);
                self.announce_nodes();
            }
            Happening::Crashed(key) => self.crashed(key, kernel)?,
            Happening::Hedge(key) => self.hedge(key, kernel),
            Happening::PolicyTimer => self.timers_go_off(kernel),
            Happening::InstanceAdvances(key) => self.instance_advances(key, kernel)?,
            Happening::StationOpens(which) => self.station_opens(which, kernel),
            Happening::InstanceTriesAgain(key) => self.try_instance_again(key, kernel)?,
            Happening::InstanceComputes(key) => self.begin_startup_work_of_instance(key, kernel)?,
            Happening::SnapshotMade(key) => self.snapshot_made(key),
            Happening::ScaleTick => self.scale_tick(kernel)?,
            Happening::NodeBooted(node) => {
                self.node_booted(node, kernel);
                self.announce_nodes();
            }
            Happening::PoolTick => self.pool_tick(kernel)?,
        }
        Ok(())
    }
}
