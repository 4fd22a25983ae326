//! What there is: policies, platforms, and the schema of scenarios, as JSON.

use std::path::PathBuf;

use hearth_policy_api::boundary::loader::PolicyLibrary;
use hearth_policy_api::{ParameterKind, ParameterSpec, ParameterValue, PolicyDescriptor, PolicySlot};
use hearth_serverless::policy::{Catalog, Libraries};
use hearth_serverless::scenario::{self, Preset, did_you_mean};
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::error::wrong;

/// The policies that are built in, and those of libraries in these folders and those of `HEARTH_PLUGIN_PATH`.
pub fn catalog_of(mut folders: Vec<PathBuf>) -> Catalog {
    if let Some(path) = std::env::var_os("HEARTH_PLUGIN_PATH") {
        folders.extend(std::env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty()));
    }
    Catalog::new(hearth_plugins::BUILT_IN).with_libraries(Libraries::in_folders(folders))
}

/// The policies there are, and those of these libraries.
#[pyfunction]
pub fn policies(py: Python<'_>, libraries: Vec<PathBuf>, folders: Vec<PathBuf>) -> PyResult<String> {
    let told = py.detach(|| {
        let catalog = catalog_of(folders);
        if let Some(broken) = catalog.broken_libraries().first() {
            return Err(format!("{} {}", broken.path.display(), broken.problem));
        }
        let library_of = |found: &hearth_serverless::policy::FoundPolicy| {
            found.library.as_ref().map(|library| library.path.display().to_string())
        };
        let mut all: Vec<Value> =
            catalog.policies().iter().map(|found| policy(&found.descriptor, library_of(found))).collect();
        for path in libraries {
            let library = PolicyLibrary::open(&path).map_err(|problem| format!("{} {problem}", path.display()))?;
            all.extend(library.policies.iter().map(|it| policy(it, Some(path.display().to_string()))));
        }
        Ok(Value::from(all).to_string())
    });
    told.map_err(wrong)
}

/// The platforms there are.
#[pyfunction]
pub fn platforms() -> String {
    Value::from_iter(Preset::all().iter().map(platform_of)).to_string()
}

/// One platform.
#[pyfunction]
pub fn platform(name: &str) -> PyResult<String> {
    let preset = Preset::named(name).ok_or_else(|| {
        let known = Preset::names().collect::<Vec<_>>().join(", ");
        let cure = did_you_mean(name, Preset::names());
        wrong(format!("there is no platform {name:?}: expected one of {known}{cure}"))
    })?;
    Ok(platform_of(preset).to_string())
}

/// The JSON Schema of scenarios.
#[pyfunction]
pub fn schema() -> String {
    scenario::schema().to_string()
}

fn policy(descriptor: &PolicyDescriptor, library: Option<String>) -> Value {
    let slots: Vec<&str> =
        PolicySlot::ALL.into_iter().filter(|slot| descriptor.is(slot.kind())).map(PolicySlot::path).collect();
    let kinds: Vec<String> = descriptor.kinds().map(|kind| kind.to_string().replace([' ', '-'], "_")).collect();
    json!({
        "name": descriptor.name(),
        "kinds": kinds,
        "slots": slots,
        "version": descriptor.version(),
        "description": descriptor.description(),
        "library": library,
        "parameters": descriptor.parameters().iter().map(parameter).collect::<Vec<_>>(),
    })
}

fn parameter(spec: &ParameterSpec) -> Value {
    let (min, max) = match spec.kind {
        ParameterKind::Integer { min, max } => (json!(min), if max == u64::MAX { Value::Null } else { json!(max) }),
        // Infinity, which is no bound, is nothing in JSON.
        ParameterKind::Number { min, max } | ParameterKind::Numbers { min, max } => (json!(min), json!(max)),
        _ => (Value::Null, Value::Null),
    };
    let words = if let ParameterKind::Choice(words) = &spec.kind { words.clone() } else { Vec::new() };
    json!({
        "name": spec.name,
        "kind": kind_name(&spec.kind),
        "default": default_of(&spec.default),
        "unit": spec.unit,
        "takes": spec.kind.to_string(),
        "min": min,
        "max": max,
        "words": words,
        "description": spec.help,
    })
}

fn kind_name(kind: &ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Duration => "duration",
        ParameterKind::Bytes => "bytes",
        ParameterKind::Integer { .. } => "integer",
        ParameterKind::Number { .. } => "number",
        ParameterKind::Choice(_) => "choice",
        ParameterKind::Flag => "flag",
        ParameterKind::Text => "text",
        ParameterKind::Texts => "texts",
        ParameterKind::Numbers { .. } => "numbers",
        ParameterKind::Durations => "durations",
    }
}

/// A default as a scenario would give it; nothing for no limit.
fn default_of(value: &ParameterValue) -> Value {
    match value {
        ParameterValue::Integer(u64::MAX) => Value::Null,
        ParameterValue::Integer(number) => json!(number),
        ParameterValue::Number(number) => json!(number),
        ParameterValue::Flag(flag) => json!(flag),
        ParameterValue::Texts(texts) => json!(texts),
        ParameterValue::Numbers(numbers) => json!(numbers),
        ParameterValue::Durations(times) => {
            times.iter().map(|nanos| ParameterValue::Duration(*nanos).to_string()).collect()
        }
        shown => json!(shown.to_string()),
    }
}

fn platform_of(preset: &Preset) -> Value {
    let mut settings = Vec::new();
    for setting in preset.settings() {
        let origin = setting.origin.and_then(|origin| preset.origins.iter().position(|other| other == origin));
        settings.push(json!({"path": setting.path, "value": setting.value, "origin": origin}));
    }
    let mut told = json!(preset);
    if let Some(fields) = told.as_object_mut() {
        fields.insert("settings".to_owned(), settings.into());
    }
    told
}
