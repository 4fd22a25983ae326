//! Checks admission policies.

use proptest::prelude::*;

use super::history::{Checked, Exercise, Log};
use super::keep_alive::{claimed, time};
use super::subject::{Subject, answer};
use crate::boundary::AdmissionObject;
use crate::{AdmissionDecision, AdmissionView, Claims, Completion, RequestView};

/// A request that comes to a cluster so loaded.
#[derive(Clone, Debug)]
pub(super) struct Step {
    function: u32,
    after: u64,
    waiting: u64,
    running: u64,
    free_cores: u64,
    delays: u32,
}

pub(super) struct Check {
    pub claims: Claims,
    pub subject: Subject<AdmissionObject>,
}

fn step() -> impl Strategy<Value = Step> {
    let load = (prop_oneof![Just(0), 0..20_u64, 0..5000_u64], 0..40_u64, 0..40_u64);
    (0..4_u32, time(), load, 0..4_u32).prop_map(|(function, after, (waiting, running, free_cores), delays)| Step {
        function,
        after,
        waiting,
        running,
        free_cores,
        delays,
    })
}

/// The state of a check: the date and how many requests there were.
#[derive(Default)]
struct Clock {
    now: u64,
    requests: u64,
}

fn ask(
    policy: &mut AdmissionObject,
    step: &Step,
    clock: &mut Clock,
    log: &mut Log,
) -> Result<AdmissionDecision, String> {
    clock.now += step.after;
    clock.requests += 1;
    let Step { function, waiting, running, free_cores, delays, .. } = *step;
    let now = clock.now;
    let request = RequestView {
        invocation: clock.requests,
        function,
        requested_at: now,
        submitted_at: now,
        ram_limit: 128_000_000,
        ..RequestView::default()
    };
    let load = AdmissionView {
        now,
        waiting,
        waiting_of_function: waiting / 2,
        running,
        running_of_function: running / 2,
        free_cores,
        delays,
    };
    log.note(format!(
        "admit(function {function}, at {now}, {waiting} waiting, {running} running, {free_cores} cores free, {delays} delays)"
    ));
    let rules = answer("rules", policy.rules())?;
    if rules.observes_completions && running > 0 {
        let run_time = (now % 7) * 100_000_000;
        let completion = Completion { now, function, run_time, idle_of_function: 1, ..Completion::default() };
        log.note(format!("on_completion(function {function}, ran {run_time}, at {now})"));
        answer("on_completion", policy.on_completion(&completion))?;
    }
    let decision = answer("admit", policy.admit(&request, &load))?;
    if rules.admits_all && decision != AdmissionDecision::Admit {
        return Err("does not admit a request though its rules say that it admits all".to_owned());
    }
    log.note(format!("  {decision:?}"));
    if decision == AdmissionDecision::Delay(0) {
        return Err("delays a request by nothing, so that it comes again at the same date".to_owned());
    }
    Ok(decision)
}

/// On an idle cluster a request is let in within an hour, whether it is delayed or comes anew.
fn check_idle(policy: &mut AdmissionObject, clock: &mut Clock, log: &mut Log, claims: Claims) -> Result<(), String> {
    let mut step = Step { function: 0, after: 1_000_000_000, waiting: 0, running: 0, free_cores: 100, delays: 0 };
    let end = clock.now + 3_600_000_000_000;
    while clock.now < end {
        match ask(policy, &step, clock, log)? {
            AdmissionDecision::Admit => return Ok(()),
            AdmissionDecision::Delay(nanos) => (step.after, step.delays) = (nanos.min(end), step.delays + 1),
            AdmissionDecision::Reject(_) => (step.after, step.delays) = (1_000_000_000, 0),
        }
    }
    claimed(
        claims,
        |claims| claims.lets_in_when_idle,
        "lets nobody in for an hour though the cluster is idle".to_owned(),
    )
}

impl Checked for Check {
    type History = Vec<Step>;

    fn histories(&self) -> impl Strategy<Value = Vec<Step>> {
        proptest::collection::vec(step(), 0..40)
    }

    fn play(&self, history: &Vec<Step>, log: &mut Log) -> Result<(), String> {
        let mut policy = self.subject.instance(4)?;
        let mut clock = Clock::default();
        history.iter().try_for_each(|step| ask(&mut policy, step, &mut clock, log).map(|_| ()))?;
        check_idle(&mut policy, &mut clock, log, self.claims)
    }

    fn exercise(&self) -> Result<Exercise<'_>, String> {
        let mut policy = self.subject.instance(4)?;
        let mut clock = Clock::default();
        Ok(Box::new(move |calls| {
            let mut log = Log::default();
            (0..calls).try_for_each(|call| {
                log.0.clear();
                let waiting = u64::from(call % 7) * 300;
                let function = call % 3;
                let step = Step { function, after: 1_000_000, waiting, running: 3, free_cores: 5, delays: 0 };
                ask(&mut policy, &step, &mut clock, &mut log).map(|_| ())
            })
        }))
    }
}
