//! What has come of the runs of a study, as far as it is known.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::{FAILURE, Record};
use super::scan::{Place, Scan};
use crate::error::CommandError;
use crate::result_folder::manifest::{self, Manifest};
use crate::result_place::HeldFile;
use crate::sweep::store::{RUNS, Store, has_ended};
use crate::sweep::study::Study;

/// What a run failed with.
#[derive(Debug, Serialize, Deserialize)]
struct Failure {
    key: String,
    error: String,
}

/// How a run came out.
#[derive(Clone, Copy, Debug)]
enum Came {
    /// It has ended after so many seconds of simulation, and is packed there.
    Packed(Place, f64),
    /// The same, in a folder of its own: one machine has run it before it was planned, or it was unpacked.
    InFolder(f64),
    /// It has failed.
    Failed(Place),
}

/// A run and its files, ready to be appended.
///
/// # Errors
/// When there is no room for it.
pub fn packed(key: &str, files: &BTreeMap<String, HeldFile>) -> Result<Record, CommandError> {
    let folder = format!("{RUNS}/{}", &key[..16]);
    let unwritable =
        |error: std::io::Error| CommandError::Result { file: folder.clone().into(), problem: error.to_string() };
    Record::pack(&folder, files).map_err(unwritable)
}

/// That a run has failed, as it would again, ready to be appended.
///
/// # Errors
/// When there is no room for it.
pub fn packed_failure(key: &str, error: &str) -> Result<Record, CommandError> {
    let failure = Failure { key: key.to_owned(), error: error.to_owned() };
    let text = serde_json::to_string_pretty(&failure).unwrap_or_default() + "\n";
    let unwritable = |error: std::io::Error| CommandError::Result { file: FAILURE.into(), problem: error.to_string() };
    let file = HeldFile::of(text.as_bytes()).map_err(unwritable)?;
    packed(key, &BTreeMap::from([(FAILURE.to_owned(), file)]))
}

/// The runs of a study, as their workers have left them.
#[derive(Debug)]
pub struct Runs<'a> {
    study: &'a Study,
    store: Store,
    scan: Scan,
    /// The runs in the order of their keys.
    by_key: Vec<u32>,
    came: Vec<Option<Came>>,
}

impl<'a> Runs<'a> {
    /// What there is of the runs of a study in the folder of its plan.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn read(study: &'a Study, plan: &Path) -> Result<Self, CommandError> {
        Self::read_with(study, plan, |_| {})
    }

    /// The same; the summaries of runs that workers have packed are passed on as text, in no order.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn read_with(study: &'a Study, plan: &Path, note: impl FnMut(&[u8])) -> Result<Self, CommandError> {
        let mut by_key: Vec<u32> = (0..study.keys.len() as u32).collect();
        by_key.sort_by_key(|run| &study.keys[*run as usize]);
        let (store, scan, came) = (Store::shared(plan), Scan::new(plan), vec![None; study.keys.len()]);
        let mut runs = Self { study, store, scan, by_key, came };
        runs.go_on_with(note)?;
        runs.read_folders();
        Ok(runs)
    }

    /// Reads what workers have appended since.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn go_on(&mut self) -> Result<(), CommandError> {
        self.go_on_with(|_| {})
    }

    fn go_on_with(&mut self, mut note: impl FnMut(&[u8])) -> Result<(), CommandError> {
        let Self { study, scan, by_key, came, .. } = self;
        scan.go_on(|place, found| {
            let named = |name: &str| found.files.get(name);
            let came_of = |key: &str, outcome: Came, came: &mut [Option<Came>]| {
                let mut is_new = false;
                for run in runs_of(study, by_key, key) {
                    let known = &mut came[run as usize];
                    if known.is_none() || matches!((&known, outcome), (Some(Came::Failed(_)), Came::Packed(..))) {
                        (*known, is_new) = (Some(outcome), true);
                    }
                }
                is_new
            };
            if let Some(failure) = named(FAILURE).and_then(|text| serde_json::from_slice::<Failure>(text).ok()) {
                came_of(&failure.key, Came::Failed(place), came);
            } else if let Some(text) = named(manifest::NAME)
                && let Ok(manifest) = Manifest::from_json(Path::new(&found.name), text)
                && let Some(record) =
                    manifest.sweep.as_ref().filter(|record| has_ended(&manifest, &record.key, &study.options))
            {
                let outcome = Came::Packed(place, manifest.wall_s.unwrap_or(0.0));
                if came_of(&record.key, outcome, came) {
                    note(named("summary.json").map_or(&[], Vec::as_slice));
                }
            }
            Ok(())
        })
    }

    /// Finds runs that have a folder each.
    fn read_folders(&mut self) {
        let Ok(entries) = fs::read_dir(self.store.folder().join(RUNS)) else { return };
        let names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        for name in names.iter().filter(|name| name.len() == 16) {
            for run in runs_of(self.study, &self.by_key, name) {
                let known = &mut self.came[run as usize];
                let is_done = matches!(known, Some(Came::Packed(..)));
                if let Some(manifest) = (!is_done)
                    .then(|| self.store.manifest(&self.study.keys[run as usize], &self.study.options))
                    .flatten()
                {
                    *known = Some(Came::InFolder(manifest.wall_s.unwrap_or(0.0)));
                }
            }
        }
    }

    /// The seconds that the simulation of a run took that has ended.
    pub fn seconds(&self, run: usize) -> Option<f64> {
        match self.came.get(run)? {
            Some(Came::Packed(_, seconds) | Came::InFolder(seconds)) => Some(*seconds),
            _ => None,
        }
    }

    /// Whether a run has failed, and not ended well since.
    pub fn has_failed(&self, run: usize) -> bool {
        matches!(self.came.get(run), Some(Some(Came::Failed(_))))
    }

    /// What a run has failed with, if it has.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn failure(&self, run: usize) -> Result<Option<String>, CommandError> {
        let Some(Some(Came::Failed(place))) = self.came.get(run) else { return Ok(None) };
        let files = self.scan.read_first(*place)?;
        let failure = files.get(FAILURE).and_then(|text| serde_json::from_slice::<Failure>(text).ok());
        Ok(failure.map(|failure| failure.error))
    }

    /// The summary of a run, if it has ended.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn summary(&self, run: usize) -> Result<Option<Value>, CommandError> {
        match self.came.get(run) {
            Some(Some(Came::Packed(place, _))) => {
                let files = self.scan.read_first(*place)?;
                Ok(files.get("summary.json").and_then(|text| serde_json::from_slice(text).ok()))
            }
            Some(Some(Came::InFolder(_))) => Ok(self.store.finished(&self.study.keys[run], &self.study.options)),
            _ => Ok(None),
        }
    }

    /// Gives each run that has ended a folder of its own, as one machine does.
    ///
    /// # Errors
    /// When one cannot be read or written.
    pub fn unpack(&self, to: &Store) -> Result<(), CommandError> {
        for (run, key) in self.study.keys.iter().enumerate() {
            let Some(Some(Came::Packed(place, _))) = self.came.get(run) else { continue };
            if to.manifest(key, &self.study.options).is_some() {
                continue;
            }
            let folder = to.begin(key)?;
            for (name, bytes) in self.scan.read_all(*place)? {
                let file = folder.join(name);
                let unwritable =
                    |error: std::io::Error| CommandError::Result { file: file.clone(), problem: error.to_string() };
                fs::write(&file, bytes).map_err(unwritable)?;
            }
            to.finish(key, &folder, &self.study.options)?;
        }
        Ok(())
    }
}

/// The runs that have this key, or one that begins so.
fn runs_of<'b>(study: &'b Study, by_key: &'b [u32], key: &'b str) -> impl Iterator<Item = u32> + use<'b> {
    let of = |run: &u32| study.keys[*run as usize].as_str();
    let begin = by_key.partition_point(|run| of(run) < key);
    by_key[begin..].iter().copied().take_while(move |run| study.keys[*run as usize].starts_with(key))
}
