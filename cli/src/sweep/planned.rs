//! A sweep that is planned, for any number of workers on any number of machines: what `hearth sweep --plan`,
//! `hearth sweep work`, `status` and `collect` do.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::claims::Claims;
use super::marks::Marks;
use super::outcome::{self, Outcome};
use super::packed::runs::Runs;
use super::plan::{self, Plan};
use super::pool::Control;
use super::share::Share;
use super::status::{Status, Watch};
use super::store::Store;
use super::study::Study;
use super::work::{self, Work};
use crate::error::CommandError;
use crate::objects::is_named;
use crate::objects::location::{Location, Needed};
use crate::result_folder::manifest::Input;

/// The folder of a plan: which runs a sweep has, and what has come of them.
///
/// Any number of processes on any number of machines that see the folder may work on it at once. Each run is there as a
/// whole or not at all, whoever ends when, and is the same whoever did it. With the feature `object-storage` the folder may be a
/// name such as `s3://bucket/prefix`.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/quickstart.json");
/// let output = folder.path().join("sweep");
/// let arguments = [scenario, "--seeds", "1..4", "--output", output.to_str().ok_or("no text")?];
/// let sweep = hearth_sim::PlannedSweep::plan(arguments)?;
/// assert_eq!(sweep.runs().count(), 4);
///
/// // Anywhere else, as often as there are executors to hand work to:
/// let worker = hearth_sim::PlannedSweep::open(&output)?;
/// worker.work(&hearth_sim::Part::Runs(vec![0, 2]), NonZeroUsize::MIN)?;
/// worker.work(&hearth_sim::Part::Open, NonZeroUsize::MIN)?;
///
/// assert_eq!(sweep.status()?.done, 4);
/// sweep.collect(false)?;
/// assert!(output.join("comparison.csv").is_file());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PlannedSweep {
    study: Study,
    location: Location,
    /// Its folder, or that of its copy: an absolute path.
    folder: PathBuf,
    /// What the runs read, as the plan says.
    inputs: Vec<Input>,
    stale_after: Duration,
}

/// One of the runs of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedRun {
    /// The hash of all that it depends on; where it has a folder, that is `runs/` and the first sixteen digits.
    pub key: String,
    /// Its values as they were given, by the names of what varies.
    pub settings: Vec<(String, String)>,
    /// Its seed.
    pub seed: u64,
}

/// What a worker is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// One of several equal parts.
    Share(Share),
    /// The runs at these positions among [`PlannedSweep::runs`].
    Runs(Vec<usize>),
    /// What nobody has done or is at, until nothing is left; what a worker was at that has died since is open again.
    Open,
}

impl PlannedSweep {
    /// Plans a study into a folder, and runs nothing. With `resume` a plan there is replaced; runs that are there count.
    pub(crate) fn write(
        study: Study,
        folder: &Path,
        resume: bool,
        stale_after: Duration,
    ) -> Result<Self, CommandError> {
        let location = Location::open(folder, Needed::Names)?;
        let write = || {
            let store = Store::open_for_plan(location.folder(), resume)?;
            let absolute = absolute(location.folder())?;
            let plan = Plan::of(&study, &absolute, stale_after)?;
            outcome::write_description(&study, &store, &[])?;
            store.write(plan::NAME, plan.to_json().as_bytes())
        };
        location.named(write())?;
        location.hand_back()?;
        Self::open(folder)
    }

    /// The plan of a folder.
    ///
    /// # Errors
    /// When there is none, or it was written by another version of Hearth, or changed since.
    pub fn open(folder: &Path) -> Result<Self, CommandError> {
        let location = Location::open(folder, Needed::All)?;
        let folder = absolute(location.folder())?;
        let read = || Plan::read(&folder)?.into_study(&folder);
        let (study, inputs, stale_after) = location.named(read())?;
        Ok(Self { study, location, folder, inputs, stale_after })
    }

    /// Where it is: an absolute path, or a name in object storage.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self.location {
            Location::Folder(_) => &self.folder,
            Location::Objects(_) => self.location.name(),
        }
    }

    /// All runs, in the order of the tables.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = PlannedRun> + '_ {
        (0..self.study.points.len()).map(|point| {
            let record = self.study.record(point);
            PlannedRun { key: record.key, settings: record.settings.into_iter().collect(), seed: record.seed }
        })
    }

    /// Sees that nothing that the runs depend on has changed since they were planned: traces and other files, libraries of
    /// policies.
    ///
    /// # Errors
    /// When something has: what, and what to do about it.
    pub fn check(&self) -> Result<(), CommandError> {
        self.check_part(&Part::Open)
    }

    /// The same, of what a part of the runs depends on.
    pub(crate) fn check_part(&self, part: &Part) -> Result<(), CommandError> {
        const CURE: &str = "put back what was there, or plan again with --plan --resume";
        let changed = |problem: String| CommandError::Usage(format!("{}: {problem}: {CURE}", self.folder().display()));
        let told = |path: &Path| if is_named(path) { path.to_owned() } else { self.folder.join(path) };
        let points = self.points(part)?;
        let now = self.study.dependencies(&points)?;
        let found = plan::inputs_in(&now.hashes, &self.folder)?;
        for planned in &self.inputs {
            let path = told(&planned.path);
            match found.iter().find(|input| input.path == planned.path) {
                Some(input) if input.sha256 == planned.sha256 => {}
                Some(Input { sha256, .. }) => {
                    let before = &planned.sha256;
                    let problem = format!("is not what was planned with: its SHA-256 was {before} and is {sha256}");
                    return Err(changed(format!("{} {problem}", path.display())));
                }
                // Other runs may read it.
                None if points.len() < self.study.points.len() => {}
                None => return Err(changed(format!("{} is not read any more", path.display()))),
            }
        }
        let is_new = |input: &&Input| self.inputs.iter().all(|planned| planned.path != input.path);
        if let Some(input) = found.iter().find(is_new) {
            let path = told(&input.path);
            return Err(changed(format!("{} is read, which was not planned", path.display())));
        }
        match points.iter().zip(&now.keys).find(|(point, key)| self.study.keys[**point] != **key) {
            Some((point, _)) => {
                let run = self.study.describe(*point);
                Err(changed(format!("{} is not the plan of these runs any more, beginning with {run}", plan::NAME)))
            }
            None => {
                self.study.copies.get_or_init(|| now.copies);
                Ok(())
            }
        }
    }

    /// Does a part of the runs on so many threads, and keeps each as soon as it has ended. Runs that are there, and those that
    /// failed before, are passed over.
    ///
    /// # Errors
    /// When something has changed since the plan was made (see [`PlannedSweep::check`]), or nothing can be written. A run that
    /// fails is no error here; [`Work::failed`] names it.
    pub fn work(&self, part: &Part, threads: NonZeroUsize) -> Result<Work, CommandError> {
        self.check_part(part)?;
        self.work_under(part, threads.get(), false, &Control::default(), false)
    }

    /// The same, under control from outside, and with a line of progress; without the check. With `retry` runs that failed
    /// before are run again.
    pub(crate) fn work_under(
        &self,
        part: &Part,
        threads: usize,
        retry: bool,
        control: &Control,
        with_progress: bool,
    ) -> Result<Work, CommandError> {
        self.location.look_around()?;
        let claims = Claims::open(Marks::of(&self.location), self.stale_after)?;
        let orders = work::Orders { takes_what_is_open: *part == Part::Open, retry, with_progress };
        let worker = work::Worker::new(&self.study, &self.location, &claims, orders)?;
        self.location.named(worker.work(&self.points(part)?, threads, control))
    }

    /// How many runs a part has.
    ///
    /// # Errors
    /// When it names a run that there is not.
    pub fn count(&self, part: &Part) -> Result<usize, CommandError> {
        self.points(part).map(|points| points.len())
    }

    /// The runs of a part.
    fn points(&self, part: &Part) -> Result<Vec<usize>, CommandError> {
        let all = self.study.points.len();
        match part {
            Part::Share(share) => Ok(share.positions(&self.study.keys)),
            Part::Open => Ok((0..all).collect()),
            Part::Runs(points) => match points.iter().find(|point| **point >= all) {
                Some(point) => Err(CommandError::Usage(format!("there is no run {point}: the plan has {all}"))),
                None => Ok(points.clone()),
            },
        }
    }

    /// The positions of the runs that have neither ended nor failed.
    pub(crate) fn open_runs(&self) -> Result<Vec<usize>, CommandError> {
        let runs = self.read()?;
        Ok((0..self.study.points.len()).filter(|run| runs.seconds(*run).is_none() && !runs.has_failed(*run)).collect())
    }

    /// How far the runs are.
    ///
    /// # Errors
    /// When the folder cannot be read, or nothing can be written there: what lives is found by dates of files.
    pub fn status(&self) -> Result<Status, CommandError> {
        self.watch()?.status()
    }

    /// The same, for who asks again and again.
    pub(crate) fn watch(&self) -> Result<Watch<'_>, CommandError> {
        Ok(Watch::new(&self.study, &self.location, self.read()?, self.stale_after))
    }

    /// What workers have done.
    fn read(&self) -> Result<Runs<'_>, CommandError> {
        self.location.look_around()?;
        self.location.named(Runs::read(&self.study, &self.folder))
    }

    /// Writes the tables of all runs: the same bytes that one machine would have written. With `partial` those of the runs
    /// that are there.
    ///
    /// # Errors
    /// When runs are missing, without `partial`, or some have failed, with the tables of the others; or nothing can be written.
    pub fn collect(&self, partial: bool) -> Result<(), CommandError> {
        let store = self.store_for_tables()?;
        let outcome = self.outcome(partial)?;
        self.location.named(outcome.write(Some(&store)))?;
        self.clear_up(&outcome)?;
        outcome.check_failures()
    }

    /// The store of its tables, into which no other process of this machine writes.
    ///
    /// # Errors
    /// When another process does.
    pub(crate) fn store_for_tables(&self) -> Result<Store, CommandError> {
        Ok(Store::for_tables(&self.folder)?.called(self.folder()))
    }

    /// Gives each run that has ended a folder of its own in `runs/`, as one machine does: about ten files a run.
    ///
    /// # Errors
    /// When another process writes there, or something cannot be read or written.
    pub fn unpack(&self) -> Result<(), CommandError> {
        self.location.named(self.outcome(true)?.unpack(&self.store_for_tables()?))?;
        self.location.hand_back()
    }

    /// What has come of the runs so far.
    pub(crate) fn outcome(&self, partial: bool) -> Result<Outcome<'_>, CommandError> {
        self.location.look_around()?;
        let outcome = self.location.named(Outcome::read(&self.study, &self.folder))?;
        let (missing, runs) = (outcome.missing(), self.study.points.len());
        if missing > 0 && !partial {
            return Err(CommandError::MissingRuns { missing, runs, folder: self.folder().to_owned() });
        }
        Ok(outcome)
    }

    /// Hands back the tables where the plan lies in object storage, and removes what workers have left behind, if nothing is left to do.
    ///
    /// # Errors
    /// When the tables cannot be handed back.
    pub(crate) fn clear_up(&self, outcome: &Outcome<'_>) -> Result<(), CommandError> {
        self.location.hand_back()?;
        if outcome.missing() == 0 {
            Marks::of(&self.location).remove_all();
        }
        Ok(())
    }
}

fn absolute(folder: &Path) -> Result<PathBuf, CommandError> {
    let unusable =
        |error: std::io::Error| CommandError::OutputFolder { folder: folder.to_owned(), problem: error.to_string() };
    std::path::absolute(folder).map_err(unusable)
}
