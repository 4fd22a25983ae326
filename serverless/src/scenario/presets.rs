//! Platforms by name: settings that a scenario is written over, each with where it comes from.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The names and the files, in the order of names: whoever only asks for a name reads no file.
const FILES: [(&str, &str); 7] = [
    ("azure-functions", include_str!("presets/azure-functions.json")),
    ("dirigent", include_str!("presets/dirigent.json")),
    ("google-cloud-functions", include_str!("presets/google-cloud-functions.json")),
    ("knative", include_str!("presets/knative.json")),
    ("lambda", include_str!("presets/lambda.json")),
    ("openwhisk", include_str!("presets/openwhisk.json")),
    ("wrench", include_str!("presets/wrench.json")),
];

static PRESETS: LazyLock<Vec<Preset>> =
    LazyLock::new(|| FILES.iter().filter_map(|(_, text)| serde_json::from_str(text).ok()).collect());

/// A platform by name, as scenarios take it by `"base"`: a part of a scenario, and where each of its settings comes from.
///
/// ```
/// use hearth_serverless::scenario::{Preset, Scenario};
/// let scenario = Scenario::from_json(r#"{
///     "format": "hearth-scenario/1",
///     "base": "knative",
///     "functions": [{"name": "greet", "ram_limit": "128MB", "body": [{"sleep": "250ms"}]}],
///     "workload": {"invocations": [{"at": 0, "function": "greet"}]}
/// }"#)?;
/// assert_eq!(scenario.policies.autoscaling.unwrap().name.as_deref(), Some("kpa"));
/// let window = "policies.autoscaling.parameters.stable_window";
/// let knative = Preset::named("knative").unwrap();
/// let setting = knative.settings().into_iter().find(|setting| setting.path == window).unwrap();
/// assert_eq!(setting.value, "60s");
/// assert!(setting.origin.unwrap().from.contains("config-autoscaler"));
/// # Ok::<(), hearth_serverless::scenario::ScenarioError>(())
/// ```
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What scenarios call it.
    pub name: String,
    /// What it is.
    pub title: String,
    /// Its rules in a line.
    pub rules: String,
    /// The part of a scenario that it is.
    pub scenario: Value,
    /// Where its settings come from.
    pub origins: Vec<Origin>,
    /// What the platform does and this leaves out.
    pub missing: Vec<String>,
}

/// Where settings come from.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Their paths, as overrides name them. A path stands for all below it that no longer path names.
    pub of: Vec<String>,
    /// How much it is worth.
    pub kind: OriginKind,
    /// Who says or has measured it, and where.
    pub from: String,
}

/// How a setting has been found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OriginKind {
    /// The platform's documents or its code say so.
    Documented,
    /// Somebody has measured it on the platform.
    Measured,
    /// With it the model gives what somebody has measured on the platform.
    Fitted,
    /// Nobody says so, but it is likely.
    Assumed,
    /// It is no property of the platform.
    Chosen,
}

impl fmt::Display for OriginKind {
    /// In a word.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Documented => "documented",
            Self::Measured => "measured",
            Self::Fitted => "fitted",
            Self::Assumed => "assumed",
            Self::Chosen => "chosen",
        })
    }
}

/// A single setting of a preset.
#[derive(Clone, PartialEq, Debug)]
pub struct PresetSetting<'a> {
    /// Its path, as overrides name it.
    pub path: String,
    /// A number, text, a word, or a list of these.
    pub value: &'a Value,
    /// Where it comes from.
    pub origin: Option<&'a Origin>,
}

impl Preset {
    /// All there are, by name.
    pub fn all() -> &'static [Self] {
        &PRESETS
    }

    /// Their names, in order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|preset| preset.name == name)
    }

    /// All settings, each with where it comes from.
    pub fn settings(&self) -> Vec<PresetSetting<'_>> {
        let mut leaves = Vec::new();
        find_leaves(&self.scenario, String::new(), &mut leaves);
        let setting = |(path, value): (String, _)| PresetSetting { origin: self.origin_of(&path), path, value };
        leaves.into_iter().map(setting).collect()
    }

    /// Where what is at a path comes from: of several origins that name it or what it is in, the one that names it most closely.
    fn origin_of(&self, path: &str) -> Option<&Origin> {
        let named = self.origins.iter().flat_map(|origin| origin.of.iter().map(move |of| (of, origin)));
        named.filter(|(of, _)| is_at_or_below(path, of)).max_by_key(|(of, _)| of.len()).map(|(_, origin)| origin)
    }
}

/// Whether a path is another one, or below it.
fn is_at_or_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Finds what has no names below it, with its path.
fn find_leaves<'a>(value: &'a Value, path: String, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(fields) => {
            let dot = if path.is_empty() { "" } else { "." };
            fields.iter().for_each(|(name, value)| find_leaves(value, format!("{path}{dot}{name}"), found));
        }
        Value::Array(elements) if elements.iter().any(Value::is_object) => {
            for (position, element) in elements.iter().enumerate() {
                let name = element.get("name").and_then(Value::as_str);
                let name = name.map_or_else(|| position.to_string(), str::to_owned);
                find_leaves(element, format!("{path}[{name}]"), found);
            }
        }
        leaf => found.push((path, leaf)),
    }
}

#[cfg(test)]
mod tests;
