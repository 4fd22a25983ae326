//! Attempts after the first, and what those before them have cost.

use hearth_simcore::time::{SimDuration, SimTime};

use super::progress::Explained;
use crate::causes::Cause;
use crate::service::Service;
use crate::service::attempts::{AttemptKey, Stage};

impl Service {
    /// Begins to explain an attempt, of an invocation that is requested at a date, which may be to come.
    #[inline]
    pub(in crate::service) fn explain_request(&mut self, key: AttemptKey, date: SimTime) {
        let Some(explain) = &mut self.explain else { return };
        let mut begun = explain.begin(date);
        let Some(attempt) = self.attempts.get_mut(key) else { return };
        if explain.teller.as_ref().is_some_and(|teller| teller.of.contains(&attempt.record.invocation)) {
            begun.telling = Some(Box::default());
        }
        attempt.explained = Some(begun);
    }

    /// An attempt has ended, and another one is made in its place: all up to now has been lost.
    pub(in crate::service) fn explain_retry(&mut self, ended: Option<Box<Explained>>, again: AttemptKey, now: SimTime) {
        let Some(explain) = &mut self.explain else { return };
        let mut begun = explain.begin(now);
        let Some(attempt) = self.attempts.get_mut(again) else { return };
        begun.away = Some(Cause::RetryPause);
        begun.causes.parts.add(Cause::LostAttempts, now.since(attempt.record.requested_at.unwrap_or(now)));
        if let Some(mut ended) = ended {
            begun.telling = ended.telling.take();
            explain.spare.push(ended);
        }
        attempt.explained = Some(begun);
        let number = self.attempts.made(again);
        self.tell(again, now, |_| format!("attempt {number} is to be made; all up to here came to nothing"));
    }

    /// Another attempt is made beside one that takes long: what has been lost before that stays so, and the rest is the wait for it.
    pub(in crate::service) fn explain_hedge(&mut self, first: AttemptKey, twin: AttemptKey, now: SimTime) {
        let Some(explain) = &mut self.explain else { return };
        let mut begun = explain.begin(now);
        let Some(first) = self.attempts.get(first) else { return };
        let mut left = now.since(first.record.requested_at.unwrap_or(now));
        if let Some(explained) = &first.explained {
            for cause in [Cause::LostAttempts, Cause::RetryPause] {
                let length = explained.causes.parts.of(cause);
                begun.causes.parts.add(cause, length);
                left = SimDuration::from_nanos(left.as_nanos().saturating_sub(length.as_nanos()));
            }
        }
        begun.causes.parts.add(Cause::HedgeDelay, left);
        begun.telling = first.explained.as_ref().and_then(|explained| explained.telling.clone());
        if let Some(attempt) = self.attempts.get_mut(twin) {
            attempt.explained = Some(begun);
        }
        self.tell(twin, now, |_| "another attempt is made beside the first, which takes long".to_owned());
    }
}

impl crate::service::attempts::Attempts {
    /// Where an attempt stands and what is known of its time, if it is explained.
    #[inline]
    pub(super) fn explained_mut(&mut self, key: AttemptKey) -> Option<(&Stage, &mut Explained)> {
        self.get_mut(key)?.explained_mut()
    }
}
