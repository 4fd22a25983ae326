//! Tables for people.

use std::fmt::Write;

use hearth_serverless::experiment::Results;
use hearth_serverless::results::{Summary, TimeSummary};

/// The summary of a run as text.
pub fn of_summary(results: &Results, summary: &Summary) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_summary(&mut text, results, summary);
    text
}

fn write_summary(text: &mut String, results: &Results, summary: &Summary) -> std::fmt::Result {
    let _ = results;
    writeln!(text, "{summary:#?}")?;
    Ok(())
}

#[allow(dead_code)]
fn times(_: &TimeSummary) {}
