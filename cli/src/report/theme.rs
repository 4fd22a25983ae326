//! Colours. Those of series are told apart with any of the common kinds of colour blindness (after Okabe and Ito, "Color
//! Universal Design", 2008); lines differ in their dashes and points in their marks, too.

use hearth_serverless::causes::Family;
use plotters::style::RGBColor;

/// A colour, as it is drawn on light ground, and the name of the variable that stands for it on a page.
#[derive(Clone, Copy, Debug)]
pub struct Colour {
    /// On light ground.
    pub light: RGBColor,
    /// On dark ground.
    pub dark: RGBColor,
    /// The variable.
    pub variable: &'static str,
}

const fn colour(variable: &'static str, light: u32, dark: u32) -> Colour {
    const fn rgb(code: u32) -> RGBColor {
        RGBColor((code >> 16) as u8, (code >> 8 & 0xff) as u8, (code & 0xff) as u8)
    }
    Colour { light: rgb(light), dark: rgb(dark), variable }
}

/// Text.
pub const INK: Colour = colour("ink", 0x1b_1f_24, 0xe8_ea_ed);
/// Text that matters less, and axes.
pub const MUTED: Colour = colour("muted", 0x5a_63_6d, 0xa6_ae_b8);
/// Lines of the grid.
pub const GRID: Colour = colour("grid", 0xe1_e4_e8, 0x33_3a_43);
/// The ground.
pub const GROUND: Colour = colour("ground", 0xff_ff_ff, 0x15_19_1e);

/// Series in their order; more begin anew with other dashes.
pub const SERIES: [Colour; 7] = [
    colour("series-0", 0x00_72_b2, 0x4f_b3_f2),
    colour("series-1", 0xd5_5e_00, 0xff_8c_42),
    colour("series-2", 0x00_9e_73, 0x2c_d0_a0),
    colour("series-3", 0xb3_4f_93, 0xe9_9a_cb),
    colour("series-4", 0xc7_8a_00, 0xff_c9_4d),
    colour("series-5", 0x5a_51_a8, 0xa9_a1_f5),
    colour("series-6", 0x6b_6b_6b, 0xb4_b4_b4),
];

/// What fails.
pub const FAULT: Colour = colour("fault", 0xb3_26_1e, 0xff_7a_70);
/// Edges of what can be used.
const EDGE: Colour = colour("edge", 0x86_8f_98, 0x74_7e_89);
/// The ground of what is pointed at.
const HOVER: Colour = colour("hover", 0xee_f2_f6, 0x22_29_31);

/// The colour of a family of causes.
pub fn of_family(family: Family) -> Colour {
    match family {
        Family::Head => SERIES[6],
        Family::Capacity => SERIES[1],
        Family::Policy => SERIES[3],
        Family::Image => SERIES[2],
        Family::Start => SERIES[4],
        Family::Body => SERIES[0],
        Family::Sharing => SERIES[5],
        Family::Fault => FAULT,
    }
}

/// What containers do, in the order of the legend.
pub const PHASES: [(&str, Colour); 4] = [
    ("cold start", SERIES[1]),
    ("run", SERIES[0]),
    ("idle", colour("idle", 0xb9_c8_d6, 0x3e_50_62)),
    ("prewarming", SERIES[4]),
];

/// A container starts for an invocation: the place of that among the phases.
pub const COLD_START: u8 = 0;
/// It runs one.
pub const RUN: u8 = 1;

/// All of them, each once.
pub fn all() -> impl Iterator<Item = Colour> {
    [INK, MUTED, GRID, GROUND, PHASES[2].1, FAULT, EDGE, HOVER].into_iter().chain(SERIES)
}

/// A colour as SVG and CSS write it.
pub fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_stands_for_one_variable() {
        let mut codes: Vec<String> = all().map(|colour| hex(colour.light)).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), all().count());
    }

    #[test]
    fn phases_are_where_they_are_said_to_be() {
        assert_eq!([COLD_START, RUN].map(|phase| PHASES[usize::from(phase)].0), ["cold start", "run"]);
    }

    /// The contrast of WCAG 2.1: text needs 4.5 to the ground, lines and marks 3.
    fn contrast(one: RGBColor, other: RGBColor) -> f64 {
        let luminance = |RGBColor(red, green, blue): RGBColor| {
            let linear = |part: u8| {
                let part = f64::from(part) / 255.0;
                if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
        };
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn everything_stands_out_from_the_ground() {
        for (colour, least) in
            [(INK, 7.0), (MUTED, 4.5), (FAULT, 4.5), (EDGE, 3.0)].into_iter().chain(SERIES.map(|colour| (colour, 2.8)))
        {
            let found = [contrast(colour.light, GROUND.light), contrast(colour.dark, GROUND.dark)];
            assert!(found.iter().all(|found| *found >= least), "{}: {found:?}", colour.variable);
        }
    }
}
