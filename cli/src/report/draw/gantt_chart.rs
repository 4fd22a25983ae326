//! Draws the containers of nodes over time, as much as a picture that cannot be moved can hold; the page shows all.

use plotters::prelude::*;

use super::{Area, DrawError, font};
use crate::report::figure::GanttChart;
use crate::report::theme::{self, GRID, INK, MUTED};
use hearth_serverless::results::{Unit, trimmed};

/// Rows of containers, and what they do.
const ROWS: usize = 60;
const SPANS: usize = 4_000;

/// The height of the picture below its legend.
pub fn height(timeline: &GanttChart) -> u32 {
    (rows_of(timeline).len().min(ROWS) * 10 + 60) as u32
}

/// The rows of containers, by node.
pub fn rows_of(timeline: &GanttChart) -> Vec<(u64, u64)> {
    let rows: std::collections::BTreeSet<(u64, u64)> = timeline.spans.iter().map(|span| span.row).collect();
    rows.into_iter().collect()
}

pub fn draw(area: &Area<'_>, timeline: &GanttChart) -> Result<(), DrawError> {
    let rows: Vec<(u64, u64)> = rows_of(timeline).into_iter().take(ROWS).collect();
    let place: std::collections::BTreeMap<(u64, u64), f64> =
        rows.iter().enumerate().map(|(place, row)| (*row, place as f64)).collect();
    let mut spans: Vec<_> = timeline.spans.iter().filter(|span| place.contains_key(&span.row)).collect();
    spans.sort_by(|one, other| one.begin.total_cmp(&other.begin));
    // As much of the beginning as a picture can hold.
    let end = spans.get(SPANS).map(|span| span.begin);
    let end = end.unwrap_or_else(|| spans.iter().map(|span| span.end).fold(0.0, f64::max)).max(1e-9);
    let mut builder = ChartBuilder::on(area);
    builder.margin_right(24).margin_left(6).margin_top(4).x_label_area_size(44).y_label_area_size(104);
    let (factor, unit) = Unit::of_even_times(end);
    let mut chart = builder.build_cartesian_2d(0.0..end / factor, rows.len() as f64..0.0)?;
    let node = |row: &f64| {
        let Some((process, thread)) = rows.get(*row as usize).copied() else { return String::new() };
        let is_first =
            thread == rows.iter().filter(|(other, _)| *other == process).map(|(_, row)| *row).min().unwrap_or(0);
        let name = timeline.nodes.iter().find(|(number, _)| *number == process).map_or("", |(_, name)| name);
        if is_first { name.to_owned() } else { String::new() }
    };
    let time = |value: &f64| trimmed(*value);
    let mut mesh = chart.configure_mesh();
    mesh.disable_y_mesh().light_line_style(TRANSPARENT).bold_line_style(GRID.light).axis_style(MUTED.light);
    mesh.label_style(font(15, MUTED.light))
        .axis_desc_style(font(15, INK.light))
        .x_desc(format!("time ({unit})"))
        .y_desc("containers of each node")
        .x_labels(7);
    mesh.x_label_formatter(&time).y_labels(rows.len() + 1).y_label_formatter(&node);
    mesh.draw()?;
    let colour = |phase: &str| theme::PHASES.iter().find(|(name, _)| *name == phase).map(|(_, colour)| colour.light);
    let shapes = spans.iter().filter(|span| span.begin < end).filter_map(|span| {
        let (row, colour) = (place.get(&span.row)?, colour(&span.phase)?);
        Some(Rectangle::new(
            [(span.begin / factor, row + 0.1), (span.end.min(end) / factor, row + 0.9)],
            colour.filled(),
        ))
    });
    chart.draw_series(shapes)?;
    Ok(())
}
