//! Sums the runs of a grid up: means over the seeds, and differences to a baseline.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::grid::{Baseline, Grid, Point};
use super::statistics::Estimate;

/// Parts of a summary that are no results.
const NO_RESULTS: [&str; 3] = ["policies", "seed", "wall_s"];

/// The numbers of a summary, by the path to them.
pub fn numbers_of(summary: &Value) -> BTreeMap<String, f64> {
    let mut numbers = BTreeMap::new();
    collect(summary, "", &mut numbers);
    numbers
}

fn collect(value: &Value, path: &str, numbers: &mut BTreeMap<String, f64>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter().filter(|(name, _)| !NO_RESULTS.contains(&name.as_str())) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(value, &path, numbers);
            }
        }
        value => {
            if let Some(number) = value.as_f64() {
                numbers.insert(path.to_owned(), number);
            }
        }
    }
}

/// A run and its numbers.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where in the grid it is.
    pub point: Point,
    /// Its numbers, by the path to them in its summary.
    pub numbers: BTreeMap<String, f64>,
}

/// The runs of one combination of values.
#[derive(Clone, Debug)]
pub struct Row {
    /// The values.
    pub settings: Vec<usize>,
    /// The mean of each number over the seeds.
    pub means: BTreeMap<String, Estimate>,
    /// What is more than in the baseline with the same other values, from the differences seed by seed. Empty for the
    /// baseline itself, and without one.
    pub differences: BTreeMap<String, Estimate>,
}

/// All combinations of a grid.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// In the order of the grid; those without a run are left out.
    pub rows: Vec<Row>,
    /// The names of all numbers.
    pub names: Vec<String>,
}

impl Comparison {
    /// Sums up runs of a grid.
    pub fn new(grid: &Grid, runs: &[Run], baseline: Option<Baseline>) -> Self {
        let mut by_settings: BTreeMap<&[usize], BTreeMap<u64, &Run>> = BTreeMap::new();
        for run in runs {
            by_settings.entry(&run.point.settings).or_default().insert(run.point.seed, run);
        }
        let names: BTreeSet<&String> = runs.iter().flat_map(|run| run.numbers.keys()).collect();
        let estimate = |values: &dyn Fn(&str) -> Vec<f64>| -> BTreeMap<String, Estimate> {
            let of = |name: &&String| Some(((*name).clone(), Estimate::of(&values(name))?));
            names.iter().filter_map(of).collect()
        };
        let row = |settings: Vec<usize>| {
            let seeds = by_settings.get(settings.as_slice())?;
            let means = estimate(&|name| seeds.values().filter_map(|run| run.numbers.get(name).copied()).collect());
            let base = baseline.filter(|base| settings[base.axis] != base.setting).and_then(|base| {
                let mut settings = settings.clone();
                settings[base.axis] = base.setting;
                by_settings.get(settings.as_slice())
            });
            let differences = base.map_or_else(BTreeMap::new, |base| {
                let difference = |run: &Run, name: &str| {
                    Some(run.numbers.get(name)? - base.get(&run.point.seed)?.numbers.get(name)?)
                };
                estimate(&|name| seeds.values().filter_map(|run| difference(run, name)).collect())
            });
            Some(Row { settings, means, differences })
        };
        let rows = grid.combinations().into_iter().filter_map(row).collect();
        Self { rows, names: names.into_iter().cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_found_by_their_paths() {
        let summary = json!({"seed": 3, "wall_s": 0.1, "scenario": "x", "latency": {"mean": 1.5, "p50": 1}, "policies": {"a": 1}});
        let numbers = numbers_of(&summary);
        let expected = [("latency.mean", 1.5), ("latency.p50", 1.0)].map(|(name, number)| (name.to_owned(), number));
        assert_eq!(numbers, BTreeMap::from(expected));
    }

    #[test]
    fn differences_are_taken_seed_by_seed() {
        let policies = ["keep_alive=fixed", "keep_alive=adaptive"].map(str::to_owned);
        let grid = Grid::new(&policies, &[], vec![1, 2, 3]).unwrap();
        let run = |setting: usize, seed: u64, value: f64| Run {
            point: Point { settings: vec![setting], seed },
            numbers: BTreeMap::from([("x".to_owned(), value)]),
        };
        // Seeds differ by much, policies by exactly 1; the third seed of the other policy is missing.
        let runs = [run(0, 1, 10.0), run(0, 2, 20.0), run(0, 3, 90.0), run(1, 1, 11.0), run(1, 2, 21.0)];
        let comparison = Comparison::new(&grid, &runs, Some(Baseline { axis: 0, setting: 0 }));
        let [base, other] = &comparison.rows[..] else { panic!("{comparison:?}") };
        assert_eq!((base.means["x"].mean, base.means["x"].count), (40.0, 3));
        assert!(base.differences.is_empty());
        assert_eq!(other.means["x"].mean, 16.0);
        let difference = other.differences["x"];
        assert_eq!((difference.count, difference.interval()), (2, Some([1.0, 1.0])));
    }
}
