//! Which columns of a trace of rows hold what, and in which units.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use hearth_simcore::units::Dimension;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

/// A unit of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeUnit {
    /// As it is written.
    pub(crate) name: &'static str,
    pub(crate) nanos: u64,
}

/// A unit of size.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SizeUnit {
    pub(crate) bytes: f64,
}

impl TimeUnit {
    /// What a time is in where nothing is said.
    pub const SECOND: Self = Self { name: "s", nanos: 1_000_000_000 };

    /// What the trace of 2019 has durations in.
    pub(crate) const MILLISECOND: Self = Self { name: "ms", nanos: 1_000_000 };

    pub(crate) fn seconds(self) -> f64 {
        self.nanos as f64 / 1e9
    }

    /// A smaller unit, in words, that numbers may be in of which the clock cannot hold so many seconds.
    pub(crate) fn smaller_that_fits(self, seconds: f64) -> Option<&'static str> {
        let smaller = [("milliseconds", 1_000_000), ("microseconds", 1000), ("nanoseconds", 1)];
        let fits = |(_, nanos): &(&str, u64)| {
            *nanos < self.nanos && seconds / self.seconds() * (*nanos as f64) <= 1e9 * crate::quantity::MAX_SECONDS
        };
        smaller.into_iter().find(fits).map(|(name, _)| name)
    }
}

/// A unit of a dimension, by its name.
pub trait Unit: Copy {
    /// What is measured.
    const DIMENSION: Dimension;
    /// What is taken where no unit is given; `None` if one must be.
    const DEFAULT: Option<Self>;

    /// The unit of a name that is so many base units.
    fn of(name: &'static str, factor: f64) -> Self;
}

impl Unit for TimeUnit {
    const DIMENSION: Dimension = Dimension::Time;
    const DEFAULT: Option<Self> = Some(Self::SECOND);

    fn of(name: &'static str, factor: f64) -> Self {
        Self { name, nanos: (factor * 1e9).round() as u64 }
    }
}

impl Unit for SizeUnit {
    const DIMENSION: Dimension = Dimension::Size;
    // Most traces have megabytes: bytes in silence would be a trap.
    const DEFAULT: Option<Self> = None;

    fn of(_: &'static str, factor: f64) -> Self {
        Self { bytes: factor }
    }
}

/// A column that holds times or sizes: its name, and what its numbers are in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuantityColumn<U> {
    /// Its name in the first line of the file.
    pub name: String,
    /// What its numbers are in.
    pub unit: U,
}

impl<'de, U: Unit> Deserialize<'de> for QuantityColumn<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnVisitor(PhantomData))
    }
}

struct ColumnVisitor<U>(PhantomData<U>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameAndUnit {
    name: String,
    unit: Option<String>,
}

fn unit_names(dimension: Dimension) -> String {
    let names: Vec<&str> = dimension.units().iter().map(|(name, _)| *name).collect();
    names.join(" ")
}

impl<U: Unit> ColumnVisitor<U> {
    fn column<E: de::Error>(name: String, unit: Option<&str>) -> Result<QuantityColumn<U>, E> {
        let (what, units) = (U::DIMENSION.name(), unit_names(U::DIMENSION));
        let known = |unit: &str| U::DIMENSION.units().iter().find(|(name, _)| *name == unit);
        let unit = match unit {
            Some(unit) => known(unit).map(|(name, factor)| U::of(name, *factor)).ok_or_else(|| {
                E::custom(format!("unknown unit {unit:?} of column {name:?}: a {what} has one of the units {units}"))
            }),
            None => U::DEFAULT.ok_or_else(|| E::custom(format!("column {name:?} needs a unit, one of {units}"))),
        };
        Ok(QuantityColumn { name, unit: unit? })
    }
}

impl<'de, U: Unit> Visitor<'de> for ColumnVisitor<U> {
    type Value = QuantityColumn<U>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of a column, or an object with its \"name\" and \"unit\" ({})", unit_names(U::DIMENSION))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Self::column(name.to_owned(), None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let NameAndUnit { name, unit } = NameAndUnit::deserialize(MapAccessDeserializer::new(map))?;
        Self::column(name, unit.as_deref())
    }
}

impl<U: Unit> JsonSchema for QuantityColumn<U> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Column", if U::DIMENSION == Dimension::Time { "Time" } else { "Size" }).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let units: Vec<&str> = U::DIMENSION.units().iter().map(|(name, _)| *name).collect();
        let required = if U::DEFAULT.is_some() { vec!["name"] } else { vec!["name", "unit"] };
        let object = json_schema!({
            "type": "object",
            "description": "A column: its name, and what its numbers are in.",
            "properties": {
                "name": {"type": "string", "description": "Its name in the first line of the file."},
                "unit": {"enum": units, "description": "What its numbers are in."},
            },
            "required": required,
            "additionalProperties": false,
        });
        if U::DEFAULT.is_none() {
            return object;
        }
        json_schema!({
            "description": "A column: its name, or name and unit; without a unit, its numbers are in base units.",
            "anyOf": [{"type": "string"}, object],
        })
    }
}

/// The columns of a trace of rows; what is not given is called as in `arrival_s,function,duration_s`.
///
/// ```
/// use hearth_serverless::workload::ColumnsSection;
/// let columns: ColumnsSection = serde_json::from_str(r#"{
///     "arrival": {"name": "ts_ms", "unit": "ms"}, "function": "func_name", "memory": {"name": "mem_mb", "unit": "MB"}
/// }"#)?;
/// assert_eq!(columns.function.as_deref(), Some("func_name"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "the columns: an object")]
pub struct ColumnsSection {
    /// When requests come; without it, `arrival_s`, in seconds.
    pub arrival: Option<QuantityColumn<TimeUnit>>,
    /// What they are for; without it, `function`.
    pub function: Option<String>,
    /// How long they run; without it, `duration_s`, in seconds, if the file has that column, and else bodies run.
    pub duration: Option<QuantityColumn<TimeUnit>>,
    /// RAM of a container of the function, which the trace then declares: the most that a row of the function has.
    pub memory: Option<QuantityColumn<SizeUnit>>,
}

impl ColumnsSection {
    /// Names of the columns of arrivals, functions and durations.
    pub(crate) fn names(&self) -> [&str; 3] {
        [
            self.arrival.as_ref().map_or("arrival_s", |column| &column.name),
            self.function_name(),
            self.duration.as_ref().map_or("duration_s", |column| &column.name),
        ]
    }

    pub(crate) fn function_name(&self) -> &str {
        self.function.as_deref().unwrap_or("function")
    }
}
