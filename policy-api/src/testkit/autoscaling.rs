//! Checks autoscaling policies.

mod pool;
mod served;

use proptest::prelude::*;

use self::pool::Pool;
use self::served::{Bounds, Served};
use super::alarms::{Alarms, Extent};
use super::asked::answer;
use super::census::{Census, note};
use super::fault::{Claim, Fault, claimed};
use super::growth::{CYCLE, Exercise, Exert};
use super::history::{Checked, repeated};
use super::keep_alive::time;
use super::log::Log;
use super::setting::Setting;
use super::subject::Subject;
use crate::boundary::AutoscalingObject;
use crate::{AutoscalingRules, Claims, ClusterView, ContainerEvent, LONGEST_DELAY, Scale, ScaleCause};

/// A period shorter than this was not meant in ns.
const SHORTEST_PERIOD: u64 = 1_000_000;
const HOUR: u64 = 3_600_000_000_000;
/// So often at the most a policy is asked at ticks within a step, and within an hour: of what is left no more is told than the time.
const TICKS_A_STEP: u64 = 64;
const TICKS_AN_HOUR: u64 = 4_000;

/// What happens to a function, some time after what was before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// So many requests are let in.
    Arrive(u64),
    /// So many requests end, of those that run.
    End(u64),
    /// So many of the instances that start are up.
    Up(u32),
    /// So many instances are lost with what runs in them.
    Lose(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    function: u32,
    after: u64,
    event: Event,
}

/// What happens to functions with these bounds.
#[derive(Clone, Debug)]
pub(super) struct History {
    functions: Vec<Bounds>,
    steps: Vec<Step>,
}

pub(super) struct Check {
    pub subject: Subject,
}

fn step(functions: u32) -> impl Strategy<Value = Step> {
    let count = || prop_oneof![4 => 1..4_u64, 2 => 1..200_u64, 1 => 1..5000_u64];
    let instances = || prop_oneof![3 => 1..4_u32, 1 => 1..1000_u32];
    let event = prop_oneof![
        4 => count().prop_map(Event::Arrive),
        3 => count().prop_map(Event::End),
        3 => instances().prop_map(Event::Up),
        1 => instances().prop_map(Event::Lose),
    ];
    (0..functions, time(), event).prop_map(|(function, after, event)| Step { function, after, event })
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let concurrency = prop_oneof![2 => Just(1), 3 => 2..200_u32, 1 => Just(u32::MAX)];
    let min = prop_oneof![3 => Just(0), 1 => 1..5_u32];
    let more = prop_oneof![2 => Just(None), 1 => (0..50_u32).prop_map(Some)];
    (concurrency, min, more).prop_map(|(concurrency, min, more)| Bounds {
        concurrency,
        min,
        max: more.map_or(u32::MAX, |more| (min + more).max(1)),
    })
}

/// A policy, the date, and the functions that it scales.
struct Scaler {
    policy: AutoscalingObject,
    rules: AutoscalingRules,
    alarms: Alarms,
    extent: Extent,
    /// What it is held to, and whether that goes for who waits.
    claims: Claims,
    now: u64,
    next_tick: u64,
    functions: Vec<Served>,
    /// For policies that scale pools.
    pool: Pool,
    /// It has wanted another number of instances than there was: it scales functions.
    scales_functions: bool,
    census: Census,
}

impl Scaler {
    fn new(subject: &Subject, setting: &Setting, functions: &[Bounds], log: &mut Log) -> Result<Self, Fault> {
        const NODES: u32 = 4;
        let (policy, mut alarms): (AutoscalingObject, _) = subject.instance(setting, NODES)?;
        let rules = answer("rules", || policy.rules())?;
        let extent = Extent { nodes: NODES, functions: functions.len() as u32 };
        alarms.begin(setting.begin, extent, log)?;
        let claims = subject.claims(setting);
        // A rate of nothing does what it says, where it is drawn.
        let work_conserving = claims.work_conserving && setting.drawn.is_empty();
        let scaler = Self {
            policy,
            rules,
            alarms,
            extent,
            claims: Claims { work_conserving, ..claims },
            now: setting.begin,
            next_tick: if rules.period == 0 { u64::MAX } else { setting.begin.saturating_add(rules.period) },
            functions: functions.iter().map(|bounds| Served::new(*bounds, setting.begin)).collect(),
            pool: Pool::new(setting.begin),
            scales_functions: false,
            census: Census::default(),
        };
        scaler.check_period()?;
        Ok(scaler)
    }

    fn check_period(&self) -> Result<(), Fault> {
        let problem = match self.rules.period {
            1..SHORTEST_PERIOD => "times are in ns, not in seconds",
            period if period > LONGEST_DELAY => "that is more than a century: never is 0",
            _ => return Ok(()),
        };
        let text = format!("asks for ticks every {} ns: {problem}", self.rules.period);
        claimed(self.claims, Claim::SensibleTimes, text)
    }

    /// Asks how many instances a function is to have, and has them start or stop.
    fn ask(&mut self, function: u32, cause: ScaleCause, log: &mut Log) -> Result<u32, Fault> {
        let Self { policy, functions, now, .. } = self;
        let Some(served) = functions.get_mut(function as usize) else { return Ok(0) };
        let view = served.view(function, cause, *now);
        log.note(format!(
            "scale(function {function}, {cause:?}: {} wait, {} run, {} ready, {} starting, at {now})",
            view.waiting, view.running, view.ready, view.starting
        ));
        let scale = answer("scale", || policy.scale(&view))?;
        log.note(format!("  wants {}", scale.wanted));
        self.scales_functions |= scale.wanted != view.wanted;
        let wanted = view.within_bounds(scale.wanted);
        if wanted > Scale::MOST {
            let text = format!("wants {wanted} instances of function {function}, more than {}", Scale::MOST);
            return Err(text.into());
        }
        served.follow(wanted);
        Ok(wanted)
    }

    /// Time goes by: the policy is asked at the ticks within it, but not at all of very many.
    fn pass(&mut self, nanos: u64, log: &mut Log) -> Result<(), Fault> {
        let period = self.rules.period;
        let nanos = if period == 0 { nanos } else { nanos.min(period.saturating_mul(TICKS_A_STEP)) };
        let end = self.now.saturating_add(nanos);
        while self.next_tick <= end && self.next_tick < u64::MAX {
            self.now = self.next_tick;
            self.next_tick = self.now.saturating_add(period);
            (0..self.extent.functions).try_for_each(|function| self.tick(function, log))?;
            self.ask_pool(log)?;
            self.go_off(log)?;
        }
        self.now = end;
        Ok(())
    }

    /// Asks about a function at a tick, unless it is dormant.
    fn tick(&mut self, function: u32, log: &mut Log) -> Result<(), Fault> {
        if self.functions.get(function as usize).is_some_and(Served::is_asked_about) {
            self.ask(function, ScaleCause::Tick, log)?;
        }
        if let Some(served) = self.functions.get_mut(function as usize) {
            served.may_go_dormant();
        }
        Ok(())
    }

    /// Asks which nodes of the pool come and go, if the policy says that.
    fn ask_pool(&mut self, log: &mut Log) -> Result<u32, Fault> {
        if !self.rules.scales_pools {
            return Ok(0);
        }
        let Self { policy, pool, now, .. } = self;
        log.note(format!("scale_pool({}, at {now})", pool.in_words()));
        let scale = pool.ask(*now, |view| answer("scale_pool", || policy.scale_pool(view)))?;
        log.note(format!("  boots {} and removes {:?}", scale.boot, &scale.remove[..]));
        pool.follow(&scale, *now).map_err(Fault::from)?;
        Ok(scale.boot)
    }

    fn go_off(&mut self, log: &mut Log) -> Result<(), Fault> {
        let Self { policy, alarms, now, extent, .. } = self;
        let view = ClusterView { now: *now, ..ClusterView::EMPTY };
        alarms.go_off(*now, *extent, log, |timer| policy.on_timer(timer, &view))
    }

    fn apply(&mut self, step: &Step, log: &mut Log) -> Result<(), Fault> {
        self.pass(step.after, log)?;
        let function = step.function % self.extent.functions;
        match step.event {
            Event::Arrive(count) => self.arrive(function, count, log)?,
            Event::Up(_) => self.tell(function, log)?,
            Event::End(_) | Event::Lose(_) => {}
        }
        let now = self.now;
        self.pool.happen(function, step.event, now);
        if let Some(served) = self.functions.get_mut(function as usize) {
            served.happen(step.event, now);
        }
        self.go_off(log)
    }

    /// Requests come one after the other, of which that of a dormant function, and those that find no room, are asked about.
    fn arrive(&mut self, function: u32, count: u64, log: &mut Log) -> Result<(), Fault> {
        const ASKED_ABOUT: u64 = 8;
        log.note(format!("({count} requests of function {function}, at {})", self.now));
        for number in 0..count {
            let (now, asked) = (self.now, self.rules.asked_on_requests);
            let Some(served) = self.functions.get_mut(function as usize) else { return Ok(()) };
            let (was_dormant, has_room) = (served.begin_to_be_asked_about(), served.has_room());
            served.arrive(now);
            if was_dormant || asked && !has_room && (number < ASKED_ABOUT || number + 1 == count) {
                self.ask(function, ScaleCause::Request, log)?;
            }
        }
        Ok(())
    }

    /// Something becomes of a container, for policies that want to hear of it.
    fn tell(&mut self, function: u32, log: &mut Log) -> Result<(), Fault> {
        if !self.rules.observes_containers {
            return Ok(());
        }
        let now = self.now;
        let (container, mut events) = self.census.make_up(function, function % self.extent.nodes, now);
        events.extend(self.census.settle(container, true, now));
        events.iter().try_for_each(|event: &ContainerEvent| {
            note(log, event);
            answer("on_container", || self.policy.on_container(event))
        })
    }

    /// Who is in need gets an instance, or a node, within an hour.
    fn check_idle(&mut self, log: &mut Log) -> Result<(), Fault> {
        if self.rules.scales_pools {
            self.check_pool_without_nodes(log)?;
        }
        if self.rules.scales_pools && !self.scales_functions { Ok(()) } else { self.check_idle_function(log) }
    }

    /// Somebody who waits gets a node within an hour where all are off.
    fn check_pool_without_nodes(&mut self, log: &mut Log) -> Result<(), Fault> {
        if self.rules.period == 0 {
            let text = "says how many nodes pools have, and is never asked: its period is 0".to_owned();
            return claimed(self.claims, Claim::WorkConserving, text);
        }
        self.pool.begin_anew(self.now);
        log.note(format!("(a request finds no node on, at {})", self.now));
        let (end, noted) = (self.now.saturating_add(HOUR), log.lines.len());
        while self.next_tick <= end {
            self.now = self.next_tick;
            self.next_tick = self.now.saturating_add(self.rules.period.max(HOUR / TICKS_AN_HOUR));
            if self.ask_pool(log)? > 0 {
                return Ok(());
            }
            self.go_off(log)?;
        }
        let text = "boots no node for an hour though all are off and somebody waits".to_owned();
        let fault = claimed(self.claims, Claim::WorkConserving, text);
        if fault.is_err() {
            log.fold(noted);
        }
        fault
    }

    /// Somebody who waits on an idle cluster gets an instance within an hour.
    fn check_idle_function(&mut self, log: &mut Log) -> Result<(), Fault> {
        let Some(first) = self.functions.first_mut() else { return Ok(()) };
        let asked = self.rules.asked_on_requests;
        if self.rules.period == 0 && !asked && first.has_wanted() {
            // How many there are has been said once for all, and the host makes up for what is lost.
            return Ok(());
        }
        first.forget_instances(self.now);
        log.note(format!("(a request of function 0 comes to no instance, at {})", self.now));
        let was_dormant = first.begin_to_be_asked_about();
        first.arrive(self.now);
        if (was_dormant || asked) && self.ask(0, ScaleCause::Request, log)? > 0 {
            return Ok(());
        }
        let (end, noted) = (self.now.saturating_add(HOUR), log.lines.len());
        while self.next_tick <= end {
            self.now = self.next_tick;
            self.next_tick = self.now.saturating_add(self.rules.period.max(HOUR / TICKS_AN_HOUR));
            if self.ask(0, ScaleCause::Tick, log)? > 0 {
                return Ok(());
            }
            self.go_off(log)?;
        }
        let text = "wants no instance for an hour though somebody waits and the cluster is idle".to_owned();
        let fault = claimed(self.claims, Claim::WorkConserving, text);
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

    /// Most are of few functions and many steps; some of many and few.
    fn histories(&self) -> BoxedStrategy<History> {
        let narrow = (proptest::collection::vec(bounds(), 3), proptest::collection::vec(step(3), 0..40));
        let wide = (proptest::collection::vec(bounds(), 65..130), proptest::collection::vec(step(130), 0..4));
        let parts = prop_oneof![15 => narrow.boxed(), 1 => wide.boxed()];
        parts.prop_map(|(functions, steps)| History { functions, steps }).boxed()
    }

    fn play(&self, setting: &Setting, history: &History, log: &mut Log) -> Result<(), Fault> {
        setting.note(log);
        let mut scaler = Scaler::new(&self.subject, setting, &history.functions, log)?;
        history.steps.iter().try_for_each(|step| scaler.apply(step, log))?;
        scaler.check_idle(log)
    }

    fn exercise(&self) -> Result<Exercise<'_>, Fault> {
        let functions = [1, 10, u32::MAX].map(|concurrency| Bounds { concurrency, min: 0, max: 100 });
        let mut scaler = Scaler::new(&self.subject, &self.subject.plain(), &functions, &mut Log::default())?;
        let mut steps = repeated(step(3), CYCLE);
        // Most come in a regular way: requests come, instances are up, requests end.
        steps.iter_mut().enumerate().filter(|(number, _)| number % 8 > 1).for_each(|(number, step)| {
            let event = [Event::Arrive(2), Event::Up(1), Event::End(2)][number % 3];
            *step = Step { function: number as u32 / 3 % 3, after: 500_000_000, event };
        });
        // Of a step so few ticks that the steps count, and not the ticks.
        steps.iter_mut().for_each(|step| step.after = step.after.min(4_000_000_000));
        let mut next = 0;
        Ok(Box::new(move |exert| {
            let mut log = Log::default();
            match exert {
                Exert::Steps(count) => (0..count).try_for_each(|_| {
                    log.clear();
                    next += 1;
                    scaler.apply(&steps[next % steps.len()], &mut log)
                }),
                Exert::Prove => scaler.check_idle(&mut log),
            }
        }))
    }
}
