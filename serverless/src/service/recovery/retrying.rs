//! Tries invocations again that did not end well.

use hearth_simcore::kernel::Kernel;
use hearth_simcore::random::stream;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use crate::error::Error;
use crate::fault::RetryPolicy;
use crate::invocation::Outcome;
use crate::service::Service;
use crate::service::attempts::AttemptKey;
use crate::service::event::{Event, Happening, Message};

/// How invocations are tried again, if they are.
#[derive(Debug)]
pub(crate) struct Retries {
    policy: RetryPolicy,
    jitter: Pcg64Mcg,
}

impl Retries {
    /// Tries again as a policy says; draws from the seed of the simulation.
    pub fn new(policy: RetryPolicy, seed: u64) -> Self {
        Self { policy, jitter: stream(seed, "retry jitter") }
    }
}

impl Service {
    /// An attempt has ended: begins another one, if the invocation is to be tried again. False if it has ended with this
    /// attempt.
    pub(crate) fn retry(&mut self, key: AttemptKey, kernel: &mut Kernel<Event>) -> Result<bool, Box<Error>> {
        let attempt = self.attempts.under_way(key)?;
        let record = &attempt.record;
        self.books.metrics.count_attempt(record);
        self.books.write_attempt(attempt.number(), record, record.outcome.as_str())?;
        if self.leave_to_twin(key, kernel)? {
            return Ok(true);
        }
        let made = self.attempts.made(key);
        let record = &self.attempts.under_way(key)?.record;
        let Some(retries) = &mut self.recovery.retries else { return Ok(false) };
        let policy = &retries.policy;
        let is_wanted = match record.outcome {
            Outcome::Lost => policy.on.lost,
            Outcome::Failed => policy.on.failed,
            Outcome::TimedOut => policy.on.timed_out,
            Outcome::Completed | Outcome::Rejected | Outcome::Unfinished => false,
        };
        if !is_wanted || made >= policy.max_attempts {
            return Ok(false);
        }
        let pause = policy.pause(made, retries.jitter.random());
        let begin = kernel.now() + pause;
        let requested = record.requested_at.unwrap_or_default();
        if policy.deadline.is_some_and(|deadline| begin > requested + deadline) {
            return Ok(false);
        }
        let lost = self.attempts.under_way_mut(key)?.explained.take();
        let again = self.attempts.retry(key)?;
        self.explain_retry(lost, again, kernel.now());
        self.books.metrics.retries += 1;
        kernel.schedule(pause, Event(Happening::Message(Message::Request(again))));
        Ok(true)
    }
}
