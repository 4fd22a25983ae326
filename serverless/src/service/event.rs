//! What happens to a service, and the model that hands it to the service it belongs to.

use hearth_simcore::kernel::{Kernel, Model};

use super::Service;
use super::live::InvocationKey;
use super::progress::Progress;
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::node::{ContainerId, Spell};

/// An event of one service.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Which service of the simulation.
    pub(crate) service: u32,
    pub(crate) what: Happening,
}

/// What can happen to a service.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happening {
    /// The next invocation of the workload is due.
    Arrival,
    /// A message reaches the head.
    Message(Message),
    /// The head has processed a request.
    HeadProcessed(InvocationKey),
    /// The container of an invocation has started.
    ContainerStarted(InvocationKey),
    /// What the current step of a body waits for has come to pass.
    StepEnded(InvocationKey),
    /// Data has arrived that a body cannot begin without.
    InputArrived(InvocationKey),
    /// A run of the workload's workflow at this position is requested.
    WorkflowRequested(u32),
    /// A body has come to its end.
    BodyEnded(InvocationKey),
    /// An invocation has reached its time limit.
    TimeLimit(InvocationKey),
    /// A fault comes into effect: its number in the plan.
    FaultBegins(u32),
    /// It is over.
    FaultEnds(u32),
    /// The container of an invocation crashes.
    Crashed(InvocationKey),
    /// A transfer was interrupted.
    Interrupted(Interrupted),
    /// An attempt has lasted so long that another one is to be made beside it.
    Hedge(InvocationKey),
}

/// What a transfer was for that came to nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Interrupted {
    Step(InvocationKey),
    Download(ImageId),
    Copy { node: u32, image: ImageId },
    Load { node: u32, image: ImageId },
}

impl Happening {
    /// What is interrupted if the transfer is that was to end in this.
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
    Request(InvocationKey),
    /// A delayed request asks for admission again.
    AdmitAgain(InvocationKey),
    Downloaded(ImageId),
    Copied {
        node: u32,
        image: ImageId,
    },
    Loaded {
        node: u32,
        image: ImageId,
    },
    Ended(InvocationKey),
    /// A container of the function is to be started ahead of its next request.
    Prewarm(FunctionId),
    /// It is up.
    Prewarmed(u32),
    /// A node or link has gone or come, or a container has crashed.
    Changed,
    /// The keep-alive of a container is over that has been idle in this spell.
    KeepAliveOver {
        node: u32,
        container: ContainerId,
        spell: Spell,
    },
}

/// The model behind a [`crate::Simulation`]: the services on its platform.
#[derive(Debug, Default)]
pub struct Services {
    pub(crate) list: Vec<Service>,
    pub(crate) progress: Progress,
}

impl Services {
    pub(crate) fn get_mut(&mut self, service: u32) -> &mut Service {
        &mut self.list[service as usize]
    }
}

impl Model for Services {
    type Event = Event;
    type Error = Error;

    fn handle(&mut self, event: Event, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        if self.progress.is_missing(event.what, kernel.now()) {
            return Err(self.no_progress(event.service, kernel));
        }
        let service = self.get_mut(event.service);
        if service.watch.advance(kernel.now()) {
            return Err(Error::Interrupted);
        }
        service.note_time(kernel.now());
        service.books.date = kernel.now();
        service.books.events = kernel.events_handled();
        let handled = match event.what {
            Happening::Arrival => service.arrive(kernel),
            Happening::Message(message) => service.receive(message, kernel),
            Happening::HeadProcessed(key) => service.head_processed(key, kernel),
            Happening::ContainerStarted(key) => service.start_body(key, kernel),
            Happening::StepEnded(key) => service.step_ended(key, kernel),
            Happening::InputArrived(key) => service.input_arrived(key, kernel),
            Happening::WorkflowRequested(position) => service.begin_planned_run(position, kernel),
            Happening::BodyEnded(key) => service.body_ended(key, kernel),
            Happening::TimeLimit(key) => service.time_limit_reached(key, kernel),
            Happening::FaultBegins(number) => service.fault_begins(number, kernel),
            Happening::FaultEnds(number) => service.fault_ends(number, kernel),
            Happening::Crashed(key) => service.crashed(key, kernel),
            Happening::Hedge(key) => {
                service.hedge(key, kernel);
                Ok(())
            }
            Happening::Interrupted(what) => service.interrupted(what, kernel),
        };
        match service.watch.take_fault() {
            Some((slot, fault)) => Err(service.fault(slot, fault)),
            None => handled,
        }
    }
}
