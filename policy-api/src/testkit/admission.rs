//! Checks admission policies.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::allocation::{ENDINGS, note_of};
use super::census::{Census, note};
use super::cluster::TestCluster;
use super::histories::Histories;
use super::history::{Checked, Exercise, Log};
use super::keep_alive::{claimed, time};
use super::model::end_of;
use super::subject::{Subject, answer};
use crate::boundary::AdmissionObject;
use crate::{
    AdmissionDecision, AdmissionRules, AdmissionView, Claims, ClusterView, End, Ending, NONE, Records, RequestView,
    Start,
};

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
    /// How many of those that were let in end before it comes.
    ends: usize,
}

/// So many nodes have so many cores each.
const NODES: usize = 4;
const CORES: u64 = 25;

/// So many functions are asked for.
const FUNCTIONS: usize = 4;

pub(super) struct Check {
    pub claims: Claims,
    pub subject: Subject,
}

fn step() -> impl Strategy<Value = Step> {
    let load = (prop_oneof![Just(0), 0..20_u64, 0..5000_u64], 0..40_u64, 0..40_u64);
    (0..4_u32, time(), load, any::<bool>(), 0..4_u32, 0..3_usize).prop_map(
        |(function, after, (waiting, running, free_cores), is_full, delays, ends)| Step {
            function,
            after,
            waiting,
            running,
            free_cores,
            is_full,
            delays,
            ends,
        },
    )
}

/// The state of a check: the date, how many requests there were, and who was let in and has not ended, with the date.
struct Clock {
    now: u64,
    requests: u64,
    let_in: VecDeque<(RequestView, u64)>,
    ended: usize,
    histories: Histories,
    census: Census,
}

impl Clock {
    fn new() -> Self {
        let (histories, census) = (Histories::new(FUNCTIONS), Census::default());
        Self { now: 0, requests: 0, let_in: VecDeque::new(), ended: 0, histories, census }
    }
}

/// The next end of one that was let in at a date: in all ways in turn, in the queue, on a node or after a run.
fn next_end(request: &RequestView, since: u64, clock: &Clock) -> End {
    const LATER: [Ending; 3] = [Ending::Lost, Ending::Stopped, Ending::Rejected];
    let (now, number) = (clock.now, clock.ended);
    let ending = ENDINGS.into_iter().chain(LATER).nth(number % 7).unwrap_or(Ending::Lost);
    let is_of_whole_run = number % 7 < 3;
    let in_queue = End { ..end_of(request, ending, now) };
    let on_node = End { node: number as u32 % NODES as u32, ..in_queue };
    let with_run = End {
        container: number as u32 % NONE,
        start: if number.is_multiple_of(2) { Start::Cold } else { Start::Warm },
        started_at: since,
        run_time: now - since,
        ram: request.ram_limit,
        idle_of_function: u32::from(is_of_whole_run),
        ..on_node
    };
    match ending {
        Ending::Rejected => in_queue,
        Ending::Lost | Ending::Stopped => [in_queue, on_node, with_run][number / 7 % 3],
        _ => with_run,
    }
}

/// The first of those that were let in ends.
fn end_first(
    policy: &mut AdmissionObject,
    rules: AdmissionRules,
    clock: &mut Clock,
    log: &mut Log,
) -> Result<(), String> {
    let Some((request, since)) = clock.let_in.pop_front() else { return Ok(()) };
    let end = next_end(&request, since, clock);
    clock.ended += 1;
    log.note(note_of(&end));
    clock.histories.ended(&end);
    if rules.observes_ends { answer("on_end", policy.on_end(&end)) } else { Ok(()) }
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
    let rules = answer("rules", policy.rules())?;
    (0..step.ends).try_for_each(|_| end_first(policy, rules, clock, log))?;
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
    if rules.observes_containers {
        let (container, mut events) = clock.census.make_up(function, 0, now);
        events.extend(clock.census.settle(container, clock.requests.is_multiple_of(2), now));
        events.iter().try_for_each(|event| {
            note(log, event);
            answer("on_container", policy.on_container(event))
        })?;
    }
    clock.histories.arrived(function, now);
    let record = clock.histories.of(function);
    (record.busy, record.waiting) = ((running / 2) as u32, waiting / 2);
    record.waiting_since = if record.waiting > 0 { now - now / 8 } else { u64::MAX };
    let cluster = cluster(step);
    let histories = Records::new(if rules.sees_history { clock.histories.records() } else { &[] });
    let cluster = ClusterView { now, histories, ..cluster.view() };
    let view = AdmissionView {
        now,
        waiting,
        waiting_of_function: waiting / 2,
        placed: waiting / 4,
        running,
        running_of_function: running / 2,
        free_cores,
        delays,
        cluster: &cluster,
        ..AdmissionView::default()
    };
    let decision = answer("admit", policy.admit(&request, &view))?;
    if rules.admits_all && decision != AdmissionDecision::Admit {
        return Err("does not admit a request though its rules say that it admits all".to_owned());
    }
    log.note(format!("  {decision:?}"));
    if decision == AdmissionDecision::Admit {
        clock.let_in.push_back((request, now));
    }
    if decision == AdmissionDecision::Delay(0) {
        return Err("delays a request by nothing, so that it comes again at the same date".to_owned());
    }
    Ok(decision)
}

/// On an idle cluster a request is let in within an hour, whether it is delayed or comes anew.
fn check_idle(policy: &mut AdmissionObject, clock: &mut Clock, log: &mut Log, claims: Claims) -> Result<(), String> {
    let rules = answer("rules", policy.rules())?;
    while !clock.let_in.is_empty() {
        end_first(policy, rules, clock, log)?;
    }
    let mut step = Step {
        function: 0,
        after: 1_000_000_000,
        waiting: 0,
        running: 0,
        free_cores: NODES as u64 * CORES,
        is_full: false,
        delays: 0,
        ends: 0,
    };
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
        let (mut policy, mut alarms): (AdmissionObject, _) = self.subject.instance(4)?;
        let mut clock = Clock::new();
        history.iter().try_for_each(|step| {
            ask(&mut policy, step, &mut clock, log)?;
            let now = clock.now;
            alarms.go_off(now, log, |timer| policy.on_timer(timer, &ClusterView { now, ..ClusterView::EMPTY }))
        })?;
        check_idle(&mut policy, &mut clock, log, self.claims)
    }

    fn exercise(&self) -> Result<Exercise<'_>, String> {
        let (mut policy, mut alarms): (AdmissionObject, _) = self.subject.instance(4)?;
        let mut clock = Clock::new();
        Ok(Box::new(move |calls| {
            let mut log = Log::default();
            (0..calls).try_for_each(|call| {
                log.0.clear();
                let waiting = u64::from(call % 7) * 300;
                let function = call % 3;
                let ends = clock.let_in.len().saturating_sub(3);
                let (after, running, free_cores) = (1_000_000, 3, 5);
                let step = Step { function, after, waiting, running, free_cores, is_full: false, delays: 0, ends };
                ask(&mut policy, &step, &mut clock, &mut log)?;
                let now = clock.now;
                alarms.go_off(now, &mut log, |timer| policy.on_timer(timer, &ClusterView { now, ..ClusterView::EMPTY }))
            })
        }))
    }
}
