//! The service itself. An invocation walks through these files in this order: [`head`] (request, admission),
//! [`images`] (download), [`scheduling`] (node allocation), [`images`] (copy, load), [`dispatch`] (container),
//! [`running`] (body), [`completion`].

mod applications;
pub(crate) mod attempts;
mod bounds;
mod builder;
mod completion;
pub(crate) mod containers;
mod costs;
mod dispatch;
mod ends;
pub(crate) mod event;
pub(crate) mod explain;
mod handover;
mod head;
mod history;
mod images;
mod inspect;
mod instances;
mod keep_alive;
mod node_pools;
mod node_queues;
mod orders;
mod policies;
mod prewarming;
mod progress;
mod recovery;
mod registry;
mod replacing;
pub(crate) mod running;
mod sandbox;
mod scheduling;
mod ticks;
mod unfinished;
mod work;

pub(crate) use builder::Ended;
pub use builder::{ServerlessComputeService, ServiceBuilder};
pub use inspect::{
    ContainerState, InspectedAttempt, InspectedContainer, InspectedNode, NodeCondition, Quantity, UpcomingEvent,
};
pub use progress::DEFAULT_EVENTS_WITHOUT_PROGRESS;
pub use scheduling::Backfilling;
pub use work::RunTimeWork;

use hearth_simcore::kernel::Kernel;
use hearth_simcore::platform::HostId;
use hearth_simcore::time::SimDuration;

use self::attempts::{Attempts, Counts};
use self::bounds::ContainerBounds;
use self::event::Event;
use self::explain::Explain;
use self::head::Head;
use self::history::LetIn;
use self::instances::Instances;
use self::keep_alive::KeepAlive;
use self::node_pools::NodePools;
use self::orders::PolicyTimers;
use self::policies::Policies;
use self::recovery::Recovery;
use self::registry::Registry;
use self::running::Bodies;
use self::scheduling::Rounds;
use self::work::Work;
use crate::cluster::{Cluster, ContainerLists};
use crate::decisions::Observers;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::policy::{PolicySlot, PolicyTime};
use crate::results::Standing;

/// Times and choices of a service that are not policies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub startup_overhead: SimDuration,
    pub processing_overhead: SimDuration,
    pub reuse_most_recent: bool,
    pub backfilling: Backfilling,
    pub processors: ProcessorSharing,
}

/// What invocations have of the processors of their node (the timing model, section 8).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProcessorSharing {
    /// A core each, from dispatch to end: who has none waits.
    #[default]
    Dedicated,
    /// What their container gets of all cores while they compute, by limits and weights; nobody needs a core to start.
    Shared,
}

/// A service: its parts, each of which a file is about. What goes from one to another is in the methods of the service; nobody
/// outside of this module touches a part.
#[derive(Debug)]
pub(crate) struct Service {
    settings: Settings,
    /// What it has been told and has not read, and its storage.
    head: Head,
    /// What it may be asked for.
    registry: Registry,
    /// The nodes and all that is on them.
    cluster: Cluster,
    /// All that is under way.
    attempts: Attempts,
    /// Who was let in when; only where a policy is shown what has come of functions.
    let_in: LetIn,
    /// What rounds of scheduling have from one to the next.
    rounds: Rounds,
    policies: Policies,
    /// The containers that policies have asked to see.
    container_lists: ContainerLists,
    /// Timers of idle containers, and containers ahead of requests.
    keep_alive: KeepAlive,
    /// How many containers there are to be.
    bounds: ContainerBounds,
    /// The instances of functions that are served by such.
    instances: Instances,
    /// Nodes that come and go.
    node_pools: NodePools,
    /// Dates at which policies are called.
    timers: PolicyTimers,
    /// Faults, and what is done about them.
    recovery: Recovery,
    /// What is asked of it.
    work: Work,
    bodies: Bodies,
    /// What the time of invocations is spent on; only where a run is explained.
    explain: Option<Box<Explain>>,
    /// What has been counted.
    books: Ledger,
}

impl Service {
    /// The host of the head.
    pub(crate) fn head_host(&self) -> HostId {
        self.head.host()
    }

    /// What it may be asked for.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The nodes and all that is on them.
    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// All that is under way.
    pub(crate) fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// What is asked of it.
    pub(crate) fn work(&self) -> &Work {
        &self.work
    }

    /// What has been counted, and who is told of it.
    pub(crate) fn books(&mut self) -> &mut Ledger {
        &mut self.books
    }

    /// Whether an invocation may take several attempts.
    pub(crate) fn has_attempts(&self) -> bool {
        self.recovery.has_attempts() || self.policies.rules().hedges
    }

    /// Whether nodes come and go.
    pub(crate) fn has_node_pools(&self) -> bool {
        self.node_pools.are_there()
    }

    /// Whether functions are served by instances.
    pub(crate) fn has_instances(&self) -> bool {
        self.instances.are_there()
    }

    /// Has nobody placed before the round that follows the message.
    #[cfg(test)]
    pub(crate) fn never_place_at_once(&mut self) {
        self.rounds.never_place_at_once();
    }

    /// How many containers are being started ahead on a node.
    #[cfg(test)]
    pub(crate) fn prewarming_on(&self, node: crate::node::NodeId) -> usize {
        self.keep_alive.prewarmings.starting_on(node)
    }

    /// Whether a slot is filled by a controller.
    pub(crate) fn is_of_controller(&self, slot: PolicySlot) -> bool {
        self.policies.is_of_controller(slot)
    }

    /// Who looks at the calls of policies.
    pub(crate) fn observers(&self) -> &Observers {
        self.policies.watch().observers()
    }

    /// Nothing is called any more, or nothing can be noted of it any more: why, if that is so.
    #[cold]
    pub(crate) fn end_observation(&self) -> Option<Error> {
        let Observers { recorder, log, .. } = self.observers();
        let decisions = recorder.as_ref().map_or(Ok(()), |recorder| recorder.finish());
        let log = log.as_ref().map_or(Ok(()), |log| log.finish());
        let decisions = decisions.err().map(|error| Error::unwritten("decisions", &error));
        decisions.or_else(|| log.err().map(|error| Error::unwritten("log of policies", &error)))
    }

    /// How much real time its policies have taken.
    pub(crate) fn policy_times(&self) -> Vec<PolicyTime> {
        self.policies.watch().times()
    }

    /// Time has come to a date at which something happens.
    #[inline(always)]
    fn note_time(&mut self, kernel: &Kernel<Event>) {
        if self.books.series.as_ref().is_some_and(|series| kernel.now() >= series.next) {
            self.advance_series(kernel);
        }
    }

    #[inline(never)]
    fn advance_series(&mut self, kernel: &Kernel<Event>) {
        let standing = self.standing(kernel);
        if let Some(series) = self.books.series.as_mut() {
            series.advance(kernel.now(), standing);
        }
    }

    /// How things stand.
    fn standing(&self, kernel: &Kernel<Event>) -> Standing {
        let Counts { waiting: queued, running } = self.attempts.counts();
        Standing {
            processors: self.cluster.processors_in_use(kernel),
            instances: self.instances.counts(),
            ..Standing::of(&self.books.metrics, running, queued)
        }
    }
}
