//! Gets an invocation into a container: an idle one, or a new one for which room is made if need be (the timing
//! model, sections 4 and 5).

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::{SimDuration, SimTime};

use super::Service;
use super::attempts::{Attempt, AttemptKey};
use super::event::{Event, Happening};
use super::explain::{Kind, Queued};
use crate::cluster::Occupied;
use crate::error::Error;
use crate::function::FunctionId;
use crate::invocation::{InvocationState, Start};
use crate::node::{ContainerId, NodeId};
use crate::results::Phase;

impl Service {
    /// Starts an attempt at a function on a node, in the idle container that was planned for it or in a new one. False if that is
    /// not possible (any more).
    pub(crate) fn dispatch(
        &mut self,
        (key, function): (AttemptKey, FunctionId),
        node: NodeId,
        planned: Option<ContainerId>,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Box<Error>> {
        if planned.is_none() && !self.may_have_another(function) {
            self.explain_queued(key, Queued::AtLimit, kernel.now());
            return Ok(false);
        }
        let start = if planned.is_some() { Start::Warm } else { Start::Cold };
        self.explain_start((key, function), node, start, kernel.now());
        let books = &mut *self.books;
        let occupied = match planned {
            Some(container) => self.cluster.start_warm(node, container, function, books, kernel),
            None => {
                let started = self.cluster.start_cold(node, function, books, kernel);
                started.map_err(|mistake| self.policies.error(mistake))?
            }
        };
        let Some(occupied) = occupied else {
            self.explain_queued(key, Queued::NoRoom, kernel.now());
            return Ok(false);
        };
        self.begin_attempt(key, occupied, start, kernel)?;
        if self.policies.see_history() {
            self.count_start((key, function), node, start);
        }
        Ok(true)
    }

    /// Gives the invocation its core and container, and starts the container, or the body if the container is warm.
    fn begin_attempt(
        &mut self,
        key: AttemptKey,
        occupied: Occupied,
        start: Start,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let now = kernel.now();
        let (node, container) = (occupied.node(), occupied.container());
        self.cluster.note_holder(node, container, key.into());
        let attempt = self.attempts.hold(key, occupied)?;
        attempt.record.node = Some(node.0);
        attempt.record.start = Some(start);
        attempt.record.dispatched_at = Some(now);
        let function = self.registry.function(attempt.record.function);
        self.books.metrics.container_busy(function.limits.ram, now);
        self.books.count_start(attempt.record.function, start);
        let overhead = if start == Start::Cold { function.startup_overhead } else { SimDuration::ZERO };
        let (whole, overhead) = (overhead, self.cluster.node(node).slowed(overhead));
        let work = if start == Start::Cold { self.cluster.startup_work(function.id) } else { None };
        // How long the container computes is not known.
        let begins = if work.is_some() { SimTime::MAX } else { now + overhead };
        self.rounds.runs(key, node, begins, function);
        if overhead > SimDuration::ZERO || work.is_some() {
            self.books.serve(node, container, Phase::ColdStart, &attempt.record);
            self.explain_timed(key, Kind::START, (whole, overhead), now);
            self.attempts.enter(key, InvocationState::Starting, now);
            let then = if work.is_some() { Happening::StartupWork(key) } else { Happening::ContainerStarted(key) };
            kernel.schedule(overhead, Event(then));
            return Ok(());
        }
        self.start_running(key, kernel)
    }

    /// The startup overhead is over of the container of an attempt, which may be gone: it computes before it is up.
    pub(crate) fn begin_startup_work(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let Some(occupied) = self.attempts.get(key).and_then(Attempt::occupied) else { return Ok(()) };
        let (node, container) = (occupied.node(), occupied.container());
        let started = Event(Happening::ContainerStarted(key));
        if let Some(work) = self.cluster.startup_work(self.attempts.under_way(key)?.record.function) {
            self.explain_computing((key, Kind::START), node, (work.flops, work.limit), kernel.now());
        }
        if self.cluster.begin_startup(node, container, started, kernel) {
            return Ok(());
        }
        self.container_started(key, kernel)
    }
}
