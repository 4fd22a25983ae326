//! Quantities with a unit, as text.

/// What a quantity measures; it decides which units are allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dimension {
    /// Seconds.
    Time,
    /// Bytes.
    Size,
    /// Bytes per second.
    Rate,
    /// Floating-point operations, or operations per second.
    Work,
}

impl Dimension {
    /// The units and how many base units each is.
    pub fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Time => {
                &[("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86_400.0)]
            }
            Self::Size => &[
                ("B", 1.0),
                ("kB", 1e3),
                ("MB", 1e6),
                ("GB", 1e9),
                ("TB", 1e12),
                ("KiB", 1024.0),
                ("MiB", 1_048_576.0),
                ("GiB", 1_073_741_824.0),
                ("TiB", 1_099_511_627_776.0),
            ],
            Self::Rate => &[
                ("Bps", 1.0),
                ("kBps", 1e3),
                ("MBps", 1e6),
                ("GBps", 1e9),
                ("KiBps", 1024.0),
                ("MiBps", 1_048_576.0),
                ("GiBps", 1_073_741_824.0),
                ("bps", 0.125),
                ("kbps", 125.0),
                ("Mbps", 125e3),
                ("Gbps", 125e6),
            ],
            Self::Work => &[("f", 1.0), ("kf", 1e3), ("Mf", 1e6), ("Gf", 1e9), ("Tf", 1e12)],
        }
    }

    /// What is measured, in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Size => "size",
            Self::Rate => "rate",
            Self::Work => "amount of work",
        }
    }

    fn unit_names(self) -> String {
        let names: Vec<&str> = self.units().iter().map(|(name, _)| *name).collect();
        names.join(" ")
    }
}

/// Why a text is no quantity.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnitError {
    /// It does not begin with a number.
    #[error("{text:?} is no {what}: expected a number, with one of the units {units} or none")]
    NotANumber {
        /// The text.
        text: String,
        /// What was expected.
        what: &'static str,
        /// The units there are.
        units: String,
    },
    /// The unit is not one of the dimension's.
    #[error("unknown unit {unit:?} in {text:?}: a {what} has one of the units {units}")]
    UnknownUnit {
        /// The unit found.
        unit: String,
        /// The text.
        text: String,
        /// What was expected.
        what: &'static str,
        /// The units there are.
        units: String,
    },
    /// It is negative or not finite.
    #[error("{text:?} is no {what}: it must be finite and not negative")]
    OutOfRange {
        /// The text.
        text: String,
        /// What was expected.
        what: &'static str,
    },
}

/// Reads a quantity in base units (seconds, bytes, bytes per second, operations) from text with a unit, or a bare
/// number in base units.
///
/// # Errors
/// When there is no number or no such unit, or the value is negative or not finite.
///
/// ```
/// use hearth_simcore::units::{Dimension, parse};
/// assert_eq!(parse("1.5 min", Dimension::Time)?, 90.0);
/// assert_eq!(parse("8Mbps", Dimension::Rate)?, 1e6);
/// assert_eq!(parse("2e3", Dimension::Size)?, 2000.0);
/// let error = parse("5mb", Dimension::Size).unwrap_err();
/// assert!(error.to_string().starts_with("unknown unit \"mb\" in \"5mb\""));
/// # Ok::<(), hearth_simcore::units::UnitError>(())
/// ```
pub fn parse(text: &str, dimension: Dimension) -> Result<f64, UnitError> {
    let (what, units) = (dimension.name(), || dimension.unit_names());
    let trimmed = text.trim();
    let not_a_number = || UnitError::NotANumber { text: text.to_owned(), what, units: units() };
    // The longest prefix that is a number: "1e3s" is a number with a unit, "1h" is not 1e<something>.
    let splits = (1..=trimmed.len()).rev().filter(|&end| trimmed.is_char_boundary(end));
    let (number, unit) = splits
        .filter(|&end| !trimmed[..end].ends_with(char::is_whitespace))
        .find_map(|end| trimmed[..end].parse::<f64>().ok().map(|number| (number, trimmed[end..].trim_start())))
        .ok_or_else(not_a_number)?;
    let unknown = || UnitError::UnknownUnit { unit: unit.to_owned(), text: text.to_owned(), what, units: units() };
    let factor = match unit {
        "" => 1.0,
        _ => dimension.units().iter().find(|(name, _)| *name == unit).ok_or_else(unknown)?.1,
    };
    let value = number * factor;
    // A negative zero is as wrong as a negative one.
    if !value.is_finite() || value.is_sign_negative() {
        return Err(UnitError::OutOfRange { text: text.to_owned(), what });
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_unit_is_read() {
        for dimension in [Dimension::Time, Dimension::Size, Dimension::Rate, Dimension::Work] {
            for (unit, factor) in dimension.units() {
                assert_eq!(parse(&format!("2.5{unit}"), dimension), Ok(2.5 * factor), "{unit}");
            }
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_what_would_be_right() {
        let message = |text| parse(text, Dimension::Time).unwrap_err().to_string();
        assert_eq!(
            message("soon"),
            "\"soon\" is no time: expected a number, with one of the units ns us ms s min h d or none"
        );
        assert_eq!(
            message("5 minutes"),
            "unknown unit \"minutes\" in \"5 minutes\": a time has one of the units ns us ms s min h d"
        );
        for text in ["-1s", "inf", "NaN", "1e400", "-0"] {
            assert_eq!(message(text), format!("{text:?} is no time: it must be finite and not negative"));
        }
        assert!(parse("", Dimension::Time).is_err());
        assert!(parse("é", Dimension::Time).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = parse(&text, Dimension::Rate);
        }

        #[test]
        fn a_printed_number_is_read_back(number in 0.0..1e300_f64) {
            prop_assert_eq!(parse(&number.to_string(), Dimension::Work), Ok(number));
        }
    }
}
