//! RAM of functions of which a trace does not tell it.

use std::borrow::Cow;
use std::fmt;

use hearth_simcore::random::stream;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::{F64Deserializer, I64Deserializer, MapAccessDeserializer, StrDeserializer, U64Deserializer};
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::distribution::Distribution;
use crate::quantity::{Bytes, MAX_AMOUNT};

/// RAM of containers: the same for all functions, or drawn for each.
#[derive(Clone, PartialEq, Debug)]
pub enum RamSection {
    /// The same for all.
    Same(Bytes),
    /// Drawn for each, in bytes, from the seed and the function's name.
    Drawn(Distribution),
}

impl<'de> Deserialize<'de> for RamSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RamVisitor;

        impl<'de> Visitor<'de> for RamVisitor {
            type Value = RamSection;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size: a number of bytes, or text with a unit; or a distribution of bytes, as in {\"choice\": [128e6, 256e6]}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RamSection, E> {
                Bytes::deserialize(StrDeserializer::new(text)).map(RamSection::Same)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<RamSection, E> {
                Bytes::deserialize(F64Deserializer::new(number)).map(RamSection::Same)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<RamSection, E> {
                Bytes::deserialize(U64Deserializer::new(number)).map(RamSection::Same)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<RamSection, E> {
                Bytes::deserialize(I64Deserializer::new(number)).map(RamSection::Same)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RamSection, A::Error> {
                Distribution::deserialize(MapAccessDeserializer::new(map)).map(RamSection::Drawn)
            }
        }

        deserializer.deserialize_any(RamVisitor)
    }
}

impl JsonSchema for RamSection {
    fn schema_name() -> Cow<'static, str> {
        "RamSection".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [generator.subschema_for::<Bytes>(), generator.subschema_for::<Distribution>()]})
    }
}

impl RamSection {
    /// Bytes of a container of the function of this name: the same whatever else is in the trace.
    pub(super) fn of(&self, function: &str, seed: u64) -> u64 {
        match self {
            Self::Same(bytes) => bytes.whole(),
            Self::Drawn(distribution) => {
                let bytes = distribution.sampler().draw(&mut stream(seed, &format!("trace ram of {function}")));
                bytes.min(MAX_AMOUNT).round() as u64
            }
        }
    }
}
