//! Asks for invocations a second time that take long, and stops the one that is not needed any more.

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimDuration;

use super::Service;
use super::attempts::{InvocationKey, LiveInvocation};
use super::event::{Event, Happening, Message};
use crate::error::Error;
use crate::invocation::{InvocationRecord, Outcome};

impl Service {
    /// An attempt was submitted: another one is to be made beside it if it takes long.
    pub(crate) fn plan_hedge(&mut self, key: InvocationKey, kernel: &mut Kernel<Event>) {
        let Some(hedge) = self.recovery.hedge else { return };
        if self.attempts.get(key).is_some_and(|live| !live.is_hedged) {
            // With the attempt the event loses its object.
            kernel.schedule_in_background(kernel.now() + hedge.after, Event(Happening::Hedge(key)));
        }
    }

    /// Makes another attempt beside one that takes long.
    pub(crate) fn hedge(&mut self, key: InvocationKey, kernel: &mut Kernel<Event>) {
        let Some(live) = self.attempts.get(key) else { return };
        if live.is_hedged || live.record.finished_at.is_some() {
            return;
        }
        let record = InvocationRecord {
            requested_at: live.record.requested_at,
            submitted_at: live.record.submitted_at,
            ..InvocationRecord::new(live.record.invocation, live.record.function)
        };
        let mut other = LiveInvocation::new(record, live.body.clone());
        other.attempt = live.attempt + 1;
        (other.is_hedged, other.twin, other.is_billed) = (true, Some(key), live.is_billed);
        let twin = self.attempts.request_again(other);
        if let Some(live) = self.attempts.get_mut(key) {
            (live.is_hedged, live.twin) = (true, Some(twin));
        }
        self.books.metrics.hedges += 1;
        kernel.schedule(SimDuration::ZERO, Event(Happening::Message(Message::Request(twin))));
    }

    /// An attempt has ended beside which another one is under way. One that has completed counts, and the other is
    /// stopped; otherwise the other decides, and true is given.
    pub(crate) fn leave_to_twin(&mut self, key: InvocationKey, kernel: &mut Kernel<Event>) -> Result<bool, Error> {
        let Some(live) = self.attempts.get_mut(key) else { return Ok(false) };
        let Some(twin) = live.twin.take().filter(|_| live.record.outcome != Outcome::Unfinished) else {
            return Ok(false);
        };
        let (completed, attempt) = (live.record.outcome == Outcome::Completed, live.attempt);
        let caller = live.caller.take();
        if completed {
            let of_twin = self.stop(twin, kernel)?;
            if let Some(live) = self.attempts.get_mut(key) {
                live.caller = caller.or(of_twin);
            }
            return Ok(false);
        }
        let Some(other) = self.attempts.get_mut(twin) else { return Ok(false) };
        other.twin = None;
        other.caller = other.caller.take().or(caller);
        other.attempt = other.attempt.max(attempt);
        self.attempts.remove(key);
        Ok(true)
    }

    /// Stops an attempt wherever it is; gives the controller that waits for it.
    fn stop(
        &mut self,
        key: InvocationKey,
        kernel: &mut Kernel<Event>,
    ) -> Result<Option<Box<super::attempts::Caller>>, Error> {
        self.take_out(key, kernel);
        if let Some(live) = self.attempts.get_mut(key) {
            live.record.finished_at.get_or_insert(kernel.now());
        }
        self.bill(key);
        let Some(mut live) = self.attempts.remove(key) else { return Ok(None) };
        live.record.failure = Some("another attempt completed first".into());
        live.record.outcome = Outcome::Lost;
        self.books.metrics.count_attempt(&live.record);
        self.books.write_attempt(live.attempt, &live.record, "stopped")?;
        self.head.receive(Message::Changed);
        Ok(live.caller)
    }
}
