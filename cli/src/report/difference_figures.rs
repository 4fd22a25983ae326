//! Figures of what differs between two runs.

use hearth_serverless::experiment::{ComparedInvocations, DifferenceBin, RunDifference};
use hearth_serverless::results::Unit;

use super::figure::{Axis, Content, Figure, Joined, Plot, Point, Series, Sides};

/// So many functions are in the picture.
const FUNCTIONS: usize = 20;

const SIDES: [&str; 2] = ["faster in the second run", "slower in the second run"];

fn figure(name: &str, title: &str, note: &str, content: Content) -> Figure {
    Figure { name: name.to_owned(), title: title.to_owned(), note: note.to_owned(), content }
}

/// By how much latencies of an interval are apart, in words.
pub fn name_of_bin(bin: &DifferenceBin) -> String {
    let [from, to] = [bin.from_s, bin.to_s].map(|seconds| Unit::Seconds.on_axis(seconds));
    if bin.from_s > 0.0 { format!("{from} to {to}") } else { format!("below {to}") }
}

/// How differences are distributed, and what they were over time.
pub fn of(difference: &RunDifference) -> Vec<Figure> {
    let rows = difference.distribution.iter().map(|bin| (name_of_bin(bin), [bin.won as f64, bin.lost as f64]));
    let sides = Sides { unit: Unit::Count, names: SIDES, rows: rows.collect() };
    let figures = [
        figure("differences", "How far latencies are apart: invocations", DISTRIBUTION_NOTE, Content::Sides(sides)),
        over_time(
            difference,
            ("differences-over-time", "What was won and lost, by the date of the request"),
            "time of all requests of an interval",
            [(SIDES[0], |of| of.won_s), (SIDES[1], |of| of.lost_s)],
        ),
        over_time(
            difference,
            ("latencies-over-time", "Mean latency of each run, by the date of the request"),
            "mean latency",
            [("first run", |of| of.mean_latency_s[0]), ("second run", |of| of.mean_latency_s[1])],
        ),
    ];
    figures.into_iter().filter(|figure| !figure.content.is_empty()).collect()
}

const DISTRIBUTION_NOTE: &str =
    "Of invocations that complete in both runs; those whose latency is the same are in no bar.";

type Of = fn(&ComparedInvocations) -> f64;

fn over_time(difference: &RunDifference, (name, title): (&str, &str), label: &str, series: [(&str, Of); 2]) -> Figure {
    let of = &difference.over_time;
    // In an interval in which nothing was requested there is nothing to be seen.
    let points =
        |value: Of| of.intervals.iter().map(move |it| Point::exact(it.from_s, value(&it.invocations))).collect();
    let series = series.map(|(name, value)| Series { name: name.to_owned(), points: points(value) });
    let (x, y) = (Axis::linear("date of the request", Unit::Seconds), Axis::linear(label, Unit::Seconds));
    let is_any = series.iter().any(|series| series.points.iter().any(|point| point.y > 0.0));
    let shown = if is_any { series.to_vec() } else { Vec::new() };
    let note = format!("Of intervals of {}.", Unit::Seconds.on_axis(of.step_s));
    figure(name, title, &note, Content::Plot(Plot::new(x, y, Joined::Line, shown)))
}

/// What functions have won and lost.
pub fn by_function(difference: &RunDifference) -> Vec<Figure> {
    let moved = difference.functions.iter().filter(|of| of.invocations.won_s + of.invocations.lost_s > 0.0);
    let rows = moved.take(FUNCTIONS).map(|of| (of.function.clone(), [of.invocations.won_s, of.invocations.lost_s]));
    let sides = Sides { unit: Unit::Seconds, names: SIDES, rows: rows.collect() };
    let note = if sides.rows.len() < FUNCTIONS { "" } else { "Those that changed most." };
    let figure = figure("functions", "What functions have won and lost: time", note, Content::Sides(sides));
    if figure.content.is_empty() { Vec::new() } else { vec![figure] }
}
