//! What a run is asked to write: which table of invocations, and which time series.

use clap::ValueEnum;
use clap::builder::{EnumValueParser, TypedValueParser};
use hearth_simcore::time::SimDuration;
use serde::{Deserialize, Serialize};

use crate::feature::PARQUET;

/// How the table of invocations is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableFormat {
    /// Text.
    Csv,
    /// Columns: Parquet.
    Parquet,
}

impl TableFormat {
    /// Reads a format from an argument; one that this build cannot write is refused.
    pub fn parser() -> impl TypedValueParser<Value = Self> {
        EnumValueParser::<Self>::new().try_map(|format| match format {
            Self::Csv => Ok(format),
            Self::Parquet => PARQUET.require(format),
        })
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Csv => Self::Parquet,
            Self::Parquet => Self::Csv,
        }
    }

    /// How names of its files end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// Which invocations are written, and how.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct InvocationsTable {
    /// The form of the table.
    pub format: TableFormat,
    /// Which share of all invocations is in it.
    pub sample: f64,
}

/// The intervals of a time series to begin with; they double until there are few enough rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Intervals {
    /// The length of one in nanoseconds, not zero.
    pub interval_ns: u64,
    /// How many there may be.
    pub most_rows: usize,
}

impl Intervals {
    /// When nobody says how long: a minute, and so many that a picture shows them all.
    pub const DEFAULT: Self = Self { interval_ns: 60_000_000_000, most_rows: 10_000 };

    /// What was asked for, if anything; zero is no series. Who asks for an interval gets more rows of it.
    pub fn asked(length: Option<SimDuration>) -> Option<Self> {
        let of_length = |length: SimDuration| Self { interval_ns: length.as_nanos(), most_rows: 100_000 };
        length.map_or(Some(Self::DEFAULT), |length| (length > SimDuration::ZERO).then(|| of_length(length)))
    }

    /// The length of one.
    pub fn length(self) -> SimDuration {
        SimDuration::from_nanos(self.interval_ns)
    }
}
