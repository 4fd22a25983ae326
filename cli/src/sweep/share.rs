//! Which runs of a plan are whose, when workers are numbered.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::str::FromStr;

use super::study::Study;

/// One of several equal parts of a plan: of every so many runs that follow one another each share has one, so what is slow
/// about one value is everybody's.
///
/// ```
/// let share: hearth_sim::Share = "3/100".parse()?;
/// assert_eq!(share.to_string(), "3/100");
/// assert!("0/100".parse::<hearth_sim::Share>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    number: usize,
    of: usize,
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected I/N, as in 3/100, with I from 1 to N, found {text:?}");
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let share = number.parse().ok().zip(of.parse().ok());
        share.and_then(|(number, of)| Self::new(number, of)).ok_or_else(wrong)
    }
}

/// A task of an array, as its engine numbers it.
struct Task {
    /// The variable that tells the number.
    variable: &'static str,
    id: usize,
}

/// The variables of engines that number the tasks of an array: GNU parallel, HyperQueue, Slurm, indexed jobs of Kubernetes.
const VARIABLES: [&str; 4] = ["PARALLEL_SEQ", "HQ_TASK_ID", SLURM, "JOB_COMPLETION_INDEX"];
const SLURM: &str = "SLURM_ARRAY_TASK_ID";

impl Share {
    /// The share of this number, from 1 to `of`; `None` if there is no such share.
    #[must_use]
    pub fn new(number: usize, of: usize) -> Option<Self> {
        (1..=of).contains(&number).then_some(Self { number, of })
    }

    /// The positions of its runs among those of a plan, by their hashes.
    pub(crate) fn positions(self, keys: &[String]) -> Vec<usize> {
        let of_round = |(round, keys): (usize, &[String])| {
            // In the order of the grid a share could meet the same value in every round; the order of hashes has no pattern.
            let mut order: Vec<usize> = (0..keys.len()).collect();
            order.sort_by_key(|position| &keys[*position]);
            order.get(self.number - 1).map(|position| round * self.of + position)
        };
        keys.chunks(self.of).enumerate().filter_map(of_round).collect()
    }

    /// The share that the engine which started this process means, and what says so: of `of` shares, or of as many as the
    /// array has tasks where the engine tells that. `variable` looks a variable of the environment up.
    ///
    /// # Errors
    /// When no engine, or more than one, has numbered this process, or there are more tasks than shares.
    pub fn of_array(
        of: Option<NonZeroUsize>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(Self, String), String> {
        let number = |name: &str| -> Result<Option<usize>, String> {
            let parse = |text: String| text.trim().parse().map_err(|_| format!("{name}={text} is no number"));
            variable(name).map(parse).transpose()
        };
        let mut tasks = Vec::new();
        for name in VARIABLES {
            tasks.extend(number(name)?.map(|id| Task { variable: name, id }));
        }
        let task = match tasks.as_slice() {
            [task] => task,
            [] => {
                let cure = "say which with --share I/N, or take what is open with --claim";
                return Err(format!("no share is named, and none of {} is set: {cure}", VARIABLES.join(", ")));
            }
            several => {
                let names: Vec<&str> = several.iter().map(|task| task.variable).collect();
                return Err(format!("{} are set: say which share is meant with --share I/N", names.join(" and ")));
            }
        };
        let Task { variable: name, id } = task;
        let Some(of) = of.map(NonZeroUsize::get) else {
            if *name == SLURM {
                return Self::of_slurm(*id, number);
            }
            return Err(format!("{name}={id} does not tell how many tasks there are: say so with --shares N"));
        };
        // Arrays begin at 1, or at 0: all tasks are there in both cases, and the last share is that of 0.
        let share = Self::new(if *id == 0 { of } else { *id }, of);
        let share = share.ok_or_else(|| format!("{name}={id} is beyond --shares {of}: give the number of tasks"))?;
        Ok((share, format!("{name}={id}")))
    }

    fn of_slurm(id: usize, number: impl Fn(&str) -> Result<Option<usize>, String>) -> Result<(Self, String), String> {
        let [count, first, last, step] = ["COUNT", "MIN", "MAX", "STEP"].map(|name| format!("SLURM_ARRAY_TASK_{name}"));
        let Some(of) = number(&count)? else {
            return Err(format!("{SLURM}={id} is set without {count}: say how many tasks there are with --shares N"));
        };
        let (first_id, step) = (number(&first)?.unwrap_or(1), number(&step)?.unwrap_or(1).max(1));
        let last_id = number(&last)?.unwrap_or(first_id.saturating_add(step.saturating_mul(of.saturating_sub(1))));
        let place =
            |id: usize| id.checked_sub(first_id).filter(|steps| steps % step == 0).map(|steps| steps / step + 1);
        let share = place(id).filter(|_| place(last_id) == Some(of)).and_then(|number| Self::new(number, of));
        let cure = "say which share is meant with --share I/N, or how many there were at first with --shares N";
        let irregular =
            || format!("{SLURM}={id} is of an array with gaps ({of} tasks from {first_id} to {last_id}): {cure}");
        Ok((share.ok_or_else(irregular)?, format!("{SLURM}={id}, {first}={first_id}, {count}={of}")))
    }
}

/// Plans have about so many blocks at the most: enough that the last ones do not keep the others waiting.
const BLOCKS: usize = 1024;

/// What workers take one after the other that take what is open: runs that follow one another, so that many short ones are not
/// as many claims.
pub fn blocks(runs: usize) -> impl Iterator<Item = Range<usize>> {
    let length = runs.div_ceil(BLOCKS).max(1);
    (0..runs).step_by(length).map(move |begin| begin..(begin + length).min(runs))
}

/// What a run is called in claims.
pub fn run_name(study: &Study, run: usize) -> &str {
    &study.keys[run][..16]
}

/// What a block of runs is called in claims.
pub fn block_name(study: &Study, block: &Range<usize>) -> String {
    let first = run_name(study, block.start);
    match block.len() {
        1 => first.to_owned(),
        others => format!("{first}+{}", others - 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::hash;

    fn keys(count: usize) -> Vec<String> {
        (0..count).map(|number| hash::of_parts(&[number.to_string()])).collect()
    }

    #[test]
    fn shares_are_of_equal_size_and_each_run_is_in_one() {
        for (runs, of) in [(1, 1), (12, 5), (100, 7), (3, 10), (1000, 100)] {
            let keys = keys(runs);
            let shares: Vec<Vec<usize>> =
                (1..=of).map(|number| Share::new(number, of).unwrap().positions(&keys)).collect();
            let sizes: BTreeSet<usize> = shares.iter().map(Vec::len).collect();
            assert!(sizes.last().unwrap() - sizes.first().unwrap() <= 1, "{runs} runs, {of} shares: {sizes:?}");
            let mut all = shares.concat();
            all.sort_unstable();
            assert_eq!(all, (0..runs).collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_share_has_all_the_slow_runs() {
        // Every `period`th run takes a hundred times as long, and there are as many shares: in turn, one would have them all.
        for (period, of) in [(2, 2), (10, 10), (5, 10), (11, 10)] {
            let keys = keys(2_000);
            let cost = |run: &usize| if run.is_multiple_of(period) { 100 } else { 1 };
            let costs: Vec<u64> = (1..=of)
                .map(|number| Share::new(number, of).unwrap().positions(&keys).iter().map(cost).sum())
                .collect();
            let mean = costs.iter().sum::<u64>() / of as u64;
            assert!(costs.iter().all(|cost| *cost < 2 * mean), "every {period} of {of}: {costs:?}");
        }
        // Slow values follow one another on the axes that vary slowly: everybody has the same count of them.
        let slow =
            |number| Share::new(number, 4).unwrap().positions(&keys(400)).iter().filter(|run| **run < 200).count();
        assert_eq!([1, 2, 3, 4].map(slow), [50; 4]);
    }

    #[test]
    fn each_run_is_in_one_block_and_blocks_are_not_too_many() {
        for runs in [0, 1, 3, 1023, 1024, 1025, 10_000, 100_000] {
            let blocks: Vec<Range<usize>> = blocks(runs).collect();
            assert!(blocks.len() <= BLOCKS && (runs > BLOCKS || blocks.len() == runs), "{runs}: {}", blocks.len());
            assert_eq!(blocks.into_iter().flatten().collect::<Vec<_>>(), (0..runs).collect::<Vec<_>>());
        }
    }

    fn of_array(of: usize, variables: &[(&str, &str)]) -> Result<(Share, String), String> {
        let look_up =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Share::of_array(NonZeroUsize::new(of), look_up)
    }

    #[test]
    fn engines_say_which_share() {
        let slurm = |id, min, max, step, count| {
            of_array(
                0,
                &[
                    ("SLURM_ARRAY_TASK_ID", id),
                    ("SLURM_ARRAY_TASK_MIN", min),
                    ("SLURM_ARRAY_TASK_MAX", max),
                    ("SLURM_ARRAY_TASK_STEP", step),
                    ("SLURM_ARRAY_TASK_COUNT", count),
                ],
            )
        };
        let (share, said) = slurm("7", "0", "99", "1", "100").unwrap();
        let expected = "SLURM_ARRAY_TASK_ID=7, SLURM_ARRAY_TASK_MIN=0, SLURM_ARRAY_TASK_COUNT=100";
        assert_eq!((share, said.as_str()), (Share { number: 8, of: 100 }, expected));
        assert_eq!(slurm("5", "1", "7", "2", "4").unwrap().0, Share { number: 3, of: 4 });
        assert!(slurm("7", "1", "7", "1", "3").unwrap_err().contains("an array with gaps"));
        let cases = [
            ("PARALLEL_SEQ", "100", 100),
            ("HQ_TASK_ID", "4", 4),
            ("JOB_COMPLETION_INDEX", "0", 100),
            ("JOB_COMPLETION_INDEX", "99", 99),
            ("SLURM_ARRAY_TASK_ID", "17", 17),
        ];
        for (name, id, number) in cases {
            let (share, said) = of_array(100, &[(name, id)]).unwrap();
            assert_eq!((share, said), (Share { number, of: 100 }, format!("{name}={id}")));
        }
    }

    #[test]
    fn what_engines_leave_open_is_asked_for() {
        let error = |of, variables: &[(&str, &str)]| of_array(of, variables).unwrap_err();
        assert!(error(0, &[]).ends_with("say which with --share I/N, or take what is open with --claim"));
        assert!(error(0, &[("HQ_TASK_ID", "3")]).ends_with("say so with --shares N"));
        assert!(error(0, &[("SLURM_ARRAY_TASK_ID", "3")]).ends_with("with --shares N"));
        assert!(error(9, &[("HQ_TASK_ID", "10")]).contains("beyond --shares 9"));
        assert!(error(9, &[("HQ_TASK_ID", "x")]).contains("is no number"));
        let both = error(9, &[("HQ_TASK_ID", "1"), ("SLURM_ARRAY_TASK_ID", "1")]);
        assert!(both.starts_with("HQ_TASK_ID and SLURM_ARRAY_TASK_ID are set"), "{both}");
    }
}
