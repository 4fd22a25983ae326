//! Draws figures as SVG.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::figure::{Axis, Bars, Content, Figure, Joined, Plot, Point, Scale, Timeline};
use super::theme::{self, GRID, GROUND, INK, MUTED, SERIES};
use crate::quantity::{Unit, trimmed};

/// The width of pictures.
const WIDTH: u32 = 800;
/// The height of what is under title and legend, except where rows need more.
const HEIGHT: u32 = 380;
const TITLE: i32 = 34;
const LEGEND_LINE: i32 = 22;
const ROW: i32 = 26;
/// About what a letter takes at the size of legends.
const LETTER: i32 = 8;
/// Rows of containers in a picture that cannot be moved, and what they do; the page shows all.
const STATIC_ROWS: usize = 60;
const STATIC_SPANS: usize = 4_000;

/// Why a picture cannot be drawn.
pub type DrawError = Box<dyn std::error::Error>;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn font(size: u32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

/// How lines of series are dashed, in pixels drawn and left out.
fn dashes(series: usize) -> Option<(i32, i32)> {
    [None, Some((9, 4)), Some((3, 3)), Some((14, 5))][series % 4]
}

/// A figure as a picture of its own, with title and legend.
pub fn to_svg(figure: &Figure) -> Result<String, DrawError> {
    let names: Vec<(String, RGBColor)> = match &figure.content {
        Content::Plot(plot) => {
            let colours = SERIES.iter().cycle();
            plot.series.iter().zip(colours).map(|(series, colour)| (series.name.clone(), colour.light)).collect()
        }
        Content::Bars(_) => Vec::new(),
        Content::Timeline(_) => theme::PHASES.map(|(name, colour)| (name.to_owned(), colour.light)).to_vec(),
    };
    let lines = legend_lines(&names);
    let body = match &figure.content {
        Content::Plot(_) => HEIGHT,
        Content::Bars(bars) => (bars.rows.len() as i32 * ROW + 16) as u32,
        Content::Timeline(timeline) => (rows_of(timeline).len().min(STATIC_ROWS) * 10 + 60) as u32,
    };
    let top = TITLE + lines.len() as i32 * LEGEND_LINE + 4;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, body + top as u32)).into_drawing_area();
        root.fill(&GROUND.light)?;
        root.draw(&Text::new(figure.title.clone(), (12, 8), font(19, INK.light)))?;
        let joined = match &figure.content {
            Content::Plot(plot) => Some(plot.joined),
            _ => None,
        };
        draw_legend(&root, &names, &lines, joined)?;
        let (_, area) = root.split_vertically(top);
        match &figure.content {
            Content::Plot(plot) => draw_plot(&area, plot)?,
            Content::Bars(bars) => draw_bars(&area, bars)?,
            Content::Timeline(timeline) => draw_timeline(&area, timeline)?,
        }
        root.present()?;
    }
    Ok(svg)
}

/// Which names go into which line.
fn legend_lines(names: &[(String, RGBColor)]) -> Vec<Vec<usize>> {
    let mut lines: Vec<Vec<usize>> = Vec::new();
    let mut used = WIDTH as i32;
    for (position, (name, _)) in names.iter().enumerate() {
        let width = legend_width(name);
        if used + width > WIDTH as i32 - 12 {
            lines.push(Vec::new());
            used = 12;
        }
        used += width;
        lines.last_mut().into_iter().for_each(|line| line.push(position));
    }
    lines
}

fn legend_width(name: &str) -> i32 {
    56 + name.chars().count() as i32 * LETTER
}

fn draw_legend(
    root: &Area<'_>,
    names: &[(String, RGBColor)],
    lines: &[Vec<usize>],
    joined: Option<Joined>,
) -> Result<(), DrawError> {
    for (line, positions) in lines.iter().enumerate() {
        let (mut x, y) = (12, TITLE + line as i32 * LEGEND_LINE + 10);
        for &position in positions {
            let (name, colour) = &names[position];
            let style = colour.stroke_width(3);
            match joined.and(dashes(position)) {
                _ if joined == Some(Joined::Marks) => {}
                None => root.draw(&PathElement::new(vec![(x, y), (x + 26, y)], style))?,
                Some((drawn, left_out)) => {
                    let mut from = x;
                    while from < x + 26 {
                        root.draw(&PathElement::new(vec![(from, y), ((from + drawn).min(x + 26), y)], style))?;
                        from += drawn + left_out;
                    }
                }
            }
            if matches!(joined, Some(Joined::Marks | Joined::MarkedLine)) {
                root.draw(&mark(position, (x + 13, y), *colour))?;
            }
            let anchored = font(15, INK.light).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(name.clone(), (x + 33, y), anchored))?;
            x += legend_width(name);
        }
    }
    Ok(())
}

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

/// Seconds of the unit in which an even axis of times has round numbers, and the unit.
fn unit_of_time(greatest: f64) -> (f64, &'static str) {
    match greatest {
        s if s > 4.0 * 86_400.0 => (86_400.0, "d"),
        s if s > 4.0 * 3_600.0 => (3_600.0, "h"),
        s if s > 240.0 => (60.0, "min"),
        s if s > 1.0 => (1.0, "s"),
        _ => (1e-3, "ms"),
    }
}

/// The axis, and by what its numbers are to be divided, so that even steps are round.
fn in_round_unit(axis: &Axis, values: impl Iterator<Item = f64>) -> (Axis, f64) {
    if (axis.unit, axis.scale) != (Unit::Seconds, Scale::Linear) {
        return (axis.clone(), 1.0);
    }
    let (factor, unit) = unit_of_time(values.fold(0.0, f64::max));
    let label = if axis.label.is_empty() { unit.to_owned() } else { format!("{} ({unit})", axis.label) };
    (Axis { label, unit: Unit::Plain, scale: Scale::Linear }, factor)
}

fn with_round_axes(plot: &Plot) -> Plot {
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let (x, x_factor) = in_round_unit(&plot.x, points().map(|point| point.x + point.x_half));
    let (y, y_factor) = in_round_unit(&plot.y, points().map(|point| point.y + point.y_half));
    let mut plot = Plot { x, y, ..plot.clone() };
    for point in plot.series.iter_mut().flat_map(|series| &mut series.points) {
        point.x /= x_factor;
        point.x_half /= x_factor;
        point.y /= y_factor;
        point.y_half /= y_factor;
    }
    plot
}

fn draw_plot(area: &Area<'_>, plot: &Plot) -> Result<(), DrawError> {
    let plot = &with_round_axes(plot);
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let x = range(&plot.x, points().flat_map(|point| [point.x - point.x_half, point.x + point.x_half]));
    let y = range(&plot.y, points().flat_map(|point| [point.y - point.y_half, point.y + point.y_half]));
    // Four kinds of coordinates, each a type of its own.
    match (plot.x.scale, plot.y.scale) {
        (Scale::Linear, Scale::Linear) => chart(area, plot, x.0..x.1, y.0..y.1, (x.0, y.0)),
        (Scale::Linear, Scale::Logarithmic) => chart(area, plot, x.0..x.1, (y.0..y.1).log_scale(), (x.0, y.0)),
        (Scale::Logarithmic, Scale::Linear) => chart(area, plot, (x.0..x.1).log_scale(), y.0..y.1, (x.0, y.0)),
        (Scale::Logarithmic, Scale::Logarithmic) => {
            chart(area, plot, (x.0..x.1).log_scale(), (y.0..y.1).log_scale(), (x.0, y.0))
        }
    }
}

fn chart<X, Y>(
    area: &Area<'_>,
    plot: &Plot,
    x: impl AsRangedCoord<CoordDescType = X, Value = f64>,
    y: impl AsRangedCoord<CoordDescType = Y, Value = f64>,
    least: (f64, f64),
) -> Result<(), DrawError>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let mut builder = ChartBuilder::on(area);
    builder.margin_right(24).margin_left(6).margin_top(8).x_label_area_size(48).y_label_area_size(84);
    let mut chart = builder.build_cartesian_2d(x, y)?;
    let across = |value: &f64| plot.x.unit.on_axis(*value);
    let up = |value: &f64| plot.y.unit.on_axis(*value);
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).bold_line_style(GRID.light).axis_style(MUTED.light);
    mesh.label_style(font(15, MUTED.light)).axis_desc_style(font(15, INK.light));
    mesh.x_desc(plot.x.label.as_str()).y_desc(plot.y.label.as_str()).x_labels(7).y_labels(6);
    mesh.x_label_formatter(&across).y_label_formatter(&up);
    mesh.draw()?;
    for (number, series) in plot.series.iter().enumerate() {
        let colour = SERIES[number % SERIES.len()].light;
        let is_shown = |point: &&Point| {
            let on = |axis: &Axis, value: f64| value.is_finite() && (axis.scale == Scale::Linear || value > 0.0);
            on(&plot.x, point.x) && on(&plot.y, point.y)
        };
        let points: Vec<Point> = series.points.iter().filter(is_shown).copied().collect();
        let above = |value: f64, least: f64| value.max(least);
        if plot.joined == Joined::Marks {
            for point in &points {
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
        if plot.joined != Joined::Marks {
            match dashes(number) {
                None => chart.draw_series(LineSeries::new(line(), colour.stroke_width(2)))?,
                Some((drawn, left_out)) => {
                    let style = colour.stroke_width(2);
                    chart.draw_series(DashedLineSeries::new(line(), drawn, left_out, style))?
                }
            };
        }
        if plot.joined != Joined::Line {
            let marks = line().map(|point| mark(number, point, colour));
            chart.draw_series(marks)?;
        }
    }
    Ok(())
}

/// The mark of a series.
fn mark<'a, Place: Clone + 'static>(
    series: usize,
    at: Place,
    colour: RGBColor,
) -> DynElement<'static, SVGBackend<'a>, Place> {
    let style = colour.filled();
    match series % 4 {
        0 => Circle::new(at, 4, style).into_dyn(),
        1 => TriangleMarker::new(at, 6, style).into_dyn(),
        2 => Circle::new(at, 5, colour.stroke_width(2)).into_dyn(),
        _ => Cross::new(at, 5, colour.stroke_width(2)).into_dyn(),
    }
}

fn draw_bars(area: &Area<'_>, bars: &Bars) -> Result<(), DrawError> {
    let longest = bars.rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0) as i32;
    let left = 24 + (longest * LETTER).min(WIDTH as i32 / 2);
    let greatest = bars.rows.iter().map(|(_, value, half)| value + half).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let width = f64::from(WIDTH as i32 - left - 170);
    for (row, (name, value, half)) in (0..).zip(&bars.rows) {
        let y = row * ROW;
        let colour = SERIES[row as usize % SERIES.len()].light;
        let end = |value: f64| left + (value / greatest * width) as i32;
        let (at_left, middle) = (Pos::new(HPos::Right, VPos::Center), y + ROW / 2);
        area.draw(&Text::new(name.clone(), (left - 10, middle), font(15, INK.light).pos(at_left)))?;
        area.draw(&Rectangle::new([(left, y + 4), (end(*value).max(left + 1), y + ROW - 4)], colour.filled()))?;
        let mut text = bars.unit.on_axis(*value);
        if *half > 0.0 {
            let interval = vec![(end((value - half).max(0.0)), middle), (end(value + half), middle)];
            area.draw(&PathElement::new(interval, INK.light.stroke_width(2)))?;
            text = format!("{text} ± {}", bars.unit.on_axis(*half));
        }
        let anchored = font(14, MUTED.light).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(text, (end(value + half) + 8, middle), anchored))?;
    }
    Ok(())
}

/// The rows of containers, by node.
fn rows_of(timeline: &Timeline) -> Vec<(u64, u64)> {
    let rows: std::collections::BTreeSet<(u64, u64)> = timeline.spans.iter().map(|span| span.row).collect();
    rows.into_iter().collect()
}

fn draw_timeline(area: &Area<'_>, timeline: &Timeline) -> Result<(), DrawError> {
    let rows: Vec<(u64, u64)> = rows_of(timeline).into_iter().take(STATIC_ROWS).collect();
    let place: std::collections::BTreeMap<(u64, u64), f64> =
        rows.iter().enumerate().map(|(place, row)| (*row, place as f64)).collect();
    let mut spans: Vec<_> = timeline.spans.iter().filter(|span| place.contains_key(&span.row)).collect();
    spans.sort_by(|one, other| one.begin.total_cmp(&other.begin));
    // As much of the beginning as a picture can hold.
    let end = spans.get(STATIC_SPANS).map(|span| span.begin);
    let end = end.unwrap_or_else(|| spans.iter().map(|span| span.end).fold(0.0, f64::max)).max(1e-9);
    let mut builder = ChartBuilder::on(area);
    builder.margin_right(24).margin_left(6).margin_top(4).x_label_area_size(44).y_label_area_size(84);
    let (factor, unit) = unit_of_time(end);
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
        .x_labels(7);
    mesh.x_label_formatter(&time).y_labels(rows.len() + 1).y_label_formatter(&node);
    mesh.draw()?;
    let colour =
        |category: &str| theme::PHASES.iter().find(|(name, _)| *name == category).map(|(_, colour)| colour.light);
    let shapes = spans.iter().filter(|span| span.begin < end).filter_map(|span| {
        let (row, colour) = (place.get(&span.row)?, colour(&span.category)?);
        Some(Rectangle::new(
            [(span.begin / factor, row + 0.1), (span.end.min(end) / factor, row + 0.9)],
            colour.filled(),
        ))
    });
    chart.draw_series(shapes)?;
    Ok(())
}

/// An SVG picture whose colours follow the page it stands in.
pub fn for_page(svg: &str) -> String {
    theme::all().fold(svg.to_owned(), |svg, colour| {
        svg.replace(&format!("\"{}\"", theme::hex(colour.light)), &format!("\"var(--{})\"", colour.variable))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::Series;

    fn figure(joined: Joined, scale: Scale) -> Figure {
        let axis = |label: &str| Axis { label: label.to_owned(), unit: Unit::Seconds, scale };
        let points = |factor: f64| {
            (0..5).map(|x| Point { y_half: 0.2, ..Point::exact(f64::from(x), f64::from(x) * factor) }).collect()
        };
        let series = [1.0, 2.0].map(|factor| Series { name: format!("times {factor}"), points: points(factor) });
        let plot = Plot { x: axis("across"), y: axis("up"), joined, series: series.to_vec() };
        let (name, title) = ("name".to_owned(), "A title".to_owned());
        Figure { name, title, note: String::new(), content: Content::Plot(plot) }
    }

    #[test]
    fn every_kind_of_plot_is_drawn_with_title_labels_and_legend() {
        for joined in [Joined::Line, Joined::MarkedLine, Joined::Marks] {
            for scale in [Scale::Linear, Scale::Logarithmic] {
                let svg = to_svg(&figure(joined, scale)).unwrap();
                for text in ["A title", "across", "up", "times 1", "times 2"] {
                    assert!(svg.contains(text), "{text} is not in {svg}");
                }
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
        }
    }

    #[test]
    fn empty_figures_are_drawn_too() {
        let mut empty = figure(Joined::Line, Scale::Logarithmic);
        let Content::Plot(plot) = &mut empty.content else { unreachable!() };
        plot.series.clear();
        to_svg(&empty).unwrap();
        for content in
            [Content::Bars(Bars { unit: Unit::Plain, rows: Vec::new() }), Content::Timeline(Timeline::default())]
        {
            to_svg(&Figure { content, ..empty.clone() }).unwrap();
        }
    }

    #[test]
    fn on_a_page_no_colour_is_fixed() {
        let page = for_page(&to_svg(&figure(Joined::MarkedLine, Scale::Linear)).unwrap());
        assert!(page.contains("var(--series-0)") && page.contains("var(--ink)"));
        assert!(!page.contains("\"#"), "{page}");
    }
}
