//! `hearth sweep collect`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::CommandError;
use crate::metric;
use crate::sweep::outcome::Shown;
use crate::sweep::planned::PlannedSweep;

/// The arguments of `hearth sweep collect`.
#[derive(Debug, Args)]
pub struct CollectArguments {
    /// The folder, or place in object storage, into which `hearth sweep --plan` has written a plan.
    folder: PathBuf,

    /// Write the tables of the runs that are there, though others are missing.
    #[arg(long)]
    partial: bool,

    /// Give each run a folder of its own as well, as `hearth sweep` without --plan does: about ten files a run.
    #[arg(long)]
    unpack: bool,

    /// Show this number of the summaries, as in latency_p99; without it, some that are often wanted.
    #[arg(long = "metric", value_name = "NAME")]
    metrics: Vec<String>,

    /// Print the comparison as JSON, with every number unless some are named, instead of tables.
    #[arg(long)]
    json: bool,
}

/// Writes and prints what the runs of a plan come to.
pub fn run(arguments: &CollectArguments) -> Result<(), CommandError> {
    let metrics = metric::all_asked_for(&arguments.metrics)?;
    let planned = PlannedSweep::open(&arguments.folder)?;
    let shown = Shown { metrics: &metrics, json: arguments.json };
    if arguments.unpack {
        let store = planned.store_for_tables()?.called(&arguments.folder);
        let outcome = planned.outcome(arguments.partial)?;
        outcome.report(Some(&store), shown)?;
        outcome.unpack(&store)?;
        planned.clear_up(&outcome)?;
        return outcome.check_failures();
    }
    collect(&planned, &arguments.folder, arguments.partial, shown)
}

/// Writes and prints what the runs of a plan come to, which is called so.
pub(super) fn collect(
    planned: &PlannedSweep,
    called: &Path,
    partial: bool,
    shown: Shown<'_>,
) -> Result<(), CommandError> {
    let store = planned.store_for_tables()?.called(called);
    let outcome = planned.outcome(partial)?;
    outcome.report(Some(&store), shown)?;
    planned.clear_up(&outcome)?;
    outcome.check_failures()
}
