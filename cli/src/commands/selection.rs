//! The arguments by which commands take a scenario, set parts of it, and find policies.

use std::path::{Path, PathBuf};

use clap::Args;
use hearth_serverless::experiment::Experiment;
use hearth_serverless::policy::{Catalog, Libraries, PolicySlot};
use hearth_serverless::scenario::{Override, Scenario, ScenarioError};
use serde_json::json;

use crate::error::CommandError;

/// Where compiled policies are looked for.
#[derive(Debug, Args)]
pub struct PluginArguments {
    /// Look for policies that are not built in in this folder, too; before the folders of HEARTH_PLUGIN_PATH and
    /// the folder `plugins` beside the program.
    #[arg(long = "plugin-dir", value_name = "DIR")]
    plugin_dirs: Vec<PathBuf>,
}

impl PluginArguments {
    /// Every policy there is.
    pub fn catalog(&self) -> Catalog {
        let mut folders = self.plugin_dirs.clone();
        if let Some(path) = std::env::var_os("HEARTH_PLUGIN_PATH") {
            folders.extend(std::env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty()));
        }
        let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("plugins")));
        folders.extend(beside.filter(|folder| folder.is_dir()));
        Catalog::new(hearth_plugins::BUILT_IN).with_libraries(Libraries::in_folders(folders))
    }
}

/// A scenario and what is set in it.
#[derive(Debug, Args)]
pub struct ScenarioArguments {
    /// The scenario file (JSON).
    pub scenario: PathBuf,

    /// Set a value of the scenario, as in service.container_startup_overhead=2s or functions.0.time_limit=10.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// Use another policy: one by its name, as in node_allocation=least-loaded, or one in a library, as in
    /// eviction.containers=./libmine.so or ./libmine.so:name.
    #[arg(long = "policy", value_name = "SLOT=POLICY")]
    policy: Vec<String>,

    #[command(flatten)]
    plugins: PluginArguments,

    /// Pass over rows of a trace that are wrong, and count them, instead of stopping at the first.
    #[arg(long)]
    lenient: bool,

    /// Draw all random numbers from this seed instead of the scenario's.
    #[arg(long)]
    seed: Option<u64>,
}

impl ScenarioArguments {
    /// Reads the scenario with everything that is set, and gets it ready.
    pub fn prepare(&self) -> Result<Experiment, CommandError> {
        let mut overrides = Vec::new();
        for assignment in &self.set {
            overrides.push(assignment.parse::<Override>().map_err(CommandError::Argument)?);
        }
        for choice in &self.policy {
            overrides.push(policy_override(choice)?);
        }
        if self.lenient {
            overrides.push("workload.trace.lenient=true".parse::<Override>().map_err(CommandError::Argument)?);
        }
        if let Some(seed) = self.seed {
            overrides.push(format!("seed={seed}").parse::<Override>().map_err(CommandError::Argument)?);
        }
        let of_scenario = |error| match error {
            // These name their file, or the argument, themselves.
            ScenarioError::File { .. } | ScenarioError::Override { .. } => CommandError::Argument(error),
            error => CommandError::Scenario { file: self.scenario.clone(), error },
        };
        let scenario = Scenario::read(&self.scenario, &overrides).map_err(of_scenario)?;
        Experiment::prepare(&scenario, &self.plugins.catalog()).map_err(of_scenario)
    }
}

/// `node_allocation=POLICY` as the assignment it stands for. The parameters of the scenario are another policy's.
fn policy_override(choice: &str) -> Result<Override, CommandError> {
    let slots: Vec<&str> = PolicySlot::ALL.iter().map(|slot| slot.path()).collect();
    let wrong = |problem: String| {
        CommandError::Argument(ScenarioError::Invalid { place: format!("--policy {choice:?}"), problem })
    };
    let (slot, policy) =
        choice.split_once('=').ok_or_else(|| wrong("expected SLOT=NAME or SLOT=LIBRARY".to_owned()))?;
    if !slots.contains(&slot) {
        return Err(wrong(format!("unknown slot {slot:?}: expected one of {}", slots.join(", "))));
    }
    let section = match library_and_name(policy) {
        None => json!({ "use": policy }),
        Some((library, name)) => {
            // Paths in scenarios start from the scenario, those on the command line from the current folder.
            let library = std::path::absolute(library).map_err(|error| wrong(error.to_string()))?;
            let library = library.to_str().ok_or_else(|| wrong("the path is not UTF-8 text".to_owned()))?;
            json!({ "use": name, "library": library })
        }
    };
    format!("policies.{slot}={section}").parse().map_err(CommandError::Argument)
}

/// The parts of `LIBRARY` or `LIBRARY:NAME`; `None` if it is the mere name of a policy.
fn library_and_name(policy: &str) -> Option<(&str, Option<&str>)> {
    let is_library = |path: &str| {
        path.contains(std::path::is_separator)
            || Path::new(path).extension().is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
    };
    match policy.rsplit_once(':') {
        Some((library, name)) if is_library(library) && !name.contains(std::path::is_separator) => {
            Some((library, Some(name)))
        }
        _ if is_library(policy) => Some((policy, None)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_a_name() {
        let library = |name: &str| format!("{name}.{}", std::env::consts::DLL_EXTENSION);
        assert_eq!(library_and_name("least-loaded"), None);
        assert_eq!(library_and_name("./mine"), Some(("./mine", None)));
        assert_eq!(library_and_name(&library("mine")), Some((library("mine").as_str(), None)));
        let named = format!("{}:best", library("a/mine"));
        assert_eq!(library_and_name(&named), Some((library("a/mine").as_str(), Some("best"))));
    }
}
