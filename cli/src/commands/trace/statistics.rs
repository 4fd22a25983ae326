//! The statistics of a trace as text.

use std::fmt::Write;

use hearth_serverless::metrics::Precise;
use hearth_serverless::results::Unit;
use hearth_serverless::workload::{DeclaredFunction, TraceStatistics};

/// Columns of the line that shows the rate over time.
const COLUMNS: usize = 60;
/// How many functions are named.
const NAMED: usize = 5;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

// Writing to a string cannot fail, so the results of `writeln!` are passed over in this file.

/// What a person wants to know.
pub fn text(statistics: &TraceStatistics, functions: &[DeclaredFunction]) -> String {
    let mut text = String::new();
    let invoked = statistics.by_function.iter().filter(|count| **count > 0).count();
    let span = statistics.last.since(statistics.first).as_secs_f64();
    let _ = writeln!(text, "  requests   {:>12}", statistics.requests);
    let _ = writeln!(text, "  functions  {invoked:>12}, of {} that are known", functions.len());
    let first = statistics.first.as_secs_f64();
    let _ = writeln!(text, "  span       {:>12}, from {} on", Unit::Seconds.shown(span), Unit::Seconds.shown(first));
    if span > 0.0 {
        let _ = writeln!(text, "  mean rate  {:>10.3}/s", statistics.requests as f64 / span);
    }
    rate_over_time(&mut text, &statistics.per_minute);
    popularity(&mut text, statistics, functions);
    let _ = writeln!(text, "\n  {:<11}{:>11}{:>11}{:>11}{:>11}{:>11}", "", "mean", "p50", "p90", "p99", "max");
    for (name, times) in [("gap", &statistics.gaps), ("duration", &statistics.durations)] {
        let _ = writeln!(text, "  {name:<11}{}", columns(times));
    }
    text
}

fn columns(times: &Precise) -> String {
    let numbers = [times.mean(), times.percentile(0.5), times.percentile(0.9), times.percentile(0.99), times.max()];
    numbers.iter().map(|seconds| format!("{:>11}", Unit::Seconds.shown(*seconds))).collect()
}

/// A bar for each stretch of minutes, as high as the busiest is full.
fn rate_over_time(text: &mut String, per_minute: &[u64]) {
    let minutes = per_minute.len().div_ceil(COLUMNS).max(1);
    let rates: Vec<f64> =
        per_minute.chunks(minutes).map(|chunk| chunk.iter().sum::<u64>() as f64 / chunk.len() as f64).collect();
    let highest = rates.iter().copied().fold(0.0, f64::max);
    if highest == 0.0 {
        return;
    }
    let bar = |rate: &f64| match (rate / highest * BARS.len() as f64).ceil() as usize {
        0 => ' ',
        height => BARS[height.min(BARS.len()) - 1],
    };
    let line: String = rates.iter().map(bar).collect();
    let _ = writeln!(text, "\n  requests a minute, up to {highest:.1} in {minutes} min\n  {line}");
}

fn popularity(text: &mut String, statistics: &TraceStatistics, functions: &[DeclaredFunction]) {
    let mut by_popularity: Vec<usize> = (0..functions.len()).collect();
    by_popularity.sort_by_key(|function| std::cmp::Reverse(statistics.by_function[*function]));
    let share = |count: u64| Unit::Share.remarked(count as f64 / statistics.requests.max(1) as f64);
    let _ = writeln!(text, "\n  most popular functions");
    for function in by_popularity.iter().take(NAMED).filter(|function| statistics.by_function[**function] > 0) {
        let count = statistics.by_function[*function];
        // Names of Azure traces are two hashes of 64 digits.
        let parts = functions[*function].name.split('/').map(|part| part.chars().take(18).collect::<String>());
        let name = parts.collect::<Vec<_>>().join("/");
        let _ = writeln!(text, "    {name:<40} {count:>12}  {:>7}", share(count));
    }
    for percent in [1, 10].into_iter().filter(|percent| functions.len() * percent >= 100) {
        let top = (functions.len() * percent).div_ceil(100);
        let of_top: u64 = by_popularity.iter().take(top).map(|function| statistics.by_function[*function]).sum();
        let _ = writeln!(text, "    {percent:>2} % of functions have {:>41}", share(of_top));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_stretch_is_a_full_bar_and_an_idle_one_is_none() {
        let mut text = String::new();
        rate_over_time(&mut text, &[0, 1, 4, 8]);
        assert_eq!(text, "\n  requests a minute, up to 8.0 in 1 min\n   ▁▄█\n");
    }
}
