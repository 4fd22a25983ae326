//! Sums the runs of a grid up: means over the seeds, and differences to a baseline. Runs are read one after the other, and
//! what is kept of them are the numbers of one combination of values, and of its baseline.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use hearth_serverless::results::{Metric, Numbers, Over, RequestSets};
use serde::Deserialize;
use serde_json::Value;

use super::grid::{Baseline, Grid, Point};
use super::population::Population;
use super::statistics::Estimate;
use super::warnings::{self, Told};

/// A run and its numbers.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where in the grid it is.
    pub point: Point,
    /// Its numbers.
    pub numbers: Numbers,
    /// What numbers are over that are not over everything.
    populations: BTreeMap<Over, Population>,
    /// What it warns of.
    pub warnings: Vec<Told>,
}

impl Run {
    /// A run by its summary.
    pub fn new(point: Point, summary: &Value) -> Self {
        let numbers = Numbers::read(summary);
        // Results of a Hearth that did not know of these sets have none.
        let sets = RequestSets::deserialize(&summary["request_sets"]).ok();
        let populations = Over::PARTS.map(|over| (over, Population::of(&numbers, sets.as_ref(), over)));
        let warnings = warnings::of_summary(summary, &numbers);
        Self { point, populations: populations.into(), warnings, numbers }
    }
}

/// Which numbers are not over the same in two runs.
fn not_the_same(one: &BTreeMap<Over, Population>, other: &BTreeMap<Over, Population>) -> BTreeSet<Over> {
    Over::PARTS.into_iter().filter(|over| !one[over].is_same(&other[over])).collect()
}

/// Values by number, of each seed.
struct Columns<Key> {
    seeds: usize,
    /// A seed that has none has a value that is none. JSON knows no such number.
    values: BTreeMap<Key, Vec<f64>>,
}

impl<Key: Ord + Copy> Columns<Key> {
    fn new(seeds: usize) -> Self {
        Self { seeds, values: BTreeMap::new() }
    }

    fn set(&mut self, key: Key, seed: usize, value: f64) {
        self.values.entry(key).or_insert_with(|| vec![f64::NAN; self.seeds])[seed] = value;
    }

    /// The estimates from the values, in this order of the seeds.
    fn estimates(&self, order: &[usize]) -> BTreeMap<Key, Estimate> {
        let of = |(key, values): (&Key, &Vec<f64>)| {
            let there: Vec<f64> = order.iter().map(|seed| values[*seed]).filter(|value| !value.is_nan()).collect();
            Some((*key, Estimate::of(&there)?))
        };
        self.values.iter().filter_map(of).collect()
    }
}

/// What is gathered of the runs of one combination of values.
struct Gathered {
    numbers: Columns<&'static str>,
    differences: Columns<&'static str>,
    shares: Columns<Over>,
    runs: usize,
    /// The numbers of the first, if all others have the same.
    alike: Option<Numbers>,
    has_baseline: bool,
    not_whole: BTreeSet<Over>,
    incomparable: BTreeSet<Over>,
}

impl Gathered {
    fn new(seeds: usize) -> Self {
        Self {
            numbers: Columns::new(seeds),
            differences: Columns::new(seeds),
            shares: Columns::new(seeds),
            runs: 0,
            alike: None,
            has_baseline: false,
            not_whole: BTreeSet::new(),
            incomparable: BTreeSet::new(),
        }
    }

    fn add(&mut self, seed: usize, run: &Run) {
        run.numbers.iter().for_each(|(name, number)| self.numbers.set(name, seed, number));
        for (over, population) in &run.populations {
            self.shares.set(*over, seed, population.share());
            if !population.is_whole() {
                self.not_whole.insert(*over);
            }
        }
        match &self.alike {
            None if self.runs == 0 => self.alike = Some(run.numbers.clone()),
            Some(first) if *first != run.numbers => self.alike = None,
            _ => {}
        }
        self.runs += 1;
    }

    /// Adds a run of the same seed with the values of the baseline.
    fn compare(&mut self, seed: usize, run: &Run, base: &Run) {
        for (name, number) in run.numbers.iter() {
            if let Some(other) = base.numbers.get(name) {
                self.differences.set(name, seed, number - other);
            }
        }
        self.incomparable.extend(not_the_same(&run.populations, &base.populations));
    }

    /// The row of these values; `None` without a run. `order` is that of the seeds.
    fn into_row(self, settings: Vec<usize>, baseline: Option<Vec<usize>>, order: &[usize]) -> Option<Row> {
        let shares = self.shares.estimates(order);
        Some(Row {
            settings,
            means: self.numbers.estimates(order),
            differences: self.differences.estimates(order),
            baseline: baseline.filter(|_| self.has_baseline),
            completed: *shares.get(&Over::Completed)?,
            shares: shares.into_iter().map(|(over, share)| (over, share.mean)).collect(),
            partial: self.not_whole,
            incomparable: self.incomparable,
        })
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
        let by_point: BTreeMap<&Point, &Run> = runs.iter().map(|run| (&run.point, run)).collect();
        let points = grid.points();
        let run = |position: usize| -> Result<_, Infallible> {
            Ok(points.get(position).and_then(|point| by_point.get(point)).map(|run| Cow::Borrowed(*run)))
        };
        let Ok(comparison) = Self::read(grid, baseline, run, |_, _| Ok(()));
        comparison
    }

    /// Sums up the runs of a grid, which `run` reads by position. All are shown to `see` once, in order, also those that are not
    /// there.
    ///
    /// # Errors
    /// What `run` and `see` return.
    pub fn read<'run, Error>(
        grid: &Grid,
        baseline: Option<Baseline>,
        run: impl Fn(usize) -> Result<Option<Cow<'run, Run>>, Error>,
        mut see: impl FnMut(usize, Option<&Run>) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let seeds = grid.seeds.len();
        let mut order: Vec<usize> = (0..seeds).collect();
        order.sort_by_key(|seed| grid.seeds[*seed]);
        // Of each seed, what its first run is over. What is over something unknown differs from itself.
        let mut first: Vec<Option<BTreeMap<Over, Population>>> = vec![None; seeds];
        let mut uneven = BTreeSet::new();
        let mut names = BTreeSet::new();
        let (mut rows, mut are_several, mut are_all_alike) = (Vec::new(), false, true);
        let combinations = grid.combinations();
        let is_alone = combinations.len() == 1;
        for (number, settings) in combinations.into_iter().enumerate() {
            let base = baseline.filter(|base| settings[base.axis] != base.setting).map(|base| {
                let mut settings = settings.clone();
                settings[base.axis] = base.setting;
                settings
            });
            let begin_of_base = base.as_ref().map(|base| grid.number(base) * seeds);
            let mut gathered = Gathered::new(seeds);
            for (seed, first) in first.iter_mut().enumerate() {
                let position = number * seeds + seed;
                let own = run(position)?;
                see(position, own.as_deref())?;
                let of_base = begin_of_base.map(|begin| run(begin + seed)).transpose()?.flatten();
                gathered.has_baseline |= of_base.is_some();
                let Some(own) = own else { continue };
                gathered.add(seed, &own);
                if let Some(of_base) = of_base {
                    gathered.compare(seed, &own, &of_base);
                }
                uneven.extend(not_the_same(first.as_ref().unwrap_or(&own.populations), &own.populations));
                if first.is_none() && !is_alone {
                    *first = Some(own.into_owned().populations);
                }
            }
            are_several |= gathered.runs > 1;
            are_all_alike &= gathered.runs == 0 || gathered.alike.is_some();
            names.extend(gathered.numbers.values.keys().copied());
            rows.extend(gathered.into_row(settings, base, &order));
        }
        rows.iter_mut().for_each(|row: &mut Row| row.partial.retain(|over| uneven.contains(over)));
        let metrics = names.into_iter().filter_map(Metric::find).collect();
        Ok(Self { rows, metrics, are_seeds_alike: are_several && are_all_alike })
    }

    /// The row of some values.
    pub fn row(&self, settings: &[usize]) -> Option<&Row> {
        self.rows.iter().find(|row| row.settings == settings)
    }
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
    fn runs_are_read_in_order_and_each_once_more_for_a_baseline() {
        let policies = ["keep_alive=fixed", "keep_alive=adaptive"].map(str::to_owned);
        let grid = Grid::new(&policies, &["seedling=a,b,c".to_owned()], vec![7, 3, 5]).unwrap();
        let points = grid.points();
        let (read, seen) = (std::cell::RefCell::new(Vec::new()), std::cell::RefCell::new(Vec::new()));
        let run = |position: usize| -> Result<_, Infallible> {
            read.borrow_mut().push(position);
            let run = Run::new(points[position].clone(), &json!({"makespan_s": position}));
            Ok((position != 4).then_some(Cow::Owned(run)))
        };
        let see = |position: usize, run: Option<&Run>| {
            seen.borrow_mut().push((position, run.map(|run| run.point.clone())));
            Ok(())
        };
        let Ok(comparison) = Comparison::read(&grid, Some(Baseline { axis: 0, setting: 0 }), run, see);
        let expected: Vec<_> =
            points.iter().cloned().enumerate().map(|(at, point)| (at, (at != 4).then_some(point))).collect();
        assert_eq!(*seen.borrow(), expected);
        let mut read = read.into_inner();
        read.sort_unstable();
        assert_eq!(
            read,
            [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]
                .into_iter()
                .collect::<Vec<_>>()
        );
        let differences: Vec<_> =
            comparison.rows[3..].iter().map(|row| row.difference(metric("makespan_s")).map(|of| of.count)).collect();
        assert_eq!(differences, [Some(3), Some(2), Some(3)]);
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
