//! Tries invocations again that did not end well.

use hearth_simcore::kernel::Kernel;
use hearth_simcore::random::stream;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::Service;
use super::attempts::InvocationKey;
use super::event::{Event, Happening, Message};
use crate::error::Error;
use crate::fault::RetryPolicy;
use crate::invocation::{InvocationRecord, Outcome};

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
    pub(crate) fn retry(&mut self, key: InvocationKey, kernel: &mut Kernel<Event>) -> Result<bool, Error> {
        let Some(live) = self.attempts.get(key) else { return Ok(false) };
        let (attempt, record) = (live.attempt, &live.record);
        self.books.metrics.count_attempt(record);
        self.books.write_attempt(attempt, record, record.outcome.as_str())?;
        if self.leave_to_twin(key, kernel)? {
            return Ok(true);
        }
        let (Some(live), Some(retries)) = (self.attempts.get(key), &mut self.recovery.retries) else {
            return Ok(false);
        };
        let record = &live.record;
        let policy = &retries.policy;
        let is_wanted = match record.outcome {
            Outcome::Lost => policy.on.lost,
            Outcome::Failed => policy.on.failed,
            Outcome::TimedOut => policy.on.timed_out,
            Outcome::Completed | Outcome::Rejected | Outcome::Unfinished => false,
        };
        if !is_wanted || attempt >= policy.max_attempts {
            return Ok(false);
        }
        let pause = policy.pause(attempt, retries.jitter.random());
        let begin = kernel.now() + pause;
        let requested = record.requested_at.unwrap_or_default();
        if policy.deadline.is_some_and(|deadline| begin > requested + deadline) {
            return Ok(false);
        }
        // Under a new key: what is still scheduled for this attempt finds nobody.
        let Some(mut live) = self.attempts.remove(key) else { return Ok(false) };
        let old = &live.record;
        live.record = InvocationRecord {
            requested_at: old.requested_at,
            submitted_at: old.submitted_at,
            ..InvocationRecord::new(old.invocation, old.function)
        };
        live.start_anew();
        let key = self.attempts.request_again(live);
        self.books.metrics.retries += 1;
        kernel.schedule(pause, Event(Happening::Message(Message::Request(key))));
        Ok(true)
    }
}
