//! `distributions.csv`: how times and ratios are distributed, in steps fine enough to draw them.

use std::io::Write;

use crate::experiment::Results;
use crate::metrics::Precise;

/// One row for each share: what this share of all does not exceed. Shares go in steps of half a percent to 99 %, of a
/// thousandth to 99.9 % and of a ten-thousandth to all. Times are in seconds, and percentiles at most 0.1 % too high; the
/// last column is of functions, each of which counts the same. A column without values is empty.
///
/// # Errors
/// When the target cannot be written.
pub fn write_distributions(results: &Results, target: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(target);
    let names = ["share", "latency", "waiting", "slowdown", "cold_start_delay", "cold_start_ratio_of_functions"];
    writer.write_record(names)?;
    let metrics = &results.metrics;
    let ratios = metrics.cold_start_ratio_of_functions();
    for share in shares() {
        let of = |values: &Precise| number(values.count() > 0, values.percentile(share), 9);
        writer.write_record([
            format!("{share:.4}"),
            of(&metrics.latency),
            of(&metrics.waiting),
            of(&metrics.slowdown),
            of(&metrics.cold_start_delay),
            number(ratios.count() > 0, ratios.percentile(share), 6),
        ])?;
    }
    Ok(writer.flush()?)
}

fn shares() -> impl Iterator<Item = f64> {
    let coarse = (0..198).map(|step| f64::from(step) / 200.0);
    let fine = (990..999).map(|step| f64::from(step) / 1_000.0);
    let finest = (9_990..=10_000).map(|step| f64::from(step) / 10_000.0);
    coarse.chain(fine).chain(finest)
}

fn number(is_there: bool, number: f64, decimals: usize) -> String {
    if is_there { format!("{number:.decimals$}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_ascend_to_all() {
        let shares: Vec<f64> = shares().collect();
        assert!(shares.is_sorted_by(|one, next| one < next));
        assert_eq!((shares[0], shares[198], shares.last()), (0.0, 0.99, Some(&1.0)));
    }
}
