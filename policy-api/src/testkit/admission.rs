//! Checks admission policies.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::alarms::{Alarms, Extent};
use super::allocation::{ENDINGS, note_of};
use super::asked::answer;
use super::census::{Census, note};
use super::cluster::TestCluster;
use super::delays::delayed;
use super::fault::{Claim, Fault, claimed};
use super::growth::{CYCLE, Exercise, Exert};
use super::histories::Histories;
use super::history::{Checked, repeated};
use super::keep_alive::time;
use super::log::Log;
use super::model::end_of;
use super::setting::Setting;
use super::subject::Subject;
use super::workflows::{self, as_task};
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

/// Each node has so many cores.
const CORES: u64 = 25;

/// Delayed so often within so short a time, in ns, a request is as good as delayed without end: a run in which it goes on like that
/// ends by it ([`MOST_DELAYS`](crate::MOST_DELAYS)).
const DELAYS: u32 = 100;
const MILLISECOND: u64 = 1_000_000;
const HOUR: u64 = 3_600_000_000_000;
/// On an idle cluster so many are turned away within an hour at the most.
const ASKED_IN_AN_HOUR: u64 = 10_000;

/// Requests that come to a cluster of so many nodes, of one of so many functions each.
#[derive(Clone, Debug)]
pub(super) struct History {
    nodes: u32,
    functions: u32,
    steps: Vec<Step>,
}

pub(super) struct Check {
    pub subject: Subject,
}

/// A step on a cluster with fewer functions than that.
fn step(functions: u32) -> impl Strategy<Value = Step> {
    let load = (prop_oneof![Just(0), 0..20_u64, 0..5000_u64], 0..40_u64, 0..40_u64);
    (0..functions, time(), load, any::<bool>(), 0..4_u32, 0..3_usize).prop_map(
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

/// What a policy is asked at, and what it was told.
struct Door {
    policy: AdmissionObject,
    claims: Claims,
    alarms: Alarms,
    rules: AdmissionRules,
    extent: Extent,
    now: u64,
    requests: u64,
    /// Who was let in and has not ended, with the date.
    let_in: VecDeque<(RequestView, u64)>,
    ended: usize,
    histories: Histories,
    census: Census,
}

/// The next end of one that was let in at a date: in all ways in turn, in the queue, on a node or after a run.
fn next_end(request: &RequestView, since: u64, door: &Door) -> End {
    const LATER: [Ending; 3] = [Ending::Lost, Ending::Stopped, Ending::Rejected];
    let (now, number) = (door.now, door.ended);
    let ending = ENDINGS.into_iter().chain(LATER).nth(number % 7).unwrap_or(Ending::Lost);
    let is_of_whole_run = number % 7 < 3;
    let in_queue = End { ..end_of(request, ending, now) };
    let on_node = End { node: number as u32 % door.extent.nodes, ..in_queue };
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

/// A cluster with as many free cores as the step says, on the first nodes.
fn cluster(nodes: usize, step: &Step) -> TestCluster {
    let mut cluster = TestCluster::new(nodes);
    let mut left = step.free_cores;
    for node in 0..nodes {
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

impl Door {
    fn new(subject: &Subject, setting: &Setting, (nodes, functions): (u32, u32), log: &mut Log) -> Result<Self, Fault> {
        let (mut policy, mut alarms): (AdmissionObject, _) = subject.instance(setting, nodes)?;
        let rules = answer("rules", || policy.rules())?;
        let extent = Extent { nodes, functions };
        alarms.begin(setting.begin, extent, log)?;
        if rules.sees_workflows {
            workflows::tell(functions, log, |workflow| policy.on_workflow(workflow))?;
        }
        Ok(Self {
            policy,
            claims: subject.claims(setting),
            alarms,
            rules,
            extent,
            now: setting.begin,
            requests: 0,
            let_in: VecDeque::new(),
            ended: 0,
            histories: Histories::new(functions as usize),
            census: Census::default(),
        })
    }

    /// The first of those that were let in ends.
    fn end_first(&mut self, log: &mut Log) -> Result<(), Fault> {
        let Some((request, since)) = self.let_in.pop_front() else { return Ok(()) };
        let end = next_end(&request, since, self);
        self.ended += 1;
        log.note(note_of(&end));
        self.histories.ended(&end);
        if self.rules.observes_ends { answer("on_end", || self.policy.on_end(&end)) } else { Ok(()) }
    }

    /// A request comes, at the step's date.
    fn ask(&mut self, step: &Step, log: &mut Log) -> Result<AdmissionDecision, Fault> {
        self.now = self.now.saturating_add(step.after);
        (0..step.ends).try_for_each(|_| self.end_first(log))?;
        self.requests += 1;
        self.histories.arrived(step.function % self.extent.functions, self.now);
        self.decide(step, log)
    }

    /// The policy is asked about the last request, for the first time or again.
    fn decide(&mut self, step: &Step, log: &mut Log) -> Result<AdmissionDecision, Fault> {
        let Step { waiting, running, free_cores, is_full, delays, .. } = *step;
        let (function, now) = (step.function % self.extent.functions, self.now);
        let request = as_task(RequestView {
            invocation: self.requests,
            function,
            requested_at: now,
            submitted_at: now,
            ram_limit: 128_000_000,
            ..RequestView::default()
        });
        log.note(format!(
            "admit(function {function}, at {now}, {waiting} waiting, {running} running, {free_cores} cores free{}, {delays} delays)",
            if is_full { ", no RAM" } else { "" }
        ));
        if self.rules.observes_containers {
            let (container, mut events) = self.census.make_up(function, 0, now);
            events.extend(self.census.settle(container, self.requests.is_multiple_of(2), now));
            events.iter().try_for_each(|event| {
                note(log, event);
                answer("on_container", || self.policy.on_container(event))
            })?;
        }
        let record = self.histories.of(function);
        (record.busy, record.waiting) = ((running / 2) as u32, waiting / 2);
        record.waiting_since = if record.waiting > 0 { now - now / 8 } else { u64::MAX };
        let cluster = cluster(self.extent.nodes as usize, step);
        let histories = Records::new(if self.rules.sees_history { self.histories.records() } else { &[] });
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
        let decision = answer("admit", || self.policy.admit(&request, &view))?;
        if self.rules.admits_all && decision != AdmissionDecision::Admit {
            return Err("does not admit a request though its rules say that it admits all".to_owned().into());
        }
        log.note(format!("  {decision:?}"));
        match decision {
            AdmissionDecision::Admit => self.let_in.push_back((request, now)),
            AdmissionDecision::Delay(nanos) => delayed(nanos, self.claims, log)?,
            AdmissionDecision::Reject(_) => {}
        }
        Ok(decision)
    }

    fn go_off(&mut self, log: &mut Log) -> Result<(), Fault> {
        let Self { policy, alarms, now, extent, .. } = self;
        let view = ClusterView { now: *now, ..ClusterView::EMPTY };
        alarms.go_off(*now, *extent, log, |timer| policy.on_timer(timer, &view))
    }

    /// A request that was delayed comes again and again, to the same cluster: time must pass.
    fn check_delays(&mut self, first: u64, step: &Step, log: &mut Log) -> Result<(), Fault> {
        let (begin, mut delay, mut step, noted) = (self.now, first, step.clone(), log.lines.len());
        for _ in 0..DELAYS {
            // A host lets a nanosecond go by at the least.
            self.now = self.now.saturating_add(delay.max(1));
            if self.now - begin > MILLISECOND {
                return Ok(());
            }
            step.delays += 1;
            self.go_off(log)?;
            match self.decide(&step, log)? {
                AdmissionDecision::Delay(nanos) => delay = nanos,
                _ => return Ok(()),
            }
        }
        let text = format!("delays a request as if without end: {DELAYS} times within {} ns", self.now - begin);
        let fault = claimed(self.claims, Claim::SensibleTimes, text);
        if fault.is_err() {
            log.fold(noted);
        }
        fault
    }

    /// On an idle cluster a request is let in within an hour, whether it is delayed or comes anew.
    fn check_idle(&mut self, log: &mut Log) -> Result<(), Fault> {
        while !self.let_in.is_empty() {
            self.end_first(log)?;
        }
        let mut step = Step {
            function: 0,
            after: 10_000_000_000,
            waiting: 0,
            running: 0,
            free_cores: u64::from(self.extent.nodes) * CORES,
            is_full: false,
            delays: 0,
            ends: 0,
        };
        let (end, noted) = (self.now.saturating_add(HOUR), log.lines.len());
        while self.now < end {
            match self.ask(&step, log)? {
                AdmissionDecision::Admit => return Ok(()),
                // Later than it says, if need be: the hour is to go by.
                AdmissionDecision::Delay(nanos) => {
                    (step.after, step.delays) = (nanos.clamp(HOUR / ASKED_IN_AN_HOUR, 2 * HOUR), step.delays + 1);
                }
                AdmissionDecision::Reject(_) => (step.after, step.delays) = (10_000_000_000, 0),
            }
            self.go_off(log)?;
        }
        let text = "lets nobody in for an hour though the cluster is idle".to_owned();
        let fault = claimed(self.claims, Claim::LetsInWhenIdle, text);
        if fault.is_err() {
            log.fold(noted);
        }
        fault
    }
}

impl Checked for Check {
    type History = History;

    fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Most are of few nodes and functions and many steps; some of many and few.
    fn histories(&self) -> BoxedStrategy<History> {
        let narrow = (Just(4), Just(4), proptest::collection::vec(step(4), 0..40));
        let wide = (65..200_u32, 65..200_u32, proptest::collection::vec(step(200), 0..8));
        let parts = prop_oneof![15 => narrow.boxed(), 1 => wide.boxed()];
        parts.prop_map(|(nodes, functions, steps)| History { nodes, functions, steps }).boxed()
    }

    fn play(&self, setting: &Setting, history: &History, log: &mut Log) -> Result<(), Fault> {
        setting.note(log);
        let History { nodes, functions, steps } = history;
        let mut door = Door::new(&self.subject, setting, (*nodes, *functions), log)?;
        for (number, step) in steps.iter().enumerate() {
            let decision = door.ask(step, log)?;
            door.go_off(log)?;
            if let AdmissionDecision::Delay(nanos) = decision
                && (number + 1 == steps.len() || nanos < MILLISECOND)
            {
                door.check_delays(nanos, step, log)?;
            }
        }
        door.check_idle(log)
    }

    fn exercise(&self) -> Result<Exercise<'_>, Fault> {
        let mut door = Door::new(&self.subject, &self.subject.plain(), (4, 4), &mut Log::default())?;
        let mut steps = repeated(step(4), CYCLE);
        // Most of the time there is little to wait for, and little time passes.
        steps.iter_mut().enumerate().filter(|(number, _)| number % 4 > 0).for_each(|(number, step)| {
            let waiting = (number % 7) as u64 * 300;
            *step = Step {
                after: 1_000_000,
                waiting,
                running: 3,
                free_cores: 5,
                is_full: false,
                delays: 0,
                ..step.clone()
            };
        });
        let mut next = 0;
        Ok(Box::new(move |exert| {
            let mut log = Log::default();
            match exert {
                Exert::Steps(count) => (0..count).try_for_each(|_| {
                    log.clear();
                    let ends = door.let_in.len().saturating_sub(3);
                    door.ask(&Step { ends, ..steps[next % steps.len()].clone() }, &mut log)?;
                    next += 1;
                    door.go_off(&mut log)
                }),
                Exert::Prove => door.check_idle(&mut log),
            }
        }))
    }
}
