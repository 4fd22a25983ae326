//! Gets an invocation into a container: an idle one, or a new one for which room is made if need be (the timing
//! model, sections 4 and 5).

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::{SimDuration, SimTime};

use super::Service;
use super::attempts::AttemptKey;
use super::event::{Event, Happening};
use crate::cluster::Occupied;
use crate::error::Error;
use crate::function::ImageId;
use crate::invocation::{InvocationState, Start};
use crate::node::{ContainerId, NodeId};
use crate::results::Phase;

impl Service {
    /// Starts an invocation on a node, in the idle container that was planned for it or in a new one. False if that is
    /// not possible (any more).
    pub(crate) fn dispatch(
        &mut self,
        key: AttemptKey,
        node: NodeId,
        planned: Option<ContainerId>,
        kernel: &mut Kernel<Event>,
    ) -> Result<bool, Error> {
        let function = self.attempts.under_way(key)?.record.function;
        let books = &mut *self.books;
        let occupied = match planned {
            Some(container) => self.cluster.start_warm(node, container, function, books, kernel),
            None => {
                let started = self.cluster.start_cold(node, function, books, kernel);
                started.map_err(|mistake| self.mistake(mistake))?
            }
        };
        let Some(occupied) = occupied else { return Ok(false) };
        let start = if planned.is_some() { Start::Warm } else { Start::Cold };
        self.begin_attempt(key, occupied, start, kernel)?;
        Ok(true)
    }

    /// Gives the invocation its core and container, and starts the container, or the body if the container is warm.
    fn begin_attempt(
        &mut self,
        key: AttemptKey,
        occupied: Occupied,
        start: Start,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Error> {
        let now = kernel.now();
        let (node, container) = (occupied.node(), occupied.container());
        let attempt = self.attempts.hold(key, occupied)?;
        attempt.record.node = Some(node.0);
        attempt.record.start = Some(start);
        attempt.record.dispatched_at = Some(now);
        let function = &self.registry.functions[attempt.record.function];
        self.books.metrics.container_busy(function.limits.ram, now);
        self.books.metrics.count_start(attempt.record.function, start);
        let overhead = if start == Start::Cold { function.startup_overhead } else { SimDuration::ZERO };
        let overhead = self.cluster.node(node).slowed(overhead);
        if let Some(ends) = &mut self.rounds.expected_ends {
            let limit = function.limits.time;
            let end = if limit > SimDuration::ZERO { now + overhead + limit } else { SimTime::MAX };
            ends.begin(key, node, end, function.footprint());
        }
        if overhead > SimDuration::ZERO {
            self.books.serve(node, container, Phase::ColdStart, &attempt.record);
            self.attempts.enter(key, InvocationState::Starting, now);
            kernel.schedule(overhead, Event(Happening::ContainerStarted(key)));
            return Ok(());
        }
        self.start_running(key, kernel)
    }

    /// Binds an invocation to a node on which its image is awaited, with a core and its reservations promised.
    pub(crate) fn bind(&mut self, key: AttemptKey, node: NodeId, image: ImageId) -> Result<(), Error> {
        let function = self.attempts.under_way(key)?.record.function;
        let promise = self.cluster.promise(node, function);
        Ok(self.attempts.bind(key, promise, image)?)
    }

    /// Tries again where those who are bound to a node could not get their image moved before.
    pub(crate) fn advance_bound(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        for (node, image) in std::mem::take(&mut self.rounds.stalled_sites) {
            self.advance_site(node, image, kernel)?;
        }
        Ok(())
    }

    /// Takes those who are bound to a node and wait for an image there a step further.
    pub(crate) fn advance_site(
        &mut self,
        node: NodeId,
        image: ImageId,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Error> {
        if !self.attempts.is_bound(node, image) {
            return Ok(());
        }
        if self.cluster.is_image_ready(node, Some(image)) {
            return self.start_bound(node, image, kernel);
        }
        let is_on_disk = self.cluster.sites(image).on_disk().contains(node);
        let moves = if is_on_disk { self.load(node, image, kernel)? } else { self.copy(node, image, kernel)? };
        if !moves {
            self.rounds.stalled_sites.push((node, image));
        }
        Ok(())
    }

    /// Starts those who are bound to a node and have waited for this image; who cannot start is placed anew.
    fn start_bound(&mut self, node: NodeId, image: ImageId, kernel: &mut Kernel<Event>) -> Result<(), Error> {
        for (key, promise) in self.attempts.unbind(node, image)? {
            self.cluster.redeem(promise);
            let waiting = self.waiting(key)?;
            let function = waiting.function;
            let idle = self.cluster.first_idle(node, function, self.settings.reuse_most_recent);
            if !self.dispatch(key, node, idle, kernel)? {
                self.attempts.put_back(waiting)?;
            }
        }
        Ok(())
    }
}
