//! Scenarios: one JSON file that describes a platform, a service, functions, a workload and the policies.
//!
//! ```
//! use hearth_serverless::scenario::Scenario;
//! let scenario = Scenario::from_json(r#"{
//!     "format": "hearth-scenario/1",
//!     "platform": {"hosts": [
//!         {"name": "head", "cores": 1, "speed": "10Gf"},
//!         {"name": "node", "count": 2, "cores": 4, "speed": "10Gf", "ram": "16GB"}]},
//!     "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
//!     "functions": [{"name": "greet", "ram_limit": "128MB", "body": [{"sleep": "250ms"}]}],
//!     "workload": {"invocations": [{"at": 0, "function": "greet"}]}
//! }"#)?;
//! assert_eq!(scenario.functions[0].ram_limit.whole(), 128_000_000);
//! # Ok::<(), hearth_serverless::scenario::ScenarioError>(())
//! ```

mod applications;
mod base;
mod body;
mod costs;
mod distinct;
mod error;
mod faults;
mod files;
mod instances;
mod located;
#[cfg(test)]
mod mistakes;
mod node_pools;
mod overrides;
mod platform;
mod presets;
mod processors;
mod sections;
mod suggestion;
#[cfg(test)]
mod tests;
mod validate;
mod workflows;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::quantity::Seconds;
pub use applications::ApplicationSection;
pub use base::BaseSection;
use base::Merged;
pub use body::{NamedFile, SizedFile, StepSection};
pub use costs::{PowerSection, PricesSection};
pub use error::ScenarioError;
pub use faults::{
    Backoff, ContainerFaults, DrawnFault, FaultsSection, HedgeSection, Kept, RecoverySection, ReplicateSection,
    RetriedOutcome, RetrySection, ScriptedFault,
};
pub use files::change_paths;
pub use instances::{
    Concurrency, ControlPlaneSection, InstancesSection, PausedSection, PhaseSection, PodsSection, RoutingName,
    SnapshotMakerName, SnapshotPlaceName, SnapshotSection, StartFailureSection, StationSection,
};
pub use node_pools::NodePoolSection;
pub use overrides::Override;
pub use presets::{Origin, OriginKind, Preset, PresetSetting};
pub use processors::{ProcessorSharingName, ProcessorsSection, StartupSection};
pub use sections::{
    BackfillingName, ComputeSection, ContainerReuse, DiskSection, EvictionSection, FileSection, FunctionSection,
    HostSection, ImageSection, InvocationSection, LinkSection, NetworkModelName, PlatformSection, PoliciesSection,
    PolicySection, RouteSection, ServiceSection, StarSection, StorageSharing, WorkloadSection,
};
pub use suggestion::did_you_mean;
pub use workflows::{AfterSection, TaskData, TaskSection, WorkflowSection};

/// The version of the format.
const FORMAT: &str = "hearth-scenario/1";

/// A scenario.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a scenario: an object")]
pub struct Scenario {
    /// The version of the format: `hearth-scenario/1`.
    #[schemars(extend("const" = FORMAT))]
    pub format: String,
    /// The platform whose settings it was written over; they stand in it now.
    #[serde(rename = "base")]
    pub preset: Option<BaseSection>,
    /// Its name, for results.
    #[serde(default)]
    pub name: String,
    /// Free text.
    #[serde(default)]
    pub description: String,
    /// All random numbers are drawn from it.
    #[serde(default)]
    pub seed: u64,
    /// How transfers are timed.
    #[serde(default)]
    pub network_model: NetworkModelName,
    /// How transfers that meet at a full disk share it.
    #[serde(default)]
    pub storage_sharing: StorageSharing,
    /// What is simulated on.
    pub platform: PlatformSection,
    /// The service.
    pub service: ServiceSection,
    /// Container images.
    #[serde(default)]
    pub images: Vec<ImageSection>,
    /// Files in the registry.
    #[serde(default)]
    pub files: Vec<FileSection>,
    /// Functions that are served by the same instances.
    #[serde(default)]
    pub applications: Vec<ApplicationSection>,
    /// The functions.
    #[serde(default)]
    pub functions: Vec<FunctionSection>,
    /// Functions that follow one another.
    #[serde(default)]
    pub workflows: Vec<WorkflowSection>,
    /// What is invoked, and when.
    pub workload: WorkloadSection,
    /// The choices that the service makes.
    #[serde(default)]
    pub policies: PoliciesSection,
    /// What goes wrong.
    pub faults: Option<FaultsSection>,
    /// What is done about it.
    pub recovery: Option<RecoverySection>,
    /// When to stop; what has not ended by then is reported as unfinished.
    pub horizon: Option<Seconds>,
    /// After how many events in a row that move no invocation on to stop with an error; without it, after ten million;
    /// with 0, never.
    pub max_events_without_progress: Option<u64>,
    /// What a provider asks for.
    pub prices: Option<PricesSection>,
    /// The folder that relative paths start from.
    #[serde(skip)]
    #[schemars(skip)]
    pub base: PathBuf,
    /// What of it comes from the platform that it was written over.
    #[serde(skip)]
    #[schemars(skip)]
    merged: Option<Arc<Merged>>,
}

impl Scenario {
    /// Reads a scenario from text; relative paths in it start from the current folder.
    ///
    /// # Errors
    /// When it is not JSON, or not a scenario that makes sense.
    pub fn from_json(text: &str) -> Result<Self, ScenarioError> {
        Self::with_overrides(text, &[], Path::new(""))
    }

    /// Reads a scenario from a file, and sets some of its values.
    ///
    /// # Errors
    /// When the file cannot be read, is not JSON, or not a scenario that makes sense.
    pub fn read(path: &Path, overrides: &[Override]) -> Result<Self, ScenarioError> {
        ScenarioText::read(path)?.with(overrides)
    }

    fn with_overrides(text: &str, overrides: &[Override], base: &Path) -> Result<Self, ScenarioError> {
        let merged = Merged::of(text, overrides)?.map(Arc::new);
        let mut scenario: Self = match &merged {
            Some(merged) => merged.scenario(text)?,
            None => parse_text(text)?,
        };
        if !overrides.is_empty() && merged.is_none() {
            // Reading the scenario first has found what a JSON value would swallow, such as a key given twice.
            let mut value: Value = serde_json::from_str(text).map_err(|error| ScenarioError::syntax(&error))?;
            overrides.iter().try_for_each(|assignment| assignment.apply(&mut value))?;
            scenario = parse(value)?;
        }
        base.clone_into(&mut scenario.base);
        scenario.merged = merged;
        scenario.validate().map_err(|error| scenario.explained(error))?;
        Ok(scenario)
    }

    /// An error of what is in the scenario, which says so where it is about what stands in no file of the user's.
    pub(crate) fn explained(&self, error: ScenarioError) -> ScenarioError {
        match &self.merged {
            Some(merged) => merged.explained(error),
            None => error,
        }
    }
}

/// The text of a scenario file, from which scenarios are read that differ in some values.
#[derive(Clone, Debug)]
pub struct ScenarioText {
    path: PathBuf,
    text: String,
}

impl ScenarioText {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        Ok(Self { path: path.to_owned(), text: read_text(path)? })
    }

    /// Reads the text from something that is no file, which messages call `name`; relative paths in it start from the
    /// current folder.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_from(name: &str, mut source: impl std::io::Read) -> Result<Self, ScenarioError> {
        let path = PathBuf::from(name);
        let mut bytes = Vec::new();
        let read = source.read_to_end(&mut bytes);
        read.map_err(|error| ScenarioError::File { path: path.clone(), problem: format!("cannot be read: {error}") })?;
        Ok(Self { text: utf8(&path, bytes)?, path })
    }

    /// The folder that relative paths start from; empty is the current one.
    pub fn base(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text as JSON, with some of its values set. If it is written over a platform, that is in it.
    ///
    /// # Errors
    /// When it is not JSON, or a value cannot be set.
    pub fn resolved(&self, overrides: &[Override]) -> Result<Value, ScenarioError> {
        if let Some(merged) = self.merged(overrides)? {
            return Ok(merged.value);
        }
        let mut value = serde_json::from_str(&self.text).map_err(|error| ScenarioError::syntax(&error))?;
        overrides.iter().try_for_each(|assignment| assignment.apply(&mut value))?;
        Ok(value)
    }

    /// The platform that it names as its base; nothing if it has been written over one.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn base_name(&self) -> Result<Option<String>, ScenarioError> {
        base::name_in(&self.text)
    }

    /// The platform that it is written over, with some of its values set.
    ///
    /// # Errors
    /// When it is not JSON, there is no such platform, or a value cannot be set.
    pub fn preset(&self, overrides: &[Override]) -> Result<Option<&'static Preset>, ScenarioError> {
        Ok(self.merged(overrides)?.map(|merged| merged.preset))
    }

    fn merged(&self, overrides: &[Override]) -> Result<Option<Merged>, ScenarioError> {
        Merged::of(&self.text, overrides)
    }

    /// The scenario with some of its values set; relative paths in it start from the folder of the file.
    ///
    /// # Errors
    /// When it is not JSON, or not a scenario that makes sense.
    pub fn with(&self, overrides: &[Override]) -> Result<Scenario, ScenarioError> {
        Scenario::with_overrides(&self.text, overrides, self.base()).map_err(|error| match error {
            ScenarioError::Syntax(_) => ScenarioError::File { path: self.path.clone(), problem: error.to_string() },
            error => error,
        })
    }
}

/// The JSON Schema of scenarios.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Scenario).to_value();
    base::soften(&mut schema);
    schema
}

pub(crate) fn read_text(path: &Path) -> Result<String, ScenarioError> {
    let problem = |problem: String| ScenarioError::File { path: path.to_owned(), problem };
    if path.is_dir() {
        return Err(problem("is a directory: name the file in it".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|error| problem(format!("cannot be read: {error}")))?;
    utf8(path, bytes)
}

fn utf8(path: &Path, bytes: Vec<u8>) -> Result<String, ScenarioError> {
    String::from_utf8(bytes).map_err(|error| {
        let problem = format!("is not UTF-8 text: byte {} is wrong", error.utf8_error().valid_up_to());
        ScenarioError::File { path: path.to_owned(), problem }
    })
}

fn parse_text<T: DeserializeOwned>(text: &str) -> Result<T, ScenarioError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = parse(&mut deserializer)?;
    deserializer.end().map_err(|error| ScenarioError::syntax(&error))?;
    Ok(read)
}

fn parse<'de, T: Deserialize<'de>>(
    source: impl serde::Deserializer<'de, Error = serde_json::Error>,
) -> Result<T, ScenarioError> {
    serde_path_to_error::deserialize(source).map_err(|error| {
        let place = error.path().to_string();
        let inner = error.into_inner();
        if !inner.is_data() {
            return ScenarioError::syntax(&inner);
        }
        let place = if place == "." { "the scenario".to_owned() } else { place };
        ScenarioError::unsuitable(place, &inner)
    })
}
