//! `run.json`: what the run in a folder was, and which files there are its.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use hearth_serverless::experiment::PolicyTime;
use serde::{Deserialize, Serialize};

use crate::error::CommandError;
use crate::noted::Noted;
use crate::output_choice::{Intervals, InvocationsTable};

/// The name of the file.
pub const NAME: &str = "run.json";

/// The version of its format.
const FORMAT: &str = "hearth-run/1";

/// How far a run has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not to its end, or it was killed.
    Running,
    /// To its end.
    Finished,
    /// The simulation ended in an error, as it would again.
    Stopped,
    /// Somebody stopped it, or a policy did not come back in time.
    Interrupted,
}

/// The choices of a run that are not in its scenario.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Options {
    /// The table of invocations, if there is one.
    pub invocations: Option<InvocationsTable>,
    /// The intervals of the time series to begin with, if there is one.
    pub time_series: Option<Intervals>,
    /// The name of the timeline's file, if there is one in the folder.
    pub timeline: Option<String>,
    /// How long a call of a policy may take, in seconds; 0 is for ever.
    pub policy_timeout_s: f64,
    /// Whether it is said what latencies are made of.
    #[serde(default)]
    pub explain: bool,
    /// What is noted of the calls of policies.
    #[serde(default, skip_serializing_if = "Noted::is_nothing")]
    pub noted: Noted,
}

/// What a run of a sweep was.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// The hash of all that it depends on.
    pub key: String,
    /// The value on each axis.
    pub settings: BTreeMap<String, String>,
    /// The seed.
    pub seed: u64,
}

/// A file that a run has read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Input {
    /// Where it was.
    pub path: PathBuf,
    /// SHA-256 of what was in it.
    pub sha256: String,
}

/// A file that a run has written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Output {
    /// Its name in the folder.
    pub name: String,
    /// SHA-256 of what is in it, once the run has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// How much real time the policies in a slot took.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PolicyTook {
    /// The slot, as in `node_allocation`.
    pub slot: String,
    /// How often they were called.
    pub calls: u64,
    /// How many seconds that took in all; of many short calls a share is timed.
    pub wall_s: f64,
}

impl PolicyTook {
    /// As it is told in a file.
    pub fn of(took: &PolicyTime) -> Self {
        Self { slot: took.slot.path().to_owned(), calls: took.calls, wall_s: took.time.as_secs_f64() }
    }
}

/// `run.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub format: String,
    /// Hearth's version.
    pub hearth: String,
    /// How far the run has come.
    pub state: State,
    /// Of a run of a sweep: which one.
    #[serde(flatten)]
    pub sweep: Option<RunRecord>,
    /// The choices that are not in the scenario.
    pub options: Options,
    /// What it read beside `scenario.json`: traces, workflows, platforms, libraries of policies.
    pub inputs: Vec<Input>,
    /// What it wrote.
    pub files: Vec<Output>,
    /// What was drawn of it later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drawn: Vec<String>,
    /// The interval of the time series at its end, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_series_interval_s: Option<f64>,
    /// Wall-clock seconds that the simulation took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_s: Option<f64>,
    /// What policies took of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_times: Vec<PolicyTook>,
}

impl Manifest {
    /// Of a run that begins.
    pub fn new(options: Options, sweep: Option<RunRecord>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            hearth: env!("CARGO_PKG_VERSION").to_owned(),
            state: State::Running,
            sweep,
            options,
            inputs: Vec::new(),
            files: Vec::new(),
            drawn: Vec::new(),
            time_series_interval_s: None,
            wall_s: None,
            policy_times: Vec::new(),
        }
    }

    /// The manifest of a folder; `None` if there is none.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, CommandError> {
        let path = folder.join(NAME);
        let wrong = |problem: String| CommandError::Usage(format!("{}: {problem}", path.display()));
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(format!("cannot be read: {error}"))),
        };
        Self::from_json(&path, &bytes).map(Some)
    }

    /// The manifest in a text; `path` is what messages call it.
    ///
    /// # Errors
    /// When it is none that this version reads.
    pub fn from_json(path: &Path, bytes: &[u8]) -> Result<Self, CommandError> {
        let wrong = |problem: String| CommandError::Usage(format!("{}: {problem}", path.display()));
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| wrong(format!("is not what Hearth writes: {error}")))?;
        if manifest.format != FORMAT {
            return Err(wrong(format!("found format {:?}, expected {FORMAT:?}", manifest.format)));
        }
        if let Some(name) = manifest.all_files().find(|name| !is_inside(name)) {
            return Err(wrong(format!("is not what Hearth writes: {name:?} is no file in this folder")));
        }
        Ok(manifest)
    }

    /// As it stands in the file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Writes it into a folder, the whole or nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), CommandError> {
        let (path, temporary) = (folder.join(NAME), folder.join(format!(".{NAME}")));
        let written = fs::write(&temporary, self.to_json()).and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|error| CommandError::Result { file: path, problem: error.to_string() })
    }

    /// Whether the run wrote a file of this name.
    pub fn lists(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name == name)
    }

    /// Everything in the folder that is the run's, without the manifest itself.
    pub fn all_files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str()).chain(self.drawn.iter().map(String::as_str))
    }
}

/// Whether a name leads to something in the folder, and not to the folder or out of it.
fn is_inside(name: &str) -> bool {
    let mut parts = Path::new(name).components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let (time_series, timeline, policy_timeout_s, explain) = (None, None, 10.0, false);
        let options =
            Options { invocations: None, time_series, timeline, policy_timeout_s, explain, noted: Noted::default() };
        Manifest::new(options, None)
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), None);
        let mut manifest = manifest();
        manifest.files.push(Output { name: "summary.json".to_owned(), sha256: None });
        manifest.drawn.push("figures/a.svg".to_owned());
        manifest.write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap().as_ref(), Some(&manifest));
        manifest.sweep = Some(RunRecord { key: "a".to_owned(), settings: BTreeMap::new(), seed: u64::MAX });
        manifest.write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), Some(manifest));
    }

    #[test]
    fn files_elsewhere_are_nobodys_to_list() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["../precious", "/etc/passwd", "", ".", "a/../../b"] {
            let mut manifest = manifest();
            manifest.drawn.push(name.to_owned());
            manifest.write(folder.path()).unwrap();
            let error = Manifest::read(folder.path()).unwrap_err().to_string();
            assert!(error.contains("is no file in this folder"), "{name:?}: {error}");
        }
    }
}
