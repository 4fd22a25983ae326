//! One run of a study in a process of its own: what it is told, and what comes back.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use hearth_serverless::experiment::{Extent, StuckCall};
use hearth_simcore::time::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::packed::record::Record;
use super::plan::{LEAST_STALE_AFTER, Plan};
use super::pool::Announce;
use super::simulate::{Keep, Summarised, simulate};
use super::store::Store;
use super::study::Study;
use crate::error::CommandError;
use crate::isolation::end::Note;
use crate::isolation::inside;
use crate::isolation::outside::{Apart, Ended};
use crate::isolation::page::Page;
use crate::objects::inputs;

/// The argument by which a process is told that it is one of these.
pub const ARGUMENT: &str = "run-of-a-sweep";

/// What the process is told.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    /// A study of the run alone.
    plan: Plan,
    /// The folder that paths in it start from.
    folder: PathBuf,
    keep: KeepThere,
    /// Where copies of what lies in object storage are, if there are any.
    brought: Option<PathBuf>,
    /// Where its libraries are, by path: what the sweep began with.
    copies: BTreeMap<PathBuf, PathBuf>,
    /// The file for the outcome.
    outcome: PathBuf,
}

/// Where what comes of the run is kept.
#[derive(Debug, Serialize, Deserialize)]
enum KeepThere {
    Nowhere,
    /// In a folder of its own in that of the sweep.
    InFolder(PathBuf),
    /// In a file from which it is appended to that of a worker on the plan in a folder.
    Packed {
        record: PathBuf,
        plan: PathBuf,
    },
}

/// What comes back.
#[derive(Debug, Serialize, Deserialize)]
enum Outcome {
    /// It has come to its end.
    Summary(Value),
    /// The simulation stopped.
    Failed(String),
    /// Something went wrong that would for other runs, too: with which exit code.
    Fatal(String, u8),
    /// It was stopped.
    Interrupted,
}

/// Runs one point in a process of its own and keeps what comes of it.
///
/// # Errors
/// As in this process; and when the process ends before it has said that it was done.
pub fn simulate_apart(
    study: &Study,
    point: usize,
    keep: Keep<'_>,
    announce: &Announce,
) -> Result<Summarised, CommandError> {
    let no_room = |error: io::Error| CommandError::Result {
        file: std::env::temp_dir(),
        problem: format!("no process can be started for a run: {error}"),
    };
    let folder = tempfile::Builder::new().prefix("hearth-").tempdir().map_err(no_room)?;
    let (outcome, record) = (folder.path().join("outcome"), folder.path().join("record"));
    let from = std::env::current_dir().map_err(no_room)?;
    let absolute = |path: &Path| std::path::absolute(path).map_err(no_room);
    let order = Order {
        plan: Plan::of(&study.only(point), &from, LEAST_STALE_AFTER)?,
        keep: match keep {
            Keep::Nowhere => KeepThere::Nowhere,
            Keep::InFolder(store) => KeepThere::InFolder(absolute(store.folder())?),
            Keep::Packed(_, plan) | Keep::Record(_, plan) => {
                KeepThere::Packed { record: record.clone(), plan: absolute(plan)? }
            }
        },
        folder: from,
        brought: inputs::root(),
        copies: study.copies.get().cloned().unwrap_or_default(),
        outcome: outcome.clone(),
    };
    let order = serde_json::to_vec(&order).unwrap_or_default();
    let apart = Apart {
        arguments: vec![OsString::from(ARGUMENT)],
        told: inside::told_below(),
        stop_before: u64::MAX,
        input: Some(&order),
        is_silent: false,
        limit: Duration::try_from_secs_f64(study.options.policy_timeout_s).unwrap_or(Duration::MAX),
    };
    let shown = OnceLock::new();
    let ended = apart.run(&|page| follow(page, announce, &shown)).map_err(no_room)?;
    match ended {
        Ended::Stopped => return Err(CommandError::Interrupted),
        Ended::Unexpectedly(end) => return Err(CommandError::Simulation(end.to_string())),
        Ended::Done(_) => {}
    }
    let outcome = fs::read(outcome).map_err(no_room)?;
    match serde_json::from_slice(&outcome).map_err(|error| no_room(error.into()))? {
        Outcome::Summary(summary) => {
            if let Keep::Packed(writer, _) = keep {
                let record = fs::File::open(record).and_then(|mut file| Record::read(&mut file));
                writer.append(&mut record.map_err(no_room)?)?;
            }
            Ok(Summarised::Apart(summary))
        }
        Outcome::Failed(error) => Err(CommandError::Simulation(error)),
        Outcome::Fatal(error, code) => Err(CommandError::OfARun { error, code }),
        Outcome::Interrupted => Err(CommandError::Interrupted),
    }
}

/// Shows how far the process is in the place of this thread; false once it is to stop.
fn follow(page: &Page, announce: &Announce, shown: &OnceLock<()>) -> bool {
    if shown.get().is_none()
        && let Some(Note { extent: Some((requests, end)), .. }) = page.noted()
    {
        announce.begin(Extent { requests, end: end.map(SimTime::from_nanos) });
        shown.get_or_init(|| ());
    }
    announce.follow(&page.board)
}

/// Does what this process is told to.
///
/// # Errors
/// When it is told nothing that makes sense, or cannot say what came of it.
pub fn run() -> Result<(), CommandError> {
    let wrong = |error: io::Error| CommandError::Usage(format!("{ARGUMENT}: {error}"));
    let order: Order = serde_json::from_reader(io::stdin().lock()).map_err(|error| wrong(error.into()))?;
    inputs::use_root(order.brought);
    let (study, ..) = order.plan.into_study(&order.folder)?;
    study.copies.get_or_init(|| order.copies);
    let store = match &order.keep {
        KeepThere::InFolder(folder) => Some(Store::shared(folder)),
        _ => None,
    };
    let keep = match (&order.keep, &store) {
        (KeepThere::Packed { record, plan }, _) => Keep::Record(record, plan),
        (_, Some(store)) => Keep::InFolder(store),
        _ => Keep::Nowhere,
    };
    let stuck_outcome = order.outcome.clone();
    let is_stuck = move |stuck: StuckCall| {
        // If it cannot be said, the process that waits finds out by itself that it is missing.
        let _ = tell(&stuck_outcome, &Outcome::Failed(stuck.to_string()));
        inside::leave(0)
    };
    let scenario = study.scenario_of(0)?;
    let outcome = simulate(&study, 0, &scenario, keep, &study.catalog(), &Announce::of_this_thread(), is_stuck);
    let outcome = match outcome {
        Ok(summary) => Outcome::Summary(summary.value()),
        Err(CommandError::Simulation(error)) => Outcome::Failed(error),
        Err(CommandError::Interrupted) => Outcome::Interrupted,
        Err(error) => Outcome::Fatal(error.to_string(), error.exit_code()),
    };
    tell(&order.outcome, &outcome).map_err(wrong)
}

fn tell(file: &Path, outcome: &Outcome) -> io::Result<()> {
    fs::write(file, serde_json::to_vec(outcome)?)
}
