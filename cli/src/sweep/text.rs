//! The comparison as text for people.

use comfy_table::{CellAlignment, Table, presets};
use hearth_serverless::results::{Metric, Over, Unit};

use super::comparison::{Comparison, Row};
use super::grid::{Baseline, Grid};
use super::statistics::Estimate;
use crate::metric;

/// The numbers that are shown unless others are asked for.
const SHOWN: [&str; 5] = ["cold_start_ratio", "latency_mean", "latency_p50", "latency_p99", "memory_byte_seconds_idle"];

/// The numbers that are shown unless others are asked for.
pub fn usually_shown() -> Vec<&'static Metric> {
    metric::all_named(&SHOWN)
}

/// The mark of numbers that are not over the same as others.
pub const MARK: &str = "*";

/// So many footnotes at the most.
const MOST_NOTES: usize = 8;

/// An estimate with its unit and interval; a dash if there is none.
pub fn shown(unit: Unit, estimate: Option<&Estimate>, is_difference: bool, with_interval: bool) -> String {
    let Some(estimate) = estimate else { return "–".to_owned() };
    let quantity = |value: f64| if is_difference { unit.shown_difference(value) } else { unit.shown(value) };
    let sign = if is_difference && estimate.mean >= 0.0 { "+" } else { "" };
    let half_width = estimate.half_width.filter(|_| with_interval);
    let width = half_width.map_or(String::new(), |half| format!(" ± {}", quantity(half)));
    format!("{sign}{}{width}", quantity(estimate.mean))
}

/// The mean of a number, marked if it leaves requests out that another row does not.
pub fn mean(comparison: &Comparison, row: &Row, metric: &Metric) -> String {
    let text = shown(metric.unit, row.mean(metric), false, !comparison.are_seeds_alike);
    if row.is_partial(metric) { format!("{text} {MARK}") } else { text }
}

/// The difference of a number to the baseline, marked if it is not one of the same requests; `None` without baseline.
pub fn difference(comparison: &Comparison, row: &Row, metric: &Metric) -> Option<String> {
    let is_comparable = row.is_comparable(metric)?;
    let text = shown(metric.unit, row.difference(metric), true, !comparison.are_seeds_alike);
    Some(if is_comparable { text } else { format!("{text} {MARK}") })
}

/// The difference of the share of requests that completed.
fn difference_completed(comparison: &Comparison, row: &Row) -> Option<f64> {
    Some(row.completed.mean - comparison.row(row.baseline.as_ref()?)?.completed.mean)
}

fn table(header: impl Iterator<Item = String>, texts: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if position >= texts {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("  {}\n", line.trim_end())).collect()
}

/// The comparison as text: means of some numbers, and their differences to the baseline if there is one.
pub fn of_comparison(
    grid: &Grid,
    comparison: &Comparison,
    metrics: &[&'static Metric],
    baseline: Option<Baseline>,
) -> String {
    let header = || {
        let axes = grid.axes.iter().map(|axis| axis.name.clone());
        table(
            axes.chain(["completed".to_owned()]).chain(metrics.iter().map(|metric| metric.name.clone())),
            grid.axes.len(),
        )
    };
    let labels = |row: &Row| grid.labels(&row.settings).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let (mut means, mut differences) = (header(), header());
    for row in &comparison.rows {
        let numbers = metrics.iter().map(|metric| mean(comparison, row, metric));
        let completed = Unit::Share.shown(row.completed.mean);
        means.add_row(labels(row).into_iter().chain([completed]).chain(numbers));
        let Some(completed) = difference_completed(comparison, row) else { continue };
        let estimate = Estimate { count: 1, mean: completed, half_width: None };
        let completed = shown(Unit::Share, Some(&estimate), true, false);
        let numbers = metrics.iter().filter_map(|metric| difference(comparison, row, metric));
        differences.add_row(labels(row).into_iter().chain([completed]).chain(numbers));
    }
    let mut text = lines(&means);
    if let Some(baseline) = baseline {
        let label = grid.axes[baseline.axis].settings[baseline.setting].label.as_str();
        text.push_str(&format!(
            "\nDifferences to {label}, seed by seed (pp: percentage points):\n\n{}",
            lines(&differences)
        ));
    }
    let notes = notes(grid, comparison, metrics, |metric| &metric.name);
    if !notes.is_empty() {
        text.push('\n');
        notes.iter().for_each(|note| text.push_str(&format!("{MARK} {note}\n")));
    }
    let seeds = about_seeds(grid, comparison);
    if !seeds.is_empty() {
        text.push_str(&format!("\n{seeds}\n"));
    }
    text
}

/// What one should know of the seeds; empty with a single one.
pub fn about_seeds(grid: &Grid, comparison: &Comparison) -> String {
    match grid.seeds.len() {
        0 | 1 => String::new(),
        seeds if comparison.are_seeds_alike => {
            format!("All {seeds} seeds gave the same: nothing that is drawn by chance makes a difference here.")
        }
        seeds => format!("Means over {seeds} seeds, ± half of their 95 % confidence interval."),
    }
}

/// What the marks of a table stand for: a line for each combination of values that has some. `call` gives numbers the names of
/// the table.
pub fn notes(
    grid: &Grid,
    comparison: &Comparison,
    metrics: &[&'static Metric],
    call: impl Fn(&'static Metric) -> &'static str,
) -> Vec<String> {
    let mut notes = Vec::new();
    for row in &comparison.rows {
        // What is over the same shares is told together.
        let mut by_shares: Vec<(String, Vec<String>)> = Vec::new();
        for over in Over::PARTS {
            let is_marked = |metric: &&&'static Metric| {
                metric.over == over && (row.is_partial(metric) || row.is_comparable(metric) == Some(false))
            };
            let marked: Vec<&'static Metric> = metrics.iter().filter(is_marked).copied().collect();
            let Some(first) = marked.first() else { continue };
            let shares = shares(comparison, row, over, row.is_comparable(first) == Some(false));
            let names: Vec<&str> = marked.iter().map(|metric| call(metric)).collect();
            let told = format!("{} of {}", names.join(", "), over.words());
            match by_shares.iter_mut().find(|(other, _)| *other == shares) {
                Some((_, all)) => all.push(told),
                None => by_shares.push((shares, vec![told])),
            }
        }
        let told: Vec<String> =
            by_shares.iter().map(|(shares, told)| format!("{} ({shares})", told.join("; "))).collect();
        if !told.is_empty() {
            let setting = Some(grid.describe(&row.settings)).filter(|setting| !setting.is_empty());
            notes.push(setting.into_iter().chain([told.join("; ")]).collect::<Vec<_>>().join(": "));
        }
    }
    let left_out = notes.len().saturating_sub(MOST_NOTES);
    if left_out > 0 {
        notes.truncate(MOST_NOTES);
        notes.push(format!("and {left_out} more like these: \"completed\" says the share of each"));
    }
    notes
}

/// The shares of all that numbers are over, here and in the baseline if they are compared with it.
fn shares(comparison: &Comparison, row: &Row, over: Over, is_compared: bool) -> String {
    let percent = |row: &Row| Unit::Share.shown(row.share(over));
    let base = row.baseline.as_ref().filter(|_| is_compared).and_then(|base| comparison.row(base));
    match base.map(|base| (percent(row), percent(base))) {
        None => percent(row),
        Some((here, there)) if here == there => format!("{here} here and in the baseline, but not the same ones"),
        Some((here, there)) => format!("{here} here, {there} in the baseline"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_unit_of_their_name() {
        let estimate = |mean: f64| Estimate { count: 1, mean, half_width: None };
        let cases = [
            ("latency_p99", 0.25, "250 ms"),
            ("latency_count", 25.0, "25"),
            ("cold_start_ratio", 0.1234, "12.34 %"),
            ("cold_start_ratio_of_functions_p75", 1.0, "100.00 %"),
            ("memory_byte_seconds_idle", 5e9, "5.00 GB·s"),
            ("images_copies_bytes", 5e6, "5.00 MB"),
            ("makespan_s", -30.0, "-30.0 s"),
            ("slowdown_mean", 1.5, "1.500"),
            ("cost_total", -0.0012345, "-0.00123"),
            ("cost_billed_requests", 12.0, "12"),
            ("energy_idle_joules", 437_044.6, "437 kJ"),
        ];
        for (name, value, text) in cases {
            assert_eq!(shown(Metric::find(name).unwrap().unit, Some(&estimate(value)), false, true), text, "{name}");
        }
        assert_eq!(shown(Unit::Share, Some(&estimate(0.5)), true, true), "+50.00 pp");
        assert_eq!(shown(Unit::Seconds, None, false, true), "–");
    }
}
