//! The arguments by which commands take a scenario, set parts of it, and find policies.

use std::path::{Path, PathBuf};

use clap::Args;
use hearth_serverless::experiment::{About, Experiment};
use hearth_serverless::policy::{Catalog, Libraries, PolicySlot};
use hearth_serverless::scenario::{Override, Scenario, ScenarioError, ScenarioText};
use serde_json::{Value, json};

use crate::error::CommandError;
use crate::result_folder::runs_again;

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

/// A scenario file, what is set in it, and where its policies are found.
#[derive(Debug, Args)]
pub struct ScenarioBase {
    /// The scenario file (JSON), or - for standard input, from where relative paths start in the current folder.
    pub scenario: PathBuf,

    /// Set a value of the scenario, as in service.container_startup_overhead=2s or functions.0.time_limit=10.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,

    #[command(flatten)]
    pub plugins: PluginArguments,

    /// Pass over rows of a trace that are wrong, and count them, instead of stopping at the first.
    #[arg(long)]
    lenient: bool,

    /// Let time start with the first row of the trace, whose dates may count from any other.
    #[arg(long)]
    from_first: bool,
}

impl ScenarioBase {
    /// What is set in the scenario.
    pub fn overrides(&self) -> Result<Vec<Override>, CommandError> {
        let lenient = self.lenient.then(|| "workload.trace.lenient=true".to_owned());
        let from_first = self.from_first.then(|| "workload.trace.offset=first".to_owned());
        let assignments = self.set.iter().cloned().chain(lenient).chain(from_first);
        assignments.map(|assignment| assignment.parse().map_err(CommandError::Argument)).collect()
    }

    /// An error of reading or preparing the scenario, with its file.
    pub fn wrong(&self, error: ScenarioError) -> CommandError {
        match error {
            // These name their file, or the argument, themselves.
            ScenarioError::File { .. } | ScenarioError::Override { .. } => CommandError::Argument(error),
            error => CommandError::Scenario { file: self.name(), error },
        }
    }

    /// The scenario as messages call it.
    pub fn name(&self) -> PathBuf {
        if self.is_standard_input() { STANDARD_INPUT.into() } else { self.scenario.clone() }
    }

    fn is_standard_input(&self) -> bool {
        self.scenario == Path::new("-")
    }

    /// Reads the text of the scenario; from standard input that can be done once.
    pub fn read(&self) -> Result<ScenarioText, CommandError> {
        let text = if self.is_standard_input() {
            ScenarioText::read_from(STANDARD_INPUT, std::io::stdin().lock())
        } else {
            ScenarioText::read(&self.scenario)
        };
        text.map_err(CommandError::Argument)
    }
}

const STANDARD_INPUT: &str = "standard input";

/// A scenario, what is set in it and the choices of one run.
#[derive(Debug, Args)]
pub struct ScenarioArguments {
    #[command(flatten)]
    pub base: ScenarioBase,

    /// Use another policy: one by its name, as in node_allocation=least-loaded, or one in a library, as in
    /// eviction.containers=./libmine.so or ./libmine.so:name. Parameters, and policies of other slots, may follow:
    /// keep_alive=fixed,timeout=20min.
    #[arg(long = "policy", value_name = "SLOT=POLICY")]
    policy: Vec<String>,

    /// Draw all random numbers from this seed instead of the scenario's.
    #[arg(long)]
    seed: Option<u64>,
}

impl ScenarioArguments {
    fn overrides(&self) -> Result<Vec<Override>, CommandError> {
        let mut overrides = self.base.overrides()?;
        for choice in &self.policy {
            overrides.extend(policy_overrides(choice)?);
        }
        overrides.extend(self.seed.map(seed_override).transpose()?);
        Ok(overrides)
    }

    /// Reads the scenario, and what is set in it.
    pub fn read(&self) -> Result<ChosenScenario<'_>, CommandError> {
        Ok(ChosenScenario { base: &self.base, text: self.base.read()?, overrides: self.overrides()? })
    }

    /// Whether something is set in the scenario.
    pub fn sets_something(&self) -> bool {
        !(self.base.set.is_empty()
            && self.policy.is_empty()
            && self.seed.is_none()
            && !self.base.lenient
            && !self.base.from_first)
    }

    /// The scenario of a file, in which nothing is set, with the policies that these arguments find.
    pub fn of_file(&self, scenario: PathBuf) -> Self {
        let plugins = PluginArguments { plugin_dirs: self.base.plugins.plugin_dirs.clone() };
        let base = ScenarioBase { scenario, set: Vec::new(), plugins, lenient: false, from_first: false };
        Self { base, policy: Vec::new(), seed: None }
    }
}

/// A scenario that has been read, and what is set in it.
#[derive(Debug)]
pub struct ChosenScenario<'a> {
    base: &'a ScenarioBase,
    text: ScenarioText,
    overrides: Vec<Override>,
}

impl ChosenScenario<'_> {
    /// Gets it ready, with everything that is set.
    pub fn prepare(&self) -> Result<(Scenario, Experiment), CommandError> {
        let wrong = |error| self.base.wrong(error);
        let scenario = self.text.with(&self.overrides).map_err(wrong)?;
        let experiment = Experiment::prepare(&scenario, &self.base.plugins.catalog()).map_err(wrong)?;
        experiment.warnings().iter().for_each(|warning| eprintln!("warning: {warning}"));
        Ok((scenario, experiment))
    }

    /// The scenario as JSON, with everything that is set, so that it can be run again from `folder`.
    pub fn resolved(&self, folder: &Path, about: &About) -> Result<Value, CommandError> {
        let value = self.text.resolved(&self.overrides).map_err(|error| self.base.wrong(error))?;
        runs_again::from(folder, value, self.text.base(), about)
    }
}

/// The assignment of a seed.
pub fn seed_override(seed: u64) -> Result<Override, CommandError> {
    format!("seed={seed}").parse().map_err(CommandError::Argument)
}

/// Parts of a text at the commas outside brackets and quotes.
pub fn split_at_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut depth, mut in_quotes) = (Vec::new(), 0, 0_i32, false);
    for (position, letter) in text.char_indices() {
        match letter {
            '"' => in_quotes = !in_quotes,
            '[' | '{' if !in_quotes => depth += 1,
            ']' | '}' if !in_quotes => depth -= 1,
            ',' if !in_quotes && depth <= 0 => {
                parts.push(&text[begin..position]);
                begin = position + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// `SLOT=POLICY,PARAMETER=VALUE,SLOT=POLICY…` as the assignments it stands for.
pub fn policy_overrides(choice: &str) -> Result<Vec<Override>, CommandError> {
    let mut overrides = Vec::new();
    let mut slot = None;
    for part in split_at_commas(choice) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match slot {
            Some(slot) if PolicySlot::ALL.iter().all(|other| other.path() != name) => {
                let assignment = format!("policies.{slot}.parameters.{name}={value}");
                overrides.push(assignment.parse().map_err(CommandError::Argument)?);
            }
            _ => {
                overrides.push(policy_override(part)?);
                slot = Some(name);
            }
        }
    }
    Ok(overrides)
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
    fn commas_in_brackets_and_quotes_part_nothing() {
        assert_eq!(split_at_commas("1,2GB,x"), ["1", "2GB", "x"]);
        assert_eq!(split_at_commas(r#"[1,2],{"a":[3,4]},"5,6""#), ["[1,2]", r#"{"a":[3,4]}"#, r#""5,6""#]);
        assert_eq!(split_at_commas(""), [""]);
    }

    #[test]
    fn policies_take_their_parameters_with_them() {
        let set = |assignment: &str| assignment.parse::<Override>().unwrap();
        let overrides = policy_overrides("keep_alive=fixed,timeout=20min,eviction.containers=lru").unwrap();
        let expected = [
            r#"policies.keep_alive={"use":"fixed"}"#,
            "policies.keep_alive.parameters.timeout=20min",
            r#"policies.eviction.containers={"use":"lru"}"#,
        ];
        assert_eq!(overrides, expected.map(set));
        let wrong = policy_overrides("timeout=20min").unwrap_err().to_string();
        assert!(wrong.contains("unknown slot \"timeout\""), "{wrong}");
    }

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
