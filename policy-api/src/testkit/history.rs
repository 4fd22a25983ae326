//! Draws histories, plays them, and makes those that show a fault small.

use std::fmt::Debug;
use std::thread;
use std::time::Instant;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::{Counterexample, Options, growth};

/// What was called and answered, one a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Log(pub Vec<String>);

impl Log {
    pub fn note(&mut self, call: String) {
        self.0.push(call);
    }
}

/// Calls an instance so many times more.
pub(super) type Exercise<'a> = Box<dyn FnMut(u32) -> Result<(), String> + 'a>;

/// A kind of policy, as the kit checks it.
pub(super) trait Checked {
    /// What happens to an instance.
    type History: Clone + Debug;

    /// Draws histories.
    fn histories(&self) -> impl Strategy<Value = Self::History>;

    /// Plays a history against a new instance, noting every call with its answer; or what was wrong.
    fn play(&self, history: &Self::History, log: &mut Log) -> Result<(), String>;

    /// Makes an instance that can be called for ever.
    fn exercise(&self) -> Result<Exercise<'_>, String>;
}

/// How many histories are kept to be played again later.
const KEPT: usize = 16;

pub(super) fn check<C: Checked>(checked: &C, options: &Options, begin: Instant) -> Result<(), Counterexample> {
    let config = Config { cases: options.cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let kept = std::cell::RefCell::new(Vec::new());
    let outcome = runner.run(&checked.histories(), |history| {
        let log = play_twice(checked, &history).map_err(TestCaseError::fail)?;
        let mut kept = kept.borrow_mut();
        if kept.len() < KEPT {
            kept.push((history, log));
        }
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, history)) => return Err(counterexample(checked, &history, reason.message())),
        Err(TestError::Abort(reason)) => {
            return Err(Counterexample { fault: reason.message().to_owned(), history: Vec::new() });
        }
    }
    if let Some(rest) = options.later.checked_sub(begin.elapsed()) {
        thread::sleep(rest);
    }
    for (history, before) in kept.into_inner() {
        let mut log = Log::default();
        // It went well before; if it does not now, the logs differ.
        let _ = checked.play(&history, &mut log);
        if log != before {
            return Err(differing("later", &before, &log));
        }
    }
    let without_history = |fault| Counterexample { fault, history: Vec::new() };
    let mut exercise = checked.exercise().map_err(without_history)?;
    growth::check(&mut exercise).map_err(without_history)
}

/// Plays a history in two instances, which must do the same.
fn play_twice<C: Checked>(checked: &C, history: &C::History) -> Result<Log, String> {
    let (mut first, mut second) = (Log::default(), Log::default());
    checked.play(history, &mut first)?;
    // Somewhere else in memory.
    let displaced = vec![0_u8; 1 + first.0.len() * 24];
    let outcome = checked.play(history, &mut second);
    drop(displaced);
    if first != second {
        return Err(differing("in another instance", &first, &second).fault);
    }
    outcome.map(|()| first)
}

fn differing(when: &str, before: &Log, after: &Log) -> Counterexample {
    let position = before.0.iter().zip(&after.0).take_while(|(one, other)| one == other).count();
    let said = |log: &Log| log.0.get(position).cloned().unwrap_or_else(|| "nothing more".to_owned());
    let fault = format!("does not do the same {when}: {:?}, then {:?}", said(before), said(after));
    Counterexample { fault, history: before.0.iter().take(position).cloned().collect() }
}

fn counterexample<C: Checked>(checked: &C, history: &C::History, reason: &str) -> Counterexample {
    let mut log = Log::default();
    // A fault that hangs on chance may not show again; the reason is that of the run that showed it.
    let fault = checked.play(history, &mut log).err().unwrap_or_else(|| reason.to_owned());
    Counterexample { fault, history: log.0 }
}
