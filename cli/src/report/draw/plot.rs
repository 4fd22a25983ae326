//! Draws plots: series on axes, in one panel or several.

use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

use super::legend::{self, Legend, dashes, mark};
use super::{Area, DrawError, WIDTH, font};
use crate::report::figure::{Axis, Joined, Panel, Plot, Point, Scale, Series};
use crate::report::theme::{GRID, INK, MUTED, SERIES};
use hearth_serverless::results::Unit;

/// The height of the only panel, and of one of several, without titles and legends.
const HEIGHT: u32 = 380;
const PANEL_HEIGHT: u32 = 250;
/// Panels beside each other.
const COLUMNS: usize = 2;
const PANEL_TITLE: u32 = 24;

/// From the least to the greatest value that an axis has to show.
fn range(axis: &Axis, ends: impl Iterator<Item = f64>) -> (f64, f64) {
    let is_shown = |value: &f64| value.is_finite() && (axis.scale == Scale::Linear || *value > 0.0);
    let (low, high) = ends
        .filter(is_shown)
        .fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)));
    match axis.scale {
        Scale::Linear if axis.unit == Unit::Share && high > 0.75 => (0.0, 1.0),
        Scale::Linear => (0.0, if high > 0.0 { high * 1.05 } else { 1.0 }),
        Scale::Logarithmic if low < high => (low / 1.1, high * 1.1),
        Scale::Logarithmic if low.is_finite() => (low / 2.0, low * 2.0),
        Scale::Logarithmic => (0.1, 10.0),
    }
}

/// The axis, and by what its numbers are to be divided, so that even steps are round.
fn in_round_unit(axis: &Axis, values: impl Iterator<Item = f64>) -> (Axis, f64) {
    if (axis.unit, axis.scale) != (Unit::Seconds, Scale::Linear) {
        return (axis.clone(), 1.0);
    }
    let (factor, unit) = Unit::of_even_times(values.fold(0.0, f64::max));
    let label = if axis.label.is_empty() { unit.to_owned() } else { format!("{} ({unit})", axis.label) };
    (Axis { label, unit: Unit::Plain, scale: Scale::Linear }, factor)
}

fn with_round_axes(plot: &Plot) -> Plot {
    let (x, x_factor) = in_round_unit(&plot.x, plot.points().map(|point| point.x + point.x_half));
    let (y, y_factor) = in_round_unit(&plot.y, plot.points().map(|point| point.y + point.y_half));
    let mut plot = Plot { x, y, ..plot.clone() };
    for panel in &mut plot.panels {
        for point in panel.series.iter_mut().chain(&mut panel.others).flat_map(|series| &mut series.points) {
            point.x /= x_factor;
            point.x_half /= x_factor;
            point.y /= y_factor;
            point.y_half /= y_factor;
        }
    }
    plot
}

/// Panels of more names than colours have a legend each; the others share the one of the picture.
pub fn has_legends_in_panels(plot: &Plot) -> bool {
    plot.panels.iter().any(|panel| !panel.others.is_empty())
}

/// The legend of one panel, by the places of its names in the whole.
fn legend_of(plot: &Plot, panel: &Panel, width: u32) -> Legend {
    let names = plot.names();
    let place = |series: &Series| names.iter().position(|name| *name == series.name).unwrap_or(0);
    let entries = panel.series.iter().map(|series| (place(series), series.name.clone()));
    Legend::new(entries.collect(), plot.joined, width)
}

/// The height of everything below the title and the legend of the picture.
pub fn height(plot: &Plot) -> u32 {
    if plot.panels.len() < 2 {
        return HEIGHT;
    }
    let rows = plot.panels.chunks(COLUMNS);
    rows.map(|row| row_height(plot, row)).sum()
}

fn row_height(plot: &Plot, row: &[Panel]) -> u32 {
    let width = WIDTH / COLUMNS as u32;
    let legend = |panel: &Panel| {
        if has_legends_in_panels(plot) { legend_of(plot, panel, width).height() } else { PANEL_TITLE }
    };
    PANEL_HEIGHT + row.iter().map(legend).max().unwrap_or(0)
}

/// Draws all panels.
pub fn draw(area: &Area<'_>, plot: &Plot) -> Result<(), DrawError> {
    let round = with_round_axes(plot);
    if let [panel] = &round.panels[..] {
        return draw_panel(area, &round, panel);
    }
    let (mut rest, names_in_panels) = (area.clone(), has_legends_in_panels(plot));
    for row in round.panels.chunks(COLUMNS) {
        let height = row_height(&round, row);
        let (this, below) = rest.split_vertically(height);
        rest = below;
        let head = height - PANEL_HEIGHT;
        for (panel, place) in row.iter().zip(this.split_evenly((1, COLUMNS))) {
            let (above, chart) = place.split_vertically(head);
            if names_in_panels {
                legend::draw(&above, &legend_of(&round, panel, WIDTH / COLUMNS as u32))?;
            } else {
                above.draw(&Text::new(panel.title.clone(), (12, 4), font(15, INK.light)))?;
            }
            draw_panel(&chart, &round, panel)?;
        }
    }
    Ok(())
}

fn draw_panel(area: &Area<'_>, plot: &Plot, panel: &Panel) -> Result<(), DrawError> {
    let points = || plot.points();
    let x = range(&plot.x, points().flat_map(|point| [point.x - point.x_half, point.x + point.x_half]));
    let y = range(&plot.y, points().flat_map(|point| [point.y - point.y_half, point.y + point.y_half]));
    let chart = Chart { plot, panel, least: (x.0, y.0) };
    // Four kinds of coordinates, each a type of its own.
    match (plot.x.scale, plot.y.scale) {
        (Scale::Linear, Scale::Linear) => chart.draw(area, x.0..x.1, y.0..y.1),
        (Scale::Linear, Scale::Logarithmic) => chart.draw(area, x.0..x.1, (y.0..y.1).log_scale()),
        (Scale::Logarithmic, Scale::Linear) => chart.draw(area, (x.0..x.1).log_scale(), y.0..y.1),
        (Scale::Logarithmic, Scale::Logarithmic) => chart.draw(area, (x.0..x.1).log_scale(), (y.0..y.1).log_scale()),
    }
}

/// What is drawn into one pair of axes.
struct Chart<'a> {
    plot: &'a Plot,
    panel: &'a Panel,
    /// The lower ends of the axes.
    least: (f64, f64),
}

impl Chart<'_> {
    fn draw<X, Y>(
        &self,
        area: &Area<'_>,
        x: impl AsRangedCoord<CoordDescType = X, Value = f64>,
        y: impl AsRangedCoord<CoordDescType = Y, Value = f64>,
    ) -> Result<(), DrawError>
    where
        X: Ranged<ValueType = f64> + ValueFormatter<f64>,
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let plot = self.plot;
        let is_small = plot.panels.len() > 1;
        let mut builder = ChartBuilder::on(area);
        builder.margin_right(24).margin_left(6).margin_top(8).x_label_area_size(48).y_label_area_size(84);
        let mut chart = builder.build_cartesian_2d(x, y)?;
        let across = |value: &f64| plot.x.unit.on_axis(*value);
        let up = |value: &f64| plot.y.unit.on_axis(*value);
        let mut mesh = chart.configure_mesh();
        mesh.light_line_style(TRANSPARENT).bold_line_style(GRID.light).axis_style(MUTED.light);
        let size = if is_small { 13 } else { 15 };
        mesh.label_style(font(size, MUTED.light)).axis_desc_style(font(size, INK.light));
        let marks = if is_small { 4 } else { 7 };
        mesh.x_desc(plot.x.label.as_str()).y_desc(plot.y.label.as_str()).x_labels(marks).y_labels(6);
        mesh.x_label_formatter(&across).y_label_formatter(&up);
        mesh.draw()?;
        for series in &self.panel.others {
            let line: Vec<(f64, f64)> = self.visible(series).iter().map(|point| (point.x, point.y)).collect();
            if plot.joined == Joined::Marks {
                chart.draw_series(line.into_iter().map(|at| Circle::new(at, 2, GRID.light.filled())))?;
            } else {
                chart.draw_series(LineSeries::new(line, GRID.light.stroke_width(2)))?;
            }
        }
        let names = plot.names();
        for series in &self.panel.series {
            let number = names.iter().position(|name| *name == series.name).unwrap_or(0);
            self.draw_series(&mut chart, number, &self.visible(series))?;
        }
        Ok(())
    }

    /// The points that have a place on the axes.
    fn visible(&self, series: &Series) -> Vec<Point> {
        let on = |axis: &Axis, value: f64| value.is_finite() && (axis.scale == Scale::Linear || value > 0.0);
        let is_shown = |point: &&Point| on(&self.plot.x, point.x) && on(&self.plot.y, point.y);
        series.points.iter().filter(is_shown).copied().collect()
    }

    fn draw_series<X, Y>(
        &self,
        chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<X, Y>>,
        number: usize,
        points: &[Point],
    ) -> Result<(), DrawError>
    where
        X: Ranged<ValueType = f64>,
        Y: Ranged<ValueType = f64>,
    {
        let colour = SERIES[number % SERIES.len()].light;
        let (joined, least) = (self.plot.joined, self.least);
        let above = |value: f64, least: f64| value.max(least);
        if joined == Joined::Marks {
            for point in points {
                let across = [(above(point.x - point.x_half, least.0), point.y), (point.x + point.x_half, point.y)];
                let up = [(point.x, above(point.y - point.y_half, least.1)), (point.x, point.y + point.y_half)];
                for line in [across, up] {
                    chart.draw_series([PathElement::new(line.to_vec(), colour.stroke_width(1))])?;
                }
            }
        } else if points.iter().any(|point| point.y_half > 0.0) {
            let upper = points.iter().map(|point| (point.x, point.y + point.y_half));
            let lower = points.iter().rev().map(|point| (point.x, above(point.y - point.y_half, least.1)));
            let around: Vec<(f64, f64)> = upper.chain(lower).collect();
            chart.draw_series([Polygon::new(around, colour.mix(0.15))])?;
        }
        let line = || points.iter().map(|point| (point.x, point.y));
        if joined != Joined::Marks {
            match dashes(number) {
                None => chart.draw_series(LineSeries::new(line(), colour.stroke_width(2)))?,
                Some((drawn, left_out)) => {
                    let style = colour.stroke_width(2);
                    chart.draw_series(DashedLineSeries::new(line(), drawn, left_out, style))?
                }
            };
        }
        if joined != Joined::Line {
            let marks: Vec<_> = line().map(|point| mark(number, point, colour)).collect();
            chart.draw_series(marks)?;
        }
        Ok(())
    }
}
