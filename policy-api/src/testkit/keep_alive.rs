//! Checks keep-alive policies.

use proptest::prelude::*;

use super::census::{Census, note};
use super::histories::Histories;
use super::history::{Checked, Exercise, Log};
use super::subject::{Subject, answer};
use crate::boundary::KeepAliveObject;
use crate::{Claims, ClusterView, Completion, ContainerEvent, End, KeepAliveRules, Records};

/// Times beyond this are taken for an overflow, but for `u64::MAX`, which is for ever: a hundred years in ns.
const LONGEST: u64 = 100 * 366 * 86_400 * 1_000_000_000;

/// So many functions are asked for.
const FUNCTIONS: usize = 6;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Arrive { function: u32, after: u64 },
    Idle { function: u32, node: u32, after: u64, run_time: u64, idle: u32 },
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

fn step() -> impl Strategy<Value = Step> {
    let arrive = (0..6_u32, time()).prop_map(|(function, after)| Step::Arrive { function, after });
    let idle = (0..6_u32, 0..4_u32, time(), time(), 1..5_u32)
        .prop_map(|(function, node, after, run_time, idle)| Step::Idle { function, node, after, run_time, idle });
    prop_oneof![arrive, idle]
}

fn check_length(what: &str, nanos: u64) -> Result<(), String> {
    if nanos > LONGEST && nanos != u64::MAX {
        return Err(format!("{what} {nanos} ns: for ever is u64::MAX"));
    }
    Ok(())
}

/// The date, and what has come of functions up to then.
struct Clock {
    now: u64,
    rules: KeepAliveRules,
    histories: Histories,
    census: Census,
}

impl Clock {
    fn new(policy: &KeepAliveObject) -> Result<Self, String> {
        Ok(Self {
            now: 0,
            rules: answer("rules", policy.rules())?,
            histories: Histories::new(FUNCTIONS),
            census: Census::default(),
        })
    }
}

fn apply(policy: &mut KeepAliveObject, step: &Step, clock: &mut Clock, log: &mut Log) -> Result<(), String> {
    let Clock { now, rules, histories, census } = clock;
    match *step {
        Step::Arrive { function, after } => {
            *now += after;
            histories.arrived(function, *now);
            log.note(format!("on_arrival(function {function}, at {now})"));
            answer("on_arrival", policy.on_arrival(function, *now))
        }
        Step::Idle { function, node, after, run_time, idle } => {
            *now += after;
            let tell = |policy: &mut KeepAliveObject, event: &ContainerEvent, log: &mut Log| {
                if !rules.observes_containers {
                    return Ok(());
                }
                note(log, event);
                answer("on_container", policy.on_container(event))
            };
            let (container, events) = census.make_up(function, node, *now);
            events.iter().try_for_each(|event| tell(policy, event, log))?;
            histories.ended(&End { now: *now, function, run_time, ..End::default() });
            let record = histories.of(function);
            (record.idle, record.busy) = (idle - 1, node);
            let completion = Completion {
                now: *now,
                function,
                node,
                run_time,
                ram: 128_000_000,
                idle_of_function: idle,
                histories: Records::new(if rules.sees_history { histories.records() } else { &[] }),
                ..Completion::default()
            };
            log.note(format!("on_idle(function {function}, node {node}, ran {run_time}, {idle} idle, at {now})"));
            let retention = answer("on_idle", policy.on_idle(&completion))?;
            log.note(format!("  keep for {}", retention.keep_for));
            check_length("keeps for", retention.keep_for)?;
            let settled = census.settle(container, retention.keep_for > 0, *now);
            settled.iter().try_for_each(|event| tell(policy, event, log))?;
            if retention.keep_for > 0 {
                return Ok(());
            }
            let prewarming = answer("prewarm", policy.prewarm(&completion))?;
            log.note(format!("  prewarm after {}, keep for {}", prewarming.after, prewarming.keep_for));
            check_length("prewarms after", prewarming.after)?;
            check_length("keeps what is prewarmed for", prewarming.keep_for)
        }
    }
}

impl Checked for Check {
    type History = Vec<Step>;

    fn histories(&self) -> impl Strategy<Value = Vec<Step>> {
        proptest::collection::vec(step(), 0..60)
    }

    fn play(&self, history: &Vec<Step>, log: &mut Log) -> Result<(), String> {
        let (mut policy, mut alarms): (KeepAliveObject, _) = self.subject.instance(4)?;
        let mut clock = Clock::new(&policy)?;
        history.iter().try_for_each(|step| {
            apply(&mut policy, step, &mut clock, log)?;
            let now = clock.now;
            alarms.go_off(now, log, |timer| policy.on_timer(timer, &ClusterView { now, ..ClusterView::EMPTY }))
        })
    }

    fn exercise(&self) -> Result<Exercise<'_>, String> {
        let (mut policy, mut alarms): (KeepAliveObject, _) = self.subject.instance(4)?;
        let mut clock = Clock::new(&policy)?;
        Ok(Box::new(move |calls| {
            let mut log = Log::default();
            (0..calls).try_for_each(|call| {
                log.0.clear();
                let function = call % 3;
                let (after, run_time) = (1_000_000_000, 500_000_000);
                apply(&mut policy, &Step::Arrive { function, after }, &mut clock, &mut log)?;
                apply(&mut policy, &Step::Idle { function, node: 0, after, run_time, idle: 1 }, &mut clock, &mut log)?;
                let now = clock.now;
                alarms.go_off(now, &mut log, |timer| policy.on_timer(timer, &ClusterView { now, ..ClusterView::EMPTY }))
            })
        }))
    }
}

/// A promise of a policy, as a fault names it.
pub(super) fn claimed(claims: Claims, promise: fn(&Claims) -> bool, fault: String) -> Result<(), String> {
    if promise(&claims) { Err(fault) } else { Ok(()) }
}
