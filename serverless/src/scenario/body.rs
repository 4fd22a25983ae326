//! Bodies of functions as they stand in a scenario: lists of steps.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Unexpected, Visitor};

use crate::quantity::{Bytes, Flops, Seconds};

/// A step that names a file and its size.
#[derive(Clone, PartialEq, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object with \"file\" and \"size\"")]
pub struct SizedFile {
    /// The file's name.
    pub file: String,
    /// Its size.
    pub size: Bytes,
}

/// A step that names a file.
#[derive(Clone, PartialEq, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object with \"file\"")]
pub struct NamedFile {
    /// The file's name.
    pub file: String,
}

/// A step of a body: an object with one key, as in `{"sleep": "10s"}`.
#[derive(Clone, PartialEq, Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum StepSection {
    /// Waits.
    Sleep(Seconds),
    /// Computes.
    Compute(Flops),
    /// Writes a file into the private storage; takes disk time.
    Write(SizedFile),
    /// Makes a file in the private storage in no time.
    Create(SizedFile),
    /// Reads a file of the private storage.
    Read(NamedFile),
    /// Copies a file from the registry into the private storage.
    Ingress(NamedFile),
    /// Reads a file of the registry without storing it.
    ReadRemote(NamedFile),
    /// Copies a file from the private storage to the registry.
    Egress(NamedFile),
    /// Saves state of this size in the registry: another attempt goes on after this step.
    Checkpoint(Bytes),
    /// Fails with a message.
    Fail(String),
}

const KINDS: &[&str] =
    &["sleep", "compute", "write", "create", "read", "ingress", "read_remote", "egress", "checkpoint", "fail"];

// By hand, because the derived reader calls a step of another shape a syntax error of the whole file.
impl<'de> Deserialize<'de> for StepSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StepVisitor)
    }
}

struct StepVisitor;

impl<'de> Visitor<'de> for StepVisitor {
    type Value = StepSection;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a step: an object with one key, as in {\"sleep\": \"10s\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StepSection, A::Error> {
        let Some(kind) = map.next_key::<StepKind>()? else {
            return Err(de::Error::invalid_type(Unexpected::Other("an empty object"), &self));
        };
        let step = match kind.0.map_err(|unknown| de::Error::unknown_variant(&unknown, KINDS))? {
            "sleep" => StepSection::Sleep(map.next_value()?),
            "compute" => StepSection::Compute(map.next_value()?),
            "write" => StepSection::Write(map.next_value()?),
            "create" => StepSection::Create(map.next_value()?),
            "read" => StepSection::Read(map.next_value()?),
            "ingress" => StepSection::Ingress(map.next_value()?),
            "read_remote" => StepSection::ReadRemote(map.next_value()?),
            "egress" => StepSection::Egress(map.next_value()?),
            "checkpoint" => StepSection::Checkpoint(map.next_value()?),
            _ => StepSection::Fail(map.next_value()?),
        };
        match map.next_key::<String>()? {
            None => Ok(step),
            Some(second) => Err(de::Error::custom(format!(
                "found a second key {second:?} in a step, expected one: make it a step of its own"
            ))),
        }
    }
}

/// The key of a step: one of [`KINDS`], or the text that is none of them.
struct StepKind(Result<&'static str, String>);

impl<'de> Deserialize<'de> for StepKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KindVisitor;

        impl Visitor<'_> for KindVisitor {
            type Value = StepKind;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the kind of a step")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<StepKind, E> {
                let kind = KINDS.iter().find(|kind| **kind == text).copied();
                Ok(StepKind(kind.ok_or_else(|| text.to_owned())))
            }
        }

        deserializer.deserialize_str(KindVisitor)
    }
}
