//! `functions.csv`: one row a function.

use std::io::Write;

use crate::experiment::Results;
use crate::invocation::Outcome;
use crate::metrics::{Coarse, FunctionMetrics};

/// Writes one row for each function: counts, and distributions in seconds (slowdowns are ratios). Means and maxima are
/// exact, percentiles at most 3.2 % too high.
///
/// # Errors
/// When the target cannot be written.
pub fn write_functions(results: &Results, target: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(target);
    let outcomes = Outcome::ALL.map(|outcome| outcome.as_str().to_owned());
    let distributions = ["latency", "waiting", "slowdown", "cold_start_delay"];
    let of_distributions =
        distributions.iter().flat_map(|name| ["mean", "p50", "p90", "p99", "max"].map(|part| format!("{name}_{part}")));
    let counts = ["function", "invocations"].map(str::to_owned).into_iter().chain(outcomes);
    let starts = ["cold_starts", "warm_starts"].map(str::to_owned);
    writer.write_record(counts.chain(starts).chain(of_distributions))?;
    for (name, function) in results.about.functions.iter().zip(&results.metrics.functions) {
        writer.write_record(std::iter::once(name.clone()).chain(counts_of(function)).chain(times_of(function)))?;
    }
    Ok(writer.flush()?)
}

fn counts_of(function: &FunctionMetrics) -> impl Iterator<Item = String> {
    let outcomes = Outcome::ALL.map(|outcome| function.outcome(outcome));
    let starts = [function.cold_starts, function.warm_starts];
    std::iter::once(function.invocations()).chain(outcomes).chain(starts).map(|count| count.to_string())
}

fn times_of(function: &FunctionMetrics) -> impl Iterator<Item = String> {
    let FunctionMetrics { latency, waiting, slowdown, cold_start_delay, .. } = function;
    [latency, waiting, slowdown, cold_start_delay].into_iter().flat_map(numbers_of)
}

/// Empty fields for what never happened.
fn numbers_of(values: &Coarse) -> [String; 5] {
    if values.count() == 0 {
        return Default::default();
    }
    [values.mean(), values.percentile(0.5), values.percentile(0.9), values.percentile(0.99), values.max()]
        .map(|number| format!("{number:.9}"))
}
