//! `invocations.csv`: one row an invocation.

use std::io::Write;

use hearth_simcore::time::SimTime;

use crate::experiment::Results;
use crate::invocation::Start;

/// The columns of `invocations.csv`.
const COLUMNS: [&str; 11] = [
    "invocation",
    "function",
    "requested_at",
    "submitted_at",
    "dispatched_at",
    "started_at",
    "finished_at",
    "node",
    "start",
    "outcome",
    "failure",
];

/// Writes one row for each invocation, in the order of requests: dates in seconds with nine decimals, an empty field
/// where there is no date.
///
/// # Errors
/// When the target cannot be written.
pub fn write_invocations(results: &Results, target: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(target);
    writer.write_record(COLUMNS)?;
    let date = |date: Option<SimTime>| date.map(|date| date.to_string()).unwrap_or_default();
    for record in &results.records {
        let number = record.invocation.to_string();
        let node = record.node.and_then(|node| results.about.nodes.get(node as usize));
        writer.write_record([
            number.as_str(),
            results.about.functions.get(record.function.0 as usize).map_or("", String::as_str),
            &date(record.requested_at),
            &date(record.submitted_at),
            &date(record.dispatched_at),
            &date(record.started_at),
            &date(record.finished_at),
            node.map_or("", String::as_str),
            record.start.map_or("", Start::as_str),
            record.outcome.as_str(),
            record.failure.as_deref().unwrap_or(""),
        ])?;
    }
    Ok(writer.flush()?)
}
