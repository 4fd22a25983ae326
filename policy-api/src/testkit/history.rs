//! Draws histories, plays them, and makes those that show a fault small.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::fault::{Counterexample, Fault, FaultKind, claimed};
use super::growth::{self, Exercise, Exert};
use super::log::{Log, Time};
use super::setting::{DAY, Setting};
use super::subject::Subject;
use super::{Claim, Options};

/// A kind of policy, as the kit checks it.
pub(super) trait Checked {
    /// What happens to an instance.
    type History: Clone + Debug + 'static;

    fn subject(&self) -> &Subject;

    /// Draws histories.
    fn histories(&self) -> BoxedStrategy<Self::History>;

    /// Plays a history against a new instance, noting every call with its answer; or what was wrong.
    fn play(&self, setting: &Setting, history: &Self::History, log: &mut Log) -> Result<(), Fault>;

    /// Makes an instance that lives on.
    fn exercise(&self) -> Result<Exercise<'_>, Fault>;

    /// Puts an instance into situations that are rare.
    fn examine(&self, _log: &mut Log) -> Result<(), Fault> {
        Ok(())
    }
}

/// Something that is done with each role that a policy is checked in.
pub(super) trait Visit {
    fn visit<C: Checked>(&mut self, checked: &C) -> Result<(), Counterexample>;
}

/// So many histories, and a quarter of those beyond, are played in two instances here, if all are in a second process.
const TWICE: usize = 256;
/// How many histories are kept to be played again later.
const KEPT: usize = 16;
/// How often a history that shows a fault is made smaller, at the most.
const SHRINKS: u32 = 4096;
/// How many histories are played again at another date.
const PUT_OFF: usize = 64;
/// How much later.
const LATER: u64 = 1000 * DAY;

/// A setting and a history, which can be made smaller.
pub(super) type Tree<C> = Box<dyn ValueTree<Value = (Setting, <C as Checked>::History)>>;

/// Draws histories; those of one number are the same in every process.
pub(super) struct Drawn<C: Checked> {
    strategy: BoxedStrategy<(Setting, C::History)>,
    runner: TestRunner,
}

impl<C: Checked> Drawn<C> {
    pub fn of(checked: &C) -> Self {
        let subject = checked.subject();
        let settings = Setting::draw(&subject.parameters, subject.draws_parameters);
        let config = Config { failure_persistence: None, ..Config::default() };
        let runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::XorShift));
        Self { strategy: (settings, checked.histories()).boxed(), runner }
    }

    pub fn tree(&mut self) -> Result<Tree<C>, Counterexample> {
        self.strategy.new_tree(&mut self.runner).map_err(|reason| {
            Fault::new(FaultKind::NotMade, format!("no history can be drawn: {reason}")).after(Vec::new())
        })
    }

    pub fn next(&mut self) -> Result<(Setting, C::History), Counterexample> {
        Ok(self.tree()?.current())
    }
}

/// Plays drawn histories, and keeps what tells them from others.
pub(super) struct Playing<'a> {
    pub options: &'a Options,
    /// Of each role, what tells the histories from others.
    pub digests: Vec<Vec<u64>>,
}

impl Visit for Playing<'_> {
    fn visit<C: Checked>(&mut self, checked: &C) -> Result<(), Counterexample> {
        let (mut drawn, mut digests, mut times) = (Drawn::of(checked), Vec::new(), Kept::default());
        for number in 0..self.options.cases as usize {
            let mut tree = drawn.tree()?;
            let (setting, history) = tree.current();
            let is_twice = self.options.second_process.is_none() || number < TWICE || number % 4 == 0;
            let is_put_off = number < PUT_OFF;
            let played = if is_twice {
                play_twice(checked, &setting, &history)
            } else {
                match play_once(checked, &setting, &history) {
                    (log, Ok(())) => Ok(log),
                    // Whether it hangs on chance is to be known.
                    (log, Err(fault)) => play_twice(checked, &setting, &history).and(Err(fault.after(log.lines))),
                }
            };
            let outcome = played.and_then(|log| {
                if !setting.drawn.is_empty() {
                    return Ok(log);
                }
                times.add(&log);
                if is_put_off { put_off(checked, &setting, &history, log) } else { Ok(log) }
            });
            match outcome {
                Ok(log) => digests.push(log.digest()),
                Err(found) => return Err(smallest(checked, &mut tree, found, is_put_off)),
            }
        }
        self.digests.push(digests);
        times.check(checked.subject())
    }
}

/// The longest times for which containers are kept.
#[derive(Default)]
struct Kept {
    count: usize,
    longest: BTreeMap<&'static str, u64>,
}

impl Kept {
    fn add(&mut self, log: &Log) {
        for (time, what, nanos) in &log.times {
            if *time == Time::Kept && (1..u64::MAX).contains(nanos) {
                let longest = self.longest.entry(what).or_default();
                *longest = (*longest).max(*nanos);
                self.count += 1;
            }
        }
    }

    /// Nobody starts a container to keep it for a millisecond at the most.
    fn check(&self, subject: &Subject) -> Result<(), Counterexample> {
        const SHORT: u64 = 1_000_000;
        let longest = self.longest.values().copied().max().unwrap_or(u64::MAX);
        if self.count < 20 || longest > SHORT {
            return Ok(());
        }
        let text =
            format!("keeps nothing for longer than {longest} ns in all histories: times are in ns, not in seconds");
        claimed(subject.claims, Claim::SensibleTimes, text).map_err(|fault| fault.after(Vec::new()))
    }
}

/// Makes a history that shows a fault as small as can be; the fault stays of its kind.
fn smallest<C: Checked>(checked: &C, tree: &mut Tree<C>, found: Counterexample, is_put_off: bool) -> Counterexample {
    // What hangs on chance does not always show.
    let tries = if found.kind == FaultKind::Reproducibility { 6 } else { 1 };
    let find = |(setting, history): &(Setting, C::History)| {
        (0..tries).find_map(|_| {
            let played = match found.kind {
                FaultKind::Reproducibility => play_twice(checked, setting, history),
                _ => match play_once(checked, setting, history) {
                    (log, Ok(())) => Ok(log),
                    (log, Err(fault)) => Err(fault.after(log.lines)),
                },
            };
            let outcome = played.and_then(|log| {
                let is_put_off = is_put_off && setting.drawn.is_empty();
                if is_put_off { put_off(checked, setting, history, log) } else { Ok(log) }
            });
            outcome.err().filter(|other| other.kind == found.kind)
        })
    };
    let mut smallest = found.clone();
    let mut is_left = tree.simplify();
    for _ in 0..SHRINKS {
        if !is_left {
            break;
        }
        is_left = match find(&tree.current()) {
            // What has shown the fault by chance may not do so again, and is no end.
            None => tree.complicate() || tree.simplify(),
            Some(simpler) => {
                smallest = simpler;
                tree.simplify()
            }
        };
    }
    smallest
}

/// Plays a history; nothing is wrong with one for which the policy is not made, since its values do not go together that were
/// drawn.
fn play_once<C: Checked>(checked: &C, setting: &Setting, history: &C::History) -> (Log, Result<(), Fault>) {
    let mut log = Log::default();
    let outcome = match checked.play(setting, history, &mut log) {
        Err(fault) if fault.kind == FaultKind::NotMade && !setting.drawn.is_empty() => Ok(()),
        outcome => outcome,
    };
    (log, outcome)
}

/// Plays a history in two instances, which must do the same.
fn play_twice<C: Checked>(checked: &C, setting: &Setting, history: &C::History) -> Result<Log, Counterexample> {
    let (first, outcome) = play_once(checked, setting, history);
    // Somewhere else in memory.
    let displaced = vec![0_u8; 1 + first.lines.len() * 24];
    let (second, _) = play_once(checked, setting, history);
    drop(displaced);
    if first.lines != second.lines {
        return Err(differing("in another instance", &first.lines, &second.lines));
    }
    match outcome {
        Ok(()) => Ok(first),
        Err(fault) => Err(fault.after(first.lines)),
    }
}

/// Plays a history again as if everything happened a thousand days later: lengths of time are no longer by that, and dates are
/// later by it.
fn put_off<C: Checked>(
    checked: &C,
    setting: &Setting,
    history: &C::History,
    before: Log,
) -> Result<Log, Counterexample> {
    if before.times.is_empty() {
        return Ok(before);
    }
    let mut after = Log::default();
    let later = Setting { begin: setting.begin.saturating_add(LATER), ..setting.clone() };
    // What goes wrong then is found by histories that begin late.
    let _ = checked.play(&later, history, &mut after);
    for ((time, what, early), (other, again, late)) in before.times.iter().zip(&after.times) {
        if (time, what) != (other, again) {
            // It does something else at another date, which it may.
            break;
        }
        if [early, late].contains(&&u64::MAX) {
            continue;
        }
        let is_moved = late.saturating_sub(*early) >= LATER / 2;
        let text = match time {
            Time::Length | Time::Kept if is_moved => format!(
                "{what} {early} ns, but {late} ns where all the same happens a thousand days later: a date was given for a \
                 length of time"
            ),
            Time::Date if !is_moved && *early > 0 => format!(
                "{what} the date {early} ns, and {late} ns where all the same happens a thousand days later: a length of time \
                 was given for a date"
            ),
            Time::Date if late.saturating_sub(*early) > LATER + LATER / 2 => format!(
                "{what} the date {early} ns, and {late} ns where all the same happens a thousand days later: a date was added to a \
                 date"
            ),
            _ => continue,
        };
        let claim = claimed(checked.subject().claims, Claim::SensibleTimes, text);
        return claim.map_err(|fault| fault.after(before.lines.clone())).map(|()| before);
    }
    Ok(before)
}

/// What the first of two plays that differ has, and what they differ in.
pub(super) fn differing(when: &str, before: &[String], after: &[String]) -> Counterexample {
    let position = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let said = |log: &[String]| log.get(position).cloned().unwrap_or_else(|| "nothing more".to_owned());
    let text = format!("does not do the same {when}: {:?}, then {:?}", said(before), said(after));
    Fault::new(FaultKind::Reproducibility, text).after(before.iter().take(position).cloned().collect())
}

/// What takes an instance that lives on, rare situations, and many instances.
pub(super) struct Proving;

impl Visit for Proving {
    fn visit<C: Checked>(&mut self, checked: &C) -> Result<(), Counterexample> {
        let mut log = Log::default();
        checked.examine(&mut log).map_err(|fault| fault.after(std::mem::take(&mut log.lines)))?;
        let claims = checked.subject().claims;
        let without_history = |fault: Fault| fault.after(Vec::new());
        let mut exercise = checked.exercise().map_err(without_history)?;
        growth::check_calls(&mut exercise, claims, || checked.exercise()).map_err(without_history)?;
        exercise(Exert::Prove).map_err(without_history)?;
        drop(exercise);
        let (_, history) = Drawn::of(checked).next()?;
        let setting = checked.subject().plain();
        growth::check_instances(claims, || checked.play(&setting, &history, &mut Log::default()))
            .map_err(without_history)
    }
}

/// Plays some of the histories again, some time after the begin.
pub(super) struct Later<'a> {
    pub options: &'a Options,
    pub begin: Instant,
    pub digests: std::slice::Iter<'a, Vec<u64>>,
}

impl Visit for Later<'_> {
    fn visit<C: Checked>(&mut self, checked: &C) -> Result<(), Counterexample> {
        let mut drawn = Drawn::of(checked);
        let digests = self.digests.next().map_or(&[][..], Vec::as_slice);
        let (mut trees, mut before) = (Vec::new(), Vec::new());
        for _ in digests.iter().take(KEPT) {
            let (setting, history) = drawn.next()?;
            before.push(played(checked, &setting, &history));
            trees.push((setting, history));
        }
        wait_until(self.begin, self.options.later);
        for ((setting, history), before) in trees.iter().zip(&before) {
            let after = played(checked, setting, history);
            if after.lines != before.lines {
                return Err(differing("later", &before.lines, &after.lines));
            }
        }
        Ok(())
    }
}

/// Waits until so long after a begin.
pub(super) fn wait_until(begin: Instant, later: Duration) {
    if let Some(rest) = later.checked_sub(begin.elapsed()) {
        thread::sleep(rest);
    }
}

/// Plays a history that has gone well, or may be played with values that do not go together.
pub(super) fn played<C: Checked>(checked: &C, setting: &Setting, history: &C::History) -> Log {
    let mut log = Log::default();
    // What went well before and does not now shows in what it notes.
    if let Err(fault) = checked.play(setting, history, &mut log)
        && fault.kind != FaultKind::NotMade
    {
        log.note(fault.text);
    }
    log
}

/// So many steps that are drawn, the same ones each time.
pub(super) fn repeated<T: Debug>(step: impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::XorShift));
    (0..count).filter_map(|_| Some(step.new_tree(&mut runner).ok()?.current())).collect()
}
