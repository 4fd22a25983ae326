//! The end of an invocation: its core goes free, its container is kept or not, and whoever waits is told (the timing
//! model, section 6).

use hearth_policy_api::{Completion, ContainerChange};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimDuration;

use super::Service;
use super::attempts::{AttemptKey, Left};
use super::ends::{Place, run_time};
use super::event::Event;
use super::work::task_end;
use crate::cluster::Occupied;
use crate::error::Error;
use crate::function::FunctionId;
use crate::invocation::Outcome;

impl Service {
    /// The head hears of the end of an attempt that ran, unless it was lost or stopped since.
    pub(crate) fn completed(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        // If a policy fails from here on, the core is not among those that are still held.
        let Some((attempt, occupied)) = self.attempts.complete(key) else { return Ok(()) };
        if let Some(occupied) = occupied {
            let run_time = run_time(&attempt.record, kernel.now());
            let function = attempt.record.function;
            self.books.note_outcome(occupied.node(), occupied.container(), attempt.record.outcome);
            self.rounds.no_longer_runs(key);
            self.release((key, function), run_time, occupied, kernel)?;
        } else if attempt.seat().is_some() {
            self.release_seat(key, kernel)?;
        }
        self.conclude(key, kernel)
    }

    /// An attempt leaves the instance that it was in.
    #[inline(never)]
    fn release_seat(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        let attempt = self.attempts.under_way(key)?;
        if let Some((node, container)) = attempt.place() {
            self.books.note_outcome(node, container, attempt.record.outcome);
            self.tell_of_completion(key, Place::Container { node, container, idle: 0 }, kernel.now());
        }
        match self.attempts.leave(key) {
            Left::Seat(seat) => self.leave_instance(seat, ContainerChange::Ended, kernel),
            _ => Ok(()),
        }
    }

    /// Gives back the core of an invocation, and keeps or ends its container.
    fn release(
        &mut self,
        (key, function): (AttemptKey, FunctionId),
        run_time: SimDuration,
        occupied: Occupied,
        kernel: &mut Kernel<Event>,
    ) -> Result<(), Box<Error>> {
        let ram = self.registry.function(function).limits.ram;
        self.books.metrics.container_no_longer_busy(ram, kernel.now());
        let held = self.cluster.vacate(occupied, kernel.now(), self.books.metrics.window());
        let completion = Completion {
            now: kernel.now().as_nanos(),
            function: function.0,
            node: held.node().0,
            run_time: run_time.as_nanos(),
            ram,
            idle_of_function: self.cluster.idle_beside(&held) + 1,
            ..Completion::default()
        };
        let idle = completion.idle_of_function;
        self.tell_of_completion(key, Place::Container { node: held.node(), container: held.id(), idle }, kernel.now());
        self.tell_of_containers();
        let histories = self.cluster.histories_if(self.policies.keep_alive_sees_history());
        let retention = self.policies.on_idle(&Completion { histories, ..completion })?;
        if self.node_pools.is_draining(held.node()) {
            self.cluster.end(held, ContainerChange::Ended, &mut self.books, kernel);
            return Ok(());
        }
        if let Some(next) = self.next_in_container_of(key, function, held.node()) {
            return self.hand_over(held, (next, function), kernel);
        }
        if retention.keep_for == 0 && self.cluster.spares(held.node(), held.id(), kernel.now()) {
            self.keep(held, SimDuration::MAX, kernel);
            return Ok(());
        }
        if retention.keep_for == 0 && !self.is_at_floor(function) {
            self.cluster.end(held, ContainerChange::NotKept, &mut self.books, kernel);
            return self.plan_prewarming(&completion, kernel);
        }
        self.keep(held, SimDuration::from_nanos(retention.keep_for), kernel);
        Ok(())
    }

    /// Closes the books on an invocation and tells whoever waits for it.
    pub(crate) fn conclude(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        if self.books.metrics.cost.is_some() {
            self.bill(key);
        }
        let mut attempt = self.attempts.under_way(key)?;
        if attempt.record.outcome != Outcome::Completed || self.has_attempts() {
            if self.retry(key, kernel)? {
                return Ok(());
            }
            attempt = self.attempts.under_way(key)?;
        }
        if attempt.has_more_known() {
            self.attempts.tell_caller(key, kernel.now());
            attempt = self.attempts.under_way(key)?;
        }
        if self.is_explained() {
            self.explain_end(key);
            attempt = self.attempts.under_way(key)?;
        }
        self.books.record(&attempt.record);
        let invocation = attempt.record.invocation;
        let of_task = self.work.is_any_run_under_way().then(|| (task_end(attempt), attempt.record.failure.clone()));
        match &mut self.books.recorder {
            Some(recorder) => recorder.ended(self.attempts.remove(key)?.record, kernel.now())?,
            None => self.attempts.forget(key),
        }
        self.release_dependents(invocation, kernel)?;
        of_task.map_or(Ok(()), |(end, failure)| self.task_ended(invocation, end, failure.as_ref(), kernel))
    }
}
