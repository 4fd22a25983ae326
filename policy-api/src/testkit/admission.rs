//! Checks admission policies.

use proptest::prelude::*;

use super::cluster::TestCluster;
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
    /// Whether no node has RAM for a new container.
    is_full: bool,
    delays: u32,
}

/// So many nodes have so many cores each.
const NODES: usize = 4;
const CORES: u64 = 25;

pub(super) struct Check {
    pub claims: Claims,
    pub subject: Subject<AdmissionObject>,
}

fn step() -> impl Strategy<Value = Step> {
    let load = (prop_oneof![Just(0), 0..20_u64, 0..5000_u64], 0..40_u64, 0..40_u64);
    (0..4_u32, time(), load, any::<bool>(), 0..4_u32).prop_map(
        |(function, after, (waiting, running, free_cores), is_full, delays)| Step {
            function,
            after,
            waiting,
            running,
            free_cores,
            is_full,
            delays,
        },
    )
}

/// The state of a check: the date and how many requests there were.
#[derive(Default)]
struct Clock {
    now: u64,
    requests: u64,
}

/// A cluster with as many free cores as the step says, on the first nodes.
fn cluster(step: &Step) -> TestCluster {
    let mut cluster = TestCluster::new(NODES);
    let mut left = step.free_cores;
    for node in 0..NODES {
        let free = left.min(CORES);
        left -= free;
        let view = &mut cluster.nodes[node];
        (view.cores, view.free_cores) = (CORES as u32, free as u32);
        if step.is_full {
            view.free_ram = 0;
        }
        cluster.free_core.set(node as u32, free > 0);
    }
    cluster
}

fn ask(
    policy: &mut AdmissionObject,
    step: &Step,
    clock: &mut Clock,
    log: &mut Log,
) -> Result<AdmissionDecision, String> {
    clock.now += step.after;
    clock.requests += 1;
    let Step { function, waiting, running, free_cores, is_full, delays, .. } = *step;
    let now = clock.now;
    let request = RequestView {
        invocation: clock.requests,
        function,
        requested_at: now,
        submitted_at: now,
        ram_limit: 128_000_000,
        ..RequestView::default()
    };
    log.note(format!(
        "admit(function {function}, at {now}, {waiting} waiting, {running} running, {free_cores} cores free{}, {delays} delays)",
        if is_full { ", no RAM" } else { "" }
    ));
    let rules = answer("rules", policy.rules())?;
    if rules.observes_completions && running > 0 {
        let run_time = (now % 7) * 100_000_000;
        let completion = Completion { now, function, run_time, idle_of_function: 1, ..Completion::default() };
        log.note(format!("on_completion(function {function}, ran {run_time}, at {now})"));
        answer("on_completion", policy.on_completion(&completion))?;
    }
    let cluster = cluster(step);
    let view = AdmissionView {
        now,
        waiting,
        waiting_of_function: waiting / 2,
        placed: waiting / 4,
        running,
        running_of_function: running / 2,
        free_cores,
        delays,
        cluster: cluster.view(),
    };
    let decision = answer("admit", policy.admit(&request, &view))?;
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
    let free_cores = NODES as u64 * CORES;
    let mut step =
        Step { function: 0, after: 1_000_000_000, waiting: 0, running: 0, free_cores, is_full: false, delays: 0 };
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
                let step =
                    Step { function, after: 1_000_000, waiting, running: 3, free_cores: 5, is_full: false, delays: 0 };
                ask(&mut policy, &step, &mut clock, &mut log).map(|_| ())
            })
        }))
    }
}
