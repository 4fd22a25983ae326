//! Holds a command against what there is, without running it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What commands may name.
pub struct Known {
    project: PathBuf,
    packages: BTreeSet<String>,
    /// Binaries, examples, tests and benchmarks.
    targets: BTreeSet<String>,
    features: BTreeSet<String>,
    manifest: String,
}

impl Known {
    pub fn look_up(project: &Path) -> Self {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(project).args(["metadata", "--offline", "--no-deps", "--format-version", "1"]);
        let metadata: Value = serde_json::from_slice(&cargo.output().unwrap().stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
        let features = packages.iter().flat_map(|package| package["features"].as_object().unwrap().keys().cloned());
        Self {
            project: project.to_owned(),
            packages: packages.iter().map(name).collect(),
            targets: packages.iter().flat_map(|package| package["targets"].as_array().unwrap()).map(name).collect(),
            features: features.collect(),
            manifest: std::fs::read_to_string(project.join("Cargo.toml")).unwrap(),
        }
    }

    /// What is wrong with a command.
    pub fn fault(&self, command: &str) -> Option<String> {
        // A comment at its end is none of it, nor are the brackets around what may be left out.
        let command = command.split(" #").next().unwrap_or_default().replace(['[', ']', '|', '(', ')'], " ");
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.split_first() {
            Some((&"hearth", arguments)) => fault_of_hearth(arguments),
            Some((&"cargo", arguments)) => self.fault_of_cargo(arguments),
            _ => None,
        }
    }

    fn fault_of_cargo(&self, words: &[&str]) -> Option<String> {
        let own_end = words.iter().position(|word| *word == "--").unwrap_or(words.len());
        let (own, rest) = words.split_at(own_end);
        let fault = own.windows(2).find_map(|pair| {
            let value = pair[1];
            let is_known = match pair[0] {
                "-p" | "--package" => self.packages.contains(value),
                "--bench" | "--example" | "--bin" | "--test" => self.targets.contains(value),
                "--profile" => self.manifest.contains(&format!("[profile.{value}]")),
                "--features" => value.split(',').all(|feature| self.features.contains(feature)),
                "--path" => self.project.join(value).join("Cargo.toml").is_file(),
                _ => true,
            };
            (!is_known).then(|| format!("there is no {value}"))
        });
        let arguments = rest.get(1..).unwrap_or_default();
        fault.or_else(|| (own.first() == Some(&"run") && !arguments.is_empty()).then(|| fault_of_hearth(arguments))?)
    }
}

/// The subcommand and its options must be in the help.
fn fault_of_hearth(words: &[&str]) -> Option<String> {
    let is_name = |word: &&&str| word.starts_with(|c: char| c.is_ascii_lowercase()) && !word.contains(['.', '/', '=']);
    let depth = if words.first().is_some_and(|word| ["policies", "sweep", "trace"].contains(word)) { 2 } else { 1 };
    let subcommand: Vec<&str> = words.iter().take(depth).take_while(is_name).copied().collect();
    let mut hearth = Command::new(env!("CARGO_BIN_EXE_hearth"));
    let help = hearth.args(&subcommand).arg("--help").output().unwrap();
    if !help.status.success() {
        return Some(format!("there is no subcommand {}", subcommand.join(" ")));
    }
    let help = String::from_utf8(help.stdout).unwrap();
    let takes = |option: &str| help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == option);
    let options = words.iter().filter(|word| word.starts_with("--")).map(|word| word.split('=').next().unwrap_or(word));
    options.into_iter().find(|option| !takes(option)).map(|option| format!("it takes no {option}"))
}
