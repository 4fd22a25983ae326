//! The stories of some invocations, as `hearth why` tells them: the run of a folder is made again for that.

use hearth_serverless::results::{Results, Story, Unit};
use hearth_simcore::time::SimTime;
use serde_json::{Value, json};

use super::explore::column::packed_text;
use super::explore::slowest::Slow;
use super::explore::{Explored, STORIES};
use crate::why::story;

/// A latency that a table in Parquet holds may be so many nanoseconds off.
const INEXACT: u64 = 1000;

/// Puts the stories of the slowest invocations onto the page of a run, of which these are the results when it is made again.
///
/// # Errors
/// When something else has come of one of them: what the page says of it and its story would not go together.
pub fn put(explored: &mut Explored, results: &Results) -> Result<(), String> {
    let mut told = serde_json::Map::new();
    for slow in &explored.slowest {
        let story = results.stories.iter().find(|story| story.record.invocation == slow.invocation);
        let story = story.filter(|story| is_of(story, slow)).ok_or_else(|| {
            let before = Unit::Seconds.shown(slow.latency as f64 / 1e9);
            format!("invocation {} does not take {before} when the run is made again", slow.invocation)
        })?;
        told.insert(slow.invocation.to_string(), lines(story, explored.origin));
    }
    explored.about["stories"] = json!(told.len());
    explored.chunks.push((STORIES.to_owned(), packed_text(&Value::Object(told).to_string())));
    Ok(())
}

fn is_of(story: &Story, slow: &Slow) -> bool {
    let latency = story.record.causes.as_ref().map(|causes| causes.parts.sum().as_nanos());
    latency.is_some_and(|latency| latency.abs_diff(slow.latency) <= INEXACT)
}

/// When, as dates of the page count, for how many nanoseconds, and what.
fn lines(story: &Story, origin: u64) -> Value {
    let date = |at: SimTime| at.as_nanos().saturating_sub(origin);
    let lines = story::lines(story).into_iter();
    lines.map(|line| json!([date(line.at), line.length.map(|length| length.as_nanos()), line.what])).collect()
}
