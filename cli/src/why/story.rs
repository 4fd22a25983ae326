//! The story of one invocation.

use std::fmt::Write;

use hearth_serverless::causes::Cause;
use hearth_serverless::experiment::About;
use hearth_serverless::results::{Story, StoryEvent, Unit};
use hearth_simcore::time::{SimDuration, SimTime};
use serde_json::{Value, json};

/// So many spans in a row are told one by one.
const MOST_SPANS: usize = 5;

fn shown(length: SimDuration) -> String {
    Unit::Seconds.shown(length.as_secs_f64())
}

fn name(names: &[String], number: u32) -> String {
    names.get(number as usize).cloned().unwrap_or_else(|| number.to_string())
}

/// The latency, or how long it has been under way.
fn length(story: &Story) -> SimDuration {
    story.record.causes.as_ref().map_or(SimDuration::ZERO, |causes| causes.parts.sum())
}

/// As text: a dozen lines.
pub fn as_text(story: &Story, about: &About) -> String {
    let mut text = String::new();
    let record = &story.record;
    let function = name(&about.functions, record.function.number());
    let on = record.node.map_or_else(String::new, |node| format!(" on {}", name(&about.nodes, node)));
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "invocation {} of {function}: {}{on} after {}",
        record.invocation,
        record.outcome.as_str().replace('_', " "),
        shown(length(story)),
    );
    if let Some(failure) = &record.failure {
        let _ = writeln!(text, "  {failure}");
    }
    let _ = writeln!(text, "\n  {:>16}  {:>10}", "at", "for");
    for Line { at, length, what } in lines(story) {
        let length = length.map_or_else(String::new, shown);
        let _ = writeln!(text, "  {:>14} s  {length:>10}  {what}", format!("{at}"));
    }
    if let Some(causes) = &record.causes {
        let all = causes.parts.sum().as_secs_f64();
        let mut parts: Vec<_> = causes.parts.iter().collect();
        parts.sort_by_key(|(cause, length)| (std::cmp::Reverse(*length), *cause));
        let _ = writeln!(text, "\n  of {}:", shown(causes.parts.sum()));
        for (cause, length) in parts {
            let share = if all > 0.0 { 100.0 * length.as_secs_f64() / all } else { 0.0 };
            let _ = writeln!(text, "  {:>10}  {share:>5.1} %  {}: {}", shown(length), cause.title(), cause.note());
        }
    }
    text
}

/// A line of a story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// When.
    pub at: SimTime,
    /// For how long, if time was spent on it.
    pub length: Option<SimDuration>,
    /// What.
    pub what: String,
}

/// What happened, from the request to the end.
pub fn lines(story: &Story) -> Vec<Line> {
    let record = &story.record;
    let told = |at: SimTime, what: String| Line { at, length: None, what };
    let mut lines: Vec<Line> = record.requested_at.map(|at| told(at, "is requested".to_owned())).into_iter().collect();
    let mut spans: Vec<(SimTime, Cause, SimDuration)> = Vec::new();
    for event in &story.events {
        match event {
            StoryEvent::Told { at, what } => {
                tell_spans(&mut lines, &mut spans);
                lines.push(told(*at, what.clone()));
            }
            StoryEvent::Spent { from, parts, .. } => {
                let mut from = *from;
                for (cause, length) in parts {
                    spans.push((from, *cause, *length));
                    from = from + *length;
                }
            }
        }
    }
    tell_spans(&mut lines, &mut spans);
    let ends = format!("ends: {}", record.outcome.as_str().replace('_', " "));
    lines.extend(record.finished_at.map(|at| told(at, ends)));
    lines
}

/// Lines for spans between two things that are told. Where there are many of few causes, each has one line.
fn tell_spans(lines: &mut Vec<Line>, spans: &mut Vec<(SimTime, Cause, SimDuration)>) {
    let mut causes: Vec<(SimTime, Cause, SimDuration, usize)> = Vec::new();
    let is_long = spans.len() > MOST_SPANS;
    for (from, cause, length) in spans.drain(..) {
        match causes.iter_mut().find(|(_, of, ..)| is_long && *of == cause) {
            Some((_, _, sum, count)) => (*sum, *count) = (*sum + length, *count + 1),
            None => causes.push((from, cause, length, 1)),
        }
    }
    for (at, cause, length, count) in causes {
        let policy = cause.policy().map_or_else(String::new, |slot| format!(" [{}]", slot.path()));
        let times = if count > 1 { format!(", {count} times") } else { String::new() };
        lines.push(Line { at, length: Some(length), what: format!("{}{policy}{times}", cause.title()) });
    }
}

/// For programs.
pub fn as_json(story: &Story, about: &About) -> Value {
    let record = &story.record;
    let date = |date: Option<SimTime>| date.map(SimTime::as_secs_f64);
    let event = |event: &StoryEvent| match event {
        StoryEvent::Told { at, what } => json!({"at_s": at.as_secs_f64(), "what": what}),
        StoryEvent::Spent { from, to, parts } => {
            let parts = parts.iter().map(|(cause, length)| {
                json!({"cause": cause.name(), "seconds": length.as_secs_f64(), "policy": cause.policy().map(|slot| slot.path())})
            });
            json!({"from_s": from.as_secs_f64(), "to_s": to.as_secs_f64(), "parts": parts.collect::<Vec<_>>()})
        }
    };
    let parts = record.causes.iter().flat_map(|causes| causes.parts.iter());
    let parts = parts.map(|(cause, length)| (cause.name().to_owned(), json!(length.as_secs_f64())));
    let cold = record.causes.as_ref().and_then(|causes| causes.cold_start).map(|cold| {
        json!({
            "cause": cold.cause.name(), "policy": cold.cause.policy().map(|slot| slot.path()),
            "container_ended_at_s": date(cold.end.map(|end| end.at)), "node": cold.node.map(|node| name(&about.nodes, node)),
            "evicted_for": cold.end.and_then(|end| end.evicted_for).map(|function| name(&about.functions, function.number())),
        })
    });
    json!({
        "invocation": record.invocation,
        "function": name(&about.functions, record.function.number()),
        "node": record.node.map(|node| name(&about.nodes, node)),
        "start": record.start.map(hearth_serverless::invocation::Start::as_str),
        "outcome": record.outcome.as_str(),
        "failure": record.failure.as_deref(),
        "requested_at_s": date(record.requested_at),
        "started_at_s": date(record.started_at),
        "finished_at_s": date(record.finished_at),
        "latency_s": length(story).as_secs_f64(),
        "causes": parts.collect::<serde_json::Map<_, _>>(),
        "cold_start": cold,
        "story": story.events.iter().map(event).collect::<Vec<_>>(),
    })
}
