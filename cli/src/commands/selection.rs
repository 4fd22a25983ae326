//! The arguments by which commands take a scenario, set parts of it, and find policies.

use std::env::consts::DLL_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use hearth_serverless::decisions::Observation;
use hearth_serverless::experiment::{About, Debugged, Experiment, hidden_policies};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::{Override, Scenario, ScenarioError, ScenarioText};
use serde_json::Value;

use super::platforms;
use crate::assignment::{policy_overrides, seed_override};
use crate::bundle;
use crate::error::CommandError;
use crate::isolation::Isolated;
use crate::objects::inputs;
use crate::plugin_folders::{catalog_of, folders_of};
use crate::result_folder::runs_again;

/// Where compiled policies are looked for.
#[derive(Clone, Debug, Args)]
pub struct PluginArguments {
    /// Look for policies that are not built in in this folder, too; before the folders of HEARTH_PLUGIN_PATH and
    /// the folder `plugins` beside the program.
    #[arg(long = "plugin-dir", value_name = "DIR")]
    plugin_dirs: Vec<PathBuf>,
}

impl PluginArguments {
    /// The folders that are named, here and in HEARTH_PLUGIN_PATH.
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut folders = self.plugin_dirs.clone();
        if let Some(path) = std::env::var_os("HEARTH_PLUGIN_PATH") {
            folders.extend(std::env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty()));
        }
        folders
    }

    /// Whether there are any.
    pub fn are_there(&self) -> bool {
        !self.all_folders().is_empty()
    }

    /// The folders that are searched: those that are named, and that beside the program.
    pub fn all_folders(&self) -> Vec<PathBuf> {
        folders_of(self.folders()).collect()
    }

    /// Every policy there is.
    pub fn catalog(&self) -> Catalog {
        catalog_of(self.folders())
    }
}

/// A scenario file, what is set in it, and where its policies are found.
#[derive(Clone, Debug, Args)]
pub struct ScenarioBase {
    /// The scenario file (JSON), or - for standard input, from where relative paths start in the current folder.
    pub scenario: PathBuf,

    /// Write the scenario over this platform, as "base" in it does: what it does not say is as on that one. `hearth platforms` lists them.
    #[arg(long, value_name = "NAME", value_parser = platforms::names())]
    platform: Option<String>,

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
        let platform = self.platform.as_ref().map(|name| format!("base={name}"));
        let assignments = platform.into_iter().chain(self.set.iter().cloned()).chain(lenient).chain(from_first);
        assignments.map(|assignment| assignment.parse().map_err(CommandError::Argument)).collect()
    }

    /// Whether libraries may be opened for the scenario with these policies and other values: none is if it says no. Nothing is read
    /// that cannot be read again.
    pub fn may_open_libraries(&self, policies: &[String], values: &[String]) -> bool {
        let is_path = |policy: &String| policy.contains(std::path::is_separator) || policy.contains(DLL_SUFFIX);
        let may_name = |value: &String| ["library", DLL_SUFFIX, "@"].iter().any(|part| value.contains(part));
        self.plugins.are_there()
            || policies.iter().any(is_path)
            || values.iter().chain(&self.set).any(may_name)
            || may_name_libraries(&self.scenario)
    }

    /// How what is done with the scenario is done in a process of its own, in which a call of a policy may take so long.
    pub fn isolated(&self, limit: Duration) -> Isolated {
        let isolated = Isolated::within(limit, self.plugins.all_folders());
        Isolated { reads_input: self.is_standard_input(), ..isolated }
    }

    /// An error of reading or preparing the scenario, with its file.
    pub fn wrong(&self, error: ScenarioError) -> CommandError {
        CommandError::in_scenario(&self.name(), error)
    }

    /// The scenario as messages call it.
    pub fn name(&self) -> PathBuf {
        if self.is_standard_input() { STANDARD_INPUT.into() } else { self.scenario.clone() }
    }

    /// Whether it is read from standard input, which can be done once.
    pub fn is_standard_input(&self) -> bool {
        self.scenario == Path::new("-")
    }

    /// Reads the text of the scenario; from standard input that can be done once.
    pub fn read(&self) -> Result<ScenarioText, CommandError> {
        let text = if self.is_standard_input() {
            ScenarioText::read_from(STANDARD_INPUT, std::io::stdin().lock())
        } else {
            ScenarioText::read(&self.scenario)
        };
        let text = text.map_err(CommandError::Argument)?;
        if let Some(platform) = &self.platform {
            self.check_platform(platform, &text)?;
        }
        Ok(text)
    }

    /// Refuses a platform beside another one that the scenario names itself.
    fn check_platform(&self, platform: &str, text: &ScenarioText) -> Result<(), CommandError> {
        match text.base_name().map_err(|error| self.wrong(error))? {
            Some(own) if own != platform => {
                let file = self.name();
                let problem = format!(
                    "the base of {} is {own:?}: leave one of them out, or --set base={platform}",
                    file.display()
                );
                Err(CommandError::Usage(format!("--platform {platform}: {problem}")))
            }
            _ => Ok(()),
        }
    }
}

const STANDARD_INPUT: &str = "standard input";

/// Whether the scenario in a file or a folder of results may name a library.
fn may_name_libraries(path: &Path) -> bool {
    let path = if path.is_dir() { path.join("scenario.json") } else { path.to_owned() };
    // What is packed in a bundle is not seen from outside.
    if bundle::is_one(&path) {
        return true;
    }
    match fs::metadata(&path) {
        // A pipe can be read once.
        Ok(file) if !file.is_file() => true,
        Ok(_) => fs::read(&path).is_ok_and(|text| String::from_utf8_lossy(&text).contains("library")),
        // It is said later that it cannot be read, if it is not standard input.
        Err(_) => path == Path::new("-"),
    }
}

/// A scenario, what is set in it and the choices of one run.
#[derive(Clone, Debug, Args)]
pub struct ScenarioArguments {
    #[command(flatten)]
    pub base: ScenarioBase,

    /// Use another policy: one by its name, as in node_allocation=least-loaded, or one in a library, as in
    /// eviction.containers=./libmine.so or ./libmine.so:name. A path with a colon or a comma stands in double quotes:
    /// 'eviction.containers="a:b,c.so":name'. Parameters, and policies of other slots, may follow:
    /// keep_alive=fixed,timeout=20min. Lists stand in brackets: limits=[1s,5min].
    #[arg(long = "policy", value_name = "SLOT=POLICY")]
    policy: Vec<String>,

    /// Draw all random numbers from this seed instead of the scenario's.
    #[arg(long)]
    seed: Option<u64>,
}

/// What is set in the second of two runs.
#[derive(Clone, Debug, Default, Args)]
pub struct Settings {
    /// Write the scenario of the second run over this platform.
    #[arg(long, value_name = "NAME", value_parser = platforms::names())]
    platform: Option<String>,

    /// Set a value in the scenario of the second run, as in service.container_startup_overhead=2s.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// Use another policy in the second run, as in keep_alive=fixed,timeout=20min or node_allocation=./libmine.so.
    #[arg(long = "policy", value_name = "SLOT=POLICY")]
    policy: Vec<String>,

    /// Draw all random numbers of the second run from this seed.
    #[arg(long)]
    seed: Option<u64>,
}

impl Settings {
    /// Whether nothing is set.
    pub fn is_nothing(&self) -> bool {
        self.platform.is_none() && self.set.is_empty() && self.policy.is_empty() && self.seed.is_none()
    }
}

impl ScenarioArguments {
    /// The scenario of a file, with what is set in it and the policies that these arguments find.
    pub fn of(scenario: PathBuf, plugins: &PluginArguments, settings: &Settings) -> Self {
        let Settings { platform, set, policy, seed } = settings.clone();
        let plugins = PluginArguments { plugin_dirs: plugins.plugin_dirs.clone() };
        let base = ScenarioBase { scenario, platform, set, plugins, lenient: false, from_first: false };
        Self { base, policy, seed }
    }

    /// Whether libraries may be opened.
    pub fn may_open_libraries(&self) -> bool {
        self.base.may_open_libraries(&self.policy, &[])
    }

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
            && self.base.platform.is_none()
            && self.policy.is_empty()
            && self.seed.is_none()
            && !self.base.lenient
            && !self.base.from_first)
    }

    /// The scenario of a file, in which nothing is set, with the policies that these arguments find.
    pub fn of_file(&self, scenario: PathBuf) -> Self {
        Self::of(scenario, &self.base.plugins, &Settings::default())
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
        self.prepare_observed(&Observation::default())
    }

    /// Does the same, and has the calls of policies noted.
    pub fn prepare_observed(&self, observation: &Observation) -> Result<(Scenario, Experiment), CommandError> {
        let wrong = |error| self.base.wrong(error);
        let mut scenario = self.text.with(&self.overrides).map_err(wrong)?;
        inputs::bring_traces(&mut scenario)?;
        let catalog = self.base.plugins.catalog();
        let experiment = Experiment::prepare_observed(&scenario, &catalog, observation).map_err(wrong)?;
        let hidden = hidden_policies(&scenario, &catalog);
        let warnings = hidden.iter().chain(experiment.warnings()).cloned();
        warnings.for_each(|warning| eprintln!("warning: {}", inputs::told_in(warning)));
        Ok((scenario, experiment))
    }

    /// The scenario with everything that is set, and this besides.
    pub fn with(&self, more: &[Override]) -> Result<Scenario, CommandError> {
        let overrides: Vec<Override> = self.overrides.iter().chain(more).cloned().collect();
        let mut scenario = self.text.with(&overrides).map_err(|error| self.base.wrong(error))?;
        inputs::bring_traces(&mut scenario)?;
        Ok(scenario)
    }

    /// Gets it ready to be stepped, with everything that is set.
    pub fn prepare_stepped(&self) -> Result<Debugged, CommandError> {
        let scenario = self.with(&[])?;
        let catalog = self.base.plugins.catalog();
        let debugged = Debugged::prepare(&scenario, &catalog).map_err(|error| self.base.wrong(error))?;
        let hidden = hidden_policies(&scenario, &catalog);
        let warnings = hidden.iter().chain(debugged.warnings()).cloned();
        warnings.for_each(|warning| eprintln!("warning: {}", inputs::told_in(warning)));
        Ok(debugged)
    }

    /// The scenario as JSON, with everything that is set, so that it can be run again from `folder`.
    pub fn resolved(&self, folder: &Path, about: &About) -> Result<Value, CommandError> {
        let value = self.text.resolved(&self.overrides).map_err(|error| self.base.wrong(error))?;
        runs_again::from(folder, value, self.text.base(), about)
    }
}
