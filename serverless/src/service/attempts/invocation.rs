//! What is one for all attempts at an invocation.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Waker;

use hearth_simcore::time::SimTime;
use slotmap::new_key_type;

use super::attempt::{Attempt, AttemptKey};
use super::execution::Checkpoint;
use super::{Attempts, Misplaced, Stage};
use crate::function::call::{Input, Output};
use crate::invocation::{InvocationState, Outcome, Watched};

new_key_type! {
    /// Names an [`LiveInvocation`].
    pub(crate) struct InvocationKey;
}

/// An invocation of which more is to be known than its only attempt says: a controller waits for it, it was tried again or
/// hedged, it was billed, or it has saved its state.
#[derive(Debug)]
pub(crate) struct LiveInvocation {
    /// How many attempts have been made at it.
    pub(super) attempts: u32,
    /// The attempt that is under way, the earlier of two: the one that its controller sees.
    pub(super) first: AttemptKey,
    /// Another one beside it.
    pub(super) beside: Option<AttemptKey>,
    /// Another attempt was made beside `first`: no third is made.
    pub(super) is_hedged: bool,
    /// An attempt at it was billed.
    pub is_billed: bool,
    /// Where another attempt goes on: the furthest of what its attempts have saved.
    checkpoint: Option<Checkpoint>,
    pub caller: Option<Caller>,
}

/// The controller that waits for an invocation.
#[derive(Debug)]
pub(crate) struct Caller {
    /// What it hands to the closure.
    pub input: Input,
    /// What it sees.
    pub watched: Rc<RefCell<Watched>>,
}

impl LiveInvocation {
    /// One with a single attempt so far.
    pub(super) fn of(first: AttemptKey) -> Self {
        Self { attempts: 1, first, beside: None, is_hedged: false, is_billed: false, checkpoint: None, caller: None }
    }

    /// The attempt that is under way beside this one.
    pub(super) fn twin_of(&self, key: AttemptKey) -> Option<AttemptKey> {
        self.beside.map(|beside| if beside == key { self.first } else { beside })
    }

    /// An attempt at it has saved its state.
    pub fn keep(&mut self, checkpoint: Checkpoint) {
        if self.checkpoint.as_ref().is_none_or(|kept| kept.step <= checkpoint.step) {
            self.checkpoint = Some(checkpoint);
        }
    }

    /// Where another attempt goes on.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// An attempt moves on to a state: shows that to the controller, if this is the attempt that it sees.
    fn enter(&self, key: AttemptKey, state: InvocationState, now: SimTime) {
        if let Some(caller) = self.caller_of(key) {
            caller.watched.borrow_mut().enter(state, now);
        }
    }

    /// The head has processed the request of an attempt: wakes the controller that waits for that.
    fn submitted(&self, key: AttemptKey, now: SimTime) {
        if let Some(caller) = self.caller_of(key) {
            let mut watched = caller.watched.borrow_mut();
            watched.enter(InvocationState::Submitted, now);
            watched.waiters.drain(..).for_each(Waker::wake);
        }
    }

    fn caller_of(&self, key: AttemptKey) -> Option<&Caller> {
        self.caller.as_ref().filter(|_| self.first == key)
    }
}

impl Caller {
    /// The invocation has ended with an attempt.
    pub(super) fn hear_of_end(&self, attempt: &Attempt, output: Option<Output>, now: SimTime) {
        let record = &attempt.record;
        let state = match record.outcome {
            Outcome::Completed => InvocationState::Completed,
            Outcome::TimedOut => InvocationState::TimedOut,
            Outcome::Rejected => InvocationState::Rejected,
            Outcome::Failed | Outcome::Lost | Outcome::Unfinished => InvocationState::Failed,
        };
        let mut watched = self.watched.borrow_mut();
        watched.enter(state, record.finished_at.unwrap_or(now));
        watched.done = true;
        watched.failure = record.failure.clone();
        watched.output = output;
        watched.waiters.drain(..).for_each(Waker::wake);
    }
}

impl Attempts {
    /// Another attempt is made beside one; `None` if there was one beside it before, or if it has ended.
    pub fn hedge(&mut self, key: AttemptKey) -> Option<AttemptKey> {
        self.alive.get(key).filter(|attempt| attempt.record.finished_at.is_none())?;
        let invocation = self.invocation_mut(key)?;
        if std::mem::replace(&mut invocation.is_hedged, true) {
            return None;
        }
        invocation.attempts += 1;
        let number = invocation.attempts;
        let twin = self.alive.get(key)?.again(number);
        let twin = self.alive.insert(twin);
        self.invocation_mut(key)?.beside = Some(twin);
        Some(twin)
    }

    /// Another attempt is made in the place of one that has ended, under a new key: what is still scheduled for the ended one
    /// finds nobody.
    #[track_caller]
    pub fn retry(&mut self, key: AttemptKey) -> Result<AttemptKey, Misplaced> {
        let number = self.made(key) + 1;
        let again = self.under_way(key)?.again(number);
        let ended = self.alive.remove(key);
        debug_assert!(ended.is_some_and(|ended| matches!(ended.stage, Stage::Ended)), "who is tried again has ended");
        let again = self.alive.insert(again);
        if let Some(invocation) = self.invocation_mut(again) {
            (invocation.attempts, invocation.first, invocation.is_hedged) = (number, again, false);
        }
        Ok(again)
    }

    /// Whether another attempt was made beside an attempt, or it is that one.
    pub fn is_hedged(&self, key: AttemptKey) -> bool {
        self.invocation(key).is_some_and(|invocation| invocation.is_hedged)
    }

    /// How many attempts have been made at the invocation of an attempt.
    pub fn made(&self, key: AttemptKey) -> u32 {
        self.invocation(key).map_or(1, |invocation| invocation.attempts)
    }

    /// The attempt that is under way beside one.
    #[inline(always)]
    pub fn twin_of(&self, key: AttemptKey) -> Option<AttemptKey> {
        self.invocation(key)?.twin_of(key)
    }

    /// The invocation of an attempt, if more is known of it than the attempt says.
    #[inline]
    pub fn invocation(&self, key: AttemptKey) -> Option<&LiveInvocation> {
        // Nearly always so, and then the attempt need not be looked up.
        if self.invocations.is_empty() {
            return None;
        }
        self.invocations.get(self.alive.get(key)?.invocation?)
    }

    /// The invocation of an attempt that is under way, to be changed.
    pub fn invocation_mut(&mut self, key: AttemptKey) -> Option<&mut LiveInvocation> {
        let of = &mut self.alive.get_mut(key)?.invocation;
        let of = *of.get_or_insert_with(|| self.invocations.insert(LiveInvocation::of(key)));
        self.invocations.get_mut(of)
    }

    /// An attempt moves on to a state: shows that to the controller that waits for its invocation, if there is one.
    #[inline(always)]
    pub fn enter(&self, key: AttemptKey, state: InvocationState, now: SimTime) {
        if let Some(invocation) = self.invocation(key) {
            invocation.enter(key, state, now);
        }
    }

    /// The head has processed the request of an attempt: tells the controller that waits for its invocation, if there is one.
    #[inline]
    pub fn tell_of_submission(&self, key: AttemptKey, now: SimTime) {
        if let Some(invocation) = self.invocation(key) {
            invocation.submitted(key, now);
        }
    }

    /// Its invocation has ended with an attempt: tells the controller that waits for it, if there is one.
    pub fn tell_caller(&mut self, key: AttemptKey, now: SimTime) {
        let Some(attempt) = self.alive.get_mut(key).filter(|attempt| attempt.invocation.is_some()) else { return };
        let output = attempt.execution_if_any().and_then(|execution| execution.result.take());
        let (Some(attempt), Some(invocation)) = (self.alive.get(key), self.invocation(key)) else { return };
        if let Some(caller) = &invocation.caller {
            caller.hear_of_end(attempt, output.and_then(Result::ok), now);
        }
    }

    /// An attempt is gone: the other one stands for it, or it is forgotten.
    pub(super) fn remove_from(&mut self, of: InvocationKey, key: AttemptKey) {
        let Some(invocation) = self.invocations.get_mut(of) else {
            debug_assert!(false, "an attempt is of an invocation that is not known");
            return;
        };
        match invocation.beside.take() {
            None => drop(self.invocations.remove(of)),
            Some(beside) if beside == key => {}
            Some(beside) => invocation.first = beside,
        }
    }

    /// Whether each invocation has the attempts that say so, and no others: one, or two beside each other.
    #[cfg(test)]
    pub fn are_invocations_of_attempts(&self) -> bool {
        let is_of =
            |of: InvocationKey, key: AttemptKey| self.alive.get(key).is_some_and(|it| it.invocation == Some(of));
        let says = self.alive.values().filter(|attempt| attempt.invocation.is_some()).count();
        let has =
            self.invocations.values().map(|invocation| 1 + usize::from(invocation.beside.is_some())).sum::<usize>();
        let mut each = self.invocations.iter();
        says == has && each.all(|(of, it)| is_of(of, it.first) && it.beside.is_none_or(|beside| is_of(of, beside)))
    }
}
