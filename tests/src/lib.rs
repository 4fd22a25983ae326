//! What the tests across crates share.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use serde_json::Value;

/// A path inside the project.
pub fn project_path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(relative)
}

/// Runs a scenario of the project with the built-in policies.
pub fn run_scenario(relative: &str) -> Results {
    let scenario = Scenario::read(&project_path(relative), &[]).unwrap_or_else(|error| panic!("{relative}: {error}"));
    let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN));
    let experiment = experiment.unwrap_or_else(|error| panic!("{relative}: {error}"));
    experiment.run().unwrap_or_else(|error| panic!("{relative}: {error}"))
}

/// A text that is written by somebody else.
#[derive(Clone, Debug, Default)]
pub struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    /// What has been written.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Changes a value: objects part by part, elements of arrays by their numbers, and all else as a whole.
///
/// # Panics
/// When a change names an element by no number, or one that is not there.
pub fn merge(into: &mut Value, changes: &Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (key, value) in changes {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Object(changes)) => {
            for (position, value) in changes {
                let position: usize = position.parse().unwrap_or_else(|_| panic!("{position:?} is no position"));
                merge(&mut into[position], value);
            }
        }
        (into, changes) => *into = changes.clone(),
    }
}
