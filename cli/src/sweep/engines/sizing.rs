//! How many tasks a plan is cut into.

use std::num::NonZeroUsize;
use std::time::Duration;

/// What tasks are to be like.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// How long one takes, about.
    pub time: Duration,
    /// The cores of one.
    pub cores: NonZeroUsize,
    /// How many there may be at the most.
    pub most: Option<usize>,
    /// The longest that an engine lets one run.
    pub longest: Option<Duration>,
}

/// How a plan is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tasks {
    /// How many there are.
    pub count: usize,
    /// How long one takes, about.
    pub time: Duration,
    /// After so long it hangs, or has met runs that are much longer than those that were measured.
    pub limit: Duration,
}

/// Cuts so many runs, each of which takes so many seconds of one core, into tasks that take as long as is wanted, as far as limits
/// let that be.
///
/// # Errors
/// When a task would take longer than the engine lets it run.
pub fn cut(runs: usize, seconds: f64, wanted: &Wanted) -> Result<Tasks, String> {
    let cores = wanted.cores.get();
    let all = runs as f64 * seconds / cores as f64;
    let most = wanted.most.unwrap_or(usize::MAX).min(runs.div_ceil(cores)).max(1);
    let wished = (all / wanted.time.as_secs_f64().max(1.0)).ceil();
    // What is beyond all whole numbers is the greatest.
    let count = (wished as usize).clamp(1, most);
    let rounds = runs.div_ceil(count).div_ceil(cores);
    let time = Duration::try_from_secs_f64(rounds as f64 * seconds).unwrap_or(Duration::MAX);
    // Runs differ, and so do machines: three times as long, and five minutes to begin.
    let generous = time.saturating_mul(3).saturating_add(Duration::from_secs(300));
    match wanted.longest {
        Some(longest) if time > longest => Err(format!(
            "{runs} runs in {count} tasks take about {} minutes each, and the longest that is let run is {}: allow more tasks, or \
             more cores a task with --task-cores",
            time.as_secs().div_ceil(60),
            longest.as_secs() / 60
        )),
        longest => Ok(Tasks { count, time, limit: generous.min(longest.unwrap_or(Duration::MAX)) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK_TIME: Duration = Duration::from_secs(600);

    fn wanted(cores: usize, most: Option<usize>, longest: Option<u64>) -> Wanted {
        let cores = NonZeroUsize::new(cores).unwrap();
        Wanted { time: TASK_TIME, cores, most, longest: longest.map(Duration::from_secs) }
    }

    #[test]
    fn tasks_take_ten_minutes_where_that_can_be() {
        // Runs, seconds of each, cores of a task, the most tasks: how many there are, and how long each takes.
        let cases = [
            (10_000, 6.0, 1, None, 100, 600),
            (10_000, 6.0, 4, None, 25, 600),
            (10_000, 0.002, 1, None, 1, 20),
            (10_000, 6.0, 1, Some(40), 40, 1_500),
            (20, 7_200.0, 1, None, 20, 7_200),
            (20, 7_200.0, 4, None, 5, 7_200),
            (1, 0.0, 1, Some(0), 1, 0),
        ];
        for (runs, seconds, cores, most, count, time) in cases {
            let tasks = cut(runs, seconds, &wanted(cores, most, None)).unwrap();
            assert_eq!((tasks.count, tasks.time.as_secs()), (count, time), "{runs} of {seconds} s on {cores}");
            assert_eq!(tasks.limit.as_secs(), 3 * time + 300);
        }
    }

    #[test]
    fn no_task_is_longer_than_the_engine_lets_it_run() {
        assert_eq!(cut(10_000, 6.0, &wanted(1, None, Some(900))).unwrap().limit.as_secs(), 900);
        let error = cut(10_000, 6.0, &wanted(1, Some(10), Some(900))).unwrap_err();
        assert!(error.starts_with("10000 runs in 10 tasks take about 100 minutes each"), "{error}");
    }
}
