//! Draws figures as SVG.

mod description;
mod gantt_chart;
mod legend;
mod plot;
mod sides;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use self::legend::Legend;
use super::figure::{Bars, Content, Figure};
use super::theme::{self, GROUND, INK, MUTED, SERIES};

/// The width of pictures.
const WIDTH: u32 = 800;
const TITLE: u32 = 34;
const ROW: i32 = 26;
/// About what a letter takes at the size of legends.
const LETTER: i32 = 8;

/// Why a picture cannot be drawn.
pub type DrawError = Box<dyn std::error::Error>;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn font(size: u32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

/// A figure as a picture of its own, with title, legend, and a description for who cannot see it.
pub fn to_svg(figure: &Figure) -> Result<String, DrawError> {
    let legend = match &figure.content {
        Content::Plot(plot) if plot::has_legends_in_panels(plot) => None,
        Content::Plot(plot) => {
            let names = plot.names().into_iter().map(str::to_owned).enumerate();
            Some(Legend::new(names.collect(), plot.joined, WIDTH))
        }
        Content::Bars(_) => None,
        Content::Sides(sides) => Some(Legend::of_colours(sides::legend(sides), WIDTH)),
        Content::GanttChart(_) => {
            let phases = theme::PHASES.iter().map(|(name, colour)| (colour.light, (*name).to_owned()));
            Some(Legend::of_colours(phases, WIDTH))
        }
    };
    let body = match &figure.content {
        Content::Plot(plot) => plot::height(plot),
        Content::Bars(Bars { rows, .. }) => (rows.len() as i32 * ROW + 16) as u32,
        Content::Sides(sides) => sides::height(sides),
        Content::GanttChart(timeline) => gantt_chart::height(timeline),
    };
    let top = TITLE + legend.as_ref().map_or(0, Legend::height) + 4;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, body + top)).into_drawing_area();
        root.fill(&GROUND.light)?;
        root.draw(&Text::new(figure.title.clone(), (12, 8), font(19, INK.light)))?;
        let (head, area) = root.split_vertically(top);
        if let Some(legend) = &legend {
            legend::draw(&head.split_vertically(TITLE).1, legend)?;
        }
        match &figure.content {
            Content::Plot(plot) => plot::draw(&area, plot)?,
            Content::Bars(bars) => draw_bars(&area, bars)?,
            Content::Sides(sides) => sides::draw(&area, sides)?,
            Content::GanttChart(timeline) => gantt_chart::draw(&area, timeline)?,
        }
        root.present()?;
    }
    Ok(described(&svg, figure))
}

/// The picture with its title and what it shows in words, for programs that read it out.
fn described(svg: &str, figure: &Figure) -> String {
    let Some((tag, rest)) = svg.split_once('>') else { return svg.to_owned() };
    let name = escaped(&figure.name);
    format!(
        "{tag} role=\"img\" aria-labelledby=\"{name}-title {name}-description\">\n<title id=\"{name}-title\">{}</title>\n\
         <desc id=\"{name}-description\">{}</desc>{rest}",
        escaped(&figure.title),
        escaped(&description::of(&figure.content)),
    )
}

/// Text in XML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A name that takes no more room than so many dots, as far as that is known of letters.
fn shortened(name: &str, room: i32) -> String {
    let most = (room / LETTER).max(1) as usize;
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most - 1).chain(['…']).collect()
}

fn draw_bars(area: &Area<'_>, bars: &Bars) -> Result<(), DrawError> {
    let longest = bars.rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0) as i32;
    let left = 24 + (longest * LETTER).min(WIDTH as i32 / 2);
    let greatest = bars.rows.iter().map(|(_, value, half)| value + half).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let width = f64::from(WIDTH as i32 - left - 170);
    for (row, (name, value, half)) in (0..).zip(&bars.rows) {
        let y = row * ROW;
        // Each has its name beside it: colours would say nothing.
        let colour = SERIES[0].light;
        let end = |value: f64| left + (value / greatest * width) as i32;
        let (at_left, middle) = (Pos::new(HPos::Right, VPos::Center), y + ROW / 2);
        let name = shortened(name, left - 24);
        area.draw(&Text::new(name, (left - 10, middle), font(15, INK.light).pos(at_left)))?;
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

/// An SVG picture whose colours follow the page it stands in.
pub fn for_page(svg: &str) -> String {
    theme::all().fold(svg.to_owned(), |svg, colour| {
        svg.replace(&format!("\"{}\"", theme::hex(colour.light)), &format!("\"var(--{})\"", colour.variable))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::{Axis, GanttChart, Joined, Panel, Plot, Point, Scale, Series};
    use hearth_serverless::results::Unit;

    fn figure(joined: Joined, scale: Scale) -> Figure {
        let axis = |label: &str| Axis { label: label.to_owned(), unit: Unit::Seconds, scale };
        let points = |factor: f64| {
            (0..5).map(|x| Point { y_half: 0.2, ..Point::exact(f64::from(x), f64::from(x) * factor) }).collect()
        };
        let series = [1.0, 2.0].map(|factor| Series { name: format!("times {factor}"), points: points(factor) });
        let plot = Plot::new(axis("across"), axis("up"), joined, series.to_vec());
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
                assert!(svg.contains("role=\"img\" aria-labelledby=\"name-title name-description\""), "{svg}");
                assert!(svg.contains("<title id=\"name-title\">A title</title>"), "{svg}");
                assert!(svg.contains("times 2: 0 s at 0 s to 8 s at 4 s"), "{svg}");
            }
        }
    }

    /// Everything that is drawn in some colour.
    fn drawn_in(svg: &str, colour: RGBColor) -> usize {
        svg.matches(&format!("stroke=\"{}\"", theme::hex(colour))).count()
    }

    #[test]
    fn of_many_series_each_panel_shows_as_many_as_there_are_colours() {
        let mut figure = figure(Joined::Line, Scale::Linear);
        let Content::Plot(plot) = &figure.content else { unreachable!() };
        let series =
            (0..16).map(|number| Series { name: format!("series {number}"), ..plot.panels[0].series[0].clone() });
        let plot = Plot::new(plot.x.clone(), plot.y.clone(), Joined::Line, series.collect());
        assert_eq!(plot.panels.iter().map(|panel| panel.series.len()).collect::<Vec<_>>(), [6, 6, 4]);
        assert!(plot.panels.iter().all(|panel| panel.series.len() + panel.others.len() == 16));
        for panel in &plot.panels {
            let numbers = panel.series.iter().map(|series| series.name[7..].parse::<usize>().unwrap() % SERIES.len());
            let colours: std::collections::BTreeSet<usize> = numbers.collect();
            assert_eq!(colours.len(), panel.series.len(), "each has a colour of its own");
        }
        figure.content = Content::Plot(plot);
        let svg = to_svg(&figure).unwrap();
        assert!((0..16).all(|number| svg.contains(&format!("series {number}\n"))), "{svg}");
        assert!(drawn_in(&svg, SERIES[6].light) > 0);
    }

    #[test]
    fn panels_share_axes_and_legend() {
        let mut figure = figure(Joined::MarkedLine, Scale::Linear);
        let Content::Plot(plot) = &mut figure.content else { unreachable!() };
        let series = plot.panels[0].series.clone();
        let panel = |title: &str, factor: f64| {
            let mut panel = Panel { title: title.to_owned(), series: series.clone(), others: Vec::new() };
            panel.series[0].points.iter_mut().for_each(|point| point.y *= factor);
            panel
        };
        plot.panels = vec![panel("first", 1.0), panel("second", 10.0), panel("third", 1.0)];
        let svg = to_svg(&figure).unwrap();
        assert!(["first", "second", "third"].iter().all(|title| svg.contains(title)));
        assert_eq!(svg.matches("\ntimes 1\n").count(), 1, "one legend: {svg}");
        assert_eq!(svg.matches("\nup (s)\n").count(), 3);
        assert_eq!(svg.matches("\n40\n").count(), 3, "all go up to 40: {svg}");
    }

    #[test]
    fn empty_figures_are_drawn_too() {
        let mut empty = figure(Joined::Line, Scale::Logarithmic);
        let Content::Plot(plot) = &mut empty.content else { unreachable!() };
        plot.panels.clear();
        to_svg(&empty).unwrap();
        for content in
            [Content::Bars(Bars { unit: Unit::Plain, rows: Vec::new() }), Content::GanttChart(GanttChart::default())]
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
