//! An experiment that stops where a policy asks the program, and goes on with the answer: for programs that learn to decide, or
//! that look at decisions one after the other.
//!
//! The simulation runs on a stack of its own. A policy that asks leaves that stack as it is, in the midst of the call, and the
//! program goes on; with its answer the call comes back as if nothing had been. So a policy that asks takes the same way as every
//! other, and to ask costs as much as a few calls.

// A stack is left and entered again.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::Arc;

use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::{Experiment, Run};
use crate::error::Error;
use crate::policy::Desk;
use crate::results::Results;

/// Bytes of the stack that a simulation runs on, as many as threads have. What is never touched takes no memory.
const STACK: usize = 2 << 20;

/// What a policy asks the program with. It is cloned into each policy that is to ask.
pub struct Asker<Q, A>(Rc<Link<Q, A>>);

impl<Q, A> Clone for Asker<Q, A> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<Q, A> fmt::Debug for Asker<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asker")
    }
}

/// Where the stack of a simulation is left with a question, and entered with the answer or with the news that there will be none.
type Door<Q, A> = Yielder<Option<A>, Q>;

/// What policies and the program share.
struct Link<Q, A> {
    /// There while the simulation runs and somebody is to answer.
    yielder: Cell<Option<NonNull<Door<Q, A>>>>,
    /// From where to where the stack of the simulation goes.
    stack: (usize, usize),
}

impl<Q, A> Link<Q, A> {
    /// Whether the caller runs on the stack of the simulation: it then is the simulation that runs, and no other within it.
    fn is_on_its_stack(&self) -> bool {
        let here = 0_u8;
        let address = ptr::from_ref(&here).addr();
        (self.stack.0..self.stack.1).contains(&address)
    }
}

impl<Q, A> Asker<Q, A> {
    /// Stops the simulation until the program has answered. Nothing answers, and nothing stops, once the program wants no more of
    /// the simulation, and outside of it: as in the constructor of a policy.
    pub fn ask(&self, question: Q) -> Option<A> {
        let yielder = self.0.yielder.get().filter(|_| self.0.is_on_its_stack())?;
        // SAFETY: it is there until the function on the stack of the simulation returns or unwinds, which takes it back; and that is
        // the stack that is left.
        let answer = unsafe { yielder.as_ref() }.suspend(question);
        if answer.is_none() {
            self.0.yielder.set(None);
        }
        answer
    }
}

/// Takes the yielder back, however the simulation ends.
struct Asking<Q, A>(Rc<Link<Q, A>>);

impl<Q, A> Drop for Asking<Q, A> {
    fn drop(&mut self) {
        self.0.yielder.set(None);
    }
}

/// An experiment that stops where a policy asks. It stays on its thread, and as many as there is memory for can be under way at once.
///
/// ```
/// use hearth_policy_api::boundary::KeepAliveObject;
/// use hearth_policy_api::{Completion, KeepAlive, Retention};
/// use hearth_serverless::experiment::{Asker, Experiment, Stepwise};
/// use hearth_serverless::policy::{Catalog, Factory, OwnPolicies};
/// use hearth_serverless::scenario::Scenario;
///
/// /// Asks how long a container is kept after a run of so many nanoseconds.
/// struct Asks(Asker<u64, u64>);
/// impl KeepAlive for Asks {
///     fn on_idle(&mut self, completion: &Completion) -> Retention {
///         Retention { keep_for: self.0.ask(completion.run_time).unwrap_or(0) }
///     }
/// }
///
/// let scenario = Scenario::from_json(r#"{
///     "format": "hearth-scenario/1",
///     "platform": {"hosts": [{"name": "node", "cores": 4, "speed": "10Gf", "ram": "16GB"}]},
///     "service": {"head": "node", "registry": "node", "nodes": ["node"]},
///     "functions": [{"name": "greet", "ram_limit": "128MB", "body": [{"sleep": "250ms"}]}],
///     "workload": {"invocations": [{"at": 0, "function": "greet"}, {"at": 1, "function": "greet"}]},
///     "policies": {"keep_alive": {"use": "asks"}}
/// }"#)?;
/// let mut stepwise = Stepwise::prepare(|asker| {
///     let asks = Factory::<KeepAliveObject>::in_place("asks", move |_| Asks(asker.clone()));
///     let own = OwnPolicies { keep_alive: vec![asks], ..OwnPolicies::default() };
///     Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN).with_own(own))
/// })?;
/// let mut question = stepwise.begin();
/// let mut questions = 0;
/// while let Some(run_time) = question {
///     assert_eq!(run_time, 250_000_000);
///     questions += 1;
///     question = stepwise.answer(1_000_000_000);
/// }
/// let (results, stopped) = stepwise.end();
/// assert!(stopped.is_none());
/// assert_eq!((questions, results.metrics.warm_starts), (2, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Stepwise<Q: 'static, A: 'static> {
    coroutine: Coroutine<Option<A>, Q, Run>,
    desk: Arc<Desk>,
    run: Option<Run>,
}

impl<Q, A> fmt::Debug for Stepwise<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stepwise").field("has_ended", &self.run.is_some()).finish_non_exhaustive()
    }
}

impl<Q, A> Stepwise<Q, A> {
    /// An experiment in which policies have got what they ask with.
    ///
    /// # Errors
    /// What `prepare` gives.
    ///
    /// # Panics
    /// When there is no memory for a stack.
    pub fn prepare<E>(prepare: impl FnOnce(Asker<Q, A>) -> Result<Experiment, E>) -> Result<Self, E> {
        let stack = DefaultStack::new(STACK).expect("a stack for a simulation cannot be had");
        let link = Rc::new(Link { yielder: Cell::new(None), stack: (stack.limit().get(), stack.base().get()) });
        let (experiment, desk) = Desk::apart(|| prepare(Asker(Rc::clone(&link))));
        let experiment = experiment?;
        let coroutine = Coroutine::with_stack(stack, move |yielder, _first| {
            link.yielder.set(Some(NonNull::from(yielder)));
            let asking = Asking(link);
            let run = experiment.run_shown(None);
            drop(asking);
            run
        });
        Ok(Self { coroutine, desk, run: None })
    }

    /// Runs up to the first question; `None` if the simulation ends without one.
    pub fn begin(&mut self) -> Option<Q> {
        if self.coroutine.started() { None } else { self.resume(None) }
    }

    /// Answers the question and runs up to the next one; `None` if the simulation has ended.
    pub fn answer(&mut self, answer: A) -> Option<Q> {
        if !self.coroutine.started() || self.coroutine.done() {
            return None;
        }
        self.resume(Some(answer))
    }

    fn resume(&mut self, answer: Option<A>) -> Option<Q> {
        match self.coroutine.resume(answer) {
            CoroutineResult::Yield(question) => Some(question),
            CoroutineResult::Return(run) => {
                self.run = Some(run);
                None
            }
        }
    }

    /// Has the simulation end with the event that it is in, if it has not ended: policies get no more answers.
    fn stop(&mut self) {
        // What a stack that is only dropped has in hand is thrown away by a panic, which cannot pass the boundary of policies.
        if self.coroutine.started() && !self.coroutine.done() {
            self.desk.board().stop_before(0);
            self.resume(None);
        }
    }

    /// What has come of it, and why it stopped before its end, if it did. If it has not ended, it is stopped after the event that it
    /// is in, with [`Error::Interrupted`].
    pub fn end(mut self) -> (Results, Option<Error>) {
        if !self.coroutine.started() {
            self.desk.board().stop_before(0);
            while self.resume(None).is_some() {}
        }
        self.stop();
        let Run { results, stopped, .. } = self.run.take().expect("a simulation that has ended leaves a run");
        (results, stopped)
    }
}

impl<Q: 'static, A: 'static> Drop for Stepwise<Q, A> {
    fn drop(&mut self) {
        // A mistake of the simulator is shown to who asks for results, and not to who drops them.
        let _ = catch_unwind(AssertUnwindSafe(|| self.stop()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use hearth_policy_api::boundary::KeepAliveObject;
    use hearth_policy_api::{Completion, KeepAlive, Retention};

    use super::*;
    use crate::experiment::Watchdog;
    use crate::policy::{Catalog, Factory, OwnPolicies};
    use crate::scenario::{Scenario, ScenarioError};

    /// Asks how long to keep, and says when it is gone.
    struct Asks(Asker<u64, u64>, Rc<Cell<u32>>);

    impl KeepAlive for Asks {
        fn on_idle(&mut self, completion: &Completion) -> Retention {
            Retention { keep_for: self.0.ask(completion.now).unwrap_or(7) }
        }
    }

    impl Drop for Asks {
        fn drop(&mut self) {
            self.1.set(self.1.get() + 1);
        }
    }

    fn scenario(requests: u32, keep_alive: &str) -> Scenario {
        let json = format!(
            r#"{{"format": "hearth-scenario/1", "seed": 5,
            "platform": {{"hosts": [{{"name": "node", "cores": 4, "speed": "10Gf", "ram": "16GB"}}]}},
            "service": {{"head": "node", "registry": "node", "nodes": ["node"]}},
            "workload": {{"generate": {{"arrivals": {{"poisson": {{"rate": 0.1}}}}, "requests": {requests},
                "functions": {{"count": 3, "ram": {{"constant": 1e9}}, "cold_start": {{"constant": 1}}}},
                "run_time": {{"exponential": {{"mean": 1}}}}}}}},
            "policies": {{"keep_alive": {keep_alive}}}}}"#
        );
        Scenario::from_json(&json).unwrap()
    }

    fn stepwise(requests: u32, ended: &Rc<Cell<u32>>) -> Stepwise<u64, u64> {
        let prepared: Result<_, ScenarioError> = Stepwise::prepare(|asker| {
            let ended = Rc::clone(ended);
            let asks = Factory::<KeepAliveObject>::in_place("asks", move |_| Asks(asker.clone(), Rc::clone(&ended)));
            let own = OwnPolicies { keep_alive: vec![asks], ..OwnPolicies::default() };
            let catalog = Catalog::new(hearth_plugins::BUILT_IN).with_own(own);
            Experiment::prepare(&scenario(requests, r#"{"use": "asks"}"#), &catalog)
        });
        prepared.unwrap()
    }

    fn fixed(requests: u32, timeout: &str) -> Results {
        let keep_alive = format!(r#"{{"use": "fixed", "parameters": {{"timeout": "{timeout}"}}}}"#);
        Experiment::prepare(&scenario(requests, &keep_alive), &Catalog::new(hearth_plugins::BUILT_IN))
            .map(|experiment| experiment.run().unwrap())
            .unwrap()
    }

    #[test]
    fn the_same_answers_as_a_policy_give_the_same_run_though_others_are_under_way() {
        let ended = Rc::default();
        let mut several: Vec<Stepwise<u64, u64>> = (0..3).map(|_| stepwise(200, &ended)).collect();
        let is_stuck = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_stuck);
        let _watched = Watchdog::start(Duration::from_millis(16), move |_| seen.store(true, Ordering::Relaxed));
        let mut questions: Vec<Option<u64>> = several.iter_mut().map(Stepwise::begin).collect();
        // A question that lasts is no call that does not come back.
        std::thread::sleep(Duration::from_millis(60));
        assert!(!is_stuck.load(Ordering::Relaxed));
        for number in 0..200 {
            assert!(questions.iter().all(|question| question.is_some() && *question == questions[0]), "{number}");
            questions = several.iter_mut().map(|one| one.answer(20_000_000_000)).collect();
        }
        assert_eq!(questions, [None; 3]);
        let expected = fixed(200, "20s");
        assert!(expected.metrics.warm_starts > 20 && expected.metrics.cold_starts > 20);
        for one in several {
            let (results, stopped) = one.end();
            assert_eq!((results.records, results.events), (expected.records.clone(), expected.events));
            assert!(stopped.is_none());
        }
        assert_eq!(ended.get(), 3, "policies end");
    }

    #[test]
    fn one_that_is_left_half_way_ends_whatever_others_do() {
        let ended = Rc::default();
        let (mut dropped, mut stopped) = (stepwise(50, &ended), stepwise(50, &ended));
        let (mut kept, fresh) = (stepwise(50, &ended), stepwise(50, &ended));
        assert!(dropped.begin().is_some() && dropped.answer(1).is_some());
        assert!(stopped.begin().is_some() && kept.begin().is_some());
        drop(dropped);
        assert_eq!(ended.get(), 1);
        let (results, why) = stopped.end();
        assert!(results.metrics.invocations() < 50 && matches!(why, Some(Error::Interrupted)));
        assert!(matches!(fresh.end().1, Some(Error::Interrupted)));
        while kept.answer(20_000_000_000).is_some() {}
        assert_eq!(kept.answer(1), None, "it has ended");
        assert!(kept.end().1.is_none());
        assert_eq!(ended.get(), 4);
    }

    #[test]
    fn nobody_answers_from_elsewhere() {
        let mut asker = None;
        let mut stepwise: Stepwise<u64, u64> = Stepwise::prepare(|given| {
            asker = Some(given.clone());
            let asks = Factory::<KeepAliveObject>::in_place("asks", move |_| Asks(given.clone(), Rc::default()));
            let own = OwnPolicies { keep_alive: vec![asks], ..OwnPolicies::default() };
            let catalog = Catalog::new(hearth_plugins::BUILT_IN).with_own(own);
            Experiment::prepare(&scenario(9, r#"{"use": "asks"}"#), &catalog)
        })
        .unwrap();
        let asker = asker.unwrap();
        assert_eq!(asker.ask(1), None, "before");
        assert!(stepwise.begin().is_some());
        assert_eq!(asker.ask(1), None, "while it waits for an answer");
        assert!(stepwise.answer(1).is_some());
        drop(stepwise);
        assert_eq!(asker.ask(1), None, "after");
    }
}
