//! `"base"`: a scenario that is written over a platform by name.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value, json};

use super::distinct::Distinct;
use super::overrides::parse_path;
use super::{Override, Preset, Scenario, ScenarioError, did_you_mean, located, parse, parse_text};
use crate::distribution::Distribution;

/// What a scenario was written over.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the name of a platform, as in \"knative\"")]
pub struct BaseSection {
    /// The name of the platform, whose settings stand in the scenario now.
    pub merged: String,
}

impl JsonSchema for BaseSection {
    fn schema_name() -> Cow<'static, str> {
        "BaseSection".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Preset::names().collect();
        json_schema!({
            "description": "The platform that the scenario is written over; in results, that it was.",
            "anyOf": [
                {"enum": names},
                {
                    "type": "object",
                    "properties": {"merged": {"type": "string", "description": "The platform, whose settings stand in the scenario now."}},
                    "required": ["merged"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// A scenario and the platform that it is written over.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Merged {
    pub preset: &'static Preset,
    /// What the file says.
    written: Value,
    /// The whole, with what is set from outside.
    pub value: Value,
}

impl Merged {
    /// The scenario of a text with some of its values set, if it or one of these names a platform.
    pub fn of(text: &str, overrides: &[Override]) -> Result<Option<Self>, ScenarioError> {
        let set = overrides.iter().rev().find(|assignment| assignment.is_of_base());
        if set.is_none() && !may_name_base(text) {
            return Ok(None);
        }
        let name = match (set, base_in(text)?) {
            (Some(set), Some(Value::Object(before))) => {
                let before = before.get("merged").and_then(Value::as_str).unwrap_or_default();
                let cure = "name it in the scenario as it was before";
                return Err(set.error(format!("the settings of {before:?} stand in the scenario already: {cure}")));
            }
            (Some(set), _) => match set.value() {
                Value::String(name) => name,
                other => return Err(set.error(format!("found {other}, expected the name of a platform"))),
            },
            (None, Some(Value::String(name))) => name,
            (None, None | Some(Value::Object(_) | Value::Null)) => return Ok(None),
            (None, Some(other)) => {
                let problem = format!("found {other}, expected the name of a platform, as in \"knative\"");
                return Err(ScenarioError::invalid("base", problem));
            }
        };
        let preset = Preset::named(&name).ok_or_else(|| {
            let known = Preset::names().collect::<Vec<_>>().join(", ");
            let problem = format!(
                "there is no platform {name:?}: expected one of {known}{}",
                did_you_mean(&name, Preset::names())
            );
            set.map_or_else(|| ScenarioError::invalid("base", problem.clone()), |set| set.error(problem.clone()))
        })?;
        let Distinct(mut written) = parse_text(text)?;
        if let Some(fields) = written.as_object_mut() {
            fields.remove("base");
        }
        let mut value = preset.scenario.clone();
        merge(&mut value, &written);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("base".to_owned(), json!({"merged": name}));
        }
        let others = overrides.iter().filter(|assignment| !assignment.is_of_base());
        others.into_iter().try_for_each(|assignment| assignment.apply(&mut value))?;
        Ok(Some(Self { preset, written, value }))
    }

    /// Reads the whole, of which a text is the part that the user has written.
    pub fn scenario(&self, text: &str) -> Result<Scenario, ScenarioError> {
        parse(&self.value).map_err(|error| self.located(self.explained(error), text))
    }

    /// An error that says where in the text it is, if what it is about stands there.
    fn located(&self, error: ScenarioError, text: &str) -> ScenarioError {
        let ScenarioError::Invalid { place, problem } = error else { return error };
        let path = parse_path(&place).unwrap_or_default();
        let is_written = at(&self.written, &path).is_some_and(|written| Some(written) == at(&self.value, &path));
        let end = located::end_of(text, &path).filter(|_| is_written && !path.is_empty());
        let position = end.map_or(String::new(), |(line, column)| format!(" (line {line}, column {column})"));
        ScenarioError::invalid(place, format!("{problem}{position}"))
    }

    /// An error that says so where it is about what the platform brings, and the scenario has not said.
    pub fn explained(&self, error: ScenarioError) -> ScenarioError {
        let (ScenarioError::Invalid { place, .. } | ScenarioError::Refused { place, .. }) = &error else {
            return error;
        };
        if !self.is_of_preset(place) {
            return error;
        }
        let place = place.clone();
        let problem = match error {
            ScenarioError::Refused { error, .. } => error.to_string(),
            ScenarioError::Invalid { problem, .. } => problem,
            other => other.to_string(),
        };
        let name = &self.preset.name;
        ScenarioError::invalid(
            place,
            format!("{problem} (so it is on the platform {name:?}: say it anew in the scenario)"),
        )
    }

    /// Whether what is at a place is as the platform has it, and the scenario does not say it.
    fn is_of_preset(&self, place: &str) -> bool {
        let Ok(path) = parse_path(place) else { return false };
        let of_preset = at(&self.preset.scenario, &path);
        of_preset.is_some() && at(&self.written, &path).is_none() && of_preset == at(&self.value, &path)
    }
}

/// What is at a path.
fn at<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, part| match value {
        Value::Object(fields) => fields.get(part),
        Value::Array(elements) => elements.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Whether a text may have a field of that name, which may be written in other letters.
fn may_name_base(text: &str) -> bool {
    text.contains("\"base\"") || text.contains("\\u")
}

/// The platform that the text of a scenario is to be written over, if it names one.
pub(super) fn name_in(text: &str) -> Result<Option<String>, ScenarioError> {
    if !may_name_base(text) {
        return Ok(None);
    }
    Ok(base_in(text)?.and_then(|base| base.as_str().map(str::to_owned)))
}

/// What stands at `"base"` in the text of a scenario; nothing if it is no object, of which others say so.
fn base_in(text: &str) -> Result<Option<Value>, ScenarioError> {
    struct Head(Option<Value>);

    impl<'de> Deserialize<'de> for Head {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Fields;

            impl<'de> de::Visitor<'de> for Fields {
                type Value = Head;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a scenario: an object")
                }

                fn visit_map<A: de::MapAccess<'de>>(self, mut fields: A) -> Result<Head, A::Error> {
                    let mut base = None;
                    while let Some(name) = fields.next_key::<Cow<'de, str>>()? {
                        if name != "base" {
                            fields.next_value::<de::IgnoredAny>()?;
                        } else if base.replace(fields.next_value()?).is_some() {
                            return Err(de::Error::duplicate_field("base"));
                        }
                    }
                    Ok(Head(base))
                }
            }

            deserializer.deserialize_map(Fields)
        }
    }

    match serde_json::from_str(text) {
        Ok(Head(base)) => Ok(base),
        Err(error) if error.is_data() && error.to_string().starts_with("duplicate") => {
            Err(ScenarioError::unsuitable("base".to_owned(), &error))
        }
        // It is no object.
        Err(error) if error.is_data() => Ok(None),
        Err(error) => Err(ScenarioError::syntax(&error)),
    }
}

/// Writes a scenario over another, object by object, as a JSON Merge Patch (RFC 7396) does: `null` takes out what was there, lists
/// and values are replaced. Of what is one of several kinds another kind replaces the whole: parameters are a policy's own.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if is_another_kind(target, patch) {
        *target = Value::Null;
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.as_str()).or_insert(Value::Null), value);
        }
    }
}

/// Whether a patch makes another policy, another distribution or a platform of another form.
fn is_another_kind(target: &Value, patch: &Map<String, Value>) -> bool {
    let is_another = |field: &str| patch.get(field).is_some_and(|value| target.get(field) != Some(value));
    let is_policy = target.get("use").is_some() || target.get("library").is_some();
    let is_other_policy = is_policy && (is_another("use") || is_another("library"));
    let has_same = || patch.keys().any(|name| target.get(name).is_some());
    let is_other_distribution = || {
        let is_one = patch.len() == 1 && target.as_object().is_some_and(|fields| fields.len() == 1);
        is_one && !has_same() && Distribution::deserialize(target).is_ok()
    };
    let is_other_platform = target.get("hosts").is_some() && is_another("simgrid_xml");
    is_other_policy || is_other_platform || is_other_distribution()
}

/// Says in the schema that what a platform brings need not be in a scenario that is written over one.
pub(super) fn soften(schema: &mut Value) {
    let service = schema["$defs"]["ServiceSection"].as_object_mut().and_then(|service| service.remove("required"));
    schema["else"] = json!({"required": ["platform", "service"], "properties": {"service": {"required": service}}});
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| name != "platform" && name != "service");
    }
    schema["if"] = json!({"required": ["base"], "properties": {"base": {"type": "string"}}});
}

#[cfg(test)]
mod tests;
