//! Legends, and what tells series apart: colour, dashes and marks, so that no two of twenty-eight look the same.

use plotters::element::{DynElement, IntoDynElement};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Area, DrawError, LETTER, font};
use crate::report::figure::Joined;
use crate::report::theme::{INK, SERIES};

const LINE: i32 = 22;
const LEFT: i32 = 12;

/// How lines of series are dashed, in pixels drawn and left out.
pub fn dashes(series: usize) -> Option<(i32, i32)> {
    [None, Some((9, 4)), Some((3, 3)), Some((14, 5))][series % 4]
}

/// The mark of a series.
pub fn mark<'a, Place: Clone + 'static>(
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

/// What stands beside a name in a legend.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Sample {
    /// A series of this number.
    Series(usize, Joined),
    /// A colour.
    Colour(RGBColor),
}

/// Names with samples, in lines of a width.
#[derive(Clone, PartialEq, Debug)]
pub struct Legend {
    lines: Vec<Vec<(Sample, String)>>,
}

impl Legend {
    /// The legend of series, by number and name.
    pub fn new(series: Vec<(usize, String)>, joined: Joined, width: u32) -> Self {
        Self::of(series.into_iter().map(|(number, name)| (Sample::Series(number, joined), name)), width)
    }

    /// The legend of colours.
    pub fn of_colours(colours: impl Iterator<Item = (RGBColor, String)>, width: u32) -> Self {
        Self::of(colours.map(|(colour, name)| (Sample::Colour(colour), name)), width)
    }

    fn of(entries: impl Iterator<Item = (Sample, String)>, width: u32) -> Self {
        let mut lines: Vec<Vec<(Sample, String)>> = Vec::new();
        let mut used = i32::MAX;
        for (sample, name) in entries {
            let needed = entry_width(&name);
            if used.saturating_add(needed) > width as i32 - LEFT {
                lines.push(Vec::new());
                used = LEFT;
            }
            used += needed;
            lines.last_mut().into_iter().for_each(|line| line.push((sample, name.clone())));
        }
        Self { lines }
    }

    /// What it takes from top to bottom.
    pub fn height(&self) -> u32 {
        (self.lines.len() as i32 * LINE) as u32
    }
}

fn entry_width(name: &str) -> i32 {
    56 + name.chars().count() as i32 * LETTER
}

/// Draws a legend into the top of an area.
pub fn draw(area: &Area<'_>, legend: &Legend) -> Result<(), DrawError> {
    for (line, entries) in (0..).zip(&legend.lines) {
        let (mut x, y) = (LEFT, line * LINE + 10);
        for (sample, name) in entries {
            draw_sample(area, *sample, (x, y))?;
            let anchored = font(15, INK.light).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(name.clone(), (x + 33, y), anchored))?;
            x += entry_width(name);
        }
    }
    Ok(())
}

fn draw_sample(area: &Area<'_>, sample: Sample, (x, y): (i32, i32)) -> Result<(), DrawError> {
    let (number, joined) = match sample {
        Sample::Series(number, joined) => (number, joined),
        Sample::Colour(colour) => {
            return Ok(area.draw(&PathElement::new(vec![(x, y), (x + 26, y)], colour.stroke_width(3)))?);
        }
    };
    let colour = SERIES[number % SERIES.len()].light;
    if joined != Joined::Marks {
        let (drawn, left_out) = dashes(number).unwrap_or((26, 0));
        let mut from = x;
        while from < x + 26 {
            let dash = vec![(from, y), ((from + drawn).min(x + 26), y)];
            area.draw(&PathElement::new(dash, colour.stroke_width(3)))?;
            from += drawn + left_out;
        }
    }
    if joined != Joined::Line {
        area.draw(&mark(number, (x + 13, y), colour))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_series_look_the_same() {
        let looks = |number: usize| (number % SERIES.len(), dashes(number), number % 4);
        assert_eq!((0..28).map(looks).collect::<BTreeSet<_>>().len(), 28);
    }

    #[test]
    fn names_that_have_no_room_go_into_the_next_line() {
        let names = (0..10).map(|number| (number, format!("a name of some length {number}")));
        let legend = Legend::new(names.collect(), Joined::Line, 800);
        assert_eq!((legend.lines.len(), legend.height()), (4, 88));
        assert!(legend.lines.iter().all(|line| !line.is_empty()));
    }
}
