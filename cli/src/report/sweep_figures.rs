//! The figures of a sweep.

use std::collections::BTreeMap;

use super::figure::{Axis, Bars, Content, Figure, Joined, Plot, Point, Scale, Series};
use super::folder::{RunFolder, SweepFolder, Table};
use super::run_figures::{cdf_figure, ratio_cdf_figure, time_series};
use crate::metric;
use crate::quantity::Unit;
use crate::sweep::axes::{quantities, words};
use crate::sweep::comparison::{Comparison, Row, Run};
use crate::sweep::grid::{self, Grid, POLICY};

/// So many plots of the same kind at the most.
const MOST_FACETS: usize = 6;

/// Numbers of summaries that are drawn.
const METRICS: [&str; 18] = [
    "service_level_availability",
    "cold_start_ratio",
    "latency_mean",
    "latency_p50",
    "latency_p99",
    "latency_p999",
    "service_level_within_deadline",
    "faults_lost_core_seconds",
    "workflows_makespan_mean",
    "slowdown_p99",
    "memory_byte_seconds_idle",
    "outcomes_rejected",
    "evictions_containers",
    "images_downloads_bytes",
    "images_copies_bytes",
    "evictions_images_on_disk_bytes",
    "cost_total",
    "energy_joules",
];

/// The comparison of a sweep's runs.
pub fn comparison(sweep: &SweepFolder) -> Comparison {
    let run = |(point, folder): &(grid::Point, RunFolder)| Run::new(point.clone(), &folder.summary);
    let runs: Vec<Run> = sweep.runs.iter().map(run).collect();
    Comparison::new(&sweep.grid, &runs, sweep.baseline)
}

/// All figures for which there are data.
pub fn of(sweep: &SweepFolder, comparison: &Comparison) -> Vec<Figure> {
    let labels = Labels::new(&sweep.grid);
    let mut figures = Vec::new();
    let drawn = METRICS.map(|name| (name, metric::of(name)));
    let shown = drawn.iter().filter(|(name, metric)| {
        let means = || comparison.rows.iter().filter_map(|row| row.means.get(*name)).map(|estimate| estimate.mean);
        // A share that is all there is everywhere shows as little as nothing.
        means().any(|mean| mean != 0.0) && !(metric.unit == Unit::Share && means().all(|mean| mean == 1.0))
    });
    let numeric = sweep.grid.axes.iter().position(|axis| axis.name != POLICY && numeric_values(axis).is_some());
    for (name, metric) in shown {
        let (title, unit) = (metric.title.as_str(), metric.unit);
        figures.push(match numeric {
            Some(axis) => against_axis(sweep, comparison, &labels, axis, (name, title, unit)),
            None => bars(sweep, comparison, &labels, (name, title, unit)),
        });
    }
    figures.extend(trade_offs(sweep, comparison, &labels));
    figures.extend(distributions(sweep, &labels));
    let first_seed = sweep.runs.iter().filter(|(point, _)| Some(&point.seed) == sweep.grid.seeds.first());
    let series: Vec<(String, &Table)> =
        first_seed.filter_map(|(point, run)| Some((labels.of(&point.settings, None), run.series.as_ref()?))).collect();
    if !series.is_empty() && series.len() <= 4 {
        let series: Vec<(&str, &Table)> = series.iter().map(|(name, table)| (name.as_str(), *table)).collect();
        figures.extend(time_series(&series));
    }
    figures
}

/// The values of an axis as numbers, if there are several and all are numbers.
fn numeric_values(axis: &grid::Axis) -> Option<(Vec<f64>, Unit)> {
    quantities(axis).filter(|(values, _)| values.len() > 1)
}

/// Short names of settings.
struct Labels {
    /// By axis and setting.
    names: Vec<Vec<String>>,
}

impl Labels {
    fn new(grid: &Grid) -> Self {
        let of_axis = |axis: &grid::Axis| {
            let labels: Vec<&str> = axis.settings.iter().map(|setting| setting.label.as_str()).collect();
            if axis.name == POLICY {
                let skipped = common_slot(&labels);
                return labels.iter().map(|label| label[skipped..].to_owned()).collect();
            }
            let short = axis.name.rsplit('.').next().unwrap_or(&axis.name);
            labels.iter().map(|label| format!("{short} {label}")).collect()
        };
        Self { names: grid.axes.iter().map(of_axis).collect() }
    }

    /// The name of a combination, without one of the axes.
    fn of(&self, settings: &[usize], without: Option<usize>) -> String {
        let parts = self.names.iter().zip(settings).enumerate().filter(|(axis, _)| Some(*axis) != without);
        let parts: Vec<&str> = parts.map(|(_, (names, setting))| names[*setting].as_str()).collect();
        if parts.is_empty() { "all".to_owned() } else { parts.join(", ") }
    }
}

/// The length of `slot=` if all policies begin with the same.
fn common_slot(labels: &[&str]) -> usize {
    let slot = |label: &str| label.find('=').map(|end| label[..=end].to_owned());
    let first = labels.first().and_then(|label| slot(label));
    first.filter(|first| labels.iter().all(|label| label.starts_with(first.as_str()))).map_or(0, |first| first.len())
}

fn point(x: f64, row: &Row, metric: &str) -> Option<Point> {
    let estimate = row.means.get(metric)?;
    Some(Point { y_half: estimate.half_width.unwrap_or(0.0), ..Point::exact(x, estimate.mean) })
}

fn intervals(sweep: &SweepFolder) -> String {
    match sweep.grid.seeds.len() {
        0 | 1 => "One seed.".to_owned(),
        seeds => format!("Means over {seeds} seeds, with 95 % confidence intervals."),
    }
}

/// A number against a varied value, with a line for each combination of the others.
fn against_axis(
    sweep: &SweepFolder,
    comparison: &Comparison,
    labels: &Labels,
    axis: usize,
    (metric, title, unit): (&str, &str, Unit),
) -> Figure {
    let varied = &sweep.grid.axes[axis];
    let (values, x_unit) = numeric_values(varied).unwrap_or((Vec::new(), Unit::Plain));
    let mut series: Vec<Series> = Vec::new();
    for row in &comparison.rows {
        let name = labels.of(&row.settings, Some(axis));
        let Some(point) = values.get(row.settings[axis]).and_then(|x| point(*x, row, metric)) else { continue };
        match series.iter_mut().find(|series| series.name == name) {
            Some(series) => series.points.push(point),
            None => series.push(Series { name, points: vec![point] }),
        }
    }
    series.iter_mut().for_each(|series| series.points.sort_by(|one, other| one.x.total_cmp(&other.x)));
    // What spans several orders of magnitude is seen by factors only; values of zero need an even axis.
    let scale = |values: &mut dyn Iterator<Item = f64>, factor: f64| {
        let (least, greatest) =
            values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        if least > 0.0 && greatest / least > factor { Scale::Logarithmic } else { Scale::Linear }
    };
    let x = Axis { label: words(&varied.name), unit: x_unit, scale: scale(&mut values.iter().copied(), 50.0) };
    let mut of_points = series.iter().flat_map(|series| &series.points).map(|point| point.y);
    let y = Axis { label: title.to_owned(), unit, scale: scale(&mut of_points, 50.0) };
    let plot = Plot { x, y, joined: Joined::MarkedLine, series };
    Figure {
        name: metric.replace(['.', '_'], "-"),
        title: format!("{} against {}", capital(title), words(&varied.name)),
        note: intervals(sweep),
        content: Content::Plot(plot),
    }
}

/// A number as bars, one for each combination.
fn bars(
    sweep: &SweepFolder,
    comparison: &Comparison,
    labels: &Labels,
    (metric, title, unit): (&str, &str, Unit),
) -> Figure {
    let row = |row: &Row| {
        let estimate = row.means.get(metric)?;
        Some((labels.of(&row.settings, None), estimate.mean, estimate.half_width.unwrap_or(0.0)))
    };
    let rows = comparison.rows.iter().filter_map(row).collect();
    Figure {
        name: metric.replace(['.', '_'], "-"),
        title: capital(title),
        note: intervals(sweep),
        content: Content::Bars(Bars { unit, rows }),
    }
}

/// Cold starts against the memory that they are avoided with.
fn trade_offs(sweep: &SweepFolder, comparison: &Comparison, labels: &Labels) -> Vec<Figure> {
    const IDLE: &str = "memory_byte_seconds_idle";
    if comparison.rows.len() < 2 {
        return Vec::new();
    }
    let kinds = [
        (
            "cold-starts-against-memory",
            "cold_start_ratio",
            "cold starts",
            "Cold starts against memory held by idle containers",
        ),
        (
            "function-cold-starts-against-memory",
            "cold_start_ratio_of_functions_p75",
            "cold starts, third quartile of functions",
            "Cold starts of functions against memory held by idle containers",
        ),
    ];
    let figure = |(name, metric, label, title): (&str, &str, &str, &str)| {
        let mut series: Vec<Series> = Vec::new();
        let policy = sweep.grid.axes.iter().position(|axis| axis.name == POLICY);
        for row in &comparison.rows {
            let Some(memory) = row.means.get(IDLE) else { continue };
            let Some(mut point) = point(memory.mean, row, metric) else { continue };
            point.x_half = memory.half_width.unwrap_or(0.0);
            // Points of a policy have one colour, whatever else varies.
            let name = policy
                .map_or_else(|| labels.of(&row.settings, None), |axis| labels.names[axis][row.settings[axis]].clone());
            match series.iter_mut().find(|series| series.name == name) {
                Some(series) => series.points.push(point),
                None => series.push(Series { name, points: vec![point] }),
            }
        }
        let (x, y) =
            (Axis::linear("memory held by idle containers", Unit::ByteSeconds), Axis::linear(label, Unit::Share));
        Figure {
            name: name.to_owned(),
            title: title.to_owned(),
            note: format!("Lower left is better. {}", intervals(sweep)),
            content: Content::Plot(Plot { x, y, joined: Joined::Marks, series }),
        }
    };
    kinds.into_iter().map(figure).collect()
}

/// Distributions of latency and of functions' cold starts: a plot for each combination of what is not a policy.
fn distributions(sweep: &SweepFolder, labels: &Labels) -> Vec<Figure> {
    let policy = sweep.grid.axes.iter().position(|axis| axis.name == POLICY);
    let mut facets: BTreeMap<Vec<usize>, Vec<(usize, Vec<&RunFolder>)>> = BTreeMap::new();
    for (point, run) in &sweep.runs {
        let mut facet = point.settings.clone();
        let setting = policy.map_or(0, |axis| std::mem::take(&mut facet[axis]));
        let members = facets.entry(facet).or_default();
        match members.iter_mut().find(|(other, _)| *other == setting) {
            Some((_, runs)) => runs.push(run),
            None => members.push((setting, vec![run])),
        }
    }
    let is_single = facets.len() == 1;
    let mut figures = Vec::new();
    for (number, (facet, members)) in facets.iter().take(MOST_FACETS).enumerate() {
        let of = |column: &str| -> Vec<Series> {
            let series = |(setting, runs): &(usize, Vec<&RunFolder>)| {
                let name = policy.map_or_else(|| labels.of(facet, None), |axis| labels.names[axis][*setting].clone());
                Series { name, points: mean_cdf(runs, column) }
            };
            members.iter().map(series).collect()
        };
        let (suffix, at) = match (is_single, policy) {
            (true, _) => (String::new(), String::new()),
            (false, Some(_)) => (format!("-{}", number + 1), format!(" at {}", labels.of(facet, policy))),
            (false, None) => (format!("-{}", number + 1), String::new()),
        };
        let note = match sweep.grid.seeds.len() {
            0 | 1 => String::new(),
            seeds => format!("Percentiles are means over {seeds} seeds."),
        };
        let title = format!("Latency{at}");
        figures.push(cdf_figure(&format!("latency-cdf{suffix}"), &title, &note, Unit::Seconds, of("latency")));
        let mut ratios =
            ratio_cdf_figure(&format!("function-cold-starts-cdf{suffix}"), of("cold_start_ratio_of_functions"));
        ratios.title.push_str(&at);
        figures.push(ratios);
    }
    figures
}

/// A cumulative distribution whose values are means of those of several runs.
fn mean_cdf(runs: &[&RunFolder], column: &str) -> Vec<Point> {
    let Some(first) = runs.first() else { return Vec::new() };
    let shares = first.distributions.column("share").iter().flatten().enumerate();
    let mean = |row: usize| {
        let values: Vec<f64> = runs.iter().filter_map(|run| *run.distributions.column(column).get(row)?).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    shares.filter_map(|(row, share)| Some(Point::exact(mean(row)?, *share))).collect()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_that_all_share_is_left_out_of_names() {
        assert_eq!(common_slot(&["keep_alive=fixed", "keep_alive=adaptive,half_life=1h"]), "keep_alive=".len());
        assert_eq!(common_slot(&["keep_alive=fixed", "admission=always"]), 0);
    }
}
