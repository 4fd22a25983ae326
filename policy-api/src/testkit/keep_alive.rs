//! Checks keep-alive policies.

use proptest::prelude::*;

use super::history::{Checked, Exercise, Log};
use super::subject::{Subject, answer};
use crate::boundary::KeepAliveObject;
use crate::{Claims, Completion};

/// Times beyond this are taken for an overflow, but for `u64::MAX`, which is for ever: a hundred years in ns.
const LONGEST: u64 = 100 * 366 * 86_400 * 1_000_000_000;

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

fn apply(policy: &mut KeepAliveObject, step: &Step, now: &mut u64, log: &mut Log) -> Result<(), String> {
    match *step {
        Step::Arrive { function, after } => {
            *now += after;
            log.note(format!("on_arrival(function {function}, at {now})"));
            answer("on_arrival", policy.on_arrival(function, *now))
        }
        Step::Idle { function, node, after, run_time, idle } => {
            *now += after;
            let completion = Completion {
                now: *now,
                function,
                node,
                run_time,
                ram: 128_000_000,
                idle_of_function: idle,
                ..Completion::default()
            };
            log.note(format!("on_idle(function {function}, node {node}, ran {run_time}, {idle} idle, at {now})"));
            let retention = answer("on_idle", policy.on_idle(&completion))?;
            log.note(format!("  keep for {}", retention.keep_for));
            check_length("keeps for", retention.keep_for)?;
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
        answer("rules", policy.rules())?;
        let mut now = 0;
        history.iter().try_for_each(|step| {
            apply(&mut policy, step, &mut now, log)?;
            alarms.go_off(now, log, |timer| policy.on_timer(timer, now))
        })
    }

    fn exercise(&self) -> Result<Exercise<'_>, String> {
        let (mut policy, mut alarms): (KeepAliveObject, _) = self.subject.instance(4)?;
        let mut now = 0;
        Ok(Box::new(move |calls| {
            let mut log = Log::default();
            (0..calls).try_for_each(|call| {
                log.0.clear();
                let function = call % 3;
                let (after, run_time) = (1_000_000_000, 500_000_000);
                apply(&mut policy, &Step::Arrive { function, after }, &mut now, &mut log)?;
                apply(&mut policy, &Step::Idle { function, node: 0, after, run_time, idle: 1 }, &mut now, &mut log)?;
                alarms.go_off(now, &mut log, |timer| policy.on_timer(timer, now))
            })
        }))
    }
}

/// A promise of a policy, as a fault names it.
pub(super) fn claimed(claims: Claims, promise: fn(&Claims) -> bool, fault: String) -> Result<(), String> {
    if promise(&claims) { Err(fault) } else { Ok(()) }
}
