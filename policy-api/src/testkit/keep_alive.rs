//! Checks keep-alive policies.

use proptest::prelude::*;

use super::alarms::{Alarms, Extent};
use super::asked::answer;
use super::census::{Census, note};
use super::fault::{Claim, Fault, claimed};
use super::growth::{CYCLE, Exercise, Exert};
use super::histories::Histories;
use super::history::{Checked, repeated};
use super::log::Log;
use super::setting::Setting;
use super::subject::Subject;
use super::workflows;
use crate::boundary::KeepAliveObject;
use crate::{Claims, ClusterView, Completion, ContainerEvent, End, KeepAliveRules, LONGEST_DELAY, Records};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Arrive { function: u32, after: u64 },
    Idle { function: u32, node: u32, after: u64, run_time: u64, idle: u32 },
}

/// What happens to containers of so many functions on so many nodes.
#[derive(Clone, Debug)]
pub(super) struct History {
    nodes: u32,
    functions: u32,
    steps: Vec<Step>,
}

pub(super) struct Check {
    pub subject: Subject,
}

/// Times from none to a day, the short ones as likely as the long ones.
pub(super) fn time() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        1..1_000_000_u64,
        1_000_000..10_000_000_000_u64,
        10_000_000_000..1_000_000_000_000_u64,
        1_000_000_000_000..86_400_000_000_000_u64,
    ]
}

/// A step with fewer nodes and functions than that.
fn step(nodes: u32, functions: u32) -> impl Strategy<Value = Step> {
    let arrive = (0..functions, time()).prop_map(|(function, after)| Step::Arrive { function, after });
    let idle = (0..functions, 0..nodes, time(), time(), 1..5_u32)
        .prop_map(|(function, node, after, run_time, idle)| Step::Idle { function, node, after, run_time, idle });
    prop_oneof![arrive, idle]
}

/// The policy, the date, and what has come of functions up to then.
struct Keeper {
    policy: KeepAliveObject,
    alarms: Alarms,
    extent: Extent,
    claims: Claims,
    now: u64,
    rules: KeepAliveRules,
    histories: Histories,
    census: Census,
}

impl Keeper {
    fn new(subject: &Subject, setting: &Setting, (nodes, functions): (u32, u32), log: &mut Log) -> Result<Self, Fault> {
        let (mut policy, mut alarms): (KeepAliveObject, _) = subject.instance(setting, nodes)?;
        let rules = answer("rules", || policy.rules())?;
        let extent = Extent { nodes, functions };
        alarms.begin(setting.begin, extent, log)?;
        if rules.sees_workflows {
            workflows::tell(functions, log, |workflow| policy.on_workflow(workflow))?;
        }
        Ok(Self {
            policy,
            alarms,
            extent,
            claims: subject.claims(setting),
            now: setting.begin,
            rules,
            histories: Histories::new(functions as usize),
            census: Census::default(),
        })
    }

    fn apply(&mut self, step: &Step, log: &mut Log) -> Result<(), Fault> {
        match *step {
            Step::Arrive { function, after } => self.arrive(function % self.extent.functions, after, log)?,
            Step::Idle { function, after, .. } => {
                self.now = self.now.saturating_add(after);
                self.idle(step, function % self.extent.functions, log)?;
            }
        }
        let Self { policy, alarms, now, extent, histories, rules, .. } = self;
        let histories = Records::new(if rules.sees_history { histories.records() } else { &[] });
        let view = ClusterView { now: *now, histories, ..ClusterView::EMPTY };
        alarms.go_off(*now, *extent, log, |timer| policy.on_timer(timer, &view))
    }

    fn arrive(&mut self, function: u32, after: u64, log: &mut Log) -> Result<(), Fault> {
        self.now = self.now.saturating_add(after);
        self.histories.arrived(function, self.now);
        if !self.rules.observes_arrivals {
            return Ok(());
        }
        log.note(format!("on_arrival(function {function}, at {})", self.now));
        answer("on_arrival", || self.policy.on_arrival(function, self.now))
    }

    fn tell(&mut self, event: &ContainerEvent, log: &mut Log) -> Result<(), Fault> {
        if !self.rules.observes_containers {
            return Ok(());
        }
        note(log, event);
        answer("on_container", || self.policy.on_container(event))
    }

    /// A length of time that the policy has given is one that can be meant.
    fn check_length(&self, what: &'static str, nanos: u64) -> Result<(), Fault> {
        // Beyond that it is taken for an overflow or a date.
        if nanos > LONGEST_DELAY && nanos != u64::MAX {
            let fault = format!("{what} {nanos} ns, more than a century: for ever is u64::MAX");
            return claimed(self.claims, Claim::SensibleTimes, fault);
        }
        Ok(())
    }

    fn idle(&mut self, step: &Step, function: u32, log: &mut Log) -> Result<(), Fault> {
        let Step::Idle { node, run_time, idle, .. } = *step else { return Ok(()) };
        let (node, now) = (node % self.extent.nodes, self.now);
        let (container, events) = self.census.make_up(function, node, now);
        events.iter().try_for_each(|event| self.tell(event, log))?;
        self.histories.ended(&End { now, function, run_time, ..End::default() });
        let record = self.histories.of(function);
        (record.idle, record.busy) = (idle - 1, node % 4);
        let completion = Completion {
            now,
            function,
            node,
            run_time,
            ram: 128_000_000,
            idle_of_function: idle,
            histories: Records::new(if self.rules.sees_history { self.histories.records() } else { &[] }),
            ..Completion::default()
        };
        log.note(format!("on_idle(function {function}, node {node}, ran {run_time}, {idle} idle, at {now})"));
        let retention = answer("on_idle", || self.policy.on_idle(&completion))?;
        log.note(format!("  keep for {}", retention.keep_for));
        let prewarming = if retention.keep_for == 0 {
            let prewarming = answer("prewarm", || self.policy.prewarm(&completion))?;
            log.note(format!("  prewarm after {}, keep for {}", prewarming.after, prewarming.keep_for));
            Some(prewarming)
        } else {
            None
        };
        log.kept("keeps for", retention.keep_for);
        self.check_length("keeps for", retention.keep_for)?;
        if let Some(prewarming) = prewarming {
            log.length("prewarms after", prewarming.after);
            log.kept("keeps what is prewarmed for", prewarming.keep_for);
            self.check_length("prewarms after", prewarming.after)?;
            self.check_length("keeps what is prewarmed for", prewarming.keep_for)?;
        }
        let settled = self.census.settle(container, retention.keep_for > 0, now);
        settled.iter().try_for_each(|event| self.tell(event, log))
    }
}

impl Checked for Check {
    type History = History;

    fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Most are of few nodes and functions and many steps; some of many and few.
    fn histories(&self) -> BoxedStrategy<History> {
        let narrow = (Just(4), Just(6), proptest::collection::vec(step(4, 6), 0..60));
        let wide = (65..200_u32, 65..200_u32, proptest::collection::vec(step(200, 200), 0..12));
        let parts = prop_oneof![15 => narrow.boxed(), 1 => wide.boxed()];
        parts.prop_map(|(nodes, functions, steps)| History { nodes, functions, steps }).boxed()
    }

    fn play(&self, setting: &Setting, history: &History, log: &mut Log) -> Result<(), Fault> {
        setting.note(log);
        let History { nodes, functions, steps } = history;
        let mut keeper = Keeper::new(&self.subject, setting, (*nodes, *functions), log)?;
        steps.iter().try_for_each(|step| keeper.apply(step, log))
    }

    fn exercise(&self) -> Result<Exercise<'_>, Fault> {
        let mut keeper = Keeper::new(&self.subject, &self.subject.plain(), (4, 6), &mut Log::default())?;
        let mut steps = repeated(step(4, 6), CYCLE);
        // Most come in a regular way.
        steps.iter_mut().enumerate().filter(|(number, _)| number % 8 > 1).for_each(|(number, step)| {
            let (function, after, run_time) = (number as u32 / 2 % 3, 1_000_000_000, 500_000_000);
            *step = match number % 2 {
                0 => Step::Arrive { function, after },
                _ => Step::Idle { function, node: 0, after, run_time, idle: 1 },
            };
        });
        let mut next = 0;
        Ok(Box::new(move |exert| {
            let Exert::Steps(count) = exert else { return Ok(()) };
            let mut log = Log::default();
            (0..count).try_for_each(|_| {
                log.clear();
                next += 1;
                keeper.apply(&steps[next % steps.len()], &mut log)
            })
        }))
    }
}
