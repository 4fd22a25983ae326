//! Asks for invocations a second time that take long, and stops the one that is not needed any more.

use hearth_policy_api::Ending;
use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimDuration;

use crate::error::Error;
use crate::invocation::Outcome;
use crate::service::Service;
use crate::service::attempts::AttemptKey;
use crate::service::event::{Event, Happening, Message};

impl Service {
    /// An attempt was submitted: another one is to be made beside it if it takes long.
    pub(crate) fn plan_hedge(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) {
        let Some(hedge) = self.recovery.hedge else { return };
        if !self.attempts.is_hedged(key) {
            // If the attempt has ended by then, nothing comes of the event.
            kernel.schedule_in_background(kernel.now() + hedge.after, Event(Happening::Hedge(key)));
        }
    }

    /// Makes another attempt beside one that takes long.
    pub(crate) fn hedge(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) {
        let Some(twin) = self.attempts.hedge(key) else { return };
        self.explain_hedge(key, twin, kernel.now());
        self.books.metrics.hedges += 1;
        kernel.schedule(SimDuration::ZERO, Event(Happening::Message(Message::Request(twin))));
    }

    /// An attempt has ended beside which another one is under way. One that has completed counts, and the other is
    /// stopped; otherwise the other decides, and true is given.
    pub(crate) fn leave_to_twin(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<bool, Box<Error>> {
        let Some(twin) = self.attempts.twin_of(key) else { return Ok(false) };
        if self.attempts.under_way(key)?.record.outcome == Outcome::Completed {
            self.stop(twin, kernel)?;
            return Ok(false);
        }
        self.attempts.remove(key)?;
        Ok(true)
    }

    /// Stops an attempt wherever it is.
    fn stop(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        self.take_out(key, Ending::Stopped, kernel)?;
        self.attempts.under_way_mut(key)?.record.finished_at.get_or_insert(kernel.now());
        self.bill(key);
        let mut stopped = self.attempts.remove(key)?;
        stopped.record.failure = Some("another attempt completed first".into());
        stopped.record.outcome = Outcome::Lost;
        self.books.metrics.count_attempt(&stopped.record);
        self.books.write_attempt(stopped.number(), &stopped.record, "stopped")?;
        self.head.receive(Message::Changed);
        Ok(())
    }
}
