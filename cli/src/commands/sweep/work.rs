//! `hearth sweep work`.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::super::run::POLICY_TIMEOUT;
use crate::error::CommandError;
use crate::isolation::{Isolated, inside};
use crate::plugin_folders::folders_of;
use crate::sweep::plan;
use crate::sweep::planned::{Part, PlannedSweep};
use crate::sweep::pool::{self, Control};
use crate::sweep::share::Share;
use crate::sweep::work::Work;

/// The arguments of `hearth sweep work`.
#[derive(Debug, Args)]
pub struct WorkArguments {
    /// The folder, or place in object storage, into which `hearth sweep --plan` has written a plan.
    folder: PathBuf,

    /// Do this one of N equal shares, as in 3/100. Without it, and without --claim, the engine that has started this process
    /// says which: SLURM_ARRAY_TASK_ID, HQ_TASK_ID, JOB_COMPLETION_INDEX or PARALLEL_SEQ.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["shares", "claim"])]
    share: Option<Share>,

    /// How many shares there are, where the engine numbers its tasks, but does not tell how many there are.
    #[arg(long, value_name = "N", conflicts_with = "claim")]
    shares: Option<NonZeroUsize>,

    /// Take whatever is open, until nothing is: any number of workers, which need not know of each other.
    #[arg(long)]
    claim: bool,

    /// Run those again that have failed before.
    #[arg(long)]
    retry: bool,

    /// How many simulations run at once; without it, one for each core.
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<NonZeroUsize>,

    /// Show no progress on a terminal.
    #[arg(long, short)]
    quiet: bool,
}

impl WorkArguments {
    /// How it is done in a process of its own, if libraries may be opened.
    pub fn isolated(&self) -> Option<Isolated> {
        let beside: Vec<PathBuf> = folders_of(Vec::new()).collect();
        let opens = !beside.is_empty() || plan::may_name_libraries(&self.folder);
        opens.then(|| Isolated::within(POLICY_TIMEOUT, beside))
    }

    /// What is to be done, and how that was found.
    fn part(&self) -> Result<(Part, String), CommandError> {
        if self.claim {
            return Ok((Part::Open, "what is open".to_owned()));
        }
        if let Some(share) = self.share {
            return Ok((Part::Share(share), format!("share {share}")));
        }
        let found = Share::of_array(self.shares, |name| std::env::var(name).ok());
        let (share, by) = found.map_err(CommandError::Usage)?;
        Ok((Part::Share(share), format!("share {share} ({by})")))
    }
}

/// Does a part of a plan.
pub fn run(arguments: &WorkArguments) -> Result<(), CommandError> {
    let planned = PlannedSweep::open(&arguments.folder)?;
    let (part, told) = arguments.part()?;
    planned.check_part(&part)?;
    let folder = arguments.folder.display();
    writeln!(inside::stdout(), "{folder}: {told}, {} of {} runs", planned.count(&part)?, planned.runs().len())?;
    let control = Control::default();
    control.stop_on_interrupt();
    let threads = pool::threads(arguments.jobs);
    let work = planned.work_under(&part, threads, arguments.retry, &control, !arguments.quiet)?;
    report(&work)
}

fn report(work: &Work) -> Result<(), CommandError> {
    let Work { runs, done, there, failed_before, failed, is_interrupted } = work;
    let before = if *failed_before > 0 { format!(", {failed_before} had failed before") } else { String::new() };
    writeln!(inside::stdout(), "{done} runs done, {there} were done by others{before}")?;
    if let Some(first) = failed.first() {
        return Err(CommandError::Runs { failed: failed.len(), runs: *runs, first: first.clone() });
    }
    if *is_interrupted {
        return Err(CommandError::WorkInterrupted { finished: done + there, runs: *runs });
    }
    Ok(())
}
