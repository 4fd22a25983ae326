//! When a trace begins, and in which order its rows come.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use hearth_simcore::time::SimTime;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::{F64Deserializer, I64Deserializer, StrDeserializer, U64Deserializer};
use serde::de::{self, Deserializer, Visitor};

use super::{Arrival, ArrivalSource, MovableSource, TraceError};
use crate::quantity::Seconds;

/// What is taken from the date of every request of a trace.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Offset {
    /// The date of the first: time starts with it.
    First,
    /// So many seconds.
    Time(Seconds),
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OffsetVisitor;

        impl Visitor<'_> for OffsetVisitor {
            type Value = Offset;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"first\", or a time: a number of seconds, or text with a unit")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Offset, E> {
                if text == "first" {
                    return Ok(Offset::First);
                }
                Seconds::deserialize(StrDeserializer::new(text)).map(Offset::Time)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Offset, E> {
                Seconds::deserialize(F64Deserializer::new(number)).map(Offset::Time)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Offset, E> {
                Seconds::deserialize(U64Deserializer::new(number)).map(Offset::Time)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Offset, E> {
                Seconds::deserialize(I64Deserializer::new(number)).map(Offset::Time)
            }
        }

        deserializer.deserialize_any(OffsetVisitor)
    }
}

impl JsonSchema for Offset {
    fn schema_name() -> Cow<'static, str> {
        "Offset".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"const": "first"}, generator.subschema_for::<Seconds>()]})
    }
}

/// A source whose time starts later.
#[derive(Debug)]
pub(super) struct Shifted {
    source: MovableSource,
    file: PathBuf,
    /// `None` until the first has come, if it is the first that counts.
    start: Option<SimTime>,
}

impl Shifted {
    pub fn new(source: MovableSource, offset: Offset, file: &Path) -> Self {
        let start = match offset {
            Offset::First => None,
            Offset::Time(seconds) => Some(SimTime::ZERO + seconds.duration()),
        };
        Self { source, file: file.to_owned(), start }
    }
}

impl ArrivalSource for Shifted {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
        let Some(arrival) = self.source.next_arrival()? else { return Ok(None) };
        let start = *self.start.get_or_insert(arrival.at);
        if arrival.at < start {
            let problem = format!(
                "a request comes at {} s, before the offset of {start} s: take a smaller one, or \"first\"",
                arrival.at
            );
            return Err(TraceError { file: self.file.clone(), line: None, column: None, problem });
        }
        Ok(Some(Arrival { at: SimTime::ZERO + (arrival.at - start), ..arrival }))
    }

    fn skipped_rows(&self) -> u64 {
        self.source.skipped_rows()
    }
}

/// So many rows are sorted at the most; an arrival takes 32 bytes.
pub(super) const MOST_SORTED: usize = 100_000_000;

/// All of a source in the order of time.
#[derive(Debug)]
pub(super) struct Sorted {
    arrivals: std::vec::IntoIter<Arrival>,
    skipped: u64,
}

impl Sorted {
    /// Reads a source to its end. Of one date, in the order in which they came.
    pub fn read(mut source: MovableSource, most: usize, file: &Path) -> Result<Self, TraceError> {
        let mut arrivals = Vec::new();
        while let Some(arrival) = source.next_arrival()? {
            if arrivals.len() == most {
                let problem =
                    format!("has more than {most} rows, which is the most that is sorted in memory: sort the file");
                return Err(TraceError { file: file.to_owned(), line: None, column: None, problem });
            }
            arrivals.push(arrival);
        }
        arrivals.sort_by_key(|arrival| arrival.at);
        Ok(Self { arrivals: arrivals.into_iter(), skipped: source.skipped_rows() })
    }
}

impl ArrivalSource for Sorted {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
        Ok(self.arrivals.next())
    }

    fn skipped_rows(&self) -> u64 {
        self.skipped
    }
}
