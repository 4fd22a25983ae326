//! Finds out memory, threads and time that grow with the number of calls or of instances, and calls that take long.

// The C library is asked how much memory is in use.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use super::Claim;
use super::fault::{Fault, claimed};
use super::stopwatch::Running;
use crate::Claims;

/// What is done with an instance that lives on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exert {
    /// So many steps; each row of [`CYCLE`] of them is the same.
    Steps(usize),
    /// It is to show that it is not worn out.
    Prove,
}

/// An instance that lives on.
pub(super) type Exercise<'a> = Box<dyn FnMut(Exert) -> Result<(), Fault> + 'a>;

/// How many steps an instance that lives on goes through again and again.
pub(super) const CYCLE: usize = 128;

/// Steps in the first window; each window is twice as long as the one before, since a table that grows does so by
/// doubling.
const STEPS: usize = 4 * CYCLE;
const WINDOWS: usize = 5;
/// So many instances are looked at, at the most, until it is clear whether the time of a call grows.
const LOOKS: usize = 4;
/// Grown by more than a byte in two steps, memory is taken to grow with the steps: a list of bytes grows by one.
const STEPS_A_BYTE: i64 = 2;
/// No policy has more methods.
const MOST_CALLS: usize = 64;

/// A call that takes longer than this on the small cluster of the kit, in ns, is slow: 288 041 requests with a few calls each
/// would take minutes.
const SLOW: u64 = 250_000;

/// By call, the mean time in ns, of the quickest rounds of steps: what else the machine does makes rounds longer, and none shorter.
type Quickest = BTreeMap<&'static str, u64>;

/// One window: by how much memory has grown, and how quick calls were at its end.
struct Window {
    growth: i64,
    quickest: Quickest,
}

impl Window {
    /// The time of a call in ns; zero if there was none.
    fn time(&self, call: &str) -> u64 {
        self.quickest.get(call).copied().unwrap_or_default()
    }
}

fn window(exercise: &mut Exercise<'_>, steps: usize) -> Result<Window, Fault> {
    const ROUNDS: usize = 4;
    // Shorter than what the machine gives a program at a time.
    const LAP: usize = 8;
    const LAPS: usize = CYCLE / LAP;
    // By call and place in the cycle: the mean of the quickest round, since the same happens in each. There is room for all
    // calls, so that what is noted here does not count as memory of the policy.
    let mut laps = Vec::<(&'static str, [Option<u64>; LAPS])>::with_capacity(MOST_CALLS);
    let before = bytes_in_use();
    exercise(Exert::Steps(steps.saturating_sub(ROUNDS * CYCLE)))?;
    let watch = Running::begin();
    for lap in (0..ROUNDS).flat_map(|_| 0..LAPS) {
        exercise(Exert::Steps(LAP))?;
        for (call, (calls, nanos)) in watch.lap() {
            let mean = nanos / u64::from(calls.max(1));
            match laps.iter_mut().find(|(of, _)| *of == call) {
                Some((_, quickest)) => quickest[lap] = Some(quickest[lap].map_or(mean, |least| mean.min(least))),
                None => {
                    let mut quickest = [None; LAPS];
                    quickest[lap] = Some(mean);
                    laps.push((call, quickest));
                }
            }
        }
    }
    drop(watch);
    let growth = bytes_in_use() - before;
    let mean = |quickest: [Option<u64>; LAPS]| {
        let count = quickest.iter().flatten().count().max(1) as u64;
        quickest.into_iter().flatten().sum::<u64>() / count
    };
    Ok(Window { growth, quickest: laps.into_iter().map(|(call, quickest)| (call, mean(quickest))).collect() })
}

/// What an instance was seen to do from window to window.
struct Seen {
    windows: Vec<Window>,
    steps: usize,
    /// By so many bytes memory has grown, if it has in each window but one at the most.
    growth: Option<i64>,
}

/// Calls a policy in windows, each twice as long as the one before, until it is clear that nothing grows.
fn look(exercise: &mut Exercise<'_>, claims: Claims) -> Result<Seen, Fault> {
    // Buffers and tables find their sizes.
    exercise(Exert::Steps(STEPS))?;
    let mut windows = Vec::<Window>::new();
    let (mut without, mut steps, mut has_grown) = (0, 0, false);
    for number in 0..WINDOWS {
        let length = STEPS << number;
        let window = window(exercise, length)?;
        // One window alone may be one in which another thread has given memory back.
        has_grown = window.growth >= length as i64 / STEPS_A_BYTE;
        without += usize::from(!has_grown);
        windows.push(window);
        steps += length;
        if number > 1 && (without > 1 || !claims.bounded_memory) && !is_any_slower(&windows) {
            break;
        }
    }
    // What fills up ends to grow.
    let growth = (without < 2 && has_grown).then(|| windows.iter().map(|window| window.growth).sum());
    Ok(Seen { windows, steps, growth })
}

/// Calls a policy again and again, and looks whether memory or the time of a call grows from window to window; `another` makes another
/// instance.
pub(super) fn check_calls<'a>(
    exercise: &mut Exercise<'a>,
    claims: Claims,
    another: impl Fn() -> Result<Exercise<'a>, Fault>,
) -> Result<(), Fault> {
    let mut seen = look(exercise, claims)?;
    if seen.growth.is_some() && claims.bounded_memory {
        // It may have been somebody else in this process, who is done by now.
        seen = look(&mut another()?, claims)?;
    }
    // A machine that gets faster meanwhile hides a call that gets slower, and not as often as it is looked at.
    for _ in 1..LOOKS {
        if !claims.bounded_time || slowing(&seen.windows) != Slowing::Doubtful {
            break;
        }
        seen = Seen { growth: seen.growth, ..look(&mut another()?, claims)? };
    }
    let Seen { windows, steps, growth } = seen;
    if let Some(growth) = growth {
        let text = format!("memory grows with the number of calls: by {growth} B in {steps} steps");
        claimed(claims, Claim::BoundedMemory, text)?;
    }
    if let Slowing::Found { call, early, late } = slowing(&windows) {
        let text = format!(
            "the time of a call grows with the number of calls: {call} takes {early} ns, and {late} ns {steps} steps later"
        );
        claimed(claims, Claim::BoundedTime, text)?;
    }
    let Some(last) = windows.last() else { return Ok(()) };
    let slow = last.quickest.keys().find(|call| windows.iter().all(|window| window.time(call) > SLOW));
    let Some(call) = slow else { return Ok(()) };
    let micros = last.time(call) / 1000;
    let text = format!(
        "takes {micros} µs for a call of {call} on a cluster of a few nodes: a million requests take as many seconds"
    );
    claimed(claims, Claim::BoundedTime, text)
}

/// Whether a call takes longer than at first, perhaps by chance.
fn is_any_slower(windows: &[Window]) -> bool {
    let (Some(first), Some(last)) = (windows.first(), windows.last()) else { return false };
    first
        .quickest
        .iter()
        .any(|(call, early)| last.quickest.get(call).is_some_and(|late| late * 100 > early * 115 + 3_000))
}

/// Whether the time of a call grows with the number of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slowing {
    /// In the last window no call takes much longer than in the first.
    Absent,
    /// A call takes much longer in the last window than in the first, but it did not get slower from window to window.
    Doubtful,
    /// Times in ns, in the first window and in the last.
    Found { call: &'static str, early: u64, late: u64 },
}

fn slowing(windows: &[Window]) -> Slowing {
    // In this many windows in a row it is not by chance that a call takes longer each time.
    const IN_A_ROW: usize = 3;
    let (Some(first), Some(last), Some(row)) =
        (windows.first(), windows.last(), windows.get(WINDOWS - IN_A_ROW..WINDOWS))
    else {
        return Slowing::Absent;
    };
    let mut slowing = Slowing::Absent;
    for call in last.quickest.keys() {
        let (early, late) = (first.time(call), last.time(call));
        if late <= 3 * early + 2_000 {
            continue;
        }
        // By a fifth, and a clock counts in tens of nanoseconds.
        let is_slower = |pair: &[Window]| match pair {
            [before, after] => after.time(call) * 100 > before.time(call) * 120 + 3_000,
            _ => false,
        };
        if row.windows(2).all(is_slower) {
            return Slowing::Found { call, early, late };
        }
        slowing = Slowing::Doubtful;
    }
    slowing
}

/// What instances that have ended were seen to leave.
struct Left {
    instances: usize,
    /// So many bytes, if each batch has left some.
    bytes: Option<i64>,
    /// So many threads, if each batch has left as many as there were instances.
    threads: Option<usize>,
}

impl Left {
    fn is_something(&self) -> bool {
        self.bytes.is_some() || self.threads.is_some()
    }
}

/// Makes instances in batches, each twice as large as the one before, lets them work, and ends them.
fn look_at_instances(live: &mut impl FnMut() -> Result<(), Fault>) -> Result<Left, Fault> {
    const FIRST: usize = 4;
    const BATCHES: usize = 4;
    const BYTES_AN_INSTANCE: i64 = 64;
    // Tables that are made once, by the policy or here, are there.
    (0..FIRST).try_for_each(|_| live())?;
    // What others in this process do meanwhile shows in one batch, and not in each.
    let mut left = Left { instances: 0, bytes: Some(0), threads: Some(0) };
    for number in 0..BATCHES {
        let instances = FIRST << number;
        let (bytes_before, threads_before) = (bytes_in_use(), threads());
        (0..instances).try_for_each(|_| live())?;
        let growth = bytes_in_use() - bytes_before;
        left.instances += instances;
        left.bytes = left.bytes.map(|bytes| bytes + growth).filter(|_| growth >= instances as i64 * BYTES_AN_INSTANCE);
        let are_left = threads_beyond(threads_before, instances);
        left.threads = left.threads.and_then(|all| Some(all + are_left?));
        if !left.is_something() {
            break;
        }
    }
    Ok(left)
}

/// Makes instances, lets them work, and ends them: nothing of them may stay.
pub(super) fn check_instances(claims: Claims, mut live: impl FnMut() -> Result<(), Fault>) -> Result<(), Fault> {
    if !claims.bounded_memory {
        return Ok(());
    }
    let mut left = look_at_instances(&mut live)?;
    if left.is_something() {
        // It may have been somebody else in this process, who is done by now.
        left = look_at_instances(&mut live)?;
    }
    let Left { instances, bytes, threads } = left;
    if let Some(threads) = threads {
        let text = format!("leaves threads behind: {threads} in {instances} instances");
        claimed(claims, Claim::BoundedMemory, text)?;
    }
    if let Some(bytes) = bytes {
        let text = format!("memory grows with the number of instances: by {bytes} B in {instances}");
        claimed(claims, Claim::BoundedMemory, text)?;
    }
    Ok(())
}

/// How many threads there are beyond those before, if so many are and stay: one that has been told to end may need a moment.
fn threads_beyond(before: usize, instances: usize) -> Option<usize> {
    let beyond = || Some(threads().saturating_sub(before)).filter(|beyond| *beyond >= instances);
    (0..20).try_for_each(|_| {
        beyond()?;
        thread::sleep(Duration::from_millis(10));
        Some(())
    })?;
    beyond()
}

/// How many threads the process has; elsewhere than on Linux nobody is asked.
fn threads() -> usize {
    if cfg!(target_os = "linux") { std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count) } else { 0 }
}

/// Bytes that the process has allocated, of this library and others. Elsewhere than on Linux with the GNU C library 2.33
/// or later nobody tells, and nothing is found.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn bytes_in_use() -> i64 {
    // Looked up when it is wanted: a program that is linked against an older C library, as those that are released, asks
    // the newer one that it runs with.
    // SAFETY: the name ends with a zero byte.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"mallinfo2".as_ptr()) };
    if found.is_null() {
        return 0;
    }
    // SAFETY: the C library has one function of this name, and this is its type.
    let mallinfo2: unsafe extern "C" fn() -> libc::mallinfo2 = unsafe { std::mem::transmute(found) };
    // SAFETY: `mallinfo2` only reads counters.
    let info = unsafe { mallinfo2() };
    (info.uordblks + info.hblkhd) as i64
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn bytes_in_use() -> i64 {
    0
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::stopwatch;
    use super::*;

    /// The windows of a policy whose one call takes these times.
    fn windows(times: [u64; WINDOWS]) -> Vec<Window> {
        times.into_iter().map(|time| Window { growth: 0, quickest: Quickest::from([("place", time)]) }).collect()
    }

    #[test]
    fn a_time_that_doubles_grows() {
        let slowing = slowing(&windows([472, 997, 2_058, 4_185, 8_410]));
        assert_eq!(slowing, Slowing::Found { call: "place", early: 472, late: 8_410 });
    }

    #[test]
    fn a_machine_that_gets_faster_leaves_doubt() {
        // Twice as fast in the last window.
        assert_eq!(slowing(&windows([944, 1_994, 4_116, 8_370, 8_410])), Slowing::Doubtful);
        // And in the last but one.
        assert_eq!(slowing(&windows([944, 1_994, 4_116, 4_185, 8_410])), Slowing::Doubtful);
    }

    #[test]
    fn a_machine_that_gets_slower_is_no_growth() {
        assert_eq!(slowing(&windows([500, 500, 700, 900, 1_200])), Slowing::Absent);
        assert_eq!(slowing(&windows([2_000, 2_000, 4_000, 5_000, 7_000])), Slowing::Absent);
    }

    #[test]
    fn nothing_is_said_before_the_last_window() {
        let mut seen = windows([500, 1_000, 2_000, 4_000, 8_000]);
        seen.pop();
        assert_eq!(slowing(&seen), Slowing::Absent);
    }

    /// Instances whose call gets slower the longer they live, on a machine that gets faster in the last window of the first two.
    #[test]
    fn doubt_is_looked_at_again() {
        const BEFORE_LAST: usize = STEPS << (WINDOWS - 1);
        let instances = Cell::new(0);
        let another = || {
            let number = instances.replace(instances.get() + 1);
            let mut steps = 0;
            let exercise: Exercise<'_> = Box::new(move |exert| {
                let Exert::Steps(count) = exert else { return Ok(()) };
                for _ in 0..count {
                    steps += 1;
                    let time = if number < 2 { steps.min(BEFORE_LAST) } else { steps };
                    stopwatch::note("place", time as u64);
                }
                Ok(())
            });
            Ok(exercise)
        };
        let found = another().and_then(|mut first| check_calls(&mut first, Claims::ALL, another));
        assert_eq!(
            found.map_err(|fault| fault.text),
            Err(
                "the time of a call grows with the number of calls: place takes 576 ns, and 15936 ns 15872 steps later"
                    .to_owned()
            )
        );
        assert_eq!(instances.get(), 3);
    }
}
