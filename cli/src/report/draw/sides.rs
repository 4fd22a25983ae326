//! Draws bars to two sides of a line.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Area, DrawError, LETTER, ROW, WIDTH, font, shortened};
use crate::report::figure::Sides;
use crate::report::theme::{GRID, INK, MUTED, SERIES};

/// Those to the left and to the right.
const COLOURS: [usize; 2] = [0, 1];
/// What a number beside a bar takes.
const NUMBER: i32 = 90;

/// What the colours are of.
pub fn legend(sides: &Sides) -> impl Iterator<Item = (RGBColor, String)> {
    COLOURS.into_iter().zip(sides.names).map(|(colour, name)| (SERIES[colour].light, name.to_owned()))
}

/// The height of the picture below its legend.
pub fn height(sides: &Sides) -> u32 {
    (sides.rows.len() as i32 * ROW + 16) as u32
}

pub fn draw(area: &Area<'_>, sides: &Sides) -> Result<(), DrawError> {
    let longest = sides.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) as i32;
    let left = 24 + (longest * LETTER).min(WIDTH as i32 / 3);
    let middle = (left + WIDTH as i32) / 2;
    let most = sides.rows.iter().flat_map(|(_, lengths)| lengths).copied().fold(f64::MIN_POSITIVE, f64::max);
    let room = f64::from(WIDTH as i32 - middle - NUMBER);
    let bottom = sides.rows.len() as i32 * ROW;
    for (row, (name, lengths)) in (0..).zip(&sides.rows) {
        let y = row * ROW;
        let at_left = Pos::new(HPos::Right, VPos::Center);
        let name = shortened(name, left - 24);
        area.draw(&Text::new(name, (left - 10, y + ROW / 2), font(15, INK.light).pos(at_left)))?;
        for (side, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0.0) {
            let sign = if side == 0 { -1 } else { 1 };
            let end = middle + sign * ((length / most * room) as i32).max(1);
            let bar = [(middle.min(end), y + 4), (middle.max(end), y + ROW - 4)];
            area.draw(&Rectangle::new(bar, SERIES[COLOURS[side]].light.filled()))?;
            let beside = Pos::new(if side == 0 { HPos::Right } else { HPos::Left }, VPos::Center);
            let anchored = font(14, MUTED.light).pos(beside);
            area.draw(&Text::new(sides.unit.on_axis(*length), (end + sign * 8, y + ROW / 2), anchored))?;
        }
    }
    area.draw(&PathElement::new(vec![(middle, 0), (middle, bottom)], GRID.light.stroke_width(1)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use hearth_serverless::results::Unit;

    use super::*;
    use crate::report::draw::to_svg;
    use crate::report::figure::{Content, Figure};

    #[test]
    fn bars_are_as_long_as_what_they_are_of_and_to_their_sides() {
        let rows = vec![("one".to_owned(), [4.0, 0.0]), ("other".to_owned(), [1.0, 2.0])];
        let content = Content::Sides(Sides { unit: Unit::Count, names: ["faster", "slower"], rows });
        let text = |text: &str| text.to_owned();
        let figure = Figure { name: text("name"), title: text("A title"), note: String::new(), content };
        let svg = to_svg(&figure).unwrap();
        assert!(svg.contains("one: 4 faster, 0 slower; other: 1 faster, 2 slower"), "{svg}");
        let numbers = |tag: &str, of: &str| -> i32 {
            let rest = tag.split_once(&format!("{of}=\"")).unwrap().1;
            rest.split_once('"').unwrap().0.parse().unwrap()
        };
        let bars: Vec<(i32, i32)> = svg
            .split("<rect ")
            .skip(1)
            .filter_map(|rest| rest.split("/>").next())
            .filter(|tag| COLOURS.iter().any(|colour| tag.contains(&crate::report::theme::hex(SERIES[*colour].light))))
            .map(|tag| (numbers(tag, "x"), numbers(tag, "width")))
            .collect();
        let [(x, long), (near, short), (right, half)] = bars.as_slice() else { panic!("{bars:?}") };
        assert_eq!((x + long, near + short), (*right, *right), "they meet in the middle");
        assert!((long - 4 * short).abs() <= 4 && (long - 2 * half).abs() <= 2, "{bars:?}");
    }
}
