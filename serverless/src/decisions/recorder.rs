//! Writes down the calls of a service's policies as they are made.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use hearth_policy_api::boundary::{Called, Logged, Orders};
use hearth_policy_api::{NONE, Placement, PolicySlot};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::instead::{AnsweredInstead, Instead, Replaceable, instead_of};
use super::{Decision, DecisionSink, DecisionsHeader, LogLine, PolicyLog, Seen, SharedCalls, Views, order};

/// Who looks at the calls of a service's policies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observers {
    pub recorder: Option<Rc<Recorder>>,
    pub log: Option<Rc<PolicyLog>>,
    /// Where the recorder notes calls for who looks at the simulation between its events, and others may come in the policies' places.
    pub calls: Option<SharedCalls>,
}

impl Observers {
    /// Somebody who looks at the simulation between its events.
    pub fn between_events(calls: SharedCalls) -> Self {
        let recorder = Some(Rc::new(Recorder::with(Views::None, false, Taker::Calls(calls.clone()))));
        Self { recorder, log: None, calls: Some(calls) }
    }
}

/// A call that is made.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub date_ns: u64,
    pub slot: PolicySlot,
    /// The node whose storage the instance serves, or [`NONE`].
    pub storage: u32,
    pub method: &'static str,
}

/// Who takes decisions.
enum Taker {
    /// Somebody may yet. These are from before: the making of instances, and what is told of the scenario.
    Later(Vec<Decision>),
    Sink(Box<dyn DecisionSink>),
    /// Who looks between events.
    Calls(SharedCalls),
    Nobody,
}

/// Numbers calls, and hands them on to who takes them.
pub(crate) struct Recorder {
    views: Views,
    is_timed: bool,
    instead: Option<Instead>,
    state: RefCell<State>,
}

struct State {
    /// That of the last call.
    number: u64,
    /// By slot, the last call in which its policy was asked.
    last_asked: [u64; PolicySlot::ALL.len()],
    taker: Taker,
    /// What is said in the call that lasts.
    log: Vec<LogLine>,
    /// Kept for its memory.
    text: Vec<u8>,
    /// What has come of the call that is to be answered otherwise, once it has been made.
    answered_instead: Option<AnsweredInstead>,
    /// Why nothing more can be written.
    error: Option<io::Error>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a recorder of decisions with {:?} views", self.views)
    }
}

impl Recorder {
    /// Writes down what it can of this; nobody takes it yet.
    pub fn new(views: Views, is_timed: bool, instead: Option<Instead>) -> Self {
        Self { instead, ..Self::with(views, is_timed, Taker::Later(Vec::new())) }
    }

    fn with(views: Views, is_timed: bool, taker: Taker) -> Self {
        let state = State {
            number: 0,
            last_asked: Default::default(),
            taker,
            log: Vec::new(),
            text: Vec::new(),
            answered_instead: None,
            error: None,
        };
        Self { views, is_timed, instead: None, state: RefCell::new(state) }
    }

    /// The number of the last call in which the policy in a slot was asked.
    pub fn last_asked(&self, slot: PolicySlot) -> Option<u64> {
        self.state.borrow().last_asked.get(slot as usize).copied().filter(|call| *call > 0)
    }

    /// What the next call is to be answered instead, if it is the one that is.
    pub fn next_instead(&self) -> Option<&Instead> {
        let next = self.state.borrow().number + 1;
        self.instead.as_ref().filter(|instead| instead.call == next)
    }

    /// What the last call was answered by the policy, if it was answered otherwise and asked for a node.
    pub fn placement_before_instead(&self) -> Option<Placement> {
        let state = self.state.borrow();
        let answered = state.answered_instead.as_ref().filter(|answered| answered.was.number == state.number)?;
        Placement::read(&answered.was.answer)
    }

    /// What has come of the call that was to be answered otherwise, if it has been made.
    pub fn take_answered_instead(&self) -> Option<AnsweredInstead> {
        self.state.borrow_mut().answered_instead.take()
    }

    /// What is written of what calls show.
    pub fn views(&self) -> Views {
        self.views
    }

    /// Has a sink take everything.
    pub fn set_sink(&self, mut sink: Box<dyn DecisionSink>, header: &DecisionsHeader) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        sink.begin(header)?;
        if let Taker::Later(decisions) = &state.taker {
            decisions.iter().try_for_each(|decision| sink.write(decision))?;
        }
        state.taker = Taker::Sink(sink);
        Ok(())
    }

    /// The simulation begins: what nobody takes by now nobody ever will.
    pub fn begin(&self) {
        let mut state = self.state.borrow_mut();
        if matches!(state.taker, Taker::Later(_)) {
            state.taker = Taker::Nobody;
        }
    }

    /// Nothing is called any more.
    pub fn finish(&self) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        match (state.error.take(), &mut state.taker) {
            (Some(error), _) => Err(error),
            (None, Taker::Sink(sink)) => sink.finish(),
            (None, _) => Ok(()),
        }
    }

    /// The number of the last call.
    pub fn number(&self) -> u64 {
        self.state.borrow().number
    }

    /// The calls after this one were of nobody who is there: the next one has the number after it.
    pub fn forget_after(&self, number: u64) {
        self.state.borrow_mut().number = number;
    }

    /// Whether decisions can be written no more.
    pub fn has_failed(&self) -> bool {
        self.state.borrow().error.is_some()
    }

    fn is_wanted(&self) -> bool {
        let state = self.state.borrow();
        let wants_more = match &state.taker {
            Taker::Later(_) | Taker::Calls(_) => true,
            Taker::Sink(sink) => sink.wants_more(),
            Taker::Nobody => false,
        };
        wants_more && state.error.is_none()
    }

    /// The policy that is called says something.
    pub fn hear(&self, logged: &Logged) {
        let line = LogLine { level: logged.level.name().into(), text: logged.text.clone() };
        self.state.borrow_mut().log.push(line);
    }

    /// Makes a call and writes it down.
    #[cold]
    #[inline(never)]
    pub fn during<'a, T: Replaceable>(
        &self,
        call: Call,
        orders: &Orders,
        seen: impl FnOnce() -> Seen<'a>,
        work: impl FnOnce() -> Called<T>,
    ) -> Called<T> {
        let instead = self.next_instead();
        if instead.is_none() && !self.is_wanted() {
            let answer = work();
            let mut state = self.state.borrow_mut();
            state.count::<T>(call.slot);
            state.log.clear();
            return answer;
        }
        let before = orders.count();
        let start = self.is_timed.then(Instant::now);
        let answer = work();
        let took_ns = start.map(|start| u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        let mut state = self.state.borrow_mut();
        state.count::<T>(call.slot);
        let decides = T::IS_ANSWER || answer.is_err() || orders.count() > before;
        if matches!(state.taker, Taker::Calls(_)) && !decides {
            state.log.clear();
            return answer;
        }
        let seen = seen();
        let (written, failed) = match &answer {
            Ok(answer) => (answer.written(), None),
            Err(failure) => (Value::Null, Some(failure.cause.clone())),
        };
        let decision = Decision {
            number: state.number,
            date_ns: call.date_ns,
            slot: call.slot,
            storage: (call.storage != NONE).then_some(call.storage),
            method: call.method.into(),
            about: seen.about(call.slot),
            seen: written_view(self.views, &seen, &mut state.text),
            answer: written,
            failed,
            orders: orders.behind(before).iter().map(|ordered| order(&ordered.order)).collect(),
            log: std::mem::take(&mut state.log),
            took_ns,
        };
        match (instead, answer) {
            (Some(instead), Ok(answer)) => Ok(state.answer_instead(instead, decision, answer, &seen, (orders, before))),
            (_, answer) => {
                state.take(decision, &seen);
                answer
            }
        }
    }
}

impl State {
    fn count<T: Replaceable>(&mut self, slot: PolicySlot) {
        self.number += 1;
        if T::IS_ANSWER
            && let Some(last) = self.last_asked.get_mut(slot as usize)
        {
            *last = self.number;
        }
    }

    /// Answers a call otherwise, and writes down that.
    fn answer_instead<T: Replaceable>(
        &mut self,
        instead: &Instead,
        was: Decision,
        answer: T,
        seen: &Seen<'_>,
        (orders, before): (&Orders, usize),
    ) -> T {
        let answered = if T::IS_GIVEN_IN_THE_CALL {
            let problem = || "who it takes away cannot be undone here: say who goes instead".to_owned();
            instead.answer.as_ref().map(|_| None).ok_or_else(problem)
        } else {
            instead_of(&answer, instead, seen, orders.count() > before)
        };
        if answered.is_ok() && instead.answer.is_none() {
            orders.forget_behind(before);
        }
        let (answer, problem) = match answered {
            Ok(other) => (other.unwrap_or(answer), None),
            Err(problem) => (answer, Some(problem)),
        };
        let now = answer.written();
        let orders = if problem.is_none() && instead.answer.is_none() { Vec::new() } else { was.orders.clone() };
        self.take(Decision { answer: now.clone(), orders, ..was.clone() }, seen);
        self.answered_instead = Some(AnsweredInstead { was, now: problem.map_or(Ok(now), Err) });
        answer
    }

    fn take(&mut self, decision: Decision, seen: &Seen<'_>) {
        match &mut self.taker {
            _ if self.error.is_some() => {}
            Taker::Later(decisions) => decisions.push(decision),
            Taker::Sink(sink) => self.error = sink.write(&decision).err(),
            Taker::Calls(calls) => calls.note(decision, seen),
            Taker::Nobody => {}
        }
    }
}

/// What is written of what a call shows.
pub(super) fn written_view(views: Views, seen: &Seen<'_>, text: &mut Vec<u8>) -> Option<Box<RawValue>> {
    if views == Views::None || matches!(seen, Seen::Nothing) {
        return None;
    }
    text.clear();
    // Numbers, words and names under names: there is nothing in it that JSON cannot hold, and memory takes it.
    serde_json::to_writer(&mut *text, seen).ok()?;
    let json = match views {
        Views::Full => String::from_utf8(text.clone()).ok()?,
        _ => format!("\"{}\"", hash_of(text)),
    };
    RawValue::from_string(json).ok()
}

/// The hash of a view that is written in full.
pub(crate) fn hash_of(text: &[u8]) -> String {
    use std::fmt::Write;
    let mut hash = String::with_capacity(16);
    for byte in Sha256::digest(text).iter().take(8) {
        // Writing to a string cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}
