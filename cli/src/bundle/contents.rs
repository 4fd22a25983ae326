//! `hearth.json`: what is in a bundle.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::result_folder::manifest::{Options, Output};

/// The name of the file.
pub const NAME: &str = "hearth.json";

/// The version of its format.
const FORMAT: &str = "hearth-bundle/1";

/// The longest path of an entry: so long can it stand in the header of any archive.
pub const LONGEST_PATH: usize = 100;

/// A run that is to come to the same again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PackedRun {
    /// What it is called in messages: of a sweep, its values and seed.
    pub name: String,
    /// The name of its scenario among the files.
    pub scenario: String,
    /// The choices that are not in the scenario.
    pub options: Options,
    /// What came of it.
    pub results: Vec<Output>,
}

/// A file that runs read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PackedFile {
    /// Where it lies in the bundle, or is put once that is unpacked.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of what is in it.
    pub sha256: String,
    /// Of one that was left out: where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<PathBuf>,
    /// Of a library: what it is made for, as in `linux-x86_64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Of a library: the name of the one in whose place it is there, on its platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<String>,
}

/// `hearth.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Contents {
    /// The version of the format.
    format: String,
    /// The version of Hearth that came to these results.
    pub hearth: String,
    /// The runs.
    pub runs: Vec<PackedRun>,
    /// What they read, scenarios among it, in the order of the archive.
    pub files: Vec<PackedFile>,
}

/// What says which version reads a bundle.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: serde_json::Value,
}

/// Whether a path leads to something below where it starts, on every system.
fn is_inside(name: &str) -> bool {
    let is_plain = name.split('/').all(|part| !["", ".", ".."].contains(&part)) && !name.contains(['\\', ':', '\0']);
    is_plain && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

impl Contents {
    /// Of runs that a version of Hearth has done.
    pub fn new(hearth: &str, runs: Vec<PackedRun>, files: Vec<PackedFile>) -> Self {
        Self { format: FORMAT.to_owned(), hearth: hearth.to_owned(), runs, files }
    }

    /// The contents in a text.
    ///
    /// # Errors
    /// When it makes no sense: what is wrong with it.
    pub fn from_json(text: &[u8]) -> Result<Self, String> {
        let not_ours = |error: serde_json::Error| format!("{NAME} is not what Hearth writes: {error}");
        let Head { format } = serde_json::from_slice(text).map_err(not_ours)?;
        if format != FORMAT {
            return Err(format!("{NAME} has the format {format}, expected {FORMAT:?}"));
        }
        let contents: Self = serde_json::from_slice(text).map_err(not_ours)?;
        contents.check().map_err(|problem| format!("{NAME} is not what Hearth writes: {problem}"))?;
        Ok(contents)
    }

    fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for PackedFile { name, .. } in &self.files {
            if !is_inside(name) || name.len() > LONGEST_PATH || name.to_lowercase() == NAME {
                return Err(format!("{name:?} is no name of a file in a bundle"));
            }
            // Some systems do not tell apart what is written small and large.
            if !names.insert(name.to_lowercase()) {
                return Err(format!("{name:?} is there twice"));
            }
        }
        let is_folder = |name: &String| {
            let inside = format!("{name}/");
            names.range(inside.clone()..).next().is_some_and(|next| next.starts_with(&inside))
        };
        if let Some(name) = names.iter().find(|name| is_folder(name)) {
            return Err(format!("{name:?} is a file and a folder"));
        }
        let written: BTreeSet<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        let is_there = |name: &String| written.contains(name.as_str());
        let missing =
            self.runs.iter().map(|run| &run.scenario).chain(self.files.iter().filter_map(|it| it.stands_for.as_ref()));
        if let Some(name) = missing.into_iter().find(|name| !is_there(name)) {
            return Err(format!("{name:?} is named and not there"));
        }
        if self.runs.is_empty() {
            return Err("it has no runs".to_owned());
        }
        let outputs = || {
            self.runs.iter().flat_map(|run| {
                let named = run.options.timeline.as_deref().into_iter().chain(run.options.noted.names());
                run.results.iter().map(|it| it.name.as_str()).chain(named)
            })
        };
        match outputs().find(|name| !is_inside(name)) {
            Some(name) => Err(format!("{name:?} is no name of a result")),
            None => Ok(()),
        }
    }

    /// As it stands in the file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// What is in the archive beside this.
    pub fn packed(&self) -> impl Iterator<Item = &PackedFile> {
        self.files.iter().filter(|file| file.left_out.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(names: &[&str]) -> Contents {
        let file = |name: &&str| PackedFile {
            name: (*name).to_owned(),
            size: 0,
            sha256: String::new(),
            left_out: None,
            platform: None,
            stands_for: None,
        };
        let options = Options { policy_timeout_s: 10.0, ..Options::default() };
        let scenario = "scenario.json".to_owned();
        let run = PackedRun { name: String::new(), scenario: scenario.clone(), options, results: Vec::new() };
        let files = [scenario.as_str()].iter().chain(names).map(file).collect();
        Contents::new("1.2.3", vec![run], files)
    }

    #[test]
    fn what_is_written_is_read() {
        let contents = contents(&["inputs/1/a.csv", "inputs/2/a.csv"]);
        assert_eq!(Contents::from_json(contents.to_json().as_bytes()).as_ref(), Ok(&contents));
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        let long = "a".repeat(LONGEST_PATH + 1);
        let wrong = [
            "../a",
            "a/../../b",
            "/etc/passwd",
            "",
            ".",
            "a//b",
            "a/",
            "a/.",
            "C:\\a",
            "c:a",
            "a\\..\\b",
            "a\0",
            "hearth.json",
            "Hearth.json",
            "SCENARIO.json",
            "scenario.json/a",
            &long,
        ];
        for name in wrong {
            let refused = Contents::from_json(contents(&[name]).to_json().as_bytes());
            assert!(
                refused.is_err_and(|problem| problem.starts_with("hearth.json is not what Hearth writes: ")),
                "{name:?}"
            );
        }
        let mut contents = contents(&[]);
        contents.runs[0].results.push(Output { name: "../summary.json".to_owned(), sha256: None });
        assert!(Contents::from_json(contents.to_json().as_bytes()).unwrap_err().ends_with("is no name of a result"));
        let later = contents.to_json().replace("hearth-bundle/1", "hearth-bundle/2");
        let refused = Contents::from_json(later.as_bytes()).unwrap_err();
        assert_eq!(refused, "hearth.json has the format \"hearth-bundle/2\", expected \"hearth-bundle/1\"");
    }
}
