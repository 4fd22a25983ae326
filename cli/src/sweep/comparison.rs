//! Sums the runs of a grid up: means over the seeds, and differences to a baseline.

use std::collections::{BTreeMap, BTreeSet};

use hearth_serverless::results::{Metric, Numbers, Over, RequestSets};
use serde::Deserialize;
use serde_json::Value;

use super::grid::{Baseline, Grid, Point};
use super::population::Population;
use super::statistics::Estimate;

/// A run and its numbers.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where in the grid it is.
    pub point: Point,
    /// Its numbers.
    pub numbers: Numbers,
    /// What numbers are over that are not over everything.
    populations: BTreeMap<Over, Population>,
}

impl Run {
    /// A run by its summary.
    pub fn new(point: Point, summary: &Value) -> Self {
        let numbers = Numbers::read(summary);
        // Results of a Hearth that did not know of these sets have none.
        let sets = RequestSets::deserialize(&summary["request_sets"]).ok();
        let populations = Over::PARTS.map(|over| (over, Population::of(&numbers, sets.as_ref(), over)));
        Self { point, numbers, populations: populations.into() }
    }

    fn is_over_the_same(&self, other: &Self, over: Over) -> bool {
        self.populations[&over].is_same(&other.populations[&over])
    }
}

/// The runs of one combination of values.
#[derive(Clone, Debug)]
pub struct Row {
    /// The values.
    pub settings: Vec<usize>,
    /// The mean of each number over the seeds, by name.
    means: BTreeMap<&'static str, Estimate>,
    /// What is more than in the baseline with the same other values, from the differences seed by seed. Empty for the
    /// baseline itself, and without one.
    differences: BTreeMap<&'static str, Estimate>,
    /// The values of the baseline that the differences are to.
    pub baseline: Option<Vec<usize>>,
    /// The share of its requests that completed: a mean over the seeds.
    pub completed: Estimate,
    /// The share of all that numbers are over.
    shares: BTreeMap<Over, f64>,
    /// What numbers are over only a part, which is not the same in all rows.
    partial: BTreeSet<Over>,
    /// What numbers are over something else in the baseline.
    incomparable: BTreeSet<Over>,
}

impl Row {
    /// The mean of a number over the seeds that have it.
    pub fn mean(&self, metric: &Metric) -> Option<&Estimate> {
        self.means.get(metric.name.as_str())
    }

    /// What a number is more than in the baseline. `None` for the baseline itself, and without one.
    pub fn difference(&self, metric: &Metric) -> Option<&Estimate> {
        self.differences.get(metric.name.as_str())
    }

    /// Whether the mean of a number leaves requests out that another row does not.
    pub fn is_partial(&self, metric: &Metric) -> bool {
        self.is_partial_over(metric.over)
    }

    /// Whether means over this leave requests out that another row does not.
    pub fn is_partial_over(&self, over: Over) -> bool {
        self.partial.contains(&over)
    }

    /// Whether the difference of a number is one of the same requests. `None` where there is no baseline.
    pub fn is_comparable(&self, metric: &Metric) -> Option<bool> {
        self.baseline.as_ref().map(|_| !self.incomparable.contains(&metric.over))
    }

    /// The share of all that numbers of this kind are over.
    pub fn share(&self, over: Over) -> f64 {
        self.shares.get(&over).copied().unwrap_or(1.0)
    }
}

/// All combinations of a grid.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// In the order of the grid; those without a run are left out.
    pub rows: Vec<Row>,
    /// All numbers that a run has, by name.
    pub metrics: Vec<&'static Metric>,
    /// Whether there are several seeds, and all gave the same.
    pub are_seeds_alike: bool,
}

impl Comparison {
    /// Sums up runs of a grid.
    pub fn new(grid: &Grid, runs: &[Run], baseline: Option<Baseline>) -> Self {
        let mut by_settings: BTreeMap<&[usize], BTreeMap<u64, &Run>> = BTreeMap::new();
        for run in runs {
            by_settings.entry(&run.point.settings).or_default().insert(run.point.seed, run);
        }
        let names: BTreeSet<&'static str> =
            runs.iter().flat_map(|run| run.numbers.iter()).map(|(name, _)| name).collect();
        let uneven: BTreeSet<Over> =
            Over::PARTS.into_iter().filter(|over| is_uneven(by_settings.values(), *over)).collect();
        let estimate = |values: &dyn Fn(&str) -> Vec<f64>| -> BTreeMap<&'static str, Estimate> {
            let of = |name: &&'static str| Some((*name, Estimate::of(&values(name))?));
            names.iter().filter_map(of).collect()
        };
        let row = |settings: Vec<usize>| {
            let seeds = by_settings.get(settings.as_slice())?;
            let means = estimate(&|name| seeds.values().filter_map(|run| run.numbers.get(name)).collect());
            let at = baseline.filter(|base| settings[base.axis] != base.setting).map(|base| {
                let mut settings = settings.clone();
                settings[base.axis] = base.setting;
                settings
            });
            let base = at.and_then(|at| Some((by_settings.get(at.as_slice())?, at)));
            let pairs: Vec<(&Run, &Run)> = (base.iter())
                .flat_map(|(base, _)| seeds.iter().filter_map(|(seed, run)| Some((*run, *base.get(seed)?))))
                .collect();
            let difference =
                |(run, base): &(&Run, &Run), name: &str| Some(run.numbers.get(name)? - base.numbers.get(name)?);
            let differences = estimate(&|name| pairs.iter().filter_map(|pair| difference(pair, name)).collect());
            let is_incomparable = |over: &Over| !pairs.iter().all(|(run, base)| run.is_over_the_same(base, *over));
            let is_partial = |over: &Over| seeds.values().any(|run| !run.populations[over].is_whole());
            let share = |over: Over| {
                let shares: Vec<f64> = seeds.values().map(|run| run.populations[&over].share()).collect();
                Estimate::of(&shares)
            };
            let shares = Over::PARTS.into_iter().filter_map(|over| Some((over, share(over)?.mean))).collect();
            Some(Row {
                means,
                differences,
                baseline: base.map(|(_, at)| at),
                completed: share(Over::Completed)?,
                shares,
                partial: uneven.iter().copied().filter(is_partial).collect(),
                incomparable: Over::PARTS.into_iter().filter(is_incomparable).collect(),
                settings,
            })
        };
        let rows = grid.combinations().into_iter().filter_map(row).collect();
        let is_alike = |seeds: &BTreeMap<u64, &Run>| {
            let mut runs = seeds.values();
            let first = runs.next();
            runs.all(|run| first.is_some_and(|first| first.numbers == run.numbers))
        };
        let are_seeds_alike = by_settings.values().any(|seeds| seeds.len() > 1) && by_settings.values().all(is_alike);
        let metrics = names.into_iter().filter_map(Metric::find).collect();
        Self { rows, metrics, are_seeds_alike }
    }

    /// The row of some values.
    pub fn row(&self, settings: &[usize]) -> Option<&Row> {
        self.rows.iter().find(|row| row.settings == settings)
    }
}

/// Whether numbers of this kind are not over the same in all combinations of values, seed by seed.
fn is_uneven<'a>(rows: impl Iterator<Item = &'a BTreeMap<u64, &'a Run>> + Clone, over: Over) -> bool {
    let mut first: BTreeMap<u64, &Run> = BTreeMap::new();
    rows.flatten().any(|(seed, run)| !first.entry(*seed).or_insert(run).is_over_the_same(run, over))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metric(name: &str) -> &'static Metric {
        Metric::find(name).unwrap()
    }

    /// The summary of a run of ten requests, some of which completed.
    fn summary(completed: &BTreeSet<u64>, latency: f64) -> Value {
        let left_out: Vec<u64> = (0..10).filter(|request| !completed.contains(request)).collect();
        let count = completed.len();
        json!({"invocations": 10, "outcomes": {"completed": count}, "request_sets": {"not_completed": format!("{left_out:?}"), "not_started": "", "started_cold": ""},
            "latency": {"count": count, "mean": latency}, "waiting": {"count": 10}})
    }

    #[test]
    fn means_over_other_requests_are_marked_and_those_over_the_same_are_not() {
        let policies = ["keep_alive=fixed", "keep_alive=adaptive"].map(str::to_owned);
        let grid = Grid::new(&policies, &[], vec![1, 2]).unwrap();
        let sets = [(0..10).collect(), (0..9).collect(), (1..10).collect(), BTreeSet::from([4]), BTreeSet::new()];
        for (one, other) in sets.iter().flat_map(|one| sets.iter().map(move |other| (one, other))) {
            let run = |setting: usize, seed: u64, completed: &BTreeSet<u64>| {
                Run::new(Point { settings: vec![setting], seed }, &summary(completed, 1.0))
            };
            // The second seed alone makes the difference.
            let runs = [run(0, 1, &sets[0]), run(1, 1, &sets[0]), run(0, 2, one), run(1, 2, other)];
            let comparison = Comparison::new(&grid, &runs, Some(Baseline { axis: 0, setting: 0 }));
            let [base, second] = &comparison.rows[..] else { panic!("{comparison:?}") };
            assert_eq!(second.is_comparable(metric("latency_mean")), Some(one == other), "{one:?} {other:?}");
            assert_eq!(second.is_comparable(metric("invocations")), Some(true));
            assert_eq!(base.is_comparable(metric("latency_mean")), None);
            assert_eq!(base.is_partial(metric("latency_mean")), one != other && one.len() < 10, "{one:?} {other:?}");
            assert_eq!(second.completed.mean, (1.0 + other.len() as f64 / 10.0) / 2.0);
        }
    }

    #[test]
    fn seeds_that_change_nothing_are_found() {
        let grid = Grid::new(&[], &[], vec![1, 2]).unwrap();
        let run = |seed, latency| Run::new(Point { settings: vec![], seed }, &summary(&(0..10).collect(), latency));
        let alike = |runs: &[Run]| Comparison::new(&grid, runs, None).are_seeds_alike;
        assert!(alike(&[run(1, 2.0), run(2, 2.0)]));
        assert!(!alike(&[run(1, 2.0), run(2, 2.5)]) && !alike(&[run(1, 2.0)]));
    }

    #[test]
    fn differences_are_taken_seed_by_seed() {
        let policies = ["keep_alive=fixed", "keep_alive=adaptive"].map(str::to_owned);
        let grid = Grid::new(&policies, &[], vec![1, 2, 3]).unwrap();
        let run = |setting: usize, seed: u64, value: f64| {
            Run::new(Point { settings: vec![setting], seed }, &json!({"makespan_s": value}))
        };
        // Seeds differ by much, policies by exactly 1; the third seed of the other policy is missing.
        let runs = [run(0, 1, 10.0), run(0, 2, 20.0), run(0, 3, 90.0), run(1, 1, 11.0), run(1, 2, 21.0)];
        let comparison = Comparison::new(&grid, &runs, Some(Baseline { axis: 0, setting: 0 }));
        let [base, other] = &comparison.rows[..] else { panic!("{comparison:?}") };
        assert_eq!(base.mean(metric("makespan_s")).map(|mean| (mean.mean, mean.count)), Some((40.0, 3)));
        assert!(base.differences.is_empty());
        assert_eq!(other.mean(metric("makespan_s")).unwrap().mean, 16.0);
        let difference = other.difference(metric("makespan_s")).unwrap();
        assert_eq!((difference.count, difference.interval()), (2, Some([1.0, 1.0])));
    }
}
