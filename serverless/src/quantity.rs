//! Quantities in scenarios: a number in base units, or text with a unit.

use std::borrow::Cow;
use std::fmt;

use hearth_simcore::time::SimDuration;
use hearth_simcore::units::{self, Dimension, UnitError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// The longest time: beyond this a date would not fit the clock of 64-bit nanoseconds.
pub(crate) const MAX_SECONDS: f64 = 9e9;
/// The largest size, rate or amount of work: far beyond any machine, and safe to add up.
pub(crate) const MAX_AMOUNT: f64 = 1e18;

struct QuantityVisitor {
    dimension: Dimension,
    max: f64,
}

impl QuantityVisitor {
    fn check<E: de::Error>(&self, value: f64, found: &dyn fmt::Display) -> Result<f64, E> {
        let what = self.dimension.name();
        if !value.is_finite() || value.is_sign_negative() {
            return Err(E::custom(format!("found {found}, expected a {what} that is finite and not negative")));
        }
        if value > self.max {
            let base = self.dimension.units().iter().find(|(_, factor)| *factor == 1.0).map_or("", |(name, _)| name);
            return Err(E::custom(format!("found {found}, expected a {what} of at most {:e} {base}", self.max)));
        }
        Ok(value)
    }
}

impl Visitor<'_> for QuantityVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.dimension.units().iter().map(|(name, _)| *name).collect();
        write!(f, "a {}: a number, or text with one of the units {}", self.dimension.name(), names.join(" "))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<f64, E> {
        if value.abs() < 1e16 { self.check(value, &value) } else { self.check(value, &format_args!("{value:e}")) }
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<f64, E> {
        self.check(value as f64, &value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<f64, E> {
        self.check(value as f64, &value)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
        let value = units::parse(text, self.dimension).map_err(|error| {
            let cure =
                right_case(&error, self.dimension).map_or(String::new(), |unit| format!(": did you mean {unit:?}?"));
            E::custom(format!("{error}{cure}"))
        })?;
        self.check(value, &format_args!("{text:?}"))
    }
}

/// The unit that differs from an unknown one in the case of its letters alone; none where that could be two.
fn right_case(error: &UnitError, dimension: Dimension) -> Option<&'static str> {
    let UnitError::UnknownUnit { unit, .. } = error else { return None };
    let mut alike = dimension.units().iter().map(|(name, _)| *name).filter(|name| name.eq_ignore_ascii_case(unit));
    alike.next().filter(|_| alike.next().is_none())
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $dimension:expr, $max:expr, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Default)]
        pub struct $name(pub f64);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(QuantityVisitor { dimension: $dimension, max: $max }).map(Self)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                quantity_schema($dimension, $max, $example)
            }
        }
    };
}

fn quantity_schema(dimension: Dimension, max: f64, example: &str) -> Schema {
    let names: Vec<&str> = dimension.units().iter().map(|(name, _)| *name).collect();
    json_schema!({
        "description": format!("A {}: a number in base units, or text with a unit ({}).", dimension.name(), names.join(" ")),
        "examples": [example, 1.5],
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": max},
            {"type": "string", "pattern": format!("^\\s*([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?\\s*({})?\\s*$", names.join("|"))},
        ],
    })
}

quantity!(
    /// A time in seconds.
    Seconds,
    Dimension::Time,
    MAX_SECONDS,
    "10s"
);
quantity!(
    /// A size in bytes.
    Bytes,
    Dimension::Size,
    MAX_AMOUNT,
    "250MB"
);
quantity!(
    /// A rate in bytes per second.
    BytesPerSecond,
    Dimension::Rate,
    MAX_AMOUNT,
    "12.5GBps"
);
quantity!(
    /// An amount of work in floating-point operations, or a speed in operations per second.
    Flops,
    Dimension::Work,
    MAX_AMOUNT,
    "5Gf"
);

impl Seconds {
    /// The time on the simulation's clock. What is shorter than a nanosecond, but not nothing, counts as one: a limit of
    /// nothing would be no limit.
    pub fn duration(self) -> SimDuration {
        let duration = SimDuration::from_secs_f64(self.0);
        if self.0 > 0.0 { duration.max(SimDuration::from_nanos(1)) } else { duration }
    }
}

impl Bytes {
    /// The size in whole bytes.
    pub fn whole(self) -> u64 {
        self.0.round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_with_units_mean_the_same() {
        let size = |json: &str| serde_json::from_str::<Bytes>(json).map(Bytes::whole);
        assert_eq!(size("2500").unwrap(), 2500);
        assert_eq!(size("2.5e3").unwrap(), 2500);
        assert_eq!(size("\"2.5kB\"").unwrap(), 2500);
    }

    #[test]
    fn where_case_tells_bits_from_bytes_no_unit_is_suggested() {
        let message = serde_json::from_str::<BytesPerSecond>("\"9MBPS\"").unwrap_err().to_string();
        assert!(message.starts_with("unknown unit \"MBPS\""), "{message}");
        assert!(!message.contains("did you mean"), "{message}");
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        let message = |json: &str| serde_json::from_str::<Seconds>(json).unwrap_err().to_string();
        assert!(message("-1").starts_with("found -1, expected a time that is finite and not negative"));
        assert!(message("1e300").starts_with("found 1e300, expected a time of at most 9e9 s"));
        assert!(message("\"9 parsecs\"").starts_with("unknown unit \"parsecs\""));
        assert!(message("\"9MIN\"").contains("s min h d: did you mean \"min\"?"));
        assert!(message("true").starts_with("invalid type: boolean `true`, expected a time: a number, or text"));
    }
}
