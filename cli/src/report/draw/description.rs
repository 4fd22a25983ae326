//! What a figure shows, in words.

use hearth_serverless::results::Unit;

use super::gantt_chart::rows_of;
use crate::report::figure::{Bars, Content, GanttChart, Panel, Plot, Series, Sides};

/// The content of a figure in a few sentences, with its numbers.
pub fn of(content: &Content) -> String {
    match content {
        Content::Plot(plot) => of_plot(plot),
        Content::Bars(bars) => of_bars(bars),
        Content::Sides(sides) => of_sides(sides),
        Content::GanttChart(timeline) => of_timeline(timeline),
    }
}

fn of_plot(plot: &Plot) -> String {
    let (x, y) = (plot.x.unit, plot.y.unit);
    let series = |series: &Series| {
        let (first, last) = (series.points.first()?, series.points.last()?);
        let at = |point: &crate::report::figure::Point| format!("{} at {}", y.on_axis(point.y), x.on_axis(point.x));
        Some(format!("{}: {} to {}", series.name, at(first), at(last)))
    };
    let panel = |panel: &Panel| {
        let parts: Vec<String> = panel.series.iter().filter_map(series).collect();
        let title = if panel.title.is_empty() { String::new() } else { format!("{}: ", panel.title) };
        format!("{title}{}", parts.join("; "))
    };
    let parts: Vec<String> = plot.panels.iter().map(panel).collect();
    format!("{} over {}. {}.", plot.y.label, plot.x.label, parts.join(". "))
}

fn of_bars(bars: &Bars) -> String {
    let row = |(name, value, _): &(String, f64, f64)| format!("{name}: {}", bars.unit.on_axis(*value));
    bars.rows.iter().map(row).collect::<Vec<_>>().join("; ")
}

fn of_sides(sides: &Sides) -> String {
    let row = |(name, lengths): &(String, [f64; 2])| {
        let [left, right] = lengths.map(|length| sides.unit.on_axis(length));
        let [of_left, of_right] = sides.names;
        format!("{name}: {left} {of_left}, {right} {of_right}")
    };
    sides.rows.iter().map(row).collect::<Vec<_>>().join("; ")
}

fn of_timeline(timeline: &GanttChart) -> String {
    let rows = rows_of(timeline);
    let nodes: std::collections::BTreeSet<u64> = rows.iter().map(|(node, _)| *node).collect();
    let end = timeline.spans.iter().map(|span| span.end).fold(0.0, f64::max);
    format!(
        "{} containers on {} nodes over {}, and when each starts, runs and is idle.",
        rows.len(),
        nodes.len(),
        Unit::Seconds.shown(end)
    )
}
