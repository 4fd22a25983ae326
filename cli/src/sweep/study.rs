//! What a sweep is about: a scenario, what varies in it, and which runs that makes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use hearth_serverless::experiment::{About, Experiment, chosen_policies, hidden_policies};
use hearth_serverless::policy::{Catalog, OwnPolicies};
use hearth_serverless::scenario::{Override, Scenario, ScenarioError, ScenarioText};

use super::grid::{Axis, Baseline, Grid, Point};
use crate::assignment::seed_override;
use crate::error::CommandError;
use crate::hash::{self, hash_of};
use crate::objects::inputs;
use crate::output_choice::TableFormat;
use crate::plugin_folders::{catalog_of, catalog_with};
use crate::result_folder::manifest::{Input, Options, RunRecord};

/// Everything that is to be run.
#[derive(Clone, Debug)]
pub struct Study {
    /// The scenario as messages call it.
    pub name: PathBuf,
    /// Its text.
    pub text: ScenarioText,
    /// What is set in all runs.
    pub overrides: Vec<Override>,
    /// What varies.
    pub grid: Grid,
    /// What the others are compared to.
    pub baseline: Option<Baseline>,
    /// All runs.
    pub points: Vec<Point>,
    /// What each run writes.
    pub options: Options,
    /// The form of the tables.
    pub format: TableFormat,
    /// Where policies are looked for that are not built in.
    pub plugin_folders: Vec<PathBuf>,
    /// Policies of the program itself.
    pub own: OwnPolicyMaker,
    /// By point: the hash of all that its run depends on.
    pub keys: Vec<String>,
    /// Names and hashes of the files that the scenarios read.
    pub files: Vec<(String, String)>,
    /// The hashes of those files, and of libraries of policies, by path.
    pub hashes: BTreeMap<PathBuf, String>,
    /// Where the libraries are that were opened for the hashes, by path.
    pub copies: OnceLock<BTreeMap<PathBuf, PathBuf>>,
}

/// Makes the policies of a program for the catalog of a thread.
#[derive(Clone, Default)]
pub struct OwnPolicyMaker(Option<Arc<dyn Fn() -> OwnPolicies + Send + Sync>>);

impl fmt::Debug for OwnPolicyMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "policies of the program" } else { "no policies of the program" })
    }
}

impl OwnPolicyMaker {
    /// One that makes these. It is called once for each thread that simulates.
    pub fn new(make: impl Fn() -> OwnPolicies + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(make)))
    }

    fn make(&self) -> OwnPolicies {
        self.0.as_ref().map_or_else(OwnPolicies::default, |make| make())
    }
}

/// What runs depend on.
#[derive(Debug, Default)]
pub struct Dependencies {
    /// The hash of all of it, by run.
    pub keys: Vec<String>,
    /// Names and hashes of the files that the scenarios read.
    pub files: BTreeMap<String, String>,
    /// The hashes of those files, and of libraries of policies, by path.
    pub hashes: BTreeMap<PathBuf, String>,
    /// Where these libraries are, as they were opened.
    pub copies: BTreeMap<PathBuf, PathBuf>,
}

impl Study {
    /// Every policy there is. Libraries are those with which the hashes were made, whatever has become of their files.
    pub fn catalog(&self) -> Catalog {
        catalog_with(self.plugin_folders.clone(), self.copies.get().cloned().unwrap_or_default())
            .with_own(self.own.make())
    }

    /// An error of reading or preparing the scenario, with its file.
    pub fn wrong(&self, error: ScenarioError) -> CommandError {
        CommandError::in_scenario(&self.name, error)
    }

    /// What is set in the scenario for some values and a seed.
    pub fn set(&self, settings: &[usize], seed: Option<u64>) -> Result<Vec<Override>, CommandError> {
        let seed = seed.map(seed_override).transpose()?;
        Ok(self.overrides.iter().cloned().chain(self.grid.overrides(settings)).chain(seed).collect())
    }

    /// The scenario with some values and a seed.
    pub fn scenario(&self, settings: &[usize], seed: Option<u64>) -> Result<Scenario, CommandError> {
        let overrides = self.set(settings, seed)?;
        let mut scenario = self.text.with(&overrides).map_err(|error| self.wrong(error))?;
        inputs::bring_traces(&mut scenario)?;
        Ok(scenario)
    }

    /// The scenario of a point.
    pub fn scenario_of(&self, point: usize) -> Result<Scenario, CommandError> {
        let Point { settings, seed } = &self.points[point];
        self.scenario(settings, Some(*seed))
    }

    /// Finds what each run depends on; reads the scenario with every combination of values, so that a mistake in one is
    /// found before anything runs.
    pub fn find_keys(&mut self) -> Result<(), CommandError> {
        let all: Vec<usize> = (0..self.points.len()).collect();
        let Dependencies { keys, files, hashes, copies } = self.dependencies(&all)?;
        (self.keys, self.files, self.hashes) = (keys, files.into_iter().collect(), hashes);
        self.copies.get_or_init(|| copies);
        Ok(())
    }

    /// What these runs depend on.
    pub fn dependencies(&self, points: &[usize]) -> Result<Dependencies, CommandError> {
        // Of the files as they are now.
        let catalog = catalog_of(self.plugin_folders.clone()).with_own(self.own.make());
        let mut found = Dependencies::default();
        // Seeds vary fastest.
        for points in points.chunk_by(|one, next| self.points[*one].settings == self.points[*next].settings) {
            let Some(first) = points.first() else { continue };
            let parts = self.parts_of_key(&self.points[*first].settings, &catalog, &mut found)?;
            for point in points {
                let seed = self.points[*point].seed.to_string();
                found.keys.push(hash::of_parts(&parts.iter().cloned().chain([seed]).collect::<Vec<_>>()));
            }
        }
        found.copies = catalog.copies();
        Ok(found)
    }

    /// What all runs of some values depend on.
    fn parts_of_key(
        &self,
        settings: &[usize],
        catalog: &Catalog,
        found: &mut Dependencies,
    ) -> Result<Vec<String>, CommandError> {
        let Dependencies { hashes, files, .. } = found;
        let scenario = self.scenario(settings, None)?;
        let policies = chosen_policies(&scenario, catalog).map_err(|error| self.wrong(error))?;
        let mut parts = vec![env!("CARGO_PKG_VERSION").to_owned(), self.text.as_str().to_owned()];
        let assignments = self.overrides.iter().cloned().chain(self.grid.overrides(settings));
        parts.extend(assignments.map(|assignment| assignment.to_string()));
        let preset = self.text.preset(&self.set(settings, None)?).map_err(|error| self.wrong(error))?;
        parts.extend(preset.and_then(|preset| serde_json::to_string(preset).ok()));
        for (slot, record) in policies {
            if let Some((path, hash)) = record.library.as_ref().zip(record.library_sha256.as_ref()) {
                hashes.insert(path.clone(), hash.clone());
            }
            parts.push(format!("{}={} {} {:?}", slot.path(), record.name, record.version, record.library_sha256));
        }
        for file in scenario.files().map_err(|error| self.wrong(error))? {
            let hash = match hashes.entry(file.clone()) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(hash_of(&file)?),
            };
            parts.push(hash.clone());
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            files.insert(name, hash.clone());
        }
        Ok(parts)
    }

    /// Gets each value ready once, with the first of all others; gives what there is to be warned of.
    pub fn check_values(&self) -> Result<Vec<String>, CommandError> {
        let catalog = self.catalog();
        let first = vec![0; self.grid.axes.len()];
        let mut combinations = vec![first.clone()];
        for (position, axis) in self.grid.axes.iter().enumerate() {
            for setting in 1..axis.settings.len() {
                let mut settings = first.clone();
                settings[position] = setting;
                combinations.push(settings);
            }
        }
        let mut warnings = std::collections::BTreeSet::new();
        for settings in combinations {
            let scenario = self.scenario(&settings, None)?;
            let experiment = Experiment::prepare(&scenario, &catalog).map_err(|error| self.wrong(error))?;
            warnings.extend(hidden_policies(&scenario, &catalog));
            warnings.extend(experiment.warnings().iter().cloned());
        }
        Ok(warnings.into_iter().collect())
    }

    /// The study of one of the runs alone.
    #[cfg(unix)]
    pub fn only(&self, point: usize) -> Self {
        let Point { settings, seed } = &self.points[point];
        let axis = |(axis, setting): (&Axis, &usize)| Axis {
            name: axis.name.clone(),
            settings: vec![axis.settings[*setting].clone()],
        };
        let grid = Grid { axes: self.grid.axes.iter().zip(settings).map(axis).collect(), seeds: vec![*seed] };
        Self {
            points: grid.points(),
            grid,
            baseline: None,
            keys: vec![self.keys[point].clone()],
            name: self.name.clone(),
            text: self.text.clone(),
            overrides: self.overrides.clone(),
            options: self.options.clone(),
            format: self.format,
            plugin_folders: self.plugin_folders.clone(),
            own: self.own.clone(),
            files: self.files.clone(),
            hashes: self.hashes.clone(),
            copies: self.copies.clone(),
        }
    }

    /// Which run of the sweep a point is.
    pub fn record(&self, point: usize) -> RunRecord {
        let Point { settings, seed } = &self.points[point];
        let names = self.grid.axes.iter().map(|axis| axis.name.clone());
        let settings = names.zip(self.grid.labels(settings).into_iter().map(str::to_owned)).collect();
        RunRecord { key: self.keys[point].clone(), settings, seed: *seed }
    }

    /// Whether this is the record of a point.
    pub fn is_recorded(&self, point: usize, record: &RunRecord) -> bool {
        let Point { settings, seed } = &self.points[point];
        let axes = &self.grid.axes;
        let is_value =
            |(axis, label): (&Axis, &str)| record.settings.get(&axis.name).is_some_and(|value| value == label);
        record.key == self.keys[point]
            && record.seed == *seed
            && record.settings.len() == axes.len()
            && axes.iter().zip(self.grid.labels(settings)).all(is_value)
    }

    /// A run in words, for messages.
    pub fn describe(&self, point: usize) -> String {
        let Point { settings, seed } = &self.points[point];
        format!("{} seed={seed}", self.grid.describe(settings)).trim_start().to_owned()
    }

    /// Whether the libraries that a run has opened are what they were when the sweep began.
    pub fn check_libraries(&self, about: &About) -> Result<(), CommandError> {
        for (_, record) in &about.policies {
            let Some((library, opened)) = record.library.as_ref().zip(record.library_sha256.as_ref()) else { continue };
            let is_it = |(path, _): &(&PathBuf, &String)| {
                std::path::absolute(path)
                    .ok()
                    .zip(std::path::absolute(library).ok())
                    .is_some_and(|(one, other)| one == other)
            };
            if self.hashes.iter().find(is_it).is_some_and(|(_, begun_with)| begun_with != opened) {
                let cure = "its results would be of two libraries; start the sweep again";
                return Err(CommandError::Usage(format!(
                    "{} has changed since the sweep began: {cure}",
                    library.display()
                )));
            }
        }
        Ok(())
    }

    /// What a run reads, with the hashes of what it was when the sweep began.
    pub fn inputs(&self, paths: Vec<PathBuf>) -> Result<Vec<Input>, CommandError> {
        let known = |path: &PathBuf| {
            let is_it = |other: &&PathBuf| std::path::absolute(other).is_ok_and(|other| other == *path);
            self.hashes.keys().find(is_it).and_then(|other| self.hashes.get(other)).cloned()
        };
        let input = |path: PathBuf| {
            let sha256 = known(&path).map_or_else(|| hash_of(&path), Ok)?;
            Ok(Input { sha256, path: inputs::told(&path) })
        };
        paths.into_iter().map(input).collect()
    }

    /// The file of the scenario, whose folder is where its relative paths start.
    pub fn file(&self) -> PathBuf {
        self.text.base().join(self.name.file_name().unwrap_or(Path::new("scenario.json").as_os_str()))
    }
}
