//! The figures of a sweep.

use std::collections::BTreeMap;

use hearth_serverless::results::{Metric, Over, Unit};

use super::figure::{Axis, Bars, Content, Figure, Joined, MOST_SERIES, Panel, Plot, Point, Scale, Series};
use super::folder::{RunFolder, SweepFolder, Table};
use super::run_figures::{cdf_figure, ratio_cdf_figure, time_series};
use super::sweep_numbers;
use crate::metric;
use crate::sweep::axes::{quantities, words};
use crate::sweep::comparison::{Comparison, Row, Run};
use crate::sweep::grid::{self, Grid, POLICY};
use crate::sweep::text::MARK;

/// So many plots of the same kind at the most, in figures of their own and as panels of one.
const MOST_FACETS: usize = 6;
const MOST_PANELS: usize = 12;

/// The comparison of a sweep's runs.
pub fn comparison(sweep: &SweepFolder) -> Comparison {
    let run = |(point, folder): &(grid::Point, RunFolder)| Run::new(point.clone(), &folder.written);
    let runs: Vec<Run> = sweep.runs.iter().map(run).collect();
    Comparison::new(&sweep.grid, &runs, sweep.baseline)
}

/// All figures for which there are data.
pub fn of(sweep: &SweepFolder, comparison: &Comparison) -> Vec<Figure> {
    let labels = Labels::new(&sweep.grid);
    let mut figures = Vec::new();
    let shown = sweep_numbers::drawn().into_iter().filter(|metric| {
        let means = || comparison.rows.iter().filter_map(|row| row.mean(metric)).map(|estimate| estimate.mean);
        // A share that is all there is everywhere shows as little as nothing.
        means().any(|mean| mean != 0.0) && !(metric.unit == Unit::Share && means().all(|mean| mean == 1.0))
    });
    let numeric = sweep.grid.axes.iter().position(|axis| axis.name != POLICY && numeric_values(axis).is_some());
    for metric in shown {
        let currency =
            sweep.runs.first().and_then(|(_, run)| run.summary.cost.as_ref().map(|cost| cost.currency.as_str()));
        let title = match (metric.unit, currency) {
            (Unit::Money, Some(currency)) => format!("{} ({currency})", metric.title),
            _ => metric.title.clone(),
        };
        figures.push(match numeric {
            Some(axis) => against_axis(sweep, comparison, &labels, axis, (metric, &title)),
            None => bars(comparison, &labels, (metric, &title)),
        });
    }
    figures.extend(trade_offs(sweep, comparison, &labels));
    figures.extend(distributions(sweep, comparison, &labels));
    let first_seed = sweep.runs.iter().filter(|(point, _)| Some(&point.seed) == sweep.grid.seeds.first());
    let series: Vec<(String, &Table)> =
        first_seed.filter_map(|(point, run)| Some((labels.of(&point.settings, &[]), run.series.as_ref()?))).collect();
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

    /// The name of a combination, without some of the axes.
    fn of(&self, settings: &[usize], without: &[usize]) -> String {
        let parts = self.names.iter().zip(settings).enumerate().filter(|(axis, _)| !without.contains(axis));
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

fn point(x: f64, row: &Row, metric: &Metric) -> Option<Point> {
    let estimate = row.mean(metric)?;
    Some(Point { y_half: estimate.half_width.unwrap_or(0.0), ..Point::exact(x, estimate.mean) })
}

/// What one should know of the numbers of a metric, beside what the page says once.
fn note(comparison: &Comparison, metric: &Metric) -> String {
    let rows: Vec<&Row> = comparison.rows.iter().filter(|row| row.is_partial(metric)).collect();
    let shares = || rows.iter().map(|row| row.share(metric.over));
    let (least, most) = (shares().fold(1.0, f64::min), shares().fold(0.0, f64::max));
    let percent = |share: f64| Unit::Share.shown(share);
    let shares = if least == most { percent(least) } else { format!("{} to {}", percent(least), percent(most)) };
    if rows.is_empty() {
        return String::new();
    }
    format!("{MARK} Of {} only, and not the same everywhere: {shares}.", metric.over.words())
}

/// The name of a row among others, marked if its number leaves out requests that those of others do not.
fn marked(name: String, row: &Row, metric: &Metric) -> String {
    if row.is_partial(metric) { format!("{name} {MARK}") } else { name }
}

/// The axis whose values are colours where another is across and there are more series than colours; those of all others
/// are panels.
fn colour_axis(grid: &Grid, across: usize) -> Option<usize> {
    let size = |axis: usize| grid.axes[axis].settings.len();
    let others: Vec<usize> = (0..grid.axes.len()).filter(|axis| *axis != across && size(*axis) > 1).collect();
    let all: usize = others.iter().map(|axis| size(*axis)).product();
    if all <= MOST_SERIES || others.len() < 2 {
        return None;
    }
    let fits = |axis: &usize| size(*axis) <= MOST_SERIES && all / size(*axis) <= MOST_PANELS;
    others.into_iter().filter(fits).max_by_key(|axis| (grid.axes[*axis].name == POLICY, size(*axis)))
}

/// A number against a varied value, with a line for each combination of the others.
fn against_axis(
    sweep: &SweepFolder,
    comparison: &Comparison,
    labels: &Labels,
    axis: usize,
    (metric, title): (&Metric, &str),
) -> Figure {
    let varied = &sweep.grid.axes[axis];
    let (values, x_unit) = numeric_values(varied).unwrap_or((Vec::new(), Unit::Plain));
    let colours = colour_axis(&sweep.grid, axis);
    let mut panels: Vec<Panel> = Vec::new();
    for row in &comparison.rows {
        let Some(point) = values.get(row.settings[axis]).and_then(|x| point(*x, row, metric)) else { continue };
        let (title, name) = match colours {
            None => (String::new(), labels.of(&row.settings, &[axis])),
            Some(colour) => {
                let name = labels.names[colour][row.settings[colour]].clone();
                (labels.of(&row.settings, &[axis, colour]), name)
            }
        };
        let place = panels.iter().position(|panel| panel.title == title).unwrap_or_else(|| {
            panels.push(Panel { title, series: Vec::new(), others: Vec::new() });
            panels.len() - 1
        });
        let series = &mut panels[place].series;
        match series.iter_mut().find(|series| series.name.trim_end_matches([' ', '*']) == name) {
            Some(series) => {
                series.points.push(point);
                series.name = if series.name.ends_with(MARK) {
                    std::mem::take(&mut series.name)
                } else {
                    marked(name, row, metric)
                };
            }
            None => series.push(Series { name: marked(name, row, metric), points: vec![point] }),
        }
    }
    let series = panels.iter_mut().flat_map(|panel| &mut panel.series);
    series.for_each(|series| series.points.sort_by(|one, other| one.x.total_cmp(&other.x)));
    // What spans several orders of magnitude is seen by factors only; values of zero need an even axis.
    let scale = |values: &mut dyn Iterator<Item = f64>, factor: f64| {
        let (least, greatest) =
            values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        if least > 0.0 && greatest / least > factor && metric.unit != Unit::Share {
            Scale::Logarithmic
        } else {
            Scale::Linear
        }
    };
    let x = Axis { label: words(&varied.name), unit: x_unit, scale: scale(&mut values.iter().copied(), 50.0) };
    let points = panels.iter().flat_map(|panel| &panel.series).flat_map(|series| &series.points);
    let y = Axis { label: title.to_owned(), unit: metric.unit, scale: scale(&mut points.map(|point| point.y), 50.0) };
    let plot = match colours {
        Some(_) => Plot { x, y, joined: Joined::MarkedLine, panels },
        None => {
            let series = panels.into_iter().flat_map(|panel| panel.series).collect();
            Plot::new(x, y, Joined::MarkedLine, series)
        }
    };
    Figure {
        name: metric.name.replace('_', "-"),
        title: format!("{} against {}", capital(title), words(&varied.name)),
        note: note(comparison, metric),
        content: Content::Plot(plot),
    }
}

/// A number as bars, one for each combination.
fn bars(comparison: &Comparison, labels: &Labels, (metric, title): (&Metric, &str)) -> Figure {
    let row = |row: &Row| {
        let estimate = row.mean(metric)?;
        let name = marked(labels.of(&row.settings, &[]), row, metric);
        Some((name, estimate.mean, estimate.half_width.unwrap_or(0.0)))
    };
    let rows = comparison.rows.iter().filter_map(row).collect();
    Figure {
        name: metric.name.replace('_', "-"),
        title: capital(title),
        note: note(comparison, metric),
        content: Content::Bars(Bars { unit: metric.unit, rows }),
    }
}

/// Cold starts against the memory that they are avoided with.
fn trade_offs(sweep: &SweepFolder, comparison: &Comparison, labels: &Labels) -> Vec<Figure> {
    let idle = metric::all_named(&["memory_byte_seconds_idle"]);
    let (Some(idle), 2..) = (idle.first(), comparison.rows.len()) else { return Vec::new() };
    let kinds = [
        ("cold-starts-against-memory", "cold_start_ratio", "Cold starts against memory held by idle containers"),
        (
            "function-cold-starts-against-memory",
            "cold_start_ratio_of_functions_p75",
            "Cold starts of functions against memory held by idle containers",
        ),
    ];
    let figure = |(name, metric, title): (&str, &str, &str)| {
        let metric = Metric::find(metric)?;
        let mut series: Vec<Series> = Vec::new();
        let policy = sweep.grid.axes.iter().position(|axis| axis.name == POLICY);
        for row in &comparison.rows {
            let Some(memory) = row.mean(idle) else { continue };
            let Some(mut point) = point(memory.mean, row, metric) else { continue };
            point.x_half = memory.half_width.unwrap_or(0.0);
            // Points of a policy have one colour, whatever else varies.
            let name = policy
                .map_or_else(|| labels.of(&row.settings, &[]), |axis| labels.names[axis][row.settings[axis]].clone());
            match series.iter_mut().find(|series| series.name == name) {
                Some(series) => series.points.push(point),
                None => series.push(Series { name, points: vec![point] }),
            }
        }
        let (x, y) = (Axis::linear(&idle.title, idle.unit), Axis::linear(&metric.title, metric.unit));
        Some(Figure {
            name: name.to_owned(),
            title: title.to_owned(),
            note: format!("Lower left is better. {}", note(comparison, metric)).trim_end().to_owned(),
            content: Content::Plot(Plot::new(x, y, Joined::Marks, series)),
        })
    };
    kinds.into_iter().filter_map(figure).collect()
}

/// Distributions of latency and of functions' cold starts: a plot for each combination of what is not a policy.
fn distributions(sweep: &SweepFolder, comparison: &Comparison, labels: &Labels) -> Vec<Figure> {
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
        let of = |column: &str, is_of_completed: bool| -> Vec<Series> {
            let series = |(setting, runs): &(usize, Vec<&RunFolder>)| {
                let name = policy.map_or_else(|| labels.of(facet, &[]), |axis| labels.names[axis][*setting].clone());
                let mut settings = facet.clone();
                policy.into_iter().for_each(|axis| settings[axis] = *setting);
                let row =
                    comparison.row(&settings).filter(|row| is_of_completed && row.is_partial_over(Over::Completed));
                let completed = row.map(|row| Unit::Share.shown(row.completed.mean));
                let name = completed.map_or(name.clone(), |share| format!("{name} ({share} completed)"));
                Series { name, points: mean_cdf(runs, column) }
            };
            members.iter().map(series).collect()
        };
        let (suffix, at) = match (is_single, policy) {
            (true, _) => (String::new(), String::new()),
            (false, Some(_)) => (format!("-{}", number + 1), format!(" at {}", labels.of(facet, policy.as_slice()))),
            (false, None) => (format!("-{}", number + 1), String::new()),
        };
        let note = match sweep.grid.seeds.len() {
            0 | 1 => String::new(),
            seeds => format!("Percentiles are means over {seeds} seeds."),
        };
        let title = format!("Latency{at}");
        let latency = of("latency", true);
        figures.push(cdf_figure(&format!("latency-cdf{suffix}"), &title, &note, ("latency", Unit::Seconds), latency));
        let mut ratios =
            ratio_cdf_figure(&format!("function-cold-starts-cdf{suffix}"), of("cold_start_ratio_of_functions", false));
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
    fn more_series_than_colours_are_panels_of_an_axis() {
        let grid = |policies: usize, vary: &[&str]| {
            let policies: Vec<String> =
                (0..policies).map(|number| format!("keep_alive=fixed,timeout={number}s")).collect();
            Grid::new(&policies, &vary.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), vec![1]).unwrap()
        };
        // Axis 0 is of policies, axis 1 is across.
        assert_eq!(colour_axis(&grid(4, &["a=1,2,3", "b=1,2,3,4"]), 1), Some(0), "sixteen: policies have the colours");
        assert_eq!(colour_axis(&grid(9, &["a=1,2,3", "b=1,2,3,4"]), 1), Some(2), "nine policies are panels");
        assert_eq!(colour_axis(&grid(3, &["a=1,2,3", "b=1,2"]), 1), None, "six series have colours enough");
        assert_eq!(colour_axis(&grid(16, &["a=1,2,3"]), 1), None, "one axis is no panels");
    }

    #[test]
    fn a_slot_that_all_share_is_left_out_of_names() {
        assert_eq!(common_slot(&["keep_alive=fixed", "keep_alive=adaptive,half_life=1h"]), "keep_alive=".len());
        assert_eq!(common_slot(&["keep_alive=fixed", "admission=always"]), 0);
    }
}
